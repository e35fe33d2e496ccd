// SPDX-License-Identifier: GPL-2.0-only
/* Whose call it is, where one thread has several requests in flight. */
#include "assemble_scene.h"

enum { A = 1, B = 2, CALL = 10 };

/* Two requests in flight in one thread, from clients of other hosts; B was read last. */
struct loop {
	struct scene s;
	struct xchg a, b, c;
};

static void ask(struct xchg *e, const char *target, uint64_t us)
{
	char text[128];

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n\r\n", target);
	xchg_request(e, text, strlen(text), us, us);
}

static void answer(struct xchg *e, uint64_t us)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

	xchg_answer(e, ok, sizeof(ok) - 1, us, us);
}

static void loop_init(struct loop *l, const char *a, const char *b)
{
	scene_init(&l->s);
	xchg_accepted(&l->a, A, A, NGINX, 80);
	xchg_accepted(&l->b, B, B, NGINX, 80);
	ask(&l->a, a, 10);
	ask(&l->b, b, 20);
}

/* Makes it known that the thread runs a loop: it comes back to a connection. */
static void loop_learned(struct loop *l)
{
	struct xchg e[2];

	for (int i = 0; i < 3; i++) {
		struct xchg *x = &e[i & 1];

		if (i < 2)
			xchg_accepted(x, 100 + (uint64_t)i, 100 + (uint64_t)i, NGINX, 80);
		else
			xchg_next(x, 102);
		ask(x, "/", 1 + (uint64_t)i);
		answer(x, 2 + (uint64_t)i);
		scene_xchg(&l->s, x, 0, 3 + (uint64_t)i);
	}
}

/* The kernel side says that the call was for `parent`. */
static void call(struct loop *l, uint64_t xid, uint64_t parent, const char *target, uint64_t us)
{
	xchg_tcp_call(&l->c, xid, xid, NGINX, parent, 9000);
	if (target)
		ask(&l->c, target, us);
	else
		REQUEST(&l->c, "\1\2\3\4", us, us);
	answer(&l->c, us + 10);
	scene_xchg(&l->s, &l->c, XCHG_CLOSED, us + 10);
}

static void done(struct loop *l)
{
	answer(&l->a, 500);
	answer(&l->b, 600);
	scene_xchg(&l->s, &l->a, 0, 700);
	scene_xchg(&l->s, &l->b, 0, 700);
	scene_tick(&l->s, 2000000);
}

static void expect(struct loop *l, uint64_t xid, uint64_t call_xid)
{
	const struct request *r = scene_request(&l->s, xid);

	assert_int_equal(r->n_calls, call_xid != 0);
	if (call_xid)
		assert_int_equal(r->calls[0].xid, call_xid);
}

/* A proxy passes on what it read, at whatever time: also when it served another one before, and
 * when that one has its answer already. */
static void test_by_what_is_asked(void **state)
{
	(void)state;
	for (uint64_t parent = A; parent <= B + 1; parent++) {
		struct loop l;

		loop_init(&l, "/a?x=1", "/a?x=2");
		loop_learned(&l);
		call(&l, CALL, parent == B + 1 ? 102 : parent, "/a?x=1", 100);
		call(&l, CALL + 1, parent == B + 1 ? 102 : parent, "/a?x=2", 110);
		done(&l);
		expect(&l, A, CALL);
		expect(&l, B, CALL + 1);
		scene_end(&l.s);
	}
}

/* What is left of a body that was refused is open in the thread until the next request comes, and is
 * not one that could have made a call. */
static void test_refused_body(void **state)
{
	struct loop l;

	(void)state;
	loop_init(&l, "/a", "/b");
	loop_learned(&l);
	REQUEST(&l.a, "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 10, 10);
	ANSWER(&l.a, "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n", 12);
	scene_xchg(&l.s, &l.a, 0, 13);
	xchg_next(&l.a, A + 2);
	REQUEST(&l.a, "5\r\nhello\r\n", 14, 14);
	l.a.x.flags |= XCHG_BODY;
	scene_xchg(&l.s, &l.a, XCHG_OPEN, 15);
	call(&l, CALL, B, NULL, 100);
	answer(&l.b, 600);
	scene_xchg(&l.s, &l.b, 0, 700);
	scene_tick(&l.s, 2000000);
	expect(&l, B, CALL);
	scene_end(&l.s);
}

/* Those that ask for the same go on in the order in which they came, whatever the order of the
 * records is. */
static void test_in_order(void **state)
{
	(void)state;
	for (int reversed = 0; reversed < 2; reversed++) {
		struct loop l;

		loop_init(&l, "/a", "/a");
		loop_learned(&l);
		call(&l, CALL + reversed, 102, "/a", reversed ? 110 : 100);
		call(&l, CALL + !reversed, 102, "/a", reversed ? 100 : 110);
		done(&l);
		expect(&l, A, CALL);
		expect(&l, B, CALL + 1);
		scene_end(&l.s);
	}
}

/* A request that is sent again, to another server, is still the same request's. It is not sent again while
 * the first server is at it, nor after an answer: then who asks for the same came in by another name. */
static void test_again(void **state)
{
	static const struct {
		const char *answer;
		uint64_t at; /* it came then, or the connection was closed */
		bool again;
	} cases[] = {
		{ NULL, 150, true },
		{ "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", 150, true },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 150, false },
		{ "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", 250, false },
		{ NULL, 250, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct loop l;

		loop_init(&l, "/a", "/b");
		loop_learned(&l);
		xchg_tcp_call(&l.c, CALL, CALL, NGINX, A, 9000);
		ask(&l.c, "/a", 100);
		if (cases[i].answer)
			xchg_answer(&l.c, cases[i].answer, strlen(cases[i].answer), cases[i].at,
				    cases[i].at);
		scene_xchg(&l.s, &l.c, XCHG_CLOSED, cases[i].at);
		call(&l, CALL + 1, A, "/a", 200);
		done(&l);
		assert_int_equal(scene_request(&l.s, A)->n_calls, cases[i].again ? 2 : 1);
		expect(&l, B, 0);
		scene_end(&l.s);
	}
}

/* What asks for something else is the one's that was read just before; if none was, it is nobody's
 * but where only one is in flight. */
static void test_by_turn(void **state)
{
	(void)state;
	for (int same_turn = 0; same_turn < 2; same_turn++) {
		for (int alone = 0; alone < 2; alone++) {
			struct loop l;

			loop_init(&l, "/a", "/b");
			loop_learned(&l);
			if (alone)
				answer(&l.a, 50);
			xchg_tcp_call(&l.c, CALL, CALL, NGINX, B, 9000);
			l.c.x.flags |= same_turn ? XCHG_SAME_TURN : 0;
			REQUEST(&l.c, "\1\2\3\4", 100, 100);
			answer(&l.c, 110);
			scene_xchg(&l.s, &l.c, l.c.x.flags, 110);
			if (alone) {
				answer(&l.b, 600);
				scene_xchg(&l.s, &l.a, 0, 700);
				scene_xchg(&l.s, &l.b, 0, 700);
				scene_tick(&l.s, 2000000);
			} else {
				done(&l);
			}
			expect(&l, A, 0);
			expect(&l, B, same_turn || alone ? CALL : 0);
			scene_end(&l.s);
		}
	}
}

/* A loop whose last request has its answer calls for nobody; a worker of a pool still works for
 * it, but that is no part of it. */
static void test_never_to_an_answered_one(void **state)
{
	struct loop l;

	(void)state;
	loop_init(&l, "/a", "/b");
	loop_learned(&l);
	answer(&l.a, 50);
	answer(&l.b, 60);
	call(&l, CALL, B, NULL, 100);
	scene_xchg(&l.s, &l.a, 0, 700);
	scene_xchg(&l.s, &l.b, 0, 700);
	scene_tick(&l.s, 2000000);
	expect(&l, A, 0);
	expect(&l, B, 0);
	scene_end(&l.s);
}

/* A thread of a pool has answered /a. What it calls then is for /a, whether that is over or goes on; but not
 * when the thread has waited for new work since, and /a is over. */
static void test_strayed(void **state)
{
	(void)state;
	for (int strayed = 0; strayed < 2; strayed++) {
		for (int over = 0; over < 2; over++) {
			struct xchg f;
			struct loop l;

			scene_init(&l.s);
			xchg_accepted(&l.a, A, A, NGINX, 80);
			ask(&l.a, "/a", 10);
			answer(&l.a, 50);
			if (!over) /* it is sent in two parts */
				xchg_answer(&l.a, "x", 1, 400, 400);
			xchg_tcp_call(&l.c, CALL, CALL, NGINX, A, 9000);
			l.c.x.flags |= strayed ? XCHG_IDLE_CUT : 0;
			xchg_tcp_callee(&f, CALL + 1, CALL + 1, FPM, &l.c);
			ask(&l.c, "/elsewhere", 100);
			ask(&f, "/elsewhere", 105);
			answer(&f, 108);
			answer(&l.c, 110);
			scene_xchg(&l.s, &l.c, l.c.x.flags | XCHG_CLOSED, 110);
			scene_xchg(&l.s, &f, 0, 110);
			scene_xchg(&l.s, &l.a, 0, 700);
			scene_tick(&l.s, 2000000);
			assert_int_equal(scene_request(&l.s, CALL + 1)->parent_xid,
					 strayed && over ? 0 : A);
			scene_end(&l.s);
		}
	}
}

/* A thread read /a, and calls for something else: that is for /a. Not when another thread has read a
 * request that asks for it, nor once /a has gone on in another thread: then it may have left /a. */
static void test_left(void **state)
{
	(void)state;
	for (int moved = 0; moved < 2; moved++) {
		for (int as_b = 0; as_b < 2; as_b++) {
			struct loop l;

			scene_init(&l.s);
			xchg_accepted(&l.a, A, A, NGINX, 80);
			xchg_accepted(&l.b, B, B, FPM, 80);
			l.b.x.tgid = NGINX;
			ask(&l.a, "/a", 10);
			ask(&l.b, "/b", 20);
			scene_xchg(&l.s, &l.a, XCHG_OPEN, 30);
			scene_xchg(&l.s, &l.b, XCHG_OPEN, 30);
			call(&l, CALL, A, as_b ? "/b" : "/c", 100);
			scene_tick(&l.s, 200);
			answer(&l.a, 500);
			answer(&l.b, 600);
			scene_xchg(&l.s, &l.a, moved ? XCHG_MULTI_THREAD : 0, 700);
			scene_xchg(&l.s, &l.b, 0, 700);
			scene_tick(&l.s, 2000000);
			expect(&l, A, moved || as_b ? 0 : CALL);
			expect(&l, B, 0);
			scene_end(&l.s);
		}
	}
}

/* Calls of which it is not known whose they are: counted once, when they are over and let go, or when the
 * input is over, with those that still wait; not connections on which nothing was asked. */
static void test_unbound_are_counted(void **state)
{
	(void)state;
	for (int ends = 0; ends < 2; ends++) {
		const struct assemble_counters *c;
		struct loop l;

		loop_init(&l, "/a", "/b");
		loop_learned(&l);
		c = assemble_counters(l.s.a);
		scene_proc(&l.s, NGINX, "nginx", "nginx");
		call(&l, CALL, B, NULL, 100);
		xchg_tcp_call(&l.c, CALL + 1, CALL + 1, NGINX, B, 9000); /* still waits */
		REQUEST(&l.c, "\1\2\3\4", 200, 200);
		scene_xchg(&l.s, &l.c, XCHG_OPEN, 210);
		xchg_tcp_call(&l.c, CALL + 2, CALL + 2, NGINX, B, 9000); /* asks nothing */
		l.c.x.turn[0].first_ns = AT(220);
		scene_xchg(&l.s, &l.c, XCHG_OPEN, 220);
		scene_xchg(&l.s, &l.a, XCHG_OPEN, 700);
		scene_xchg(&l.s, &l.b, XCHG_OPEN, 700);
		scene_tick(&l.s, 2000000);
		assert_int_equal(c->n_unbound, 0);
		if (ends)
			assemble_finish(l.s.a);
		else
			scene_tick(&l.s, 8000000);
		assert_int_equal(c->n_unbound, 1);
		assert_string_equal(intern_text(c->unbound[0].service), "nginx");
		assert_string_equal(intern_text(c->unbound[0].peer), "127.0.0.1:9000");
		assert_int_equal(c->unbound[0].calls, ends ? 2 : 1);
		assert_int_equal(c->unbound[0].ns, US(10));
		if (!ends) { /* a copy of the record */
			call(&l, CALL, B, NULL, 100);
			scene_tick(&l.s, 16000000);
			assert_int_equal(c->unbound[0].calls, 1);
		}
		scene_end(&l.s);
	}
}

/* Of many peers those that come late are one row. */
static void test_unbound_of_many_peers(void **state)
{
	enum { MANY = ASSEMBLE_UNBOUND_MAX + 10 };
	const struct assemble_counters *c;
	const struct assemble_unbound *last;
	struct loop l;

	(void)state;
	loop_init(&l, "/a", "/b");
	loop_learned(&l);
	c = assemble_counters(l.s.a);
	last = &c->unbound[ASSEMBLE_UNBOUND_MAX - 1];
	for (uint16_t i = 0; i < MANY; i++) {
		xchg_tcp_call(&l.c, CALL + i, CALL + i, NGINX, B, 9000 + i);
		REQUEST(&l.c, "\1\2\3\4", 100, 100);
		answer(&l.c, 110);
		scene_xchg(&l.s, &l.c, XCHG_CLOSED, 110);
	}
	done(&l);
	assemble_finish(l.s.a);
	assert_int_equal(c->n_unbound, ASSEMBLE_UNBOUND_MAX);
	assert_string_equal(intern_text(last->peer), "other");
	assert_int_equal(last->calls, MANY - ASSEMBLE_UNBOUND_MAX + 1);
	scene_end(&l.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_what_is_asked),
		cmocka_unit_test(test_refused_body),
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_by_turn),
		cmocka_unit_test(test_never_to_an_answered_one),
		cmocka_unit_test(test_strayed),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_unbound_are_counted),
		cmocka_unit_test(test_unbound_of_many_peers),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	intern_release();
	return failed;
}
