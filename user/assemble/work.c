/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/work.h"

#include <stdlib.h>
#include <string.h>

/* The work of n that r tells of, or a place for it; NULL when there is none. */
static struct work *work_of(struct node *n, const struct rec_work *r)
{
	struct work *w;

	for (uint32_t i = 0; i < n->n_works; i++)
		if (n->works[i].worker_tid == r->worker_tid && n->works[i].from_ns == r->from_ns)
			return &n->works[i];
	if (!n->works)
		n->works = calloc(WORKS_MAX, sizeof(*n->works));
	if (!n->works || n->n_works == WORKS_MAX)
		return NULL; /* who works for it then is not known */
	w = &n->works[n->n_works++];
	*w = (struct work){ .from_ns = r->from_ns, .tid = r->tid, .worker_tid = r->worker_tid };
	return w;
}

void work_record(struct assemble *a, const struct rec_work *r)
{
	struct node *n = r->job ? node_make(a, r->job, r->h.ts_ns) : NULL;
	struct work *w;

	/* a damaged record */
	if (!n || (r->end_ns &&
		   (r->end_ns <= r->from_ns || r->end_ns < r->wait_ns || r->state >= STATE_COUNT)))
		return;
	if (node_done(n)) {
		a->counters.late++;
		return;
	}
	w = work_of(n, r);
	if (!w)
		return;
	n->parts_end_ns = 0;
	if (!r->end_ns) { /* a loop's */
		w->turn = 1 + (uint64_t)r->turn;
		return;
	}
	w->xid = r->xid;
	w->end_ns = r->end_ns;
	w->wait_ns = r->wait_ns;
	w->after_ns = r->after_ns;
	w->state = r->state;
	memcpy(w->state_ns, r->state_ns, sizeof(w->state_ns));
}

/* Did the thread go on with n, or with a call for it? */
static bool went_on(const struct assemble *a, const struct node *n, const struct work *w)
{
	const struct node *with = w->xid && w->xid != n->x.xid ? node_find(a, w->xid) : NULL;

	return w->xid == n->x.xid || (with && with->owner == n);
}

/* Was it the only one that the loop left to a worker in that turn? Of several each may be for a request of which
 * nothing was seen in it; but for one that it waited for there and then. */
static bool is_alone(const struct node *n, const struct work *w)
{
	if (w->state != STATE_POLL || !w->turn)
		return true;
	if (n->n_works == WORKS_MAX)
		return false; /* there may have been more */
	for (uint32_t i = 0; i < n->n_works; i++) {
		const struct work *v = &n->works[i];

		if (v != w && v->turn == w->turn && v->tid == w->tid)
			return false;
	}
	return true;
}

static bool leads_on(const struct node *n, const struct work *w)
{
	for (uint32_t i = 0; i < n->n_works; i++) {
		const struct work *next = &n->works[i];

		if (next->sure && next->after_ns == w->end_ns && next->tid == w->tid)
			return true;
	}
	return false;
}

void work_settle(struct assemble *a, struct node *n)
{
	bool changed = n->n_works > 0;

	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < n->n_works; i++) {
			struct work *w = &n->works[i];

			if (w->sure || !w->end_ns || !is_alone(n, w) ||
			    !(went_on(a, n, w) || leads_on(n, w)))
				continue;
			w->sure = true;
			changed = true;
		}
	}
}

bool work_made(struct assemble *a, struct node *n, const struct node *call)
{
	uint64_t at = call->x.turn[0].first_ns;

	work_settle(a, n);
	for (uint32_t i = 0; i < n->n_works; i++) {
		const struct work *w = &n->works[i];

		if (w->sure && w->worker_tid == call->x.tid && at >= w->from_ns && at <= w->end_ns)
			return true;
	}
	return false;
}
