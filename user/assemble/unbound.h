/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that are in no request: whose they are cannot be known, or nobody's request was at work. They
 * are counted, so that a reader knows what some unknown time may be.
 */
#ifndef TARDY_ASSEMBLE_UNBOUND_H
#define TARDY_ASSEMBLE_UNBOUND_H
#include <stdbool.h>
#include "assemble/known.h"

/* A call without a request is let go, or, with `last`, the input is over. Counted once, when it is over. */
void unbound_count(struct assemble *a, struct node *call, bool last);
/* Those that are there when the input is over. */
void unbound_count_last(struct assemble *a);

#endif
