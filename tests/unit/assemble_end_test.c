// SPDX-License-Identifier: GPL-2.0-only
/* Why a request is over: each reason, and that the sink is told. */
#include "assemble_scene.h"

#define GET "GET /p HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
#define UNTOLD "HTTP/1.1 200 OK\r\n\r\n" /* until the connection ends, or rests */

struct end {
	const char *request, *response;
	uint32_t flags;
	bool followed; /* another request comes on the connection */
	uint64_t tick_us; /* 0: the records end */
	enum end_reason why;
};

static void give_end(struct scene *s, const struct end *c)
{
	struct xchg e;

	xchg_accepted(&e, 1, 1, NGINX, 80);
	xchg_request(&e, c->request, strlen(c->request), 10, 10);
	if (c->response)
		xchg_answer(&e, c->response, strlen(c->response), 1000, 1000);
	scene_xchg(s, &e, c->flags, 1010);
	if (c->followed) {
		xchg_next(&e, 2);
		REQUEST(&e, GET, 1500, 1500);
		scene_xchg(s, &e, XCHG_OPEN, 1510);
	}
	if (c->tick_us)
		scene_tick(s, c->tick_us);
	else
		assemble_finish(s->a);
}

static void test_reasons(void **state)
{
	static const struct end ends[] = {
		{ GET, OK, XCHG_OPEN, false, 2000, END_PROTOCOL },
		{ GET, OK, XCHG_CLOSED, false, 2000, END_PROTOCOL }, /* it had said so before */
		{ GET, UNTOLD, XCHG_CLOSED, false, 2000, END_CLOSED },
		{ GET, NULL, XCHG_CLOSED, false, 2000, END_CLOSED },
		{ GET, UNTOLD, XCHG_RESET | XCHG_CLOSED, false, 2000, END_RESET },
		{ GET, UNTOLD, 0, false, 2000, END_NEXT }, /* the kernel has seen the next */
		{ GET, UNTOLD, XCHG_OPEN, true, 2000, END_NEXT },
		{ "\1\2\3", "\4\5", XCHG_OPEN, false, 200000, END_REST },
		{ "\1\2\3", "\4\5", XCHG_OPEN, false, 0, END_INPUT },
		{ GET, OK, XCHG_OPEN, false, 0, END_PROTOCOL },
		{ "\1\2\3", "\4\5", XCHG_CLOSED, false, 0, END_CLOSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const struct request *r;
		struct scene s;

		scene_init(&s);
		give_end(&s, &ends[i]);
		r = scene_request(&s, 1);
		assert_string_equal(end_reason_name(r->end_reason), end_reason_name(ends[i].why));
		scene_end(&s);
	}
}

/* What is in flight has no reason, also after its end was taken back: it was held for its thread's
 * work, and the answer went on. */
static void test_open_again(void **state)
{
	struct rec_thread t = { .xid = 1, .tid = NGINX, .state = STATE_RUN };
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	REQUEST(&e, "\1\2\3", 10, 10);
	ANSWER(&e, "\4\5", 1000);
	scene_xchg(&s, &e, XCHG_OPEN, 1010);
	t.last_io_ns = AT(1000);
	GIVE(&s, t, REC_THREAD, 200000);
	scene_tick(&s, 200000); /* over by rest, but held */
	assemble_open(s.a, scene_open_sink, &s);
	assert_int_equal(s.n_got, 0);
	ANSWER(&e, "\6", 250000);
	scene_xchg(&s, &e, XCHG_OPEN, 250010);
	scene_tick(&s, 260000);
	assemble_open(s.a, scene_open_sink, &s);
	assert_int_equal(scene_request(&s, 1)->end_reason, END_NONE);
	scene_forget(&s);
	scene_tick(&s, 400000);
	assert_int_equal(scene_request(&s, 1)->end_reason, END_REST);
	assert_int_equal(scene_request(&s, 1)->last_byte_ns, AT(250000));
	scene_end(&s);
}

/* A head that is longer than what its record holds: what REC_DATA brings of it has the length,
 * whichever of the two comes first. */
static void test_long_head(void **state)
{
	union {
		struct rec_data d;
		char room[sizeof(struct rec_data) + 64];
	} more = { .d = { .xid = 1, .off = ABI_RSP_HEAD_MAX, .turn = 1 } };
	char head[ABI_RSP_HEAD_MAX];

	(void)state;
	more.d.len = (uint16_t)snprintf((char *)more.d.bytes, 64,
					"y\r\nContent-Length: 3\r\n\r\nabc");
	memset(head, 'x', sizeof(head));
	memcpy(head, "HTTP/1.1 200 OK\r\nX: ", 20);
	for (int data_first = 0; data_first < 2; data_first++) {
		struct scene s;
		struct xchg e;

		scene_init(&s);
		xchg_accepted(&e, 1, 1, NGINX, 80);
		REQUEST(&e, GET, 10, 10);
		xchg_answer(&e, head, sizeof(head), 1000, 1000);
		e.x.turn[1].bytes += more.d.len;
		if (data_first)
			GIVE(&s, more, REC_DATA, 1005);
		scene_xchg(&s, &e, XCHG_RESET | XCHG_CLOSED, 1010);
		if (!data_first)
			GIVE(&s, more, REC_DATA, 1020);
		scene_tick(&s, 2000);
		assert_int_equal(scene_request(&s, 1)->end_reason, END_PROTOCOL);
		assert_int_equal(scene_request(&s, 1)->flags, REQUEST_ENTRY); /* not aborted */
		scene_end(&s);
	}
}

/* One that is longer still comes in two of them. */
static void test_longer_head(void **state)
{
	static union {
		struct rec_data d;
		char room[sizeof(struct rec_data) + ABI_DATA_CHUNK];
	} more;
	char head[ABI_RSP_HEAD_MAX];
	struct scene s;
	struct xchg e;

	(void)state;
	memset(head, 'x', sizeof(head));
	memcpy(head, "HTTP/1.1 200 OK\r\nX: ", 20);
	for (uint32_t most = 0; most < 2; most++) { /* all of the room, or less: not the same end */
		uint32_t n = most ? ABI_DATA_CHUNK : 2000;

		scene_init(&s);
		xchg_accepted(&e, 1, 1, NGINX, 80);
		REQUEST(&e, GET, 10, 10);
		xchg_answer(&e, head, sizeof(head), 1000, 1000);
		e.x.turn[1].bytes += ABI_RSP_MORE + n;
		scene_xchg(&s, &e, XCHG_OPEN, 1010);
		more.d = (struct rec_data){
			.xid = 1, .off = ABI_RSP_HEAD_MAX, .turn = 1, .len = ABI_RSP_MORE
		};
		memset(more.d.bytes, 'x', ABI_RSP_MORE);
		assert_int_equal(
			scene_give(&s, &more, REC_DATA, sizeof(more.d) + ABI_RSP_MORE, 1011), 0);
		more.d.off += ABI_RSP_MORE;
		more.d.len = (uint16_t)n;
		memset(more.d.bytes, 'x', n);
		memcpy(more.d.bytes + n - 26, "\r\nContent-Length: 3\r\n\r\nabc", 26);
		assert_int_equal(scene_give(&s, &more, REC_DATA, sizeof(more.d) + n, 1012), 0);
		scene_tick(&s, 2000);
		assert_int_equal(scene_request(&s, 1)->end_reason, END_PROTOCOL);
		assert_int_equal(scene_request(&s, 1)->flags, REQUEST_ENTRY);
		scene_end(&s);
	}
}

/* One request whose answer goes on in a further exchange: what begins that is a piece of a body. */
static void expect_one(const char *request, const char *answer, const char *body, uint32_t flags,
		       const char *rest)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	xchg_request(&e, request, strlen(request), 10, 10);
	xchg_answer(&e, answer, strlen(answer), 1000, 1000);
	scene_xchg(&s, &e, 0, 1010);
	xchg_next(&e, 2);
	if (body)
		xchg_request(&e, body, strlen(body), 2000, 2000);
	else
		e.x.turn[0].arrival_ns = AT(10);
	xchg_answer(&e, rest, strlen(rest), 3000, 3000);
	scene_xchg(&s, &e, XCHG_OPEN | flags, 3010);
	scene_tick(&s, 4000);
	assert_int_equal(s.n_got, 1);
	r = &s.got[0].r;
	assert_int_equal(r->status, 200);
	assert_int_equal(r->flags, REQUEST_ENTRY);
	assert_int_equal(r->end_reason, END_PROTOCOL);
	assert_int_equal(r->first_byte_ns, AT(1000));
	assert_int_equal(r->end_ns - r->start_ns, US(2990));
	assert_int_equal(r->bytes_out, strlen(answer) + strlen(rest));
	scene_end(&s);
}

static void test_answer_goes_on(void **state)
{
	(void)state;
	/* a status line in the body */
	expect_one(GET, "HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n", NULL, XCHG_PIPELINED,
		   "HTTP/1.1 500 Oops\r\n\r\n");
	/* the request's body comes when the answer has begun; it may look like anything */
	expect_one("POST /p HTTP/1.1\r\nContent-Length: 19\r\n\r\n",
		   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nready\r\n",
		   "GET /x HTTP/1.1\r\n\r\n", 0, "4\r\ndone\r\n0\r\n\r\n");
}

#define IN_CHUNKS "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/* 5,000 bytes that look as if they ended it. */
static void long_answer(struct xchg *e, const char *begin, uint64_t us)
{
	static const char end[] = "x\r\n0\r\n\r\n";
	char page[5000];

	memset(page, 'x', sizeof(page));
	memcpy(page, begin, strlen(begin));
	memcpy(page + sizeof(page) - strlen(end), end, strlen(end));
	xchg_answer(e, page, sizeof(page), us, us);
}

static void followed(struct xchg *e, bool whole)
{
	e->x.flags |= XCHG_ANSWER_FRAMED;
	e->x.pg_last = whole;
}

/* An answer that was followed is over when the kernel side says so, however long it rests and whatever
 * it looks like; and then at once. */
static void test_followed(void **state)
{
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	REQUEST(&e, GET, 10, 10);
	long_answer(&e, IN_CHUNKS "2000\r\n", 1000);
	followed(&e, false);
	scene_xchg(&s, &e, XCHG_OPEN, 1010);
	scene_tick(&s, 3000000);
	assert_int_equal(s.n_got, 0);
	e.x.turn[1].bytes += 5000;
	e.x.turn[1].last_ns = AT(3500000);
	followed(&e, true);
	scene_xchg(&s, &e, XCHG_OPEN, 3500010);
	scene_tick(&s, 3500020);
	assert_int_equal(s.n_got, 1);
	assert_int_equal(s.got[0].r.end_reason, END_PROTOCOL);
	assert_int_equal(s.got[0].r.end_ns, AT(3500000));
	scene_end(&s);
}

/* It goes on while more of its request's body comes: the place goes with it. Where the following broke
 * off meanwhile the last bytes tell. */
static void test_followed_on(void **state)
{
	for (int broken = 0; broken <= 1; broken++) {
		struct scene s;
		struct xchg e;

		(void)state;
		scene_init(&s);
		xchg_accepted(&e, 1, 1, NGINX, 80);
		REQUEST(&e, "POST /p HTTP/1.1\r\nContent-Length: 19\r\n\r\n", 10, 10);
		long_answer(&e, IN_CHUNKS "2000\r\n", 1000);
		followed(&e, false);
		scene_xchg(&s, &e, 0, 1010);
		xchg_next(&e, 2);
		REQUEST(&e, "GET /x HTTP/1.1\r\n\r\n", 2000, 2000);
		e.x.flags |= XCHG_BODY;
		long_answer(&e, "xxx", 3000);
		if (!broken)
			followed(&e, false);
		scene_xchg(&s, &e, XCHG_OPEN, 3010);
		scene_tick(&s, 4000);
		assert_int_equal(s.n_got, broken);
		followed(&e, true);
		e.x.turn[1].last_ns = AT(5000);
		scene_xchg(&s, &e, XCHG_OPEN, 5010);
		scene_tick(&s, 6000);
		assert_int_equal(s.n_got, 1);
		assert_text(s.got[0].r.route, "POST /p");
		assert_int_equal(s.got[0].r.end_ns, AT(broken ? 3000 : 5000));
		scene_end(&s);
	}
}

/* A request that was refused before its body came: the body is no request, whatever is in it. */
static void test_refused_body(void **state)
{
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	REQUEST(&e, "POST /p HTTP/1.1\r\nContent-Length: 19\r\n\r\n", 10, 10);
	ANSWER(&e, "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n", 1000);
	scene_xchg(&s, &e, 0, 1010);
	scene_tick(&s, 1500);
	xchg_next(&e, 2);
	REQUEST(&e, "GET /x HTTP/1.1\r\n\r\n", 2000, 2000);
	scene_xchg(&s, &e, XCHG_CLOSED, 2010);
	scene_tick(&s, 3000000);
	assert_int_equal(s.n_got, 1);
	assert_int_equal(s.got[0].r.status, 413);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons),        cmocka_unit_test(test_open_again),
		cmocka_unit_test(test_long_head),      cmocka_unit_test(test_longer_head),
		cmocka_unit_test(test_answer_goes_on), cmocka_unit_test(test_refused_body),
		cmocka_unit_test(test_followed),       cmocka_unit_test(test_followed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
