/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Distributions of microseconds. A histogram is log-linear: 32 counters for each power of two,
 * so that a quantile read from it is at most 1/64 (1.6 %) off; histograms merge by adding. A dist
 * keeps the values themselves while they are few, so that small captures have exact quantiles,
 * and becomes a histogram when they are many. Quantiles are nearest rank: the value of rank
 * ceil(q × n).
 */
#ifndef TARDY_AGGREGATE_HIST_H
#define TARDY_AGGREGATE_HIST_H
#include <stddef.h>
#include <stdint.h>

enum {
	HIST_SUB = 32,
	HIST_COUNTERS = 896, /* 0 us, exact up to 63 us, ... 2^32 - 1 us (71 minutes) */
	DIST_EXACT = 4096, /* values that a dist usually keeps as they are */
};

struct hist {
	uint64_t n;
	uint32_t v[HIST_COUNTERS];
};

/* Larger values than 2^32 - 1 count as that. */
void hist_add(struct hist *h, uint64_t us);
void hist_merge(struct hist *h, const struct hist *add);
/* The value of rank 1 .. n (clamped), as the middle of its counter's range; 0 when empty. */
uint64_t hist_at_rank(const struct hist *h, uint64_t rank);

struct dist {
	uint32_t *v; /* the values while h is NULL */
	uint32_t n_v, cap;
	struct hist *h;
	uint64_t n;
	uint64_t max_us; /* exact */
};

void dist_release(struct dist *d);
/* Adds a value. limit: how many are kept exactly; a dist that holds as many becomes a histogram.
 * 0, or -ENOMEM with *d unchanged. */
int dist_add(struct dist *d, uint64_t us, uint32_t limit);
/* Adds all of src; with 0 or -ENOMEM, after which *d holds a part of it. */
int dist_merge(struct dist *d, const struct dist *src, uint32_t limit);
/* Nearest rank of permille / 1000 in microseconds; 0 when empty. Sorts the kept values. */
uint64_t dist_quantile_us(struct dist *d, uint32_t permille);
/* Memory that it holds beside itself. */
size_t dist_bytes(const struct dist *d);
#endif
