/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/forget.h"

#include <assert.h>

#include "assemble/slot.h"
#include "assemble/unbound.h"

#define SECOND 1000000000ull
#define CLOSED_NS (2 * SECOND)
#define IDLE_NS (600 * SECOND)
#define LASTING_NS (86400 * SECOND) /* whose other end is known, or will be, once it is used */
#define PRESSED_NS (3 * SECOND)
#define EXITED_NS (10 * SECOND)
#define TEXT_NS (10 * SECOND)
#define ORPHAN_NS (5 * SECOND)
#define UNJOINED_NS SECOND /* a callee kept for a call whose record may still come */

static void conn_forget(struct assemble *a, struct conn *c)
{
	struct pair *p = c->pair_key ? table_get(&a->pairs, c->pair_key) : NULL;

	if (p) {
		if (p->accepted == c->id)
			p->accepted = 0;
		if (p->connected == c->id)
			p->connected = 0;
		if (!p->accepted && !p->connected)
			table_del(&a->pairs, c->pair_key);
	}
	assert(!c->newest);
	conn_free(c);
}

static uint64_t kept_ns(const struct conn *c, bool pressed)
{
	if (c->gone)
		return CLOSED_NS;
	if (pressed)
		return PRESSED_NS;
	return c->peer || c->role == ROLE_CONNECTED ? LASTING_NS : IDLE_NS;
}

static void forget_conns(struct assemble *a, uint64_t covered)
{
	bool pressed = a->conns.n > CONNS_MAX / 4;

	table_each(it, &a->conns) {
		struct conn *c = *(struct conn **)it.value;

		if (c->newest || c->last_ns + kept_ns(c, pressed) > covered)
			continue;
		table_del(&a->conns, c->id);
		conn_forget(a, c);
	}
}

static void forget_procs(struct assemble *a, uint64_t covered)
{
	table_each(it, &a->procs) {
		const struct proc *p = it.value;

		if (p->exited && p->exit_ns + EXITED_NS < covered)
			table_del(&a->procs, it.key);
	}
	table_each(it, &a->workers) {
		const struct worker *w = it.value;
		struct proc *p = table_get(&a->procs, w->tgid);

		/* threads end without a word; what is idle for long learns again */
		if (p && (a->workers.n <= PROCS_MAX / 4 || w->last_ns + IDLE_NS / 10 >= covered))
			continue;
		if (p && w->shared)
			p->shared--;
		table_del(&a->workers, it.key);
	}
}

static bool text_wanted(const void *ctx, uint64_t xid)
{
	return node_find(ctx, xid);
}

void forget(struct assemble *a, uint64_t covered_ns)
{
	forget_conns(a, covered_ns);
	forget_procs(a, covered_ns);
	slots_forget(a, covered_ns);
	more_texts_forget(&a->texts, covered_ns > TEXT_NS ? covered_ns - TEXT_NS : 0, text_wanted,
			  a);
}

/* ---- exchanges ----------------------------------------------------------------------------- */

/* Is it a call by a worker that was lent to a request which is not over yet? */
static bool is_lent(const struct assemble *a, const struct node *call)
{
	const struct node *n = call->x.flags & XCHG_LENT && !call->unbound ?
				       node_find(a, call->x.parent) :
				       NULL;

	return n && node_is_request(n);
}

/* May n still be asked for: by its caller's breakdown, or by a record that is to come? */
static bool still_wanted(const struct assemble *a, const struct node *n, uint64_t covered_ns)
{
	if (!node_seen(n))
		return covered_ns < n->first_seen_ns + ORPHAN_NS;
	if (n->x.role != ROLE_ACCEPTED) /* a call without an owner */
		return covered_ns < node_last(n) + ORPHAN_NS || is_lent(a, n);
	if (!node_done(n))
		return true;
	if (n->caller)
		return true; /* until the request that made the call is gone */
	if (n->unwanted || !n->conn || !n->conn->peer || !conn_find(a, n->conn->peer))
		return false;
	return covered_ns < node_last(n) + UNJOINED_NS;
}

void forget_nodes(struct assemble *a, uint64_t covered_ns)
{
	struct node *n, *next;

	for (n = a->active; n; n = next) {
		next = n->next_active;
		if (still_wanted(a, n, covered_ns))
			continue;
		if (!node_seen(n))
			a->counters.orphans += n->n_calls;
		unbound_count(a, n, false);
		node_free(a, n, END_ORPHANED);
	}
}
