/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/life.h"

#include <assert.h>

#define BIT(state) (1u << (state))

static const uint8_t next_states[NODE_STATE_COUNT] = {
	[NODE_NAMED] = BIT(NODE_OPEN) | BIT(NODE_GONE),
	[NODE_OPEN] = BIT(NODE_OVER) | BIT(NODE_GONE),
	/* within one tick: what is over is held, or given out in the same breath */
	[NODE_OVER] = BIT(NODE_HELD) | BIT(NODE_GIVEN) | BIT(NODE_DROPPED),
	[NODE_HELD] = BIT(NODE_OPEN) | BIT(NODE_OVER) | BIT(NODE_GONE),
	[NODE_GIVEN] = BIT(NODE_GONE),
	[NODE_DROPPED] = BIT(NODE_GONE),
	[NODE_GONE] = 0,
};

bool life_allows(enum node_state from, enum node_state to)
{
	return from < NODE_STATE_COUNT && to < NODE_STATE_COUNT && (next_states[from] & BIT(to));
}

/* What holds in each state. */
static void check(const struct node *n)
{
	switch (n->state) {
	case NODE_NAMED:
		assert(!n->conn && !n->end_reason);
		break;
	case NODE_OPEN:
		assert(n->conn && !n->end_reason);
		break;
	case NODE_HELD:
		assert(node_answered(n));
		/* fall through */
	case NODE_OVER:
	case NODE_GIVEN:
	case NODE_DROPPED:
		assert(n->conn && n->end_reason);
		assert(n->x.role == ROLE_ACCEPTED); /* a call ends with its request */
		break;
	case NODE_GONE:
		assert(n->end_reason);
		assert(!n->prev_active && !n->older && !n->newer); /* nobody finds it */
		assert(!n->calls && !n->child && !n->caller && !n->busy);
		break;
	case NODE_STATE_COUNT:
		assert(false);
	}
}

void node_becomes(struct node *n, enum node_state to, enum end_reason why)
{
	assert(life_allows(n->state, to));
	assert(why < END_REASON_COUNT);
	if (to == NODE_OPEN)
		assert(!why);
	n->state = to;
	if (to == NODE_OPEN || to == NODE_DROPPED || !n->end_reason)
		n->end_reason = why;
	check(n);
}
