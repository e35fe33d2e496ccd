// SPDX-License-Identifier: GPL-2.0-only
/* Rows: the groups' sums over the window, with the requests in flight added. */
#include "rank/row.h"

#include <errno.h>
#include <stdlib.h>

#include "base/intern.h"

double rows_per_s(const struct rows *rows, double ns)
{
	return ns / (double)(rows->w.to_ns - rows->w.from_ns);
}

double rows_share(const struct rows *rows, uint64_t ns)
{
	return rows->entry_wait_ns ? (double)ns / (double)rows->entry_wait_ns : 0;
}

static uint64_t row_hash(uint32_t service, uint32_t pool, uint32_t route, bool entry)
{
	uint64_t h = ((uint64_t)service << 32 | route) * 0x9e3779b97f4a7c15u;

	return h ^ (h >> 31) ^ ((uint64_t)pool << 1 | entry);
}

static bool row_is(const struct row *r, uint32_t service, uint32_t pool, uint32_t route, bool entry)
{
	return r->sum.service == service && r->sum.pool == pool && r->sum.route == route &&
	       r->sum.entry == entry;
}

static struct row *row_find(const struct rows *rows, uint32_t service, uint32_t pool,
			    uint32_t route, bool entry)
{
	const size_t *at = table_get(&rows->index, row_hash(service, pool, route, entry));

	if (!at)
		return NULL;
	if (row_is(&rows->v[*at - 1], service, pool, route, entry))
		return &rows->v[*at - 1];
	/* Two keys with one hash: rare enough to look for it. */
	for (size_t i = 0; i < rows->n; i++)
		if (row_is(&rows->v[i], service, pool, route, entry))
			return &rows->v[i];
	return NULL;
}

/* Appends a row, taking over *sum; NULL without memory. */
static struct row *row_append(struct rows *rows, const struct aggregate_sum *sum)
{
	bool created;
	size_t *at;

	if (rows->n == rows->cap) {
		size_t cap = rows->cap ? rows->cap * 2 : 64;
		struct row *v = realloc(rows->v, cap * sizeof(*v));

		if (!v)
			return NULL;
		rows->v = v;
		rows->cap = cap;
	}
	at = table_put(&rows->index, row_hash(sum->service, sum->pool, sum->route, sum->entry),
		       &created);
	if (!at)
		return NULL;
	if (created)
		*at = rows->n + 1;
	rows->v[rows->n] = (struct row){ .sum = *sum };
	return &rows->v[rows->n++];
}

static int rows_add_groups(struct rows *rows, const struct aggregate *a)
{
	for (size_t i = 0; i < aggregate_groups(a); i++) {
		struct aggregate_sum sum;
		bool some;

		if (aggregate_group_sum(a, i, &rows->w, &sum))
			return -ENOMEM;
		some = sum.requests || sum.wait_ns || sum.multiplexed;
		if (some && row_append(rows, &sum))
			continue;
		aggregate_sum_release(&sum);
		if (some)
			return -ENOMEM;
	}
	return 0;
}

static struct row *row_for_open(struct rows *rows, const struct request *r, size_t *fresh)
{
	bool entry = r->flags & REQUEST_ENTRY;
	struct aggregate_sum sum = {
		.service = r->service, .pool = r->pool, .route = r->route, .entry = entry
	};
	struct row *row = row_find(rows, r->service, r->pool, r->route, entry);

	if (!row && *fresh >= RANK_OPEN_ROWS_MAX) {
		sum.pool = 0;
		sum.route = INTERN_OTHER;
		row = row_find(rows, r->service, 0, INTERN_OTHER, entry);
	}
	if (row)
		return row;
	++*fresh;
	return row_append(rows, &sum);
}

static int rows_add_open(struct rows *rows, const struct snapshot_input *in)
{
	size_t fresh = 0;
	uint64_t wall_ns;

	for (size_t i = 0; i < in->n_open; i++) {
		struct row *row = row_for_open(rows, in->open[i], &fresh);

		if (!row)
			return -ENOMEM;
		row->in_flight++;
		if (in->open[i]->flags & REQUEST_ENDLESS)
			continue;
		if (aggregate_sum_add_open(&row->sum, &rows->w, in->open[i]))
			return -ENOMEM;
		wall_ns = request_wall_ns(in->open[i]);
		if (in->open[i]->flags & REQUEST_ENTRY && wall_ns > rows->open_longest_ns)
			rows->open_longest_ns = wall_ns;
	}
	return 0;
}

/* By WAIT/s; then by what was answered; then by names' ids, so that equal rows keep their place. */
static int row_cmp(const void *va, const void *vb)
{
	const struct aggregate_sum *a = &((const struct row *)va)->sum;
	const struct aggregate_sum *b = &((const struct row *)vb)->sum;

	if (a->wait_ns != b->wait_ns)
		return a->wait_ns < b->wait_ns ? 1 : -1;
	if (a->requests != b->requests)
		return a->requests < b->requests ? 1 : -1;
	if (a->route != b->route)
		return a->route < b->route ? -1 : 1;
	if (a->service != b->service)
		return a->service < b->service ? -1 : 1;
	return (a->pool > b->pool) - (a->pool < b->pool);
}

int rows_collect(struct rows *rows, const struct aggregate *a, const struct snapshot_input *in)
{
	*rows = (struct rows){ .w = aggregate_window(a, in->end_ns, in->window_ns) };
	table_init(&rows->index, sizeof(size_t), aggregate_groups(a) + in->n_open + 1);
	if (rows_add_groups(rows, a) || rows_add_open(rows, in))
		return -ENOMEM;
	if (rows->n)
		qsort(rows->v, rows->n, sizeof(*rows->v), row_cmp);
	for (size_t i = 0; i < rows->n; i++)
		rows->entry_wait_ns += rows->v[i].sum.entry ? rows->v[i].sum.wait_ns : 0;
	return 0;
}

void rows_release(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		aggregate_sum_release(&rows->v[i].sum);
	free(rows->v);
	table_release(&rows->index);
}

uint64_t row_in_service_ns(const struct row *row)
{
	uint64_t queued = 0;

	for (size_t i = 0; i < row->sum.wait_parts.n; i++) {
		const struct part *p = &row->sum.wait_parts.v[i];

		if (p->cause == CAUSE_QUEUE && p->who == row->sum.service)
			queued += p->ns;
	}
	return row->sum.wait_ns > queued ? row->sum.wait_ns - queued : 0;
}

uint64_t row_on_thread_ns(const struct row *row)
{
	uint64_t used = 0;

	for (size_t i = 0; i < row->sum.wait_parts.n; i++) {
		const struct part *p = &row->sum.wait_parts.v[i];

		switch ((enum cause)p->cause) {
		case CAUSE_CPU:
		case CAUSE_RUNQ:
		case CAUSE_THROTTLE:
		case CAUSE_DISK:
		case CAUSE_FAULT:
		case CAUSE_LOCK:
		case CAUSE_SLEEP:
		case CAUSE_IPC:
		case CAUSE_OTHER:
			used += p->who == row->sum.service ? p->ns : 0;
			break;
		default: /* the loop serves others meanwhile */
			break;
		}
	}
	return used;
}
