/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mode proxy: the loop passes each request on to another server, over the only connection that it has
 * to it. One that comes while that is taken waits in a line. The target is passed on as it was read;
 * a field names the call, so that the other server's record is known as that of this call.
 */
#define _GNU_SOURCE
#include "oracle_server_loop.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/epoll.h>
#include <sys/socket.h>

int slot_open(struct slot *s, struct loop *l)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = s };

	TAILQ_INIT(&s->line);
	s->holder = NULL;
	s->fd = oracle_connect(&l->t->opt->upstream);
	if (s->fd < 0)
		return s->fd;
	fcntl(s->fd, F_SETFL, O_NONBLOCK);
	l->slot = s;
	return epoll_ctl(l->ep, EPOLL_CTL_ADD, s->fd, &ev) ? -errno : 0;
}

static int pass_on(struct loop *l, struct connection *c)
{
	char text[ORACLE_HEAD_MAX + 64];
	int head = (int)c->r.head_len - 2; /* without the empty line */
	int len;

	c->call.id = oracle_call_id(l->t->shared);
	len = snprintf(text, sizeof(text), "%.*sX-Call: %" PRIu64 "\r\n\r\n", head, c->head,
		       c->call.id);
	l->slot->holder = c;
	c->upstream_fd = l->slot->fd;
	c->phase = PHASE_UPSTREAM;
	c->answer_len = 0;
	loop_wait_begin(l, c);
	c->call.send_call_ns = oracle_now_ns();
	if (send(c->upstream_fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		return -EPIPE;
	c->call.send_done_ns = oracle_now_ns();
	return 0;
}

int slot_ask(struct loop *l, struct connection *c)
{
	if (!l->slot->holder && TAILQ_EMPTY(&l->slot->line))
		return pass_on(l, c);
	c->phase = PHASE_SLOT;
	TAILQ_INSERT_TAIL(&l->slot->line, c, in_line);
	loop_wait_begin(l, c);
	return 0;
}

int slot_taken(struct loop *l, struct connection *c)
{
	TAILQ_REMOVE(&l->slot->line, c, in_line);
	loop_wait_end(l, c, ORACLE_SLOT, 0);
	return pass_on(l, c);
}

void slot_free(struct loop *l, struct connection *c)
{
	l->slot->holder = NULL;
	c->upstream_fd = -1;
}

struct connection *slot_next(const struct slot *s)
{
	return s->holder ? NULL : TAILQ_FIRST(&s->line);
}
