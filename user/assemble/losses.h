/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where something was lost. Two views of the same records: spans of time in which a request's
 * data may be gone, whatever CPU it was on, because a lost exchange can concern a request of any
 * thread; and intervals by kind and CPU, for people. Times are CLOCK_MONOTONIC nanoseconds.
 */
#ifndef TARDY_ASSEMBLE_LOSSES_H
#define TARDY_ASSEMBLE_LOSSES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bpf/abi.h"

enum {
	LOSSES_SPANS_MAX = 64, /* beyond it the two oldest become one, the time between included */
	LOSSES_KEPT_MAX = 64, /* intervals; beyond it one goes, see losses_add() */
};

struct loss_span {
	uint64_t from_ns, to_ns;
};

struct loss_interval {
	uint64_t from_ns, to_ns;
	uint64_t count;
	uint32_t kind; /* enum counter */
	uint16_t cpu;
};

struct losses {
	struct loss_span spans[LOSSES_SPANS_MAX]; /* in the order they came */
	size_t n_spans;
	struct loss_interval kept[LOSSES_KEPT_MAX]; /* in the order they began to come */
	size_t n_kept;
	uint64_t dropped; /* intervals that are not kept any more */
};

/* Is a record or a request's data gone by a loss of this kind? */
bool loss_loses(uint32_t kind);
/* Files one record. One that continues the interval of its kind and CPU prolongs that. When no
 * more are kept, the oldest of a kind that loses no data goes, else the oldest. */
void losses_add(struct losses *l, const struct rec_lost *r);
/* Adds a span without an interval: the collector itself had to let something go. */
void losses_add_span(struct losses *l, uint64_t from_ns, uint64_t to_ns);
/* Does a span touch [from_ns, to_ns]? Never false for one that was added, however long ago. */
bool losses_overlap(const struct losses *l, uint64_t from_ns, uint64_t to_ns);
#endif
