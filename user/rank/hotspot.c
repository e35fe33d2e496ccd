// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hotspots are found by sorting: every part of every entry row, by what it waits for and then by
 * route, so that each hotspot is one run of equals and each route in it one run within.
 */
#include "rank/hotspot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/intern.h"

struct waiter {
	struct part p; /* ns in the window */
	uint32_t route;
};

struct run { /* of equal hotspots in the sorted waiters */
	const struct waiter *v;
	size_t n;
	uint64_t ns;
};

static int spot_cmp(const struct part *a, const struct part *b)
{
	int c = CMP(a->cause, b->cause);

	c = c ? c : CMP(a->who, b->who);
	if (!c &&
	    a->cause == CAUSE_RUNQ) /* one of each service: whom it is behind is told with it */
		return 0;
	c = c ? c : CMP(a->what, b->what);
	return c ? c : CMP(a->held_by, b->held_by);
}

static int waiter_cmp(const void *va, const void *vb)
{
	const struct waiter *a = va, *b = vb;
	int c = spot_cmp(&a->p, &b->p);

	c = c ? c : CMP(a->route, b->route);
	return c ? c : CMP(a->p.via, b->p.via);
}

static int run_cmp(const void *va, const void *vb)
{
	const struct run *a = va, *b = vb;
	int c = CMP(b->ns, a->ns);

	return c ? c : spot_cmp(&a->v->p, &b->v->p);
}

static int route_cmp(const void *va, const void *vb)
{
	const struct snap_hotspot_route *a = va, *b = vb;
	int c = CMP(b->wait_s_per_s, a->wait_s_per_s);

	return c ? c : CMP(a->route, b->route);
}

static int route_id_cmp(const void *va, const void *vb)
{
	const struct snap_hotspot_route *a = va, *b = vb;

	return CMP(a->route, b->route);
}

/* Joins entries of one route and puts the largest first. Returns how many are left. */
static size_t routes_join(struct snap_hotspot_route *v, size_t n)
{
	size_t unique = 0;

	qsort(v, n, sizeof(*v), route_id_cmp);
	for (size_t i = 0; i < n; i++) {
		if (unique && v[unique - 1].route == v[i].route)
			v[unique - 1].wait_s_per_s += v[i].wait_s_per_s;
		else
			v[unique++] = v[i];
	}
	qsort(v, unique, sizeof(*v), route_cmp);
	return unique;
}

/* The same, and the smallest beyond what is shown become "other". */
static size_t routes_rank(struct snap_hotspot_route *v, size_t n)
{
	if (!n)
		return 0;
	n = routes_join(v, n);
	if (n <= RANK_HOTSPOT_ROUTES_MAX)
		return n;
	for (size_t i = RANK_HOTSPOT_ROUTES_MAX - 1; i < n; i++)
		v[i].route = INTERN_OTHER;
	return routes_join(v, n);
}

static int waiters_fill(struct snap_hotspot *h, const struct run *run, const struct rows *rows)
{
	uint64_t most = 0;

	h->routes = calloc(run->n, sizeof(*h->routes));
	if (!h->routes)
		return -ENOMEM;
	for (size_t i = 0; i < run->n; i++) {
		const struct waiter *w = &run->v[i];

		h->routes[i] = (struct snap_hotspot_route){ w->route,
							    rows_per_s(rows, (double)w->p.ns) };
		if (w->p.ns > most) {
			most = w->p.ns;
			h->via = w->p.via;
		}
	}
	h->n_routes = routes_rank(h->routes, run->n);
	return 0;
}

/* Who kept the workers busy that the hotspot's waiters waited for. */
static int occupants_fill(struct snap_hotspot *h, const struct rows *rows)
{
	size_t n = 0;

	h->occupied_by = calloc(rows->n, sizeof(*h->occupied_by));
	if (!h->occupied_by)
		return -ENOMEM;
	for (size_t i = 0; i < rows->n; i++) {
		const struct row *row = &rows->v[i];
		uint64_t ns;

		if (row->sum.service != h->who)
			continue;
		ns = h->cause == CAUSE_LOOP ? row_on_thread_ns(row) : row_in_service_ns(row);
		if (ns)
			h->occupied_by[n++] = (struct snap_hotspot_route){
				row->sum.route, rows_per_s(rows, (double)ns)
			};
	}
	h->n_occupied_by = routes_rank(h->occupied_by, n);
	return 0;
}

/* Who had the CPU that the hotspot's waiters waited for, as far as is known. What a database waits with
 * has its statement's name, which says nothing of that. */
static int culprits_fill(struct snap_hotspot *h, const struct run *run, const struct rows *rows)
{
	static const char behind[] = "behind ";
	size_t n = 0;

	h->what = 0;
	h->occupied_by = calloc(run->n, sizeof(*h->occupied_by));
	if (!h->occupied_by)
		return -ENOMEM;
	for (size_t i = 0; i < run->n; i++)
		if (!strncmp(intern_text(run->v[i].p.what), behind, sizeof(behind) - 1))
			h->occupied_by[n++] = (struct snap_hotspot_route){
				run->v[i].p.what, rows_per_s(rows, (double)run->v[i].p.ns)
			};
	h->n_occupied_by = routes_rank(h->occupied_by, n);
	return 0;
}

static int hotspot_fill(struct snap_hotspot *h, const struct run *run, const struct rows *rows)
{
	const struct part *p = &run->v->p;

	*h = (struct snap_hotspot){
		.who = p->who,
		.what = p->what,
		.held_by = p->held_by,
		.cause = p->cause,
		.wait_s_per_s = rows_per_s(rows, (double)run->ns),
		.share = rows_share(rows, run->ns),
	};
	if (waiters_fill(h, run, rows))
		return -ENOMEM;
	if (h->cause == CAUSE_RUNQ)
		return culprits_fill(h, run, rows);
	if (h->cause == CAUSE_QUEUE || h->cause == CAUSE_LOOP)
		return occupants_fill(h, rows);
	return 0;
}

static size_t waiters_collect(struct waiter *v, const struct rows *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->n; i++) {
		const struct aggregate_sum *sum = &rows->v[i].sum;

		for (size_t p = 0; sum->entry && p < sum->wait_parts.n; p++)
			v[n++] = (struct waiter){ sum->wait_parts.v[p], sum->route };
	}
	qsort(v, n, sizeof(*v), waiter_cmp);
	return n;
}

static size_t runs_find(struct run *runs, const struct waiter *v, size_t n)
{
	size_t n_runs = 0;

	for (size_t i = 0; i < n; i++) {
		if (!n_runs || spot_cmp(&runs[n_runs - 1].v->p, &v[i].p))
			runs[n_runs++] = (struct run){ &v[i], 0, 0 };
		runs[n_runs - 1].n++;
		runs[n_runs - 1].ns += v[i].p.ns;
	}
	qsort(runs, n_runs, sizeof(*runs), run_cmp);
	return n_runs;
}

int hotspots_build(struct snapshot *s, const struct rows *rows)
{
	struct waiter *waiters;
	struct run *runs;
	size_t n = 0;
	int rc = -ENOMEM;

	for (size_t i = 0; i < rows->n; i++)
		n += rows->v[i].sum.entry ? rows->v[i].sum.wait_parts.n : 0;
	if (!n)
		return 0;
	waiters = malloc(n * sizeof(*waiters));
	runs = malloc(n * sizeof(*runs));
	if (waiters && runs) {
		n = waiters_collect(waiters, rows);
		n = runs_find(runs, waiters, n);
		n = n < RANK_HOTSPOTS_MAX ? n : RANK_HOTSPOTS_MAX;
		s->hotspots = calloc(n, sizeof(*s->hotspots));
		rc = s->hotspots ? 0 : -ENOMEM;
		while (!rc && s->n_hotspots < n) {
			rc = hotspot_fill(&s->hotspots[s->n_hotspots], &runs[s->n_hotspots], rows);
			s->n_hotspots++;
		}
	}
	free(waiters);
	free(runs);
	return rc;
}
