/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The request that the sink gets: an exchange with its breakdown, its calls and its marks.
 */
#ifndef TARDY_ASSEMBLE_GIVE_H
#define TARDY_ASSEMBLE_GIVE_H
#include "assemble/known.h"

/* Fills *r for n, whose parts were made; what it points to lives in n, calls (CALLS_KEPT + 1) and
 * marks (MARKS_MAX). end_ns: when it ended, or "now" when it is open. */
void request_fill(struct assemble *a, struct node *n, uint64_t end_ns, bool open, struct request *r,
		  struct request_call *calls, struct request_mark *marks);
/* Gives n, which is over, to the sink, or drops it when it is no request. */
void give_out(struct assemble *a, struct node *n);

#endif
