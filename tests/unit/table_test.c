// SPDX-License-Identifier: GPL-2.0-only
/* The hash table against a plain array as model, its bound, and deletion while iterating. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/table.h"

enum { KEYS = 300, STEPS = 60000 };

static uint64_t rng = 88172645463325252u;

static uint64_t rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

struct value {
	uint64_t key, stamp;
	char odd[5]; /* a size that is no multiple of 8 */
};

static void test_against_model(void **state)
{
	uint64_t model[KEYS] = { 0 }; /* stamp, 0 = absent */
	struct table t;
	size_t n = 0;

	(void)state;
	table_init(&t, sizeof(struct value), KEYS);
	for (uint64_t step = 1; step <= STEPS; step++) {
		/* Long phases that fill and that drain. */
		uint64_t key = rnd() % KEYS, spread = key << 12;
		bool fill = (step / 3000) % 2 == 0 ? rnd() % 4 != 0 : rnd() % 4 == 0;
		struct value *v = table_get(&t, spread);
		bool created;

		assert_int_equal(v != NULL, model[key] != 0);
		if (v) {
			assert_int_equal(v->stamp, model[key]);
			assert_int_equal(v->key, spread);
		}
		if (fill) {
			v = table_put(&t, spread, &created);
			assert_non_null(v);
			assert_int_equal(created, !model[key]);
			if (created)
				assert_int_equal(v->stamp, 0);
			n += created;
			*v = (struct value){ .key = spread, .stamp = step };
			model[key] = step;
		} else {
			assert_int_equal(table_del(&t, spread), model[key] != 0);
			n -= model[key] != 0;
			model[key] = 0;
		}
		assert_int_equal(t.n, n);
	}
	assert_int_equal(t.refused, 0);
	table_release(&t);
}

static void test_full_refuses_and_counts(void **state)
{
	struct table t;
	bool created = true;

	(void)state;
	table_init(&t, 8, 100);
	for (uint64_t k = 0; k < 100; k++)
		assert_non_null(table_put(&t, k, NULL));
	assert_null(table_put(&t, 100, &created));
	assert_false(created);
	assert_int_equal(t.refused, 1);
	assert_non_null(table_put(&t, 7, NULL));
	assert_true(table_del(&t, 0));
	assert_non_null(table_put(&t, UINT64_MAX, &created));
	assert_true(created);
	table_release(&t);
	assert_null(table_get(&t, 7));
	assert_false(table_del(&t, 7));
}

static void test_iteration_with_deletion(void **state)
{
	(void)state;
	for (int round = 0; round < 400; round++) {
		uint8_t present[KEYS] = { 0 }, seen[KEYS] = { 0 };
		size_t n = rnd() % KEYS, left = 0;
		unsigned int percent = (unsigned int)(rnd() % 101);
		struct table t;

		table_init(&t, 8, KEYS);
		for (size_t i = 0; i < n; i++) {
			uint64_t key = rnd() % KEYS;

			*(uint64_t *)table_put(&t, key, NULL) = key + 1;
			present[key] = 1;
		}
		table_each(it, &t) {
			assert_int_equal(*(uint64_t *)it.value, it.key + 1);
			assert_int_equal(seen[it.key], 0);
			seen[it.key] = 1;
			if (rnd() % 100 < percent) {
				assert_true(table_del(&t, it.key));
				present[it.key] = 2;
			}
		}
		for (uint64_t k = 0; k < KEYS; k++) {
			assert_int_equal(seen[k], present[k] != 0);
			assert_int_equal(table_get(&t, k) != NULL, present[k] == 1);
			left += present[k] == 1;
		}
		assert_int_equal(t.n, left);
		table_release(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_model),
		cmocka_unit_test(test_full_refuses_and_counts),
		cmocka_unit_test(test_iteration_with_deletion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
