// SPDX-License-Identifier: GPL-2.0-only
/* Detection: each protocol by its first bytes, others by none, and never two answers for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "proto/detect.h"
#include "guard.h"

static const struct {
	struct slice head;
	enum proto proto;
} samples[] = {
	{ SLICE_LIT("GET /course/view.php?id=2 HTTP/1.1\r\nHost: a\r\n\r\n"), PROTO_HTTP1 },
	{ SLICE_LIT("POST / HTTP/1.0\r\n"), PROTO_HTTP1 },
	{ SLICE_LIT("\r\nHEAD http://a.test/ HTTP/1.1\r\n"), PROTO_HTTP1 },
	{ SLICE_LIT("OPTIONS * HTTP/1.1\r\n"), PROTO_HTTP1 },
	{ SLICE_LIT("CONNECT a:443 HTTP/1.1\r\n"), PROTO_HTTP1 },
	{ SLICE_LIT("GET /a/target/that/does/not/end"), PROTO_HTTP1 },
	{ SLICE_LIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), PROTO_HTTP2 },
	{ SLICE_LIT("\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0\1\4\0\1\0\0\0\0"), PROTO_FASTCGI },
	{ SLICE_LIT("\0\0\0\x08\x04\xd2\x16\x2f"), PROTO_PGSQL },
	{ SLICE_LIT("\0\0\0\x08\x04\xd2\x16\x2f\x16\x03\x01"), PROTO_PGSQL },
	{ SLICE_LIT("\0\0\0\x17\0\3\0\0user\0postgres\0\0"), PROTO_PGSQL },
	{ SLICE_LIT("Q\0\0\0\x0dSELECT 1\0"), PROTO_PGSQL },
	{ SLICE_LIT("Q\0\0\x10\0SELECT * FROM t WHERE"), PROTO_PGSQL },
	{ SLICE_LIT("P\0\0\0\x10\0SELECT 1\0\0\0"), PROTO_PGSQL },
	{ SLICE_LIT("B\0\0\0\x0c\0\0\0\0\0\0\0\0E\0\0\0\x09\0\0\0\0\0S\0\0\0\4"), PROTO_PGSQL },
	{ SLICE_LIT("d\0\0\0\x07"
		    "1\t2S\0\0\0\4"),
	  PROTO_PGSQL },
	/* not sure yet */
	{ SLICE_LIT(""), PROTO_UNKNOWN },
	{ SLICE_LIT("GE"), PROTO_UNKNOWN },
	{ SLICE_LIT("GET "), PROTO_UNKNOWN },
	{ SLICE_LIT("GET key"), PROTO_UNKNOWN },
	{ SLICE_LIT("\1\1\0\1\0\10\0"), PROTO_UNKNOWN },
	{ SLICE_LIT("Q\0\0"), PROTO_UNKNOWN },
	{ SLICE_LIT("d\0\0\0\x07"
		    "1\t2"),
	  PROTO_UNKNOWN },
	/* other protocols */
	{ SLICE_LIT("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"), PROTO_UNKNOWN }, /* TLS */
	{ SLICE_LIT("*1\r\n$4\r\nPING\r\n"), PROTO_UNKNOWN }, /* Redis */
	{ SLICE_LIT("PING\r\n"), PROTO_UNKNOWN },
	{ SLICE_LIT("get key\r\n"), PROTO_UNKNOWN }, /* memcached */
	{ SLICE_LIT("Q\0\0\0\x03SELECT aaaaaaaaaaaaaaaaaaaaa"), PROTO_UNKNOWN }, /* MySQL */
	{ SLICE_LIT("P\0\0\0\x17\1\0\0\0\0\1\0\0\0aaaaaaaaaaaaaaa"), PROTO_UNKNOWN },
	{ SLICE_LIT("SSH-2.0-OpenSSH_9.2\r\n"), PROTO_UNKNOWN },
	{ SLICE_LIT("EHLO a.test\r\n"), PROTO_UNKNOWN },
	{ SLICE_LIT("Q\0\0\0\x0d\1\2\3\4\5\6\7\x0e\0"), PROTO_UNKNOWN },
};

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		assert_int_equal(proto_detect(samples[i].head), samples[i].proto);
}

static void prefixes(void **state)
{
	struct guard g;

	(void)state;
	guard_init(&g, 256);
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		for (size_t n = 0; n <= samples[i].head.len; n++) {
			enum proto p = proto_detect(guard_place(&g, samples[i].head.ptr, n));

			assert_true(p == PROTO_UNKNOWN || p == samples[i].proto);
		}
	}
	guard_release(&g);
}

/* Of a million random heads that begin with a possible type byte, (nearly) none is taken. */
static void random_bytes(void **state)
{
	static const char types[] = "QPBDESHCdcfFpX\1G";
	uint64_t x = 88172645463325252;
	unsigned int taken = 0;

	(void)state;
	for (int i = 0; i < 1000000; i++) {
		char head[32];

		for (size_t j = 0; j < sizeof(head); j += 8) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			memcpy(head + j, &x, 8);
		}
		head[0] = types[i % (sizeof(types) - 1)];
		taken += proto_detect((struct slice){ head, sizeof(head) }) != PROTO_UNKNOWN;
	}
	assert_true(taken < 10);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(proto_name(PROTO_UNKNOWN), "unknown");
	assert_string_equal(proto_name(PROTO_HTTP1), "http");
	assert_string_equal(proto_name(PROTO_FASTCGI), "fastcgi");
	assert_string_equal(proto_name(PROTO_PGSQL), "postgresql");
	assert_string_equal(proto_name(PROTO_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
