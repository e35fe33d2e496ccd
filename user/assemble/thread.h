/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that serve: what they do now, and whether they run an event loop or belong to a pool.
 */
#ifndef TARDY_ASSEMBLE_THREAD_H
#define TARDY_ASSEMBLE_THREAD_H
#include "assemble/known.h"

void thread_record(struct assemble *a, const struct rec_thread *r);
/* n, a request, was read: its process serves, at that listener. */
void thread_reads(struct assemble *a, struct node *n);
/* The first of n's answer is there: learn from that what its thread is. */
void thread_answers(struct assemble *a, struct node *n);
/* More of it is there. */
void thread_goes_on(struct assemble *a, const struct node *n);

#endif
