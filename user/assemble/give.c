/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/give.h"

#include <assert.h>
#include <sys/socket.h>

#include "assemble/detail.h"
#include "assemble/ends.h"
#include "assemble/holder.h"
#include "assemble/input.h"
#include "assemble/join.h"
#include "assemble/life.h"
#include "assemble/peer.h"
#include "base/intern.h"

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
	if (!n->x.turn[0].ops && !(n->x.flags & XCHG_PIPELINED))
		return 'U';
	return worker_loops(a, n->x.tid) ? 'L' : 'R';
}

static uint32_t unnamed_route(const struct rec_xchg *x)
{
	if (x->family == AF_UNIX)
		return peer_address(x);
	return intern_fmt("port %u", x->lport);
}

static uint32_t flags_of(struct assemble *a, struct node *n, uint64_t end, bool open)
{
	uint32_t flags = open ? REQUEST_OPEN : 0;

	if (!n->conn->peer && !(n->x.flags & XCHG_INTERNAL))
		flags |= REQUEST_ENTRY;
	if (!open && node_aborted(n))
		flags |= REQUEST_ABORTED;
	if (n->text.error ||
	    (!open && !node_answered(n) && !node_aborted(n) && !n->text.multiplexed))
		flags |= REQUEST_ERROR;
	if (n->text.multiplexed)
		flags |= REQUEST_MULTIPLEXED;
	if (!open && n->text.unseen && (n->end_reason == END_REST || n->end_reason == END_INPUT))
		flags |= REQUEST_END_UNSEEN;
	if (node_streams(n))
		flags |= REQUEST_STREAM;
	if (n->text.endless)
		flags |= REQUEST_ENDLESS;
	if (touched_by_loss(a, n, end))
		flags |= REQUEST_INCOMPLETE;
	if (node_arrived_before(n))
		flags |= REQUEST_BEFORE;
	return flags;
}

static void request_calls(struct assemble *a, const struct node *n, struct request *r,
			  struct request_call *out)
{
	for (struct node *call = n->calls; call; call = call->next_call) {
		struct request_call *c = &out[r->n_calls];
		uint64_t end = call_end(call, r->end_ns);

		if (!node_seen(call) || call->text.no_request ||
		    call->x.turn[0].first_ns >= r->end_ns)
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
		if (node_seen(call) && call_is_outstanding(call))
			return intern_fmt("%s %s", cause_name(peer_cause(call->proto)),
					  intern_text(peer_of(a, call)));
	if (!n->now || n->now->last_io_ns < node_last(n))
		return 0;
	if (n->now->state == STATE_LOCK)
		return intern_str(n->now->name[0] ? "lock file" : "lock futex");
	return n->now->state < STATE_COUNT ? intern_str(words[n->now->state]) : 0;
}

void request_fill(struct assemble *a, struct node *n, uint64_t end, bool open, struct request *r,
		  struct request_call *calls, struct request_mark *marks)
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
		.client = n->conn->text.client,
		.status = n->text.status,
		.pid = (int32_t)n->x.tgid,
		.tid = (int32_t)n->x.tid,
		.flags = flags_of(a, n, end, open),
		.end_reason = open ? END_NONE : n->end_reason,
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

void give_out(struct assemble *a, struct node *n)
{
	enum end_reason no_request = ends_no_request(n);
	struct request_call calls[CALLS_KEPT + 1];
	struct request_mark marks[MARKS_MAX];
	uint64_t end = node_end(n);
	struct request r;

	n->conn->done_seqs = (uint64_t)n->x.seq + 1;
	if (no_request) {
		node_becomes(n, NODE_DROPPED, no_request);
		return;
	}
	node_join(a, n);
	n->parts_end_ns = 0;
	if (node_breakdown(a, n, end, 0)) {
		a->counters.evicted++;
		node_becomes(n, NODE_DROPPED, END_EVICTED);
		return;
	}
	node_becomes(n, NODE_GIVEN, n->end_reason);
	if (n->proto == PROTO_UNKNOWN)
		a->counters.unnamed++;
	request_fill(a, n, end, false, &r, calls, marks);
	holder_keep(a, n);
	a->counters.requests++;
	a->fn(a->ctx, &r);
}
