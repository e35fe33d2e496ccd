// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hotspot and a stack match when the hotspot's service ran or waited there for the hotspot's
 * cause. A database's own computing is called db in its callers' breakdown, so there it is its
 * CPU samples. Where the hotspot's "what" is the route that the stacks were taken in, such as a
 * statement, only these count.
 */
#include "rank/stack_rank.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"

struct range {
	const struct stack_sum *v;
	size_t n;
};

static uint8_t cause_of_stacks(uint8_t cause)
{
	return cause == CAUSE_DB || cause == CAUSE_CACHE ? CAUSE_CPU : cause;
}

/* The sums of a service and a cause lie together. */
static struct range range_of(const struct stack_sums *sums, uint32_t service, uint8_t cause)
{
	uint64_t want = (uint64_t)service << 8 | cause;
	struct range r = { 0 };
	size_t low = 0, high = sums->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (((uint64_t)sums->v[mid].service << 8 | sums->v[mid].cause) < want)
			low = mid + 1;
		else
			high = mid;
	}
	r.v = sums->v + low;
	while (low + r.n < sums->n && r.v[r.n].service == service && r.v[r.n].cause == cause)
		r.n++;
	return r;
}

/* Of the range what was in one route, all of it when nothing was. */
static struct range range_of_route(struct range all, uint32_t route)
{
	struct range r = { all.v, 0 };

	if (route == INTERN_EMPTY || route == INTERN_OTHER)
		return all;
	for (size_t i = 0; i < all.n; i++) {
		if (all.v[i].route != route)
			continue;
		if (!r.n)
			r.v = &all.v[i];
		r.n++;
	}
	return r.n ? r : all;
}

/* CPU samples all stand for the same time, and a damaged record must not outweigh them. */
static double weight_of(const struct stack_sum *s)
{
	return s->cause == CAUSE_CPU ? (double)s->samples : (double)s->ns;
}

/* weights: zeros by number of a stack, left as zeros. */
static int hotspot_stack(struct snap_hotspot *h, const struct stacks *st, struct range r,
			 double *weights)
{
	uint32_t best = STACK_OTHER;
	struct stack_frames f;
	double all = 0;

	for (size_t i = 0; i < r.n; i++) {
		weights[r.v[i].stack] += weight_of(&r.v[i]);
		all += weight_of(&r.v[i]);
	}
	weights[STACK_OTHER] = 0; /* many small ones, and none of them */
	for (size_t i = 0; i < r.n; i++)
		if (weights[r.v[i].stack] > weights[best])
			best = r.v[i].stack;
	h->stack_share = all > 0 ? weights[best] / all : 0;
	for (size_t i = 0; i < r.n; i++)
		weights[r.v[i].stack] = 0;
	if (best == STACK_OTHER)
		return 0;
	f = stacks_frames(st, best);
	h->stack = malloc(f.n * sizeof(*h->stack));
	if (!h->stack)
		return -ENOMEM;
	memcpy(h->stack, f.v, f.n * sizeof(*h->stack));
	h->n_stack = f.n;
	h->n_stack_kernel = f.n_kernel;
	return 0;
}

static int hotspots_fill(struct snapshot *s, const struct stacks *st, const struct stack_sums *sums)
{
	double *weights = calloc(stacks_limit(st), sizeof(*weights));
	int rc = weights ? 0 : -ENOMEM;

	for (size_t i = 0; i < s->n_hotspots && !rc; i++) {
		struct snap_hotspot *h = &s->hotspots[i];
		struct range r = range_of(sums, h->who, cause_of_stacks(h->cause));

		r = range_of_route(r, h->what);
		if (r.n)
			rc = hotspot_stack(h, st, r, weights);
	}
	free(weights);
	return rc;
}

/* Frames once for each distinct stack: at[stack] = place of its frames + 1. */
static int frames_fill(struct snapshot *s, const struct stacks *st, const struct stack_sums *sums,
		       size_t *at)
{
	size_t n = 0;

	for (size_t i = 0; i < sums->n; i++) {
		if (at[sums->v[i].stack])
			continue;
		at[sums->v[i].stack] = n + 1;
		n += stacks_frames(st, sums->v[i].stack).n;
	}
	s->stack_frames = malloc((n ? n : 1) * sizeof(*s->stack_frames));
	if (!s->stack_frames)
		return -ENOMEM;
	for (size_t i = 0; i < sums->n; i++) {
		struct stack_frames f = stacks_frames(st, sums->v[i].stack);

		memcpy(s->stack_frames + at[sums->v[i].stack] - 1, f.v, f.n * sizeof(*f.v));
	}
	return 0;
}

static int list_fill(struct snapshot *s, const struct stacks *st, const struct stack_sums *sums)
{
	size_t *at = calloc(stacks_limit(st), sizeof(*at));

	s->stacks = calloc(sums->n ? sums->n : 1, sizeof(*s->stacks));
	if (!at || !s->stacks || frames_fill(s, st, sums, at)) {
		free(at);
		return -ENOMEM;
	}
	for (size_t i = 0; i < sums->n; i++) {
		const struct stack_sum *sum = &sums->v[i];
		struct stack_frames f = stacks_frames(st, sum->stack);

		s->stacks[i] = (struct snap_stack){
			.service = sum->service,
			.route = sum->route,
			.cause = sum->cause,
			.frames = s->stack_frames + at[sum->stack] - 1,
			.n_frames = f.n,
			.n_kernel = f.n_kernel,
			.samples = sum->samples,
			.us = sum->ns / 1000 + (sum->ns % 1000 >= 500),
		};
	}
	s->n_stacks = sums->n;
	free(at);
	return 0;
}

static void health_fill(struct snap_health *h, const struct stacks *st,
			const struct stack_sums *sums)
{
	struct stacks_counters c = stacks_counters(st);

	h->has_stacks = c.cpu_samples || c.waits;
	h->stacks = (struct snap_stacks){
		.cpu_samples = c.cpu_samples,
		.waits = c.waits,
		.no_user = c.no_user,
		.user_skipped = c.user_skipped,
		.user_short = c.user_short,
		.user_cut = c.user_cut,
		.no_kernel = c.no_kernel,
		.kernel_cut = c.kernel_cut,
		.unknown_symbols = c.unknown_symbols,
		.after_answer = c.after_answer,
		.unclaimed = sums->unclaimed,
		.dropped = c.dropped + sums->dropped,
		.folded = c.folded,
	};
}

int stack_rank_build(struct snapshot *s, const struct rows *rows, const struct snapshot_input *in)
{
	struct stack_sums sums;
	int rc;

	if (!in->stacks)
		return 0;
	rc = stacks_sum(in->stacks, rows->w.from_ns, rows->w.to_ns, in->open, in->n_open, &sums);
	if (!rc) {
		health_fill(&s->health, in->stacks, &sums);
		rc = hotspots_fill(s, in->stacks, &sums);
	}
	if (!rc && in->list_stacks)
		rc = list_fill(s, in->stacks, &sums);
	stack_sums_release(&sums);
	return rc;
}
