/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Context switches and CPU time of a set of processes, by thread, from /proc. A thread that has
 * ended counts with what it had when it was last looked at, so a set is sampled often: servers
 * that make a process for each connection would be missed otherwise.
 * In a header, since each benchmark is made from one source file.
 */
#ifndef TARDY_BENCH_TASKS_H
#define TARDY_BENCH_TASKS_H
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum { BENCH_TGIDS_MAX = 256, BENCH_TASKS_MAX = 1024 };

struct task_sum {
	uint64_t voluntary, involuntary; /* context switches */
	uint64_t cpu_ns; /* time on a CPU */
};

struct task_set {
	pid_t tgids[BENCH_TGIDS_MAX];
	size_t n_tgids;
	struct {
		pid_t tid;
		struct task_sum last;
	} tasks[BENCH_TASKS_MAX];
	size_t n_tasks;
};

static inline void task_set_add(struct task_set *s, pid_t tgid)
{
	for (size_t i = s->n_tgids; i-- > 0;)
		if (s->tgids[i] == tgid)
			return;
	if (s->n_tgids < BENCH_TGIDS_MAX)
		s->tgids[s->n_tgids++] = tgid;
}

/* pids: numbers with commas between them. NULL: no memory. */
static inline struct task_set *task_set_new(const char *pids)
{
	struct task_set *s = calloc(1, sizeof(*s));
	char *end;

	while (s && *pids) {
		long pid = strtol(pids, &end, 10);

		if (end == pids)
			break;
		task_set_add(s, (pid_t)pid);
		pids = *end ? end + 1 : end;
	}
	return s;
}

static inline void task_set_free(struct task_set *s)
{
	free(s);
}

/* Switches from a status file of /proc; 0 when the thread is gone. */
static inline int task_read_switches(const char *path, struct task_sum *out)
{
	FILE *f = fopen(path, "re");
	unsigned long long n;
	char line[256];
	int found = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "voluntary_ctxt_switches: %llu", &n) == 1) {
			out->voluntary = n;
			found++;
		} else if (sscanf(line, "nonvoluntary_ctxt_switches: %llu", &n) == 1) {
			out->involuntary = n;
			found++;
		}
	}
	if (f)
		fclose(f);
	return found == 2;
}

/* All context switches of the calling thread so far. */
static inline uint64_t task_switches_self(void)
{
	struct task_sum s = { 0 };

	task_read_switches("/proc/thread-self/status", &s);
	return s.voluntary + s.involuntary;
}

static inline struct task_sum *task_slot(struct task_set *s, pid_t tid)
{
	for (size_t i = 0; i < s->n_tasks; i++)
		if (s->tasks[i].tid == tid)
			return &s->tasks[i].last;
	if (s->n_tasks == BENCH_TASKS_MAX)
		return NULL;
	s->tasks[s->n_tasks].tid = tid;
	return &s->tasks[s->n_tasks++].last;
}

static inline void task_sample_one(struct task_set *s, pid_t tgid, pid_t tid)
{
	struct task_sum now = { 0 }, *slot;
	unsigned long long cpu_ns = 0;
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)tgid, (int)tid);
	if (!task_read_switches(path, &now))
		return;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", (int)tgid, (int)tid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%llu", &cpu_ns) == 1)
		now.cpu_ns = cpu_ns;
	if (f)
		fclose(f);
	slot = task_slot(s, tid);
	if (slot)
		*slot = now;
}

static inline void task_set_sample(struct task_set *s)
{
	for (size_t i = 0; i < s->n_tgids; i++) {
		char path[40];
		struct dirent *e;
		DIR *d;

		snprintf(path, sizeof(path), "/proc/%d/task", (int)s->tgids[i]);
		d = opendir(path);
		while (d && (e = readdir(d)))
			if (e->d_name[0] != '.')
				task_sample_one(s, s->tgids[i], (pid_t)atoi(e->d_name));
		if (d)
			closedir(d);
	}
}

static inline struct task_sum task_set_sum(const struct task_set *s)
{
	struct task_sum sum = { 0 };

	for (size_t i = 0; i < s->n_tasks; i++) {
		sum.voluntary += s->tasks[i].last.voluntary;
		sum.involuntary += s->tasks[i].last.involuntary;
		sum.cpu_ns += s->tasks[i].last.cpu_ns;
	}
	return sum;
}

#endif
