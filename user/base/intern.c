// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interned strings: an open-addressing index of ids over an array of entries, the text itself in
 * chunks that never move, so that intern_text() stays valid while the table grows.
 */
#include "base/intern.h"
#include "base/hash.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	INTERN_DEFAULT_CAPACITY = 1 << 18,
	INTERN_FIRST_SLOTS = 1 << 10,
	INTERN_CHUNK_BYTES = 1 << 16,
	INTERN_FMT_MAX = 1024,
};

struct intern_chunk {
	struct intern_chunk *next;
	size_t used, size;
	char text[];
};

struct intern_entry {
	const char *text;
	uint32_t len, hash;
};

static struct {
	struct intern_entry *v; /* ids 2.. are v[id] */
	uint32_t n, cap;
	uint32_t *slots; /* 0 = free, else the id */
	uint32_t n_slots; /* a power of two, at least twice n */
	uint32_t capacity;
	uint64_t overflows;
	struct intern_chunk *chunks;
} table = { .capacity = INTERN_DEFAULT_CAPACITY };

static const struct intern_entry fixed[] = {
	[INTERN_EMPTY] = { .text = "" },
	[INTERN_OTHER] = { .text = "other", .len = 5 },
};

enum { INTERN_FIXED = sizeof(fixed) / sizeof(fixed[0]) };

/* The slot that holds text, or the free one where it belongs. n_slots > n guarantees one. */
static uint32_t *slot_find(struct slice text, uint32_t hash)
{
	for (uint32_t i = hash;; i++) {
		uint32_t *slot = &table.slots[i & (table.n_slots - 1)];
		const struct intern_entry *e;

		if (!*slot)
			return slot;
		e = &table.v[*slot];
		if (e->hash == hash && e->len == text.len && !memcmp(e->text, text.ptr, text.len))
			return slot;
	}
}

static bool slots_grow(void)
{
	uint32_t n_slots = table.n_slots ? table.n_slots * 2 : INTERN_FIRST_SLOTS;
	uint32_t *slots = calloc(n_slots, sizeof(*slots));

	if (!slots)
		return false;
	for (uint32_t id = INTERN_FIXED; id < table.n; id++) {
		uint32_t i = table.v[id].hash;

		while (slots[i & (n_slots - 1)])
			i++;
		slots[i & (n_slots - 1)] = id;
	}
	free(table.slots);
	table.slots = slots;
	table.n_slots = n_slots;
	return true;
}

static bool entries_grow(void)
{
	uint32_t cap = table.cap ? table.cap * 2 : INTERN_FIRST_SLOTS / 2;
	struct intern_entry *v = realloc(table.v, cap * sizeof(*v));

	if (!v)
		return false;
	table.v = v;
	table.cap = cap;
	if (!table.n) {
		memcpy(v, fixed, sizeof(fixed));
		table.n = INTERN_FIXED;
	}
	return true;
}

static const char *text_copy(struct slice text)
{
	struct intern_chunk *c = table.chunks;
	size_t need = text.len + 1;
	char *at;

	if (!c || c->size - c->used < need) {
		size_t size = need > INTERN_CHUNK_BYTES ? need : INTERN_CHUNK_BYTES;

		c = malloc(sizeof(*c) + size);
		if (!c)
			return NULL;
		*c = (struct intern_chunk){ .next = table.chunks, .size = size };
		table.chunks = c;
	}
	at = c->text + c->used;
	memcpy(at, text.ptr, text.len);
	at[text.len] = '\0';
	c->used += need;
	return at;
}

static uint32_t overflow(void)
{
	table.overflows++;
	return INTERN_OTHER;
}

uint32_t intern(struct slice text)
{
	uint32_t hash, *slot;
	const char *copy;

	if (!text.len)
		return INTERN_EMPTY;
	if (text.len == fixed[INTERN_OTHER].len &&
	    !memcmp(text.ptr, fixed[INTERN_OTHER].text, text.len))
		return INTERN_OTHER;
	if (text.len >= UINT32_MAX)
		return overflow();
	if (table.n == table.cap && table.n < table.capacity + INTERN_FIXED && !entries_grow())
		return overflow();
	if ((uint64_t)table.n * 2 >= table.n_slots && table.n < table.capacity + INTERN_FIXED &&
	    !slots_grow())
		return overflow();
	if (!table.n_slots)
		return overflow();
	hash = (uint32_t)hash_bytes(text.ptr, text.len);
	slot = slot_find(text, hash);
	if (*slot)
		return *slot;
	if (table.n >= table.capacity + INTERN_FIXED)
		return overflow();
	copy = text_copy(text);
	if (!copy)
		return overflow();
	table.v[table.n] = (struct intern_entry){ copy, (uint32_t)text.len, hash };
	*slot = table.n;
	return table.n++;
}

uint32_t intern_str(const char *text)
{
	return intern(slice_of(text));
}

uint32_t intern_fmt(const char *fmt, ...)
{
	char buf[INTERN_FMT_MAX];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (len < 0)
		return INTERN_OTHER;
	if ((size_t)len >= sizeof(buf))
		len = sizeof(buf) - 1;
	return intern((struct slice){ buf, (size_t)len });
}

const char *intern_text(uint32_t id)
{
	if (id < INTERN_FIXED)
		return fixed[id].text;
	/* An id that was never given out is a bug elsewhere; never read past the end for it. */
	return id < table.n ? table.v[id].text : fixed[INTERN_OTHER].text;
}

uint64_t intern_overflows(void)
{
	return table.overflows;
}

void intern_set_capacity(uint32_t capacity)
{
	/* Ids are 32 bits, and the index needs twice as many slots. */
	table.capacity = capacity < (1u << 30) ? capacity : (1u << 30);
}

void intern_release(void)
{
	uint32_t capacity = table.capacity;

	for (struct intern_chunk *c = table.chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(table.v);
	free(table.slots);
	memset(&table, 0, sizeof(table));
	table.capacity = capacity;
}
