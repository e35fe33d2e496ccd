/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks, spans and the truth log of the oracle; see oracle_truth.h for what they mean.
 */
#define _GNU_SOURCE
#include "oracle_truth.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Reading all clocks takes some 5 us. */
#define PREEMPTED_NS 20000

static const struct {
	const char *name, *tardy;
} causes[] = {
#define X(id, text, tardy_text) { text, tardy_text },
	ORACLE_CAUSES(X)
#undef X
};

const char *oracle_cause_name(enum oracle_cause cause)
{
	return causes[cause].name;
}

const char *oracle_cause_tardy(enum oracle_cause cause)
{
	return causes[cause].tardy;
}

int oracle_cause_parse(const char *name, int len)
{
	for (int i = 0; i < ORACLE_CAUSE_COUNT; i++)
		if ((int)strlen(causes[i].name) == len && !memcmp(causes[i].name, name, len))
			return i;
	return -EINVAL;
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int64_t oracle_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static int task_clock_open(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_TASK_CLOCK };

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static int64_t read_task_clock_ns(const struct oracle_clock *c)
{
	int64_t ns;

	return read(c->task_clock_fd, &ns, sizeof(ns)) == sizeof(ns) ? ns : 0;
}

int oracle_clock_init(struct oracle_clock *c)
{
	char path[64];

	c->pid = getpid();
	c->tid = syscall(SYS_gettid);
	c->throttle_fd = c->task_clock_fd = -1;
	c->throttle_us = false;
	snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", c->tid);
	c->schedstat_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (c->schedstat_fd < 0)
		return -errno;
	c->task_clock_fd = task_clock_open();
	return c->task_clock_fd < 0 ? -errno : 0;
}

void oracle_clock_release(struct oracle_clock *c)
{
	if (c->schedstat_fd >= 0)
		close(c->schedstat_fd);
	if (c->throttle_fd >= 0)
		close(c->throttle_fd);
	if (c->task_clock_fd >= 0)
		close(c->task_clock_fd);
	c->schedstat_fd = c->throttle_fd = c->task_clock_fd = -1;
}

static int64_t read_delay_ns(const struct oracle_clock *c)
{
	char text[96], *at;
	ssize_t n = pread(c->schedstat_fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = 0;
	at = strchr(text, ' ');
	return at ? strtoll(at, NULL, 10) : 0;
}

static int64_t read_throttled_ns(const struct oracle_clock *c)
{
	const char *key = c->throttle_us ? "throttled_usec " : "throttled_time ";
	char text[512], *at;
	ssize_t n;

	if (c->throttle_fd < 0)
		return 0;
	n = pread(c->throttle_fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = 0;
	at = strstr(text, key);
	return at ? strtoll(at + strlen(key), NULL, 10) * (c->throttle_us ? 1000 : 1) : 0;
}

/* A thread that is preempted between two of the clocks would have a delay that is not of before
 * m->mono_ns: seen by the CPU time that did not pass meanwhile, and taken out. */
static void read_clocks(const struct oracle_clock *c, struct oracle_mark *m)
{
	int64_t after_ns, off_ns;
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	m->blocked = usage.ru_nvcsw;
	m->mono_ns = clock_ns(CLOCK_MONOTONIC);
	m->cpu_ns = read_task_clock_ns(c);
	m->exec_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	m->delay_ns = read_delay_ns(c);
	after_ns = clock_ns(CLOCK_MONOTONIC);
	off_ns = after_ns - m->mono_ns - (read_task_clock_ns(c) - m->cpu_ns);
	if (off_ns > PREEMPTED_NS)
		m->delay_ns -= off_ns;
}

/* A thread that is held back by its quota between the reading of that clock and of the others would
 * lack that period, or have one too many: all are read again until none lay in between. */
void oracle_clock_mark(const struct oracle_clock *c, struct oracle_mark *m)
{
	int64_t before_ns;

	m->throttled_ns = read_throttled_ns(c);
	do {
		before_ns = m->throttled_ns;
		read_clocks(c, m);
		m->throttled_ns = read_throttled_ns(c);
	} while (m->throttled_ns != before_ns);
}

struct oracle_span oracle_span_between(const struct oracle_mark *a, const struct oracle_mark *b)
{
	return (struct oracle_span){
		.wall_ns = b->mono_ns - a->mono_ns,
		.cpu_ns = b->cpu_ns - a->cpu_ns,
		.delay_ns = b->delay_ns - a->delay_ns,
		.throttled_ns = b->throttled_ns - a->throttled_ns,
		.blocked = b->blocked - a->blocked,
		.exec_ns = b->exec_ns - a->exec_ns,
	};
}

void oracle_span_add(struct oracle_span *sum, const struct oracle_span *add)
{
	sum->wall_ns += add->wall_ns;
	sum->cpu_ns += add->cpu_ns;
	sum->delay_ns += add->delay_ns;
	sum->throttled_ns += add->throttled_ns;
	sum->blocked += add->blocked;
	sum->exec_ns += add->exec_ns;
}

void oracle_span_sub(struct oracle_span *sum, const struct oracle_span *sub)
{
	sum->wall_ns -= sub->wall_ns;
	sum->cpu_ns -= sub->cpu_ns;
	sum->delay_ns -= sub->delay_ns;
	sum->throttled_ns -= sub->throttled_ns;
	sum->blocked -= sub->blocked;
	sum->exec_ns -= sub->exec_ns;
}

struct oracle_shared *oracle_shared_new(bool process_shared)
{
	pthread_mutexattr_t attr;
	struct oracle_shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (s == MAP_FAILED)
		return NULL;
	pthread_mutexattr_init(&attr);
	if (process_shared)
		pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->hold, &attr);
	pthread_mutexattr_destroy(&attr);
	pthread_mutex_init(&s->store, NULL);
	s->store_fd = -1;
	return s;
}

uint64_t oracle_call_id(struct oracle_shared *s)
{
	return ORACLE_CALL_ID + atomic_fetch_add(&s->n_calls, 1);
}

void oracle_shared_add(struct oracle_shared *s, const struct oracle_record *r)
{
	uint32_t at = atomic_fetch_add(&s->n_records, 1);

	if (at < ORACLE_RECORDS_MAX)
		s->records[at] = *r;
}

static void write_span(FILE *f, const char *name, const struct oracle_span *s)
{
	fprintf(f,
		",\"%s\":[%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 "]",
		name, s->wall_ns, s->cpu_ns, s->delay_ns, s->throttled_ns, s->blocked, s->exec_ns);
}

static void write_record(FILE *f, const struct oracle_record *r)
{
	fprintf(f, "{\"id\":%" PRIu64 ",\"pid\":%d,\"tid\":%d,\"method\":\"%s\",\"path\":\"%s\"",
		r->id, r->pid, r->tid, r->method, r->path);
	fprintf(f,
		",\"accept_call_ns\":%" PRId64 ",\"accept_ns\":%" PRId64 ",\"hand_ns\":%" PRId64
		",\"handed_ns\":%" PRId64 ",\"prev_end_ns\":%" PRId64 ",\"read_call_ns\":%" PRId64
		",\"read_done_ns\":%" PRId64 ",\"end_ns\":%" PRId64
		",\"last_send_off_ns\":%" PRId64,
		r->accept_call_ns, r->accept_ns, r->hand_ns, r->handed_ns, r->prev_end_ns,
		r->read_call_ns, r->read_done_ns, r->end_ns, r->last_send_off_ns);
	write_span(f, "head", &r->head);
	write_span(f, "accept", &r->accept);
	write_span(f, "read", &r->read);
	write_span(f, "own", &r->own);
	fputs(",\"waits\":[", f);
	for (int i = 0; i < r->n_waits; i++) {
		const struct oracle_wait *w = &r->waits[i];

		fprintf(f,
			"%s{\"cause\":\"%s\",\"arg\":%" PRId64 ",\"woken_ns\":%" PRId64
			",\"shared\":%d,\"foreign_ns\":%" PRId64,
			i ? "," : "", oracle_cause_name(w->cause), w->arg, w->woken_ns, w->shared,
			w->foreign_ns);
		if (w->call.id)
			fprintf(f,
				",\"call\":{\"id\":%" PRIu64 ",\"send_call_ns\":%" PRId64
				",\"send_done_ns\":%" PRId64 "}",
				w->call.id, w->call.send_call_ns, w->call.send_done_ns);
		write_span(f, "span", &w->span);
		fputc('}', f);
	}
	fputs("]}\n", f);
}

int oracle_shared_write(struct oracle_shared *s, const char *path, const char *mode)
{
	uint32_t n = atomic_load(&s->n_records);
	bool lost = n > ORACLE_RECORDS_MAX;
	FILE *f = fopen(path, "we");
	int64_t before, real, after;
	int err;

	if (!f)
		return -errno;
	before = clock_ns(CLOCK_MONOTONIC);
	real = clock_ns(CLOCK_REALTIME);
	after = clock_ns(CLOCK_MONOTONIC);
	fprintf(f,
		"{\"schema\":\"oracle.truth/1\",\"mode\":\"%s\","
		"\"realtime_minus_monotonic_ns\":\"%" PRId64 "\"}\n",
		mode, real - before - (after - before) / 2);
	for (uint32_t i = 0; i < (lost ? ORACLE_RECORDS_MAX : n); i++)
		write_record(f, &s->records[i]);
	err = ferror(f) ? -EIO : 0;
	if (fclose(f) && !err)
		err = -errno;
	return err ? err : lost ? -ENOSPC : 0;
}
