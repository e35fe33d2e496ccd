// SPDX-License-Identifier: GPL-2.0-only
/* Who waited for a slot of an event loop's pool of connections, and of whom it cannot be said. */
#include "assemble_scene.h"

enum { A = 1, B = 2, C = 3, CALL = 10 };
enum how { WAITED, LATER_TURN, FREE_BETWEEN, MORE_SLOTS, PASSED_OVER, LOST };

static void request(struct scene *s, struct xchg *e, uint64_t xid, uint64_t conn,
		    const char *target, uint64_t read, uint64_t answered)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	char text[64];

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n\r\n", target);
	if (e->x.conn == conn)
		xchg_next(e, xid);
	else
		xchg_accepted(e, xid, conn, NGINX, 80);
	xchg_request(e, text, strlen(text), read, read);
	e->x.idle[0][1] = (struct rec_idle){ .ns = US(read), .tid = NGINX };
	xchg_answer(e, ok, sizeof(ok) - 1, answered, answered);
	e->x.idle[1][0] = (struct rec_idle){ .ns = US(answered), .tid = NGINX };
	scene_xchg(s, e, 0, answered + 1);
}

/* The loop has idled for `from_idle` when the call begins and for `to_idle` when it is over. */
static void call(struct scene *s, uint64_t xid, const char *target, uint64_t from, uint64_t to,
		 uint64_t from_idle, uint64_t to_idle)
{
	char text[64];
	struct xchg e;

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n\r\n", target);
	xchg_tcp_call(&e, xid, xid, NGINX, 102, 9000);
	xchg_request(&e, text, strlen(text), from, from);
	ANSWER(&e, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", to);
	e.x.idle[0][0] = (struct rec_idle){ .ns = US(from_idle), .tid = NGINX };
	e.x.idle[1][1] = (struct rec_idle){ .ns = US(to_idle), .tid = NGINX };
	scene_xchg(s, &e, XCHG_CLOSED, to);
}

static void test_slot(void **state)
{
	(void)state;
	for (enum how how = WAITED; how <= LOST; how++) {
		uint64_t begins = how == FREE_BETWEEN ? 60000 : 50010;
		struct xchg e[5] = { 0 };
		const struct part *p;
		struct scene s;

		scene_init(&s);
		/* it comes back to a connection: a loop */
		request(&s, &e[3], 100, 100, "/", 1, 2);
		request(&s, &e[4], 101, 101, "/", 2, 3);
		request(&s, &e[3], 102, 100, "/", 3, 4);
		call(&s, CALL, "/a", 100, 50000, 90, 49000);
		if (how == MORE_SLOTS) /* there were two calls at once before */
			call(&s, CALL + 2, "/c", 200, 10000, 90, 9000);
		if (how == PASSED_OVER) /* who came later was served first */
			call(&s, CALL + 2, "/c", 40000, 50005, 39000, 49000);
		call(&s, CALL + 1, "/b", begins, 90000, how == LATER_TURN ? 49900 : 49000, 89000);
		if (how == LOST)
			scene_lost(&s, COUNTER_RING_XCHG, 30000, 40000);
		if (how == MORE_SLOTS || how == PASSED_OVER)
			request(&s, &e[2], C, C, "/c", how == MORE_SLOTS ? 50 : 30000, 60000);
		request(&s, &e[0], A, A, "/a", 50, 50100);
		request(&s, &e[1], B, B, "/b", 1000, 90100);
		scene_tick(&s, 2000000);
		p = part_of(scene_request(&s, B), "nginx", CAUSE_QUEUE, NULL);
		if (!!p != (how == WAITED))
			fail_msg("case %d", how);
		if (p) {
			assert_true(!strncmp(intern_text(p->what), "pool of ", 8));
			assert_int_equal(p->ns, US(49000)); /* without the loop's own way */
		}
		assert_null(part_of(scene_request(&s, A), "nginx", CAUSE_QUEUE, NULL));
		scene_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_slot) };
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	intern_release();
	return failed;
}
