// SPDX-License-Identifier: GPL-2.0-only
/* Copies of requests, counted by reference; see kept.h. */
#include "aggregate/kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/intern.h"

/* A copy of n bytes; *failed is set when memory is out. NULL for nothing. */
static void *copy(const void *from, size_t bytes, bool *failed)
{
	void *to;

	if (!bytes)
		return NULL;
	to = malloc(bytes);
	if (!to)
		*failed = true;
	else
		memcpy(to, from, bytes);
	return to;
}

struct kept *kept_copy(const struct request *r)
{
	size_t parts = r->parts.n * sizeof(*r->parts.v);
	size_t calls = r->n_calls * sizeof(*r->calls), marks = r->n_marks * sizeof(*r->marks);
	struct kept *k = malloc(sizeof(*k));
	bool failed = false;

	if (!k)
		return NULL;
	*k = (struct kept){ .r = *r, .refs = 1, .bytes = sizeof(*k) + parts + calls + marks };
	k->r.parts = (struct parts){ copy(r->parts.v, parts, &failed), r->parts.n, r->parts.n };
	k->r.calls = copy(r->calls, calls, &failed);
	k->r.marks = copy(r->marks, marks, &failed);
	if (!failed)
		return k;
	kept_put(k);
	return NULL;
}

struct kept *kept_ref(struct kept *k)
{
	k->refs++;
	return k;
}

void kept_keep_names(const struct kept *k)
{
	const struct request *r = &k->r;

	intern_keep(r->service);
	intern_keep(r->pool);
	intern_keep(r->method);
	intern_keep(r->route);
	intern_keep(r->protocol);
	intern_keep(r->waiting_for);
	parts_keep_names(r->parts.v, r->parts.n);
	for (uint32_t i = 0; i < r->n_calls; i++) {
		intern_keep(r->calls[i].peer);
		intern_keep(r->calls[i].protocol);
		intern_keep(r->calls[i].what);
	}
	for (uint32_t i = 0; i < r->n_marks; i++)
		intern_keep(r->marks[i].label);
}

void kept_put(struct kept *k)
{
	if (!k || --k->refs)
		return;
	free(k->r.parts.v);
	free(k->r.calls);
	free(k->r.marks);
	free(k);
}

int kept_slow_slot(const struct kept_slow *s, uint64_t wall_ns, uint64_t since_ns)
{
	uint32_t least = 0;

	if (s->n < KEPT_SLOWEST)
		return (int)s->n;
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->v[i]->r.end_ns < since_ns)
			return (int)i;
		if (request_wall_ns(&s->v[i]->r) < request_wall_ns(&s->v[least]->r))
			least = i;
	}
	return request_wall_ns(&s->v[least]->r) < wall_ns ? (int)least : -1;
}

void kept_slow_put(struct kept_slow *s, int slot, struct kept *k)
{
	if ((uint32_t)slot == s->n)
		s->n++;
	else
		kept_put(s->v[slot]);
	s->v[slot] = k;
}

void kept_slow_free(struct kept_slow *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n; i++)
		kept_put(s->v[i]);
	free(s);
}
