// SPDX-License-Identifier: GPL-2.0-only
/* How long a collector rests: a quarter of what would fill a ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probe/pace.h"

static void quiet(void **state)
{
	(void)state;
	assert_int_equal(pace_ns(0, 25000000, 8 << 20), PACE_MAX_NS);
	assert_int_equal(pace_ns(4096, 25000000, 8 << 20), PACE_MAX_NS);
	/* a quarter of the ring in one interval: as it is */
	assert_int_equal(pace_ns(2 << 20, 25000000, 8 << 20), PACE_MAX_NS);
}

static void busy(void **state)
{
	(void)state;
	/* the ring was nearly full: a quarter of the interval */
	assert_int_equal(pace_ns(8 << 20, 24000000, 8 << 20), 6000000);
	/* and again, at the same rate */
	assert_int_equal(pace_ns(2 << 20, 6000000, 8 << 20), 6000000);
	/* the load has halved */
	assert_int_equal(pace_ns(1 << 20, 6000000, 8 << 20), 12000000);
	assert_int_equal(pace_ns(1 << 30, 1000000, 64 << 10), PACE_MIN_NS);
	assert_int_equal(pace_ns(UINT64_MAX, 0, 4096), PACE_MIN_NS);
}

static void sweeps(void **state)
{
	(void)state;
	assert_int_equal(pace_sweep_ns(0), 100000000);
	assert_int_equal(pace_sweep_ns(1000000), 100000000);
	/* 19,000 connections of nobody: 11 ms */
	assert_int_equal(pace_sweep_ns(11000000), 704000000);
	assert_int_equal(pace_sweep_ns(UINT64_MAX), 2000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet),
		cmocka_unit_test(busy),
		cmocka_unit_test(sweeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
