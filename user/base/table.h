/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hash table from 64-bit keys to values of one fixed size, which live inside the table. It
 * grows up to a capacity and then refuses, so that whatever it tracks is bounded; refusals are
 * counted. Its hash has a key of this run (base/hash.h), so no choice of keys makes it slow, and its
 * order is another in each run. Slots move: a value pointer is valid until the next table_put() or table_del() on the
 * table. Any key is allowed, 0 too. No locking: one table, one thread.
 */
#ifndef TARDY_BASE_TABLE_H
#define TARDY_BASE_TABLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table {
	uint64_t *keys;
	uint8_t *used; /* 1 for each slot that holds an entry */
	unsigned char *values;
	size_t value_size; /* rounded up to 8 bytes, the alignment of values */
	size_t n, n_slots; /* n_slots is a power of two or 0 */
	size_t capacity; /* most entries */
	uint64_t refused; /* puts that failed: full, or no memory */
};

/* An empty table; allocates nothing yet. capacity: most entries it will hold. */
void table_init(struct table *t, size_t value_size, size_t capacity);
/* Frees all. What values point to is the caller's: free it first, see table_each(). */
void table_release(struct table *t);
/* The value of key, or NULL. */
void *table_get(const struct table *t, uint64_t key);
/* The value of key, made and zeroed if it was not there (*created tells, may be NULL). NULL when
 * the table is full or memory is; *created is false then. */
void *table_put(struct table *t, uint64_t key, bool *created);
/* Removes key; returns whether it was there. */
bool table_del(struct table *t, uint64_t key);

struct table_iter {
	const struct table *t;
	uint64_t key; /* of the current entry */
	void *value;
	size_t at, left;
};

struct table_iter table_iter_start(const struct table *t);
/* Moves to the next entry; false at the end. Each entry comes once, in no useful order. The
 * current entry may be deleted (value is dead then); no other, and nothing may be put. */
bool table_iter_next(struct table_iter *it);

#define table_each(it, t) for (struct table_iter it = table_iter_start(t); table_iter_next(&it);)
#endif
