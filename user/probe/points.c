/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * USDT points are ELF notes (".note.stapsdt", owner "stapsdt", type 3: location, base, semaphore
 * as three addresses, then provider, name and arguments as strings). libbpf would attach them
 * too, but only to programs of a type of their own with maps of their own; all that is needed
 * here is the offset and the semaphore. Functions are left to libbpf.
 */
#include "probe/points.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A point that the compiler has inlined or cloned has several locations. */
struct usdt {
	size_t n;
	uint64_t offset[POINT_LINKS_MAX], semaphore_offset; /* in the file; 0 = none */
};

/* File offset of an address: by the program header that maps it. */
static uint64_t file_offset(Elf *elf, uint64_t addr)
{
	GElf_Phdr ph;
	size_t n;

	if (elf_getphdrnum(elf, &n))
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_LOAD)
			continue;
		if (addr >= ph.p_vaddr && addr < ph.p_vaddr + ph.p_memsz)
			return addr - ph.p_vaddr + ph.p_offset;
	}
	return 0;
}

static uint64_t section_addr(Elf *elf, const char *want)
{
	size_t names;
	Elf_Scn *s = NULL;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(elf, &names))
		return 0;
	while ((s = elf_nextscn(elf, s))) {
		const char *name;

		if (!gelf_getshdr(s, &sh))
			continue;
		name = elf_strptr(elf, names, sh.sh_name);
		if (name && strcmp(name, want) == 0)
			return sh.sh_addr;
	}
	return 0;
}

/* One note's body: adds its location if it is the wanted point. Prelink moves .stapsdt.base; the difference to the
 * recorded base corrects the addresses. */
static void note_add(Elf *elf, const char *d, size_t len, const char *provider, const char *name,
		     struct usdt *out)
{
	uint64_t addr[3], base;
	const char *s = d + sizeof(addr), *end = d + len;
	size_t plen;

	if (len < sizeof(addr) + 2)
		return;
	memcpy(addr, d, sizeof(addr));
	plen = strnlen(s, (size_t)(end - s));
	if (s + plen + 1 >= end || strcmp(s, provider) != 0)
		return;
	s += plen + 1;
	if (strnlen(s, (size_t)(end - s)) == (size_t)(end - s) || strcmp(s, name) != 0)
		return;
	base = section_addr(elf, ".stapsdt.base");
	if (base) {
		addr[0] += base - addr[1];
		if (addr[2])
			addr[2] += base - addr[1];
	}
	addr[0] = file_offset(elf, addr[0]);
	if (!addr[0] || out->n == POINT_LINKS_MAX)
		return;
	out->offset[out->n++] = addr[0];
	out->semaphore_offset = addr[2] ? file_offset(elf, addr[2]) : 0;
}

static int usdt_find_in(Elf *elf, const char *provider, const char *name, struct usdt *out)
{
	Elf_Scn *s = NULL;
	GElf_Shdr sh;
	GElf_Nhdr nh;
	size_t at, name_at, desc_at;

	while ((s = elf_nextscn(elf, s))) {
		Elf_Data *d;

		if (!gelf_getshdr(s, &sh) || sh.sh_type != SHT_NOTE)
			continue;
		d = elf_getdata(s, NULL);
		for (at = 0; d && (at = gelf_getnote(d, at, &nh, &name_at, &desc_at)) > 0;) {
			const char *buf = d->d_buf;

			if (nh.n_type != 3 || nh.n_namesz != 8 ||
			    memcmp(buf + name_at, "stapsdt", 8) != 0)
				continue;
			note_add(elf, buf + desc_at, nh.n_descsz, provider, name, out);
		}
	}
	return out->n ? 0 : -ENOENT;
}

static int usdt_find(const char *binary, const char *provider, const char *name, struct usdt *out)
{
	int fd = open(binary, O_RDONLY | O_CLOEXEC), err;
	Elf *elf;

	if (fd < 0)
		return -errno;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	err = elf && gelf_getclass(elf) == ELFCLASS64 ? usdt_find_in(elf, provider, name, out) :
							-ENOEXEC;
	elf_end(elf);
	close(fd);
	return err;
}

static int attach_usdt(const struct bpf_program *prog, char *args, uint32_t label,
		       struct bpf_link **links)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts);
	struct usdt usdt = { 0 };
	char *provider, *name;
	int err;

	name = strrchr(args, ':');
	if (!name || name == args)
		return -EINVAL;
	*name++ = 0;
	provider = strrchr(args, ':');
	if (!provider || provider == args)
		return -EINVAL;
	*provider++ = 0;
	err = usdt_find(args, provider, name, &usdt);
	opts.bpf_cookie = label;
	opts.ref_ctr_offset = usdt.semaphore_offset;
	for (size_t i = 0; !err && i < usdt.n; i++) {
		links[i] = bpf_program__attach_uprobe_opts(prog, -1, args, usdt.offset[i], &opts);
		if (!links[i])
			err = -errno;
	}
	return err;
}

static int attach_uprobe(const struct bpf_program *prog, char *args, uint32_t label,
			 struct bpf_link **link)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts);
	char *function = strrchr(args, ':');

	if (!function || function == args || !function[1])
		return -EINVAL;
	*function++ = 0;
	opts.bpf_cookie = label;
	opts.func_name = function;
	*link = bpf_program__attach_uprobe_opts(prog, -1, args, 0, &opts);
	return *link ? 0 : -errno;
}

int point_attach(const struct bpf_program *prog, const char *spec, uint32_t label,
		 struct bpf_link **links)
{
	char args[512];
	bool usdt = strncmp(spec, "usdt:", 5) == 0;

	if (!usdt && strncmp(spec, "uprobe:", 7) != 0)
		return -EINVAL;
	if ((size_t)snprintf(args, sizeof(args), "%s", strchr(spec, ':') + 1) >= sizeof(args))
		return -EINVAL;
	return usdt ? attach_usdt(prog, args, label, links) :
		      attach_uprobe(prog, args, label, links);
}
