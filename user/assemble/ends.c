/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/ends.h"

#include <assert.h>

#define MS 1000000ull
#define REST_UNKNOWN_NS (100 * MS) /* a protocol that is not known */
#define REST_UNTOLD_NS (1000 * MS) /* HTTP whose framing was beyond the head */
#define REST_MERGE_NS (5000 * MS) /* for the rest of an exchange in two records */
#define HOLD_NS (30000 * MS) /* for work after the answer */
#define STREAM_GAP_NS (1000 * MS) /* a body whose pauses are as long in the mean is a stream */
#define STREAM_GAPS 2 /* one pause alone may have any reason */

static bool connection_gone(const struct node *n)
{
	return n->x.flags & (XCHG_CLOSED | XCHG_RESET);
}

enum end_reason ends_why(const struct node *n, uint64_t covered_ns)
{
	uint64_t last = node_last(n), rest = covered_ns > last ? covered_ns - last : 0;
	bool final = n->followed || !(n->x.flags & XCHG_OPEN);

	assert(node_seen(n));
	if (last > covered_ns)
		return END_NONE;
	if (node_answered(n) && n->text.ended && !n->text.interim)
		return END_PROTOCOL;
	if (connection_gone(n))
		return n->x.flags & XCHG_RESET ? END_RESET : END_CLOSED;
	if (n->text.interim || (n->proto == PROTO_PGSQL && n->text.can_tell))
		return rest > REST_MERGE_NS && final ? END_NEXT : END_NONE;
	if (final)
		return END_NEXT;
	if (!node_answered(n) || n->text.can_tell || n->text.stream)
		return END_NONE;
	return rest > (n->proto == PROTO_UNKNOWN ? REST_UNKNOWN_NS : REST_UNTOLD_NS) ? END_REST :
										       END_NONE;
}

bool node_aborted(const struct node *n)
{
	if (n->text.ended || n->text.unseen || n->text.multiplexed)
		return false; /* where it ends was out of sight: no reason to call it cut short */
	if (!node_answered(n))
		return n->x.flags & (XCHG_PEER_FIN | XCHG_RESET);
	return (n->x.flags & XCHG_RESET) || (n->text.can_tell && connection_gone(n));
}

uint64_t node_end(const struct node *n)
{
	uint64_t end = node_last(n);

	if (n->text.upgrade) /* what follows is no part of the answer */
		end = n->x.turn[1].first_ns;
	else if (node_answered(n) && !node_aborted(n))
		end = n->x.turn[1].last_ns;
	else if (connection_gone(n) && n->x.h.ts_ns > end)
		end = n->x.h.ts_ns;
	return end > node_start(n) ? end : node_start(n);
}

uint64_t ends_held(const struct node *n, uint64_t covered_ns)
{
	if (!n->now || n->now->h.ts_ns < covered_ns || n->now->last_io_ns < node_last(n) ||
	    !node_answered(n) || node_last(n) + HOLD_NS < covered_ns ||
	    (n->now->flags & THREAD_RESTED))
		return 0;
	return n->now->h.ts_ns - n->now->last_io_ns;
}

static bool began_before_us(const struct node *n)
{
	return (n->x.flags & XCHG_SEEDED) && n->x.seq == 0 && n->proto == PROTO_UNKNOWN;
}

enum end_reason ends_no_request(const struct node *n)
{
	if (n->text.continues)
		return END_PART;
	if (n->text.no_request)
		return END_NO_ANSWER;
	return began_before_us(n) ? END_BEFORE : END_NONE;
}

bool node_streams(const struct node *n)
{
	const struct rec_turn *sent = &n->x.turn[1];
	uint64_t gaps = sent->ops ? sent->ops - 1 : 0;

	if (n->text.stream)
		return true;
	if ((n->proto != PROTO_HTTP1 && n->proto != PROTO_FASTCGI) || n->text.whole ||
	    n->text.upgrade)
		return false;
	if (n->net && n->net->gaps < gaps)
		gaps = n->net->gaps;
	return gaps >= STREAM_GAPS && sent->last_ns > sent->first_ns &&
	       sent->last_ns - sent->first_ns > gaps * STREAM_GAP_NS;
}

/* ---- calls --------------------------------------------------------------------------------- */

uint64_t call_end(const struct node *call, uint64_t request_end)
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

bool call_is_outstanding(const struct node *call)
{
	return !node_answered(call) && !connection_gone(call) && !call->text.no_request;
}
