// SPDX-License-Identifier: GPL-2.0-only
/* How many sockets there are, as the kernel says it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probe/sweep.h"

static void test_count(void **state)
{
	static const char v4[] = "sockets: used 38211\n"
				 "TCP: inuse 19010 orphan 0 tw 321 alloc 38012 mem 19\n"
				 "UDP: inuse 2 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\n"
				 "FRAG: inuse 0 memory 0\n";
	static const char v6[] = "TCP6: inuse 19002\nUDP6: inuse 1\n";
	struct sweep_sockets n = sweep_count(v4, v6);

	(void)state;
	assert_int_equal(n.tcp, 19010 + 19002 + 321);
	assert_int_equal(n.others, 38211 - 19010 - 19002);
	n = sweep_count(v4, "");
	assert_int_equal(n.tcp, 19010 + 321);
	/* files that are not there, or say nothing */
	n = sweep_count("", "");
	assert_int_equal(n.tcp, 0);
	assert_int_equal(n.others, 0);
	n = sweep_count("sockets: used 1\nTCP: inuse 7 orphan 0 tw", v6);
	assert_int_equal(n.tcp, 19009);
	assert_int_equal(n.others, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
