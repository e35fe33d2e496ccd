/* SPDX-License-Identifier: GPL-2.0-only */
/* What an aggregate holds; only files of aggregate/ include this. */
#ifndef TARDY_AGGREGATE_STORE_H
#define TARDY_AGGREGATE_STORE_H
#include "aggregate/group.h"
#include "aggregate/kept.h"
#include "aggregate/options.h"
#include "base/intern.h"
#include "base/table.h"

struct aggregate {
	struct intern_holder holder;
	struct aggregate_options o; /* defaults filled in */
	uint64_t origin_ns; /* start of bucket 0; 0 = not known yet */
	uint64_t width_ns; /* of a bucket */
	uint64_t first, last; /* oldest bucket held, newest that holds anything */
	struct group **groups;
	size_t n_groups;
	size_t max_others; /* groups that max_groups may be exceeded by for "other" routes */
	struct table index; /* hash of the key -> chain of groups */
	size_t bytes; /* of all groups' cells */
	struct kept **kept; /* report: all; live: ring of the recent ones */
	size_t n_kept, cap_kept, kept_bytes;
	size_t at_kept; /* live: next slot of the ring */
	struct aggregate_counters counters;
};

static inline uint64_t aggregate_bucket(const struct aggregate *a, uint64_t ts_ns)
{
	return (ts_ns - a->origin_ns) / a->width_ns;
}

static inline uint32_t aggregate_slot(const struct aggregate *a, uint64_t bucket)
{
	return (uint32_t)(bucket % a->o.n_buckets);
}

static inline uint64_t aggregate_bucket_start(const struct aggregate *a, uint64_t bucket)
{
	return a->origin_ns + bucket * a->width_ns;
}

/* Times of a damaged capture may lie at the end of what 64 bits hold. */
static inline uint64_t aggregate_bucket_end(const struct aggregate *a, uint64_t bucket)
{
	uint64_t start = aggregate_bucket_start(a, bucket), end = start + a->width_ns;

	return end > start ? end : UINT64_MAX;
}

/* What of ns, spread evenly over wall_ns, falls into its first part_ns. Differences of it over
 * neighbouring intervals sum exactly to ns. */
static inline uint64_t aggregate_share(uint64_t ns, uint64_t part_ns, uint64_t wall_ns)
{
	if (part_ns >= wall_ns)
		return ns;
	/* most requests lie within one bucket: no division then */
	return part_ns ? (uint64_t)((unsigned __int128)ns * part_ns / wall_ns) : 0;
}
#endif
