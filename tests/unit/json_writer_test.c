// SPDX-License-Identifier: GPL-2.0-only
/* The writer makes valid JSON of any bytes and notices a failed write. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/json.h"
#include "unit/view_fixture.h"
#include "unit/view_json_check.h"

static char *text;
static size_t text_len;

static FILE *memory(struct json *j)
{
	FILE *f = open_memstream(&text, &text_len);

	assert_non_null(f);
	json_init(j, f);
	return f;
}

static void exact_output(void **state)
{
	struct json j;
	FILE *f = memory(&j);

	(void)state;
	json_open_object(&j, NULL);
	json_str(&j, "s", "a\"b\\c\n\x1f\x7f");
	json_u64(&j, "u", UINT64_MAX);
	json_u64_str(&j, "id", UINT64_MAX);
	json_i64(&j, "i", INT64_MIN);
	json_f64(&j, "f", 0.25);
	json_f64(&j, "whole", 100);
	json_f64(&j, "nan", NAN);
	json_f64(&j, "tiny", -1e-9);
	json_open_array(&j, "a");
	json_bool(&j, NULL, true);
	json_null(&j, NULL);
	json_open_object(&j, NULL);
	json_close_object(&j);
	json_close_array(&j);
	json_open_array(&j, "empty");
	json_close_array(&j);
	json_close_object(&j);
	assert_int_equal(json_end_line(&j), 0);
	assert_int_equal(json_finish(&j), 0);
	fclose(f);
	assert_string_equal(text, "{\"s\":\"a\\\"b\\\\c\\u000a\\u001f\\u007f\","
				  "\"u\":18446744073709551615,\"id\":\"18446744073709551615\","
				  "\"i\":-9223372036854775808,\"f\":0.25,\"whole\":100,"
				  "\"nan\":null,\"tiny\":0,\"a\":[true,null,{}],\"empty\":[]}\n");
	free(text);
}

static void hostile_strings(void **state)
{
	size_t n;
	const char *const *names = fixture_hostile_names(&n);

	(void)state;
	for (size_t i = 0; i < n + 1; i++) {
		char every[256];
		struct json j;
		FILE *f = memory(&j);

		for (int c = 0; c < 255; c++)
			every[c] = (char)(c + 1);
		every[255] = '\0';
		json_str(&j, NULL, i < n ? names[i] : every);
		json_end_line(&j);
		assert_int_equal(json_finish(&j), 0);
		fclose(f);
		text[strlen(text) - 1] = '\0';
		assert_true(json_check(text));
		free(text);
	}
}

static void invalid_bytes_are_marked(void **state)
{
	struct json j;
	FILE *f = memory(&j);

	(void)state;
	json_str(&j, NULL,
		 "a\xff"
		 "b\xe2\x82");
	json_end_line(&j);
	fclose(f);
	assert_string_equal(text, "\"a\xef\xbf\xbd"
				  "b\xef\xbf\xbd\xef\xbf\xbd\"\n");
	free(text);
}

static void write_errors_are_kept(void **state)
{
	FILE *f = fopen("/dev/full", "w");
	struct json j;

	(void)state;
	assert_non_null(f);
	json_init(&j, f);
	json_str(&j, NULL, "x");
	json_end_line(&j);
	assert_int_equal(json_finish(&j), -ENOSPC);
	json_str(&j, NULL, "more");
	assert_int_equal(json_finish(&j), -ENOSPC);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_output),
		cmocka_unit_test(hostile_strings),
		cmocka_unit_test(invalid_bytes_are_marked),
		cmocka_unit_test(write_errors_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
