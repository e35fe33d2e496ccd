// SPDX-License-Identifier: GPL-2.0-only
/*
 * Properties of the parts algebra over random lists: sums survive adding, sorting and rounding,
 * rounding is the largest-remainder method and nothing else, order depends on content alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "account/parts.h"

enum { ROUNDS = 2000, LIST_MAX = 90 };

static uint64_t rng = 0x9e3779b97f4a7c15u;

static uint64_t rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static struct part random_part(void)
{
	/* Few identities, so that adds merge; sizes from nothing to hours. */
	return (struct part){
		.who = rnd() % 3,
		.what = rnd() % 4,
		.via = rnd() % 2,
		.held_by = rnd() % 2,
		.count = rnd() % 5,
		.cause = rnd() % CAUSE_COUNT,
		.scaled = rnd() % 8 == 0,
		.ns = rnd() % 10 ? rnd() >> (20 + rnd() % 44) : 0,
	};
}

static bool same_identity(const struct part *a, const struct part *b)
{
	return a->who == b->who && a->what == b->what && a->via == b->via &&
	       a->held_by == b->held_by && a->cause == b->cause;
}

static void test_add_keeps_sums(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct parts p = { 0 };
		uint64_t ns = 0, count = 0, got_count = 0;

		for (size_t n = rnd() % LIST_MAX; n; n--) {
			struct part add = random_part();

			assert_int_equal(parts_add(&p, &add), 0);
			ns += add.ns;
			count += add.ns ? add.count : 0;
		}
		assert_int_equal(parts_sum_ns(&p), ns);
		for (size_t i = 0; i < p.n; i++) {
			got_count += p.v[i].count;
			assert_true(p.v[i].ns > 0);
			for (size_t j = 0; j < i; j++)
				assert_false(same_identity(&p.v[i], &p.v[j]));
		}
		assert_int_equal(got_count, count);
		parts_release(&p);
	}
}

static void test_add_merges_only_equals(void **state)
{
	const struct part base = { .who = 1,
				   .what = 2,
				   .via = 3,
				   .held_by = 4,
				   .count = 1,
				   .cause = CAUSE_LOCK,
				   .ns = 10 };
	struct part v[6] = { base, base, base, base, base, base };
	struct parts p = { 0 };

	(void)state;
	v[1].who = v[2].what = v[3].via = v[4].held_by = 9;
	v[5].cause = CAUSE_DISK;
	for (int i = 0; i < 6; i++)
		assert_int_equal(parts_add(&p, &v[i]), 0);
	assert_int_equal(p.n, 6);
	v[0].scaled = true;
	assert_int_equal(parts_add(&p, &v[0]), 0);
	assert_int_equal(p.n, 6);
	assert_int_equal(p.v[0].ns, 20);
	assert_int_equal(p.v[0].count, 2);
	assert_true(p.v[0].scaled);
	/* An add that points into the list survives its growth. */
	while (p.n < p.cap) {
		v[0].who = 100 + (uint32_t)p.n;
		assert_int_equal(parts_add(&p, &v[0]), 0);
	}
	p.v[1].who = 8;
	v[0] = p.v[1];
	v[0].who = 7;
	assert_int_equal(parts_add(&p, &v[0]), 0);
	assert_int_equal(p.v[p.n - 1].who, 7);
	parts_clear(&p);
	assert_int_equal(parts_sum_ns(&p), 0);
	parts_release(&p);
}

static void test_round_is_exact(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct part v[LIST_MAX];
		uint64_t out[LIST_MAX], sum = 0, total, given = 0;
		size_t n = 1 + rnd() % LIST_MAX;

		for (size_t i = 0; i < n; i++) {
			v[i] = random_part();
			sum += v[i].ns;
		}
		total = sum ? (rnd() % 2 ? sum / 1000 : rnd() >> (rnd() % 60)) : 0;
		parts_round(v, n, total, out);
		for (size_t i = 0; i < n; i++) {
			/* Within one unit of the exact share: floor or floor + 1. */
			unsigned __int128 exact = (unsigned __int128)v[i].ns * total;
			uint64_t floor = sum ? (uint64_t)(exact / sum) : 0;

			assert_true(out[i] == floor || out[i] == floor + 1);
			given += out[i];
		}
		assert_int_equal(given, total);
		/* A part that was given a unit has no smaller remainder than one that was not. */
		for (size_t i = 0; i < n && sum; i++) {
			unsigned __int128 wi = (unsigned __int128)v[i].ns * total;

			if (out[i] == (uint64_t)(wi / sum))
				continue;
			for (size_t j = 0; j < n; j++) {
				unsigned __int128 wj = (unsigned __int128)v[j].ns * total;
				bool given_j = out[j] != (uint64_t)(wj / sum);

				if (given_j)
					continue;
				assert_true((uint64_t)(wi % sum) >= (uint64_t)(wj % sum));
				if (wi % sum == wj % sum)
					assert_true(i < j);
			}
		}
	}
}

static void test_round_by_hand(void **state)
{
	/* 10 units over 1/3 each: 3.33 each, the one left goes to the first. */
	const struct part thirds[] = { { .ns = 5 }, { .ns = 5 }, { .ns = 5 } };
	/* 3 units over 6:3:1 = 1.8, 0.9, 0.3: floors 1, 0, 0, then .9 and .8 take the rest. */
	const struct part uneven[] = { { .ns = 600 }, { .ns = 300 }, { .ns = 100 } };
	uint64_t out[3];

	(void)state;
	parts_round(thirds, 3, 10, out);
	assert_int_equal(out[0], 4);
	assert_int_equal(out[1], 3);
	assert_int_equal(out[2], 3);
	parts_round(uneven, 3, 3, out);
	assert_int_equal(out[0], 2);
	assert_int_equal(out[1], 1);
	assert_int_equal(out[2], 0);
	out[0] = 77;
	parts_round(NULL, 0, 0, out);
	assert_int_equal(out[0], 77);
}

static void test_sort_is_by_content(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS / 10; round++) {
		struct part a[LIST_MAX], b[LIST_MAX];
		size_t n = 2 + rnd() % (LIST_MAX - 2);
		struct parts pa = { a, n, n }, pb = { b, n, n };

		for (size_t i = 0; i < n; i++) {
			a[i] = random_part();
			a[i].ns %= 7; /* many ties */
			a[i].via = (uint32_t)i; /* identities differ, as in a list of parts_add() */
		}
		memcpy(b, a, sizeof(a[0]) * n);
		for (size_t i = n - 1; i > 0; i--) {
			size_t j = rnd() % (i + 1);
			struct part t = b[i];

			b[i] = b[j];
			b[j] = t;
		}
		parts_sort(&pa);
		parts_sort(&pb);
		for (size_t i = 0; i < n; i++) {
			assert_true(same_identity(&a[i], &b[i]));
			assert_true(i == 0 || a[i - 1].ns >= a[i].ns);
			if (i && a[i - 1].ns == a[i].ns)
				assert_true(a[i - 1].cause <= a[i].cause);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_keeps_sums),
		cmocka_unit_test(test_add_merges_only_equals),
		cmocka_unit_test(test_round_is_exact),
		cmocka_unit_test(test_round_by_hand),
		cmocka_unit_test(test_sort_is_by_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
