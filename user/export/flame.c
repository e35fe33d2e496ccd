// SPDX-License-Identifier: GPL-2.0-only
#include "export/flame.h"

#include "base/intern.h"

static const char *name_of(const char *text)
{
	return text && *text ? text : "unknown";
}

static void row_begin(struct flame_row *row, uint32_t service, uint32_t route, uint64_t weight)
{
	row->frames[0] = name_of(intern_text(service));
	row->frames[1] = name_of(intern_text(route));
	row->n = 2;
	row->weight = weight;
}

static void part_row(struct flame_row *row, const struct snap_route *r, const struct snap_part *p)
{
	const char *what = intern_text(p->what);
	uint64_t us;

	if (__builtin_mul_overflow(p->us, r->counted, &us))
		us = UINT64_MAX;
	row_begin(row, r->service, r->route, us);
	row->frames[row->n++] = name_of(intern_text(p->who));
	row->frames[row->n++] = cause_name((enum cause)p->cause);
	if (what && *what) /* else nothing more is known than the cause */
		row->frames[row->n++] = what;
	row->kernel_at = row->n;
}

static void stack_row(struct flame_row *row, const struct snap_stack *s, uint64_t weight)
{
	row_begin(row, s->service, s->route, weight);
	row->kernel_at = row->n + s->n_frames - s->n_kernel;
	for (size_t i = s->n_frames; i > 0 && row->n < FLAME_FRAMES_MAX; i--)
		row->frames[row->n++] = name_of(intern_text(s->frames[i - 1]));
}

static int wall_rows(const struct snapshot *s, int (*fn)(void *, const struct flame_row *),
		     void *ctx)
{
	struct flame_row row;
	int rc = 0;

	for (size_t i = 0; i < s->n_routes && !rc; i++) {
		const struct snap_route *r = &s->routes[i];

		for (size_t k = 0; r->entry && k < r->n_parts && !rc; k++) {
			part_row(&row, r, &r->parts[k]);
			rc = row.weight ? fn(ctx, &row) : 0;
		}
	}
	return rc;
}

/* The cause that a wait's stack has, of a part that waits off the CPU; CAUSE_COUNT for any other
 * part. Who waits for another, or for a client's bytes, is in a call that receives: `upstream`. */
static enum cause stack_cause(const struct snap_part *p)
{
	if (p->via)
		return CAUSE_UPSTREAM;
	switch ((enum cause)p->cause) {
	case CAUSE_RECV:
	case CAUSE_DB:
	case CAUSE_CACHE:
	case CAUSE_UPSTREAM:
		return CAUSE_UPSTREAM;
	case CAUSE_SEND:
	case CAUSE_DISK:
	case CAUSE_FAULT:
	case CAUSE_LOCK:
	case CAUSE_SLEEP:
	case CAUSE_IPC:
	case CAUSE_OTHER:
		return (enum cause)p->cause;
	default: /* on a CPU, runnable, or nobody's thread */
		return CAUSE_COUNT;
	}
}

/* A thread of an event loop does not wait for one request: that it polls is no wait of a route. */
static bool on_loop(const struct snap_route *r)
{
	for (size_t i = 0; i < r->n_parts; i++)
		if (r->parts[i].cause == CAUSE_LOOP && !r->parts[i].via)
			return true;
	return false;
}

static void add_waits(const struct snap_route *r, uint64_t us[CAUSE_COUNT])
{
	for (size_t i = 0; i < r->n_parts; i++) {
		enum cause cause = stack_cause(&r->parts[i]);
		uint64_t part;

		if (cause != CAUSE_COUNT &&
		    !__builtin_mul_overflow(r->parts[i].us, r->counted, &part))
			us[cause] += part;
	}
}

/* Stacks are of a service and a route, of which there can be several rows: by pool, and of users'
 * requests apart from those of other services. */
static bool same_route(const struct snap_route *a, const struct snap_route *b)
{
	return a->service == b->service && a->route == b->route;
}

static bool is_first(const struct snapshot *s, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_route(&s->routes[k], &s->routes[i]))
			return false;
	return true;
}

/* What requests like r's waited off the CPU, by their breakdown, and no stack tells: waits below
 * 1 ms leave none. */
static void without_stack(const struct snapshot *s, const struct snap_route *r,
			  uint64_t us[CAUSE_COUNT])
{
	for (size_t i = 0; i < s->n_routes; i++)
		if (same_route(&s->routes[i], r))
			add_waits(&s->routes[i], us);
	for (size_t i = 0; i < s->n_stacks; i++) {
		const struct snap_stack *stack = &s->stacks[i];

		if (stack->service == r->service && stack->route == r->route &&
		    stack->cause != CAUSE_CPU)
			us[stack->cause] -= stack->us < us[stack->cause] ? stack->us :
									   us[stack->cause];
	}
}

/* "service;route;[waits below 1 ms, or without a stack];lock": with these the graph adds up to the breakdown. */
static int short_rows(const struct snapshot *s, int (*fn)(void *, const struct flame_row *),
		      void *ctx)
{
	struct flame_row row;
	int rc = 0;

	for (size_t i = 0; i < s->n_routes && !rc; i++) {
		const struct snap_route *r = &s->routes[i];
		uint64_t us[CAUSE_COUNT] = { 0 };

		if (on_loop(r) || !is_first(s, i))
			continue;
		without_stack(s, r, us);
		for (int c = 0; c < CAUSE_COUNT && !rc; c++) {
			if (!us[c])
				continue;
			row_begin(&row, r->service, r->route, us[c]);
			row.frames[row.n++] = "[waits below 1 ms, or without a stack]";
			row.frames[row.n++] = cause_name((enum cause)c);
			row.kernel_at = row.n;
			rc = fn(ctx, &row);
		}
	}
	return rc;
}

int flame_rows(const struct snapshot *s, enum export_kind kind,
	       int (*fn)(void *ctx, const struct flame_row *row), void *ctx)
{
	struct flame_row row;
	bool any = false;
	int rc = 0;

	if (kind == EXPORT_WALL)
		return wall_rows(s, fn, ctx);
	for (size_t i = 0; i < s->n_stacks && !rc; i++) {
		const struct snap_stack *stack = &s->stacks[i];

		if ((stack->cause == CAUSE_CPU) != (kind == EXPORT_CPU))
			continue;
		stack_row(&row, stack, kind == EXPORT_CPU ? stack->samples : stack->us);
		any |= row.weight > 0;
		rc = row.weight ? fn(ctx, &row) : 0;
	}
	if (kind == EXPORT_OFF && any && !rc) /* without a single stack it is no graph */
		rc = short_rows(s, fn, ctx);
	return rc;
}
