// SPDX-License-Identifier: GPL-2.0-only
/* Folded stacks follow flamegraph.pl's grammar, and their sum is the time of entry requests. */
#include <errno.h>
#include <locale.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "export/folded.h"
#include "unit/view_fixture.h"

static char *fold_kind(const struct snapshot *s, enum export_kind kind)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(export_folded(f, s, kind), 0);
	fclose(f);
	return text;
}

static char *fold(const struct snapshot *s)
{
	return fold_kind(s, EXPORT_WALL);
}

/* Checks every line; returns the sum of the counts. */
static uint64_t check_grammar(char *text)
{
	regex_t line_re, leaf_re;
	uint64_t sum = 0;
	char *save = NULL;

	assert_int_equal(regcomp(&line_re, "^[^;#][^;]*(;[^;]+)* [0-9]+$", REG_EXTENDED), 0);
	assert_int_equal(regcomp(&leaf_re, " [0-9]+ [0-9]+$", REG_EXTENDED), 0);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		assert_int_equal(regexec(&line_re, line, 0, NULL, 0), 0);
		assert_int_not_equal(regexec(&leaf_re, line, 0, NULL, 0), 0);
		sum += strtoull(strrchr(line, ' ') + 1, NULL, 10);
	}
	regfree(&line_re);
	regfree(&leaf_re);
	return sum;
}

/* What entry routes took: mean wall x completed requests. */
static uint64_t entry_us(const struct snapshot *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n_routes; i++)
		if (s->routes[i].entry)
			sum += s->routes[i].wall_us * s->routes[i].requests;
	return sum;
}

static void busy(void **state)
{
	struct snapshot *s = fixture_busy();
	char *text = fold(s);

	(void)state;
	assert_non_null(strstr(text, "nginx;GET /course/view.php;php-fpm;lock;flock sess_* "
				     "205440000\n")); /* 16,000 us x 12,840 */
	assert_non_null(strstr(text, "nginx;GET /my/;nginx;send 18060000\n")); /* no what */
	assert_null(strstr(text, "php-fpm;GET /my/;")); /* a joined child */
	assert_int_equal(check_grammar(text), entry_us(s));
	free(text);
	snapshot_free(s);
	intern_release();
}

static void hostile_and_empty(void **state)
{
	struct snapshot *s = fixture_hostile();
	char *text = fold(s);

	(void)state;
	assert_int_equal(check_grammar(text), entry_us(s));
	free(text);
	text = fold_kind(s, EXPORT_CPU);
	assert_int_equal(check_grammar(text), 7);
	free(text);
	text = fold_kind(s, EXPORT_OFF);
	assert_string_equal(text, "");
	free(text);
	snapshot_free(s);
	s = fixture_empty();
	text = fold(s);
	assert_string_equal(text, "");
	free(text);
	snapshot_free(s);
	intern_release();
}

static void equal_stacks_are_one_line(void **state)
{
	struct snapshot *s = fixture_busy();
	char *text;

	(void)state;
	s->routes[0].parts[0].what = s->routes[0].parts[1].what = intern_str("q 1");
	s->routes[0].parts[1].cause = CAUSE_DISK;
	text = fold(s);
	/* (191,000 + 63,000) us x 12,840; the leaf does not end in blank and digits */
	assert_non_null(strstr(text, "postgres;disk;q_1 3261360000\n"));
	free(text);
	snapshot_free(s);
	intern_release();
}

static void kernel_and_process(void **state)
{
	static const struct {
		uint16_t n_kernel;
		const char *text;
	} cases[] = {
		{ 0, "php-fpm;GET /my/;main;leaf 7\n" },
		{ 1, "php-fpm;GET /my/;main;-;leaf 7\n" },
		{ 2, "php-fpm;GET /my/;main;leaf 7\n" }, /* nothing to part */
	};
	struct snapshot *s = fixture_with_stacks(fixture_busy());
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s->stacks[0].n_kernel = cases[i].n_kernel;
		text = fold_kind(s, EXPORT_CPU);
		assert_string_equal(text, cases[i].text);
		free(text);
	}
	s->stacks[0].cause = CAUSE_SLEEP; /* what does not run waits */
	text = fold_kind(s, EXPORT_CPU);
	assert_string_equal(text, "");
	free(text);
	text = fold_kind(s, EXPORT_OFF);
	assert_non_null(strstr(text, "php-fpm;GET /my/;main;leaf 70000\n"));
	/* what no stack tells, by the breakdown */
	assert_non_null(strstr(text,
			       "nginx;POST /mod/quiz/attempt.php;[waits below 1 ms, or without a "
			       "stack];lock 934800000\n"));
	free(text);
	snapshot_free(s);
	intern_release();
}

static void full_disk(void **state)
{
	struct snapshot *s = fixture_busy();
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(f);
	assert_int_equal(export_folded(f, s, EXPORT_WALL), -ENOSPC);
	fclose(f);
	snapshot_free(s);
	intern_release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(busy),
		cmocka_unit_test(hostile_and_empty),
		cmocka_unit_test(equal_stacks_are_one_line),
		cmocka_unit_test(kernel_and_process),
		cmocka_unit_test(full_disk),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
