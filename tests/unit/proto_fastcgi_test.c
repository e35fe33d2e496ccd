// SPDX-License-Identifier: GPL-2.0-only
/* FastCGI: hand-made records, every split of the parameters, every prefix, hostile lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "proto/fastcgi.h"
#include "guard.h"

enum { BUF_MAX = 20000 };

struct buf {
	char bytes[BUF_MAX];
	size_t len;
};

static struct slice view(const struct buf *b)
{
	return (struct slice){ b->bytes, b->len };
}

static void add(struct buf *b, const void *bytes, size_t len)
{
	assert_true(b->len + len <= BUF_MAX);
	memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
}

static void add_record(struct buf *b, int type, int id, const void *content, size_t len, int pad)
{
	unsigned char h[8] = { 1,
			       (unsigned char)type,
			       (unsigned char)(id >> 8),
			       (unsigned char)id,
			       (unsigned char)(len >> 8),
			       (unsigned char)len,
			       (unsigned char)pad,
			       0 };
	char padding[255];

	memset(padding, 0x5a, sizeof(padding));
	add(b, h, sizeof(h));
	add(b, content, len);
	add(b, padding, (size_t)pad);
}

static void add_begin(struct buf *b, int id, int flags)
{
	char body[8] = { 0, 1, (char)flags };

	add_record(b, 1, id, body, sizeof(body), 0);
}

static void add_pair(struct buf *b, const char *name, const char *value, size_t value_len)
{
	size_t lens[2] = { strlen(name), value_len };

	for (int i = 0; i < 2; i++) {
		unsigned char l[4] = { (unsigned char)(lens[i] >> 24 | 0x80),
				       (unsigned char)(lens[i] >> 16),
				       (unsigned char)(lens[i] >> 8), (unsigned char)lens[i] };

		if (lens[i] < 128)
			add(b, l + 3, 1);
		else
			add(b, l, 4);
	}
	add(b, name, lens[0]);
	add(b, value, value_len);
}

/* As nginx sends them; the query string in front needs a four-byte length. */
static void add_params(struct buf *b, size_t query_len)
{
	static char query[8192];

	memset(query, 'q', sizeof(query));
	add_pair(b, "QUERY_STRING", query, query_len);
	add_pair(b, "REQUEST_METHOD", "POST", 4);
	add_pair(b, "CONTENT_TYPE", "", 0);
	add_pair(b, "SCRIPT_NAME", "/mod/quiz/attempt.php", 21);
	add_pair(b, "REQUEST_URI", "/mod/quiz/attempt.php?a=1", 25);
	add_pair(b, "DOCUMENT_URI", "/mod/quiz/attempt.php", 21);
	add_pair(b, "SCRIPT_FILENAME", "/var/www/mod/quiz/attempt.php", 29);
	add_pair(b, "SCRIPT_FILENAMES", "/not/wanted", 11);
	add_pair(b, "HTTP_HOST", "moodle.test", 11);
}

static void assert_values(const struct fastcgi_request *r)
{
	assert_true(slice_eq(r->method, SLICE_LIT("POST")));
	assert_true(slice_eq(r->script_name, SLICE_LIT("/mod/quiz/attempt.php")));
	assert_true(slice_eq(r->request_uri, SLICE_LIT("/mod/quiz/attempt.php?a=1")));
	assert_true(slice_eq(r->document_uri, SLICE_LIT("/mod/quiz/attempt.php")));
	assert_true(slice_eq(r->script_filename, SLICE_LIT("/var/www/mod/quiz/attempt.php")));
}

static void empty_or(struct slice got, const char *text)
{
	assert_true(got.len == 0 || slice_eq(got, slice_of(text)));
}

static void assert_values_or_empty(const struct fastcgi_request *r)
{
	empty_or(r->method, "POST");
	empty_or(r->script_name, "/mod/quiz/attempt.php");
	empty_or(r->request_uri, "/mod/quiz/attempt.php?a=1");
	empty_or(r->document_uri, "/mod/quiz/attempt.php");
	empty_or(r->script_filename, "/var/www/mod/quiz/attempt.php");
}

static void request_of_nginx(void **state)
{
	static struct buf b, params;
	struct fastcgi_request r;

	(void)state;
	b.len = params.len = 0;
	add_params(&params, 8192);
	add_begin(&b, 1, 1);
	add_record(&b, 4, 1, params.bytes, params.len, 3);
	assert_int_equal(fastcgi_parse_request(view(&b), &r), 0);
	assert_false(r.params_done);
	add_record(&b, 4, 1, "", 0, 0);
	add_record(&b, 5, 1, "body", 4, 4);
	assert_int_equal(fastcgi_parse_request(view(&b), &r), 1);
	assert_true(r.begun && r.keep_conn && r.params_done);
	assert_int_equal(r.role, FASTCGI_RESPONDER);
	assert_int_equal(r.request_id, 1);
	assert_false(r.cut);
	assert_values(&r);
}

/* Wherever the stream is split, what was not split is right, and what was is empty and said so. */
static void every_split(void **state)
{
	static struct buf b, params;
	struct fastcgi_request r;
	unsigned int cuts = 0;

	(void)state;
	params.len = 0;
	add_params(&params, 200);
	for (size_t at = 1; at < params.len; at++) {
		b.len = 0;
		add_begin(&b, 258, 0);
		add_record(&b, 4, 258, params.bytes, at, at % 8);
		add_record(&b, 5, 7, "other request", 13, 0);
		add_record(&b, 4, 258, params.bytes + at, params.len - at, 0);
		add_record(&b, 4, 258, "", 0, 0);
		assert_int_equal(fastcgi_parse_request(view(&b), &r), 1);
		assert_int_equal(r.request_id, 258);
		assert_false(r.keep_conn);
		cuts += r.cut;
		if (r.cut)
			assert_values_or_empty(&r);
		else
			assert_values(&r);
	}
	/* Inside of a value: (4-1) + (21-1) + (25-1) + (21-1) + (29-1) offsets. */
	assert_int_equal(cuts, 95);
}

static void one_byte_records(void **state)
{
	static struct buf b, params;
	struct fastcgi_request r;

	(void)state;
	b.len = params.len = 0;
	add_pair(&params, "SCRIPT_NAME", "x", 1);
	add_pair(&params, "REQUEST_METHOD", "GET", 3);
	add_begin(&b, 1, 0);
	for (size_t i = 0; i < params.len; i++)
		add_record(&b, 4, 1, params.bytes + i, 1, 0);
	add_record(&b, 4, 1, "", 0, 0);
	assert_int_equal(fastcgi_parse_request(view(&b), &r), 1);
	assert_true(slice_eq(r.script_name, SLICE_LIT("x")));
	assert_int_equal(r.method.len, 0);
	assert_true(r.cut);
}

static void sent_twice(void **state)
{
	static struct buf b, params;
	struct fastcgi_request r;

	(void)state;
	b.len = params.len = 0;
	add_pair(&params, "SCRIPT_NAME", "/a", 2);
	add_pair(&params, "SCRIPT_NAME", "/b", 2);
	add_begin(&b, 1, 0);
	add_record(&b, 4, 1, params.bytes, params.len, 0);
	add_record(&b, 4, 1, "", 0, 0);
	assert_int_equal(fastcgi_parse_request(view(&b), &r), 1);
	assert_true(slice_eq(r.script_name, SLICE_LIT("/b")));
	assert_false(r.cut);
}

static void request_prefixes(void **state)
{
	static struct buf b, params;
	struct fastcgi_request r;
	struct guard g;
	size_t head;
	bool begun = false;

	(void)state;
	b.len = params.len = 0;
	add_params(&params, 300);
	add_begin(&b, 1, 1);
	add_record(&b, 4, 1, params.bytes, 400, 1);
	add_record(&b, 4, 1, params.bytes + 400, params.len - 400, 5);
	add_record(&b, 4, 1, "", 0, 0);
	head = b.len;
	add_record(&b, 5, 1, "", 0, 0);
	guard_init(&g, b.len);
	for (size_t n = 0; n <= b.len; n++) {
		assert_int_equal(fastcgi_parse_request(guard_place(&g, b.bytes, n), &r), n >= head);
		assert_int_equal(r.params_done, n >= head);
		assert_int_equal(r.begun, n >= 16);
		assert_true(r.begun >= begun);
		begun = r.begun;
		assert_values_or_empty(&r);
	}
	guard_release(&g);
}

static void not_fastcgi(void **state)
{
	static const unsigned char wrong[][16] = {
		{ 2, 1, 0, 1, 0, 8, 0, 0, 0, 1 }, /* version */
		{ 1, 6, 0, 1, 0, 8, 0, 0, 0, 1 }, /* STDOUT from the server side */
		{ 1, 12, 0, 1, 0, 8, 0, 0, 0, 1 }, /* no such type */
		{ 1, 255, 0, 1, 0, 8, 0, 0, 0, 1 },
		{ 1, 4, 0, 1, 0, 8, 0, 0, 0, 1 }, /* parameters of nothing */
		{ 1, 1, 0, 1, 0, 9, 0, 0, 0, 1 }, /* length */
		{ 1, 1, 0, 0, 0, 8, 0, 0, 0, 1 }, /* id */
		{ 1, 1, 0, 1, 0, 8, 0, 0, 0, 4 }, /* role */
		{ 1, 1, 0, 1, 0, 8, 0, 0, 1, 1 },
	};
	struct fastcgi_request r;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(
			fastcgi_parse_request((struct slice){ (const char *)wrong[i], 16 }, &r),
			-1);
}

static void hostile_lengths(void **state)
{
	static const char huge[] = "\xff\xff\xff\xff\xff\xff\xff\xffSCRIPT_NAME/x.php";
	static const char big_value[] = "\x0b\xff\xff\xff\xffSCRIPT_NAME/x.php";
	static struct buf b;
	struct fastcgi_request r;

	(void)state;
	b.len = 0;
	add_begin(&b, 1, 0);
	add_record(&b, 4, 1, huge, sizeof(huge) - 1, 255);
	add_record(&b, 4, 1, huge, sizeof(huge) - 1, 0);
	add_record(&b, 4, 1, "", 0, 0);
	assert_int_equal(fastcgi_parse_request(view(&b), &r), 1);
	assert_int_equal(r.script_name.len, 0);
	assert_true(r.cut);
	b.len = 0;
	add_begin(&b, 1, 0);
	add_record(&b, 4, 1, big_value, sizeof(big_value) - 1, 0);
	assert_int_equal(fastcgi_parse_request(view(&b), &r), 0);
	assert_int_equal(r.script_name.len, 0);
	assert_true(r.cut);
}

static const char end_ok[] = "\0\0\0\0\0\0\0\0";

static int respond(const char *header, int expect_result, struct fastcgi_response *r)
{
	static struct buf b;
	size_t len = strlen(header);
	int got = 0;

	/* Every split of the header into two records gives the same. */
	for (size_t at = 0; at <= len; at++) {
		struct fastcgi_response now;

		b.len = 0;
		add_record(&b, 6, 1, header, at, 1);
		add_record(&b, 6, 1, header + at, len - at, 0);
		if (expect_result)
			add_record(&b, 3, 1, end_ok, 8, 0);
		got = fastcgi_parse_response(view(&b), &now);
		if (at)
			assert_int_equal(now.status, r->status);
		*r = now;
	}
	assert_int_equal(got, expect_result);
	return r->status;
}

static void response_status(void **state)
{
	struct fastcgi_response r = { 0 };

	(void)state;
	assert_int_equal(
		respond("Status: 404 Not Found\r\nContent-type: text/html\r\n\r\nx", 1, &r), 404);
	assert_true(r.ended);
	assert_int_equal(r.header_lines, 2);
	assert_int_equal(respond("Content-type: text/html\r\nSTATUS:503\r\n\r\n", 0, &r), 503);
	assert_int_equal(respond("Content-type: text/html\r\n\r\nStatus: 404\r\n\r\n", 1, &r), 200);
	assert_int_equal(respond("Content-type: text/html\n\nbody", 0, &r), 200);
	assert_int_equal(respond("Location: http://a.test/\r\n\r\n", 0, &r), 302);
	assert_int_equal(respond("Location: /\r\nStatus: 301\r\n\r\n", 0, &r), 301);
	assert_int_equal(respond("X-Powered-By: PHP\r\nSet-Cookie: x", 0, &r), 0);
	assert_int_equal(r.header_lines, 1);
	assert_int_equal(respond("Status: 40", 0, &r), 0);
	assert_false(r.ended);
}

static void response_event_stream(void **state)
{
	struct fastcgi_response r = { 0 };

	(void)state;
	respond("X-A: b\r\ncontent-type:Text/Event-Stream;charset=UTF-8\r\n\r\n", 1, &r);
	assert_true(r.event_stream);
	respond("Content-Type: \ttext/event-stream\r\n", 0, &r);
	assert_true(r.event_stream);
	respond("Content-Type: text/event\r\n\r\n", 0, &r);
	assert_false(r.event_stream);
	respond("Content-Type: text/html\r\n\r\nContent-Type: text/event-stream\r\n", 0, &r);
	assert_false(r.event_stream);
	respond("Content-Type: text/event-stre", 0, &r);
	assert_false(r.event_stream);
}

static void response_prefixes(void **state)
{
	static const char header[] = "X: y\r\nStatus: 500 Oops\r\n\r\nbody";
	static struct buf b;
	struct fastcgi_response r;
	struct guard g;

	(void)state;
	b.len = 0;
	add_record(&b, 7, 1, "PHP message", 11, 5);
	add_record(&b, 6, 1, header, sizeof(header) - 1, 2);
	add_record(&b, 6, 1, "", 0, 0);
	add_record(&b, 3, 1, "\0\0\1\2\2\0\0", 8, 0);
	guard_init(&g, b.len);
	for (size_t n = 0; n <= b.len; n++) {
		int got = fastcgi_parse_response(guard_place(&g, b.bytes, n), &r);

		assert_int_equal(got, n == b.len);
		assert_int_equal(r.ended, n == b.len);
		assert_true(r.status == 0 || r.status == 500);
		assert_int_equal(r.has_stderr, n >= 8);
		assert_int_equal(fastcgi_ends(guard_place(&g, b.bytes, n), 1), n == b.len);
	}
	assert_int_equal(r.status, 500);
	assert_int_equal(r.app_status, 258);
	assert_int_equal(r.protocol_status, 2);
	guard_release(&g);
}

static void not_a_response(void **state)
{
	struct fastcgi_response r;

	(void)state;
	assert_int_equal(fastcgi_parse_response(SLICE_LIT("HTTP/1.1 200"), &r), -1);
	assert_int_equal(fastcgi_parse_response(SLICE_LIT("\1\1\0\1\0\0\0\0"), &r), -1);
	assert_int_equal(fastcgi_parse_response(SLICE_LIT("\1\6\0\0\0\0\0\0"), &r), -1);
	assert_int_equal(fastcgi_parse_response(SLICE_LIT("\1\3\0\1\0\7\0\0"), &r), -1);
	assert_int_equal(fastcgi_parse_response((struct slice){ NULL, 0 }, &r), 0);
}

static void ends(void **state)
{
	static const char good[] = "xx\1\3\0\1\0\10\0\0\0\0\0\0\0\7\7\7";
	char bad[16];

	(void)state;
	assert_true(fastcgi_ends((struct slice){ good, 18 }, 0));
	assert_true(fastcgi_ends((struct slice){ good + 2, 16 }, 0));
	assert_false(fastcgi_ends((struct slice){ good + 3, 15 }, 0));
	for (int i = 0; i < 7; i++) {
		memcpy(bad, good + 2, 16);
		bad[i] = i == 2 ? 0 : bad[i] + 1;
		if (i == 3)
			bad[3] = 0; /* id 0 */
		assert_int_equal(fastcgi_ends((struct slice){ bad, 16 }, 0), i == 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_of_nginx),      cmocka_unit_test(every_split),
		cmocka_unit_test(one_byte_records),      cmocka_unit_test(sent_twice),
		cmocka_unit_test(request_prefixes),      cmocka_unit_test(not_fastcgi),
		cmocka_unit_test(hostile_lengths),       cmocka_unit_test(response_status),
		cmocka_unit_test(response_event_stream), cmocka_unit_test(response_prefixes),
		cmocka_unit_test(not_a_response),        cmocka_unit_test(ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
