/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/input.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account/breakdown.h"
#include "assemble/detail.h"
#include "assemble/ends.h"
#include "assemble/holder.h"
#include "assemble/join.h"
#include "assemble/peer.h"
#include "assemble/work.h"
#include "base/intern.h"
#include "ingest/record.h"

#define MS 1000000ull

#define min_of(a, b) ((a) < (b) ? (a) : (b))
#define max_of(a, b) ((a) > (b) ? (a) : (b))

/* What its thread does now, added as the beginning of the next slice. */
struct present {
	uint64_t state_ns[STATE_COUNT], slice_ns[SLICE_COUNT];
};

static void add_present(struct present *out, const struct node *n, const struct rec_thread *now,
			uint32_t poll_as)
{
	enum slice_kind slice = node_answered(n) ? SLICE_T1 : SLICE_MID;

	memcpy(out->state_ns, n->x.state_ns, sizeof(out->state_ns));
	memcpy(out->slice_ns, n->x.slice_ns, sizeof(out->slice_ns));
	for (uint32_t i = 0; now && i < STATE_COUNT; i++) {
		out->state_ns[i == STATE_POLL ? poll_as : i] += now->state_ns[i];
		out->slice_ns[slice] += now->state_ns[i];
	}
}

static int fill_call(struct assemble *a, struct node *call, struct breakdown_call *c, uint64_t end,
		     int depth)
{
	struct node *child;
	int err;

	node_join_callee(a, call);
	child = call->child;
	c->start_ns = call->x.turn[0].first_ns;
	c->sent_ns = call->x.turn[0].last_ns ? call->x.turn[0].last_ns : c->start_ns;
	c->arrival_ns = call->x.turn[1].arrival_ns;
	c->first_ns = call->x.turn[1].first_ns;
	c->end_ns = call_end(call, end);
	c->state_ns = call->x.state_ns;
	c->slice_ns = call->x.slice_ns;
	c->idle = call->x.idle;
	c->lent = call->x.flags & XCHG_LENT;
	c->cause = peer_cause(call->proto);
	c->what = call->text.route;
	c->net = detail_net_what(call);
	c->who = peer_of(a, call);
	if (child && !c->what)
		c->what = child->text.route;
	if (!child || depth >= JOIN_DEPTH || child->text.multiplexed)
		return 0;
	err = node_breakdown(a, child, node_answered(child) ? node_end(child) : c->end_ns,
			     depth + 1);
	if (err)
		return err;
	if (child->busy)
		return 0;
	c->child = child->parts.v;
	c->n_child = child->parts.n;
	c->child_wall_ns = parts_sum_ns(&child->parts);
	if (node_answered(call) && node_end(child) > c->end_ns)
		c->child_late_ns = node_end(child) - c->end_ns;
	c->child_service = c->who;
	c->child_is_store = child->proto == PROTO_PGSQL;
	return 0;
}

/* A call whose callee has not been read by anybody: it waits in the callee's queue. */
static bool fill_queued(struct assemble *a, const struct node *call, struct breakdown_call *c,
			struct part *part)
{
	const struct conn *peer = conn_opposite(a, call);
	const struct listener *l = listener_of(a, peer);

	if (c->n_child || !l || !peer->pending_ns || c->end_ns <= peer->pending_ns ||
	    peer->pending_ns + 20 * MS < c->start_ns)
		return false;
	*part = (struct part){ .who = l->service,
			       .what = l->pool ? intern_fmt("pool %s", intern_text(l->pool)) : 0,
			       .cause = CAUSE_QUEUE,
			       .ns = c->end_ns - peer->pending_ns };
	c->who = l->service;
	c->child_service = l->service;
	c->child = part;
	c->n_child = 1;
	c->child_wall_ns = part->ns;
	return true;
}

/* When what is sure of it is over; 0 = nothing is. */
static uint64_t work_ends(const struct work *w, uint64_t end_ns)
{
	return w->sure && w->end_ns <= end_ns ? w->end_ns : 0;
}

static size_t fill_works(struct assemble *a, struct node *n, uint64_t end_ns,
			 struct breakdown_work *out)
{
	size_t filled = 0;

	work_settle(a, n);
	for (uint32_t i = 0; i < n->n_works; i++) {
		const struct work *w = &n->works[i];

		if (w->from_ns < end_ns)
			out[filled++] = (struct breakdown_work){ .from_ns = w->from_ns,
								 .end_ns = work_ends(w, end_ns),
								 .wait_ns = w->wait_ns,
								 .state = w->state,
								 .state_ns = w->state_ns };
	}
	return filled;
}

/* How long a worker was at it meanwhile: that has other names. */
static uint64_t worked_in(const struct wait *wait, const struct breakdown_in *in)
{
	for (size_t i = 0; i < in->n_works && wait->cause == CAUSE_IPC; i++) {
		const struct breakdown_work *w = &in->works[i];

		if (w->end_ns && w->wait_ns >= wait->start_ns &&
		    w->wait_ns < wait->start_ns + wait->ns)
			return min_of(wait->ns, w->end_ns - max_of(w->from_ns, w->wait_ns));
	}
	return 0;
}

static size_t fill_waits(struct assemble *a, struct node *n, const struct rec_thread *now,
			 const struct breakdown_in *in, struct breakdown_wait *out)
{
	uint64_t over_ns = node_answered(n) && n->text.ended ? n->x.turn[1].last_ns : UINT64_MAX;
	struct wait wait;
	size_t filled = 0;

	holder_settle(a, n);
	for (size_t i = 0; i < n->n_waits; i++) {
		if (n->waits[i].start_ns >= over_ns)
			continue; /* its thread waits for the next one */
		wait = n->waits[i];
		wait.ns -= worked_in(&wait, in);
		filled += holder_split(a, n, &wait, out + filled);
	}
	if (now && now->state == STATE_LOCK) /* the present one has no record yet */
		out[filled++] = (struct breakdown_wait){
			.ns = now->h.ts_ns > now->since_ns ? now->h.ts_ns - now->since_ns : 0,
			.what = detail_lock_what(record_text(now->name, sizeof(now->name))),
			.cause = CAUSE_LOCK,
		};
	return filled;
}

/* Memory for one breakdown; freed together. Most requests have few calls and no waits: they need
 * no heap. */
struct scratch {
	struct breakdown_call *calls, few_calls[4];
	struct part *queued, few_queued[4];
	struct breakdown_wait *waits, few_waits[2];
	struct breakdown_work *works, few_works[1];
	struct present present[2];
};

static void scratch_release(struct scratch *s)
{
	if (s->calls != s->few_calls)
		free(s->calls);
	if (s->queued != s->few_queued)
		free(s->queued);
	if (s->waits != s->few_waits)
		free(s->waits);
	if (s->works != s->few_works)
		free(s->works);
}

/* n zeroed items: `few`, of which there are n_few, if they suffice; NULL without memory. */
static void *few_or_more(void *few, size_t n_few, size_t n, size_t size)
{
	return n <= n_few ? memset(few, 0, n * size) : calloc(n, size);
}

static int scratch_init(struct scratch *s, const struct node *n)
{
	s->calls = few_or_more(s->few_calls, 4, n->n_calls, sizeof(*s->calls));
	s->queued = few_or_more(s->few_queued, 4, n->n_calls, sizeof(*s->queued));
	s->waits = few_or_more(s->few_waits, 2, (size_t)n->n_waits * HOLDERS_MAX + 2,
			       sizeof(*s->waits));
	s->works = few_or_more(s->few_works, 1, n->n_works, sizeof(*s->works));
	if (s->calls && s->queued && s->waits && s->works)
		return 0;
	scratch_release(s);
	return -ENOMEM;
}

static int fill_calls(struct assemble *a, struct node *n, struct breakdown_in *in,
		      struct scratch *s, const struct rec_thread *now, int depth)
{
	struct node *call, *waiting = NULL;
	int err;

	for (call = n->calls; call; call = call->next_call) {
		struct breakdown_call *c = &in->calls[in->n_calls];

		if (!node_seen(call) || call->x.turn[0].first_ns >= in->end_ns)
			continue; /* after the answer */
		err = fill_call(a, call, c, in->end_ns, depth);
		if (err)
			return err;
		fill_queued(a, call, c, &s->queued[in->n_calls]);
		if (call_is_outstanding(call) && now) {
			waiting = call;
			add_present(&s->present[1], call, now, STATE_RECV);
			c->state_ns = s->present[1].state_ns;
			c->slice_ns = s->present[1].slice_ns;
			now = NULL;
		}
		in->n_calls++;
	}
	if (!waiting && now) {
		add_present(&s->present[0], n, now, STATE_POLL);
		in->state_ns = s->present[0].state_ns;
		in->slice_ns = s->present[0].slice_ns;
	}
	return 0;
}

static void fill_queue(struct assemble *a, const struct node *n, struct breakdown_in *in)
{
	in->loop = worker_loops(a, n->x.tid);
	in->moves = process_migrates(a, n->x.tgid);
	if (!threads_leave(a, n->x.tgid) || worker_was_at(a, n->x.behind, node_start(n)))
		in->behind = route_of(a, n->x.behind);
	in->states_unknown = n->x.flags & XCHG_THREAD_NEW;
	if (n->x.flags & XCHG_PIPELINED)
		in->queue_what = intern_str("pipelined");
	else if (n->pool)
		in->queue_what = intern_fmt("pool %s", intern_text(n->pool));
}

static void fill_times(const struct node *n, struct breakdown_in *in)
{
	in->start_ns = node_start(n);
	in->read_first_ns = n->x.turn[0].first_ns;
	in->read_last_ns = n->x.turn[0].last_ns;
	if (!n->x.turn[0].ops && node_answered(n)) {
		/* pipelined: its turn came when the answer before it was out */
		in->read_first_ns = n->x.turn[1].first_ns -
				    min_of(n->x.turn[1].first_ns,
					   n->x.slice_ns[SLICE_MID] + n->x.slice_ns[SLICE_PRE]);
		if (in->read_first_ns < in->start_ns)
			in->read_first_ns = in->start_ns;
		in->read_last_ns = in->read_first_ns;
	}
	in->turned_ns = n->x.turn[1].arrival_ns;
	in->sent_first_ns = n->x.turn[1].first_ns;
	in->sent_last_ns = n->x.turn[1].last_ns;
	in->send_wait_ns = n->net ? n->net->send_wait_ns : 0;
	in->stream = node_streams(n);
}

/* Whether it tells of time after n, whose connection is gone: of which of its states is not known. The
 * send that an aborted request ends with is no I/O of n when it ends the connection itself. */
static bool tells_of_later(const struct rec_thread *now, const struct node *n, uint64_t end_ns)
{
	return (n->x.flags & (XCHG_CLOSED | XCHG_RESET)) && now->h.ts_ns > end_ns &&
	       (now->last_io_ns >= end_ns || now->since_ns > end_ns);
}

/* What n's thread does now, when that is after what its records tell. */
static const struct rec_thread *present_of(const struct assemble *a, const struct node *n,
					   uint64_t end_ns)
{
	const struct proc *p = table_get(&a->procs, n->x.tgid);

	if (node_answered(n) && end_ns <= node_last(n))
		return NULL;
	/* who has only read it leaves it to others, which are not seen to have it yet */
	if (!node_answered(n) && p && p->handed && !table_get(&a->workers, n->x.tid))
		return NULL;
	if (!n->now || n->now->last_io_ns < node_last(n) || tells_of_later(n->now, n, end_ns))
		return NULL;
	return n->now;
}

/* Nothing says which of what was measured was for n. */
static int all_unknown(struct assemble *a, struct node *n, uint64_t end_ns)
{
	const struct part part = {
		.who = service_of(a, n),
		.what = intern_str("multiplexed"),
		.cause = CAUSE_UNKNOWN,
		.ns = end_ns > node_start(n) ? end_ns - node_start(n) : 0,
	};

	n->parts_end_ns = end_ns;
	return parts_add(&n->parts, &part);
}

/* A thread that leaves its request for others, and comes back to one that others have gone on with (Go's),
 * waits in futex() because it has nothing to do: whatever n waited for, it was not for that. */
static const uint64_t *without_parking(const struct assemble *a, const struct node *n,
				       const uint64_t *from, uint64_t to[STATE_COUNT])
{
	if (!from[STATE_IPC] || !process_migrates(a, n->x.tgid) || !worker_loops(a, n->x.tid))
		return from;
	memcpy(to, from, STATE_COUNT * sizeof(*to));
	to[STATE_OTHER] += to[STATE_IPC];
	to[STATE_IPC] = 0;
	return to;
}

int node_breakdown(struct assemble *a, struct node *n, uint64_t end_ns, int depth)
{
	uint64_t states[STATE_COUNT];
	const struct rec_thread *now = present_of(a, n, end_ns);
	struct breakdown_in in = { .end_ns = end_ns };
	struct scratch s;
	int err;

	assert(node_seen(n) && depth <= JOIN_DEPTH);
	if ((end_ns && n->parts_end_ns == end_ns) || n->busy)
		return 0; /* busy: joined in a circle, which only a damaged capture has */
	parts_clear(&n->parts);
	n->parts_end_ns = 0;
	if (n->text.multiplexed)
		return all_unknown(a, n, end_ns);
	err = scratch_init(&s, n);
	if (err)
		return err;
	n->busy = true;
	fill_times(n, &in);
	in.state_ns = n->x.state_ns;
	in.slice_ns = n->x.slice_ns;
	in.idle = n->x.idle;
	in.woken = n->x.flags & XCHG_IDLE_CUT;
	in.who = service_of(a, n);
	in.net = detail_net_what(n);
	in.slot = n->slot;
	in.calls = s.calls;
	in.waits = s.waits;
	in.works = s.works;
	in.n_works = fill_works(a, n, end_ns, s.works);
	in.n_waits = fill_waits(a, n, now, &in, s.waits);
	fill_queue(a, n, &in);
	err = fill_calls(a, n, &in, &s, now, depth);
	in.state_ns = without_parking(a, n, in.state_ns, states);
	if (!err)
		err = breakdown(&in, &n->parts);
	if (!err) {
		parts_sort(&n->parts);
		n->parts_end_ns = end_ns;
	}
	n->busy = false;
	scratch_release(&s);
	return err;
}
