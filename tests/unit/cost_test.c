// SPDX-License-Identifier: GPL-2.0-only
/* The windows and the arithmetic of tardy's own cost, with a kernel that is played. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "probe/cost.h"

#define MS 1000000ull

/* Programs that run at fixed rates; their time is only counted while statistics are on. */
struct played {
	uint64_t now_ns, on_since_ns;
	bool on;
	int enable_error;
	unsigned enabled, disabled;
	double ns_per_run[2], runs_per_ms[2];
	struct probe_run counted[2];
};

static void play_until(struct played *k, uint64_t now_ns)
{
	double ms = (double)(now_ns - k->now_ns) / (double)MS;

	for (size_t i = 0; k->on && i < 2; i++) {
		k->counted[i].runs += (uint64_t)(ms * k->runs_per_ms[i]);
		k->counted[i].ns += (uint64_t)(ms * k->runs_per_ms[i] * k->ns_per_run[i]);
	}
	k->now_ns = now_ns;
}

static int played_enable(void *ctx, bool on)
{
	struct played *k = ctx;

	if (on && k->enable_error)
		return k->enable_error;
	assert_int_not_equal(k->on, on);
	k->on = on;
	*(on ? &k->enabled : &k->disabled) += 1;
	return 0;
}

static size_t played_runs(void *ctx, struct probe_run *out, size_t cap)
{
	struct played *k = ctx;

	assert_true(cap >= 2);
	/* the order is not promised */
	out[0] = k->counted[k->enabled % 2];
	out[1] = k->counted[1 - k->enabled % 2];
	return 2;
}

static struct played a_kernel(void)
{
	/* 50 runs/ms of an empty one at 60 ns, 100 runs/ms at 160 ns: 100 net x 100 = 10 us/ms */
	return (struct played){
		.ns_per_run = { 60, 160 },
		.runs_per_ms = { 50, 100 },
		.counted = { { .program = "a", .runs = 7, .ns = 9 },
			     { .program = "b", .runs = 3, .ns = 5 } },
	};
}

static void test_net(void **state)
{
	const struct probe_run from[] = { { "a", 0, 0 }, { "b", 1000, 500000 }, { "gone", 5, 5 } };
	struct probe_run to[] = { { "b", 1200, 540000 },
				  { "new", 900, 90000 },
				  { "a", 1000, 50000 } };
	double floor_ns;

	(void)state;
	/* a: 50 ns a run, the floor; b: 200 x (200 - 50); "new" was not there before */
	assert_int_equal(cost_net_ns(from, 3, to, 3, &floor_ns), 30000);
	assert_true(floor_ns > 49.99 && floor_ns < 50.01);
	/* a ran too seldom for a floor, and b is not cheap: 70; b: 200 x 130; a: 99 x (50 - 70) < 0 */
	to[2] = (struct probe_run){ "a", 99, 99 * 50 };
	assert_int_equal(cost_net_ns(from, 3, to, 3, &floor_ns), 26000);
	assert_true(floor_ns > 69.99 && floor_ns < 70.01);
	/* none ran often enough: gross */
	to[0] = (struct probe_run){ "b", 1010, 502000 };
	assert_int_equal(cost_net_ns(from, 3, to, 3, &floor_ns), 2000 + 99 * 50);
	assert_true(floor_ns < 0.01);
	/* at rest, and counters that went back */
	assert_int_equal(cost_net_ns(from, 3, from, 3, &floor_ns), 0);
	to[0] = (struct probe_run){ "b", 1, 1 };
	assert_int_equal(cost_net_ns(from, 2, to, 1, &floor_ns), 0);
	assert_int_equal(cost_net_ns(from, 0, to, 0, &floor_ns), 0);
}

static uint64_t step_until(struct cost *c, struct played *k, uint64_t to_ms, uint64_t tick_ms)
{
	const struct cost_source source = { played_enable, played_runs, k };
	uint64_t probe_ns = 0, before = 0;

	for (uint64_t ms = k->now_ns / MS + tick_ms; ms <= to_ms; ms += tick_ms) {
		play_until(k, ms * MS);
		cost_step(c, &source, ms * MS, &probe_ns);
		assert_true(probe_ns >= before);
		before = probe_ns;
	}
	return probe_ns;
}

static void test_windows(void **state)
{
	struct played k = a_kernel();
	const struct cost_source source = { played_enable, played_runs, &k };
	struct cost *c = cost_new();
	uint64_t ns;

	(void)state;
	assert_non_null(c);
	k.now_ns = 1000 * MS; /* the first step is at 1.0 s */
	assert_int_equal(cost_step(c, &source, k.now_ns, &ns), 0);
	assert_int_equal(ns, 0);
	assert_int_equal(step_until(c, &k, 1200, 100), 0);
	assert_int_equal(k.enabled, 0);
	step_until(c, &k, 1300, 100);
	assert_true(k.on);
	assert_int_equal(step_until(c, &k, 1400, 100), 0);
	/* the window ends at 1.5 s and stands for the half second since the start: 500 x 10 us */
	assert_in_range(step_until(c, &k, 1500, 100), 4999000, 5001000);
	assert_false(k.on);
	/* 10 us each ms until the next window, 10 s after the first one began */
	assert_in_range(step_until(c, &k, 11200, 100), 101990000, 102010000);
	assert_int_equal(k.enabled, 1);
	step_until(c, &k, 11300, 100);
	assert_true(k.on);
	/* at rest from here on: the old rate until the window has seen it, then nothing */
	k.runs_per_ms[0] = k.runs_per_ms[1] = 0;
	ns = step_until(c, &k, 11500, 100);
	assert_false(k.on);
	assert_int_equal(k.disabled, 2);
	assert_in_range(ns, 104990000, 105010000);
	assert_int_equal(step_until(c, &k, 21200, 100), ns);
	cost_free(c);
}

/* A collector that was held up: windows are longer, the rate is the same. */
static void test_late_ticks(void **state)
{
	struct played k = a_kernel();
	const struct cost_source source = { played_enable, played_runs, &k };
	struct cost *c = cost_new();
	uint64_t ns;

	(void)state;
	cost_step(c, &source, 0, &ns);
	/* begins at 3 s, ends at 6 s: 6000 x 10 us */
	assert_in_range(step_until(c, &k, 6000, 3000), 59999000, 60001000);
	/* the clock read before the last step's is no reason to go back */
	assert_int_equal(cost_step(c, &source, 5000 * MS, &ns), 0);
	assert_in_range(ns, 59999000, 60001000);
	cost_free(c);
}

static void test_refused(void **state)
{
	struct played k = a_kernel();
	const struct cost_source source = { played_enable, played_runs, &k };
	struct cost *c = cost_new();
	uint64_t ns;

	(void)state;
	k.enable_error = -EPERM;
	cost_step(c, &source, 0, &ns);
	assert_int_equal(step_until(c, &k, 1000, 100), 0);
	assert_int_equal(cost_step(c, &source, 1000 * MS, &ns), -EPERM);
	assert_int_equal(k.enabled, 0);
	/* tried again 10 s after 0.3 s, and all the time is charged */
	k.enable_error = 0;
	step_until(c, &k, 10200, 100);
	assert_int_equal(k.enabled, 0);
	assert_in_range(step_until(c, &k, 10500, 100), 104990000, 105010000);
	assert_int_equal(cost_step(c, &source, 10500 * MS, &ns), 0);
	cost_free(c);
}

static void test_own(void **state)
{
	struct cost *c = cost_new();
	uint64_t cpu, probe, rss, cpu2, rss2;
	volatile uint64_t turns = 0;

	(void)state;
	assert_int_equal(cost_sample(c, NULL, 0, &cpu, &probe, &rss), 0);
	assert_int_equal(probe, 0);
	assert_true(rss > 100 * 1024);
	cpu2 = cpu;
	for (unsigned i = 0; i < 2000 && cpu2 < cpu + 5 * MS; i++) {
		for (turns = 0; turns < 100000;)
			turns++;
		assert_int_equal(cost_sample(c, NULL, i, &cpu2, &probe, &rss2), 0);
	}
	assert_true(cpu2 >= cpu + 5 * MS);
	cost_free(c);
	assert_int_equal(cost_parse_statm("331 123 99 1 0 2 0\n", 4096), 123 * 4096);
	assert_int_equal(cost_parse_statm("331", 4096), 0);
	assert_int_equal(cost_parse_statm("", 4096), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_net),        cmocka_unit_test(test_windows),
		cmocka_unit_test(test_late_ticks), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
