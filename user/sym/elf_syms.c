// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two passes, so that neither table is ever in memory whole: the symbols in pieces, of which
 * only functions are kept, then their names in the order of the file through one window.
 */
#include "sym/elf_syms.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>

enum {
	PIECE = 2048, /* symbols read at once */
	WINDOW_BYTES = 64 << 10, /* of names */
};
static const uint64_t SYMBOLS_READ_MAX = 1 << 22; /* of any kind, of one table */

struct piece {
	union {
		Elf64_Sym s64[PIECE];
		Elf32_Sym s32[PIECE];
	};
};

static uint64_t section_end(const struct elf_file *f, uint64_t addr)
{
	for (uint32_t i = 0; i < f->n_texts; i++)
		if (addr >= f->texts[i].vaddr && addr - f->texts[i].vaddr < f->texts[i].size)
			return f->texts[i].vaddr + f->texts[i].size;
	return addr;
}

static void symbol_add(struct sym_table *t, const struct elf_file *f, const Elf64_Sym *s)
{
	/* the same layout in both classes */
	unsigned type = ELF64_ST_TYPE(s->st_info), bind = ELF64_ST_BIND(s->st_info);
	uint32_t rank = bind == STB_LOCAL ? SYM_RANK_LOCAL : bind == STB_WEAK ? SYM_RANK_WEAK : 0;
	uint64_t size = s->st_size;

	/* Mapping symbols ($x, $d) and section symbols are of other types. */
	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || s->st_shndx == SHN_UNDEF)
		return;
	if (!size) {
		size = section_end(f, s->st_value) - s->st_value;
		rank += SYM_RANK_UNSIZED;
	}
	if (size)
		sym_table_add(t, s->st_value, size, rank, s->st_name);
}

static Elf64_Sym widened(const Elf32_Sym *s)
{
	return (Elf64_Sym){ .st_name = s->st_name,
			    .st_info = s->st_info,
			    .st_other = s->st_other,
			    .st_shndx = s->st_shndx,
			    .st_value = s->st_value,
			    .st_size = s->st_size };
}

static int functions_add(struct sym_table *t, const struct elf_file *f,
			 const struct elf_symbols *from, struct piece *piece)
{
	size_t entry = f->is32 ? sizeof(Elf32_Sym) : sizeof(Elf64_Sym);
	uint64_t total = from->size / entry;
	bool more = total > SYMBOLS_READ_MAX;

	if (more)
		total = SYMBOLS_READ_MAX;
	for (uint64_t at = 0; at < total && !t->cut; at += PIECE) {
		size_t n = total - at < PIECE ? (size_t)(total - at) : PIECE;

		if (elf_input_read(&f->in, from->off + at * entry, piece, n * entry))
			return -EIO;
		for (size_t i = 0; i < n && !t->cut; i++) {
			Elf64_Sym s = f->is32 ? widened(&piece->s32[i]) : piece->s64[i];

			symbol_add(t, f, &s);
		}
	}
	t->cut |= more;
	return 0;
}

static int name_order(const void *pa, const void *pb)
{
	uint32_t a = ((const struct sym_draft *)pa)->sym.name;
	uint32_t b = ((const struct sym_draft *)pb)->sym.name;

	return a < b ? -1 : a > b;
}

/* A window of the names that moves forward only. */
struct window {
	const struct elf_file *f;
	const struct elf_symbols *from;
	char *bytes;
	uint64_t at;
	size_t len;
};

/* The name at off: ends in the window, or is as long as is kept. Empty: not readable. */
static struct slice window_name(struct window *w, uint64_t off)
{
	struct slice name = { 0 };

	if (off >= w->from->names_size)
		return name;
	if (off < w->at || off - w->at + SYM_NAME_MAX > w->len) {
		uint64_t left = w->from->names_size - off;

		w->at = off;
		w->len = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
		if (elf_input_read(&w->f->in, w->from->names_off + off, w->bytes, w->len))
			w->len = 0;
		if (!w->len)
			return name;
	}
	name.ptr = w->bytes + (off - w->at);
	name.len = strnlen(name.ptr, w->len - (size_t)(off - w->at));
	return name;
}

int elf_syms_add(struct sym_table *t, const struct elf_file *f, const struct elf_symbols *from)
{
	/* one after the other in the same memory */
	void *memory = malloc(sizeof(struct piece) > WINDOW_BYTES ? sizeof(struct piece) :
								    (size_t)WINDOW_BYTES);
	struct window w = { .f = f, .from = from, .bytes = memory };
	size_t first = t->n_draft;
	int err;

	if (!memory)
		return -ENOMEM;
	err = functions_add(t, f, from, memory);
	if (t->n_draft > first)
		qsort(t->draft + first, t->n_draft - first, sizeof(*t->draft), name_order);
	for (size_t i = first; i < t->n_draft; i++)
		sym_table_name(t, i, window_name(&w, t->draft[i].sym.name));
	free(memory);
	return err;
}
