// SPDX-License-Identifier: GPL-2.0-only
/* Copies of requests, in microseconds and on the wall clock, for views and exports. */
#include "rank/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/balance.h"
#include "base/compare.h"

static uint64_t to_us(uint64_t ns)
{
	return ns / 1000 + (ns % 1000 >= 500);
}

int listing_parts(const struct parts *parts, uint64_t total_us, double per_request,
		  struct snap_part **out, size_t *n_out)
{
	struct parts sorted = { 0 };
	struct snap_part *v;
	uint64_t *us;
	size_t n = 0;

	*out = NULL;
	*n_out = 0;
	if (!parts->n || !total_us)
		return 0;
	sorted.v = malloc(parts->n * sizeof(*sorted.v));
	us = malloc(parts->n * sizeof(*us));
	v = calloc(parts->n, sizeof(*v));
	if (!sorted.v || !us || !v) {
		free(sorted.v);
		free(us);
		free(v);
		return -ENOMEM;
	}
	memcpy(sorted.v, parts->v, parts->n * sizeof(*sorted.v));
	sorted.n = sorted.cap = parts->n;
	parts_sort(&sorted);
	parts_round(sorted.v, sorted.n, total_us, us);
	for (size_t i = 0; i < sorted.n; i++) {
		const struct part *p = &sorted.v[i];

		if (us[i])
			v[n++] = (struct snap_part){ .who = p->who,
						     .what = p->what,
						     .via = p->via,
						     .held_by = p->held_by,
						     .cause = p->cause,
						     .scaled = p->scaled,
						     .count = p->count / per_request,
						     .us = us[i] };
	}
	parts_release(&sorted);
	free(us);
	*out = v;
	*n_out = n;
	return 0;
}

static uint64_t gap_us(const struct request *r)
{
	const struct streams one = streams_of(r);

	return one.gaps ? to_us(one.gaps_ns / one.gaps) : 0;
}

static void request_scalars(struct snap_request *q, const struct request *r, int64_t offset_ns)
{
	*q = (struct snap_request){
		.xid = r->xid,
		.parent_xid = r->parent_xid,
		.start_unix_us = (r->start_ns + (uint64_t)offset_ns) / 1000,
		.wall_us = to_us(request_wall_ns(r)),
		.after_us = to_us(r->after_ns),
		.first_byte_us = r->first_byte_ns > r->start_ns ?
					 to_us(r->first_byte_ns - r->start_ns) :
					 0,
		.bytes_in = r->bytes_in,
		.bytes_out = r->bytes_out,
		.gap_us = gap_us(r),
		.sends = r->sends,
		.gap_max_us = to_us(r->net.gap_max_ns),
		.peer_window_us = to_us(r->net.peer_window_ns),
		.srtt_us = r->net.srtt_us,
		.rttvar_us = r->net.rttvar_us,
		.retransmits = r->net.retransmits,
		.service = r->service,
		.method = r->method,
		.route = r->route,
		.protocol = r->protocol,
		.waiting_for = r->waiting_for,
		.client = r->client,
		.status = r->status,
		.pid = r->pid,
		.tid = r->tid,
		.binding = r->binding,
		.entry = r->flags & REQUEST_ENTRY,
		.aborted = r->flags & REQUEST_ABORTED,
		.incomplete = r->flags & REQUEST_INCOMPLETE,
		.error = r->flags & REQUEST_ERROR,
		.open = r->flags & REQUEST_OPEN,
		.stream = r->flags & REQUEST_STREAM,
		.before = r->flags & REQUEST_BEFORE,
		.multiplexed = r->flags & REQUEST_MULTIPLEXED,
		.end_unseen = r->flags & REQUEST_END_UNSEEN,
	};
}

static uint64_t after_start_us(const struct request *r, uint64_t at_ns)
{
	return at_ns > r->start_ns ? to_us(at_ns - r->start_ns) : 0;
}

static int request_details(struct snap_request *q, const struct request *r)
{
	q->calls = r->n_calls ? calloc(r->n_calls, sizeof(*q->calls)) : NULL;
	q->marks = r->n_marks ? calloc(r->n_marks, sizeof(*q->marks)) : NULL;
	if ((r->n_calls && !q->calls) || (r->n_marks && !q->marks))
		return -ENOMEM;
	for (uint32_t i = 0; i < r->n_calls; i++) {
		const struct request_call *c = &r->calls[i];

		q->calls[i] = (struct snap_call){ .peer = c->peer,
						  .protocol = c->protocol,
						  .what = c->what,
						  .start_us = after_start_us(r, c->start_ns),
						  .wall_us = to_us(c->wall_ns),
						  .connect_us = to_us(c->net.connect_ns),
						  .srtt_us = c->net.srtt_us,
						  .retransmits = c->net.retransmits,
						  .error = c->error };
	}
	q->n_calls = r->n_calls;
	for (uint32_t i = 0; i < r->n_marks; i++)
		q->marks[i] = (struct snap_mark){ r->marks[i].label,
						  after_start_us(r, r->marks[i].at_ns) };
	q->n_marks = r->n_marks;
	return 0;
}

static int request_fill(struct snap_request *q, const struct request *r, int64_t offset_ns)
{
	struct parts tmp = { 0 };
	const struct parts *parts = parts_balanced(r, &tmp);
	int rc = -ENOMEM;

	request_scalars(q, r, offset_ns);
	if (parts)
		rc = listing_parts(parts, q->wall_us, 1, &q->parts, &q->n_parts);
	parts_release(&tmp);
	return rc ? rc : request_details(q, r);
}

static int start_cmp(const void *va, const void *vb)
{
	const struct request *a = *(const struct request *const *)va;
	const struct request *b = *(const struct request *const *)vb;
	int c = CMP(a->start_ns, b->start_ns);

	return c ? c : CMP(a->xid, b->xid);
}

static int slow_cmp(const void *va, const void *vb)
{
	const struct request *a = *(const struct request *const *)va;
	const struct request *b = *(const struct request *const *)vb;
	int c = CMP(b->flags & REQUEST_ENTRY, a->flags & REQUEST_ENTRY);

	if (!c)
		c = CMP(request_wall_ns(b), request_wall_ns(a));
	return c ? c : CMP(a->xid, b->xid);
}

/* Kept and open ones in one array of borrowed pointers, in the order of the list. */
static int requests_gather(const struct aggregate *a, const struct rows *rows,
			   const struct snapshot_input *in, const struct request ***out, size_t *n)
{
	const struct request **v, **more;
	size_t have;

	if (aggregate_kept(a, &rows->w, &v, &have))
		return -ENOMEM;
	more = realloc(v, (have + in->n_open + 1) * sizeof(*v));
	if (!more) {
		free(v);
		return -ENOMEM;
	}
	for (size_t i = 0; i < in->n_open; i++)
		if (in->open[i]->end_ns >= in->open[i]->start_ns)
			more[have++] = in->open[i];
	/* a list that is bounded shows the slowest, users' requests before those between services */
	qsort(more, have, sizeof(*more), in->live || in->max_requests ? slow_cmp : start_cmp);
	*out = more;
	*n = have;
	return 0;
}

int listing_build(struct snapshot *s, const struct aggregate *a, const struct rows *rows,
		  const struct snapshot_input *in)
{
	const struct request **v;
	size_t n, most;
	int rc = 0;

	s->requests_dropped = aggregate_counters(a)->kept_dropped;
	if (!in->list_requests)
		return 0;
	if (requests_gather(a, rows, in, &v, &n))
		return -ENOMEM;
	most = in->max_requests && in->max_requests < n ? in->max_requests : n;
	/* live, the list is the slowest ones by intent; elsewhere what is left out is told */
	s->requests_dropped += in->live ? 0 : n - most;
	s->requests_v = calloc(most ? most : 1, sizeof(*s->requests_v));
	if (!s->requests_v)
		rc = -ENOMEM;
	while (!rc && s->n_requests_v < most) {
		rc = request_fill(&s->requests_v[s->n_requests_v], v[s->n_requests_v],
				  in->realtime_offset_ns);
		s->n_requests_v++;
	}
	free(v);
	return rc;
}
