/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that is known of one row, with nothing cut: statements, holders, stacks. Lines of any length,
 * safe for a terminal; who shows them wraps them.
 */
#ifndef TARDY_EXPORT_FULL_H
#define TARDY_EXPORT_FULL_H
#include "rank/snapshot.h"

/* Text that the caller frees, each line ending in a newline; NULL without memory. */
char *full_route(const struct snap_route *r, bool ascii);
char *full_hotspot(const struct snap_hotspot *h, bool ascii);
char *full_request(const struct snap_request *r, bool ascii);
#endif
