// SPDX-License-Identifier: GPL-2.0-only
/*
 * An HTTP load of a fixed rate over keep-alive connections to a port of 127.0.0.1:
 *
 *	load_bench PORT PATH CONNECTIONS RATE SECONDS [REQUESTS]
 *
 * RATE in requests/s, each sent when it is due on a connection that is free; what could not be
 * sent in time is sent late, not left out. RATE 0: as fast as they are answered. Ends after
 * SECONDS, or earlier after REQUESTS, and prints "N requests in S s". One thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"

enum { CONNS_MAX = 1024, ANSWER_MAX = 65536, EVENTS = 64 };

struct client {
	int epoll;
	int fds[CONNS_MAX];
	uint32_t free[CONNS_MAX]; /* connections that wait for no answer */
	size_t n, n_free;
	char text[1024];
	size_t text_len;
	size_t answer_len; /* all answers are as long as the first */
	size_t got[CONNS_MAX];
	uint64_t sent, answered;
};

static void client_connect(struct client *c, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;

	for (size_t i = 0; i < c->n; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.u64 = i };

		c->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (c->fds[i] < 0 || connect(c->fds[i], (struct sockaddr *)&to, sizeof(to)))
			die("connect", errno);
		setsockopt(c->fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->fds[i], &ev))
			die("epoll_ctl", errno);
		c->free[c->n_free++] = (uint32_t)i;
	}
}

static void client_send(struct client *c)
{
	size_t i = c->free[--c->n_free];

	if (send(c->fds[i], c->text, c->text_len, MSG_NOSIGNAL) != (ssize_t)c->text_len)
		die("send", errno);
	c->sent++;
}

/* The first answer is read alone, for its length: head and Content-Length, and must be a 2xx. */
static void client_first(struct client *c)
{
	char buf[ANSWER_MAX];
	size_t at = c->free[c->n_free - 1], len = 0;

	client_send(c);
	while (!c->answer_len) {
		ssize_t n = recv(c->fds[at], buf + len, sizeof(buf) - 1 - len, 0);
		const char *end, *field;

		if (n <= 0)
			die("first answer", n ? errno : EPIPE);
		len += (size_t)n;
		buf[len] = '\0';
		end = strstr(buf, "\r\n\r\n");
		field = strcasestr(buf, "\r\ncontent-length:");
		if (strncmp(buf, "HTTP/1.1 2", 10) != 0 || (end && !field))
			die("first answer: no 2xx with a length", EPROTO);
		if (end)
			c->answer_len = (size_t)(end + 4 - buf) + strtoul(field + 17, NULL, 10);
	}
	while (len < c->answer_len) {
		ssize_t n = recv(c->fds[at], buf, sizeof(buf), 0);

		if (n <= 0)
			die("first answer", n ? errno : EPIPE);
		len += (size_t)n;
	}
	c->free[c->n_free++] = (uint32_t)at;
	c->answered++;
}

static void client_wait(struct client *c, uint64_t ns)
{
	struct timespec t = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };
	struct epoll_event ev[EVENTS];
	char buf[ANSWER_MAX];
	int n = epoll_pwait2(c->epoll, ev, EVENTS, &t, NULL);

	for (int k = 0; k < n; k++) {
		size_t i = ev[k].data.u64;
		ssize_t got = recv(c->fds[i], buf, sizeof(buf), MSG_DONTWAIT);

		if (got <= 0)
			die("the server closed a connection", got ? errno : EPIPE);
		c->got[i] += (size_t)got;
		if (c->got[i] > c->answer_len)
			die("answers differ in length", EPROTO);
		if (c->got[i] < c->answer_len)
			continue;
		c->got[i] = 0;
		c->free[c->n_free++] = (uint32_t)i;
		c->answered++;
	}
}

static double run(struct client *c, double rate, double seconds, uint64_t most)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC), now = start;
	uint64_t end = start + (uint64_t)(seconds * 1e9);
	uint64_t gap = rate > 0 ? (uint64_t)(1e9 / rate) : 0, due = start;

	while (now < end && c->answered < most) {
		while (c->n_free && due <= now && c->sent < most) {
			client_send(c);
			due += gap;
		}
		/* nothing is due, or no connection is free: until then, or an answer */
		client_wait(c, c->n_free && due > now ? due - now : 10000000);
		now = clock_ns(CLOCK_MONOTONIC);
	}
	return (double)(now - start) / 1e9;
}

int main(int argc, char **argv)
{
	static struct client c;
	double seconds;

	if (argc != 6 && argc != 7)
		return 2;
	c.n = strtoul(argv[3], NULL, 10);
	if (c.n < 1 || c.n > CONNS_MAX)
		return 2;
	c.epoll = epoll_create1(EPOLL_CLOEXEC);
	c.text_len = (size_t)snprintf(c.text, sizeof(c.text),
				      "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", argv[2]);
	client_connect(&c, (uint16_t)strtoul(argv[1], NULL, 10));
	client_first(&c);
	seconds = run(&c, atof(argv[4]), atof(argv[5]),
		      argc == 7 ? strtoull(argv[6], NULL, 10) : UINT64_MAX);
	printf("%llu requests in %.3f s\n", (unsigned long long)c.answered, seconds);
	return fflush(stdout) ? 1 : 0;
}
