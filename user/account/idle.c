/* SPDX-License-Identifier: GPL-2.0-only */
#include "account/idle.h"

#include <errno.h>
#include <stdlib.h>

/* Times are rounded to milliseconds by those who wait for them, so some that are near each other are
 * one to the kernel side. */
#define CHOSEN_SLACK_US 5000

#define min_of(a, b) ((a) < (b) ? (a) : (b))
#define max_of(a, b) ((a) > (b) ? (a) : (b))

/* An I/O for the request: `calls` more are outstanding after it. */
struct point {
	uint64_t at_ns;
	const struct rec_idle *idle; /* NULL = not known */
	int calls;
};

static int by_time(const void *a, const void *b)
{
	const struct point *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return y->calls - x->calls;
}

static size_t fill(const struct breakdown_in *in, struct point *v)
{
	size_t n = 0;

	v[n++] = (struct point){ in->read_last_ns, &in->idle[0][1], 0 };
	if (in->sent_first_ns) {
		v[n++] = (struct point){ in->sent_first_ns, &in->idle[1][0], 0 };
		v[n++] = (struct point){ in->sent_last_ns, &in->idle[1][1], 0 };
	}
	if (in->end_ns > in->sent_last_ns) /* not over yet */
		v[n++] = (struct point){ in->end_ns, NULL, 0 };
	for (size_t i = 0; i < in->n_calls; i++) {
		const struct breakdown_call *c = &in->calls[i];

		if (c->lent)
			continue; /* within a work */
		v[n++] = (struct point){ c->start_ns, c->idle ? &c->idle[0][0] : NULL, 1 };
		v[n++] = (struct point){ c->end_ns, c->idle && c->first_ns ? &c->idle[1][1] : NULL,
					 -1 };
	}
	return n;
}

/* Did a worker begin with something in [from_ns, to_ns] that may be for the request? Then it waits for that, for
 * as long as is not known. */
static bool may_work(const struct breakdown_in *in, uint64_t from_ns, uint64_t to_ns)
{
	for (size_t i = 0; i < in->n_works; i++)
		if (!in->works[i].end_ns && in->works[i].from_ns >= from_ns &&
		    in->works[i].from_ns < to_ns)
			return true;
	return false;
}

/* How long workers were at it in [from_ns, to_ns], at least: works may overlap. */
static uint64_t worked(const struct breakdown_in *in, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < in->n_works; i++) {
		uint64_t from = max_of(in->works[i].from_ns, from_ns);
		uint64_t to = min_of(in->works[i].end_ns, to_ns);

		if (in->works[i].state == STATE_POLL && to > from)
			ns += to - from;
	}
	return min_of(ns, to_ns - from_ns);
}

/* What an I/O says of the latest wait of its thread before it. */
struct latest {
	bool due; /* ended by its own timeout */
	bool anybodys; /* which need not have been the request's */
	uint64_t chosen_us; /* the thread first waited until that time so long before */
	uint64_t turn_ns; /* the wait ended so long before; UINT64_MAX = not known */
};

static struct latest latest_of(const struct rec_idle *idle)
{
	uint32_t v = idle->latest;
	uint64_t turn, chosen = v >> IDLE_CHOSEN_PLACE & IDLE_CHOSEN_MAX;

	if (!(v & IDLE_TOLD))
		return (struct latest){ v != 0, false, v - 1, UINT64_MAX };
	turn = v & IDLE_TURN_MAX;
	return (struct latest){ /* so long ago that it is not known how long: nobody's */
				v & IDLE_TIMED_OUT && chosen < IDLE_CHOSEN_MAX, v & IDLE_ANYBODYS,
				(chosen << IDLE_CHOSEN_SHIFT) / 1000,
				/* the whole of its last unit */
				turn == IDLE_TURN_MAX ? UINT64_MAX : (turn + 1) << IDLE_TURN_SHIFT
	};
}

/* Was the time that ended the wait the request's? Only if the loop chose it after it had gone on with the
 * request; and not before, for another one or for its own sake. Where that may be chance the request's is only
 * what was chosen right then. */
static bool is_due(const struct latest *latest, uint64_t span_ns)
{
	uint64_t us = span_ns / 1000;

	return latest->due && latest->chosen_us <= us + CHOSEN_SLACK_US &&
	       (!latest->anybodys || latest->chosen_us + CHOSEN_SLACK_US >= us);
}

static void add(const struct breakdown_in *in, struct idle *out, const struct point *from,
		const struct point *to, bool gap)
{
	uint64_t span = to->at_ns - from->at_ns;
	uint64_t ns = span - worked(in, from->at_ns, to->at_ns), idle, more;
	struct latest latest;

	out->span_ns += ns;
	if (!from->idle || !to->idle || !from->idle->tid || from->idle->tid != to->idle->tid) {
		out->unmeasured_ns += ns;
		return;
	}
	if (may_work(in, from->at_ns, to->at_ns)) {
		out->worker_ns += ns;
		return;
	}
	if (to->idle->ns <= from->idle->ns)
		return;
	latest = latest_of(to->idle);
	idle = min_of(ns, to->idle->ns - from->idle->ns);
	/* a loop that waits has nothing to do: so the request was not there to go on with before the latest
	 * wait ended, whatever else the loop did */
	more = ns - idle > latest.turn_ns ? ns - idle - latest.turn_ns : 0;
	if (is_due(&latest, span)) {
		out->due_ns += idle;
		out->due_more_ns += more;
	} else if (gap) {
		out->gap_ns += idle;
		out->other_more_ns += more;
	} else {
		out->other_ns += idle;
		out->other_more_ns += more;
	}
}

int idle_between(const struct breakdown_in *in, struct idle *out)
{
	struct point few[10], *v = few;
	size_t n = 4 + 2 * in->n_calls;
	int calls = 0;

	*out = (struct idle){ 0 };
	if (!in->idle || !in->idle[0][1].tid || !in->read_last_ns)
		return 0;
	if (n > sizeof(few) / sizeof(few[0]))
		v = calloc(n, sizeof(*v));
	if (!v)
		return -ENOMEM;
	n = fill(in, v);
	qsort(v, n, sizeof(*v), by_time);
	for (size_t i = 0; i + 1 < n; i++) {
		calls += v[i].calls;
		if (in->slot.ns && v[i].at_ns >= in->slot.from_ns &&
		    v[i + 1].at_ns <= in->slot.to_ns)
			continue; /* it waited for a slot */
		if (!calls && v[i].at_ns >= in->read_last_ns && v[i + 1].at_ns <= in->end_ns)
			add(in, out, &v[i], &v[i + 1],
			    in->sent_first_ns && v[i].at_ns >= in->sent_first_ns);
	}
	out->known = true;
	if (v != few)
		free(v);
	return 0;
}
