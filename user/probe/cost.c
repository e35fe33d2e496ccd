// SPDX-License-Identifier: GPL-2.0-only
/* The windows in which BPF programs are timed, and what is made of them; see cost.h. */
#define _GNU_SOURCE
#include "probe/cost.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MS 1000000ull
#define FIRST_WINDOW_NS (300 * MS)
#define WINDOW_NS (200 * MS)
#define PERIOD_NS (10000 * MS)
#define FLOOR_MAX_NS 70.0

enum { PROGRAMS_MAX = 64, FLOOR_RUNS_MIN = 100 };

struct cost {
	bool started, window_open, has_rate;
	uint64_t first_ns, last_ns; /* of the first step and of the one before */
	uint64_t next_window_ns, window_start_ns;
	double rate; /* nanoseconds in programs per nanosecond */
	double total_ns;
	struct probe_run at_start[PROGRAMS_MAX];
	size_t n_at_start;
	int error;
};

struct cost *cost_new(void)
{
	return calloc(1, sizeof(struct cost));
}

void cost_free(struct cost *c)
{
	free(c);
}

static const struct probe_run *find_run(const struct probe_run *runs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(runs[i].program, name) == 0)
			return &runs[i];
	return NULL;
}

uint64_t cost_net_ns(const struct probe_run *from, size_t n_from, const struct probe_run *to,
		     size_t n_to, double *floor_ns)
{
	double cheapest = FLOOR_MAX_NS, net = 0;
	bool has_floor = false;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < n_to; i++) {
			const struct probe_run *f = find_run(from, n_from, to[i].program);

			/* another user of the kernel's statistics cannot make them go back */
			if (!f || to[i].runs <= f->runs || to[i].ns < f->ns)
				continue;
			double runs = (double)(to[i].runs - f->runs);
			double ns = (double)(to[i].ns - f->ns);

			if (pass == 0 && runs >= FLOOR_RUNS_MIN) {
				has_floor = true;
				if (ns / runs < cheapest)
					cheapest = ns / runs;
			} else if (pass == 1 && ns > runs * *floor_ns) {
				net += ns - runs * *floor_ns;
			}
		}
		if (pass == 0)
			*floor_ns = has_floor ? cheapest : 0;
	}
	return (uint64_t)net;
}

static int window_begin(struct cost *c, const struct cost_source *source, uint64_t now_ns)
{
	/* also when it fails: tried again after a period, not at each tick */
	c->next_window_ns = now_ns + PERIOD_NS;
	c->error = source->enable(source->ctx, true);
	if (c->error)
		return c->error;
	c->n_at_start = source->runs(source->ctx, c->at_start, PROGRAMS_MAX);
	c->window_start_ns = now_ns;
	c->window_open = true;
	return 0;
}

static void window_end(struct cost *c, const struct cost_source *source, uint64_t now_ns)
{
	struct probe_run at_end[PROGRAMS_MAX];
	size_t n = source->runs(source->ctx, at_end, PROGRAMS_MAX);
	double floor_ns;
	uint64_t net = cost_net_ns(c->at_start, c->n_at_start, at_end, n, &floor_ns);

	source->enable(source->ctx, false);
	c->window_open = false;
	c->rate = (double)net / (double)(now_ns - c->window_start_ns);
	if (!c->has_rate)
		c->total_ns = c->rate * (double)(now_ns - c->first_ns);
	c->has_rate = true;
}

int cost_step(struct cost *c, const struct cost_source *source, uint64_t now_ns, uint64_t *probe_ns)
{
	if (!c->started) {
		c->started = true;
		c->last_ns = now_ns;
		c->first_ns = now_ns;
		c->next_window_ns = now_ns + FIRST_WINDOW_NS;
	}
	if (now_ns > c->last_ns) {
		c->total_ns += c->rate * (double)(now_ns - c->last_ns);
		c->last_ns = now_ns;
	}
	if (c->window_open && now_ns >= c->window_start_ns + WINDOW_NS)
		window_end(c, source, now_ns);
	else if (!c->window_open && now_ns >= c->next_window_ns)
		window_begin(c, source, now_ns);
	*probe_ns = (uint64_t)c->total_ns;
	return c->error;
}

/* ---- this process ------------------------------------------------------------------------ */

static int probe_enable(void *ctx, bool on)
{
	return probe_stats_enable(ctx, on);
}

static size_t probe_read_runs(void *ctx, struct probe_run *out, size_t cap)
{
	return probe_runs(ctx, out, cap);
}

uint64_t cost_parse_statm(const char *text, uint64_t page_bytes)
{
	unsigned long long size, resident;

	return sscanf(text, "%llu %llu", &size, &resident) == 2 ? resident * page_bytes : 0;
}

static uint64_t own_rss_bytes(void)
{
	char text[128];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return cost_parse_statm(text, (uint64_t)sysconf(_SC_PAGESIZE));
}

static uint64_t timeval_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_usec * 1000;
}

int cost_sample(struct cost *c, struct probe *p, uint64_t now_ns, uint64_t *own_cpu_ns,
		uint64_t *probe_ns, uint64_t *rss_bytes)
{
	const struct cost_source source = { probe_enable, probe_read_runs, p };
	struct rusage u;

	*own_cpu_ns = 0;
	if (getrusage(RUSAGE_SELF, &u) == 0)
		*own_cpu_ns = timeval_ns(u.ru_utime) + timeval_ns(u.ru_stime);
	*rss_bytes = own_rss_bytes();
	*probe_ns = (uint64_t)c->total_ns;
	return p ? cost_step(c, &source, now_ns, probe_ns) : 0;
}
