// SPDX-License-Identifier: GPL-2.0-only
/* Which stack a hotspot gets, and what of it is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/intern.h"
#include "rank/rank.h"

#define MS 1000000ull
#define S 1000000000ull
#define T0 (1000 * S)

/* ids of texts, made in this order */
enum { WEB = 2, DB, VIEW, SELECT_A, SELECT_B, FILE_S };

static struct aggregate *a;
static struct stacks *st;

static void begin(uint32_t max_stacks)
{
	struct aggregate_options ao = { .report = true, .origin_ns = T0 };
	struct stacks_options so = { .report = true, .max_stacks = max_stacks };
	static const char *const texts[] = { "web",      "db",       "GET /view",
					     "SELECT a", "SELECT b", "file s" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(intern_str(texts[i]), WEB + i);
	a = aggregate_new(&ao);
	st = stacks_new(&so);
	assert_true(a && st);
}

static void end(struct snapshot *s)
{
	snapshot_free(s);
	aggregate_free(a);
	stacks_free(st);
	intern_release();
}

/* A stack of one function, "a" to "z", n times, at that moment after T0. */
static void stack_at(uint64_t at_ms, uint64_t xid, enum thread_state state, char function, int n,
		     uint64_t ms)
{
	struct rec_sym sym = { .h = { sizeof(sym), REC_SYM, 0, T0 },
			       .addr = (uint64_t)function,
			       .tgid = 1 };
	union {
		struct rec_stack r;
		char room[sizeof(struct rec_stack) + sizeof(uint64_t)];
	} rec = { .r = { .h = { sizeof(rec), REC_STACK, 0, T0 },
			 .xid = xid,
			 .start_ns = T0 + at_ms * MS,
			 .ns = ms * MS,
			 .tgid = 1,
			 .kind = state == STATE_RUN ? STACK_CPU : STACK_WAIT,
			 .state = (uint16_t)state,
			 .n_user = 1 } };

	rec.r.frames[0] = (uint64_t)function;
	sym.text[0] = (uint8_t)function;
	stacks_record(st, &sym.h);
	for (int i = 0; i < n; i++)
		stacks_record(st, &rec.r.h);
}

static void stack(uint64_t xid, enum thread_state state, char function, int n, uint64_t ms)
{
	stack_at(0, xid, state, function, n, ms);
}

/* What the next request called. */
static struct request_call calls[8];
static uint32_t n_calls;

static void call(uint32_t peer, uint32_t what, uint64_t from_ms, uint64_t to_ms)
{
	calls[n_calls++] = (struct request_call){ .peer = peer,
						  .what = what,
						  .start_ns = T0 + from_ms * MS,
						  .wall_ns = (to_ms - from_ms) * MS };
}

static void request(uint64_t xid, uint32_t service, uint32_t route, struct part *parts, size_t n)
{
	struct request r = { .xid = xid,
			     .service = service,
			     .route = route,
			     .start_ns = T0,
			     .flags = service == WEB ? REQUEST_ENTRY : 0,
			     .parts = { parts, n, n },
			     .calls = calls,
			     .n_calls = n_calls };

	r.end_ns = r.start_ns + parts_sum_ns(&r.parts);
	stacks_request(st, &r, true);
	assert_int_equal(aggregate_add(a, &r), 0);
	n_calls = 0;
}

#define PART(who_, cause_, what_) \
	{ \
		.who = (who_), .cause = CAUSE_##cause_, .what = (what_), .count = 1, \
		.ns = 100 * MS \
	}
#define REQUEST(xid, service, route, ...) \
	do { \
		struct part parts_[] = { __VA_ARGS__ }; \
		request((xid), (service), (route), parts_, sizeof(parts_) / sizeof(parts_[0])); \
	} while (0)

static struct snapshot *build(bool list)
{
	struct snapshot_input in = { .end_ns = T0 + 10 * S, .stacks = st, .list_stacks = list };
	struct snapshot *s = snapshot_build(a, &in);

	assert_non_null(s);
	return s;
}

/* leaf: the function on top of the hottest stack, NULL = there is none */
static void expect(const struct snapshot *s, enum cause cause, uint32_t what, const char *leaf,
		   double share)
{
	for (size_t i = 0; i < s->n_hotspots; i++) {
		const struct snap_hotspot *h = &s->hotspots[i];

		if (h->cause != cause || h->what != what)
			continue;
		assert_int_equal(h->n_stack > 0, leaf != NULL);
		if (leaf)
			assert_string_equal(intern_text(h->stack[h->n_stack_kernel]), leaf);
		assert_true(h->stack_share > share - 1e-9 && h->stack_share < share + 1e-9);
		return;
	}
	fail_msg("no such hotspot");
}

static void matching(void **state)
{
	struct snapshot *s;

	(void)state;
	begin(0);
	/* one request of the web server, two statements of the database for it */
	stack(1, STATE_RUN, 'a', 3, 1);
	stack(1, STATE_RUN, 'b', 2, 1000); /* samples count, not what a record says of its time */
	stack(1, STATE_LOCK, 'c', 3, 10);
	stack(1, STATE_KERNEL, 'd', 1, 90); /* time counts, not how often; a lock, too */
	stack(2, STATE_RUN, 'e', 4, 1);
	stack(3, STATE_RUN, 'f', 6, 1);
	stack(2, STATE_DISK, 'g', 1, 10);
	REQUEST(1, WEB, VIEW, PART(WEB, CPU, 0), PART(WEB, LOCK, FILE_S), PART(DB, DB, SELECT_A),
		PART(DB, DB, SELECT_B), PART(DB, DISK, SELECT_B), PART(WEB, SLEEP, 0),
		PART(WEB, LOCK, 0));
	REQUEST(2, DB, SELECT_A, PART(DB, CPU, 0));
	REQUEST(3, DB, SELECT_B, PART(DB, CPU, 0));
	s = build(false);
	assert_int_equal(s->n_stacks, 0);
	expect(s, CAUSE_CPU, 0, "a", 0.6);
	expect(s, CAUSE_LOCK, FILE_S, "d", 0.75);
	expect(s, CAUSE_LOCK, 0, "d", 0.75); /* the same stacks match */
	/* by statement, where there are stacks of the statement */
	expect(s, CAUSE_DB, SELECT_A, "e", 1);
	expect(s, CAUSE_DB, SELECT_B, "f", 1);
	expect(s, CAUSE_DISK, SELECT_B, "g", 1);
	expect(s, CAUSE_SLEEP, 0, NULL, 0);
	end(s);
}

/* Who waits for another service has the stack, the other one the hotspot. */
static void waiting_for_others(void **state)
{
	uint32_t near, far, get_x, get_x_net, get_y, connecting, sock;
	struct snapshot *s;

	(void)state;
	begin(0);
	near = intern_str("near:80");
	far = intern_str("far:80");
	get_x = intern_str("GET /x");
	get_x_net = intern_str("GET /x (rtt ~20ms)");
	get_y = intern_str("GET /y");
	connecting = intern_str("connect");
	sock = intern_str("socket");
	call(DB, SELECT_A, 0, 50);
	call(DB, SELECT_B, 50, 90);
	call(far, get_x, 95, 195);
	call(near, get_y, 100, 120); /* meanwhile: the one that finishes last is waited for */
	call(far, get_y, 300, 420);
	stack_at(1, 1, STATE_RECV, 'a', 1, 40);
	stack_at(55, 1, STATE_POLL, 'b', 1, 30);
	stack_at(100, 1, STATE_RECV, 'c', 1, 90);
	stack_at(195, 1, STATE_RECV, 'd', 1, 100); /* in no call: the one before has ended */
	stack_at(300, 1, STATE_CONNECT, 'y', 1, 110);
	stack_at(60, 1, STATE_LOCK, 'l', 1, 25); /* no wait for the call */
	REQUEST(1, WEB, VIEW, PART(DB, DB, SELECT_A), PART(DB, DB, SELECT_B),
		PART(far, UPSTREAM, get_x_net), PART(far, UPSTREAM, connecting),
		PART(near, UPSTREAM, get_y), PART(WEB, UPSTREAM, sock), PART(WEB, LOCK, 0));
	s = build(false);
	expect(s, CAUSE_DB, SELECT_A, "a", 1);
	expect(s, CAUSE_DB, SELECT_B, "b", 1);
	expect(s, CAUSE_UPSTREAM, get_x_net, "c", 1); /* with what is unusual on its connection */
	expect(s, CAUSE_UPSTREAM, connecting, "y", 0.55); /* 110 of all 200 for that peer */
	expect(s, CAUSE_UPSTREAM, get_y, NULL, 0);
	expect(s, CAUSE_UPSTREAM, sock, "d", 1);
	expect(s, CAUSE_LOCK, 0, "l", 1);
	end(s);
}

/* A database that is observed ran somewhere: that is nearer, but only for the same statement. */
static void a_database_and_its_callers(void **state)
{
	struct snapshot *s;

	(void)state;
	begin(0);
	call(DB, SELECT_A, 0, 50);
	call(DB, SELECT_B, 50, 90);
	stack_at(1, 1, STATE_RECV, 'a', 1, 40);
	stack_at(55, 1, STATE_RECV, 'b', 1, 30);
	stack(2, STATE_RUN, 'e', 4, 1);
	REQUEST(1, WEB, VIEW, PART(DB, DB, SELECT_A), PART(DB, DB, SELECT_B), PART(DB, DB, FILE_S));
	REQUEST(2, DB, SELECT_A, PART(DB, CPU, 0));
	s = build(false);
	expect(s, CAUSE_DB, SELECT_A, "e", 1);
	expect(s, CAUSE_DB, SELECT_B, "b", 1);
	expect(s, CAUSE_DB, FILE_S, "e", 1); /* of neither: what the service did */
	end(s);
}

/* The stack of all that had no room is nowhere, however much it is. */
static void other_is_none(void **state)
{
	struct snapshot *s;

	(void)state;
	begin(1);
	stack(1, STATE_RUN, 'a', 1, 1);
	stack(1, STATE_RUN, 'b', 3, 1);
	stack(1, STATE_LOCK, 'c', 3, 1);
	REQUEST(1, WEB, VIEW, PART(WEB, CPU, 0), PART(WEB, LOCK, 0));
	s = build(true);
	expect(s, CAUSE_CPU, 0, "a", 0.25);
	expect(s, CAUSE_LOCK, 0, NULL, 0);
	assert_int_equal(s->n_stacks, 3); /* but it is listed */
	end(s);
}

static void listing(void **state)
{
	const struct snap_stack *v;
	struct snapshot *s;

	(void)state;
	begin(0);
	stack(1, STATE_RUN, 'a', 3, 10);
	stack(1, STATE_LOCK, 'a', 1, 7);
	stack(2, STATE_RUN, 'a', 1, 10);
	REQUEST(1, WEB, VIEW, PART(WEB, CPU, 0));
	REQUEST(2, DB, SELECT_A, PART(DB, CPU, 0));
	s = build(true);
	v = s->stacks;
	assert_int_equal(s->n_stacks, 3);
	assert_int_equal(v[0].service, WEB);
	assert_int_equal(v[0].route, VIEW);
	assert_int_equal(v[0].cause, CAUSE_CPU);
	assert_int_equal(v[0].samples, 3);
	assert_int_equal(v[0].us, 30000);
	assert_int_equal(v[0].n_frames, 1);
	assert_int_equal(v[0].n_kernel, 0);
	assert_string_equal(intern_text(v[0].frames[0]), "a");
	assert_int_equal(v[1].cause, CAUSE_LOCK);
	assert_int_equal(v[1].us, 7000);
	assert_int_equal(v[1].n_frames, 2); /* and the kernel's, which are missing */
	assert_int_equal(v[1].n_kernel, 1);
	assert_int_equal(v[2].service, DB);
	assert_ptr_equal(v[2].frames, v[0].frames); /* equal stacks are kept once */
	end(s);
}

/* What a wait was for makes no other entry, and its time is rounded once. */
static void listing_of_waits(void **state)
{
	struct snapshot *s;

	(void)state;
	begin(0);
	call(DB, SELECT_A, 0, 50);
	call(DB, SELECT_B, 50, 90);
	stack_at(1, 1, STATE_RECV, 'a', 2, 10);
	stack_at(55, 1, STATE_RECV, 'a', 1, 30);
	stack_at(95, 1, STATE_RECV, 'b', 1, 4);
	REQUEST(1, WEB, VIEW, PART(DB, DB, SELECT_A));
	s = build(true);
	assert_int_equal(s->n_stacks, 2);
	assert_int_equal(s->stacks[0].service, WEB);
	assert_int_equal(s->stacks[0].route, VIEW);
	assert_int_equal(s->stacks[0].samples, 3);
	assert_int_equal(s->stacks[0].us, 50000);
	assert_int_equal(s->stacks[1].samples, 1);
	assert_int_equal(s->stacks[1].us, 4000);
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matching),
		cmocka_unit_test(waiting_for_others),
		cmocka_unit_test(a_database_and_its_callers),
		cmocka_unit_test(other_is_none),
		cmocka_unit_test(listing),
		cmocka_unit_test(listing_of_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
