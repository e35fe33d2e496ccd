// SPDX-License-Identifier: GPL-2.0-only
/* Reading an aggregate: windows, sums of groups over them, and the kept requests. */
#include "aggregate/aggregate_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/balance.h"

struct aggregate_window aggregate_window(const struct aggregate *a, uint64_t end_ns,
					 uint64_t window_ns)
{
	uint64_t oldest = aggregate_bucket_start(a, a->first);
	uint64_t from = window_ns && end_ns > window_ns ? end_ns - window_ns : 0;
	struct aggregate_window w;

	end_ns = end_ns > a->origin_ns ? end_ns : a->origin_ns;
	from = from > oldest ? from : oldest;
	/* A clock that stands before everything that was seen: an empty window. */
	from = from < end_ns ? from : end_ns;
	w.first = aggregate_bucket(a, from);
	w.last = aggregate_bucket(a, end_ns);
	w.from_ns = aggregate_bucket_start(a, w.first);
	w.to_ns = end_ns > w.from_ns ? end_ns : w.from_ns + 1;
	return w;
}

/* Spreads ns, which waited between from and to, over the eighths of the window. */
static void trend_add(struct aggregate_sum *sum, const struct aggregate_window *w, uint64_t from,
		      uint64_t to, double ns)
{
	double len = (double)(w->to_ns - w->from_ns) / AGGREGATE_TREND;
	double a, b;

	from = from > w->from_ns ? from : w->from_ns;
	to = to < w->to_ns ? to : w->to_ns;
	if (to <= from) {
		/* Nothing but the last instant: it belongs to the last eighth. */
		sum->trend_ns[AGGREGATE_TREND - 1] += ns;
		return;
	}
	a = (double)(from - w->from_ns);
	b = (double)(to - w->from_ns);
	for (int i = 0; i < AGGREGATE_TREND; i++) {
		double lo = i * len > a ? i * len : a;
		double hi = (i + 1) * len < b ? (i + 1) * len : b;

		if (hi > lo)
			sum->trend_ns[i] += ns * (hi - lo) / (b - a);
	}
}

/* Adds one dictionary entry's totals as parts. */
static int sum_part(struct aggregate_sum *sum, const struct part *key, const struct cell_part *cp)
{
	struct part wait = *key, done = *key;

	wait.ns = cp->wait_ns;
	wait.count = 0;
	done.ns = cp->done_ns;
	done.count = cp->done_count > UINT32_MAX ? UINT32_MAX : (uint32_t)cp->done_count;
	if (parts_add(&sum->wait_parts, &wait))
		return -ENOMEM;
	return parts_add(&sum->done_parts, &done);
}

static int sum_cell(struct aggregate_sum *sum, const struct cell *c, struct cell_part *parts)
{
	sum->requests += c->requests;
	sum->errors += c->errors;
	sum->aborted += c->aborted;
	sum->incomplete += c->incomplete;
	sum->streams += c->streams;
	sum->done += c->done;
	sum->done_wall_ns += c->done_wall_ns;
	streams_add(&sum->stream, &c->stream);
	sum->wait_ns += c->wait_ns;
	for (uint32_t i = 0; i < c->n_parts; i++) {
		parts[i].wait_ns += c->parts[i].wait_ns;
		parts[i].done_ns += c->parts[i].done_ns;
		parts[i].done_count += c->parts[i].done_count;
	}
	return dist_merge(&sum->walls, &c->walls, DIST_EXACT);
}

size_t aggregate_groups(const struct aggregate *a)
{
	return a->n_groups;
}

int aggregate_group_sum(const struct aggregate *a, size_t i, const struct aggregate_window *w,
			struct aggregate_sum *sum)
{
	const struct group *g = a->groups[i];
	struct cell_part parts[GROUP_DICT_MAX] = { 0 };
	/* Outside of what is held, slots hold other buckets. */
	uint64_t first = w->first > a->first ? w->first : a->first;
	uint64_t last = w->last < a->last ? w->last : a->last;
	int rc = 0;

	*sum = (struct aggregate_sum){
		.service = g->service, .pool = g->pool, .route = g->route, .entry = g->entry
	};
	for (uint64_t b = first; b <= last && !rc; b++) {
		const struct cell *c = g->cells[aggregate_slot(a, b)];

		if (!c)
			continue;
		rc = sum_cell(sum, c, parts);
		trend_add(sum, w, aggregate_bucket_start(a, b), aggregate_bucket_end(a, b),
			  (double)c->wait_ns);
	}
	for (uint32_t p = 0; p < g->n_dict && !rc; p++)
		rc = sum_part(sum, &g->dict[p], &parts[p]);
	if (rc)
		aggregate_sum_release(sum);
	return rc;
}

void aggregate_sum_release(struct aggregate_sum *sum)
{
	parts_release(&sum->done_parts);
	parts_release(&sum->wait_parts);
	dist_release(&sum->walls);
}

int aggregate_sum_add_open(struct aggregate_sum *sum, const struct aggregate_window *w,
			   const struct request *r)
{
	uint64_t from = r->start_ns > w->from_ns ? r->start_ns : w->from_ns;
	uint64_t to = r->end_ns < w->to_ns ? r->end_ns : w->to_ns;
	uint64_t wall = request_wall_ns(r);
	struct parts tmp = { 0 };
	const struct parts *parts;
	int rc = 0;

	if (r->end_ns < r->start_ns || to <= from)
		return 0;
	parts = parts_balanced(r, &tmp);
	if (!parts)
		rc = -ENOMEM;
	for (size_t i = 0; !rc && i < parts->n; i++) {
		struct part p = parts->v[i];

		p.ns = aggregate_share(p.ns, to - r->start_ns, wall) -
		       aggregate_share(p.ns, from - r->start_ns, wall);
		p.count = 0;
		rc = parts_add(&sum->wait_parts, &p);
	}
	parts_release(&tmp);
	if (rc)
		return rc;
	sum->wait_ns += to - from;
	trend_add(sum, w, from, to, (double)(to - from));
	return 0;
}

/* ---- kept requests ----------------------------------------------------------------------- */

static struct kept *keep_copy(const struct request *r, const struct parts *parts)
{
	struct request copy = *r;

	copy.parts = *parts;
	return kept_copy(&copy);
}

static int keep_report(struct aggregate *a, const struct request *r, const struct parts *parts)
{
	struct kept *k;

	if (a->n_kept == a->cap_kept) {
		size_t cap = a->cap_kept ? a->cap_kept * 2 : 256;
		struct kept **v = realloc(a->kept, cap * sizeof(struct kept *));

		if (!v)
			return -ENOMEM;
		a->kept = v;
		a->cap_kept = cap;
	}
	k = keep_copy(r, parts);
	if (!k)
		return -ENOMEM;
	a->kept[a->n_kept++] = k;
	a->kept_bytes += k->bytes;
	return 0;
}

static int keep_live(struct aggregate *a, struct group *g, const struct request *r,
		     const struct parts *parts)
{
	uint64_t since = r->end_ns > a->o.slow_ns ? r->end_ns - a->o.slow_ns : 0;
	struct kept *k = keep_copy(r, parts);
	int slot;

	if (!k)
		return -ENOMEM;
	if (!g->slow)
		g->slow = calloc(1, sizeof(*g->slow));
	slot = g->slow ? kept_slow_slot(g->slow, request_wall_ns(r), since) : -1;
	if (slot >= 0)
		kept_slow_put(g->slow, slot, kept_ref(k));
	if (a->n_kept < a->o.recent)
		a->n_kept++;
	else
		kept_put(a->kept[a->at_kept]);
	a->kept[a->at_kept] = k;
	a->at_kept = (a->at_kept + 1) % a->o.recent;
	return 0;
}

int aggregate_keep(struct aggregate *a, struct group *g, const struct request *r,
		   const struct parts *parts)
{
	int rc;

	if (!a->o.report)
		rc = keep_live(a, g, r, parts);
	else if (a->n_kept < a->o.max_kept && a->kept_bytes < a->o.max_kept_bytes)
		rc = keep_report(a, r, parts);
	else
		rc = -ENOSPC;
	a->counters.kept_dropped += rc != 0;
	return 0;
}

static int pointer_cmp(const void *va, const void *vb)
{
	uintptr_t a = (uintptr_t) * (void *const *)va, b = (uintptr_t) * (void *const *)vb;

	return (a > b) - (a < b);
}

int aggregate_kept(const struct aggregate *a, const struct aggregate_window *w,
		   const struct request ***out, size_t *n)
{
	size_t most = a->n_kept, have = 0, unique = 0;
	const struct request **v;

	for (size_t i = 0; i < a->n_groups; i++)
		most += a->groups[i]->slow ? a->groups[i]->slow->n : 0;
	v = malloc((most ? most : 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < a->n_kept; i++)
		v[have++] = &a->kept[i]->r;
	for (size_t i = 0; i < a->n_groups; i++)
		for (uint32_t s = 0; a->groups[i]->slow && s < a->groups[i]->slow->n; s++)
			v[have++] = &a->groups[i]->slow->v[s]->r;
	qsort(v, have, sizeof(*v), pointer_cmp);
	for (size_t i = 0; i < have; i++) {
		bool again = unique && v[unique - 1] == v[i];

		if (!again && v[i]->end_ns >= w->from_ns)
			v[unique++] = v[i];
	}
	*out = v;
	*n = unique;
	return 0;
}
