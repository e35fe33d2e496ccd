/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A helper thread for each serving thread: it ends the waits that only another thread can end
 * (futex, file lock, pipe) after a given time. It serves no request, so tardy must not name one
 * as the holder.
 */
#define _GNU_SOURCE
#include "oracle_server.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOCKED_WITH_WAITERS 2 /* what who waits for a mutex of glibc expects */

struct oracle_helper {
	pthread_t thread;
	_Atomic pid_t tid; /* 0 = not started yet */
	_Atomic uint32_t posted; /* futex word: jobs given; the helper sleeps on it */
	_Atomic uint32_t locking; /* futex word of a mutex: the file lock is not held yet */
	_Atomic uint32_t done; /* futex word: jobs ended */
	_Atomic bool stop;
	enum oracle_job job;
	int64_t us;
	_Atomic int64_t *woken_ns;
	int pipe_fds[2];
	int lock_fd_main, lock_fd_helper;
};

static void futex_wait(_Atomic uint32_t *word, uint32_t seen)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wait_for(_Atomic uint32_t *word, uint32_t value)
{
	uint32_t seen;

	while ((seen = atomic_load(word)) != value)
		futex_wait(word, seen);
}

static void helper_do(struct oracle_helper *h, uint32_t nr)
{
	if (h->job == ORACLE_JOB_FLOCK) {
		flock(h->lock_fd_helper, LOCK_EX);
		atomic_store(&h->locking, 0);
		futex_wake(&h->locking);
	}
	oracle_sleep_us(h->us);
	atomic_store(h->woken_ns, oracle_now_ns());
	switch (h->job) {
	case ORACLE_JOB_FUTEX:
		atomic_store(&h->done, nr);
		futex_wake(&h->done);
		break;
	case ORACLE_JOB_FLOCK:
		flock(h->lock_fd_helper, LOCK_UN);
		break;
	case ORACLE_JOB_PIPE:
		if (write(h->pipe_fds[1], "x", 1) != 1)
			abort();
		break;
	}
}

static void *helper_main(void *arg)
{
	struct oracle_helper *h = arg;

	atomic_store(&h->tid, (pid_t)syscall(SYS_gettid));
	for (uint32_t nr = 1;; nr++) {
		wait_for(&h->posted, nr);
		if (atomic_load(&h->stop))
			return NULL;
		helper_do(h, nr);
	}
}

/* A helper that is still awake needs no waking: nothing tells then whom it works for. */
static void wait_until_asleep(struct oracle_helper *h)
{
	char path[64], state = 0;
	FILE *f;

	while (state != 'S') {
		sched_yield();
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)atomic_load(&h->tid));
		f = fopen(path, "re");
		if (!f)
			continue; /* not started yet */
		if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = 0;
		fclose(f);
	}
}

static int helper_open(struct oracle_helper *h, const char *dir)
{
	char path[512];

	if (pipe2(h->pipe_fds, O_CLOEXEC))
		return -errno;
	snprintf(path, sizeof(path), "%s/lock.%d", dir, (int)syscall(SYS_gettid));
	h->lock_fd_main = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	h->lock_fd_helper = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return h->lock_fd_main < 0 || h->lock_fd_helper < 0 ? -errno : 0;
}

static void helper_close(struct oracle_helper *h)
{
	const int fds[] = { h->pipe_fds[0], h->pipe_fds[1], h->lock_fd_main, h->lock_fd_helper };

	for (int i = 0; i < 4; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

struct oracle_helper *oracle_helper_new(const char *dir)
{
	struct oracle_helper *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return NULL;
	h->pipe_fds[0] = h->pipe_fds[1] = h->lock_fd_main = h->lock_fd_helper = -1;
	err = helper_open(h, dir);
	if (!err)
		err = -pthread_create(&h->thread, NULL, helper_main, h);
	if (err) {
		helper_close(h);
		free(h);
		errno = -err;
		return NULL;
	}
	return h;
}

void oracle_helper_free(struct oracle_helper *h)
{
	atomic_store(&h->stop, true);
	atomic_fetch_add(&h->posted, 1);
	futex_wake(&h->posted);
	pthread_join(h->thread, NULL);
	helper_close(h);
	free(h);
}

int oracle_helper_wait(struct oracle_helper *h, enum oracle_job job, int64_t us,
		       _Atomic int64_t *woken_ns)
{
	uint32_t nr = atomic_load(&h->posted) + 1;
	char byte;

	h->job = job;
	h->us = us;
	h->woken_ns = woken_ns;
	if (job == ORACLE_JOB_FLOCK)
		atomic_store(&h->locking, LOCKED_WITH_WAITERS);
	wait_until_asleep(h);
	atomic_store(&h->posted, nr);
	futex_wake(&h->posted);
	switch (job) {
	case ORACLE_JOB_FUTEX:
		wait_for(&h->done, nr);
		break;
	case ORACLE_JOB_FLOCK:
		/* until the helper has the lock: a wait for a mutex, so of the same cause */
		while (atomic_load(&h->locking))
			futex_wait(&h->locking, LOCKED_WITH_WAITERS);
		if (flock(h->lock_fd_main, LOCK_EX) || flock(h->lock_fd_main, LOCK_UN))
			return -errno;
		break;
	case ORACLE_JOB_PIPE:
		if (read(h->pipe_fds[0], &byte, 1) != 1)
			return -EIO;
		break;
	}
	return 0;
}
