/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of an exchange: one state at a time, and all its changes here. A change that is not
 * allowed is a fault of this program, whatever the records say, and ends it.
 *
 *   NAMED -> OPEN -> OVER -> GIVEN, DROPPED
 *              ^     v  ^
 *              '---- HELD                  and from each but OVER: GONE
 */
#ifndef TARDY_ASSEMBLE_LIFE_H
#define TARDY_ASSEMBLE_LIFE_H
#include "assemble/node.h"

/* May what is in one state come into the other? */
bool life_allows(enum node_state from, enum node_state to);
/*
 * Takes n to its next state and keeps why. A reason is needed to be over, to be dropped, and to be
 * gone for what was not over before; the first one stays, but for what is dropped: that has the
 * reason why it is. Being open again takes the reason away.
 */
void node_becomes(struct node *n, enum node_state to, enum end_reason why);

#endif
