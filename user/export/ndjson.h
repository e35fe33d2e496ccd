/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A snapshot as newline-delimited JSON, schema "tardy.report/1.0". Line 1 names the schema; each
 * further line is one object with a "kind": "route", "request", "hotspot", "health", and
 * "summary" (totals and verdict of the window, with the routes). Members are only ever added.
 * Times are microseconds (_us); 64-bit identities and instants are strings; what is not known is
 * null; parts[].us sum to wall_us. Where stacks were taken, a hotspot has "stack", its hottest
 * one as names of functions, leaf first and the kernel's ("_[k]") first, with "stack_share", its
 * part of the time of all stacks that match the hotspot; health has "stacks".
 */
#ifndef TARDY_EXPORT_NDJSON_H
#define TARDY_EXPORT_NDJSON_H
#include <stdio.h>
#include "export/export.h"
#include "rank/snapshot.h"

/* what: mask of enum export_what. Flushes out and leaves it open. Returns 0 or the negative errno
 * of the first failed write (-EPIPE, -ENOSPC, ...). The caller ignores SIGPIPE. */
int export_ndjson(FILE *out, const struct snapshot *s, unsigned what);
#endif
