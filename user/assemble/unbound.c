/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/unbound.h"

#include "assemble/ends.h"
#include "assemble/peer.h"

/* The row of calls from service to peer; the last one is of all that find no other. */
static struct assemble_unbound *row_of(struct assemble_counters *c, uint32_t service, uint32_t peer)
{
	struct assemble_unbound *row = c->unbound;

	for (size_t i = 0; i < c->n_unbound; i++, row++)
		if (row->service == service && row->peer == peer)
			return row;
	if (c->n_unbound == ASSEMBLE_UNBOUND_MAX)
		return row - 1;
	if (++c->n_unbound == ASSEMBLE_UNBOUND_MAX)
		service = peer = INTERN_OTHER;
	row->service = service;
	row->peer = peer;
	return row;
}

/* Has anything been asked on it? Connections that are opened for later use, and what only concerns the
 * connection, are no calls. */
static bool is_call(const struct node *n)
{
	return node_seen(n) && n->x.role == ROLE_CONNECTED && !n->owner && n->x.turn[0].ops &&
	       !n->text.no_request;
}

void unbound_count(struct assemble *a, struct node *call, bool last)
{
	struct assemble_unbound *row;

	/* one that still waits is told of again */
	if (!is_call(call) || (call_is_outstanding(call) && !last) ||
	    call->x.seq < call->conn->unbound_seqs)
		return;
	call->conn->unbound_seqs = call->x.seq + 1;
	row = row_of(&a->counters, service_of(a, call), peer_of(a, call));
	row->calls++;
	row->ns += call_end(call, node_last(call)) - call->x.turn[0].first_ns;
}

void unbound_count_last(struct assemble *a)
{
	for (struct node *n = a->active; n; n = n->next_active)
		unbound_count(a, n, true);
}
