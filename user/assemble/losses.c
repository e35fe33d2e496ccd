/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/losses.h"

#include <string.h>

#define max_of(a, b) ((a) > (b) ? (a) : (b))
#define min_of(a, b) ((a) < (b) ? (a) : (b))

bool loss_loses(uint32_t kind)
{
	static const bool loses[COUNTER_COUNT] = {
#define X(id, name, does_lose, help) does_lose,
		COUNTERS(X)
#undef X
	};

	return kind < COUNTER_COUNT && loses[kind];
}

/* Makes room by joining the two oldest: a request that is so old is marked rather too often. */
static void spans_shrink(struct losses *l)
{
	struct loss_span *first = &l->spans[0], *second = &l->spans[1];

	first->from_ns = min_of(first->from_ns, second->from_ns);
	first->to_ns = max_of(first->to_ns, second->to_ns);
	memmove(second, second + 1, (l->n_spans - 2) * sizeof(*second));
	l->n_spans--;
}

void losses_add_span(struct losses *l, uint64_t from_ns, uint64_t to_ns)
{
	struct loss_span *last = l->n_spans ? &l->spans[l->n_spans - 1] : NULL;

	if (to_ns < from_ns)
		to_ns = from_ns;
	if (last && from_ns <= last->to_ns && to_ns >= last->from_ns) {
		last->from_ns = min_of(last->from_ns, from_ns);
		last->to_ns = max_of(last->to_ns, to_ns);
		return;
	}
	if (l->n_spans == LOSSES_SPANS_MAX)
		spans_shrink(l);
	l->spans[l->n_spans++] = (struct loss_span){ from_ns, to_ns };
}

static void kept_shrink(struct losses *l)
{
	size_t gone = 0;

	for (size_t i = 0; i < l->n_kept; i++) {
		if (!loss_loses(l->kept[i].kind)) {
			gone = i;
			break;
		}
	}
	l->n_kept--;
	memmove(&l->kept[gone], &l->kept[gone + 1], (l->n_kept - gone) * sizeof(l->kept[0]));
	l->dropped++;
}

/* The latest interval of a kind and CPU, when the record's begins before it is over. */
static struct loss_interval *kept_continued(struct losses *l, const struct rec_lost *r)
{
	for (size_t i = l->n_kept; i-- > 0;) {
		struct loss_interval *k = &l->kept[i];

		if (k->kind == r->kind && k->cpu == r->h.cpu)
			return r->from_ns <= k->to_ns && r->to_ns >= k->from_ns ? k : NULL;
	}
	return NULL;
}

void losses_add(struct losses *l, const struct rec_lost *r)
{
	uint64_t to_ns = max_of(r->from_ns, r->to_ns);
	struct loss_interval *k;

	if (r->kind >= COUNTER_COUNT || !r->count)
		return;
	if (loss_loses(r->kind))
		losses_add_span(l, r->from_ns, to_ns);
	k = kept_continued(l, r);
	if (k) {
		k->from_ns = min_of(k->from_ns, r->from_ns);
		k->to_ns = max_of(k->to_ns, to_ns);
		k->count += r->count;
		return;
	}
	if (l->n_kept == LOSSES_KEPT_MAX)
		kept_shrink(l);
	l->kept[l->n_kept++] = (struct loss_interval){ r->from_ns, to_ns, r->count, r->kind,
						       r->h.cpu };
}

bool losses_overlap(const struct losses *l, uint64_t from_ns, uint64_t to_ns)
{
	for (size_t i = 0; i < l->n_spans; i++)
		if (l->spans[i].from_ns <= to_ns && l->spans[i].to_ns >= from_ns)
			return true;
	return false;
}
