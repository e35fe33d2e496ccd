/* SPDX-License-Identifier: GPL-2.0-only */
/* Details of waits: which disk, which file, who had the CPU, what TCP knows. */
#include "assemble_scene.h"

#define FPM 70

static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";

/* A request of 1,000 us: 100 on the CPU before, the rest in `state`. */
static const struct request *served(struct scene *s, struct xchg *e, enum thread_state state)
{
	xchg_accepted(e, 1, 1, FPM, 80);
	xchg_request(e, "GET /a HTTP/1.1\r\n\r\n", 19, 0, 0);
	xchg_spend(e, SLICE_MID, STATE_RUN, 100);
	xchg_spend(e, SLICE_MID, state, 900);
	ANSWER(e, OK, 1000);
	scene_xchg(s, e, XCHG_CLOSED, 1100);
	scene_tick(s, 1200);
	return scene_request(s, 1);
}

static void give_io(struct scene *s, uint16_t state, uint32_t flags, const char *disk,
		    const char *name, const uint64_t us[4])
{
	struct rec_io r = { .xid = 1,
			    .blocked_ns = US(us[0]),
			    .held_ns = US(us[1]),
			    .queue_ns = US(us[2]),
			    .service_ns = US(us[3]),
			    .state = state,
			    .flags = flags };

	snprintf((char *)r.disk, sizeof(r.disk), "%s", disk);
	snprintf((char *)r.name, sizeof(r.name), "%s", name);
	GIVE(s, r, REC_IO, 900);
}

static void test_disk_by_phase(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	/* 600 = 300 held + 200 queued + 97 in the device + 3 after it, which go with the largest */
	give_io(&s, STATE_DISK, IO_SEEN | IO_WRITE | IO_SYNC, "vda", "up/0123456789abcdef0123",
		(uint64_t[]){ 600, 300, 200, 97 });
	/* 250: the device alone; the file has no name */
	give_io(&s, STATE_DISK, IO_SEEN, "vdb", "", (uint64_t[]){ 250, 0, 1, 249 });
	r = served(&s, &e, STATE_DISK);
	expect_part(r, NULL, CAUSE_DISK, "vda sync write held: up/*", 303);
	expect_part(r, NULL, CAUSE_DISK, "vda sync write queued: up/*", 200);
	expect_part(r, NULL, CAUSE_DISK, "vda sync write in device: up/*", 97);
	expect_part(r, NULL, CAUSE_DISK, "vdb read in device", 250);
	expect_part(r, NULL, CAUSE_DISK, "", 50); /* waits too short for a record */
	scene_end(&s);
}

/* The limit that held a wait, with its group; only of what was held, and not by records of older versions. */
static void test_disk_names_the_limit(void **state)
{
	static const struct {
		uint64_t bps, iops;
		const char *what;
	} cases[] = {
		{ 8388608, 0, "vda write held by limit 8.39 MB/s of up-*.scope: d/f" },
		{ 999600000, 0, "vda write held by limit 1 GB/s of up-*.scope: d/f" },
		{ 512, 0, "vda write held by limit 512 B/s of up-*.scope: d/f" },
		{ 0, 100, "vda write held by limit 100 IO/s of up-*.scope: d/f" },
		{ 560000, 20, "vda write held by limit 560 kB/s or 20 IO/s of up-*.scope: d/f" },
		{ 0, 0, "vda write held: d/f" },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct rec_io r = { .xid = 1,
				    .blocked_ns = US(900),
				    .held_ns = US(600),
				    .service_ns = US(300),
				    .state = STATE_DISK,
				    .flags = IO_SEEN | IO_WRITE,
				    .disk = "vda",
				    .name = "d/f",
				    .limit_bps = cases[i / 2].bps,
				    .limit_iops = cases[i / 2].iops,
				    .group = "up-12.scope" };
		const struct request *request;
		struct scene s;
		struct xchg e;

		scene_init(&s);
		if (i % 2) {
			assert_int_equal(
				scene_give(&s, &r, REC_IO, offsetof(struct rec_io, limit_bps), 900),
				0);
		} else {
			GIVE(&s, r, REC_IO, 900);
		}
		request = served(&s, &e, STATE_DISK);
		expect_part(request, NULL, CAUSE_DISK,
			    i % 2 ? "vda write held: d/f" : cases[i / 2].what, 600);
		expect_part(request, NULL, CAUSE_DISK, "vda write in device: d/f", 300);
		scene_end(&s);
	}
}

/* What the thread waits for after the answer names nothing of the request. */
static void test_wait_after_the_answer(void **state)
{
	(void)state;
	for (int after = 0; after < 2; after++) {
		struct rec_wait w = { .xid = 1,
				      .start_ns = AT(after ? 160 : 110),
				      .blocked_ns = US(20),
				      .tgid = NGINX,
				      .waker_tgid = NGINX,
				      .state = STATE_IPC,
				      .flags = WAIT_HELD };
		const struct request *r;
		struct scene s;
		struct xchg e;

		scene_init(&s);
		xchg_accepted(&e, 1, 1, NGINX, 80);
		REQUEST(&e, "GET / HTTP/1.1\r\n\r\n", 100, 100);
		GIVE(&s, w, REC_WAIT, 190);
		ANSWER(&e, OK, 150);
		xchg_spend(&e, SLICE_MID, STATE_IPC, 50);
		scene_xchg(&s, &e, 0, 190);
		scene_tick(&s, 200);
		r = scene_request(&s, 1);
		assert_int_equal(r->parts.n, after ? 1 : 2);
		scene_end(&s);
	}
}

static void test_disk_without_a_request(void **state)
{
	static const struct {
		uint32_t flags;
		const char *name, *what;
	} cases[] = {
		{ IO_JOURNAL, "a/b", "journal: a/b" },
		{ IO_JOURNAL, "", "journal" },
		{ IO_WRITEBACK, "", "writeback" },
		{ 0, "a/b", "file a/b" },
		{ 0, "up/user-42-1.bin", "file up/user-*-*.bin" },
		{ 0, "16384/2619_vm", "file */*_vm" },
		{ 0, "run/php-fpm8.2.log", "file run/php-fpm8.2.log" }, /* a version is no id */
		{ 0, "run/a.2.123.log", "file run/a.*.*.log" },
		{ 0, "wal/log7.db", "file wal/log7.db" },
		{ 0, "", "" },
		{ IO_SEEN | IO_FLUSH, "", " flush" }, /* a disk without a name */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene s;
		struct xchg e;

		scene_init(&s);
		give_io(&s, STATE_DISK, cases[i].flags, "", cases[i].name,
			(uint64_t[]){ 900, 0, 0, 0 });
		expect_part(served(&s, &e, STATE_DISK), NULL, CAUSE_DISK, cases[i].what, 900);
		scene_end(&s);
	}
}

/* Phases that claim more than the wait are cut to it; other states are no disk. */
static void test_damaged_io(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	give_io(&s, STATE_FAULT, IO_SEEN, "vda", "", (uint64_t[]){ 900, 500, 5000, 5000 });
	give_io(&s, STATE_LOCK, IO_SEEN, "vda", "", (uint64_t[]){ 900, 0, 0, 900 });
	r = served(&s, &e, STATE_FAULT);
	expect_part(r, NULL, CAUSE_FAULT, "vda read held", 500);
	expect_part(r, NULL, CAUSE_FAULT, "vda read queued", 400);
	scene_end(&s);
}

static void give_runq_ran(struct scene *s, uint64_t us, uint64_t throttle_us, const char *other,
			  uint64_t ran_us)
{
	struct rec_runq r = { .xid = 1,
			      .runq_ns = US(us),
			      .other_ns = US(ran_us),
			      .throttle_ns = US(throttle_us),
			      .other_tgid = *other ? 9 : 0 };

	snprintf((char *)r.other, sizeof(r.other), "%s", other);
	GIVE(s, r, REC_RUNQ, 900);
}

static void give_runq(struct scene *s, uint64_t us, uint64_t throttle_us, const char *other)
{
	give_runq_ran(s, us, throttle_us, other, us);
}

/* Who had the CPU meanwhile, by time, one part for each name, and never more than the wait. */
static void test_runq_is_behind_all_who_ran(void **state)
{
	struct rec_behind r = { .xid = 1,
				.runq_ns = US(300),
				.stolen_ns = US(15),
				.by = { { .ns = US(180), .comm = "xz" },
					{ .ns = US(60), .comm = "ld" } } };
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	GIVE(&s, r, REC_BEHIND, 900);
	GIVE(&s, r, REC_BEHIND, 950);
	r.throttle_ns = US(240); /* 120 ran in the 60 that are left: a quota held it back */
	r.stolen_ns = 0;
	r.by[0].ns = US(90);
	r.by[1].ns = US(30);
	GIVE(&s, r, REC_BEHIND, 960);
	served(&s, &e, STATE_RUNQ);
	expect_part(scene_request(&s, 1), NULL, CAUSE_RUNQ, "behind xz", 405);
	expect_part(scene_request(&s, 1), NULL, CAUSE_RUNQ, "behind ld", 135);
	expect_part(scene_request(&s, 1), NULL, CAUSE_RUNQ, "behind interrupts or a hypervisor",
		    30);
	expect_part(scene_request(&s, 1), NULL, CAUSE_RUNQ, "", 330);
	assert_int_equal(part_of(scene_request(&s, 1), NULL, CAUSE_RUNQ, "behind xz")->count, 3);
	scene_end(&s);
}

/* The only quota that it is under held it back, by the name of the group. Not where there are several,
 * which have no figures; nor do older records. */
static void test_throttle_names_the_quota(void **state)
{
	struct rec_behind r = { .xid = 1, .runq_ns = US(300), .throttle_ns = US(240) };
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	GIVE(&s, r, REC_BEHIND, 900);
	r.quota_us = 50000;
	r.period_us = 100000;
	memcpy(r.group, "nginx.service", 13);
	GIVE(&s, r, REC_BEHIND, 910);
	GIVE(&s, r, REC_BEHIND, 920);
	r.h.len = offsetof(struct rec_behind, quota_us);
	assemble_record(s.a, &r.h);
	served(&s, &e, STATE_THROTTLE);
	expect_part(scene_request(&s, 1), NULL, CAUSE_THROTTLE, "quota 0.5 CPU of nginx.service",
		    480);
	expect_part(scene_request(&s, 1), NULL, CAUSE_THROTTLE, "", 420);
	scene_end(&s);
}

/* Who had the CPU just before had it for 0.3 of the 0.9 ms. */
static void test_runq_is_behind_who_ran(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	give_runq_ran(&s, 900, 0, "ticker", 300);
	r = served(&s, &e, STATE_RUNQ);
	expect_part(r, NULL, CAUSE_RUNQ, "behind ticker", 300);
	scene_end(&s);
}

static void test_who_ran_instead(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	give_runq(&s, 300, 0, "xz");
	give_runq(&s, 250, 50, "xz"); /* 200 of it were no quota */
	give_runq(&s, 150, 0, ""); /* the CPU was idle */
	give_runq(&s, 50, 80, "ld"); /* damaged: nothing is left */
	r = served(&s, &e, STATE_RUNQ);
	expect_part(r, NULL, CAUSE_RUNQ, "behind xz", 500);
	expect_part(r, NULL, CAUSE_RUNQ, "", 400);
	scene_end(&s);
}

static void give_net(struct scene *s, uint64_t xid, uint64_t conn, uint32_t srtt_us, uint32_t again,
		     uint64_t window_us)
{
	struct rec_net r = { .xid = xid,
			     .conn = conn,
			     .srtt_us = srtt_us,
			     .retransmits = again,
			     .peer_window_ns = US(window_us) };

	GIVE(s, r, REC_NET, 900);
}

static void test_network_of_the_client(void **state)
{
	static const struct {
		uint32_t srtt_us, again;
		uint64_t window_us;
		const char *what;
	} cases[] = {
		{ 999, 0, 0, "" },
		{ 1000, 0, 0, "rtt ~1ms" },
		{ 48700, 0, 0, "rtt ~20ms" },
		{ 51000, 2, 0, "rtt ~50ms, retransmits" },
		{ 100, 0, 4000, "peer window full" },
		{ 3000000, 1, 4000, "rtt ~2000ms, retransmits, peer window full" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene s;
		struct xchg e;

		scene_init(&s);
		give_net(&s, 1, 1, cases[i].srtt_us, cases[i].again, cases[i].window_us);
		expect_part(served(&s, &e, STATE_SEND), NULL, CAUSE_SEND, cases[i].what, 900);
		scene_end(&s);
	}
}

/* The round trip is told once; a call later on the same connection has it too. */
static void test_network_of_a_call(void **state)
{
	const struct request *r;
	struct xchg e, call;
	struct scene s;

	(void)state;
	scene_init(&s);
	xchg_tcp_call(&call, 2, 20, FPM, 1, 9000);
	xchg_request(&call, "x", 1, 110, 110);
	ANSWER(&call, "y", 300);
	xchg_spend(&call, SLICE_MID, STATE_RECV, 190);
	scene_xchg(&s, &call, XCHG_OPEN, 310);
	give_net(&s, 2, 20, 20000, 0, 0);
	xchg_next(&call, 3);
	xchg_request(&call, "x", 1, 310, 310);
	ANSWER(&call, "y", 500);
	xchg_spend(&call, SLICE_MID, STATE_RECV, 190);
	scene_xchg(&s, &call, XCHG_CLOSED, 510);
	xchg_accepted(&e, 1, 1, FPM, 80);
	xchg_request(&e, "GET /a HTTP/1.1\r\n\r\n", 19, 0, 0);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 620);
	ANSWER(&e, OK, 1000);
	scene_xchg(&s, &e, XCHG_CLOSED, 1100);
	scene_tick(&s, 1200);
	r = scene_request(&s, 1);
	expect_part(r, NULL, CAUSE_UPSTREAM, "rtt ~20ms", 380);
	scene_end(&s);
}

/* A request may have more waits than are kept: what is left over stays with its own cause. */
static void test_many_waits_of_two_kinds(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	give_io(&s, STATE_DISK, IO_SEEN, "vda", "", (uint64_t[]){ 1, 0, 0, 1 });
	for (int i = 0; i < 300; i++)
		give_runq(&s, 2, 0, "xz");
	give_io(&s, STATE_DISK, IO_SEEN, "vda", "", (uint64_t[]){ 5, 0, 0, 5 });
	r = served(&s, &e, STATE_RUNQ);
	expect_part(r, NULL, CAUSE_RUNQ, "behind xz", 600);
	expect_part(r, NULL, CAUSE_RUNQ, "", 300);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk_by_phase),
		cmocka_unit_test(test_disk_names_the_limit),
		cmocka_unit_test(test_disk_without_a_request),
		cmocka_unit_test(test_wait_after_the_answer),
		cmocka_unit_test(test_damaged_io),
		cmocka_unit_test(test_who_ran_instead),
		cmocka_unit_test(test_runq_is_behind_all_who_ran),
		cmocka_unit_test(test_throttle_names_the_quota),
		cmocka_unit_test(test_runq_is_behind_who_ran),
		cmocka_unit_test(test_network_of_the_client),
		cmocka_unit_test(test_network_of_a_call),
		cmocka_unit_test(test_many_waits_of_two_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
