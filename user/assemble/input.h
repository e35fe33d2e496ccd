/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a breakdown is made from: times, states, waits and calls of an exchange, with the callees'
 * own breakdowns in the place of its waits for them.
 */
#ifndef TARDY_ASSEMBLE_INPUT_H
#define TARDY_ASSEMBLE_INPUT_H
#include "assemble/known.h"

/* Makes n->parts up to end_ns (its own end when it is over), unless they are there. depth: callers
 * above it. 0 or -ENOMEM. */
int node_breakdown(struct assemble *a, struct node *n, uint64_t end_ns, int depth);

#endif
