// SPDX-License-Identifier: GPL-2.0-only
/* Why a request is over: each reason, and that the sink is told. */
#include "assemble_scene.h"

#define GET "GET /p HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
#define UNTOLD "HTTP/1.1 200 OK\r\n\r\n" /* until the connection ends, or rests */

struct end {
	const char *request, *response;
	uint32_t flags;
	bool followed; /* another request comes on the connection */
	uint64_t tick_us; /* 0: the records end */
	enum end_reason why;
};

static void give_end(struct scene *s, const struct end *c)
{
	struct xchg e;

	xchg_accepted(&e, 1, 1, NGINX, 80);
	xchg_request(&e, c->request, strlen(c->request), 10, 10);
	if (c->response)
		xchg_answer(&e, c->response, strlen(c->response), 1000, 1000);
	scene_xchg(s, &e, c->flags, 1010);
	if (c->followed) {
		xchg_next(&e, 2);
		REQUEST(&e, GET, 1500, 1500);
		scene_xchg(s, &e, XCHG_OPEN, 1510);
	}
	if (c->tick_us)
		scene_tick(s, c->tick_us);
	else
		assemble_finish(s->a);
}

static void test_reasons(void **state)
{
	static const struct end ends[] = {
		{ GET, OK, XCHG_OPEN, false, 2000, END_PROTOCOL },
		{ GET, OK, XCHG_CLOSED, false, 2000, END_PROTOCOL }, /* it had said so before */
		{ GET, UNTOLD, XCHG_CLOSED, false, 2000, END_CLOSED },
		{ GET, NULL, XCHG_CLOSED, false, 2000, END_CLOSED },
		{ GET, UNTOLD, XCHG_RESET | XCHG_CLOSED, false, 2000, END_RESET },
		{ GET, UNTOLD, 0, false, 2000, END_NEXT }, /* the kernel has seen the next */
		{ GET, UNTOLD, XCHG_OPEN, true, 2000, END_NEXT },
		{ "\1\2\3", "\4\5", XCHG_OPEN, false, 200000, END_REST },
		{ "\1\2\3", "\4\5", XCHG_OPEN, false, 0, END_INPUT },
		{ GET, OK, XCHG_OPEN, false, 0, END_PROTOCOL },
		{ "\1\2\3", "\4\5", XCHG_CLOSED, false, 0, END_CLOSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const struct request *r;
		struct scene s;

		scene_init(&s);
		give_end(&s, &ends[i]);
		r = scene_request(&s, 1);
		assert_string_equal(end_reason_name(r->end_reason), end_reason_name(ends[i].why));
		scene_end(&s);
	}
}

/* What is in flight has no reason, also after its end was taken back: it was held for its thread's
 * work, and the answer went on. */
static void test_open_again(void **state)
{
	struct rec_thread t = { .xid = 1, .tid = NGINX, .state = STATE_RUN };
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, NGINX, 80);
	REQUEST(&e, "\1\2\3", 10, 10);
	ANSWER(&e, "\4\5", 1000);
	scene_xchg(&s, &e, XCHG_OPEN, 1010);
	t.last_io_ns = AT(1000);
	GIVE(&s, t, REC_THREAD, 200000);
	scene_tick(&s, 200000); /* over by rest, but held */
	assemble_open(s.a, scene_open_sink, &s);
	assert_int_equal(s.n_got, 0);
	ANSWER(&e, "\6", 250000);
	scene_xchg(&s, &e, XCHG_OPEN, 250010);
	scene_tick(&s, 260000);
	assemble_open(s.a, scene_open_sink, &s);
	assert_int_equal(scene_request(&s, 1)->end_reason, END_NONE);
	scene_forget(&s);
	scene_tick(&s, 400000);
	assert_int_equal(scene_request(&s, 1)->end_reason, END_REST);
	assert_int_equal(scene_request(&s, 1)->last_byte_ns, AT(250000));
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_open_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
