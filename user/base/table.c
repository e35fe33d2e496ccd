// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linear probing with deletion by shifting back, so that a table which lives for weeks with
 * entries coming and going never fills up with tombstones.
 */
#include "base/table.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_FIRST_SLOTS = 16 };

static void *slot_value(const struct table *t, size_t i)
{
	return t->values + i * t->value_size;
}

/* The slot of key, or the free one where it belongs. Needs a free slot, which the load limit in
 * table_put() keeps. */
static size_t slot_find(const struct table *t, uint64_t key)
{
	size_t mask = t->n_slots - 1, i = hash_u64(key) & mask;

	while (t->used[i] && t->keys[i] != key)
		i = (i + 1) & mask;
	return i;
}

void table_init(struct table *t, size_t value_size, size_t capacity)
{
	*t = (struct table){ .value_size = (value_size + 7) & ~(size_t)7, .capacity = capacity };
}

void table_release(struct table *t)
{
	free(t->keys);
	free(t->used);
	free(t->values);
	table_init(t, t->value_size, t->capacity);
}

void *table_get(const struct table *t, uint64_t key)
{
	size_t i;

	if (!t->n)
		return NULL;
	i = slot_find(t, key);
	return t->used[i] ? slot_value(t, i) : NULL;
}

static bool table_grow(struct table *t)
{
	struct table big = *t;

	big.n_slots = t->n_slots ? t->n_slots * 2 : TABLE_FIRST_SLOTS;
	big.keys = calloc(big.n_slots, sizeof(*big.keys));
	big.used = calloc(big.n_slots, sizeof(*big.used));
	big.values = calloc(big.n_slots, big.value_size ? big.value_size : 1);
	if (!big.keys || !big.used || !big.values) {
		free(big.keys);
		free(big.used);
		free(big.values);
		return false;
	}
	for (size_t i = 0; i < t->n_slots; i++) {
		size_t to;

		if (!t->used[i])
			continue;
		to = slot_find(&big, t->keys[i]);
		big.used[to] = 1;
		big.keys[to] = t->keys[i];
		memcpy(slot_value(&big, to), slot_value(t, i), t->value_size);
	}
	free(t->keys);
	free(t->used);
	free(t->values);
	t->keys = big.keys;
	t->used = big.used;
	t->values = big.values;
	t->n_slots = big.n_slots;
	return true;
}

void *table_put(struct table *t, uint64_t key, bool *created)
{
	size_t i = t->n_slots ? slot_find(t, key) : 0;
	void *value;

	if (created)
		*created = false;
	if (t->n_slots && t->used[i])
		return slot_value(t, i);
	if (t->n >= t->capacity) {
		t->refused++;
		return NULL;
	}
	/* At most three quarters full: short probes, and always a free slot. */
	if ((t->n + 1) * 4 > t->n_slots * 3) {
		if (!table_grow(t)) {
			t->refused++;
			return NULL;
		}
		i = slot_find(t, key);
	}
	t->used[i] = 1;
	t->keys[i] = key;
	t->n++;
	value = slot_value(t, i);
	memset(value, 0, t->value_size);
	if (created)
		*created = true;
	return value;
}

bool table_del(struct table *t, uint64_t key)
{
	size_t mask = t->n_slots - 1, hole, i;

	if (!t->n)
		return false;
	hole = slot_find(t, key);
	if (!t->used[hole])
		return false;
	for (i = (hole + 1) & mask; t->used[i]; i = (i + 1) & mask) {
		size_t home = hash_u64(t->keys[i]) & mask;

		/* An entry may fill the hole unless its home lies behind the hole (cyclically). */
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		t->keys[hole] = t->keys[i];
		memcpy(slot_value(t, hole), slot_value(t, i), t->value_size);
		hole = i;
	}
	t->used[hole] = 0;
	t->n--;
	return true;
}

/*
 * Iteration goes downwards from a free slot, once around. A deletion moves entries only within
 * their cluster and only downwards into slots from the current one on, and no cluster crosses a
 * free slot: what moves was visited already, and is not met again.
 */
struct table_iter table_iter_start(const struct table *t)
{
	struct table_iter it = { .t = t };

	if (!t->n)
		return it;
	while (t->used[it.at])
		it.at++;
	it.left = t->n_slots - 1;
	return it;
}

bool table_iter_next(struct table_iter *it)
{
	size_t mask = it->t->n_slots - 1;

	while (it->left) {
		it->left--;
		it->at = (it->at - 1) & mask;
		if (!it->t->used[it->at])
			continue;
		it->key = it->t->keys[it->at];
		it->value = slot_value(it->t, it->at);
		return true;
	}
	return false;
}
