// SPDX-License-Identifier: GPL-2.0-only
/* The verdict, worked out from the leading row; see verdict.h. */
#include "rank/verdict.h"

#include <errno.h>

#include "base/intern.h"

/* The rows are sorted: the first entry row leads. */
static const struct row *leading_row(const struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		if (rows->v[i].sum.entry && rows->v[i].sum.wait_ns)
			return &rows->v[i];
	return NULL;
}

/*
 * Sums parts by who and cause, then finds in the leading one what is waited for most. "Other" is
 * the sum of many small things and does not lead while anything has a name. Fills s->top.
 */
static int top_fill(struct snapshot *s, const struct rows *rows, const struct row *row)
{
	struct parts sorted = { 0 }, causes = { 0 };
	const struct parts *parts = &row->sum.wait_parts;
	const struct part *best = NULL;
	int rc = 0;

	for (size_t i = 0; i < parts->n && !rc; i++) {
		struct part p = { .who = parts->v[i].who,
				  .cause = parts->v[i].cause,
				  .ns = parts->v[i].ns };

		/* Unmeasured time is one thing, whoever spent it. */
		if (p.cause == CAUSE_UNKNOWN)
			p.who = INTERN_EMPTY;
		rc = parts_add(&causes, &p);
		p = (struct part){ .who = p.who,
				   .cause = p.cause,
				   .what = parts->v[i].what,
				   .held_by = parts->v[i].held_by,
				   .ns = parts->v[i].ns };
		rc = rc ? rc : parts_add(&sorted, &p);
	}
	if (!rc && causes.n) {
		parts_sort(&causes);
		parts_sort(&sorted);
		for (size_t i = 0; i < sorted.n; i++) {
			const struct part *p = &sorted.v[i];

			if (p->who != causes.v[0].who || p->cause != causes.v[0].cause)
				continue;
			if (!best || (best->what == INTERN_OTHER && p->what != INTERN_OTHER))
				best = p;
		}
	}
	if (best) {
		s->top.route = row->sum.route;
		s->top.who = best->who;
		s->top.what = best->what;
		s->top.held_by = best->held_by;
		s->top.cause = best->cause;
		s->top.route_share = rows_share(rows, row->sum.wait_ns);
		s->top.cause_share = (double)causes.v[0].ns / (double)row->sum.wait_ns;
	}
	parts_release(&sorted);
	parts_release(&causes);
	return rc;
}

int verdict_build(struct snapshot *s, const struct rows *rows, bool seen)
{
	const struct row *row = leading_row(rows);

	s->top.cause = CAUSE_UNKNOWN;
	if (row && top_fill(s, rows, row))
		return -ENOMEM;
	if (!seen)
		s->verdict = SNAP_VERDICT_NO_DATA;
	else if ((double)s->incomplete > VERDICT_INCOMPLETE_MAX * (double)s->requests)
		s->verdict = SNAP_VERDICT_INCOMPLETE;
	else if (!row || s->wait_s_per_s < VERDICT_WAIT_MIN)
		s->verdict = SNAP_VERDICT_NOTHING;
	else if (s->top.cause == CAUSE_UNKNOWN)
		s->verdict = SNAP_VERDICT_UNKNOWN;
	else
		s->verdict = SNAP_VERDICT_WAIT;
	return 0;
}
