// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes ELF files, which are those of observed processes: whatever is in them, the tables made
 * of them are in order and every name ends, and the name of a debug file is one of a file.
 */
#include <string.h>

#include "bpf/abi.h"
#include "fuzz.h"
#include "sym/elf_syms.h"
#include "sym/sym_name.h"

enum { SHOWN_MAX = 64 }; /* names of a file that are shown */

static void check_table(const struct sym_table *t)
{
	char out[ABI_SYM_TEXT];

	for (size_t i = 0; i < t->n; i++) {
		const struct sym *s = &t->v[i];

		MUST(s->name < t->names_len);
		MUST(memchr(t->names + s->name, '\0', t->names_len - s->name));
		MUST(sym_table_text(t, s)[0]);
		MUST(!i || t->v[i - 1].start < s->start);
		MUST(!s->size || sym_table_find(t, s->start) == s);
		if (i < SHOWN_MAX)
			must_be_printable(out,
					  sym_name_show(out, sizeof(out), sym_table_text(t, s)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_input in = { .fd = -1, .mem = data, .size = size };
	struct sym_table t = { 0 };
	struct elf_file f;
	uint64_t vaddr;

	if (elf_file_read(&f, &in))
		return 0;
	MUST(strlen(f.link) < ELF_LINK_MAX && !strchr(f.link, '/'));
	MUST(f.build_id_len <= ELF_BUILD_ID_MAX);
	elf_loads_vaddr(f.loads, f.n_loads, size / 2, &vaddr);
	elf_syms_add(&t, &f, &f.symtab);
	elf_syms_add(&t, &f, &f.dynsym);
	MUST(t.n_draft <= size);
	MUST(!sym_table_finish(&t));
	check_table(&t);
	sym_table_release(&t);
	return 0;
}
