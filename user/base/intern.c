// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interned strings: an open-addressing index of places over an array of entries. An id is an
 * entry's place and its tag, which changes whenever the place becomes free.
 */
#include "base/intern.h"
#include "base/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	INTERN_DEFAULT_CAPACITY = 1 << 18,
	INTERN_FIRST_SLOTS = 1 << 10,
	INTERN_FMT_MAX = 1024,
	PLACE_BITS = 20,
	TAG_BITS = 11, /* ids have 31 bits */
};

#define PLACE_MASK ((1u << PLACE_BITS) - 1)
#define TAG_MASK ((1u << TAG_BITS) - 1)

struct intern_entry {
	char *text; /* NULL = free */
	uint32_t len, hash;
	uint32_t tag;
	uint32_t age; /* it was asked for or kept last at; of a free one: the next free place */
};

static struct {
	struct intern_entry *v; /* places 2.. */
	uint32_t n, cap; /* places that were ever used; room */
	uint32_t live; /* texts that are there */
	uint32_t free_first, free_last; /* places to be used again, the oldest first; 0 = none */
	uint32_t *slots; /* 0 = free, else a place */
	uint32_t n_slots; /* a power of two, at least twice n */
	uint32_t capacity;
	uint32_t age, since; /* how often it forgot; new texts since then */
	uint64_t overflows, forgotten;
	struct intern_holder *holders;
} table = { .capacity = INTERN_DEFAULT_CAPACITY };

static const struct intern_entry fixed[] = {
	[INTERN_EMPTY] = { .text = (char *)"" },
	[INTERN_OTHER] = { .text = (char *)"other", .len = 5 },
};

enum { INTERN_FIXED = sizeof(fixed) / sizeof(fixed[0]) };

static uint32_t id_of(uint32_t place)
{
	return table.v[place].tag << PLACE_BITS | place;
}

/* The entry of an id that is not fixed; NULL when it was let go or never given out. */
static struct intern_entry *entry_of(uint32_t id)
{
	uint32_t place = id & PLACE_MASK;
	struct intern_entry *e = place < table.n ? &table.v[place] : NULL;

	return e && place >= INTERN_FIXED && e->text && e->tag == id >> PLACE_BITS ? e : NULL;
}

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

static void slots_fill(uint32_t *slots, uint32_t n_slots)
{
	for (uint32_t place = INTERN_FIXED; place < table.n; place++) {
		uint32_t i = table.v[place].hash;

		if (!table.v[place].text)
			continue;
		while (slots[i & (n_slots - 1)])
			i++;
		slots[i & (n_slots - 1)] = place;
	}
}

static bool slots_grow(void)
{
	uint32_t n_slots = table.n_slots ? table.n_slots * 2 : INTERN_FIRST_SLOTS;
	uint32_t *slots = calloc(n_slots, sizeof(*slots));

	if (!slots)
		return false;
	slots_fill(slots, n_slots);
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

/* ---- forgetting -------------------------------------------------------------------------- */

static void place_free(uint32_t place)
{
	struct intern_entry *e = &table.v[place];

	free(e->text);
	*e = (struct intern_entry){ .tag = (e->tag + 1) & TAG_MASK };
	if (table.free_last)
		table.v[table.free_last].age = place;
	else
		table.free_first = place;
	table.free_last = place;
	table.live--;
	table.forgotten++;
}

/* Who got an id just now may still have it on the stack: nothing goes that was asked for since the
 * time before. */
static void forget(void)
{
	table.age++;
	table.since = 0;
	for (struct intern_holder *h = table.holders; h; h = h->next)
		h->keep(h->ctx);
	for (uint32_t place = INTERN_FIXED; place < table.n; place++)
		if (table.v[place].text && table.v[place].age + 1 < table.age)
			place_free(place);
	memset(table.slots, 0, table.n_slots * sizeof(*table.slots));
	slots_fill(table.slots, table.n_slots);
}

/* When there is something to win by it: a walk over all that is held for each quarter, or, with no
 * room at all, sixteenth of the capacity in new texts. */
static bool is_time_to_forget(void)
{
	if (table.live >= table.capacity)
		return table.since > table.capacity / 16;
	return table.since > table.capacity / 4 && table.live > table.capacity / 2;
}

void intern_hold(struct intern_holder *h)
{
	h->next = table.holders;
	table.holders = h;
}

void intern_unhold(struct intern_holder *h)
{
	for (struct intern_holder **at = &table.holders; *at; at = &(*at)->next)
		if (*at == h) {
			*at = h->next;
			return;
		}
}

void intern_keep(uint32_t id)
{
	struct intern_entry *e = entry_of(id);

	if (e)
		e->age = table.age;
}

/* ---- texts ------------------------------------------------------------------------------- */

static uint32_t overflow(void)
{
	table.overflows++;
	return INTERN_OTHER;
}

/* A place for a new text, 0 = there is none. */
static uint32_t place_take(void)
{
	uint32_t place = table.free_first;

	if (!place && table.n < table.cap) {
		table.v[table.n] = (struct intern_entry){ 0 };
		return table.n++;
	}
	if (!place)
		return 0;
	table.free_first = table.v[place].age;
	if (!table.free_first)
		table.free_last = 0;
	return place;
}

static char *text_copy(struct slice text)
{
	char *copy = malloc(text.len + 1);

	if (copy) {
		memcpy(copy, text.ptr, text.len);
		copy[text.len] = '\0';
	}
	return copy;
}

static uint32_t intern_new(struct slice text, uint32_t hash)
{
	uint32_t place;
	char *copy;

	table.since++;
	if (is_time_to_forget())
		forget();
	if (table.live >= table.capacity)
		return overflow();
	copy = text_copy(text);
	place = copy ? place_take() : 0;
	if (!place) {
		free(copy);
		return overflow();
	}
	table.v[place] = (struct intern_entry){ copy, (uint32_t)text.len, hash, table.v[place].tag,
						table.age };
	*slot_find(text, hash) = place;
	table.live++;
	return id_of(place);
}

uint32_t intern(struct slice text)
{
	uint32_t hash, *slot;

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
	if (!*slot)
		return intern_new(text, hash);
	table.v[*slot].age = table.age;
	return id_of(*slot);
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
	struct intern_entry *e;

	if (id < INTERN_FIXED)
		return fixed[id].text;
	e = entry_of(id);
	if (!e)
		return fixed[INTERN_OTHER].text;
	e->age = table.age;
	return e->text;
}

bool intern_has(uint32_t id)
{
	return id < INTERN_FIXED || entry_of(id);
}

uint64_t intern_overflows(void)
{
	return table.overflows;
}

uint64_t intern_forgotten(void)
{
	return table.forgotten;
}

void intern_set_capacity(uint32_t capacity)
{
	uint32_t most = (1u << PLACE_BITS) - INTERN_FIXED;

	table.capacity = capacity < most ? capacity : most;
}

void intern_release(void)
{
	uint32_t capacity = table.capacity;
	struct intern_holder *holders = table.holders;

	for (uint32_t place = INTERN_FIXED; place < table.n; place++)
		free(table.v[place].text);
	free(table.v);
	free(table.slots);
	memset(&table, 0, sizeof(table));
	table.capacity = capacity;
	table.holders = holders;
}
