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

static uint32_t held[1024];
static size_t n_held;

static void keep_held(void *ctx)
{
	(void)ctx;
	for (size_t i = 0; i < n_held; i++)
		intern_keep(held[i]);
}

static struct intern_holder holder = { keep_held, NULL, NULL };

static int teardown(void **state)
{
	(void)state;
	n_held = 0;
	intern_unhold(&holder);
	intern_release();
	intern_set_capacity(DEFAULT_CAPACITY);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	intern_hold(&holder);
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

static uint32_t hold(uint32_t id)
{
	held[n_held++] = id;
	return id;
}

static void test_full_table_is_other(void **state)
{
	uint32_t a, b;

	(void)state;
	intern_set_capacity(2);
	a = hold(intern_str("one"));
	b = hold(intern_str("two"));
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
		n_held = 0;
		for (uint32_t i = 0; i < cap; i++)
			assert_int_not_equal(hold(intern_fmt("%u", i)), INTERN_OTHER);
		assert_int_equal(intern_fmt("%u", cap), INTERN_OTHER);
		assert_int_equal(intern_overflows(), 1);
	}
}

/* Whoever sends requests makes up names without end: what came before and is held stays, what
 * comes after has its name. */
static void test_made_up_names_are_forgotten(void **state)
{
	enum { CAPACITY = 4096 };
	uint32_t idle, stale;
	const char *text;

	(void)state;
	intern_set_capacity(CAPACITY);
	hold(intern_str("GET /held"));
	text = intern_text(held[0]);
	idle = intern_str("GET /idle");
	stale = intern_str("GET /unheld");
	for (int i = 0; i < 10 * CAPACITY; i++) {
		uint32_t id = intern_fmt("GET /%d", i);
		char want[32];

		snprintf(want, sizeof(want), "GET /%d", i);
		assert_string_equal(intern_text(id), want);
		assert_int_equal(intern_str(want), id);
		assert_true(id >> 31 == 0);
		/* asked for all the time, held by nobody */
		assert_int_equal(intern_str("GET /idle"), idle);
		/* never another's name */
		if (i % 100 == 0 && !intern_has(stale))
			assert_string_equal(intern_text(stale), "other");
	}
	assert_false(intern_has(stale));
	assert_ptr_equal(intern_text(held[0]), text);
	assert_string_equal(text, "GET /held");
	assert_string_equal(intern_text(intern_str("GET /checkout")), "GET /checkout");
	assert_int_equal(intern_overflows(), 0);
	assert_true(intern_forgotten() > 8 * CAPACITY);
}

/* The same where nearly all is held. */
static void test_no_room_but_a_little(void **state)
{
	uint32_t named = 0, n = 20000;

	(void)state;
	intern_set_capacity(1024);
	for (int i = 0; i < 1000; i++)
		hold(intern_fmt("held %d", i));
	for (uint32_t i = 0; i < n; i++)
		named += intern_fmt("made up %u", i) != INTERN_OTHER;
	for (int i = 0; i < 1000; i++) {
		char want[32];

		snprintf(want, sizeof(want), "held %d", i);
		assert_string_equal(intern_text(held[i]), want);
	}
	assert_true(named > n / 8);
	assert_int_equal(intern_overflows(), n - named);
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
		cmocka_unit_test_setup_teardown(test_full_table_is_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capacity_at_growth_steps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_made_up_names_are_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_room_but_a_little, setup, teardown),
		cmocka_unit_test_teardown(test_long_texts, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
