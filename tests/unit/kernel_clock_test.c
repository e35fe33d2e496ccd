// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's clock: what a time namespace shifts, and that nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/kernel_clock.h"

static void test_offsets(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "monotonic           0         0\nboottime            0         0\n", 0 },
		{ "monotonic     1000000         5\nboottime      2000000         6\n",
		  1000000000000005 },
		{ "monotonic          -3 500000000\nboottime            0         0\n",
		  -2500000000 },
		{ "boottime 1 2\nmonotonic 3 4\n", 3000000004 },
		{ "", 0 },
		{ "boottime 1 2\n", 0 },
		{ "monotonic", 0 },
		{ "monotonic 7", 0 },
		{ "monotonic x y\n", 0 },
		{ "monotonic 1 -1\n", 0 },
		{ "monotonic 1 1000000000\n", 0 },
		{ "monotonic 9999999999999999999 0\n", 0 },
		{ "monotonic -9999999999999999999 0\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (kernel_clock_offset_ns(cases[i].text) != cases[i].ns)
			fail_msg("case %zu: %lld", i,
				 (long long)kernel_clock_offset_ns(cases[i].text));
}

static void test_goes_on(void **state)
{
	uint64_t before = kernel_clock_ns(), now;

	(void)state;
	for (int i = 0; i < 100000; i++, before = now) {
		now = kernel_clock_ns();
		assert_true(now >= before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
