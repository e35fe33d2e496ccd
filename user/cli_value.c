// SPDX-License-Identifier: GPL-2.0-only
/* Strict reading of numbers, durations, sizes and lists; distance between misspelt words. */
#include "cli_value.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { DISTANCE_LEN = 32 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int cli_number(const char *text, size_t len, uint64_t *out)
{
	uint64_t n = 0;
	bool fits = true;

	if (!len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]))
			return -EINVAL;
		fits = fits && !__builtin_mul_overflow(n, 10u, &n) &&
		       !__builtin_add_overflow(n, (uint64_t)(text[i] - '0'), &n);
	}
	if (!fits)
		return -ERANGE;
	*out = n;
	return 0;
}

static uint64_t duration_unit_ns(const char *text)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "", 1000000000u },     { "s", 1000000000u },     { "ms", 1000000u },
		{ "us", 1000u },         { "m", 60000000000u },    { "min", 60000000000u },
		{ "h", 3600000000000u }, { "d", 86400000000000u },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(text, units[i].name))
			return units[i].ns;
	return 0;
}

int cli_duration_ns(const char *text, uint64_t *out)
{
	size_t whole_len = strspn(text, "0123456789"), frac_len = 0;
	const char *frac = text + whole_len;
	uint64_t whole, unit_ns, ns, part;
	int err;

	if (*frac == '.') {
		frac++;
		frac_len = strspn(frac, "0123456789");
		if (!frac_len)
			return -EINVAL;
	}
	unit_ns = duration_unit_ns(frac + frac_len);
	if (!unit_ns)
		return -EINVAL;
	err = cli_number(text, whole_len, &whole);
	if (err)
		return err;
	if (__builtin_mul_overflow(whole, unit_ns, &ns))
		return -ERANGE;
	/* each digit is worth a tenth of the one before; what is below 1 ns is cut */
	part = unit_ns;
	for (size_t i = 0; i < frac_len; i++) {
		part /= 10;
		if (__builtin_add_overflow(ns, (uint64_t)(frac[i] - '0') * part, &ns))
			return -ERANGE;
	}
	*out = ns;
	return 0;
}

int cli_size_bytes(const char *text, uint64_t *out)
{
	static const char prefixes[] = "KMGT";
	size_t len = strspn(text, "0123456789");
	const char *unit = text + len, *prefix;
	uint64_t n, scale = 1;
	int err;

	prefix = *unit ? strchr(prefixes, *unit == 'k' ? 'K' : *unit) : NULL;
	if (prefix) {
		scale = (uint64_t)1 << (10 * (prefix - prefixes + 1));
		unit++;
		if (unit[0] == 'i' && unit[1] == 'B')
			unit++;
	}
	if (strcmp(unit, "") && strcmp(unit, "B"))
		return -EINVAL;
	err = cli_number(text, len, &n);
	if (err)
		return err;
	if (__builtin_mul_overflow(n, scale, &n))
		return -ERANGE;
	*out = n;
	return 0;
}

int cli_list(const char *text, int (*each)(void *ctx, uint64_t number), void *ctx)
{
	for (;;) {
		size_t len = strcspn(text, ",");
		uint64_t number;
		int err = cli_number(text, len, &number);

		if (!err)
			err = each(ctx, number);
		if (err < 0)
			return err;
		if (!text[len])
			return 0;
		text += len + 1;
	}
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

unsigned cli_distance(const char *a, const char *b)
{
	unsigned d[DISTANCE_LEN + 1][DISTANCE_LEN + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n >= DISTANCE_LEN || m >= DISTANCE_LEN)
		return 2 * DISTANCE_LEN;
	/* optimal string alignment: each row from the two before it */
	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			if (!i || !j) {
				d[i][j] = (unsigned)(i + j);
				continue;
			}
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
				       d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = min3(d[i][j], d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[n][m];
}
