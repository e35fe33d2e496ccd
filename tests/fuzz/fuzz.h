/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzz targets share. Build one with
 *   clang -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -Iuser -I. \
 *         tests/fuzz/X_fuzz.c user/proto/[a-z]*.c user/base/[a-z]*.c
 * and run it with tests/fuzz/corpus/X_fuzz as its seed directory.
 */
#ifndef TARDY_TESTS_FUZZ_H
#define TARDY_TESTS_FUZZ_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/slice.h"

/* Not assert(): it must also hold with NDEBUG. */
#define MUST(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A result either is empty or lies in the input. */
static inline void must_lie_in(struct slice s, struct slice in)
{
	MUST(s.len == 0 ||
	     (s.ptr >= in.ptr && s.len <= in.len && (size_t)(s.ptr - in.ptr) <= in.len - s.len));
}

/* A text that may be shown: ends in its NUL, no control character in it. */
static inline void must_be_printable(const char *text, size_t len)
{
	MUST(text[len] == '\0');
	for (size_t i = 0; i < len; i++)
		MUST((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
}
#endif
