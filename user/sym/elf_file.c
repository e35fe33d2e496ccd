// SPDX-License-Identifier: GPL-2.0-only
#include "sym/elf_file.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SEGMENTS_MAX = 128,
	SECTIONS_MAX = 65536,
	NOTES_BYTES_MAX = 1024, /* read of one section of notes */
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OUR_BYTE_ORDER ELFDATA2LSB
#else
#define OUR_BYTE_ORDER ELFDATA2MSB
#endif

/* The wider form of either class. */
struct header {
	uint64_t phoff, shoff;
	uint32_t phnum, shnum, shstrndx;
};

struct section {
	uint64_t flags, addr, off, size;
	uint32_t name, type, link;
};

int elf_input_read(const struct elf_input *in, uint64_t off, void *buf, size_t len)
{
	size_t done = 0;

	if (off > in->size || len > in->size - off)
		return -EIO;
	if (in->fd < 0) {
		if (len)
			memcpy(buf, (const char *)in->mem + off, len);
		return 0;
	}
	while (done < len) {
		ssize_t n = pread(in->fd, (char *)buf + done, len - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

int elf_input_of_fd(struct elf_input *in, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*in = (struct elf_input){ .fd = fd, .size = st.st_size > 0 ? (uint64_t)st.st_size : 0 };
	return 0;
}

/* ---- headers ----------------------------------------------------------------------------- */

#define TAKE_HEADER(e) \
	((struct header){ .phoff = (e)->e_phoff, \
			  .shoff = (e)->e_shoff, \
			  .phnum = (e)->e_phnum, \
			  .shnum = (e)->e_shnum, \
			  .shstrndx = (e)->e_shstrndx })
#define TAKE_SECTION(s) \
	((struct section){ .flags = (s)->sh_flags, \
			   .addr = (s)->sh_addr, \
			   .off = (s)->sh_offset, \
			   .size = (s)->sh_size, \
			   .name = (s)->sh_name, \
			   .type = (s)->sh_type, \
			   .link = (s)->sh_link })

static int header_read(struct elf_file *f, struct header *h)
{
	unsigned char ident[EI_NIDENT];
	union {
		Elf64_Ehdr e64;
		Elf32_Ehdr e32;
	} e;

	if (elf_input_read(&f->in, 0, ident, sizeof(ident)) || memcmp(ident, ELFMAG, SELFMAG) ||
	    ident[EI_DATA] != OUR_BYTE_ORDER ||
	    (ident[EI_CLASS] != ELFCLASS64 && ident[EI_CLASS] != ELFCLASS32))
		return -ENOEXEC;
	f->is32 = ident[EI_CLASS] == ELFCLASS32;
	if (elf_input_read(&f->in, 0, &e, f->is32 ? sizeof(e.e32) : sizeof(e.e64)))
		return -EIO;
	*h = f->is32 ? TAKE_HEADER(&e.e32) : TAKE_HEADER(&e.e64);
	if (h->phnum && (f->is32 ? e.e32.e_phentsize != sizeof(Elf32_Phdr) :
				   e.e64.e_phentsize != sizeof(Elf64_Phdr)))
		return -EIO;
	if (h->shoff && (f->is32 ? e.e32.e_shentsize != sizeof(Elf32_Shdr) :
				   e.e64.e_shentsize != sizeof(Elf64_Shdr)))
		h->shoff = 0;
	return 0;
}

static int segments_read(struct elf_file *f, const struct header *h)
{
	for (uint32_t i = 0; i < h->phnum && i < SEGMENTS_MAX && f->n_loads < ELF_LOADS_MAX; i++) {
		union {
			Elf64_Phdr p64;
			Elf32_Phdr p32;
		} p;
		size_t size = f->is32 ? sizeof(p.p32) : sizeof(p.p64);
		struct elf_range r;

		if (elf_input_read(&f->in, h->phoff + i * size, &p, size))
			return -EIO;
		if (f->is32 ? p.p32.p_type != PT_LOAD || !(p.p32.p_flags & PF_X) :
			      p.p64.p_type != PT_LOAD || !(p.p64.p_flags & PF_X))
			continue;
		r = f->is32 ? (struct elf_range){ p.p32.p_offset, p.p32.p_filesz, p.p32.p_vaddr } :
			      (struct elf_range){ p.p64.p_offset, p.p64.p_filesz, p.p64.p_vaddr };
		f->loads[f->n_loads++] = r;
	}
	return 0;
}

static int section_read(const struct elf_file *f, const struct header *h, uint32_t i,
			struct section *out)
{
	union {
		Elf64_Shdr s64;
		Elf32_Shdr s32;
	} s;
	size_t size = f->is32 ? sizeof(s.s32) : sizeof(s.s64);
	int err = i < h->shnum ? elf_input_read(&f->in, h->shoff + i * size, &s, size) : -EIO;

	if (!err)
		*out = f->is32 ? TAKE_SECTION(&s.s32) : TAKE_SECTION(&s.s64);
	return err;
}

/* ---- what sections hold ------------------------------------------------------------------ */

/* The build id among the notes of a section: name size, size, type, name, content, each padded
 * to four bytes. */
static void notes_read(struct elf_file *f, const struct section *s)
{
	_Alignas(4) unsigned char bytes[NOTES_BYTES_MAX];
	size_t len = s->size < sizeof(bytes) ? (size_t)s->size : sizeof(bytes), at = 0;

	if (f->build_id_len || elf_input_read(&f->in, s->off, bytes, len))
		return;
	while (len - at >= 12) {
		uint32_t field[3]; /* name size, size, type */
		size_t name_at = at + 12, name_room, desc_at;

		memcpy(field, bytes + at, sizeof(field));
		if (field[0] > len || field[1] > len)
			return;
		name_room = (field[0] + 3u) & ~3u;
		desc_at = name_at + name_room;
		if (desc_at > len || field[1] > len - desc_at)
			return;
		if (field[2] == NT_GNU_BUILD_ID && field[0] == 4 &&
		    !memcmp(bytes + name_at, "GNU", 4) && field[1] >= 2 &&
		    field[1] <= ELF_BUILD_ID_MAX) {
			memcpy(f->build_id, bytes + desc_at, field[1]);
			f->build_id_len = field[1];
			return;
		}
		at = desc_at + ((field[1] + 3u) & ~3u);
		if (at > len)
			return;
	}
}

/* A file name, padding to four bytes, the checksum of that file. */
static void link_read(struct elf_file *f, const struct section *s)
{
	char bytes[ELF_LINK_MAX + 8] = "";
	size_t len = s->size < sizeof(bytes) ? (size_t)s->size : sizeof(bytes), name_len, crc_at;

	if (elf_input_read(&f->in, s->off, bytes, len))
		return;
	name_len = strnlen(bytes, len);
	crc_at = (name_len + 4) & ~(size_t)3;
	/* The name comes to be part of a path: it must be the name of a file and nothing else. */
	if (!name_len || name_len >= ELF_LINK_MAX || crc_at + 4 > len ||
	    memchr(bytes, '/', name_len) || !strcmp(bytes, ".") || !strcmp(bytes, ".."))
		return;
	memcpy(f->link, bytes, name_len + 1);
	memcpy(&f->link_crc, bytes + crc_at, sizeof(f->link_crc));
}

static void symbols_read(struct elf_file *f, const struct header *h, const struct section *s,
			 struct elf_symbols *out)
{
	struct section names;

	if (section_read(f, h, s->link, &names) || names.type != SHT_STRTAB)
		return;
	*out = (struct elf_symbols){ s->off, s->size, names.off, names.size };
}

static void section_use(struct elf_file *f, const struct header *h, const struct section *s,
			const struct section *names)
{
	static const char debug_link[] = ".gnu_debuglink";
	char name[sizeof(debug_link)];

	if (s->type == SHT_SYMTAB)
		symbols_read(f, h, s, &f->symtab);
	else if (s->type == SHT_DYNSYM)
		symbols_read(f, h, s, &f->dynsym);
	else if (s->type == SHT_NOTE)
		notes_read(f, s);
	if ((s->flags & SHF_EXECINSTR) && (s->flags & SHF_ALLOC) && f->n_texts < ELF_TEXTS_MAX)
		f->texts[f->n_texts++] = (struct elf_range){ s->off, s->size, s->addr };
	/* Names are looked at only where the type does not say what it is. */
	if (s->type == SHT_PROGBITS && !(s->flags & SHF_ALLOC) && s->name < names->size &&
	    !elf_input_read(&f->in, names->off + s->name, name, sizeof(name)) &&
	    !memcmp(name, debug_link, sizeof(name)))
		link_read(f, s);
}

static void sections_read(struct elf_file *f, struct header *h)
{
	struct section s, names = { 0 };

	if (!h->shoff)
		return;
	if (!h->shnum) { /* more than the field can say: it is in the first section's size */
		h->shnum = 1;
		if (section_read(f, h, 0, &s))
			return;
		h->shnum = s.size < SECTIONS_MAX ? (uint32_t)s.size : SECTIONS_MAX;
		if (h->shstrndx == SHN_XINDEX)
			h->shstrndx = s.link;
	}
	if (section_read(f, h, h->shstrndx, &names))
		names.size = 0;
	for (uint32_t i = 1; i < h->shnum; i++) {
		if (section_read(f, h, i, &s))
			return;
		section_use(f, h, &s, &names);
	}
}

int elf_file_read(struct elf_file *f, const struct elf_input *in)
{
	struct header h;
	int err;

	memset(f, 0, sizeof(*f));
	f->in = *in;
	err = header_read(f, &h);
	if (!err)
		err = segments_read(f, &h);
	if (!err)
		sections_read(f, &h);
	return err;
}

bool elf_loads_vaddr(const struct elf_range *loads, uint32_t n, uint64_t off, uint64_t *vaddr)
{
	for (uint32_t i = 0; i < n; i++) {
		if (off < loads[i].off || off - loads[i].off >= loads[i].size)
			continue;
		*vaddr = off - loads[i].off + loads[i].vaddr;
		return true;
	}
	return false;
}
