/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests that are kept one by one: all of a report's, as far as there is room; live the latest
 * and the slowest of each group.
 */
#ifndef TARDY_AGGREGATE_KEEP_H
#define TARDY_AGGREGATE_KEEP_H
#include "aggregate/window.h"

struct group;

/* Keeps a copy of r, with these parts, where it belongs. Always 0: what cannot be kept is
 * counted. */
int aggregate_keep(struct aggregate *a, struct group *g, const struct request *r,
		   const struct parts *parts);
/* The kept requests that ended in or after the window's first bucket, in no order, each once:
 * *out is an array of borrowed pointers, valid until the next aggregate_add(), to be freed.
 * 0 or -ENOMEM. */
int aggregate_kept(const struct aggregate *a, const struct aggregate_window *w,
		   const struct request ***out, size_t *n);
#endif
