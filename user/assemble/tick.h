/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The moment at which everything before is known. In this order: long unused things are let go,
 * each request is decided upon (over or not), what is over is given out, and what nobody asks for
 * after that is let go. What has to be known of all requests before the first of them is given out
 * (which request a call belongs to) has its place between deciding and giving.
 */
#ifndef TARDY_ASSEMBLE_TICK_H
#define TARDY_ASSEMBLE_TICK_H
#include "assemble/known.h"

/* All records of before covered_ns have come. */
void tick(struct assemble *a, uint64_t covered_ns);
/* No further record comes at all. */
void tick_last(struct assemble *a);

#endif
