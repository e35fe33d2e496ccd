// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hashes under the key of a run: SipHash-1-3 as others compute it, another key in each run, and
 * tables that stay fast on inputs made to collide under hashes without a key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/intern.h"
#include "base/table.h"

/* Of the inputs "", 00, 00 01, ... under the key 00 01 .. 0f: the set-up of SipHash's own test
 * vectors, with one round and three (Rust's and CPython's hashes are of this form). */
static const uint64_t vectors[] = {
	0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d, 0x8bf80ab8e7ddf7fb,
	0xcf75576088d38328, 0xdef9d52f49533b67, 0xc50d2b50c59f22a7, 0xd3927d989bb11140,
	0x369095118d299a8e, 0x25a48eb36c063de4, 0x79de85ee92ff097f, 0x70c118c1f94dc352,
	0x78a384b157b4d9a2, 0x306f760c1229ffa7, 0x605aa111c0f95d34, 0xd320d86d2a519956,
	0xcc4fdd1a7d908b66, 0x9cf2689063dbd80c, 0x8ffc389cb473e63e, 0xf21f9de58d297d1c,
	0xc0dc2f46a6cce040, 0xb992abfe2b45f844, 0x7ffe7b9ba320872e, 0x525a0e7fdae6c123,
	0xf464aeb267349c8c, 0x45cd5928705b0979, 0x3a3e35e3ca9913a5, 0xa91dc74e4ade3b35,
	0xfb0bed02ef6cd00d, 0x88d93cb44ab1e1f4, 0x540f11d643c5e663, 0x2370dd1f8c21d1bc,
};

static void test_vectors(void **state)
{
	static const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	static const uint64_t no_key[2];
	unsigned char in[sizeof(vectors) / sizeof(vectors[0])];

	(void)state;
	for (size_t n = 0; n < sizeof(in); n++) {
		in[n] = (unsigned char)n;
		assert_true(hash_siphash13(key, in, n) == vectors[n]);
	}
	/* CPython 3.11: PYTHONHASHSEED=0, hash(b"\0") */
	assert_true(hash_siphash13(no_key, in, 1) == 0x68a914128e01e473);
}

static void test_numbers_and_bytes(void **state)
{
	uint64_t v = 0x1122334455667788, other = 0x1122334455667789;

	(void)state;
	assert_true(hash_u64(v) == hash_bytes(&v, sizeof(v)));
	assert_true(hash_u64(v) == hash_u64(v));
	assert_true(hash_u64(v) != hash_u64(other));
}

static char *self;

/* The hash of a text in another run of this program. */
static uint64_t hash_elsewhere(void)
{
	char command[512], line[32] = "";
	FILE *f;

	snprintf(command, sizeof(command), "'%s' hash", self);
	f = popen(command, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_int_equal(pclose(f), 0);
	return strtoull(line, NULL, 16);
}

static void test_each_run_has_its_key(void **state)
{
	uint64_t a = hash_elsewhere(), b = hash_elsewhere();

	(void)state;
	assert_true(a && b);
	assert_true(a != b);
	assert_true(a != hash_bytes("text", 4));
}

/* Blocks of which each pair leaves 32 bits of FNV-1a in the same state, so that any choice of
 * one of each gives one hash. */
static const char *const blocks[][2] = {
	{ "yiijsvz", "ktodoez" }, { "ssothcz", "rvarxiz" }, { "mibzfkz", "llwbfrz" },
	{ "ohutcmz", "qojcryz" }, { "dpkwgpz", "oyfdejz" }, { "vlrxpvz", "gsnwwxz" },
	{ "ftasgnz", "rttdjqz" }, { "temjiv/", "fxcdea/" }, { "usvpwvz", "hjvrbez" },
	{ "cwmgcpz", "biawbnz" }, { "zeqdpaz", "egnshtz" }, { "yuqmkaz", "slsyglz" },
	{ "akvhlwz", "ncdrrdz" }, { "mkyltnz", "xntybpz" },
};

enum { BLOCKS = sizeof(blocks) / sizeof(blocks[0]), MANY = 1 << BLOCKS };

static uint32_t fnv(const char *text)
{
	uint32_t h = 2166136261u;

	while (*text)
		h = (h ^ (unsigned char)*text++) * 16777619u;
	return h;
}

static void colliding_text(char *out, unsigned i)
{
	for (unsigned b = 0; b < BLOCKS; b++, out += 7)
		memcpy(out, blocks[b][i >> b & 1], 8);
}

static double cpu_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void test_colliding_texts(void **state)
{
	double begin, chosen, other;
	char text[BLOCKS * 7 + 1], first[BLOCKS * 7 + 1];

	(void)state;
	colliding_text(first, 0);
	colliding_text(text, MANY - 1);
	assert_true(strcmp(first, text) != 0);
	assert_int_equal(fnv(first), fnv(text)); /* they are what they shall be */
	begin = cpu_s();
	for (unsigned i = 0; i < MANY; i++) {
		colliding_text(text, i);
		intern_str(text);
	}
	chosen = cpu_s() - begin;
	assert_int_equal(intern_overflows(), 0);
	intern_release();
	begin = cpu_s();
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "%0*u", (int)sizeof(text) - 1, i);
		intern_str(text);
	}
	other = cpu_s() - begin;
	assert_int_equal(intern_overflows(), 0);
	intern_release();
	/* by the same clock; with all in one place it would be thousands of times */
	assert_true(chosen < 20 * other);
}

static uint64_t unshift(uint64_t v, unsigned n)
{
	uint64_t out = v;

	for (unsigned i = 0; i < 64; i += n)
		out = v ^ out >> n;
	return out;
}

/* The number that the finisher of splitmix64 takes to v. */
static uint64_t unmixed(uint64_t v)
{
	v = unshift(v, 31) * 0x319642b2d24d8ec3u;
	v = unshift(v, 27) * 0x96de1b173f119089u;
	return unshift(v, 30);
}

static double fill(bool chosen)
{
	double begin = cpu_s();
	struct table t;

	table_init(&t, 1, MANY);
	for (uint64_t i = 0; i < MANY; i++)
		assert_non_null(table_put(&t, chosen ? unmixed(i << 32) : i << 32, NULL));
	assert_int_equal(t.n, MANY);
	table_release(&t);
	return cpu_s() - begin;
}

static void test_colliding_numbers(void **state)
{
	double other = fill(false);

	(void)state;
	assert_true(fill(true) < 20 * other);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_numbers_and_bytes),
		cmocka_unit_test(test_each_run_has_its_key),
		cmocka_unit_test(test_colliding_texts),
		cmocka_unit_test(test_colliding_numbers),
	};

	self = argv[0];
	if (argc > 1) {
		printf("%016llx\n", (unsigned long long)hash_bytes("text", 4));
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
