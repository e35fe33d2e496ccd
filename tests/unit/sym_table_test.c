// SPDX-License-Identifier: GPL-2.0-only
/* Which function an address lies in, which of several names it gets, and the table's bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sym/sym_table.h"

static void add(struct sym_table *t, uint64_t start, uint64_t size, uint32_t rank, const char *name)
{
	assert_true(sym_table_add(t, start, size, rank, 0));
	sym_table_name(t, t->n_draft - 1, slice_of(name));
}

static const char *at(const struct sym_table *t, uint64_t addr)
{
	const struct sym *s = sym_table_find(t, addr);

	return s ? sym_table_text(t, s) : "-";
}

static void test_find(void **state)
{
	struct sym_table t = { 0 };

	(void)state;
	add(&t, 0x3000, 0x10, 0, "third");
	add(&t, 0x1000, 0x100, 0, "first");
	add(&t, 0x2000, 0x10, 0, "second");
	assert_int_equal(sym_table_finish(&t), 0);
	assert_int_equal(t.n, 3);
	assert_string_equal(at(&t, 0xfff), "-");
	assert_string_equal(at(&t, 0x1000), "first");
	assert_string_equal(at(&t, 0x10ff), "first");
	assert_string_equal(at(&t, 0x1100), "-");
	assert_string_equal(at(&t, 0x200f), "second");
	assert_string_equal(at(&t, 0x2010), "-");
	assert_string_equal(at(&t, 0x300f), "third");
	assert_string_equal(at(&t, UINT64_MAX), "-");
	assert_true(sym_table_bytes(&t) >= 3 * sizeof(struct sym) + sizeof("first"));
	sym_table_release(&t);
}

static void test_part_inside(void **state)
{
	struct sym_table t = { 0 };

	(void)state;
	add(&t, 0x1000, 0x100, 0, "whole");
	add(&t, 0x1040, 0x10, 0, "part");
	assert_int_equal(sym_table_finish(&t), 0);
	assert_string_equal(at(&t, 0x103f), "whole");
	assert_string_equal(at(&t, 0x1040), "part");
	assert_string_equal(at(&t, 0x1050), "whole");
	assert_string_equal(at(&t, 0x10ff), "whole");
	sym_table_release(&t);
}

static void test_best_name(void **state)
{
	struct sym_table t = { 0 };

	(void)state;
	add(&t, 0x1000, 8, SYM_RANK_LOCAL, "local");
	add(&t, 0x1000, 8, 0, "global");
	add(&t, 0x2000, 8, 0, "__read");
	add(&t, 0x2000, 8, SYM_RANK_WEAK, "read");
	add(&t, 0x2000, 8, SYM_RANK_LOCAL, "a_local");
	add(&t, 0x3000, 8, SYM_RANK_UNSIZED, "unsized");
	add(&t, 0x3000, 8, SYM_RANK_LOCAL, "___sized");
	add(&t, 0x4000, 8, 0, "");
	add(&t, 0x4000, 8, SYM_RANK_LOCAL, "named");
	assert_int_equal(sym_table_finish(&t), 0);
	assert_int_equal(t.n, 4);
	assert_string_equal(at(&t, 0x1000), "global");
	assert_string_equal(at(&t, 0x2000), "read");
	assert_string_equal(at(&t, 0x3000), "___sized");
	assert_string_equal(at(&t, 0x4000), "named");
	/* names that were dropped take no memory */
	assert_int_equal(t.names_len,
			 sizeof("global") + sizeof("read") + sizeof("___sized") + sizeof("named"));
	sym_table_release(&t);
}

static void test_without_end(void **state)
{
	struct sym_table t = { 0 };

	(void)state;
	add(&t, 0x1000, 0x1000, SYM_RANK_UNSIZED, "a");
	add(&t, 0x1100, 0x1000, SYM_RANK_UNSIZED, "b");
	add(&t, 0x9000, 0x1000, SYM_RANK_UNSIZED, "c");
	assert_int_equal(sym_table_finish(&t), 0);
	assert_string_equal(at(&t, 0x10ff), "a");
	assert_string_equal(at(&t, 0x1100), "b");
	assert_string_equal(at(&t, 0x20ff), "b");
	assert_string_equal(at(&t, 0x2100), "-");
	assert_string_equal(at(&t, 0x9fff), "c");
	assert_string_equal(at(&t, 0xa000), "-");
	sym_table_release(&t);
}

static void test_empty(void **state)
{
	struct sym_table t = { 0 };

	(void)state;
	assert_int_equal(sym_table_finish(&t), 0);
	assert_string_equal(at(&t, 0), "-");
	assert_int_equal(sym_table_bytes(&t), 0);
	sym_table_release(&t);
	/* only functions without a name */
	add(&t, 0x1000, 8, 0, "");
	assert_int_equal(sym_table_finish(&t), 0);
	assert_int_equal(t.n, 0);
	assert_false(t.cut);
	sym_table_release(&t);
}

static void test_most_functions(void **state)
{
	struct sym_table t = { 0 };
	char name[32];

	(void)state;
	for (uint64_t i = 0; i < SYM_TABLE_MAX; i++) {
		snprintf(name, sizeof(name), "f%llu", (unsigned long long)i);
		add(&t, 0x1000 + i * 16, 16, 0, name);
	}
	assert_false(t.cut);
	assert_false(sym_table_add(&t, 0, 16, 0, 0));
	assert_true(t.cut);
	assert_int_equal(sym_table_finish(&t), 0);
	assert_int_equal(t.n, SYM_TABLE_MAX);
	assert_string_equal(at(&t, 0x1000 + 16 * 77777 + 15), "f77777");
	assert_true(t.cut);
	sym_table_release(&t);
}

static void test_most_names(void **state)
{
	static char name[SYM_NAME_MAX * 2];
	size_t fit = SYM_TABLE_NAMES_MAX / SYM_NAME_MAX;
	struct sym_table t = { 0 };

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	for (uint64_t i = 0; i < fit; i++)
		add(&t, i * 16, 16, 0, name);
	assert_false(t.cut);
	add(&t, fit * 16, 16, 0, "x");
	assert_true(t.cut);
	assert_int_equal(sym_table_finish(&t), 0);
	assert_int_equal(t.n, fit);
	assert_int_equal(strlen(at(&t, 0)), SYM_NAME_MAX - 1);
	assert_string_equal(at(&t, fit * 16), "-");
	sym_table_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),       cmocka_unit_test(test_part_inside),
		cmocka_unit_test(test_best_name),  cmocka_unit_test(test_without_end),
		cmocka_unit_test(test_empty),      cmocka_unit_test(test_most_functions),
		cmocka_unit_test(test_most_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
