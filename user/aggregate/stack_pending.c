// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each request has at least one sample, so what is kept of a request lies at the place of its
 * first one in a second array. Links are numbers + 1, so that 0 is none.
 */
#include "aggregate/stack_pending.h"

#include <errno.h>
#include <stdlib.h>

struct pending_request {
	uint64_t xid, seen_ns;
	uint32_t last; /* number of its last sample */
	uint32_t older, newer; /* by seen_ns */
};

void stack_pending_init(struct stack_pending *p, uint32_t capacity)
{
	*p = (struct stack_pending){ .capacity = capacity };
	table_init(&p->index, sizeof(uint32_t), capacity);
}

void stack_pending_release(struct stack_pending *p)
{
	free(p->v);
	free(p->requests);
	table_release(&p->index);
	stack_pending_init(p, p->capacity);
}

static int grow(struct stack_pending *p)
{
	size_t cap = p->cap ? 2 * (size_t)p->cap : 256;
	struct pending_request *requests;
	struct stack_sample *v;

	cap = cap < p->capacity ? cap : p->capacity;
	v = realloc(p->v, cap * sizeof(*v));
	if (!v)
		return -ENOMEM;
	p->v = v;
	requests = realloc(p->requests, cap * sizeof(*requests));
	if (!requests)
		return -ENOMEM;
	p->requests = requests;
	p->cap = (uint32_t)cap;
	return 0;
}

/* A free place; *err says why there is none. */
static uint32_t place_take(struct stack_pending *p, int *err)
{
	uint32_t at = p->free;

	*err = 0;
	if (at) {
		p->free = p->v[at - 1].next;
		return at - 1;
	}
	if (p->n == p->capacity)
		*err = -ENOSPC;
	else if (p->n == p->cap)
		*err = grow(p);
	return *err ? 0 : p->n++;
}

static void place_give_back(struct stack_pending *p, uint32_t at)
{
	p->v[at].next = p->free;
	p->free = at + 1;
}

static void age_unlink(struct stack_pending *p, uint32_t at)
{
	const struct pending_request *r = &p->requests[at];

	*(r->older ? &p->requests[r->older - 1].newer : &p->oldest) = r->newer;
	*(r->newer ? &p->requests[r->newer - 1].older : &p->newest) = r->older;
}

static void age_link_newest(struct stack_pending *p, uint32_t at)
{
	struct pending_request *r = &p->requests[at];

	r->older = p->newest;
	r->newer = 0;
	*(p->newest ? &p->requests[p->newest - 1].newer : &p->oldest) = at + 1;
	p->newest = at + 1;
}

int stack_pending_add(struct stack_pending *p, uint64_t xid, const struct stack_sample *sample,
		      uint64_t seen_ns)
{
	bool created = false;
	uint32_t at, *first;
	int err;

	at = place_take(p, &err);
	if (err)
		return err;
	first = table_put(&p->index, xid, &created);
	if (!first) {
		place_give_back(p, at);
		return -ENOMEM;
	}
	p->v[at] = *sample;
	p->v[at].next = 0;
	if (created) {
		*first = at;
		p->requests[at] = (struct pending_request){ .xid = xid };
	} else {
		p->v[p->requests[*first].last].next = at + 1;
		age_unlink(p, *first);
	}
	p->requests[*first].last = at;
	p->requests[*first].seen_ns = seen_ns;
	age_link_newest(p, *first);
	p->waiting++;
	return 0;
}

const struct stack_sample *stack_pending_first(const struct stack_pending *p, uint64_t xid)
{
	const uint32_t *first = table_get(&p->index, xid);

	return first ? &p->v[*first] : NULL;
}

const struct stack_sample *stack_pending_next(const struct stack_pending *p,
					      const struct stack_sample *s)
{
	return s->next ? &p->v[s->next - 1] : NULL;
}

void stack_pending_drop(struct stack_pending *p, uint64_t xid)
{
	const uint32_t *first = table_get(&p->index, xid);
	uint32_t at, next;

	if (!first)
		return;
	at = *first;
	age_unlink(p, at);
	table_del(&p->index, xid);
	for (next = at + 1; next; p->waiting--) {
		at = next - 1;
		next = p->v[at].next;
		place_give_back(p, at);
	}
}

bool stack_pending_oldest(const struct stack_pending *p, uint64_t *xid, uint64_t *seen_ns)
{
	if (!p->oldest)
		return false;
	*xid = p->requests[p->oldest - 1].xid;
	*seen_ns = p->requests[p->oldest - 1].seen_ns;
	return true;
}
