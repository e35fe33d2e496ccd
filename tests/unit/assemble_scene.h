/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Synthetic records for the tests of the assembler, written the way the kernel side writes them,
 * and a sink that keeps copies of what comes out. Times are microseconds after a fixed moment.
 * Whatever comes out must have parts that sum to its wall time: the sink checks it every time.
 */
#ifndef TARDY_TESTS_ASSEMBLE_SCENE_H
#define TARDY_TESTS_ASSEMBLE_SCENE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "assemble/assemble.h"
#include "base/intern.h"
#include "bpf/abi.h"

#define SCENE_EPOCH_NS 1000000000000ull
#define AT(us) (SCENE_EPOCH_NS + (uint64_t)(us)*1000u)
#define US(us) ((uint64_t)(us)*1000u)

enum {
	SCENE_GOT_MAX = 1024,
	NGINX = 100, /* a process each, whose only thread has the same number */
	FPM = 200,
	POSTGRES = 300,
};

/* A request as the sink got it, with what it pointed to. */
struct got {
	struct request r;
	bool open;
};

struct scene {
	struct assemble *a;
	struct got got[SCENE_GOT_MAX];
	size_t n_got;
};

/* One exchange with the head of its request behind it, as in the ring. */
struct xchg {
	struct rec_xchg x;
	char req[ABI_REQ_HEAD_MAX];
};

_Static_assert(offsetof(struct xchg, req) == sizeof(struct rec_xchg), "the head follows");

/* ---- the sink ---- */

static inline void *scene_copy(const void *from, size_t bytes)
{
	void *to = malloc(bytes ? bytes : 1);

	assert_non_null(to);
	if (bytes)
		memcpy(to, from, bytes);
	return to;
}

static inline void scene_keep(struct scene *s, const struct request *r, bool open)
{
	struct got *g = &s->got[s->n_got++];

	assert_true(s->n_got <= SCENE_GOT_MAX);
	assert_true(r->end_ns >= r->start_ns);
	assert_int_equal(parts_sum_ns(&r->parts), r->end_ns - r->start_ns);
	assert_int_equal(!!(r->flags & REQUEST_OPEN), open);
	g->r = *r;
	g->open = open;
	g->r.parts.v = scene_copy(r->parts.v, r->parts.n * sizeof(*r->parts.v));
	g->r.calls = scene_copy(r->calls, r->n_calls * sizeof(*r->calls));
	g->r.marks = scene_copy(r->marks, r->n_marks * sizeof(*r->marks));
}

static inline void scene_sink(void *ctx, const struct request *r)
{
	scene_keep(ctx, r, false);
}

static inline void scene_open_sink(void *ctx, const struct request *r)
{
	scene_keep(ctx, r, true);
}

static inline void scene_forget(struct scene *s)
{
	for (size_t i = 0; i < s->n_got; i++) {
		free(s->got[i].r.parts.v);
		free(s->got[i].r.calls);
		free(s->got[i].r.marks);
	}
	s->n_got = 0;
}

static inline void scene_end(struct scene *s)
{
	scene_forget(s);
	assemble_free(s->a);
}

/* ---- records ---- */

/* Gives a copy that ends where the record ends, so that reading beyond it is found. */
static inline int scene_give(struct scene *s, void *rec, uint16_t type, size_t len, uint64_t us)
{
	struct rec_hdr *h = rec;
	void *copy;
	int err;

	h->type = type;
	h->len = (uint32_t)len;
	h->ts_ns = AT(us);
	copy = scene_copy(rec, len);
	err = assemble_record(s->a, copy);
	free(copy);
	return err;
}

#define GIVE(s, rec, type, us) \
	assert_int_equal(scene_give((s), &(rec), (type), sizeof(rec), (us)), 0)

static inline void scene_tick(struct scene *s, uint64_t us)
{
	struct rec_tick t = { 0 };

	GIVE(s, t, REC_TICK, us);
}

static inline void scene_proc(struct scene *s, uint32_t tgid, const char *exe, const char *title)
{
	struct rec_proc p = { .tgid = tgid, .parent_tgid = 1 };

	snprintf((char *)p.exe, sizeof(p.exe), "%s", exe);
	snprintf((char *)p.title, sizeof(p.title), "%s", title);
	GIVE(s, p, REC_PROC, 0);
}

static inline void scene_task(struct scene *s, enum task_event event, uint32_t tgid,
			      uint32_t parent, uint64_t us)
{
	struct rec_task t = { .event = event, .tgid = tgid, .parent_tgid = parent };

	GIVE(s, t, REC_TASK, us);
}

static inline void scene_lost(struct scene *s, enum counter kind, uint64_t from, uint64_t to)
{
	struct rec_lost l = { .kind = kind, .count = 3, .from_ns = AT(from), .to_ns = AT(to) };

	GIVE(s, l, REC_LOST, to);
}

static inline void scene_init(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	s->a = assemble_new(scene_sink, s);
	assert_non_null(s->a);
	scene_proc(s, NGINX, "nginx", "nginx: worker process");
	scene_proc(s, FPM, "php-fpm8.2", "php-fpm: pool www");
	scene_proc(s, POSTGRES, "postgres", "postgres: app app [local]");
}

/* ---- exchanges ---- */

static inline void xchg_init(struct xchg *e, uint8_t role, uint64_t xid, uint64_t conn,
			     uint32_t tid)
{
	memset(e, 0, sizeof(*e));
	e->x.xid = xid;
	e->x.conn = conn;
	e->x.role = role;
	e->x.tgid = e->x.tid = tid;
	e->x.flags = XCHG_FRESH;
}

/* Accepted on TCP port `port` from a client of another host. */
static inline void xchg_accepted(struct xchg *e, uint64_t xid, uint64_t conn, uint32_t tid,
				 uint16_t port)
{
	xchg_init(e, ROLE_ACCEPTED, xid, conn, tid);
	e->x.family = AF_INET;
	e->x.netns = 1;
	memcpy(e->x.laddr, (uint8_t[]){ 192, 0, 2, 1 }, 4);
	memcpy(e->x.raddr, (uint8_t[]){ 198, 51, 100, 7 }, 4);
	e->x.lport = port;
	e->x.rport = (uint16_t)(10000 + conn);
}

/* A call on TCP to port `port` of 127.0.0.1, made for request `parent`. */
static inline void xchg_tcp_call(struct xchg *e, uint64_t xid, uint64_t conn, uint32_t tid,
				 uint64_t parent, uint16_t port)
{
	xchg_init(e, ROLE_CONNECTED, xid, conn, tid);
	e->x.parent = parent;
	e->x.family = AF_INET;
	e->x.netns = 1;
	memcpy(e->x.laddr, (uint8_t[]){ 127, 0, 0, 1 }, 4);
	memcpy(e->x.raddr, (uint8_t[]){ 127, 0, 0, 1 }, 4);
	e->x.lport = (uint16_t)(20000 + conn);
	e->x.rport = port;
}

/* The callee's side of such a connection. */
static inline void xchg_tcp_callee(struct xchg *e, uint64_t xid, uint64_t conn, uint32_t tid,
				   const struct xchg *call)
{
	xchg_init(e, ROLE_ACCEPTED, xid, conn, tid);
	e->x.family = AF_INET;
	e->x.netns = call->x.netns;
	memcpy(e->x.laddr, call->x.raddr, 16);
	memcpy(e->x.raddr, call->x.laddr, 16);
	e->x.lport = call->x.rport;
	e->x.rport = call->x.lport;
}

/* Both sides of a Unix connection: the sockets' addresses are made of the connection's number. */
static inline void xchg_unix(struct xchg *e, uint64_t pair)
{
	bool accepted = e->x.role == ROLE_ACCEPTED;

	e->x.family = AF_UNIX;
	e->x.netns = 1;
	e->x.sk = 0xffff0000 + pair * 0x100 + (accepted ? 0x40 : 0x80);
	e->x.peer_sk = 0xffff0000 + pair * 0x100 + (accepted ? 0x80 : 0x40);
	/* the path takes the room of both addresses */
	memcpy((char *)&e->x + offsetof(struct rec_xchg, laddr), "/run/php/fpm.sock", 18);
}

static inline void xchg_unix_call(struct xchg *e, uint64_t xid, uint64_t conn, uint32_t tid,
				  uint64_t parent, uint64_t pair)
{
	xchg_init(e, ROLE_CONNECTED, xid, conn, tid);
	e->x.parent = parent;
	xchg_unix(e, pair);
}

static inline void xchg_unix_callee(struct xchg *e, uint64_t xid, uint64_t conn, uint32_t tid,
				    uint64_t pair)
{
	xchg_init(e, ROLE_ACCEPTED, xid, conn, tid);
	xchg_unix(e, pair);
}

/* The same connection's next exchange, with nothing in it yet. */
static inline void xchg_next(struct xchg *e, uint64_t xid)
{
	struct rec_xchg x = e->x;

	memset(e->x.turn, 0, sizeof(e->x.turn));
	memset(e->x.slice_ns, 0, sizeof(e->x.slice_ns));
	memset(e->x.state_ns, 0, sizeof(e->x.state_ns));
	e->x.xid = xid;
	e->x.seq = x.seq + 1;
	e->x.flags = x.flags & XCHG_SEEDED;
	e->x.behind = e->x.behind_after_ns = 0;
	e->x.req_len = e->x.rsp_len = 0;
	e->x.req_total = e->x.rsp_total = 0;
	e->x.tail_len = 0;
}

/* Bytes of the request: the first received by arrival_us, read once at read_us. */
static inline void xchg_request(struct xchg *e, const void *text, size_t len, uint64_t arrival_us,
				uint64_t read_us)
{
	struct rec_turn *t = &e->x.turn[0];
	size_t room = sizeof(e->req) - e->x.req_len, keep = len < room ? len : room;

	memcpy(e->req + e->x.req_len, text, keep);
	e->x.req_len = (uint16_t)(e->x.req_len + keep);
	e->x.req_total += (uint32_t)len;
	if (!t->first_ns) {
		t->first_ns = AT(read_us);
		if (e->x.role == ROLE_ACCEPTED)
			t->arrival_ns = AT(arrival_us);
	}
	t->last_ns = AT(read_us);
	t->bytes += len;
	t->ops++;
	t->tid = e->x.tid;
}

/* Bytes of the answer, in one I/O at us; for a call they had arrived at arrival_us. */
static inline void xchg_answer(struct xchg *e, const void *text, size_t len, uint64_t arrival_us,
			       uint64_t us)
{
	struct rec_turn *t = &e->x.turn[1];
	size_t room = sizeof(e->x.rsp) - e->x.rsp_len, keep = len < room ? len : room;
	size_t tail = len < ABI_TAIL ? len : ABI_TAIL;

	memcpy(e->x.rsp + e->x.rsp_len, text, keep);
	e->x.rsp_len = (uint16_t)(e->x.rsp_len + keep);
	e->x.rsp_total += (uint32_t)len;
	memcpy(e->x.tail, (const char *)text + len - tail, tail);
	e->x.tail_len = (uint8_t)tail;
	if (!t->first_ns) {
		t->first_ns = AT(us);
		if (e->x.role == ROLE_CONNECTED)
			t->arrival_ns = AT(arrival_us);
	}
	t->last_ns = AT(us);
	t->bytes += len;
	t->ops++;
	t->tid = e->x.tid;
}

#define REQUEST(e, text, arrival, read) \
	xchg_request((e), (text), sizeof(text) - 1, (arrival), (read))
#define ANSWER(e, text, us) xchg_answer((e), (text), sizeof(text) - 1, (us), (us))

static inline void xchg_spend(struct xchg *e, enum slice_kind slice, enum thread_state state,
			      uint64_t us)
{
	e->x.slice_ns[slice] += US(us);
	e->x.state_ns[state] += US(us);
}

static inline void scene_xchg(struct scene *s, struct xchg *e, uint32_t flags, uint64_t us)
{
	e->x.flags = (e->x.flags & ~(uint32_t)(XCHG_OPEN | XCHG_CLOSED)) | flags;
	assert_int_equal(scene_give(s, e, REC_XCHG, sizeof(e->x) + e->x.req_len, us), 0);
}

/* ---- messages ---- */

struct bytes {
	char at[20000];
	size_t len;
};

static inline void bytes_add(struct bytes *b, const void *from, size_t len)
{
	assert_true(b->len + len <= sizeof(b->at));
	memcpy(b->at + b->len, from, len);
	b->len += len;
}

/* PostgreSQL: type, length, body; type 0 has no type byte (startup). */
static inline void pg_add(struct bytes *b, char type, const void *body, size_t len)
{
	uint32_t n = (uint32_t)len + 4;
	uint8_t be[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };

	if (type)
		bytes_add(b, &type, 1);
	bytes_add(b, be, 4);
	bytes_add(b, body, len);
}

#define PG(b, type, body) pg_add((b), (type), (body), sizeof(body) - 1)
#define PG_READY(b) PG(b, 'Z', "I")
/* Parse, Bind + Execute + Sync of a named statement */
static inline void pg_parse(struct bytes *b, const char *name, const char *sql)
{
	struct bytes body = { .len = 0 };

	bytes_add(&body, name, strlen(name) + 1);
	bytes_add(&body, sql, strlen(sql) + 1);
	bytes_add(&body, "\0\0", 2);
	pg_add(b, 'P', body.at, body.len);
}

static inline void pg_execute(struct bytes *b, const char *name)
{
	struct bytes body = { .len = 0 };

	bytes_add(&body, "", 1);
	bytes_add(&body, name, strlen(name) + 1);
	bytes_add(&body, "\0\0\0\0\0\0", 6);
	pg_add(b, 'B', body.at, body.len);
	PG(b, 'E', "\0\0\0\0\0");
	PG(b, 'S', "");
}

static inline void pg_query(struct bytes *b, const char *sql)
{
	pg_add(b, 'Q', sql, strlen(sql) + 1);
}

static inline void fcgi_record(struct bytes *b, uint8_t type, const void *body, size_t len)
{
	uint8_t head[8] = { 1, type, 0, 1, (uint8_t)(len >> 8), (uint8_t)len, 0, 0 };

	bytes_add(b, head, 8);
	bytes_add(b, body, len);
}

static inline void fcgi_param(struct bytes *b, const char *name, const char *value)
{
	size_t n = strlen(name), v = strlen(value);
	uint8_t len[5] = { (uint8_t)n, (uint8_t)(0x80 | v >> 24), (uint8_t)(v >> 16),
			   (uint8_t)(v >> 8), (uint8_t)v };

	bytes_add(b, len, 5);
	bytes_add(b, name, n);
	bytes_add(b, value, v);
}

/* A whole FastCGI request for a script; a query may come before the script's name. */
static inline void fcgi_request(struct bytes *b, const char *query, const char *script)
{
	struct bytes p = { .len = 0 };

	fcgi_record(b, 1, "\0\1\0\0\0\0\0\0", 8);
	fcgi_param(&p, "QUERY_STRING", query);
	fcgi_param(&p, "REQUEST_METHOD", "GET");
	fcgi_param(&p, "SCRIPT_NAME", script);
	fcgi_record(b, 4, p.at, p.len);
	fcgi_record(b, 4, "", 0);
	fcgi_record(b, 5, "", 0);
}

#define FCGI_ANSWER \
	"\1\6\0\1\0\x1c\0\0Status: 200 OK\r\n\r\nhello worl\1\3\0\1\0\x8\0\0\0\0\0\0\0\0\0\0"

/* ---- what came out ---- */

/* The newest copy of a request; fails when it did not come exactly once. */
static inline const struct request *scene_request(const struct scene *s, uint64_t xid)
{
	const struct request *found = NULL;

	for (size_t i = 0; i < s->n_got; i++) {
		if (s->got[i].r.xid != xid)
			continue;
		if (found)
			fail_msg("request %llu came twice", (unsigned long long)xid);
		found = &s->got[i].r;
	}
	if (!found)
		fail_msg("request %llu did not come", (unsigned long long)xid);
	return found;
}

static inline void scene_print(const struct request *r)
{
	print_error("%s %s, wall %llu ns:\n", intern_text(r->service), intern_text(r->route),
		    (unsigned long long)(r->end_ns - r->start_ns));
	for (size_t i = 0; i < r->parts.n; i++) {
		const struct part *p = &r->parts.v[i];

		print_error("  %s %s what '%s' via '%s' held by '%s' count %u%s: %llu\n",
			    intern_text(p->who), cause_name(p->cause), intern_text(p->what),
			    intern_text(p->via), intern_text(p->held_by), p->count,
			    p->scaled ? " scaled" : "", (unsigned long long)p->ns);
	}
}

/* The one part of this identity; NULL texts match anything. */
static inline const struct part *part_of(const struct request *r, const char *who, enum cause cause,
					 const char *what)
{
	const struct part *found = NULL;

	for (size_t i = 0; i < r->parts.n; i++) {
		const struct part *p = &r->parts.v[i];

		if (p->cause != cause || (who && strcmp(intern_text(p->who), who)) ||
		    (what && strcmp(intern_text(p->what), what)))
			continue;
		if (found) {
			scene_print(r);
			fail_msg("two parts %s %s", cause_name(cause), what ? what : "");
		}
		found = p;
	}
	return found;
}

static inline void expect_part(const struct request *r, const char *who, enum cause cause,
			       const char *what, uint64_t us)
{
	const struct part *p = part_of(r, who, cause, what);

	if (p && p->ns == US(us))
		return;
	scene_print(r);
	fail_msg("wanted %s %s '%s' of %llu us", who ? who : "*", cause_name(cause),
		 what ? what : "*", (unsigned long long)us);
}

#define assert_text(id, text) assert_string_equal(intern_text(id), (text))
/* How long the request waited for that cause, all parts of it. */
static inline uint64_t cause_us(const struct request *r, enum cause cause)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < r->parts.n; i++)
		ns += r->parts.v[i].cause == cause ? r->parts.v[i].ns : 0;
	return ns / 1000;
}

#endif
