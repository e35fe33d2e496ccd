// SPDX-License-Identifier: GPL-2.0-only
/* The verdict, worked out from the leading row; see verdict.h. */
#include "rank/verdict.h"

#include <assert.h>
#include <errno.h>

#include "base/intern.h"

enum { HELD_SHARE = 4, NAMED_SHARE = 20 };

/* The rows are sorted: the first entry row leads. */
static const struct row *leading_row(const struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		if (rows->v[i].sum.entry && rows->v[i].sum.wait_ns)
			return &rows->v[i];
	return NULL;
}

/*
 * Sums parts by who and cause, and apart by what of it. "Other" is the sum of many small things
 * and does not lead while anything has a name.
 */
static int parts_by_cause(const struct parts *parts, struct parts *causes, struct parts *whats)
{
	int rc = 0;

	for (size_t i = 0; i < parts->n && !rc; i++) {
		const struct part *from = &parts->v[i];
		struct part p = { .who = from->who, .cause = from->cause, .ns = from->ns };

		/* Unmeasured time is one thing, whoever spent it. */
		if (p.cause == CAUSE_UNKNOWN)
			p.who = INTERN_EMPTY;
		rc = parts_add(causes, &p);
		p.what = from->what;
		p.held_by = from->held_by;
		rc = rc ? rc : parts_add(whats, &p);
	}
	parts_sort(causes);
	parts_sort(whats);
	return rc;
}

static bool same_cause(const struct part *a, const struct part *b)
{
	return a->who == b->who && a->cause == b->cause;
}

static bool is_unnamed(const struct part *p)
{
	return p->what == INTERN_OTHER || (p->what == INTERN_EMPTY && p->held_by == INTERN_EMPTY);
}

/* What is waited for most within the leading who and cause. Who holds it is not known while the
 * wait lasts, so a holder leads over none from a share of 1 / HELD_SHARE on. */
static const struct part *leading_what(const struct part *cause, const struct parts *whats)
{
	const struct part *best = NULL;

	for (size_t i = 0; i < whats->n; i++) {
		const struct part *p = &whats->v[i];

		if (!same_cause(p, cause))
			continue;
		if (!best ||
		    (is_unnamed(best) && !is_unnamed(p) && p->ns >= cause->ns / NAMED_SHARE))
			best = p;
	}
	assert(best); /* whats are causes, split up */
	for (size_t i = 0; i < whats->n && !best->held_by; i++) {
		const struct part *p = &whats->v[i];

		if (same_cause(p, cause) && p->what == best->what && p->held_by &&
		    p->ns >= best->ns / HELD_SHARE)
			best = p;
	}
	return best;
}

/* Fills s->top, by the parts that the route's panel shows. */
static int top_fill(struct snapshot *s, const struct rows *rows, const struct row *row)
{
	const struct parts *parts = row->sum.counted ? &row->sum.counted_parts :
						       &row->sum.wait_parts;
	struct parts causes = { 0 }, whats = { 0 };
	double whole = (double)parts_sum_ns(parts);
	int rc = parts_by_cause(parts, &causes, &whats);

	s->top.route = row->sum.route;
	s->top.route_share = rows_share(rows, row->sum.wait_ns);
	if (!rc && causes.n) {
		const struct part *cause = &causes.v[0], *best = leading_what(cause, &whats);

		s->top.who = cause->who;
		s->top.cause = cause->cause;
		s->top.what = best->what;
		s->top.held_by = best->held_by;
		s->top.cause_share = (double)cause->ns / whole;
		s->top.what_share = (double)best->ns / whole;
	}
	parts_release(&whats);
	parts_release(&causes);
	return rc;
}

/* Nobody waits long: hardly a request took long, the mean one, by Little's law and with those in
 * flight, did not, and none has been in flight for long. */
static bool is_calm(const struct snapshot *s, const struct rows *rows)
{
	return s->requests && s->p95_us <= VERDICT_CALM_US &&
	       s->wait_s_per_s * 1e6 <= s->req_per_s * VERDICT_CALM_US &&
	       rows->open_longest_ns <= VERDICT_LONG_US * UINT64_C(1000);
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
	else if (is_calm(s, rows))
		s->verdict = SNAP_VERDICT_CALM;
	else if (s->top.cause == CAUSE_UNKNOWN)
		s->verdict = SNAP_VERDICT_UNKNOWN;
	else
		s->verdict = SNAP_VERDICT_WAIT;
	return 0;
}
