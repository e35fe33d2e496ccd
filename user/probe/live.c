/* SPDX-License-Identifier: GPL-2.0-only */
#include "probe/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/kernel_clock.h"
#include "base/table.h"
#include "probe/cost.h"
#include "probe/hostload.h"
#include "probe/pace.h"
#include "probe/procinfo.h"
#include "probe/stack_names.h"

#define SECOND_NS 1000000000ull

struct live {
	struct probe *probe;
	struct selection *selection;
	struct cost *cost;
	struct hostload *host;
	struct stack_names *stacks;
	struct table known; /* tgids whose REC_PROC was delivered */
	struct rec_meta meta;
	bool started;
	const char *const *points;
	size_t n_points;
	uint64_t sweep_ns, second_ns; /* last done */
	uint64_t sweep_rest_ns; /* until the next sweep */
	uint64_t covered_ns; /* of the last tick */
	uint64_t counted_ns; /* what happened before is not in a later growth of the counters */
	uint64_t *counts; /* as they were last read, by CPU */
	uint64_t own_counts[COUNTER_COUNT]; /* the same of those that the collector keeps */
	uint64_t seen, lost;
	uint64_t poll_ns, drained; /* last live_poll(): when, and bytes from the rings in it */
	uint64_t pause_ns;
	/* during a drain */
	probe_record_fn fn;
	void *ctx;
};

static struct stack_names *names_start(void)
{
	static const struct resolve_opts opts;

	return stack_names_new(symbols_new(&opts, 0));
}

struct live *live_new(const struct live_opts *opts, int *err, struct probe **probe)
{
	struct probe_opts po = opts->probe;
	struct live *l = calloc(1, sizeof(*l));

	*probe = NULL;
	*err = -ENOMEM;
	if (!l)
		return NULL;
	po.select_all = opts->selection->all;
	po.pids = opts->selection->pids;
	po.n_pids = opts->selection->n_pids;
	po.ports = opts->selection->ports;
	po.n_ports = opts->selection->n_ports;
	l->selection = opts->selection;
	l->counted_ns = kernel_clock_ns();
	l->points = po.points;
	l->n_points = po.n_points;
	table_init(&l->known, sizeof(uint8_t), 1 << 16);
	l->cost = cost_new();
	l->host = hostload_new();
	l->probe = probe_new(&po);
	l->stacks = names_start();
	if (l->stacks && l->cost && l->host && l->probe) {
		*err = procinfo_meta(&l->meta, opts->version);
		if (!*err)
			*err = probe_load(l->probe);
		if (!*err)
			*err = probe_attach(l->probe);
	}
	if (*err) {
		*probe = l->probe;
		l->probe = NULL;
		live_free(l);
		return NULL;
	}
	return l;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	probe_free(l->probe);
	stack_names_free(l->stacks);
	cost_free(l->cost);
	hostload_free(l->host);
	table_release(&l->known);
	free(l->counts);
	free(l);
}

static int deliver(struct live *l, const struct rec_hdr *rec)
{
	l->seen++;
	return l->fn(l->ctx, rec);
}

static int deliver_proc(struct live *l, uint32_t tgid)
{
	struct rec_proc proc;

	if (!tgid || table_get(&l->known, tgid) || !table_put(&l->known, tgid, NULL))
		return 0;
	if (procinfo_fill((pid_t)tgid, &proc))
		return 0; /* it has ended: known by what its parent is */
	return deliver(l, &proc.h);
}

/* A chunk has the size of the largest in the ring; only what is used of it goes on. */
static int deliver_data(struct live *l, const struct rec_data *r)
{
	union {
		struct rec_data data;
		char bytes[sizeof(struct rec_data) + ABI_DATA_CHUNK];
	} copy;
	size_t len = sizeof(*r) + (r->len < ABI_DATA_CHUNK ? r->len : ABI_DATA_CHUNK);

	memcpy(&copy, r, len);
	copy.data.h.len = (uint32_t)len;
	return deliver(l, &copy.data.h);
}

static int deliver_any(void *ctx, const struct rec_hdr *rec)
{
	return deliver(ctx, rec);
}

static int on_record(void *ctx, const struct rec_hdr *rec)
{
	struct live *l = ctx;
	const struct rec_task *task = (const void *)rec;
	struct stack_sink sink = { deliver_any, l };
	int err;

	l->drained += rec->len;
	switch (rec->type) {
	case REC_XCHG:
		err = deliver_proc(l, ((const struct rec_xchg *)rec)->tgid);
		if (err)
			return err;
		break;
	case REC_TASK:
		table_del(&l->known, task->tgid);
		stack_names_task(l->stacks, task);
		if (task->event == TASK_FORK) /* so that "all gone" counts it */
			selection_add(l->selection, (pid_t)task->tgid);
		break;
	case REC_DATA:
		return deliver_data(l, (const struct rec_data *)rec);
	case REC_STACK:
		return stack_names_add(l->stacks, (const void *)rec, &sink);
	}
	return deliver(l, rec);
}

/* One record for each counter of a CPU that grew. */
static int deliver_losses_of(struct live *l, const uint64_t *now, uint64_t *before,
			     struct rec_lost *lost)
{
	static const bool loses[COUNTER_COUNT] = {
#define X(id, name, does_lose, help) does_lose,
		COUNTERS(X)
#undef X
	};
	int err = 0;

	if (!memcmp(now, before, COUNTER_COUNT * sizeof(*now)))
		return 0;
	for (uint32_t i = 0; !err && i < COUNTER_COUNT; i++) {
		lost->kind = i;
		lost->count = now[i] - before[i];
		before[i] = now[i];
		if (!lost->count)
			continue;
		if (loses[i])
			l->lost += lost->count;
		err = deliver(l, &lost->h);
	}
	return err;
}

/* What the collector itself could not name. */
static int deliver_own_losses(struct live *l, struct rec_lost *lost)
{
	uint64_t now[COUNTER_COUNT] = { 0 };

	stack_names_losses(l->stacks, now);
	return deliver_losses_of(l, now, l->own_counts, lost);
}

/* covered: as of the sweep just made. What it left out is the earliest that the next growth of the
 * counters can be about: an exchange that ended before is in the rings or in this growth. */
static int deliver_losses(struct live *l, uint64_t covered)
{
	struct rec_lost lost = { .h = { .len = sizeof(lost), .type = REC_LOST } };
	const uint64_t *rows;
	size_t width;
	int err = 0, cpus = probe_counters_by_cpu(l->probe, &rows, &width);

	if (cpus < 0)
		return cpus;
	if (!l->counts)
		l->counts = calloc((size_t)cpus * width, sizeof(*l->counts));
	if (!l->counts)
		return -ENOMEM;
	lost.from_ns = l->counted_ns;
	lost.to_ns = lost.h.ts_ns = kernel_clock_ns();
	for (size_t cpu = 0; !err && cpu < (size_t)cpus; cpu++) {
		lost.h.cpu = (uint16_t)cpu;
		err = deliver_losses_of(l, rows + cpu * width, l->counts + cpu * width, &lost);
	}
	lost.h.cpu = 0;
	if (!err)
		err = deliver_own_losses(l, &lost);
	l->counted_ns = covered;
	return err;
}

static int deliver_tick(struct live *l, uint64_t covered)
{
	uint64_t held = stack_names_oldest_ns(l->stacks);
	struct rec_tick tick = { .h = { sizeof(tick), REC_TICK, 0, 0 } };

	/* not beyond a stack that waits for its names, and never back */
	covered = covered < held ? covered : held;
	l->covered_ns = covered > l->covered_ns ? covered : l->covered_ns;
	tick.h.ts_ns = l->covered_ns;
	/* without the estimate the rest is filled */
	cost_sample(l->cost, l->probe, kernel_clock_ns(), &tick.own_cpu_ns, &tick.probe_ns,
		    &tick.rss_bytes);
	tick.seen = l->seen;
	return deliver(l, &tick.h);
}

static int deliver_start(struct live *l)
{
	int err = deliver(l, &l->meta.h);

	for (uint32_t i = 0; !err && i < l->n_points; i++) {
		struct rec_label label = { .h = { sizeof(label), REC_LABEL, 0, kernel_clock_ns() },
					   .label = i };

		strncpy((char *)label.text, l->points[i], sizeof(label.text) - 1);
		err = deliver(l, &label.h);
	}
	l->started = true;
	return err;
}

static uint64_t thread_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* Delivers what there is up to *covered, but for stacks that wait for names. */
static int sweep_drain(struct live *l, uint64_t now, uint64_t *covered)
{
	uint64_t cpu_ns = thread_cpu_ns();
	long n;
	int err = probe_sweep(l->probe, covered);

	l->sweep_ns = now;
	l->sweep_rest_ns = pace_sweep_ns(thread_cpu_ns() - cpu_ns);
	if (err)
		return err;
	n = probe_drain(l->probe, on_record, l);
	return n < 0 ? (int)n : 0;
}

static int sweep(struct live *l, uint64_t now)
{
	uint64_t covered;
	int err = sweep_drain(l, now, &covered);

	if (!err)
		err = deliver_losses(l, covered);
	return err ? err : deliver_tick(l, covered);
}

static void on_added(void *ctx, pid_t tgid)
{
	struct live *l = ctx;

	probe_select(l->probe, tgid);
}

static int each_second(struct live *l, uint64_t now)
{
	struct rec_host host;
	int gone;

	l->second_ns = now;
	if (hostload_sample(l->host, &host) == 0) {
		int err = deliver(l, &host.h);

		if (err)
			return err;
	}
	probe_each_second(l->probe);
	gone = selection_rescan(l->selection, on_added, l);
	return gone == 1 ? -ESRCH : 0;
}

int live_poll(struct live *l, probe_record_fn fn, void *ctx)
{
	struct stack_sink sink = { deliver_any, l };
	uint64_t now = kernel_clock_ns();
	int err = 0;
	long n;

	l->fn = fn;
	l->ctx = ctx;
	if (!l->started)
		err = deliver_start(l);
	if (err)
		return err;
	l->drained = 0;
	n = probe_drain(l->probe, on_record, l);
	if (n < 0)
		return (int)n;
	l->pause_ns = pace_ns(l->drained, now - l->poll_ns, probe_ring_bytes(l->probe));
	l->poll_ns = now;
	err = stack_names_poll(l->stacks, &sink);
	if (!err && now - l->sweep_ns >= l->sweep_rest_ns)
		err = sweep(l, now);
	if (!err && now - l->second_ns >= SECOND_NS)
		err = each_second(l, now);
	return err;
}

uint64_t live_pause_ns(const struct live *l)
{
	return l->pause_ns;
}

int live_stop(struct live *l, probe_record_fn fn, void *ctx)
{
	struct timespec pause = { 0, 12000000 }; /* longer than the sweep's slack */
	struct stack_sink sink = { deliver_any, l };
	uint64_t covered;
	int err = 0;

	l->fn = fn;
	l->ctx = ctx;
	if (!l->started)
		err = deliver_start(l);
	if (err)
		return err;
	nanosleep(&pause, NULL);
	err = sweep_drain(l, kernel_clock_ns(), &covered);
	if (!err)
		err = stack_names_finish(l->stacks, &sink);
	if (!err)
		err = deliver_losses(l, kernel_clock_ns());
	return err ? err : deliver_tick(l, covered);
}

int live_select(struct live *l, pid_t tgid)
{
	return probe_select(l->probe, tgid);
}

bool live_has_names(const struct live *l)
{
	return stack_names_any(l->stacks);
}

uint64_t live_seen(const struct live *l)
{
	return l->seen;
}

uint64_t live_lost(const struct live *l)
{
	return l->lost;
}

struct probe *live_probe(struct live *l)
{
	return l->probe;
}
