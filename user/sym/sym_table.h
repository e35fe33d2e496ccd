/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions by address: filled in any order, then sorted once and only looked up. 16 bytes a
 * function and its name, nothing else. Bounded: what goes beyond is left out and said (cut).
 */
#ifndef TARDY_SYM_SYM_TABLE_H
#define TARDY_SYM_SYM_TABLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"

enum {
	SYM_TABLE_MAX = 1 << 18, /* functions of one table */
	SYM_TABLE_NAMES_MAX = 12 << 20, /* bytes of their names */
	SYM_NAME_MAX = 2048, /* longest name kept, with its NUL; the rest of it is cut off */
};

/* What speaks against a name, where several functions begin at one address. */
enum sym_rank {
	SYM_RANK_UNSIZED = 64, /* its end is not known: it ends where the next begins */
	SYM_RANK_LOCAL = 32,
	SYM_RANK_WEAK = 1, /* and 2 for each underscore that the name begins with */
};

struct sym {
	uint64_t start;
	uint32_t size;
	uint32_t name; /* into names; while a table is filled also the file's own offset */
};

struct sym_draft {
	struct sym sym;
	uint32_t rank;
};

struct sym_table {
	struct sym *v; /* by start, each start once */
	size_t n;
	char *names;
	size_t names_len;
	bool cut;
	/* while it is filled */
	struct sym_draft *draft;
	size_t n_draft, cap_draft, cap_names;
};

/* An empty table is all zero. */
void sym_table_release(struct sym_table *t);
/* Adds a function whose name is not known yet: draft[n_draft - 1].sym.name is given by the
 * caller and made an offset into names by sym_table_name(). False: it did not fit. */
bool sym_table_add(struct sym_table *t, uint64_t start, uint64_t size, uint32_t rank,
		   uint32_t name);
/* Names the function at draft[i]; an empty name, or one that does not fit, takes it out. */
void sym_table_name(struct sym_table *t, size_t i, struct slice name);
/* Sorts and keeps the best name of each address; to be called once. 0 or -ENOMEM (empty then). */
int sym_table_finish(struct sym_table *t);
/* The function that addr lies in, or NULL. */
const struct sym *sym_table_find(const struct sym_table *t, uint64_t addr);
static inline const char *sym_table_text(const struct sym_table *t, const struct sym *s)
{
	return t->names + s->name;
}
/* Bytes that a finished table takes. */
size_t sym_table_bytes(const struct sym_table *t);
#endif
