/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How busy the host is, beside what requests say: one line of /proc/stat, /proc/diskstats and
 * /proc/pressure for each interval between two samples. One thread uses a hostload.
 */
#ifndef TARDY_PROBE_HOSTLOAD_H
#define TARDY_PROBE_HOSTLOAD_H
#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"
#include "bpf/abi.h"

struct hostload;

/* Ticks since boot, of the line "cpu " of /proc/stat, and its procs_running. */
struct hostload_cpu {
	uint64_t busy, total; /* idle and iowait are not busy; guests are within user */
	int64_t running; /* tasks that run or are runnable, -1 = not there */
};

/* NULL: no memory. */
struct hostload *hostload_new(void);
/* The same with other folders for /proc and /sys, for tests. Copied. */
struct hostload *hostload_new_at(const char *proc, const char *sys);
void hostload_free(struct hostload *h);

/* Fills out, header included, for the time since the sample before:
 *   cpu, disk      1/10000 of all CPUs' time, and of the time the busiest disk (also loop, dm
 *                  and md devices) had work; -1 in
 *                  the first sample and when less than 50 ms have passed (the next one then
 *                  covers both intervals)
 *   runnable_x100  tasks running or runnable at this instant, tardy's own thread left out, x 100
 *   psi_*          "some avg10" of the kernel's pressure files, 1/10000
 * Whatever cannot be read is -1. 0; -ENODATA when that is everything (out is filled then too). */
int hostload_sample(struct hostload *h, struct rec_host *out);

/* Parses /proc/stat. -EBADMSG: no line "cpu ". */
int hostload_parse_stat(struct slice text, struct hostload_cpu *out);
/* "some avg10" in 1/10000, or -1. */
int32_t hostload_parse_pressure(struct slice text);
/* Takes the next line off *rest of /proc/diskstats: name (cap bytes with its NUL) and the
 * milliseconds the device had work, which wrap at 2^32. False at the end. */
bool hostload_disk_next(struct slice *rest, char *name, size_t cap, uint32_t *busy_ms);
#endif
