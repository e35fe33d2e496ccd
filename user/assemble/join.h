/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which call a request answers: both are exchanges of one connection, each seen from its end.
 */
#ifndef TARDY_ASSEMBLE_JOIN_H
#define TARDY_ASSEMBLE_JOIN_H
#include "assemble/known.h"

/* Finds the call that n, a request, answers, and ties both together. Does nothing when that is
 * done, or when there is none (yet). */
void node_join(struct assemble *a, struct node *n);
/* The same from the call's end. */
void node_join_callee(struct assemble *a, struct node *call);

#endif
