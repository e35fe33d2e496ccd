// SPDX-License-Identifier: GPL-2.0-only
/* Interned strings: one id a text, texts that stay put, and what a full table does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/intern.h"

enum { DEFAULT_CAPACITY = 1 << 18 };

static int teardown(void **state)
{
	(void)state;
	intern_release();
	intern_set_capacity(DEFAULT_CAPACITY);
	return 0;
}

static void test_fixed_ids(void **state)
{
	(void)state;
	assert_int_equal(intern_str(""), INTERN_EMPTY);
	assert_int_equal(intern((struct slice){ NULL, 0 }), INTERN_EMPTY);
	assert_string_equal(intern_text(INTERN_EMPTY), "");
	assert_int_equal(intern_str("other"), INTERN_OTHER);
	assert_string_equal(intern_text(INTERN_OTHER), "other");
	/* An id that nobody was given. */
	assert_string_equal(intern_text(12345), "other");
}

static void test_equal_text_one_id(void **state)
{
	const char raw[] = "GET /a.phpXXX";
	uint32_t id = intern((struct slice){ raw, 10 });

	(void)state;
	assert_true(id > INTERN_OTHER);
	assert_string_equal(intern_text(id), "GET /a.php");
	assert_int_equal(intern_str("GET /a.php"), id);
	assert_int_equal(intern_fmt("GET /%c.%s", 'a', "php"), id);
	assert_int_not_equal(intern_str("GET /a.ph"), id);
	assert_int_not_equal(intern_str("GET /a.phpX"), id);
	/* Bytes, not C strings: an embedded NUL is part of the text. */
	assert_int_not_equal(intern((struct slice){ "a\0b", 3 }), intern_str("a"));
}

static void test_many_texts_stay_put(void **state)
{
	enum { N = 50000 };
	const char **at = malloc(N * sizeof(*at));
	uint32_t *ids = malloc(N * sizeof(*ids));

	(void)state;
	assert_non_null(at);
	assert_non_null(ids);
	for (int i = 0; i < N; i++) {
		ids[i] = intern_fmt("route %d", i);
		at[i] = intern_text(ids[i]);
	}
	for (int i = 0; i < N; i++) {
		char want[32];

		snprintf(want, sizeof(want), "route %d", i);
		assert_ptr_equal(intern_text(ids[i]), at[i]);
		assert_string_equal(at[i], want);
		assert_int_equal(intern_str(want), ids[i]);
	}
	assert_int_equal(intern_overflows(), 0);
	free(at);
	free(ids);
}

static void test_full_table_is_other(void **state)
{
	uint32_t a, b;

	(void)state;
	intern_set_capacity(2);
	a = intern_str("one");
	b = intern_str("two");
	assert_int_equal(intern_overflows(), 0);
	assert_int_equal(intern_str("three"), INTERN_OTHER);
	assert_int_equal(intern_str("four"), INTERN_OTHER);
	assert_int_equal(intern_overflows(), 2);
	/* What is known stays known. */
	assert_int_equal(intern_str("one"), a);
	assert_int_equal(intern_str("two"), b);
	assert_int_equal(intern_overflows(), 2);
	intern_release();
	assert_int_equal(intern_overflows(), 0);
	assert_int_not_equal(intern_str("three"), INTERN_OTHER);
}

static void test_capacity_at_growth_steps(void **state)
{
	(void)state;
	/* Around the sizes at which index and entries grow: exactly the capacity is kept. */
	for (uint32_t cap = 505; cap < 520; cap++) {
		intern_release();
		intern_set_capacity(cap);
		for (uint32_t i = 0; i < cap; i++)
			assert_int_not_equal(intern_fmt("%u", i), INTERN_OTHER);
		assert_int_equal(intern_fmt("%u", cap), INTERN_OTHER);
		assert_int_equal(intern_overflows(), 1);
	}
}

static void test_long_texts(void **state)
{
	size_t len = 200000;
	char *big = malloc(len + 1);
	uint32_t id;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', len);
	big[len] = '\0';
	id = intern_str(big);
	assert_string_equal(intern_text(id), big);
	assert_int_equal(intern_str(big), id);
	/* Formatting cuts at its limit, never overruns. */
	assert_int_equal(strlen(intern_text(intern_fmt("%s", big))), 1023);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_fixed_ids, teardown),
		cmocka_unit_test_teardown(test_equal_text_one_id, teardown),
		cmocka_unit_test_teardown(test_many_texts_stay_put, teardown),
		cmocka_unit_test_teardown(test_full_table_is_other, teardown),
		cmocka_unit_test_teardown(test_capacity_at_growth_steps, teardown),
		cmocka_unit_test_teardown(test_long_texts, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
