// SPDX-License-Identifier: GPL-2.0-only
/* Numbers keep to their columns and round once; labels cannot harm a terminal. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/format.h"
#include "unit/view_fixture.h"

static void durations(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} cases[] = {
		{ 0, "0us" },           { 999, "999us" },
		{ 1000, "1.0ms" },      { 9949, "9.9ms" },
		{ 9950, "10ms" },       { 212400, "212ms" },
		{ 999499, "999ms" },    { 999500, "1.00s" },
		{ 1614999, "1.61s" },   { 9994999, "9.99s" },
		{ 9995000, "10.0s" },   { 99949999, "99.9s" },
		{ 99950000, "1m40s" },  { 599499999, "9m59s" },
		{ 600000000, "10m" },   { 6000000000, "1h40m" },
		{ 36000000000, "10h" }, { 172800000000, "2d" },
		{ UINT64_MAX, ">27y" },
	};
	char buf[FORMAT_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(format_us(buf, cases[i].us), cases[i].text);
	for (uint64_t us = 0; us < UINT64_MAX / 3; us = us * 3 / 2 + 7)
		assert_true(strlen(format_us(buf, us)) <= 5);
}

static void counts_and_rates(void **state)
{
	char buf[FORMAT_LEN];

	(void)state;
	assert_string_equal(format_count(buf, 9999), "9999");
	assert_string_equal(format_count(buf, 10000), "10.0k");
	assert_string_equal(format_count(buf, 99949), "99.9k");
	assert_string_equal(format_count(buf, 99950), "100k");
	assert_string_equal(format_count(buf, 999499), "999k");
	assert_string_equal(format_count(buf, 999500), "1.0M");
	assert_string_equal(format_count(buf, UINT64_MAX), "18.4E");
	for (uint64_t n = 0; n < UINT64_MAX / 3; n = n * 3 / 2 + 7)
		assert_true(strlen(format_count(buf, n)) <= 5);
	assert_string_equal(format_grouped(buf, 0), "0");
	assert_string_equal(format_grouped(buf, 999), "999");
	assert_string_equal(format_grouped(buf, 12840), "12,840");
	assert_string_equal(format_grouped(buf, UINT64_MAX), "18,446,744,073,709,551,615");
	assert_string_equal(format_rate(buf, 0), "0");
	assert_string_equal(format_rate(buf, 0.031), "0.03");
	assert_string_equal(format_rate(buf, 3.16), "3.2");
	assert_string_equal(format_rate(buf, 213.6), "214");
	assert_string_equal(format_rate(buf, -1), "-");
	assert_string_equal(format_rate(buf, NAN), "-");
	assert_string_equal(format_rate(buf, 1e30), "18.4E");
	assert_string_equal(format_load(buf, 74.23), "74.2");
	assert_string_equal(format_load(buf, 12345), "12.3k");
	assert_string_equal(format_percent(buf, 0.5549), "55%");
	assert_string_equal(format_percent(buf, 0.003), "0.3%");
	assert_string_equal(format_percent(buf, 0.00001), "0%");
	assert_string_equal(format_percent(buf, INFINITY), "-");
	assert_string_equal(format_bytes(buf, 512), "512");
	assert_string_equal(format_bytes(buf, 38u << 20), "38M");
	assert_string_equal(format_bytes(buf, 1600), "1.5K");
	assert_string_equal(format_span(buf, 0.5), "0.5s");
	assert_string_equal(format_span(buf, 60), "60s");
	assert_string_equal(format_span(buf, 900), "15m");
	assert_string_equal(format_span(buf, 3600), "1h");
}

static void fixed_point_ignores_locale(void **state)
{
	char buf[FORMAT_LEN];

	(void)state;
	assert_string_equal(format_fixed(buf, 3.14159, 2), "3.14");
	assert_string_equal(format_fixed(buf, -0.001, 2), "0.00"); /* no "-0.00" */
	assert_string_equal(format_fixed(buf, -2.5, 1), "-2.5");
	assert_string_equal(format_fixed(buf, NAN, 3), "-");
	assert_true(strlen(format_fixed(buf, 1e300, 9)) < FORMAT_LEN);
}

static void utf8_is_strict(void **state)
{
	static const struct {
		const char *bytes;
		size_t len, taken;
		uint32_t cp;
	} cases[] = {
		{ "a", 1, 1, 'a' },
		{ "\xc3\xbc", 2, 2, 0xfc },
		{ "\xf0\x9f\x98\x80", 4, 4, 0x1f600 },
		{ "\xc3", 1, 1, FORMAT_BAD_UTF8 },
		{ "\xc0\xaf", 2, 1, FORMAT_BAD_UTF8 }, /* overlong '/' */
		{ "\xe0\x80\xaf", 3, 1, FORMAT_BAD_UTF8 },
		{ "\xed\xa0\x80", 3, 1, FORMAT_BAD_UTF8 }, /* surrogate */
		{ "\xf4\x90\x80\x80", 4, 1, FORMAT_BAD_UTF8 }, /* beyond U+10FFFF */
		{ "\x80", 1, 1, FORMAT_BAD_UTF8 },
		{ "\xff", 1, 1, FORMAT_BAD_UTF8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t cp;

		assert_int_equal(format_utf8_next(cases[i].bytes, cases[i].len, &cp),
				 cases[i].taken);
		assert_int_equal(cp, cases[i].cp);
	}
}

/* No byte below a blank, no DEL, no C1, nothing invalid: what a terminal may interpret. */
static void assert_printable(const char *text)
{
	size_t len = strlen(text);

	while (len) {
		uint32_t cp;
		size_t taken = format_utf8_next(text, len, &cp);

		assert_int_not_equal(cp, FORMAT_BAD_UTF8);
		assert_true(cp >= 0x20 && (cp < 0x7f || cp > 0x9f));
		assert_false(cp >= 0x200b && cp <= 0x200f);
		assert_false(cp >= 0x202a && cp <= 0x202e);
		text += taken;
		len -= taken;
	}
}

static void hostile_labels(void **state)
{
	char buf[FORMAT_LABEL];
	size_t n;
	const char *const *names = fixture_hostile_names(&n);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (unsigned cols = 0; cols < 40; cols++)
			for (size_t size = 1; size < sizeof(buf); size = size * 2 + 1) {
				unsigned used = format_clean(buf, size, names[i], cols, cols & 1);

				assert_true(used <= cols);
				assert_int_equal(used, format_width(buf));
				assert_true(strlen(buf) < size);
				assert_printable(buf);
			}
}

static void clean_and_pad(void **state)
{
	char buf[FORMAT_LABEL];

	(void)state;
	assert_int_equal(format_clean(buf, sizeof(buf), "a\033[2J\n", 80, false), 6);
	assert_string_equal(buf, "a?[2J ");
	format_clean(buf, sizeof(buf), "abcdefgh", 6, false);
	assert_string_equal(buf, "abcd..");
	format_clean(buf, sizeof(buf), "\xe6\x97\xa5\xe6\x9c\xac", 3, false); /* 2 + 2 columns */
	assert_string_equal(buf, "\xe6\x97\xa5.");
	format_clean(buf, sizeof(buf), "\xc3\xbc", 9, true);
	assert_string_equal(buf, "?");
	format_clean(buf, sizeof(buf), "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81", 9, false);
	assert_string_equal(buf, "e\xcc\x81\xcc\x81");
	assert_int_equal(format_pad(buf, sizeof(buf), "\xe6\x97\xa5", 5, false), 5);
	assert_string_equal(buf, "\xe6\x97\xa5   ");
	format_pad(buf, sizeof(buf), "42", 5, true);
	assert_string_equal(buf, "   42");
	format_pad(buf, sizeof(buf), "abcdef", 4, true);
	assert_string_equal(buf, "ab..");
	format_pad(buf, 4, "a", 30, false);
	assert_string_equal(buf, "a  ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(counts_and_rates),
		cmocka_unit_test(fixed_point_ignores_locale),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(hostile_labels),
		cmocka_unit_test(clean_and_pad),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
