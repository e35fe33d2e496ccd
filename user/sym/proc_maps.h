/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes with their executable mappings: read at the first address of a process, again when
 * an address lies in none of them, and kept after the process has ended until they are forgotten
 * or make room for others.
 */
#ifndef TARDY_SYM_PROC_MAPS_H
#define TARDY_SYM_PROC_MAPS_H
#include <sys/types.h>
#include "base/table.h"
#include "sym/maps.h"
#include "sym/read_budget.h"

struct proc_maps {
	uint32_t tgid;
	uint32_t ns_tgid; /* in its own PID namespace, 0 = not known */
	uid_t uid;
	struct read_turn maps_turn, perf_turn;
	uint64_t used; /* clock of the last use */
	struct object_ref perf_map;
	struct maps maps;
};

struct procs {
	struct table by_tgid; /* to struct proc_maps * */
	size_t max, max_bytes, bytes;
	uint64_t reread_ns;
	struct read_budget budget; /* of mappings and maps for perf */
	uint64_t clock;
	uint64_t evicted, cut;
};

/* read_per_s: bytes that are read at most, of all processes. */
void procs_init(struct procs *p, size_t max, size_t max_bytes, uint64_t reread_ns,
		uint64_t read_per_s);
void procs_release(struct procs *p);
/* The process, its mappings read if they never were and it may; NULL: no memory. Valid until the next
 * call. */
struct proc_maps *procs_get(struct procs *p, uint32_t tgid);
/* Reads the mappings (again) unless that was just done or has to wait; returns whether it did. */
bool procs_reread(struct procs *p, struct proc_maps *proc);
void procs_forget(struct procs *p, uint32_t tgid);
uint64_t procs_now_ns(void);
#endif
