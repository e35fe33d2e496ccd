/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is in flight: requests that are open, and those that wait to be read.
 */
#ifndef TARDY_ASSEMBLE_OPEN_H
#define TARDY_ASSEMBLE_OPEN_H
#include "assemble/known.h"

/* Calls fn for each, REQUEST_OPEN set, with its parts so far. */
void open_each(struct assemble *a, assemble_request_fn fn, void *ctx);

#endif
