/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which servers were observed, in which versions, as far as that can be told without running
 * anything: by the package that owns the executable's path in dpkg's database, and by the build
 * id in the executable. Executables are named by their base names; command lines, environments
 * and paths stay out. One thread.
 */
#ifndef TARDY_PROBE_SERVERFACTS_H
#define TARDY_PROBE_SERVERFACTS_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "bpf/abi.h"

enum {
	SERVERFACTS_MAX = 64, /* executables; further ones are counted */
	SERVERFACTS_PIDS = 8, /* the latest of each, one of which has to live at the end */
	SERVERFACTS_BUILD_ID = 32, /* bytes */
};

struct serverfact {
	char exe[ABI_NAME];
	uint32_t processes;
	uint32_t pids[SERVERFACTS_PIDS];
};

struct serverfacts {
	struct serverfact v[SERVERFACTS_MAX];
	size_t n;
	uint32_t dropped; /* processes of others */
};

/* Notes a process. */
void serverfacts_add(struct serverfacts *s, const struct rec_proc *r);
/* Writes NDJSON, schema tardy.servers/1.0. root: what stands before /proc and /var, "" for the
 * host's own. What cannot be told is null. 0 or negative errno of the first failed write. */
int serverfacts_write(FILE *out, const struct serverfacts *s, const char *root);
/* The GNU build id of an ELF file that anybody may have made: its length, 0 = none. */
size_t serverfacts_build_id(int fd, uint8_t id[SERVERFACTS_BUILD_ID]);
#endif
