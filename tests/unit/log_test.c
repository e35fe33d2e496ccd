// SPDX-License-Identifier: GPL-2.0-only
/* Diagnostics as printed, hints that are used up, and the table of codes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"

static char *text;
static size_t text_len;
static FILE *stream;

static int setup(void **state)
{
	(void)state;
	stream = open_memstream(&text, &text_len);
	log_set_stream(stream);
	return stream ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	log_set_stream(NULL);
	log_set_quiet(false);
	log_set_verbose(false);
	fclose(stream);
	free(text);
	return 0;
}

static void test_error_with_hints(void **state)
{
	(void)state;
	log_hint(LOG_WHERE, "uid %d", 1000);
	log_hint(LOG_EFFECT, "no data");
	assert_int_equal(log_error(LOG_NOT_ROOT, "cannot load: %s", "EPERM"), EXIT_PRIVILEGE);
	assert_string_equal(text, "tardy: error[T0002]: cannot load: EPERM\n"
				  "  --> uid 1000\n"
				  "  = effect: no data\n"
				  "  = fix: run as root: sudo tardy ..."
				  "     (details: tardy explain T0002)\n");
	/* The hints are gone with it. */
	log_error(LOG_CLOSED_PIPE, "x");
	assert_non_null(strstr(text, "tardy: error[T0017]: x\n"
				     "  = effect: the rest was not written\n"
				     "  = details: tardy explain T0017\n"));
}

static void test_quiet_and_verbose(void **state)
{
	(void)state;
	log_set_quiet(true);
	log_hint(LOG_WHERE, "stale");
	log_warn(LOG_TRUNCATED, "silent");
	log_info("silent");
	log_verbose("silent");
	fflush(stream);
	assert_int_equal(text_len, 0);
	assert_int_equal(log_error(LOG_USAGE, "loud"), EXIT_USAGE);
	assert_null(strstr(text, "stale"));
	log_set_quiet(false);
	log_set_verbose(true);
	log_verbose("said %d", 1);
	log_warn(LOG_TRUNCATED, "cut");
	assert_non_null(strstr(text, "tardy: said 1\ntardy: warning[T0015]: cut\n"));
}

static void test_control_characters(void **state)
{
	(void)state;
	log_hint(LOG_WHERE, "a\x1b]0;b\x07");
	log_error(LOG_USAGE, "x\ny\x7f\xc3\xa4");
	assert_non_null(strstr(text, "x?y?\xc3\xa4\n  --> a?]0;b?\n"));
}

static void test_explain(void **state)
{
	(void)state;
	assert_int_equal(log_explain(stream, "T0012"), 0);
	fflush(stream);
	assert_memory_equal(text, "T0012\nCPU samples come from perf_event_open().", 43);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 80);
	assert_int_equal(log_explain(stream, "t12"), 0);
	assert_int_equal(log_explain(stream, "12"), 0);
	assert_int_equal(log_explain(stream, "T9999"), -ENOENT);
	assert_int_equal(log_explain(stream, "T0012x"), -ENOENT);
	assert_int_equal(log_explain(stream, ""), -ENOENT);
	assert_int_equal(log_explain(stream, "T-1"), -ENOENT);
}

/* Numbers are unique, so that explain cannot answer with another code's text. */
static void test_codes_are_unique(void **state)
{
	static const int numbers[] = {
#define X(id, number, exit_status, effect, fix, explanation) number,
		LOG_CODES(X)
#undef X
	};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(numbers[i], numbers[j]);
	assert_int_equal(log_exit_status(LOG_LOST), EXIT_LOST);
	assert_int_equal(log_exit_status(LOG_NO_PID), EXIT_TARGET_GONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_error_with_hints, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quiet_and_verbose, setup, teardown),
		cmocka_unit_test_setup_teardown(test_control_characters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_explain, setup, teardown),
		cmocka_unit_test(test_codes_are_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
