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

	if (__builtin_mul_overflow(p->us, r->requests, &us))
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

int flame_rows(const struct snapshot *s, enum export_kind kind,
	       int (*fn)(void *ctx, const struct flame_row *row), void *ctx)
{
	struct flame_row row;
	int rc = 0;

	if (kind == EXPORT_WALL)
		return wall_rows(s, fn, ctx);
	for (size_t i = 0; i < s->n_stacks && !rc; i++) {
		const struct snap_stack *stack = &s->stacks[i];

		if ((stack->cause == CAUSE_CPU) != (kind == EXPORT_CPU))
			continue;
		stack_row(&row, stack, kind == EXPORT_CPU ? stack->samples : stack->us);
		rc = row.weight ? fn(ctx, &row) : 0;
	}
	return rc;
}
