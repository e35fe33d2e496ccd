// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/stack_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/intern.h"

struct stack_entry {
	uint32_t *frames; /* NULL = free */
	uint64_t hash;
	uint32_t refs; /* of a free entry: the next free one */
	uint16_t n, n_kernel;
};

static uint64_t frames_hash(struct stack_frames f)
{
	return hash_bytes(f.v, f.n * sizeof(*f.v)) ^ f.n_kernel;
}

static uint32_t *frames_copy(struct stack_frames f)
{
	uint32_t *v = malloc((f.n ? f.n : 1) * sizeof(*v));

	if (v && f.n)
		memcpy(v, f.v, f.n * sizeof(*v));
	return v;
}

int stack_set_init(struct stack_set *s, uint32_t capacity)
{
	uint32_t other = intern_str("[other]");
	struct stack_frames f = { &other, 1, 0 };

	*s = (struct stack_set){ .capacity = capacity, .cap = 64 };
	table_init(&s->index, sizeof(uint32_t), capacity);
	s->v = calloc(s->cap, sizeof(*s->v));
	if (!s->v)
		return -ENOMEM;
	s->v[STACK_OTHER] = (struct stack_entry){ .frames = frames_copy(f), .refs = 1, .n = 1 };
	s->n = 1;
	return s->v[STACK_OTHER].frames ? 0 : -ENOMEM;
}

void stack_set_release(struct stack_set *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		free(s->v[i].frames);
	free(s->v);
	table_release(&s->index);
	*s = (struct stack_set){ 0 };
}

static bool entry_is(const struct stack_entry *e, struct stack_frames f)
{
	return e->n == f.n && e->n_kernel == f.n_kernel &&
	       !memcmp(e->frames, f.v, f.n * sizeof(*f.v));
}

/* An entry's number, 0 when there is no room. */
static uint32_t entry_take(struct stack_set *s)
{
	uint32_t number = s->free;

	if (number) {
		s->free = s->v[number].refs;
		return number;
	}
	if (s->n > s->capacity)
		return 0;
	if (s->n == s->cap) {
		struct stack_entry *v = realloc(s->v, 2 * (size_t)s->cap * sizeof(*v));

		if (!v)
			return 0;
		s->v = v;
		s->cap *= 2;
	}
	s->v[s->n] = (struct stack_entry){ 0 };
	return s->n++;
}

static void entry_give_back(struct stack_set *s, uint32_t number)
{
	struct stack_entry *e = &s->v[number];

	free(e->frames);
	*e = (struct stack_entry){ .refs = s->free };
	s->free = number;
}

/* Makes an entry for frames that have none; STACK_OTHER when there is no room. */
static uint32_t entry_make(struct stack_set *s, struct stack_frames f, uint64_t hash)
{
	uint32_t number = entry_take(s), *at = number ? table_put(&s->index, hash, NULL) : NULL;
	uint32_t *copy = at ? frames_copy(f) : NULL;

	if (!copy) {
		if (at)
			table_del(&s->index, hash);
		if (number)
			entry_give_back(s, number);
		s->folded++;
		return STACK_OTHER;
	}
	*at = number;
	s->v[number] = (struct stack_entry){ copy, hash, 1, f.n, f.n_kernel };
	return number;
}

uint32_t stack_set_ref(struct stack_set *s, struct stack_frames f)
{
	uint64_t hash = frames_hash(f);
	const uint32_t *at = table_get(&s->index, hash);

	if (!at)
		return entry_make(s, f, hash);
	if (!entry_is(&s->v[*at], f)) { /* two stacks with one hash: not worth a chain */
		s->folded++;
		return STACK_OTHER;
	}
	s->v[*at].refs++;
	return *at;
}

void stack_set_ref_again(struct stack_set *s, uint32_t stack)
{
	if (stack != STACK_OTHER)
		s->v[stack].refs++;
}

void stack_set_unref(struct stack_set *s, uint32_t stack)
{
	if (stack == STACK_OTHER || --s->v[stack].refs)
		return;
	table_del(&s->index, s->v[stack].hash);
	entry_give_back(s, stack);
}

struct stack_frames stack_set_frames(const struct stack_set *s, uint32_t stack)
{
	const struct stack_entry *e = &s->v[stack];

	return (struct stack_frames){ e->frames, e->n, e->n_kernel };
}

void stack_set_keep_names(const struct stack_set *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		for (uint16_t k = 0; s->v[i].frames && k < s->v[i].n; k++)
			intern_keep(s->v[i].frames[k]);
}
