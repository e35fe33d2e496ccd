// SPDX-License-Identifier: GPL-2.0-only
/* Histograms and distributions; see hist.h for the method and its error. */
#include "aggregate/hist.h"

#include <errno.h>
#include <stdlib.h>

enum { HIST_SUB_BITS = 5, DIST_FIRST_CAP = 8 };

/* Below 64 each value has its own counter; from there 32 counters for each power of two. */
static uint32_t hist_index(uint64_t us)
{
	uint32_t v = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us, shift;

	if (v < 2 * HIST_SUB)
		return v;
	shift = 31 - (uint32_t)__builtin_clz(v) - HIST_SUB_BITS;
	return shift * HIST_SUB + (v >> shift);
}

/* The middle of a counter's range. */
static uint64_t hist_value(uint32_t index)
{
	uint32_t shift;

	if (index < 2 * HIST_SUB)
		return index;
	shift = index / HIST_SUB - 1;
	return (((uint64_t)(index % HIST_SUB) + HIST_SUB) << shift) + (1ull << shift) / 2;
}

void hist_add(struct hist *h, uint64_t us)
{
	h->v[hist_index(us)]++;
	h->n++;
}

void hist_merge(struct hist *h, const struct hist *add)
{
	for (uint32_t i = 0; i < HIST_COUNTERS; i++)
		h->v[i] += add->v[i];
	h->n += add->n;
}

uint64_t hist_at_rank(const struct hist *h, uint64_t rank)
{
	uint64_t seen = 0;
	uint32_t last = 0;

	if (!rank)
		rank = 1;
	for (uint32_t i = 0; i < HIST_COUNTERS; i++) {
		if (!h->v[i])
			continue;
		seen += h->v[i];
		last = i;
		if (seen >= rank)
			break;
	}
	return hist_value(last);
}

void dist_release(struct dist *d)
{
	free(d->v);
	free(d->h);
	*d = (struct dist){ 0 };
}

static int dist_to_hist(struct dist *d)
{
	struct hist *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->n_v; i++)
		hist_add(h, d->v[i]);
	free(d->v);
	d->v = NULL;
	d->n_v = d->cap = 0;
	d->h = h;
	return 0;
}

static int values_grow(struct dist *d)
{
	uint32_t cap = d->cap ? d->cap * 2 : DIST_FIRST_CAP;
	uint32_t *v = realloc(d->v, cap * sizeof(*v));

	if (!v)
		return -ENOMEM;
	d->v = v;
	d->cap = cap;
	return 0;
}

int dist_add(struct dist *d, uint64_t us, uint32_t limit)
{
	if (!d->h && d->n_v >= limit && dist_to_hist(d))
		return -ENOMEM;
	if (!d->h && d->n_v == d->cap && values_grow(d))
		return -ENOMEM;
	if (d->h)
		hist_add(d->h, us);
	else
		d->v[d->n_v++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
	d->n++;
	if (us > d->max_us)
		d->max_us = us;
	return 0;
}

int dist_merge(struct dist *d, const struct dist *src, uint32_t limit)
{
	if (src->h) {
		if (!d->h && dist_to_hist(d))
			return -ENOMEM;
		hist_merge(d->h, src->h);
		d->n += src->n;
	} else {
		for (uint32_t i = 0; i < src->n_v; i++)
			if (dist_add(d, src->v[i], limit))
				return -ENOMEM;
	}
	if (src->max_us > d->max_us)
		d->max_us = src->max_us;
	return 0;
}

static int u32_cmp(const void *va, const void *vb)
{
	uint32_t a = *(const uint32_t *)va, b = *(const uint32_t *)vb;

	return (a > b) - (a < b);
}

uint64_t dist_quantile_us(struct dist *d, uint32_t permille)
{
	uint64_t rank = (d->n * permille + 999) / 1000, us;

	if (!d->n)
		return 0;
	if (!rank)
		rank = 1;
	/* The largest is known exactly, even beyond what 32 bits hold. */
	if (rank >= d->n)
		return d->max_us;
	if (d->h) {
		us = hist_at_rank(d->h, rank);
		return us < d->max_us ? us : d->max_us;
	}
	qsort(d->v, d->n_v, sizeof(*d->v), u32_cmp);
	return d->v[rank - 1];
}

size_t dist_bytes(const struct dist *d)
{
	return d->cap * sizeof(*d->v) + (d->h ? sizeof(*d->h) : 0);
}
