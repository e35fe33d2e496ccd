// SPDX-License-Identifier: GPL-2.0-only
/* Names of addresses: of a process and of the kernel, and which are forgotten when it is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "aggregate/frame_names.h"
#include "base/intern.h"

static struct frame_names s;

static void add(uint32_t tgid, uint64_t addr, const char *text, uint32_t flags)
{
	struct rec_sym r = {
		.h = { sizeof(r), REC_SYM, 0, 0 }, .addr = addr, .tgid = tgid, .flags = flags
	};

	memcpy(r.text, text, strlen(text));
	assert_int_equal(frame_names_add(&s, &r), 0);
}

static void expect(uint32_t tgid, uint64_t addr, const char *text, bool known)
{
	bool is_known = !known;

	assert_string_equal(intern_text(frame_names_get(&s, tgid, addr, &is_known)), text);
	assert_int_equal(is_known, known);
}

static void names(void **state)
{
	char longest[ABI_SYM_TEXT + 1];

	(void)state;
	frame_names_init(&s, 100, 100);
	memset(longest, 'x', ABI_SYM_TEXT);
	longest[ABI_SYM_TEXT] = '\0';
	add(1, 0x10, "main", 0);
	add(2, 0x10, "start", 0);
	add(0, 0x10, "schedule", SYM_KERNEL);
	add(1, 0x20, "a.out+0x20", SYM_UNKNOWN);
	add(1, 0x30, "[gone]", SYM_NO_MAP);
	add(1, 0x40, longest, 0); /* no NUL at its end */
	add(1, 0x50, "", 0);
	expect(1, 0x10, "main", true);
	expect(2, 0x10, "start", true);
	expect(0, 0x10, "schedule_[k]", true);
	expect(1, 0x20, "a.out+0x20", false);
	expect(1, 0x30, "[gone]", false);
	expect(1, 0x40, longest, true);
	expect(1, 0x50, "[unknown]", false);
	expect(3, 0x10, "[unknown]", false);
	expect(0, 0x20, "[unknown]_[k]", false);
	add(1, 0x10, "main2", 0);
	expect(1, 0x10, "main2", true);
	frame_names_release(&s);
}

/* Four times as many as there is room for, while one is used all the time. */
static void unused_ones_are_forgotten(void **state)
{
	enum { ROOM = 64 };

	(void)state;
	frame_names_init(&s, ROOM, ROOM);
	add(1, 1, "used", 0);
	add(1, 2, "unused", 0);
	for (uint64_t i = 0; i < 4 * ROOM; i++) {
		add(2, i, "f", 0);
		expect(1, 1, "used", true);
		expect(2, i, "f", true);
		assert_true(s.young.n + s.old.n <= ROOM);
	}
	expect(1, 2, "[unknown]", false);
	expect(2, 4 * ROOM - ROOM / 4, "f", true);
	frame_names_release(&s);
}

/* A process makes up names without end, while one is used all the time. */
static void made_up_names_are_forgotten(void **state)
{
	enum { ROOM = 16 };
	char text[16];

	(void)state;
	frame_names_init(&s, 1000, ROOM);
	add(1, 1, "used", 0);
	add(0, 9, "used", SYM_KERNEL);
	for (uint64_t i = 0; i < 10 * ROOM; i++) {
		snprintf(text, sizeof(text), "f%u", (unsigned)i);
		add(2, i, text, 0);
		expect(2, i, text, true);
		expect(1, 1, "used", true);
		expect(0, 9, "used_[k]", true);
		assert_true(s.texts.n <= ROOM / 2);
		assert_true(s.young.n + s.old.n <= ROOM);
	}
	expect(2, 0, "[unknown]", false);
	add(3, 1, "new", 0);
	expect(3, 1, "new", true);
	frame_names_release(&s);
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
		cmocka_unit_test(names),
		cmocka_unit_test(unused_ones_are_forgotten),
		cmocka_unit_test(made_up_names_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
