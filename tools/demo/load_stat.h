/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Response times of one route in bounded memory: a histogram with an error of at most 3 %.
 * Included by load.c alone.
 */
#ifndef DEMO_LOAD_STAT_H
#define DEMO_LOAD_STAT_H

#include <stdbool.h>
#include <stdint.h>

enum { BUCKETS = 32 * 32 }; /* 32 powers of two with 32 steps in each */

struct Stat {
	uint64_t count, errors, max_us;
	uint32_t buckets[BUCKETS];
};

/* Values below 32 have a bucket each, then each power of two has 32: an error of at most 3 %. */
static int bucket_of(uint64_t us)
{
	int shift = us < 32 ? 0 : 63 - __builtin_clzll(us) - 5;
	int b = shift ? (shift + 1) * 32 + (int)((us >> shift) & 31) : (int)us;

	return b < BUCKETS ? b : BUCKETS - 1;
}

static double bucket_ms(int b)
{
	int shift = b < 64 ? 0 : b / 32 - 1;
	double low = b < 64 ? b : (double)((uint64_t)(32 + b % 32) << shift);

	return (low + (double)((uint64_t)1 << shift) / 2) / 1000;
}

static double Stat_percentile_ms(const struct Stat *s, double p)
{
	uint64_t rank = (uint64_t)(p * (double)s->count + 0.999999), seen = 0;

	for (int b = 0; b < BUCKETS; b++) {
		seen += s->buckets[b];
		if (seen && seen >= rank)
			return bucket_ms(b);
	}
	return 0;
}

static void Stat_add(struct Stat *s, uint64_t us, bool ok)
{
	s->count++;
	s->errors += !ok;
	s->buckets[bucket_of(us)]++;
	if (us > s->max_us)
		s->max_us = us;
}

#endif
