// SPDX-License-Identifier: GPL-2.0-only
/* Calls and callees: what a request waited for on other connections, and both ends of one. */
#include "assemble_scene.h"

#define GET "GET /p HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

/* The entry request of these tests: read as it arrived at 0, then 10 us of work. */
static void entry(struct xchg *e)
{
	xchg_accepted(e, 1, 1, NGINX, 80);
	REQUEST(e, GET, 0, 10);
	xchg_spend(e, SLICE_PRE, STATE_RUN, 10);
}

static void entry_answers(struct scene *s, struct xchg *e, uint64_t us)
{
	ANSWER(e, OK, us);
	scene_xchg(s, e, XCHG_OPEN, us + 10);
}

/* A call sent at `sent` after 20 us of work, whose answer was waited for until `end`. */
static void call_bytes(struct xchg *c, const struct bytes *ask, const struct bytes *answer,
		       uint64_t sent, uint64_t end)
{
	xchg_request(c, ask->at, ask->len, 0, sent);
	xchg_spend(c, SLICE_PRE, STATE_RUN, 20);
	xchg_answer(c, answer->at, answer->len, end - 5, end);
	xchg_spend(c, SLICE_MID, STATE_RECV, end - sent);
}

/* php-fpm behind nginx: queued 100 us, ran 700, slept 200. */
static void callee_fpm(struct xchg *f, const struct bytes *ask)
{
	xchg_request(f, ask->at, ask->len, 30, 130);
	xchg_spend(f, SLICE_MID, STATE_RUN, 700);
	xchg_spend(f, SLICE_MID, STATE_SLEEP, 200);
	ANSWER(f, FCGI_ANSWER, 1030);
}

static void expect_fpm(const struct scene *s)
{
	const struct request *r = scene_request(s, 1), *f = scene_request(s, 3);
	const struct part *p;

	assert_int_equal(f->parent_xid, 1);
	assert_int_equal(f->flags, 0); /* no entry: its client is here */
	assert_text(f->route, "GET /index.php");
	assert_text(f->service, "php-fpm");
	assert_text(f->pool, "www");
	assert_text(f->protocol, "fastcgi");
	assert_int_equal(f->status, 200);
	expect_part(f, "php-fpm", CAUSE_QUEUE, "pool www", 100);
	expect_part(f, "php-fpm", CAUSE_CPU, NULL, 700);
	expect_part(f, "php-fpm", CAUSE_SLEEP, NULL, 200);
	assert_int_equal(r->end_ns - r->start_ns, US(1050));
	assert_int_equal(r->flags, REQUEST_ENTRY);
	expect_part(r, "nginx", CAUSE_CPU, NULL, 50);
	expect_part(r, "php-fpm", CAUSE_QUEUE, "pool www", 100);
	expect_part(r, "php-fpm", CAUSE_CPU, NULL, 700);
	expect_part(r, "php-fpm", CAUSE_SLEEP, NULL, 200);
	p = part_of(r, "php-fpm", CAUSE_CPU, NULL);
	assert_text(p->via, "php-fpm");
	assert_false(p->scaled);
	assert_int_equal(r->n_calls, 1);
	assert_int_equal(r->calls[0].xid, 2);
	assert_int_equal(r->calls[0].child_xid, 3);
	assert_text(r->calls[0].peer, "php-fpm");
	assert_text(r->calls[0].what, "GET /index.php");
	assert_int_equal(r->calls[0].wall_ns, US(1000));
}

/* An address as a socket of both families has it: ::ffff:a.b.c.d. */
static void map_address(uint8_t *address)
{
	memcpy(address + 12, address, 4);
	memset(address, 0, 10);
	memset(address + 10, 0xff, 2);
}

static void map_addresses(struct xchg *e)
{
	e->x.family = AF_INET6;
	map_address(e->x.laddr);
	map_address(e->x.raddr);
}

enum kind { UNIX, TCP, TCP_CALL_MAPPED, TCP_CALLEE_MAPPED, KINDS };

/* In every order in which the three records can come. */
static void joined(enum kind kind, const int order[3])
{
	struct bytes ask = { .len = 0 }, answer = { .len = 0 };
	struct xchg e, c, f;
	struct scene s;

	scene_init(&s);
	fcgi_request(&ask, "", "/index.php");
	bytes_add(&answer, FCGI_ANSWER, sizeof(FCGI_ANSWER) - 1);
	entry(&e);
	if (kind == UNIX) {
		xchg_unix_call(&c, 2, 2, NGINX, 1, 1);
		xchg_unix_callee(&f, 3, 3, FPM, 1);
	} else {
		xchg_tcp_call(&c, 2, 2, NGINX, 1, 9000);
		xchg_tcp_callee(&f, 3, 3, FPM, &c);
	}
	if (kind == TCP_CALL_MAPPED)
		map_addresses(&c);
	if (kind == TCP_CALLEE_MAPPED)
		map_addresses(&f);
	call_bytes(&c, &ask, &answer, 30, 1030);
	callee_fpm(&f, &ask);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 20);
	ANSWER(&e, OK, 1050);
	for (int i = 0; i < 3; i++)
		scene_xchg(&s, order[i] == 0 ? &e : order[i] == 1 ? &c : &f, 0, 1100);
	scene_tick(&s, 1200);
	assert_int_equal(s.n_got, 2);
	expect_fpm(&s);
	scene_end(&s);
}

static void test_joined(void **state)
{
	static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					 { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		for (enum kind kind = 0; kind < KINDS; kind++)
			joined(kind, orders[i]);
	}
}

/* The same addresses again, for other connections: each callee joins its own caller. */
static void test_addresses_again(void **state)
{
	struct bytes ask = { .len = 0 }, answer = { .len = 0 };
	struct scene s;

	(void)state;
	scene_init(&s);
	fcgi_request(&ask, "", "/index.php");
	bytes_add(&answer, FCGI_ANSWER, sizeof(FCGI_ANSWER) - 1);
	for (uint64_t i = 0; i < 5; i++) {
		struct xchg c, f;
		uint64_t t = i * 2000;

		xchg_unix_call(&c, 10 * i + 2, 10 * i + 2, NGINX, 10 * i + 1, 1);
		xchg_unix_callee(&f, 10 * i + 3, 10 * i + 3, FPM, 1);
		call_bytes(&c, &ask, &answer, t + 30, t + 1030);
		xchg_request(&f, ask.at, ask.len, t + 30, t + 130);
		ANSWER(&f, FCGI_ANSWER, t + 1030);
		scene_xchg(&s, &f, 0, t + 1100);
		scene_xchg(&s, &c, 0, t + 1100);
		scene_tick(&s, t + 1500);
		assert_int_equal(scene_request(&s, 10 * i + 3)->parent_xid, 10 * i + 1);
	}
	scene_end(&s);
}

/* ... and for another listener: what was accepted there is not this call's other end. */
static void test_addresses_again_elsewhere(void **state)
{
	struct bytes ask = { .len = 0 }, answer = { .len = 0 };
	struct xchg e, c, f, old;
	struct scene s;

	(void)state;
	scene_init(&s);
	fcgi_request(&ask, "", "/index.php");
	bytes_add(&answer, FCGI_ANSWER, sizeof(FCGI_ANSWER) - 1);
	xchg_unix_callee(&old, 9, 9, POSTGRES, 1);
	memset(old.x.laddr, 0, sizeof(old.x.laddr) + sizeof(old.x.raddr));
	memcpy((char *)&old.x + offsetof(struct rec_xchg, laddr), "/run/pg/.s.PGSQL.5432", 22);
	xchg_request(&old, "Q\0\0\0\5\0", 6, 1, 2);
	xchg_answer(&old, "Z\0\0\0\5I", 6, 3, 3);
	scene_xchg(&s, &old, 0, 4);
	entry(&e);
	xchg_unix_call(&c, 2, 2, NGINX, 1, 1);
	xchg_unix_callee(&f, 3, 3, FPM, 1);
	call_bytes(&c, &ask, &answer, 30, 1030);
	callee_fpm(&f, &ask);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 20);
	ANSWER(&e, OK, 1050);
	scene_xchg(&s, &c, 0, 1100);
	scene_xchg(&s, &f, 0, 1100);
	scene_xchg(&s, &e, 0, 1100);
	scene_tick(&s, 1200);
	expect_fpm(&s);
	scene_end(&s);
}

/* The callee's last send returned after the caller had the answer: that is not the caller's. */
static void test_late_callee(void **state)
{
	struct bytes ask = { .len = 0 }, answer = { .len = 0 };
	const struct request *r;
	struct xchg e, c, f;
	struct scene s;

	(void)state;
	scene_init(&s);
	fcgi_request(&ask, "", "/index.php");
	bytes_add(&answer, FCGI_ANSWER, sizeof(FCGI_ANSWER) - 1);
	entry(&e);
	xchg_unix_call(&c, 2, 2, NGINX, 1, 1);
	xchg_unix_callee(&f, 3, 3, FPM, 1);
	call_bytes(&c, &ask, &answer, 30, 1030);
	xchg_request(&f, ask.at, ask.len, 30, 130);
	xchg_spend(&f, SLICE_MID, STATE_RUN, 900);
	xchg_spend(&f, SLICE_MID, STATE_RUNQ, 500);
	ANSWER(&f, FCGI_ANSWER, 1530);
	xchg_spend(&e, SLICE_MID, STATE_RUN, 20);
	scene_xchg(&s, &c, 0, 1600);
	scene_xchg(&s, &f, 0, 1600);
	entry_answers(&s, &e, 1050);
	scene_tick(&s, 2000);
	r = scene_request(&s, 1);
	expect_part(r, "php-fpm", CAUSE_QUEUE, NULL, 100);
	expect_part(r, "php-fpm", CAUSE_CPU, NULL, 900);
	assert_null(part_of(r, "php-fpm", CAUSE_RUNQ, NULL));
	assert_int_equal(scene_request(&s, 3)->end_ns, AT(1530));
	scene_end(&s);
}

/* ---- a lasting connection of a protocol that is not known ---------------------------------- */

struct lasting {
	struct scene s;
	struct xchg e, c, f;
};

static void lasting_init(struct lasting *l, enum kind kind)
{
	memset(l, 0, sizeof(*l));
	scene_init(&l->s);
	xchg_accepted(&l->e, 1, 1, NGINX, 80);
	if (kind == UNIX) {
		xchg_unix_call(&l->c, 1001, 2, NGINX, 1, 1);
		xchg_unix_callee(&l->f, 2001, 3, FPM, 1);
	} else {
		xchg_tcp_call(&l->c, 1001, 2, NGINX, 1, 9000);
		xchg_tcp_callee(&l->f, 2001, 3, FPM, &l->c);
	}
}

static void lasting_turn(struct xchg *e, uint64_t xid, uint32_t pos, uint64_t t, uint64_t end)
{
	if (e->x.turn[0].ops)
		xchg_next(e, xid);
	REQUEST(e, "slow", t, t);
	ANSWER(e, "done", end);
	if (pos) {
		e->x.flags |= XCHG_POS;
		e->x.pos[0] = pos;
		e->x.pos[1] = pos + 1000;
	}
}

static void lasting_entry(struct lasting *l, uint64_t xid, uint64_t t)
{
	if (l->e.x.turn[0].ops)
		xchg_next(&l->e, xid);
	REQUEST(&l->e, GET, t, t);
	ANSWER(&l->e, OK, t + 500);
	scene_xchg(&l->s, &l->e, 0, t + 500);
}

/* A caller's request can be gone while what it asked for is not known to be over: the callee is
 * nobody's then, not that of the call which comes next on the connection. */
static void test_not_the_next_call(void **state)
{
	(void)state;
	for (enum kind kind = UNIX; kind <= TCP; kind++) {
		struct lasting l;

		lasting_init(&l, kind);
		lasting_entry(&l, 1, 0);
		lasting_turn(&l.c, 1001, 0, 100, 400);
		scene_xchg(&l.s, &l.c, 0, 500);
		lasting_turn(&l.f, 2001, 0, 100, 390);
		scene_xchg(&l.s, &l.f, XCHG_OPEN, 500);
		scene_tick(&l.s, 600);
		lasting_entry(&l, 2, 1000);
		lasting_turn(&l.c, 1002, 0, 1100, 1400);
		l.c.x.parent = 2;
		scene_xchg(&l.s, &l.c, 0, 1500);
		scene_tick(&l.s, 1600);
		scene_tick(&l.s, 200000);
		assert_int_equal(scene_request(&l.s, 2001)->parent_xid, 1);
		assert_int_equal(scene_request(&l.s, 2)->calls[0].child_xid, 0);
		scene_end(&l.s);
	}
}

/* The positions of the bytes decide, whatever the times say: the callee of the first call was
 * lost, and the second call's request was read while the first was not over. */
static void test_position(void **state)
{
	static const struct {
		uint32_t call[2], callee;
		int joins; /* number of the call, 0 = none */
	} cases[] = {
		{ { 5000, 5004 }, 5000, 1 },
		{ { 5000, 5004 }, 5004, 2 },
		{ { 5000, 5004 }, 5002, 1 }, /* read in two pieces: still the call's bytes */
		{ { 5000, 5004 }, 5008, 0 },
		{ { 5000, 5004 }, 4996, 0 },
		{ { 0xfffffffc, 1 }, 0xfffffffe, 1 },
		{ { 0xfffffffe, 2 }, 1, 1 }, /* numbers begin anew */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lasting l;
		const struct request *r;

		lasting_init(&l, TCP);
		REQUEST(&l.e, GET, 0, 0);
		lasting_turn(&l.c, 1001, cases[i].call[0], 100, 300);
		scene_xchg(&l.s, &l.c, 0, 500);
		lasting_turn(&l.c, 1002, cases[i].call[1], 310, 400);
		scene_xchg(&l.s, &l.c, 0, 500);
		lasting_turn(&l.f, 2001, cases[i].callee, 150, 390);
		scene_xchg(&l.s, &l.f, XCHG_CLOSED, 500);
		ANSWER(&l.e, OK, 500);
		scene_xchg(&l.s, &l.e, 0, 500);
		scene_tick(&l.s, 600);
		r = scene_request(&l.s, 1);
		assert_int_equal(scene_request(&l.s, 2001)->parent_xid, cases[i].joins ? 1 : 0);
		for (int call = 1; call <= 2; call++)
			assert_int_equal(r->calls[call - 1].child_xid,
					 cases[i].joins == call ? 2001 : 0);
		scene_end(&l.s);
	}
}

/* Where there are no positions, a call that was sent after the callee had answered, and whose own
 * answer came later, is not the callee's. One whose send returned late is. */
static void test_times_apart(void **state)
{
	(void)state;
	for (int late_send = 0; late_send < 2; late_send++) {
		struct lasting l;

		lasting_init(&l, UNIX);
		REQUEST(&l.e, GET, 0, 0);
		lasting_turn(&l.f, 2001, 0, 100, 200);
		scene_xchg(&l.s, &l.f, XCHG_CLOSED, 500);
		lasting_turn(&l.c, 1001, 0, 250, 400);
		if (late_send)
			l.c.x.turn[1].arrival_ns = AT(199);
		scene_xchg(&l.s, &l.c, 0, 500);
		ANSWER(&l.e, OK, 500);
		scene_xchg(&l.s, &l.e, 0, 500);
		scene_tick(&l.s, 600);
		assert_int_equal(scene_request(&l.s, 2001)->parent_xid, late_send ? 1 : 0);
		scene_end(&l.s);
	}
}

/* A connection that a server of the selection opened or had: what comes on it is no entry request,
 * though no request is known that it was for. Nor later, when nothing came for long. */
static void test_connection_alone(void **state)
{
	(void)state;
	for (int order = 0; order < 2; order++) {
		struct lasting l;

		lasting_init(&l, TCP);
		lasting_turn(&l.f, 2001, 0, 100, 390);
		if (!order)
			scene_xchg(&l.s, &l.c, XCHG_OPEN | XCHG_CONNECTION, 50);
		scene_xchg(&l.s, &l.f, 0, 500);
		if (order)
			scene_xchg(&l.s, &l.c, XCHG_OPEN | XCHG_CONNECTION, 500);
		scene_tick(&l.s, 200000);
		scene_tick(&l.s, 3600000000ull);
		lasting_turn(&l.f, 2002, 0, 3600000100ull, 3600000390ull);
		scene_xchg(&l.s, &l.f, 0, 3600000500ull);
		scene_tick(&l.s, 3600200000ull);
		for (uint64_t xid = 2001; xid <= 2002; xid++) {
			assert_int_equal(scene_request(&l.s, xid)->flags & REQUEST_ENTRY, 0);
			assert_int_equal(scene_request(&l.s, xid)->parent_xid, 0);
		}
		scene_end(&l.s);
	}
}

/* What had arrived when measuring began came at a time that nobody knows. */
static void test_came_before(void **state)
{
	(void)state;
	for (int before = 0; before < 2; before++) {
		struct scene s;
		struct xchg e;

		scene_init(&s);
		entry(&e);
		e.x.flags = XCHG_FRESH | XCHG_SEEDED | (before ? XCHG_NO_ARRIVAL : 0);
		entry_answers(&s, &e, 1050);
		scene_tick(&s, 1200);
		assert_int_equal(scene_request(&s, 1)->flags,
				 REQUEST_ENTRY | (before ? REQUEST_BEFORE : 0));
		scene_end(&s);
	}
}

/* Nothing is known of the other end: its address stands for it. */
static void test_unjoined(void **state)
{
	static const char *const names[] = { "127.0.0.1:5432", "[::1]:5432", "unix:fpm.sock",
					     "127.0.0.1:5432" /* mapped */ };
	struct bytes ask = { .len = 0 }, answer = { .len = 0 };

	(void)state;
	pg_query(&ask, "SELECT a FROM t WHERE id = 7");
	PG(&answer, 'C', "SELECT 1\0");
	PG_READY(&answer);
	for (int i = 0; i < 4; i++) {
		const struct request *r;
		const struct part *p;
		struct scene s;
		struct xchg e, c;

		scene_init(&s);
		entry(&e);
		if (i == 2) {
			xchg_unix_call(&c, 2, 2, NGINX, 1, 1);
		} else {
			xchg_tcp_call(&c, 2, 2, NGINX, 1, 5432);
			if (i == 3)
				map_addresses(&c);
			if (i == 1) {
				c.x.family = AF_INET6;
				memset(c.x.raddr, 0, 16);
				c.x.raddr[15] = 1;
			}
		}
		call_bytes(&c, &ask, &answer, 30, 1030);
		scene_xchg(&s, &c, XCHG_OPEN, 1040);
		xchg_spend(&e, SLICE_MID, STATE_RUN, 20);
		entry_answers(&s, &e, 1050);
		scene_tick(&s, 2000);
		r = scene_request(&s, 1);
		expect_part(r, names[i], CAUSE_DB, "SELECT a FROM t WHERE id = ?", 1000);
		p = part_of(r, names[i], CAUSE_DB, NULL);
		assert_int_equal(p->count, 1);
		assert_text(p->via, names[i]);
		assert_int_equal(r->calls[0].child_xid, 0);
		assert_text(r->calls[0].peer, names[i]);
		assert_text(r->calls[0].protocol, "postgresql");
		scene_end(&s);
	}
}

/* ---- a connection to PostgreSQL, seen from one side or both -------------------------------- */

struct pg {
	struct scene s;
	struct xchg e, c, f;
	uint64_t t, xid;
	bool both, begun;
};

static void pg_init(struct pg *g, bool both)
{
	memset(g, 0, sizeof(*g));
	scene_init(&g->s);
	entry(&g->e);
	xchg_tcp_call(&g->c, 1000, 2, NGINX, 1, 5432);
	xchg_tcp_callee(&g->f, 2000, 3, POSTGRES, &g->c);
	g->both = both;
	g->t = 10;
}

/* One exchange of 10 us of work, and 100 us in which the server ran; given twice when swept. */
static void pg_exchange(struct pg *g, const struct bytes *ask, const struct bytes *answer)
{
	uint64_t sent = g->t + 20, end = sent + 100;

	if (g->begun) {
		xchg_next(&g->c, g->c.x.xid + 1);
		xchg_next(&g->f, g->f.x.xid + 1);
	}
	g->begun = true;
	xchg_request(&g->c, ask->at, ask->len, 0, sent);
	xchg_spend(&g->c, SLICE_PRE, STATE_RUN, 20);
	xchg_request(&g->f, ask->at, ask->len, sent, sent);
	if (answer) {
		xchg_spend(&g->c, SLICE_MID, STATE_RECV, 100);
		xchg_answer(&g->c, answer->at, answer->len, end, end);
		xchg_spend(&g->f, SLICE_MID, STATE_RUN, 100);
		xchg_answer(&g->f, answer->at, answer->len, end, end);
	}
	for (int i = 0; i < 2; i++) {
		scene_xchg(&g->s, &g->c, i ? 0 : XCHG_OPEN, end + (uint64_t)i);
		if (g->both)
			scene_xchg(&g->s, &g->f, i ? 0 : XCHG_OPEN, end + (uint64_t)i);
		scene_tick(&g->s, end + (uint64_t)i);
	}
	g->t = answer ? end : sent;
}

static void pg_done(struct pg *g)
{
	xchg_spend(&g->e, SLICE_MID, STATE_RUN, 10);
	entry_answers(&g->s, &g->e, g->t + 10);
	scene_tick(&g->s, g->t + 1000000);
}

static void pg_connect(struct pg *g)
{
	static const char startup[] = "\0\3\0\0user\0app\0database\0app\0";
	struct bytes b = { .len = 0 }, r = { .len = 0 };

	pg_add(&b, 0, startup, sizeof(startup));
	PG(&r, 'R', "\0\0\0\xaSCRAM-SHA-256\0");
	pg_exchange(g, &b, &r);
	b.len = r.len = 0;
	PG(&b, 'p', "SCRAM-SHA-256\0\0\0\0\5n,,n=");
	PG(&r, 'R', "\0\0\0\xbr=abc");
	pg_exchange(g, &b, &r);
	b.len = r.len = 0;
	PG(&b, 'p', "c=biws,r=abc");
	PG(&r, 'R', "\0\0\0\0");
	PG(&r, 'S', "TimeZone\0UTC\0");
	PG_READY(&r);
	pg_exchange(g, &b, &r);
}

/* Startup and authentication are one exchange in the protocol's sense: until ReadyForQuery. */
static void test_connect(void **state)
{
	(void)state;
	for (int both = 0; both < 2; both++) {
		const struct request *r;
		struct pg g;

		pg_init(&g, both);
		pg_connect(&g);
		pg_done(&g);
		r = scene_request(&g.s, 1);
		assert_int_equal(r->n_calls, 1);
		assert_text(r->calls[0].what, "(connect)");
		assert_int_equal(r->calls[0].start_ns, AT(30));
		assert_int_equal(r->calls[0].wall_ns, US(340));
		expect_part(r, both ? "postgres" : "127.0.0.1:5432", CAUSE_DB, "(connect)", 300);
		expect_part(r, "nginx", CAUSE_CPU, NULL, 80);
		assert_int_equal(g.s.n_got, both ? 2 : 1);
		if (both) {
			assert_text(scene_request(&g.s, 2002)->route, "(connect)");
			assert_int_equal(scene_request(&g.s, 2002)->start_ns, AT(30));
			assert_int_equal(r->calls[0].child_xid, 2002);
		}
		scene_end(&g.s);
	}
}

/* The text of a prepared statement comes once, its name with every execution. */
static void test_prepared(void **state)
{
	struct bytes b = { .len = 0 }, r = { .len = 0 };
	const struct request *e;
	struct pg g;

	(void)state;
	pg_init(&g, true);
	PG_READY(&r);
	pg_parse(&b, "s1", "SELECT a FROM t WHERE id = $1");
	PG(&b, 'S', "");
	pg_exchange(&g, &b, &r);
	b.len = 0;
	pg_parse(&b, "s2", "UPDATE u SET x = $1");
	PG(&b, 'S', "");
	pg_exchange(&g, &b, &r);
	for (int i = 0; i < 3; i++) {
		b.len = 0;
		pg_execute(&b, i == 1 ? "s2" : "s1");
		pg_exchange(&g, &b, &r);
	}
	b.len = 0;
	pg_query(&b, "DEALLOCATE pdo_stmt_00000017");
	pg_exchange(&g, &b, &r);
	pg_done(&g);
	e = scene_request(&g.s, 1);
	assert_int_equal(e->n_calls, 6);
	assert_text(e->calls[0].what, "PREPARE SELECT a FROM t WHERE id = ?");
	assert_text(e->calls[1].what, "PREPARE UPDATE u SET x = ?");
	assert_text(e->calls[2].what, "SELECT a FROM t WHERE id = ?");
	assert_text(e->calls[3].what, "UPDATE u SET x = ?");
	assert_text(e->calls[5].what, "DEALLOCATE");
	expect_part(e, "postgres", CAUSE_DB, "SELECT a FROM t WHERE id = ?", 200);
	assert_int_equal(part_of(e, "postgres", CAUSE_DB, "SELECT a FROM t WHERE id = ?")->count,
			 2);
	assert_text(scene_request(&g.s, 2004)->route, "SELECT a FROM t WHERE id = ?");
	scene_end(&g.s);
}

static void test_copy_in(void **state)
{
	struct bytes b = { .len = 0 }, r = { .len = 0 };
	const struct request *e;
	struct pg g;

	(void)state;
	pg_init(&g, true);
	pg_query(&b, "COPY t (a, b) FROM STDIN");
	PG(&r, 'G', "\0\0\2\0\0\0\0");
	pg_exchange(&g, &b, &r);
	b.len = r.len = 0;
	PG(&b, 'd', "1\t2\n");
	PG(&b, 'c', "");
	PG(&r, 'C', "COPY 1\0");
	PG_READY(&r);
	pg_exchange(&g, &b, &r);
	pg_done(&g);
	e = scene_request(&g.s, 1);
	assert_int_equal(e->n_calls, 1);
	assert_int_equal(e->calls[0].wall_ns, US(220));
	expect_part(e, "postgres", CAUSE_DB, intern_text(e->calls[0].what), 200);
	assert_int_equal(strncmp(intern_text(e->calls[0].what), "COPY t", 6), 0);
	assert_int_equal(g.s.n_got, 2);
	assert_int_equal(scene_request(&g.s, 2001)->route, e->calls[0].what);
	scene_end(&g.s);
}

/* A farewell is neither a request nor something that is waited for. */
static void test_terminate(void **state)
{
	struct bytes b = { .len = 0 }, r = { .len = 0 };
	const struct request *e;
	struct pg g;

	(void)state;
	pg_init(&g, true);
	pg_query(&b, "SELECT 1");
	PG_READY(&r);
	pg_exchange(&g, &b, &r);
	b.len = 0;
	PG(&b, 'X', "");
	pg_exchange(&g, &b, NULL);
	pg_done(&g);
	assemble_finish(g.s.a);
	e = scene_request(&g.s, 1);
	assert_int_equal(e->n_calls, 1);
	assert_int_equal(g.s.n_got, 2); /* the entry request and SELECT */
	expect_part(e, "postgres", CAUSE_DB, "SELECT ?", 100);
	/* what it worked before it sent the farewell is its own */
	expect_part(e, "nginx", CAUSE_CPU, NULL, 60);
	scene_end(&g.s);
}

static void test_sql_error(void **state)
{
	struct bytes b = { .len = 0 }, r = { .len = 0 };
	struct pg g;

	(void)state;
	pg_init(&g, true);
	pg_query(&b, "SELECT nope");
	PG(&r, 'E', "SERROR\0C42703\0Mcolumn\0\0");
	PG_READY(&r);
	pg_exchange(&g, &b, &r);
	pg_done(&g);
	assert_true(scene_request(&g.s, 1)->calls[0].error);
	assert_true(scene_request(&g.s, 2000)->flags & REQUEST_ERROR);
	assert_false(scene_request(&g.s, 1)->flags & REQUEST_ERROR);
	scene_end(&g.s);
}

/* One statement 300 times: one part with its count; of the calls some are kept, all are counted. */
static void test_n_plus_one(void **state)
{
	struct bytes b = { .len = 0 }, r = { .len = 0 };
	const struct request *e;
	struct pg g;

	(void)state;
	pg_init(&g, false);
	PG_READY(&r);
	for (int i = 0; i < 300; i++) {
		char sql[64];

		snprintf(sql, sizeof(sql), "SELECT name FROM users WHERE id = %d", i);
		b.len = 0;
		pg_query(&b, sql);
		pg_exchange(&g, &b, &r);
	}
	pg_done(&g);
	e = scene_request(&g.s, 1);
	assert_int_equal(e->n_calls, 256);
	assert_int_equal(e->calls_dropped, 44);
	expect_part(e, NULL, CAUSE_DB, "SELECT name FROM users WHERE id = ?", 30000);
	assert_int_equal(part_of(e, NULL, CAUSE_DB, NULL)->count, 300);
	expect_part(e, "nginx", CAUSE_CPU, NULL, 10 + 300 * 20 + 10);
	assert_int_equal(e->parts.n, 2);
	scene_end(&g.s);
}

/* A head that is longer than its record: its name lies in what REC_DATA brings. */
static void test_long_head(void **state)
{
	static char query[8200];
	struct bytes ask = { .len = 0 };
	struct scene s;
	struct xchg f;

	(void)state;
	memset(query, 'q', sizeof(query) - 1);
	fcgi_request(&ask, query, "/deep/script.php");
	for (int whole = 0; whole < 2; whole++) {
		union {
			struct rec_data d;
			char room[sizeof(struct rec_data) + ABI_DATA_CHUNK];
		} more;

		scene_init(&s);
		xchg_unix_callee(&f, 3, 3, FPM, 1);
		xchg_request(&f, ask.at, ask.len, 0, 100);
		for (size_t off = ABI_REQ_HEAD_MAX; off < ask.len; off += ABI_DATA_CHUNK) {
			size_t len = ask.len - off;

			if (len > ABI_DATA_CHUNK)
				len = ABI_DATA_CHUNK;
			if (!whole && off == ABI_REQ_HEAD_MAX)
				continue; /* lost: what follows a gap is of no use */
			memset(&more, 0, sizeof(more));
			more.d.xid = 3;
			more.d.off = (uint32_t)off;
			more.d.len = (uint16_t)len;
			memcpy(more.d.bytes, ask.at + off, len);
			assert_int_equal(scene_give(&s, &more, REC_DATA, sizeof(more.d) + len, 100),
					 0);
		}
		ANSWER(&f, FCGI_ANSWER, 1100);
		scene_xchg(&s, &f, 0, 1200);
		scene_tick(&s, 1300);
		assert_text(scene_request(&s, 3)->protocol, "fastcgi");
		if (whole)
			assert_text(scene_request(&s, 3)->route, "GET /deep/script.php");
		else
			assert_text(scene_request(&s, 3)->route, "unix:fpm.sock");
		scene_end(&s);
	}
}

/* A call whose request was never seen is let go, and counted. */
static void test_orphan(void **state)
{
	struct bytes b = { .len = 0 }, r = { .len = 0 };
	struct scene s;
	struct xchg c;

	(void)state;
	scene_init(&s);
	pg_query(&b, "SELECT 1");
	PG_READY(&r);
	xchg_tcp_call(&c, 2, 2, NGINX, 77, 5432);
	call_bytes(&c, &b, &r, 30, 130);
	scene_xchg(&s, &c, 0, 200);
	scene_tick(&s, 4000000);
	assert_int_equal(assemble_counters(s.a)->orphans, 0);
	scene_tick(&s, 5001000);
	assert_int_equal(assemble_counters(s.a)->orphans, 1);
	assert_int_equal(s.n_got, 0);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joined),
		cmocka_unit_test(test_addresses_again),
		cmocka_unit_test(test_addresses_again_elsewhere),
		cmocka_unit_test(test_late_callee),
		cmocka_unit_test(test_not_the_next_call),
		cmocka_unit_test(test_position),
		cmocka_unit_test(test_times_apart),
		cmocka_unit_test(test_connection_alone),
		cmocka_unit_test(test_came_before),
		cmocka_unit_test(test_unjoined),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_prepared),
		cmocka_unit_test(test_copy_in),
		cmocka_unit_test(test_terminate),
		cmocka_unit_test(test_sql_error),
		cmocka_unit_test(test_n_plus_one),
		cmocka_unit_test(test_long_head),
		cmocka_unit_test(test_orphan),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	intern_release();
	return failed;
}
