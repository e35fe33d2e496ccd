/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tardy itself costs: CPU time and memory of the collector, exact, and CPU time in its BPF
 * programs, an estimate.
 *
 * The kernel can time BPF programs, but then reads the clock twice a run, which is more than
 * some programs take. So that is on for a window of 200 ms every 10 s only, the first one 300 ms
 * after the start, and between windows the rate of the latest counts. The time up to the end of
 * the first window is charged at that window's rate. An empty program shows 65-70 ns a run,
 * which is the clocks' and not the program's: this floor is taken off each run. It is estimated,
 * window by window, as the cheapest mean of the programs with at least 100 runs, at most 70 ns;
 * that takes a little too much off when no cheap program ran. One thread uses a cost.
 */
#ifndef TARDY_PROBE_COST_H
#define TARDY_PROBE_COST_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "probe/probe.h"

struct cost;

/* Where run times come from; as probe_stats_enable() and probe_runs(). Names stay valid. */
struct cost_source {
	int (*enable)(void *ctx, bool on);
	size_t (*runs)(void *ctx, struct probe_run *out, size_t cap);
	void *ctx;
};

/* NULL: no memory. */
struct cost *cost_new(void);
/* Does not end a window that is open: probe_free() does. */
void cost_free(struct cost *c);

/* To be called at each tick, about every 100 ms; never sleeps. now_ns: CLOCK_MONOTONIC, read
 * just before. Gives the CPU time of this process so far, the estimated CPU time in p's programs
 * since the first call (never goes back; 0 until the first window ends; p may be NULL: stays as
 * it is) and the resident memory, 0 if unknown. 0, or why the kernel does not time programs
 * (-EPERM, -EINVAL before Linux 5.8): the rest is filled then too, and it is tried again. */
int cost_sample(struct cost *c, struct probe *p, uint64_t now_ns, uint64_t *own_cpu_ns,
		uint64_t *probe_ns, uint64_t *rss_bytes);

/* The estimate alone. Returns 0 or source->enable()'s error. */
int cost_step(struct cost *c, const struct cost_source *source, uint64_t now_ns,
	      uint64_t *probe_ns);
/* Net and floor of the runs between two readings of the same programs, in any order; a program
 * that is only in one of them does not count. Returns nanoseconds, *floor_ns of one run. */
uint64_t cost_net_ns(const struct probe_run *from, size_t n_from, const struct probe_run *to,
		     size_t n_to, double *floor_ns);
/* Resident bytes of the text of /proc/PID/statm, 0 when it is not of that form. */
uint64_t cost_parse_statm(const char *text, uint64_t page_bytes);
#endif
