// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stored capture through the pipeline while somebody makes up names without end: what is shown
 * of it is the same as without them, byte for byte. So everything that holds a name for long keeps
 * it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/intern.h"
#include "export/folded.h"
#include "export/ndjson.h"
#include "export/text.h"
#include "ingest/capture_read.h"
#include "pipeline.h"

enum { CAPACITY = 16384, NOISE = 60 /* names for each record */ };

static unsigned made_up;

static void make_up(unsigned n)
{
	while (n--)
		intern_fmt("GET /made-up-%u", made_up++);
}

static void show(FILE *f, const struct snapshot *s)
{
	static const struct text_opts to = { .internal = true };

	assert_int_equal(export_text(f, s, EXPORT_ALL, &to), 0);
	assert_int_equal(export_ndjson(f, s, EXPORT_ALL), 0);
	assert_int_equal(export_folded(f, s, EXPORT_WALL), 0);
}

/* What is shown of a capture; a snapshot of its middle is shown at the end, too. */
static char *shown(const char *path, bool live, unsigned noise)
{
	struct pipeline_opts po = { .report = !live, .live = live, .stacks = true };
	struct capture_reader *r;
	const struct rec_hdr *rec;
	struct snapshot *middle = NULL, *end;
	struct pipeline *p;
	unsigned n = 0;
	size_t size;
	char *text;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	intern_set_capacity(CAPACITY);
	p = pipeline_new(&po);
	assert_non_null(p);
	assert_int_equal(capture_reader_open(&r, path), 0);
	while (capture_reader_next(r, &rec) == 1) {
		assert_int_equal(pipeline_record(p, rec), 0);
		make_up(noise);
		if (++n == 1000)
			middle = pipeline_snapshot(p, 60, 500);
	}
	assert_int_equal(capture_reader_status(r), CAPTURE_WHOLE);
	capture_reader_close(r);
	pipeline_finish(p);
	end = pipeline_snapshot(p, 60, 500);
	assert_non_null(middle);
	assert_non_null(end);
	make_up(noise * 1000);
	show(f, middle);
	show(f, end);
	fclose(f);
	snapshot_free(middle);
	snapshot_free(end);
	pipeline_free(p);
	if (noise)
		assert_true(intern_forgotten() > CAPACITY);
	else
		assert_int_equal(intern_forgotten(), 0);
	assert_int_equal(intern_overflows(), 0);
	intern_release();
	return text;
}

static void same_with_and_without(const char *path)
{
	for (int live = 0; live < 2; live++) {
		char *plain = shown(path, live, 0), *noisy = shown(path, live, NOISE);

		assert_true(strlen(plain) > 10000);
		assert_string_equal(plain, noisy);
		free(plain);
		free(noisy);
	}
}

static void names_survive(void **state)
{
	(void)state;
	same_with_and_without("tests/golden/replay_n_plus_one.data");
	same_with_and_without("tests/golden/replay_session_lock.data");
	same_with_and_without("tests/golden/replay_exam_start.data");
	same_with_and_without("tests/fuzz/captures/owners.data");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
