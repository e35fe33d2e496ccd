/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for a slot: an event loop that may have only so many calls to one peer at once (a pool of
 * connections, a maximum of the proxy's) holds a request back until one of them is over.
 */
#ifndef TARDY_ASSEMBLE_SLOT_H
#define TARDY_ASSEMBLE_SLOT_H
#include "assemble/known.h"

/* For all requests that are over now: remembers their calls, then finds out which of them had
 * waited for a slot (node.slot). To be called once they have their calls. */
void slots_find(struct assemble *a);
/* Whose this call was is not known: so it is not known either who waits for its peer. */
void slot_unsure(struct assemble *a, const struct node *call);
/* Lets go of peers that nobody calls any more. */
void slots_forget(struct assemble *a, uint64_t covered_ns);

#endif
