/* SPDX-License-Identifier: GPL-2.0-only */
/* What an aggregate is made with, and what it counts. */
#ifndef TARDY_AGGREGATE_OPTIONS_H
#define TARDY_AGGREGATE_OPTIONS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

struct aggregate_counters {
	uint64_t added;
	uint64_t early; /* ended before the origin or the oldest bucket: left out */
	uint64_t unbalanced; /* parts did not sum to the wall time; put right with "unknown" */
	uint64_t no_memory;
	uint64_t folded; /* went to route "other", because there were too many groups */
	uint64_t kept_dropped; /* not kept for listing: report mode's cap, or no memory */
	uint64_t buckets_dropped; /* let go for want of room before their time */
};
#endif
