// SPDX-License-Identifier: GPL-2.0-only
/* Names come before the stacks that need them: with a namer that answers when it is told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "probe/stack_hold.h"

enum { ASKS = 1024, OUT = 8192 };

/* ---- the namer and the stream ------------------------------------------------------------ */

static struct {
	struct symbol_ask asks[ASKS];
	size_t first, n; /* not answered yet, from first on */
	size_t room; /* questions that may be open */
	size_t may_answer;
	char forgotten[256]; /* "7 " for each */
} namer;

static char out[OUT]; /* what was delivered: "sym tgid:addr" and "stack xid", a blank each */
static struct rec_sym last_sym;
static int sink_result;

static int fake_ask(void *ctx, const struct symbol_ask *asks, size_t n)
{
	(void)ctx;
	if (namer.n - namer.first + n > namer.room)
		return -EAGAIN;
	for (size_t i = 0; i < n; i++)
		namer.asks[namer.n++] = asks[i];
	assert_true(namer.n <= ASKS);
	return 0;
}

static bool fake_take(void *ctx, struct symbol_answer *answer)
{
	(void)ctx;
	if (!namer.may_answer || namer.first == namer.n)
		return false;
	namer.may_answer--;
	*answer = (struct symbol_answer){ .ask = namer.asks[namer.first++] };
	snprintf(answer->sym.text, sizeof(answer->sym.text), "f%llx",
		 (unsigned long long)answer->ask.addr);
	snprintf(answer->sym.module, sizeof(answer->sym.module), "m");
	answer->sym.flags = answer->ask.tgid ? 0 : SYM_KERNEL;
	return true;
}

static void fake_forget(void *ctx, uint32_t tgid)
{
	size_t len = strlen(namer.forgotten);

	(void)ctx;
	snprintf(namer.forgotten + len, sizeof(namer.forgotten) - len, "%u ", tgid);
}

static int to_stream(void *ctx, const struct rec_hdr *rec)
{
	size_t len = strlen(out);

	(void)ctx;
	if (rec->type == REC_SYM) {
		memcpy(&last_sym, rec, sizeof(last_sym));
		assert_int_equal(rec->len, sizeof(last_sym));
		snprintf(out + len, OUT - len, "%u:%llx ", last_sym.tgid,
			 (unsigned long long)last_sym.addr);
	} else {
		assert_int_equal(rec->type, REC_STACK);
		snprintf(out + len, OUT - len, "S%llu ",
			 (unsigned long long)((const struct rec_stack *)(const void *)rec)->xid);
	}
	return sink_result;
}

static const struct stack_sink sink = { .fn = to_stream };

static struct stack_hold *start(size_t max_stacks, size_t max_known)
{
	const struct stack_namer fake = { fake_ask, fake_take, fake_forget, NULL };
	struct stack_hold *h = stack_hold_new(&fake, max_stacks, max_known);

	memset(&namer, 0, sizeof(namer));
	namer.room = ASKS;
	out[0] = '\0';
	sink_result = 0;
	assert_non_null(h);
	return h;
}

static void delivered(const char *want)
{
	assert_string_equal(out, want);
	out[0] = '\0';
}

/* A stack of process tgid: kernel addresses, 0, user addresses, 0. */
static int add(struct stack_hold *h, uint64_t xid, uint32_t tgid, uint64_t now_ns,
	       const uint64_t *addrs)
{
	union {
		struct rec_stack s;
		char bytes[sizeof(struct rec_stack) + 64 * sizeof(uint64_t)];
	} r = { .s = { .xid = xid, .tgid = tgid, .h = { 0, REC_STACK, 0, now_ns } } };
	size_t n = 0;

	for (; addrs[n]; n++, r.s.n_kernel++)
		r.s.frames[n] = addrs[n];
	for (addrs += n + 1; *addrs; addrs++, r.s.n_user++)
		r.s.frames[n++] = *addrs;
	r.s.h.len = (uint32_t)(sizeof(r.s) + n * sizeof(uint64_t));
	return stack_hold_add(h, &r.s, now_ns, &sink);
}

#define STACK(...) ((const uint64_t[]){ __VA_ARGS__, 0 })

static void answer(struct stack_hold *h, size_t n, uint64_t now_ns)
{
	namer.may_answer = n;
	assert_int_equal(stack_hold_poll(h, now_ns, &sink), 0);
}

static void task(struct stack_hold *h, enum task_event event, uint32_t tgid, uint64_t now_ns)
{
	struct rec_task rec = { .h = { sizeof(rec), REC_TASK, 0, now_ns },
				.event = event,
				.tgid = tgid };

	stack_hold_task(h, &rec, now_ns);
}

/* ---- order ------------------------------------------------------------------------------- */

static void test_names_first(void **state)
{
	struct stack_hold *h = start(0, 0);

	(void)state;
	assert_int_equal(stack_hold_oldest_ns(h), UINT64_MAX);
	add(h, 1, 7, 100, STACK(0xa, 0xb, 0, 0x1, 0x2));
	delivered("");
	assert_int_equal(stack_hold_oldest_ns(h), 100);
	answer(h, 3, 101);
	delivered("0:a 0:b 7:1 ");
	answer(h, 1, 102);
	delivered("7:2 S1 ");
	assert_int_equal(last_sym.h.ts_ns, 102);
	assert_string_equal((char *)last_sym.text, "f2");
	assert_string_equal((char *)last_sym.module, "m");
	assert_int_equal(stack_hold_oldest_ns(h), UINT64_MAX);
	/* all named: at once */
	add(h, 2, 7, 103, STACK(0xb, 0, 0x2, 0x1));
	delivered("S2 ");
	/* the same addresses of another process are others, those of the kernel are not */
	add(h, 3, 8, 104, STACK(0xb, 0, 0x2));
	delivered("");
	answer(h, 1, 105);
	delivered("8:2 S3 ");
	assert_int_equal(stack_hold_late(h), 0);
	stack_hold_free(h);
}

static void test_asked_once(void **state)
{
	struct stack_hold *h = start(0, 0);

	(void)state;
	add(h, 1, 7, 100, STACK(0, 0x1, 0x2, 0x1, 0x1)); /* recursion */
	assert_int_equal(namer.n, 2);
	add(h, 2, 7, 100, STACK(0, 0x2, 0x1));
	assert_int_equal(namer.n, 2);
	add(h, 3, 7, 100, STACK(0, 0x3));
	assert_int_equal(namer.n, 3);
	answer(h, 2, 101);
	delivered("7:1 7:2 S1 S2 ");
	answer(h, 1, 102);
	delivered("7:3 S3 ");
	stack_hold_free(h);
}

static void test_leaf_and_returns(void **state)
{
	struct stack_hold *h = start(0, 0);

	(void)state;
	add(h, 1, 7, 100, STACK(0xa, 0xb, 0, 0x1, 0x2));
	assert_false(namer.asks[0].after_call);
	assert_true(namer.asks[1].after_call);
	assert_false(namer.asks[2].after_call);
	assert_true(namer.asks[3].after_call);
	assert_int_equal(namer.asks[1].tgid, 0);
	assert_int_equal(namer.asks[2].tgid, 7);
	stack_hold_free(h);
}

static void test_known_overtakes_held(void **state)
{
	struct stack_hold *h = start(0, 0);

	(void)state;
	add(h, 1, 7, 100, STACK(0, 0x1));
	answer(h, 1, 101);
	add(h, 2, 7, 102, STACK(0, 0x2));
	add(h, 3, 7, 103, STACK(0, 0x1));
	delivered("7:1 S1 S3 ");
	stack_hold_free(h); /* frees what is held */
}

static void test_empty_stack(void **state)
{
	struct stack_hold *h = start(0, 0);

	(void)state;
	add(h, 1, 7, 100, STACK(0));
	delivered("S1 ");
	assert_int_equal(stack_hold_late(h), 0);
	stack_hold_free(h);
}

/* ---- late -------------------------------------------------------------------------------- */

static void test_patience(void **state)
{
	struct stack_hold *h = start(0, 0);

	(void)state;
	add(h, 1, 7, 100, STACK(0, 0x1));
	add(h, 2, 7, 200, STACK(0, 0x2));
	answer(h, 0, 99 + HOLD_PATIENCE_NS);
	delivered("");
	answer(h, 0, 100 + HOLD_PATIENCE_NS);
	delivered("S1 ");
	assert_int_equal(stack_hold_late(h), 1);
	/* the name comes none the less, and serves the next */
	answer(h, 2, 150 + HOLD_PATIENCE_NS);
	delivered("7:1 7:2 S2 ");
	add(h, 3, 7, 300, STACK(0, 0x1));
	delivered("S3 ");
	assert_int_equal(stack_hold_late(h), 1);
	stack_hold_free(h);
}

static void test_full_list(void **state)
{
	struct stack_hold *h = start(2, 0);

	(void)state;
	add(h, 1, 7, 100, STACK(0, 0x1));
	add(h, 2, 7, 100, STACK(0, 0x2));
	delivered("");
	add(h, 3, 7, 100, STACK(0, 0x3));
	delivered("S3 ");
	assert_int_equal(stack_hold_late(h), 1);
	answer(h, 3, 101);
	delivered("7:1 7:2 7:3 S1 S2 ");
	add(h, 4, 7, 102, STACK(0, 0x4));
	delivered("");
	stack_hold_free(h);
}

static void test_full_bytes(void **state)
{
	size_t fit = HOLD_BYTES_MAX / (sizeof(struct rec_stack) + 8);
	struct stack_hold *h = start(SIZE_MAX, 0);

	(void)state;
	for (size_t i = 0; i < fit; i++)
		add(h, i, 7, 100, STACK(0, 0x1));
	delivered("");
	add(h, fit, 7, 100, STACK(0, 0x1));
	assert_int_equal(stack_hold_late(h), 1);
	stack_hold_free(h);
}

static void test_busy_namer(void **state)
{
	struct stack_hold *h = start(0, 0);

	(void)state;
	namer.room = 2;
	add(h, 1, 7, 100, STACK(0, 0x1));
	add(h, 2, 7, 100, STACK(0, 0x1, 0x2, 0x3)); /* two more are too many: none is asked for */
	delivered("S2 ");
	assert_int_equal(namer.n, 1);
	assert_int_equal(stack_hold_late(h), 1);
	answer(h, 1, 101);
	delivered("7:1 S1 ");
	/* asked for again, now that there is room */
	add(h, 3, 7, 102, STACK(0, 0x2, 0x3));
	assert_int_equal(namer.n, 3);
	answer(h, 2, 103);
	delivered("7:2 7:3 S3 ");
	stack_hold_free(h);
}

static void test_flush(void **state)
{
	struct stack_hold *h = start(0, 0);

	(void)state;
	add(h, 1, 7, 100, STACK(0, 0x1));
	add(h, 2, 7, 100, STACK(0, 0x2));
	answer(h, 1, 101);
	delivered("7:1 S1 ");
	assert_int_equal(stack_hold_flush(h, &sink), 0);
	delivered("S2 ");
	assert_int_equal(stack_hold_late(h), 1);
	assert_int_equal(stack_hold_flush(h, &sink), 0);
	delivered("");
	/* and it goes on */
	add(h, 3, 7, 100, STACK(0, 0x3));
	answer(h, 2, 101);
	delivered("7:2 7:3 S3 ");
	stack_hold_free(h);
}

static void test_sink_that_ends(void **state)
{
	struct stack_hold *h = start(0, 0);

	(void)state;
	add(h, 1, 7, 100, STACK(0, 0x1));
	add(h, 2, 7, 100, STACK(0, 0x2));
	sink_result = -EPIPE;
	namer.may_answer = 9;
	assert_int_equal(stack_hold_poll(h, 101, &sink), -EPIPE);
	delivered("7:1 ");
	assert_int_equal(stack_hold_flush(h, &sink), -EPIPE);
	delivered("S1 ");
	sink_result = -ENOSPC;
	assert_int_equal(add(h, 3, 7, 100, STACK(0)), -ENOSPC);
	stack_hold_free(h);
}

/* ---- processes --------------------------------------------------------------------------- */

static void test_exec(void **state)
{
	struct stack_hold *h = start(0, 0);

	(void)state;
	task(h, TASK_EXEC, 9, 50); /* never seen: nothing to forget */
	assert_string_equal(namer.forgotten, "");
	add(h, 1, 7, 100, STACK(0xa, 0, 0x1));
	answer(h, 2, 101);
	delivered("0:a 7:1 S1 ");
	task(h, TASK_EXEC, 7, 102);
	assert_string_equal(namer.forgotten, "7 ");
	add(h, 2, 7, 103, STACK(0xa, 0, 0x1));
	delivered("");
	answer(h, 1, 104);
	delivered("7:1 S2 ");
	/* a stack that was held over an exec still gets its names */
	add(h, 3, 7, 105, STACK(0, 0x2));
	task(h, TASK_EXEC, 7, 106);
	answer(h, 1, 107);
	delivered("7:2 S3 ");
	stack_hold_free(h);
}

static void test_exit(void **state)
{
	struct stack_hold *h = start(0, 0);

	(void)state;
	add(h, 1, 7, 100, STACK(0, 0x1));
	answer(h, 1, 101);
	task(h, TASK_EXIT, 7, 200);
	delivered("7:1 S1 ");
	/* late stacks of it */
	add(h, 2, 7, 300, STACK(0, 0x1));
	delivered("S2 ");
	answer(h, 0, 199 + HOLD_ENDED_NS);
	assert_string_equal(namer.forgotten, "");
	answer(h, 0, 200 + 2 * HOLD_ENDED_NS);
	assert_string_equal(namer.forgotten, "7 ");
	add(h, 3, 7, 201 + 2 * HOLD_ENDED_NS, STACK(0, 0x1));
	delivered("");
	assert_int_equal(namer.n, 2);
	stack_hold_free(h);
}

static void test_id_used_again(void **state)
{
	struct stack_hold *h = start(0, 0);

	(void)state;
	add(h, 1, 7, 100, STACK(0, 0x1));
	answer(h, 1, 101);
	delivered("7:1 S1 ");
	task(h, TASK_FORK, 7, 150); /* of a child that was seen before its fork was */
	assert_string_equal(namer.forgotten, "");
	task(h, TASK_EXIT, 7, 200);
	task(h, TASK_FORK, 7, 201);
	assert_string_equal(namer.forgotten, "7 ");
	add(h, 2, 7, 300, STACK(0, 0x1));
	delivered("");
	stack_hold_free(h);
}

/* ---- bounds ------------------------------------------------------------------------------ */

static void test_few_known(void **state)
{
	struct stack_hold *h = start(0, 8);

	(void)state;
	for (uint64_t i = 1; i <= 20; i++) {
		add(h, i, 7, 100, STACK(0, i, 0xf0)); /* 0xf0 is in use all the time */
		answer(h, 2, 101);
	}
	assert_int_equal(namer.n, 21);
	out[0] = '\0';
	/* the latest is known, an old one is asked for again */
	add(h, 30, 7, 102, STACK(0, 20, 0xf0));
	delivered("S30 ");
	add(h, 31, 7, 102, STACK(0, 1));
	delivered("");
	answer(h, 1, 103);
	delivered("7:1 S31 ");
	assert_int_equal(stack_hold_late(h), 0);
	stack_hold_free(h);
}

static void test_many_processes(void **state)
{
	struct stack_hold *h = start(0, 0);

	(void)state;
	for (uint32_t tgid = 1; tgid <= HOLD_PROCS_MAX; tgid++) {
		namer.n = namer.first = 0;
		add(h, tgid, tgid, 100, STACK(0, 0x1));
		answer(h, 1, 101);
		out[0] = '\0';
	}
	assert_string_equal(namer.forgotten, "");
	namer.n = namer.first = 0;
	add(h, 1, HOLD_PROCS_MAX + 1, 100, STACK(0, 0x1));
	assert_string_equal(namer.forgotten, "0 ");
	answer(h, 1, 101);
	out[0] = '\0';
	/* the others are asked for again */
	add(h, 2, 5, 100, STACK(0, 0x1));
	delivered("");
	stack_hold_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_first),
		cmocka_unit_test(test_asked_once),
		cmocka_unit_test(test_leaf_and_returns),
		cmocka_unit_test(test_known_overtakes_held),
		cmocka_unit_test(test_empty_stack),
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_full_list),
		cmocka_unit_test(test_full_bytes),
		cmocka_unit_test(test_busy_namer),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_sink_that_ends),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_id_used_again),
		cmocka_unit_test(test_few_known),
		cmocka_unit_test(test_many_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
