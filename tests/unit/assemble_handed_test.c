// SPDX-License-Identifier: GPL-2.0-only
/* A thread that reads requests and hands them to a pool of workers: what is whose. */
#include "assemble_scene.h"

enum { READER = 100, WORKER = 101, OTHER = 102, BEFORE = 1, NEXT = 2, LAST = 3, CALL = 10 };

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

static void thread_of(struct xchg *e, uint32_t tid)
{
	e->x.tgid = READER;
	e->x.tid = tid;
}

static void ask(struct xchg *e, const char *path, uint64_t us)
{
	char text[64];

	snprintf(text, sizeof(text), "GET /%s HTTP/1.1\r\n\r\n", path);
	xchg_request(e, text, strlen(text), us, us);
}

/* The reader has read xid at `read`; the worker turned to it at `turned`, 0 = that is not known. */
static void handed(struct xchg *e, uint64_t xid, uint32_t worker, uint64_t read, uint64_t turned,
		   uint64_t answered)
{
	xchg_accepted(e, xid, xid, READER, 80);
	ask(e, "page", read);
	xchg_answer(e, ok, sizeof(ok) - 1, answered, answered);
	e->x.turn[1].tid = worker;
	e->x.turn[1].arrival_ns = turned ? AT(turned) : 0;
	e->x.flags |= XCHG_MULTI_THREAD;
	if (turned)
		xchg_spend(e, SLICE_MID, STATE_RUN, answered - turned);
}

/* The worker calls somebody; the kernel side knows it to have served BEFORE. */
static void worker_calls(struct scene *s, uint64_t xid, uint32_t worker, uint64_t us)
{
	struct xchg c;

	xchg_tcp_call(&c, xid, xid, READER, BEFORE, 9000);
	thread_of(&c, worker);
	REQUEST(&c, "\1\2\3\4", us, us);
	xchg_answer(&c, "\5", 1, us + 100, us + 100);
	c.x.turn[0].tid = c.x.turn[1].tid = worker;
	scene_xchg(s, &c, XCHG_CLOSED, us + 100);
}

static void scene_with_worker(struct scene *s, struct xchg *e)
{
	scene_init(s);
	handed(e, BEFORE, WORKER, 100, 200, 300);
	scene_xchg(s, e, 0, 400);
	scene_tick(s, 10000);
}

/* Until the worker turned to it the request was in the queue; where that is not known, nothing is. */
static void test_queue(void **state)
{
	struct scene s;
	struct xchg e;

	(void)state;
	scene_with_worker(&s, &e);
	handed(&e, NEXT, WORKER, 20000, 50000, 60000);
	scene_xchg(&s, &e, 0, 61000);
	handed(&e, LAST, WORKER, 70000, 0, 90000);
	scene_xchg(&s, &e, 0, 91000);
	scene_tick(&s, 200000);
	assert_int_equal(cause_us(scene_request(&s, NEXT), CAUSE_QUEUE), 30000);
	assert_int_equal(cause_us(scene_request(&s, NEXT), CAUSE_CPU), 10000);
	assert_int_equal(cause_us(scene_request(&s, LAST), CAUSE_UNKNOWN), 20000);
	scene_end(&s);
}

/* A call is for the request that its worker answers next, if it had turned to that before. */
static void test_calls(void **state)
{
	(void)state;
	for (int which = 0; which < 3; which++) {
		struct scene s;
		struct xchg e;

		scene_with_worker(&s, &e);
		worker_calls(&s, CALL, WORKER, 55000);
		scene_tick(&s, 58000);
		/* its own; before it turned to that; another worker's */
		handed(&e, NEXT, which == 2 ? OTHER : WORKER, 20000, which == 1 ? 56000 : 50000,
		       60000);
		scene_xchg(&s, &e, 0, 61000);
		scene_tick(&s, 200000);
		assert_int_equal(scene_request(&s, NEXT)->n_calls, which == 0);
		assert_int_equal(scene_request(&s, BEFORE)->n_calls, 0);
		scene_end(&s);
	}
}

/* The workers of such a server have one request at a time: a call is for the one that is open, however
 * many the reader has read. Where threads go on with each other's requests it can be for any. */
static void test_open_in_its_thread(void **state)
{
	(void)state;
	for (int migrates = 0; migrates < 2; migrates++) {
		struct scene s;
		struct xchg e, own, c;

		scene_init(&s);
		handed(&e, BEFORE, WORKER, 100, migrates ? 0 : 200, 300);
		scene_xchg(&s, &e, 0, 400);
		scene_tick(&s, 10000);
		xchg_accepted(&e, NEXT, NEXT, READER, 80);
		ask(&e, "waits", 20000);
		scene_xchg(&s, &e, XCHG_OPEN, 20000);
		xchg_accepted(&own, LAST, LAST, READER, 80);
		thread_of(&own, WORKER);
		ask(&own, "own", 21000);
		scene_xchg(&s, &own, XCHG_OPEN, 21000);
		xchg_tcp_call(&c, CALL, CALL, READER, LAST, 9000);
		thread_of(&c, WORKER);
		REQUEST(&c, "\1\2\3\4", 30000, 30000);
		xchg_answer(&c, "\5", 1, 31000, 31000);
		scene_xchg(&s, &c, XCHG_CLOSED, 31000);
		scene_tick(&s, 40000);
		xchg_answer(&own, ok, sizeof(ok) - 1, 50000, 50000);
		scene_xchg(&s, &own, 0, 51000);
		scene_tick(&s, 200000);
		assert_int_equal(scene_request(&s, LAST)->n_calls, !migrates);
		scene_end(&s);
	}
}

static void wait_for(struct scene *s, uint64_t xid, uint32_t tid, uint64_t from, uint64_t to)
{
	struct rec_wait w = { .xid = xid,
			      .start_ns = AT(from),
			      .blocked_ns = US(to - from),
			      .tid = tid,
			      .tgid = READER,
			      .waker_tgid = READER,
			      .state = STATE_IPC,
			      .flags = WAIT_HELD };

	GIVE(s, w, REC_WAIT, to);
}

static void wait_of(struct scene *s, uint32_t tid, uint64_t from, uint64_t to)
{
	wait_for(s, BEFORE, tid, from, to);
}

/* So are its waits, which name time that the request's sums hold. */
static void test_waits(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_with_worker(&s, &e);
	wait_for(&s, NEXT, READER, 21000, 24000);
	wait_of(&s, WORKER, 30000, 50000); /* its rest */
	wait_of(&s, OTHER, 51000, 52000);
	wait_of(&s, WORKER, 53000, 56000);
	handed(&e, NEXT, WORKER, 20000, 50000, 60000);
	e.x.slice_ns[SLICE_MID] = 0;
	e.x.state_ns[STATE_RUN] = 0;
	xchg_spend(&e, SLICE_MID, STATE_RUN, 6000);
	xchg_spend(&e, SLICE_MID, STATE_IPC, 4000);
	scene_xchg(&s, &e, 0, 61000);
	wait_for(&s, NEXT, READER, 62000, 63000);
	scene_tick(&s, 200000);
	r = scene_request(&s, NEXT);
	assert_int_equal(cause_us(r, CAUSE_IPC), 4000);
	for (size_t i = 0; i < r->parts.n; i++)
		if (r->parts.v[i].cause == CAUSE_IPC)
			assert_int_equal(r->parts.v[i].ns,
					 r->parts.v[i].what ? US(3000) : US(1000));
	scene_end(&s);
}

static bool gave(const struct scene *s, uint64_t xid)
{
	for (size_t i = 0; i < s->n_got; i++)
		if (s->got[i].r.xid == xid)
			return true;
	return false;
}

/* What the worker does after an answer may be for the next request: it is no work for this one. */
static void test_after(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++) {
		struct rec_thread t = { .xid = NEXT,
					.since_ns = AT(60000),
					.last_io_ns = AT(60000),
					.tid = WORKER,
					.tgid = READER,
					.state = STATE_RUN };
		struct scene s;
		struct xchg e;

		scene_init(&s);
		handed(&e, BEFORE, WORKER, 100, known ? 200 : 0, 300);
		scene_xchg(&s, &e, 0, 400);
		handed(&e, NEXT, WORKER, 20000, known ? 50000 : 0, 60000);
		scene_xchg(&s, &e, 0, 61000);
		GIVE(&s, t, REC_THREAD, 90000);
		scene_tick(&s, 80000);
		assert_int_equal(gave(&s, NEXT), known);
		scene_tick(&s, 95000);
		assert_int_equal(scene_request(&s, NEXT)->after_ns, known ? 0 : US(30000));
		scene_end(&s);
	}
}

/* While nobody is seen to have it, what its reader does is not for it. */
static void test_in_flight(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++) {
		struct rec_thread t = { .xid = NEXT,
					.since_ns = AT(20000),
					.last_io_ns = AT(20000),
					.tid = READER,
					.tgid = READER,
					.state = STATE_POLL };
		const struct request *r;
		struct scene s;
		struct xchg e;

		scene_init(&s);
		handed(&e, BEFORE, WORKER, 100, known ? 200 : 0, 300);
		scene_xchg(&s, &e, 0, 400);
		xchg_accepted(&e, NEXT, NEXT, READER, 80);
		ask(&e, "waits", 20000);
		scene_xchg(&s, &e, XCHG_OPEN, 20000);
		t.state_ns[STATE_POLL] = US(70000);
		GIVE(&s, t, REC_THREAD, 90000);
		scene_tick(&s, 90000);
		scene_forget(&s);
		assemble_open(s.a, scene_open_sink, &s);
		r = scene_request(&s, NEXT);
		assert_int_equal(cause_us(r, CAUSE_UNKNOWN), known ? 70000 : 0);
		scene_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_open_in_its_thread),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_after),
		cmocka_unit_test(test_in_flight),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	intern_release();
	return failed;
}
