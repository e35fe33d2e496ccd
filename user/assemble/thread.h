/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that serve: what they do now, and whether they run an event loop or belong to a pool.
 */
#ifndef TARDY_ASSEMBLE_THREAD_H
#define TARDY_ASSEMBLE_THREAD_H
#include "assemble/known.h"

void thread_record(struct assemble *a, const struct rec_thread *r);
/* Its thread has read n, a request whose first record this is: learn from that. */
void thread_serves(struct assemble *a, struct node *n);

#endif
