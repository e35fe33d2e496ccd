/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Details of requests: what single waits were for (a lock, a disk, a page, a CPU), and what TCP
 * knows of their connections. They name time that the exchange's own sums account for, and never
 * add any: what has no detail stays the plain cause.
 */
#ifndef TARDY_ASSEMBLE_DETAIL_H
#define TARDY_ASSEMBLE_DETAIL_H
#include "assemble/known.h"

void detail_wait(struct assemble *a, const struct rec_wait *r);
/* n, a request, was answered by a worker that it was handed to: gives it that thread's waits. */
void detail_handed(struct assemble *a, struct node *n);
void detail_io(struct assemble *a, const struct rec_io *r);
void detail_behind(struct assemble *a, const struct rec_behind *r);
void detail_runq(struct assemble *a, const struct rec_runq *r);
void detail_net(struct assemble *a, const struct rec_net *r);
/* What a thread that waits for a lock waits for, by the file's name if it is one. */
uint32_t detail_lock_what(struct slice name);
/* What is known of n's connection during n; the round trip is the connection's. */
struct request_net detail_net_of(const struct node *n);
/* "rtt ~20ms, retransmits": what was unusual on n's connection, 0 = nothing. */
uint32_t detail_net_what(const struct node *n);

#endif
