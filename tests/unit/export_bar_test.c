// SPDX-License-Identifier: GPL-2.0-only
/* Bars are as wide as asked, in the order of the causes, in proportion. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "export/cause_bar.h"
#include "unit/view_fixture.h"

static void by_hand(void **state)
{
	double w[CAUSE_COUNT] = { 0 };
	char bar[64];

	(void)state;
	/* 10 letters: cpu 5.5, disk 3.3, unknown 1.2 -> 5, 3, 1 and one left for the .5 */
	w[CAUSE_CPU] = 55;
	w[CAUSE_DISK] = 33;
	w[CAUSE_UNKNOWN] = 12;
	cause_bar(w, 10, bar);
	assert_string_equal(bar, "cccccckkk?");
	/* recv and send share n, db and cache share q */
	memset(w, 0, sizeof(w));
	w[CAUSE_RECV] = w[CAUSE_SEND] = w[CAUSE_DB] = w[CAUSE_CACHE] = 1;
	cause_bar(w, 4, bar);
	assert_string_equal(bar, "nnqq");
	/* a tie of remainders goes to the first cause */
	memset(w, 0, sizeof(w));
	w[CAUSE_QUEUE] = w[CAUSE_CPU] = 1;
	cause_bar(w, 3, bar);
	assert_string_equal(bar, "wwc");
}

static void nothing_and_nonsense(void **state)
{
	double w[CAUSE_COUNT] = { 0 };
	char bar[64];

	(void)state;
	cause_bar(w, 20, bar);
	assert_string_equal(bar, "");
	w[CAUSE_CPU] = NAN;
	w[CAUSE_DISK] = -3;
	w[CAUSE_LOCK] = INFINITY;
	cause_bar(w, 20, bar);
	assert_string_equal(bar, "");
	w[CAUSE_DB] = 1e-300;
	cause_bar(w, 5, bar);
	assert_string_equal(bar, "qqqqq");
	cause_bar(w, 0, bar);
	assert_string_equal(bar, "");
}

static void width_is_exact(void **state)
{
	unsigned seed = 12345;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		double w[CAUSE_COUNT], sum = 0;
		unsigned width = (unsigned)round % 97 + 1, count[CAUSE_COUNT] = { 0 };
		char bar[128];

		for (int c = 0; c < CAUSE_COUNT; c++) {
			seed = seed * 1103515245 + 12345;
			w[c] = seed >> 16 & 1 ? (seed >> 4) % 1000000 : 0;
			sum += w[c];
		}
		if (sum == 0)
			continue;
		cause_bar(w, width, bar);
		assert_int_equal(strlen(bar), width);
		/* each letter within one of its exact share, summed over causes that share it */
		for (const char *p = bar; *p; p++)
			count[(size_t)(*p == '?' ? CAUSE_UNKNOWN : 0)]++;
		assert_true(fabs(count[CAUSE_UNKNOWN] - w[CAUSE_UNKNOWN] / sum * width) < 1.0001);
	}
}

static void route_without_completed_requests(void **state)
{
	struct snapshot *s = fixture_busy();
	struct snap_part waiting[CAUSE_BAR_WAITING_MAX];
	double w[CAUSE_COUNT];
	uint64_t sum_us;
	char bar[64];

	(void)state;
	cause_bar_route(&s->routes[3], w); /* 40 s/s of lock, 1 of cpu */
	cause_bar(w, 41, bar);
	assert_int_equal(bar[0], 'c');
	assert_int_equal(strspn(bar + 1, "l"), 40);
	assert_int_equal(cause_bar_waiting(s, &s->routes[3], waiting, &sum_us), 2);
	assert_int_equal(waiting[0].cause, CAUSE_LOCK);
	assert_int_equal(waiting[0].us + waiting[1].us, sum_us);
	assert_int_equal(sum_us, 41000000);
	snapshot_free(s);
	intern_release();
}

static void every_letter_has_a_readable_color(void **state)
{
	(void)state;
	for (int c = 0; c < CAUSE_COUNT; c++) {
		int color = cause_bar_color(cause_letter((enum cause)c));

		assert_true(color >= 1 && color <= 15 && color != 8);
	}
}

/* What stands beside each other and is easily confused must not have one colour, nor two that
 * differ by red against green alone (1 and 2, 9 and 10). */
static void neighbours_have_distinct_colors(void **state)
{
	static const char *const groups[] = { "rtq", "weu", "kf" };

	(void)state;
	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
		for (const char *a = groups[g]; *a; a++)
			for (const char *b = a + 1; *b; b++) {
				int x = cause_bar_color(*a), y = cause_bar_color(*b);

				assert_int_not_equal(x, y);
				assert_false((x % 8 == 1 && y % 8 == 2) ||
					     (x % 8 == 2 && y % 8 == 1));
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hand),
		cmocka_unit_test(nothing_and_nonsense),
		cmocka_unit_test(width_is_exact),
		cmocka_unit_test(route_without_completed_requests),
		cmocka_unit_test(every_letter_has_a_readable_color),
		cmocka_unit_test(neighbours_have_distinct_colors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
