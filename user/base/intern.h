/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interned strings: equal text has one 32-bit id for the life of the process, so that names are
 * compared and hashed as integers. Id 0 is the empty string. The table is bounded: when it is
 * full every new text gets the id of "other" (INTERN_OTHER) and intern_overflows() counts it.
 * One table a process, used from one thread.
 */
#ifndef TARDY_BASE_INTERN_H
#define TARDY_BASE_INTERN_H
#include <stdint.h>
#include "base/slice.h"

enum { INTERN_EMPTY = 0, INTERN_OTHER = 1 };

/* The id of text; copies it. Never fails: allocation failure or a full table gives INTERN_OTHER. */
uint32_t intern(struct slice text);
uint32_t intern_str(const char *text);
/* Formats (at most 1023 bytes) and interns. */
uint32_t intern_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The text of an id, NUL-terminated, valid until intern_release(). */
const char *intern_text(uint32_t id);
uint64_t intern_overflows(void);
/* Sets how many distinct texts are kept (tests); default 1 << 18. */
void intern_set_capacity(uint32_t capacity);
/* Frees everything; all ids become invalid. */
void intern_release(void);
#endif
