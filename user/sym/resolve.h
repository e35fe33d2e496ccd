/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses of processes and of the kernel to names of functions. Opens and reads files, so it
 * may take as long as a file system does; used from one thread (see sym/symbols.h for another).
 */
#ifndef TARDY_SYM_RESOLVE_H
#define TARDY_SYM_RESOLVE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bpf/abi.h"

enum {
	RESOLVE_PROCS_MAX = 1024, /* processes whose mappings are kept */
	RESOLVE_MAPS_BYTES = 4 << 20, /* of all of them */
	RESOLVE_READ_PER_S = 2 << 20, /* of mappings and maps for perf: some 4 % of a processor */
	RESOLVE_CACHE_BYTES = 32 << 20, /* functions of files, without the kernel's */
};

/* What is 0 or NULL has its default. */
struct resolve_opts {
	size_t max_objects, cache_bytes; /* files, bytes of their functions */
	size_t max_procs, maps_bytes;
	uint64_t reread_ns; /* mappings are read again after this time at the earliest: 1 s */
	uint64_t read_per_s; /* bytes of mappings and maps for perf, of all processes */
	const char *kallsyms; /* path; borrowed, as the next is */
	const char *debug_dir; /* folder of separate debug files */
};

struct resolved {
	uint32_t flags; /* enum sym_flag */
	char module[ABI_NAME];
	char text[ABI_SYM_TEXT]; /* never empty */
};

/* Since the beginning. */
struct resolve_stats {
	uint64_t unreadable; /* files that could not be opened, kernel symbols that are hidden */
	uint64_t cut; /* files or processes of which not all is kept: they have too much */
	uint64_t evicted; /* files and processes that made room for others */
	uint64_t
		put_off; /* times that mappings or maps for perf were not read for want of budget */
	size_t objects, procs, bytes; /* now; bytes: of all tables */
};

struct resolver;

/* NULL: no memory. Opens nothing yet. */
struct resolver *resolver_new(const struct resolve_opts *opts);
void resolver_free(struct resolver *r);
/* Names the function at addr of process tgid (0 = the kernel). after_call: addr is where a call
 * returns to, so the call, and the function that made it, end just before it. Mappings are read
 * at the first address of a process and kept when it has ended. */
void resolver_resolve(struct resolver *r, uint32_t tgid, uint64_t addr, bool after_call,
		      struct resolved *out);
/* Drops what is known of a process (0: of all): it runs another program, or its id is free. */
void resolver_forget(struct resolver *r, uint32_t tgid);
struct resolve_stats resolver_stats(const struct resolver *r);
#endif
