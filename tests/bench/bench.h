/* SPDX-License-Identifier: GPL-2.0-only */
/* What all parts of a benchmark use: how it ends when it cannot measure, and clocks. */
#ifndef TARDY_BENCH_BENCH_H
#define TARDY_BENCH_BENCH_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* err: an errno, of either sign */
_Noreturn static inline void die(const char *what, int err)
{
	fprintf(stderr, "cost_bench: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

static inline uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

#endif
