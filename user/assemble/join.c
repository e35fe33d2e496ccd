/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/join.h"

#include <assert.h>

#define SENT_LATE_NS 1000000000ull

/* Finds the call on the other end of n's connection during which n arrived. Calls of a connection
 * follow each other, so it is the oldest whose answer had not been read when n arrived. (Data can
 * arrive before the send that carried it has returned: the send is no bound.) */
void node_join(struct assemble *a, struct node *n)
{
	struct conn *peer = conn_opposite(a, n);
	uint64_t start = node_start(n);
	struct node *call, *found = NULL;

	if (n->caller || !peer)
		return;
	for (call = peer->newest; call; call = call->older) {
		assert(node_seen(call));
		if (node_answered(call) && call->x.turn[1].last_ns < start)
			break;
		found = call;
	}
	if (!found || found->child || found->x.turn[0].first_ns > start + SENT_LATE_NS)
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
