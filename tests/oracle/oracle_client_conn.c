/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections of the oracle's client, fast and deliberately slow.
 */
#define _GNU_SOURCE
#include "oracle_client.h"
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "oracle_truth.h"

void client_sleep_us(int64_t us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &ts) == EINTR)
		;
}

int client_open(struct client *c, struct client_log *log, int port, int rcvbuf)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;

	memset(c, 0, sizeof(*c));
	c->log = log;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (rcvbuf)
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to))) {
		int err = -errno;

		client_close(c);
		return err;
	}
	return 0;
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static int send_body(struct client *c, const struct client_slow *body)
{
	char *piece = calloc(1, body->chunk_bytes);
	int err = piece ? 0 : -ENOMEM;

	for (int i = 0; i < body->chunks && !err; i++) {
		client_sleep_us(body->pause_us);
		if (send(c->fd, piece, body->chunk_bytes, MSG_NOSIGNAL) !=
		    (ssize_t)body->chunk_bytes)
			err = -EIO;
	}
	free(piece);
	return err;
}

int client_send(struct client *c, const char *group, const char *path,
		const struct client_slow *body)
{
	char head[512], query[32] = "", length[64] = "";
	struct client_sent *s;
	int len;

	if (c->log->n == CLIENT_SENT_MAX)
		return -ENOSPC;
	c->at = c->log->n++;
	s = &c->log->sent[c->at];
	s->id = c->at + 1;
	s->group = group;
	if (body)
		snprintf(length, sizeof(length), "Content-Length: %zu\r\n",
			 body->chunks * body->chunk_bytes);
	if (!c->alike)
		snprintf(query, sizeof(query), "?id=%" PRIu64, s->id);
	len = snprintf(head, sizeof(head),
		       "%s %s%s HTTP/1.1\r\nHost: oracle\r\nX-Id: %" PRIu64 "\r\n%s%s\r\n",
		       body ? "POST" : "GET", path, query, s->id, length,
		       c->close ? "Connection: close\r\n" : "");
	s->send_call_ns = oracle_now_ns();
	if (send(c->fd, head, (size_t)len, MSG_NOSIGNAL) != len)
		return -EIO;
	s->send_done_ns = oracle_now_ns();
	return body ? send_body(c, body) : 0;
}

static int receive_head(struct client *c, size_t *left)
{
	char head[2048], *end, *field;
	size_t have = 0;

	for (;;) {
		ssize_t n = recv(c->fd, head + have, sizeof(head) - 1 - have, 0);

		if (n <= 0)
			return n ? -errno : -EPIPE;
		have += (size_t)n;
		head[have] = 0;
		end = strstr(head, "\r\n\r\n");
		if (end)
			break;
		if (have == sizeof(head) - 1)
			return -EPROTO;
	}
	field = strstr(head, "Content-Length: ");
	if (strncmp(head, "HTTP/1.1 200 ", 13) || !field || field > end)
		return -EPROTO;
	*left = strtoul(field + 16, NULL, 10) - (have - (size_t)(end + 4 - head));
	return 0;
}

int client_receive(struct client *c, const struct client_slow *slow)
{
	static char piece[256 * 1024];
	size_t left = 0, take = 0;
	int err = receive_head(c, &left);

	while (left && !err) {
		size_t want = slow ? slow->chunk_bytes - take : sizeof(piece);
		ssize_t n;

		if (slow && !take)
			client_sleep_us(slow->pause_us);
		if (want > sizeof(piece))
			want = sizeof(piece);
		n = recv(c->fd, piece, want < left ? want : left, 0);
		if (n <= 0)
			return n ? -errno : -EPIPE;
		left -= (size_t)n;
		take += (size_t)n;
		if (slow && take == slow->chunk_bytes)
			take = 0;
	}
	c->log->sent[c->at].last_byte_ns = oracle_now_ns();
	return err;
}

int client_log_write(const struct client_log *log, const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return -errno;
	fputs("{\"schema\":\"oracle.client/1\"}\n", f);
	for (uint32_t i = 0; i < log->n; i++) {
		const struct client_sent *s = &log->sent[i];

		fprintf(f,
			"{\"id\":%" PRIu64 ",\"group\":\"%s\",\"send_call_ns\":%" PRId64
			",\"send_done_ns\":%" PRId64 ",\"last_byte_ns\":%" PRId64 "}\n",
			s->id, s->group, s->send_call_ns, s->send_done_ns, s->last_byte_ns);
	}
	return fclose(f) ? -errno : 0;
}
