/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folded stacks for flame graphs (flamegraph.pl, speedscope, inferno): one line
 * "service;route;who;cause;what N" for each part of the routes of entry requests, where N is its
 * microseconds in the whole window (completed requests x mean). Rows of joined children are left
 * out: their time is already in the parts of the requests that called them.
 */
#ifndef TARDY_EXPORT_FOLDED_H
#define TARDY_EXPORT_FOLDED_H
#include <stdio.h>
#include "rank/snapshot.h"

/* Lines are sorted and each stack occurs once. Frames have no ';', no control characters and are
 * never empty, a leaf never ends in space and digits, no line is a comment. Flushes out and
 * leaves it open. Returns 0, -ENOMEM, or the negative errno of the first failed write. */
int export_folded(FILE *out, const struct snapshot *s);
#endif
