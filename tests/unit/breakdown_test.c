// SPDX-License-Identifier: GPL-2.0-only
/* The breakdown against arithmetic done by hand: one rule of docs/states.md a case. */
#include <stdio.h>

#include "breakdown_steps.h"

static void test_thread_per_request(void **state)
{
	struct scene s;

	(void)state;
	/* wall 100 = run queue 4 and running 6 before the read, running 80 and disk 5 before the
	 * first send, running 5 before the last: cpu 6 + 80 + 5 = 91 */
	scene_init(&s, T, T + US(100));
	read_at(&s, 10, 10);
	own(&s, SLICE_PRE, STATE_RUNQ, 4);
	own(&s, SLICE_PRE, STATE_RUN, 6);
	own(&s, SLICE_MID, STATE_RUN, 80);
	own(&s, SLICE_MID, STATE_DISK, 5);
	own(&s, SLICE_T1, STATE_RUN, 5);
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 91), part(CAUSE_RUNQ, "", 4), part(CAUSE_DISK, "", 5));
}

/* One thread reads, another one turns to the request later, and answers. */
static void test_handed_over(void **state)
{
	struct scene s;

	(void)state;
	/* wall 100 = running 2 before the read at 5, so 3 before that; until 60 it waited; 40 of the
	 * other's */
	scene_init(&s, T, T + US(100));
	read_at(&s, 5, 5);
	s.in.sent_first_ns = s.in.sent_last_ns = T + US(100);
	s.in.turned_ns = T + US(60);
	own(&s, SLICE_PRE, STATE_RUN, 2);
	own(&s, SLICE_MID, STATE_RUN, 40);
	run(&s);
	EXPECT(&s, part(CAUSE_QUEUE, "backlog", 3 + 55), part(CAUSE_CPU, "", 42));

	/* the other one has read on, at 70 after running 10: the body need not have been late */
	read_at(&s, 5, 70);
	s.slice[SLICE_T0] = US(10);
	s.slice[SLICE_MID] = US(30);
	run(&s);
	EXPECT(&s, part(CAUSE_QUEUE, "backlog", 3), part(CAUSE_CPU, "", 42),
	       part(CAUSE_UNKNOWN, "on other threads", 55));

	/* it was late: another 10 */
	read_at(&s, 5, 80);
	s.in.end_ns = s.in.sent_first_ns = s.in.sent_last_ns = T + US(110);
	run(&s);
	EXPECT(&s, part(CAUSE_QUEUE, "backlog", 3), part(CAUSE_CPU, "", 42),
	       part(CAUSE_RECV, "", 10), part(CAUSE_UNKNOWN, "on other threads", 55));
}

static void test_every_state_has_its_cause(void **state)
{
	struct scene s;

	(void)state;
	/* wall = 1 + 2 + ... + 14 = 105, state i lasts i + 1, all before the first send. A receive
	 * outside of the body and a connect are of a socket that is not known as a call. */
	scene_init(&s, T, T + US(105));
	for (int i = 0; i < STATE_COUNT; i++)
		own(&s, SLICE_MID, (enum thread_state)i, (uint64_t)i + 1);
	assert_int_equal(STATE_COUNT, 14);
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", STATE_RUN + 1), part(CAUSE_RUNQ, "", STATE_RUNQ + 1),
	       part(CAUSE_THROTTLE, "", STATE_THROTTLE + 1), part(CAUSE_DISK, "", STATE_DISK + 1),
	       part(CAUSE_FAULT, "", STATE_FAULT + 1), part(CAUSE_LOCK, "futex", STATE_LOCK + 1),
	       part(CAUSE_UPSTREAM, "socket", STATE_RECV + 1), part(CAUSE_SEND, "", STATE_SEND + 1),
	       part(CAUSE_UPSTREAM, "connect", STATE_CONNECT + 1),
	       part(CAUSE_OTHER, "poll", STATE_POLL + 1), part(CAUSE_SLEEP, "", STATE_SLEEP + 1),
	       part(CAUSE_IPC, "", STATE_IPC + 1), part(CAUSE_LOCK, "kernel", STATE_KERNEL + 1),
	       part(CAUSE_OTHER, "", STATE_OTHER + 1));
}

static void test_queue_before_the_read(void **state)
{
	struct scene s;

	(void)state;
	/* read 50 after the arrival; for the last 10 of them the thread worked for this request:
	 * 40 of queue; wall 100 = 40 + 10 + 50 */
	scene_init(&s, T, T + US(100));
	read_at(&s, 50, 50);
	own(&s, SLICE_PRE, STATE_RUN, 10);
	own(&s, SLICE_MID, STATE_RUN, 50);
	run(&s);
	EXPECT(&s, part(CAUSE_QUEUE, "backlog", 40), part(CAUSE_CPU, "", 60));

	/* the same on a thread whose past is not known */
	s.in.states_unknown = true;
	run(&s);
	EXPECT(&s, part(CAUSE_UNKNOWN, "before the thread was known", 40), part(CAUSE_CPU, "", 60));

	/* and on an event loop, which was busy with another request */
	s.in.states_unknown = false;
	s.in.loop = true;
	s.in.behind = intern_str("GET /report");
	run(&s);
	EXPECT(&s, part_held(CAUSE_LOOP, "", "GET /report", 0, 40), part(CAUSE_CPU, "", 60));
}

static void test_time_before_the_arrival_is_clipped(void **state)
{
	struct scene s;

	(void)state;
	/* The thread woke 30 before the first byte (for the handshake), ran 25 and was runnable 15
	 * until the read, 10 after the arrival: 40 - 10 = 30 are not this request's. They come off
	 * running first (25), then off the run queue (5): runq 10. Then running 90. */
	scene_init(&s, T, T + US(100));
	read_at(&s, 10, 10);
	own(&s, SLICE_PRE, STATE_RUN, 25);
	own(&s, SLICE_PRE, STATE_RUNQ, 15);
	own(&s, SLICE_MID, STATE_DISK, 90);
	run(&s);
	EXPECT(&s, part(CAUSE_RUNQ, "", 10), part(CAUSE_DISK, "", 90));
	/* when the slice is known to begin with the wakeup, the run queue came first (15), then
	 * running (15 of 25) */
	s.in.woken = true;
	run(&s);
	EXPECT(&s, part(CAUSE_DISK, "", 90), part(CAUSE_CPU, "", 10));
}

static void test_open_and_unread(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, T, T + US(100));
	s.in.read_first_ns = s.in.read_last_ns = 0;
	s.in.sent_first_ns = s.in.sent_last_ns = 0;
	run(&s);
	EXPECT(&s, part(CAUSE_QUEUE, "backlog", 100));
	s.in.loop = true;
	s.in.behind = intern_str("GET /slow");
	run(&s);
	EXPECT(&s, part_held(CAUSE_LOOP, "", "GET /slow", 0, 100));
	/* nothing has passed yet, and a clock that went backwards: no parts */
	s.in.end_ns = s.in.start_ns;
	run(&s);
	assert_int_equal(s.out.n, 0);
	s.in.end_ns = s.in.start_ns - 1;
	assert_int_equal(breakdown(&s.in, &s.out), 0);
	assert_int_equal(s.out.n, 0);
	parts_release(&s.out);
}

static void test_call_that_is_not_joined(void **state)
{
	struct scene s;

	(void)state;
	/* wall 100 = cpu 5 before the read, 3 before the query was sent, 40 until the answer came
	 * (8..48), 2 in the run queue, 50 until the response; the socket's poll is the call's */
	scene_init(&s, T, T + US(100));
	read_at(&s, 5, 5);
	own(&s, SLICE_PRE, STATE_RUN, 5);
	own(&s, SLICE_MID, STATE_RUN, 50);
	call(&s, CAUSE_DB, 8, 50);
	called(&s, SLICE_PRE, STATE_RUN, 3);
	called(&s, SLICE_MID, STATE_RECV, 40);
	called(&s, SLICE_MID, STATE_RUNQ, 2);
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 58), part(CAUSE_RUNQ, "", 2),
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_DB, "SELECT t", 1, 40));

	/* a second call of the same statement: 30 of the last 50 are its wait; two calls, 70 */
	s.state[STATE_RUN] -= US(30);
	s.slice[SLICE_MID] -= US(30);
	call(&s, CAUSE_DB, 60, 90);
	called(&s, SLICE_MID, STATE_CONNECT, 10);
	called(&s, SLICE_MID, STATE_RECV, 20);
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 28), part(CAUSE_RUNQ, "", 2),
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_DB, "connect", 0, 10),
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_DB, "SELECT t", 2, 60));

	/* what TCP found unusual stands behind the name; alone where there is none */
	s.calls[1].net = intern_str("retransmits"); /* sorted: the one that ended last is first */
	s.calls[0].what = 0;
	s.calls[0].net = intern_str("rtt ~20ms");
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 28), part(CAUSE_RUNQ, "", 2),
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_DB, "connect", 0, 10),
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_DB, "SELECT t (retransmits)", 1,
			40),
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_DB, "rtt ~20ms", 1, 20));
}

/* Waits for disks, pages and CPUs are named like locks: never more than the states measured, each
 * by its own cause, and what has no name stays the plain cause. */
static void test_waits_are_named(void **state)
{
	struct breakdown_wait waits[] = {
		{ US(9), intern_str("vda read queued"), 0, CAUSE_DISK, 0, 0 },
		{ US(100), intern_str("vda read in device"), 0, CAUSE_DISK, 0, 0 },
		{ US(4), intern_str("behind xz"), 0, CAUSE_RUNQ, 0, 0 },
		{ US(5), intern_str("vda read: lib/x.so"), 0, CAUSE_FAULT, 0, 0 },
	};
	struct scene s;

	(void)state;
	/* disk 30 = 9 + 21 of 100; runq 6 + 2 in a call = 4 + 4; fault 5; cpu 52; call 5 */
	scene_init(&s, T, T + US(100));
	own(&s, SLICE_MID, STATE_DISK, 30);
	own(&s, SLICE_MID, STATE_RUNQ, 6);
	own(&s, SLICE_MID, STATE_FAULT, 5);
	own(&s, SLICE_MID, STATE_RUN, 52);
	call(&s, CAUSE_CACHE, 50, 57);
	called(&s, SLICE_MID, STATE_RUNQ, 2);
	called(&s, SLICE_MID, STATE_RECV, 5);
	s.in.waits = waits;
	s.in.n_waits = 4;
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 52), part_held(CAUSE_DISK, "vda read queued", "", 1, 9),
	       part_held(CAUSE_DISK, "vda read in device", "", 1, 21),
	       part_held(CAUSE_RUNQ, "behind xz", "", 1, 4), part(CAUSE_RUNQ, "", 4),
	       part_held(CAUSE_FAULT, "vda read: lib/x.so", "", 1, 5),
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_CACHE, "SELECT t", 1, 5));
}

static void test_joined_hop(void **state)
{
	const struct part php[] = {
		part_via("php-fpm", "", CAUSE_CPU, "", 0, 50),
		part_via("postgresql", "postgresql", CAUSE_DB, "SELECT t", 1, 30),
		part_via("php-fpm", "", CAUSE_QUEUE, "pool www", 0, 8),
	};
	struct breakdown_call *c;
	struct scene s;

	(void)state;
	/* A loop: read 2 after the arrival (run queue), 3 of cpu until FastCGI was sent at 5. The
	 * answer arrived at 95 and was read at 96, 1 of cpu; 4 of cpu until the send at 100. The
	 * gap is 96 - 5 - 1 = 90, all of it before the read's own slice. php-fpm explains 88 of
	 * it, 2 were in transit. */
	scene_init(&s, T, T + US(100));
	s.in.loop = true;
	read_at(&s, 2, 2);
	own(&s, SLICE_PRE, STATE_RUNQ, 2);
	own(&s, SLICE_MID, STATE_RUN, 4);
	c = call(&s, CAUSE_UPSTREAM, 5, 96);
	c->arrival_ns = T + US(95);
	called(&s, SLICE_PRE, STATE_RUN, 3);
	called(&s, SLICE_MID, STATE_RUN, 1);
	c->what = intern_str("GET /course");
	c->child = php;
	c->n_child = 3;
	c->child_wall_ns = US(88);
	c->child_service = intern_str("php-fpm");
	run(&s);
	EXPECT(&s, part(CAUSE_RUNQ, "", 2), part(CAUSE_CPU, "", 8),
	       part_via("php-fpm", "php-fpm", CAUSE_CPU, "", 0, 50),
	       part_via("postgresql", "php-fpm > postgresql", CAUSE_DB, "SELECT t", 1, 30),
	       part_via("php-fpm", "php-fpm", CAUSE_QUEUE, "pool www", 0, 8),
	       part_via("php-fpm", "php-fpm", CAUSE_UPSTREAM, "GET /course", 1, 2));
}

static void test_child_that_ends_after_its_answer(void **state)
{
	struct part php[] = {
		part_via("php-fpm", "", CAUSE_CPU, "", 0, 60),
		part_via("php-fpm", "", CAUSE_DISK, "", 0, 30),
		part_via("postgresql", "postgresql", CAUSE_RUNQ, "SELECT t", 0, 5),
		part_via("php-fpm", "", CAUSE_RUNQ, "", 0, 10),
	};
	struct breakdown_call *c;
	struct scene s;

	(void)state;
	/* The child's last send returned 25 after the caller had the answer: the child's own run
	 * queue 10 and 15 of its cpu are not the caller's. 105 - 25 = 80 = the wait. */
	scene_init(&s, T, T + US(100));
	own(&s, SLICE_MID, STATE_RUN, 20);
	c = call(&s, CAUSE_UPSTREAM, 0, 80);
	called(&s, SLICE_MID, STATE_RECV, 80);
	c->child = php;
	c->n_child = 4;
	c->child_wall_ns = US(105);
	c->child_late_ns = US(25);
	c->child_service = intern_str("php-fpm");
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 20), part_via("php-fpm", "php-fpm", CAUSE_CPU, "", 0, 45),
	       part_via("php-fpm", "php-fpm", CAUSE_DISK, "", 0, 30),
	       part_via("postgresql", "php-fpm > postgresql", CAUSE_RUNQ, "SELECT t", 0, 5));

	/* all of it was late: nothing but the way there and back is left to wait for */
	c->n_child = 1;
	c->child_wall_ns = US(60);
	c->child_late_ns = US(60);
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 20),
	       part_via("php-fpm", "php-fpm", CAUSE_UPSTREAM, "SELECT t", 1, 80));
}

static void test_joined_store(void **state)
{
	struct part pg[] = {
		part_via("postgresql", "", CAUSE_CPU, "", 0, 20),
		part_via("postgresql", "", CAUSE_DISK, "", 0, 15),
		part_via("postgresql", "", CAUSE_LOCK, "kernel", 0, 5),
	};
	struct breakdown_call *c;
	struct scene s;

	(void)state;
	/* wait 42: the store's cpu 20 is db, and so are the 2 in transit; one call in all. What has
	 * no name of its own takes the statement's. */
	scene_init(&s, T, T + US(100));
	own(&s, SLICE_MID, STATE_RUN, 58);
	c = call(&s, CAUSE_DB, 0, 42);
	called(&s, SLICE_MID, STATE_RECV, 42);
	c->child = pg;
	c->n_child = 3;
	c->child_wall_ns = US(40);
	c->child_service = intern_str("postgresql");
	c->child_is_store = true;
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 58),
	       part_via("postgresql", "postgresql", CAUSE_DB, "SELECT t", 1, 22),
	       part_via("postgresql", "postgresql", CAUSE_DISK, "SELECT t", 0, 15),
	       part_via("postgresql", "postgresql", CAUSE_LOCK, "kernel", 0, 5));

	/* no cpu at all: the call is counted on what was in transit */
	pg[0].cause = CAUSE_RUNQ;
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 58),
	       part_via("postgresql", "postgresql", CAUSE_RUNQ, "SELECT t", 0, 20),
	       part_via("postgresql", "postgresql", CAUSE_DISK, "SELECT t", 0, 15),
	       part_via("postgresql", "postgresql", CAUSE_LOCK, "kernel", 0, 5),
	       part_via("postgresql", "postgresql", CAUSE_DB, "SELECT t", 1, 2));

	/* the disk stands behind the statement, who had the CPU does not */
	pg[0].what = intern_str("behind xz");
	pg[1].what = intern_str("vda read in device");
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 58),
	       part_via("postgresql", "postgresql", CAUSE_RUNQ, "SELECT t", 0, 20),
	       part_via("postgresql", "postgresql", CAUSE_DISK, "SELECT t (vda read in device)", 0,
			15),
	       part_via("postgresql", "postgresql", CAUSE_LOCK, "kernel", 0, 5),
	       part_via("postgresql", "postgresql", CAUSE_DB, "SELECT t", 1, 2));
}

static void test_child_longer_than_the_wait(void **state)
{
	struct part php[] = {
		part_via("php-fpm", "", CAUSE_CPU, "", 0, 535),
		part_via("php-fpm", "", CAUSE_DISK, "", 0, 535),
	};
	struct part cpu = part_via("php-fpm", "php-fpm", CAUSE_CPU, "", 0, 500);
	struct part disk = part_via("php-fpm", "php-fpm", CAUSE_DISK, "", 0, 500);
	struct breakdown_call *c;
	struct scene s;

	(void)state;
	/* wait 1000, so up to 1000 + 50 + 1000 / 50 = 1070 is a late wakeup, not a misfit; the
	 * child's halves become 500 each */
	scene_init(&s, T, T + US(1200));
	own(&s, SLICE_MID, STATE_RUN, 200);
	c = call(&s, CAUSE_UPSTREAM, 100, 1100);
	called(&s, SLICE_MID, STATE_RECV, 1000);
	c->child = php;
	c->n_child = 2;
	c->child_wall_ns = US(1070);
	c->child_service = intern_str("php-fpm");
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 200), cpu, disk);

	/* one nanosecond more: 535000 * 1000000 / 1070001 = 499999.53 and 535001 -> 500000.47;
	 * whole 499999 + 500000, the odd one to the larger remainder: 500000 each, but scaled */
	php[1].ns++;
	c->child_wall_ns++;
	cpu.scaled = disk.scaled = true;
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 200), cpu, disk);

	/* what was scaled further down stays marked, though it fits here */
	php[0].scaled = true;
	php[0].ns = php[1].ns = US(500);
	c->child_wall_ns = US(1000);
	disk.scaled = false;
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 200), cpu, disk);
}

static void test_locks_are_named(void **state)
{
	struct breakdown_wait waits[] = {
		{ US(20), intern_str("flock sess_1"), intern_str("POST /grade"), CAUSE_LOCK, 0, 0 },
		{ US(7), intern_str("futex php-fpm"), 0, CAUSE_LOCK, 0, 0 },
		{ US(3), intern_str("flock sess_1"), intern_str("POST /grade"), CAUSE_LOCK, 0, 0 },
	};
	struct scene s;

	(void)state;
	/* 35 of locks: 20 + 7 + 3 have a record (23 of them, two waits, for the session), 5 were
	 * too short; a kernel lock has no holder; the lock wait inside a call counts too (30 + 5) */
	scene_init(&s, T, T + US(100));
	own(&s, SLICE_MID, STATE_LOCK, 30);
	own(&s, SLICE_MID, STATE_KERNEL, 4);
	own(&s, SLICE_MID, STATE_RUN, 51);
	call(&s, CAUSE_CACHE, 50, 65);
	called(&s, SLICE_MID, STATE_LOCK, 5);
	called(&s, SLICE_MID, STATE_RECV, 10);
	s.in.waits = waits;
	s.in.n_waits = 3;
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 51),
	       part_held(CAUSE_LOCK, "flock sess_1", "POST /grade", 2, 23),
	       part_held(CAUSE_LOCK, "futex php-fpm", "", 1, 7), part(CAUSE_LOCK, "futex", 5),
	       part(CAUSE_LOCK, "kernel", 4),
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_CACHE, "SELECT t", 1, 10));

	/* records cannot claim more than the meters measured */
	waits[0].ns = US(1000);
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 51),
	       part_held(CAUSE_LOCK, "flock sess_1", "POST /grade", 1, 35),
	       part(CAUSE_LOCK, "kernel", 4),
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_CACHE, "SELECT t", 1, 10));
}

static void test_slow_body_and_slow_reader(void **state)
{
	struct scene s;

	(void)state;
	/* A thread: the body comes in 0..60, all of it waiting in recv; 40 more on a socket that is
	 * nobody's call; the reader takes 30. 60 + 40 + cpu 20 + 30 = 150 */
	scene_init(&s, T, T + US(150));
	read_at(&s, 0, 60);
	own(&s, SLICE_T0, STATE_RECV, 60);
	own(&s, SLICE_MID, STATE_RECV, 40);
	own(&s, SLICE_MID, STATE_RUN, 20);
	own(&s, SLICE_T1, STATE_SEND, 30);
	s.in.sent_first_ns = T + US(120);
	run(&s);
	EXPECT(&s, part(CAUSE_RECV, "", 60), part(CAUSE_UPSTREAM, "socket", 40),
	       part(CAUSE_SEND, "", 30), part(CAUSE_CPU, "", 20));

	/* A loop sees gaps instead: reads 0..60 with slices of 5, sends 120..150 with slices of 4:
	 * recv 55, send 26. cpu 5 + 20 + 4 = 29; 150 - 55 - 26 - 29 = 40 of loop in between. */
	scene_init(&s, T, T + US(150));
	s.in.loop = true;
	read_at(&s, 0, 60);
	own(&s, SLICE_T0, STATE_RUN, 5);
	own(&s, SLICE_MID, STATE_RUN, 20);
	own(&s, SLICE_T1, STATE_RUN, 4);
	s.in.sent_first_ns = T + US(120);
	s.in.send_wait_ns = US(26);
	run(&s);
	EXPECT(&s, part(CAUSE_RECV, "", 55), part(CAUSE_SEND, "", 26), part(CAUSE_CPU, "", 29),
	       part(CAUSE_LOOP, "", 40));

	/* Where its socket had room, nothing says that the reader was slow. */
	s.in.send_wait_ns = 0;
	run(&s);
	EXPECT(&s, part(CAUSE_RECV, "", 55), part(CAUSE_UNKNOWN, "the answer paused", 26),
	       part(CAUSE_CPU, "", 29), part(CAUSE_LOOP, "", 40));
}

/* php-fpm reads the end of its input when it has answered, here 37 after it: 30 in the run queue, 5
 * in the throttle, 2 running. In the 100 of the request are 60 running, 20 runq, 20 unexplained. */
static void test_read_after_the_answer(void **state)
{
	struct breakdown_wait behind = { US(7), intern_str("behind nginx"), 0, CAUSE_RUNQ, 0, 0 };
	struct scene s;

	(void)state;
	scene_init(&s, T, T + US(100));
	read_at(&s, 0, 137);
	own(&s, SLICE_T0, STATE_RUN, 10);
	own(&s, SLICE_MID, STATE_RUN, 50);
	own(&s, SLICE_MID, STATE_RUNQ, 20);
	own(&s, SLICE_T0, STATE_RUNQ, 30);
	own(&s, SLICE_T0, STATE_THROTTLE, 5);
	own(&s, SLICE_T0, STATE_RUN, 2);
	s.in.waits = &behind;
	s.in.n_waits = 1;
	run(&s);
	/* 37 come off the run queue first, of which there are 50 */
	EXPECT(&s, part_held(CAUSE_RUNQ, "behind nginx", "", 1, 7), part(CAUSE_RUNQ, "", 6),
	       part(CAUSE_THROTTLE, "", 5), part(CAUSE_CPU, "", 62), part(CAUSE_UNKNOWN, "", 20));

	/* a wait on a socket was before the answer, and it is no body that was slow */
	scene_init(&s, T, T + US(100));
	read_at(&s, 0, 137);
	own(&s, SLICE_T0, STATE_RUNQ, 37);
	own(&s, SLICE_MID, STATE_RECV, 40);
	own(&s, SLICE_MID, STATE_RUN, 50);
	run(&s);
	EXPECT(&s, part(CAUSE_UPSTREAM, "socket", 40), part(CAUSE_CPU, "", 50),
	       part(CAUSE_UNKNOWN, "", 10));

	/* on a loop nothing is known of the time between: the gap is its own */
	scene_init(&s, T, T + US(100));
	s.in.loop = true;
	read_at(&s, 0, 137);
	own(&s, SLICE_T0, STATE_RUN, 10);
	own(&s, SLICE_MID, STATE_RUN, 50);
	run(&s);
	EXPECT(&s, part(CAUSE_RECV, "", 40), part(CAUSE_CPU, "", 60));
}

static void test_overlapping_calls(void **state)
{
	struct part late;
	struct scene s;

	(void)state;
	/* A loop sends both at 10 (cpu 10 before that), the first ends at 60, the second at 100,
	 * 10 before the response (cpu 10): all 90 belong to the one that finishes last. */
	scene_init(&s, T, T + US(110));
	s.in.loop = true;
	own(&s, SLICE_MID, STATE_RUN, 20);
	call(&s, CAUSE_DB, 10, 60);
	call(&s, CAUSE_UPSTREAM, 10, 100)->who = intern_str("api");
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 20),
	       part_via("api", "api", CAUSE_UPSTREAM, "SELECT t", 1, 90));

	/* The second is sent at 40: until then (30) the first is alone, then 60 are the second's. */
	scene_init(&s, T, T + US(110));
	s.in.loop = true;
	own(&s, SLICE_MID, STATE_RUN, 20);
	call(&s, CAUSE_DB, 10, 60);
	call(&s, CAUSE_UPSTREAM, 40, 100)->who = intern_str("api");
	run(&s);
	late = part_via("api", "api", CAUSE_UPSTREAM, "SELECT t", 1, 60);
	EXPECT(&s, part(CAUSE_CPU, "", 20), late,
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_DB, "SELECT t", 1, 30));

	/* While the first (10..100) is outstanding the thread runs 8 and waits 5 for a lock until it
	 * sends the second (33..60), and 6 of the wait for the first were measured. cpu 10 + 8 + 10;
	 * the first has what is left of 110: 110 - 28 - 5 = 77. */
	scene_init(&s, T, T + US(110));
	s.in.loop = true;
	own(&s, SLICE_MID, STATE_RUN, 20);
	call(&s, CAUSE_UPSTREAM, 10, 100)->who = intern_str("api");
	called(&s, SLICE_MID, STATE_RECV, 6);
	call(&s, CAUSE_DB, 33, 60);
	called(&s, SLICE_PRE, STATE_RUN, 8);
	called(&s, SLICE_PRE, STATE_LOCK, 5);
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 28), part(CAUSE_LOCK, "futex", 5),
	       part_via("api", "api", CAUSE_UPSTREAM, "SELECT t", 1, 77));

	/* A thread sends both at 10 and waits 50 for the first answer, then 40 for the second: what
	 * was measured on the first is the second's, too. */
	scene_init(&s, T, T + US(110));
	own(&s, SLICE_MID, STATE_RUN, 20);
	call(&s, CAUSE_DB, 10, 60);
	called(&s, SLICE_MID, STATE_RECV, 50);
	call(&s, CAUSE_UPSTREAM, 10, 100)->who = intern_str("api");
	called(&s, SLICE_MID, STATE_RECV, 40);
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 20),
	       part_via("api", "api", CAUSE_UPSTREAM, "SELECT t", 1, 90));
}

/* What the thread does between two sends is nobody's wait. */
static void test_overlap_with_work_between_the_sends(void **state)
{
	struct scene s;

	(void)state;
	/* cpu 10, first sent at 10, cpu 20, second sent at 30; answers at 60 and 100; cpu 10.
	 * Waiting 30..100 = 70, all of it while the second was outstanding. */
	for (int loop = 0; loop < 2; loop++) {
		scene_init(&s, T, T + US(110));
		s.in.loop = loop;
		own(&s, SLICE_MID, STATE_RUN, 20);
		call(&s, CAUSE_DB, 10, 60);
		if (!loop)
			called(&s, SLICE_MID, STATE_RECV, 30);
		call(&s, CAUSE_UPSTREAM, 30, 100)->who = intern_str("api");
		called(&s, SLICE_PRE, STATE_RUN, 20);
		if (!loop)
			called(&s, SLICE_MID, STATE_RECV, 40);
		run(&s);
		EXPECT(&s, part(CAUSE_CPU, "", 40),
		       part_via("api", "api", CAUSE_UPSTREAM, "SELECT t", 1, 70));
	}
}

/* The answer has arrived, the loop has not come to it yet: that is not the callee's. */
static void test_answer_that_is_not_read_yet(void **state)
{
	struct breakdown_call *c;
	struct scene s;

	(void)state;
	/* open: cpu 10, sent at 10, answer at 40, now 100: callee 30, loop 60 */
	scene_init(&s, T, T + US(100));
	s.in.loop = true;
	s.in.sent_first_ns = s.in.sent_last_ns = 0;
	own(&s, SLICE_MID, STATE_RUN, 10);
	c = call(&s, CAUSE_UPSTREAM, 10, 100);
	c->arrival_ns = T + US(40);
	c->first_ns = 0;
	run(&s);
	EXPECT(&s, part(CAUSE_CPU, "", 10), part(CAUSE_LOOP, "", 60),
	       part_via("10.0.0.9:5432", "10.0.0.9:5432", CAUSE_UPSTREAM, "SELECT t", 1, 30));
}

static void test_via(void **state)
{
	uint32_t a = intern_str("nginx"), b = intern_str("php-fpm"), c = intern_str("postgresql");

	(void)state;
	assert_int_equal(breakdown_via(0, 0), 0);
	assert_int_equal(breakdown_via(a, 0), a);
	assert_int_equal(breakdown_via(0, a), a);
	assert_string_equal(intern_text(breakdown_via(a, breakdown_via(b, c))),
			    "nginx > php-fpm > postgresql");
	/* more pairs than are remembered; twice, so that remembered ones are wrong if anything is */
	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 600; i++) {
			uint32_t id = intern_fmt("service %u", i);
			char want[64];

			snprintf(want, sizeof(want), "service %u > nginx", i);
			assert_string_equal(intern_text(breakdown_via(id, a)), want);
		}
}

/* What is in the list already stays as it is. */
static void test_appends(void **state)
{
	struct part old = part(CAUSE_CPU, "kept", 7);
	struct scene s;

	(void)state;
	scene_init(&s, T, T + US(100));
	own(&s, SLICE_MID, STATE_RUN, 100);
	assert_int_equal(parts_add(&s.out, &old), 0);
	assert_int_equal(breakdown(&s.in, &s.out), 0);
	EXPECT(&s, old, part(CAUSE_CPU, "", 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thread_per_request),
		cmocka_unit_test(test_handed_over),
		cmocka_unit_test(test_every_state_has_its_cause),
		cmocka_unit_test(test_queue_before_the_read),
		cmocka_unit_test(test_time_before_the_arrival_is_clipped),
		cmocka_unit_test(test_open_and_unread),
		cmocka_unit_test(test_call_that_is_not_joined),
		cmocka_unit_test(test_joined_hop),
		cmocka_unit_test(test_child_that_ends_after_its_answer),
		cmocka_unit_test(test_joined_store),
		cmocka_unit_test(test_child_longer_than_the_wait),
		cmocka_unit_test(test_locks_are_named),
		cmocka_unit_test(test_waits_are_named),
		cmocka_unit_test(test_slow_body_and_slow_reader),
		cmocka_unit_test(test_read_after_the_answer),
		cmocka_unit_test(test_overlapping_calls),
		cmocka_unit_test(test_overlap_with_work_between_the_sends),
		cmocka_unit_test(test_answer_that_is_not_read_yet),
		cmocka_unit_test(test_via),
		cmocka_unit_test(test_appends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
