/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modes loop and proxy: what the loop and the proxy's slot share.
 */
#ifndef ORACLE_SERVER_LOOP_H
#define ORACLE_SERVER_LOOP_H
#include <sys/queue.h>
#include "oracle_server.h"

enum phase {
	PHASE_HEAD,
	PHASE_BODY,
	PHASE_OPS,
	PHASE_SLOT,
	PHASE_UPSTREAM,
	PHASE_TIMER,
	PHASE_SEND
};

struct connection {
	LIST_ENTRY(connection) link; /* in loop.open */
	TAILQ_ENTRY(connection) in_line; /* for the slot */
	int fd, upstream_fd;
	enum phase phase;
	char head[ORACLE_HEAD_MAX];
	size_t have; /* bytes of the head, then of the body */
	struct oracle_request r;
	struct oracle_record rec;
	struct oracle_mark done; /* first read */
	int op;
	int64_t due_ns; /* of its timer */
	struct oracle_call call;
	char answer[ORACLE_HEAD_MAX];
	size_t answer_len;
	char out[512];
	size_t out_len, sent; /* sent counts head and body */
	/* a wait between turns, or one that began in this turn and is not over */
	bool waiting;
	struct oracle_mark wait_from;
	struct oracle_span foreign_at; /* the loop's total of turns then */
	struct oracle_span wait_foreign; /* others' turns during this wait */
	struct oracle_span foreign; /* and during all waits of this request */
};

/* The one connection of a proxy to what is behind it. */
struct slot {
	int fd;
	struct connection *holder; /* NULL = free */
	TAILQ_HEAD(, connection) line; /* wait for it, PHASE_SLOT */
};

struct loop {
	struct oracle_thread *t;
	int ep;
	LIST_HEAD(, connection) open; /* all of them, to be dropped when the loop ends */
	struct oracle_mark poll; /* before the last epoll_wait */
	struct oracle_span turns; /* sum of all turns */
	struct slot *slot; /* NULL in mode loop */
};

/* oracle_server_loop.c */
void loop_wait_begin(struct loop *l, struct connection *c);
/* Records the wait that began before. */
void loop_wait_end(struct loop *l, struct connection *c, int cause, int64_t arg);
/* One look at a connection; 0, or -errno: it is over. */
int loop_turn(struct loop *l, struct connection *c);

/* oracle_server_proxy.c */
/* Opens the slot's connection; 0 or -errno. */
int slot_open(struct slot *s, struct loop *l);
/* Passes the request of c on, now or when the slot is free; 0 or -errno. */
int slot_ask(struct loop *l, struct connection *c);
/* The turn of the first in line. */
int slot_taken(struct loop *l, struct connection *c);
/* The answer to c was read. */
void slot_free(struct loop *l, struct connection *c);
/* The first in line, if the slot is free, else NULL. */
struct connection *slot_next(const struct slot *s);

#endif
