/* SPDX-License-Identifier: GPL-2.0-only */
/* Medians of rounds, and how sure one can be of them. */
#ifndef TARDY_BENCH_STAT_H
#define TARDY_BENCH_STAT_H
#include <stddef.h>
#include <stdlib.h>

static inline int double_cmp(const void *va, const void *vb)
{
	double a = *(const double *)va, b = *(const double *)vb;

	return (a > b) - (a < b);
}

/* Sorts v. */
static inline double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), double_cmp);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/*
 * Of n sorted values, how many to leave out at each end so that the rest covers the median of what
 * they were drawn from with a probability of at least 95 %, whatever their distribution is: the
 * number of values below the median is binomial. Needs n >= 6, else 0 covers less than that.
 */
static inline size_t median_outside(size_t n)
{
	double term = 1, below = 0;
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		term /= 2;
	/* below: probability that at most k values lie under the median */
	for (; k < n / 2; k++) {
		below += term;
		if (2 * below > 0.05)
			break;
		term = term * (double)(n - k) / (double)(k + 1);
	}
	return k ? k - 1 : 0;
}

#endif
