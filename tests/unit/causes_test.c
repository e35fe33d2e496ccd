// SPDX-License-Identifier: GPL-2.0-only
/* The causes' table: what is printed for each, and that letters cannot be confused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "account/causes.h"

static void test_names_are_the_vocabulary(void **state)
{
	static const char *const names[] = {
		"queue",    "loop",  "recv",  "send",  "cpu",     "runq",
		"throttle", "disk",  "fault", "lock",  "db",      "cache",
		"upstream", "sleep", "ipc",   "other", "unknown",
	};
	static const char letters[] = "wenncrtkflqqusio?";

	(void)state;
	assert_int_equal(CAUSE_COUNT, sizeof(names) / sizeof(names[0]));
	for (int i = 0; i < CAUSE_COUNT; i++) {
		assert_string_equal(cause_name((enum cause)i), names[i]);
		assert_int_equal(cause_letter((enum cause)i), letters[i]);
		assert_true(strlen(cause_help((enum cause)i)) > 0);
	}
}

static void test_out_of_range_is_unknown(void **state)
{
	static const int bad[] = { -1, CAUSE_COUNT, 255, 1 << 30 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_string_equal(cause_name((enum cause)bad[i]), "unknown");
		assert_int_equal(cause_letter((enum cause)bad[i]), '?');
		assert_string_equal(cause_help((enum cause)bad[i]), cause_help(CAUSE_UNKNOWN));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_the_vocabulary),
		cmocka_unit_test(test_out_of_range_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
