// SPDX-License-Identifier: GPL-2.0-only
/* A speedscope file is JSON whatever the names are, and says when it could not be written. What
 * it must hold is checked against its schema in tests/golden/stacks.sh. */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "export/speedscope.h"
#include "unit/view_fixture.h"
#include "unit/view_json_check.h"

static char *scope(const struct snapshot *s, enum export_kind kind)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(export_speedscope(f, s, kind), 0);
	fclose(f);
	text[len - 1] = '\0'; /* one line */
	assert_true(json_check(text));
	return text;
}

static void profiles_by_service(void **state)
{
	struct snapshot *s = fixture_busy();
	char *text;

	(void)state;
	s->routes[1].service = intern_str("apache2");
	text = scope(s, EXPORT_WALL);
	/* by name; of the three parts of the quiz */
	assert_non_null(strstr(text, "\"profiles\":[{\"type\":\"sampled\",\"name\":\"apache2\","
				     "\"unit\":\"microseconds\",\"samples\":[["));
	assert_non_null(strstr(text, "\"weights\":[934800000,729600000,435480000],"
				     "\"startValue\":0,\"endValue\":2099880000},"
				     "{\"type\":\"sampled\",\"name\":\"nginx\","));
	assert_null(strstr(text, "\"name\":\"php-fpm\",\"unit\"")); /* joined children only */
	free(text);
	text = scope(s, EXPORT_CPU);
	assert_non_null(strstr(text, "\"shared\":{\"frames\":[]},\"profiles\":[]}"));
	free(text);
	snapshot_free(s);
	intern_release();
}

static void sums_do_not_wrap(void **state)
{
	struct snapshot *s = fixture_with_stacks(fixture_busy());
	char *text;

	(void)state;
	s->routes[0].counted = s->routes[1].counted = UINT64_MAX;
	text = scope(s, EXPORT_WALL);
	assert_non_null(strstr(text, "\"endValue\":18446744073709551615}"));
	free(text);
	text = scope(s, EXPORT_CPU);
	assert_non_null(strstr(text, "{\"frames\":[{\"name\":\"GET /my/\"},{\"name\":\"main\"},"
				     "{\"name\":\"leaf\"}]},\"profiles\":[{\"type\":\"sampled\","
				     "\"name\":\"php-fpm\",\"unit\":\"none\",\"samples\":[[0,1,2]],"
				     "\"weights\":[7],\"startValue\":0,\"endValue\":7}]}"));
	free(text);
	snapshot_free(s);
	intern_release();
}

static void hostile_names(void **state)
{
	struct snapshot *s = fixture_hostile();

	(void)state;
	for (int kind = EXPORT_CPU; kind <= EXPORT_WALL; kind++)
		free(scope(s, (enum export_kind)kind));
	snapshot_free(s);
	intern_release();
}

static void full_disk(void **state)
{
	struct snapshot *s = fixture_busy();
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(f);
	assert_int_equal(export_speedscope(f, s, EXPORT_WALL), -ENOSPC);
	fclose(f);
	snapshot_free(s);
	intern_release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_by_service),
		cmocka_unit_test(sums_do_not_wrap),
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(full_disk),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
