/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mode store: a server of a protocol that nobody else speaks, on lasting connections, a thread for
 * each; and the calls to it. Both directions are messages of a length and so many bytes. What is
 * asked for is how long to sleep; the number of the call is that of the record.
 */
#define _GNU_SOURCE
#include "oracle_server.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define ANSWER_BYTES 64

struct question {
	uint64_t id;
	int64_t us;
};

/* Exactly so many bytes; 0, -ENODATA when the connection ended before, -errno. */
static int receive(int fd, void *to, size_t len)
{
	for (size_t have = 0; have < len;) {
		ssize_t n = recv(fd, (char *)to + have, len - have, 0);

		if (n <= 0)
			return n ? -errno : -ENODATA;
		have += (size_t)n;
	}
	return 0;
}

static int transmit(int fd, const void *data, uint32_t len)
{
	struct iovec parts[] = { { &len, sizeof(len) }, { (void *)data, len } };
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };

	return sendmsg(fd, &m, MSG_NOSIGNAL) == (ssize_t)(sizeof(len) + len) ? 0 : -EPIPE;
}

int oracle_store_call(int fd, int64_t us, struct oracle_call *call)
{
	struct question q = { call->id, us };
	char answer[ANSWER_BYTES];
	uint32_t len;
	int err;

	call->send_call_ns = oracle_now_ns();
	err = transmit(fd, &q, sizeof(q));
	call->send_done_ns = oracle_now_ns();
	if (!err)
		err = receive(fd, &len, sizeof(len));
	if (!err)
		err = len == sizeof(answer) ? receive(fd, answer, len) : -EPROTO;
	return err;
}

int oracle_store_serve_one(struct oracle_thread *t, int fd)
{
	const struct oracle_op op = { .cause = ORACLE_SLEEP };
	struct oracle_mark call, done, a, b, end;
	struct oracle_record rec;
	struct question q;
	uint32_t len;
	int err;

	oracle_clock_mark(&t->clock, &call);
	err = receive(fd, &len, sizeof(len));
	oracle_clock_mark(&t->clock, &done);
	if (!err)
		err = len == sizeof(q) ? receive(fd, &q, len) : -EPROTO;
	if (err)
		return err == -ENODATA ? 0 : err;
	oracle_record_start(&rec, t, &call, &done);
	rec.id = q.id;
	strcpy(rec.path, "/store");
	oracle_clock_mark(&t->clock, &a);
	oracle_sleep_us(q.us);
	oracle_clock_mark(&t->clock, &b);
	oracle_record_cause(&rec, t, &op, &a, &b);
	if (transmit(fd, t->block, ANSWER_BYTES))
		return -EPIPE;
	oracle_clock_mark(&t->clock, &end);
	oracle_record_sent(&rec, &b, &end);
	oracle_record_end(&rec, t, &done, &end);
	return 1;
}
