// SPDX-License-Identifier: GPL-2.0-only
/* Strict reading of numbers, durations, sizes and lists; distance between misspelt words. */
#include "cli_value.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

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

/* "14:03", "14:03:20", "14:03:20.25" of a day. */
static int clock_ns(const char *text, uint64_t *out)
{
	static const struct {
		uint64_t below, unit_ns;
	} fields[] = { { 24, 3600000000000u }, { 60, 60000000000u }, { 60, 1000000000u } };
	uint64_t sum = 0, n;
	size_t i = 0;

	for (;; i++) {
		size_t len = strspn(text, "0123456789");

		if (i == 3 || len < 1 || len > 2 || cli_number(text, len, &n))
			return -EINVAL;
		if (n >= fields[i].below)
			return -ERANGE;
		sum += n * fields[i].unit_ns;
		text += len;
		if (*text != ':')
			break;
		text++;
	}
	if (i == 2 && *text == '.') {
		size_t len = strspn(text + 1, "0123456789");

		if (!len)
			return -EINVAL;
		n = fields[2].unit_ns;
		for (size_t d = 1; d <= len; d++)
			sum += (uint64_t)(text[d] - '0') * (n /= 10);
		text += len + 1;
	}
	if (i == 0 || *text)
		return -EINVAL;
	*out = sum;
	return 0;
}

/* Local time: midnight of a day plus what the clock showed, which mktime() makes right where the
 * clock was changed that day. */
static uint64_t local_unix_ns(struct tm day, uint64_t clock)
{
	uint64_t seconds = clock / 1000000000u;
	time_t t;

	day.tm_hour = (int)(seconds / 3600);
	day.tm_min = (int)(seconds / 60 % 60);
	day.tm_sec = (int)(seconds % 60);
	day.tm_isdst = -1;
	t = mktime(&day);
	return t < 0 ? 0 : (uint64_t)t * 1000000000u + clock % 1000000000u;
}

static int date_ns(const char *text, uint64_t *out)
{
	struct tm day = { 0 };
	const char *end = strptime(text, "%Y-%m-%d", &day);
	uint64_t clock, ns;
	int err;

	if (!end || (*end != ' ' && *end != 'T'))
		return -EINVAL;
	err = clock_ns(end + 1, &clock);
	if (err)
		return err;
	ns = local_unix_ns(day, clock);
	if (!ns)
		return -ERANGE;
	*out = ns;
	return 0;
}

int cli_when(const char *text, struct cli_when *out)
{
	static int (*const forms[])(const char *, uint64_t *) = {
		[CLI_WHEN_AFTER] = cli_duration_ns,
		[CLI_WHEN_CLOCK] = clock_ns,
		[CLI_WHEN_DATE] = date_ns,
	};
	enum cli_when_kind kind = strchr(text, '-') ? CLI_WHEN_DATE :
				  strchr(text, ':') ? CLI_WHEN_CLOCK :
						      CLI_WHEN_AFTER;
	uint64_t ns = 0;
	int err = forms[kind](text, &ns);

	if (!err)
		*out = (struct cli_when){ kind, ns };
	return err;
}

uint64_t cli_when_unix_ns(const struct cli_when *w, uint64_t start_unix_ns)
{
	time_t start = (time_t)(start_unix_ns / 1000000000u);
	struct tm day;
	uint64_t ns;

	if (w->kind == CLI_WHEN_AFTER)
		return start_unix_ns + w->ns;
	if (w->kind != CLI_WHEN_CLOCK)
		return w->ns;
	if (!localtime_r(&start, &day))
		return 0;
	ns = local_unix_ns(day, w->ns);
	/* people give whole minutes and seconds: the second in which it began is not past */
	if (ns / 1000000000u < start_unix_ns / 1000000000u) {
		day.tm_mday++;
		ns = local_unix_ns(day, w->ns);
	}
	return ns;
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
