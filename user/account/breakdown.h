/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The algebra of a request's wall time: from the states that its thread was in, and the calls
 * that were outstanding, to parts that sum exactly to it. Pure functions; the rules are those of
 * docs/states.md.
 *
 * What is given is measured at the I/O of the thread that serves the request. Each slice is the
 * thread's time before an I/O that was for this request. On a thread that serves one request at
 * a time slices tile the wall time; on an event loop there are gaps, in which it worked for
 * others or had nothing to do, and a gap is explained by what was outstanding meanwhile.
 */
#ifndef TARDY_ACCOUNT_BREAKDOWN_H
#define TARDY_ACCOUNT_BREAKDOWN_H
#include <stdint.h>
#include "account/breakdown_in.h"
#include "account/parts.h"

/* Appends to *out parts whose ns sum to exactly end_ns - start_ns. Returns 0 or -ENOMEM (*out is
 * then cleared). */
int breakdown(const struct breakdown_in *in, struct parts *out);

/* "a > b", interned; either may be 0. */
uint32_t breakdown_via(uint32_t first, uint32_t rest);
#endif
