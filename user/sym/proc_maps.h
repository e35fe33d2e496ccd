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

struct proc_maps {
	uint32_t tgid;
	uint32_t ns_tgid; /* in its own PID namespace, 0 = not known */
	uid_t uid;
	uint64_t read_ns; /* mappings were last read, or could not be */
	uint64_t used; /* clock of the last use */
	uint64_t perf_map_ns; /* its map for perf was last looked for, 0 = never */
	struct object_ref perf_map;
	struct maps maps;
};

struct procs {
	struct table by_tgid; /* to struct proc_maps * */
	size_t max, max_bytes, bytes;
	uint64_t reread_ns;
	uint64_t clock;
	uint64_t evicted, cut;
};

void procs_init(struct procs *p, size_t max, size_t max_bytes, uint64_t reread_ns);
void procs_release(struct procs *p);
/* The process, its mappings read if they never were; NULL: no memory. Valid until the next call. */
struct proc_maps *procs_get(struct procs *p, uint32_t tgid);
/* Reads the mappings again unless that was just done; returns whether it did. */
bool procs_reread(struct procs *p, struct proc_maps *proc);
void procs_forget(struct procs *p, uint32_t tgid);
uint64_t procs_now_ns(void);
#endif
