/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Aggregation: finished requests in, sums over windows of time out, by (service, pool, route,
 * entry). Time is cut into buckets. Live, a ring of them slides along; a report has one interval
 * of any length, and when its buckets are used up neighbours are joined and the width doubles.
 *
 * A request counts (requests, errors, percentiles, mean, parts of the mean) in the bucket in
 * which it ended. Its waiting counts in each bucket by how long it was in flight there, and its
 * parts in proportion. What lies before the origin is left out.
 *
 * Bounds: groups beyond max_groups become route "other" of their service; parts see group.h;
 * memory beyond max_bytes lets the oldest bucket go (live) or joins buckets (report); kept
 * requests are dropped and counted. One aggregate, one thread. Times are CLOCK_MONOTONIC.
 */
#ifndef TARDY_AGGREGATE_AGGREGATE_H
#define TARDY_AGGREGATE_AGGREGATE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "account/parts.h"
#include "aggregate/hist.h"
#include "aggregate/streams.h"
#include "assemble/request.h"

enum { AGGREGATE_TREND = 8 };

struct aggregate_options { /* 0 = the default in parentheses */
	bool report; /* one interval that grows, instead of a ring */
	uint64_t origin_ns; /* start of the recording (start of the first request added) */
	uint64_t bucket_ns; /* (1 s; report: 10 ms to begin with) */
	uint32_t n_buckets; /* (600; report: 256) at least 2 */
	uint32_t max_groups; /* (1024) */
	size_t max_bytes; /* of buckets (32 MiB) */
	uint32_t max_kept; /* requests kept in report mode (200,000) */
	size_t max_kept_bytes; /* and their bytes (512 MiB) */
	uint32_t recent; /* requests kept in live mode beside the slowest (512) */
	uint64_t slow_ns; /* live: how long the slowest are kept (60 s) */
};

struct aggregate;

/* NULL without memory. opts may be NULL. */
struct aggregate *aggregate_new(const struct aggregate_options *opts);
void aggregate_free(struct aggregate *a);
/* The start of the recording, once it is known (REC_META); before the first request. */
void aggregate_set_origin(struct aggregate *a, uint64_t origin_ns);
/* Live: how long the slowest requests are worth keeping, that is the window shown. */
void aggregate_set_slow(struct aggregate *a, uint64_t slow_ns);
/* Adds a finished request, of which it copies what it needs. 0, -ENOMEM (not counted at all, but
 * in aggregate_counters), -EINVAL for an open one or one that ends before it starts. */
int aggregate_add(struct aggregate *a, const struct request *r);

struct aggregate_counters {
	uint64_t added;
	uint64_t early; /* ended before the origin or the oldest bucket: left out */
	uint64_t unbalanced; /* parts did not sum to the wall time; put right with "unknown" */
	uint64_t no_memory;
	uint64_t folded; /* went to route "other", because there were too many groups */
	uint64_t kept_dropped; /* not kept for listing: report mode's cap, or no memory */
	uint64_t buckets_dropped; /* let go for want of room before their time */
};

const struct aggregate_counters *aggregate_counters(const struct aggregate *a);

/* A span of whole buckets. */
struct aggregate_window {
	uint64_t from_ns, to_ns; /* to_ns > from_ns */
	uint64_t first, last; /* buckets */
};

/* The window that ends at end_ns and is window_ns long (0 = all there is), its start moved to a
 * bucket's start at or before it, but not before the oldest bucket. */
struct aggregate_window aggregate_window(const struct aggregate *a, uint64_t end_ns,
					 uint64_t window_ns);

/* Sums of one group over a window; aggregate_sum_release() frees what it holds. */
struct aggregate_sum {
	uint32_t service, pool, route;
	bool entry;
	uint64_t requests, errors, aborted, incomplete, streams;
	uint64_t done, done_wall_ns; /* complete ones: count, sum of wall times */
	struct streams stream; /* those of them that are streams */
	struct parts done_parts; /* sum = done_wall_ns */
	uint64_t wait_ns; /* integral of requests in flight over the window */
	struct parts wait_parts; /* sum = wait_ns, but for a rounding of 1 ns a part and bucket */
	double trend_ns[AGGREGATE_TREND]; /* wait_ns by eighths of the window */
	struct dist walls; /* us */
};

size_t aggregate_groups(const struct aggregate *a);
/* Sums group i; *sum is overwritten. 0 or -ENOMEM (*sum needs no release then). */
int aggregate_group_sum(const struct aggregate *a, size_t i, const struct aggregate_window *w,
			struct aggregate_sum *sum);
void aggregate_sum_release(struct aggregate_sum *sum);

/* Adds the waiting of a request in flight (its parts so far) to a sum. 0 or -ENOMEM. */
int aggregate_sum_add_open(struct aggregate_sum *sum, const struct aggregate_window *w,
			   const struct request *r);

/* The kept requests that ended in or after the window's first bucket, in no order, each once:
 * *out is an array of borrowed pointers, valid until the next aggregate_add(), to be freed.
 * 0 or -ENOMEM. */
int aggregate_kept(const struct aggregate *a, const struct aggregate_window *w,
		   const struct request ***out, size_t *n);
#endif
