/* SPDX-License-Identifier: GPL-2.0-only */
/* One record of an exchange: the connection it is on, its text, its place among the others. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "assemble/node.h"
#include "base/intern.h"
#include "ingest/record.h"

static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3ull;
	return h;
}

/* One end of a connection can be an IPv6 socket and the other an IPv4 one. */
static uint64_t mix_address(uint64_t h, uint16_t family, const uint8_t *address)
{
	const uint8_t *ipv4 = record_ipv4(family, address);

	return ipv4 ? mix(h, ipv4, 4) : mix(h, address, 16);
}

static uint64_t tcp_key(const struct rec_xchg *x, bool reversed)
{
	uint64_t h = mix(0xcbf29ce484222325ull, &x->netns, sizeof(x->netns));
	const uint8_t *server = reversed ? x->raddr : x->laddr;
	const uint8_t *client = reversed ? x->laddr : x->raddr;
	uint16_t sport = reversed ? x->rport : x->lport, cport = reversed ? x->lport : x->rport;

	h = mix_address(mix_address(h, x->family, server), x->family, client);
	return mix(mix(h, &sport, 2), &cport, 2);
}

/* The same for both ends of a connection: addresses of TCP, sockets of Unix, server first. */
static uint64_t pair_key(const struct rec_xchg *x)
{
	bool connected = x->role == ROLE_CONNECTED;
	uint64_t server, client;

	if (x->family != AF_UNIX)
		return x->lport && x->rport ? tcp_key(x, connected) : 0;
	server = connected ? x->peer_sk : x->sk;
	client = connected ? x->sk : x->peer_sk;
	if (!server || !client)
		return 0;
	return mix(mix(0xcbf29ce484222325ull, &server, 8), &client, 8);
}

static uint64_t listener_key(const struct rec_xchg *x)
{
	uint64_t h = mix(0xcbf29ce484222325ull, &x->netns, sizeof(x->netns));

	if (x->family == AF_UNIX)
		return mix(h, x->laddr, sizeof(x->laddr) + sizeof(x->raddr));
	return mix(h, &x->lport, sizeof(x->lport));
}

/* What one end sends first is what arrives first at the other. */
static bool born_together(const struct conn *a, const struct conn *b)
{
	uint64_t d = a->born_ns > b->born_ns ? a->born_ns - b->born_ns : b->born_ns - a->born_ns;

	return !a->born_ns || !b->born_ns || d < 2000000000u;
}

/* Both ends of a Unix connection have the listener's path. */
static uint64_t path_key(const struct rec_xchg *x)
{
	static const uint8_t none[16];
	bool known = x->family == AF_UNIX && (memcmp(x->laddr, none, sizeof(none)) != 0 ||
					      memcmp(x->raddr, none, sizeof(none)) != 0);

	return known ? listener_key(x) : 0;
}

static bool same_path(const struct conn *a, const struct conn *b)
{
	return !a->path_key || !b->path_key || a->path_key == b->path_key;
}

static void pair_up(struct assemble *a, struct conn *c, const struct rec_xchg *x)
{
	uint64_t key = pair_key(x), other;
	struct pair *p;
	struct conn *peer;

	if (!key || key == c->pair_key)
		return;
	p = table_put(&a->pairs, key, NULL);
	if (!p) {
		a->counters.evicted++;
		return;
	}
	c->pair_key = key;
	c->path_key = path_key(x);
	if (x->role == ROLE_ACCEPTED) {
		p->accepted = c->id;
		other = p->connected;
	} else {
		p->connected = c->id;
		other = p->accepted;
	}
	peer = other ? conn_find(a, other) : NULL;
	/* addresses are used again: an old other end is not this one's */
	if (!peer || peer->pair_key != key || (peer->peer && peer->peer != c->id) ||
	    !born_together(c, peer) || !same_path(c, peer))
		return;
	peer->peer = c->id;
	c->peer = peer->id;
}

static struct conn *conn_of(struct assemble *a, const struct rec_xchg *x)
{
	struct conn **slot, *c;
	bool created;

	slot = table_put(&a->conns, x->conn, &created);
	if (!slot) {
		a->counters.evicted++;
		return NULL;
	}
	if (created) {
		*slot = calloc(1, sizeof(**slot));
		if (!*slot) {
			table_del(&a->conns, x->conn);
			return NULL;
		}
		(*slot)->id = x->conn;
		(*slot)->role = x->role;
	}
	c = *slot;
	c->last_ns = x->h.ts_ns;
	if (!c->born_ns && x->seq == 0 && !(x->flags & XCHG_SEEDED))
		c->born_ns = x->turn[0].arrival_ns ? x->turn[0].arrival_ns : x->turn[0].first_ns;
	pair_up(a, c, x);
	return c;
}

/* A thread that turns to a connection again after it has served others, or that has two requests
 * open at once, runs an event loop; a pool's worker stays with one connection. */
static void learn_worker(struct assemble *a, struct node *n)
{
	const struct rec_xchg *x = &n->x;
	struct proc *p = proc_of(a, x->tgid);
	struct worker *w = table_put(&a->workers, x->tid, NULL);
	struct listener *l;
	struct conn *c = n->conn;

	if (p) {
		p->serves = true;
		p->store = p->store || n->proto == PROTO_PGSQL;
		c->listener_key = listener_key(x);
		l = table_put(&a->listeners, c->listener_key, NULL);
		if (l)
			*l = (struct listener){ p->service, p->pool };
	}
	if (!w)
		return;
	w->tgid = x->tgid;
	w->served++;
	if (c->tid == x->tid && w->served > c->served_at + 1)
		w->loops = true;
	if (w->conn != c->id && x->turn[0].first_ns > w->first_ns &&
	    x->turn[0].first_ns < w->last_ns)
		w->loops = true;
	c->tid = x->tid;
	c->served_at = w->served;
	w->conn = c->id;
	w->first_ns = x->turn[0].first_ns;
	w->last_ns = node_last(n);
	if (p && w->loops)
		p->loops = true;
}

static void name_put(struct assemble *a, struct node *n)
{
	uint64_t *place = &a->name_ring[a->name_at++ % NAMES_MAX];
	uint32_t *route;

	if (*place)
		table_del(&a->names, *place);
	route = table_put(&a->names, n->x.xid, NULL);
	*place = n->x.xid;
	if (route)
		*route = n->text.route;
	n->named = true;
}

static void read_text(struct assemble *a, struct node *n, const struct rec_xchg *x)
{
	char buf[ABI_REQ_HEAD_MAX + ABI_DATA_MAX];
	struct text_in in = {
		.request = more_text_of(a, x, (const uint8_t *)(x + 1), buf, sizeof(buf)),
		.response = { (const char *)x->rsp, x->rsp_len },
		.tail = { (const char *)x->tail, x->tail_len },
		.response_bytes = x->turn[1].bytes,
		.pipelined = x->flags & XCHG_PIPELINED,
	};

	text_read_exchange(&n->conn->text, &in, &n->text);
	n->proto = n->conn->text.proto;
	n->texted = true;
	if (n->text.route && !n->named)
		name_put(a, n);
}

/* Puts the exchange before in front of n: they are one, told apart only by turns. */
static void fold_base(struct node *n)
{
	const struct rec_xchg *b = n->base;
	struct rec_xchg *x = &n->x;
	struct rec_turn *t = &x->turn[0];

	t->arrival_ns = b->turn[0].arrival_ns;
	t->first_ns = b->turn[0].first_ns;
	if (!t->last_ns)
		t->last_ns = b->turn[1].last_ns ? b->turn[1].last_ns : b->turn[0].last_ns;
	t->bytes += b->turn[0].bytes;
	t->ops += b->turn[0].ops;
	x->slice_ns[SLICE_T0] += x->slice_ns[SLICE_PRE] + b->slice_ns[SLICE_T0] +
				 b->slice_ns[SLICE_MID] + b->slice_ns[SLICE_T1];
	x->slice_ns[SLICE_PRE] = b->slice_ns[SLICE_PRE];
	for (size_t i = 0; i < STATE_COUNT; i++)
		x->state_ns[i] += b->state_ns[i];
	x->flags |= b->flags & (XCHG_FRESH | XCHG_THREAD_NEW | XCHG_NO_ARRIVAL | XCHG_SEEDED);
	x->behind = b->behind;
	x->behind_after_ns = b->behind_after_ns;
	if (!x->parent)
		x->parent = b->parent;
}

static void take_over(struct node *n, struct node *old)
{
	struct node *call;

	n->base = malloc(sizeof(*n->base));
	if (n->base)
		*n->base = old->x;
	for (call = old->calls; call; call = call->next_call)
		call->owner = n;
	if (old->calls) {
		old->last_call->next_call = n->calls;
		if (!n->calls)
			n->last_call = old->last_call;
		n->calls = old->calls;
		n->n_calls += old->n_calls;
		old->calls = NULL;
		old->n_calls = 0;
	}
	if (!n->marks) {
		n->marks = old->marks;
		n->n_marks = old->n_marks;
		old->marks = NULL;
	}
	if (old->child) {
		n->child = old->child;
		n->child->caller = n;
		old->child = NULL;
	}
	if (old->caller) {
		n->caller = old->caller;
		n->caller->child = n;
		old->caller = NULL;
	}
	if (!n->waits) {
		n->waits = old->waits;
		n->n_waits = old->n_waits;
		old->waits = NULL;
	}
}

/* Is n the same exchange as the one before it on its connection? */
static bool continues(const struct node *n, const struct node *old)
{
	if (old->text.interim)
		return true;
	if (n->proto == PROTO_PGSQL)
		return old->text.can_tell && !old->text.ended && !old->text.no_request;
	return n->text.continues && !old->text.ended;
}

static void detach_call(struct node *call)
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

/* What the folded part said stands for the whole. */
static void fold_text(struct assemble *a, struct node *n)
{
	const struct text *b = &n->base_text;
	struct text *t = &n->text;

	if (b->route && (b->interim || t->continues || !t->route))
		t->route = b->route;
	if (!t->method)
		t->method = b->method;
	t->continues = false;
	t->error = t->error || b->error;
	if (t->route && !n->named)
		name_put(a, n);
}

static void merge_older(struct assemble *a, struct node *n)
{
	struct node *old = n->older;

	if (!old || old->done || !old->seen || !old->texted || !continues(n, old))
		return;
	take_over(n, old);
	n->base_text = old->text;
	detach_call(old);
	node_free(a, old);
}

static void attach_call(struct assemble *a, struct node *n)
{
	struct node *owner;

	if (n->owner || !n->x.parent)
		return;
	owner = n->x.parent == n->x.xid ? NULL : node_make(a, n->x.parent, n->x.h.ts_ns);
	/* only a damaged capture has calls of calls */
	if (!owner || owner->done || owner->n_calls >= CALLS_MAX || n->calls ||
	    (owner->seen && owner->x.role == ROLE_CONNECTED)) {
		a->counters.late++;
		n->x.parent = 0;
		return;
	}
	n->owner = owner;
	if (owner->last_call)
		owner->last_call->next_call = n;
	else
		owner->calls = n;
	owner->last_call = n;
	owner->n_calls++;
	node_deactivate(a, n);
}

static void link_to_conn(struct node *n, struct conn *c)
{
	n->conn = c;
	n->older = c->newest;
	if (c->newest) {
		c->newest->newer = n;
		c->newest->over = true;
	}
	if (c->used)
		text_next_exchange(&c->text);
	c->used = true;
	c->newest = n;
}

/* The process may be gone when the request is accounted. */
static void learn_service(struct assemble *a, struct node *n)
{
	struct proc *p = proc_of(a, n->x.tgid);
	struct node *before;

	if (p) {
		n->service = p->service;
		n->pool = p->pool;
	}
	/* what the thread did for the request before, until it turned to this one */
	before = n->x.behind ? node_find(a, n->x.behind) : NULL;
	if (before && !before->done)
		before->after_ns = n->x.behind_after_ns;
}

static void on_pending(const struct rec_xchg *x, struct conn *c)
{
	c->pending_ns = x->turn[0].arrival_ns;
	c->pending_seen_ns = x->h.ts_ns;
	c->listener_key = listener_key(x);
}

int exchange_record(struct assemble *a, const struct rec_xchg *x)
{
	struct conn *c = conn_of(a, x);
	struct node *n;
	bool first;

	if (!c)
		return 0; /* counted */
	if (x->flags & XCHG_PENDING) {
		on_pending(x, c);
		return 0;
	}
	if (x->seq < c->done_seqs)
		return 0; /* it closed after its end was known */
	n = node_make(a, x->xid, x->h.ts_ns);
	if (!n)
		return 0; /* counted */
	if (n->done)
		return 0; /* what came after the answer changes nothing */
	first = !n->seen;
	if (!first && n->x.h.ts_ns > x->h.ts_ns)
		return 0; /* an older copy from another ring */
	n->x = *x;
	n->seen = true;
	n->parts_end_ns = 0;
	if (first) {
		link_to_conn(n, c);
		c->pending_ns = 0;
	}
	learn_service(a, n);
	if (x->flags & (XCHG_CLOSED | XCHG_RESET))
		c->gone = true;
	read_text(a, n, x);
	if (first)
		merge_older(a, n);
	if (n->base) {
		fold_base(n);
		fold_text(a, n);
	}
	if (x->role == ROLE_CONNECTED)
		attach_call(a, n);
	else if (first)
		learn_worker(a, n);
	return 0;
}
