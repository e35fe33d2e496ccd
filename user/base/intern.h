/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interned strings: equal text has one 32-bit id while it is held, so that names are compared and
 * hashed as integers. Id 0 is the empty string. One table a process, used from one thread.
 *
 * The table is bounded, and whoever sends requests chooses what comes into it. So it forgets: from
 * half full on, each time a quarter of what it may hold has come anew, it lets go of the texts that
 * nobody asked for since the time before and that no holder keeps. Who has an id for longer than
 * that registers as a holder. An id that was let go is not given out again soon (its place is reused
 * with another tag): its text is "other", never another name.
 *
 * When all of it is held, a new text gets the id of "other" (INTERN_OTHER), and intern_overflows()
 * counts it.
 */
#ifndef TARDY_BASE_INTERN_H
#define TARDY_BASE_INTERN_H
#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

enum { INTERN_EMPTY = 0, INTERN_OTHER = 1 };

/* The id of text, 31 bits; copies it. Never fails: allocation failure or a full table gives
 * INTERN_OTHER. */
uint32_t intern(struct slice text);
uint32_t intern_str(const char *text);
/* Formats (at most 1023 bytes) and interns. */
uint32_t intern_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The text of an id, NUL-terminated, valid as long as the id is. */
const char *intern_text(uint32_t id);
/* Is that id's text still there? */
bool intern_has(uint32_t id);

/* Calls intern_keep() for each id that it has; interns nothing. The struct is its owner's. */
struct intern_holder {
	void (*keep)(void *ctx);
	void *ctx;
	struct intern_holder *next;
};

void intern_hold(struct intern_holder *h);
/* Does nothing for one that was never registered. */
void intern_unhold(struct intern_holder *h);
void intern_keep(uint32_t id);

uint64_t intern_overflows(void);
/* Texts that were let go. */
uint64_t intern_forgotten(void);
/* Sets how many distinct texts are kept (tests); default 1 << 18. */
void intern_set_capacity(uint32_t capacity);
/* Frees everything; all ids become invalid. Holders stay registered. */
void intern_release(void);
#endif
