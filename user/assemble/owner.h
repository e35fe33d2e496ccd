/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which request a call was made for. The kernel side says whom the calling thread served last,
 * which is enough where a thread has one request at a time. An event loop has many: there a call
 * belongs to the request that asks for the same, or that was read just before; else to nobody.
 */
#ifndef TARDY_ASSEMBLE_OWNER_H
#define TARDY_ASSEMBLE_OWNER_H
#include "assemble/known.h"

/* For all calls that were sent before covered_ns: all that was read before is known. */
void owner_find_all(struct assemble *a, uint64_t covered_ns);
/* It has become known that threads of this process leave requests: calls of those that are open are looked
 * at again, but for those that are certain. */
void owner_review(struct assemble *a, uint32_t tgid);

#endif
