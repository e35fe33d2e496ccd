/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading an aggregate: windows, and sums of groups over them.
 */
#ifndef TARDY_AGGREGATE_WINDOW_H
#define TARDY_AGGREGATE_WINDOW_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "account/parts.h"
#include "aggregate/hist.h"
#include "aggregate/streams.h"
#include "assemble/request.h"

enum { AGGREGATE_TREND = 8 };

struct aggregate;

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
	uint64_t multiplexed; /* exchanges that are none of the requests */
	/* complete ones, and those in flight by their time so far: count, sum of wall times */
	uint64_t counted, counted_wall_ns;
	struct streams stream; /* complete ones that are streams */
	struct parts counted_parts; /* sum = counted_wall_ns */
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

/* Adds a request in flight, its parts so far, to a sum. 0 or -ENOMEM. */
int aggregate_sum_add_open(struct aggregate_sum *sum, const struct aggregate_window *w,
			   const struct request *r);
#endif
