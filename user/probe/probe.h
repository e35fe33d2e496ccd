/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side's life cycle: new -> load -> attach -> (drain, sweep)* -> free. Everything that
 * is in the kernel hangs on file descriptors of this process, so nothing stays after any exit.
 * One thread uses a probe.
 */
#ifndef TARDY_PROBE_PROBE_H
#define TARDY_PROBE_PROBE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include "bpf/abi.h"

struct probe;

struct probe_opts {
	bool select_all;
	const pid_t *pids; /* thread group ids, with their children from now on */
	size_t n_pids;
	const uint16_t *ports; /* local ports whose accepted connections are observed */
	size_t n_ports;
	const char *const *points; /* "usdt:BINARY:provider:name", "uprobe:BINARY:function" */
	size_t n_points;
	size_t ring_bytes; /* of each ring, 0 = default; rounded to a power of two of pages */
	uint64_t wait_record_min_ns; /* 0 = default */
	bool no_stacks; /* neither samples of the CPU clock nor stacks of waits */
	int break_state; /* tests: classifier to break, enum thread_state, -1 = none */
	uint32_t fail_storage; /* tests: every so many-th storage cannot be made, 0 = all can */
	bool sweep_sockets; /* tests: as where the kernel refuses iterators over maps */
	uint32_t skip_arrivals; /* tests: every so many-th switch in is not seen, 0 = all are */
	uint32_t skip_switches; /* tests: every so many-th switch is not seen, 0 = all are */
	bool bench_empty; /* also attach the empty program of the benchmark */
};

/* Passes libbpf's messages (the verifier's log) to stderr, or drops them. For the process. */
void probe_set_verbose(bool verbose);

struct refusal;

struct probe_hook_status {
	const char *program, *tracepoint, *gives, *effect;
	bool required;
	bool on;
	int error; /* negative errno when off */
};

/* The record stays valid only during the call. A negative return stops the drain. */
typedef int (*probe_record_fn)(void *ctx, const struct rec_hdr *rec);

/* Copies opts' scalars; the arrays must live until probe_load() returned. NULL: no memory. */
struct probe *probe_new(const struct probe_opts *opts);
/* Why the latest load failed, if probe_set_verbose() was called before it. */
const struct refusal *probe_refusal(void);
/* Loads the programs. -EPERM: privilege; -ESRCH/-EOPNOTSUPP: the kernel lacks BTF or a hook;
 * else libbpf's error. probe_hooks() tells which. */
int probe_load(struct probe *p);
/* Attaches the hooks, then seeds sockets and threads that exist. */
int probe_attach(struct probe *p);
void probe_free(struct probe *p);

/* Adds a process to the selection (cgroups are rescanned by the caller). */
int probe_select(struct probe *p, pid_t tgid);
/* What one of the rings holds. */
size_t probe_ring_bytes(const struct probe *p);
/* Calls fn for all records that wait in the rings. Returns how many, or fn's negative result. */
long probe_drain(struct probe *p, probe_record_fn fn, void *ctx);
/* Has the kernel write out exchanges that changed, requests nobody reads and what serving
 * threads do now. Everything up to *covered_ns is in the rings afterwards. */
int probe_sweep(struct probe *p, uint64_t *covered_ns);
/* To be called each second: looks at what of the host has changed that programs depend on. */
void probe_each_second(struct probe *p);
/* Sums the kernel side's counters over CPUs; counts[COUNTER_COUNT]. */
int probe_counters(struct probe *p, uint64_t *counts);
/* The same CPU by CPU: row i has COUNTER_COUNT counters of CPU i and begins at (*rows)[i * *width].
 * Returns how many CPUs, or negative errno. *rows is valid until the next call. */
int probe_counters_by_cpu(struct probe *p, const uint64_t **rows, size_t *width);

/* Rows of HOOKS and one for the sampler; valid while p lives. */
size_t probe_hooks(struct probe *p, const struct probe_hook_status **out);
/* Index in opts->points that failed, or -1. */
int probe_failed_point(const struct probe *p);

/* Run time of all programs. Needs probe_stats_enable(true) around what is measured: while on,
 * each program run costs two clock reads more. */
struct probe_run {
	const char *program;
	uint64_t runs, ns;
};
int probe_stats_enable(struct probe *p, bool on);
size_t probe_runs(struct probe *p, struct probe_run *out, size_t cap);

#endif
