// SPDX-License-Identifier: GPL-2.0-only
#include "sym/objects.h"

#include <string.h>
#include <unistd.h>

#include "sym/debug_file.h"
#include "sym/elf_syms.h"
#include "sym/perf_map.h"

enum { NS_PER_S = 1000000000 };

void objects_init(struct objects *o, size_t max, size_t max_bytes, const char *debug_dir)
{
	memset(o, 0, sizeof(*o));
	o->max = max && max < OBJECTS_MAX ? max : OBJECTS_MAX;
	o->max_bytes = max_bytes;
	o->debug_dir = debug_dir;
}

static void drop(struct objects *o, struct object *b)
{
	o->bytes -= sym_table_bytes(&b->syms);
	o->n--;
	sym_table_release(&b->syms);
	b->serial = 0;
}

void objects_release(struct objects *o)
{
	for (size_t i = 0; i < o->max; i++)
		if (o->v[i].serial)
			drop(o, &o->v[i]);
}

struct object *objects_get(struct objects *o, struct object_ref ref)
{
	struct object *b = &o->v[ref.slot];

	if (!ref.serial || ref.slot >= o->max || b->serial != ref.serial)
		return NULL;
	b->used = ++o->clock;
	return b;
}

static struct object_ref ref_of(struct objects *o, struct object *b)
{
	b->used = ++o->clock;
	return (struct object_ref){ (uint32_t)(b - o->v), b->serial };
}

struct object_ref objects_of_map(struct objects *o, const struct map *map)
{
	for (size_t i = 0; i < o->max; i++) {
		struct object *b = &o->v[i];

		if (b->serial && b->map_ino == map->ino && b->map_dev == map->dev && map->ino)
			return ref_of(o, b);
	}
	return (struct object_ref){ 0 };
}

static bool id_of_fd(int fd, struct object_id *id)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	*id = (struct object_id){ st.st_dev, st.st_ino, (uint64_t)st.st_size,
				  st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec };
	return true;
}

/* The object of a file; one of its earlier content is dropped. */
static struct object *find(struct objects *o, const struct object_id *id)
{
	for (size_t i = 0; i < o->max; i++) {
		struct object *b = &o->v[i];

		if (!b->serial || b->id.dev != id->dev || b->id.ino != id->ino)
			continue;
		if (b->id.size == id->size && b->id.mtime_ns == id->mtime_ns)
			return b;
		drop(o, b);
	}
	return NULL;
}

static struct object *least_used(struct objects *o, const struct object *but)
{
	struct object *least = NULL;

	for (size_t i = 0; i < o->max; i++) {
		struct object *b = &o->v[i];

		if (b->serial && b != but && (!least || b->used < least->used))
			least = b;
	}
	return least;
}

static struct object *slot(struct objects *o)
{
	if (o->n == o->max) {
		drop(o, least_used(o, NULL));
		o->evicted++;
	}
	for (size_t i = 0; i < o->max; i++)
		if (!o->v[i].serial)
			return &o->v[i];
	return NULL; /* not reached: n < max */
}

/* Takes a filled table over into the cache. */
static struct object_ref add(struct objects *o, const struct object *filled)
{
	struct object *b = slot(o), *least;

	*b = *filled;
	/* 0 means free, also after it went round */
	b->serial = ++o->last_serial ? o->last_serial : ++o->last_serial;
	o->n++;
	o->bytes += sym_table_bytes(&b->syms);
	o->cut += b->syms.cut;
	while (o->bytes > o->max_bytes && (least = least_used(o, b))) {
		drop(o, least);
		o->evicted++;
	}
	if (o->bytes > o->max_bytes) { /* larger than all that may be kept */
		o->bytes -= sym_table_bytes(&b->syms);
		sym_table_release(&b->syms);
		b->syms.cut = true;
		o->cut++;
	}
	return ref_of(o, b);
}

static bool fill_elf(struct object *b, const struct elf_file *f)
{
	memcpy(b->loads, f->loads, sizeof(b->loads));
	b->n_loads = f->n_loads;
	if (f->symtab.size)
		elf_syms_add(&b->syms, f, &f->symtab);
	if (f->dynsym.size)
		elf_syms_add(&b->syms, f, &f->dynsym);
	return !sym_table_finish(&b->syms);
}

struct object_ref objects_read_elf(struct objects *o, int fd, uint32_t tgid, const char *path,
				   const struct map *map)
{
	struct object b = { .map_dev = map->dev, .map_ino = map->ino }, *known;
	struct elf_file f, debug;
	struct elf_input in;

	if (!id_of_fd(fd, &b.id) || elf_input_of_fd(&in, fd))
		return (struct object_ref){ 0 };
	known = find(o, &b.id);
	if (known)
		return ref_of(o, known);
	if (elf_file_read(&f, &in))
		return add(o, &b);
	if (!f.symtab.size) {
		int debug_fd = debug_file_open(&f, tgid, path, o->debug_dir, &debug);

		if (debug_fd >= 0) {
			elf_syms_add(&b.syms, &debug, &debug.symtab);
			close(debug_fd);
		}
	}
	if (!fill_elf(&b, &f))
		return (struct object_ref){ 0 };
	return add(o, &b);
}

struct object_ref objects_read_memory(struct objects *o, const void *mem, size_t size)
{
	struct elf_input in = { .fd = -1, .mem = mem, .size = size };
	struct object b = { 0 };
	struct elf_file f;

	if (!elf_file_read(&f, &in) && !fill_elf(&b, &f))
		return (struct object_ref){ 0 };
	return add(o, &b);
}

struct object_ref objects_read_perf_map(struct objects *o, int fd)
{
	struct object b = { 0 }, *known;

	if (!id_of_fd(fd, &b.id))
		return (struct object_ref){ 0 };
	known = find(o, &b.id);
	if (known)
		return ref_of(o, known);
	if (perf_map_read(&b.syms, fd)) {
		sym_table_release(&b.syms);
		return (struct object_ref){ 0 };
	}
	return add(o, &b);
}
