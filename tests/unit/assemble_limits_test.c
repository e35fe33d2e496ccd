// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bounds of the assembler: what a long run, a burst or a damaged capture may do to it. Nothing
 * crashes, what is let go is counted, memory ends.
 */
#include <malloc.h>

#include "assemble_scene.h"

#define GET "GET /p HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

/* A sink for runs of which no request is looked at. */
struct tally {
	uint64_t n, waited_ns;
};

static void tally_sink(void *ctx, const struct request *r)
{
	struct tally *t = ctx;

	assert_int_equal(parts_sum_ns(&r->parts), r->end_ns - r->start_ns);
	t->n++;
	t->waited_ns += r->end_ns - r->start_ns;
}

static void one(struct xchg *e, uint64_t id, uint32_t tid, uint64_t us)
{
	xchg_accepted(e, id, id, tid, 80);
	REQUEST(e, GET, us, us);
	xchg_spend(e, SLICE_MID, STATE_RUN, 50);
	ANSWER(e, OK, us + 50);
}

/* Connections that come and go, as those of a server without keep-alive: more in a few minutes
 * than may be known at once. Each is its request's; none may be refused. */
static void many_connections(bool unix_sockets)
{
	struct tally t = { 0 };
	struct scene s = { .a = assemble_new(tally_sink, &t) };
	struct xchg e;
	const uint64_t n = 300000;
	uint64_t id;

	assert_non_null(s.a);
	for (id = 1; id <= n; id++) {
		one(&e, id, FPM, id * 1000);
		if (unix_sockets)
			xchg_unix(&e, id);
		if (scene_give(&s, &e, REC_XCHG, sizeof(e.x) + e.x.req_len, id * 1000 + 60))
			fail_msg("connection %llu was refused", (unsigned long long)id);
		if (id % 100 == 0)
			scene_tick(&s, id * 1000 + 500);
	}
	assemble_finish(s.a);
	assert_int_equal(t.n, n);
	assert_int_equal(t.waited_ns, n * US(50));
	assert_int_equal(assemble_counters(s.a)->evicted, 0);
	scene_end(&s);
}

static void test_connections(void **state)
{
	(void)state;
	many_connections(false);
}

static void test_unix_connections(void **state)
{
	(void)state;
	many_connections(true);
}

/* A process for each connection, as those of PostgreSQL, for longer than there is room. */
static void test_processes(void **state)
{
	struct scene s;
	struct xchg e;

	(void)state;
	scene_init(&s);
	for (uint32_t pid = 1000; pid < 101000; pid++) {
		scene_task(&s, TASK_FORK, pid, POSTGRES, pid * 1000ull);
		scene_task(&s, TASK_EXIT, pid, 0, pid * 1000ull + 500);
		if (pid % 100 == 0)
			scene_tick(&s, pid * 1000ull + 600);
	}
	scene_task(&s, TASK_FORK, 200000, POSTGRES, 102000000);
	one(&e, 1, 200000, 103000000);
	scene_xchg(&s, &e, XCHG_CLOSED, 103000100);
	scene_tick(&s, 103001000);
	assert_text(scene_request(&s, 1)->service, "postgres");
	scene_end(&s);
}

/* Requests that are never answered, beyond what can be known: those that fit are in flight. */
static void test_nodes(void **state)
{
	struct tally t = { 0 };
	struct scene s = { .a = assemble_new(tally_sink, &t) };
	struct rec_wait w = { .state = STATE_LOCK };

	(void)state;
	assert_non_null(s.a);
	for (uint64_t xid = 1; xid <= 300000; xid++) {
		w.xid = xid;
		w.blocked_ns = 1;
		/* memory for waits of each would be much */
		if (xid % 1000 == 0)
			GIVE(&s, w, REC_WAIT, 10);
		else {
			struct rec_mark m = { .xid = xid, .label = ABI_PROBES_MAX };

			GIVE(&s, m, REC_MARK, 10);
		}
	}
	assert_true(assemble_counters(s.a)->evicted > 0);
	scene_tick(&s, 6000000);
	/* they are gone: there is room again */
	{
		struct xchg e;

		one(&e, 900000, FPM, 7000000);
		scene_xchg(&s, &e, XCHG_CLOSED, 7000100);
		scene_tick(&s, 7001000);
	}
	assert_int_equal(t.n, 1);
	scene_end(&s);
}

/* More calls of one request than are accounted: its parts still sum, which the sink checks. */
static void test_calls(void **state)
{
	const struct request *r;
	struct scene s;
	struct xchg e, c;

	(void)state;
	scene_init(&s);
	xchg_tcp_call(&c, 1000, 2, NGINX, 1, 5432);
	for (uint64_t i = 0; i < 25000; i++) {
		if (i)
			xchg_next(&c, 1000 + i);
		REQUEST(&c, "Q\0\0\0\x0dSELECT 1\0", 0, 10 + i * 10);
		xchg_spend(&c, SLICE_PRE, STATE_RUN, 4);
		xchg_spend(&c, SLICE_MID, STATE_RECV, 6);
		ANSWER(&c, "Z\0\0\0\5I", 16 + i * 10);
		scene_xchg(&s, &c, 0, 20 + i * 10);
	}
	xchg_accepted(&e, 1, 1, NGINX, 80);
	REQUEST(&e, GET, 0, 6);
	ANSWER(&e, OK, 250100);
	scene_xchg(&s, &e, XCHG_CLOSED, 250200);
	scene_tick(&s, 250300);
	r = scene_request(&s, 1);
	assert_int_equal(r->n_calls, 256);
	assert_int_equal(r->calls_dropped, 20000 - 256);
	assert_int_equal(assemble_counters(s.a)->late, 5000);
	assert_int_equal(part_of(r, NULL, CAUSE_DB, NULL)->count, 20000);
	scene_end(&s);
}

/* Heads whose exchange never comes must not keep the place of those that do. */
static void test_texts(void **state)
{
	struct bytes ask = { .len = 0 };
	static char query[3000];
	static union {
		struct rec_data d;
		char room[sizeof(struct rec_data) + ABI_DATA_CHUNK];
	} more = { .d = { .off = ABI_REQ_HEAD_MAX } };
	struct scene s;
	struct xchg f;

	(void)state;
	scene_init(&s);
	for (uint64_t xid = 1; xid < 6000; xid++) {
		more.d.xid = xid;
		more.d.len = 100;
		assert_int_equal(scene_give(&s, &more, REC_DATA, sizeof(more.d) + 100, xid * 10000),
				 0);
		if (xid % 100 == 0)
			scene_tick(&s, xid * 10000);
	}
	memset(query, 'q', sizeof(query) - 1);
	fcgi_request(&ask, query, "/deep.php");
	xchg_unix_callee(&f, 9000, 3, FPM, 1);
	xchg_request(&f, ask.at, ask.len, 70000000, 70000000);
	more.d.xid = 9000;
	more.d.len = (uint16_t)(ask.len - ABI_REQ_HEAD_MAX);
	memcpy(more.d.bytes, ask.at + ABI_REQ_HEAD_MAX, more.d.len);
	assert_int_equal(scene_give(&s, &more, REC_DATA, sizeof(more.d) + more.d.len, 70000000), 0);
	ANSWER(&f, FCGI_ANSWER, 70000100);
	scene_xchg(&s, &f, 0, 70000200);
	scene_tick(&s, 70001000);
	assert_text(scene_request(&s, 9000)->route, "GET /deep.php");
	scene_end(&s);
}

/* ---- damaged captures ---------------------------------------------------------------------- */

/* A head that says it is longer than heads can be, with more of it from REC_DATA. */
static void test_head_too_long(void **state)
{
	static union {
		struct rec_data d;
		char room[sizeof(struct rec_data) + ABI_DATA_CHUNK];
	} more = { .d = { .xid = 1, .off = ABI_REQ_HEAD_MAX, .len = ABI_DATA_CHUNK } };
	static const uint16_t lens[] = { 1023, 1025, 17408, 17409, 65535 };
	size_t size = sizeof(struct rec_xchg) + 65535;

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct rec_xchg *x = calloc(1, size);
		struct xchg e;
		struct scene s;

		assert_non_null(x);
		scene_init(&s);
		one(&e, 1, FPM, 100);
		*x = e.x;
		memset(x + 1, 'a', 65535);
		memcpy(x + 1, GET, sizeof(GET) - 1);
		x->req_len = lens[i];
		assert_int_equal(scene_give(&s, &more, REC_DATA, sizeof(more), 100), 0);
		assert_int_equal(scene_give(&s, x, REC_XCHG, sizeof(*x) + x->req_len, 200), 0);
		scene_tick(&s, 1000000);
		scene_end(&s);
		free(x);
	}
}

/* Parents that make a circle, and an id that is a request here and a call there. */
static void test_circles(void **state)
{
	static const uint64_t parents[][3] = {
		{ 1, 0, 0 }, { 2, 1, 0 }, { 2, 3, 1 }, { 3, 3, 3 }, { 2, 2, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
		for (int again = 0; again < 3; again++) {
			struct scene s;
			struct xchg e;

			scene_init(&s);
			for (uint64_t xid = 1; xid <= 3; xid++) {
				one(&e, xid, FPM, 100);
				e.x.role = ROLE_CONNECTED;
				e.x.parent = parents[i][xid - 1];
				scene_xchg(&s, &e, again > 1 ? XCHG_OPEN : 0, 200);
			}
			if (again) {
				one(&e, 2, FPM, 100);
				scene_xchg(&s, &e, XCHG_CLOSED, 300);
			}
			scene_tick(&s, 1000);
			assemble_open(s.a, scene_open_sink, &s);
			scene_forget(&s);
			scene_tick(&s, 20000000);
			scene_end(&s);
		}
	}
}

/* Records that are too short for what they say are refused, one by one. */
static void test_malformed(void **state)
{
	static const uint16_t types[] = { REC_XCHG, REC_DATA,  REC_WAIT, REC_THREAD,
					  REC_TASK, REC_MARK,  REC_PROC, REC_TICK,
					  REC_LOST, REC_LABEL, REC_HOST, REC_META };
	static const size_t sizes[] = { sizeof(struct rec_xchg), sizeof(struct rec_data),
					sizeof(struct rec_wait), sizeof(struct rec_thread),
					sizeof(struct rec_task), sizeof(struct rec_mark),
					sizeof(struct rec_proc), sizeof(struct rec_tick),
					sizeof(struct rec_lost), sizeof(struct rec_label),
					sizeof(struct rec_host), sizeof(struct rec_meta) };
	uint64_t refused = 0;
	struct scene s;

	(void)state;
	scene_init(&s);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		unsigned char bytes[2048] = { 0 };

		for (size_t len = sizeof(struct rec_hdr); len < sizes[i]; len += 4) {
			assert_int_equal(scene_give(&s, bytes, types[i], len, 1), 0);
			refused++;
		}
	}
	assert_int_equal(assemble_counters(s.a)->malformed, refused);
	/* a type of a later version is no error */
	{
		struct rec_tick later = { 0 };

		GIVE(&s, later, 999, 1);
	}
	assert_int_equal(assemble_counters(s.a)->malformed, refused);
	scene_end(&s);
}

/* What a long run leaves behind: nothing, once all is over and forgotten. */
static void test_memory(void **state)
{
	struct tally t = { 0 };
	struct scene s = { .a = assemble_new(tally_sink, &t) };
	size_t after_warmup = 0;

	(void)state;
	assert_non_null(s.a);
	for (uint64_t id = 1; id <= 100000; id++) {
		struct xchg e;
		uint64_t us = id * 10000;

		one(&e, id, FPM + (uint32_t)(id % 8), us);
		scene_xchg(&s, &e, XCHG_CLOSED, us + 60);
		if (id % 10 == 0)
			scene_tick(&s, us + 100);
		if (id == 50000)
			after_warmup = mallinfo2().uordblks;
	}
	assert_int_equal(t.n, 100000);
	/* sanitizers count in their own way: then this is 0 <= 1 MiB */
	assert_in_range(mallinfo2().uordblks, 0, after_warmup + (1 << 20));
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connections),   cmocka_unit_test(test_unix_connections),
		cmocka_unit_test(test_processes),     cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_calls),         cmocka_unit_test(test_texts),
		cmocka_unit_test(test_head_too_long), cmocka_unit_test(test_circles),
		cmocka_unit_test(test_malformed),     cmocka_unit_test(test_memory),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	intern_release();
	return failed;
}
