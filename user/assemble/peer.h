/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is at the other end of a call, and what waiting for it is called.
 */
#ifndef TARDY_ASSEMBLE_PEER_H
#define TARDY_ASSEMBLE_PEER_H
#include "assemble/known.h"

/* Who answers a call: the joined callee, else who listens at its other end, else an address. */
uint32_t peer_of(struct assemble *a, const struct node *call);
/* The other end's address as text; of a Unix connection its path. */
uint32_t peer_address(const struct rec_xchg *x);
/* What waiting for one that speaks this protocol is. */
enum cause peer_cause(enum proto proto);

#endif
