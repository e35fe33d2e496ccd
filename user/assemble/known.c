/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/known.h"

#include <assert.h>
#include <stdlib.h>

#include "assemble/life.h"
#include "base/intern.h"

static void node_keep_names(const struct node *n)
{
	intern_keep(n->text.method);
	intern_keep(n->text.route);
	intern_keep(n->base_text.method);
	intern_keep(n->base_text.route);
	intern_keep(n->service);
	intern_keep(n->pool);
	intern_keep(n->slot.what);
	for (uint32_t i = 0; i < n->n_waits; i++)
		intern_keep(n->waits[i].what);
	for (uint32_t i = 0; i < n->n_marks; i++)
		intern_keep(n->marks[i].label);
	parts_keep_names(n->parts.v, n->parts.n);
}

static void known_keep_names(void *ctx)
{
	struct assemble *a = ctx;

	table_each(it, &a->nodes)
		node_keep_names(*(struct node **)it.value);
	table_each(it, &a->conns)
		text_state_keep_names(&(*(struct conn **)it.value)->text);
	table_each(it, &a->procs) {
		intern_keep(((struct proc *)it.value)->service);
		intern_keep(((struct proc *)it.value)->pool);
	}
	table_each(it, &a->listeners) {
		intern_keep(((struct listener *)it.value)->service);
		intern_keep(((struct listener *)it.value)->pool);
	}
	table_each(it, &a->names)
		intern_keep(((struct name *)it.value)->route);
	for (size_t i = 0; i < ABI_PROBES_MAX; i++)
		intern_keep(a->labels[i]);
	for (size_t i = 0; i < a->counters.n_unbound; i++) {
		intern_keep(a->counters.unbound[i].service);
		intern_keep(a->counters.unbound[i].peer);
	}
}

struct assemble *known_new(void)
{
	struct assemble *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	table_init(&a->nodes, sizeof(struct node *), NODES_MAX);
	table_init(&a->conns, sizeof(struct conn *), CONNS_MAX);
	table_init(&a->pairs, sizeof(struct pair), CONNS_MAX);
	table_init(&a->served, sizeof(struct node *), PROCS_MAX);
	table_init(&a->procs, sizeof(struct proc), PROCS_MAX);
	table_init(&a->workers, sizeof(struct worker), PROCS_MAX);
	table_init(&a->lock_index, sizeof(uint32_t), LOCK_WAITS_MAX);
	table_init(&a->listeners, sizeof(struct listener), LISTENERS_MAX);
	table_init(&a->slots, sizeof(struct slots *), SLOT_PEERS_MAX);
	table_init(&a->names, sizeof(struct name), NAMES_MAX);
	more_texts_init(&a->texts);
	a->active_end = &a->active;
	a->holder = (struct intern_holder){ known_keep_names, a, NULL };
	intern_hold(&a->holder);
	return a;
}

void conn_free(struct conn *c)
{
	text_state_release(&c->text);
	free(c);
}

static void node_release(struct node *n)
{
	parts_release(&n->parts);
	free(n->waits);
	free(n->marks);
	free(n->works);
	free(n->net);
	free(n->now);
	free(n->base);
	free(n);
}

void known_free(struct assemble *a)
{
	if (!a)
		return;
	intern_unhold(&a->holder);
	table_each(it, &a->nodes)
		node_release(*(struct node **)it.value);
	table_each(it, &a->conns)
		conn_free(*(struct conn **)it.value);
	table_each(it, &a->slots)
		free(*(struct slots **)it.value);
	table_release(&a->slots);
	table_release(&a->nodes);
	table_release(&a->conns);
	table_release(&a->pairs);
	table_release(&a->served);
	table_release(&a->procs);
	table_release(&a->workers);
	more_texts_release(&a->texts);
	table_release(&a->lock_index);
	free(a->lock_waits);
	free(a->handed_waits);
	table_release(&a->listeners);
	table_release(&a->names);
	free(a);
}

/* ---- nodes --------------------------------------------------------------------------------- */

struct node *node_find(const struct assemble *a, uint64_t xid)
{
	struct node **slot = table_get(&a->nodes, xid);

	return slot ? *slot : NULL;
}

void node_activate(struct assemble *a, struct node *n)
{
	assert(!n->prev_active);
	n->prev_active = a->active_end;
	*a->active_end = n;
	a->active_end = &n->next_active;
}

struct node *node_make(struct assemble *a, uint64_t xid, uint64_t now_ns)
{
	struct node **slot, *n;
	bool created;

	slot = table_put(&a->nodes, xid, &created);
	if (slot && !created)
		return *slot;
	n = slot ? calloc(1, sizeof(*n)) : NULL;
	if (!n) {
		if (slot)
			table_del(&a->nodes, xid);
		a->counters.evicted++;
		losses_add_span(&a->losses, now_ns, now_ns);
		return NULL;
	}
	*slot = n;
	n->x.xid = xid;
	n->first_seen_ns = now_ns;
	node_activate(a, n);
	return n;
}

void node_deactivate(struct assemble *a, struct node *n)
{
	if (!n->prev_active)
		return;
	if (n->next_active)
		n->next_active->prev_active = n->prev_active;
	else
		a->active_end = n->prev_active;
	*n->prev_active = n->next_active;
	n->prev_active = NULL;
	n->next_active = NULL;
}

void node_serve(struct assemble *a, struct node *n)
{
	struct node **head;

	if (n->served_by || !n->x.tgid) /* a damaged record can have no process */
		return;
	head = table_put(&a->served, n->x.tgid, NULL);
	if (!head)
		return;
	n->served_by = n->x.tgid;
	n->next_served = *head;
	if (*head)
		(*head)->prev_served = n;
	*head = n;
}

struct node *node_latest_served(const struct assemble *a, uint32_t tgid)
{
	struct node **head = table_get(&a->served, tgid);

	return head ? *head : NULL;
}

static void node_unserve(struct assemble *a, struct node *n)
{
	if (!n->served_by)
		return;
	if (n->next_served)
		n->next_served->prev_served = n->prev_served;
	if (n->prev_served)
		n->prev_served->next_served = n->next_served;
	else if (n->next_served)
		*(struct node **)table_get(&a->served, n->served_by) = n->next_served;
	else
		table_del(&a->served, n->served_by);
	n->served_by = 0;
}

static void node_unlink(struct assemble *a, struct node *n)
{
	node_deactivate(a, n);
	if (n->conn && n->conn->joined == n)
		n->conn->joined = n->newer;
	node_unserve(a, n);
	if (n->older)
		n->older->newer = n->newer;
	if (n->newer)
		n->newer->older = n->older;
	else if (n->conn && n->conn->newest == n)
		n->conn->newest = n->older;
	n->older = NULL;
	n->newer = NULL;
}

void node_detach(struct node *call)
{
	struct node *owner = call->owner, **at, *last = NULL;

	if (!owner)
		return;
	for (at = &owner->calls; *at; at = &(*at)->next_call) {
		if (*at == call) {
			*at = call->next_call;
			owner->n_calls--;
			if (!*at)
				owner->last_call = last;
			break;
		}
		last = *at;
	}
	call->owner = NULL;
	call->next_call = NULL;
}

/* The name outlives n: with it, until when its thread was at it. */
static void name_settle(struct assemble *a, const struct node *n)
{
	struct name *kept = table_get(&a->names, n->x.xid);

	if (!kept)
		return;
	kept->last_ns = node_last(n);
	kept->moved = n->x.flags & XCHG_MULTI_THREAD;
}

void node_free(struct assemble *a, struct node *n, enum end_reason why)
{
	struct node *call = n->calls, *next;

	assert(node_find(a, n->x.xid) == n);
	n->calls = NULL;
	for (; call; call = next) {
		next = call->next_call;
		assert(call->owner == n && !call->prev_active);
		node_free(a, call, END_OWNER);
	}
	if (n->child) {
		assert(n->child->caller == n);
		n->child->caller = NULL;
		n->child->unwanted = true;
		n->child = NULL;
	}
	if (n->caller) {
		assert(n->caller->child == n);
		n->caller->child = NULL;
		n->caller = NULL;
	}
	more_text_drop(&a->texts, n->x.xid);
	name_settle(a, n);
	node_unlink(a, n);
	table_del(&a->nodes, n->x.xid);
	node_becomes(n, NODE_GONE, why);
	node_release(n);
}

/* ---- what is known of others --------------------------------------------------------------- */

struct conn *conn_find(const struct assemble *a, uint64_t id)
{
	struct conn **slot = table_get(&a->conns, id);

	return slot ? *slot : NULL;
}

struct conn *conn_opposite(const struct assemble *a, const struct node *n)
{
	return n->conn && n->conn->peer ? conn_find(a, n->conn->peer) : NULL;
}

struct proc *proc_of(struct assemble *a, uint32_t tgid)
{
	bool created;
	struct proc *p = table_put(&a->procs, tgid, &created);

	if (p && created)
		p->service = intern_fmt("pid %u", tgid);
	return p;
}

uint32_t service_of(struct assemble *a, const struct node *n)
{
	const struct proc *p;

	if (n->service)
		return n->service;
	p = proc_of(a, n->x.tgid);
	return p ? p->service : INTERN_OTHER;
}

bool worker_loops(const struct assemble *a, uint32_t tid)
{
	const struct worker *w = table_get(&a->workers, tid);

	return w && (w->overlaps || (w->returns && w->polls));
}

bool process_migrates(const struct assemble *a, uint32_t tgid)
{
	const struct proc *p = table_get(&a->procs, tgid);

	return p && p->migrated * 4 > p->handed;
}

const struct listener *listener_of(const struct assemble *a, const struct conn *c)
{
	return c && c->listener_key ? table_get(&a->listeners, c->listener_key) : NULL;
}

void route_put(struct assemble *a, uint64_t xid, uint32_t route)
{
	uint64_t *place = &a->name_ring[a->name_at++ % NAMES_MAX];
	struct name *kept;

	if (*place)
		table_del(&a->names, *place);
	*place = xid;
	kept = table_put(&a->names, xid, NULL);
	if (kept)
		*kept = (struct name){ .route = route };
}

uint32_t route_of(const struct assemble *a, uint64_t xid)
{
	const struct name *kept = xid ? table_get(&a->names, xid) : NULL;

	return kept ? kept->route : 0;
}

bool worker_was_at(const struct assemble *a, uint64_t xid, uint64_t at_ns)
{
	const struct node *n = node_find(a, xid);
	const struct name *kept = n ? NULL : table_get(&a->names, xid);

	if (n && node_seen(n))
		return node_answered(n) && !(n->x.flags & XCHG_MULTI_THREAD) &&
		       node_last(n) >= at_ns;
	return kept && !kept->moved && kept->last_ns >= at_ns;
}

bool threads_leave(const struct assemble *a, uint32_t tgid)
{
	const struct proc *p = table_get(&a->procs, tgid);

	return p && p->migrates;
}
