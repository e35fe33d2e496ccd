// SPDX-License-Identifier: GPL-2.0-only
/* Losses: where they are placed, and which requests they concern, however many there are. */
#include "assemble_scene.h"

#include "assemble/losses.h"

#define GET "GET /p HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static void add(struct losses *l, uint32_t kind, uint16_t cpu, uint64_t from, uint64_t to,
		uint64_t count)
{
	struct rec_lost r = { .h.cpu = cpu, .kind = kind, .count = count };

	r.from_ns = from;
	r.to_ns = to;
	losses_add(l, &r);
}

/* ---- the list alone ---- */

static void test_intervals(void **state)
{
	struct losses l = { .n_kept = 0 };

	(void)state;
	add(&l, COUNTER_RING_XCHG, 0, 100, 200, 5);
	add(&l, COUNTER_RING_XCHG, 1, 100, 200, 7); /* another CPU */
	add(&l, COUNTER_RING_XCHG, 0, 190, 300, 1); /* goes on */
	add(&l, COUNTER_RING_DATA, 0, 190, 300, 2); /* another kind */
	add(&l, COUNTER_RING_XCHG, 1, 400, 500, 9); /* again, later */
	add(&l, COUNTER_COUNT, 0, 400, 500, 9); /* of a later version */
	add(&l, COUNTER_RING_XCHG, 0, 600, 700, 0); /* nothing */
	assert_int_equal(l.n_kept, 4);
	assert_int_equal(l.kept[0].from_ns, 100);
	assert_int_equal(l.kept[0].to_ns, 300);
	assert_int_equal(l.kept[0].count, 6);
	assert_int_equal(l.kept[0].cpu, 0);
	assert_int_equal(l.kept[1].cpu, 1);
	assert_int_equal(l.kept[1].count, 7);
	assert_int_equal(l.kept[2].kind, COUNTER_RING_DATA);
	assert_int_equal(l.kept[3].from_ns, 400);
	assert_int_equal(l.kept[3].count, 9);
	/* two spans: the CPU and the kind make no difference, a detail makes none */
	assert_int_equal(l.n_spans, 2);
	assert_true(losses_overlap(&l, 300, 350));
	assert_false(losses_overlap(&l, 301, 399));
	assert_true(losses_overlap(&l, 0, 1000));
	assert_false(losses_overlap(&l, 501, 1000));
}

/* What loses no data goes first; what lost some is counted when it goes. */
static void test_kept(void **state)
{
	struct losses l = { .n_kept = 0 };
	uint64_t lost = 0;

	(void)state;
	for (uint64_t i = 0; i < 40; i++) {
		add(&l, COUNTER_RING_XCHG, 0, 100 * i, 100 * i + 10, 1);
		add(&l, COUNTER_WAKE_LOST, 0, 100 * i, 100 * i + 10, 1);
	}
	assert_int_equal(l.n_kept, LOSSES_KEPT_MAX);
	assert_int_equal(l.dropped, 80 - LOSSES_KEPT_MAX);
	for (size_t i = 0; i < l.n_kept; i++)
		lost += loss_loses(l.kept[i].kind);
	assert_int_equal(lost, 40);
	for (uint64_t i = 40; i < 1000; i++)
		add(&l, COUNTER_RING_XCHG, 0, 100 * i, 100 * i + 10, 1);
	assert_int_equal(l.n_kept, LOSSES_KEPT_MAX);
	assert_int_equal(l.dropped, 1040 - LOSSES_KEPT_MAX);
	assert_int_equal(l.kept[LOSSES_KEPT_MAX - 1].from_ns, 99900);
	assert_int_equal(l.kept[0].from_ns, 100 * (1000 - LOSSES_KEPT_MAX));
}

/* However many there were, what touched one is known; the latest are exact. */
static void test_spans_never_forget(void **state)
{
	struct losses l = { .n_kept = 0 };

	(void)state;
	for (uint64_t i = 1; i <= 5000; i++) {
		add(&l, COUNTER_CONN_STORAGE, (uint16_t)(i % 3), 100 * i, 100 * i + 10, 1);
		assert_true(l.n_spans <= LOSSES_SPANS_MAX);
		for (uint64_t old = 1; old <= i; old += 1 + i / 7)
			assert_true(losses_overlap(&l, 100 * old + 5, 100 * old + 6));
		assert_false(losses_overlap(&l, 100 * i + 11, UINT64_MAX));
		assert_false(losses_overlap(&l, 0, 99));
	}
	for (uint64_t i = 5000 - LOSSES_SPANS_MAX + 2; i < 5000; i++)
		assert_false(losses_overlap(&l, 100 * i + 11, 100 * i + 99));
}

/* A damaged capture: ends before beginnings, times out of order. */
static void test_hostile(void **state)
{
	struct losses l = { .n_kept = 0 };

	(void)state;
	add(&l, COUNTER_RING_XCHG, UINT16_MAX, 500, 100, UINT64_MAX);
	assert_true(losses_overlap(&l, 500, 500));
	assert_false(losses_overlap(&l, 100, 499));
	add(&l, COUNTER_RING_XCHG, 0, 0, UINT64_MAX, UINT64_MAX);
	for (uint64_t i = 0; i < 500; i++)
		add(&l, COUNTER_RING_XCHG, (uint16_t)i, UINT64_MAX - i * 10, i, i);
	assert_true(losses_overlap(&l, 1, 1));
	assert_true(l.n_spans <= LOSSES_SPANS_MAX && l.n_kept <= LOSSES_KEPT_MAX);
}

/* ---- requests ---- */

static bool incomplete(const struct scene *s, uint64_t xid)
{
	return scene_request(s, xid)->flags & REQUEST_INCOMPLETE;
}

static void simple(struct scene *s, uint64_t xid, uint64_t from, uint64_t to)
{
	struct xchg e;

	xchg_accepted(&e, xid, xid, FPM, 80);
	REQUEST(&e, GET, from, from);
	ANSWER(&e, OK, to);
	scene_xchg(s, &e, XCHG_CLOSED, to + 1);
}

/* A request that is open since before more losses than are kept apart is marked by the first. */
static void test_long_request(void **state)
{
	struct scene s;
	struct xchg e;
	uint64_t at = 1000;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, FPM, 80);
	REQUEST(&e, GET, 900, 900);
	scene_xchg(&s, &e, XCHG_OPEN, 910);
	scene_lost(&s, COUNTER_RING_XCHG, 950, 960);
	for (int i = 0; i < 4 * LOSSES_SPANS_MAX; i++, at += 1000)
		scene_lost(&s, COUNTER_RING_XCHG, at + 500, at + 510);
	/* between the last two losses, and after all of them */
	simple(&s, 2, at - 400, at - 300);
	simple(&s, 3, at - 800, at - 600);
	/* over since before the first */
	simple(&s, 4, 100, 800);
	ANSWER(&e, OK, 970);
	scene_xchg(&s, &e, XCHG_CLOSED, 980);
	scene_tick(&s, at + 5000);
	assert_true(incomplete(&s, 1));
	assert_false(incomplete(&s, 2));
	assert_false(incomplete(&s, 3));
	assert_false(incomplete(&s, 4));
	scene_end(&s);
}

/* What is in flight shows it at once, and still when it is over. */
static void test_open_request(void **state)
{
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	xchg_accepted(&e, 1, 1, FPM, 80);
	REQUEST(&e, GET, 100, 100);
	scene_xchg(&s, &e, XCHG_OPEN, 110);
	scene_tick(&s, 1000);
	assemble_open(s.a, scene_open_sink, &s);
	assert_false(incomplete(&s, 1));
	scene_forget(&s);
	scene_lost(&s, COUNTER_THREAD_STORAGE, 1500, 1600);
	scene_tick(&s, 2000);
	assemble_open(s.a, scene_open_sink, &s);
	assert_true(incomplete(&s, 1));
	scene_forget(&s);
	ANSWER(&e, OK, 2500);
	scene_xchg(&s, &e, XCHG_CLOSED, 2510);
	scene_tick(&s, 3000);
	assert_true(incomplete(&s, 1));
	scene_end(&s);
}

/* A callee's part is the caller's: a loss at the callee's end, after the caller's, marks both. */
static void test_joined_caller(void **state)
{
	struct bytes ask = { .len = 0 };
	struct xchg e, c, f;
	struct scene s;

	(void)state;
	for (int in_callee = 0; in_callee < 2; in_callee++) {
		scene_init(&s);
		ask.len = 0;
		fcgi_request(&ask, "", "/index.php");
		xchg_accepted(&e, 1, 1, NGINX, 80);
		REQUEST(&e, GET, 0, 10);
		xchg_unix_call(&c, 2, 2, NGINX, 1, 1);
		xchg_request(&c, ask.at, ask.len, 0, 30);
		ANSWER(&c, FCGI_ANSWER, 1000);
		xchg_unix_callee(&f, 3, 3, FPM, 1);
		xchg_request(&f, ask.at, ask.len, 30, 130);
		ANSWER(&f, FCGI_ANSWER, 1300); /* its last send returned that late */
		ANSWER(&e, OK, 1050);
		scene_lost(&s, COUNTER_RING_XCHG, in_callee ? 1200 : 1301, 1400);
		scene_xchg(&s, &e, 0, 1100);
		scene_xchg(&s, &c, 0, 1100);
		scene_xchg(&s, &f, 0, 1500);
		scene_tick(&s, 2000);
		assert_int_equal(scene_request(&s, 3)->parent_xid, 1);
		assert_int_equal(incomplete(&s, 3), in_callee);
		assert_int_equal(incomplete(&s, 1), in_callee);
		scene_end(&s);
	}
}

/* An exchange for which the collector itself has no room is lost, too. */
static void test_evicted(void **state)
{
	struct rec_mark m = { .label = 0 };
	struct scene s;

	(void)state;
	scene_init(&s);
	simple(&s, 1, 100, 200);
	simple(&s, 2, 9000, 9200);
	for (uint64_t xid = 1000; !assemble_counters(s.a)->evicted; xid++) {
		m.xid = xid;
		GIVE(&s, m, REC_MARK, 9100);
		assert_true(xid < 10000000);
	}
	scene_tick(&s, 9300);
	assert_false(incomplete(&s, 1));
	assert_true(incomplete(&s, 2));
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intervals),          cmocka_unit_test(test_kept),
		cmocka_unit_test(test_spans_never_forget), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_long_request),       cmocka_unit_test(test_open_request),
		cmocka_unit_test(test_joined_caller),      cmocka_unit_test(test_evicted),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	intern_release();
	return rc;
}
