/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/open.h"

#include <assert.h>

#include "assemble/ends.h"
#include "assemble/give.h"
#include "assemble/input.h"
#include "assemble/join.h"
#include "base/intern.h"

#define PENDING_FRESH_NS 300000000ull /* the sweep repeats it while it lasts */

/* Requests that nobody has read: only the listener that they wait at is known. */
static void open_pending(struct assemble *a, assemble_request_fn fn, void *ctx)
{
	table_each(it, &a->conns) {
		struct conn *c = *(struct conn **)it.value;
		const struct listener *l = c->pending_ns ? listener_of(a, c) : NULL;
		struct part part = { .cause = CAUSE_QUEUE };
		struct request r = { .xid = c->id, .binding = 'U', .parts = { &part, 1, 1 } };

		if (!l || c->pending_seen_ns + PENDING_FRESH_NS < a->covered_ns ||
		    a->covered_ns <= c->pending_ns)
			continue;
		r.start_ns = c->pending_ns;
		r.end_ns = a->covered_ns;
		r.service = part.who = l->service;
		r.pool = l->pool;
		r.route = intern_str("(not read yet)");
		r.waiting_for = intern_str("a worker");
		r.flags = REQUEST_OPEN | (c->peer ? 0 : REQUEST_ENTRY) |
			  (c->pending_before ? REQUEST_BEFORE : 0);
		if (losses_overlap(&a->losses, r.start_ns, r.end_ns))
			r.flags |= REQUEST_INCOMPLETE;
		part.what = l->pool ? intern_fmt("pool %s", intern_text(l->pool)) : 0;
		part.ns = r.end_ns - r.start_ns;
		fn(ctx, &r);
	}
}

/* Up to when n is known: now, or where it may be over already, its last I/O. */
static uint64_t known_until(const struct assemble *a, const struct node *n)
{
	if (node_answered(n) && !n->text.can_tell)
		return node_last(n);
	if (n->now && n->now->h.ts_ns > a->covered_ns && n->now->last_io_ns >= node_last(n))
		return n->now->h.ts_ns;
	return a->covered_ns;
}

void open_each(struct assemble *a, assemble_request_fn fn, void *ctx)
{
	struct request_call calls[CALLS_KEPT + 1];
	struct request_mark marks[MARKS_MAX];
	struct request r;

	for (struct node *n = a->active; n; n = n->next_active) {
		uint64_t end;

		assert(n->state != NODE_OVER);
		if (n->state != NODE_OPEN || n->x.role != ROLE_ACCEPTED || ends_no_request(n))
			continue;
		if (n->text.multiplexed) /* nothing may be asked any more */
			continue;
		end = known_until(a, n);
		if (end <= node_start(n))
			continue;
		node_join(a, n);
		if (node_breakdown(a, n, end, 0))
			continue;
		request_fill(a, n, end, true, &r, calls, marks);
		fn(ctx, &r);
	}
	open_pending(a, fn, ctx);
}
