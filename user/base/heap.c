// SPDX-License-Identifier: GPL-2.0-only
/* The bounded binary min-heap of heap.h, in an array that grows by doubling up to its bound. */
#include "base/heap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { HEAP_FIRST_CAP = 16 };

static bool item_less(const struct heap_item *a, const struct heap_item *b)
{
	return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

void heap_init(struct heap *h, size_t capacity)
{
	*h = (struct heap){ .capacity = capacity };
}

void heap_release(struct heap *h)
{
	free(h->v);
	heap_init(h, h->capacity);
}

static void sift_up(struct heap *h, size_t i)
{
	struct heap_item item = h->v[i];

	while (i && item_less(&item, &h->v[(i - 1) / 2])) {
		h->v[i] = h->v[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->v[i] = item;
}

static void sift_down(struct heap *h, size_t i)
{
	struct heap_item item = h->v[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= h->n)
			break;
		if (child + 1 < h->n && item_less(&h->v[child + 1], &h->v[child]))
			child++;
		if (!item_less(&h->v[child], &item))
			break;
		h->v[i] = h->v[child];
		i = child;
	}
	h->v[i] = item;
}

int heap_push(struct heap *h, struct heap_item item)
{
	if (h->n >= h->capacity)
		return -ENOSPC;
	if (h->n == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : HEAP_FIRST_CAP;
		struct heap_item *v;

		cap = cap < h->capacity ? cap : h->capacity;
		v = realloc(h->v, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		h->v = v;
		h->cap = cap;
	}
	h->v[h->n++] = item;
	sift_up(h, h->n - 1);
	return 0;
}

const struct heap_item *heap_min(const struct heap *h)
{
	return h->n ? &h->v[0] : NULL;
}

bool heap_pop(struct heap *h, struct heap_item *out)
{
	if (!h->n)
		return false;
	*out = h->v[0];
	h->v[0] = h->v[--h->n];
	if (h->n)
		sift_down(h, 0);
	return true;
}

void heap_replace_min(struct heap *h, struct heap_item item, struct heap_item *out)
{
	assert(h->n > 0);
	*out = h->v[0];
	h->v[0] = item;
	sift_down(h, 0);
}
