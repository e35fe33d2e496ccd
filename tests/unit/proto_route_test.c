// SPDX-License-Identifier: GPL-2.0-only
/* Routes: a table of targets and names, and what holds for any input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "proto/route.h"
#include "guard.h"

struct sample {
	const char *target, *route;
};

static const struct sample samples[] = {
	{ "/course/view.php?id=42", "GET /course/view.php" },
	{ "/course/view.php?next=/a?b#c", "GET /course/view.php" },
	{ "/a#frag", "GET /a" },
	{ "/", "GET /" },
	{ "", "GET /" },
	{ "?q=1", "GET /" },
	{ "/course/", "GET /course/" },
	{ "//course///view.php", "GET /course/view.php" },
	{ "http://moodle.test/my/?x", "GET /my/" },
	{ "https://u:p@moodle.test:8443", "GET /" },
	{ "http://moodle.test?secret", "GET /" },
	{ "/go?to=http://a/b", "GET /go" },
	{ "*", "GET *" },
	/* things, not pages */
	{ "/users/12345/posts/7", "GET /users/*/posts/*" },
	{ "/users/-1/x", "GET /users/*/x" },
	{ "/o/123e4567-e89b-12d3-a456-426614174000", "GET /o/*" },
	{ "/o/123E4567-E89B-12D3-A456-426614174000/edit", "GET /o/*/edit" },
	{ "/blob/d41d8cd98f00b204e9800998ecf8427e", "GET /blob/*" },
	{ "/c/deadbee1", "GET /c/*" },
	{ "/c/deadbeef", "GET /c/deadbeef" }, /* a word: no decimal digit */
	{ "/c/dead123", "GET /c/dead123" }, /* too short */
	{ "/t/eyJhbGciOiJIUzI1NiIsInR5", "GET /t/*" },
	{ "/t/abcdefghijklmnopqr12", "GET /t/*" },
	{ "/t/abcdefghijklmnopq12", "GET /t/abcdefghijklmnopq12" }, /* 19 */
	{ "/t/aB3_x-9Zq8_kLm2-0pQr5", "GET /t/*" },
	{ "/blog/my-2023-holiday-photos-in-rome", "GET /blog/my-2023-holiday-photos-in-rome" },
	{ "/blog/introduction_to_web20_and_more", "GET /blog/introduction_to_web20_and_more" },
	{ "/internationalization-guidelines", "GET /internationalization-guidelines" },
	{ "/x/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/y", "GET /x/*/y" },
	/* secrets and people */
	{ "/u/john.doe@example.com", "GET /u/*" },
	{ "/u/john%40example.com/x", "GET /u/*/x" },
	{ "//user:pass@h/x", "GET /*/x" },
	{ "/x/sess=abcdefgh", "GET /x/*" },
	{ "/x/sess%3dabcdefgh/y", "GET /x/*/y" },
	{ "/p%3Fpassword=hunter2", "GET /*" },
	{ "/p%3fhunter", "GET /*" },
	{ "/s/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "GET /s/*" },
	{ "/k/AKIAIOSFODNN7EXAMPLE", "GET /k/*" },
	{ "/v/Ab3dEf7h", "GET /v/*" },
	{ "/v/OAuth2Callback", "GET /v/OAuth2Callback" },
	{ "/reset/hunter2secret", "GET /reset/*" },
	{ "/Verify/abcdefghijklmnop", "GET /Verify/*" },
	{ "/reset/password", "GET /reset/password" },
	{ "/static/app.d41d8cd98f00b204.js", "GET /static/app.*.js" },
	/* extensions and versions */
	{ "/img/12345.png", "GET /img/*.png" },
	{ "/img/d41d8cd98f00b204e9800998ecf8427e.jpeg", "GET /img/*.jpeg" },
	{ "/img/logo.png", "GET /img/logo.png" },
	{ "/v/1.5/x", "GET /v/1.5/x" },
	{ "/.well-known/x", "GET /.well-known/x" },
	{ "/12345.", "GET /12345." },
	{ "/a/../b/./c", "GET /a/../b/./c" },
	/* PATH_INFO */
	{ "/pluginfile.php/123/mod_resource/content/1/Secret Name.pdf", "GET /pluginfile.php/*" },
	{ "/theme/styles.php/boost/1700000000/all", "GET /theme/styles.php/*" },
	{ "/w/index.php/Main_Page?action=raw", "GET /w/index.php/Main_Page" },
	{ "/index.php/users/42/edit", "GET /index.php/users/*/edit" },
	{ "/my_index.php/Main_Page", "GET /my_index.php/*" },
	{ "/index.PHP/", "GET /index.PHP/*" },
	{ "/.php/x", "GET /.php/x" },
	/* sessions, encodings, bytes */
	{ "/app/page;jsessionid=0123456789ABCDEF?x", "GET /app/page" },
	{ "/a;v=1/b;w=2/c", "GET /a/b/c" },
	{ "/a%20b/%zz/%", "GET /a%20b/%zz/%" },
	{ "/caf\xc3\xa9", "GET /caf\xc3\xa9" },
	{ "/a\x01\x1b[2Jb\x7f", "GET /a??[2Jb?" },
	{ "/a\xff\xc3", "GET /a??" },
	{ "/a\xc2\x85"
	  "b",
	  "GET /a??b" }, /* C1 control */
	{ "/a\xed\xa0\x80", "GET /a???" }, /* surrogate */
	{ "/a\xc0\xaf", "GET /a??" }, /* overlong */
	{ "course", "GET /course" },
};

static void table(void **state)
{
	char out[256];

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		size_t len = route_normalise(SLICE_LIT("GET"), slice_of(samples[i].target), out,
					     sizeof(out));

		assert_string_equal(out, samples[i].route);
		assert_int_equal(len, strlen(out));
	}
	route_normalise(SLICE_LIT("CONNECT"), SLICE_LIT("db.internal:5432"), out, sizeof(out));
	assert_string_equal(out, "CONNECT *");
	route_normalise((struct slice){ NULL, 0 }, SLICE_LIT("/x"), out, sizeof(out));
	assert_string_equal(out, "/x");
	route_normalise((struct slice){ NULL, 0 }, (struct slice){ NULL, 0 }, out, sizeof(out));
	assert_string_equal(out, "/");
}

static void scripts(void **state)
{
	char out[256];

	(void)state;
	route_script(SLICE_LIT("POST"), SLICE_LIT("/mod/quiz/attempt.php"), out, sizeof(out));
	assert_string_equal(out, "POST /mod/quiz/attempt.php");
	route_script(SLICE_LIT("POST"), SLICE_LIT("/index.php/a/b"), out, sizeof(out));
	assert_string_equal(out, "POST /index.php/a/b");
	route_script(SLICE_LIT("GET"), SLICE_LIT("/what;x.php"), out, sizeof(out));
	assert_string_equal(out, "GET /what;x.php");
	assert_int_equal(
		route_script(SLICE_LIT("GET"), (struct slice){ NULL, 0 }, out, sizeof(out)), 0);
	assert_string_equal(out, "");
}

static void length_limit(void **state)
{
	char target[400], out[256];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(target); i++)
		target[i] = i % 4 ? 'e' : '/';
	len = route_normalise(SLICE_LIT("GET"), (struct slice){ target, sizeof(target) }, out,
			      sizeof(out));
	assert_int_equal(len, ROUTE_MAX);
	/* A character of two bytes that would end at byte 121 is left out whole. */
	memset(target, 'a', sizeof(target));
	for (size_t i = 0; i < 114; i += 10)
		target[i] = '/';
	memcpy(target + 115, "\xc3\xa9\xc3\xa9", 4);
	len = route_normalise(SLICE_LIT("GET"), (struct slice){ target, 130 }, out, sizeof(out));
	assert_int_equal(len, ROUTE_MAX - 1);
	assert_int_equal(out[len - 1], 'a');
}

/* For each cap, each prefix of each sample: no fault, within cap, the start of the uncapped one. */
static void caps_and_prefixes(void **state)
{
	char whole[256];
	struct guard in, out;

	(void)state;
	guard_init(&in, 256);
	guard_init(&out, 256);
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		size_t target_len = strlen(samples[i].target);

		for (size_t n = 0; n <= target_len; n++) {
			struct slice target = guard_place(&in, samples[i].target, n);
			size_t len = route_normalise(SLICE_LIT("GET"), target, whole, 256);

			for (size_t cap = 0; cap < 40; cap++) {
				char *at = out.map + out.room - cap;
				size_t got = route_normalise(SLICE_LIT("GET"), target, at, cap);

				assert_true(got <= len && (got < cap || cap == 0));
				assert_memory_equal(at, whole, got);
				if (cap)
					assert_int_equal(at[got], 0);
			}
		}
	}
	guard_release(&in);
	guard_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(scripts),
		cmocka_unit_test(length_limit),
		cmocka_unit_test(caps_and_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
