// SPDX-License-Identifier: GPL-2.0-only
/* What waits of a PostgreSQL server's process in poll were for, and who held what it waited for. */
#include "assemble_scene.h"

/* A statement in a process of its own, from `from` to `to`; all between is poll. */
static void statement(struct scene *s, struct xchg *e, uint64_t xid, const char *sql, uint64_t from,
		      uint64_t to)
{
	struct bytes ask = { .len = 0 }, answer = { .len = 0 };

	if (e->x.xid)
		xchg_next(e, xid);
	else
		xchg_accepted(e, xid, xid, POSTGRES + (uint32_t)xid, 5432);
	pg_query(&ask, sql);
	PG_READY(&answer);
	xchg_request(e, ask.at, ask.len, from, from);
	if (to - from > 100)
		xchg_spend(e, SLICE_MID, STATE_POLL, to - from);
	else
		xchg_spend(e, SLICE_MID, STATE_RUN, to - from);
	xchg_answer(e, answer.at, answer.len, to, to);
	e->x.flags |= XCHG_FRAMED;
	e->x.pg_last = 'Z';
	scene_xchg(s, e, XCHG_OPEN, to);
}

static void latch(struct scene *s, uint64_t xid, uint64_t from, uint64_t to, uint32_t flags,
		  uint64_t waker)
{
	struct rec_wait w = { .xid = xid,
			      .start_ns = AT(from),
			      .blocked_ns = US(to - from),
			      .waker_xid = waker,
			      .flags = flags,
			      .state = STATE_POLL };

	GIVE(s, w, REC_WAIT, to);
}

/* COMMIT lets a lock go; the statement before it says more than that. */
static void test_lock(void **state)
{
	struct xchg holder = { 0 }, waits = { 0 };
	const struct request *r;
	struct scene s;

	(void)state;
	scene_init(&s);
	statement(&s, &holder, 1, "BEGIN", 0, 10);
	statement(&s, &holder, 2, "UPDATE t SET v = 1", 20, 30);
	statement(&s, &holder, 3, "COMMIT", 5000, 5010);
	/* two waits for the same: it looked for a deadlock between them */
	latch(&s, 4, 1000, 3000, 0, 0);
	latch(&s, 4, 3100, 5000, WAIT_HELD, 3);
	statement(&s, &waits, 4, "UPDATE t SET v = 2", 1000, 5020);
	scene_tick(&s, 6000);
	r = scene_request(&s, 4);
	expect_part(r, NULL, CAUSE_LOCK, "", 3900);
	assert_text(part_of(r, NULL, CAUSE_LOCK, "")->held_by, "COMMIT after UPDATE t SET v = ?");
	expect_part(r, NULL, CAUSE_OTHER, "poll", 120);
	scene_end(&s);
}

/* A second transaction does not go on with what the first did. */
static void test_transactions(void **state)
{
	struct xchg holder = { 0 }, waits = { 0 };
	const struct request *r;
	struct scene s;

	(void)state;
	scene_init(&s);
	statement(&s, &holder, 1, "UPDATE t SET v = 1", 0, 10);
	statement(&s, &holder, 2, "BEGIN", 20, 30);
	statement(&s, &holder, 3, "COMMIT", 5000, 5010);
	latch(&s, 4, 1000, 5000, WAIT_HELD, 3);
	statement(&s, &waits, 4, "UPDATE t SET v = 2", 1000, 5000);
	scene_tick(&s, 6000);
	r = scene_request(&s, 4);
	assert_text(part_of(r, NULL, CAUSE_LOCK, "")->held_by, "COMMIT");
	scene_end(&s);
}

/* What no statement of somebody else has ended is no lock. */
static void test_no_lock(void **state)
{
	static const struct {
		uint32_t flags;
		uint64_t waker;
		enum cause cause;
		const char *what;
	} cases[] = {
		{ WAIT_TIMED_OUT, 0, CAUSE_SLEEP, "" },
		{ WAIT_HELD, 0, CAUSE_IPC, "another process" }, /* a worker that serves nobody */
		{ WAIT_HELD, 1, CAUSE_IPC, "another process" }, /* a stream: a standby has it */
		{ 0, 0, CAUSE_OTHER, "poll" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes ask = { .len = 0 };
		struct xchg stream = { 0 }, waits = { 0 };
		struct scene s;

		scene_init(&s);
		xchg_accepted(&stream, 1, 1, POSTGRES + 1, 5432);
		pg_query(&ask, "START_REPLICATION 0/0");
		xchg_request(&stream, ask.at, ask.len, 0, 10);
		ANSWER(&stream, "W\0\0\0\7\0\0\0", 20);
		stream.x.flags |= XCHG_FRAMED;
		stream.x.pg_owed = 1;
		scene_xchg(&s, &stream, XCHG_OPEN, 20);
		latch(&s, 4, 1000, 5000, cases[i].flags, cases[i].waker);
		statement(&s, &waits, 4, "COMMIT", 1000, 5000);
		scene_tick(&s, 6000);
		expect_part(scene_request(&s, 4), NULL, cases[i].cause, cases[i].what, 4000);
		scene_end(&s);
	}
}

/* Waits for the client's data are booked as such: they take nothing from what is known of others. */
static void test_known_first(void **state)
{
	struct bytes ask = { .len = 0 }, answer = { .len = 0 };
	struct xchg holder = { 0 }, waits;
	struct scene s;

	(void)state;
	scene_init(&s);
	statement(&s, &holder, 1, "UPDATE t SET v = 1", 4900, 5000);
	latch(&s, 4, 1000, 4000, 0, 0);
	latch(&s, 4, 4500, 5000, WAIT_HELD, 1);
	xchg_accepted(&waits, 4, 4, POSTGRES + 4, 5432);
	pg_query(&ask, "COPY t FROM STDIN");
	PG_READY(&answer);
	xchg_request(&waits, ask.at, ask.len, 1000, 1000);
	xchg_spend(&waits, SLICE_T0, STATE_RECV, 3000);
	xchg_request(&waits, "d", 1, 4000, 4000);
	xchg_spend(&waits, SLICE_MID, STATE_RUN, 500);
	xchg_spend(&waits, SLICE_MID, STATE_POLL, 500);
	xchg_answer(&waits, answer.at, answer.len, 5000, 5000);
	scene_xchg(&s, &waits, XCHG_OPEN, 5000);
	scene_tick(&s, 20000);
	expect_part(scene_request(&s, 4), NULL, CAUSE_RECV, NULL, 3000);
	expect_part(scene_request(&s, 4), NULL, CAUSE_LOCK, "", 500);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_transactions),
		cmocka_unit_test(test_no_lock),
		cmocka_unit_test(test_known_first),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	intern_release();
	return failed;
}
