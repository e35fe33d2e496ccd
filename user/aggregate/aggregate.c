// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adding requests: which group, which buckets, what to let go when there is no room. Everything
 * that can fail for want of memory is done before the first sum changes.
 */
#include "aggregate/aggregate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/balance.h"
#include "aggregate/store.h"
#include "base/intern.h"

enum {
	DEFAULT_GROUPS = 1024,
	DEFAULT_BUCKETS = 600,
	DEFAULT_REPORT_BUCKETS = 256,
	DEFAULT_KEPT = 200000,
	DEFAULT_RECENT = 512,
	REPORT_BUCKETS_MIN = 8,
	INDEX_ON_STACK = 64
};

#define DEFAULT_BUCKET_NS 1000000000ull
#define DEFAULT_REPORT_BUCKET_NS 10000000ull
#define DEFAULT_BYTES ((size_t)32 << 20)
#define DEFAULT_KEPT_BYTES ((size_t)512 << 20)
#define DEFAULT_SLOW_NS 60000000000ull

static void options_default(struct aggregate_options *o)
{
	o->bucket_ns = o->bucket_ns ? o->bucket_ns :
		       o->report    ? DEFAULT_REPORT_BUCKET_NS :
				      DEFAULT_BUCKET_NS;
	o->n_buckets = o->n_buckets ? o->n_buckets :
		       o->report    ? DEFAULT_REPORT_BUCKETS :
				      DEFAULT_BUCKETS;
	o->n_buckets = o->n_buckets < 2 ? 2 : o->n_buckets;
	o->max_groups = o->max_groups ? o->max_groups : DEFAULT_GROUPS;
	o->max_bytes = o->max_bytes ? o->max_bytes : DEFAULT_BYTES;
	o->max_kept = o->max_kept ? o->max_kept : DEFAULT_KEPT;
	o->max_kept_bytes = o->max_kept_bytes ? o->max_kept_bytes : DEFAULT_KEPT_BYTES;
	o->recent = o->recent ? o->recent : DEFAULT_RECENT;
	o->slow_ns = o->slow_ns ? o->slow_ns : DEFAULT_SLOW_NS;
}

static void aggregate_keep_names(void *ctx)
{
	const struct aggregate *a = ctx;

	for (size_t i = 0; i < a->n_groups; i++) {
		const struct group *g = a->groups[i];

		intern_keep(g->service);
		intern_keep(g->pool);
		intern_keep(g->route);
		parts_keep_names(g->dict, g->n_dict);
		for (uint32_t k = 0; g->slow && k < g->slow->n; k++)
			kept_keep_names(g->slow->v[k]);
	}
	for (size_t i = 0; i < a->n_kept; i++)
		kept_keep_names(a->kept[i]);
}

struct aggregate *aggregate_new(const struct aggregate_options *opts)
{
	struct aggregate *a = calloc(1, sizeof(*a));
	size_t most;

	if (!a)
		return NULL;
	if (opts)
		a->o = *opts;
	options_default(&a->o);
	a->origin_ns = a->o.origin_ns;
	a->width_ns = a->o.bucket_ns;
	/* Regular groups, "other" of a service, and the last two for all other services. */
	a->max_others = a->o.max_groups / 8 + 1;
	most = (size_t)a->o.max_groups + a->max_others + 2;
	a->groups = calloc(most, sizeof(struct group *));
	a->kept = a->o.report ? NULL : calloc(a->o.recent, sizeof(struct kept *));
	table_init(&a->index, sizeof(struct group *), most);
	if (a->groups && (a->o.report || a->kept)) {
		a->holder = (struct intern_holder){ aggregate_keep_names, a, NULL };
		intern_hold(&a->holder);
		return a;
	}
	free(a->groups);
	free(a->kept);
	free(a);
	return NULL;
}

void aggregate_free(struct aggregate *a)
{
	if (!a)
		return;
	intern_unhold(&a->holder);
	for (size_t i = 0; i < a->n_groups; i++) {
		kept_slow_free(a->groups[i]->slow);
		group_free(a->groups[i]);
	}
	for (size_t i = 0; i < a->n_kept; i++)
		kept_put(a->kept[i]);
	free(a->kept);
	free(a->groups);
	table_release(&a->index);
	free(a);
}

void aggregate_set_origin(struct aggregate *a, uint64_t origin_ns)
{
	if (!a->counters.added)
		a->origin_ns = origin_ns;
}

void aggregate_set_slow(struct aggregate *a, uint64_t slow_ns)
{
	a->o.slow_ns = slow_ns;
}

const struct aggregate_counters *aggregate_counters(const struct aggregate *a)
{
	return &a->counters;
}

/* ---- groups ------------------------------------------------------------------------------ */

static uint64_t key_hash(uint32_t service, uint32_t pool, uint32_t route, bool entry)
{
	uint64_t h = ((uint64_t)service << 32 | route) * 0x9e3779b97f4a7c15u;

	return (h ^ (h >> 29) ^ ((uint64_t)pool << 1 | entry)) * 0xbf58476d1ce4e5b9u;
}

static struct group *group_find(const struct aggregate *a, uint32_t service, uint32_t pool,
				uint32_t route, bool entry)
{
	struct group **slot = table_get(&a->index, key_hash(service, pool, route, entry));

	for (struct group *g = slot ? *slot : NULL; g; g = g->same_hash)
		if (g->service == service && g->pool == pool && g->route == route &&
		    g->entry == entry)
			return g;
	return NULL;
}

static struct group *group_create(struct aggregate *a, uint32_t service, uint32_t pool,
				  uint32_t route, bool entry)
{
	struct group *g = group_new(a->o.n_buckets);
	struct group **slot;

	if (!g)
		return NULL;
	g->service = service;
	g->pool = pool;
	g->route = route;
	g->entry = entry;
	g->hash = key_hash(service, pool, route, entry);
	slot = table_put(&a->index, g->hash, NULL);
	if (!slot) {
		group_free(g);
		return NULL;
	}
	g->same_hash = *slot;
	*slot = g;
	a->groups[a->n_groups++] = g;
	return g;
}

static void group_forget(struct aggregate *a, size_t i)
{
	struct group *g = a->groups[i];
	struct group **slot = table_get(&a->index, g->hash), **at = slot;

	while (*at != g)
		at = &(*at)->same_hash;
	*at = g->same_hash;
	if (!*slot)
		table_del(&a->index, g->hash);
	a->groups[i] = a->groups[--a->n_groups];
	kept_slow_free(g->slow);
	group_free(g);
}

/* The group of a request; "other" ones when there are too many. NULL without memory. */
static struct group *group_for(struct aggregate *a, const struct request *r, bool *folded)
{
	bool entry = r->flags & REQUEST_ENTRY;
	struct group *g = group_find(a, r->service, r->pool, r->route, entry);

	*folded = false;
	if (g)
		return g;
	if (a->n_groups < a->o.max_groups)
		return group_create(a, r->service, r->pool, r->route, entry);
	*folded = true;
	g = group_find(a, r->service, 0, INTERN_OTHER, entry);
	if (g)
		return g;
	if (a->n_groups < (size_t)a->o.max_groups + a->max_others)
		return group_create(a, r->service, 0, INTERN_OTHER, entry);
	g = group_find(a, INTERN_OTHER, 0, INTERN_OTHER, entry);
	return g ? g : group_create(a, INTERN_OTHER, 0, INTERN_OTHER, entry);
}

/* ---- buckets ----------------------------------------------------------------------------- */

static void bucket_drop(struct aggregate *a, uint64_t bucket)
{
	for (size_t i = 0; i < a->n_groups; i++) {
		size_t before = a->groups[i]->bytes;

		group_cell_drop(a->groups[i], aggregate_slot(a, bucket));
		a->bytes += a->groups[i]->bytes - before;
	}
}

/* Frees the groups that have nothing left in the ring. */
static void idle_groups_drop(struct aggregate *a)
{
	for (size_t i = a->n_groups; i-- > 0;)
		if (!a->groups[i]->n_cells)
			group_forget(a, i);
}

static void ring_slide(struct aggregate *a, uint64_t bucket)
{
	uint64_t first = bucket - a->o.n_buckets + 1, gone = first - a->first;

	gone = gone < a->o.n_buckets ? gone : a->o.n_buckets;
	for (uint64_t i = 0; i < gone; i++)
		bucket_drop(a, a->first + i);
	a->first = first;
	idle_groups_drop(a);
}

static int buckets_halve(struct aggregate *a)
{
	for (size_t i = 0; i < a->n_groups; i++)
		if (group_cells_reserve(a->groups[i]))
			return -ENOMEM;
	a->bytes = 0;
	for (size_t i = 0; i < a->n_groups; i++) {
		/* Only percentiles can miss values by it, which the counter admits. */
		if (group_cells_halve(a->groups[i]))
			a->counters.no_memory++;
		a->bytes += a->groups[i]->bytes;
	}
	a->width_ns *= 2;
	a->last /= 2;
	return 0;
}

/* Makes the bucket of ts_ns part of what is held. 0, -ENOMEM, -ERANGE: it was let go already. */
static int bucket_open(struct aggregate *a, uint64_t ts_ns)
{
	uint64_t bucket = aggregate_bucket(a, ts_ns);

	while (a->o.report && bucket >= a->o.n_buckets) {
		if (buckets_halve(a))
			return -ENOMEM;
		bucket = aggregate_bucket(a, ts_ns);
	}
	if (bucket < a->first)
		return -ERANGE;
	if (bucket - a->first >= a->o.n_buckets)
		ring_slide(a, bucket);
	if (bucket > a->last)
		a->last = bucket;
	return 0;
}

/* Lets the oldest go, or precision, until what is held fits. */
static void budget_keep(struct aggregate *a)
{
	while (a->bytes > a->o.max_bytes) {
		if (a->o.report) {
			if (a->last < REPORT_BUCKETS_MIN || buckets_halve(a))
				return;
			continue;
		}
		if (a->first >= a->last)
			return;
		bucket_drop(a, a->first++);
		a->counters.buckets_dropped++;
		idle_groups_drop(a);
	}
}

#define NO_PERCENTILE (REQUEST_STREAM | REQUEST_INCOMPLETE | REQUEST_BEFORE | REQUEST_MULTIPLEXED)

/* ---- requests ---------------------------------------------------------------------------- */

/* What of a request's time has to be found a place. */
struct placing {
	const struct request *r;
	const struct parts *parts;
	struct group *g;
	uint64_t from_ns; /* start, not before the oldest bucket */
	uint64_t first, last; /* buckets */
	uint32_t index[INDEX_ON_STACK]; /* of the first parts in the group's dictionary */
};

static uint32_t part_index(struct placing *p, size_t i)
{
	return i < INDEX_ON_STACK ? p->index[i] : group_part_index(p->g, &p->parts->v[i]);
}

/* All memory that placing needs. */
static int placing_reserve(struct aggregate *a, struct placing *p)
{
	group_parts_reserve(p->g, p->parts->v, p->parts->n);
	for (size_t i = 0; i < p->parts->n; i++) {
		uint32_t index = group_part_index(p->g, &p->parts->v[i]);

		if (i < INDEX_ON_STACK)
			p->index[i] = index;
	}
	for (uint64_t b = p->first; b <= p->last; b++) {
		struct cell *c = group_cell(p->g, aggregate_slot(a, b));

		if (!c || group_cell_parts(p->g, c))
			return -ENOMEM;
	}
	return 0;
}

static void placing_wait(struct aggregate *a, struct placing *p)
{
	uint64_t start = p->r->start_ns, wall = request_wall_ns(p->r), at = p->from_ns;

	if (p->r->flags & REQUEST_ENDLESS)
		return;
	for (uint64_t b = p->first; b <= p->last; b++) {
		struct cell *c = p->g->cells[aggregate_slot(a, b)];
		uint64_t end = aggregate_bucket_end(a, b),
			 to = end < p->r->end_ns ? end : p->r->end_ns;

		c->wait_ns += to - at;
		for (size_t i = 0; i < p->parts->n; i++) {
			uint64_t ns = p->parts->v[i].ns;

			c->parts[part_index(p, i)].wait_ns += aggregate_share(ns, to - start,
									      wall) -
							      aggregate_share(ns, at - start, wall);
		}
		at = to;
	}
}

static void placing_done(struct aggregate *a, struct placing *p)
{
	struct cell *c = p->g->cells[aggregate_slot(a, p->last)];
	uint32_t flags = p->r->flags;

	if (flags & REQUEST_BEFORE)
		return; /* how long it took is not known, nor when it came */
	c->requests++;
	c->errors += !!(flags & REQUEST_ERROR);
	c->aborted += !!(flags & REQUEST_ABORTED);
	c->incomplete += !!(flags & REQUEST_INCOMPLETE);
	c->streams += !!(flags & REQUEST_STREAM);
	if (flags & REQUEST_INCOMPLETE)
		return;
	c->done++;
	c->done_wall_ns += request_wall_ns(p->r);
	if (flags & REQUEST_STREAM) {
		struct streams one = streams_of(p->r);

		streams_add(&c->stream, &one);
	}
	for (size_t i = 0; i < p->parts->n; i++) {
		struct cell_part *part = &c->parts[part_index(p, i)];

		part->done_ns += p->parts->v[i].ns;
		part->done_count += p->parts->v[i].count;
	}
}

static int place(struct aggregate *a, const struct request *r, const struct parts *parts)
{
	uint64_t oldest = aggregate_bucket_start(a, a->first);
	struct placing p = { .r = r, .parts = parts };
	size_t before;
	bool folded;
	int rc;

	p.from_ns = r->start_ns > oldest ? r->start_ns : oldest;
	p.first = aggregate_bucket(a, p.from_ns);
	p.last = aggregate_bucket(a, r->end_ns);
	p.g = group_for(a, r, &folded);
	if (!p.g)
		return -ENOMEM;
	a->counters.folded += folded;
	before = p.g->bytes;
	rc = placing_reserve(a, &p);
	if (!rc && !(r->flags & NO_PERCENTILE))
		rc = group_cell_wall(p.g, p.g->cells[aggregate_slot(a, p.last)],
				     (request_wall_ns(r) + 500) / 1000);
	a->bytes += p.g->bytes - before;
	if (rc)
		return rc;
	if (r->flags & REQUEST_MULTIPLEXED) {
		p.g->cells[aggregate_slot(a, p.last)]->multiplexed++;
	} else {
		placing_wait(a, &p);
		placing_done(a, &p);
	}
	return aggregate_keep(a, p.g, r, parts);
}

int aggregate_add(struct aggregate *a, const struct request *r)
{
	struct parts tmp = { 0 };
	const struct parts *parts;
	int rc;

	if ((r->flags & REQUEST_OPEN) || r->end_ns < r->start_ns)
		return -EINVAL;
	if (!a->origin_ns)
		a->origin_ns = r->start_ns;
	rc = r->end_ns < a->origin_ns ? -ERANGE : bucket_open(a, r->end_ns);
	if (rc == -ERANGE) {
		a->counters.early++;
		return 0;
	}
	parts = rc ? NULL : parts_balanced(r, &tmp);
	a->counters.unbalanced += parts == &tmp;
	rc = parts ? place(a, r, parts) : -ENOMEM;
	parts_release(&tmp);
	if (rc) {
		a->counters.no_memory++;
		return rc;
	}
	a->counters.added++;
	budget_keep(a);
	return 0;
}
