// SPDX-License-Identifier: GPL-2.0-only
/* Lists of processors as the kernel writes them, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>

#include "probe/cpus.h"

enum { N = 12 };

static void is(const char *list, const char *want)
{
	bool online[N];

	memset(online, 1, sizeof(online));
	assert_int_equal(cpus_parse(list, online, N), 0);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(online[i], want[i] == '1');
}

static void test_lists(void **state)
{
	(void)state;
	is("0\n", "100000000000");
	is("0-1\n", "110000000000");
	is("0,2-3,11\n", "101100000001");
	is("1", "010000000000");
	/* more than there is room for */
	is("10-4294967295,7\n", "000000010011");
}

static void test_none(void **state)
{
	static const char *const none[] = { "",     "\n", "-1",  "0-",  "3-1", "0,",
					    "0,,1", "a",  "0 1", "0x1", "0-a", "0\n1" };
	bool online[N] = { true, false, true };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		assert_int_equal(cpus_parse(none[i], online, N), -EINVAL);
		assert_true(online[0] && !online[1] && online[2]);
	}
}

static void test_file(void **state)
{
	char path[] = "/tmp/cpus_test.XXXXXX";
	int fd = mkstemp(path);
	bool online[N];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "0-3\n", 4), 4);
	close(fd);
	assert_int_equal(cpus_read(path, online, N), 0);
	assert_true(online[3] && !online[4]);
	unlink(path);
	assert_int_equal(cpus_read(path, online, N), -ENOENT);
	assert_int_equal(cpus_read(CPUS_ONLINE_PATH, online, N), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
