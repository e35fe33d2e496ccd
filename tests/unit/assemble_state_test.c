// SPDX-License-Identifier: GPL-2.0-only
/* What the assembler knows of threads, processes and losses, and what is in flight. */
#include "assemble_scene.h"

#define GET "GET /p HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

/* A request on a connection of its own: read as it arrives at `from`, answered at `to`. */
static void busy(struct xchg *e, uint64_t xid, uint64_t conn, uint32_t tid, uint64_t from,
		 uint64_t to)
{
	char get[64], name = (char)('a' + xid - 1);
	int n = snprintf(get, sizeof(get), "GET /%c HTTP/1.1\r\n\r\n", name);

	xchg_accepted(e, xid, conn, tid, 80);
	xchg_request(e, get, (size_t)n, from, from);
	xchg_spend(e, SLICE_MID, STATE_RUN, to - from);
	ANSWER(e, OK, to);
}

static void give_wait(struct scene *s, uint64_t xid, uint64_t us, const char *file,
		      uint64_t waker_xid, uint32_t flags)
{
	struct rec_wait w = { .xid = xid,
			      .blocked_ns = US(us),
			      .waker_xid = waker_xid,
			      .flags = flags,
			      .state = STATE_LOCK };

	snprintf((char *)w.name, sizeof(w.name), "%s", file);
	GIVE(s, w, REC_WAIT, 500);
}

/* The holder is the request that its waker served, when that one released the lock. */
static void test_lock(void **state)
{
	static const struct {
		const char *file;
		uint32_t flags;
		uint64_t waker;
		const char *what, *holder;
	} cases[] = {
		{ "sessions/sess_3vk0a9q8d7f6g5h4j3k2", WAIT_HELD, 1, "file sessions/sess_*",
		  "GET /a" },
		{ "", WAIT_HELD, 1, "futex", "GET /a" },
		{ "", 0, 1, "futex", "" }, /* woken by it, but not by a release */
		{ "", WAIT_HELD, 0, "futex", "" },
		{ "", WAIT_HELD, 99, "futex", "" }, /* never heard of */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct request *r;
		const struct part *p;
		struct scene s;
		struct xchg e;

		scene_init(&s);
		busy(&e, 1, 1, FPM, 0, 800);
		scene_xchg(&s, &e, XCHG_OPEN, 810);
		give_wait(&s, 2, 600, cases[i].file, cases[i].waker, cases[i].flags);
		busy(&e, 2, 2, FPM + 1, 100, 200);
		xchg_spend(&e, SLICE_T1, STATE_LOCK, 600);
		ANSWER(&e, "x", 800);
		scene_xchg(&s, &e, XCHG_CLOSED, 900);
		scene_tick(&s, 1000);
		r = scene_request(&s, 2);
		expect_part(r, NULL, CAUSE_LOCK, cases[i].what, 600);
		expect_part(r, NULL, CAUSE_CPU, NULL, 100);
		p = part_of(r, NULL, CAUSE_LOCK, NULL);
		assert_text(p->held_by, cases[i].holder);
		assert_int_equal(p->count, 1);
		scene_end(&s);
	}
}

/* A wait in futex() for no mutex is for another thread, unless its program is known to make its locks
 * of such. */
static void test_wait_for_thread(void **state)
{
	static const struct {
		const char *exe;
		uint32_t flags, waker_tgid;
		enum cause cause;
		const char *what, *holder;
	} cases[] = {
		{ "java", WAIT_HELD, FPM, CAUSE_IPC, "another thread", "" },
		{ "java", WAIT_HELD, FPM + 7, CAUSE_IPC, "another process", "" },
		{ "java", 0, FPM, CAUSE_IPC, "futex", "" },
		{ "java", WAIT_HELD | WAIT_SHORT, FPM, CAUSE_IPC, "another thread", "" },
		{ "python3.11", WAIT_HELD | WAIT_SHORT, FPM, CAUSE_LOCK, "GIL", "GET /a" },
		{ "python3.11", WAIT_SHORT, FPM, CAUSE_IPC, "futex", "" },
		{ "python3.11", WAIT_HELD, FPM, CAUSE_IPC, "another thread", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rec_wait w = { .xid = 2,
				      .blocked_ns = US(600),
				      .waker_xid = 1,
				      .tgid = FPM,
				      .waker_tgid = cases[i].waker_tgid,
				      .flags = cases[i].flags,
				      .state = STATE_IPC };
		const struct request *r;
		struct scene s;
		struct xchg e;

		scene_init(&s);
		scene_proc(&s, FPM, cases[i].exe, "");
		busy(&e, 1, 1, FPM, 0, 800);
		scene_xchg(&s, &e, XCHG_OPEN, 810);
		GIVE(&s, w, REC_WAIT, 500);
		busy(&e, 2, 2, FPM + 1, 100, 200);
		xchg_spend(&e, SLICE_T1, STATE_IPC, 650);
		ANSWER(&e, "x", 850);
		scene_xchg(&s, &e, XCHG_CLOSED, 900);
		scene_tick(&s, 1000);
		r = scene_request(&s, 2);
		expect_part(r, NULL, cases[i].cause, cases[i].what, 600);
		expect_part(r, NULL, CAUSE_IPC, "", 50); /* shorter ones */
		assert_text(part_of(r, NULL, cases[i].cause, cases[i].what)->held_by,
			    cases[i].holder);
		scene_end(&s);
	}
}

/* A timed wait is a sleep, unless its program is known to ask for its lock in such. */
static void test_timed_wait(void **state)
{
	static const struct {
		const char *exe;
		uint64_t us;
		enum cause cause;
	} cases[] = {
		{ "java", 5000, CAUSE_SLEEP },        { "python3.11", 5000, CAUSE_OTHER },
		{ "python3.11", 50000, CAUSE_SLEEP }, { "ruby3.1", 100000, CAUSE_OTHER },
		{ "ruby3.1", 300000, CAUSE_SLEEP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rec_wait w = { .xid = 1,
				      .blocked_ns = US(cases[i].us),
				      .tgid = FPM,
				      .flags = WAIT_KERNEL_WAKER,
				      .state = STATE_SLEEP };
		struct scene s;
		struct xchg e;

		scene_init(&s);
		scene_proc(&s, FPM, cases[i].exe, "");
		GIVE(&s, w, REC_WAIT, 500);
		busy(&e, 1, 1, FPM, 0, 100);
		xchg_spend(&e, SLICE_T1, STATE_SLEEP, cases[i].us);
		ANSWER(&e, "x", 100 + cases[i].us);
		scene_xchg(&s, &e, XCHG_CLOSED, 400000);
		scene_tick(&s, 500000);
		expect_part(scene_request(&s, 1), NULL, cases[i].cause,
			    cases[i].cause == CAUSE_OTHER ? "timed wait" : "", cases[i].us);
		scene_end(&s);
	}
}

/* More waits than are kept one by one: their time is all there. */
static void test_many_waits(void **state)
{
	const struct request *r;
	uint64_t sum = 0;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	for (int i = 0; i < 500; i++) {
		char name[32];

		snprintf(name, sizeof(name), "d/lock%d", i);
		give_wait(&s, 1, 10, name, 0, 0);
	}
	busy(&e, 1, 1, FPM, 0, 100);
	xchg_spend(&e, SLICE_T1, STATE_LOCK, 5000);
	ANSWER(&e, "x", 5100);
	scene_xchg(&s, &e, XCHG_CLOSED, 5200);
	scene_tick(&s, 6000);
	r = scene_request(&s, 1);
	for (size_t i = 0; i < r->parts.n; i++)
		if (r->parts.v[i].cause == CAUSE_LOCK)
			sum += r->parts.v[i].ns;
	assert_int_equal(sum, US(5000));
	assert_in_range(r->parts.n, 100, 200);
	scene_end(&s);
}

static void test_late_wait(void **state)
{
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	busy(&e, 1, 1, FPM, 0, 800);
	scene_xchg(&s, &e, XCHG_OPEN, 810);
	/* it stays known for a caller on this host, which has not been read yet */
	scene_tick(&s, 805);
	give_wait(&s, 1, 600, "", 0, 0);
	scene_tick(&s, 20000000);
	assert_int_equal(s.n_got, 1);
	assert_null(part_of(scene_request(&s, 1), NULL, CAUSE_LOCK, NULL));
	scene_end(&s);
}

/* Only what overlaps a loss may be wrong, and only some kinds of loss change anything. */
static void test_loss(void **state)
{
	static const struct {
		enum counter kind;
		uint64_t from, to;
		bool incomplete;
	} cases[] = {
		{ COUNTER_RING_XCHG, 0, 99, false },
		{ COUNTER_RING_XCHG, 0, 100, true },
		{ COUNTER_RING_XCHG, 300, 400, true },
		{ COUNTER_RING_XCHG, 800, 900, true },
		{ COUNTER_RING_XCHG, 801, 900, false },
		{ COUNTER_RING_XCHG, 0, 9000, true },
		{ COUNTER_CONN_STORAGE, 300, 400, true },
		{ COUNTER_THREAD_STORAGE, 300, 400, true },
		{ COUNTER_RING_DATA, 300, 400, false },
		{ COUNTER_RING_WAIT, 300, 400, false },
		{ COUNTER_WAKE_LOST, 300, 400, false },
		{ COUNTER_NO_TEXT, 300, 400, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct assemble_counters *c;
		struct scene s;
		struct xchg e;
		bool loses = cases[i].kind == COUNTER_RING_XCHG ||
			     cases[i].kind == COUNTER_CONN_STORAGE ||
			     cases[i].kind == COUNTER_THREAD_STORAGE;

		scene_init(&s);
		busy(&e, 1, 1, FPM, 100, 800);
		scene_lost(&s, cases[i].kind, cases[i].from, cases[i].to);
		scene_xchg(&s, &e, XCHG_OPEN, 9000);
		scene_tick(&s, 9100);
		if (!!(scene_request(&s, 1)->flags & REQUEST_INCOMPLETE) != cases[i].incomplete)
			fail_msg("case %zu", i);
		c = assemble_counters(s.a);
		assert_int_equal(c->lost_by_kind[cases[i].kind], 3);
		assert_int_equal(c->lost, loses ? 3 : 0);
		scene_end(&s);
	}
}

/* A loop answers another request before it goes on with an answer, each on a connection of its own. */
static void test_answer_that_goes_on(void **state)
{
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	busy(&e, 1, 1, FPM, 0, 100);
	scene_xchg(&s, &e, XCHG_OPEN, 150);
	busy(&e, 2, 2, FPM, 200, 300);
	scene_xchg(&s, &e, XCHG_OPEN, 350);
	busy(&e, 1, 1, FPM, 0, 100);
	e.x.turn[1].last_ns = AT(400);
	scene_xchg(&s, &e, XCHG_OPEN, 450);
	busy(&e, 3, 3, FPM, 500, 600);
	scene_xchg(&s, &e, XCHG_OPEN, 650);
	scene_tick(&s, 9000);
	assert_int_equal(scene_request(&s, 3)->binding, 'L');
	scene_end(&s);
}

/* A thread with two requests open at once, or that comes back to a connection after others. */
static void test_loop(void **state)
{
	static const struct {
		uint64_t conn, from, to;
	} interleaved[] = { { 1, 0, 1000 }, { 2, 500, 900 }, { 1, 2000, 2100 } },
	  alternating[] = { { 1, 0, 100 }, { 2, 200, 300 }, { 1, 400, 500 } },
	  worker[] = { { 1, 0, 100 }, { 1, 200, 300 }, { 2, 400, 500 }, { 3, 600, 700 } };
	static const struct {
		const void *of;
		size_t n;
		char binding;
		uint32_t flags;
		bool answers; /* its answers are not another thread's */
	} cases[] = {
		{ interleaved, 3, 'L', 0, true },
		{ alternating, 3, 'L', 0, true },
		{ worker, 4, 'R', 0, true },
		/* never waits for connections itself: another thread hands them over */
		{ alternating, 3, 'R', XCHG_NO_POLLER, true },
		{ interleaved, 3, 'L', XCHG_NO_POLLER, true },
		/* reads only, for a pool */
		{ alternating, 3, 'R', XCHG_MULTI_THREAD, false },
		{ interleaved, 3, 'R', XCHG_MULTI_THREAD, false },
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		const typeof(interleaved[0]) *of = cases[k].of;
		struct assemble_pool pools[4];
		uint32_t seq[4] = { 0 };
		struct scene s;
		struct xchg e;

		scene_init(&s);
		for (size_t i = 0; i < cases[k].n; i++) {
			busy(&e, i + 1, of[i].conn, FPM, of[i].from, of[i].to);
			e.x.seq = seq[of[i].conn]++;
			/* on a loop it arrived while the loop was busy with another */
			e.x.turn[0].arrival_ns -= US(50);
			e.x.behind = i;
			if (!cases[k].answers)
				e.x.turn[1].tid = FPM + 1;
			scene_xchg(&s, &e, XCHG_OPEN | cases[k].flags, of[i].to + 5);
			scene_tick(&s, of[i].to + 10);
		}
		assert_int_equal(s.n_got, cases[k].n);
		assert_int_equal(scene_request(&s, cases[k].n)->binding, cases[k].binding);
		if (cases[k].binding == 'L') {
			const struct request *r = scene_request(&s, cases[k].n);

			expect_part(r, "php-fpm", CAUSE_LOOP, NULL, 50);
			assert_text(part_of(r, NULL, CAUSE_LOOP, NULL)->held_by, "GET /b");
			assert_int_equal(assemble_pools(s.a, pools, 4), 0);
		} else {
			expect_part(scene_request(&s, cases[k].n), "php-fpm", CAUSE_QUEUE,
				    "pool www", 50);
			assert_int_equal(assemble_pools(s.a, pools, 4), 1);
		}
		scene_end(&s);
	}
}

/* Workers of a pool are its processes that have served and still live. */
static void test_pools(void **state)
{
	struct assemble_pool pools[4];
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	scene_proc(&s, FPM + 1, "php-fpm8.2", "php-fpm: pool www");
	scene_proc(&s, FPM + 2, "php-fpm8.2", "php-fpm: pool other");
	scene_proc(&s, FPM + 3, "php-fpm8.2", "php-fpm: pool www"); /* never serves */
	for (uint32_t i = 0; i < 3; i++) {
		busy(&e, i + 1, i + 1, FPM + i, i * 1000, i * 1000 + 500);
		scene_xchg(&s, &e, XCHG_CLOSED, i * 1000 + 600);
	}
	scene_tick(&s, 5000);
	assert_int_equal(assemble_pools(s.a, pools, 4), 2);
	for (int i = 0; i < 2; i++) {
		bool www = !strcmp(intern_text(pools[i].pool), "www");

		assert_text(pools[i].service, "php-fpm");
		assert_int_equal(pools[i].workers, www ? 2 : 1);
	}
	assert_int_equal(assemble_pools(s.a, pools, 1), 1);
	scene_task(&s, TASK_EXIT, FPM + 2, 0, 6000);
	scene_task(&s, TASK_EXIT, FPM, 0, 6000);
	assert_int_equal(assemble_pools(s.a, pools, 4), 1);
	assert_int_equal(pools[0].workers, 1);
	scene_end(&s);
}

/* Threads of one process that are handed requests of several connections are workers. One that
 * stays with its connection is not: there is one for each. */
static void test_pool_of_threads(void **state)
{
	static const struct {
		uint64_t conn;
		uint32_t tid;
	} of[] = { { 1, 1 }, { 2, 2 }, { 2, 1 }, { 1, 2 }, { 3, 3 }, { 3, 3 }, { 3, 3 } };
	uint32_t seq[4] = { 0 };
	struct assemble_pool pools[4];
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	for (uint32_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		busy(&e, i + 1, of[i].conn, FPM, i * 1000, i * 1000 + 500);
		e.x.tid = e.x.turn[0].tid = e.x.turn[1].tid = FPM + of[i].tid;
		e.x.seq = seq[of[i].conn]++;
		scene_xchg(&s, &e, XCHG_OPEN | XCHG_NO_POLLER, i * 1000 + 600);
	}
	scene_tick(&s, 9000);
	assert_int_equal(assemble_pools(s.a, pools, 4), 1);
	assert_int_equal(pools[0].workers, 2);
	scene_end(&s);
}

/* A thread that has answered works until it waits in a futex: what comes then is no work. */
static void test_rest(void **state)
{
	struct rec_thread t = { .xid = 1, .tid = FPM, .tgid = FPM, .state = STATE_COUNT };
	struct scene s;
	struct xchg e;

	(void)state;
	for (int more = 0; more < 2; more++) { /* the answer goes on after it */
		scene_init(&s);
		busy(&e, 1, 1, FPM, 0, 500);
		scene_xchg(&s, &e, XCHG_OPEN, 510);
		t.state = STATE_COUNT;
		t.flags = 0;
		t.last_io_ns = AT(500);
		GIVE(&s, t, REC_THREAD, 2500);
		if (more) {
			ANSWER(&e, "more", 3000);
			scene_xchg(&s, &e, XCHG_OPEN, 3010);
			t.last_io_ns = AT(3000);
		}
		t.state = STATE_LOCK;
		t.flags = THREAD_RESTED;
		GIVE(&s, t, REC_THREAD, 90000);
		scene_tick(&s, 80000);
		assert_int_equal(scene_request(&s, 1)->after_ns, more ? 0 : US(2000));
		scene_end(&s);
	}
}

static void test_processes(void **state)
{
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	assert_true(assemble_knows_process(s.a, POSTGRES));
	assert_false(assemble_knows_process(s.a, 901));
	/* a child is what its parent is, until it says otherwise */
	scene_task(&s, TASK_FORK, 901, POSTGRES, 10);
	assert_false(assemble_knows_process(s.a, 901));
	busy(&e, 1, 1, 901, 100, 200);
	scene_xchg(&s, &e, XCHG_CLOSED, 300);
	scene_tick(&s, 400);
	assert_text(scene_request(&s, 1)->service, "postgres");
	scene_task(&s, TASK_EXEC, POSTGRES, 0, 500);
	assert_false(assemble_knows_process(s.a, POSTGRES));
	scene_proc(&s, POSTGRES, "uwsgi-3.11", "");
	assert_true(assemble_knows_process(s.a, POSTGRES));
	busy(&e, 2, 2, POSTGRES, 600, 700);
	scene_xchg(&s, &e, XCHG_CLOSED, 800);
	/* nothing is known of this one */
	busy(&e, 3, 3, 902, 600, 700);
	scene_xchg(&s, &e, XCHG_CLOSED, 800);
	scene_tick(&s, 900);
	assert_text(scene_request(&s, 2)->service, "uwsgi");
	assert_text(scene_request(&s, 3)->service, "pid 902");
	scene_end(&s);
}

static void give_thread(struct scene *s, uint64_t xid, uint32_t tid, enum thread_state now,
			uint64_t last_io, uint64_t us)
{
	struct rec_thread t = { .xid = xid,
				.tid = tid,
				.tgid = tid,
				.state = (uint16_t)now,
				.last_io_ns = AT(last_io),
				.since_ns = AT(last_io) };

	t.state_ns[STATE_RUN] = US(100);
	t.state_ns[now] += US(us - last_io - 100);
	GIVE(s, t, REC_THREAD, us);
}

/* In flight: its parts so far are what its thread did since it was read. */
static void test_open(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, FPM, 80);
	REQUEST(&e, GET, 0, 200);
	scene_xchg(&s, &e, XCHG_OPEN, 900);
	give_thread(&s, 1, FPM, STATE_SLEEP, 200, 1000);
	scene_tick(&s, 1000);
	assert_int_equal(s.n_got, 0);
	assemble_open(s.a, scene_open_sink, &s);
	r = scene_request(&s, 1);
	assert_int_equal(r->end_ns - r->start_ns, US(1000));
	assert_int_equal(r->flags, REQUEST_OPEN | REQUEST_ENTRY);
	assert_text(r->waiting_for, "sleep");
	assert_text(r->route, "GET /p");
	expect_part(r, "php-fpm", CAUSE_QUEUE, "pool www", 200);
	expect_part(r, "php-fpm", CAUSE_CPU, NULL, 100);
	expect_part(r, "php-fpm", CAUSE_SLEEP, NULL, 700);
	/* a moment later, and again, and then it is over */
	scene_forget(&s);
	give_thread(&s, 1, FPM, STATE_LOCK, 200, 2000);
	scene_tick(&s, 2000);
	for (int i = 0; i < 2; i++) {
		assemble_open(s.a, scene_open_sink, &s);
		assert_int_equal(s.n_got, 1);
		r = &s.got[0].r;
		assert_text(r->waiting_for, "lock futex");
		expect_part(r, "php-fpm", CAUSE_LOCK, "futex", 1700);
		scene_forget(&s);
	}
	xchg_spend(&e, SLICE_MID, STATE_RUN, 100);
	xchg_spend(&e, SLICE_MID, STATE_LOCK, 2700);
	ANSWER(&e, OK, 3000);
	scene_xchg(&s, &e, XCHG_CLOSED, 3100);
	scene_tick(&s, 4000);
	assemble_open(s.a, scene_open_sink, &s);
	expect_part(scene_request(&s, 1), "php-fpm", CAUSE_LOCK, "futex", 2700);
	scene_end(&s);
}

/* A wait that goes on has no record of its own yet: what the thread does now names the file. */
static void test_open_lock(void **state)
{
	struct rec_thread t = { .xid = 1, .tid = FPM, .tgid = FPM, .state = STATE_LOCK };
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, FPM, 80);
	REQUEST(&e, GET, 0, 0);
	scene_xchg(&s, &e, XCHG_OPEN, 900);
	t.last_io_ns = t.since_ns = AT(0);
	t.state_ns[STATE_RUN] = US(100);
	t.state_ns[STATE_LOCK] = US(900);
	snprintf((char *)t.name, sizeof(t.name), "sessions/sess_3vk0a9q8d7f6g5h4j3k2");
	GIVE(&s, t, REC_THREAD, 1000);
	scene_tick(&s, 1000);
	assemble_open(s.a, scene_open_sink, &s);
	expect_part(scene_request(&s, 1), "php-fpm", CAUSE_LOCK, "file sessions/sess_*", 900);
	expect_part(scene_request(&s, 1), "php-fpm", CAUSE_CPU, NULL, 100);
	scene_end(&s);
}

/* What was said of it while it was in flight does not stand for what is known of it later, though
 * it ends at the same moment. */
static void test_open_then_over(void **state)
{
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, FPM, 80);
	REQUEST(&e, GET, 0, 0);
	ANSWER(&e, "HTTP/1.0 200 OK\r\n\r\nto the close", 1000);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 1000);
	scene_xchg(&s, &e, XCHG_OPEN, 1100);
	scene_tick(&s, 1200);
	assemble_open(s.a, scene_open_sink, &s);
	expect_part(scene_request(&s, 1), "php-fpm", CAUSE_CPU, NULL, 1000);
	scene_forget(&s);
	e.x.state_ns[STATE_RUN] = US(400);
	e.x.state_ns[STATE_LOCK] = US(600);
	scene_xchg(&s, &e, XCHG_CLOSED, 1300);
	scene_tick(&s, 1400);
	expect_part(scene_request(&s, 1), "php-fpm", CAUSE_CPU, NULL, 400);
	expect_part(scene_request(&s, 1), "php-fpm", CAUSE_LOCK, "futex", 600);
	scene_end(&s);
}

/* In flight, waiting for another: that is what it waits for, and its time goes there. */
static void test_open_call(void **state)
{
	const struct request *r;
	struct bytes q = { .len = 0 };
	struct scene s;
	struct xchg e, c;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, FPM, 80);
	REQUEST(&e, GET, 0, 0);
	scene_xchg(&s, &e, XCHG_OPEN, 900);
	pg_query(&q, "SELECT pg_sleep(9)");
	xchg_tcp_call(&c, 2, 2, FPM, 1, 5432);
	xchg_request(&c, q.at, q.len, 0, 100);
	xchg_spend(&c, SLICE_PRE, STATE_RUN, 100);
	scene_xchg(&s, &c, XCHG_OPEN, 900);
	give_thread(&s, 1, FPM, STATE_RECV, 100, 1000);
	scene_tick(&s, 1000);
	assemble_open(s.a, scene_open_sink, &s);
	r = scene_request(&s, 1);
	assert_text(r->waiting_for, "db 127.0.0.1:5432");
	expect_part(r, "127.0.0.1:5432", CAUSE_DB, NULL, 800);
	expect_part(r, "php-fpm", CAUSE_CPU, NULL, 200);
	assert_int_equal(r->calls[0].wall_ns, US(900));
	scene_end(&s);
}

/* Arrived at a busy service and read by nobody: the caller waits in that service's queue. */
static void test_pending(void **state)
{
	struct bytes ask = { .len = 0 };
	const struct request *r;
	struct scene s;
	struct xchg e, c, f;

	(void)state;
	scene_init(&s);
	fcgi_request(&ask, "", "/index.php");
	/* php-fpm has served before: whose queue it is, is known */
	xchg_unix_callee(&f, 10, 10, FPM, 5);
	xchg_request(&f, ask.at, ask.len, 0, 10);
	ANSWER(&f, FCGI_ANSWER, 50);
	scene_xchg(&s, &f, 0, 60);
	scene_tick(&s, 1000);
	scene_forget(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	REQUEST(&e, GET, 10000, 10010);
	xchg_spend(&e, SLICE_PRE, STATE_RUN, 10);
	xchg_unix_call(&c, 2, 2, NGINX, 1, 1);
	xchg_request(&c, ask.at, ask.len, 0, 10030);
	xchg_spend(&c, SLICE_PRE, STATE_RUN, 20);
	scene_xchg(&s, &e, XCHG_OPEN, 60000);
	scene_xchg(&s, &c, XCHG_OPEN, 60000);
	xchg_unix_callee(&f, 0, 3, 0, 1);
	f.x.turn[0].arrival_ns = AT(10030);
	scene_xchg(&s, &f, XCHG_OPEN | XCHG_PENDING, 60000);
	scene_tick(&s, 100000);
	assemble_open(s.a, scene_open_sink, &s);
	r = scene_request(&s, 1);
	assert_int_equal(r->end_ns, AT(100000));
	expect_part(r, "php-fpm", CAUSE_QUEUE, "pool www", 100000 - 10030);
	assert_text(part_of(r, NULL, CAUSE_QUEUE, NULL)->via, "php-fpm");
	scene_end(&s);
}

/* It waited there when tardy came, and nobody has read of that listener since: it is told who holds it. */
static void test_pending_before(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg f;

	(void)state;
	for (int held = 0; held < 2; held++) {
		scene_init(&s);
		xchg_unix_callee(&f, 0, 3, held ? FPM : 0, 1);
		f.x.turn[0].arrival_ns = AT(10030);
		scene_xchg(&s, &f, XCHG_OPEN | XCHG_PENDING | XCHG_SEEDED | XCHG_NO_ARRIVAL, 60000);
		scene_tick(&s, 100000);
		assemble_open(s.a, scene_open_sink, &s);
		assert_int_equal(s.n_got, held);
		if (held) {
			r = &s.got[0].r;
			assert_int_equal(r->flags, REQUEST_OPEN | REQUEST_ENTRY | REQUEST_BEFORE);
			expect_part(r, "php-fpm", CAUSE_QUEUE, NULL, 100000 - 10030);
		}
		scene_end(&s);
	}
}

static void test_marks(void **state)
{
	struct rec_label l = { .label = 2, .text = "checkout" };
	struct rec_mark m = { .xid = 1, .label = 2 };
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	GIVE(&s, l, REC_LABEL, 0);
	GIVE(&s, m, REC_MARK, 150);
	m.label = 99; /* no such probe */
	GIVE(&s, m, REC_MARK, 160);
	m.label = 2;
	for (int i = 0; i < 100; i++)
		GIVE(&s, m, REC_MARK, 200);
	busy(&e, 1, 1, FPM, 100, 800);
	scene_xchg(&s, &e, XCHG_CLOSED, 900);
	scene_tick(&s, 1000);
	r = scene_request(&s, 1);
	assert_int_equal(r->n_marks, 64);
	assert_int_equal(r->marks[0].at_ns, AT(150));
	assert_text(r->marks[0].label, "checkout");
	assert_int_equal(r->marks[1].at_ns, AT(200));
	scene_end(&s);
}

/* The end of a capture: what is over comes out, what is not is in flight at its last tick. */
static void test_end_of_input(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	busy(&e, 1, 1, FPM, 100, 800);
	scene_xchg(&s, &e, XCHG_CLOSED, 900);
	xchg_accepted(&e, 2, 2, FPM + 1, 80);
	REQUEST(&e, GET, 0, 200);
	scene_xchg(&s, &e, XCHG_OPEN, 900);
	scene_tick(&s, 700);
	assemble_finish(s.a);
	assert_int_equal(s.n_got, 1);
	assert_int_equal(scene_request(&s, 1)->end_ns, AT(800));
	assemble_open(s.a, scene_open_sink, &s);
	assert_int_equal(s.n_got, 2);
	r = scene_request(&s, 2);
	assert_in_range(r->end_ns - r->start_ns, US(700), US(900));
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_wait_for_thread),
		cmocka_unit_test(test_timed_wait),
		cmocka_unit_test(test_many_waits),
		cmocka_unit_test(test_late_wait),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_answer_that_goes_on),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_pools),
		cmocka_unit_test(test_pool_of_threads),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_open_call),
		cmocka_unit_test(test_open_then_over),
		cmocka_unit_test(test_open_lock),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_pending_before),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_end_of_input),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	intern_release();
	return failed;
}
