// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/keep.h"

#include <errno.h>
#include <stdlib.h>

#include "aggregate/store.h"

static struct kept *keep_copy(const struct request *r, const struct parts *parts)
{
	struct request copy = *r;

	copy.parts = *parts;
	return kept_copy(&copy);
}

static int keep_report(struct aggregate *a, const struct request *r, const struct parts *parts)
{
	struct kept *k;

	if (a->n_kept == a->cap_kept) {
		size_t cap = a->cap_kept ? a->cap_kept * 2 : 256;
		struct kept **v = realloc(a->kept, cap * sizeof(struct kept *));

		if (!v)
			return -ENOMEM;
		a->kept = v;
		a->cap_kept = cap;
	}
	k = keep_copy(r, parts);
	if (!k)
		return -ENOMEM;
	a->kept[a->n_kept++] = k;
	a->kept_bytes += k->bytes;
	return 0;
}

static int keep_live(struct aggregate *a, struct group *g, const struct request *r,
		     const struct parts *parts)
{
	uint64_t since = r->end_ns > a->o.slow_ns ? r->end_ns - a->o.slow_ns : 0;
	struct kept *k = keep_copy(r, parts);
	int slot;

	if (!k)
		return -ENOMEM;
	if (!g->slow)
		g->slow = calloc(1, sizeof(*g->slow));
	slot = g->slow ? kept_slow_slot(g->slow, request_wall_ns(r), since) : -1;
	if (slot >= 0)
		kept_slow_put(g->slow, slot, kept_ref(k));
	if (a->n_kept < a->o.recent)
		a->n_kept++;
	else
		kept_put(a->kept[a->at_kept]);
	a->kept[a->at_kept] = k;
	a->at_kept = (a->at_kept + 1) % a->o.recent;
	return 0;
}

int aggregate_keep(struct aggregate *a, struct group *g, const struct request *r,
		   const struct parts *parts)
{
	int rc;

	if (!a->o.report)
		rc = keep_live(a, g, r, parts);
	else if (a->n_kept < a->o.max_kept && a->kept_bytes < a->o.max_kept_bytes)
		rc = keep_report(a, r, parts);
	else
		rc = -ENOSPC;
	a->counters.kept_dropped += rc != 0;
	return 0;
}

static int pointer_cmp(const void *va, const void *vb)
{
	uintptr_t a = (uintptr_t) * (void *const *)va, b = (uintptr_t) * (void *const *)vb;

	return (a > b) - (a < b);
}

int aggregate_kept(const struct aggregate *a, const struct aggregate_window *w,
		   const struct request ***out, size_t *n)
{
	size_t most = a->n_kept, have = 0, unique = 0;
	const struct request **v;

	for (size_t i = 0; i < a->n_groups; i++)
		most += a->groups[i]->slow ? a->groups[i]->slow->n : 0;
	v = malloc((most ? most : 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < a->n_kept; i++)
		v[have++] = &a->kept[i]->r;
	for (size_t i = 0; i < a->n_groups; i++)
		for (uint32_t s = 0; a->groups[i]->slow && s < a->groups[i]->slow->n; s++)
			v[have++] = &a->groups[i]->slow->v[s]->r;
	qsort(v, have, sizeof(*v), pointer_cmp);
	for (size_t i = 0; i < have; i++) {
		bool again = unique && v[unique - 1] == v[i];

		if (!again && v[i]->end_ns >= w->from_ns)
			v[unique++] = v[i];
	}
	*out = v;
	*n = unique;
	return 0;
}
