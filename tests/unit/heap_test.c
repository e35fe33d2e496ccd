// SPDX-License-Identifier: GPL-2.0-only
/* The bounded heap: order, ties, its bound, and keeping the K largest. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/heap.h"

static void test_leaves_in_order(void **state)
{
	struct heap_item item, last = { 0 };
	uint64_t x = 12345;
	struct heap h;
	int popped = 0;

	(void)state;
	heap_init(&h, 1000);
	for (uint64_t i = 0; i < 1000; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		assert_int_equal(heap_push(&h, (struct heap_item){ (x >> 40) % 50, i, NULL }), 0);
	}
	assert_int_equal(heap_push(&h, (struct heap_item){ 0 }), -ENOSPC);
	assert_int_equal(h.n, 1000);
	while (heap_pop(&h, &item)) {
		assert_true(!popped || last.key < item.key ||
			    (last.key == item.key && last.tie < item.tie));
		last = item;
		popped++;
	}
	assert_int_equal(popped, 1000);
	assert_null(heap_min(&h));
	heap_release(&h);
}

static void test_keeps_the_largest(void **state)
{
	struct heap_item out;
	struct heap h;

	(void)state;
	heap_init(&h, 4);
	/* 37 * i mod 101 visits each of 1..100 once. */
	for (uint64_t i = 1; i <= 100; i++) {
		struct heap_item item = { 37 * i % 101, i, NULL };

		if (heap_push(&h, item) == -ENOSPC && heap_min(&h)->key < item.key)
			heap_replace_min(&h, item, &out);
	}
	for (uint64_t want = 97; want <= 100; want++) {
		assert_true(heap_pop(&h, &out));
		assert_int_equal(out.key, want);
	}
	assert_false(heap_pop(&h, &out));
	heap_release(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves_in_order),
		cmocka_unit_test(test_keeps_the_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
