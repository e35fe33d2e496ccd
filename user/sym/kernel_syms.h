/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's functions and those of its modules, from the text of /proc/kallsyms. */
#ifndef TARDY_SYM_KERNEL_SYMS_H
#define TARDY_SYM_KERNEL_SYMS_H
#include "sym/sym_table.h"

#define KERNEL_SYMS_PATH "/proc/kallsyms"

struct kernel_function {
	struct slice name, module; /* module: without brackets, empty = the kernel itself */
	uint64_t start;
};

/* Adds the function of one line ("address type name[\t[module]]"); what is no function, or has
 * no address because addresses are hidden, is not added. */
void kernel_syms_add_line(struct sym_table *t, struct slice line);
/* Fills an empty table from a file. 0; -EPERM: addresses are hidden (kernel.kptr_restrict, no
 * CAP_SYSLOG); or another negative errno. */
int kernel_syms_read(struct sym_table *t, const char *path);
/* The function at addr; false when none is known. Slices point into the table. */
bool kernel_syms_find(const struct sym_table *t, uint64_t addr, struct kernel_function *out);
#endif
