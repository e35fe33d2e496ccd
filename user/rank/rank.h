/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ranking: makes a snapshot from the sums of a window and the requests in flight. Rows are ranked
 * by WAIT/s, seconds of request wall time per second, which is the mean number of requests in
 * flight; hotspots by the same figure for one (who, cause, what, held_by). Host-wide figures,
 * shares, hotspots and the verdict count entry requests only, so nothing is counted twice.
 */
#ifndef TARDY_RANK_RANK_H
#define TARDY_RANK_RANK_H
#include "aggregate/aggregate.h"
#include "rank/snapshot.h"
#include "rank/snapshot_input.h"

/* The snapshot of a window, for the caller to free with snapshot_free(); NULL without memory. */
struct snapshot *snapshot_build(const struct aggregate *a, const struct snapshot_input *in);
#endif
