/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a snapshot is made from beside the aggregate, and its bounds.
 */
#ifndef TARDY_RANK_SNAPSHOT_INPUT_H
#define TARDY_RANK_SNAPSHOT_INPUT_H
#include "aggregate/stacks.h"
#include "rank/snapshot.h"

enum {
	RANK_HOTSPOTS_MAX = 256, /* the largest are kept */
	RANK_HOTSPOT_ROUTES_MAX = 32, /* within a hotspot, "other" for the rest included */
	RANK_OPEN_ROWS_MAX = 1024, /* rows that only open requests have; the rest is "other" */
};

/* snap_pool.busy that asks for the mean that the requests themselves show. */
#define RANK_BUSY_DERIVE UINT32_MAX

struct snapshot_input {
	uint64_t end_ns; /* of the window, CLOCK_MONOTONIC; all that ended before was added */
	uint64_t window_ns; /* its length; 0 = since the origin. The snapshot says what it became */
	int64_t realtime_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC of the recorded host */
	uint32_t hostname, kernel; /* interned */
	bool live;
	/* requests in flight (REQUEST_OPEN) with their parts so far; borrowed */
	const struct request *const *open;
	size_t n_open;
	const struct snap_pool *pools; /* workers, and busy or RANK_BUSY_DERIVE; borrowed */
	size_t n_pools;
	const struct stacks *stacks; /* NULL = none; borrowed */
	bool list_stacks; /* fill snapshot.stacks */
	struct snap_host host;
	struct snap_health health; /* its stacks are filled here */
	bool list_requests; /* fill requests_v: live the slowest first, else by start */
	size_t max_requests; /* at most so many; 0 = all that were kept */
};

#endif
