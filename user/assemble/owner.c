/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/owner.h"

#include <stdlib.h>

#include "assemble/ends.h"
#include "assemble/slot.h"
#include "assemble/work.h"

#define LATE_NS 1000000000ull /* the request's own record may come so much later */
#define LOOKED_AT_MAX 1024 /* requests in flight in one process; beyond it only what is certain */

/* The requests that were open in a call's thread when it was sent. */
struct choice {
	struct node
		*first_same; /* read first of those that ask for the same and have no call yet */
	struct node *again; /* asks for the same and has a call: one of n_again */
	struct node *only; /* one of n */
	size_t n, n_again;
	bool parent_open, parent_again;
	bool elsewhere; /* one that another thread has read asks for the same, and has no call yet */
};

static uint64_t read_at(const struct node *n)
{
	return n->x.turn[0].first_ns ? n->x.turn[0].first_ns : node_start(n);
}

static bool open_at(const struct node *n, uint64_t at)
{
	/* the rest of a body that was answered already asks for nothing */
	if (node_done(n) || read_at(n) > at || n->text.continues)
		return false;
	if (!node_answered(n) || n->x.turn[1].last_ns > at)
		return true;
	return n->state == NODE_OPEN && n->text.can_tell && !n->text.ended;
}

static bool asks_the_same(const struct node *call, const struct node *n)
{
	return call->text.ask && call->text.ask == n->text.ask;
}

/* n has asked for what call asks for, and has no reason to ask again: that call goes on, or had its answer.
 * So this one is for another request, which came in by another name. */
static bool needs_no_more(const struct node *n, const struct node *call)
{
	for (const struct node *c = n->forwarded ? n->calls : NULL; c; c = c->next_call) {
		if (!asks_the_same(c, n) || c->text.ask != call->text.ask)
			continue;
		if (call_end(c, UINT64_MAX) > call->x.turn[0].first_ns)
			return true;
		if (node_answered(c) && c->text.status < 400)
			return true;
	}
	return false;
}

static void choose(struct choice *c, struct node *n, const struct node *call)
{
	bool parent = n->x.xid == call->x.parent, no_more = needs_no_more(n, call);

	c->n++;
	c->only = n;
	c->parent_open |= parent && !no_more;
	if (!asks_the_same(call, n) || no_more)
		return;
	if (n->forwarded) {
		c->n_again++;
		c->again = n;
		c->parent_again |= parent;
	} else if (!c->first_same || read_at(n) < read_at(c->first_same)) {
		c->first_same = n;
	}
}

static struct choice choice_of(const struct assemble *a, const struct node *call)
{
	struct node *n = node_latest_served(a, call->x.tgid);
	bool migrates = process_migrates(a, call->x.tgid);
	struct choice c = { 0 };

	for (size_t i = 0; n && i < LOOKED_AT_MAX; i++, n = n->next_served) {
		if (!open_at(n, call->x.turn[0].first_ns))
			continue;
		if (n->x.tid == call->x.tid || migrates)
			choose(&c, n, call);
		else
			c.elsewhere |= asks_the_same(call, n) && !n->forwarded;
	}
	if (n)
		c.n += 2; /* it is not known how many */
	return c;
}

/* The request that call was made for, NULL = cannot be known. Requests for the same go on in the
 * order in which they came; one that is made again (to another server, after a failure) has a call
 * already. */
static struct node *find(const struct choice *c, const struct node *call, struct node *parent)
{
	bool same_turn = call->x.flags & XCHG_SAME_TURN;

	if (c->first_same)
		return c->first_same;
	if (c->n_again == 1)
		return c->again;
	if (c->n_again)
		return same_turn && c->parent_again ? parent : NULL;
	if (c->elsewhere) /* a thread that has left its request, perhaps */
		return NULL;
	if (same_turn && c->parent_open)
		return parent;
	return c->n == 1 ? c->only : NULL;
}

static void attach(struct assemble *a, struct node *call, struct node *owner)
{
	/* only a damaged capture has calls of calls */
	if (!owner || node_done(owner) || owner->n_calls >= CALLS_MAX || call->calls ||
	    (node_seen(owner) && owner->x.role == ROLE_CONNECTED)) {
		a->counters.late++;
		call->unbound = true;
		slot_unsure(a, call);
		return;
	}
	call->owner = owner;
	if (owner->last_call)
		owner->last_call->next_call = call;
	else
		owner->calls = call;
	owner->last_call = call;
	owner->n_calls++;
	owner->parts_end_ns = 0;
	if (asks_the_same(call, owner))
		owner->forwarded = true;
	if (call->child)
		call->child->parent_xid = owner->x.xid;
	node_deactivate(a, call);
}

/* What is known of the thread of a call that is made after the answer of its latest request. */
struct handing {
	struct node *owner; /* it answered this one next, and had turned to it before the call */
	bool over; /* it has gone on to another request */
};

/* A worker's request that another thread has read is known as its own by the answer only. */
static struct handing handing_of(const struct assemble *a, const struct node *call)
{
	struct node *n = node_latest_served(a, call->x.tgid);
	uint64_t at = call->x.turn[0].first_ns;
	struct handing h = { 0 };

	for (size_t i = 0; n && !h.owner && i < LOOKED_AT_MAX; i++, n = n->next_served) {
		const struct rec_turn *sent = &n->x.turn[1];

		if (n->x.tid == call->x.tid)
			h.over |= n->x.turn[0].first_ns > at;
		else if (sent->tid == call->x.tid && sent->arrival_ns)
			h.owner = sent->arrival_ns <= at && at < sent->first_ns ? n : NULL;
		h.over |= sent->tid == call->x.tid && sent->first_ns > at;
	}
	return h;
}

/* Nothing is open in its thread: work for the last one after its answer, unless it is a loop's, or of a
 * thread that has waited for new work since: that can be anybody's. */
static struct node *after_answer(const struct assemble *a, const struct node *call,
				 struct node *parent)
{
	return worker_loops(a, call->x.tid) || call->x.flags & XCHG_IDLE_CUT ? NULL : parent;
}

/* On a connection that carries several calls at once a turn is one call's only where one thread
 * makes them, one after the other. */
static bool may_be_anybodys(const struct assemble *a, const struct node *call)
{
	if (!call->text.multiplexed)
		return false;
	return call->proto != PROTO_HTTP2 || (call->x.flags & XCHG_MULTI_THREAD) ||
	       worker_loops(a, call->x.tid);
}

/* Is it made by a worker that may have been handed another request since the answer of parent? */
static bool may_be_handed(const struct assemble *a, const struct node *call,
			  const struct node *parent)
{
	const struct proc *p = table_get(&a->procs, call->x.tgid);

	return p && p->handed && !worker_loops(a, call->x.tid) &&
	       !(parent && node_seen(parent) && open_at(parent, call->x.turn[0].first_ns));
}

/* A call by a worker: it is made for the request that the worker was lent to, if that is seen to go on with
 * what came of it; which is known when the request is over, at the latest. */
static void find_lent(struct assemble *a, struct node *call)
{
	struct node *n = node_find(a, call->x.parent);

	if (n && work_made(a, n, call))
		attach(a, call, n);
	else if (n && node_seen(n) && n->state != NODE_OPEN)
		call->unbound = true;
}

static void find_owner(struct assemble *a, struct node *call, uint64_t covered_ns)
{
	struct node *parent = call->x.parent == call->x.xid ? NULL : node_find(a, call->x.parent);
	struct choice c;

	if (may_be_anybodys(a, call)) {
		call->unbound = true;
		return;
	}
	if (may_be_handed(a, call, parent)) {
		struct handing h = handing_of(a, call);

		if (h.owner)
			attach(a, call, h.owner);
		if (h.owner || !h.over)
			return; /* until it answers, or is forgotten */
	}
	if (!parent || !node_seen(parent)) {
		if (worker_loops(a, call->x.tid) && covered_ns < call->x.turn[0].first_ns + LATE_NS)
			return;
		/* a request that was lost: counted with what it called, when it is let go */
		if (!parent && call->x.parent != call->x.xid)
			parent = node_make(a, call->x.parent, call->x.h.ts_ns);
		attach(a, call, parent);
		return;
	}
	if (!call->x.turn[0].ops && !(call->x.flags & (XCHG_CLOSED | XCHG_RESET)) &&
	    !node_done(parent))
		return; /* it connects: what it asks for is not known yet */
	c = choice_of(a, call);
	attach(a, call, c.n ? find(&c, call, parent) : after_answer(a, call, parent));
}

static bool wants_owner(const struct node *n, uint64_t covered_ns)
{
	return n->x.role == ROLE_CONNECTED && !n->owner && !n->unbound && n->x.parent &&
	       n->x.turn[0].first_ns <= covered_ns;
}

static int sent_first(const void *a, const void *b)
{
	uint64_t x = (*(struct node *const *)a)->x.turn[0].first_ns,
		 y = (*(struct node *const *)b)->x.turn[0].first_ns;

	return (x > y) - (x < y);
}

void owner_review(struct assemble *a, uint32_t tgid)
{
	struct node *n = node_latest_served(a, tgid), *call, *next;

	for (size_t i = 0; n && i < LOOKED_AT_MAX; i++, n = n->next_served) {
		for (call = node_done(n) ? NULL : n->calls; call; call = next) {
			next = call->next_call;
			if (asks_the_same(call, n))
				continue;
			node_detach(call);
			node_activate(a, call);
			if (call->child)
				call->child->parent_xid = 0;
			n->parts_end_ns = 0;
		}
	}
}

/* In the order in which they were sent: of requests for the same, the first gets the first. */
void owner_find_all(struct assemble *a, uint64_t covered_ns)
{
	struct node *n, **calls;
	size_t many = 0, i = 0;

	for (n = a->active; n; n = n->next_active)
		many += wants_owner(n, covered_ns);
	calls = many ? malloc(many * sizeof(struct node *)) : NULL;
	if (!calls)
		return; /* without memory: at the next tick */
	for (n = a->active; n; n = n->next_active)
		if (wants_owner(n, covered_ns))
			calls[i++] = n;
	qsort(calls, many, sizeof(struct node *), sent_first);
	for (i = 0; i < many; i++)
		if (!(calls[i]->x.flags & XCHG_LENT))
			find_owner(a, calls[i], covered_ns);
	for (i = 0; i < many; i++) /* others may show whom the worker worked for */
		if (calls[i]->x.flags & XCHG_LENT)
			find_lent(a, calls[i]);
	free(calls);
}
