/* SPDX-License-Identifier: GPL-2.0-only */
#include "pipeline.h"

#include <assert.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/aggregate.h"
#include "aggregate/stacks.h"
#include "assemble/assemble.h"
#include "base/intern.h"
#include "ingest/record.h"
#include "rank/rank.h"

enum { COST_SAMPLES = 16, POOLS_MAX = 64, OPEN_MAX = 20000 };

struct cost_sample {
	uint64_t ts_ns, own_cpu_ns, probe_ns;
};

struct pipeline {
	struct intern_holder holder;
	struct pipeline_opts opts;
	struct assemble *assemble;
	struct aggregate *aggregate;
	struct stacks *stacks;
	uint64_t now_ns; /* everything before it has been read */
	uint64_t start_ns;
	uint64_t from_ns, to_ns; /* what counts, 0 = no bound */
	int64_t realtime_offset_ns;
	uint32_t hostname, kernel;
	uint32_t cpus;
	struct rec_tick tick;
	struct rec_host host;
	/* own cost: a sample a second for the live view, and the first for a report */
	struct cost_sample cost[COST_SAMPLES], cost_first;
	uint32_t cost_at;
	uint64_t requests;
	/* while a snapshot is made */
	struct request *open;
	size_t n_open, cap_open;
};

static void on_request(void *ctx, const struct request *r)
{
	struct pipeline *p = ctx;
	bool wanted = r->end_ns >= p->from_ns &&
		      (!p->opts.route_glob ||
		       fnmatch(p->opts.route_glob, intern_text(r->route), 0) == 0);

	/* of multiplexed ones it is not known whom a wait was for: their breakdown has none */
	stacks_request(p->stacks, r, wanted && !(r->flags & REQUEST_MULTIPLEXED));
	if (!wanted)
		return;
	p->requests++;
	aggregate_add(p->aggregate, r);
}

static void pipeline_keep_names(void *ctx)
{
	const struct pipeline *p = ctx;

	intern_keep(p->hostname);
	intern_keep(p->kernel);
}

struct pipeline *pipeline_new(const struct pipeline_opts *opts)
{
	struct aggregate_options ao = { .report = opts->report };
	struct stacks_options so = { .report = opts->report };
	struct pipeline *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->opts = *opts;
	p->host = (struct rec_host){ .cpu = -1,
				     .disk = -1,
				     .runnable_x100 = -1,
				     .psi_cpu = -1,
				     .psi_io = -1,
				     .psi_mem = -1 };
	p->assemble = assemble_new(on_request, p);
	p->aggregate = aggregate_new(&ao);
	p->stacks = stacks_new(&so);
	if (!p->assemble || !p->aggregate || !p->stacks) {
		pipeline_free(p);
		return NULL;
	}
	p->holder = (struct intern_holder){ pipeline_keep_names, p, NULL };
	intern_hold(&p->holder);
	return p;
}

void pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	intern_unhold(&p->holder);
	assemble_free(p->assemble);
	aggregate_free(p->aggregate);
	stacks_free(p->stacks);
	free(p);
}

static void on_meta(struct pipeline *p, const struct rec_meta *m)
{
	p->start_ns = m->h.ts_ns;
	p->realtime_offset_ns = (int64_t)(m->start_unix_ns - m->h.ts_ns);
	p->hostname = intern(record_text(m->hostname, sizeof(m->hostname)));
	p->kernel = intern(record_text(m->kernel, sizeof(m->kernel)));
	p->cpus = m->cpus;
	aggregate_set_origin(p->aggregate, m->h.ts_ns);
}

static void on_tick(struct pipeline *p, const struct rec_tick *t)
{
	struct cost_sample *last = &p->cost[(p->cost_at + COST_SAMPLES - 1) % COST_SAMPLES];
	struct cost_sample now = { t->h.ts_ns, t->own_cpu_ns, t->probe_ns };

	p->tick = *t;
	p->now_ns = t->h.ts_ns;
	if (!p->cost_first.ts_ns || now.ts_ns <= p->from_ns)
		p->cost_first = now;
	if (now.ts_ns >= last->ts_ns + 1000000000u) {
		p->cost[p->cost_at % COST_SAMPLES] = now;
		p->cost_at = (p->cost_at + 1) % COST_SAMPLES;
	}
}

void pipeline_set_interval(struct pipeline *p, uint64_t from_ns, uint64_t to_ns)
{
	p->from_ns = from_ns;
	p->to_ns = to_ns;
	if (from_ns)
		aggregate_set_origin(p->aggregate, from_ns);
}

bool pipeline_is_before_interval(const struct pipeline *p)
{
	return p->now_ns <= p->from_ns;
}

/* All that happened before the interval's end has been read: the clock stops there. */
static int end_interval(struct pipeline *p, const struct rec_tick *t)
{
	struct rec_tick last = *t;

	last.h.ts_ns = p->to_ns;
	if (assemble_record(p->assemble, &last.h))
		return -ENOMEM;
	on_tick(p, &last);
	return 1;
}

int pipeline_record(void *ctx, const struct rec_hdr *rec)
{
	struct pipeline *p = ctx;

	if (p->to_ns && rec->type == REC_TICK && rec->ts_ns >= p->to_ns && record_check(rec) == 1)
		return end_interval(p, (const struct rec_tick *)rec);
	if (record_check(rec) == 1) {
		if (rec->type == REC_META)
			on_meta(p, (const struct rec_meta *)rec);
		else if (rec->type == REC_HOST)
			p->host = *(const struct rec_host *)rec;
		stacks_record(p->stacks, rec);
	}
	if (assemble_record(p->assemble, rec))
		return -ENOMEM;
	if (rec->type == REC_TICK && record_check(rec) == 1)
		on_tick(p, (const struct rec_tick *)rec);
	return 0;
}

void pipeline_finish(struct pipeline *p)
{
	assemble_finish(p->assemble);
}

/* ---- snapshots ----------------------------------------------------------------------------- */

static void *copy_of(const void *from, size_t n, size_t size)
{
	void *to = n ? malloc(n * size) : NULL;

	if (to)
		memcpy(to, from, n * size);
	return to;
}

/* The assembler's request lives only during the call. */
static void on_open(void *ctx, const struct request *r)
{
	struct pipeline *p = ctx;
	struct request *copy;

	if (p->opts.route_glob && fnmatch(p->opts.route_glob, intern_text(r->route), 0) != 0)
		return;
	if (p->n_open == p->cap_open) {
		size_t cap = p->cap_open ? p->cap_open * 2 : 64;
		struct request *v = cap > OPEN_MAX ? NULL : realloc(p->open, cap * sizeof(*v));

		if (!v)
			return;
		p->open = v;
		p->cap_open = cap;
	}
	copy = &p->open[p->n_open++];
	*copy = *r;
	copy->parts.v = copy_of(r->parts.v, r->parts.n, sizeof(*r->parts.v));
	copy->parts.n = copy->parts.v ? r->parts.n : 0;
	copy->parts.cap = copy->parts.n;
	copy->calls = copy_of(r->calls, r->n_calls, sizeof(*r->calls));
	copy->n_calls = copy->calls ? r->n_calls : 0;
	copy->marks = copy_of(r->marks, r->n_marks, sizeof(*r->marks));
	copy->n_marks = copy->marks ? r->n_marks : 0;
}

static void open_release(struct pipeline *p)
{
	for (size_t i = 0; i < p->n_open; i++) {
		free(p->open[i].parts.v);
		free(p->open[i].calls);
		free(p->open[i].marks);
	}
	free(p->open);
	p->open = NULL;
	p->n_open = 0;
	p->cap_open = 0;
}

static const struct request **open_pointers(struct pipeline *p)
{
	const struct request **v = malloc((p->n_open + 1) * sizeof(*v));

	for (size_t i = 0; v && i < p->n_open; i++)
		v[i] = &p->open[i];
	return v;
}

static size_t find_pools(struct pipeline *p, struct snap_pool *out)
{
	struct assemble_pool pools[POOLS_MAX];
	size_t found = assemble_pools(p->assemble, pools, POOLS_MAX), n = 0;

	for (size_t i = 0; i < found; i++) {
		if (pools[i].workers < 2)
			continue;
		out[n].service = pools[i].service;
		out[n].busy = RANK_BUSY_DERIVE;
		out[n++].workers = pools[i].workers;
	}
	return n;
}

static const char *const counter_names[COUNTER_COUNT] = {
#define X(id, name, loses, help) name,
	COUNTERS(X)
#undef X
};

static uint64_t unix_us(const struct pipeline *p, uint64_t ns)
{
	return (ns + (uint64_t)p->realtime_offset_ns) / 1000;
}

static int longest_first(const void *a, const void *b)
{
	const struct snap_unbound *x = a, *y = b;

	return (x->us < y->us) - (x->us > y->us);
}

static void fill_unbound(const struct assemble_counters *c, struct snap_health *h)
{
	static_assert((int)ASSEMBLE_UNBOUND_MAX <= (int)SNAP_UNBOUND_MAX, "all are shown");
	for (size_t i = 0; i < c->n_unbound; i++)
		h->unbound[h->n_unbound++] = (struct snap_unbound){ c->unbound[i].service,
								    c->unbound[i].peer,
								    c->unbound[i].calls,
								    c->unbound[i].ns / 1000 };
	qsort(h->unbound, h->n_unbound, sizeof(h->unbound[0]), longest_first);
}

static void fill_losses(const struct pipeline *p, struct snap_health *h)
{
	const struct assemble_counters *c = assemble_counters(p->assemble);
	const struct losses *l = assemble_losses(p->assemble);

	static_assert((int)LOSSES_KEPT_MAX <= (int)SNAP_LOST_INTERVALS_MAX,
		      "all that are kept are shown");
	h->lost = c->lost;
	for (size_t i = 0; i < COUNTER_COUNT && h->n_lost_by_kind < SNAP_LOST_KINDS_MAX; i++)
		if (c->lost_by_kind[i])
			h->lost_by_kind[h->n_lost_by_kind++] = (struct snap_lost){
				counter_names[i], c->lost_by_kind[i]
			};
	for (size_t i = 0; i < l->n_kept; i++) {
		const struct loss_interval *k = &l->kept[i];

		h->lost_intervals[h->n_lost_intervals++] = (struct snap_lost_interval){
			.kind = counter_names[k->kind],
			.loses = loss_loses(k->kind),
			.cpu = k->cpu,
			.from_unix_us = unix_us(p, k->from_ns),
			.to_unix_us = unix_us(p, k->to_ns),
			.count = k->count,
		};
	}
	h->lost_intervals_dropped = l->dropped;
	h->malformed = c->malformed;
	h->evicted = c->evicted;
	h->late = c->late;
	h->orphans = c->orphans;
	fill_unbound(c, h);
}

static void fill_health(struct pipeline *p, struct snap_health *h)
{
	const struct assemble_counters *c = assemble_counters(p->assemble);
	const struct cost_sample *from = &p->cost_first;
	uint64_t span;

	h->seen = c->records;
	fill_losses(p, h);
	if (!p->opts.report && p->cost[p->cost_at].ts_ns)
		from = &p->cost[p->cost_at]; /* the oldest of the ring */
	span = p->tick.h.ts_ns - from->ts_ns;
	if (!p->tick.h.ts_ns || !span)
		return;
	h->has_own_cost = true;
	h->own_cpu_ratio = (double)(p->tick.own_cpu_ns - from->own_cpu_ns) / (double)span;
	h->probe_cpu_ratio = (double)(p->tick.probe_ns - from->probe_ns) / (double)span;
	h->probe_ns_per_request = c->requests ? (double)p->tick.probe_ns / (double)c->requests : 0;
	h->rss_bytes = p->tick.rss_bytes;
}

static double ratio_of(int32_t v)
{
	return v < 0 ? -1 : v / 10000.0;
}

static void fill_host(const struct pipeline *p, struct snap_host *h)
{
	h->has = p->host.cpu >= 0;
	h->cpu_ratio = ratio_of(p->host.cpu);
	h->disk_ratio = ratio_of(p->host.disk);
	h->runnable = p->host.runnable_x100 < 0 ? -1 : p->host.runnable_x100 / 100.0;
	h->psi_cpu = ratio_of(p->host.psi_cpu);
	h->psi_io = ratio_of(p->host.psi_io);
	h->psi_mem = ratio_of(p->host.psi_mem);
	h->cpus = p->cpus;
}

struct snapshot *pipeline_snapshot(struct pipeline *p, double window_s, size_t max_requests)
{
	struct snap_pool pools[POOLS_MAX];
	struct snapshot_input in = {
		.end_ns = p->now_ns,
		.window_ns = (uint64_t)(window_s * 1e9),
		.realtime_offset_ns = p->realtime_offset_ns,
		.hostname = p->hostname,
		.kernel = p->kernel,
		.live = p->opts.live,
		.stacks = p->stacks,
		.list_stacks = p->opts.stacks,
		.list_requests = true,
		.max_requests = max_requests,
		.pools = pools,
	};
	const struct request **open;
	struct snapshot *s;

	assemble_open(p->assemble, on_open, p);
	open = open_pointers(p);
	in.open = open;
	in.n_open = open ? p->n_open : 0;
	in.n_pools = find_pools(p, pools);
	fill_health(p, &in.health);
	fill_host(p, &in.host);
	s = snapshot_build(p->aggregate, &in);
	free(open);
	open_release(p);
	return s;
}

void pipeline_set_window(struct pipeline *p, double window_s)
{
	aggregate_set_slow(p->aggregate, (uint64_t)(window_s * 1e9));
	stacks_set_window(p->stacks, (uint64_t)(window_s * 1e9));
}

struct pipeline_totals pipeline_totals(const struct pipeline *p)
{
	const struct assemble_counters *c = assemble_counters(p->assemble);

	return (struct pipeline_totals){ c->records, c->lost, p->requests };
}

uint64_t pipeline_now_ns(const struct pipeline *p)
{
	return p->now_ns;
}
