// SPDX-License-Identifier: GPL-2.0-only
/* HTTP/1 heads: values by hand, every prefix at a guard page, and no prefix contradicts the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "proto/http1.h"
#include "guard.h"

#define assert_slice(s, text) \
	do { \
		assert_int_equal((s).len, strlen(text)); \
		assert_memory_equal((s).ptr, text, (s).len); \
	} while (0)

static int request(const char *text, struct http1_request *r)
{
	return http1_parse_request(slice_of(text), r);
}

static int response(const char *text, struct http1_response *r)
{
	return http1_parse_response(slice_of(text), r);
}

static void plain_get(void **state)
{
	const char *text = "GET /course/view.php?id=2 HTTP/1.1\r\nHost: moodle.test\r\n"
			   "Accept: */*\r\n\r\n";
	struct http1_request r;

	(void)state;
	assert_int_equal(request(text, &r), HTTP1_OK);
	assert_slice(r.method, "GET");
	assert_slice(r.target, "/course/view.php?id=2");
	assert_false(r.target_cut);
	assert_int_equal(r.minor_version, 1);
	assert_int_equal(r.content_length, -1);
	assert_false(r.chunked || r.close || r.upgrade || r.expect_continue);
	assert_slice(r.host, "moodle.test");
	assert_int_equal(r.head_len, strlen(text));
}

static void post_with_body(void **state)
{
	const char *head = "POST /login HTTP/1.1\r\nhost:a\r\nCONTENT-LENGTH:  11 \r\n"
			   "Expect: 100-Continue\r\nConnection: Keep-Alive, close\r\n\r\n";
	char text[256];
	struct http1_request r;

	(void)state;
	snprintf(text, sizeof(text), "%susername=me", head);
	assert_int_equal(request(text, &r), HTTP1_OK);
	assert_int_equal(r.content_length, 11);
	assert_true(r.close);
	assert_true(r.expect_continue);
	assert_slice(r.host, "a");
	assert_int_equal(r.head_len, strlen(head));
}

static void keep_alive_defaults(void **state)
{
	struct http1_request r;
	struct http1_response p;

	(void)state;
	assert_int_equal(request("GET / HTTP/1.0\r\n\r\n", &r), HTTP1_OK);
	assert_true(r.close);
	assert_int_equal(request("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", &r), HTTP1_OK);
	assert_false(r.close);
	assert_int_equal(request("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", &r), HTTP1_OK);
	assert_false(r.expect_continue);
	assert_int_equal(response("HTTP/1.0 200 OK\r\n\r\n", &p), HTTP1_OK);
	assert_true(p.close);
	assert_int_equal(response("HTTP/1.1 200 OK\r\n\r\n", &p), HTTP1_OK);
	assert_false(p.close);
}

static void lenient(void **state)
{
	const char *bare = "\r\n\nGET  http://me@h.test:80/a/b?c  HTTP/1.1\nHost: other\nX\n\n";
	struct http1_request r;

	(void)state;
	assert_int_equal(request(bare, &r), HTTP1_OK);
	assert_slice(r.target, "http://me@h.test:80/a/b?c");
	assert_slice(r.host, "h.test:80");
	assert_int_equal(r.head_len, strlen(bare));
	assert_int_equal(request("M-SEARCH * HTTP/1.1\r\n\r\n", &r), HTTP1_OK);
	assert_slice(r.method, "M-SEARCH");
	assert_slice(r.target, "*");
}

static void framing(void **state)
{
	struct http1_request r;

	(void)state;
	request("PUT / HTTP/1.1\r\nTransfer-Encoding: gzip,\r\n chunked\r\n\r\n", &r);
	assert_true(r.chunked);
	request("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", &r);
	assert_false(r.chunked);
	request("PUT / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n", &r);
	assert_int_equal(r.content_length, 5);
	request("PUT / HTTP/1.1\r\nContent-Length: 5, 6\r\n\r\n", &r);
	assert_int_equal(r.content_length, -1);
	request("PUT / HTTP/1.1\r\nContent-Length: 9223372036854775807\r\n\r\n", &r);
	assert_true(r.content_length == INT64_MAX);
	request("PUT / HTTP/1.1\r\nContent-Length: 9223372036854775808\r\n\r\n", &r);
	assert_int_equal(r.content_length, -1);
	request("PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", &r);
	assert_int_equal(r.content_length, -1);
	request("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", &r);
	assert_false(r.upgrade);
	request("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", &r);
	assert_true(r.upgrade);
}

static void not_http1(void **state)
{
	static const char *const texts[] = {
		"get / HTTP/1.1\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET /\r\n",
		"-GET / HTTP/1.1\r\n",
		" GET / HTTP/1.1\r\n",
		"ABCDEFGHIJKLMNOPQRSTUVWXY / HTTP/1.1\r\n",
		"GET / HTTP/1.1 x\r\n",
		"GET / HTTP/1.x\r\n",
		"GET /\t HTTP/1.1\r\n",
		"\x16\x03\x01",
		"*1\r\n$4\r\nPING\r\n",
		"GET\r\n",
		"GET / http/1.1\r\n",
	};
	static const char *const answers[] = {
		"HTTP/2 200\r\n",       "HTTP/1.1 20x OK\r\n", "HTTP/1.1 099 OK\r\n",
		"HTTP/1.1 2000 OK\r\n", "HTTP/1.1200 OK\r\n",  "ICY 200 OK\r\n",
	};
	struct http1_request r;
	struct http1_response p;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(request(texts[i], &r), HTTP1_NOT);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_int_equal(response(answers[i], &p), HTTP1_NOT);
	assert_int_equal(request("ABCDEFGHIJKLMNOPQRSTUVWX / HTTP/1.1\r\n\r\n", &r), HTTP1_OK);
}

static void responses(void **state)
{
	const char *interim = "HTTP/1.1 100 Continue\r\n\r\n";
	struct http1_response r;

	(void)state;
	assert_int_equal(response("HTTP/1.1 404\nContent-Length: 3\nConnection: close\n\nabc", &r),
			 HTTP1_OK);
	assert_int_equal(r.status, 404);
	assert_int_equal(r.content_length, 3);
	assert_true(r.close);
	assert_int_equal(r.head_len, 13 + 18 + 18 + 1);
	assert_int_equal(response("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", &r),
			 HTTP1_OK);
	assert_int_equal(r.status, 100);
	assert_int_equal(r.head_len, strlen(interim));
	assert_int_equal(response("HTTP/1.1 503 \r\nTransfer-Encoding: chunked\r\nX: y", &r),
			 HTTP1_PARTIAL);
	assert_int_equal(r.status, 503);
	assert_true(r.chunked);
	assert_int_equal(r.head_len, 0);
}

static void bodies(void **state)
{
	(void)state;
	assert_true(http1_response_has_body(SLICE_LIT("GET"), 200));
	assert_true(http1_response_has_body(SLICE_LIT("POST"), 500));
	assert_true(http1_response_has_body(SLICE_LIT("CONNECT"), 403));
	assert_false(http1_response_has_body(SLICE_LIT("CONNECT"), 200));
	assert_false(http1_response_has_body(SLICE_LIT("HEAD"), 200));
	assert_false(http1_response_has_body(SLICE_LIT("GET"), 101));
	assert_false(http1_response_has_body(SLICE_LIT("GET"), 204));
	assert_false(http1_response_has_body(SLICE_LIT("GET"), 304));
}

static void chunked_ends(void **state)
{
	(void)state;
	assert_true(http1_chunked_ends(SLICE_LIT("0\r\n\r\n")));
	assert_true(http1_chunked_ends(SLICE_LIT("\r\n0\r\n\r\n")));
	assert_true(http1_chunked_ends(SLICE_LIT("</html>\r\n0000\r\n\r\n")));
	assert_false(http1_chunked_ends(SLICE_LIT("10\r\n\r\n")));
	assert_false(http1_chunked_ends(SLICE_LIT("\n0\r\n\r\n")));
	assert_false(http1_chunked_ends(SLICE_LIT("\r\n0\r\n")));
	assert_false(http1_chunked_ends(SLICE_LIT("0\r\nTrailer: x\r\n\r\n")));
	assert_false(http1_chunked_ends(SLICE_LIT("\r\n0\r\n\r\nx")));
	assert_false(http1_chunked_ends((struct slice){ NULL, 0 }));
}

static void unset_or_same(struct slice part, struct slice whole)
{
	assert_true(part.len == 0 || slice_eq(part, whole));
}

static void request_prefixes(const char *text, size_t len)
{
	struct http1_request whole, r;
	struct guard g;

	guard_init(&g, len);
	assert_int_equal(http1_parse_request((struct slice){ text, len }, &whole), HTTP1_OK);
	for (size_t n = 0; n <= len; n++) {
		int got = http1_parse_request(guard_place(&g, text, n), &r);

		assert_int_equal(got, n >= whole.head_len ? HTTP1_OK : HTTP1_PARTIAL);
		assert_int_equal(r.head_len, n >= whole.head_len ? whole.head_len : 0);
		unset_or_same(r.method, whole.method);
		assert_true(r.target.len == 0 || slice_starts(whole.target, r.target));
		assert_true(r.target.len == whole.target.len || r.target_cut || !r.method.len);
		assert_true(r.minor_version == -1 || r.minor_version == whole.minor_version);
		assert_true(r.content_length == -1 || r.content_length == whole.content_length);
		assert_true(r.chunked <= whole.chunked && r.close <= whole.close);
		assert_true(r.upgrade <= whole.upgrade);
		assert_true(r.expect_continue <= whole.expect_continue);
		unset_or_same(r.host, whole.host);
	}
	guard_release(&g);
}

static void response_prefixes(const char *text, size_t len)
{
	struct http1_response whole, r;
	struct guard g;

	guard_init(&g, len);
	assert_int_equal(http1_parse_response((struct slice){ text, len }, &whole), HTTP1_OK);
	for (size_t n = 0; n <= len; n++) {
		int got = http1_parse_response(guard_place(&g, text, n), &r);

		assert_int_equal(got, n >= whole.head_len ? HTTP1_OK : HTTP1_PARTIAL);
		assert_int_equal(r.head_len, n >= whole.head_len ? whole.head_len : 0);
		assert_true(r.minor_version == -1 || r.minor_version == whole.minor_version);
		assert_true(r.status == 0 || r.status == whole.status);
		assert_true(r.content_length == -1 || r.content_length == whole.content_length);
		assert_true(r.chunked <= whole.chunked && r.close <= whole.close);
	}
	guard_release(&g);
}

static void all_prefixes(void **state)
{
	static const char *const requests[] = {
		"GET /course/view.php?id=2 HTTP/1.1\r\nHost: moodle.test\r\nCookie: a=b\r\n\r\nrest",
		"\r\n\r\nPOST http://u@h.test/x HTTP/1.1\nHost: y\nContent-Length: 12, 12\n\nabc",
		("PUT /f HTTP/1.0\r\nTransfer-Encoding: gzip,\r\n\tchunked\r\n"
		 "Connection: keep-alive\r\n\r\n"),
		("GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		 "Expect: 100-continue\r\nHost : h\r\n\r\n"),
		("GET / HTTP/1.0\r\nHost:\r\nHost: second\r\nContent-Length: 1\r\n"
		 "Content-Length: 22\r\n\r\n"),
	};
	static const char *const responses_text[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 123456\r\nConnection: close\r\n\r\nbody",
		"HTTP/1.0 302 Found\nTransfer-Encoding: chunked\nKeep-Alive: 5\n\n0\n\n",
		"\r\nHTTP/1.1 204\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		request_prefixes(requests[i], strlen(requests[i]));
	for (size_t i = 0; i < sizeof(responses_text) / sizeof(responses_text[0]); i++)
		response_prefixes(responses_text[i], strlen(responses_text[i]));
}

/* Chunks are followed over what can be seen: all, or the first and the last bytes. */
static void test_chunks(void **state)
{
	static const struct {
		const char *front, *tail;
		uint64_t total; /* 0: front is all */
		enum http1_body is;
	} cases[] = {
		{ "", "", 0, HTTP1_BODY_GOES_ON },
		{ "5\r\nhello\r\n", "", 0, HTTP1_BODY_GOES_ON },
		{ "5\r\nhello\r\n0\r\n\r\n", "", 0, HTTP1_BODY_ENDED },
		{ "5;a=b\r\nhello\r\n000\r\n\r\n", "", 0, HTTP1_BODY_ENDED },
		{ "5\r\nhello\r\n0\r\n", "", 0, HTTP1_BODY_GOES_ON },
		{ "5\r\nhello\r\n0\r\nA: b\r\n\r\n", "", 0, HTTP1_BODY_ENDED },
		{ "9\r\na\r\n0\r\n\r\n\r\n", "", 0, HTTP1_BODY_GOES_ON }, /* data, not an end */
		/* the length leads into the tail, or behind the end */
		{ "64\r\nxx", "yyyyyyy\r\n0\r\n\r\n", 111, HTTP1_BODY_ENDED },
		{ "64\r\nxx", "yyyyyyyyyyyy", 90, HTTP1_BODY_GOES_ON },
		{ "64\r\nxx", "yyyyyyy\r\n0\r\n\r\n", 100, HTTP1_BODY_GOES_ON },
		/* out of sight: the tail alone */
		{ "4\r\nxx", "yyyyyyy\r\n0\r\n\r\n", 111, HTTP1_BODY_ENDED },
		{ "4\r\nxx", "yyyyyyy\r\n", 111, HTTP1_BODY_GOES_ON },
		{ "4\r\nxx", "A: b\r\n\r\n", 111, HTTP1_BODY_UNSEEN },
		{ "4\r\nxx", "", 111, HTTP1_BODY_UNSEEN },
		/* lines that end with LF alone */
		{ "5\nhello\r\n0\n\n", "", 0, HTTP1_BODY_ENDED },
		{ "5\nhello\n0\nA: b\n\n", "", 0, HTTP1_BODY_UNSEEN }, /* so data does not end */
		{ "5\nhello\r\n0\nA: b\n", "", 0, HTTP1_BODY_GOES_ON },
		{ "4\nxx", "yyyyyyy\n0\n\n", 111, HTTP1_BODY_UNSEEN },
		{ "4\nxx", "A: b\n\n", 111, HTTP1_BODY_UNSEEN },
		{ "4\nxx", "A: b\r\n\n", 111, HTTP1_BODY_UNSEEN },
		{ "4\r\nxx", "</p>\n\r\n", 111, HTTP1_BODY_GOES_ON }, /* a chunk that is a line */
		{ "4\r\nxx", "\r\n", 111, HTTP1_BODY_UNSEEN }, /* what is before is out of sight */
		{ "4\r\nxx", "\n", 111, HTTP1_BODY_UNSEEN },
		{ "0\r\nA: b", "c: d\n\n", 111, HTTP1_BODY_ENDED },
		{ "0\r\nA: b", "d\n\r\n", 111, HTTP1_BODY_ENDED },
		{ "0\r\nA: b", "c: d\r\n", 111, HTTP1_BODY_UNSEEN },
		{ "0\r\nA: b", "\r\n", 111, HTTP1_BODY_UNSEEN },
		{ "fffffffffffffffff\r\n", "y", 111, HTTP1_BODY_GOES_ON }, /* no size */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice front = slice_of(cases[i].front);
		struct slice tail = cases[i].total ? slice_of(cases[i].tail) : front;
		uint64_t total = cases[i].total ? cases[i].total : front.len;
		enum http1_body is = http1_chunks(front, tail, total);

		if (is != cases[i].is)
			fail_msg("case %zu: %d", i, is);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunks),    cmocka_unit_test(plain_get),
		cmocka_unit_test(post_with_body), cmocka_unit_test(keep_alive_defaults),
		cmocka_unit_test(lenient),        cmocka_unit_test(framing),
		cmocka_unit_test(not_http1),      cmocka_unit_test(responses),
		cmocka_unit_test(bodies),         cmocka_unit_test(chunked_ends),
		cmocka_unit_test(all_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
