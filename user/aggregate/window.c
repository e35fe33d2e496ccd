// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/window.h"

#include <errno.h>

#include "aggregate/balance.h"
#include "aggregate/store.h"

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
	return parts_add(&sum->counted_parts, &done);
}

static int sum_cell(struct aggregate_sum *sum, const struct cell *c, struct cell_part *parts)
{
	sum->requests += c->requests;
	sum->errors += c->errors;
	sum->aborted += c->aborted;
	sum->incomplete += c->incomplete;
	sum->streams += c->streams;
	sum->multiplexed += c->multiplexed;
	sum->counted += c->done;
	sum->counted_wall_ns += c->done_wall_ns;
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
	parts_release(&sum->counted_parts);
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
	bool counts = !(r->flags & REQUEST_INCOMPLETE);
	int rc = 0;

	if (r->end_ns < r->start_ns || to <= from)
		return 0;
	parts = parts_balanced(r, &tmp);
	if (!parts)
		rc = -ENOMEM;
	for (size_t i = 0; !rc && i < parts->n; i++) {
		struct part p = parts->v[i];

		if (counts)
			rc = parts_add(&sum->counted_parts, &p);
		if (rc)
			break;
		p.ns = aggregate_share(p.ns, to - r->start_ns, wall) -
		       aggregate_share(p.ns, from - r->start_ns, wall);
		p.count = 0;
		rc = parts_add(&sum->wait_parts, &p);
	}
	parts_release(&tmp);
	if (rc)
		return rc;
	if (counts) {
		sum->counted++;
		sum->counted_wall_ns += wall;
	}
	sum->wait_ns += to - from;
	trend_add(sum, w, from, to, (double)(to - from));
	return 0;
}
