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
#include <stdint.h>
#include "aggregate/keep.h"
#include "aggregate/options.h"
#include "aggregate/window.h"
#include "assemble/request.h"

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

const struct aggregate_counters *aggregate_counters(const struct aggregate *a);
#endif
