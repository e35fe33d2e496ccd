// SPDX-License-Identifier: GPL-2.0-only
/* PROXY headers: both versions, every prefix at a guard page, and what only looks like one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "proto/detect.h"
#include "proto/proxy_line.h"
#include "guard.h"

#define GET "GET / HTTP/1.1\r\n\r\n"
#define V2 "\r\n\r\n\0\r\nQUIT\n"

struct header {
	struct slice in;
	size_t len;
	const char *client;
};

static const struct header headers[] = {
	{ SLICE_LIT("PROXY TCP4 192.0.2.1 192.0.2.2 5555 80\r\n" GET), 40, "192.0.2.1" },
	{ SLICE_LIT("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n" GET), 36, "2001:db8::1" },
	{ SLICE_LIT("PROXY UNKNOWN\r\n" GET), 15, "" },
	{ SLICE_LIT(V2 "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x15\xb3\0\x50" GET), 28, "192.0.2.1" },
	/* with a field behind the addresses */
	{ SLICE_LIT(V2 "\x21\x11\0\x10\xc0\0\2\1\xc0\0\2\2\x15\xb3\0\x50\x04\0\1\0" GET), 32,
	  "192.0.2.1" },
	{ SLICE_LIT(V2 "\x20\0\0\0" GET), 16, "" }, /* LOCAL: the proxy asks for itself */
};

static void test_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		char text[PROXY_CLIENT_TEXT];
		struct proxy_client client;

		assert_int_equal(proxy_line(headers[i].in, &client), headers[i].len);
		assert_string_equal(proxy_client_text(text, &client), headers[i].client);
	}
}

/* One that is cut is none yet. */
static void test_prefixes(void **state)
{
	struct proxy_client client;
	struct guard g;

	(void)state;
	guard_init(&g, 256);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		for (size_t n = 0; n <= headers[i].in.len; n++)
			assert_int_equal(proxy_line(guard_place(&g, headers[i].in.ptr, n), &client),
					 n < headers[i].len ? 0 : headers[i].len);
	}
}

static void test_not_one(void **state)
{
	static const struct slice none[] = {
		SLICE_LIT("PROXY / HTTP/1.1\r\n\r\n"),
		SLICE_LIT("PROXY TCP4 /a HTTP/1.1\r\n"),
		SLICE_LIT("PROXY TCP5 192.0.2.1 192.0.2.2 5555 80\r\n"),
		SLICE_LIT("PROXY TCP4 192.0.2.1 192.0.2.2 5555 80\n"),
		SLICE_LIT("PROXY TCP4 192.0.2.1 192.0.2.2 5555\r\n"),
		SLICE_LIT("PROXY TCP4 192.0.2.1 192.0.2.2 5555 80 \r\n"),
		SLICE_LIT("PROXY TCP4 192.0.2.1 192.0.2.2 5555 80 x\r\n"),
		SLICE_LIT("PROXY TCP4  192.0.2.1 192.0.2.2 5555 80\r\n"),
		SLICE_LIT("PROXY TCP4 192.0.2.256 192.0.2.2 5555 80\r\n"),
		SLICE_LIT("PROXY TCP4 192.0.2.1 ::1 5555 80\r\n"),
		SLICE_LIT("PROXY TCP4 192.0.2.1 192.0.2.2 65536 80\r\n"),
		SLICE_LIT("PROXY TCP4 192.0.2.1 192.0.2.2 05 80\r\n"),
		SLICE_LIT("PROXY TCP6 192.0.2.1 192.0.2.2 5555 80\r\n"),
		SLICE_LIT("PROXY UNKNOWN x\r\n"),
		SLICE_LIT("PROXY UNKNOWN\n"),
		SLICE_LIT(V2 "\x31\x11\0\0"),
		SLICE_LIT(V2 "\x22\x11\0\0"),
	};
	struct proxy_client client;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (proxy_line(none[i], &client) || client.version)
			fail_msg("case %zu", i);
	}
	assert_int_equal(proto_detect(none[0]), PROTO_HTTP1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_not_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
