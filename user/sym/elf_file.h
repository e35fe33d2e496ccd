/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What symbols need of an ELF file (32 and 64 bits, this machine's byte order): where its code
 * lies, its tables of symbols, its build id and its debug link.
 *
 * The files are those of observed processes, so anything may be in them, and they may change
 * while they are read. That is why they are read piece by piece into buffers of fixed size and
 * not mapped (a file cut short would end us with SIGBUS), and why no size in them decides how
 * much is allocated.
 */
#ifndef TARDY_SYM_ELF_FILE_H
#define TARDY_SYM_ELF_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ELF_LOADS_MAX = 16, /* executable segments; further ones are ignored */
	ELF_TEXTS_MAX = 64, /* executable sections; the same */
	ELF_BUILD_ID_MAX = 32,
	ELF_LINK_MAX = 128, /* bytes of a debug link's file name with its NUL */
};

/* Bytes of a file, or of memory when fd is -1. Borrowed. */
struct elf_input {
	int fd;
	const void *mem;
	uint64_t size;
};

struct elf_range {
	uint64_t off, size, vaddr; /* off: in the file */
};

/* A table of symbols with its table of strings; size 0: there is none. */
struct elf_symbols {
	uint64_t off, size, names_off, names_size;
};

struct elf_file {
	struct elf_input in;
	bool is32;
	uint32_t n_loads, n_texts;
	struct elf_range loads[ELF_LOADS_MAX]; /* executable segments */
	struct elf_range texts[ELF_TEXTS_MAX]; /* executable sections */
	struct elf_symbols symtab, dynsym;
	uint8_t build_id[ELF_BUILD_ID_MAX];
	uint32_t build_id_len; /* 0 = none */
	char link[ELF_LINK_MAX]; /* a file name without a folder, "" = none */
	uint32_t link_crc;
};

/* Reads exactly len bytes at off: 0, or -EIO when they are not all there. */
int elf_input_read(const struct elf_input *in, uint64_t off, void *buf, size_t len);
/* An input of an open regular file: 0 or negative errno. */
int elf_input_of_fd(struct elf_input *in, int fd);
/* 0; -ENOEXEC: not an ELF file of this machine's byte order; -EIO: its headers are not whole.
 * What is damaged beyond the headers is left out. */
int elf_file_read(struct elf_file *f, const struct elf_input *in);
/* The address for which the byte at off was linked; false: no code is there. */
bool elf_loads_vaddr(const struct elf_range *loads, uint32_t n, uint64_t off, uint64_t *vaddr);
#endif
