/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files with functions in them, each read once however many processes have it mapped: ELF files
 * with their debug files, and the maps that runtimes write for perf. The least recently used go
 * when there are too many or when they take too many bytes.
 */
#ifndef TARDY_SYM_OBJECTS_H
#define TARDY_SYM_OBJECTS_H
#include <sys/stat.h>
#include "sym/elf_file.h"
#include "sym/maps.h"
#include "sym/sym_table.h"

enum { OBJECTS_MAX = 512 };

/* The same file with the same content. */
struct object_id {
	uint64_t dev, ino, size;
	int64_t mtime_ns;
};

struct object {
	struct object_id id;
	uint64_t map_dev, map_ino; /* as /proc/PID/maps writes it, for ended processes */
	struct sym_table syms;
	struct elf_range loads[ELF_LOADS_MAX]; /* none: not an ELF file, or one without code */
	uint32_t n_loads;
	uint32_t serial; /* 0 = free */
	uint64_t used; /* clock of the last use */
};

struct objects {
	struct object v[OBJECTS_MAX];
	const char *debug_dir;
	size_t max, max_bytes;
	size_t n, bytes;
	uint64_t clock;
	uint32_t last_serial;
	uint64_t evicted, cut; /* objects; objects that are not in memory whole */
};

/* max objects (at most OBJECTS_MAX) of max_bytes; debug_dir is borrowed. */
void objects_init(struct objects *o, size_t max, size_t max_bytes, const char *debug_dir);
void objects_release(struct objects *o);
/* The object, or NULL when it has gone since. Valid until the next objects_read_*(). */
struct object *objects_get(struct objects *o, struct object_ref ref);
/* The one of a file that can no longer be opened, by what its mapping says. */
struct object_ref objects_of_map(struct objects *o, const struct map *map);
/* The object of an open file, read now if it was not known; the caller closes fd. path: as
 * process tgid sees it. serial 0: there is no memory, or fd is no regular file. A file without
 * functions is an object, too. */
struct object_ref objects_read_elf(struct objects *o, int fd, uint32_t tgid, const char *path,
				   const struct map *map);
struct object_ref objects_read_perf_map(struct objects *o, int fd);
/* An ELF file in memory, which need not stay. */
struct object_ref objects_read_memory(struct objects *o, const void *mem, size_t size);
#endif
