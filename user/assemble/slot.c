/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/slot.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "assemble/ends.h"
#include "assemble/peer.h"
#include "base/hash.h"
#include "base/intern.h"

#define MS 1000000ull
#define WAIT_MIN_NS (1 * MS) /* shorter waits are not looked into */
#define SAME_TURN_NS (MS / 5) /* the loop waited no longer between two steps of one turn */
#define FREE_MAX_NS (5 * MS) /* that a slot may be free until the loop gives it to the next */
#define UNSURE_NS (10000 * MS)
#define IDLE_NS (60000 * MS)

static uint64_t peer_key(const struct rec_xchg *x)
{
	struct {
		uint32_t tgid, netns;
		uint16_t family, port;
		uint32_t none;
		uint8_t address[32];
	} of = { .tgid = x->tgid, .netns = x->netns, .family = x->family };

	if (x->family == AF_UNIX) {
		memcpy(of.address, x->laddr, sizeof(x->laddr));
		memcpy(of.address + sizeof(x->laddr), x->raddr, sizeof(x->raddr));
	} else {
		memcpy(of.address, x->raddr, sizeof(x->raddr));
		of.port = x->rport;
	}
	return hash_bytes(&of, sizeof(of));
}

static struct slots *slots_of(struct assemble *a, const struct rec_xchg *x, bool make)
{
	uint64_t key = peer_key(x);
	struct slots **at = table_get(&a->slots, key);
	bool created;

	if (at || !make)
		return at ? *at : NULL;
	at = table_put(&a->slots, key, &created);
	if (!at)
		return NULL;
	*at = calloc(1, sizeof(**at));
	if (!*at) {
		table_del(&a->slots, key);
		return NULL;
	}
	(*at)->tgid = x->tgid;
	return *at;
}

void slot_unsure(struct assemble *a, const struct node *call)
{
	struct slots *s = node_seen(call) ? slots_of(a, &call->x, true) : NULL;

	if (s && call->x.turn[0].first_ns > s->unsure_ns)
		s->unsure_ns = call->x.turn[0].first_ns;
}

static uint64_t read_at(const struct node *n)
{
	return n->x.turn[0].last_ns;
}

/* As many calls at once as there were when one of them began: so no other moment has more. */
static void note(struct slots *s, const struct node *n, const struct node *call)
{
	struct slot_call c = {
		.from_ns = call->x.turn[0].first_ns,
		.to_ns = call_end(call, node_end(n)),
		.read_ns = read_at(n),
		.idle = call->x.idle[1][1],
		.n = 1,
	};

	for (size_t i = 0; i < SLOT_CALLS; i++) {
		struct slot_call *o = &s->calls[i];

		if (o->from_ns <= c.from_ns && c.from_ns < o->to_ns)
			c.n++;
		else if (c.from_ns < o->from_ns && o->from_ns < c.to_ns && ++o->n > s->most)
			s->most = o->n;
	}
	if (c.n > s->most)
		s->most = c.n;
	if (c.to_ns > s->last_ns)
		s->last_ns = c.to_ns;
	s->calls[s->at++ % SLOT_CALLS] = c;
}

static void note_calls(struct assemble *a, const struct node *n)
{
	for (const struct node *call = n->calls; call; call = call->next_call) {
		struct slots *s = node_seen(call) ? slots_of(a, &call->x, true) : NULL;

		if (s)
			note(s, n, call);
	}
}

/* Did the loop go from the end of one call to the beginning of the other without a wait between? */
static bool in_same_turn(const struct slot_call *before, const struct node *call)
{
	const struct rec_idle *idle = &call->x.idle[0][0];

	if (!idle->tid || before->idle.tid != idle->tid)
		return false;
	return idle->ns - before->idle.ns <= SAME_TURN_NS;
}

struct edge {
	uint64_t at_ns;
	int step;
};

static int by_time(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return y->step - x->step;
}

/* For how long of [from, to] all slots were taken; 0 if one was free for longer than the loop needs
 * to give it to the next, or if it was given to a request that came later. */
static uint64_t taken(const struct slots *s, const struct node *n, const struct node *call,
		      uint64_t from, uint64_t to)
{
	struct edge v[2 * SLOT_CALLS + 1];
	uint64_t all = 0, free = 0;
	size_t many = 0;
	int now = 0;

	for (size_t i = 0; i < SLOT_CALLS; i++) {
		const struct slot_call *c = &s->calls[i];

		if (c->to_ns <= from || c->from_ns >= to || c->from_ns == call->x.turn[0].first_ns)
			continue;
		if (c->from_ns > from && c->read_ns > read_at(n))
			return 0;
		v[many++] = (struct edge){ c->from_ns > from ? c->from_ns : from, 1 };
		v[many++] = (struct edge){ c->to_ns < to ? c->to_ns : to, -1 };
	}
	v[many++] = (struct edge){ to, 0 };
	qsort(v, many, sizeof(*v), by_time);
	for (size_t i = 0; i < many; i++) {
		uint64_t ns = v[i].at_ns - from;

		if (now >= (int)s->most) {
			all += ns;
			free = 0;
		} else {
			free += ns;
		}
		if (free > FREE_MAX_NS)
			return 0;
		from = v[i].at_ns;
		now += v[i].step;
	}
	return all;
}

/* The last call to the peer that was over when `call` began. */
static const struct slot_call *latest_before(const struct slots *s, const struct node *call)
{
	const struct slot_call *found = NULL;

	for (size_t i = 0; i < SLOT_CALLS; i++) {
		const struct slot_call *c = &s->calls[i];

		if (c->to_ns && c->to_ns <= call->x.turn[0].first_ns &&
		    (!found || c->to_ns > found->to_ns))
			found = c;
	}
	return found;
}

/*
 * It waited for a slot if all of them were taken from its read on, by as many calls to that peer as
 * there ever were at once, and if the loop began its call in the same turn in which it read the end
 * of another. Whatever else a request waits for ends at another time.
 */
static void find(struct assemble *a, struct node *n)
{
	const struct node *call = n->calls;
	const struct slot_call *before;
	uint64_t from = read_at(n), to, own, ns;
	struct slots *s;

	while (call && !node_seen(call))
		call = call->next_call;
	if (!call || !from || call->x.turn[0].first_ns < from + WAIT_MIN_NS)
		return;
	to = call->x.turn[0].first_ns;
	own = call->x.slice_ns[SLICE_PRE];
	s = slots_of(a, &call->x, false);
	before = s ? latest_before(s, call) : NULL;
	if (!before || (s->unsure_ns && s->unsure_ns + UNSURE_NS > from) ||
	    !in_same_turn(before, call) || losses_overlap(&a->losses, from, to))
		return;
	ns = taken(s, n, call, from, to);
	if (ns > to - from - own)
		ns = to - from - own;
	if (own >= to - from || !ns)
		return;
	n->slot = (struct breakdown_slot){
		.from_ns = from,
		.to_ns = to,
		.ns = ns,
		.what = intern_fmt("pool of %s", intern_text(peer_address(&call->x))),
	};
}

static bool looked_at(const struct assemble *a, const struct node *n)
{
	return n->state == NODE_OVER && n->calls && worker_loops(a, n->x.tid);
}

void slots_find(struct assemble *a)
{
	struct node *n;

	for (n = a->active; n; n = n->next_active)
		if (looked_at(a, n))
			note_calls(a, n);
	for (n = a->active; n; n = n->next_active)
		if (looked_at(a, n))
			find(a, n);
}

void slots_forget(struct assemble *a, uint64_t covered_ns)
{
	table_each(it, &a->slots) {
		struct slots *s = *(struct slots **)it.value;

		if (table_get(&a->procs, s->tgid) && s->last_ns + IDLE_NS > covered_ns)
			continue;
		free(s);
		table_del(&a->slots, it.key);
	}
}
