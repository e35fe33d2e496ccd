// SPDX-License-Identifier: GPL-2.0-only
/* Requests of one connection: when they begin, when they are over, and what they are called. */
#include "assemble_scene.h"

#define GET "GET /a/b?q=1 HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

/* Arrived at 0, read at 100, answered at 1000 (all after `t`): the thread ran 630 us of it, was
 * runnable for 20, on the disk for 200 and slept 100; for 50 it was still busy with another. */
static void plain(struct xchg *e, uint64_t t)
{
	REQUEST(e, GET, t, t + 100);
	xchg_spend(e, SLICE_PRE, STATE_RUNQ, 20);
	xchg_spend(e, SLICE_PRE, STATE_RUN, 30);
	xchg_spend(e, SLICE_MID, STATE_RUN, 600);
	xchg_spend(e, SLICE_MID, STATE_DISK, 200);
	xchg_spend(e, SLICE_MID, STATE_SLEEP, 100);
	ANSWER(e, OK, t + 1000);
}

static void expect_plain(const struct request *r, uint64_t t)
{
	assert_int_equal(r->start_ns, AT(t));
	assert_int_equal(r->end_ns, AT(t + 1000));
	expect_part(r, "nginx", CAUSE_QUEUE, NULL, 50);
	expect_part(r, "nginx", CAUSE_CPU, NULL, 630);
	expect_part(r, "nginx", CAUSE_RUNQ, NULL, 20);
	expect_part(r, "nginx", CAUSE_DISK, NULL, 200);
	expect_part(r, "nginx", CAUSE_SLEEP, NULL, 100);
	assert_int_equal(r->parts.n, 5);
}

static void test_one_request(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	plain(&e, 0);
	scene_xchg(&s, &e, XCHG_OPEN, 1050);
	assert_int_equal(s.n_got, 0);
	scene_tick(&s, 999); /* what is read may be behind: it waits for the tick after its end */
	assert_int_equal(s.n_got, 0);
	scene_tick(&s, 1100);
	r = scene_request(&s, 1);
	expect_plain(r, 0);
	assert_text(r->route, "GET /a/b");
	assert_text(r->method, "GET");
	assert_text(r->service, "nginx");
	assert_text(r->protocol, "http");
	assert_int_equal(r->status, 200);
	assert_int_equal(r->flags, REQUEST_ENTRY);
	assert_int_equal(r->binding, 'R');
	assert_int_equal(r->pid, NGINX);
	assert_int_equal(r->bytes_in, sizeof(GET) - 1);
	assert_int_equal(r->bytes_out, sizeof(OK) - 1);
	assert_int_equal(r->first_byte_ns, AT(1000));
	assert_int_equal(assemble_counters(s.a)->requests, 1);
	scene_end(&s);
}

/* The sweep gives both while they are open, and the close gives the second once more. */
static void test_two_on_a_connection(void **state)
{
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	plain(&e, 0);
	scene_xchg(&s, &e, XCHG_OPEN, 1050);
	scene_tick(&s, 1100);
	scene_xchg(&s, &e, 0, 5100); /* left when the next one began */
	xchg_next(&e, 2);
	plain(&e, 5000);
	e.x.behind = 1;
	e.x.behind_after_ns = US(70);
	scene_xchg(&s, &e, XCHG_OPEN, 6050);
	scene_tick(&s, 6100);
	scene_xchg(&s, &e, XCHG_CLOSED, 7000);
	scene_tick(&s, 8000);
	assemble_finish(s.a);
	assert_int_equal(s.n_got, 2);
	expect_plain(scene_request(&s, 1), 0);
	expect_plain(scene_request(&s, 2), 5000);
	scene_end(&s);
}

/* Work after the answer is known where the next request comes before the first was given. */
static void test_after(void **state)
{
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	plain(&e, 0);
	scene_xchg(&s, &e, 0, 1300);
	xchg_next(&e, 2);
	e.x.behind = 1;
	e.x.behind_after_ns = US(70);
	plain(&e, 1200);
	scene_xchg(&s, &e, XCHG_OPEN, 2300);
	scene_tick(&s, 3000);
	assert_int_equal(scene_request(&s, 1)->after_ns, US(70));
	assert_int_equal(scene_request(&s, 2)->after_ns, 0);
	scene_end(&s);
}

/* Two requests read at once; the answer to the second begins a new exchange without a read. */
static void pipelined(bool tick_between)
{
	static const char both[] = GET "POST /second HTTP/1.1\r\nHost: h\r\n\r\n";
	const struct request *r;
	struct scene s;
	struct xchg e;

	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	REQUEST(&e, both, 0, 0);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 400);
	ANSWER(&e, OK, 400);
	scene_xchg(&s, &e, 0, 700);
	if (tick_between)
		scene_tick(&s, 2000);
	xchg_next(&e, 2);
	e.x.flags |= XCHG_PIPELINED;
	e.x.turn[0].arrival_ns = AT(0);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 300);
	ANSWER(&e, OK, 700);
	scene_xchg(&s, &e, XCHG_OPEN, 3000);
	scene_tick(&s, 4000);
	expect_part(scene_request(&s, 1), "nginx", CAUSE_CPU, NULL, 400);
	assert_text(scene_request(&s, 1)->route, "GET /a/b");
	r = scene_request(&s, 2);
	assert_text(r->route, "POST /second");
	assert_int_equal(r->start_ns, AT(0));
	expect_part(r, "nginx", CAUSE_QUEUE, "pipelined", 400);
	expect_part(r, "nginx", CAUSE_CPU, NULL, 300);
	scene_end(&s);
}

static void test_pipelined(void **state)
{
	(void)state;
	pipelined(false);
}

static void test_pipelined_later(void **state)
{
	(void)state;
	pipelined(true);
}

#define EXPECT_HEAD "PUT /up HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"

/* Head at 0, 100 at 50, body at 500, answer at 800: one request; its body was waited for. The
 * second half may come as it is swept and again when it is over. */
static void continued(bool swept)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	REQUEST(&e, EXPECT_HEAD, 0, 10);
	xchg_spend(&e, SLICE_PRE, STATE_RUN, 10);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 40);
	ANSWER(&e, "HTTP/1.1 100 Continue\r\n\r\n", 50);
	scene_xchg(&s, &e, XCHG_OPEN, 100);
	scene_tick(&s, 200);
	assert_int_equal(s.n_got, 0);
	scene_xchg(&s, &e, 0, 500);
	xchg_next(&e, 2);
	REQUEST(&e, "hello", 490, 500);
	xchg_spend(&e, SLICE_PRE, STATE_RECV, 440);
	xchg_spend(&e, SLICE_PRE, STATE_RUN, 10);
	if (swept)
		scene_xchg(&s, &e, XCHG_OPEN, 600);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 300);
	ANSWER(&e, OK, 800);
	scene_xchg(&s, &e, XCHG_CLOSED, 900);
	scene_tick(&s, 1000);
	assert_int_equal(s.n_got, 1);
	r = scene_request(&s, 2);
	assert_text(r->route, "PUT /up");
	assert_text(r->method, "PUT");
	assert_int_equal(r->status, 200);
	assert_int_equal(r->start_ns, AT(0));
	assert_int_equal(r->end_ns, AT(800));
	assert_int_equal(r->bytes_in, sizeof(EXPECT_HEAD) - 1 + 5);
	expect_part(r, "nginx", CAUSE_RECV, NULL, 440);
	expect_part(r, "nginx", CAUSE_CPU, NULL, 360);
	scene_end(&s);
}

static void test_continue(void **state)
{
	(void)state;
	continued(false);
}

static void test_continue_swept(void **state)
{
	(void)state;
	continued(true);
}

/* Both status lines in one send turn: the kernel side takes the second for a pipelined answer. */
static void test_continue_at_once(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	REQUEST(&e, EXPECT_HEAD "hello", 0, 0);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 50);
	ANSWER(&e, "HTTP/1.1 100 Continue\r\n\r\n", 50);
	scene_xchg(&s, &e, 0, 80);
	xchg_next(&e, 2);
	e.x.flags |= XCHG_PIPELINED;
	e.x.turn[0].arrival_ns = AT(0);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 30);
	ANSWER(&e, OK, 80);
	scene_xchg(&s, &e, XCHG_OPEN, 3000);
	scene_tick(&s, 4000);
	assert_int_equal(s.n_got, 1);
	r = scene_request(&s, 2);
	assert_text(r->route, "PUT /up");
	assert_int_equal(r->status, 200);
	expect_part(r, "nginx", CAUSE_CPU, NULL, 80);
	scene_end(&s);
}

/* Refused before the body was read: what the server still reads of it is no request. */
static void test_early_answer(void **state)
{
	static const char no[] = "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n";
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	REQUEST(&e, "POST /big HTTP/1.1\r\nContent-Length: 99999\r\n\r\nxxxx", 0, 0);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 50);
	ANSWER(&e, no, 50);
	scene_xchg(&s, &e, 0, 100);
	xchg_next(&e, 2);
	REQUEST(&e, "xxxxxxxxxxxxxxxxxxxxxxxxxxxx", 90, 100);
	scene_xchg(&s, &e, XCHG_CLOSED, 200);
	scene_tick(&s, 300);
	assert_int_equal(s.n_got, 1);
	r = scene_request(&s, 1);
	assert_int_equal(r->status, 413);
	assert_int_equal(r->flags, REQUEST_ENTRY);
	assert_int_equal(r->end_ns, AT(50));
	scene_end(&s);
}

/* An answer that began before the body was read whole: the request's head, then `more` of the body. */
static void echo(struct scene *s, struct xchg *e, const char *head, const char *more,
		 uint32_t flags)
{
	scene_init(s);
	xchg_accepted(e, 1, 1, NGINX, 80);
	xchg_request(e, head, strlen(head), 0, 0);
	xchg_spend(e, SLICE_MID, STATE_RUN, 50);
	ANSWER(e, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nxxxx", 50);
	scene_xchg(s, e, 0, 100);
	xchg_next(e, 2);
	xchg_request(e, more, strlen(more), 90, 100);
	e->x.flags |= flags;
	xchg_spend(e, SLICE_PRE, STATE_RECV, 50);
	xchg_spend(e, SLICE_MID, STATE_RUN, 20);
	ANSWER(e, "xxxx", 120);
}

/* It is one request until the answer's end. */
static void expect_echo(const struct scene *s)
{
	const struct request *r = scene_request(s, 2);

	assert_text(r->route, "POST /echo");
	assert_int_equal(r->start_ns, AT(0));
	assert_int_equal(r->end_ns, AT(120));
	assert_int_equal(r->after_ns, 0);
	expect_part(r, "nginx", CAUSE_RECV, NULL, 50);
	expect_part(r, "nginx", CAUSE_CPU, NULL, 70);
}

static void test_body_during_answer(void **state)
{
	struct scene s;
	struct xchg e;

	(void)state;
	echo(&s, &e, "POST /echo HTTP/1.1\r\nContent-Length: 8\r\n\r\nxxxx", "xxxx", 0);
	scene_xchg(&s, &e, XCHG_CLOSED, 200);
	scene_tick(&s, 300);
	assert_int_equal(s.n_got, 1);
	expect_echo(&s);
	scene_end(&s);
}

/* The same with a body in chunks, which the kernel side has followed: its flags tell what is more of it
 * and what comes behind it, whatever the bytes look like. */
static void test_chunks_during_answer(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	echo(&s, &e, "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2d\r\n",
	     "GET /invented HTTP/1.1\r\nHost: x\r\n\r\n", XCHG_BODY);
	scene_xchg(&s, &e, 0, 200);
	xchg_next(&e, 3);
	REQUEST(&e, GET, 250, 250);
	e.x.flags |= XCHG_BEHIND;
	ANSWER(&e, OK, 260);
	scene_xchg(&s, &e, XCHG_CLOSED, 300);
	scene_tick(&s, 400);
	assert_int_equal(s.n_got, 2);
	expect_echo(&s);
	r = scene_request(&s, 3);
	assert_text(r->route, "GET /a/b");
	assert_int_equal(r->start_ns, AT(250));
	scene_end(&s);
}

/* A refused body is no request, though it looks like one; a length that was announced counts no more
 * once the body was followed to its end. */
static void test_refused_body(void **state)
{
	static const char *const heads[] = {
		"POST /big HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST /big HTTP/1.1\r\nContent-Length: 9999\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct scene s;
		struct xchg e;

		scene_init(&s);
		xchg_accepted(&e, 1, 1, NGINX, 80);
		xchg_request(&e, heads[i], strlen(heads[i]), 0, 0);
		ANSWER(&e, "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n", 50);
		scene_xchg(&s, &e, 0, 100);
		xchg_next(&e, 2);
		REQUEST(&e, "GET /invented HTTP/1.1\r\nHost: x\r\n\r\n", 90, 100);
		e.x.flags |= XCHG_BODY;
		scene_xchg(&s, &e, 0, 200);
		xchg_next(&e, 3);
		REQUEST(&e, GET, 250, 250);
		e.x.flags |= XCHG_BEHIND;
		ANSWER(&e, OK, 260);
		scene_xchg(&s, &e, XCHG_CLOSED, 300);
		scene_tick(&s, 400);
		assert_int_equal(s.n_got, 2);
		assert_int_equal(scene_request(&s, 1)->status, 413);
		assert_int_equal(scene_request(&s, 1)->end_ns, AT(50));
		assert_text(scene_request(&s, 3)->route, "GET /a/b");
		assert_int_equal(scene_request(&s, 3)->start_ns, AT(250));
		scene_end(&s);
	}
}

static const struct request *closed(struct scene *s, const char *answer, uint32_t flags)
{
	struct xchg e;

	scene_init(s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	REQUEST(&e, GET, 0, 100);
	if (answer)
		xchg_answer(&e, answer, strlen(answer), 200, 200);
	e.x.flags |= flags & ~(uint32_t)XCHG_CLOSED;
	scene_xchg(s, &e, flags & XCHG_CLOSED, 400);
	scene_tick(s, 500);
	return scene_request(s, 1);
}

static void test_aborted(void **state)
{
	static const char half[] = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
	static const char whole[] = OK, to_close[] = "HTTP/1.0 200 OK\r\n\r\nbody";
	static const struct {
		const char *answer;
		uint32_t flags, want;
		uint64_t end_us;
	} cases[] = {
		/* reset before anything was answered; the client closed its side and got none */
		{ NULL, XCHG_RESET, REQUEST_ABORTED, 400 },
		{ NULL, XCHG_PEER_FIN | XCHG_PEER_FIN_EARLY | XCHG_CLOSED, REQUEST_ABORTED, 400 },
		/* reset in the middle of the answer, and after it */
		{ half, XCHG_RESET, REQUEST_ABORTED, 400 },
		{ half, XCHG_CLOSED, REQUEST_ABORTED, 400 },
		{ whole, XCHG_RESET, 0, 200 },
		/* the close is the end of such an answer */
		{ to_close, XCHG_CLOSED, 0, 200 },
		{ to_close, XCHG_RESET, REQUEST_ABORTED, 400 },
		/* the server gave up without an answer */
		{ NULL, XCHG_CLOSED, REQUEST_ERROR, 400 },
		{ "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", XCHG_CLOSED, REQUEST_ERROR, 200 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene s;
		const struct request *r = closed(&s, cases[i].answer, cases[i].flags);

		if (r->flags != (cases[i].want | REQUEST_ENTRY) || r->end_ns != AT(cases[i].end_us))
			fail_msg("case %zu: flags %x, end %llu", i, r->flags,
				 (unsigned long long)(r->end_ns - AT(0)));
		scene_end(&s);
	}
}

/* The framing of this answer lies beyond what is kept of its head: rest tells that it is over. */
static void test_untold_end(void **state)
{
	struct bytes b = { .len = 0 };
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	bytes_add(&b, "HTTP/1.1 200 OK\r\nX: ", 20);
	memset(b.at + 20, 'x', 500);
	b.len += 500;
	xchg_accepted(&e, 1, 1, NGINX, 80);
	REQUEST(&e, GET, 0, 0);
	xchg_answer(&e, b.at, b.len, 100, 100);
	scene_xchg(&s, &e, XCHG_OPEN, 200);
	scene_tick(&s, 900000);
	assert_int_equal(s.n_got, 0);
	scene_tick(&s, 1100200);
	assert_int_equal(scene_request(&s, 1)->end_ns, AT(100));
	assert_int_equal(scene_request(&s, 1)->flags, REQUEST_ENTRY | REQUEST_END_UNSEEN);
	scene_end(&s);
}

/* Server-sent events: in flight for as long as they last, and told apart. */
static void test_stream(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	REQUEST(&e, GET, 0, 0);
	ANSWER(&e, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", 100);
	scene_xchg(&s, &e, XCHG_OPEN, 200);
	scene_tick(&s, 5000000);
	assert_int_equal(s.n_got, 0);
	ANSWER(&e, "data: 1\n\n", 6000000);
	scene_xchg(&s, &e, XCHG_CLOSED, 6000100);
	scene_tick(&s, 7000000);
	r = scene_request(&s, 1);
	assert_int_equal(r->flags, REQUEST_ENTRY | REQUEST_STREAM);
	assert_int_equal(r->end_ns, AT(6000000));
	assert_int_equal(r->first_byte_ns, AT(100));
	assert_int_equal(r->last_byte_ns, AT(6000000));
	assert_int_equal(r->sends, 2);
	scene_end(&s);
}

/* A body in `sends` pieces, of which the last left end_us after the first. */
static uint32_t flags_by_pace(unsigned sends, uint64_t end_us)
{
	struct scene s;
	struct xchg e;
	uint32_t flags;

	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	REQUEST(&e, GET, 0, 0);
	ANSWER(&e, "HTTP/1.1 200 OK\r\n\r\n", 100);
	for (unsigned i = 1; i < sends; i++)
		ANSWER(&e, "x", 100 + (i == sends - 1 ? end_us : i));
	scene_xchg(&s, &e, XCHG_CLOSED, 100 + end_us + 100);
	scene_tick(&s, 20000000);
	flags = scene_request(&s, 1)->flags;
	scene_end(&s);
	return flags;
}

/* More than a second from send to send in the mean, more than once; one pause is none. */
static void test_stream_by_pace(void **state)
{
	(void)state;
	assert_int_equal(flags_by_pace(2, 5000000) & REQUEST_STREAM, 0);
	assert_int_equal(flags_by_pace(4, 3000000) & REQUEST_STREAM, 0);
	assert_int_equal(flags_by_pace(4, 3000001) & REQUEST_STREAM, REQUEST_STREAM);
	assert_int_equal(flags_by_pace(1, 0) & REQUEST_STREAM, 0);
}

/* Words that came together hide pauses in the mean of all sends, but not in what the kernel side
 * tells; a length says that there is an end. */
static void test_stream_by_pauses(void **state)
{
	static const struct {
		const char *answer;
		uint32_t gaps;
		uint64_t end_us;
		bool stream;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\n\r\n", 1, 5000000, false },
		{ "HTTP/1.1 200 OK\r\n\r\n", 2, 2000000, false },
		{ "HTTP/1.1 200 OK\r\n\r\n", 2, 2000001, true },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", 2, 2000001, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rec_net net = {
			.xid = 1, .conn = 1, .gap_max_ns = US(1500000), .gaps = cases[i].gaps
		};
		const struct request *r;
		struct scene s;
		struct xchg e;

		scene_init(&s);
		GIVE(&s, net, REC_NET, 50);
		xchg_accepted(&e, 1, 1, NGINX, 80);
		REQUEST(&e, GET, 0, 0);
		xchg_answer(&e, cases[i].answer, strlen(cases[i].answer), 100, 100);
		ANSWER(&e, "w", 101);
		ANSWER(&e, "x", 102);
		ANSWER(&e, "y", 1000000);
		ANSWER(&e, "z", 100 + cases[i].end_us);
		scene_xchg(&s, &e, XCHG_CLOSED, 200 + cases[i].end_us);
		scene_tick(&s, 20000000);
		r = scene_request(&s, 1);
		assert_int_equal(!!(r->flags & REQUEST_STREAM), cases[i].stream);
		assert_int_equal(r->net.gap_max_ns, net.gap_max_ns);
		scene_end(&s);
	}
}

/* No protocol: turns alone make it a request, named after its port, over when at rest. */
static void test_unknown_protocol(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 7777);
	REQUEST(&e, "\x01\x02 what is this", 0, 0);
	ANSWER(&e, "\x03 that", 100);
	scene_xchg(&s, &e, XCHG_OPEN, 200);
	scene_tick(&s, 90000);
	assert_int_equal(s.n_got, 0);
	scene_tick(&s, 110000);
	r = scene_request(&s, 1);
	assert_text(r->route, "port 7777");
	assert_text(r->protocol, "unknown");
	assert_int_equal(r->end_ns, AT(100));
	assert_int_equal(assemble_counters(s.a)->unnamed, 1);
	scene_end(&s);
}

/* The first thing seen of an older connection may be the rest of something. */
static void test_seeded(void **state)
{
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	e.x.flags = XCHG_SEEDED;
	REQUEST(&e, "the rest of a body", 0, 0);
	ANSWER(&e, OK, 50);
	scene_xchg(&s, &e, 0, 100);
	xchg_next(&e, 2);
	plain(&e, 1000);
	scene_xchg(&s, &e, XCHG_OPEN, 2100);
	/* and one whose text says what it is */
	xchg_accepted(&e, 3, 2, NGINX, 80);
	e.x.flags = XCHG_SEEDED;
	plain(&e, 0);
	scene_xchg(&s, &e, XCHG_OPEN, 2200);
	scene_tick(&s, 200000);
	assert_int_equal(s.n_got, 2);
	expect_plain(scene_request(&s, 2), 1000);
	expect_plain(scene_request(&s, 3), 0);
	scene_end(&s);
}

/* A head that could not be read has no name, but its request happened. */
static void test_no_text(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	plain(&e, 0);
	scene_xchg(&s, &e, 0, 1050);
	xchg_next(&e, 2);
	plain(&e, 2000);
	e.x.req_len = 0;
	e.x.flags |= XCHG_NO_TEXT;
	scene_xchg(&s, &e, XCHG_CLOSED, 3100);
	scene_tick(&s, 4000);
	assert_int_equal(s.n_got, 2);
	r = scene_request(&s, 2);
	expect_plain(r, 2000);
	assert_text(r->route, "port 80");
	scene_end(&s);
}

static void test_error_status(void **state)
{
	struct scene s;
	const struct request *r = closed(&s, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
					 XCHG_CLOSED);

	(void)state;
	assert_int_equal(r->status, 500);
	assert_true(r->flags & REQUEST_ERROR);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_request),
		cmocka_unit_test(test_two_on_a_connection),
		cmocka_unit_test(test_after),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_pipelined_later),
		cmocka_unit_test(test_continue),
		cmocka_unit_test(test_continue_swept),
		cmocka_unit_test(test_continue_at_once),
		cmocka_unit_test(test_early_answer),
		cmocka_unit_test(test_body_during_answer),
		cmocka_unit_test(test_chunks_during_answer),
		cmocka_unit_test(test_refused_body),
		cmocka_unit_test(test_aborted),
		cmocka_unit_test(test_untold_end),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_stream_by_pace),
		cmocka_unit_test(test_stream_by_pauses),
		cmocka_unit_test(test_unknown_protocol),
		cmocka_unit_test(test_seeded),
		cmocka_unit_test(test_no_text),
		cmocka_unit_test(test_error_status),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	intern_release();
	return failed;
}
