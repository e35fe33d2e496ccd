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

/* Its answer had been read before n arrived. */
static bool over_before(const struct node *call, uint64_t start)
{
	return node_answered(call) && call->x.turn[1].last_ns < start;
}

static bool at_position(const struct node *call, const struct node *n)
{
	return has_position(call) && has_position(n) && holds_byte(call, n);
}

/* Finds the call on the other end of n's connection during which n arrived. Calls of a connection
 * follow each other, so it is the oldest whose answer had not been read when n arrived. (Data can
 * arrive before the send that carried it has returned: the send is no bound.) A call that is gone
 * has no successor: the next one on the connection asked for something else. The search begins
 * where the one before ended, so that many calls of one request cost a step each. */
static struct node *find_call(struct conn *peer, const struct node *n)
{
	struct node *call = peer->joined, *found = NULL;
	uint64_t start = node_start(n);

	if (!call || !node_answered(call))
		call = peer->newest;
	while (call->newer && over_before(call, start) && !at_position(call, n))
		call = call->newer;
	for (; call; call = call->older) {
		assert(node_seen(call));
		if (over_before(call, start) && !at_position(call, n))
			break;
		found = call;
		if (at_position(call, n))
			break;
	}
	return found;
}

void node_join(struct assemble *a, struct node *n)
{
	struct conn *peer = n->caller || n->unwanted ? NULL : conn_opposite(a, n);
	struct node *found = peer && peer->newest ? find_call(peer, n) : NULL;

	if (!found || found->child || !asks(found, n))
		return;
	found->child = n;
	n->caller = found;
	peer->joined = found;
	n->conn->joined = n;
	if (found->owner)
		found->owner->parts_end_ns = 0;
	n->parent_xid = found->owner ? found->owner->x.xid : 0;
}

/* n can be asked for by this call, or by one before it. */
static bool not_before(const struct node *n, const struct node *call)
{
	if (n->caller)
		return n->caller->x.seq >= call->x.seq;
	if (has_position(call) && has_position(n))
		return (int32_t)(n->x.pos[0] - call->x.pos[0]) >= 0;
	return call->x.turn[0].first_ns <= node_start(n) + SENT_LATE_NS;
}

void node_join_callee(struct assemble *a, struct node *call)
{
	struct conn *peer = call->child ? NULL : conn_opposite(a, call);
	struct node *n = peer ? peer->joined ? peer->joined : peer->newest : NULL;

	while (n && n->newer && (n->caller || node_start(n) <= call->x.turn[1].last_ns))
		n = n->newer;
	if (n)
		peer->joined = n; /* the next call looks no further back */
	for (; n && !call->child && not_before(n, call); n = n->older)
		node_join(a, n);
}
