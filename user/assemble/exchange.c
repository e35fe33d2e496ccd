/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/exchange.h"

#include <assert.h>

#include "assemble/conn.h"
#include "assemble/detail.h"
#include "assemble/life.h"
#include "assemble/merge.h"
#include "assemble/owner.h"
#include "assemble/thread.h"
#include "base/intern.h"

static void read_text(struct assemble *a, struct node *n, const struct rec_xchg *x)
{
	char buf[ABI_REQ_HEAD_MAX + ABI_DATA_MAX], rsp[ANSWER_TEXT_MAX];
	struct text_in in = {
		.request = more_text_of(&a->texts, x, (const uint8_t *)(x + 1), buf, sizeof(buf)),
		.response = more_text_of_answer(&a->texts, x, rsp),
		.tail = node_tail(x),
		.request_bytes = x->turn[0].bytes,
		.response_bytes = x->turn[1].bytes,
		.answer = node_answer_place(x),
		.pipelined = x->flags & XCHG_PIPELINED,
		.body = x->flags & XCHG_BODY,
		.behind = x->flags & XCHG_BEHIND,
		.framed = x->flags & XCHG_FRAMED,
		.pg_owed = x->pg_owed,
		.pg_last = (char)x->pg_last,
		.seeded = x->flags & XCHG_SEEDED,
		.http2 = x->flags & XCHG_HTTP2,
	};

	text_read_exchange(&n->conn->text, &in, &n->text);
	n->proto = n->conn->text.proto;
}

void exchange_data(struct assemble *a, const struct rec_data *r)
{
	char rsp[ANSWER_TEXT_MAX];
	struct node *n = node_find(a, r->xid);
	struct text_in in = { 0 };

	if (more_text_add(&a->texts, r))
		a->counters.evicted++;
	if (r->turn != 1 || !n || !node_seen(n) || node_done(n) || n->base)
		return;
	/* its record was in another ring, and came first */
	in.response = more_text_of_answer(&a->texts, &n->x, rsp);
	in.tail = node_tail(&n->x);
	in.response_bytes = n->x.turn[1].bytes;
	in.answer = node_answer_place(&n->x);
	text_read_answer(&in, n->proto, &n->text);
	if (n == n->conn->newest)
		n->conn->text.upgraded = n->text.upgrade;
}

static void remember_name(struct assemble *a, struct node *n)
{
	if (!n->text.route || n->named)
		return;
	if (n->text.after)
		route_put(a, n->x.xid,
			  intern_fmt("%s after %s", intern_text(n->text.route),
				     intern_text(n->text.after)));
	else
		route_put(a, n->x.xid, n->text.route);
	n->named = true;
}

static void link_to_conn(struct node *n, struct conn *c)
{
	n->conn = c;
	n->older = c->newest;
	if (c->newest) {
		c->newest->newer = n;
		c->newest->followed = true;
	}
	if (c->used)
		text_next_exchange(&c->text);
	c->used = true;
	c->newest = n;
}

static bool answered_by_another(const struct rec_xchg *x)
{
	return x->role == ROLE_ACCEPTED && x->flags & XCHG_MULTI_THREAD && x->turn[1].ops;
}

/* The process may be gone when the request is accounted. */
static void learn_service(struct assemble *a, struct node *n, bool by_another)
{
	struct proc *p = proc_of(a, n->x.tgid);
	struct node *before;

	if (p) {
		n->service = p->service;
		n->pool = p->pool;
		if (answered_by_another(&n->x) && !by_another) {
			if (n->x.turn[1].arrival_ns)
				detail_handed(a, n);
			p->handed += n->x.turn[1].arrival_ns != 0;
			p->migrated += n->x.turn[1].arrival_ns == 0;
		}
		if (n->x.role == ROLE_ACCEPTED && (n->x.flags & XCHG_MULTI_THREAD) &&
		    !p->migrates) {
			p->migrates = true;
			owner_review(a, n->x.tgid);
		}
	}
	/* what the thread did for the request before, until it turned to this one */
	before = n->x.behind ? node_find(a, n->x.behind) : NULL;
	if (before && !node_done(before)) {
		before->after_ns = n->x.behind_after_ns;
		before->after_io_ns = 0;
	}
}

/* Who reads there is known by who did; until somebody has, by who holds the listener, which is told
 * with it. That one's pool need not be the one that it is of. */
static void on_pending(struct assemble *a, const struct rec_xchg *x, struct conn *c)
{
	const struct proc *p;
	struct listener *l;
	bool created;

	c->pending_ns = x->turn[0].arrival_ns;
	c->pending_before = x->flags & XCHG_NO_ARRIVAL;
	c->pending_seen_ns = x->h.ts_ns;
	c->listener_key = conn_listener_key(x);
	p = x->tgid && !listener_of(a, c) ? proc_of(a, x->tgid) : NULL;
	l = p ? table_put(&a->listeners, c->listener_key, &created) : NULL;
	if (l)
		*l = (struct listener){ p->service, 0 };
}

void exchange_record(struct assemble *a, const struct rec_xchg *x)
{
	struct conn *c = conn_of(a, x);
	struct node *n;
	bool first, answered, by_another;

	if (!c)
		return; /* counted */
	if (x->flags & XCHG_CONNECTION) { /* the two ends know each other now */
		c->gone = x->flags & XCHG_CLOSED;
		return;
	}
	if (x->flags & XCHG_PENDING) {
		on_pending(a, x, c);
		return;
	}
	if (x->seq < c->done_seqs)
		return; /* it closed after its end was known */
	n = node_make(a, x->xid, x->h.ts_ns);
	if (!n)
		return; /* counted */
	if (node_done(n))
		return; /* what came after the answer changes nothing */
	first = !node_seen(n);
	if (!first && n->x.h.ts_ns > x->h.ts_ns)
		return; /* an older copy from another ring */
	if (n->after_io_ns && x->turn[1].last_ns > n->after_io_ns)
		n->after_ns = 0; /* that work was for the rest of the answer */
	answered = node_answered(n);
	by_another = answered_by_another(&n->x);
	n->x = *x;
	n->parts_end_ns = 0;
	if (first) {
		link_to_conn(n, c);
		node_becomes(n, NODE_OPEN, END_NONE);
		c->pending_ns = 0;
	}
	learn_service(a, n, by_another);
	if (x->flags & (XCHG_CLOSED | XCHG_RESET))
		c->gone = true;
	read_text(a, n, x);
	if (first)
		merge_older(a, n);
	merge_fold(n);
	remember_name(a, n);
	if (x->role == ROLE_ACCEPTED && first) {
		thread_reads(a, n);
		node_serve(a, n);
	}
	if (x->role == ROLE_ACCEPTED && answered)
		thread_goes_on(a, n);
	else if (x->role == ROLE_ACCEPTED && node_answered(n))
		thread_answers(a, n);
}
