// SPDX-License-Identifier: GPL-2.0-only
/* Attachments as they are printed: nothing of a foreign capture reaches the terminal as it is. */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/attachments.h"
#include "unit/view_json_check.h"

static char *printed(const struct attachments *a, int (*print)(FILE *, const struct attachments *))
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(print(f, a), 0);
	fclose(f);
	return text;
}

static void test_text(void **state)
{
	struct attachments a = { .n = 0 };
	char *text;

	(void)state;
	attachments_add(&a, SLICE_LIT("one"), SLICE_LIT("first\nsecond\n\nlast without end"));
	attachments_add(&a, SLICE_LIT("two"), SLICE_LIT(""));
	text = printed(&a, attachments_print);
	assert_string_equal(text,
			    "-- one --------------------------------------------------------"
			    "-----------------\nfirst\nsecond\n\nlast without end\n"
			    "\n-- two --------------------------------------------------------"
			    "-----------------\n");
	free(text);
	attachments_release(&a);
}

static void test_hostile(void **state)
{
	struct attachments a = { .n = 0 };
	char bytes[256], *text;

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (char)(255 - i); /* a NUL at its end, where it would cut */
	attachments_add(&a, SLICE_LIT("x"), (struct slice){ bytes, sizeof(bytes) });
	attachments_add(&a, SLICE_LIT("y"),
			SLICE_LIT("\033]52;c;ZXZpbA==\a\033[2J\r\xc2\x9b"
				  "31m"));
	text = printed(&a, attachments_print);
	for (const char *p = text; *p; p++)
		assert_false((unsigned char)*p < ' ' && *p != '\n');
	assert_null(strstr(text, "\xc2\x9b"));
	assert_null(strchr(text, 0x7f));
	free(text);
	text = printed(&a, attachments_json);
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		assert_true(json_check(line));
	free(text);
	attachments_release(&a);
}

static void test_bounds(void **state)
{
	struct attachments a = { .n = 0 };
	size_t len = ATTACHMENTS_BYTES_MAX / 4;
	char *big = malloc(len), *text;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', len);
	for (int i = 0; i < 6; i++)
		attachments_add(&a, SLICE_LIT("big"), (struct slice){ big, len });
	assert_int_equal(a.n, 4);
	assert_int_equal(a.dropped, 2);
	attachments_release(&a);
	a = (struct attachments){ .n = 0 };
	for (int i = 0; i < 2 * ATTACHMENTS_MAX; i++)
		attachments_add(&a, SLICE_LIT("small"), SLICE_LIT("text"));
	assert_int_equal(a.n, ATTACHMENTS_MAX);
	text = printed(&a, attachments_print);
	assert_non_null(strstr(text, "\n64 more, for which there is no room\n"));
	free(text);
	attachments_release(&a);
	free(big);
}

static void test_full(void **state)
{
	struct attachments a = { .n = 0 };
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(f);
	attachments_add(&a, SLICE_LIT("one"), SLICE_LIT("text\n"));
	assert_int_equal(attachments_print(f, &a), -ENOSPC);
	fclose(f);
	f = fopen("/dev/full", "w");
	assert_non_null(f);
	assert_int_equal(attachments_json(f, &a), -ENOSPC);
	fclose(f);
	attachments_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_full),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
