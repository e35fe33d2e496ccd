// SPDX-License-Identifier: GPL-2.0-only
#include "sym/resolve.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "sym/debug_file.h"
#include "sym/kernel_syms.h"
#include "sym/objects.h"
#include "sym/perf_map.h"
#include "sym/proc_file.h"
#include "sym/proc_maps.h"
#include "sym/sym_name.h"

static const uint64_t REREAD_NS = 1000000000;
static const uint64_t KERNEL_REREAD_NS = 60000000000; /* modules and BPF programs come later */

struct resolver {
	struct objects objects;
	struct procs procs;
	const char *kallsyms;
	struct sym_table kernel;
	uint64_t kernel_ns; /* its functions were last read, 0 = never */
	bool kernel_hidden; /* and will stay so */
	struct object_ref vdso;
	uint64_t vdso_size; /* 0 = not read */
	uint64_t unreadable, kernel_cut;
};

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
	return value ? value : otherwise;
}

struct resolver *resolver_new(const struct resolve_opts *opts)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	objects_init(&r->objects, opts->max_objects,
		     or_default(opts->cache_bytes, RESOLVE_CACHE_BYTES),
		     opts->debug_dir ? opts->debug_dir : DEBUG_FILE_DIR);
	procs_init(&r->procs, or_default(opts->max_procs, RESOLVE_PROCS_MAX),
		   or_default(opts->maps_bytes, RESOLVE_MAPS_BYTES),
		   or_default(opts->reread_ns, REREAD_NS),
		   or_default(opts->read_per_s, RESOLVE_READ_PER_S));
	r->kallsyms = opts->kallsyms ? opts->kallsyms : KERNEL_SYMS_PATH;
	return r;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	objects_release(&r->objects);
	procs_release(&r->procs);
	sym_table_release(&r->kernel);
	free(r);
}

void resolver_forget(struct resolver *r, uint32_t tgid)
{
	if (tgid)
		procs_forget(&r->procs, tgid);
	else
		procs_release(&r->procs);
}

struct resolve_stats resolver_stats(const struct resolver *r)
{
	return (struct resolve_stats){
		.unreadable = r->unreadable,
		.cut = r->objects.cut + r->procs.cut + r->kernel_cut,
		.put_off = r->procs.budget.put_off,
		.evicted = r->objects.evicted + r->procs.evicted,
		.objects = r->objects.n,
		.procs = r->procs.by_tgid.n,
		.bytes = r->objects.bytes + r->procs.bytes + sym_table_bytes(&r->kernel),
	};
}

/* ---- texts ------------------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void set_module(struct resolved *out, const char *path)
{
	static const char deleted[] = " (deleted)";
	struct slice name = slice_of(base_name(path));
	size_t n = sizeof(deleted) - 1;

	if (name.len > n && !memcmp(name.ptr + name.len - n, deleted, n))
		name.len -= n;
	sym_name_clean(out->module, sizeof(out->module), name);
}

/* "[libc.so.6+0x12345]"; what has brackets already gets no more. */
static void set_unknown(struct resolved *out, uint64_t offset)
{
	size_t len = strlen(out->module);
	bool bare = len > 2 && out->module[0] == '[' && out->module[len - 1] == ']';

	out->flags |= SYM_UNKNOWN;
	snprintf(out->text, sizeof(out->text), "[%.*s+0x%" PRIx64 "]", (int)(bare ? len - 2 : len),
		 out->module + bare, offset);
}

static void set_plain(struct resolved *out, uint32_t flags, const char *text)
{
	out->flags |= flags;
	snprintf(out->text, sizeof(out->text), "%s", text);
}

static bool set_function(struct resolved *out, const struct object *b, uint64_t addr)
{
	const struct sym *s = sym_table_find(&b->syms, addr);

	return s && sym_name_show(out->text, sizeof(out->text), sym_table_text(&b->syms, s));
}

/* ---- the kernel -------------------------------------------------------------------------- */

static void read_kernel(struct resolver *r)
{
	uint64_t now = procs_now_ns();
	int err;

	if (r->kernel_hidden || (r->kernel_ns && now - r->kernel_ns < KERNEL_REREAD_NS))
		return;
	r->kernel_ns = now;
	sym_table_release(&r->kernel);
	err = kernel_syms_read(&r->kernel, r->kallsyms);
	r->kernel_hidden = err == -EPERM;
	r->unreadable += err != 0;
	r->kernel_cut += r->kernel.cut;
}

static void resolve_kernel(struct resolver *r, uint64_t addr, struct resolved *out)
{
	struct kernel_function f;
	bool found = kernel_syms_find(&r->kernel, addr, &f);

	out->flags = SYM_KERNEL;
	if (!found) {
		read_kernel(r);
		found = kernel_syms_find(&r->kernel, addr, &f);
	}
	if (!found) {
		set_plain(out, SYM_UNKNOWN, "[kernel]");
		return;
	}
	sym_name_clean(out->module, sizeof(out->module), f.module);
	sym_name_clean(out->text, sizeof(out->text), f.name);
}

/* ---- processes --------------------------------------------------------------------------- */

static bool has_inode(int fd, uint64_t ino)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && st.st_ino == ino;
}

/*
 * The file of a mapping. The mapping itself leads to it whatever its name is now; where that is
 * not allowed, by name as the process sees it, as its program, by name as we see it (the process
 * has ended, or its root is not that of its mount namespace). Only a file with the inode that is
 * mapped counts: the name may belong to a newer version by now.
 */
static int open_mapped(const struct proc_maps *proc, const struct map *map)
{
	const char *path = maps_name(&proc->maps, map);

	for (int way = 0; way < 4; way++) {
		int fd = way == 0 ? proc_file_open_mapped(proc->tgid, map->start, map->end) :
			 way == 1 ? proc_file_open(proc->tgid, path) :
			 way == 2 ? proc_file_open_exe(proc->tgid) :
				    proc_file_open(0, path);

		if (way == 0 ? fd >= 0 : has_inode(fd, map->ino))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static struct object *file_object(struct resolver *r, struct proc_maps *proc, struct map *map)
{
	struct object *b = objects_get(&r->objects, map->object);
	int fd;

	if (b || map->tried)
		return b;
	fd = open_mapped(proc, map);
	if (fd >= 0) {
		map->object = objects_read_elf(&r->objects, fd, proc->tgid,
					       maps_name(&proc->maps, map), map);
		close(fd);
	} else {
		map->object = objects_of_map(&r->objects, map);
	}
	b = objects_get(&r->objects, map->object);
	if (!b) {
		map->tried = true;
		r->unreadable++;
	}
	return b;
}

/* The file is the process's own word: it counts only when it, or root, has written it. */
static int open_perf_map(const struct proc_maps *proc, uint64_t *bytes)
{
	struct stat st;
	char path[48];
	int fd;

	*bytes = 0;
	snprintf(path, sizeof(path), "/tmp/perf-%" PRIu32 ".map", proc->ns_tgid);
	fd = proc->ns_tgid ? proc_file_open(proc->tgid, path) : -1;
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || (st.st_uid && st.st_uid != proc->uid)) {
		close(fd);
		return -1;
	}
	*bytes = (uint64_t)st.st_size < PERF_MAP_BYTES_MAX ? (uint64_t)st.st_size :
							     PERF_MAP_BYTES_MAX;
	return fd;
}

/* Looks at it again, unless that was just done or has to wait. */
static void read_perf_map(struct resolver *r, struct proc_maps *proc)
{
	uint64_t now = procs_now_ns(), bytes;
	struct object_ref ref;
	int fd;

	if (read_just_done(&proc->perf_turn, r->procs.reread_ns, now))
		return;
	fd = open_perf_map(proc, &bytes);
	if (fd >= 0 && !read_may(&r->procs.budget, &proc->perf_turn, bytes, now)) {
		close(fd);
		return;
	}
	if (fd >= 0) {
		ref = objects_read_perf_map(&r->objects, fd);
		close(fd);
		if (ref.serial == proc->perf_map.serial) /* unchanged, or not readable */
			bytes = 0;
		else if (ref.serial)
			proc->perf_map = ref;
	}
	read_done(&r->procs.budget, &proc->perf_turn, bytes, now);
}

/* Code that the process made: it makes more all the time, so the file is looked at again when it
 * does not have an address. */
static void resolve_code(struct resolver *r, struct proc_maps *proc, uint64_t addr,
			 struct resolved *out)
{
	struct object *b = objects_get(&r->objects, proc->perf_map);

	if (b && set_function(out, b, addr))
		return;
	read_perf_map(r, proc);
	b = objects_get(&r->objects, proc->perf_map);
	if (b && set_function(out, b, addr))
		return;
	set_plain(out, SYM_UNKNOWN, "[jit]");
}

static void resolve_file(struct resolver *r, struct proc_maps *proc, struct map *map, uint64_t addr,
			 struct resolved *out)
{
	struct object *b = file_object(r, proc, map);
	uint64_t offset = addr - map->start + map->off, vaddr;

	/* shared memory of a just-in-time compiler has a name, too */
	if ((!b || !b->n_loads) && !strncmp(maps_name(&proc->maps, map), "/memfd:", 7)) {
		out->module[0] = '\0';
		resolve_code(r, proc, addr, out);
		return;
	}
	if (!b || !elf_loads_vaddr(b->loads, b->n_loads, offset, &vaddr))
		set_unknown(out, offset);
	else if (!set_function(out, b, vaddr))
		set_unknown(out, vaddr);
}

/* All processes have the vdso that we have, except those of another word size. */
static void read_vdso(struct resolver *r)
{
	const struct map *map;
	struct maps own = { 0 };
	uint64_t at = getauxval(AT_SYSINFO_EHDR);

	if (at && !maps_read(&own, (uint32_t)getpid())) {
		map = maps_find(&own, at);
		if (map && map->kind == MAPPED_VDSO && map->start == at) {
			r->vdso_size = map->end - map->start;
			r->vdso = objects_read_memory(&r->objects, (const void *)(uintptr_t)at,
						      r->vdso_size);
		}
	}
	maps_release(&own);
}

static void resolve_vdso(struct resolver *r, const struct map *map, uint64_t addr,
			 struct resolved *out)
{
	struct object *b = objects_get(&r->objects, r->vdso);
	uint64_t vaddr;

	if (!b) {
		read_vdso(r);
		b = objects_get(&r->objects, r->vdso);
	}
	if (!b || map->end - map->start != r->vdso_size ||
	    !elf_loads_vaddr(b->loads, b->n_loads, addr - map->start, &vaddr) ||
	    !set_function(out, b, vaddr))
		set_unknown(out, addr - map->start);
}

/* Where nothing is ever mapped: what a walk without frame pointers takes for an address. */
static bool is_nonsense(uint64_t addr)
{
	return addr < 0x10000 || addr >> 56;
}

static void resolve_process(struct resolver *r, uint32_t tgid, uint64_t addr, struct resolved *out)
{
	struct proc_maps *proc = procs_get(&r->procs, tgid);
	struct map *map = proc ? maps_find(&proc->maps, addr) : NULL;

	if (proc && !map && !is_nonsense(addr) && procs_reread(&r->procs, proc))
		map = maps_find(&proc->maps, addr);
	if (!map) {
		set_plain(out, SYM_UNKNOWN | SYM_NO_MAP, "[unknown]");
		return;
	}
	if (map->kind != MAPPED_CODE)
		set_module(out, maps_name(&proc->maps, map));
	if (map->kind == MAPPED_FILE)
		resolve_file(r, proc, map, addr, out);
	else if (map->kind == MAPPED_CODE)
		resolve_code(r, proc, addr, out);
	else if (map->kind == MAPPED_VDSO)
		resolve_vdso(r, map, addr, out);
	else
		set_unknown(out, addr - map->start);
}

void resolver_resolve(struct resolver *r, uint32_t tgid, uint64_t addr, bool after_call,
		      struct resolved *out)
{
	memset(out, 0, sizeof(*out));
	addr -= after_call && addr;
	if (tgid)
		resolve_process(r, tgid, addr, out);
	else
		resolve_kernel(r, addr, out);
}
