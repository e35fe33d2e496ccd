/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the oracle's server knows about each request that it served, from its own clocks.
 *
 * A mark is the clocks of one thread at one instant. Between two marks of a thread:
 *   wall   what CLOCK_MONOTONIC says
 *   cpu    perf's task clock: the wall time between its switches in and out. What interrupts and a
 *          hypervisor took meanwhile is in it
 *   delay  run_delay of /proc/.../schedstat: runnable, but not running. It includes the time
 *          held back by a CPU quota, which throttled_time of the thread's cgroup tells apart
 *   exec   CLOCK_THREAD_CPUTIME_ID, the scheduler's account of cpu
 *   wait   = wall - cpu - delay: blocked. A cause that waits has this as its truth
 * cpu begins and ends within a switch, exec before it, at the scheduler's last look at its clock:
 * which may be an interrupt's wakeup some time ago, that is, exec has run queue in it that delay
 * does not have. And exec leaves out what a hypervisor took. So what a thread ran, from switch to
 * switch, lies between the two; mostly they are a microsecond apart.
 *
 * Records live in memory that all workers share, touched in advance, and are written when the
 * server ends, so that logging disturbs nothing. All times are nanoseconds.
 */
#ifndef ORACLE_TRUTH_H
#define ORACLE_TRUTH_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "oracle_names.h"

#define ORACLE_RECORDS_MAX 16384
#define ORACLE_WAITS_MAX 12
#define ORACLE_CALL_ID 1000000 /* ids of calls to another server of the oracle begin here */

struct oracle_mark {
	int64_t mono_ns, cpu_ns, delay_ns, throttled_ns;
	int64_t blocked; /* how often it was switched out because it blocked, so far */
	int64_t exec_ns;
};

struct oracle_span {
	int64_t wall_ns, cpu_ns, delay_ns, throttled_ns;
	int64_t blocked; /* times */
	int64_t exec_ns;
};

/* A call to another server of the oracle, which has a record of that id. */
struct oracle_call {
	uint64_t id; /* 0 = none, or to one that tells nothing */
	int64_t send_call_ns, send_done_ns;
};

/* One cause executed for a request, in the order of the path. */
struct oracle_wait {
	int cause; /* enum oracle_cause */
	int64_t arg;
	int64_t woken_ns; /* from its begin to when its waker began to wake, 0 = not known */
	bool shared; /* the thread also waited for other work, and did some of it */
	int64_t foreign_ns; /* what it did of it, on and off the CPU */
	struct oracle_call call;
	struct oracle_span span;
};

struct oracle_record {
	uint64_t id;
	int32_t pid, tid;
	char method[8];
	char path[160]; /* without the query */
	int64_t accept_call_ns, accept_ns; /* accept() by this thread for this request, else 0 */
	/* when another thread handed the request over to this one, which waited for it: before, and
	 * after it was woken; else 0 */
	int64_t hand_ns, handed_ns;
	int64_t prev_end_ns; /* when this thread's previous turn ended, 0 = none */
	int64_t read_call_ns; /* when the call began in which the thread waited for the request */
	int64_t read_done_ns; /* return of the read that gave the first bytes */
	int64_t end_ns; /* return of the last send */
	/* what it did not run in that send, 0 if it blocked: that may lie after the bytes were sent */
	int64_t last_send_off_ns;
	int64_t prev_send_off_ns; /* that of the previous turn; only the comparator fills it */
	struct oracle_span head; /* previous end -> read done */
	struct oracle_span accept; /* the accept call */
	struct oracle_span read; /* read call -> read done */
	struct oracle_span own; /* read done -> end, without turns of other requests */
	int n_waits;
	struct oracle_wait waits[ORACLE_WAITS_MAX];
};

/* What every worker, thread or process, shares. */
struct oracle_shared {
	pthread_mutex_t hold; /* mutex=, /hold/mutex= */
	pthread_mutex_t store; /* shared= */
	int store_fd; /* for shared=, -1 = none */
	_Atomic uint64_t n_calls;
	_Atomic uint32_t n_records; /* may exceed ORACLE_RECORDS_MAX: the rest was lost */
	struct oracle_record records[ORACLE_RECORDS_MAX];
};

/* The clocks of the calling thread. One per thread; not shared. */
struct oracle_clock {
	int32_t pid, tid;
	int schedstat_fd;
	int task_clock_fd; /* a perf event of the thread */
	int throttle_fd; /* cpu.stat of the thread's own cgroup, -1 = none */
	bool throttle_us; /* cgroup v2 counts microseconds */
};

int64_t oracle_now_ns(void);

/* Opens the calling thread's clocks. 0, or -errno. Released by oracle_clock_release(). */
int oracle_clock_init(struct oracle_clock *c);
void oracle_clock_release(struct oracle_clock *c);
/* Reads the clocks, the monotonic one first. */
void oracle_clock_mark(const struct oracle_clock *c, struct oracle_mark *m);
/* b - a. */
struct oracle_span oracle_span_between(const struct oracle_mark *a, const struct oracle_mark *b);
/* sum += add, sum -= sub. */
void oracle_span_add(struct oracle_span *sum, const struct oracle_span *add);
void oracle_span_sub(struct oracle_span *sum, const struct oracle_span *sub);

/* Maps and touches the shared memory; NULL with errno set. process_shared: workers are
 * processes, so the mutex must work between them. */
struct oracle_shared *oracle_shared_new(bool process_shared);
/* The id of a new call. */
uint64_t oracle_call_id(struct oracle_shared *s);
/* Copies *r to the log, from any thread or process. */
void oracle_shared_add(struct oracle_shared *s, const struct oracle_record *r);
/* Writes the log as NDJSON: a header line with the clock offset, then a line per request.
 * 0, or -errno; -ENOSPC when records were lost. */
int oracle_shared_write(struct oracle_shared *s, const char *path, const char *mode);
#endif
