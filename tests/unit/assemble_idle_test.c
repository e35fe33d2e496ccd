// SPDX-License-Identifier: GPL-2.0-only
/* What a thread was seen to do that was not for the request that it is told for. */
#include "assemble_scene.h"

#define GET "GET /p HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

/* A request on a connection of its own: read as it arrives at `from`, answered at `to`. */
static void busy(struct xchg *e, uint64_t xid, uint64_t conn, uint32_t tid, uint64_t from,
		 uint64_t to)
{
	char get[64], name = (char)('a' + xid - 1);
	int n = snprintf(get, sizeof(get), "GET /%c HTTP/1.1\r\n\r\n", name);

	xchg_accepted(e, xid, conn, tid, 80);
	xchg_request(e, get, (size_t)n, from, from);
	xchg_spend(e, SLICE_MID, STATE_RUN, to - from);
	ANSWER(e, OK, to);
}

/* What a thread does after a request that got no answer is not what that waited for. */
static void test_after_abort(void **state)
{
	static const struct {
		uint64_t last_io, since, us;
		enum cause cause;
	} cases[] = {
		{ 200, 250, 900, CAUSE_SLEEP }, /* still at it when the connection was gone */
		{ 200, 250, 1500, CAUSE_SLEEP },
		{ 1001, 1002, 1500, CAUSE_UNKNOWN }, /* it has sent to nobody, and rests */
		{ 200, 1010, 1500, CAUSE_UNKNOWN }, /* it has seen the close, and waits for more */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool sleeps = cases[i].cause == CAUSE_SLEEP;
		struct rec_thread t = { .xid = 1, .tid = FPM, .tgid = FPM };
		struct scene s;
		struct xchg e;

		scene_init(&s);
		xchg_accepted(&e, 1, 1, FPM, 80);
		REQUEST(&e, GET, 200, 200);
		scene_xchg(&s, &e, XCHG_CLOSED | XCHG_RESET, 1000);
		t.state = sleeps ? STATE_SLEEP : STATE_IPC;
		t.last_io_ns = AT(cases[i].last_io);
		t.since_ns = AT(cases[i].since);
		t.state_ns[t.state] = US(cases[i].us - cases[i].since);
		GIVE(&s, t, REC_THREAD, cases[i].us);
		scene_tick(&s, 2000);
		assert_null(part_of(scene_request(&s, 1), NULL, CAUSE_IPC, NULL));
		assert_non_null(part_of(scene_request(&s, 1), "php-fpm", cases[i].cause, NULL));
		scene_end(&s);
	}
}

/* Threads that leave requests and go on with others' park when they have nothing to do. That is not what a
 * request waited for; in a thread that stays with its request it is. */
static void test_parked(void **state)
{
	(void)state;
	for (int moves = 0; moves < 2; moves++) {
		for (int loops = 0; loops < 2; loops++) {
			const struct request *r;
			struct scene s;
			struct xchg e;

			scene_init(&s);
			busy(&e, 1, 1, FPM, 10, 20);
			scene_xchg(&s, &e, XCHG_CLOSED, 30);
			busy(&e, 2, 2, FPM, loops ? 15 : 25, loops ? 35 : 28);
			scene_xchg(&s, &e, XCHG_CLOSED, 40);
			busy(&e, 3, 3, FPM, 50, 60);
			e.x.turn[1].tid = moves ? FPM + 1 : FPM;
			scene_xchg(&s, &e, XCHG_CLOSED | (moves ? XCHG_MULTI_THREAD : 0), 70);
			xchg_accepted(&e, 4, 4, FPM, 80);
			REQUEST(&e, GET, 100, 100);
			xchg_spend(&e, SLICE_MID, STATE_IPC, 400);
			ANSWER(&e, OK, 500);
			scene_xchg(&s, &e, XCHG_CLOSED, 600);
			scene_tick(&s, 700);
			r = scene_request(&s, 4);
			expect_part(r, NULL, moves && loops ? CAUSE_OTHER : CAUSE_IPC, NULL, 400);
			scene_end(&s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_after_abort),
		cmocka_unit_test(test_parked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
