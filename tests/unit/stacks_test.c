// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks from records to sums: samples find their request before and after it is known, what is
 * after the answer is not in it, missing frames show, each bound is filled, and no sample is ever
 * unaccounted for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "account/causes.h"
#include "aggregate/stacks.h"
#include "base/intern.h"

#define MS 1000000ull
#define S 1000000000ull
#define T0 (1000 * S)

enum { APP = 201, APP2 = 202 }; /* processes */

static struct stacks *st;
static struct stack_sums sums;

static void begin(struct stacks_options o)
{
	st = stacks_new(&o);
	assert_non_null(st);
}

static void end(void)
{
	stack_sums_release(&sums);
	stacks_free(st);
	st = NULL;
}

static void sym(uint32_t tgid, uint64_t addr, const char *text, uint32_t flags)
{
	struct rec_sym r = { .h = { sizeof(r), REC_SYM, 0, T0 },
			     .addr = addr,
			     .tgid = tgid,
			     .flags = flags | (tgid ? 0 : SYM_KERNEL) };

	snprintf((char *)r.text, sizeof(r.text), "%s", text);
	stacks_record(st, &r.h);
}

static void tick(uint64_t ms)
{
	struct rec_tick r = { .h = { sizeof(r), REC_TICK, 0, T0 + ms * MS } };

	stacks_record(st, &r.h);
}

struct frames {
	uint64_t kernel[3], user[3]; /* end with 0 */
	uint32_t flags;
};

static void stack(uint64_t xid, uint32_t tgid, int state, uint64_t ms, uint64_t length_ms,
		  struct frames f)
{
	struct rec_stack *r = calloc(1, sizeof(*r) + 6 * sizeof(uint64_t));

	assert_non_null(r);
	while (r->n_kernel < 3 && f.kernel[r->n_kernel]) {
		r->frames[r->n_kernel] = f.kernel[r->n_kernel];
		r->n_kernel++;
	}
	while (r->n_user < 3 && f.user[r->n_user]) {
		r->frames[r->n_kernel + r->n_user] = f.user[r->n_user];
		r->n_user++;
	}
	r->h = (struct rec_hdr){ (uint32_t)(sizeof(*r) + (r->n_kernel + r->n_user) * 8u), REC_STACK,
				 0, T0 + (ms + length_ms) * MS };
	r->xid = xid;
	r->tgid = tgid;
	r->kind = state == STATE_RUN ? STACK_CPU : STACK_WAIT;
	r->state = (uint16_t)state;
	r->start_ns = T0 + ms * MS;
	r->ns = length_ms * MS;
	r->flags = f.flags;
	stacks_record(st, &r->h);
	free(r);
}

#define USER(...) ((struct frames){ .user = { __VA_ARGS__ } })
#define CPU(xid, tgid, ms, ...) stack((xid), (tgid), STATE_RUN, (ms), 10, USER(__VA_ARGS__))

static struct request request_of(uint64_t xid, const char *route, uint64_t from_ms, uint64_t to_ms)
{
	return (struct request){ .xid = xid,
				 .service = intern_str("app"),
				 .route = intern_str(route),
				 .start_ns = T0 + from_ms * MS,
				 .end_ns = T0 + to_ms * MS };
}

static void finish(uint64_t xid, const char *route, uint64_t from_ms, uint64_t to_ms)
{
	struct request r = request_of(xid, route, from_ms, to_ms);

	stacks_request(st, &r, true);
}

static void sum_up(uint64_t from_ms, uint64_t to_ms, const struct request *open)
{
	stack_sums_release(&sums);
	assert_int_equal(
		stacks_sum(st, T0 + from_ms * MS, T0 + to_ms * MS, &open, open ? 1 : 0, &sums), 0);
}

/* "a < b | c", leaf first, the kernel's before the bar. */
static const char *text_of(uint32_t number)
{
	static char text[2000];
	struct stack_frames f = stacks_frames(st, number);
	int n = 0;

	*text = '\0';
	for (uint16_t i = 0; i < f.n; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s",
			      !i              ? "" :
			      i == f.n_kernel ? " | " :
						" < ",
			      intern_text(f.v[i]));
	return text;
}

static uint64_t samples(void)
{
	uint64_t n = 0;

	for (size_t i = 0; i < sums.n; i++)
		n += sums.v[i].samples;
	return n;
}

/* There is exactly one sum of these names, with this many samples and milliseconds. */
static void expect(const char *route, enum cause cause, const char *frames, uint64_t n, uint64_t ms)
{
	size_t found = 0;

	for (size_t i = 0; i < sums.n; i++) {
		const struct stack_sum *s = &sums.v[i];

		if (strcmp(intern_text(s->route), route) || s->cause != cause ||
		    strcmp(text_of(s->stack), frames))
			continue;
		found++;
		assert_string_equal(intern_text(s->service), "app");
		assert_int_equal(s->samples, n);
		assert_int_equal(s->ns, ms * MS);
	}
	if (found == 1)
		return;
	for (size_t i = 0; i < sums.n; i++)
		print_error("%s %s '%s' %llu\n", intern_text(sums.v[i].route),
			    cause_name(sums.v[i].cause), text_of(sums.v[i].stack),
			    (unsigned long long)sums.v[i].samples);
	fail_msg("%zu times %s %s '%s'", found, route, cause_name(cause), frames);
}

static void some_symbols(void)
{
	sym(0, 0x10, "futex_wait", 0);
	sym(0, 0x20, "do_syscall_64", 0);
	sym(APP, 0x10, "leaf", 0);
	sym(APP, 0x20, "main", 0);
	/* the same program elsewhere in its address space */
	sym(APP2, 0x1010, "leaf", 0);
	sym(APP2, 0x1020, "main", 0);
}

static void samples_find_their_request(void **state)
{
	(void)state;
	begin((struct stacks_options){ .report = true });
	some_symbols();
	CPU(1, APP, 10, 0x10, 0x20);
	CPU(2, APP2, 10, 0x1010, 0x1020);
	stack(1, APP, STATE_LOCK, 20, 30, (struct frames){ { 0x10, 0x20 }, { 0x10, 0x20 }, 0 });
	finish(1, "GET /a", 0, 100);
	CPU(1, APP, 40, 0x10, 0x20); /* late, but it was in the request */
	sum_up(0, 0, NULL);
	assert_int_equal(sums.n, 2);
	expect("GET /a", CAUSE_CPU, "leaf < main", 2, 20);
	expect("GET /a", CAUSE_LOCK, "futex_wait_[k] < do_syscall_64_[k] | leaf < main", 1, 30);
	assert_int_equal(sums.unclaimed, 1);
	finish(2, "GET /a", 0, 100); /* two processes, one stack */
	finish(3, "GET /b", 0, 100);
	CPU(3, APP2, 50, 0x1010, 0x1020);
	sum_up(0, 0, NULL);
	expect("GET /a", CAUSE_CPU, "leaf < main", 3, 30);
	expect("GET /b", CAUSE_CPU, "leaf < main", 1, 10);
	assert_int_equal(sums.unclaimed, 0);
	assert_int_equal(stacks_counters(st).cpu_samples, 4);
	assert_int_equal(stacks_counters(st).waits, 1);
	assert_int_equal(stacks_counters(st).dropped, 0);
	end();
}

/* A wait for others knows its call as long as its request is there: ended or in flight. */
static void waits_find_their_call(void **state)
{
	struct request_call call = { .peer = intern_str("db"),
				     .what = intern_str("SELECT a"),
				     .start_ns = T0 + 10 * MS,
				     .wall_ns = 40 * MS };
	struct request r = request_of(1, "GET /a", 0, 100), open = request_of(2, "GET /a", 0, 100);

	(void)state;
	begin((struct stacks_options){ .report = true });
	some_symbols();
	r.calls = open.calls = &call;
	r.n_calls = open.n_calls = 1;
	stack(1, APP, STATE_RECV, 10, 20, USER(0x10)); /* from the moment on that it is sent */
	stack(2, APP, STATE_RECV, 49, 5, USER(0x10));
	stack(1, APP, STATE_RECV, 9, 1, USER(0x10));
	stack(1, APP, STATE_RECV, 50, 3, USER(0x10));
	stack(1, APP, STATE_DISK, 20, 7, USER(0x20));
	stacks_request(st, &r, true);
	stack(1, APP, STATE_RECV, 20, 8, USER(0x10)); /* late */
	sum_up(0, 0, &open);
	assert_int_equal(sums.n, 3);
	assert_int_equal(sums.v[0].cause, CAUSE_DISK);
	assert_int_equal(sums.v[0].peer, 0);
	assert_int_equal(sums.v[1].peer, 0);
	assert_int_equal(sums.v[1].ns, 12 * MS);
	assert_string_equal(intern_text(sums.v[2].peer), "db");
	assert_string_equal(intern_text(sums.v[2].what), "SELECT a");
	assert_int_equal(sums.v[2].samples, 2);
	assert_int_equal(sums.v[2].ns, 25 * MS);
	end();
}

static void what_is_after_the_answer(void **state)
{
	(void)state;
	begin((struct stacks_options){ .report = true });
	some_symbols();
	CPU(1, APP, 100, 0x10); /* at the very end */
	CPU(1, APP, 101, 0x10);
	stack(1, APP, STATE_DISK, 90, 30, USER(0x10)); /* 10 ms of it until the answer */
	stack(1, APP, STATE_DISK, 100, 30, USER(0x20));
	finish(1, "GET /a", 0, 100);
	CPU(1, APP, 102, 0x10);
	stack(1, APP, STATE_DISK, UINT64_MAX / MS / 2, 1, USER(0x20));
	sum_up(0, 0, NULL);
	assert_int_equal(samples(), 2);
	expect("GET /a", CAUSE_CPU, "leaf", 1, 10);
	expect("GET /a", CAUSE_DISK, "[kernel stack missing]_[k] | leaf", 1, 10);
	assert_int_equal(stacks_counters(st).after_answer, 4);
	end();
}

static void unwanted_requests_are_forgotten(void **state)
{
	struct request r = { .xid = 1, .end_ns = T0 + 100 * MS };

	(void)state;
	begin((struct stacks_options){ .report = true });
	CPU(1, APP, 10, 0x10);
	stacks_request(st, &r, false);
	CPU(1, APP, 10, 0x10);
	CPU(1, APP, 200, 0x10);
	sum_up(0, 0, NULL);
	assert_int_equal(sums.n, 0);
	assert_int_equal(sums.unclaimed, 0);
	assert_int_equal(stacks_counters(st).after_answer, 0);
	end();
}

static void requests_in_flight(void **state)
{
	struct request r = request_of(1, "GET /a", 0, 50);

	(void)state;
	begin((struct stacks_options){ .report = true });
	some_symbols();
	r.flags = REQUEST_OPEN;
	CPU(1, APP, 10, 0x10);
	CPU(1, APP, 60, 0x10); /* newer than "now": in flight means that there is no end yet */
	for (int i = 0; i < 2; i++) { /* looking does not take them */
		sum_up(0, 0, &r);
		assert_int_equal(sums.n, 1);
		expect("GET /a", CAUSE_CPU, "leaf", 2, 20);
		assert_int_equal(sums.unclaimed, 0);
	}
	finish(1, "GET /b", 0, 55); /* it gets its name at the end */
	sum_up(0, 0, NULL);
	assert_int_equal(sums.n, 1);
	expect("GET /b", CAUSE_CPU, "leaf", 1, 10);
	end();
}

static void causes_of_waits(void **state)
{
	static const struct {
		int state;
		enum cause cause;
	} cases[] = {
		{ STATE_RUNQ, CAUSE_RUNQ },     { STATE_THROTTLE, CAUSE_THROTTLE },
		{ STATE_DISK, CAUSE_DISK },     { STATE_FAULT, CAUSE_FAULT },
		{ STATE_LOCK, CAUSE_LOCK },     { STATE_RECV, CAUSE_UPSTREAM },
		{ STATE_SEND, CAUSE_SEND },     { STATE_CONNECT, CAUSE_UPSTREAM },
		{ STATE_POLL, CAUSE_UPSTREAM }, { STATE_SLEEP, CAUSE_SLEEP },
		{ STATE_IPC, CAUSE_IPC },       { STATE_KERNEL, CAUSE_LOCK },
		{ STATE_OTHER, CAUSE_OTHER },   { STATE_COUNT, CAUSE_OTHER },
		{ UINT16_MAX, CAUSE_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin((struct stacks_options){ .report = true });
		stack(1, APP, cases[i].state, 1, 2, USER(0x10));
		finish(1, "GET /a", 0, 100);
		sum_up(0, 0, NULL);
		assert_int_equal(sums.n, 1);
		assert_int_equal(sums.v[0].cause, cases[i].cause);
		end();
	}
}

static void missing_frames_show(void **state)
{
	static const struct {
		struct frames f;
		int state;
		const char *text;
	} cases[] = {
		{ { { 0x10 }, { 0 }, STACK_NO_USER },
		  STATE_LOCK,
		  "futex_wait_[k] | [user stack missing: could not be read]" },
		{ { { 0x10 }, { 0 }, 0 },
		  STATE_LOCK,
		  "futex_wait_[k] | [user stack missing: could not be read]" },
		{ { { 0x10 }, { 0 }, STACK_USER_SKIPPED },
		  STATE_LOCK,
		  "futex_wait_[k] | [user stack missing: another was taken just before]" },
		{ { { 0x10 }, { 0 }, STACK_USER_SHORT | STACK_NO_USER },
		  STATE_LOCK,
		  "futex_wait_[k] | [user stack missing: no frame pointers]" },
		{ { { 0 }, { 0x10 }, STACK_USER_SHORT },
		  STATE_RUN,
		  "leaf < [callers missing: no frame pointers]" },
		{ { { 0 }, { 0x10, 0x20 }, STACK_USER_CUT },
		  STATE_RUN,
		  "leaf < main < [callers missing: too deep]" },
		{ { { 0x10 }, { 0x10 }, STACK_KERNEL_CUT },
		  STATE_LOCK,
		  "futex_wait_[k] < [kernel callers missing: too deep]_[k] | leaf" },
		{ { { 0 }, { 0x10 }, STACK_IN_KERNEL },
		  STATE_RUN,
		  "[kernel stack missing]_[k] | leaf" },
		{ { { 0 }, { 0x10 }, STACK_NO_KERNEL }, STATE_RUN, "leaf" }, /* it ran outside */
		{ { { 0x99 }, { 0x99 }, 0 }, STATE_LOCK, "[unknown]_[k] | [unknown]" },
		{ { { 0 }, { 0x30 }, 0 }, STATE_RUN, "libx.so+0x30" },
	};
	struct stacks_counters c;

	(void)state;
	begin((struct stacks_options){ .report = true });
	some_symbols();
	sym(APP, 0x30, "libx.so+0x30", SYM_UNKNOWN);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char route[32];

		snprintf(route, sizeof(route), "GET /%zu", i);
		stack(i + 1, APP, cases[i].state, 10, 10, cases[i].f);
		finish(i + 1, route, 0, 100);
		sum_up(0, 0, NULL);
		expect(route, cases[i].state == STATE_RUN ? CAUSE_CPU : CAUSE_LOCK, cases[i].text,
		       1, 10);
	}
	c = stacks_counters(st);
	assert_int_equal(c.no_user, 2);
	assert_int_equal(c.user_skipped, 1);
	assert_int_equal(c.user_short, 2);
	assert_int_equal(c.user_cut, 1);
	assert_int_equal(c.kernel_cut, 1);
	assert_int_equal(c.no_kernel, 1);
	assert_int_equal(c.unknown_symbols, 3);
	end();
}

static void symbols_replace_each_other(void **state)
{
	(void)state;
	begin((struct stacks_options){ .report = true });
	sym(APP, 0x10, "before", 0);
	CPU(1, APP, 1, 0x10);
	sym(APP, 0x10, "after exec", 0);
	CPU(1, APP, 2, 0x10);
	finish(1, "GET /a", 0, 100);
	sum_up(0, 0, NULL);
	expect("GET /a", CAUSE_CPU, "before", 1, 10);
	expect("GET /a", CAUSE_CPU, "after exec", 1, 10);
	end();
}

static void the_window_slides(void **state)
{
	struct request open = request_of(9, "GET /open", 0, 0);

	(void)state;
	begin((struct stacks_options){ .window_ns = 10 * S, .max_stacks = 2 });
	some_symbols();
	CPU(1, APP, 1000, 0x10);
	CPU(1, APP, 8000, 0x20);
	CPU(9, APP, 2000, 0x10);
	CPU(9, APP, 8000, 0x10);
	finish(1, "GET /a", 0, 9000);
	tick(9000);
	sum_up(0, 9000, NULL);
	assert_int_equal(samples(), 2);
	sum_up(5000, 9000, &open);
	assert_int_equal(samples(), 2);
	expect("GET /a", CAUSE_CPU, "main", 1, 10);
	expect("GET /open", CAUSE_CPU, "leaf", 1, 10);
	sum_up(0, 8000, NULL); /* the end is not part of it */
	assert_int_equal(samples(), 1);
	assert_int_equal(sums.unclaimed, 0); /* its request may still come */
	/* what has left the window leaves its room to others */
	tick(30000);
	assert_int_equal(stacks_counters(st).expired, 2);
	for (uint64_t i = 0; i < 10; i++) {
		sym(APP, 0x100 + i, i % 2 ? "odd" : "even", 0);
		CPU(2, APP, 31000 + i, 0x100 + i);
	}
	finish(2, "GET /b", 31000, 32000);
	tick(32000);
	sum_up(22000, 32000, NULL);
	expect("GET /b", CAUSE_CPU, "odd", 5, 50);
	expect("GET /b", CAUSE_CPU, "even", 5, 50);
	assert_int_equal(stacks_counters(st).folded, 0);
	assert_int_equal(stacks_counters(st).dropped, 0);
	end();
}

static void full_window(void **state)
{
	(void)state;
	begin((struct stacks_options){ .max_events = 4, .window_ns = 10 * S });
	some_symbols();
	tick(1000);
	for (uint64_t i = 0; i < 6; i++)
		CPU(1, APP, 500 + i, i < 2 ? 0x10 : 0x20);
	finish(1, "GET /a", 0, 1000);
	sum_up(0, 2000, NULL);
	assert_int_equal(sums.n, 1);
	expect("GET /a", CAUSE_CPU, "main", 4, 40);
	assert_int_equal(stacks_counters(st).dropped, 2);
	end();
}

static void full_stacks(void **state)
{
	(void)state;
	begin((struct stacks_options){ .report = true, .max_stacks = 2 });
	some_symbols();
	CPU(1, APP, 1, 0x10);
	CPU(1, APP, 2, 0x20);
	CPU(1, APP, 3, 0x10, 0x20);
	CPU(1, APP, 4, 0x20, 0x10);
	CPU(1, APP, 5, 0x20);
	finish(1, "GET /a", 0, 100);
	sum_up(0, 0, NULL);
	assert_int_equal(sums.n, 3);
	expect("GET /a", CAUSE_CPU, "leaf", 1, 10);
	expect("GET /a", CAUSE_CPU, "main", 2, 20);
	expect("GET /a", CAUSE_CPU, "[other]", 2, 20);
	assert_int_equal(stacks_counters(st).folded, 2);
	end();
}

static void full_sums(void **state)
{
	(void)state;
	begin((struct stacks_options){ .report = true, .max_sums = 2 });
	some_symbols();
	CPU(1, APP, 1, 0x10);
	CPU(1, APP, 2, 0x20);
	CPU(1, APP, 3, 0x10, 0x20);
	CPU(1, APP, 4, 0x20, 0x10);
	CPU(1, APP, 5, 0x10);
	finish(1, "GET /a", 0, 100);
	CPU(2, APP, 5, 0x10);
	finish(2, "GET /b", 0, 100);
	sum_up(0, 0, NULL);
	assert_int_equal(samples(), 6);
	expect("GET /a", CAUSE_CPU, "[other]", 2, 20);
	expect("GET /b", CAUSE_CPU, "[other]", 1, 10);
	assert_int_equal(stacks_counters(st).folded, 3);
	assert_int_equal(stacks_counters(st).dropped, 0);
	end();
}

static void full_pending(void **state)
{
	(void)state;
	begin((struct stacks_options){ .report = true, .max_pending = 4 });
	some_symbols();
	CPU(1, APP, 1, 0x10);
	CPU(2, APP, 2, 0x10);
	CPU(2, APP, 3, 0x10);
	CPU(1, APP, 4, 0x10); /* so 2 is the one that got none for longest */
	CPU(3, APP, 5, 0x10);
	assert_int_equal(stacks_counters(st).dropped, 2);
	finish(1, "GET /1", 0, 100);
	finish(2, "GET /2", 0, 100);
	finish(3, "GET /3", 0, 100);
	sum_up(0, 0, NULL);
	assert_int_equal(sums.n, 2);
	expect("GET /1", CAUSE_CPU, "leaf", 2, 20);
	expect("GET /3", CAUSE_CPU, "leaf", 1, 10);
	end();
}

static void full_known(void **state)
{
	(void)state;
	begin((struct stacks_options){ .report = true, .max_known = 2 });
	some_symbols();
	CPU(9, APP, 1, 0x10);
	finish(1, "GET /1", 0, 100);
	finish(2, "GET /2", 0, 100);
	finish(3, "GET /3", 0, 100);
	for (uint64_t xid = 1; xid <= 3; xid++)
		CPU(xid, APP, 2, 0x10);
	sum_up(0, 0, NULL);
	assert_int_equal(sums.n, 2); /* the first one is forgotten */
	expect("GET /2", CAUSE_CPU, "leaf", 1, 10);
	expect("GET /3", CAUSE_CPU, "leaf", 1, 10);
	assert_int_equal(sums.unclaimed, 2);
	end();
}

/* Anything, many times, with small bounds: each sample is somewhere. */
static void nothing_is_lost_silently(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct stacks_counters c;
		unsigned n = seed;

		begin((struct stacks_options){ .report = true,
					       .max_stacks = 1 + seed % 7,
					       .max_pending = 1 + seed % 5 * 8,
					       .max_known = 1 + seed % 3 * 4,
					       .max_sums = 1 + seed % 4 * 3 });
		some_symbols();
		for (int i = 0; i < 3000; i++) {
			uint64_t xid;

			n = n * 1103515245u + 12345u;
			xid = (uint64_t)(i / 20) + (n >> 8) % 8;
			if ((n >> 16) % 6 == 0)
				finish(xid, xid % 3 ? "GET /a" : "GET /b", 0, 40);
			else
				stack(xid, APP, (n >> 16) % 2 ? STATE_RUN : STATE_LOCK,
				      (n >> 20) % 50, 1,
				      USER(0x10 * (1 + (n >> 12) % 5), 0x10 * (1 + (n >> 24) % 3)));
		}
		sum_up(0, 0, NULL);
		c = stacks_counters(st);
		assert_int_equal(samples() + sums.unclaimed + sums.dropped + c.after_answer +
					 c.dropped,
				 c.cpu_samples + c.waits);
		assert_true(c.folded > 0 && c.dropped > 0 && c.after_answer > 0);
		end();
	}
}

static int teardown(void **state)
{
	(void)state;
	intern_release();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_find_their_request),
		cmocka_unit_test(waits_find_their_call),
		cmocka_unit_test(what_is_after_the_answer),
		cmocka_unit_test(unwanted_requests_are_forgotten),
		cmocka_unit_test(requests_in_flight),
		cmocka_unit_test(causes_of_waits),
		cmocka_unit_test(missing_frames_show),
		cmocka_unit_test(symbols_replace_each_other),
		cmocka_unit_test(the_window_slides),
		cmocka_unit_test(full_window),
		cmocka_unit_test(full_stacks),
		cmocka_unit_test(full_sums),
		cmocka_unit_test(full_pending),
		cmocka_unit_test(full_known),
		cmocka_unit_test(nothing_is_lost_silently),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
