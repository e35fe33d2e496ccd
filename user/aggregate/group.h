/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A group: the requests of one (service, pool, route, entry) over time. It holds a cell for each
 * bucket of time in which it did anything, and a dictionary of the parts that its requests had,
 * to which cells refer by index. The dictionary is bounded: beyond 64 entries the smallest are
 * merged into what = "other" of the same service and cause, so that sums stay exact.
 * Internal to aggregate/.
 */
#ifndef TARDY_AGGREGATE_GROUP_H
#define TARDY_AGGREGATE_GROUP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "account/parts.h"
#include "aggregate/hist.h"
#include "aggregate/streams.h"
#include "assemble/request.h"

enum {
	GROUP_PARTS = 64, /* named parts */
	GROUP_PARTS_KEPT = 24, /* of them after the smallest were merged */
	GROUP_OTHERS = 16, /* (who, cause, "other") */
	GROUP_DICT_MAX = GROUP_PARTS + GROUP_OTHERS + CAUSE_COUNT,
};

struct cell_part {
	uint64_t wait_ns; /* of what waited during the bucket */
	uint64_t done_ns; /* of complete requests that ended in it, whole */
	uint64_t done_count;
};

struct cell {
	uint64_t requests, errors, aborted, incomplete, streams; /* that ended in the bucket */
	uint64_t multiplexed; /* the same, in none of the others and in no figure */
	uint64_t done, done_wall_ns; /* the complete ones */
	struct streams stream; /* those of them that are streams */
	uint64_t wait_ns; /* integral of requests in flight over the bucket */
	struct dist walls; /* without streams and incomplete ones */
	struct cell_part *parts; /* by dictionary index; those beyond n_parts are zero */
	uint32_t n_parts;
};

struct group {
	uint32_t service, pool, route;
	bool entry;
	uint64_t hash;
	struct group *same_hash; /* next in the index's chain */
	struct part dict[GROUP_DICT_MAX]; /* ns and count unused */
	uint32_t n_dict, n_named, n_others; /* n_named + n_others <= n_dict */
	struct cell **cells; /* ring of n_buckets */
	uint32_t n_buckets, n_cells;
	uint32_t exact_values; /* values that the cells' dists keep one by one */
	struct kept_slow *slow; /* see kept.h, NULL = none */
	size_t bytes; /* held by cells */
};

/* A group without cells, or NULL. */
struct group *group_new(uint32_t n_buckets);
/* Frees the group and its cells; ->slow must have been taken care of. */
void group_free(struct group *g);
/* The cell of a ring slot, made if need be; NULL without memory. */
struct cell *group_cell(struct group *g, uint32_t slot);
/* Forgets the cell of a ring slot. */
void group_cell_drop(struct group *g, uint32_t slot);
/* Gives each cell room for the whole dictionary. 0 or -ENOMEM, harmless. */
int group_cells_reserve(struct group *g);
/* Joins slots 2i and 2i + 1 into slot i, after group_cells_reserve(). 0 or -ENOMEM, after which
 * the group still has all its sums, but percentiles miss some values. */
int group_cells_halve(struct group *g);
/* Makes room in the dictionary for the n parts of a request; call before group_part_index(). */
void group_parts_reserve(struct group *g, const struct part *v, size_t n);
/* The dictionary index for a part: its own, or that of an "other". Never fails. */
uint32_t group_part_index(struct group *g, const struct part *p);
/* Makes sure that cell->parts has the dictionary's size. 0 or -ENOMEM. */
int group_cell_parts(struct group *g, struct cell *cell);
/* Adds a wall time to the cell's distribution. 0 or -ENOMEM. */
int group_cell_wall(struct group *g, struct cell *cell, uint64_t wall_us);
#endif
