// SPDX-License-Identifier: GPL-2.0-only
/* How much is read of what processes say of themselves: all of them, and one that says much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sym/read_budget.h"

#define S 1000000000ull
#define MIB (1ull << 20)

/* One process has 32 MiB that change all the time, and asks for them each 10 ms. */
static void one_that_says_much(void **state)
{
	struct read_budget b = { .per_s = 2 * MIB };
	struct read_turn t = { 0 };
	uint64_t bytes = 0;

	(void)state;
	for (uint64_t now = S; now < 1001 * S; now += S / 100)
		if (!read_just_done(&t, S, now) && read_may(&b, &t, 32 * MIB, now)) {
			read_done(&b, &t, 32 * MIB, now);
			bytes += 32 * MIB;
		}
	/* a quarter of what all may, and the last one over it */
	assert_true(bytes <= 1000 * 2 * MIB / READ_SHARE + 32 * MIB);
	assert_true(bytes >= 1000 * 2 * MIB / READ_SHARE - 32 * MIB);
	assert_true(b.put_off > 80000);
}

/* A thousand of them, and one that has little. */
static void a_thousand_and_one(void **state)
{
	enum { N = 1000 };
	static struct read_turn t[N];
	struct read_budget b = { .per_s = 2 * MIB };
	struct read_turn small = { 0 };
	uint64_t bytes = 0, smalls = 0;

	(void)state;
	for (uint64_t now = S; now < 1001 * S; now += S / 10) {
		for (int i = 0; i < N; i++)
			if (!read_just_done(&t[i], S, now) && read_may(&b, &t[i], MIB, now)) {
				read_done(&b, &t[i], MIB, now);
				bytes += MIB;
			}
		if (!read_just_done(&small, S, now) && read_may(&b, &small, 4096, now)) {
			read_done(&b, &small, 4096, now);
			smalls++;
		}
	}
	assert_true(bytes <= 1000 * MIB + 2 * MIB);
	assert_true(bytes >= 1000 * MIB - 2 * MIB);
	assert_int_equal(smalls, 1000); /* each second, as if it were alone */
}

/* One that has little is read as often as it wants, and that it was just read is not put off. */
static void one_that_says_little(void **state)
{
	struct read_budget b = { .per_s = 2 * MIB };
	struct read_turn t = { 0 };
	int n = 0;

	(void)state;
	for (uint64_t now = S; now < 101 * S; now += S / 10)
		if (!read_just_done(&t, S, now) && read_may(&b, &t, 4096, now)) {
			read_done(&b, &t, 4096, now);
			n++;
		}
	assert_int_equal(n, 100);
	assert_int_equal(b.put_off, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_says_much),
		cmocka_unit_test(a_thousand_and_one),
		cmocka_unit_test(one_that_says_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
