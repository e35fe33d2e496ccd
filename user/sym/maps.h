/* SPDX-License-Identifier: GPL-2.0-only */
/* Executable mappings of a process, from /proc/PID/maps. */
#ifndef TARDY_SYM_MAPS_H
#define TARDY_SYM_MAPS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"

enum {
	MAPS_MAX = 4096, /* executable mappings of a process */
	MAPS_NAMES_MAX = 1 << 20, /* bytes of their names */
};

enum map_kind {
	MAPPED_FILE,
	MAPPED_CODE, /* no file that has functions: code that the process made itself */
	MAPPED_VDSO,
	MAPPED_SPECIAL, /* "[vsyscall]", "[uprobes]" */
};

/* Which object it is was found out once; see sym/objects.h. */
struct object_ref {
	uint32_t slot, serial; /* serial 0 = not yet */
};

struct map {
	uint64_t start, end, off;
	uint64_t dev, ino; /* dev as in st_dev */
	uint32_t name; /* into names, "" if there is none */
	uint32_t kind; /* enum map_kind */
	struct object_ref object;
	bool tried; /* its file was looked for and could not be opened */
};

struct maps {
	struct map *v; /* by address */
	size_t n, cap;
	char *names;
	size_t names_len, cap_names;
	bool cut; /* there were more */
	uint64_t read_bytes; /* text that they were read from */
};

/* An empty struct maps is all zero. */
void maps_release(struct maps *m);
/* Adds the mapping that a line (without its end) describes if it is executable. 0, 1 when it is
 * not or does not fit, -EBADMSG. */
int maps_add_line(struct maps *m, struct slice line);
/* Replaces *m by the mappings of process tgid. 0, -ESRCH/-ENOENT when it has none (a kernel
 * thread, an ended process), or another negative errno; *m is unchanged then. */
int maps_read(struct maps *m, uint32_t tgid);
/* The mapping that addr lies in, or NULL. */
struct map *maps_find(const struct maps *m, uint64_t addr);
static inline const char *maps_name(const struct maps *m, const struct map *map)
{
	return m->names + map->name;
}
size_t maps_bytes(const struct maps *m);
#endif
