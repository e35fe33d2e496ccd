// SPDX-License-Identifier: GPL-2.0-only
/* The breakdown of requests whose thread waits in poll: event loops above all. */
#include "breakdown_steps.h"

/* A thread of one request that polls until a time of its own choosing sleeps. */
static void test_poll_until_its_timeout(void **state)
{
	struct rec_idle idle[2][2] = { { { US(3), 7, 0 }, { US(3), 7, 0 } },
				       { { US(63), 7, 1 }, { US(63), 7, 1 } } };
	struct scene s;

	(void)state;
	/* wall 100 = cpu 10 + 30, poll 60; the last wait before the answer was due */
	scene_init(&s, T, T + US(100));
	read_at(&s, 10, 10);
	s.in.sent_first_ns = s.in.sent_last_ns = T + US(100);
	own(&s, SLICE_PRE, STATE_RUN, 10);
	own(&s, SLICE_MID, STATE_RUN, 30);
	own(&s, SLICE_MID, STATE_POLL, 60);
	s.in.idle = idle;
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 40), part(CAUSE_SLEEP, "timer", 60));

	/* or was ended by something else */
	idle[1][0].latest = 0;
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 40), part(CAUSE_OTHER, "poll", 60));
}

static void test_loop_gap_in_a_call(void **state)
{
	struct breakdown_call *c;
	struct scene s;

	(void)state;
	/* Read at 30, of which 5 were its own slice: 25 behind another request. Sent at 40 (cpu 10).
	 * The answer arrived at 70 and was read at 90, the slice before that 2: of the gap
	 * 90 - 40 - 2 = 48 the loop owes 90 - 70 - 2 = 18, the callee 30. Sent at 100 (cpu 10).
	 * 25 + 5 + 10 + 30 + 18 + 2 + 10 = 100 */
	scene_init(&s, T, T + US(100));
	s.in.loop = true;
	s.in.behind = intern_str("GET /big");
	read_at(&s, 30, 30);
	own(&s, SLICE_PRE, STATE_RUN, 5);
	own(&s, SLICE_MID, STATE_RUN, 10);
	c = call(&s, CAUSE_UPSTREAM, 40, 90);
	c->arrival_ns = T + US(70);
	called(&s, SLICE_PRE, STATE_RUN, 10);
	called(&s, SLICE_MID, STATE_RUN, 2);
	run(&s);
	EXPECT(&s, part_held(CAUSE_LOOP, "", "GET /big", 0, 25), part(CAUSE_CPU, "", 27),
	       part(CAUSE_LOOP, "", 18),
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_UPSTREAM, "SELECT t", 1, 30));

	/* still open, no answer yet: everything since the send is the callee's wait.
	 * 25 + 5 + 10 + 60 = 100 */
	c->arrival_ns = c->first_ns = 0;
	c->end_ns = s.in.end_ns;
	s.of[0].slice[SLICE_MID] = 0;
	s.of[0].state[STATE_RUN] = US(10);
	s.slice[SLICE_MID] = 0;
	s.state[STATE_RUN] = US(5);
	s.in.sent_first_ns = s.in.sent_last_ns = 0;
	run(&s);
	EXPECT(&s, part_held(CAUSE_LOOP, "", "GET /big", 0, 25), part(CAUSE_CPU, "", 15),
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_UPSTREAM, "SELECT t", 1, 60));
}

static void test_loop_without_calls(void **state)
{
	struct scene s;

	(void)state;
	/* wall 100, slices 40, no call: for 60 the loop did something else */
	scene_init(&s, T, T + US(100));
	own(&s, SLICE_MID, STATE_RUN, 40);
	s.in.loop = true;
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 40), part(CAUSE_LOOP, "", 60));
	/* on a thread that serves one request at a time nothing explains a gap */
	s.in.loop = false;
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 40), part(CAUSE_UNKNOWN, "", 60));
}

/* A loop ran for others while the request had nothing to go on with: that is no waiting for the loop. */
static void test_loop_after_its_latest_wait(void **state)
{
	struct rec_idle idle[2][2] = { { { 0, 7, IDLE_TOLD }, { 0, 7, IDLE_TOLD } },
				       { { US(30000), 7, 0 }, { US(30000), 7, 0 } } };
	struct scene s;

	(void)state;
	/* wall 100 ms = own 20, then 30 idle and 40 for others in turn, until a timeout; then 8.192 (125
	 * units) for others */
	scene_init(&s, T, T + US(100000));
	read_at(&s, 0, 0);
	s.in.loop = true;
	s.in.sent_first_ns = s.in.sent_last_ns = T + US(100000);
	own(&s, SLICE_MID, STATE_RUN, 20000);
	s.in.idle = idle;
	idle[1][0].latest = idle[1][1].latest = IDLE_TOLD | IDLE_TIMED_OUT |
						80 << IDLE_CHOSEN_PLACE | 124;
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 20000), part(CAUSE_SLEEP, "timer", 71808),
	       part(CAUSE_LOOP, "", 8192));
	idle[1][0].latest &= ~IDLE_TIMED_OUT;
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 20000),
	       part(CAUSE_UNKNOWN, "the event loop was idle", 71808), part(CAUSE_LOOP, "", 8192));
	idle[1][0].latest = 0; /* an older capture */
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 20000),
	       part(CAUSE_UNKNOWN, "the event loop was idle", 30000), part(CAUSE_LOOP, "", 50000));
}

/* Who reads slowly keeps the answer of a call waiting, too: while its socket is full that is why. */
static void test_slow_reader_of_a_call(void **state)
{
	struct breakdown_call *c;
	struct scene s;

	(void)state;
	/* wall 100: asked at 10, the answer is read from 20 to 90, and sent on from 20 to 100; for 60 of that
	 * the socket was full. cpu 10; the call has what is left */
	scene_init(&s, T, T + US(100));
	s.in.loop = true;
	read_at(&s, 0, 0);
	s.in.sent_first_ns = T + US(20);
	own(&s, SLICE_MID, STATE_RUN, 10);
	c = call(&s, CAUSE_UPSTREAM, 10, 90);
	c->arrival_ns = c->first_ns = T + US(20);
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 10),
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_UPSTREAM, "SELECT t", 1, 80),
	       part(CAUSE_UNKNOWN, "the answer paused", 10));
	s.in.send_wait_ns = US(60);
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 10), part(CAUSE_SEND, "", 60),
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_UPSTREAM, "SELECT t", 1, 30));
}

/* Where requests go on in other threads, what one thread runs says nothing of who waits for it. */
static void test_loop_that_requests_leave(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, T, T + US(100));
	own(&s, SLICE_MID, STATE_RUN, 40);
	s.in.loop = s.in.moves = true;
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 40), part(CAUSE_UNKNOWN, "on other threads", 60));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_poll_until_its_timeout),
		cmocka_unit_test(test_loop_gap_in_a_call),
		cmocka_unit_test(test_loop_without_calls),
		cmocka_unit_test(test_loop_after_its_latest_wait),
		cmocka_unit_test(test_slow_reader_of_a_call),
		cmocka_unit_test(test_loop_that_requests_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
