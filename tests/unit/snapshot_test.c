// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots from a few requests whose figures were worked out by hand: ranking, shares, means
 * that sum, hotspots with their waiters and occupants, requests in flight, and each verdict.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/intern.h"
#include "rank/rank.h"

#define MS 1000000ull
#define S 1000000000ull
#define T0 (1000 * S)
#define UNIX0 (1700000000ull * S)

enum { WEB = 10, FPM = 11, DB = 12, VIEW = 20, QUIZ = 21, STATEMENT = 30, POOL = 31, SESSION = 32 };

static struct aggregate *a;

static int setup(void **state)
{
	struct aggregate_options o = { .report = true, .origin_ns = T0 };

	(void)state;
	a = aggregate_new(&o);
	return a ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	aggregate_free(a);
	return 0;
}

#define PART(who_, cause_, what_, ms_) \
	{ \
		.who = (who_), .cause = CAUSE_##cause_, .what = (what_), .count = 1, \
		.ns = (ms_)*MS \
	}

static struct request request_of(uint32_t service, uint32_t route, uint64_t start_ms,
				 uint32_t flags, struct part *parts, size_t n)
{
	struct request r = { .service = service,
			     .route = route,
			     .start_ns = T0 + start_ms * MS,
			     .flags = flags,
			     .parts = { parts, n, n },
			     .binding = 'R' };

	r.end_ns = r.start_ns + parts_sum_ns(&r.parts);
	return r;
}

static void add(uint32_t service, uint32_t route, uint64_t start_ms, uint32_t flags,
		struct part *parts, size_t n)
{
	struct request r = request_of(service, route, start_ms, flags, parts, n);

	r.xid = start_ms + 1;
	assert_int_equal(aggregate_add(a, &r), 0);
}

static struct snapshot *build(struct snapshot_input *in)
{
	struct snapshot *s;

	in->end_ns = in->end_ns ? in->end_ns : T0 + 10 * S;
	in->realtime_offset_ns = (int64_t)(UNIX0 - T0);
	s = snapshot_build(a, in);
	assert_non_null(s);
	return s;
}

static void assert_near(double got, double want)
{
	if (fabs(got - want) > 1e-6)
		fail_msg("%.9g is not %.9g", got, want);
}

/* Sums and orders that hold in every snapshot. */
static void check_invariants(const struct snapshot *s)
{
	double shares = 0, wait = 0;

	for (size_t i = 0; i < s->n_routes; i++) {
		const struct snap_route *r = &s->routes[i];
		double causes = 0, trend = 0;
		uint64_t us = 0;

		for (size_t p = 0; p < r->n_parts; p++) {
			us += r->parts[p].us;
			assert_true(!p || r->parts[p - 1].us >= r->parts[p].us);
		}
		assert_int_equal(us, r->wall_us);
		for (int c = 0; c < CAUSE_COUNT; c++)
			causes += r->wait_by_cause[c];
		for (int t = 0; t < SNAP_TREND; t++)
			trend += r->trend[t] / SNAP_TREND;
		assert_near(causes, r->wait_s_per_s);
		assert_near(trend, r->wait_s_per_s);
		assert_true(!i || s->routes[i - 1].wait_s_per_s >= r->wait_s_per_s);
		shares += r->wait_share;
		wait += r->entry ? r->wait_s_per_s : 0;
		assert_true(r->entry || r->wait_share == 0);
	}
	assert_near(wait, s->wait_s_per_s);
	assert_near(shares, s->wait_s_per_s > 0 ? 1 : 0);
	for (size_t i = 0; i < s->n_hotspots; i++) {
		const struct snap_hotspot *h = &s->hotspots[i];
		double routes = 0;

		for (size_t r = 0; r < h->n_routes; r++)
			routes += h->routes[r].wait_s_per_s;
		assert_near(routes, h->wait_s_per_s);
		assert_true(!i || s->hotspots[i - 1].wait_s_per_s >= h->wait_s_per_s);
	}
	for (size_t i = 0; i < s->n_requests_v; i++) {
		uint64_t us = 0;

		for (size_t p = 0; p < s->requests_v[i].n_parts; p++)
			us += s->requests_v[i].parts[p].us;
		assert_int_equal(us, s->requests_v[i].wall_us);
	}
}

/*
 * Ten seconds. VIEW three times 1 s (cpu 200, queue 300 for php-fpm, db 500), QUIZ once 2 s
 * (lock 1500 held by VIEW, cpu 500). The php-fpm children of the VIEWs: 1 s, of which 300 queue.
 */
static void add_scene(void)
{
	for (uint64_t i = 0; i < 3; i++) {
		struct part view[] = { PART(WEB, CPU, 0, 200), PART(FPM, QUEUE, POOL, 300),
				       PART(DB, DB, STATEMENT, 500) };
		struct part child[] = { PART(FPM, QUEUE, POOL, 300), PART(FPM, CPU, 0, 200),
					PART(DB, DB, STATEMENT, 500) };

		add(WEB, VIEW, 1000 + i * 2000, REQUEST_ENTRY, view, 3);
		add(FPM, VIEW, 1000 + i * 2000, 0, child, 3);
	}
	add(WEB, QUIZ, 7000, REQUEST_ENTRY | REQUEST_ERROR,
	    (struct part[]){ { .who = FPM,
			       .cause = CAUSE_LOCK,
			       .what = SESSION,
			       .held_by = VIEW,
			       .via = 77,
			       .count = 1,
			       .ns = 1500 * MS },
			     PART(WEB, CPU, 0, 500) },
	    2);
}

static void test_routes_and_totals(void **state)
{
	struct snapshot_input in = { .list_requests = true };
	struct snapshot *s;

	(void)state;
	add_scene();
	s = build(&in);
	check_invariants(s);
	assert_int_equal(s->start_unix_us, UNIX0 / 1000);
	assert_int_equal(s->window_us, 10000000);
	/* Entry requests: 3 + 1; 3 s + 2 s of waiting in 10 s. */
	assert_int_equal(s->requests, 4);
	assert_int_equal(s->errors, 1);
	assert_near(s->error_ratio, 0.25);
	assert_near(s->req_per_s, 0.4);
	assert_near(s->wait_s_per_s, 0.5);
	assert_near(s->in_flight_mean, 0.5);
	assert_int_equal(s->p50_us, 1000000);
	assert_int_equal(s->p95_us, 2000000);
	assert_int_equal(s->max_us, 2000000);
	assert_int_equal(s->n_routes, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct snap_route *r = &s->routes[i];

		if (r->route == QUIZ) {
			assert_int_equal(r->requests, 1);
			assert_int_equal(r->wall_us, 2000000);
			assert_near(r->wait_share, 0.4);
			assert_int_equal(r->parts[0].held_by, VIEW);
			continue;
		}
		assert_int_equal(r->entry, r->service == WEB);
		assert_int_equal(r->wall_us, 1000000);
		assert_int_equal(r->n_parts, 3);
		assert_int_equal(r->parts[0].cause, CAUSE_DB);
		assert_int_equal(r->parts[0].us, 500000);
		assert_near(r->parts[0].count, 1);
		assert_near(r->wait_share, r->entry ? 0.6 : 0);
		assert_near(r->wait_by_cause[CAUSE_QUEUE], 0.09);
	}
	assert_int_equal(s->n_requests_v, 7);
	for (size_t i = 1; i < 7; i++)
		assert_true(s->requests_v[i - 1].start_unix_us <= s->requests_v[i].start_unix_us);
	assert_int_equal(s->requests_v[0].start_unix_us, UNIX0 / 1000 + 1000000);
	snapshot_free(s);
}

static void test_hotspots(void **state)
{
	struct snapshot_input in = { 0 };
	const struct snap_hotspot *h;
	struct snapshot *s;

	(void)state;
	add_scene();
	s = build(&in);
	check_invariants(s);
	/* db 1.5 s and lock 1.5 s, cpu of nginx 1.1 s, queue 0.9 s, all in 10 s. */
	assert_int_equal(s->n_hotspots, 4);
	h = &s->hotspots[0];
	assert_int_equal(h->cause, CAUSE_LOCK); /* of equals the first cause */
	assert_int_equal(h->who, FPM);
	assert_int_equal(h->held_by, VIEW);
	assert_int_equal(h->via, 77);
	assert_near(h->wait_s_per_s, 0.15);
	assert_near(h->share, 0.3);
	assert_int_equal(h->n_routes, 1);
	assert_int_equal(h->routes[0].route, QUIZ);
	assert_int_equal(h->n_occupied_by, 0);
	h = &s->hotspots[2];
	assert_int_equal(h->cause, CAUSE_CPU);
	assert_int_equal(h->n_routes, 2);
	assert_int_equal(h->routes[0].route, VIEW); /* 0.6 s against 0.5 s */
	h = &s->hotspots[3];
	assert_int_equal(h->cause, CAUSE_QUEUE);
	assert_int_equal(h->what, POOL);
	assert_near(h->wait_s_per_s, 0.09);
	/* php-fpm's workers had VIEW in hand for 3 × 700 ms: without its queue. */
	assert_int_equal(h->n_occupied_by, 1);
	assert_int_equal(h->occupied_by[0].route, VIEW);
	assert_near(h->occupied_by[0].wait_s_per_s, 0.21);
	snapshot_free(s);
}

static void test_loop_is_occupied_by_work_alone(void **state)
{
	struct snapshot_input in = { 0 };
	struct snapshot *s;

	(void)state;
	add(WEB, VIEW, 0, REQUEST_ENTRY,
	    (struct part[]){ PART(WEB, LOOP, 0, 900), PART(WEB, CPU, 0, 100) }, 2);
	add(WEB, QUIZ, 0, REQUEST_ENTRY,
	    (struct part[]){ PART(WEB, CPU, 0, 700), PART(WEB, DISK, 0, 100), PART(DB, DB, 0, 100),
			     PART(DB, DISK, 0, 50) },
	    4);
	s = build(&in);
	check_invariants(s);
	assert_int_equal(s->hotspots[0].cause, CAUSE_LOOP);
	assert_int_equal(s->hotspots[0].n_occupied_by, 2);
	assert_int_equal(s->hotspots[0].occupied_by[0].route, QUIZ);
	assert_near(s->hotspots[0].occupied_by[0].wait_s_per_s, 0.08);
	assert_near(s->hotspots[0].occupied_by[1].wait_s_per_s, 0.01);
	snapshot_free(s);
}

/* One row for a service's waits for a CPU, which tells whom they are behind. */
static void test_runq_is_one_hotspot(void **state)
{
	struct snapshot_input in = { 0 };
	struct snapshot *s;
	uint32_t xz = intern_str("behind xz"), ld = intern_str("behind ld");

	(void)state;
	add(WEB, VIEW, 0, REQUEST_ENTRY,
	    (struct part[]){ PART(WEB, RUNQ, xz, 300), PART(WEB, RUNQ, ld, 400),
			     PART(WEB, RUNQ, STATEMENT, 200), PART(WEB, CPU, 0, 100) },
	    4);
	add(WEB, QUIZ, 0, REQUEST_ENTRY, (struct part[]){ PART(WEB, RUNQ, xz, 300) }, 1);
	s = build(&in);
	check_invariants(s);
	assert_int_equal(s->n_hotspots, 2);
	assert_int_equal(s->hotspots[0].cause, CAUSE_RUNQ);
	assert_int_equal(s->hotspots[0].what, 0);
	assert_near(s->hotspots[0].wait_s_per_s, 0.12);
	assert_int_equal(s->hotspots[0].n_occupied_by, 2);
	assert_int_equal(s->hotspots[0].occupied_by[0].route, xz);
	assert_near(s->hotspots[0].occupied_by[0].wait_s_per_s, 0.06);
	assert_near(s->hotspots[0].occupied_by[1].wait_s_per_s, 0.04);
	snapshot_free(s);
}

static void test_open_requests_count(void **state)
{
	/* One that began 4 s before the end, queued for 3 s; its row has no finished request. */
	struct part parts[] = { PART(FPM, QUEUE, POOL, 3000), PART(FPM, CPU, 0, 1000) };
	struct request r = request_of(FPM, QUIZ, 6000, REQUEST_ENTRY | REQUEST_OPEN, parts, 2);
	/* One that began before the window: half of it counts. */
	struct part old[] = { PART(FPM, CPU, 0, 20000) };
	struct request before = request_of(FPM, VIEW, 0, REQUEST_ENTRY | REQUEST_OPEN, old, 1);
	const struct request *open[] = { &r, &before };
	struct snapshot_input in = { .open = open, .n_open = 2, .list_requests = true };
	struct snapshot *s;

	(void)state;
	before.start_ns -= 10 * S;
	before.end_ns -= 10 * S;
	s = build(&in);
	check_invariants(s);
	assert_int_equal(s->requests, 0);
	assert_near(s->wait_s_per_s, 1.4);
	assert_int_equal(s->n_routes, 2);
	assert_int_equal(s->routes[0].route, VIEW);
	assert_near(s->routes[0].wait_s_per_s, 1);
	assert_int_equal(s->routes[1].in_flight, 1);
	/* The panel counts them as the verdict does: by their whole time so far. */
	assert_int_equal(s->routes[1].wall_us, 4000000);
	assert_int_equal(s->routes[1].parts[0].us, 3000000);
	assert_int_equal(s->routes[0].wall_us, 20000000);
	assert_near(s->top.cause_share, 1);
	assert_near(s->routes[1].wait_by_cause[CAUSE_QUEUE], 0.3);
	/* A pile-up shows in the last part of the trend: 6 s is in the fifth eighth. */
	assert_near(s->routes[1].trend[3], 0);
	assert_near(s->routes[1].trend[4], 0.2);
	assert_near(s->routes[1].trend[7], 1);
	assert_int_equal(s->verdict, SNAP_VERDICT_WAIT);
	assert_int_equal(s->n_requests_v, 2);
	assert_true(s->requests_v[0].open);
	snapshot_free(s);
}

static void test_rounding_of_a_mean(void **state)
{
	struct snapshot_input in = { 0 };
	struct snapshot *s;

	(void)state;
	/* 7 requests of 1000.3 us in three parts that do not divide evenly. */
	for (uint64_t i = 0; i < 7; i++) {
		struct part parts[] = { { .who = WEB, .cause = CAUSE_CPU, .ns = 333433 + i },
					{ .who = WEB, .cause = CAUSE_DISK, .ns = 333433 },
					{ .who = WEB, .cause = CAUSE_LOCK, .ns = 333434 - i } };

		add(WEB, VIEW, i, REQUEST_ENTRY, parts, 3);
	}
	s = build(&in);
	check_invariants(s);
	assert_int_equal(s->routes[0].wall_us, 1000);
	assert_int_equal(s->routes[0].parts[0].us + s->routes[0].parts[1].us +
				 s->routes[0].parts[2].us,
			 1000);
	snapshot_free(s);
}

static enum snap_verdict_kind verdict_now(struct snapshot_input in)
{
	struct snapshot *s = build(&in);
	enum snap_verdict_kind kind = s->verdict;

	check_invariants(s);
	snapshot_free(s);
	return kind;
}

static void test_verdicts(void **state)
{
	struct snapshot_input in = { 0 };
	struct snapshot *s;

	(void)state;
	assert_int_equal(verdict_now(in), SNAP_VERDICT_NO_DATA);
	/* 0.9 s in 10 s is less than 0.1 s/s. */
	add(WEB, VIEW, 0, REQUEST_ENTRY, (struct part[]){ PART(WEB, CPU, 0, 900) }, 1);
	assert_int_equal(verdict_now(in), SNAP_VERDICT_NOTHING);
	/* A child's waiting is not counted again. */
	add(FPM, VIEW, 0, 0, (struct part[]){ PART(FPM, CPU, 0, 900) }, 1);
	assert_int_equal(verdict_now(in), SNAP_VERDICT_NOTHING);
	add_scene();
	s = build(&in);
	assert_int_equal(s->verdict, SNAP_VERDICT_WAIT);
	/* VIEW now has 3.9 s of 5.9: db 1.5, cpu 1.5 (the first cause of equals), queue 0.9. */
	assert_int_equal(s->top.route, VIEW);
	assert_near(s->top.route_share, 3.9 / 5.9);
	assert_int_equal(s->top.cause, CAUSE_CPU);
	assert_near(s->top.cause_share, 1.5 / 3.9);
	snapshot_free(s);
	/* Unknown time by two services leads together: 1 + 1 s. */
	add(WEB, VIEW, 8000, REQUEST_ENTRY,
	    (struct part[]){ PART(WEB, UNKNOWN, 0, 1000), PART(FPM, UNKNOWN, 0, 1000) }, 2);
	assert_int_equal(verdict_now(in), SNAP_VERDICT_UNKNOWN);
	/* One incomplete request among 7 is more than 5 %. */
	add(WEB, VIEW, 9000, REQUEST_ENTRY | REQUEST_INCOMPLETE,
	    (struct part[]){ PART(WEB, CPU, 0, 100) }, 1);
	assert_int_equal(verdict_now(in), SNAP_VERDICT_INCOMPLETE);
}

static void test_verdict_names_the_largest_what(void **state)
{
	struct snapshot_input in = { 0 };
	struct snapshot *s;

	(void)state;
	/* db is 900 of 1600 over three statements, though no single one beats the cpu's 700; the
	 * sum of many small ones is not a name. */
	add(WEB, VIEW, 0, REQUEST_ENTRY,
	    (struct part[]){ PART(WEB, CPU, 0, 700), PART(DB, DB, 91, 200),
			     PART(DB, DB, INTERN_OTHER, 400), PART(DB, DB, 92, 300) },
	    4);
	s = build(&in);
	assert_int_equal(s->top.cause, CAUSE_DB);
	assert_int_equal(s->top.who, DB);
	assert_int_equal(s->top.what, 92);
	assert_near(s->top.cause_share, 900.0 / 1600);
	assert_near(s->top.what_share, 300.0 / 1600);
	snapshot_free(s);
}

/* Who holds the lock is not known of waits that go on, but of those that have ended. */
static void test_verdict_prefers_a_holder(void **state)
{
	struct part known = PART(WEB, LOCK, SESSION, 300);
	struct snapshot_input in = { 0 };
	struct snapshot *s;

	(void)state;
	known.held_by = QUIZ;
	add(WEB, VIEW, 0, REQUEST_ENTRY, (struct part[]){ PART(WEB, LOCK, SESSION, 1100), known },
	    2);
	s = build(&in);
	assert_int_equal(s->top.held_by, QUIZ);
	assert_near(s->top.cause_share, 1);
	assert_near(s->top.what_share, 300.0 / 1400);
	snapshot_free(s);
}

/* 200 requests of 4.6 ms in a second: much in flight, but nobody notices. */
static void test_verdict_of_a_calm_host(void **state)
{
	struct part parts[] = { { .who = WEB, .cause = CAUSE_CPU, .ns = 4600000 } };
	struct part stuck[] = { PART(FPM, CPU, 0, 150) };
	struct request r = request_of(FPM, QUIZ, 9000, REQUEST_ENTRY | REQUEST_OPEN, stuck, 1);
	const struct request *open[] = { &r };
	struct snapshot_input in = { 0 }, with_open = { .open = open, .n_open = 1 };

	(void)state;
	for (uint64_t i = 0; i < 2000; i++)
		add(WEB, VIEW, i * 5, REQUEST_ENTRY, parts, 1);
	assert_int_equal(verdict_now(in), SNAP_VERDICT_CALM);
	assert_int_equal(verdict_now(with_open), SNAP_VERDICT_WAIT);
	/* One in 2,000 does not change that, 5 % that wait 20 ms do. */
	add(WEB, VIEW, 1, REQUEST_ENTRY, (struct part[]){ PART(WEB, CPU, 0, 900) }, 1);
	assert_int_equal(verdict_now(in), SNAP_VERDICT_CALM);
	for (uint64_t i = 0; i < 120; i++)
		add(WEB, VIEW, i * 5, REQUEST_ENTRY, (struct part[]){ PART(WEB, DISK, 0, 20) }, 1);
	assert_int_equal(verdict_now(in), SNAP_VERDICT_WAIT);
}

/* The mean of one that took 1 s for the disk and one that has waited 3 s for a lock so far. */
static void test_verdict_and_panel_agree(void **state)
{
	struct part parts[] = { PART(WEB, LOCK, SESSION, 3000) };
	struct request r = request_of(WEB, VIEW, 7000, REQUEST_ENTRY | REQUEST_OPEN, parts, 1);
	const struct request *open[] = { &r };
	struct snapshot_input in = { .open = open, .n_open = 1 };
	struct snapshot *s;

	(void)state;
	add(WEB, VIEW, 0, REQUEST_ENTRY, (struct part[]){ PART(WEB, DISK, 0, 1000) }, 1);
	s = build(&in);
	check_invariants(s);
	assert_int_equal(s->routes[0].wall_us, 2000000);
	assert_int_equal(s->routes[0].parts[0].cause, CAUSE_LOCK);
	assert_int_equal(s->routes[0].parts[0].us, 1500000);
	assert_int_equal(s->top.cause, CAUSE_LOCK);
	assert_near(s->top.cause_share, 0.75);
	assert_near(s->top.what_share, 0.75);
	snapshot_free(s);
}

static void test_pools(void **state)
{
	const struct snap_pool pools[] = { { FPM, RANK_BUSY_DERIVE, 50 },
					   { WEB, 3, 4 },
					   { DB, 9, 5 } };
	struct snapshot_input in = { .pools = pools, .n_pools = 3 };
	struct snapshot *s;

	(void)state;
	add_scene();
	/* 12.3 s more in hand within 10 s, beside the scene's 2.1 s: 1.44 busy. */
	for (uint64_t i = 0; i < 3; i++)
		add(FPM, QUIZ, i * 100, 0, (struct part[]){ PART(FPM, CPU, 0, 4100) }, 1);
	s = build(&in);
	assert_int_equal(s->n_pools, 3);
	assert_int_equal(s->pools[0].busy, 2);
	assert_int_equal(s->pools[0].workers, 50);
	assert_int_equal(s->pools[1].busy, 3);
	assert_int_equal(s->pools[2].busy, 5);
	snapshot_free(s);
}

static void test_listing(void **state)
{
	struct snapshot_input in = { .list_requests = true };
	struct part parts[] = { PART(WEB, CPU, 0, 5) };
	struct request r = request_of(WEB, VIEW, 100, REQUEST_ENTRY, parts, 1);
	struct request_call calls[] = { { .peer = DB,
					  .what = STATEMENT,
					  .error = true,
					  .start_ns = r.start_ns + 2 * MS,
					  .wall_ns = 1500 } };
	struct request_mark marks[] = { { .at_ns = r.start_ns + 3 * MS, .label = 9 } };
	const struct snap_request *q;
	struct snapshot *s;

	(void)state;
	r.calls = calls;
	r.n_calls = 1;
	r.marks = marks;
	r.n_marks = 1;
	r.first_byte_ns = r.start_ns + 4 * MS;
	r.status = 503;
	assert_int_equal(aggregate_add(a, &r), 0);
	add_scene();
	s = build(&in);
	check_invariants(s);
	assert_int_equal(s->n_requests_v, 8);
	assert_int_equal(s->requests_dropped, 0);
	q = &s->requests_v[0];
	assert_int_equal(q->wall_us, 5000);
	assert_int_equal(q->first_byte_us, 4000);
	assert_int_equal(q->status, 503);
	assert_int_equal(q->binding, 'R');
	assert_int_equal(q->n_calls, 1);
	assert_int_equal(q->calls[0].start_us, 2000);
	assert_int_equal(q->calls[0].wall_us, 2); /* 1.5 us, rounded */
	assert_true(q->calls[0].error);
	assert_int_equal(q->marks[0].at_us, 3000);
	assert_int_equal(q->marks[0].label, 9);
	snapshot_free(s);
	/* Bounded: the slowest first, and how many are left out. */
	in.max_requests = 3;
	s = build(&in);
	assert_int_equal(s->n_requests_v, 3);
	assert_int_equal(s->requests_v[0].wall_us, 2000000);
	assert_int_equal(s->requests_dropped, 8 - 3);
	snapshot_free(s);
	/* Live that is by intent. */
	in.live = true;
	s = build(&in);
	assert_int_equal(s->requests_v[0].wall_us, 2000000);
	assert_int_equal(s->requests_dropped, 0);
	snapshot_free(s);
}

/* Two streams and a page of one route: the page alone is in percentiles, all are in the mean. */
static void test_streams(void **state)
{
	struct snapshot_input in = { .list_requests = true };
	struct part first[] = { PART(WEB, UPSTREAM, 0, 900) };
	struct part second[] = { PART(WEB, UPSTREAM, 0, 1500) };
	struct part page[] = { PART(WEB, CPU, 0, 6) };
	struct request r = request_of(WEB, VIEW, 100, REQUEST_ENTRY | REQUEST_STREAM, first, 1);
	struct snapshot *s;

	(void)state;
	r.first_byte_ns = r.start_ns + 500 * MS;
	r.last_byte_ns = r.end_ns;
	r.sends = 11;
	assert_int_equal(aggregate_add(a, &r), 0);
	r = request_of(WEB, VIEW, 200, REQUEST_ENTRY | REQUEST_STREAM, second, 1);
	r.first_byte_ns = r.start_ns + 300 * MS;
	r.last_byte_ns = r.end_ns;
	r.sends = 31;
	assert_int_equal(aggregate_add(a, &r), 0);
	add(WEB, VIEW, 300, REQUEST_ENTRY, page, 1);
	s = build(&in);
	assert_int_equal(s->n_routes, 1);
	assert_int_equal(s->routes[0].streams, 2);
	assert_int_equal(s->routes[0].stream_first_us, 400000);
	assert_int_equal(s->routes[0].stream_gap_us, (400 + 1200) * 1000 / 40);
	assert_int_equal(s->routes[0].stream_wall_us, 1200000);
	assert_int_equal(s->routes[0].wall_us, (900 + 1500 + 6) * 1000 / 3);
	assert_int_equal(s->routes[0].max_us, 6000);
	assert_int_equal(s->requests_v[0].gap_us, 40000);
	assert_int_equal(s->requests_v[0].sends, 11);
	assert_true(s->requests_v[0].stream);
	assert_int_equal(s->requests_v[2].gap_us, 0);
	snapshot_free(s);
}

static void test_open_routes_are_bounded(void **state)
{
	enum { N = RANK_OPEN_ROWS_MAX + 500 };
	struct part parts[] = { PART(WEB, CPU, 0, 1) };
	struct request *v = calloc(N, sizeof(*v));
	const struct request **open = calloc(N, sizeof(*open));
	struct snapshot_input in = { .open = open, .n_open = N };
	uint64_t in_flight = 0;
	struct snapshot *s;

	(void)state;
	assert_non_null(v);
	assert_non_null(open);
	for (uint32_t i = 0; i < N; i++) {
		v[i] = request_of(WEB, 5000 + i, 1, REQUEST_ENTRY | REQUEST_OPEN, parts, 1);
		open[i] = &v[i];
	}
	s = build(&in);
	check_invariants(s);
	assert_int_equal(s->n_routes, RANK_OPEN_ROWS_MAX + 1);
	for (size_t i = 0; i < s->n_routes; i++)
		in_flight += s->routes[i].in_flight;
	assert_int_equal(in_flight, N);
	assert_int_equal(s->routes[0].route, INTERN_OTHER);
	assert_int_equal(s->routes[0].in_flight, 500);
	assert_int_equal(s->n_hotspots, 1);
	/* 500 of "other" and the smallest are one line, the largest here. */
	assert_int_equal(s->hotspots[0].n_routes, RANK_HOTSPOT_ROUTES_MAX - 1);
	assert_int_equal(s->hotspots[0].routes[0].route, INTERN_OTHER);
	snapshot_free(s);
	free(v);
	free(open);
}

#define SNAP_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SNAP_TEST(test_routes_and_totals),
		SNAP_TEST(test_hotspots),
		SNAP_TEST(test_loop_is_occupied_by_work_alone),
		SNAP_TEST(test_runq_is_one_hotspot),
		SNAP_TEST(test_open_requests_count),
		SNAP_TEST(test_rounding_of_a_mean),
		SNAP_TEST(test_verdicts),
		SNAP_TEST(test_verdict_names_the_largest_what),
		SNAP_TEST(test_verdict_prefers_a_holder),
		SNAP_TEST(test_verdict_of_a_calm_host),
		SNAP_TEST(test_verdict_and_panel_agree),
		SNAP_TEST(test_pools),
		SNAP_TEST(test_listing),
		SNAP_TEST(test_streams),
		SNAP_TEST(test_open_routes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
