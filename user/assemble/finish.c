/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which requests are over, what their time went to, and what is in flight. A request is over
 * when its protocol says so, when the next one on its connection began, when the connection is
 * closed, or, where no protocol tells, when it has been at rest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "assemble/node.h"
#include "base/intern.h"
#include "ingest/record.h"

#define MS 1000000ull
#define REST_UNKNOWN_NS (100 * MS) /* a protocol that is not known */
#define REST_UNTOLD_NS (1000 * MS) /* HTTP whose framing was beyond the head */
#define REST_MERGE_NS (5000 * MS) /* for the rest of an exchange in two records */
#define ORPHAN_NS (5000 * MS)
#define PENDING_FRESH_NS (300 * MS) /* the sweep repeats it while it lasts */
#define HOLD_NS (30000 * MS) /* for work after the answer */
#define UNJOINED_NS (1000 * MS) /* a callee kept for a call whose record may still come */
#define STREAM_GAP_NS (1000 * MS) /* a body with a longer gap between two sends is a stream */

#define min_of(a, b) ((a) < (b) ? (a) : (b))

/* ---- over or not --------------------------------------------------------------------------- */

static bool connection_gone(const struct node *n)
{
	return n->x.flags & (XCHG_CLOSED | XCHG_RESET);
}

static bool node_is_over(const struct node *n, uint64_t covered)
{
	uint64_t last = node_last(n), rest = covered > last ? covered - last : 0;
	bool final = n->over || !(n->x.flags & XCHG_OPEN);

	if (last > covered)
		return false;
	if (node_answered(n) && n->text.ended && !n->text.interim)
		return true;
	if (connection_gone(n))
		return true;
	if (n->text.interim || (n->proto == PROTO_PGSQL && n->text.can_tell))
		return rest > REST_MERGE_NS && final;
	if (final)
		return true;
	if (!node_answered(n) || n->text.can_tell || n->text.stream)
		return false;
	return rest > (n->proto == PROTO_UNKNOWN ? REST_UNKNOWN_NS : REST_UNTOLD_NS);
}

static bool node_aborted(const struct node *n)
{
	if (n->text.ended)
		return false;
	if (!node_answered(n))
		return n->x.flags & (XCHG_PEER_FIN | XCHG_RESET);
	return (n->x.flags & XCHG_RESET) || (n->text.can_tell && connection_gone(n));
}

/* The last send; for a client that left, the server's last I/O or close. */
uint64_t node_end(const struct node *n)
{
	uint64_t end = node_last(n);

	if (node_answered(n) && !node_aborted(n))
		end = n->x.turn[1].last_ns;
	else if (connection_gone(n) && n->x.h.ts_ns > end)
		end = n->x.h.ts_ns;
	return end > node_start(n) ? end : node_start(n);
}

/* ---- joining ------------------------------------------------------------------------------- */

/* Finds the call on the other end of n's connection during which n arrived. Calls of a connection
 * follow each other, so it is the oldest whose answer had not been read when n arrived. (Data can
 * arrive before the send that carried it has returned: the send is no bound.) */
void node_join(struct assemble *a, struct node *n)
{
	struct conn *peer = n->conn && n->conn->peer ? conn_find(a, n->conn->peer) : NULL;
	uint64_t start = node_start(n);
	struct node *call, *found = NULL;

	if (n->caller || !peer)
		return;
	for (call = peer->newest; call; call = call->older) {
		if (!call->seen)
			continue;
		if (node_answered(call) && call->x.turn[1].last_ns < start)
			break;
		found = call;
	}
	if (!found || found->child || found->x.turn[0].first_ns > start + 1000 * MS)
		return;
	found->child = n;
	n->caller = found;
	if (found->owner)
		found->owner->parts_end_ns = 0;
	n->parent_xid = found->owner ? found->owner->x.xid : 0;
}

/* ---- breakdown ----------------------------------------------------------------------------- */

static uint32_t service_of(struct assemble *a, const struct node *n)
{
	if (!n->service) {
		struct proc *p = proc_of(a, n->x.tgid);

		return p ? p->service : INTERN_OTHER;
	}
	return n->service;
}

static uint32_t address_of(const struct rec_xchg *x)
{
	const uint8_t *ipv4 = record_ipv4(x->family, x->raddr);
	char text[64];
	const char *path, *slash;

	if (x->family == AF_UNIX) {
		memcpy(text, x->laddr, 32);
		text[31] = 0;
		path = text[0] ? text : text + 1; /* abstract */
		slash = strrchr(path, '/');
		return intern_fmt("unix:%s", slash ? slash + 1 : path);
	}
	if (!inet_ntop(ipv4 ? AF_INET : x->family, ipv4 ? ipv4 : x->raddr, text, sizeof(text)))
		return intern_str("peer");
	return intern_fmt(ipv4 ? "%s:%u" : "[%s]:%u", text, x->rport);
}

/* Who answers a call: the joined callee, else who listens at its other end, else an address. */
static uint32_t peer_of(struct assemble *a, const struct node *call)
{
	struct conn *peer = call->conn && call->conn->peer ? conn_find(a, call->conn->peer) : NULL;
	struct listener *l;

	if (call->child)
		return service_of(a, call->child);
	l = peer && peer->listener_key ? table_get(&a->listeners, peer->listener_key) : NULL;
	return l ? l->service : address_of(&call->x);
}

static enum cause cause_of(enum proto proto)
{
	return proto == PROTO_PGSQL ? CAUSE_DB : CAUSE_UPSTREAM;
}

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

/* When a call was over: its last byte was read, its connection was closed, or not yet. */
static uint64_t call_end(const struct node *call, uint64_t request_end)
{
	uint64_t end = request_end;

	if (call->text.no_request)
		end = call->x.turn[0].last_ns;
	else if (node_answered(call))
		end = call->x.turn[1].last_ns;
	else if (connection_gone(call))
		end = call->x.h.ts_ns;
	return end;
}

static bool call_is_outstanding(const struct node *call)
{
	return !node_answered(call) && !connection_gone(call) && !call->text.no_request;
}

static int fill_call(struct assemble *a, struct node *call, struct breakdown_call *c, uint64_t end,
		     int depth)
{
	struct node *child;
	int err;

	if (!call->child && call->conn && call->conn->peer) {
		struct conn *peer = conn_find(a, call->conn->peer);

		for (child = peer ? peer->newest : NULL; child && !call->child;
		     child = child->older)
			if (child->seen)
				node_join(a, child);
	}
	child = call->child;
	c->start_ns = call->x.turn[0].first_ns;
	c->sent_ns = call->x.turn[0].last_ns ? call->x.turn[0].last_ns : c->start_ns;
	c->arrival_ns = call->x.turn[1].arrival_ns;
	c->first_ns = call->x.turn[1].first_ns;
	c->end_ns = call_end(call, end);
	c->state_ns = call->x.state_ns;
	c->slice_ns = call->x.slice_ns;
	c->cause = cause_of(call->proto);
	c->what = call->text.route;
	c->net = detail_net_what(call);
	c->who = peer_of(a, call);
	if (!child || depth >= JOIN_DEPTH)
		return 0;
	if (!c->what)
		c->what = child->text.route;
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
	struct conn *peer = call->conn && call->conn->peer ? conn_find(a, call->conn->peer) : NULL;
	struct listener *l = peer ? table_get(&a->listeners, peer->listener_key) : NULL;

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

static size_t fill_waits(struct assemble *a, const struct node *n, const struct rec_thread *now,
			 struct breakdown_wait *out)
{
	size_t filled = 0;

	for (size_t i = 0; i < n->n_waits; i++)
		filled += holder_split(a, &n->waits[i], out + filled);
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
	if (s->calls && s->queued && s->waits)
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

		if (!call->seen || call->x.turn[0].first_ns >= in->end_ns)
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
		add_present(&s->present[0], n, now, node_answered(n) ? STATE_SEND : STATE_POLL);
		in->state_ns = s->present[0].state_ns;
		in->slice_ns = s->present[0].slice_ns;
	}
	return 0;
}

static void fill_queue(struct assemble *a, const struct node *n, struct breakdown_in *in)
{
	struct worker *w = table_get(&a->workers, n->x.tid);

	in->loop = w && w->loops;
	in->behind = route_of(a, n->x.behind);
	in->states_unknown = n->x.flags & XCHG_THREAD_NEW;
	if (n->x.flags & XCHG_PIPELINED)
		in->queue_what = intern_str("pipelined");
	else if (n->pool)
		in->queue_what = intern_fmt("pool %s", intern_text(n->pool));
}

int node_breakdown(struct assemble *a, struct node *n, uint64_t end_ns, int depth)
{
	const struct rec_thread *now = !node_answered(n) || end_ns > node_last(n) ? n->now : NULL;
	struct breakdown_in in = { 0 };
	struct scratch s;
	int err;

	if ((end_ns && n->parts_end_ns == end_ns) || n->busy)
		return 0; /* busy: joined in a circle, which only a damaged capture has */
	parts_clear(&n->parts);
	n->parts_end_ns = 0;
	err = scratch_init(&s, n);
	if (err)
		return err;
	n->busy = true;
	if (now && now->last_io_ns < node_last(n))
		now = NULL; /* of a moment before the last I/O */
	in.start_ns = node_start(n);
	in.end_ns = end_ns;
	in.read_first_ns = n->x.turn[0].first_ns;
	in.read_last_ns = n->x.turn[0].last_ns;
	if (!n->x.turn[0].ops && node_answered(n)) {
		/* pipelined: its turn came when the answer before it was out */
		in.read_first_ns = n->x.turn[1].first_ns -
				   min_of(n->x.turn[1].first_ns,
					  n->x.slice_ns[SLICE_MID] + n->x.slice_ns[SLICE_PRE]);
		if (in.read_first_ns < in.start_ns)
			in.read_first_ns = in.start_ns;
		in.read_last_ns = in.read_first_ns;
	}
	in.sent_first_ns = n->x.turn[1].first_ns;
	in.sent_last_ns = n->x.turn[1].last_ns;
	in.state_ns = n->x.state_ns;
	in.slice_ns = n->x.slice_ns;
	in.woken = n->x.flags & XCHG_IDLE_CUT;
	in.who = service_of(a, n);
	in.net = detail_net_what(n);
	in.calls = s.calls;
	in.waits = s.waits;
	in.n_waits = fill_waits(a, n, now, s.waits);
	fill_queue(a, n, &in);
	err = fill_calls(a, n, &in, &s, now, depth);
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

/* ---- the request that the sink gets -------------------------------------------------------- */

/* May a loss have changed n's wall time or parts? A joined callee is a part, so what is missing
 * of it is missing here, though it may have gone on for longer than its caller. */
static bool touched_by_loss(const struct assemble *a, struct node *n, uint64_t end)
{
	if (!n->lossy)
		n->lossy = losses_overlap(&a->losses, node_start(n), end);
	for (struct node *call = n->calls; call && !n->lossy; call = call->next_call) {
		const struct node *child = call->child;

		n->lossy = child && (child->lossy || losses_overlap(&a->losses, node_start(child),
								    node_end(child)));
	}
	return n->lossy;
}

static char binding_of(struct assemble *a, const struct node *n)
{
	struct worker *w = table_get(&a->workers, n->x.tid);

	if (!n->x.turn[0].ops && !(n->x.flags & XCHG_PIPELINED))
		return 'U';
	return w && w->loops ? 'L' : 'R';
}

static uint32_t unnamed_route(const struct rec_xchg *x)
{
	if (x->family == AF_UNIX)
		return address_of(x);
	return intern_fmt("port %u", x->lport);
}

/* A stream says so, or is recognised by its pace: its longest gap is too long. Where that is not
 * known, the mean of the gaps: when it is too long, one of them is. */
static bool node_streams(const struct node *n)
{
	const struct rec_turn *sent = &n->x.turn[1];

	if (n->text.stream)
		return true;
	if ((n->proto != PROTO_HTTP1 && n->proto != PROTO_FASTCGI) || sent->ops < 2)
		return false;
	if (n->net && n->net->gap_max_ns > STREAM_GAP_NS)
		return true;
	return sent->last_ns > sent->first_ns &&
	       sent->last_ns - sent->first_ns > (sent->ops - 1) * STREAM_GAP_NS;
}

static uint32_t flags_of(struct assemble *a, struct node *n, uint64_t end, bool open)
{
	uint32_t flags = open ? REQUEST_OPEN : 0;

	if (!n->conn->peer && !(n->x.flags & XCHG_INTERNAL))
		flags |= REQUEST_ENTRY;
	if (!open && node_aborted(n))
		flags |= REQUEST_ABORTED;
	if (n->text.error || (!open && !node_answered(n) && !node_aborted(n)))
		flags |= REQUEST_ERROR;
	if (node_streams(n))
		flags |= REQUEST_STREAM;
	if (touched_by_loss(a, n, end))
		flags |= REQUEST_INCOMPLETE;
	return flags;
}

static void request_calls(struct assemble *a, const struct node *n, struct request *r,
			  struct request_call *out)
{
	for (struct node *call = n->calls; call; call = call->next_call) {
		struct request_call *c = &out[r->n_calls];
		uint64_t end = call_end(call, r->end_ns);

		if (!call->seen || call->text.no_request || call->x.turn[0].first_ns >= r->end_ns)
			continue;
		if (end > r->end_ns)
			end = r->end_ns;
		if (r->n_calls == CALLS_KEPT) {
			r->calls_dropped++;
			continue;
		}
		*c = (struct request_call){
			.xid = call->x.xid,
			.child_xid = call->child ? call->child->x.xid : 0,
			.peer = peer_of(a, call),
			.protocol = intern_str(proto_name(call->proto)),
			.what = call->text.route,
			.start_ns = call->x.turn[0].first_ns,
			.wall_ns = end > call->x.turn[0].first_ns ? end - call->x.turn[0].first_ns :
								    0,
			.net = detail_net_of(call),
			.error = call->text.error,
		};
		if (!c->what && call->child)
			c->what = call->child->text.route;
		r->n_calls++;
	}
}

static uint32_t waiting_for(struct assemble *a, const struct node *n)
{
	static const char *const words[STATE_COUNT] = {
		[STATE_RUN] = "running",        [STATE_RUNQ] = "a CPU",
		[STATE_THROTTLE] = "CPU quota", [STATE_DISK] = "disk",
		[STATE_FAULT] = "page fault",   [STATE_LOCK] = "lock",
		[STATE_RECV] = "client",        [STATE_SEND] = "reader",
		[STATE_CONNECT] = "connect",    [STATE_POLL] = "poll",
		[STATE_SLEEP] = "sleep",        [STATE_IPC] = "ipc",
		[STATE_KERNEL] = "kernel lock", [STATE_OTHER] = "other",
	};
	const struct node *call;

	for (call = n->calls; call; call = call->next_call)
		if (call->seen && call_is_outstanding(call))
			return intern_fmt("%s %s", cause_name(cause_of(call->proto)),
					  intern_text(peer_of(a, call)));
	if (!n->now || n->now->last_io_ns < node_last(n))
		return 0;
	if (n->now->state == STATE_LOCK)
		return intern_str(n->now->name[0] ? "lock file" : "lock futex");
	return n->now->state < STATE_COUNT ? intern_str(words[n->now->state]) : 0;
}

/* Fills *r for n; what it points to lives in n, calls and marks. */
static void request_fill(struct assemble *a, struct node *n, uint64_t end, bool open,
			 struct request *r, struct request_call *calls, struct request_mark *marks)
{
	*r = (struct request){
		.xid = n->x.xid,
		.parent_xid = n->parent_xid,
		.start_ns = node_start(n),
		.end_ns = end,
		.after_ns = n->after_ns,
		.first_byte_ns = n->x.turn[1].first_ns,
		.last_byte_ns = n->x.turn[1].last_ns,
		.sends = n->x.turn[1].ops,
		.bytes_in = n->x.turn[0].bytes,
		.bytes_out = n->x.turn[1].bytes,
		.service = service_of(a, n),
		.pool = n->pool,
		.method = n->text.method,
		.route = n->text.route ? n->text.route : unnamed_route(&n->x),
		.protocol = intern_str(proto_name(n->proto)),
		.status = n->text.status,
		.pid = (int32_t)n->x.tgid,
		.tid = (int32_t)n->x.tid,
		.flags = flags_of(a, n, end, open),
		.binding = binding_of(a, n),
		.net = detail_net_of(n),
		.parts = n->parts,
		.calls = calls,
		.marks = marks,
	};
	for (; r->n_marks < n->n_marks; r->n_marks++)
		marks[r->n_marks] = (struct request_mark){ n->marks[r->n_marks].at_ns,
							   n->marks[r->n_marks].label };
	if (open)
		r->waiting_for = waiting_for(a, n);
	request_calls(a, n, r, calls);
}

/* What a connection older than the recording carries first, if it is not recognised: the rest of
 * a request whose beginning was not seen. */
static bool began_before_us(const struct node *n)
{
	return (n->x.flags & XCHG_SEEDED) && n->x.seq == 0 && n->proto == PROTO_UNKNOWN;
}

/* The answer is out, but the sweep has just seen the thread at work for it still (a shutdown
 * function, fastcgi_finish_request()): wait to say how long. */
static bool works_on(struct node *n, uint64_t covered)
{
	if (!n->now || n->now->h.ts_ns < covered || n->now->last_io_ns < node_last(n) ||
	    !node_answered(n) || n->x.role != ROLE_ACCEPTED || node_last(n) + HOLD_NS < covered)
		return false;
	n->after_ns = n->now->h.ts_ns - n->now->last_io_ns;
	n->held = true;
	return true;
}

static void emit(struct assemble *a, struct node *n)
{
	struct request_call calls[CALLS_KEPT + 1];
	struct request_mark marks[MARKS_MAX];
	uint64_t end = node_end(n);
	struct request r;

	n->done = true;
	n->conn->done_seqs = (uint64_t)n->x.seq + 1;
	if (n->text.continues || n->text.no_request || began_before_us(n))
		return;
	node_join(a, n);
	n->parts_end_ns = 0;
	if (node_breakdown(a, n, end, 0)) {
		a->counters.evicted++;
		return;
	}
	if (n->proto == PROTO_UNKNOWN)
		a->counters.unnamed++;
	request_fill(a, n, end, false, &r, calls, marks);
	a->counters.requests++;
	a->fn(a->ctx, &r);
}

/* May n still be asked for: by its caller's breakdown, or by a record that is to come? */
static bool still_wanted(const struct assemble *a, const struct node *n, uint64_t covered)
{
	if (!n->seen)
		return covered < n->first_seen_ns + ORPHAN_NS;
	if (n->x.role != ROLE_ACCEPTED) /* a call without an owner */
		return covered < node_last(n) + ORPHAN_NS;
	if (!n->done)
		return true;
	if (n->caller)
		return true; /* until the request that made the call is gone */
	if (n->unwanted || !n->conn || !n->conn->peer || !conn_find(a, n->conn->peer))
		return false;
	return covered < node_last(n) + UNJOINED_NS;
}

void finish_tick(struct assemble *a, uint64_t covered_ns, bool last)
{
	struct node *n, *next;

	if (!last && covered_ns / (1000 * MS) != a->covered_ns / (1000 * MS))
		forget(a, covered_ns);
	if (!last)
		a->covered_ns = covered_ns;
	for (n = a->active; n; n = n->next_active) {
		if (n->done || !n->seen || n->x.role != ROLE_ACCEPTED)
			continue;
		if (node_is_over(n, covered_ns) && (last || !works_on(n, covered_ns)))
			emit(a, n);
	}
	if (last)
		return;
	/* now that all that ended has been accounted, let go what nobody needs */
	for (n = a->active; n; n = next) {
		next = n->next_active;
		if (still_wanted(a, n, covered_ns))
			continue;
		if (!n->seen)
			a->counters.orphans += n->n_calls;
		node_free(a, n);
	}
}

/* Requests that nobody has read: only the listener that they wait at is known. */
static void open_pending(struct assemble *a, assemble_request_fn fn, void *ctx)
{
	table_each(it, &a->conns) {
		struct conn *c = *(struct conn **)it.value;
		struct listener *l = c->pending_ns ? table_get(&a->listeners, c->listener_key) :
						     NULL;
		struct part part = { .cause = CAUSE_QUEUE };
		struct request r = { .xid = c->id, .binding = 'U', .parts = { &part, 1, 1 } };

		if (!l || c->pending_seen_ns + PENDING_FRESH_NS < a->covered_ns ||
		    a->covered_ns <= c->pending_ns)
			continue;
		r.start_ns = c->pending_ns;
		r.end_ns = a->covered_ns;
		r.service = part.who = l->service;
		r.pool = l->pool;
		r.route = intern_str("(not read yet)");
		r.waiting_for = intern_str("a worker");
		r.flags = REQUEST_OPEN | (c->peer ? 0 : REQUEST_ENTRY);
		if (losses_overlap(&a->losses, r.start_ns, r.end_ns))
			r.flags |= REQUEST_INCOMPLETE;
		part.what = l->pool ? intern_fmt("pool %s", intern_text(l->pool)) : 0;
		part.ns = r.end_ns - r.start_ns;
		fn(ctx, &r);
	}
}

void assemble_open(struct assemble *a, assemble_request_fn fn, void *ctx)
{
	struct request_call calls[CALLS_KEPT + 1];
	struct request_mark marks[MARKS_MAX];
	struct request r;

	for (struct node *n = a->active; n; n = n->next_active) {
		uint64_t end = a->covered_ns;

		if (n->done || n->held || !n->seen || n->x.role != ROLE_ACCEPTED ||
		    n->text.no_request || n->text.continues || began_before_us(n))
			continue;
		if (n->now && n->now->h.ts_ns > end && n->now->last_io_ns >= node_last(n))
			end = n->now->h.ts_ns;
		if (node_answered(n) && !n->text.can_tell)
			end = node_last(n); /* perhaps over already */
		if (end <= node_start(n))
			continue;
		node_join(a, n);
		if (node_breakdown(a, n, end, 0))
			continue;
		request_fill(a, n, end, true, &r, calls, marks);
		fn(ctx, &r);
	}
	open_pending(a, fn, ctx);
}
