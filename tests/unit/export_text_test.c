// SPDX-License-Identifier: GPL-2.0-only
/* The report: stored text, never wider than asked, honest verdicts, rows in the asked order. */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include "base/format.h"
#include "export/columns.h"
#include "export/text.h"
#include "export/words.h"
#include "unit/view_fixture.h"
#include "unit/view_golden.h"

static char *report(const struct snapshot *s, unsigned what, const struct text_opts *o)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(export_text(f, s, what, o), 0);
	fclose(f);
	return text;
}

/* Calls of no known request: figures and rows, and a word where only routes are shown. */
static void unbound_calls(void **state)
{
	struct snapshot *s = fixture_busy();
	struct text_opts o = { .width = 80, .color = TEXT_COLOR_NEVER };
	char *text;

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		s->health.unbound[i] = (struct snap_unbound){ intern_str("app"),
							      intern_fmt("127.0.0.1:%u", 5432 + i),
							      10 - i, 1000 };
	s->health.n_unbound = 10;
	text = report(s, EXPORT_HEALTH, &o);
	assert_non_null(strstr(text, "\n  unbound     55 calls of no known request, 10ms\n"
				     "              10 (1.0ms)  app to 127.0.0.1:5432\n"));
	assert_non_null(strstr(text, "3 (1.0ms)  app to 127.0.0.1:5439\n              + 2 more\n"));
	free(text);
	text = report(s, EXPORT_ROUTES, &o);
	assert_non_null(strstr(text, "\n 55 calls of no known request: some of what is unknown may "
				     "be these\n"));
	free(text);
	snapshot_free(s);
	intern_release();
}

static void stored_report(void **state)
{
	struct snapshot *s = fixture_busy();
	struct text_opts o = { .width = 80, .color = TEXT_COLOR_NEVER };
	char *text = report(s, EXPORT_ALL, &o);

	(void)state;
	assert_true(golden_matches("snapshot_report.txt", text));
	free(text);
	snapshot_free(s);
	intern_release();
}

static void assert_fits(char *text, unsigned cols)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		assert_true(format_width(line) <= cols);
		assert_null(strchr(line, '\033'));
		assert_true(line[strlen(line) - 1] != ' ');
	}
}

static void every_width_fits(void **state)
{
	struct snapshot *snapshots[] = { fixture_busy(), fixture_hostile(), fixture_empty() };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (unsigned width = 40; width < 220; width += 7) {
			struct text_opts o = { .width = width, .ascii = width & 1 };
			char *text = report(snapshots[i], EXPORT_ALL, &o);

			assert_fits(text, width);
			free(text);
		}
		snapshot_free(snapshots[i]);
	}
	intern_release();
}

static void ascii_is_ascii(void **state)
{
	struct snapshot *s = fixture_hostile();
	struct text_opts o = { .width = 200, .ascii = true };
	char *text = report(s, EXPORT_ALL, &o);

	(void)state;
	for (const char *p = text; *p; p++)
		assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
	free(text);
	snapshot_free(s);
	intern_release();
}

/* Colour adds sequences and takes no character away. */
static void color_changes_nothing_else(void **state)
{
	struct snapshot *s = fixture_busy();
	struct text_opts o = { .width = 80, .color = TEXT_COLOR_NEVER };
	char *plain = report(s, EXPORT_ALL, &o), *colored, *to;

	(void)state;
	o.color = TEXT_COLOR_ALWAYS;
	colored = report(s, EXPORT_ALL, &o);
	assert_non_null(strstr(colored, "\033[3"));
	assert_null(strstr(colored, "\033[30m"));
	to = colored;
	for (char *p = colored; *p;) {
		if (*p == '\033')
			p = strchr(p, 'm') + 1;
		else
			*to++ = *p++;
	}
	*to = '\0';
	assert_string_equal(colored, plain);
	free(plain);
	free(colored);
	snapshot_free(s);
	intern_release();
}

static void sorting(void **state)
{
	struct snapshot *s = fixture_busy();
	struct text_opts o = { .width = 80, .sort = "rate", .top = 1 };
	char *text = report(s, EXPORT_ROUTES, &o), *none;
	size_t len;
	FILE *f;

	(void)state;
	assert_non_null(strstr(text, "\n  GET /my/ "));
	assert_non_null(strstr(text, "+ 3 more routes"));
	assert_null(strstr(text, "\n  GET /course/view.php "));
	free(text);
	assert_true(text_sort_known("p95", EXPORT_ROUTES));
	assert_false(text_sort_known("bar", EXPORT_ROUTES)); /* has no order */
	assert_false(text_sort_known("p95", EXPORT_HOTSPOTS));
	o.sort = "nonsense";
	f = open_memstream(&none, &len);
	assert_non_null(f);
	assert_int_equal(export_text(f, s, EXPORT_ALL, &o), -EINVAL);
	fclose(f);
	assert_int_equal(len, 0);
	free(none);
	snapshot_free(s);
	intern_release();
}

static void verdicts(void **state)
{
	struct snapshot *s = fixture_busy();
	char words[WORDS_LEN];

	(void)state;
	s->top.who = intern_str("php-fpm");
	s->top.cause = CAUSE_LOCK;
	s->top.what = intern_str("flock sess_*");
	s->top.held_by = intern_str("POST /y");
	words_verdict(s, words, WORDS_LEN, false);
	assert_string_equal(words, "43% of all waiting is GET /course/view.php; 55% of that is "
				   "php-fpm lock: flock sess_*, held by POST /y");
	words_verdict(s, words, 92, false);
	assert_string_equal(words, "43% of waiting: GET /course/view.php; 55% of it "
				   "php-fpm lock: flock sess_*, held by POST /y");
	/* Too narrow: what and route are cut, but cause and holder are there. */
	s->top.held_by = intern_str("POST /lib/ajax/service.php");
	words_verdict(s, words, 77, false);
	assert_true(format_width(words) <= 77);
	assert_non_null(strstr(words, "55% of it php-fpm lock: "));
	assert_non_null(strstr(words, ", held by POST /"));
	words_verdict(s, words, 47, false);
	assert_string_equal(words, "24%: php-fpm lock: floc.., held by POST /li..");
	/* A share belongs to what it names. */
	s->top.what_share = 0.19;
	s->top.held_by = INTERN_EMPTY;
	words_verdict(s, words, WORDS_LEN, false);
	assert_string_equal(words, "43% of all waiting is GET /course/view.php; 55% of that is "
				   "php-fpm lock, 19% flock sess_*");
	s->verdict = SNAP_VERDICT_CALM;
	s->p95_us = 4600;
	s->max_us = 38000;
	words_verdict(s, words, WORDS_LEN, false);
	assert_string_equal(words, "nobody waits long: p95 4.6ms");
	s->max_us = 230000;
	words_verdict(s, words, WORDS_LEN, false);
	assert_string_equal(words, "hardly anybody waits long: p95 4.6ms, longest 230ms");
	s->verdict = SNAP_VERDICT_INCOMPLETE;
	words_verdict(s, words, WORDS_LEN, false);
	assert_int_equal(strncmp(words, "records were lost: 1 of 33,180 requests incomplete; ", 52),
			 0);
	s->verdict = SNAP_VERDICT_UNKNOWN;
	words_verdict(s, words, WORDS_LEN, false);
	assert_non_null(strstr(words, "55% of that is unknown"));
	s->verdict = SNAP_VERDICT_NOTHING;
	s->wait_s_per_s = 0.04;
	words_verdict(s, words, WORDS_LEN, false);
	assert_string_equal(words, "nothing waits: 0.04 requests in flight on average");
	s->verdict = SNAP_VERDICT_NO_DATA;
	words_verdict(s, words, WORDS_LEN, false);
	assert_string_equal(words, "no requests seen yet");
	snapshot_free(s);
	intern_release();
}

/* At every width the chosen columns fit, and the name and what matters most stay. */
static void columns_fit_every_width(void **state)
{
	const struct column_set *sets[] = { &columns_routes, &columns_requests, &columns_hotspots };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (unsigned width = 12; width < 400; width++) {
			unsigned widths[COLUMNS_MAX], used = 0, shown = 0;

			assert_true(sets[i]->n <= COLUMNS_MAX);
			columns_fit(sets[i], width, widths);
			for (size_t c = 0; c < sets[i]->n; c++) {
				used += widths[c];
				shown += widths[c] > 0;
				assert_true(!widths[c] || widths[c] >= sets[i]->v[c].min);
				assert_true(widths[c] <= sets[i]->v[c].max);
				assert_true(widths[c] || sets[i]->v[c].weight);
			}
			assert_true(shown >= 1);
			if (width >= 20)
				assert_true(used + shown - 1 <= width);
		}
}

/* A route of streams has no percentiles, but says how they went; so does a request. */
static void streams(void **state)
{
	struct snapshot *s = fixture_busy();
	struct snap_route *r = &s->routes[2];
	struct text_opts o = { .width = 160, .sort = "gap", .top = 1 };
	char words[WORDS_LEN], *text;

	(void)state;
	r->requests = r->streams = 9;
	r->stream_first_us = 612000;
	r->stream_gap_us = 38000;
	r->stream_wall_us = 2560000;
	r->p50_us = r->p95_us = r->p99_us = r->max_us = 0;
	words_route_head(r, words, false);
	assert_string_equal(words, "GET /my/: mean 72ms in 9 streams, first byte 612ms, gap 38ms");
	text = report(s, EXPORT_ROUTES, &o);
	assert_non_null(strstr(text, " MAX FIRST   GAP WAIT/s"));
	assert_non_null(strstr(text, " strm  strm  strm  strm 612ms  38ms "));
	assert_null(strstr(text, "\n  GET /course/view.php "));
	free(text);
	r->stream_gap_us = 0; /* one send each */
	r->requests = 30;
	words_route_head(r, words, false);
	assert_string_equal(words, "GET /my/: mean 72ms per request, in 30 + 21 open, 9 streamed: "
				   "first byte 612ms");
	s->requests_v[0].stream = true;
	s->requests_v[0].sends = 12;
	s->requests_v[0].gap_us = 10000;
	o = (struct text_opts){ .width = 80 };
	text = report(s, EXPORT_REQUESTS, &o);
	assert_non_null(strstr(text, "\n  stream: first byte 3.80s, 11 gaps of 10ms (mean)\n"));
	free(text);
	snapshot_free(s);
	intern_release();
}

static void full_disk(void **state)
{
	struct snapshot *s = fixture_busy();
	struct text_opts o = { .width = 80 };
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(f);
	assert_int_equal(export_text(f, s, EXPORT_ALL, &o), -ENOSPC);
	fclose(f);
	snapshot_free(s);
	intern_release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stored_report),
		cmocka_unit_test(unbound_calls),
		cmocka_unit_test(every_width_fits),
		cmocka_unit_test(ascii_is_ascii),
		cmocka_unit_test(color_changes_nothing_else),
		cmocka_unit_test(sorting),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(columns_fit_every_width),
		cmocka_unit_test(streams),
		cmocka_unit_test(full_disk),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8") || setenv("TZ", "UTC", 1))
		return 1;
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
