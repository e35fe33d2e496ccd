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
/* Splits a wait by holder; fills at most HOLDERS_MAX entries, whose ns sum to w->ns. */
size_t holder_split(const struct assemble *a, const struct wait *w, struct breakdown_wait *out);

#endif
