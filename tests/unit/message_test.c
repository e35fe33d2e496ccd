// SPDX-License-Identifier: GPL-2.0-only
/* What the bytes of an exchange say, protocol by protocol, and what a connection remembers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "assemble/message.h"
#include "base/intern.h"

#define assert_text(id, text) assert_string_equal(intern_text(id), (text))

static struct text read_bytes(struct text_state *s, struct slice request, struct slice answer,
			      uint64_t answer_bytes)
{
	size_t tail = answer.len < 16 ? answer.len : 16;
	struct text_in in = {
		.request = request,
		.response = answer,
		.tail = { answer.ptr ? answer.ptr + answer.len - tail : NULL, tail },
		.request_bytes = request.len,
		.response_bytes = answer_bytes,
	};
	struct text out;

	text_read_exchange(s, &in, &out);
	return out;
}

/* One exchange of a connection of its own. */
#define READ(request, answer) read_alone(SLICE_LIT(request), SLICE_LIT(answer), sizeof(answer) - 1)

static struct text read_alone(struct slice request, struct slice answer, uint64_t answer_bytes)
{
	struct text_state s = { 0 };
	struct text t = read_bytes(&s, request, answer, answer_bytes);

	text_state_release(&s);
	return t;
}

/* ---- HTTP ---- */

#define GET "GET /a HTTP/1.1\r\n\r\n"

static void test_http_names(void **state)
{
	struct text t;

	(void)state;
	t = READ("GET /course/view.php?id=7 HTTP/1.1\r\nCookie: x=y\r\n\r\n", "");
	assert_text(t.route, "GET /course/view.php");
	assert_text(t.method, "GET");
	assert_int_equal(t.status, 0);
	assert_false(t.ended || t.can_tell || t.continues || t.no_request || t.interim);
	t = READ("DELETE /api/item/12345 HTTP/1.1\r\n\r\n", "");
	assert_text(t.route, "DELETE /api/item/*");
}

/* Which answers prove their own end, and when they have. */
static void test_http_ends(void **state)
{
	static const struct {
		const char *request, *answer;
		bool can_tell, ended, error, interim, stream;
		int status;
	} cases[] = {
		{ GET, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 1, 1, 0, 0, 0, 200 },
		{ GET, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", 1, 0, 0, 0, 0, 200 },
		{ GET, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1, 1, 0, 0, 0, 200 },
		{ GET, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 1, 1, 0, 0, 0, 404 },
		{ GET, "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", 1, 1, 1, 0, 0, 502 },
		{ GET, "HTTP/1.1 204 No\r\n\r\n", 1, 1, 0, 0, 0, 204 },
		{ GET, "HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n", 1, 1, 0, 0, 0, 304 },
		{ "HEAD /a HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 1, 1,
		  0, 0, 0, 200 },
		{ GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", 1, 0, 0,
		  0, 0, 200 },
		{ GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 1, 1, 0, 0,
		  0, 200 },
		{ GET, "HTTP/1.0 200 OK\r\n\r\nuntil the close", 0, 0, 0, 0, 0, 200 },
		{ GET, "HTTP/1.1 200 OK\r\nX-Long: the head is n", 0, 0, 0, 0, 0, 200 },
		{ GET, "HTTP/1.1 100 Continue\r\n\r\n", 0, 0, 0, 1, 0, 100 },
		{ GET, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 0, 0, 0, 1, 0, 103 },
		{ GET, "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 1, 1,
		  0, 0, 0, 200 },
		{ GET, "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", 1, 0,
		  0, 0, 0, 200 },
		{ GET, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", 0, 0, 0, 0, 1,
		  200 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice answer = slice_of(cases[i].answer);
		struct text t = read_alone(slice_of(cases[i].request), answer, answer.len);

		if (t.can_tell != cases[i].can_tell || t.ended != cases[i].ended ||
		    t.error != cases[i].error || t.interim != cases[i].interim ||
		    t.stream != cases[i].stream || t.status != cases[i].status)
			fail_msg("case %zu: can_tell %d ended %d error %d interim %d stream %d "
				 "status %d",
				 i, t.can_tell, t.ended, t.error, t.interim, t.stream, t.status);
	}
}

/* An answer is longer than what is kept of it: its bytes are counted, not looked at. */
static void test_http_long_answer(void **state)
{
	struct slice head = SLICE_LIT("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");

	(void)state;
	assert_false(read_alone(SLICE_LIT(GET), head, head.len + 999).ended);
	assert_true(read_alone(SLICE_LIT(GET), head, head.len + 1000).ended);
}

/* Of a head that is longer than what is kept of it, type and chunks may be known, and the last
 * chunk is seen in the last bytes. */
static void test_http_long_head(void **state)
{
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
#define EVENTS "Content-Type: text/event-stream\r\nX-Long: the head is n"
	static const struct {
		const char *answer, *tail;
		bool can_tell, ended, stream;
	} cases[] = {
		{ CHUNKED EVENTS, "data: x\n\n\r\n", 1, 0, 1 },
		{ CHUNKED EVENTS, "\r\n0\r\n\r\n", 1, 1, 1 },
		{ CHUNKED "X-Long: the head is n", "\r\n0\r\n\r\n", 1, 1, 0 },
		{ "HTTP/1.1 200 OK\r\n" EVENTS, "data: 0\r\n\r\n", 0, 0, 1 },
		{ "HTTP/1.1 200 OK\r\n" EVENTS, "\r\n0\r\n\r\n", 0, 1, 1 },
		{ "HTTP/1.1 200 OK\r\nX-Long: the head is n", "\r\n0\r\n\r\n", 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text_state s = { 0 };
		struct text_in in = { .request = SLICE_LIT(GET),
				      .response = slice_of(cases[i].answer),
				      .tail = slice_of(cases[i].tail),
				      .response_bytes = 1000 };
		struct text t;

		text_read_exchange(&s, &in, &t);
		text_state_release(&s);
		if (t.can_tell != cases[i].can_tell || t.ended != cases[i].ended ||
		    t.stream != cases[i].stream)
			fail_msg("case %zu: can_tell %d ended %d stream %d", i, t.can_tell, t.ended,
				 t.stream);
	}
}

/* Where the kernel side has followed an answer it says whether that is whole, whatever the last bytes look
 * like; but for answers that have no body, and those whose length is in sight. */
static void test_http_followed(void **state)
{
#define LENGTH_9 "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
	static const struct {
		const char *request, *answer;
		enum answer_place place;
		bool can_tell, ended, unseen;
	} cases[] = {
		{ GET, CHUNKED "\r\n5\r\nhello\r\n", ANSWER_GOES_ON, 1, 0, 0 },
		{ GET, CHUNKED "\r\n5\r\nhello\r\n", ANSWER_WHOLE, 1, 1, 0 },
		{ GET, CHUNKED "\r\n10\r\nhello", ANSWER_NOT_FOLLOWED, 1, 1, 0 },
		{ GET, CHUNKED "X-Long: the head is n", ANSWER_GOES_ON, 1, 0, 0 },
		{ GET, CHUNKED "X-Long: the head is n", ANSWER_WHOLE, 1, 1, 0 },
		{ GET, "HTTP/1.1 200 OK\r\nX-Long: the head is n", ANSWER_GOES_ON, 1, 0, 0 },
		{ GET, "HTTP/1.1 200 OK\r\nX-Long: the head is n", ANSWER_WHOLE, 1, 1, 0 },
		{ GET, "HTTP/1.1 200 OK\r\nX-Long: the head is n", ANSWER_NOT_FOLLOWED, 0, 0, 1 },
		{ GET, LENGTH_9, ANSWER_GOES_ON, 1, 1, 0 },
		{ "HEAD /a HTTP/1.1\r\n\r\n", CHUNKED "\r\n", ANSWER_GOES_ON, 1, 1, 0 },
		{ GET, "HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n", ANSWER_GOES_ON, 1,
		  1, 0 },
		{ GET, "HTTP/1.1 103 Hints\r\n\r\n" CHUNKED "\r\n", ANSWER_WHOLE, 1, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text_state s = { 0 };
		struct text_in in = { .request = slice_of(cases[i].request),
				      .response = slice_of(cases[i].answer),
				      .tail = SLICE_LIT("\r\n0\r\n\r\n"),
				      .response_bytes = 1000,
				      .answer = cases[i].place };
		struct text t;

		text_read_exchange(&s, &in, &t);
		text_state_release(&s);
		if (t.can_tell != cases[i].can_tell || t.ended != cases[i].ended ||
		    t.unseen != cases[i].unseen)
			fail_msg("case %zu: can_tell %d ended %d unseen %d", i, t.can_tell, t.ended,
				 t.unseen);
	}
}

/* The type is in the head; what a page says is its own affair. */
static void test_http_page_about_streams(void **state)
{
	(void)state;
	assert_false(
		READ(GET, "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\ntext/event-stream").stream);
}

/* A proxy's header is in front of the first request only, and stays known to the connection. */
static void test_proxied(void **state)
{
	static const char text[] = "PROXY TCP4 192.0.2.1 192.0.2.2 5555 80\r\n" GET;
	struct text_state s = { 0 };
	struct text t;

	(void)state;
	t = read_bytes(&s, SLICE_LIT(text), SLICE_LIT(""), 0);
	assert_text(t.route, "GET /a");
	assert_int_equal(s.client.version, 4);
	text_next_exchange(&s);
	t = read_bytes(&s, SLICE_LIT(GET), SLICE_LIT(""), 0);
	assert_text(t.route, "GET /a");
	assert_int_equal(s.client.version, 4);
	text_next_exchange(&s);
	t = read_bytes(&s, SLICE_LIT(text), SLICE_LIT(""), 0);
	assert_string_not_equal(intern_text(t.route), "GET /a");
	text_state_release(&s);
}

static void test_http_upgrade(void **state)
{
	static const struct {
		struct slice request, answer;
		const char *then;
	} cases[] = {
		{ SLICE_LIT("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"),
		  SLICE_LIT("HTTP/1.1 101 Switching\r\nUpgrade: WebSocket\r\n\r\n"),
		  "(websocket)" },
		{ SLICE_LIT("GET /h2c HTTP/1.1\r\nUpgrade: h2c\r\n\r\n"),
		  SLICE_LIT("HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n\0\0\0\4\0\0\0\0\0"),
		  "(http/2)" },
		{ SLICE_LIT("CONNECT db.example.org:5432 HTTP/1.1\r\n\r\n"),
		  SLICE_LIT("HTTP/1.1 200 Connected\r\n\r\n"), "(tunnel)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text_state s = { 0 };
		struct text t;

		for (int again = 0; again < 2; again++) { /* reading twice changes nothing */
			t = read_bytes(&s, cases[i].request, cases[i].answer, cases[i].answer.len);
			assert_true(t.ended && t.can_tell && t.upgrade);
			assert_false(t.interim || t.stream || t.error);
			assert_int_equal(t.multiplexed, t.upgrade == PROTO_HTTP2);
		}
		text_next_exchange(&s);
		t = read_bytes(&s, SLICE_LIT("bytes"), SLICE_LIT(""), 0);
		assert_text(t.route, cases[i].then);
		assert_true(t.multiplexed);
		assert_false(t.ended);
		assert_int_equal(t.no_request, t.route != intern_str("(http/2)"));
		t = read_bytes(&s, SLICE_LIT("bytes"), SLICE_LIT("more"), 4);
		assert_false(t.no_request);
		text_state_release(&s);
	}
}

/* A turn is over where each stream that it opened is; what only tells of the connection asks for
 * nothing. */
static void test_http2(void **state)
{
#define H2_ASKS "\0\0\3\1\5\0\0\0\1\x82\x86\x84"
#define H2_SETTINGS "\0\0\0\4\0\0\0\0\0"
#define H2_STATUS "\0\0\1\1\4\0\0\0\1\x88"
#define H2_BODY "\0\0\2\0\1\0\0\0\1ok"
#define H2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	struct text t;

	(void)state;
	t = READ(H2_PREFACE H2_SETTINGS H2_ASKS, H2_SETTINGS);
	assert_text(t.route, "(http/2)");
	assert_true(t.multiplexed && t.can_tell);
	assert_false(t.ended || t.no_request);
	t = READ(H2_PREFACE H2_ASKS, H2_SETTINGS H2_STATUS H2_BODY);
	assert_true(t.ended);
	t = READ(H2_PREFACE H2_ASKS H2_ASKS, H2_STATUS H2_BODY);
	assert_false(t.ended);
	t = READ(H2_PREFACE H2_SETTINGS, H2_SETTINGS);
	assert_true(t.no_request);
	t = READ(H2_PREFACE H2_SETTINGS, H2_STATUS);
	assert_false(t.no_request || t.can_tell);
}

/* Bytes on a known connection that begin no request belong to the one before. */
static void test_http_continues(void **state)
{
	struct text_state s = { 0 };
	struct text t;

	(void)state;
	read_bytes(&s, SLICE_LIT(GET), SLICE_LIT(""), 0);
	text_next_exchange(&s);
	t = read_bytes(&s, SLICE_LIT("\x01 a body"), SLICE_LIT(""), 0);
	assert_true(t.continues);
	assert_int_equal(t.route, 0);
	text_next_exchange(&s);
	/* nothing could be read of it: no sign that it continues anything */
	t = read_bytes(&s, SLICE_LIT(""), SLICE_LIT(""), 0);
	assert_false(t.continues);
	assert_int_equal(t.route, 0);
	text_state_release(&s);
}

/* Three requests read at once: each later exchange takes its own from what was left. */
static void test_http_pipelined(void **state)
{
	struct text_in in = { .request = SLICE_LIT(
				      "GET /x HTTP/1.1\r\n\r\n"
				      "POST /y HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
				      "GET /z HTTP/1.1\r\n\r\n") };
	static const char *const routes[] = { "GET /x", "POST /y", "GET /z" };
	struct text_state s = { 0 };
	struct text t;

	(void)state;
	in.request_bytes = in.request.len;
	for (int i = 0; i < 3; i++) {
		for (int again = 0; again < 2; again++) { /* reading twice changes nothing */
			text_read_exchange(&s, &in, &t);
			assert_text(t.route, routes[i]);
		}
		text_next_exchange(&s);
		in = (struct text_in){ .request = SLICE_LIT(""), .pipelined = true };
	}
	/* and nothing is left of them */
	in = (struct text_in){ .request = SLICE_LIT("GET /last HTTP/1.1\r\n\r\n") };
	text_read_exchange(&s, &in, &t);
	assert_text(t.route, "GET /last");
	text_state_release(&s);
}

/* What is kept for the next request has a bound. */
static void test_http_pipelined_long(void **state)
{
	static char bytes[20000];
	struct text_in in = { .request = { bytes, sizeof(bytes) } };
	struct text_state s = { 0 };
	struct text t;
	size_t n = 0;

	(void)state;
	while (n + 32 < sizeof(bytes))
		n += (size_t)snprintf(bytes + n, sizeof(bytes) - n, "GET /a HTTP/1.1\r\n\r\n");
	in.request.len = n;
	for (int i = 0; i < 100; i++) {
		text_read_exchange(&s, &in, &t);
		text_next_exchange(&s);
		in.pipelined = true;
	}
	text_state_release(&s);
	assert_null(s.rest.bytes);
	assert_null(s.next.bytes);
}

/* ---- FastCGI ---- */

#define FCGI_BEGIN "\1\1\0\1\0\x8\0\0\0\1\0\0\0\0\0\0"
#define FCGI_END "\1\3\0\1\0\x8\0\0\0\0\0\0\0\0\0\0"
#define FCGI_PARAMS "\1\4\0\1\0\x25\0\0\xb\6SCRIPT_NAME/x.php\xe\2REQUEST_METHODPU\1\4\0\1\0\0\0\0"

static void test_fastcgi(void **state)
{
	struct text t = READ(FCGI_BEGIN FCGI_PARAMS,
			     "\1\6\0\1\0\x10\0\0Status: 500 No\r\n" FCGI_END);

	(void)state;
	assert_text(t.route, "PU /x.php");
	assert_int_equal(t.status, 500);
	assert_true(t.error && t.ended && t.can_tell);
	t = READ(FCGI_BEGIN FCGI_PARAMS, "\1\6\0\1\0\x10\0\0Status: 200 OK\r\n");
	assert_int_equal(t.status, 200);
	assert_false(t.ended || t.error);
	assert_true(t.can_tell);
	assert_false(t.stream);
	t = READ(FCGI_BEGIN FCGI_PARAMS, "\1\6\0\1\0\x21\0\0Content-type: text/event-stream\r\n");
	assert_true(t.stream);
	/* overloaded: no answer of the script at all */
	assert_int_equal(t.status, 0); /* a Status may follow */
	/* the header is longer than what is kept of it */
	t = read_alone(SLICE_LIT(FCGI_BEGIN FCGI_PARAMS),
		       SLICE_LIT("\1\6\0\1\1\0\0\0Content-type: text/html\r\nX-Long: "), 5000);
	assert_int_equal(t.status, 200);
	t = read_alone(SLICE_LIT(FCGI_BEGIN FCGI_PARAMS),
		       SLICE_LIT("\1\6\0\1\1\0\0\0Location: /x\r\nX-Long: "), 5000);
	assert_int_equal(t.status, 302);
	t = read_alone(SLICE_LIT(FCGI_BEGIN FCGI_PARAMS), SLICE_LIT("\1\6\0\1\1\0\0\0X-Lo"), 5000);
	assert_int_equal(t.status, 0);
	t = READ(FCGI_BEGIN FCGI_PARAMS, "\1\3\0\1\0\x8\0\0\0\0\0\0\2\0\0\0");
	assert_true(t.ended && t.error);
}

/* Where the records were followed the last one's type tells, whatever the last bytes look like; else the
 * last bytes do, but only of the request's own id. */
static void test_fastcgi_ends(void **state)
{
#define FCGI_END_2 "\1\3\0\2\0\x8\0\0\0\0\0\0\0\0\0\0"
	static const struct {
		struct slice tail;
		bool framed, ended;
		char last;
	} cases[] = {
		{ SLICE_LIT(FCGI_END), true, false, 0 }, /* a page that prints it */
		{ SLICE_LIT(FCGI_END), true, false, 6 }, { SLICE_LIT(""), true, true, 3 },
		{ SLICE_LIT(FCGI_END), false, true, 0 }, { SLICE_LIT(FCGI_END_2), false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text_state s = { 0 };
		struct text_in in = {
			.request = SLICE_LIT(FCGI_BEGIN FCGI_PARAMS),
			.response = SLICE_LIT("\1\6\0\1\1\0\0\0Content-type: text/html\r\n\r\n"),
			.tail = cases[i].tail,
			.response_bytes = 5000,
			.framed = cases[i].framed,
			.pg_last = cases[i].last,
		};
		struct text t;

		in.request_bytes = in.request.len;
		text_read_exchange(&s, &in, &t);
		text_state_release(&s);
		if (!t.can_tell || t.ended != cases[i].ended || t.status != 200)
			fail_msg("case %zu: can_tell %d ended %d status %d", i, t.can_tell, t.ended,
				 t.status);
	}
	/* what another request was answered is not its own answer */
	assert_int_equal(
		READ(FCGI_BEGIN FCGI_PARAMS, "\1\6\0\2\0\x10\0\0Status: 500 No\r\n").status, 0);
}

static void test_fastcgi_continues(void **state)
{
	struct text_state s = { 0 };

	(void)state;
	read_bytes(&s, SLICE_LIT(FCGI_BEGIN FCGI_PARAMS), SLICE_LIT(""), 0);
	text_next_exchange(&s);
	assert_true(read_bytes(&s, SLICE_LIT("rest of a body"), SLICE_LIT(""), 0).continues);
	text_state_release(&s);
}

/* ---- PostgreSQL ---- */

#define READY "Z\0\0\0\5I"
#define QUERY_SLEEP "Q\0\0\0\x0dSELECT 9\0"

static void test_pgsql_query(void **state)
{
	struct text t = READ(QUERY_SLEEP, "");

	(void)state;
	assert_text(t.route, "SELECT ?");
	assert_false(t.ended || t.can_tell); /* nothing was answered */
	t = READ(QUERY_SLEEP, "D\0\0\0\x6\0\0");
	assert_true(t.can_tell && !t.ended && !t.error);
	t = READ(QUERY_SLEEP, "C\0\0\0\x6X\0" READY);
	assert_true(t.can_tell && t.ended && !t.error);
	t = READ(QUERY_SLEEP, "E\0\0\0\xcSERROR\0\0" READY);
	assert_true(t.ended && t.error);
	t = READ("Q\0\0\0\x1b"
		 "DEALLOCATE pdo_stmt_17\0",
		 READY);
	assert_text(t.route, "DEALLOCATE");
}

static void test_pgsql_connect(void **state)
{
	struct text_state s = { 0 };
	struct text t;

	(void)state;
	/* one byte is the whole answer to the question whether TLS is spoken */
	t = read_bytes(&s, SLICE_LIT("\0\0\0\x8\x04\xd2\x16\x2f"), SLICE_LIT("N"), 1);
	assert_text(t.route, "(connect)");
	assert_true(t.ended);
	text_next_exchange(&s);
	t = read_bytes(&s, SLICE_LIT("\0\0\0\x11\0\3\0\0user\0me\0\0"),
		       SLICE_LIT("R\0\0\0\x8\0\0\0\3"), 9);
	assert_text(t.route, "(connect)");
	assert_true(t.can_tell && !t.ended);
	text_next_exchange(&s);
	t = read_bytes(&s, SLICE_LIT("p\0\0\0\x8pwd\0"), SLICE_LIT("R\0\0\0\x8\0\0\0\0" READY), 15);
	assert_text(t.route, "(connect)");
	assert_true(t.ended);
	text_state_release(&s);
}

static void test_pgsql_other(void **state)
{
	struct text_state s = { 0 };
	struct text t;

	(void)state;
	read_bytes(&s, SLICE_LIT(QUERY_SLEEP), SLICE_LIT(READY), 6);
	text_next_exchange(&s);
	t = read_bytes(&s, SLICE_LIT("X\0\0\0\4"), SLICE_LIT(""), 0);
	assert_true(t.no_request);
	/* CancelRequest, on a connection of its own, is answered by closing it */
	t = READ("\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2", "");
	assert_true(t.no_request);
	text_next_exchange(&s);
	t = read_bytes(&s, SLICE_LIT("d\0\0\0\6abc\0\0\0\4"), SLICE_LIT(READY), 6);
	assert_true(t.continues);
	text_state_release(&s);
}

static size_t put_parse(char *out, const char *name, const char *sql)
{
	size_t n = strlen(name) + 1, q = strlen(sql) + 1, len = 4 + n + q + 2;

	out[0] = 'P';
	out[1] = out[2] = 0;
	out[3] = (char)(len >> 8);
	out[4] = (char)len;
	memcpy(out + 5, name, n);
	memcpy(out + 5 + n, sql, q);
	memset(out + 5 + n + q, 0, 2);
	return 1 + len;
}

static size_t put_bind(char *out, const char *name)
{
	size_t n = strlen(name) + 1, len = 4 + 1 + n + 6;

	memset(out, 0, 1 + len);
	out[0] = 'B';
	out[4] = (char)len;
	memcpy(out + 6, name, n);
	return 1 + len;
}

/* Names of prepared statements are kept, the latest ones when there are too many. */
static void test_pgsql_prepared(void **state)
{
	struct text_state s = { 0 };
	char bytes[256], name[16], sql[64], want[80];
	struct text t;
	size_t n;

	(void)state;
	for (int i = 0; i < PGSQL_NAMES_MAX + 10; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		snprintf(sql, sizeof(sql), "SELECT c%d FROM t", i);
		n = put_parse(bytes, name, sql);
		t = read_bytes(&s, (struct slice){ bytes, n }, SLICE_LIT(READY), 6);
		snprintf(want, sizeof(want), "PREPARE %s", sql);
		assert_text(t.route, want);
		text_next_exchange(&s);
	}
	for (int i = 0; i < PGSQL_NAMES_MAX + 10; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		snprintf(want, sizeof(want), "SELECT c%d FROM t", i);
		n = put_bind(bytes, name);
		t = read_bytes(&s, (struct slice){ bytes, n }, SLICE_LIT(READY), 6);
		if (i < 10) /* forgotten: its name is all that is known */
			snprintf(want, sizeof(want), "(prepared s%d)", i);
		assert_text(t.route, want);
		text_next_exchange(&s);
	}
	/* a name that is used again means the newer statement; the unnamed one is one, too */
	for (int i = 0; i < 2; i++) {
		n = put_parse(bytes, i ? "" : "s77", "DELETE FROM u");
		n += put_bind(bytes + n, i ? "" : "s77");
		t = read_bytes(&s, (struct slice){ bytes, n }, SLICE_LIT(READY), 6);
		assert_text(t.route, "DELETE FROM u");
		text_next_exchange(&s);
	}
	text_state_release(&s);
	assert_null(s.prepared.v);
}

/* The kernel side has followed the messages: so many ReadyForQuery are due, and what came last. */
static struct text read_framed(struct text_state *s, struct slice request, struct slice answer,
			       uint16_t owed, char last)
{
	struct text_in in = {
		.request = request,
		.response = answer,
		.tail = answer,
		.request_bytes = request.len,
		.response_bytes = answer.len,
		.framed = true,
		.pg_owed = owed,
		.pg_last = last,
	};
	struct text out;

	text_read_exchange(s, &in, &out);
	text_next_exchange(s);
	return out;
}

static void test_pgsql_framed(void **state)
{
	struct text_state s = { 0 };
	struct text t;

	(void)state;
	t = read_framed(&s, SLICE_LIT(QUERY_SLEEP QUERY_SLEEP), SLICE_LIT(READY), 1, 'Z');
	assert_true(t.can_tell && !t.ended);
	t = read_framed(&s, SLICE_LIT(QUERY_SLEEP QUERY_SLEEP), SLICE_LIT(READY READY), 0, 'Z');
	assert_true(t.ended);
	/* a row that looks like it */
	t = read_framed(&s, SLICE_LIT(QUERY_SLEEP), SLICE_LIT("D\0\0\0\x20\0\0" READY), 1, 0);
	assert_true(t.can_tell && !t.ended);
	/* the end out of sight: only its last bytes came in the latest I/O */
	t = read_framed(&s, SLICE_LIT(QUERY_SLEEP), SLICE_LIT("\5I"), 0, 'Z');
	assert_true(t.ended);
	text_state_release(&s);
}

#define SYNC "S\0\0\0\4"

/* A connection that is older than tardy, and the statements were prepared before. */
static void test_pgsql_prepared_before(void **state)
{
	struct text_state s = { 0 };
	struct text t;
	static const char execute[] = "E\0\0\0\xbP1\0\0\0\0\0";

	(void)state;
	t = read_framed(&s, SLICE_LIT("B\0\0\0\x10\0P0_1\0\0\0\0\0\0\0E\0\0\0\x9\0\0\0\0\0" SYNC),
			SLICE_LIT("2\0\0\0\4" READY), 0, 'Z');
	assert_int_equal(s.proto, PROTO_PGSQL);
	assert_text(t.route, "(prepared P0_1)");
	t = read_framed(&s, SLICE_LIT("B\0\0\0\x19\0stmt_00000017\0\0\0\0\0\0\0" SYNC),
			SLICE_LIT("2\0\0\0\4" READY), 0, 'Z');
	assert_text(t.route, "(prepared stmt_*)");
	t = read_framed(&s, (struct slice){ execute, sizeof(execute) - 1 }, SLICE_LIT(READY), 0,
			'Z');
	assert_text(t.route, "(portal P1)");
	/* what cannot be told from the request alone */
	text_state_release(&s);
	t = read_framed(&s, SLICE_LIT("B\0\0\7\xd0\0P0_1\0\0\0\0\1\0\0\7\x80........"),
			SLICE_LIT("2\0\0\0\4" READY), 0, 'Z');
	assert_int_equal(s.proto, PROTO_PGSQL);
	assert_text(t.route, "(prepared P0_1)");
	text_state_release(&s);
}

/* A name that is not taken, as the server answered with an error, and names that end. */
static void test_pgsql_names_end(void **state)
{
	struct text_state s = { 0 };
	char bytes[256];
	struct text t;
	size_t n;

	(void)state;
	n = put_parse(bytes, "s1", "SELECT a");
	read_framed(&s, (struct slice){ bytes, n }, SLICE_LIT("1\0\0\0\4" READY), 0, 'Z');
	n = put_parse(bytes, "s1", "SELECT b");
	read_framed(&s, (struct slice){ bytes, n }, SLICE_LIT("E\0\0\0\xcSERROR\0\0" READY), 0,
		    'Z');
	n = put_bind(bytes, "s1");
	t = read_framed(&s, (struct slice){ bytes, n }, SLICE_LIT(READY), 0, 'Z');
	assert_text(t.route, "(prepared s1)");
	n = put_parse(bytes, "s1", "SELECT c");
	read_framed(&s, (struct slice){ bytes, n }, SLICE_LIT("1\0\0\0\4" READY), 0, 'Z');
	read_framed(&s,
		    SLICE_LIT("Q\0\0\0\x10"
			      "DISCARD ALL\0"),
		    SLICE_LIT(READY), 0, 'Z');
	n = put_bind(bytes, "s1");
	t = read_framed(&s, (struct slice){ bytes, n }, SLICE_LIT(READY), 0, 'Z');
	assert_text(t.route, "(prepared s1)");
	text_state_release(&s);
}

static void test_pgsql_several(void **state)
{
	char bytes[1024], sql[32];
	struct text_state s = { 0 };
	struct text t;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 10; i++) {
		snprintf(sql, sizeof(sql), "SELECT c%d", i / 2);
		n += put_parse(bytes + n, "", sql);
		n += put_bind(bytes + n, "");
	}
	t = read_framed(&s, (struct slice){ bytes, n }, SLICE_LIT(READY), 9, 'Z');
	assert_text(t.route, "SELECT c0; SELECT c1; SELECT c2; SELECT c3; SELECT c4");
	n = 0;
	for (int i = 0; i < 9; i++) {
		snprintf(sql, sizeof(sql), "SELECT c%d", i);
		n += put_parse(bytes + n, "", sql);
		n += put_bind(bytes + n, "");
	}
	t = read_framed(&s, (struct slice){ bytes, n }, SLICE_LIT(READY), 8, 'Z');
	assert_text(t.route, "SELECT c0; SELECT c1; SELECT c2; SELECT c3; SELECT c4; SELECT c5; "
			     "SELECT c6; SELECT c7; ...");
	/* in two parts */
	assert_text(text_both_routes(intern_str("SELECT a"), intern_str("SELECT b")),
		    "SELECT a; SELECT b");
	assert_text(text_both_routes(intern_str("PREPARE SELECT a"), intern_str("SELECT a")),
		    "SELECT a");
	assert_text(text_both_routes(intern_str("SELECT a"), 0), "SELECT a");
	assert_text(text_both_routes(0, intern_str("SELECT a")), "SELECT a");
	text_state_release(&s);
}

static void test_pgsql_replication(void **state)
{
	struct text_state s = { 0 };
	struct text t;

	(void)state;
	t = read_framed(&s, SLICE_LIT("Q\0\0\0\x20START_REPLICATION 0/3000000\0"),
			SLICE_LIT("W\0\0\0\7\0\0\0"), 1, 'W');
	assert_true(t.stream && t.endless && t.can_tell && !t.ended);
	text_state_release(&s);
}

/* What follows 'S' is TLS, of which only the kind of record is seen. */
static void test_pgsql_encrypted(void **state)
{
	struct text_state s = { 0 };
	struct text t;

	(void)state;
	t = read_bytes(&s, SLICE_LIT("\0\0\0\x8\x04\xd2\x16\x2f"), SLICE_LIT("S"), 1);
	assert_true(t.ended);
	text_next_exchange(&s);
	t = read_bytes(&s, SLICE_LIT("\x16\3\1\2\0\1\0\1\xfc"), SLICE_LIT("\x16\3\3\0\x7a\2"), 6);
	assert_text(t.route, "(connect)");
	assert_false(t.can_tell || t.ended || t.continues || t.no_request || t.error);
	text_next_exchange(&s);
	t = read_bytes(&s, SLICE_LIT("\x17\3\3\0\x40Q\0\0\0"), SLICE_LIT("\x17\3\3\0\6" READY), 11);
	assert_text(t.route, "(encrypted)");
	assert_false(t.can_tell || t.ended || t.continues || t.no_request || t.error);
	assert_int_equal(s.proto, PROTO_PGSQL);
	text_state_release(&s);
}

static void test_unknown(void **state)
{
	struct text_state s = { 0 };
	struct text t = read_bytes(&s, SLICE_LIT("\x7f\x45 what"), SLICE_LIT("?"), 1);

	(void)state;
	assert_int_equal(s.proto, PROTO_UNKNOWN);
	assert_int_equal(t.route, 0);
	assert_false(t.can_tell || t.ended || t.continues || t.error);
	/* it may be told from a later one */
	text_next_exchange(&s);
	t = read_bytes(&s, SLICE_LIT(GET), SLICE_LIT(""), 0);
	assert_int_equal(s.proto, PROTO_HTTP1);
	assert_text(t.route, "GET /a");
	text_state_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http_names),
		cmocka_unit_test(test_http_ends),
		cmocka_unit_test(test_http_long_answer),
		cmocka_unit_test(test_proxied),
		cmocka_unit_test(test_http_upgrade),
		cmocka_unit_test(test_http2),
		cmocka_unit_test(test_http_long_head),
		cmocka_unit_test(test_http_followed),
		cmocka_unit_test(test_http_page_about_streams),
		cmocka_unit_test(test_http_continues),
		cmocka_unit_test(test_http_pipelined),
		cmocka_unit_test(test_http_pipelined_long),
		cmocka_unit_test(test_fastcgi),
		cmocka_unit_test(test_fastcgi_continues),
		cmocka_unit_test(test_fastcgi_ends),
		cmocka_unit_test(test_pgsql_query),
		cmocka_unit_test(test_pgsql_connect),
		cmocka_unit_test(test_pgsql_other),
		cmocka_unit_test(test_pgsql_prepared),
		cmocka_unit_test(test_pgsql_framed),
		cmocka_unit_test(test_pgsql_prepared_before),
		cmocka_unit_test(test_pgsql_names_end),
		cmocka_unit_test(test_pgsql_several),
		cmocka_unit_test(test_pgsql_replication),
		cmocka_unit_test(test_pgsql_encrypted),
		cmocka_unit_test(test_unknown),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	intern_release();
	return failed;
}
