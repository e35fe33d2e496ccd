/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/holder.h"

#include <assert.h>
#include <stdlib.h>

void holder_remember(struct assemble *a, uint64_t xid, const struct wait *r)
{
	uint32_t at = a->lock_wait_at % LOCK_WAITS_MAX, *newest;
	struct lock_wait *w;

	if (!a->lock_waits)
		a->lock_waits = calloc(LOCK_WAITS_MAX, sizeof(*a->lock_waits));
	if (!a->lock_waits)
		return;
	w = &a->lock_waits[at];
	newest = w->xid ? table_get(&a->lock_index, w->xid) : NULL;
	if (newest && *newest == at + 1)
		table_del(&a->lock_index, w->xid);
	newest = table_put(&a->lock_index, xid, NULL);
	if (!newest)
		return;
	*w = (struct lock_wait){ .xid = xid,
				 .key = r->key,
				 .start_ns = r->start_ns,
				 .end_ns = r->start_ns + r->ns,
				 .waker_xid = r->waker_xid,
				 .older = *newest };
	*newest = at + 1;
	a->lock_wait_at++;
}

/* The wait of xid for the same lock that ended latest within (from, to). */
static const struct lock_wait *wait_before(const struct assemble *a, uint64_t xid, uint64_t key,
					   uint64_t from, uint64_t to)
{
	const uint32_t *newest = table_get(&a->lock_index, xid);
	uint32_t at = newest ? *newest : 0;

	for (int i = 0; at && i < HOLDERS_MAX * 4; i++) {
		const struct lock_wait *w = &a->lock_waits[at - 1];

		if (w->xid != xid)
			return NULL; /* overwritten since */
		if (w->key == key && w->end_ns > from && w->end_ns < to)
			return w;
		at = w->older;
	}
	return NULL;
}

/* A part of w, of `ns`, that ended by `holder`. */
static struct breakdown_wait split_of(const struct assemble *a, const struct wait *w, uint64_t ns,
				      uint64_t holder)
{
	return (struct breakdown_wait){ .ns = ns,
					.what = w->what,
					.held_by = route_of(a, holder),
					.count = w->count,
					.cause = w->cause,
					.as = w->as };
}

size_t holder_split(const struct assemble *a, const struct wait *w, struct breakdown_wait *out)
{
	uint64_t from = w->start_ns, to = w->start_ns + w->ns, holder = w->held ? w->waker_xid : 0;
	bool lock = wait_told_as(w) == CAUSE_LOCK;
	size_t n = 0;

	while (lock && n < HOLDERS_MAX - 1 && holder && a->lock_waits) {
		const struct lock_wait *before = wait_before(a, holder, w->key, from, to);

		if (!before)
			break;
		out[n++] = split_of(a, w, to - before->end_ns, holder);
		to = before->end_ns;
		holder = before->waker_xid;
	}
	assert(to >= from && n < HOLDERS_MAX);
	out[n++] = split_of(a, w, to - from, holder);
	return n;
}
