/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PostgreSQL's messages, followed by their lengths through both directions of a connection: how many
 * ReadyForQuery are due, and whether the last message is whole. The last bytes of an answer alone do
 * not tell: a row can look like ReadyForQuery, and a pipeline has one for each of its requests.
 */
#ifndef TARDY_PGSQL_BPF_H
#define TARDY_PGSQL_BPF_H
#include "walk.bpf.h"

#define PG_HEAD 5 /* type and length */
#define PG_LEN_MAX (1U << 30)

#define PG_BIT(type) (1U << ((type)&31))

/* Q P B D E S H C F X; d c f p */
static __always_inline bool pg_is_frontend(__u8 type)
{
	const __u32 upper = PG_BIT('Q') | PG_BIT('P') | PG_BIT('B') | PG_BIT('D') | PG_BIT('E') |
			    PG_BIT('S') | PG_BIT('H') | PG_BIT('C') | PG_BIT('F') | PG_BIT('X');
	const __u32 lower = PG_BIT('d') | PG_BIT('c') | PG_BIT('f') | PG_BIT('p');
	__u32 row = type >> 5;

	return (row == 2 && upper & PG_BIT(type)) || (row == 3 && lower & PG_BIT(type));
}

/* R Z E N C D T G H W S K I A V; d c n s t v; 1 2 3 */
static __always_inline bool pg_is_backend(__u8 type)
{
	const __u32 upper = PG_BIT('R') | PG_BIT('Z') | PG_BIT('E') | PG_BIT('N') | PG_BIT('C') |
			    PG_BIT('D') | PG_BIT('T') | PG_BIT('G') | PG_BIT('H') | PG_BIT('W') |
			    PG_BIT('S') | PG_BIT('K') | PG_BIT('I') | PG_BIT('A') | PG_BIT('V');
	const __u32 lower = PG_BIT('d') | PG_BIT('c') | PG_BIT('n') | PG_BIT('s') | PG_BIT('t') |
			    PG_BIT('v');
	const __u32 digit = PG_BIT('1') | PG_BIT('2') | PG_BIT('3');
	__u32 row = type >> 5;

	return (row == 2 && upper & PG_BIT(type)) || (row == 3 && lower & PG_BIT(type)) ||
	       (row == 1 && digit & PG_BIT(type));
}

static __always_inline __u32 pg_be32(const __u8 *b)
{
	return (__u32)b[0] << 24 | (__u32)b[1] << 16 | (__u32)b[2] << 8 | b[3];
}

/* A message of the client begins. Query, Sync and FunctionCall are answered with one ReadyForQuery
 * each, and so is the startup; during COPY the server ignores Sync. */
static __always_inline bool pg_asks(struct pg_state *pg, struct pg_place *at, const __u8 *h)
{
	__u32 len = pg_be32(h + 1);

	if (!h[0]) { /* length and code, no type */
		len = pg_be32(h);
		if (len < 8 || len > 10000)
			return false;
		at->left = len - PG_HEAD;
		if (!h[4])
			pg->owed++;
		else if (len == 8)
			pg->crypt = 1;
		return true;
	}
	if (len < 4 || len >= PG_LEN_MAX || !pg_is_frontend(h[0]))
		return false;
	at->left = len - 4;
	if (h[0] == 'c' || h[0] == 'f')
		pg->copying = 0;
	if (h[0] == 'Q' || h[0] == 'F' || (h[0] == 'S' && !pg->copying)) {
		pg->owed++;
		pg->by_sync = h[0] == 'S';
	}
	return true;
}

static __always_inline bool pg_answers(struct pg_state *pg, struct pg_place *at, const __u8 *h)
{
	__u32 len = pg_be32(h + 1);

	if (len < 4 || len >= PG_LEN_MAX || !pg_is_backend(h[0]))
		return false;
	at->left = len - 4;
	pg->type = h[0];
	return true;
}

/* A message of the server is whole. */
static __always_inline void pg_answered(struct pg_state *pg)
{
	pg->last = pg->type;
	if (pg->type == 'Z') {
		pg->ready = 1;
		if (pg->owed)
			pg->owed--;
		else
			pg->on = 0; /* nobody asked for it: a place was taken for what it is not */
	} else if (pg->type == 'G' || pg->type == 'W') {
		pg->copying = 1;
		if (pg->by_sync) /* libpq sends it with Execute, and another behind the data */
			pg->owed = 0;
	} else if (pg->type == 'E') {
		pg->copying = 0;
	}
}

static int pg_step(__u32 i, struct walk *w)
{
	struct conn *c = w->c;
	struct pg_state *pg;
	struct pg_place *at;
	__u32 idx, turn = w->turn & 1;
	__u8 h[8];
	bool good;

	if (!c || w->off >= w->n)
		return 1;
	pg = &c->pg;
	at = &pg->at[turn];
	if (at->left) {
		if (!walk_pass(w, &at->left))
			return 1;
		if (turn)
			pg_answered(pg);
		return 0;
	}
	if (!walk_look(w, c, PG_HEAD)) {
		pg->on = 0;
		return 1;
	}
	idx = walk_at(w);
	if (turn && pg->crypt) { /* one byte: whether what follows is encrypted */
		pg->crypt = 0;
		pg->last = 'N';
		w->off++;
		if (c->req[idx] != 'N')
			pg->on = 0;
		return !pg->on;
	}
	if (at->head_len || w->n - w->off < PG_HEAD) { /* a header in parts */
		at->head[at->head_len & 7] = c->req[idx];
		at->head_len++;
		w->off++;
		if (at->head_len < PG_HEAD)
			return 0;
		__builtin_memcpy(h, at->head, PG_HEAD);
		at->head_len = 0;
	} else {
		__builtin_memcpy(h, c->req + idx, PG_HEAD);
		w->off += PG_HEAD;
	}
	pg->last = turn ? 0 : pg->last;
	good = turn ? pg_answers(pg, at, h) : pg_asks(pg, at, h);
	if (!good) {
		pg->on = 0;
		return 1;
	}
	if (turn && !at->left)
		pg_answered(pg);
	return 0;
}

/* The answer is whole, and nothing more is asked for: what the server still says is no part of it,
 * but a notification, or that a parameter has changed. */
static __always_inline bool pg_is_quiet(const struct conn *c)
{
	return c->pg.on && c->pg.ready && !c->pg.owed;
}

/* Follows an I/O of turn `turn`: n bytes at base. Once a place is lost nothing more is said of the
 * exchange; the next one begins anew. */
__noinline int pg_follow(struct conn *c, __u64 base, __u32 n, __u32 turn)
{
	struct walk w = { .c = c, .base = base, .n = n, .turn = turn };
	bool quiet;

	if (!c)
		return 0;
	quiet = turn && pg_is_quiet(c);
	bpf_loop(WALK_STEPS_MAX, pg_step, &w, 0);
	if (w.off < n)
		c->pg.on = 0;
	if (quiet)
		return 0;
	c->rec.pg_owed = c->pg.owed;
	c->rec.pg_last = c->pg.last;
	return 0;
}

/* Bytes were missed: nothing more is said of the exchange. */
static __always_inline void pg_lost(struct conn *c)
{
	c->pg.on = 0;
	c->rec.flags &= ~(__u32)XCHG_FRAMED;
}

/* Does a request's first byte, with what follows, look like a message of a PostgreSQL client? */
static __always_inline bool pg_looks(const __u8 *head)
{
	if (!head[0])
		return !head[1] && head[2] < 0x28 && (head[4] == 0 || head[4] == 4);
	return !head[1] && pg_is_frontend(head[0]);
}

/* An exchange begins: one of a connection that is not followed, or no longer, is followed from here
 * on if it looks like one. */
static __always_inline void pg_begin(struct conn *c)
{
	struct pg_state *pg = &c->pg;

	if (pg->on || c->rec.req_len < PG_HEAD || !pg_looks(c->req))
		return;
	__builtin_memset(pg, 0, sizeof(*pg));
	pg->on = 1;
}

#endif
