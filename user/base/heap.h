/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bounded binary min-heap of (key, value) pairs: puts records in order of time, and keeps the
 * K largest of a stream (push until full, then replace the smallest). Equal keys leave in the
 * order of their second key, so that results do not depend on the heap's shape.
 */
#ifndef TARDY_BASE_HEAP_H
#define TARDY_BASE_HEAP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_item {
	uint64_t key;
	uint64_t tie; /* order among equal keys: a sequence number, an id */
	void *value; /* the caller's */
};

struct heap {
	struct heap_item *v;
	size_t n, cap;
	size_t capacity; /* most items */
};

/* An empty heap; allocates nothing yet. */
void heap_init(struct heap *h, size_t capacity);
/* Frees the heap; the values are the caller's. */
void heap_release(struct heap *h);
/* 0, -ENOSPC when it holds capacity items, -ENOMEM; unchanged on failure. */
int heap_push(struct heap *h, struct heap_item item);
/* The smallest, or NULL when empty; valid until the next change. */
const struct heap_item *heap_min(const struct heap *h);
/* Removes the smallest into *out; false when empty. */
bool heap_pop(struct heap *h, struct heap_item *out);
/* Puts item in the place of the smallest, which goes to *out. The heap must not be empty. */
void heap_replace_min(struct heap *h, struct heap_item item, struct heap_item *out);
#endif
