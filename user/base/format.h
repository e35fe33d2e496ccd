/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers and names as people read them: durations, rates and sizes in at most five columns, and
 * labels made safe for a terminal. Labels come from the network (paths, SQL, host names), so
 * whatever is printed of them must neither move the cursor nor break a column. Nothing here uses
 * LC_NUMERIC: a number looks the same in every locale.
 */
#ifndef TARDY_BASE_FORMAT_H
#define TARDY_BASE_FORMAT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FORMAT_LEN = 32, /* room for any number made here */
	FORMAT_LABEL = 512, /* room for a cleaned label; what needs more bytes is cut */
};
#define FORMAT_BAD_UTF8 0xffffffffu

/* Each writes NUL-terminated text and returns buf, so that it can stand in an argument list. */

/* A duration in microseconds, rounded: "58us", "1.2ms", "212ms", "1.61s", "12.3s", "2m03s",
 * "47m", "1h40m", "30h", "12d"; at most 5 columns. */
char *format_us(char buf[static FORMAT_LEN], uint64_t us);
/* A span of seconds that a person chose: "0.5s", "60s", "15m", "1h". */
char *format_span(char buf[static FORMAT_LEN], double seconds);
/* A count: "1284", "41.0k", "2.5M"; at most 5 columns. */
char *format_count(char buf[static FORMAT_LEN], uint64_t n);
/* A count with thousands separated: "12,840". */
char *format_grouped(char buf[static FORMAT_LEN], uint64_t n);
/* A rate: "0.03", "3.2", "214", "41.0k"; "-" when it is not a number or negative. */
char *format_rate(char buf[static FORMAT_LEN], double per_s);
/* Seconds per second, one decimal: "74.2"; from 10,000 on as format_count(). */
char *format_load(char buf[static FORMAT_LEN], double load);
/* A ratio as percent with its sign: "55%", "0.3%", "0%"; "-" when negative or not a number. */
char *format_percent(char buf[static FORMAT_LEN], double ratio);
/* Bytes, powers of 1024: "512", "9.2K", "38M". */
char *format_bytes(char buf[static FORMAT_LEN], uint64_t bytes);
/* v with so many decimals (at most 9), always with a point; "-" when not finite. */
char *format_fixed(char buf[static FORMAT_LEN], double v, unsigned decimals);

/* Decodes one character of text[0..len), len > 0. Returns the bytes it takes (at least 1) and
 * its code point, or FORMAT_BAD_UTF8 for bytes that are not UTF-8 (RFC 3629: no overlong form,
 * no surrogate, nothing above U+10FFFF). */
size_t format_utf8_next(const char *text, size_t len, uint32_t *code_point);
/* Columns that NUL-terminated text takes, as made by format_clean(). */
unsigned format_width(const char *text);
/* Copies NUL-terminated text so that a terminal can show it: controls, escape sequences,
 * invisible and direction-changing characters and invalid UTF-8 become '?', white space becomes
 * a space, and with ascii everything outside ASCII becomes '?'. What takes more than max_cols
 * columns is cut and ends in "..". Widths are wcwidth()'s, so LC_CTYPE must be set. size must be
 * at least 1. Returns the columns used. */
unsigned format_clean(char *buf, size_t size, const char *text, unsigned max_cols, bool ascii);
/* Copies clean text into exactly cols columns, padded with spaces at its right (or at its left
 * with align_right), cut with ".." when it is wider. Returns cols, less only if size is short. */
unsigned format_pad(char *buf, size_t size, const char *text, unsigned cols, bool align_right);
#endif
