// SPDX-License-Identifier: GPL-2.0-only
/*
 * Aggregation by hand: where a request's time and its parts land, what the windows sum to, and
 * that every bound (groups, parts, buckets, bytes, kept requests) holds with exact sums.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aggregate/aggregate.h"
#include "base/intern.h"

#define MS 1000000ull
#define S 1000000000ull
#define T0 (1000 * S) /* origin of most tests */

enum { SVC = 10, ROUTE = 20, PEER = 30 };

static struct part v_parts[400];

/* A request of the test service: all its time is cpu unless parts are set afterwards. */
static struct request req(uint64_t start, uint64_t end, uint32_t flags)
{
	v_parts[0] = (struct part){ .who = SVC, .cause = CAUSE_CPU, .count = 1, .ns = end - start };
	return (struct request){ .service = SVC,
				 .route = ROUTE,
				 .start_ns = start,
				 .end_ns = end,
				 .flags = flags,
				 .parts = { v_parts, 1, 1 } };
}

static void add(struct aggregate *a, const struct request *r)
{
	assert_int_equal(aggregate_add(a, r), 0);
}

static struct aggregate *live(void)
{
	struct aggregate_options o = { .origin_ns = T0 };
	struct aggregate *a = aggregate_new(&o);

	assert_non_null(a);
	return a;
}

static struct aggregate_sum sum_of(const struct aggregate *a, size_t i, uint64_t end, uint64_t len)
{
	struct aggregate_window w = aggregate_window(a, end, len);
	struct aggregate_sum sum;

	assert_int_equal(aggregate_group_sum(a, i, &w, &sum), 0);
	return sum;
}

/* All groups of an aggregate over all time, as one. */
struct total {
	uint64_t requests, wait_ns, done_wall_ns, counted_parts_ns, wait_parts_ns;
};

static struct total total_of(const struct aggregate *a, uint64_t end)
{
	struct total t = { 0 };

	for (size_t i = 0; i < aggregate_groups(a); i++) {
		struct aggregate_sum sum = sum_of(a, i, end, 0);

		t.requests += sum.requests;
		t.wait_ns += sum.wait_ns;
		t.done_wall_ns += sum.counted_wall_ns;
		t.counted_parts_ns += parts_sum_ns(&sum.counted_parts);
		t.wait_parts_ns += parts_sum_ns(&sum.wait_parts);
		aggregate_sum_release(&sum);
	}
	return t;
}

static void test_overlap_by_bucket(void **state)
{
	struct aggregate *a = live();
	/* 3.5 s long: from 0.7 s to 4.2 s; 2/7 cpu, 5/7 db. */
	struct request r = req(T0 + 700 * MS, T0 + 4200 * MS, REQUEST_ENTRY);
	struct part parts[] = {
		{ .who = SVC, .cause = CAUSE_CPU, .count = 1, .ns = 1 * S },
		{ .who = PEER, .cause = CAUSE_DB, .count = 3, .ns = 2500 * MS },
	};
	struct aggregate_sum sum;

	(void)state;
	r.parts = (struct parts){ parts, 2, 2 };
	add(a, &r);
	/* The whole of it. */
	sum = sum_of(a, 0, T0 + 5 * S, 0);
	assert_int_equal(sum.requests, 1);
	assert_int_equal(sum.wait_ns, 3500 * MS);
	assert_int_equal(parts_sum_ns(&sum.wait_parts), 3500 * MS);
	assert_int_equal(parts_sum_ns(&sum.counted_parts), 3500 * MS);
	assert_int_equal(sum.counted_parts.v[1].count, 3);
	aggregate_sum_release(&sum);
	/* Two seconds that end at 4 s: bucket 2 to 4, the last of which has 200 ms. It ended in
	 * the window, so it counts; 2.2 s of it waited there, 2/7 of them cpu. */
	sum = sum_of(a, 0, T0 + 4 * S, 2 * S);
	assert_int_equal(sum.requests, 1);
	assert_int_equal(sum.wait_ns, 2200 * MS);
	assert_true(llabs((long long)sum.wait_parts.v[0].ns - 628571428) <= 2);
	assert_int_equal(parts_sum_ns(&sum.counted_parts), 3500 * MS);
	aggregate_sum_release(&sum);
	/* Before it ended: waiting only. */
	sum = sum_of(a, 0, T0 + 2500 * MS, 1 * S);
	assert_int_equal(sum.requests, 0);
	assert_int_equal(sum.counted, 0);
	assert_int_equal(sum.wait_ns, 2 * S); /* buckets 1 and 2 */
	aggregate_sum_release(&sum);
	/* Trend over 0 s to 4 s: eighths of 500 ms; bucket 0's 300 ms are spread over the first
	 * two, every full bucket gives 500 ms to each of its two. */
	sum = sum_of(a, 0, T0 + 4 * S - 1, 0);
	assert_true(fabs(sum.trend_ns[0] - 150e6) < 10 && fabs(sum.trend_ns[1] - 150e6) < 10);
	for (int i = 2; i < 8; i++)
		assert_true(fabs(sum.trend_ns[i] - 500e6) < 10);
	aggregate_sum_release(&sum);
	aggregate_free(a);
}

static void test_flags_decide_what_counts(void **state)
{
	struct aggregate *a = live();
	struct request r;
	struct aggregate_sum sum;

	(void)state;
	r = req(T0 + 1 * MS, T0 + 11 * MS, REQUEST_ENTRY);
	add(a, &r);
	r = req(T0 + 1 * MS, T0 + 21 * MS, REQUEST_ENTRY | REQUEST_ABORTED);
	add(a, &r);
	r = req(T0 + 1 * MS, T0 + 101 * MS, REQUEST_ENTRY | REQUEST_INCOMPLETE | REQUEST_ERROR);
	add(a, &r);
	r = req(T0 + 1 * MS, T0 + 901 * MS, REQUEST_ENTRY | REQUEST_STREAM);
	add(a, &r);
	/* One that came before measuring began waits from then on, and that is all that is known. */
	r = req(T0 + 1 * MS, T0 + 801 * MS, REQUEST_ENTRY | REQUEST_BEFORE);
	add(a, &r);
	/* Turns of multiplexed connections are counted, and that is all. */
	r = req(T0 + 1 * MS, T0 + 701 * MS, REQUEST_ENTRY | REQUEST_MULTIPLEXED);
	add(a, &r);
	assert_int_equal(aggregate_groups(a), 1);
	sum = sum_of(a, 0, T0 + S, 0);
	assert_int_equal(sum.requests, 4);
	assert_int_equal(sum.multiplexed, 1);
	assert_int_equal(sum.errors, 1);
	assert_int_equal(sum.aborted, 1);
	assert_int_equal(sum.incomplete, 1);
	assert_int_equal(sum.streams, 1);
	/* The incomplete one has no part in the mean, and all wait. */
	assert_int_equal(sum.counted, 3);
	assert_int_equal(sum.counted_wall_ns, (10 + 20 + 900) * MS);
	assert_int_equal(sum.wait_ns, (10 + 20 + 100 + 900 + 800) * MS);
	/* Percentiles: 10 and 20 ms. */
	assert_int_equal(sum.walls.n, 2);
	assert_int_equal(dist_quantile_us(&sum.walls, 500), 10000);
	assert_int_equal(dist_quantile_us(&sum.walls, 990), 20000);
	aggregate_sum_release(&sum);
	/* A child of the same route has a group of its own. */
	r = req(T0, T0 + MS, 0);
	add(a, &r);
	assert_int_equal(aggregate_groups(a), 2);
	r = req(T0, T0 + MS, REQUEST_OPEN);
	assert_int_equal(aggregate_add(a, &r), -EINVAL);
	r = req(T0, T0 + MS, 0);
	r.start_ns = r.end_ns + 1;
	assert_int_equal(aggregate_add(a, &r), -EINVAL);
	aggregate_free(a);
}

/* A stream from start_ms: first byte after first_ms, then `sends` sends in all, gap_ms apart. */
static struct request stream_of(uint64_t start_ms, uint64_t first_ms, uint32_t sends,
				uint64_t gap_ms)
{
	uint64_t start = T0 + start_ms * MS, first = start + first_ms * MS;
	uint64_t last = first + (sends - 1) * gap_ms * MS;
	struct request r = req(start, last, REQUEST_ENTRY | REQUEST_STREAM);

	r.first_byte_ns = first;
	r.last_byte_ns = last;
	r.sends = sends;
	return r;
}

/* Streams have sums of their own, and they stay when buckets are joined. */
static void test_streams(void **state)
{
	struct aggregate_options o = { .report = true, .origin_ns = T0, .n_buckets = 4 };
	struct aggregate *a = aggregate_new(&o);
	struct aggregate_sum sum;
	struct request r;

	(void)state;
	r = stream_of(1, 500, 11, 40); /* 500 + 400 */
	add(a, &r);
	r = stream_of(2, 300, 1, 0); /* one send: no gap */
	add(a, &r);
	r = stream_of(5000, 100, 3, 2000);
	add(a, &r);
	r = stream_of(6000, 100, 3, 2000);
	r.flags |= REQUEST_INCOMPLETE;
	add(a, &r);
	r = req(T0 + 9 * S, T0 + 10 * S, REQUEST_ENTRY);
	r.first_byte_ns = r.last_byte_ns = r.end_ns;
	r.sends = 1;
	add(a, &r);
	sum = sum_of(a, 0, T0 + 60 * S, 0);
	assert_int_equal(sum.streams, 4);
	assert_int_equal(sum.stream.n, 3);
	assert_int_equal(sum.stream.first_ns, (500 + 300 + 100) * MS);
	assert_int_equal(sum.stream.wall_ns, (900 + 300 + 4100) * MS);
	assert_int_equal(sum.stream.gaps, 10 + 0 + 2);
	assert_int_equal(sum.stream.gaps_ns, (400 + 4000) * MS);
	assert_int_equal(sum.walls.n, 1);
	aggregate_sum_release(&sum);
	aggregate_free(a);
}

static void test_before_the_origin(void **state)
{
	struct aggregate *a = live();
	struct request r = req(T0 - 2 * S, T0 - 1, REQUEST_ENTRY);
	struct aggregate_sum sum;

	(void)state;
	add(a, &r);
	assert_int_equal(aggregate_counters(a)->early, 1);
	assert_int_equal(aggregate_groups(a), 0);
	/* Begun before, ended after: counted, and waiting from the origin on. */
	r = req(T0 - 2 * S, T0 + 500 * MS, REQUEST_ENTRY);
	add(a, &r);
	sum = sum_of(a, 0, T0 + S, 0);
	assert_int_equal(sum.requests, 1);
	assert_int_equal(sum.wait_ns, 500 * MS);
	assert_int_equal(sum.counted_wall_ns, 2500 * MS);
	assert_int_equal(parts_sum_ns(&sum.counted_parts), 2500 * MS);
	assert_int_equal(parts_sum_ns(&sum.wait_parts), 500 * MS);
	aggregate_sum_release(&sum);
	aggregate_free(a);
}

static void test_ring_slides(void **state)
{
	struct aggregate_options o = { .origin_ns = T0, .n_buckets = 10 };
	struct aggregate *a = aggregate_new(&o);
	struct aggregate_window w, stale = { 0 };
	struct aggregate_sum sum;
	struct total t;

	(void)state;
	for (uint64_t i = 0; i < 25; i++) {
		struct request r = req(T0 + i * S, T0 + i * S + 100 * MS, REQUEST_ENTRY);

		r.route = ROUTE + (uint32_t)(i < 5); /* one that dies out */
		add(a, &r);
		if (i == 7)
			stale = aggregate_window(a, T0 + 8 * S - 1, 3 * S);
	}
	assert_int_equal(aggregate_groups(a), 1);
	t = total_of(a, T0 + 25 * S - 1);
	assert_int_equal(t.requests, 10);
	/* A window from before the slide finds nothing, not what took its slots. */
	assert_int_equal(aggregate_group_sum(a, 0, &stale, &sum), 0);
	assert_int_equal(sum.requests, 0);
	aggregate_sum_release(&sum);
	assert_int_equal(t.wait_ns, 1 * S);
	w = aggregate_window(a, T0 + 25 * S - 1, 60 * S);
	assert_int_equal(w.from_ns, T0 + 15 * S);
	/* One that comes too late is left out, and a jump ahead empties the ring. */
	add(a,
	    &(struct request){ .service = SVC, .route = ROUTE, .start_ns = T0, .end_ns = T0 + S });
	assert_int_equal(aggregate_counters(a)->early, 1);
	add(a, &(struct request){ .service = SVC,
				  .route = 99,
				  .start_ns = T0 + 900 * S,
				  .end_ns = T0 + 900 * S });
	assert_int_equal(aggregate_groups(a), 1);
	assert_int_equal(total_of(a, T0 + 901 * S).requests, 1);
	/* Long after: an empty window, and no old bucket seen through a reused slot. */
	w = aggregate_window(a, T0 + 5000 * S, 5 * S);
	assert_int_equal(w.from_ns, T0 + 4995 * S);
	assert_int_equal(sum_of(a, 0, T0 + 5000 * S, 5 * S).requests, 0);
	aggregate_free(a);
}

static void test_report_grows(void **state)
{
	struct aggregate_options o = { .report = true, .origin_ns = T0, .n_buckets = 16 };
	struct aggregate *a = aggregate_new(&o);
	struct aggregate_sum sum;
	struct total t;
	uint64_t wall = 0;

	(void)state;
	/* From milliseconds to hours: the width doubles many times, nothing is lost. */
	for (uint64_t i = 0; i < 2000; i++) {
		uint64_t end = T0 + i * i * i * 1000 + 3 * MS;
		struct request r = req(end - 3 * MS + i, end, REQUEST_ENTRY);

		wall += 3 * MS - i;
		add(a, &r);
	}
	t = total_of(a, T0 + 3 * 3600 * S);
	assert_int_equal(t.requests, 2000);
	assert_int_equal(t.wait_ns, wall);
	assert_int_equal(t.wait_parts_ns, wall);
	assert_int_equal(t.counted_parts_ns, wall);
	assert_int_equal(aggregate_counters(a)->early, 0);
	/* At most 4096 values: percentiles are exact. Walls are 2998 .. 3000 us. */
	sum = sum_of(a, 0, T0 + 3 * 3600 * S, 0);
	assert_int_equal(sum.walls.n, 2000);
	assert_null(sum.walls.h);
	aggregate_sum_release(&sum);
	aggregate_free(a);
}

static void test_many_values_become_a_histogram(void **state)
{
	struct aggregate *a = live();
	struct aggregate_sum sum;

	(void)state;
	for (uint64_t i = 0; i < 20000; i++) {
		/* 20 s with 1000 a second; walls 1 .. 20000 us, each once. */
		uint64_t wall = (i * 7919 % 20000 + 1) * 1000, end = T0 + i * MS + 30 * MS;
		struct request r = req(end - wall, end, REQUEST_ENTRY);

		add(a, &r);
	}
	sum = sum_of(a, 0, T0 + 21 * S, 0);
	assert_int_equal(sum.walls.n, 20000);
	assert_non_null(sum.walls.h);
	assert_true(llabs((long long)dist_quantile_us(&sum.walls, 500) - 10000) <= 10000 / 64);
	assert_true(llabs((long long)dist_quantile_us(&sum.walls, 990) - 19800) <= 19800 / 64);
	assert_int_equal(sum.walls.max_us, 20000);
	aggregate_sum_release(&sum);
	aggregate_free(a);
}

static void test_parts_are_bounded_and_sum(void **state)
{
	struct aggregate *a = live();
	uint64_t big = 0, wait, x = 7;
	struct aggregate_sum sum;

	(void)state;
	/* Statements that never come again, beside one that always does; many callees. */
	for (uint32_t i = 0; i < 3000; i++) {
		struct request r = req(T0 + i * MS, T0 + i * MS + 10 * MS, REQUEST_ENTRY);
		struct part parts[30];
		uint64_t left = 10 * MS;

		for (uint32_t p = 0; p < 29; p++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			parts[p] = (struct part){ .who = PEER + p % 23,
						  .cause = p % CAUSE_COUNT,
						  .what = 100 + i * 29 + p,
						  .count = 1,
						  .ns = 1 + (x >> 33) % 50000 };
			left -= parts[p].ns;
		}
		parts[29] = (struct part){
			.who = PEER, .cause = CAUSE_DB, .what = 50, .count = 2, .ns = left
		};
		big += left;
		r.parts = (struct parts){ parts, 30, 30 };
		add(a, &r);
	}
	sum = sum_of(a, 0, T0 + 4 * S, 0);
	assert_int_equal(sum.counted_wall_ns, 30 * S);
	assert_int_equal(parts_sum_ns(&sum.counted_parts), 30 * S);
	wait = parts_sum_ns(&sum.wait_parts);
	assert_int_equal(wait, 30 * S);
	assert_true(sum.counted_parts.n <= 64 + 16 + CAUSE_COUNT);
	assert_int_equal(aggregate_counters(a)->unbalanced, 0);
	parts_sort(&sum.counted_parts);
	assert_int_equal(sum.counted_parts.v[0].what, 50);
	assert_int_equal(sum.counted_parts.v[0].ns, big);
	assert_int_equal(sum.counted_parts.v[0].count, 6000);
	aggregate_sum_release(&sum);
	aggregate_free(a);
}

/* The causes of what was merged stay what they were. */
/* A report whose buckets double after its parts were merged: a cell that was made before, when the
 * dictionary was larger, is joined to the younger one of an earlier bucket. */
static void test_merged_parts_survive_wider_buckets(void **state)
{
	struct aggregate_options o = { .origin_ns = T0, .report = true, .n_buckets = 4 };
	struct aggregate *a = aggregate_new(&o);
	struct request r;
	struct total t;

	(void)state;
	assert_non_null(a);
	/* bucket 1: 70 names, which are merged to fewer when the next ones come */
	for (uint32_t i = 0; i < 70; i++) {
		r = req(T0 + 11 * MS, T0 + 12 * MS, REQUEST_ENTRY);
		v_parts[0].what = 100 + i;
		add(a, &r);
	}
	/* bucket 0, later; then one that needs wider buckets */
	r = req(T0 + 1 * MS, T0 + 2 * MS, REQUEST_ENTRY);
	add(a, &r);
	r = req(T0 + 70 * MS, T0 + 71 * MS, REQUEST_ENTRY);
	add(a, &r);
	t = total_of(a, T0 + 80 * MS);
	assert_int_equal(t.requests, 72);
	assert_int_equal(t.done_wall_ns, 72 * MS);
	assert_int_equal(t.counted_parts_ns, t.done_wall_ns);
	assert_int_equal(t.wait_ns, 72 * MS);
	assert_int_equal(t.wait_parts_ns, t.wait_ns);
	aggregate_free(a);
}

static void test_merging_keeps_causes(void **state)
{
	uint64_t by_cause[CAUSE_COUNT] = { 0 }, got[CAUSE_COUNT] = { 0 };
	struct request r = req(T0, T0, REQUEST_ENTRY);
	struct aggregate *a = live();
	struct aggregate_sum sum;
	uint64_t wall = 0;

	(void)state;
	for (uint32_t i = 0; i < 400; i++) {
		v_parts[i] = (struct part){
			.who = 1000 + i, .cause = i % CAUSE_COUNT, .what = i + 2, .ns = 1000 + i * i
		};
		by_cause[i % CAUSE_COUNT] += v_parts[i].ns;
		wall += v_parts[i].ns;
	}
	r.end_ns = r.start_ns + wall;
	r.parts = (struct parts){ v_parts, 400, 400 };
	add(a, &r);
	add(a, &r);
	sum = sum_of(a, 0, T0 + S, 0);
	for (size_t i = 0; i < sum.counted_parts.n; i++)
		got[sum.counted_parts.v[i].cause] += sum.counted_parts.v[i].ns;
	for (int c = 0; c < CAUSE_COUNT; c++)
		assert_int_equal(got[c], 2 * by_cause[c]);
	assert_true(sum.counted_parts.n <= 64 + 16 + CAUSE_COUNT);
	aggregate_sum_release(&sum);
	aggregate_free(a);
}

static void test_groups_are_bounded(void **state)
{
	struct aggregate_options o = { .origin_ns = T0, .max_groups = 20 };
	struct aggregate *a = aggregate_new(&o);
	uint64_t other = 0, last_other = 0;
	struct total t;

	(void)state;
	/* 40 routes of one service, then a route of each of 100 more services. */
	for (uint32_t i = 0; i < 140; i++) {
		struct request r = req(T0, T0 + MS, REQUEST_ENTRY);

		r.route = 1000 + i;
		r.service = i < 40 ? SVC : 2000 + i;
		add(a, &r);
	}
	assert_true(aggregate_groups(a) <= 20 + 20 / 8 + 1 + 2);
	assert_int_equal(aggregate_counters(a)->folded, 120);
	t = total_of(a, T0 + S);
	assert_int_equal(t.requests, 140);
	assert_int_equal(t.wait_ns, 140 * MS);
	for (size_t i = 0; i < aggregate_groups(a); i++) {
		struct aggregate_sum sum = sum_of(a, i, T0 + S, 0);

		if (sum.route == INTERN_OTHER && sum.service == SVC)
			other += sum.requests;
		if (sum.route == INTERN_OTHER && sum.service == INTERN_OTHER)
			last_other += sum.requests;
		aggregate_sum_release(&sum);
	}
	assert_int_equal(other, 20);
	assert_true(last_other > 0);
	aggregate_free(a);
}

static void test_memory_is_bounded(void **state)
{
	(void)state;
	for (int report = 0; report < 2; report++) {
		struct aggregate_options o = { .report = report,
					       .origin_ns = T0,
					       .bucket_ns = S,
					       .n_buckets = 64,
					       .max_bytes = 40000 };
		struct aggregate *a = aggregate_new(&o);
		struct aggregate_window w;
		struct total t;

		for (uint64_t i = 0; i < 60; i++) {
			for (uint32_t route = 0; route < 10; route++) {
				struct request r = req(T0 + i * S, T0 + i * S + MS, REQUEST_ENTRY);

				r.route = ROUTE + route;
				add(a, &r);
			}
		}
		t = total_of(a, T0 + 60 * S - 1);
		w = aggregate_window(a, T0 + 60 * S - 1, 0);
		if (report) {
			assert_int_equal(t.requests, 600);
			assert_int_equal(w.from_ns, T0);
		} else {
			/* The window says how far back it reaches, and is right from there. */
			assert_true(aggregate_counters(a)->buckets_dropped > 0);
			assert_true(w.from_ns > T0);
			assert_int_equal(t.requests, (T0 + 60 * S - w.from_ns) / S * 10);
		}
		aggregate_free(a);
	}
}

static void test_unbalanced_parts(void **state)
{
	struct aggregate *a = live();
	struct request r = req(T0, T0 + 10 * MS, REQUEST_ENTRY);
	struct aggregate_sum sum;

	(void)state;
	v_parts[0].ns = 4 * MS; /* 6 ms missing */
	add(a, &r);
	v_parts[0].ns = 40 * MS; /* 30 ms too much */
	add(a, &r);
	assert_int_equal(aggregate_counters(a)->unbalanced, 2);
	sum = sum_of(a, 0, T0 + S, 0);
	assert_int_equal(sum.counted_parts.n, 2);
	assert_int_equal(sum.counted_parts.v[0].cause, CAUSE_CPU);
	assert_int_equal(sum.counted_parts.v[0].ns, 14 * MS);
	assert_int_equal(sum.counted_parts.v[1].cause, CAUSE_UNKNOWN);
	assert_int_equal(sum.counted_parts.v[1].ns, 6 * MS);
	aggregate_sum_release(&sum);
	aggregate_free(a);
}

static bool kept_has(const struct aggregate *a, uint64_t end, uint64_t len, uint64_t xid, size_t *n)
{
	struct aggregate_window w = aggregate_window(a, end, len);
	const struct request **v;
	bool found = false;

	assert_int_equal(aggregate_kept(a, &w, &v, n), 0);
	for (size_t i = 0; i < *n; i++) {
		found |= v[i]->xid == xid;
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(v[i], v[j]);
	}
	free(v);
	return found;
}

static void test_kept_live(void **state)
{
	struct aggregate_options o = { .origin_ns = T0, .recent = 8, .slow_ns = 10 * S };
	struct aggregate *a = aggregate_new(&o);
	size_t n;

	(void)state;
	for (uint64_t i = 0; i < 100; i++) {
		struct request r = req(T0 + i * 100 * MS, T0 + i * 100 * MS + MS, REQUEST_ENTRY);
		struct request_call call = { .xid = i };

		if (i == 3)
			r = req(T0, T0 + 350 * MS, REQUEST_ENTRY); /* the slow one */
		r.xid = i;
		r.calls = &call;
		r.n_calls = 1;
		add(a, &r);
	}
	/* The slow one is kept though it is long ago, and the last 8 are. */
	assert_true(kept_has(a, T0 + 10 * S, 0, 3, &n));
	assert_true(n <= 16 + 8);
	for (uint64_t i = 92; i < 100; i++)
		assert_true(kept_has(a, T0 + 10 * S, 0, i, &n));
	/* Not in a window that begins after it ended. */
	assert_false(kept_has(a, T0 + 10 * S, 5 * S, 3, &n));
	/* When it is older than what is shown, it gives way. */
	for (uint64_t i = 100; i < 300; i++) {
		struct request r = req(T0 + i * 100 * MS, T0 + i * 100 * MS + MS, REQUEST_ENTRY);

		r.xid = i;
		add(a, &r);
	}
	assert_false(kept_has(a, T0 + 30 * S, 0, 3, &n));
	aggregate_free(a);
}

static void test_kept_report(void **state)
{
	struct aggregate_options o = { .report = true, .origin_ns = T0, .max_kept = 50 };
	struct aggregate *a = aggregate_new(&o);
	size_t n;

	(void)state;
	for (uint64_t i = 0; i < 60; i++) {
		struct request r = req(T0 + i * MS, T0 + (i + 1) * MS, REQUEST_ENTRY);

		r.xid = i;
		add(a, &r);
	}
	assert_true(kept_has(a, T0 + S, 0, 0, &n));
	assert_true(kept_has(a, T0 + S, 0, 49, &n));
	assert_false(kept_has(a, T0 + S, 0, 50, &n));
	assert_int_equal(n, 50);
	assert_int_equal(aggregate_counters(a)->kept_dropped, 10);
	assert_int_equal(total_of(a, T0 + S).requests, 60);
	aggregate_free(a);
}

/* Times of a damaged capture: anything may come, nothing may hang or overflow. */
static void test_absurd_times(void **state)
{
	static const uint64_t times[] = {
		0, 1, T0, T0 + S, 1ull << 63, UINT64_MAX - 1, UINT64_MAX
	};
	enum { N = sizeof(times) / sizeof(times[0]) };

	(void)state;
	for (int mode = 0; mode < 4; mode++) {
		struct aggregate_options o = { .report = mode & 1, .origin_ns = mode & 2 ? 0 : T0 };
		struct aggregate *a = aggregate_new(&o);

		for (size_t i = 0; i < N; i++) {
			for (size_t j = i; j < N; j++) {
				struct request r = req(times[i], times[j], REQUEST_ENTRY);
				struct total t;

				add(a, &r);
				t = total_of(a, times[j]);
				assert_true(t.requests <= aggregate_counters(a)->added);
			}
		}
		aggregate_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlap_by_bucket),
		cmocka_unit_test(test_flags_decide_what_counts),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_before_the_origin),
		cmocka_unit_test(test_ring_slides),
		cmocka_unit_test(test_report_grows),
		cmocka_unit_test(test_many_values_become_a_histogram),
		cmocka_unit_test(test_parts_are_bounded_and_sum),
		cmocka_unit_test(test_merging_keeps_causes),
		cmocka_unit_test(test_merged_parts_survive_wider_buckets),
		cmocka_unit_test(test_groups_are_bounded),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_unbalanced_parts),
		cmocka_unit_test(test_kept_live),
		cmocka_unit_test(test_kept_report),
		cmocka_unit_test(test_absurd_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
