/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions of an ELF file's tables of symbols. */
#ifndef TARDY_SYM_ELF_SYMS_H
#define TARDY_SYM_ELF_SYMS_H
#include "sym/elf_file.h"
#include "sym/sym_table.h"

/* Adds the functions of one of f's tables to t, at the addresses for which they were linked.
 * 0 or negative errno; what was readable has been added either way. */
int elf_syms_add(struct sym_table *t, const struct elf_file *f, const struct elf_symbols *from);
#endif
