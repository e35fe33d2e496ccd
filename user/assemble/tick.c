/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/tick.h"

#include <assert.h>

#include "assemble/ends.h"
#include "assemble/forget.h"
#include "assemble/give.h"
#include "assemble/life.h"
#include "assemble/owner.h"
#include "assemble/slot.h"
#include "assemble/unbound.h"

#define SECOND 1000000000ull

/* Decides whether n is over: what is, is OVER, or HELD while its thread works for it, to say for
 * how long. What is held was over before, and may be open again: its answer went on. */
static void decide(struct node *n, uint64_t covered_ns, bool last)
{
	enum end_reason why = ends_why(n, covered_ns);
	uint64_t worked_ns = why && !last ? ends_held(n, covered_ns) : 0;

	if (last && why == END_REST)
		why = END_INPUT;
	if (!why) {
		if (n->state == NODE_HELD)
			node_becomes(n, NODE_OPEN, END_NONE);
		return;
	}
	if (worked_ns) {
		n->after_ns = worked_ns;
		n->after_io_ns = n->now->last_io_ns;
	}
	if (n->state == NODE_OPEN)
		node_becomes(n, NODE_OVER, why);
	if (worked_ns && n->state == NODE_OVER)
		node_becomes(n, NODE_HELD, why);
	else if (!worked_ns && n->state == NODE_HELD)
		node_becomes(n, NODE_OVER, why);
}

static void decide_all(struct assemble *a, uint64_t covered_ns, bool last)
{
	for (struct node *n = a->active; n; n = n->next_active) {
		assert(n->state != NODE_OVER);
		if (node_is_request(n))
			decide(n, covered_ns, last);
	}
}

static void give_all(struct assemble *a)
{
	for (struct node *n = a->active; n; n = n->next_active)
		if (n->state == NODE_OVER)
			give_out(a, n);
}

void tick(struct assemble *a, uint64_t covered_ns)
{
	if (covered_ns / SECOND != a->covered_ns / SECOND)
		forget(a, covered_ns);
	a->covered_ns = covered_ns;
	decide_all(a, covered_ns, false);
	owner_find_all(a, covered_ns);
	slots_find(a);
	give_all(a);
	forget_nodes(a, covered_ns);
}

void tick_last(struct assemble *a)
{
	decide_all(a, UINT64_MAX, true);
	owner_find_all(a, UINT64_MAX);
	slots_find(a);
	give_all(a);
	unbound_count_last(a);
}
