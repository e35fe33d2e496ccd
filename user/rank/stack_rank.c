// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hotspot and a stack match when the hotspot's service ran or waited there for the hotspot's
 * cause. A database's own computing is called db in its callers' breakdown, so there it is its
 * CPU samples. Where the hotspot's "what" is the route that the stacks were taken in, such as a
 * statement, only these count.
 *
 * A wait for another service is that service's hotspot, but the stacks are those of the threads
 * that wait. So they are looked up by whom they wait for and what they asked it.
 */
#include "rank/stack_rank.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
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

/* "SELECT a (rtt ~20ms)" is about "SELECT a". */
static bool is_about(const char *what, const char *route)
{
	size_t n = strlen(route);

	return n && !strncmp(what, route, n) && !strncmp(what + n, " (", 2);
}

/* The route in the range that `what` is, or that it says more about; else 0. */
static uint32_t route_in(struct range all, uint32_t what)
{
	uint32_t found = INTERN_EMPTY, last = INTERN_EMPTY;

	if (what == INTERN_EMPTY || what == INTERN_OTHER)
		return INTERN_EMPTY;
	for (size_t i = 0; i < all.n; i++) {
		if (all.v[i].route == what)
			return what;
		if (all.v[i].route != last &&
		    is_about(intern_text(what), intern_text(all.v[i].route)))
			found = all.v[i].route;
		last = all.v[i].route;
	}
	return found;
}

/* Of the range what was in the route that `what` is about. Sums of a route lie together. */
static struct range range_of_route(struct range all, uint32_t what)
{
	uint32_t route = route_in(all, what);
	struct range r = { all.v, 0 };

	for (size_t i = 0; i < all.n && route != INTERN_EMPTY; i++) {
		if (all.v[i].route != route)
			continue;
		if (!r.n)
			r.v = &all.v[i];
		r.n++;
	}
	return r;
}

static int waits_cmp(const void *va, const void *vb)
{
	const struct stack_sum *a = va, *b = vb;
	int c = CMP(a->service, b->service);

	c = c ? c : CMP(a->route, b->route);
	return c ? c : CMP(a->stack, b->stack);
}

/* The waits for other services as if they were theirs: service and route are those of the call. A
 * wait in no known call stays its own service's. 0 or -ENOMEM; out->v is the caller's. */
static int waits_by_peer(const struct stack_sums *sums, struct stack_sums *out)
{
	*out = (struct stack_sums){ .v = malloc((sums->n ? sums->n : 1) * sizeof(*out->v)) };
	if (!out->v)
		return -ENOMEM;
	for (size_t i = 0; i < sums->n; i++) {
		struct stack_sum *to = &out->v[out->n];

		if (sums->v[i].cause != CAUSE_UPSTREAM)
			continue;
		*to = sums->v[i];
		if (to->peer) {
			to->service = to->peer;
			to->route = to->what;
		}
		out->n++;
	}
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), waits_cmp);
	return 0;
}

/* A database's own samples first, if they are of the hotspot's statement; then those that wait. */
static struct range range_of_hotspot(const struct snap_hotspot *h, const struct stack_sums *sums,
				     const struct stack_sums *waits)
{
	struct range own = { 0 }, callers = { 0 }, r;

	if (h->cause != CAUSE_UPSTREAM)
		own = range_of(sums, h->who, cause_of_stacks(h->cause));
	if (h->cause == CAUSE_UPSTREAM || h->cause == CAUSE_DB || h->cause == CAUSE_CACHE)
		callers = range_of(waits, h->who, CAUSE_UPSTREAM);
	r = range_of_route(own, h->what);
	if (!r.n)
		r = range_of_route(callers, h->what);
	if (!r.n)
		r = own.n ? own : callers;
	return r;
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
	struct stack_sums waits;
	int rc = waits_by_peer(sums, &waits);

	if (!weights)
		rc = -ENOMEM;

	for (size_t i = 0; i < s->n_hotspots && !rc; i++) {
		struct range r = range_of_hotspot(&s->hotspots[i], sums, &waits);

		if (r.n)
			rc = hotspot_stack(&s->hotspots[i], st, r, weights);
	}
	stack_sums_release(&waits);
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

static bool same_but_call(const struct stack_sum *a, const struct stack_sum *b)
{
	return a->service == b->service && a->cause == b->cause && a->route == b->route &&
	       a->stack == b->stack;
}

/* ns: of *to so far */
static void list_add(struct snap_stack *to, const struct stack_sum *sum, uint64_t *ns)
{
	if (__builtin_add_overflow(*ns, sum->ns, ns))
		*ns = UINT64_MAX;
	to->samples += sum->samples;
	to->us = *ns / 1000 + (*ns % 1000 >= 500);
}

/* One for each route, cause and stack: whatever the waits were for. */
static int list_fill(struct snapshot *s, const struct stacks *st, const struct stack_sums *sums)
{
	size_t *at = calloc(stacks_limit(st), sizeof(*at));
	uint64_t ns = 0;

	s->stacks = calloc(sums->n ? sums->n : 1, sizeof(*s->stacks));
	if (!at || !s->stacks || frames_fill(s, st, sums, at)) {
		free(at);
		return -ENOMEM;
	}
	for (size_t i = 0; i < sums->n; i++) {
		const struct stack_sum *sum = &sums->v[i];
		struct stack_frames f = stacks_frames(st, sum->stack);

		if (i && same_but_call(sum, sum - 1)) {
			list_add(&s->stacks[s->n_stacks - 1], sum, &ns);
			continue;
		}
		ns = 0;
		s->stacks[s->n_stacks] = (struct snap_stack){
			.service = sum->service,
			.route = sum->route,
			.cause = sum->cause,
			.frames = s->stack_frames + at[sum->stack] - 1,
			.n_frames = f.n,
			.n_kernel = f.n_kernel,
		};
		list_add(&s->stacks[s->n_stacks++], sum, &ns);
	}
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
