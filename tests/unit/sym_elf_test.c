// SPDX-License-Identifier: GPL-2.0-only
/* ELF files: what a whole one gives, real ones, and that no damage is read beyond its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "elf_made.h"
#include "guard.h"
#include "sym/elf_syms.h"

static struct elf_made made;
static struct guard guard;

static int setup(void **state)
{
	(void)state;
	elf_made_fill(&made);
	guard_init(&guard, sizeof(made));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guard_release(&guard);
	return 0;
}

static struct elf_input in_memory(const void *bytes, size_t len)
{
	return (struct elf_input){ .fd = -1,
				   .mem = guard_place(&guard, bytes, len).ptr,
				   .size = len };
}

/* All functions of both tables; returns what reading the file returned. */
static int read_all(const struct elf_input *in, struct elf_file *f, struct sym_table *t)
{
	int err = elf_file_read(f, in);

	memset(t, 0, sizeof(*t));
	if (err)
		return err;
	elf_syms_add(t, f, &f->symtab);
	elf_syms_add(t, f, &f->dynsym);
	assert_int_equal(sym_table_finish(t), 0);
	return 0;
}

static const char *at(const struct sym_table *t, uint64_t addr)
{
	const struct sym *s = sym_table_find(t, addr);

	return s ? sym_table_text(t, s) : "-";
}

static void test_whole(void **state)
{
	struct elf_input in = in_memory(&made, sizeof(made));
	struct sym_table t;
	struct elf_file f;
	uint64_t vaddr = 0;

	(void)state;
	assert_int_equal(read_all(&in, &f, &t), 0);
	assert_false(f.is32);
	assert_int_equal(f.n_loads, 1);
	assert_int_equal(f.build_id_len, 20);
	assert_memory_equal(f.build_id, made.note.id, 20);
	assert_string_equal(f.link, "made.debug");
	assert_int_equal(f.link_crc, 0x12345678);
	assert_int_equal(t.n, 5);
	assert_string_equal(at(&t, ELF_MADE_TEXT), "alpha");
	assert_string_equal(at(&t, ELF_MADE_TEXT + 0x1f), "alpha");
	assert_string_equal(at(&t, ELF_MADE_TEXT + 0x20), "beta_old");
	assert_string_equal(at(&t, ELF_MADE_TEXT + 0x40), "resolv");
	assert_string_equal(at(&t, ELF_MADE_TEXT + 0x50), "-"); /* data */
	assert_string_equal(at(&t, ELF_MADE_TEXT + 0x60), "dyn_one");
	assert_string_equal(at(&t, ELF_MADE_TEXT + 0x70), "-");
	/* without a size, up to the end of its section */
	assert_string_equal(at(&t, ELF_MADE_TEXT + 0xff), "start");
	assert_string_equal(at(&t, ELF_MADE_TEXT + 0x100), "-");
	sym_table_release(&t);

	assert_true(elf_loads_vaddr(f.loads, f.n_loads, ELF_MADE_TEXT_OFF + 0x12, &vaddr));
	assert_int_equal(vaddr, ELF_MADE_TEXT + 0x12);
	assert_false(elf_loads_vaddr(f.loads, f.n_loads, 0x12, &vaddr));
	assert_false(elf_loads_vaddr(f.loads, f.n_loads, ELF_MADE_TEXT_OFF + 0x100, &vaddr));
}

/* The same in 32 bits. */
static void test_narrow(void **state)
{
	struct {
		Elf32_Ehdr head;
		Elf32_Phdr segment;
		Elf32_Shdr sections[3];
		Elf32_Sym symtab[2];
		char strtab[8];
	} e = {
		.head = { .e_ident = ELFMAG,
			  .e_phoff = sizeof(Elf32_Ehdr),
			  .e_shoff = sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr),
			  .e_phentsize = sizeof(Elf32_Phdr),
			  .e_phnum = 1,
			  .e_shentsize = sizeof(Elf32_Shdr),
			  .e_shnum = 3 },
		.segment = { .p_type = PT_LOAD,
			     .p_flags = PF_X,
			     .p_offset = 0x1000,
			     .p_vaddr = 0x8048000,
			     .p_filesz = 0x100 },
		.sections[1] = { .sh_type = SHT_SYMTAB, .sh_size = sizeof(e.symtab), .sh_link = 2 },
		.sections[2] = { .sh_type = SHT_STRTAB, .sh_size = sizeof(e.strtab) },
		.symtab[1] = { .st_name = 1,
			       .st_value = 0x8048010,
			       .st_size = 0x20,
			       .st_info = ELF32_ST_INFO(STB_GLOBAL, STT_FUNC),
			       .st_shndx = 1 },
		.strtab = "\0narrow",
	};
	struct elf_input in;
	struct sym_table t;
	struct elf_file f;
	uint64_t vaddr = 0;

	(void)state;
	e.head.e_ident[EI_CLASS] = ELFCLASS32;
	e.head.e_ident[EI_DATA] = ELFDATA2LSB;
	e.sections[1].sh_offset = (uint32_t)((char *)e.symtab - (char *)&e);
	e.sections[2].sh_offset = (uint32_t)((char *)e.strtab - (char *)&e);
	in = in_memory(&e, sizeof(e));
	assert_int_equal(read_all(&in, &f, &t), 0);
	assert_true(f.is32);
	assert_true(elf_loads_vaddr(f.loads, f.n_loads, 0x1020, &vaddr));
	assert_string_equal(at(&t, vaddr), "narrow");
	assert_string_equal(at(&t, 0x8048030), "-");
	sym_table_release(&t);
}

static void test_no_elf(void **state)
{
	struct elf_made other = made;
	struct elf_input in = in_memory("#!/bin/sh\necho not this one\n", 28);
	struct elf_file f;

	(void)state;
	assert_int_equal(elf_file_read(&f, &in), -ENOEXEC);
	in = in_memory("", 0);
	assert_int_equal(elf_file_read(&f, &in), -ENOEXEC);
	other.head.e_ident[EI_DATA] = ELFDATA2MSB;
	in = in_memory(&other, sizeof(other));
	assert_int_equal(elf_file_read(&f, &in), -ENOEXEC);
	other = made;
	other.head.e_phentsize = 1;
	in = in_memory(&other, sizeof(other));
	assert_int_equal(elf_file_read(&f, &in), -EIO);
	other = made;
	other.head.e_shentsize = 1; /* only the sections cannot be used */
	in = in_memory(&other, sizeof(other));
	assert_int_equal(elf_file_read(&f, &in), 0);
	assert_int_equal(f.n_loads, 1);
	assert_int_equal(f.symtab.size, 0);
}

static void test_link_is_a_file_name(void **state)
{
	static const char *const names[] = { "../../../x", "/etc/a", "..", ".", "" };
	struct elf_made other = made;
	struct elf_file f;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		memset(other.link.name, 0, sizeof(other.link.name));
		memcpy(other.link.name, names[i], strlen(names[i]));
		struct elf_input in = in_memory(&other, sizeof(other));

		assert_int_equal(elf_file_read(&f, &in), 0);
		assert_string_equal(f.link, "");
	}
}

static void test_note_that_is_short(void **state)
{
	struct elf_made other = made;
	struct elf_input in;
	struct elf_file f;

	(void)state;
	/* it says that it is longer than its section */
	other.note.bytes = ELF_BUILD_ID_MAX;
	in = in_memory(&other, sizeof(other));
	assert_int_equal(elf_file_read(&f, &in), 0);
	assert_int_equal(f.build_id_len, 0);
	other.note.bytes = 20;
	other.note.name_bytes = 36;
	in = in_memory(&other, sizeof(other));
	assert_int_equal(elf_file_read(&f, &in), 0);
	assert_int_equal(f.build_id_len, 0);
}

static void test_many_sections(void **state)
{
	struct elf_made other = made;
	struct elf_input in;
	struct elf_file f;

	(void)state;
	/* the number is in the first section when it does not fit the header */
	other.head.e_shnum = 0;
	other.sections[0].sh_size = ELF_MADE_SECTIONS;
	other.head.e_shstrndx = SHN_XINDEX;
	other.sections[0].sh_link = ELF_MADE_NAMES;
	in = in_memory(&other, sizeof(other));
	assert_int_equal(elf_file_read(&f, &in), 0);
	assert_int_equal(f.symtab.size, sizeof(other.symtab));
	assert_string_equal(f.link, "made.debug");
	other.sections[0].sh_size = UINT64_MAX;
	in = in_memory(&other, sizeof(other));
	assert_int_equal(elf_file_read(&f, &in), 0);
}

static void test_every_length(void **state)
{
	size_t whole = 0;

	(void)state;
	for (size_t len = 0; len <= sizeof(made); len++) {
		struct elf_input in = in_memory(&made, len);
		struct sym_table t;
		struct elf_file f;

		if (read_all(&in, &f, &t))
			continue;
		whole += t.n == 5;
		sym_table_release(&t);
	}
	assert_true(whole > 0);
}

/* Each byte of the headers, tables and notes set to each of some values. */
static void test_every_byte(void **state)
{
	static const unsigned char values[] = { 0, 1, 3, 0x7f, 0x80, 0xff };
	struct elf_made other;

	(void)state;
	for (size_t i = 0; i < sizeof(made); i++)
		for (size_t v = 0; v < sizeof(values); v++) {
			struct elf_input in;
			struct sym_table t;
			struct elf_file f;

			other = made;
			((unsigned char *)&other)[i] = values[v];
			in = in_memory(&other, sizeof(other));
			if (!read_all(&in, &f, &t)) {
				assert_true(t.n <= 7);
				assert_null(strchr(f.link, '/'));
			}
			sym_table_release(&t);
		}
}

/* ---- real files -------------------------------------------------------------------------- */

static void read_file(const char *path, struct elf_file *f, struct sym_table *t)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf_input in;

	assert_true(fd >= 0);
	assert_int_equal(elf_input_of_fd(&in, fd), 0);
	assert_int_equal(read_all(&in, f, t), 0);
	close(fd);
}

static bool has(const struct sym_table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(sym_table_text(t, &t->v[i]), name))
			return true;
	return false;
}

static void test_own_file(void **state)
{
	struct sym_table t;
	struct elf_file f;

	(void)state;
	read_file("/proc/self/exe", &f, &t);
	assert_true(f.n_loads >= 1);
	assert_true(f.build_id_len > 0);
	assert_true(has(&t, "test_own_file"));
	assert_true(has(&t, "main"));
	for (size_t i = 1; i < t.n; i++)
		assert_true(t.v[i - 1].start < t.v[i].start);
	sym_table_release(&t);
}

static void test_libc(void **state)
{
	struct sym_table t;
	struct elf_file f;
	Dl_info info;

	(void)state;
	assert_true(dladdr(dlsym(RTLD_DEFAULT, "getppid"), &info));
	read_file(info.dli_fname, &f, &t);
	assert_true(has(&t, "getppid"));
	assert_true(has(&t, "read")); /* and not __read, which is the same function */
	assert_false(has(&t, "__read"));
	assert_false(t.cut);
	sym_table_release(&t);
}

static void test_no_file(void **state)
{
	struct elf_input in;
	int pipe_fds[2];

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(elf_input_of_fd(&in, pipe_fds[0]), -EINVAL);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	assert_int_equal(elf_input_of_fd(&in, -1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_no_elf),
		cmocka_unit_test(test_link_is_a_file_name),
		cmocka_unit_test(test_note_that_is_short),
		cmocka_unit_test(test_many_sections),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_own_file),
		cmocka_unit_test(test_libc),
		cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
