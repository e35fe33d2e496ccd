// SPDX-License-Identifier: GPL-2.0-only
/* Puts a snapshot together: routes and totals here, the rest in the files beside it. */
#include "rank/rank.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "rank/hotspot.h"
#include "rank/listing.h"
#include "rank/row.h"
#include "rank/stack_rank.h"
#include "rank/verdict.h"

_Static_assert((int)SNAP_TREND == (int)AGGREGATE_TREND, "both are the eighths of a window");

static uint64_t mean_us(uint64_t ns, uint64_t n)
{
	return n ? (ns / n + 500) / 1000 : 0;
}

static int route_fill(struct snap_route *to, struct row *row, const struct rows *rows)
{
	struct aggregate_sum *sum = &row->sum;
	double window_s = (double)(rows->w.to_ns - rows->w.from_ns) / 1e9;

	*to = (struct snap_route){
		.service = sum->service,
		.route = sum->route,
		.pool = sum->pool,
		.entry = sum->entry,
		.requests = sum->requests,
		.errors = sum->errors,
		.aborted = sum->aborted,
		.incomplete = sum->incomplete,
		.streams = sum->streams,
		.multiplexed = sum->multiplexed,
		.stream_first_us = mean_us(sum->stream.first_ns, sum->stream.n),
		.stream_gap_us = mean_us(sum->stream.gaps_ns, sum->stream.gaps),
		.stream_wall_us = mean_us(sum->stream.wall_ns, sum->stream.n),
		.in_flight = row->in_flight,
		.p50_us = dist_quantile_us(&sum->walls, 500),
		.p95_us = dist_quantile_us(&sum->walls, 950),
		.p99_us = dist_quantile_us(&sum->walls, 990),
		.max_us = sum->walls.max_us,
		.req_per_s = (double)sum->requests / window_s,
		.wait_s_per_s = rows_per_s(rows, (double)sum->wait_ns),
		.wait_share = sum->entry ? rows_share(rows, sum->wait_ns) : 0,
	};
	for (size_t i = 0; i < sum->wait_parts.n; i++) {
		const struct part *p = &sum->wait_parts.v[i];
		unsigned int cause = p->cause < CAUSE_COUNT ? p->cause : CAUSE_UNKNOWN;

		to->wait_by_cause[cause] += rows_per_s(rows, (double)p->ns);
	}
	for (int i = 0; i < SNAP_TREND; i++)
		to->trend[i] = rows_per_s(rows, sum->trend_ns[i]) * SNAP_TREND;
	if (!sum->counted)
		return 0;
	to->counted = sum->counted;
	to->wall_us = mean_us(sum->counted_wall_ns, sum->counted);
	return listing_parts(&sum->counted_parts, to->wall_us, (double)sum->counted, &to->parts,
			     &to->n_parts);
}

static int routes_build(struct snapshot *s, struct rows *rows)
{
	s->routes = calloc(rows->n ? rows->n : 1, sizeof(*s->routes));
	if (!s->routes)
		return -ENOMEM;
	while (s->n_routes < rows->n) {
		/* Counted first: snapshot_free() then frees a half-made one too. */
		size_t i = s->n_routes++;

		if (route_fill(&s->routes[i], &rows->v[i], rows))
			return -ENOMEM;
	}
	return 0;
}

static int totals_build(struct snapshot *s, const struct rows *rows)
{
	double window_s = (double)(rows->w.to_ns - rows->w.from_ns) / 1e9;
	struct dist walls = { 0 };
	int rc = 0;

	for (size_t i = 0; i < rows->n && !rc; i++) {
		const struct aggregate_sum *sum = &rows->v[i].sum;

		if (!sum->entry)
			continue;
		s->requests += sum->requests;
		s->errors += sum->errors;
		s->aborted += sum->aborted;
		s->incomplete += sum->incomplete;
		rc = dist_merge(&walls, &sum->walls, DIST_EXACT);
	}
	s->req_per_s = (double)s->requests / window_s;
	s->error_ratio = s->requests ? (double)s->errors / (double)s->requests : 0;
	s->wait_s_per_s = rows_per_s(rows, (double)rows->entry_wait_ns);
	s->in_flight_mean = s->wait_s_per_s; /* Little's law: the same integral */
	s->p50_us = dist_quantile_us(&walls, 500);
	s->p95_us = dist_quantile_us(&walls, 950);
	s->p99_us = dist_quantile_us(&walls, 990);
	s->max_us = walls.max_us;
	dist_release(&walls);
	return rc;
}

/* Mean number of requests that the service's workers had in hand, rounded up. */
static uint32_t busy_derive(uint32_t service, const struct rows *rows)
{
	double busy = 0;

	for (size_t i = 0; i < rows->n; i++)
		if (rows->v[i].sum.service == service)
			busy += rows_per_s(rows, (double)row_in_service_ns(&rows->v[i]));
	busy = ceil(busy);
	return busy < (double)RANK_BUSY_DERIVE ? (uint32_t)busy : RANK_BUSY_DERIVE - 1;
}

static int pools_build(struct snapshot *s, const struct rows *rows, const struct snapshot_input *in)
{
	s->pools = calloc(in->n_pools ? in->n_pools : 1, sizeof(*s->pools));
	if (!s->pools)
		return -ENOMEM;
	for (size_t i = 0; i < in->n_pools; i++) {
		struct snap_pool *p = &s->pools[i];

		*p = in->pools[i];
		if (p->busy == RANK_BUSY_DERIVE)
			p->busy = busy_derive(p->service, rows);
		/* A worker that hands over to the next one counts twice for a moment. */
		if (p->workers && p->busy > p->workers)
			p->busy = p->workers;
	}
	s->n_pools = in->n_pools;
	return 0;
}

struct snapshot *snapshot_build(const struct aggregate *a, const struct snapshot_input *in)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	struct rows rows;
	bool seen = aggregate_counters(a)->added || in->n_open;
	int rc;

	if (!s)
		return NULL;
	rc = rows_collect(&rows, a, in);
	s->start_unix_us = (rows.w.from_ns + (uint64_t)in->realtime_offset_ns) / 1000;
	s->window_us = (rows.w.to_ns - rows.w.from_ns + 500) / 1000;
	s->hostname = in->hostname;
	s->kernel = in->kernel;
	s->live = in->live;
	s->host = in->host;
	s->health = in->health;
	rc = rc ? rc : totals_build(s, &rows);
	rc = rc ? rc : routes_build(s, &rows);
	rc = rc ? rc : hotspots_build(s, &rows);
	rc = rc ? rc : verdict_build(s, &rows, seen);
	rc = rc ? rc : pools_build(s, &rows, in);
	rc = rc ? rc : listing_build(s, a, &rows, in);
	rc = rc ? rc : stack_rank_build(s, &rows, in);
	rows_release(&rows);
	if (!rc) {
		snapshot_hold(s);
		return s;
	}
	snapshot_free(s);
	return NULL;
}
