/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A flame graph as a file of speedscope, by the schema that
 * https://www.speedscope.app/file-format-schema.json publishes: a "sampled" profile for each
 * service, whose samples are the rows of export/flame.h from the route on, with their weights.
 * Units: "none" for CPU samples, else "microseconds".
 */
#ifndef TARDY_EXPORT_SPEEDSCOPE_H
#define TARDY_EXPORT_SPEEDSCOPE_H
#include <stdio.h>
#include "export/export.h"
#include "rank/snapshot.h"

/* Valid whatever the names are. Flushes out and leaves it open. Returns 0, -ENOMEM, or the
 * negative errno of the first failed write. */
int export_speedscope(FILE *out, const struct snapshot *s, enum export_kind kind);
#endif
