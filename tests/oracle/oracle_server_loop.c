/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mode loop: one thread, epoll, non-blocking sockets. Causes block the loop (that is the point:
 * others wait behind them), except a call to the upstream, the request's body and a slow reader:
 * for these the request is left and taken up again when its descriptor is ready; and a timer, for
 * which it is taken up again when the loop's look at epoll has timed out. Mode proxy is this loop, too
 * (oracle_server_proxy.c).
 *
 * A turn is what the loop does for one connection between two looks at epoll. The truth of a
 * request is made of its own turns and of its waits between them; time in which other requests
 * had their turns during such a wait is neither its cpu nor its delay, but stays in the wait.
 */
#define _GNU_SOURCE
#include "oracle_server_loop.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

void loop_wait_begin(struct loop *l, struct connection *c)
{
	oracle_clock_mark(&l->t->clock, &c->wait_from);
	c->foreign_at = l->turns;
	memset(&c->wait_foreign, 0, sizeof(c->wait_foreign));
	c->waiting = true;
}

void loop_wait_end(struct loop *l, struct connection *c, int cause, int64_t arg)
{
	struct oracle_mark now;
	struct oracle_span span, foreign = c->wait_foreign;

	oracle_clock_mark(&l->t->clock, &now);
	span = oracle_span_between(&c->wait_from, &now);
	/* the wall of other requests' turns stays part of the wait; their cpu is not ours */
	foreign.wall_ns = 0;
	oracle_span_sub(&span, &foreign);
	oracle_record_wait(&c->rec, cause, arg, &span)->call = c->call;
	c->rec.waits[c->rec.n_waits - 1].shared = c->wait_foreign.wall_ns > 0;
	c->rec.waits[c->rec.n_waits - 1].foreign_ns = c->wait_foreign.wall_ns;
	c->waiting = false;
	memset(&c->call, 0, sizeof(c->call));
}

static void interest(struct loop *l, int fd, struct connection *c, uint32_t events, int how)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	epoll_ctl(l->ep, how, fd, &ev);
}

static void finish(struct loop *l, struct connection *c, const struct oracle_mark *before)
{
	struct oracle_mark end;
	struct oracle_span foreign = c->foreign;

	oracle_clock_mark(&l->t->clock, &end);
	oracle_record_sent(&c->rec, before, &end);
	if (c->r.reader_bytes)
		loop_wait_end(l, c, ORACLE_READER, (int64_t)c->r.reader_bytes / 1024);
	c->rec.end_ns = end.mono_ns;
	c->rec.own = oracle_span_between(&c->done, &end);
	foreign.wall_ns = 0;
	oracle_span_sub(&c->rec.own, &foreign);
	l->t->prev_end = end;
	l->t->has_prev = true;
	oracle_shared_add(l->t->shared, &c->rec);
	c->phase = PHASE_HEAD;
	c->have = 0;
	memset(&c->foreign, 0, sizeof(c->foreign));
}

/* 0 = again later or done, -errno = the connection is over */
static int step_send(struct loop *l, struct connection *c)
{
	size_t total = c->out_len + c->r.reader_bytes;
	struct oracle_mark before;

	while (c->sent < total) {
		bool body = c->sent >= c->out_len;
		size_t n = body ? total - c->sent : c->out_len - c->sent;
		ssize_t sent;

		if (n > ORACLE_BLOCK_BYTES / 16)
			n = ORACLE_BLOCK_BYTES / 16;
		oracle_clock_mark(&l->t->clock, &before);
		sent = send(c->fd, body ? l->t->block : c->out + c->sent, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN) {
			interest(l, c->fd, c, EPOLLOUT, EPOLL_CTL_MOD);
			return 0;
		}
		if (sent <= 0)
			return -EPIPE;
		c->sent += (size_t)sent;
	}
	finish(l, c, &before);
	interest(l, c->fd, c, EPOLLIN, EPOLL_CTL_MOD);
	return c->r.close ? -EPIPE : 0;
}

static int begin_send(struct loop *l, struct connection *c)
{
	int len = oracle_response_head(c->out, sizeof(c->out),
				       c->r.reader_bytes ? c->r.reader_bytes : 3, c->r.close);

	if (!c->r.reader_bytes)
		len += snprintf(c->out + len, sizeof(c->out) - (size_t)len, "ok\n");
	c->out_len = (size_t)len;
	c->sent = 0;
	c->phase = PHASE_SEND;
	if (c->r.reader_bytes)
		loop_wait_begin(l, c);
	return step_send(l, c);
}

static int begin_upstream(struct loop *l, struct connection *c, int64_t us)
{
	char text[256];
	int len = oracle_upstream_request(text, sizeof(text), us);

	if (c->upstream_fd < 0)
		return -ENOSYS;
	loop_wait_begin(l, c);
	c->phase = PHASE_UPSTREAM;
	c->answer_len = 0;
	return send(c->upstream_fd, text, (size_t)len, MSG_NOSIGNAL) == len ? 0 : -EPIPE;
}

static int step_ops(struct loop *l, struct connection *c)
{
	if (c->r.kind == ORACLE_SETUP_PIN || c->r.kind == ORACLE_SETUP_THROTTLE) {
		int err = oracle_thread_setup(l->t, &c->r);

		return err ? err : begin_send(l, c);
	}
	c->phase = PHASE_OPS;
	while (c->op < c->r.n_ops) {
		const struct oracle_op *op = &c->r.ops[c->op++];
		struct oracle_mark a, b;
		int err;

		if (op->cause == ORACLE_READER)
			continue;
		if (op->cause == ORACLE_UPSTREAM)
			return begin_upstream(l, c, op->arg);
		if (op->cause == ORACLE_TIMER) {
			loop_wait_begin(l, c);
			c->phase = PHASE_TIMER;
			c->due_ns = oracle_now_ns() + op->arg * 1000;
			return 0;
		}
		oracle_clock_mark(&l->t->clock, &a);
		err = oracle_thread_cause(l->t, op);
		oracle_clock_mark(&l->t->clock, &b);
		if (err)
			return err;
		oracle_record_cause(&c->rec, l->t, op, &a, &b);
	}
	return begin_send(l, c);
}

static int step_upstream(struct loop *l, struct connection *c)
{
	ssize_t n = recv(c->upstream_fd, c->answer + c->answer_len,
			 sizeof(c->answer) - c->answer_len, 0);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return -EPIPE;
	c->answer_len += (size_t)n;
	if (!oracle_upstream_done(c->answer, c->answer_len))
		return 0;
	loop_wait_end(l, c, ORACLE_UPSTREAM, l->slot ? 0 : c->r.ops[c->op - 1].arg);
	if (l->slot)
		slot_free(l, c);
	return l->slot ? begin_send(l, c) : step_ops(l, c);
}

static int step_timer(struct loop *l, struct connection *c)
{
	loop_wait_end(l, c, ORACLE_TIMER, c->r.ops[c->op - 1].arg);
	return step_ops(l, c);
}

static int step_body(struct loop *l, struct connection *c)
{
	while (c->have < c->r.body_len) {
		ssize_t n = recv(c->fd, l->t->block, ORACLE_BLOCK_BYTES, 0);

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return -EPIPE;
		c->have += (size_t)n;
	}
	loop_wait_end(l, c, ORACLE_BODY, (int64_t)c->r.body_len);
	return step_ops(l, c);
}

static int step_head(struct loop *l, struct connection *c)
{
	ssize_t n = recv(c->fd, c->head + c->have, sizeof(c->head) - c->have, 0);
	int len;

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return -EPIPE;
	if (!c->have) {
		oracle_clock_mark(&l->t->clock, &c->done);
		oracle_record_start(&c->rec, l->t, &l->poll, &c->done);
	}
	c->have += (size_t)n;
	len = oracle_request_parse(&c->r, c->head, c->have);
	if (len <= 0)
		return len;
	oracle_record_name(&c->rec, &c->r);
	c->have -= (size_t)len;
	c->op = 0;
	if (l->slot)
		return slot_ask(l, c);
	if (!c->r.body_len)
		return step_ops(l, c);
	c->phase = PHASE_BODY;
	loop_wait_begin(l, c);
	return step_body(l, c);
}

/* One look at a connection: the sum of all turns grows by it, and the wait that this connection
 * is in loses the turns that others had since its last one (its own, of which a body or a slow
 * reader takes many, are kept out by taking foreign_at anew at the end of each). */
int loop_turn(struct loop *l, struct connection *c)
{
	struct oracle_mark a, b;
	struct oracle_span span;
	int err;

	if (c->waiting) {
		span = l->turns;
		oracle_span_sub(&span, &c->foreign_at);
		oracle_span_add(&c->wait_foreign, &span);
		oracle_span_add(&c->foreign, &span);
	}
	oracle_clock_mark(&l->t->clock, &a);
	switch (c->phase) {
	case PHASE_HEAD:
		err = step_head(l, c);
		break;
	case PHASE_BODY:
		err = step_body(l, c);
		break;
	case PHASE_SLOT:
		err = slot_taken(l, c);
		break;
	case PHASE_UPSTREAM:
		err = step_upstream(l, c);
		break;
	case PHASE_TIMER:
		err = step_timer(l, c);
		break;
	case PHASE_SEND:
		err = step_send(l, c);
		break;
	default:
		err = -EINVAL;
		break;
	}
	oracle_clock_mark(&l->t->clock, &b);
	span = oracle_span_between(&a, &b);
	oracle_span_add(&l->turns, &span);
	c->foreign_at = l->turns;
	if (c->phase != PHASE_HEAD) {
		/* left in the middle: a boundary for whoever comes next */
		l->t->prev_end = b;
		l->t->has_prev = true;
	}
	return err;
}

static void drop(struct connection *c)
{
	LIST_REMOVE(c, link);
	close(c->fd);
	if (c->upstream_fd >= 0)
		close(c->upstream_fd);
	free(c);
}

static int take(struct loop *l, int listen_fd)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *c;

	if (fd < 0)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	oracle_socket_options(fd);
	LIST_INSERT_HEAD(&l->open, c, link);
	c->fd = fd;
	c->upstream_fd = -1;
	interest(l, fd, c, EPOLLIN, EPOLL_CTL_ADD);
	if (l->t->opt->upstream.sin_port && !l->slot) {
		c->upstream_fd = oracle_connect(&l->t->opt->upstream);
		if (c->upstream_fd < 0) {
			int err = c->upstream_fd;

			drop(c);
			return err;
		}
		fcntl(c->upstream_fd, F_SETFL, O_NONBLOCK);
		interest(l, c->upstream_fd, c, EPOLLIN, EPOLL_CTL_ADD);
	}
	return 0;
}

/* How long the loop may look at epoll: until the next timer is due, -1 = for ever. */
static int timeout_ms(const struct loop *l)
{
	int64_t due_ns = INT64_MAX, left_ns;
	const struct connection *c;

	LIST_FOREACH(c, &l->open, link)
	if (c->phase == PHASE_TIMER && c->due_ns < due_ns)
		due_ns = c->due_ns;
	if (due_ns == INT64_MAX)
		return -1;
	left_ns = due_ns - oracle_now_ns();
	return left_ns > 0 ? (int)((left_ns + 999999) / 1000000) : 0;
}

static void run_timers(struct loop *l)
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&l->open); c; c = next) {
		next = LIST_NEXT(c, link);
		if (c->phase == PHASE_TIMER && c->due_ns <= oracle_now_ns() && loop_turn(l, c))
			drop(c);
	}
}

/* Whose turn it is by an event of this connection, NULL = nobody's. */
static struct connection *whose(const struct loop *l, void *ptr)
{
	struct connection *c = l->slot && ptr == l->slot ? l->slot->holder : ptr;

	return c && c->phase != PHASE_TIMER && c->phase != PHASE_SLOT ? c : NULL;
}

static int run_line(struct loop *l)
{
	struct connection *c;
	int err = 0;

	while (!err && (c = slot_next(l->slot)))
		err = loop_turn(l, c);
	return err;
}

int oracle_loop_run(struct oracle_thread *t, int listen_fd, volatile sig_atomic_t *stop)
{
	struct loop l = { .t = t, .ep = epoll_create1(EPOLL_CLOEXEC) };
	struct epoll_event events[32];
	struct slot slot = { .fd = -1 };
	int err = 0;

	if (l.ep < 0)
		return -errno;
	if (!strcmp(t->opt->mode, "proxy"))
		err = slot_open(&slot, &l);
	fcntl(listen_fd, F_SETFL, O_NONBLOCK);
	interest(&l, listen_fd, NULL, EPOLLIN, EPOLL_CTL_ADD);
	while (!*stop && !err) {
		int n;

		oracle_clock_mark(&t->clock, &l.poll);
		n = epoll_wait(l.ep, events, 32, timeout_ms(&l));
		for (int i = 0; i < n && !err; i++) {
			struct connection *c = whose(&l, events[i].data.ptr);

			if (!events[i].data.ptr) {
				err = take(&l, listen_fd);
			} else if (c && loop_turn(&l, c)) {
				/* in the slot or its line */
				if (l.slot && c->phase != PHASE_HEAD) {
					err = -EPIPE;
					break;
				}
				/* a connection has two descriptors: forget the other event too */
				for (int k = i + 1; k < n; k++)
					if (events[k].data.ptr == c)
						events[k--] = events[--n];
				drop(c);
			}
		}
		run_timers(&l);
		if (l.slot && !err)
			err = run_line(&l);
	}
	for (struct connection *c = LIST_FIRST(&l.open), *next; c; c = next) {
		next = LIST_NEXT(c, link);
		drop(c);
	}
	close(l.ep);
	return err;
}
