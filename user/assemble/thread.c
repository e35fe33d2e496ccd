/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/thread.h"

#include <assert.h>
#include <stdlib.h>

#include "assemble/conn.h"

void thread_record(struct assemble *a, const struct rec_thread *r)
{
	const struct proc *p = table_get(&a->procs, r->tgid);
	struct node *n = node_find(a, r->xid);

	if (!n || node_done(n))
		return;
	if (p && p->handed && node_answered(n) && n->text.ended)
		return; /* it may be at a request that it was handed */
	if (r->state == STATE_COUNT && r->last_io_ns < n->x.turn[1].last_ns)
		return; /* the answer went on */
	if (r->state == STATE_COUNT) { /* it is free now: what it did since its last I/O */
		n->after_ns = r->h.ts_ns - r->last_io_ns;
		n->after_io_ns = r->last_io_ns;
		return;
	}
	if (!n->now)
		n->now = malloc(sizeof(*n->now));
	if (n->now)
		*n->now = *r;
}

void thread_reads(struct assemble *a, struct node *n)
{
	const struct rec_xchg *x = &n->x;
	struct proc *p = proc_of(a, x->tgid);
	struct listener *l;
	struct conn *c = n->conn;

	if (!p)
		return;
	p->serves = true;
	p->store = p->store || n->proto == PROTO_PGSQL;
	c->listener_key = conn_listener_key(x);
	l = table_put(&a->listeners, c->listener_key, NULL);
	if (l)
		*l = (struct listener){ p->service, p->pool };
}

static struct worker *worker_of(struct assemble *a, const struct rec_xchg *x)
{
	struct worker *w = table_put(&a->workers, x->tid, NULL);

	if (w && w->tgid != x->tgid) /* new, or a thread's id is used again */
		*w = (struct worker){ .tgid = x->tgid };
	return w;
}

/* A thread that has two requests open at once runs an event loop. So does one that turns to a
 * connection again after it has served others, if it waits for any of them itself; else another
 * thread does, and hands over to a pool of such threads. One that only reads, and leaves the answer
 * to another thread, is neither. */
void thread_answers(struct assemble *a, struct node *n)
{
	const struct rec_xchg *x = &n->x;
	struct conn *c = n->conn;
	struct proc *p = table_get(&a->procs, x->tgid);
	struct worker *w;

	if ((x->flags & XCHG_MULTI_THREAD) || x->turn[1].tid != x->tid || !x->turn[0].ops)
		return;
	w = worker_of(a, x);
	if (!w)
		return;
	w->served++;
	w->polls |= !(x->flags & XCHG_NO_POLLER);
	w->returns |= c->tid == x->tid && w->served > c->served_at + 1;
	if (w->conn != c->id) {
		w->overlaps |= x->turn[0].first_ns > w->first_ns &&
			       x->turn[0].first_ns < w->last_ns;
		w->overlaps |= w->first_ns > x->turn[0].first_ns && w->first_ns < node_last(n);
		if (p && w->conn && !w->shared)
			p->shared++;
		w->shared |= w->conn != 0;
	}
	c->tid = x->tid;
	c->served_at = w->served;
	w->conn = c->id;
	w->first_ns = x->turn[0].first_ns;
	w->last_ns = node_last(n);
	if (p)
		p->loops |= worker_loops(a, x->tid);
}

/* A thread that has answered another request before it went on with the answer of n has both open. */
void thread_goes_on(struct assemble *a, const struct node *n)
{
	const struct rec_xchg *x = &n->x;
	struct worker *w = table_get(&a->workers, x->tid);
	struct proc *p = table_get(&a->procs, x->tgid);

	if (!w || w->tgid != x->tgid || w->conn == n->conn->id || (x->flags & XCHG_MULTI_THREAD) ||
	    x->turn[1].tid != x->tid)
		return;
	w->overlaps |= w->first_ns > x->turn[0].first_ns && w->first_ns < x->turn[1].last_ns;
	if (p)
		p->loops |= w->overlaps;
}
