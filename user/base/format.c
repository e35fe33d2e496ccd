// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers and labels for people. Rounding happens once, in integers, before the unit is chosen:
 * 999,960 us must become "1.00s", never "1000ms".
 */
#define _GNU_SOURCE /* wcwidth() */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include "base/format.h"

enum { MARKS_MAX = 2 }; /* combining marks kept on one character: more is an attack, not text */

/* n / unit, rounded to the nearest, without overflow. */
static uint64_t div_round(uint64_t n, uint64_t unit)
{
	return n / unit + (n % unit >= unit - unit / 2);
}

static void short_seconds(char *buf, uint64_t us)
{
	uint64_t hundredths = div_round(us, 10000), tenths = div_round(us, 100000);

	if (hundredths < 1000)
		snprintf(buf, FORMAT_LEN, "%" PRIu64 ".%02" PRIu64 "s", hundredths / 100,
			 hundredths % 100);
	else
		snprintf(buf, FORMAT_LEN, "%" PRIu64 ".%" PRIu64 "s", tenths / 10, tenths % 10);
}

static void long_time(char *buf, uint64_t seconds)
{
	uint64_t minutes = div_round(seconds, 60), hours = div_round(seconds, 3600);
	uint64_t days = div_round(seconds, 86400);

	if (seconds < 600)
		snprintf(buf, FORMAT_LEN, "%" PRIu64 "m%02" PRIu64 "s", seconds / 60, seconds % 60);
	else if (minutes < 100)
		snprintf(buf, FORMAT_LEN, "%" PRIu64 "m", minutes);
	else if (minutes < 600)
		snprintf(buf, FORMAT_LEN, "%" PRIu64 "h%02" PRIu64 "m", minutes / 60, minutes % 60);
	else if (hours < 48)
		snprintf(buf, FORMAT_LEN, "%" PRIu64 "h", hours);
	else if (days <= 9999)
		snprintf(buf, FORMAT_LEN, "%" PRIu64 "d", days);
	else
		snprintf(buf, FORMAT_LEN, ">27y");
}

char *format_us(char buf[static FORMAT_LEN], uint64_t us)
{
	uint64_t tenths_ms = div_round(us, 100), ms = div_round(us, 1000);

	if (us < 1000)
		snprintf(buf, FORMAT_LEN, "%" PRIu64 "us", us);
	else if (tenths_ms < 100)
		snprintf(buf, FORMAT_LEN, "%" PRIu64 ".%" PRIu64 "ms", tenths_ms / 10,
			 tenths_ms % 10);
	else if (ms < 1000)
		snprintf(buf, FORMAT_LEN, "%" PRIu64 "ms", ms);
	else if (div_round(us, 100000) < 1000)
		short_seconds(buf, us);
	else
		long_time(buf, div_round(us, 1000000));
	return buf;
}

char *format_count(char buf[static FORMAT_LEN], uint64_t n)
{
	static const char *const units[] = { "k", "M", "G", "T", "P", "E" };
	uint64_t unit = 1000;
	size_t i = 0;

	if (n < 10000) {
		snprintf(buf, FORMAT_LEN, "%" PRIu64, n);
		return buf;
	}
	while (i + 1 < sizeof(units) / sizeof(units[0]) && div_round(n, unit) >= 1000) {
		unit *= 1000;
		i++;
	}
	if (div_round(n, unit / 10) < 1000)
		snprintf(buf, FORMAT_LEN, "%" PRIu64 ".%" PRIu64 "%s", div_round(n, unit / 10) / 10,
			 div_round(n, unit / 10) % 10, units[i]);
	else
		snprintf(buf, FORMAT_LEN, "%" PRIu64 "%s", div_round(n, unit), units[i]);
	return buf;
}

char *format_grouped(char buf[static FORMAT_LEN], uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *out = buf;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return buf;
}

char *format_fixed(char buf[static FORMAT_LEN], double v, unsigned decimals)
{
	uint64_t scale = 1, whole;
	double scaled;

	if (decimals > 9)
		decimals = 9;
	for (unsigned i = 0; i < decimals; i++)
		scale *= 10;
	scaled = fabs(v) * (double)scale + 0.5;
	if (!isfinite(v)) {
		snprintf(buf, FORMAT_LEN, "-");
		return buf;
	}
	if (scaled >= 1e19) /* beyond what can be counted: the largest number stands for it */
		whole = UINT64_MAX / scale * scale;
	else
		whole = (uint64_t)scaled;
	if (decimals)
		snprintf(buf, FORMAT_LEN, "%s%" PRIu64 ".%0*" PRIu64, v < 0 && whole ? "-" : "",
			 whole / scale, (int)decimals, whole % scale);
	else
		snprintf(buf, FORMAT_LEN, "%s%" PRIu64, v < 0 && whole ? "-" : "", whole);
	return buf;
}

static bool not_countable(double v)
{
	return !isfinite(v) || v < 0;
}

static char *format_big(char buf[static FORMAT_LEN], double v)
{
	return format_count(buf, v >= 1.8e19 ? UINT64_MAX : (uint64_t)(v + 0.5));
}

char *format_rate(char buf[static FORMAT_LEN], double per_s)
{
	if (not_countable(per_s))
		return snprintf(buf, FORMAT_LEN, "-"), buf;
	if (per_s == 0)
		return snprintf(buf, FORMAT_LEN, "0"), buf;
	if (per_s < 0.095)
		return format_fixed(buf, per_s, 2);
	if (per_s < 9.95)
		return format_fixed(buf, per_s, 1);
	return format_big(buf, per_s);
}

char *format_load(char buf[static FORMAT_LEN], double load)
{
	if (not_countable(load))
		return snprintf(buf, FORMAT_LEN, "-"), buf;
	if (load < 999.95)
		return format_fixed(buf, load, 1);
	return format_big(buf, load);
}

char *format_percent(char buf[static FORMAT_LEN], double ratio)
{
	double percent = ratio * 100;

	if (not_countable(ratio))
		return snprintf(buf, FORMAT_LEN, "-"), buf;
	format_fixed(buf, percent, percent >= 0.05 && percent < 0.95 ? 1 : 0);
	strcat(buf, "%"); /* format_fixed() leaves room: at most 21 bytes */
	return buf;
}

char *format_span(char buf[static FORMAT_LEN], double seconds)
{
	bool hours = seconds >= 3600 && fmod(seconds, 3600) < 1;
	bool minutes = seconds > 90 && fmod(seconds, 60) < 1;

	format_fixed(buf, seconds / (hours ? 3600 : minutes ? 60 : 1), seconds < 1 ? 1 : 0);
	strcat(buf, hours ? "h" : minutes ? "m" : "s");
	return buf;
}

char *format_bytes(char buf[static FORMAT_LEN], uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	uint64_t unit = 1024;
	size_t i = 0;

	if (bytes < 1024)
		return snprintf(buf, FORMAT_LEN, "%" PRIu64, bytes), buf;
	while (units[i + 1] && div_round(bytes, unit) >= 1024) {
		unit *= 1024;
		i++;
	}
	if (bytes / unit < 9)
		snprintf(buf, FORMAT_LEN, "%" PRIu64 ".%" PRIu64 "%c", bytes / unit,
			 bytes % unit * 10 / unit, units[i]);
	else
		snprintf(buf, FORMAT_LEN, "%" PRIu64 "%c", div_round(bytes, unit), units[i]);
	return buf;
}

size_t format_utf8_next(const char *text, size_t len, uint32_t *code_point)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char lead = (unsigned char)text[0];
	size_t need = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	uint32_t cp = need == 1 ? lead : lead & (0xffu >> (need + 1));

	*code_point = FORMAT_BAD_UTF8;
	if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || need > len)
		return 1;
	for (size_t i = 1; i < need; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c & 0xc0) != 0x80)
			return 1;
		cp = cp << 6 | (c & 0x3f);
	}
	if (cp < smallest[need] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 1;
	*code_point = cp;
	return need;
}

/* Characters without a width that hide or reorder what follows (Unicode Cf and relatives). */
static bool is_treacherous(uint32_t cp)
{
	return cp == 0xad || cp == 0x34f || cp == 0x61c || (cp >= 0x115f && cp <= 0x1160) ||
	       (cp >= 0x17b4 && cp <= 0x17b5) || (cp >= 0x180b && cp <= 0x180f) ||
	       (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2060 && cp <= 0x206f) || cp == 0x3164 || (cp >= 0xfe00 && cp <= 0xfe0f) ||
	       cp == 0xfeff || cp == 0xffa0 || (cp >= 0xfff0 && cp <= 0xfffb) || cp >= 0xe0000;
}

/* One character ready to print: its bytes (in the source or static) and its columns. */
struct glyph {
	const char *bytes;
	size_t len, taken;
	int cols;
};

static struct glyph glyph_next(const char *text, size_t len, bool ascii)
{
	struct glyph g = { .bytes = "?", .len = 1, .cols = 1 };
	uint32_t cp;

	g.taken = format_utf8_next(text, len, &cp);
	if (cp == '\t' || cp == '\n' || cp == '\r' || cp == 0xa0) {
		g.bytes = " ";
	} else if (cp < 0x80) {
		if (cp >= 0x20 && cp != 0x7f)
			g.bytes = text;
	} else if (cp != FORMAT_BAD_UTF8 && !ascii && !is_treacherous(cp)) {
		int cols = wcwidth((wchar_t)cp);

		if (cols >= 0)
			g = (struct glyph){ text, g.taken, g.taken, cols };
	}
	return g;
}

unsigned format_width(const char *text)
{
	size_t len = strlen(text);
	unsigned cols = 0;

	while (len) {
		struct glyph g = glyph_next(text, len, false);

		cols += (unsigned)g.cols;
		text += g.taken;
		len -= g.taken;
	}
	return cols;
}

/* Copies glyphs while they fit max_cols and size; sets *whole when all of the text did. */
static unsigned copy_glyphs(char *buf, size_t size, const char *text, unsigned max_cols, bool ascii,
			    bool *whole)
{
	size_t len = strlen(text), at = 0;
	unsigned cols = 0, marks = MARKS_MAX; /* a mark needs a character before it */

	*whole = true;
	while (len) {
		struct glyph g = glyph_next(text, len, ascii);

		text += g.taken;
		len -= g.taken;
		if (g.cols == 0) {
			if (marks++ >= MARKS_MAX)
				continue;
		} else {
			marks = 0;
		}
		if (cols + (unsigned)g.cols > max_cols || at + g.len + 1 > size) {
			*whole = false;
			break;
		}
		memcpy(buf + at, g.bytes, g.len);
		at += g.len;
		cols += (unsigned)g.cols;
	}
	buf[at] = '\0';
	return cols;
}

unsigned format_clean(char *buf, size_t size, const char *text, unsigned max_cols, bool ascii)
{
	unsigned cols, dots;
	bool whole;

	cols = copy_glyphs(buf, size, text, max_cols, ascii, &whole);
	if (whole || max_cols == 0 || size < 4)
		return cols;
	dots = max_cols >= 4 ? 2 : 1;
	cols = copy_glyphs(buf, size - dots, text, max_cols - dots, ascii, &whole);
	strcat(buf, dots == 2 ? ".." : ".");
	return cols + dots;
}

unsigned format_pad(char *buf, size_t size, const char *text, unsigned cols, bool align_right)
{
	unsigned used = format_clean(buf, size, text, cols, false), pad;
	size_t len = strlen(buf);

	pad = cols - used;
	if (len + pad + 1 > size)
		pad = (unsigned)(size - len - 1);
	if (align_right) {
		memmove(buf + pad, buf, len + 1);
		memset(buf, ' ', pad);
	} else {
		memset(buf + len, ' ', pad);
		buf[len + pad] = '\0';
	}
	return used + pad;
}
