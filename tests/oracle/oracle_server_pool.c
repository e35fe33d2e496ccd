/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mode pool: one thread accepts and polls, and hands each connection that has a request over to one of
 * K workers, who wait for them at a condition variable. The worker reads the request, answers it and
 * gives the connection back to be polled. When all are busy, a request waits in the line.
 */
#define _GNU_SOURCE
#include "oracle_server.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNS_MAX 256

struct pooled {
	STAILQ_ENTRY(pooled) link;
	int fd;
	int64_t hand_ns; /* before it was put into the line */
};

struct pool {
	const struct oracle_options *opt;
	struct oracle_shared *shared;
	int ep;
	pthread_mutex_t lock;
	pthread_cond_t some, ready;
	STAILQ_HEAD(, pooled) line;
	int n_ready; /* workers that have all they need */
	int failed; /* -errno of one that has not */
	bool stop;
	_Atomic int64_t signalled_ns; /* when the latest call to wake a worker was over */
	struct pooled conns[CONNS_MAX]; /* by descriptor */
};

static void polled(struct pool *p, struct pooled *c, int how)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.ptr = c };

	if (epoll_ctl(p->ep, how, c->fd, &ev))
		close(c->fd);
}

/* The next connection of the line, NULL = the pool ends. *wait tells how the worker came to it. */
static struct pooled *take(struct pool *p, struct oracle_thread *t, struct oracle_coming *coming)
{
	bool waited = false;
	struct pooled *c;

	memset(coming, 0, sizeof(*coming));
	oracle_clock_mark(&t->clock, &coming->wait);
	pthread_mutex_lock(&p->lock);
	while (STAILQ_EMPTY(&p->line) && !p->stop) {
		waited = true;
		pthread_cond_wait(&p->some, &p->lock);
	}
	c = STAILQ_FIRST(&p->line);
	if (c)
		STAILQ_REMOVE_HEAD(&p->line, link);
	pthread_mutex_unlock(&p->lock);
	if (c && waited) {
		int64_t now = oracle_now_ns(), signalled = atomic_load(&p->signalled_ns);

		/* the call that woke it may not be over yet */
		coming->hand_ns = c->hand_ns;
		coming->handed_ns = signalled > c->hand_ns && signalled < now ? signalled : now;
	}
	return c;
}

static void *worker(void *arg)
{
	struct pool *p = arg;
	struct oracle_coming coming;
	struct oracle_thread t;
	struct pooled *c;
	int err = oracle_thread_init(&t, p->opt, p->shared);

	pthread_mutex_lock(&p->lock);
	p->n_ready++;
	p->failed = err ? err : p->failed;
	pthread_cond_signal(&p->ready);
	pthread_mutex_unlock(&p->lock);
	if (err)
		return NULL;
	while ((c = take(p, &t, &coming))) {
		int more = oracle_serve_one(&t, c->fd, &coming);

		if (more < 0)
			fprintf(stderr, "oracle_server: request failed: %s\n", strerror(-more));
		if (more == 1)
			polled(p, c, EPOLL_CTL_MOD);
		else
			close(c->fd);
	}
	oracle_thread_release(&t);
	return NULL;
}

static void hand_over(struct pool *p, struct pooled *c)
{
	c->hand_ns = oracle_now_ns();
	pthread_mutex_lock(&p->lock);
	STAILQ_INSERT_TAIL(&p->line, c, link);
	pthread_mutex_unlock(&p->lock);
	pthread_cond_signal(&p->some);
	atomic_store(&p->signalled_ns, oracle_now_ns());
}

static void take_new(struct pool *p, int lfd)
{
	int fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (fd >= CONNS_MAX) {
		close(fd);
		return;
	}
	p->conns[fd].fd = fd;
	oracle_socket_options(fd);
	polled(p, &p->conns[fd], EPOLL_CTL_ADD);
}

static void poll_all(struct pool *p, int lfd, volatile sig_atomic_t *stop)
{
	struct epoll_event ev = { .events = EPOLLIN }, events[32];

	epoll_ctl(p->ep, EPOLL_CTL_ADD, lfd, &ev);
	while (!*stop) {
		int n = epoll_wait(p->ep, events, 32, -1);

		for (int i = 0; i < n; i++) {
			struct pooled *c = events[i].data.ptr;

			if (!c)
				take_new(p, lfd);
			else if (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
				close(c->fd);
			else
				hand_over(p, c);
		}
	}
}

int oracle_pool_run(const struct oracle_options *opt, struct oracle_shared *shared, int lfd,
		    volatile sig_atomic_t *stop)
{
	struct pool p = { .opt = opt, .shared = shared, .ep = epoll_create1(EPOLL_CLOEXEC) };
	pthread_t threads[ORACLE_WORKERS_MAX];
	pid_t self = getpid();
	int n = 0, err;

	if (p.ep < 0)
		return -errno;
	pthread_mutex_init(&p.lock, NULL);
	pthread_cond_init(&p.some, NULL);
	pthread_cond_init(&p.ready, NULL);
	STAILQ_INIT(&p.line);
	while (n < opt->workers && !pthread_create(&threads[n], NULL, worker, &p))
		n++;
	pthread_mutex_lock(&p.lock);
	while (p.n_ready < n)
		pthread_cond_wait(&p.ready, &p.lock);
	pthread_mutex_unlock(&p.lock);
	err = n < opt->workers ? -EAGAIN : p.failed;
	if (!err)
		err = oracle_write_ready(opt, &self, 1);
	if (!err)
		poll_all(&p, lfd, stop);
	pthread_mutex_lock(&p.lock);
	p.stop = true;
	pthread_cond_broadcast(&p.some);
	pthread_mutex_unlock(&p.lock);
	while (n > 0)
		pthread_join(threads[--n], NULL);
	close(p.ep);
	return err;
}
