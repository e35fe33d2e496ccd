// SPDX-License-Identifier: GPL-2.0-only
/* Work that a request's thread leaves to another thread of its process: whose it was, and its calls. */
#include "assemble_scene.h"

enum { LOOP = 100, WORKER = 101, OTHER = 102, ONE = 1, TWO = 2, CALL = 10, OWN_CALL = 11 };

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/* A request of the loop, read at `read` and answered at `answered`. */
static void asked(struct scene *s, uint64_t xid, uint64_t read, uint64_t answered)
{
	struct xchg e;

	xchg_accepted(&e, xid, xid, LOOP, 80);
	REQUEST(&e, "GET /page HTTP/1.1\r\n\r\n", read, read);
	xchg_answer(&e, ok, sizeof(ok) - 1, answered, answered);
	xchg_spend(&e, SLICE_MID, STATE_POLL, answered - read);
	e.x.idle[0][0] = e.x.idle[0][1] = (struct rec_idle){ .ns = 0, .tid = LOOP };
	e.x.idle[1][0] = e.x.idle[1][1] = (struct rec_idle){ .ns = US(answered - read),
							     .tid = LOOP };
	scene_xchg(s, &e, 0, answered);
}

/* A call that the worker makes, lent to request `lent`. */
static void called(struct scene *s, uint64_t lent, uint32_t tid, uint64_t from, uint64_t to)
{
	struct xchg c;

	xchg_tcp_call(&c, CALL, CALL, LOOP, lent, 9000);
	c.x.tid = tid;
	REQUEST(&c, "\1\2\3\4", from, from);
	xchg_answer(&c, "\5", 1, to, to);
	xchg_spend(&c, SLICE_MID, STATE_RECV, to - from);
	c.x.flags |= XCHG_LENT;
	scene_xchg(s, &c, XCHG_CLOSED, to);
}

static struct rec_work begun(uint64_t job, uint32_t worker, uint64_t from, uint32_t turn)
{
	return (struct rec_work){ .job = job,
				  .from_ns = AT(from),
				  .tid = LOOP,
				  .tgid = LOOP,
				  .worker_tid = worker,
				  .turn = turn };
}

static struct rec_work ended(uint64_t job, uint64_t xid, uint32_t worker, uint64_t from,
			     uint64_t to)
{
	struct rec_work w = begun(job, worker, from, 0);

	w.xid = xid;
	w.end_ns = AT(to);
	w.wait_ns = AT(from + 1);
	w.state = STATE_POLL;
	return w;
}

/* The loop left it to a worker, and went on with it when that was done: what the worker did is the request's,
 * and so is the call that it made. */
static void test_two_witnesses(void **state)
{
	const struct request *r;
	struct rec_work w;
	struct scene s;

	(void)state;
	scene_init(&s);
	w = begun(ONE, WORKER, 1000, 5);
	GIVE(&s, w, REC_WORK, 1000);
	called(&s, ONE, WORKER, 21000, 51000);
	scene_tick(&s, 60000); /* until it is known it is nobody's */
	w = ended(ONE, ONE, WORKER, 1000, 100000);
	w.state_ns[STATE_RUN] = US(49000);
	w.state_ns[STATE_DISK] = US(20000);
	GIVE(&s, w, REC_WORK, 101000);
	asked(&s, ONE, 1000, 101000);
	scene_tick(&s, 300000);
	r = scene_request(&s, ONE);
	assert_int_equal(r->n_calls, 1);
	assert_int_equal(cause_us(r, CAUSE_CPU), 49000);
	assert_int_equal(cause_us(r, CAUSE_DISK), 20000);
	assert_int_equal(cause_us(r, CAUSE_UPSTREAM), 30000);
	assert_int_equal(cause_us(r, CAUSE_OTHER), 1000); /* until the loop had read of it */
	scene_end(&s);
}

/* It went on with another request: whose work that was is not known, and the call is nobody's. */
static void test_one_witness(void **state)
{
	const struct request *r;
	struct rec_work w;
	struct scene s;

	(void)state;
	scene_init(&s);
	w = begun(ONE, WORKER, 1000, 5);
	GIVE(&s, w, REC_WORK, 1000);
	called(&s, ONE, WORKER, 21000, 51000);
	w = ended(ONE, TWO, WORKER, 1000, 60000);
	w.state_ns[STATE_RUN] = US(59000);
	GIVE(&s, w, REC_WORK, 61000);
	asked(&s, TWO, 900, 61000);
	asked(&s, ONE, 1000, 101000);
	scene_tick(&s, 300000);
	for (uint64_t xid = ONE; xid <= TWO; xid++) {
		r = scene_request(&s, xid);
		assert_int_equal(r->n_calls, 0);
		assert_int_equal(cause_us(r, CAUSE_CPU), 0);
		assert_int_equal(cause_us(r, CAUSE_OTHER) + cause_us(r, CAUSE_UNKNOWN),
				 (r->end_ns - r->start_ns) / 1000);
	}
	scene_end(&s);
}

/* Of two workers that the loop woke in one turn, each may be for another request; of two turns not. */
static void test_two_in_one_turn(void **state)
{
	(void)state;
	for (uint32_t apart = 0; apart < 2; apart++) {
		struct rec_work w;
		struct scene s;

		scene_init(&s);
		w = begun(ONE, WORKER, 1000, 5);
		GIVE(&s, w, REC_WORK, 1000);
		w = begun(ONE, OTHER, 1100, 5 + apart);
		GIVE(&s, w, REC_WORK, 1100);
		w = ended(ONE, ONE, WORKER, 1000, 101000);
		w.state_ns[STATE_RUN] = US(100000);
		GIVE(&s, w, REC_WORK, 101000);
		asked(&s, ONE, 1000, 101000);
		scene_tick(&s, 300000);
		assert_int_equal(cause_us(scene_request(&s, ONE), CAUSE_CPU), apart ? 100000 : 0);
		scene_end(&s);
	}
}

/* A step after which the loop only left the next one to a worker is known by that; and what the loop went on
 * with may be a call. */
static void test_steps(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++) {
		struct rec_work w;
		struct scene s;
		struct xchg c;

		scene_init(&s);
		w = ended(ONE, 0, WORKER, 1000, 31000);
		w.state_ns[STATE_RUN] = US(30000);
		GIVE(&s, w, REC_WORK, 31500);
		w = ended(ONE, OWN_CALL, OTHER, 31000, 91000);
		w.after_ns = known ? AT(31000) : AT(30999);
		w.state_ns[STATE_RUN] = US(60000);
		GIVE(&s, w, REC_WORK, 91500);
		xchg_tcp_call(&c, OWN_CALL, OWN_CALL, LOOP, ONE, 9000);
		REQUEST(&c, "\1\2\3\4", 91500, 91500);
		xchg_answer(&c, "\5", 1, 95000, 95000);
		scene_xchg(&s, &c, XCHG_CLOSED, 95000);
		asked(&s, ONE, 1000, 101000);
		scene_tick(&s, 300000);
		assert_int_equal(cause_us(scene_request(&s, ONE), CAUSE_CPU),
				 known ? 90000 : 60000);
		scene_end(&s);
	}
}

/* A thread that waited in a futex for a worker, after it had done something itself meanwhile. */
static void test_thread(void **state)
{
	const struct request *r;
	struct rec_wait wait = { .xid = ONE,
				 .start_ns = AT(20000),
				 .blocked_ns = US(80000),
				 .tid = LOOP,
				 .tgid = LOOP,
				 .waker_tid = WORKER,
				 .waker_tgid = LOOP,
				 .state = STATE_IPC,
				 .flags = WAIT_HELD };
	struct rec_work w = ended(ONE, ONE, WORKER, 10000, 100000);
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	GIVE(&s, wait, REC_WAIT, 100000);
	w.wait_ns = AT(20000);
	w.state = STATE_IPC;
	w.state_ns[STATE_RUN] = US(90000);
	GIVE(&s, w, REC_WORK, 100000);
	xchg_accepted(&e, ONE, ONE, LOOP, 80);
	REQUEST(&e, "GET /page HTTP/1.1\r\n\r\n", 0, 0);
	xchg_answer(&e, ok, sizeof(ok) - 1, 101000, 101000);
	xchg_spend(&e, SLICE_MID, STATE_SLEEP, 20000);
	xchg_spend(&e, SLICE_MID, STATE_IPC, 80000);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 1000);
	scene_xchg(&s, &e, 0, 101000);
	scene_tick(&s, 300000);
	r = scene_request(&s, ONE);
	assert_int_equal(cause_us(r, CAUSE_SLEEP), 20000);
	assert_int_equal(cause_us(r, CAUSE_CPU), 81000);
	assert_int_equal(cause_us(r, CAUSE_IPC), 0);
	scene_end(&s);
}

/* What no kernel says is no work. */
static void test_damaged(void **state)
{
	struct rec_work w = ended(ONE, ONE, WORKER, 1000, 900);
	struct scene s;

	(void)state;
	scene_init(&s);
	w.state_ns[STATE_RUN] = US(50000);
	GIVE(&s, w, REC_WORK, 1000);
	w = ended(ONE, ONE, WORKER, 1000, 9000);
	w.state_ns[STATE_RUN] = US(8000);
	w.state = STATE_COUNT;
	GIVE(&s, w, REC_WORK, 1000);
	w.state = STATE_POLL;
	w.wait_ns = AT(9001);
	GIVE(&s, w, REC_WORK, 1000);
	for (uint32_t i = 0; i < 100; i++) { /* more than there is room for */
		w = begun(ONE, i, 1000, i);
		GIVE(&s, w, REC_WORK, 1000);
	}
	/* so whether this one was alone in its turn is not known */
	w = ended(ONE, ONE, 1, 1000, 101000);
	w.state_ns[STATE_RUN] = US(100000);
	GIVE(&s, w, REC_WORK, 101000);
	asked(&s, ONE, 1000, 101000);
	scene_tick(&s, 300000);
	assert_int_equal(cause_us(scene_request(&s, ONE), CAUSE_CPU), 0);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_witnesses),   cmocka_unit_test(test_one_witness),
		cmocka_unit_test(test_two_in_one_turn), cmocka_unit_test(test_steps),
		cmocka_unit_test(test_thread),          cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
