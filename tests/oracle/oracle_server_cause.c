/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The causes that a request can ask for, executed by the thread that serves it.
 */
#define _GNU_SOURCE
#include "oracle_server.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DISK_FILE_BYTES (64 * 1024)

void oracle_sleep_us(int64_t us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &ts) == EINTR)
		;
}

static void spin_us(int64_t us)
{
	struct timespec ts;
	int64_t end, now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	end = ts.tv_sec * 1000000000LL + ts.tv_nsec + us * 1000;
	do {
		for (volatile int i = 0; i < 2000; i++)
			;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
		now = ts.tv_sec * 1000000000LL + ts.tv_nsec;
	} while (now < end);
}

static int write_kib(struct oracle_thread *t, int fd, int64_t kib, bool sync)
{
	size_t len = (size_t)kib * 1024;

	if (fd < 0)
		return -ENOSYS;
	for (size_t at = 0; at < len;) {
		size_t n = len - at < ORACLE_BLOCK_BYTES ? len - at : ORACLE_BLOCK_BYTES;

		if (pwrite(fd, t->block, n, (off_t)at) != (ssize_t)n)
			return -EIO;
		at += n;
	}
	return sync && fsync(fd) ? -errno : 0;
}

int oracle_connect(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to))) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int oracle_upstream_request(char *to, size_t size, int64_t us)
{
	return snprintf(to, size, "GET /c/sleep=%lld HTTP/1.1\r\nHost: upstream\r\n\r\n",
			(long long)us);
}

bool oracle_upstream_done(const char *data, size_t len)
{
	return len >= 7 && !memcmp(data + len - 7, "\r\n\r\nok\n", 7);
}

static int call_upstream(struct oracle_thread *t, int64_t us)
{
	char text[ORACLE_HEAD_MAX];
	int len = oracle_upstream_request(text, sizeof(text), us);
	size_t have = 0;

	if (t->upstream_fd < 0)
		return -ENOSYS;
	if (send(t->upstream_fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		return -EIO;
	while (!oracle_upstream_done(text, have)) {
		ssize_t n = recv(t->upstream_fd, text + have, sizeof(text) - have, 0);

		if (n <= 0)
			return -EIO;
		have += (size_t)n;
	}
	return 0;
}

static int call_store(struct oracle_thread *t, int fd, int64_t us)
{
	if (fd < 0)
		return -ENOSYS;
	t->call.id = oracle_call_id(t->shared);
	return oracle_store_call(fd, us, &t->call);
}

int oracle_thread_cause(struct oracle_thread *t, const struct oracle_op *op)
{
	atomic_store(&t->woken_ns, 0);
	switch (op->cause) {
	case ORACLE_SPIN:
		spin_us(op->arg);
		return 0;
	case ORACLE_SLEEP:
		oracle_sleep_us(op->arg);
		return 0;
	case ORACLE_FUTEX:
		return oracle_helper_wait(t->helper, ORACLE_JOB_FUTEX, op->arg, &t->woken_ns);
	case ORACLE_FLOCK:
		return oracle_helper_wait(t->helper, ORACLE_JOB_FLOCK, op->arg, &t->woken_ns);
	case ORACLE_PIPE:
		return oracle_helper_wait(t->helper, ORACLE_JOB_PIPE, op->arg, &t->woken_ns);
	case ORACLE_MUTEX:
		pthread_mutex_lock(&t->shared->hold);
		pthread_mutex_unlock(&t->shared->hold);
		return 0;
	case ORACLE_HFLOCK:
		return flock(t->hold_fd, LOCK_EX) || flock(t->hold_fd, LOCK_UN) ? -errno : 0;
	case ORACLE_DISK:
		return write_kib(t, t->disk_fd, op->arg, false);
	case ORACLE_FSYNC:
		return write_kib(t, t->fsync_fd, op->arg, true);
	case ORACLE_FAULT:
		if (!t->fault)
			return -ENOSYS;
		oracle_fault_touch(t->fault, op->arg, &t->woken_ns);
		return 0;
	case ORACLE_STORE:
		return call_store(t, t->store_fd, op->arg);
	case ORACLE_SHARED:
		return call_store(t, t->shared->store_fd, op->arg);
	case ORACLE_UPSTREAM:
		return call_upstream(t, op->arg);
	default:
		return -EINVAL;
	}
}

int oracle_thread_hold(struct oracle_thread *t, const struct oracle_op *op,
		       struct oracle_span *slept)
{
	struct oracle_mark a, b;

	if (op->cause == ORACLE_MUTEX)
		pthread_mutex_lock(&t->shared->hold);
	else if (op->cause != ORACLE_HFLOCK || flock(t->hold_fd, LOCK_EX))
		return -EINVAL;
	oracle_clock_mark(&t->clock, &a);
	oracle_sleep_us(op->arg);
	oracle_clock_mark(&t->clock, &b);
	*slept = oracle_span_between(&a, &b);
	if (op->cause == ORACLE_MUTEX)
		pthread_mutex_unlock(&t->shared->hold);
	else
		flock(t->hold_fd, LOCK_UN);
	return 0;
}

/* Moves the thread into the cgroup with a quota and finds the file that counts its throttling.
 * v1 takes a thread id in "tasks", v2 (threaded) in "cgroup.threads". */
static int setup_throttle(struct oracle_thread *t)
{
	char path[512];
	FILE *f;

	if (!t->opt->cpu_cgroup)
		return -ENOSYS;
	snprintf(path, sizeof(path), "%s/tasks", t->opt->cpu_cgroup);
	f = fopen(path, "we");
	if (!f) {
		t->clock.throttle_us = true;
		snprintf(path, sizeof(path), "%s/cgroup.threads", t->opt->cpu_cgroup);
		f = fopen(path, "we");
	}
	if (!f)
		return -errno;
	fprintf(f, "%d", t->clock.tid);
	if (fclose(f))
		return -errno;
	snprintf(path, sizeof(path), "%s/cpu.stat", t->opt->cpu_cgroup);
	t->clock.throttle_fd = open(path, O_RDONLY | O_CLOEXEC);
	return t->clock.throttle_fd < 0 ? -errno : 0;
}

int oracle_thread_setup(struct oracle_thread *t, const struct oracle_request *r)
{
	cpu_set_t set;

	if (r->kind == ORACLE_SETUP_THROTTLE)
		return setup_throttle(t);
	CPU_ZERO(&set);
	CPU_SET((int)r->setup_arg, &set);
	return sched_setaffinity(t->clock.tid, sizeof(set), &set) ? -errno : 0;
}

static int open_in(const char *dir, const char *name, int tid, int flags)
{
	char path[512];

	if (tid)
		snprintf(path, sizeof(path), "%s/%s.%d", dir, name, tid);
	else
		snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
}

static int open_files(struct oracle_thread *t)
{
	const char *dir = t->opt->dir;

	if (posix_memalign((void **)&t->block, 4096, ORACLE_BLOCK_BYTES))
		return -ENOMEM;
	memset(t->block, 'x', ORACLE_BLOCK_BYTES);
	t->hold_fd = open_in(dir, "hold", 0, 0);
	t->fsync_fd = open_in(dir, "fsync", t->clock.tid, 0);
	t->disk_fd = open_in(dir, "disk", t->clock.tid, 0);
	if (t->hold_fd < 0 || t->fsync_fd < 0 || t->disk_fd < 0)
		return -errno;
	/* blocks that exist already: later writes need no journal, only the device */
	if (pwrite(t->disk_fd, t->block, DISK_FILE_BYTES, 0) != DISK_FILE_BYTES ||
	    fsync(t->disk_fd))
		return -EIO;
	close(t->disk_fd);
	t->disk_fd = open_in(dir, "disk", t->clock.tid, O_DIRECT | O_DSYNC);
	return t->disk_fd < 0 ? -errno : 0;
}

int oracle_thread_init(struct oracle_thread *t, const struct oracle_options *opt,
		       struct oracle_shared *shared)
{
	int err;

	memset(t, 0, sizeof(*t));
	t->opt = opt;
	t->shared = shared;
	t->hold_fd = t->disk_fd = t->fsync_fd = t->upstream_fd = t->store_fd = -1;
	err = oracle_clock_init(&t->clock);
	if (!err)
		err = open_files(t);
	if (!err) {
		t->helper = oracle_helper_new(opt->dir);
		err = t->helper ? 0 : -errno;
	}
	if (!err)
		t->fault = oracle_fault_new();
	if (!err && opt->store.sin_port) {
		t->store_fd = oracle_connect(&opt->store);
		err = t->store_fd < 0 ? t->store_fd : 0;
	}
	if (!err && opt->upstream.sin_port && strcmp(opt->mode, "loop") &&
	    strcmp(opt->mode, "proxy")) {
		t->upstream_fd = oracle_connect(&opt->upstream);
		err = t->upstream_fd < 0 ? t->upstream_fd : 0;
	}
	if (err)
		oracle_thread_release(t);
	return err;
}

void oracle_thread_release(struct oracle_thread *t)
{
	const int fds[] = { t->hold_fd, t->disk_fd, t->fsync_fd, t->upstream_fd, t->store_fd };

	if (t->fault)
		oracle_fault_free(t->fault);
	if (t->helper)
		oracle_helper_free(t->helper);
	for (int i = 0; i < 5; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(t->block);
	oracle_clock_release(&t->clock);
}
