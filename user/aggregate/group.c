// SPDX-License-Identifier: GPL-2.0-only
/* Cells and the dictionary of parts of one group; see group.h. */
#include "aggregate/group.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"

/* Values that a cell keeps one by one when its group has DIST_EXACT already: fewer bytes than a
 * histogram needs. */
enum { CELL_EXACT = HIST_COUNTERS / 2 };

struct group *group_new(uint32_t n_buckets)
{
	struct group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->cells = calloc(n_buckets, sizeof(struct cell *));
	if (!g->cells) {
		free(g);
		return NULL;
	}
	g->n_buckets = n_buckets;
	return g;
}

void group_free(struct group *g)
{
	if (!g)
		return;
	for (uint32_t i = 0; i < g->n_buckets; i++)
		group_cell_drop(g, i);
	free(g->cells);
	free(g);
}

static size_t cell_bytes(const struct cell *c)
{
	return sizeof(*c) + c->n_parts * sizeof(*c->parts) + dist_bytes(&c->walls);
}

struct cell *group_cell(struct group *g, uint32_t slot)
{
	struct cell *c = g->cells[slot];

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	g->cells[slot] = c;
	g->n_cells++;
	g->bytes += sizeof(*c);
	return c;
}

void group_cell_drop(struct group *g, uint32_t slot)
{
	struct cell *c = g->cells[slot];

	if (!c)
		return;
	g->bytes -= cell_bytes(c);
	g->exact_values -= c->walls.n_v;
	g->n_cells--;
	g->cells[slot] = NULL;
	dist_release(&c->walls);
	free(c->parts);
	free(c);
}

int group_cell_parts(struct group *g, struct cell *cell)
{
	struct cell_part *parts;

	if (cell->n_parts >= g->n_dict)
		return 0;
	parts = realloc(cell->parts, g->n_dict * sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	memset(parts + cell->n_parts, 0, (g->n_dict - cell->n_parts) * sizeof(*parts));
	g->bytes += (g->n_dict - cell->n_parts) * sizeof(*parts);
	cell->parts = parts;
	cell->n_parts = g->n_dict;
	return 0;
}

/* Keeps the group's totals right around a change of a cell's distribution. */
static void walls_account(struct group *g, const struct cell *cell, size_t bytes_before,
			  uint32_t values_before)
{
	g->bytes += dist_bytes(&cell->walls) - bytes_before;
	g->exact_values += cell->walls.n_v - values_before;
}

int group_cell_wall(struct group *g, struct cell *cell, uint64_t wall_us)
{
	size_t bytes = dist_bytes(&cell->walls);
	uint32_t values = cell->walls.n_v;
	uint32_t limit = g->exact_values < DIST_EXACT ? DIST_EXACT : CELL_EXACT;
	int rc = dist_add(&cell->walls, wall_us, limit);

	walls_account(g, cell, bytes, values);
	return rc;
}

static void cell_part_add(struct cell_part *to, const struct cell_part *add)
{
	to->wait_ns += add->wait_ns;
	to->done_ns += add->done_ns;
	to->done_count += add->done_count;
}

/* Adds b to a, whose parts have room for the dictionary. A cell that is older than a smaller
 * dictionary has room for more, in which there is nothing. */
static int cell_merge(struct group *g, struct cell *a, const struct cell *b)
{
	size_t bytes = dist_bytes(&a->walls);
	uint32_t values = a->walls.n_v;
	uint32_t n = b->n_parts < g->n_dict ? b->n_parts : g->n_dict;
	int rc;

	assert(a->n_parts >= n);
	a->requests += b->requests;
	a->errors += b->errors;
	a->aborted += b->aborted;
	a->incomplete += b->incomplete;
	a->streams += b->streams;
	a->multiplexed += b->multiplexed;
	a->done += b->done;
	a->done_wall_ns += b->done_wall_ns;
	streams_add(&a->stream, &b->stream);
	a->wait_ns += b->wait_ns;
	for (uint32_t i = 0; i < n; i++)
		cell_part_add(&a->parts[i], &b->parts[i]);
	rc = dist_merge(&a->walls, &b->walls,
			g->exact_values <= DIST_EXACT ? DIST_EXACT : CELL_EXACT);
	walls_account(g, a, bytes, values);
	return rc;
}

int group_cells_reserve(struct group *g)
{
	for (uint32_t i = 0; i < g->n_buckets; i++)
		if (g->cells[i] && group_cell_parts(g, g->cells[i]))
			return -ENOMEM;
	return 0;
}

int group_cells_halve(struct group *g)
{
	int rc = 0;

	for (uint32_t i = 0; i < g->n_buckets; i++) {
		struct cell *c = g->cells[i];

		if (!c || !i)
			continue;
		if (!g->cells[i / 2]) {
			g->cells[i / 2] = c;
			g->cells[i] = NULL;
			continue;
		}
		if (cell_merge(g, g->cells[i / 2], c))
			rc = -ENOMEM;
		group_cell_drop(g, i);
	}
	return rc;
}

/* ---- dictionary -------------------------------------------------------------------------- */

static bool same_part(const struct part *a, const struct part *b)
{
	return a->cause == b->cause && a->who == b->who && a->what == b->what && a->via == b->via &&
	       a->held_by == b->held_by;
}

static int dict_find(const struct part *dict, uint32_t n, const struct part *p)
{
	for (uint32_t i = 0; i < n; i++)
		if (same_part(&dict[i], p))
			return (int)i;
	return -1;
}

static bool is_other(const struct part *p)
{
	return p->what == INTERN_OTHER && !p->via && !p->held_by;
}

static bool is_last_other(const struct part *p)
{
	return is_other(p) && p->who == INTERN_OTHER;
}

static struct part other_of(const struct part *p, uint32_t who)
{
	return (struct part){
		.who = who, .what = INTERN_OTHER, .cause = p->cause, .scaled = p->scaled
	};
}

static uint32_t dict_append(struct group *g, const struct part *p)
{
	struct part *e = &g->dict[g->n_dict];

	assert(g->n_dict < GROUP_DICT_MAX);
	*e = *p;
	e->ns = e->count = 0;
	if (!is_other(p))
		g->n_named++;
	else if (!is_last_other(p))
		g->n_others++;
	return g->n_dict++;
}

uint32_t group_part_index(struct group *g, const struct part *p)
{
	struct part e = *p;
	int found = dict_find(g->dict, g->n_dict, p);

	if (found < 0 && !is_other(&e)) {
		if (g->n_named < GROUP_PARTS)
			return dict_append(g, &e);
		e = other_of(p, p->who);
		found = dict_find(g->dict, g->n_dict, &e);
	}
	if (found < 0 && !is_last_other(&e)) {
		if (g->n_others < GROUP_OTHERS)
			return dict_append(g, &e);
		e = other_of(p, INTERN_OTHER);
		found = dict_find(g->dict, g->n_dict, &e);
	}
	if (found < 0)
		return dict_append(g, &e); /* at most one for each cause */
	g->dict[found].scaled |= p->scaled;
	return (uint32_t)found;
}

struct ranked {
	uint64_t ns;
	uint32_t index;
	bool other;
};

/* Named ones first, the largest of them first; ties by index. */
static int ranked_cmp(const void *va, const void *vb)
{
	const struct ranked *a = va, *b = vb;

	if (a->other != b->other)
		return a->other ? 1 : -1;
	if (a->ns != b->ns)
		return a->ns < b->ns ? 1 : -1;
	return a->index < b->index ? -1 : 1;
}

static void dict_rank(const struct group *g, struct ranked *rank)
{
	for (uint32_t i = 0; i < g->n_dict; i++)
		rank[i] = (struct ranked){ 0, i, is_other(&g->dict[i]) };
	for (uint32_t b = 0; b < g->n_buckets; b++) {
		const struct cell *c = g->cells[b];

		for (uint32_t i = 0; c && i < c->n_parts; i++)
			rank[i].ns += c->parts[i].wait_ns + c->parts[i].done_ns;
	}
	qsort(rank, g->n_dict, sizeof(*rank), ranked_cmp);
}

/* Rebuilds the dictionary with the largest named parts; to[old index] = new index, or -1 for a
 * part that no cell holds any more. */
static void dict_rebuild(struct group *g, const struct ranked *rank, int *to)
{
	struct part old[GROUP_DICT_MAX];
	uint32_t n_old = g->n_dict;

	memcpy(old, g->dict, n_old * sizeof(*old));
	g->n_dict = g->n_named = g->n_others = 0;
	for (uint32_t i = 0; i < n_old; i++) {
		const struct part *p = &old[rank[i].index];
		struct part other = other_of(p, p->who);
		bool fold = !rank[i].other && g->n_named >= GROUP_PARTS_KEPT;

		to[rank[i].index] = rank[i].ns ? (int)group_part_index(g, fold ? &other : p) : -1;
	}
}

/* Merges the smallest parts into "other" ones in all cells. Without memory nothing changes. */
static void dict_compact(struct group *g)
{
	struct cell_part moved[GROUP_DICT_MAX];
	struct ranked rank[GROUP_DICT_MAX] = { 0 };
	int to[GROUP_DICT_MAX] = { 0 };

	/* With room for every index in each cell, what follows cannot fail. */
	if (group_cells_reserve(g))
		return;
	dict_rank(g, rank);
	dict_rebuild(g, rank, to);
	for (uint32_t b = 0; b < g->n_buckets; b++) {
		struct cell *c = g->cells[b];

		if (!c || !c->n_parts)
			continue;
		memset(moved, 0, sizeof(moved));
		for (uint32_t i = 0; i < c->n_parts; i++)
			if (to[i] >= 0)
				cell_part_add(&moved[to[i]], &c->parts[i]);
		memcpy(c->parts, moved, c->n_parts * sizeof(*moved));
	}
}

void group_parts_reserve(struct group *g, const struct part *v, size_t n)
{
	uint32_t fresh = 0;

	if (g->n_dict + n <= GROUP_PARTS)
		return;
	for (size_t i = 0; i < n; i++)
		fresh += !is_other(&v[i]) && dict_find(g->dict, g->n_dict, &v[i]) < 0;
	/* A merge pays off only when parts can be let go. */
	if (fresh && g->n_named + fresh > GROUP_PARTS && g->n_named > GROUP_PARTS_KEPT)
		dict_compact(g);
}
