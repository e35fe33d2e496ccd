/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording with stacks, made up: an application with two workers, its database, and samples of
 * all that can happen to them. For the tests of what is made of stacks, and for the stored
 * capture of tests/golden/stacks.sh. Times are microseconds after a fixed moment.
 */
#ifndef TARDY_TESTS_STACK_SCENE_H
#define TARDY_TESTS_STACK_SCENE_H
#include "unit/assemble_scene.h"

enum {
	WORKER1 = 201,
	WORKER2 = 202,
	DATABASE = 301,
	/* functions, at other addresses in each worker */
	FN_RENDER = 0x10,
	FN_FIND,
	FN_READ,
	FN_REPORT,
	FN_MAIN,
	FN_MEMCPY,
	FN_SCAN,
	FN_BACKEND,
	K_FUTEX,
	K_IO,
	K_FILE_READ,
	K_SYSCALL,
	FN_END,
};

typedef void (*story_fn)(void *ctx, const struct rec_hdr *rec);

struct story {
	story_fn give;
	void *ctx;
};

#define STORY_GIVE(s, rec, type_, us) \
	do { \
		(rec).h.type = (type_); \
		(rec).h.len = sizeof(rec); \
		(rec).h.ts_ns = AT(us); \
		(s)->give((s)->ctx, &(rec).h); \
	} while (0)

static inline void story_meta(struct story *s)
{
	struct rec_meta m = { .start_unix_ns = 1795183342000000000u, .cpus = 2 };

	strcpy((char *)m.hostname, "classroom");
	strcpy((char *)m.kernel, "6.18.44");
	STORY_GIVE(s, m, REC_META, 0);
}

static inline void story_proc(struct story *s, uint32_t tgid, const char *exe)
{
	struct rec_proc p = { .tgid = tgid, .parent_tgid = 1 };

	strcpy((char *)p.exe, exe);
	strcpy((char *)p.title, exe);
	STORY_GIVE(s, p, REC_PROC, 0);
}

static inline void story_tick(struct story *s, uint64_t us)
{
	struct rec_tick t = { .seen = 1, .rss_bytes = 1 << 20 };

	STORY_GIVE(s, t, REC_TICK, us);
}

static inline uint64_t story_address(uint32_t tgid, uint64_t fn)
{
	return ((uint64_t)tgid << 20) + fn;
}

static inline void story_sym(struct story *s, uint32_t tgid, uint64_t fn, const char *text)
{
	struct rec_sym y = { .addr = story_address(tgid, fn),
			     .tgid = tgid,
			     .flags = tgid ? 0 : SYM_KERNEL };

	strcpy((char *)y.module, tgid ? "app" : "vmlinux");
	strcpy((char *)y.text, text);
	STORY_GIVE(s, y, REC_SYM, 0);
}

static inline void story_symbols(struct story *s)
{
	static const uint32_t workers[] = { WORKER1, WORKER2 };

	for (size_t i = 0; i < 2; i++) {
		story_sym(s, workers[i], FN_RENDER, "render");
		story_sym(s, workers[i], FN_FIND, "std::map<int; int>::find(int, page 4096");
		story_sym(s, workers[i], FN_READ, "read_file");
		story_sym(s, workers[i], FN_REPORT, "report");
		story_sym(s, workers[i], FN_MAIN, "main");
		story_sym(s, workers[i], FN_MEMCPY, "__memcpy_avx");
	}
	story_sym(s, DATABASE, FN_SCAN, "ExecScan");
	story_sym(s, DATABASE, FN_BACKEND, "PostgresMain");
	story_sym(s, 0, K_FUTEX, "futex_wait");
	story_sym(s, 0, K_IO, "io_schedule");
	story_sym(s, 0, K_FILE_READ, "filemap_read");
	story_sym(s, 0, K_SYSCALL, "do_syscall_64");
}

struct story_stack {
	uint64_t xid;
	uint32_t tgid;
	enum thread_state state; /* STATE_RUN = a CPU sample */
	uint64_t at, length; /* us */
	uint8_t kernel[4], user[4]; /* functions, leaf first, end with 0 */
	uint32_t flags;
};

static inline void story_stack(struct story *s, const struct story_stack *t)
{
	union {
		struct rec_stack r;
		char room[sizeof(struct rec_stack) + 8 * sizeof(uint64_t)];
	} rec = { 0 };

	rec.r.xid = t->xid;
	rec.r.start_ns = AT(t->at);
	rec.r.ns = US(t->length);
	rec.r.tid = rec.r.tgid = t->tgid;
	rec.r.kind = t->state == STATE_RUN ? STACK_CPU : STACK_WAIT;
	rec.r.state = (uint16_t)t->state;
	rec.r.flags = t->flags;
	for (; rec.r.n_kernel < 4 && t->kernel[rec.r.n_kernel]; rec.r.n_kernel++)
		rec.r.frames[rec.r.n_kernel] = story_address(0, t->kernel[rec.r.n_kernel]);
	for (; rec.r.n_user < 4 && t->user[rec.r.n_user]; rec.r.n_user++)
		rec.r.frames[rec.r.n_kernel + rec.r.n_user] = story_address(t->tgid,
									    t->user[rec.r.n_user]);
	rec.r.h.type = REC_STACK;
	rec.r.h.len = (uint32_t)(sizeof(rec.r) +
				 (rec.r.n_kernel + rec.r.n_user) * sizeof(uint64_t));
	rec.r.h.ts_ns = AT(t->at + (t->state == STATE_RUN ? 0 : t->length));
	s->give(s->ctx, &rec.r.h);
}

static inline void story_stacks(struct story *s)
{
	static const struct story_stack list[] = {
		/* GET /report by the first worker */
		{ 1, WORKER1, STATE_RUN, 5000, 10000, { 0 }, { FN_RENDER, FN_REPORT, FN_MAIN }, 0 },
		{ 1, WORKER1, STATE_RUN, 15000, 10000, { 0 }, { FN_FIND, FN_REPORT, FN_MAIN }, 0 },
		{ 1,
		  WORKER1,
		  STATE_DISK,
		  21000,
		  20000,
		  { K_IO, K_FILE_READ, K_SYSCALL },
		  { FN_READ, FN_REPORT, FN_MAIN },
		  0 },
		{ 1,
		  WORKER1,
		  STATE_LOCK,
		  41000,
		  30000,
		  { K_FUTEX, K_SYSCALL },
		  { 0 },
		  STACK_NO_USER },
		{ 1, WORKER1, STATE_RUN, 75000, 10000, { 0 }, { FN_MEMCPY }, STACK_USER_SHORT },
		{ 1,
		  WORKER1,
		  STATE_RUN,
		  95000,
		  10000,
		  { 0 },
		  { FN_RENDER, FN_MAIN },
		  0 }, /* after */
		/* the same by the second: equal functions at other addresses */
		{ 2,
		  WORKER2,
		  STATE_RUN,
		  105000,
		  10000,
		  { 0 },
		  { FN_RENDER, FN_REPORT, FN_MAIN },
		  0 },
		{ 2,
		  WORKER2,
		  STATE_RUN,
		  115000,
		  10000,
		  { 0 },
		  { FN_RENDER, FN_REPORT, FN_MAIN },
		  0 },
		{ 2,
		  WORKER2,
		  STATE_RUN,
		  125000,
		  10000,
		  { K_FILE_READ, K_SYSCALL },
		  { FN_READ, FN_REPORT, FN_MAIN },
		  STACK_IN_KERNEL },
		/* GET /list: the statement in the database */
		{ 31, DATABASE, STATE_RUN, 205000, 10000, { 0 }, { FN_SCAN, FN_BACKEND }, 0 },
		{ 31, DATABASE, STATE_RUN, 215000, 10000, { 0 }, { FN_SCAN, FN_BACKEND }, 0 },
		{ 31,
		  DATABASE,
		  STATE_DISK,
		  220000,
		  10000,
		  { K_IO, K_FILE_READ, K_SYSCALL },
		  { FN_SCAN, FN_BACKEND },
		  STACK_USER_CUT },
		/* GET /slow is in flight, 99 never was */
		{ 4, WORKER2, STATE_RUN, 305000, 10000, { 0 }, { FN_RENDER, FN_MAIN }, 0 },
		{ 99, WORKER2, STATE_RUN, 305000, 10000, { 0 }, { FN_END, FN_MAIN }, 0 },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		story_stack(s, &list[i]);
}

static inline void story_xchg(struct story *s, struct xchg *e, uint32_t flags, uint64_t us)
{
	e->x.flags |= flags;
	e->x.h.type = REC_XCHG;
	e->x.h.len = (uint32_t)sizeof(e->x) + e->x.req_len;
	e->x.h.ts_ns = AT(us);
	s->give(s->ctx, &e->x.h);
}

#define STORY_OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static inline void story_requests(struct story *s)
{
	struct bytes ask = { .len = 0 }, answer = { .len = 0 };
	struct xchg e, c, d;

	xchg_accepted(&e, 1, 1, WORKER1, 80);
	REQUEST(&e, "GET /report HTTP/1.1\r\n\r\n", 1000, 1000);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 40000);
	xchg_spend(&e, SLICE_MID, STATE_DISK, 20000);
	xchg_spend(&e, SLICE_MID, STATE_LOCK, 30000);
	ANSWER(&e, STORY_OK, 91000);
	story_xchg(s, &e, XCHG_CLOSED, 91500);

	xchg_accepted(&e, 2, 2, WORKER2, 80);
	REQUEST(&e, "GET /report HTTP/1.1\r\n\r\n", 100000, 100000);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 50000);
	ANSWER(&e, STORY_OK, 150000);
	story_xchg(s, &e, XCHG_CLOSED, 150500);

	pg_query(&ask, "SELECT a FROM t WHERE id = 7");
	PG(&answer, 'C', "SELECT 1\0");
	PG_READY(&answer);
	xchg_accepted(&e, 3, 3, WORKER1, 80);
	REQUEST(&e, "GET /list HTTP/1.1\r\n\r\n", 200000, 200000);
	xchg_tcp_call(&c, 30, 30, WORKER1, 3, 5432);
	xchg_tcp_callee(&d, 31, 31, DATABASE, &c);
	xchg_request(&c, ask.at, ask.len, 0, 200100);
	xchg_request(&d, ask.at, ask.len, 200100, 200100);
	xchg_spend(&c, SLICE_PRE, STATE_RUN, 100);
	xchg_spend(&d, SLICE_MID, STATE_RUN, 19900);
	xchg_spend(&d, SLICE_MID, STATE_DISK, 10000);
	xchg_spend(&c, SLICE_MID, STATE_RECV, 29900);
	xchg_answer(&d, answer.at, answer.len, 230000, 230000);
	xchg_answer(&c, answer.at, answer.len, 230000, 230000);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 1000);
	ANSWER(&e, STORY_OK, 231000);
	story_xchg(s, &d, XCHG_CLOSED, 231500);
	story_xchg(s, &c, XCHG_CLOSED, 231500);
	story_xchg(s, &e, XCHG_CLOSED, 231500);

	xchg_accepted(&e, 4, 4, WORKER2, 80);
	REQUEST(&e, "GET /slow HTTP/1.1\r\n\r\n", 300000, 300000);
	story_xchg(s, &e, XCHG_OPEN, 310000);
}

/* The whole of it, 320 ms. */
static inline void story_tell(struct story *s)
{
	story_meta(s);
	story_proc(s, WORKER1, "app");
	story_proc(s, WORKER2, "app");
	story_proc(s, DATABASE, "postgres");
	story_tick(s, 0);
	story_symbols(s);
	story_stacks(s);
	story_requests(s);
	story_tick(s, 320000);
}
#endif
