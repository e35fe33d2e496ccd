// SPDX-License-Identifier: GPL-2.0-only
/* NDJSON: every line valid whatever the names are, parts sum, failed writes are reported. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "export/ndjson.h"
#include "unit/view_fixture.h"
#include "unit/view_json_check.h"

static char *export_all(const struct snapshot *s, unsigned what)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(export_ndjson(f, s, what), 0);
	fclose(f);
	return text;
}

/* Checks each line; returns how many have the kind. */
static size_t check_lines(char *text, const char *kind)
{
	char needle[64], *save = NULL;
	size_t n = 0;

	snprintf(needle, sizeof(needle), "{\"kind\":\"%s\"", kind);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		assert_true(json_check(line));
		n += !strncmp(line, needle, strlen(needle));
	}
	return n;
}

static void kinds_and_schema(void **state)
{
	static const struct {
		unsigned what;
		const char *kind;
		size_t n;
	} cases[] = {
		{ EXPORT_ROUTES, "route", 5 },     { EXPORT_ROUTES, "summary", 1 },
		{ EXPORT_ROUTES, "health", 0 },    { EXPORT_REQUESTS, "request", 2 },
		{ EXPORT_HOTSPOTS, "hotspot", 2 }, { EXPORT_HEALTH, "health", 1 },
		{ EXPORT_ALL, "route", 5 },
	};
	static const char schema[] = "{\"schema\":\"tardy.report/1.0\","
				     "\"start_unix_us\":\"1795183342000000\","
				     "\"window_us\":60000000,";
	struct snapshot *s = fixture_busy();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = export_all(s, cases[i].what);

		assert_int_equal(strncmp(text, schema, sizeof(schema) - 1), 0);
		assert_int_equal(check_lines(text, cases[i].kind), cases[i].n);
		free(text);
	}
	snapshot_free(s);
	intern_release();
}

/* Adds up what follows each "us": of a line. */
static uint64_t sum_of_us(const char *line, const char *end)
{
	uint64_t sum = 0;

	for (const char *p = strstr(line, "\"us\":"); p && p < end; p = strstr(p + 5, "\"us\":"))
		sum += strtoull(p + 5, NULL, 10);
	return sum;
}

static void parts_sum_to_the_wall(void **state)
{
	struct snapshot *s = fixture_busy();
	char *text = export_all(s, EXPORT_ROUTES | EXPORT_REQUESTS);
	size_t checked = 0;

	(void)state;
	for (char *line = text; *line;) {
		char *end = strchr(line, '\n'), *wall;

		*end = '\0';
		wall = strstr(line, "\"wall_us\":");
		if (wall && !strstr(line, "\"kind\":\"summary\"")) {
			assert_int_equal(sum_of_us(line, end), strtoull(wall + 10, NULL, 10));
			checked++;
		}
		line = end + 1;
	}
	assert_int_equal(checked, 7);
	free(text);
	snapshot_free(s);
	intern_release();
}

static void identities_are_strings(void **state)
{
	struct snapshot *s = fixture_busy();
	char *text = export_all(s, EXPORT_REQUESTS);

	(void)state;
	assert_non_null(strstr(text, "\"id\":\"18446744073709551615\",\"parent\":null"));
	assert_non_null(strstr(text, "\"id\":\"42\",\"parent\":\"41\""));
	assert_non_null(strstr(text, "\"status\":null")); /* the open one has none yet */
	assert_non_null(strstr(text, "\"marks\":[{\"label\":\"session start\",\"at_us\":412000}]"));
	free(text);
	snapshot_free(s);
	intern_release();
}

static void streams_are_told_apart(void **state)
{
	struct snapshot *s = fixture_busy();
	char *text;

	(void)state;
	s->routes[0].streams = 9;
	s->routes[0].stream_first_us = 612000;
	s->routes[0].stream_wall_us = 2560000;
	s->requests_v[0].gap_us = 38000;
	s->requests_v[0].sends = 57;
	s->requests_v[0].gap_max_us = 91000;
	s->requests_v[0].srtt_us = 42000;
	s->requests_v[0].retransmits = 3;
	text = export_all(s, EXPORT_ROUTES | EXPORT_REQUESTS);
	assert_non_null(strstr(text, "\"streams\":9,\"stream_first_byte_us\":612000,"
				     "\"stream_gap_us\":null,\"stream_wall_us\":2560000"));
	assert_non_null(strstr(text, "\"first_byte_us\":3800000,\"gap_us\":38000,"
				     "\"gap_max_us\":91000,\"sends\":57,\"srtt_us\":42000,"
				     "\"rttvar_us\":null,\"retransmits\":3,"
				     "\"peer_window_us\":null"));
	assert_non_null(strstr(text, "\"connect_us\":1200,\"srtt_us\":310,\"retransmits\":2"));
	free(text);
	snapshot_free(s);
	intern_release();
}

static void losses_are_placed(void **state)
{
	struct snapshot *s = fixture_busy();
	char *text = export_all(s, EXPORT_HEALTH);

	(void)state;
	assert_non_null(strstr(
		text,
		"\"lost_intervals\":[{\"kind\":\"ring_full_exchange\",\"loses\":true,\"cpu\":5,"
		"\"from_unix_us\":\"1795183381100250\",\"to_unix_us\":\"1795183383000000\","
		"\"count\":7},{\"kind\":\"wake_lost\",\"loses\":false,"));
	assert_non_null(strstr(text, "],\"lost_intervals_dropped\":0,\"malformed\":0,"));
	free(text);
	snapshot_free(s);
	intern_release();
}

static void unbound_calls_by_peer(void **state)
{
	struct snapshot *s = fixture_busy();
	char *text = export_all(s, EXPORT_HEALTH);

	(void)state;
	assert_null(strstr(text, "unbound"));
	free(text);
	s->health.unbound[0] = (struct snap_unbound){ intern_str("app"),
						      intern_str("127.0.0.1:5432"), 12, 3100000 };
	s->health.n_unbound = 1;
	text = export_all(s, EXPORT_HEALTH);
	assert_non_null(strstr(text, ",\"unbound_calls\":[{\"service\":\"app\","
				     "\"peer\":\"127.0.0.1:5432\",\"calls\":12,\"us\":3100000}]}"));
	free(text);
	snapshot_free(s);
	intern_release();
}

static void empty_and_hostile(void **state)
{
	struct snapshot *s = fixture_empty();
	char *text = export_all(s, EXPORT_ALL);

	(void)state;
	assert_non_null(strstr(text, "\"verdict\":\"no_data\""));
	assert_non_null(strstr(text, "\"own_cpu_ratio\":null"));
	assert_int_equal(check_lines(text, "route"), 0);
	free(text);
	snapshot_free(s);
	s = fixture_hostile();
	text = export_all(s, EXPORT_ALL);
	assert_int_equal(check_lines(text, "route"), 5);
	free(text);
	snapshot_free(s);
	intern_release();
}

static void failed_writes(void **state)
{
	struct snapshot *s = fixture_busy();
	FILE *f = fopen("/dev/full", "w");
	int fds[2];

	(void)state;
	assert_non_null(f);
	assert_int_equal(export_ndjson(f, s, EXPORT_ALL), -ENOSPC);
	fclose(f);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	f = fdopen(fds[1], "w");
	assert_non_null(f);
	assert_int_equal(export_ndjson(f, s, EXPORT_ALL), -EPIPE);
	fclose(f);
	snapshot_free(s);
	intern_release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_and_schema),       cmocka_unit_test(parts_sum_to_the_wall),
		cmocka_unit_test(identities_are_strings), cmocka_unit_test(empty_and_hostile),
		cmocka_unit_test(streams_are_told_apart), cmocka_unit_test(failed_writes),
		cmocka_unit_test(unbound_calls_by_peer),  cmocka_unit_test(losses_are_placed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
