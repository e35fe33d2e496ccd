/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Context switches on order: two threads on one CPU hand a message to and fro, over pipes or over
 * a connection, so that each message is one switch. And sends without a switch, for which the
 * empty program runs.
 */
#ifndef TARDY_BENCH_PINGPONG_H
#define TARDY_BENCH_PINGPONG_H
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/bench_tasks.h"

enum { MESSAGES = 15000 }; /* of one round, from each side */

/* One side of a ping-pong; the other has the two descriptors of the other ends. */
struct side {
	int in, out;
	bool begins;
	int messages;
	uint64_t switches;
};

static const char ping_message[] = "GET /ping HTTP/1.1\r\nHost: bench\r\n\r\n";

static inline void pass(struct side *s, bool first)
{
	char buf[256];

	if (!first && read(s->in, buf, sizeof(buf)) <= 0)
		die("ping-pong: read", errno);
	if (write(s->out, ping_message, sizeof(ping_message) - 1) < 0)
		die("ping-pong: write", errno);
}

static inline void *side_run(void *arg)
{
	struct side *s = arg;
	uint64_t before = task_switches_self();
	char buf[256];

	for (int i = 0; i < s->messages; i++)
		pass(s, s->begins && i == 0);
	if (s->begins && read(s->in, buf, sizeof(buf)) <= 0)
		die("ping-pong: last read", errno);
	s->switches = task_switches_self() - before;
	return NULL;
}

/* Both on one CPU, so that each message is a switch from the one to the other. */
static inline uint64_t ping_pong(int in_a, int out_a, int in_b, int out_b, int messages)
{
	struct side a = { in_a, out_a, true, messages, 0 }, b = { in_b, out_b, false, messages, 0 };
	pthread_t ta, tb;
	pthread_attr_t attr;
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET((size_t)(sysconf(_SC_NPROCESSORS_ONLN) - 1), &cpu);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(cpu), &cpu);
	if (pthread_create(&tb, &attr, side_run, &b) || pthread_create(&ta, &attr, side_run, &a))
		die("pthread_create", EAGAIN);
	pthread_join(ta, NULL);
	pthread_join(tb, NULL);
	pthread_attr_destroy(&attr);
	return a.switches + b.switches;
}

/* A TCP connection of this process with itself. */
static inline void tcp_pair(int fds[2])
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(to);
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&to, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&to, &len) ||
	    connect(fds[0], (struct sockaddr *)&to, len))
		die("loopback connection", errno);
	fds[1] = accept(listener, NULL, NULL);
	close(listener);
	for (int i = 0; i < 2; i++)
		setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* The empty program runs at each send: gives it something to run for. */
static inline void send_bursts(void)
{
	char buf[4096];
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds))
		die("socketpair", errno);
	for (int i = 0; i < 20000; i++)
		if (send(fds[0], "x", 1, 0) != 1 || recv(fds[1], buf, sizeof(buf), 0) != 1)
			die("burst", errno);
	close(fds[0]);
	close(fds[1]);
}

#endif
