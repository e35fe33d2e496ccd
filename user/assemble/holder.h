/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who held a lock. The waker of a wait is its last holder; but where several wait, each woke the
 * next, and a long wait spans several holders. While the waker itself waited for the same lock,
 * somebody else held it: the one who woke the waker, and so on back in time.
 */
#ifndef TARDY_ASSEMBLE_HOLDER_H
#define TARDY_ASSEMBLE_HOLDER_H
#include "account/breakdown.h"
#include "assemble/known.h"

/* Remembers a wait of request xid that ended by a release. */
void holder_remember(struct assemble *a, uint64_t xid, const struct wait *w);
/* Others waited for what request xid held. */
void holder_note(struct assemble *a, uint64_t xid, uint64_t now_ns);
/* The request that made these calls is about to go: keeps whom their callees, if they held something,
 * did that for. */
void holder_keep(struct assemble *a, const struct node *request);
/* Decides what waits of a PostgreSQL backend in poll were, now that what came after them is known. */
void holder_settle(const struct assemble *a, struct node *n);
/* Splits w, a wait of n, by holder; fills at most HOLDERS_MAX entries, whose ns sum to w->ns. */
size_t holder_split(struct assemble *a, const struct node *n, const struct wait *w,
		    struct breakdown_wait *out);

#endif
