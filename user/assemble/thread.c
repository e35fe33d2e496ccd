/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/thread.h"

#include <assert.h>
#include <stdlib.h>

#include "assemble/conn.h"

void thread_record(struct assemble *a, const struct rec_thread *r)
{
	struct node *n = node_find(a, r->xid);

	if (!n || node_done(n))
		return;
	if (r->state == STATE_COUNT) { /* it is free now: what it did since its last I/O */
		n->after_ns = r->h.ts_ns - r->last_io_ns;
		return;
	}
	if (!n->now)
		n->now = malloc(sizeof(*n->now));
	if (n->now)
		*n->now = *r;
}

/* A thread that turns to a connection again after it has served others, or that has two requests
 * open at once, runs an event loop; a pool's worker stays with one connection. */
void thread_serves(struct assemble *a, struct node *n)
{
	const struct rec_xchg *x = &n->x;
	struct proc *p = proc_of(a, x->tgid);
	struct worker *w = table_put(&a->workers, x->tid, NULL);
	struct listener *l;
	struct conn *c = n->conn;

	if (p) {
		p->serves = true;
		p->store = p->store || n->proto == PROTO_PGSQL;
		c->listener_key = conn_listener_key(x);
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
