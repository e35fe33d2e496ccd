/* SPDX-License-Identifier: GPL-2.0-only */
/* The rows of one window while a snapshot is being built; internal to rank/. */
#ifndef TARDY_RANK_ROW_H
#define TARDY_RANK_ROW_H
#include "aggregate/aggregate.h"
#include "base/table.h"
#include "rank/snapshot_input.h"

struct row {
	struct aggregate_sum sum; /* requests in flight included in its waiting */
	uint64_t in_flight;
};

struct rows {
	struct row *v; /* by WAIT/s, largest first */
	size_t n, cap;
	struct table index; /* hash of the key -> index in v + 1, while rows are collected */
	struct aggregate_window w;
	uint64_t entry_wait_ns;
	uint64_t open_longest_ns; /* of entry requests in flight */
};

/* Nanoseconds of waiting in the window as seconds per second. */
double rows_per_s(const struct rows *rows, double ns);
/* The same as a share of all waiting of entry requests, 0 when nothing waited. */
double rows_share(const struct rows *rows, uint64_t ns);
/* Collects and sorts. 0 or -ENOMEM; rows_release() in either case. */
int rows_collect(struct rows *rows, const struct aggregate *a, const struct snapshot_input *in);
void rows_release(struct rows *rows);
/* How long the row's requests held a worker of their service in the window: not while they
 * queued for it. */
uint64_t row_in_service_ns(const struct row *row);
/* How long they used their thread itself, which on an event loop keeps others waiting. */
uint64_t row_on_thread_ns(const struct row *row);
#endif
