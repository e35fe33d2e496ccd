// SPDX-License-Identifier: GPL-2.0-only
/*
 * The algebra of parts. It is pure and small on purpose: "parts sum to the whole" is the promise
 * of every screen, and it is kept here, by never dropping a nanosecond on an add and by rounding
 * with the largest-remainder method only.
 */
#include "account/parts.h"

#include "base/intern.h"
#include "base/compare.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_FIRST_CAP = 8 };

void parts_release(struct parts *p)
{
	free(p->v);
	*p = (struct parts){ 0 };
}

void parts_clear(struct parts *p)
{
	p->n = 0;
}

static bool part_same(const struct part *a, const struct part *b)
{
	return a->cause == b->cause && a->who == b->who && a->what == b->what && a->via == b->via &&
	       a->held_by == b->held_by;
}

int parts_add(struct parts *p, const struct part *add)
{
	struct part copy = *add; /* add may point into p->v, which realloc moves */

	if (!copy.ns)
		return 0;
	for (size_t i = 0; i < p->n; i++) {
		if (!part_same(&p->v[i], &copy))
			continue;
		p->v[i].ns += copy.ns;
		p->v[i].count += copy.count;
		p->v[i].scaled |= copy.scaled;
		return 0;
	}
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : PARTS_FIRST_CAP;
		struct part *v = realloc(p->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		p->v = v;
		p->cap = cap;
	}
	p->v[p->n++] = copy;
	return 0;
}

void parts_keep_names(const struct part *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		intern_keep(v[i].who);
		intern_keep(v[i].what);
		intern_keep(v[i].via);
		intern_keep(v[i].held_by);
	}
}

uint64_t parts_sum_ns(const struct parts *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->n; i++)
		sum += p->v[i].ns;
	return sum;
}

/* A total order over part identities, so that qsort's instability cannot show. */
static int part_cmp(const void *va, const void *vb)
{
	const struct part *a = va, *b = vb;
	int c = CMP(b->ns, a->ns);

	c = c ? c : CMP(a->cause, b->cause);
	c = c ? c : CMP(a->who, b->who);
	c = c ? c : CMP(a->what, b->what);
	c = c ? c : CMP(a->via, b->via);
	return c ? c : CMP(a->held_by, b->held_by);
}

void parts_sort(struct parts *p)
{
	if (p->n > 1)
		qsort(p->v, p->n, sizeof(*p->v), part_cmp);
}

/* What is left of v[i]'s exact share of total_units when whole units are taken out of it. */
static uint64_t remainder_of(const struct part *p, uint64_t total_units, uint64_t sum)
{
	return (uint64_t)((unsigned __int128)p->ns * total_units % sum);
}

/* One more unit to each of the `left` largest remainders; the first of equals wins, so the result
 * depends on the input's order alone. The remainders are worked out again in each round instead
 * of being kept: that needs no memory, so this cannot fail, and lists are short. */
static void give_rest(const struct part *v, size_t n, uint64_t total_units, uint64_t sum,
		      uint64_t left, uint64_t *out_units)
{
	uint64_t last_rem = UINT64_MAX;
	size_t last = 0;

	for (; left; left--) {
		uint64_t best_rem = 0;
		size_t best = n;

		for (size_t i = 0; i < n; i++) {
			uint64_t rem = remainder_of(&v[i], total_units, sum);
			bool given = rem > last_rem || (rem == last_rem && i <= last);

			if (!given && rem > best_rem) {
				best_rem = rem;
				best = i;
			}
		}
		/* Σ remainders = left × sum and each is below sum: there are more than left. */
		assert(best < n);
		out_units[best]++;
		last_rem = best_rem;
		last = best;
	}
}

void parts_round(const struct part *v, size_t n, uint64_t total_units, uint64_t *out_units)
{
	unsigned __int128 wide = 0;
	uint64_t sum, left = total_units;

	for (size_t i = 0; i < n; i++)
		wide += v[i].ns;
	/* Parts are times of this host: their sum is far below 2^64 ns (584 years). */
	assert(wide <= UINT64_MAX);
	sum = (uint64_t)wide;
	if (!sum) {
		assert(total_units == 0);
		if (n)
			memset(out_units, 0, n * sizeof(*out_units));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		out_units[i] = (uint64_t)((unsigned __int128)v[i].ns * total_units / sum);
		left -= out_units[i];
	}
	give_rest(v, n, total_units, sum, left, out_units);
}
