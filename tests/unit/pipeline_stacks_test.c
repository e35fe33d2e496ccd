// SPDX-License-Identifier: GPL-2.0-only
/* From records with stacks through the whole pipeline to every form in which they are shown. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/folded.h"
#include "export/ndjson.h"
#include "export/speedscope.h"
#include "export/text.h"
#include "pipeline.h"
#include "unit/stack_scene.h"
#include "unit/view_json_check.h"

static void give(void *ctx, const struct rec_hdr *rec)
{
	struct rec_hdr *copy = scene_copy(rec, rec->len);

	assert_int_equal(pipeline_record(ctx, copy), 0);
	free(copy);
}

static struct snapshot *tell(const struct pipeline_opts *opts, double window_s)
{
	struct pipeline *p = pipeline_new(opts);
	struct story story = { give, p };
	struct snapshot *s;

	assert_non_null(p);
	story_tell(&story);
	if (opts->report)
		pipeline_finish(p);
	s = pipeline_snapshot(p, window_s, 0);
	assert_non_null(s);
	pipeline_free(p); /* a snapshot outlives it */
	return s;
}

static struct snapshot *report(void)
{
	return tell(&(struct pipeline_opts){ .report = true, .stacks = true }, 0);
}

enum form { FOLDED, SPEEDSCOPE, NDJSON, TEXT };

static char *print(const struct snapshot *s, enum form form, unsigned what)
{
	struct text_opts to = { .color = TEXT_COLOR_NEVER, .width = 80 };
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	if (form == FOLDED)
		assert_int_equal(export_folded(f, s, (enum export_kind)what), 0);
	else if (form == SPEEDSCOPE)
		assert_int_equal(export_speedscope(f, s, (enum export_kind)what), 0);
	else if (form == NDJSON)
		assert_int_equal(export_ndjson(f, s, what), 0);
	else
		assert_int_equal(export_text(f, s, what, &to), 0);
	fclose(f);
	return text;
}

static void expect(char *text, const char *want)
{
	if (!strstr(text, want)) {
		fprintf(stderr, "%s", text);
		fail_msg("this does not have '%s'", want);
	}
	free(text);
}

static void expect_not(char *text, const char *unwanted)
{
	if (strstr(text, unwanted)) {
		fprintf(stderr, "%s", text);
		fail_msg("this has '%s'", unwanted);
	}
	free(text);
}

static void folded(void **state)
{
	struct snapshot *s = report();
	char *text = print(s, FOLDED, EXPORT_CPU);

	(void)state;
	assert_string_equal(
		text,
		"app;GET /report;[callers missing: no frame pointers];__memcpy_avx 1\n"
		"app;GET /report;main;report;read_file;-;do_syscall_64_[k];filemap_read_[k] 1\n"
		"app;GET /report;main;report;render 3\n"
		"app;GET /report;main;report;std::map<int: int>::find(int, page_4096 1\n"
		"app;GET /slow;main;render 1\n"
		"postgres;SELECT a FROM t WHERE id = ?;PostgresMain;ExecScan 2\n");
	free(text);
	text = print(s, FOLDED, EXPORT_OFF);
	assert_string_equal(
		text,
		"app;GET /list;[waits below 1 ms, or without a stack];upstream 29900\n"
		"app;GET /report;[user stack missing: could not be read];-;do_syscall_64_[k];"
		"futex_wait_[k] 30000\n"
		"app;GET /report;main;report;read_file;-;do_syscall_64_[k];filemap_read_[k];"
		"io_schedule_[k] 20000\n"
		"postgres;SELECT a FROM t WHERE id = ?;[callers missing: too deep];PostgresMain;"
		"ExecScan;-;do_syscall_64_[k];filemap_read_[k];io_schedule_[k] 10000\n");
	free(text);
	expect(print(s, FOLDED, EXPORT_WALL), "app;GET /report;app;lock;futex 30000\n");
	snapshot_free(s);
}

static void speedscope(void **state)
{
	static const struct {
		enum export_kind kind;
		const char *want[3];
	} cases[] = {
		{ EXPORT_CPU,
		  { "\"profiles\":[{\"type\":\"sampled\",\"name\":\"app\",\"unit\":\"none\","
		    "\"samples\":[[",
		    "\"weights\":[3,1,1,1,1],\"startValue\":0,\"endValue\":7}",
		    "\"name\":\"postgres\",\"unit\":\"none\",\"samples\":[[11,12,13]],"
		    "\"weights\":[2],\"startValue\":0,\"endValue\":2}]" } },
		{ EXPORT_OFF,
		  { "{\"name\":\"app\",", "\"weights\":[20000,30000,29900]",
		    "\"unit\":\"microseconds\"" } },
		{ EXPORT_WALL,
		  { "{\"name\":\"lock\"}", "\"type\":\"sampled\"", "\"unit\":\"microseconds\"" } },
	};
	struct snapshot *s = report();

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (size_t k = i == 1; k < 3; k++) {
			char *text = print(s, SPEEDSCOPE, cases[i].kind);

			text[strlen(text) - 1] = '\0'; /* one line */
			assert_true(json_check(text));
			expect(text, cases[i].want[k]);
		}
	snapshot_free(s);
}

static void hotspots(void **state)
{
	struct snapshot *s = report();

	(void)state;
	/* of the CPU samples of app: 3 of 7 */
	expect(print(s, NDJSON, EXPORT_HOTSPOTS),
	       "\"stack\":[\"render\",\"report\",\"main\"],\"stack_share\":0.428571}");
	/* what a database computes is called db in its caller: its samples are of the statement */
	expect(print(s, NDJSON, EXPORT_HOTSPOTS),
	       "\"stack\":[\"ExecScan\",\"PostgresMain\"],\"stack_share\":1}");
	expect(print(s, NDJSON, EXPORT_HOTSPOTS),
	       "\"stack\":[\"futex_wait_[k]\",\"do_syscall_64_[k]\","
	       "\"[user stack missing: could not be read]\"],\"stack_share\":1}");
	expect(print(s, TEXT, EXPORT_HOTSPOTS),
	       "\n  hottest stack    43%    render < report < main\n");
	/* what does not fit: the leaves of the kernel's side and of the process's */
	for (size_t i = 0; i < s->n_hotspots; i++)
		if (s->hotspots[i].cause == CAUSE_DISK)
			s->hotspots[i].wait_s_per_s = 1000;
	expect(print(s, TEXT, EXPORT_HOTSPOTS),
	       "\n  hottest stack   100%    io_schedule_[k] < .. < read_file < report < main\n");
	expect_not(print(s, TEXT, EXPORT_ROUTES), "hottest");
	snapshot_free(s);
}

static void health(void **state)
{
	struct snapshot *s = report();

	(void)state;
	expect(print(s, NDJSON, EXPORT_HEALTH),
	       "\"stacks\":{\"cpu_samples\":11,\"waits\":3,\"no_user\":1,\"no_kernel\":0,"
	       "\"user_skipped\":0,\"user_short\":1,\"user_cut\":1,\"kernel_cut\":0,"
	       "\"unknown_symbols\":1,\"after_answer\":1,\"unclaimed\":1,\"dropped\":0,"
	       "\"folded\":0}");
	expect(print(s, TEXT, EXPORT_HEALTH),
	       "\n  stacks      11 CPU samples, 3 waits, 14% broken\n"
	       "              no frame pointers 1, not readable 1, skipped 0\n"
	       "              too deep 1, no kernel frames 0, unknown functions 1\n"
	       "              after the answer 1, of no request 1, dropped 0\n");
	snapshot_free(s);
}

/* Only requests of the route, also among those in flight. */
static void route_glob(void **state)
{
	struct snapshot *s = tell(&(struct pipeline_opts){ .report = true,
							   .stacks = true,
							   .route_glob = "GET /report" },
				  0);
	char *text = print(s, FOLDED, EXPORT_CPU);

	(void)state;
	assert_non_null(strstr(text, "app;GET /report;main;report;render 3\n"));
	assert_null(strstr(text, "slow"));
	expect_not(text, "postgres");
	snapshot_free(s);
}

static void live_window(void **state)
{
	struct snapshot *s = tell(&(struct pipeline_opts){ .live = true }, 10);

	(void)state;
	assert_int_equal(s->n_stacks, 0); /* not asked for */
	assert_int_equal(s->health.stacks.unclaimed, 0);
	expect(print(s, NDJSON, EXPORT_HOTSPOTS),
	       "\"stack\":[\"render\",\"report\",\"main\"],\"stack_share\":0.428571}");
	snapshot_free(s);
}

static void ignore(void *ctx, const struct rec_hdr *rec)
{
	if (rec->type != REC_STACK && rec->type != REC_SYM)
		give(ctx, rec);
}

/* A recording without stacks looks as if there were no such thing. */
static void no_stacks(void **state)
{
	struct pipeline_opts opts = { .report = true, .stacks = true };
	struct pipeline *p = pipeline_new(&opts);
	struct story story = { ignore, p };
	struct snapshot *s;

	(void)state;
	assert_non_null(p);
	story_tell(&story);
	pipeline_finish(p);
	s = pipeline_snapshot(p, 0, 0);
	assert_non_null(s);
	assert_true(s->n_hotspots > 0);
	expect_not(print(s, NDJSON, EXPORT_ALL), "stack");
	expect_not(print(s, TEXT, EXPORT_ALL), "stack");
	snapshot_free(s);
	pipeline_free(p);
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
		cmocka_unit_test(folded),     cmocka_unit_test(speedscope),
		cmocka_unit_test(hotspots),   cmocka_unit_test(health),
		cmocka_unit_test(route_glob), cmocka_unit_test(live_window),
		cmocka_unit_test(no_stacks),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, teardown);
}
