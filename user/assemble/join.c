/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/join.h"

#include <assert.h>

#define SENT_LATE_NS 1000000000ull

static bool has_position(const struct node *n)
{
	return (n->x.flags & XCHG_POS) && n->x.turn[0].ops;
}

/* Is the byte that n began with one that the call sent? Both ends of a TCP connection number the
 * bytes alike. */
static bool holds_byte(const struct node *call, const struct node *n)
{
	return n->x.pos[0] - call->x.pos[0] < call->x.turn[0].bytes;
}

/* Without positions: what was sent after n had been answered was not n's, nor was an answer that
 * arrived later. A send can return late, but then the answer had arrived before. */
static bool overlaps(const struct node *call, const struct node *n)
{
	const struct rec_turn *sent = &call->x.turn[0], *answer = &call->x.turn[1];

	if (sent->first_ns > node_start(n) + SENT_LATE_NS)
		return false;
	if (!node_answered(n) || sent->first_ns <= n->x.turn[1].first_ns)
		return true;
	return answer->ops && answer->arrival_ns && answer->arrival_ns <= n->x.turn[1].first_ns;
}

static bool asks(const struct node *call, const struct node *n)
{
	return has_position(call) && has_position(n) ? holds_byte(call, n) : overlaps(call, n);
}

/* Finds the call on the other end of n's connection during which n arrived. Calls of a connection
 * follow each other, so it is the oldest whose answer had not been read when n arrived. (Data can
 * arrive before the send that carried it has returned: the send is no bound.) A call that is gone
 * has no successor: the next one on the connection asked for something else. */
void node_join(struct assemble *a, struct node *n)
{
	struct conn *peer = conn_opposite(a, n);
	uint64_t start = node_start(n);
	struct node *call, *found = NULL;

	if (n->caller || n->unwanted || !peer)
		return;
	for (call = peer->newest; call; call = call->older) {
		assert(node_seen(call));
		if (node_answered(call) && call->x.turn[1].last_ns < start)
			break;
		found = call;
		if (has_position(call) && has_position(n) && holds_byte(call, n))
			break;
	}
	if (!found || found->child || !asks(found, n))
		return;
	found->child = n;
	n->caller = found;
	if (found->owner)
		found->owner->parts_end_ns = 0;
	n->parent_xid = found->owner ? found->owner->x.xid : 0;
}

void node_join_callee(struct assemble *a, struct node *call)
{
	const struct conn *peer = call->child ? NULL : conn_opposite(a, call);

	for (struct node *n = peer ? peer->newest : NULL; n && !call->child; n = n->older)
		node_join(a, n);
}
