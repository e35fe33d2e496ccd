/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A snapshot as rows of a flame graph, the same for every format: frames from the root to the
 * leaf, and a weight.
 *
 *   EXPORT_CPU   service; route; functions       CPU samples of requests that the service answered
 *   EXPORT_OFF   service; route; functions       microseconds that they waited, off the CPU; with
 *                "[waits below 1 ms, or without a stack]; cause", so that they add up
 *   EXPORT_WALL  service; route; who; cause; what   microseconds of entry requests in the whole
 *                window (mean x requests it is of); joined children are inside of them
 */
#ifndef TARDY_EXPORT_FLAME_H
#define TARDY_EXPORT_FLAME_H
#include "bpf/abi.h"
#include "export/export.h"
#include "rank/snapshot.h"

enum { FLAME_FRAMES_MAX = 2 + ABI_STACK_KERNEL_MAX + ABI_STACK_USER_MAX + 2 };

struct flame_row {
	const char *frames[FLAME_FRAMES_MAX]; /* from the root; as recorded, any bytes, not empty */
	size_t n;
	size_t kernel_at; /* the first frame of the kernel; n = none */
	uint64_t weight; /* never 0 */
};

/* Calls fn for each row until one does not return 0; returns that. */
int flame_rows(const struct snapshot *s, enum export_kind kind,
	       int (*fn)(void *ctx, const struct flame_row *row), void *ctx);
#endif
