// SPDX-License-Identifier: GPL-2.0-only
/* What is read as text: mappings, the kernel's functions, maps for perf, and names to show. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/abi.h"
#include "guard.h"
#include "sym/kernel_syms.h"
#include "sym/maps.h"
#include "sym/perf_map.h"
#include "sym/sym_name.h"

/* ---- mappings ---------------------------------------------------------------------------- */

static const char *const map_lines[] = {
	"55d0c0a00000-55d0c0a01000 r--p 00000000 fe:00 1234                       /usr/bin/a b",
	"55d0c0a01000-55d0c0a05000 r-xp 00001000 fe:00 1234                       /usr/bin/a b",
	"7f0000000000-7f0000001000 r-xp 00000000 00:00 0 ",
	"7f0000001000-7f0000002000 rwxs 00000000 00:01 77 /dev/zero (deleted)",
	"7f0000002000-7f0000003000 r-xp 00000000 fe:1f 99 /usr/lib/libc.so.6 (deleted)",
	"7f0000004000-7f0000005000 r-xp 00000000 fe:1f 99 /usr/lib/libc.so.6 (deleted)",
	"7f0000006000-7f0000007000 r-xp 00000000 00:01 5 /memfd:jit (deleted)",
	"7f0000008000-7f0000009000 r-xp 00000000 00:00 0 [anon:code]",
	"7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0                          [vdso]",
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]",
};

static void test_map_lines(void **state)
{
	static const int results[] = { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const enum map_kind kinds[] = { MAPPED_FILE, MAPPED_CODE, MAPPED_CODE,
					       MAPPED_FILE, MAPPED_FILE, MAPPED_FILE,
					       MAPPED_CODE, MAPPED_VDSO, MAPPED_SPECIAL };
	struct maps m = { 0 };
	struct map *map;

	(void)state;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		assert_int_equal(maps_add_line(&m, slice_of(map_lines[i])), results[i]);
	assert_int_equal(m.n, 9);
	for (size_t i = 0; i < m.n; i++)
		assert_int_equal(m.v[i].kind, kinds[i]);
	map = maps_find(&m, 0x55d0c0a01000);
	assert_ptr_equal(map, &m.v[0]);
	assert_string_equal(maps_name(&m, map), "/usr/bin/a b");
	assert_int_equal(map->off, 0x1000);
	assert_int_equal(map->dev, makedev(0xfe, 0));
	assert_int_equal(map->ino, 1234);
	assert_ptr_equal(maps_find(&m, 0x55d0c0a04fff), map);
	assert_null(maps_find(&m, 0x55d0c0a05000));
	assert_null(maps_find(&m, 0x55d0c0a00fff));
	assert_string_equal(maps_name(&m, maps_find(&m, 0x7f0000000000)), "");
	/* one name for the segments of one file */
	assert_int_equal(m.v[3].name, m.v[4].name);
	assert_int_equal(maps_find(&m, 0xffffffffff600000)->kind, MAPPED_SPECIAL);
	assert_null(maps_find(&m, UINT64_MAX));
	maps_release(&m);
	assert_null(maps_find(&m, 0x1000));
}

static void test_map_damaged(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"1000-2000",
		"1000-2000 r-x",
		"1000-2000 r-xp 0",
		"1000-2000 r-xp 0 1:1",
		"1000-2000 r-xp 0 1:1 12",
		"1000-2000 r-xp 0 1;1 12 /a",
		"2000-1000 r-xp 0 1:1 12 /a",
		"1000-1000 r-xp 0 1:1 12 /a",
		"g000-1000 r-xp 0 1:1 12 /a",
	};
	struct maps m = { 0 };
	struct guard g;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(maps_add_line(&m, slice_of(bad[i])), -EBADMSG);
	assert_int_equal(m.n, 0);
	guard_init(&g, 256);
	for (size_t i = 0; i < sizeof(map_lines) / sizeof(map_lines[0]); i++)
		for (size_t len = 0; len < strlen(map_lines[i]); len++) {
			maps_add_line(&m, guard_place(&g, map_lines[i], len));
			maps_release(&m);
		}
	guard_release(&g);
	/* not in order: a mapping that overlaps the one before */
	assert_int_equal(maps_add_line(&m, slice_of("2000-3000 r-xp 0 1:1 12 /a")), 0);
	assert_int_equal(maps_add_line(&m, slice_of("2800-4000 r-xp 0 1:1 12 /b")), -EBADMSG);
	maps_release(&m);
}

static void test_map_bounds(void **state)
{
	struct maps m = { 0 };
	char line[128], *long_line;

	(void)state;
	for (unsigned i = 0; i < MAPS_MAX; i++) {
		snprintf(line, sizeof(line), "%x-%x r-xp 0 1:1 12 /n%u", (i + 1) * 4096,
			 (i + 2) * 4096, i);
		assert_int_equal(maps_add_line(&m, slice_of(line)), 0);
	}
	assert_false(m.cut);
	assert_int_equal(maps_add_line(&m, slice_of("f0000000-f0001000 r-xp 0 1:1 12 /a")), 1);
	assert_true(m.cut);
	assert_string_equal(maps_name(&m, maps_find(&m, 4096ull * 2001)), "/n2000");
	maps_release(&m);

	long_line = malloc(MAPS_NAMES_MAX + 64);
	assert_non_null(long_line);
	memset(long_line, 'a', MAPS_NAMES_MAX + 64);
	memcpy(long_line, "1000-2000 r-xp 0 1:1 12 /", 25);
	assert_int_equal(maps_add_line(&m, (struct slice){ long_line, MAPS_NAMES_MAX + 64 }), 1);
	assert_true(m.cut);
	free(long_line);
	maps_release(&m);
}

/* ---- the kernel -------------------------------------------------------------------------- */

static char kernel_path[64];

static int read_kernel_text(struct sym_table *t, const char *text)
{
	FILE *f;
	int err, fd;

	snprintf(kernel_path, sizeof(kernel_path), "/tmp/sym_text_test.XXXXXX");
	fd = mkstemp(kernel_path);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	err = kernel_syms_read(t, kernel_path);
	unlink(kernel_path);
	return err;
}

static void kernel_is(const struct sym_table *t, uint64_t addr, const char *name,
		      const char *module)
{
	struct kernel_function f;

	assert_true(kernel_syms_find(t, addr, &f));
	assert_true(slice_eq(f.name, slice_of(name)));
	assert_true(slice_eq(f.module, slice_of(module)));
}

static void test_kernel(void **state)
{
	struct sym_table t = { 0 };
	struct kernel_function f;

	(void)state;
	assert_int_equal(read_kernel_text(&t, "0000000000000000 A fixed_percpu_data\n"
					      "ffffffff81000000 t local_alias\n"
					      "ffffffff81000000 T _stext\n"
					      "ffffffff81000100 W weak_one\n"
					      "ffffffff81000180 D data\n"
					      "ffffffff81000200 t last.isra.0\n"
					      "ffffffffc0100000 t nf_hook\t[nf_tables]\n"
					      "ffffffffc0200000 t bpf_prog_12_x\t[bpf]\n"
					      "garbage\n"
					      "ffffffffc0300000 t no_line_end"),
			 0);
	kernel_is(&t, 0xffffffff81000000, "_stext", "");
	kernel_is(&t, 0xffffffff810000ff, "_stext", "");
	kernel_is(&t, 0xffffffff81000100, "weak_one", "");
	kernel_is(&t, 0xffffffff81000190, "weak_one", "");
	kernel_is(&t, 0xffffffff81000234, "last.isra.0", "");
	kernel_is(&t, 0xffffffffc0100010, "nf_hook", "nf_tables");
	kernel_is(&t, 0xffffffffc0200000, "bpf_prog_12_x", "bpf");
	/* far behind a function is not in it */
	assert_false(kernel_syms_find(&t, 0xffffffffa0000000, &f));
	assert_false(kernel_syms_find(&t, 0xffffffff80ffffff, &f));
	assert_false(kernel_syms_find(&t, 0x1000, &f));
	sym_table_release(&t);
}

static void test_kernel_hidden(void **state)
{
	struct sym_table t = { 0 };

	(void)state;
	assert_int_equal(read_kernel_text(&t, "0000000000000000 T _stext\n"
					      "0000000000000000 t other\n"),
			 -EPERM);
	assert_int_equal(t.n, 0);
	assert_int_equal(kernel_syms_read(&t, "/nonexistent"), -ENOENT);
	sym_table_release(&t);
}

static void test_kernel_lines_cut(void **state)
{
	static const char line[] = "ffffffff81000000 t nf_hook\t[nf_tables]";
	struct guard g;

	(void)state;
	guard_init(&g, sizeof(line));
	for (size_t len = 0; len < sizeof(line); len++) {
		struct sym_table t = { 0 };
		struct kernel_function f;

		kernel_syms_add_line(&t, guard_place(&g, line, len));
		assert_int_equal(sym_table_finish(&t), 0);
		if (len < 20)
			assert_int_equal(t.n, 0);
		else
			assert_true(kernel_syms_find(&t, 0xffffffff81000000, &f));
		sym_table_release(&t);
	}
	guard_release(&g);
}

/* ---- maps for perf ----------------------------------------------------------------------- */

static void test_perf_map(void **state)
{
	static const char text[] = "7f0000001000 20 py::old\n"
				   "0x7f0000002000 0x10 with blanks and ;\n"
				   "7F0000003000 1F Upper\n"
				   "7f0000001000 20 py::new\n"
				   "7f0000004000 0 empty\n"
				   "7f0000005000 10\n"
				   "zzz\n"
				   "7f0000006000 10 no end";
	struct sym_table t = { 0 };
	FILE *f = tmpfile();

	(void)state;
	assert_non_null(f);
	fputs(text, f);
	fflush(f);
	assert_int_equal(perf_map_read(&t, fileno(f)), 0);
	fclose(f);
	assert_int_equal(t.n, 3);
	assert_string_equal(sym_table_text(&t, sym_table_find(&t, 0x7f000000101f)), "py::new");
	assert_string_equal(sym_table_text(&t, sym_table_find(&t, 0x7f0000002000)),
			    "with blanks and ;");
	assert_string_equal(sym_table_text(&t, sym_table_find(&t, 0x7f000000301e)), "Upper");
	assert_null(sym_table_find(&t, 0x7f000000301f));
	assert_null(sym_table_find(&t, 0x7f0000006000));
	sym_table_release(&t);
}

/* ---- names ------------------------------------------------------------------------------- */

static const char *shown(const char *symbol)
{
	static char out[ABI_SYM_TEXT];
	size_t len = sym_name_show(out, sizeof(out), symbol);

	assert_int_equal(len, strlen(out));
	return out;
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(shown("main"), "main");
	assert_string_equal(shown("_ZN3foo3barEiPKc"), "foo::bar(int, char const*)");
	assert_string_equal(shown("_ZN3foo3barEiPKc.cold"),
			    "foo::bar(int, char const*) [clone .cold]");
	/* Rust, the old form without its hash, and the new one */
	assert_string_equal(shown("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE"),
			    "core::fmt::Write::write_fmt");
	assert_string_equal(shown("_RNvCs1234_7mycrate3foo"), "mycrate::foo");
	/* no mangled names */
	assert_string_equal(shown("_Z"), "_Z");
	assert_string_equal(shown("_R"), "_R");
	assert_string_equal(shown("_Zonk"), "_Zonk");
	assert_string_equal(shown("a\nb\x7f\x1b[1m"), "a?b??[1m");
	assert_string_equal(shown("\xc2\x9b"
				  "1m\xc3\xa4"),
			    "??1m\xc3\xa4");
}

static void test_long_names(void **state)
{
	char symbol[1024] = "_ZN3foo3barE", out[16];

	(void)state;
	/* parameters that do not fit are left out */
	for (size_t at = strlen(symbol); at + 8 < 600; at += 7)
		memcpy(symbol + at, "6Longer", 8);
	assert_string_equal(shown(symbol), "foo::bar");
	memset(symbol, 'x', sizeof(symbol) - 1);
	assert_int_equal(strlen(shown(symbol)), ABI_SYM_TEXT - 1);
	/* no half of a character stays */
	assert_int_equal(sym_name_clean(out, sizeof(out), slice_of("12345678901234\xc3\xa4z")), 14);
	assert_string_equal(out, "12345678901234");
}

/* Each level names the one before twice: what it stands for doubles with every few bytes. */
static void test_name_that_explodes(void **state)
{
	char symbol[1024] = "_Z1fSt4pairIiiE";
	size_t len = strlen(symbol);

	(void)state;
	for (int level = 0; level < 30 && len + 24 < sizeof(symbol); level++) {
		char ref[8] = "S0_";

		if (level)
			snprintf(ref, sizeof(ref), "S%c_",
				 level < 10 ? '1' + level - 1 : 'A' + level - 10);
		len += (size_t)snprintf(symbol + len, sizeof(symbol) - len, "S_I%s%sE", ref, ref);
	}
	/* with parameters the demangler was left in the middle of its work */
	assert_string_equal(shown(symbol), "f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_lines),     cmocka_unit_test(test_map_damaged),
		cmocka_unit_test(test_map_bounds),    cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_kernel_hidden), cmocka_unit_test(test_kernel_lines_cut),
		cmocka_unit_test(test_perf_map),      cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_names),    cmocka_unit_test(test_name_that_explodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
