/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small writer of newline-delimited JSON (RFC 8259). Whatever bytes a string holds, the output
 * is valid JSON in valid UTF-8: bytes that are not UTF-8 become U+FFFD. Numbers never depend on
 * the locale, and 64-bit identities are written as strings because readers with doubles would
 * round them. The first failed write is kept and everything after it is a no-op, so that callers
 * check once, at the end.
 */
#ifndef TARDY_BASE_JSON_H
#define TARDY_BASE_JSON_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out; /* not owned */
	int err; /* 0, or negative errno of the first failed write */
	unsigned depth;
	bool comma; /* a value stands before the next one */
};

void json_init(struct json *j, FILE *out);

/* key is the member's name inside an object, NULL inside an array or at the top. Keys are
 * literals of this program and are not escaped. */
void json_open_object(struct json *j, const char *key);
void json_close_object(struct json *j);
void json_open_array(struct json *j, const char *key);
void json_close_array(struct json *j);
void json_str(struct json *j, const char *key, const char *text);
void json_u64(struct json *j, const char *key, uint64_t v);
/* As a string: "18446744073709551615". */
void json_u64_str(struct json *j, const char *key, uint64_t v);
void json_i64(struct json *j, const char *key, int64_t v);
/* Six decimals at most, trailing zeros left out; null when v is not finite. */
void json_f64(struct json *j, const char *key, double v);
void json_bool(struct json *j, const char *key, bool v);
void json_null(struct json *j, const char *key);

/* Ends a line; everything opened must be closed. Returns j->err. */
int json_end_line(struct json *j);
/* Flushes. Returns 0 or the negative errno of the first write that failed (-EPIPE, -ENOSPC). */
int json_finish(struct json *j);
#endif
