// SPDX-License-Identifier: GPL-2.0-only
/* Records of earlier captures, laid out here byte by byte, in the form that they have today. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/record.h"
#include "ingest/record_old.h"

enum {
	/* sizes and offsets as they were */
	XCHG_BYTES = 648,
	XCHG_STATES = 248,
	XCHG_REQ_TOTAL = 360,
	XCHG_REQ_LEN = 368,
	XCHG_TAIL_LEN = 372,
	XCHG_TAIL = 376,
	XCHG_RSP = 392,
	THREAD_BYTES = 240,
	THREAD_STATES = 40,
	THREAD_KEY = 152,
	THREAD_NAME = 176,
	STATES = 14,
};

static struct rec_hdr *old_record(uint16_t type, uint32_t len)
{
	unsigned char *bytes = calloc(1, len);
	struct rec_hdr h = { .len = len, .type = type, .cpu = 1, .ts_ns = 77 };

	assert_non_null(bytes);
	memcpy(bytes, &h, sizeof(h));
	return (void *)bytes;
}

static void put64(struct rec_hdr *rec, size_t at, uint64_t v)
{
	memcpy((unsigned char *)rec + at, &v, sizeof(v));
}

static void put16(struct rec_hdr *rec, size_t at, uint16_t v)
{
	memcpy((unsigned char *)rec + at, &v, sizeof(v));
}

static void test_exchange(void **state)
{
	static const char head[] = "GET /a HTTP/1.1\r\n";
	const uint16_t head_len = sizeof(head) - 1;
	struct rec_hdr *old = old_record(REC_XCHG_1, XCHG_BYTES + head_len), *to;
	const struct rec_xchg *x;

	(void)state;
	put64(old, sizeof(struct rec_hdr), 4711); /* xid */
	for (int i = 0; i < STATES; i++)
		put64(old, XCHG_STATES + 8 * (size_t)i, 1000 + (uint64_t)i);
	put16(old, XCHG_REQ_TOTAL, 333);
	put16(old, XCHG_REQ_LEN, head_len);
	put16(old, XCHG_REQ_LEN + 2, 4);
	((unsigned char *)old)[XCHG_TAIL_LEN] = 3;
	memcpy((unsigned char *)old + XCHG_TAIL, "xyz", 3);
	memcpy((unsigned char *)old + XCHG_RSP, "HTTP", 4);
	memcpy((unsigned char *)old + XCHG_BYTES, head, head_len);
	assert_true(record_is_old(old));
	to = malloc(old->len + RECORD_OLD_GROWTH);
	assert_non_null(to);
	memset(to, 0xee, old->len + RECORD_OLD_GROWTH);
	x = (const void *)record_present(old, to);
	assert_int_equal(record_check(&x->h), 1);
	assert_int_equal(x->h.type, REC_XCHG);
	assert_int_equal(x->h.len, sizeof(*x) + head_len);
	assert_int_equal(x->h.cpu, 1);
	assert_int_equal(x->h.ts_ns, 77);
	assert_int_equal(x->xid, 4711);
	for (int i = 0; i < STATE_COUNT; i++)
		assert_int_equal(x->state_ns[i], i < STATES ? 1000 + i : 0);
	assert_int_equal(x->req_total, 333);
	assert_int_equal(x->req_len, head_len);
	assert_int_equal(x->rsp_len, 4);
	assert_int_equal(x->tail_len, 3);
	assert_memory_equal(x->tail, "xyz", 3);
	assert_memory_equal(x->rsp, "HTTP", 4);
	assert_false(x->flags & XCHG_POS);
	assert_int_equal(x->pos[0], 0);
	assert_memory_equal(x + 1, head, head_len);
	free(to);
	free(old);
}

static void test_thread(void **state)
{
	struct rec_hdr *old = old_record(REC_THREAD_1, THREAD_BYTES), *to;
	const struct rec_thread *t;

	(void)state;
	for (int i = 0; i < STATES; i++)
		put64(old, THREAD_STATES + 8 * (size_t)i, 10 + (uint64_t)i);
	put64(old, THREAD_KEY, 99);
	put16(old, THREAD_KEY + 16, STATE_LOCK);
	memcpy((unsigned char *)old + THREAD_NAME, "a/b", 3);
	assert_true(record_is_old(old));
	to = malloc(old->len + RECORD_OLD_GROWTH);
	assert_non_null(to);
	t = (const void *)record_present(old, to);
	assert_int_equal(record_check(&t->h), 1);
	assert_int_equal(t->h.type, REC_THREAD);
	for (int i = 0; i < STATE_COUNT; i++)
		assert_int_equal(t->state_ns[i], i < STATES ? 10 + i : 0);
	assert_int_equal(t->key, 99);
	assert_int_equal(t->state, STATE_LOCK);
	assert_string_equal((const char *)t->name, "a/b");
	free(to);
	free(old);
}

/* What a reader must not look behind: types of today, and old ones that are too short. */
static void test_left_alone(void **state)
{
	static const struct rec_hdr recs[] = {
		{ .len = sizeof(struct rec_xchg), .type = REC_XCHG },
		{ .len = sizeof(struct rec_tick), .type = REC_TICK },
		{ .len = 60000, .type = 999 },
		{ .len = XCHG_BYTES - 1, .type = REC_XCHG_1 },
		{ .len = THREAD_BYTES - 1, .type = REC_THREAD_1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(recs) / sizeof(recs[0]); i++)
		assert_false(record_is_old(&recs[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_thread),
		cmocka_unit_test(test_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
