/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/holder.h"

#include <assert.h>
#include <stdlib.h>

#include "assemble/join.h"
#include "base/intern.h"

void holder_remember(struct assemble *a, uint64_t xid, const struct wait *r)
{
	uint32_t at = a->lock_wait_at % LOCK_WAITS_MAX, *newest;
	struct lock_wait *w;

	if (!a->lock_waits)
		a->lock_waits = calloc(LOCK_WAITS_MAX, sizeof(*a->lock_waits));
	if (!a->lock_waits)
		return;
	w = &a->lock_waits[at];
	newest = w->xid ? table_get(&a->lock_index, w->xid) : NULL;
	if (newest && *newest == at + 1)
		table_del(&a->lock_index, w->xid);
	newest = table_put(&a->lock_index, xid, NULL);
	if (!newest)
		return;
	*w = (struct lock_wait){ .xid = xid,
				 .key = r->key,
				 .start_ns = r->start_ns,
				 .end_ns = r->start_ns + r->ns,
				 .waker_xid = r->waker_xid,
				 .older = *newest };
	*newest = at + 1;
	a->lock_wait_at++;
}

/* The wait of xid for the same lock that ended latest within (from, to). */
static const struct lock_wait *wait_before(const struct assemble *a, uint64_t xid, uint64_t key,
					   uint64_t from, uint64_t to)
{
	const uint32_t *newest = table_get(&a->lock_index, xid);
	uint32_t at = newest ? *newest : 0;

	for (int i = 0; at && i < HOLDERS_MAX * 4; i++) {
		const struct lock_wait *w = &a->lock_waits[at - 1];

		if (w->xid != xid)
			return NULL; /* overwritten since */
		if (w->key == key && w->end_ns > from && w->end_ns < to)
			return w;
		at = w->older;
	}
	return NULL;
}

#define WAITS_ON_NS 100000000ull /* looks for a deadlock, say, and waits for a CPU before it does */

static bool in_poll(const struct wait *w)
{
	return w->cause == CAUSE_OTHER;
}

/* The wait in poll that begins soonest after w has ended. */
static const struct wait *wait_after(const struct node *n, const struct wait *w)
{
	uint64_t end = w->start_ns + w->ns;
	const struct wait *next = NULL;

	for (const struct wait *v = n->waits; v < n->waits + n->n_waits; v++)
		if (in_poll(v) && v->start_ns >= end && v->start_ns - end <= WAITS_ON_NS &&
		    (!next || v->start_ns < next->start_ns))
			next = v;
	return next;
}

void holder_settle(const struct assemble *a, struct node *n)
{
	bool changed = n->n_waits > 0;

	if (!changed)
		return;
	/* one whose latch was set by a process that serves nobody, or by a stream, was for its work */
	for (struct wait *w = n->waits; w < n->waits + n->n_waits; w++) {
		const struct node *by = w->waker_xid ? node_find(a, w->waker_xid) : NULL;

		if (in_poll(w) && w->held && (!w->waker_xid || (by && by->text.endless))) {
			w->as = CAUSE_IPC;
			w->what = intern_str("another process");
		}
	}
	/* one that nothing ended that is known, and another at once: it waited on for the same */
	while (changed) {
		changed = false;
		for (struct wait *w = n->waits; w < n->waits + n->n_waits; w++) {
			const struct wait *next = in_poll(w) && !w->as ? wait_after(n, w) : NULL;

			if (!next || !next->as || next->as == CAUSE_SLEEP)
				continue;
			w->as = next->as;
			w->what = next->what;
			w->held = next->held;
			w->waker_xid = next->waker_xid;
			changed = true;
		}
	}
}

/* "POST /pay: COMMIT after UPDATE ...": whom it did that for, where that is known. */
static uint32_t holder_name(struct assemble *a, uint64_t xid)
{
	uint32_t did = route_of(a, xid);
	struct node *n = xid ? node_find(a, xid) : NULL;
	const struct node *for_whom;

	if (!n || n->kept || !node_seen(n) || n->proto != PROTO_PGSQL)
		return did;
	node_join(a, n);
	for_whom = n->caller ? n->caller->owner : NULL;
	if (!for_whom || !node_seen(for_whom) || !for_whom->text.route)
		return did;
	return did ? intern_fmt("%s: %s", intern_text(for_whom->text.route), intern_text(did)) :
		     for_whom->text.route;
}

void holder_note(struct assemble *a, uint64_t xid, uint64_t now_ns)
{
	struct node *n = node_make(a, xid, now_ns);

	if (n)
		n->holds = true;
}

void holder_keep(struct assemble *a, const struct node *request)
{
	for (struct node *call = request->calls; call; call = call->next_call) {
		struct node *n = call->child;

		if (!n || !n->holds)
			continue;
		route_put(a, n->x.xid, holder_name(a, n->x.xid));
		n->kept = true;
	}
}

/* Did request `holder`, in which the thread that ended w, a wait of n, at end_ns was seen last, hold what
 * n waited for? Who does another's work holds nothing, and may have left its own request for it. Where
 * requests go on in other threads, any thread may have: there only what it sent of the answer later shows
 * that it had not. */
static bool held(const struct assemble *a, const struct node *n, const struct wait *w,
		 uint64_t end_ns, uint64_t holder)
{
	if (wait_told_as(w) != CAUSE_LOCK)
		return false;
	return !threads_leave(a, n->x.tgid) || worker_was_at(a, holder, end_ns);
}

/* A part of w, a wait of n, of `ns`, that ended at end_ns by `holder`. */
static struct breakdown_wait split_of(struct assemble *a, const struct node *n,
				      const struct wait *w, uint64_t ns, uint64_t end_ns,
				      uint64_t holder)
{
	return (struct breakdown_wait){ .ns = ns,
					.what = w->what,
					.held_by = holder && held(a, n, w, end_ns, holder) ?
							   holder_name(a, holder) :
							   0,
					.count = w->count,
					.cause = w->cause,
					.as = w->as };
}

size_t holder_split(struct assemble *a, const struct node *n, const struct wait *w,
		    struct breakdown_wait *out)
{
	uint64_t from = w->start_ns, to = w->start_ns + w->ns, holder = w->held ? w->waker_xid : 0;
	bool lock = wait_told_as(w) == CAUSE_LOCK;
	size_t filled = 0;

	while (lock && filled < HOLDERS_MAX - 1 && holder && a->lock_waits) {
		const struct lock_wait *before = wait_before(a, holder, w->key, from, to);

		if (!before)
			break;
		out[filled++] = split_of(a, n, w, to - before->end_ns, to, holder);
		to = before->end_ns;
		holder = before->waker_xid;
	}
	assert(to >= from && filled < HOLDERS_MAX);
	out[filled++] = split_of(a, n, w, to - from, to, holder);
	return filled;
}
