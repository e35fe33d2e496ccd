/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live source of records: what the kernel side writes, completed with what only the
 * collector knows (processes and functions by name, losses, the host's load, its own cost, and
 * ticks that say up to when everything has been read). What it delivers is exactly what a
 * capture holds.
 */
#ifndef TARDY_PROBE_LIVE_H
#define TARDY_PROBE_LIVE_H
#include <stdbool.h>
#include <stdint.h>
#include "probe/probe.h"
#include "probe/select.h"

struct live;

struct live_opts {
	struct probe_opts probe; /* pids and ports are taken from the selection */
	struct selection *selection; /* owned by the caller, must outlive the live source */
	const char *version;
};

/* Loads and attaches; *err gets a negative errno and NULL is returned when that fails (then
 * *probe, if not NULL, may be asked which hook or point it was; the caller frees it). */
struct live *live_new(const struct live_opts *opts, int *err, struct probe **probe);
/* Delivers what there is; to be called again after live_pause_ns(). fn's negative return ends the call
 * with it. -ESRCH: everything that was selected by process id has ended. */
int live_poll(struct live *l, probe_record_fn fn, void *ctx);
/* How long the caller may rest: 25 ms, less where records come so fast that a ring would fill. */
uint64_t live_pause_ns(const struct live *l);
/* Delivers the rest, with a last tick. */
int live_stop(struct live *l, probe_record_fn fn, void *ctx);
/* Adds a process, started by the caller, to the selection. */
int live_select(struct live *l, pid_t tgid);
/* Whether functions in stacks get names: not when the thread for it could not be started. */
bool live_has_names(const struct live *l);
/* Records delivered, and records lost so far. */
uint64_t live_seen(const struct live *l);
uint64_t live_lost(const struct live *l);
struct probe *live_probe(struct live *l);
void live_free(struct live *l);

#endif
