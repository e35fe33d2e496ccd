// SPDX-License-Identifier: GPL-2.0-only
/* How long an event loop idled while a request was with it, and what ended that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "account/idle.h"

enum { LOOP = 7, OTHER = 8 };

/* Read until 1000, answered from 9000 on; the loop's idle time at each. */
struct scene {
	struct breakdown_in in;
	struct rec_idle idle[2][2], call_idle[2][2];
	struct breakdown_call call;
};

static void scene_make(struct scene *s)
{
	*s = (struct scene){
		.in = { .start_ns = 900,
			.end_ns = 9500,
			.read_first_ns = 1000,
			.read_last_ns = 1000,
			.sent_first_ns = 9000,
			.sent_last_ns = 9500,
			.loop = true,
			.idle = s->idle },
		.idle = { { { 100, LOOP, 0 }, { 100, LOOP, 0 } },
			  { { 6100, LOOP, 0 }, { 6100, LOOP, 0 } } },
		.call_idle = { { { 1100, LOOP, 0 }, { 1100, LOOP, 0 } },
			       { { 4100, LOOP, 0 }, { 4100, LOOP, 0 } } },
		.call = { .start_ns = 3000,
			  .sent_ns = 3000,
			  .first_ns = 7000,
			  .end_ns = 7000,
			  .idle = s->call_idle },
	};
}

static void expect(const struct scene *s, uint64_t due, uint64_t other, uint64_t unmeasured)
{
	struct idle idle;

	assert_int_equal(idle_between(&s->in, &idle), 0);
	assert_int_equal(idle.due_ns, due);
	assert_int_equal(idle.other_ns, other);
	assert_int_equal(idle.unmeasured_ns, unmeasured);
}

static void test_alone(void **state)
{
	struct scene s;

	(void)state;
	scene_make(&s);
	expect(&s, 0, 6000, 0); /* of 8000: for 2000 the loop ran */
	s.idle[1][0].latest = 1;
	expect(&s, 6000, 0, 0);
	/* the loop waited for that time before it had read the request: not this one's */
	s.idle[1][0].latest = 1 + 8 + 5000;
	expect(&s, 6000, 0, 0);
	s.idle[1][0].latest++;
	expect(&s, 0, 6000, 0);
	s.idle[1][0].latest = 1;
	s.idle[1][0].ns = 100; /* it ran all the time */
	expect(&s, 0, 0, 0);
	s.idle[1][0].ns = 99000; /* a mark from elsewhere cannot be more than the time between */
	expect(&s, 8000, 0, 0);
}

/* The loop had nothing to do until its latest wait ended: whatever it ran before that did not keep the request. */
static void test_latest_wait(void **state)
{
	enum { UNIT = 1 << IDLE_TURN_SHIFT, MS = 1000000 };
	struct idle idle;
	struct scene s;

	(void)state;
	scene_make(&s);
	/* 100 ms, in 20 of which it waited; the latest wait ended some 10 units before the answer */
	s.in.sent_first_ns = s.in.sent_last_ns = s.in.end_ns = 1000 + 100 * MS;
	s.idle[1][0].ns = s.idle[1][1].ns = 100 + 20 * MS;
	s.idle[1][0].latest = s.idle[1][1].latest = IDLE_TOLD | 10;
	assert_int_equal(idle_between(&s.in, &idle), 0);
	assert_int_equal(idle.other_ns, 20 * MS);
	assert_int_equal(idle.other_more_ns, 80 * MS - 11 * UNIT);
	assert_int_equal(idle.due_ns + idle.due_more_ns, 0);
	assert_int_equal(idle.span_ns, 100 * MS);
	/* by its own timeout, that it chose 104.9 or 105.9 ms before */
	s.idle[1][0].latest |= IDLE_TIMED_OUT | 100 << IDLE_CHOSEN_PLACE;
	assert_int_equal(idle_between(&s.in, &idle), 0);
	assert_int_equal(idle.due_ns, 20 * MS);
	assert_int_equal(idle.due_more_ns, 80 * MS - 11 * UNIT);
	assert_int_equal(idle.other_ns + idle.other_more_ns, 0);
	s.idle[1][0].latest += 1 << IDLE_CHOSEN_PLACE;
	assert_int_equal(idle_between(&s.in, &idle), 0);
	assert_int_equal(idle.other_ns, 20 * MS);
	/* what may be anybody's is the request's if it was chosen when that was read */
	s.idle[1][0].latest = IDLE_TOLD | IDLE_TIMED_OUT | IDLE_ANYBODYS | 91 << IDLE_CHOSEN_PLACE;
	assert_int_equal(idle_between(&s.in, &idle), 0);
	assert_int_equal(idle.due_ns, 20 * MS);
	s.idle[1][0].latest -= 1 << IDLE_CHOSEN_PLACE;
	assert_int_equal(idle_between(&s.in, &idle), 0);
	assert_int_equal(idle.due_ns + idle.due_more_ns, 0);
	assert_int_equal(idle.other_ns, 20 * MS);
	/* since when it waited for that time is not known: some 34 s or more */
	s.in.sent_first_ns = s.in.sent_last_ns = s.in.end_ns = 1000 + 100000ull * MS;
	s.idle[1][0].latest = IDLE_TOLD | IDLE_TIMED_OUT |
			      (IDLE_CHOSEN_MAX - 1) << IDLE_CHOSEN_PLACE;
	assert_int_equal(idle_between(&s.in, &idle), 0);
	assert_int_equal(idle.due_ns, 20 * MS);
	s.idle[1][0].latest += 1 << IDLE_CHOSEN_PLACE;
	assert_int_equal(idle_between(&s.in, &idle), 0);
	assert_int_equal(idle.due_ns + idle.due_more_ns, 0);
	/* for how long it has run since is not known */
	s.idle[1][0].latest = IDLE_TOLD | IDLE_TURN_MAX;
	assert_int_equal(idle_between(&s.in, &idle), 0);
	assert_int_equal(idle.other_ns, 20 * MS);
	assert_int_equal(idle.other_more_ns, 0);
	/* it has run since before the request was read */
	s.idle[1][0].latest = IDLE_TOLD | 1;
	s.idle[1][0].ns = 100;
	assert_int_equal(idle_between(&s.in, &idle), 0);
	assert_int_equal(idle.other_ns + idle.other_more_ns + idle.due_ns + idle.due_more_ns, 0);
}

/* Once the answer has begun it is told apart. */
static void test_between_sends(void **state)
{
	struct idle idle;
	struct scene s;

	(void)state;
	scene_make(&s);
	s.idle[1][1].ns += 300;
	assert_int_equal(idle_between(&s.in, &idle), 0);
	assert_int_equal(idle.other_ns, 6000);
	assert_int_equal(idle.gap_ns, 300);
	s.idle[1][1].latest = 1;
	assert_int_equal(idle_between(&s.in, &idle), 0);
	assert_int_equal(idle.due_ns, 300);
	assert_int_equal(idle.gap_ns, 0);
	s.in.end_ns = 10000; /* in flight: what it does since its last send is not known */
	assert_int_equal(idle_between(&s.in, &idle), 0);
	assert_int_equal(idle.unmeasured_ns, 500);
}

/* While a call is outstanding it is what the request waits for. */
static void test_call(void **state)
{
	struct scene s;

	(void)state;
	scene_make(&s);
	s.in.calls = &s.call;
	s.in.n_calls = 1;
	expect(&s, 0, 1000 + 2000, 0);
	s.idle[1][0].latest = 1;
	expect(&s, 2000, 1000, 0);
	s.call.idle = NULL; /* not known of the call: neither before nor behind it */
	expect(&s, 0, 0, 2000 + 2000);
	s.call.idle = s.call_idle;
	s.call.first_ns = 0; /* no answer yet */
	s.call.end_ns = s.in.end_ns;
	expect(&s, 0, 1000, 0);
}

/* While a worker was at it the loop's own waiting is not asked; one that may have been at it leaves nothing to
 * know. */
static void test_worker(void **state)
{
	struct breakdown_work work = { .from_ns = 1000, .end_ns = 6000, .state = STATE_POLL };
	struct idle idle;
	struct scene s;

	(void)state;
	scene_make(&s);
	s.in.works = &work;
	s.in.n_works = 1;
	expect(&s, 0, 3000, 0); /* the other 3000 can all be idle */
	s.idle[1][0].ns = 2100;
	expect(&s, 0, 2000, 0);
	s.call.lent = true; /* by the worker: no end of the loop's waiting */
	s.in.calls = &s.call;
	s.in.n_calls = 1;
	expect(&s, 0, 2000, 0);
	s.in.n_calls = 0;
	work.end_ns = 0;
	s.idle[1][0].latest = 1; /* somebody's timer */
	expect(&s, 0, 0, 0);
	assert_int_equal(idle_between(&s.in, &idle), 0);
	assert_int_equal(idle.worker_ns, 8000);
	work.state = STATE_IPC; /* a thread's */
	work.end_ns = 6000;
	expect(&s, 2000, 0, 0);
}

static void test_not_known(void **state)
{
	struct idle idle;
	struct scene s;

	(void)state;
	scene_make(&s);
	s.idle[1][0].tid = OTHER; /* another thread answered */
	expect(&s, 0, 0, 8000 + 500);
	scene_make(&s);
	s.in.sent_first_ns = s.in.sent_last_ns = 0; /* not yet */
	expect(&s, 0, 0, 8500);
	scene_make(&s);
	s.idle[0][1].tid = 0; /* an old capture */
	assert_int_equal(idle_between(&s.in, &idle), 0);
	assert_false(idle.known);
}

static void test_many_calls(void **state)
{
	struct breakdown_call calls[40] = { { 0 } };
	struct scene s;

	(void)state;
	scene_make(&s);
	for (size_t i = 0; i < 40; i++)
		calls[i] = (struct breakdown_call){ .start_ns = 1000 + 200 * i,
						    .sent_ns = 1000 + 200 * i,
						    .first_ns = 1200 + 200 * i,
						    .end_ns = 1200 + 200 * i,
						    .idle = s.call_idle };
	s.in.calls = calls;
	s.in.n_calls = 40;
	expect(&s, 0, 0, 0); /* never without one */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),         cmocka_unit_test(test_latest_wait),
		cmocka_unit_test(test_between_sends), cmocka_unit_test(test_call),
		cmocka_unit_test(test_worker),        cmocka_unit_test(test_not_known),
		cmocka_unit_test(test_many_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
