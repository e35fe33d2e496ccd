/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work that a request's thread left to another thread of its process. The kernel side says which request
 * the worker was lent to, and what the waiting thread went on with: only where both are the same it is
 * known whom the work was for. A step of it, after which the thread only left the next step to a worker, is
 * known by that step.
 */
#ifndef TARDY_ASSEMBLE_WORK_H
#define TARDY_ASSEMBLE_WORK_H
#include "assemble/known.h"

void work_record(struct assemble *a, const struct rec_work *r);
/* Finds out which of n's works were for it: those are `sure` then. */
void work_settle(struct assemble *a, struct node *n);
/* Was the call made within a sure work of n, by its worker? Settles them. */
bool work_made(struct assemble *a, struct node *n, const struct node *call);

#endif
