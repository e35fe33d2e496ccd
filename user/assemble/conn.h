/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections: which one an exchange is on, and the other end of it on this host.
 */
#ifndef TARDY_ASSEMBLE_CONN_H
#define TARDY_ASSEMBLE_CONN_H
#include "assemble/known.h"

/* The connection of x, made if it is new, with its other end if that is known by now. NULL,
 * counted: there is no place for it. */
struct conn *conn_of(struct assemble *a, const struct rec_xchg *x);
/* Of the address that x's connection was accepted at. */
uint64_t conn_listener_key(const struct rec_xchg *x);

#endif
