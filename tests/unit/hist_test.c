// SPDX-License-Identifier: GPL-2.0-only
/* Histogram error bound, nearest rank by hand, exact-to-histogram change, merging. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "aggregate/hist.h"

static uint64_t rng = 2463534242u;

static uint64_t rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static void assert_close(uint64_t got, uint64_t want)
{
	uint64_t diff = got > want ? got - want : want - got;

	/* 1/64, the bound that hist.h promises. */
	if (diff * 64 > want)
		fail_msg("%llu is not within 1/64 of %llu", (unsigned long long)got,
			 (unsigned long long)want);
}

static void test_one_value_everywhere(void **state)
{
	(void)state;
	for (uint64_t us = 0; us <= UINT32_MAX; us += 1 + us / 700) {
		struct hist h = { 0 };

		hist_add(&h, us);
		assert_close(hist_at_rank(&h, 1), us);
		if (us < 64)
			assert_int_equal(hist_at_rank(&h, 1), us);
	}
}

static void test_edges(void **state)
{
	struct hist h = { 0 };

	(void)state;
	assert_int_equal(hist_at_rank(&h, 1), 0);
	hist_add(&h, UINT64_MAX);
	hist_add(&h, UINT32_MAX);
	assert_close(hist_at_rank(&h, 2), UINT32_MAX);
	assert_close(hist_at_rank(&h, 99), UINT32_MAX);
	assert_int_equal(h.n, 2);
}

static void test_nearest_rank_by_hand(void **state)
{
	static const uint32_t values[] = { 50, 15, 40, 20, 35 };
	struct dist d = { 0 };

	(void)state;
	assert_int_equal(dist_quantile_us(&d, 500), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(dist_add(&d, values[i], DIST_EXACT), 0);
	/* n = 5: p5 is rank 1, p30 rank 2, p40 rank 2, p50 rank 3, p95 rank 5. */
	assert_int_equal(dist_quantile_us(&d, 0), 15);
	assert_int_equal(dist_quantile_us(&d, 50), 15);
	assert_int_equal(dist_quantile_us(&d, 300), 20);
	assert_int_equal(dist_quantile_us(&d, 400), 20);
	assert_int_equal(dist_quantile_us(&d, 500), 35);
	assert_int_equal(dist_quantile_us(&d, 950), 50);
	assert_int_equal(dist_quantile_us(&d, 1000), 50);
	dist_release(&d);
}

static int cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void check_quantiles(struct dist *d, uint64_t *values, size_t n, int exact)
{
	static const uint32_t permilles[] = { 1, 100, 500, 900, 950, 990, 999, 1000 };

	qsort(values, n, sizeof(*values), cmp);
	for (size_t i = 0; i < sizeof(permilles) / sizeof(permilles[0]); i++) {
		uint64_t want = values[(n * permilles[i] + 999) / 1000 - 1];
		uint64_t got = dist_quantile_us(d, permilles[i]);

		if (exact)
			assert_int_equal(got, want);
		else
			assert_close(got, want);
	}
	assert_int_equal(d->max_us, values[n - 1]);
	assert_int_equal(d->n, n);
}

static void test_exact_then_histogram(void **state)
{
	static uint64_t values[3 * DIST_EXACT];
	struct dist d = { 0 };

	(void)state;
	for (size_t n = 0; n < 3 * DIST_EXACT; n++) {
		values[n] = rnd() >> (35 + rnd() % 29);
		assert_int_equal(dist_add(&d, values[n], DIST_EXACT), 0);
		assert_int_equal(d.h == NULL, n < DIST_EXACT);
		if (n == 99 || n == DIST_EXACT - 1)
			check_quantiles(&d, values, n + 1, 1);
	}
	assert_null(d.v);
	check_quantiles(&d, values, 3 * DIST_EXACT, 0);
	assert_true(dist_bytes(&d) < 4096);
	dist_release(&d);
}

static void test_merge_equals_adding(void **state)
{
	static const size_t sizes[][2] = { { 10, 20 }, { 10, 500 }, { 500, 10 }, { 500, 500 } };

	(void)state;
	for (size_t c = 0; c < 4; c++) {
		struct dist parts[2] = { 0 }, all = { 0 }, sum = { 0 };

		for (int side = 0; side < 2; side++) {
			for (size_t i = 0; i < sizes[c][side]; i++) {
				uint64_t us = rnd() % 5000000;

				assert_int_equal(dist_add(&parts[side], us, 100), 0);
				assert_int_equal(dist_add(&all, us, 100), 0);
			}
		}
		assert_int_equal(dist_merge(&sum, &parts[0], 100), 0);
		assert_int_equal(dist_merge(&sum, &parts[1], 100), 0);
		assert_int_equal(sum.n, all.n);
		assert_int_equal(sum.max_us, all.max_us);
		assert_int_equal(sum.h == NULL, all.h == NULL);
		for (uint32_t p = 0; p <= 1000; p += 50)
			assert_int_equal(dist_quantile_us(&sum, p), dist_quantile_us(&all, p));
		for (int side = 0; side < 2; side++)
			dist_release(&parts[side]);
		dist_release(&all);
		dist_release(&sum);
	}
}

static void test_max_beyond_32_bits(void **state)
{
	struct dist d = { 0 };

	(void)state;
	assert_int_equal(dist_add(&d, 5ull << 32, DIST_EXACT), 0);
	assert_int_equal(dist_quantile_us(&d, 990), 5ull << 32);
	dist_release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_value_everywhere),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_nearest_rank_by_hand),
		cmocka_unit_test(test_exact_then_histogram),
		cmocka_unit_test(test_merge_equals_adding),
		cmocka_unit_test(test_max_beyond_32_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
