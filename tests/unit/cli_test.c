// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line: each option with good and bad values, what does not go together, suggestions,
 * and that help and completion know every row of the tables.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/log.h"
#include "cli.h"
#include "cli_value.h"
#include "export/export.h"

enum { WORDS_MAX = 64 };

#define S(n) ((uint64_t)(n)*1000000000u)

static struct cli_options o;
static char line_copy[8192];
static char *words[WORDS_MAX];
static char *said; /* what the last parse printed */
static size_t said_len;

/* Parses "tardy LINE", words separated by blanks; '+' in a word stands for a blank. */
static int parse(const char *line)
{
	FILE *stream;
	int argc = 0, status;

	words[argc++] = (char *)(uintptr_t) "tardy";
	snprintf(line_copy, sizeof(line_copy), "%s", line);
	for (char *w = strtok(line_copy, " "); w; w = strtok(NULL, " ")) {
		assert_true(argc < WORDS_MAX - 1);
		for (char *c = w; *c; c++)
			*c = *c == '+' ? ' ' : *c;
		words[argc++] = w;
	}
	words[argc] = NULL;
	free(said);
	stream = open_memstream(&said, &said_len);
	assert_non_null(stream);
	log_set_stream(stream);
	memset(&o, 0xa5, sizeof(o));
	status = cli_parse(argc, words, &o);
	log_set_stream(NULL);
	fclose(stream);
	return status;
}

static void good(const char *line, enum cli_command command)
{
	int status = parse(line);

	if (status || said_len)
		fail_msg("tardy %s: %d %s", line, status, said);
	if (o.command != command)
		fail_msg("tardy %s is %s", line, cli_command_name(o.command));
}

/* Refused with a message that has both texts. */
static void bad(const char *line, const char *text, const char *more)
{
	int status = parse(line);

	if (status != EXIT_USAGE || !strstr(said, "error[T0001]: ") || !strstr(said, text) ||
	    !strstr(said, more))
		fail_msg("tardy %s: %d '%s', no '%s' and '%s'", line, status, said, text, more);
}

static void test_defaults(void **state)
{
	(void)state;
	good("", CLI_TOP);
	assert_null(o.route);
	assert_null(o.input);
	assert_null(o.child_argv);
	assert_null(o.sort);
	assert_int_equal(o.select.n_pids + o.select.n_ports + o.select.all, 0);
	assert_int_equal(o.refresh_ns, S(2));
	assert_int_equal(o.window_ns, S(60));
	assert_int_equal(o.iterations, 0);
	assert_int_equal(o.duration_ns, 0);
	assert_int_equal(o.max_size_bytes, 0);
	assert_int_equal(o.top, 0);
	assert_int_equal(o.n_probes, 0);
	assert_int_equal(o.color, TEXT_COLOR_AUTO);
	assert_true(o.max_lost == CLI_MAX_LOST_NONE);
	assert_int_equal(o.ring_bytes, 0);
	assert_int_equal(o.break_state, -1);
	assert_false(o.batch || o.quiet || o.verbose || o.ascii || o.strict);
	good("record", CLI_RECORD);
	assert_string_equal(o.output, "tardy.data");
	good("report", CLI_REPORT);
	assert_string_equal(o.input, "tardy.data");
	assert_int_equal(o.report, EXPORT_ALL);
	assert_int_equal(o.format, CLI_TEXT);
	good("export", CLI_EXPORT);
	assert_string_equal(o.input, "tardy.data");
	assert_string_equal(o.output, "-");
	assert_int_equal(o.format, CLI_FOLDED);
	assert_int_equal(o.kind, EXPORT_WALL);
	good("doctor", CLI_DOCTOR);
	assert_int_equal(o.format, CLI_TEXT);
	good("explain", CLI_EXPLAIN);
	assert_null(o.code);
	good("help", CLI_HELP);
	assert_int_equal(o.topic, -1);
}

static void test_selection(void **state)
{
	(void)state;
	good("-p 12", CLI_TOP);
	assert_int_equal(o.select.n_pids, 1);
	assert_int_equal(o.select.pids[0], 12);
	good("record --pid=1,22 -p333", CLI_RECORD);
	assert_int_equal(o.select.n_pids, 3);
	assert_int_equal(o.select.pids[1], 22);
	assert_int_equal(o.select.pids[2], 333);
	good("--port 80,443 --port 65535 top", CLI_TOP);
	assert_int_equal(o.select.n_ports, 3);
	assert_int_equal(o.select.ports[2], 65535);
	good("-u www-data --unit nginx.service --cgroup /system.slice --container 4f2a", CLI_TOP);
	assert_string_equal(o.select.user, "www-data");
	assert_string_equal(o.select.unit, "nginx.service");
	assert_string_equal(o.select.cgroup, "/system.slice");
	assert_string_equal(o.select.container, "4f2a");
	good("--user 33", CLI_TOP);
	assert_string_equal(o.select.user, "33");
	good("-a --route GET+/course/*", CLI_TOP);
	assert_true(o.select.all);
	assert_string_equal(o.route, "GET /course/*");
	good("report --all --duration 1", CLI_REPORT);
	assert_true(o.select.all);
	assert_null(o.input);

	for (size_t i = 0; i < 12; i++) {
		static const char *const lists[] = {
			"0",   "-1",         "x",   "1,", ",1",  "1,,2",
			"1;2", "2147483648", "1.5", "+1", "0x1", "99999999999999999999999"
		};
		char line[64];

		snprintf(line, sizeof(line), "--pid=%s", lists[i]);
		bad(line, "--pid cannot be '", "process ids");
	}
	bad("--port 0", "--port cannot be '0'", "80,8080");
	bad("--port 65536", "--port cannot be '65536'", "80,8080");
	bad("--port 80x", "--port cannot be '80x'", "80,8080");
	bad("--port 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "--port", "more than 16");
}

static void test_too_many_pids(void **state)
{
	char line[8192] = "-p 1";
	size_t len = strlen(line);

	(void)state;
	for (int i = 1; i < CLI_PIDS_MAX; i++)
		len += (size_t)snprintf(line + len, sizeof(line) - len, ",%d", 2 + i % 900);
	good(line, CLI_TOP);
	assert_int_equal(o.select.n_pids, CLI_PIDS_MAX);
	snprintf(line + len, sizeof(line) - len, ",7");
	bad(line, "--pid", "more than 1024");
}

static void test_top(void **state)
{
	(void)state;
	good("-d 0.5 -w 10m", CLI_TOP);
	assert_int_equal(o.refresh_ns, S(1) / 2);
	assert_int_equal(o.window_ns, S(600));
	good("top --delay 1 --window 1h", CLI_TOP);
	assert_int_equal(o.refresh_ns, S(1));
	assert_int_equal(o.window_ns, S(3600));
	good("-b", CLI_TOP);
	assert_true(o.batch);
	assert_int_equal(o.iterations, 0);
	good("-bn3", CLI_TOP);
	assert_int_equal(o.iterations, 3);
	good("--iterations 1", CLI_TOP);
	assert_true(o.batch);
	good("--batch -i cap.tardy", CLI_TOP);
	assert_string_equal(o.input, "cap.tardy");
	good("-i cap --route *", CLI_TOP);
	good("replay cap -w 30s -d 1 -n 2", CLI_REPLAY);
	assert_string_equal(o.input, "cap");
	assert_int_equal(o.iterations, 2);

	bad("-d 0", "--delay cannot be '0'", "0.1 to 3600");
	bad("-d 3601", "--delay cannot be '3601'", "0.1 to 3600");
	bad("-d fast", "--delay cannot be 'fast'", "0.1 to 3600");
	bad("-w 9s", "--window cannot be '9s'", "10s to 1h");
	bad("-w 61m", "--window cannot be '61m'", "10s to 1h");
	bad("-w 10y", "--window cannot be '10y'", "10s to 1h");
	bad("-n 0", "--iterations cannot be '0'", "from 1");
	bad("-n -3", "--iterations cannot be '-3'", "from 1");
	bad("-n 99999999999999999999", "--iterations cannot be", "from 1");
	bad("top nginx", "'nginx' is too much", "tardy help top");
	bad("replay", "needs a FILE", "tardy help replay");
	bad("replay a b", "'b' is too much", "tardy help replay");
}

static void test_record(void **state)
{
	(void)state;
	good("record -p 5 --duration 90 -o /tmp/x --max-size 200M", CLI_RECORD);
	assert_int_equal(o.duration_ns, S(90));
	assert_string_equal(o.output, "/tmp/x");
	assert_int_equal(o.max_size_bytes, (uint64_t)200 << 20);
	good("record --output - --max-size=64KiB", CLI_RECORD);
	assert_string_equal(o.output, "-");
	assert_int_equal(o.max_size_bytes, 65536);
	good("record -q -- curl -s --help -p", CLI_RECORD);
	assert_true(o.quiet);
	assert_string_equal(o.child_argv[0], "curl");
	assert_string_equal(o.child_argv[3], "-p");
	assert_null(o.child_argv[4]);
	assert_int_equal(o.select.n_pids, 0);
	/* options may come before the command, too */
	good("--duration 500ms record", CLI_RECORD);
	assert_int_equal(o.duration_ns, S(1) / 2);
	good("-o record record", CLI_RECORD);
	assert_string_equal(o.output, "record");

	bad("record --duration 0", "--duration cannot be '0'", "30s");
	bad("record --duration 32d", "--duration cannot be '32d'", "31d");
	bad("record --duration 1x", "--duration cannot be '1x'", "30s");
	bad("record --max-size 1K", "--max-size cannot be '1K'", "200M");
	bad("record --max-size 20000000T", "--max-size cannot be", "200M");
	bad("record --max-size big", "--max-size cannot be 'big'", "200M");
	bad("record nginx", "no argument 'nginx'", "tardy record -- nginx");
	bad("record --", "no command after --", "tardy help record");
	bad("record --duration 1 -- ls", "exclude each other", "--duration");
	bad("record -d 1", "tardy record has no option --delay", "it belongs to: top, replay");
}

static void test_report_and_export(void **state)
{
	(void)state;
	good("report routes -i x -F json --top 5 -s p99", CLI_REPORT);
	assert_int_equal(o.report, EXPORT_ROUTES);
	assert_string_equal(o.input, "x");
	assert_int_equal(o.format, CLI_JSON);
	assert_int_equal(o.top, 5);
	assert_string_equal(o.sort, "p99");
	good("report requests hotspots --input y --format text --sort wall", CLI_REPORT);
	assert_int_equal(o.report, EXPORT_REQUESTS | EXPORT_HOTSPOTS);
	assert_int_equal(o.format, CLI_TEXT);
	good("report health --duration 3s --port 80", CLI_REPORT);
	assert_int_equal(o.report, EXPORT_HEALTH);
	assert_int_equal(o.duration_ns, S(3));
	assert_null(o.input);
	good("report -- routes", CLI_REPORT);
	assert_int_equal(o.report, EXPORT_ROUTES);
	good("export -i x -F folded --kind wall -o y --route */login", CLI_EXPORT);
	assert_string_equal(o.input, "x");
	assert_string_equal(o.output, "y");
	assert_int_equal(o.format, CLI_FOLDED);
	assert_int_equal(o.kind, EXPORT_WALL);
	good("export -F speedscope --kind=off", CLI_EXPORT);
	assert_int_equal(o.format, CLI_SPEEDSCOPE);
	assert_int_equal(o.kind, EXPORT_OFF);
	good("export --kind cpu", CLI_EXPORT);
	assert_int_equal(o.format, CLI_FOLDED);
	assert_int_equal(o.kind, EXPORT_CPU);

	bad("report rutes", "no report 'rutes'", "did you mean routes?");
	bad("report xyz", "no report 'xyz'", "tardy help report");
	bad("report -F folded", "--format cannot be 'folded'", "text|json");
	bad("report -F jso", "--format cannot be 'jso'", "text|json");
	bad("export -F json", "--format cannot be 'json'", "folded|speedscope is wanted");
	bad("export --kind gpu", "--kind cannot be 'gpu'", "cpu|off|wall is wanted");
	bad("report --kind cpu", "tardy report has no option --kind", "export");
	bad("export -p 3", "tardy export has no option --pid", "top, record, report");
	bad("report --top 0", "--top cannot be '0'", "from 1 to 1000000");
	bad("report --top 1000001", "--top cannot be", "from 1 to 1000000");
	bad("report -s nosuch", "column 'nosuch'", "--sort");
	bad("report health -s wait", "column 'wait'", "--sort");
	bad("report -i x --duration 3", "exclude each other", "--input");
	bad("report -p 3", "needs --duration", "tardy help report");
	bad("report -i x -p 3", "--route", "--input");
	bad("-i x -a", "--route", "--input");
	bad("-a -p 3", "exclude each other", "--all");
}

static void test_other_commands(void **state)
{
	(void)state;
	good("doctor -F json -q", CLI_DOCTOR);
	assert_int_equal(o.format, CLI_JSON);
	assert_true(o.quiet);
	good("explain T0012", CLI_EXPLAIN);
	assert_string_equal(o.code, "T0012");
	good("completion bash", CLI_COMPLETION);
	assert_int_equal(o.shell, CLI_BASH);
	good("completion zsh", CLI_COMPLETION);
	assert_int_equal(o.shell, CLI_ZSH);
	good("completion fish", CLI_COMPLETION);
	assert_int_equal(o.shell, CLI_FISH);
	good("version", CLI_VERSION);
	good("-V", CLI_VERSION);
	good("record --version", CLI_VERSION);
	good("--help", CLI_HELP);
	assert_int_equal(o.topic, -1);
	good("record -h --and what follows", CLI_HELP);
	assert_int_equal(o.topic, CLI_RECORD);
	good("-h export", CLI_HELP);
	assert_int_equal(o.topic, CLI_EXPORT);
	good("help doctor", CLI_HELP);
	assert_int_equal(o.topic, CLI_DOCTOR);

	bad("completion tcsh", "'tcsh'", "bash, zsh, fish");
	bad("completion", "needs a shell", "bash");
	bad("completion bash zsh", "'zsh' is too much", "completion");
	bad("doctor all", "'all' is too much", "tardy help doctor");
	bad("explain 1 2", "'2' is too much", "tardy help explain");
	bad("version 2", "'2' is too much", "version");
	bad("export x", "'x' is too much", "export");
	bad("help recrod", "no command 'recrod'", "did you mean record?");
	bad("doctor -F xml", "--format cannot be 'xml'", "text|json");
}

static void test_everywhere(void **state)
{
	static const char *const wrong[] = { "main",          "uprobe:",      "uprobe:/bin/x",
					     "uprobe:/x:",    "uprobe::f",    "usdt:/x:prov",
					     "usdt:/x:p:n:m", "uprobe:a:b:c", "kprobe:a:b" };
	char line[2048] = "";
	size_t len = 0;

	(void)state;
	good("-v --color=never --ascii --max-lost 7", CLI_TOP);
	assert_true(o.verbose && o.ascii);
	assert_int_equal(o.color, TEXT_COLOR_NEVER);
	assert_int_equal(o.max_lost, 7);
	good("--color always --quiet doctor", CLI_DOCTOR);
	assert_int_equal(o.color, TEXT_COLOR_ALWAYS);
	good("--color auto --verbose", CLI_TOP);
	assert_int_equal(o.color, TEXT_COLOR_AUTO);
	good("--strict", CLI_TOP);
	assert_true(o.strict);
	assert_int_equal(o.max_lost, 0);
	good("--strict --max-lost 5", CLI_TOP);
	assert_int_equal(o.max_lost, 5);

	for (int i = 0; i < ABI_PROBES_MAX; i++)
		len += (size_t)snprintf(line + len, sizeof(line) - len, "--probe %s ",
					i % 2 ? "uprobe:/usr/bin/x:main" : "usdt:/x:php:request");
	good(line, CLI_TOP);
	assert_int_equal(o.n_probes, ABI_PROBES_MAX);
	assert_string_equal(o.probes[1], "uprobe:/usr/bin/x:main");
	snprintf(line + len, sizeof(line) - len, "--probe uprobe:a:b");
	bad(line, "more than 16 times", "--probe");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), "--probe=%s", wrong[i]);
		bad(line, "--probe cannot be", "uprobe:FILE:FUNCTION");
	}
	bad("--color blue", "--color cannot be 'blue'", "auto|always|never");
	bad("--color aut", "--color cannot be 'aut'", "auto|always|never");
	bad("--max-lost many", "--max-lost cannot be 'many'", "from 0");
	bad("-q -v", "exclude each other", "--quiet");
	bad("-qv", "exclude each other", "--verbose");
}

static void test_bundle(void **state)
{
	(void)state;
	good("record --bundle", CLI_RECORD);
	assert_true(o.bundle);
	good("record -o f --bundle", CLI_RECORD);
	good("record", CLI_RECORD);
	assert_false(o.bundle);
	bad("record -o - --bundle", "--bundle needs a file", "help record");
	bad("report --bundle", "no option --bundle", "record");
	good("report facts", CLI_REPORT);
	assert_int_equal(o.report, EXPORT_FACTS);
	good("report -i f routes facts", CLI_REPORT);
	assert_int_equal(o.report, EXPORT_ROUTES | EXPORT_FACTS);
	good("report", CLI_REPORT);
	assert_int_equal(o.report & EXPORT_FACTS, 0);
	bad("report --duration 1s facts", "they need --input", "help report");
}

static void test_for_tests(void **state)
{
	(void)state;
	good("--ring-size 64K", CLI_TOP);
	assert_int_equal(o.ring_bytes, 65536);
	bad("--ring-size 12", "--ring-size cannot be '12'", "4K to 1G");
	good("--fail-storage 5", CLI_TOP);
	assert_int_equal(o.fail_storage, 5);
	good("--skip-switches 3", CLI_TOP);
	assert_int_equal(o.skip_switches, 3);
	good("--skip-arrivals 4", CLI_TOP);
	assert_int_equal(o.skip_arrivals, 4);
	bad("--skip-switches x", "--skip-switches cannot be 'x'", "from 1");
	bad("--fail-storage 0", "--fail-storage cannot be '0'", "from 1");
	good("--break-classifier lock", CLI_TOP);
	assert_int_equal(o.break_state, STATE_LOCK);
	bad("--break-classifier run", "--break-classifier cannot be 'run'", "runq");
	bad("--break-classifier lok", "--break-classifier cannot be 'lok'", "runq");
	setenv("TARDY_BREAK", "disk", 1);
	good("record", CLI_RECORD);
	assert_int_equal(o.break_state, STATE_DISK);
	good("--break-classifier lock", CLI_TOP);
	assert_int_equal(o.break_state, STATE_LOCK);
	setenv("TARDY_BREAK", "", 1);
	good("record", CLI_RECORD);
	assert_int_equal(o.break_state, -1);
	setenv("TARDY_BREAK", "nothing", 1);
	bad("record", "TARDY_BREAK cannot be 'nothing'", "runq");
	unsetenv("TARDY_BREAK");
}

static void test_unknown(void **state)
{
	(void)state;
	bad("recrod", "no command 'recrod'", "did you mean record?");
	bad("rec", "no command 'rec'", "did you mean record?");
	bad("compeltion", "no command 'compeltion'", "did you mean completion?");
	bad("frobnicate", "no command 'frobnicate'", "see tardy --help");
	bad("-", "no command '-'", "see tardy --help");
	bad("--interations 3", "no option '--interations'", "did you mean --iterations?");
	bad("--durration=3", "no option '--durration'", "did you mean --duration?");
	bad("record --wnidow 3", "no option '--wnidow'", "did you mean --window?");
	bad("--frobnicate", "no option '--frobnicate'", "see tardy --help");
	/* hidden ones are not suggested */
	bad("--ring-siz 1", "no option '--ring-siz'", "see tardy --help");
	bad("-x", "no option '-x'", "see tardy --help");
	bad("-bx", "no option '-x'", "see tardy --help");
	bad("record -Z", "no option '-Z'", "tardy help record");
	bad("--batch=yes", "--batch takes no value", "see tardy --help");
}

/* Each option in each way that it can be given, or must be refused. */
static void test_every_row(void **state)
{
	(void)state;
	for (int i = 0; i < CLI_OPTION_COUNT; i++) {
		const struct cli_row *row = cli_option_row((enum cli_option)i);
		char line[128];

		assert_true(*row->name && row->commands);
		for (int c = 0; c < CLI_COMMAND_COUNT; c++) {
			const char *name = cli_command_name((enum cli_command)c);

			snprintf(line, sizeof(line), "%s --%s%s", name, row->name,
				 row->arg ? "=1" : "");
			if (!(row->commands & 1u << c)) {
				bad(line, "has no option", row->name);
				continue;
			}
			parse(line);
			assert_null(strstr(said, "no option"));
			assert_null(strstr(said, "not understood"));
		}
		if (!row->arg)
			continue;
		for (int c = 0; c < CLI_COMMAND_COUNT; c++) {
			if (!(row->commands & 1u << c))
				continue;
			snprintf(line, sizeof(line), "%s --%s", cli_command_name(c), row->name);
			bad(line, "needs a value", row->name);
			snprintf(line, sizeof(line), "%s --%s=", cli_command_name(c), row->name);
			bad(line, "needs a value", row->name);
		}
		/* names and letters are unique */
		for (int j = 0; j < i; j++) {
			const struct cli_row *other = cli_option_row((enum cli_option)j);

			assert_string_not_equal(row->name, other->name);
			assert_true(!row->letter || row->letter != other->letter);
		}
	}
}

static char *printed;
static size_t printed_len;

static void print(const char *line)
{
	FILE *out;

	assert_int_equal(parse(line), 0);
	free(printed);
	out = open_memstream(&printed, &printed_len);
	assert_non_null(out);
	assert_int_equal(cli_print(out, &o), EXIT_FINE);
	fclose(out);
}

static void assert_fits(void)
{
	for (const char *l = printed; *l;) {
		size_t len = strcspn(l, "\n");

		if (len > 80 || (len && l[len - 1] == ' ') || memchr(l, '\t', len))
			fail_msg("not a line of help: '%.*s'", (int)len, l);
		assert_int_equal(l[len], '\n');
		l += len + 1;
	}
}

/* Whether help has a line that begins with the option's names, and its whole text. */
static bool helps(const struct cli_row *row)
{
	char names[64], squeezed[16384];
	size_t n = 0;

	snprintf(names, sizeof(names), row->letter ? "\n  -%c, --%s" : "\n   %c  --%s",
		 row->letter ? row->letter : ' ', row->name);
	assert_true(printed_len < sizeof(squeezed));
	for (const char *c = printed; *c; c++)
		if (!isspace((unsigned char)*c) || !n || squeezed[n - 1] != ' ')
			squeezed[n++] = isspace((unsigned char)*c) ? ' ' : *c;
	squeezed[n] = 0;
	return strstr(printed, names) && strstr(squeezed, row->help);
}

static void test_help(void **state)
{
	(void)state;
	print("--help");
	assert_fits();
	for (int i = 0; i < CLI_OPTION_COUNT; i++) {
		const struct cli_row *row = cli_option_row((enum cli_option)i);

		if (row->help && !helps(row))
			fail_msg("no help on --%s in:\n%s", row->name, printed);
		if (!row->help)
			assert_null(strstr(printed, row->name));
	}
	for (int c = 0; c < CLI_COMMAND_COUNT; c++) {
		char line[64];

		snprintf(line, sizeof(line), "\n  %s ", cli_command_name(c));
		print("help");
		assert_non_null(strstr(printed, line));
		snprintf(line, sizeof(line), "help %s", cli_command_name(c));
		print(line);
		assert_fits();
		for (int i = 0; i < CLI_OPTION_COUNT; i++) {
			const struct cli_row *row = cli_option_row((enum cli_option)i);
			bool wanted = row->help && (row->commands & 1u << c);

			if (row->help && helps(row) != wanted)
				fail_msg("%s and --%s:\n%s", line, row->name, printed);
		}
	}
	print("-V");
	assert_int_equal(strncmp(printed, "tardy ", 6), 0);
	assert_fits();
}

/* text occurs, and is not just a part of a longer word */
static bool has_word(const char *text)
{
	size_t len = strlen(text);

	for (const char *at = printed; (at = strstr(at, text)); at++)
		if (!isalnum((unsigned char)at[len]) && at[len] != '-' && at > printed &&
		    !isalnum((unsigned char)at[-1]))
			return true;
	return false;
}

static void test_completion(void **state)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };

	(void)state;
	for (size_t s = 0; s < 3; s++) {
		char text[64];

		snprintf(text, sizeof(text), "completion %s", shells[s]);
		print(text);
		for (int c = 0; c < CLI_COMMAND_COUNT; c++)
			assert_true(has_word(cli_command_name(c)));
		for (int i = 0; i < CLI_OPTION_COUNT; i++) {
			const struct cli_row *row = cli_option_row((enum cli_option)i);

			snprintf(text, sizeof(text), s == 2 ? "-l %s" : "--%s", row->name);
			if (has_word(text) != (row->help != NULL))
				fail_msg("%s: %s", shells[s], text);
			snprintf(text, sizeof(text), s == 2 ? "-s %c" : "-%c", row->letter);
			if (row->letter && !has_word(text))
				fail_msg("%s: %s", shells[s], text);
		}
		assert_non_null(strstr(printed, "auto always never"));
		assert_non_null(strstr(printed, "routes requests hotspots health facts"));
		assert_non_null(strstr(printed, "bash zsh fish"));
	}
}

/* What the shell makes of it: the words offered after a beginning of a line. */
static void assert_offers(const char *line, const char *want)
{
	char command[65536], got[1024];
	FILE *pipe;
	size_t n;
	int len;

	print("completion bash");
	len = snprintf(command, sizeof(command), "exec bash --norc -c '%s",
		       "eval \"$(cat <<\\END\n");
	for (const char *c = printed; *c && len < (int)sizeof(command) - 1024; c++)
		len += snprintf(command + len, sizeof(command) - (size_t)len,
				*c == '\'' ? "'\\''" : "%c", *c);
	snprintf(command + len, sizeof(command) - (size_t)len,
		 "END\n)\"; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _tardy;"
		 " printf %%s \"${COMPREPLY[*]}\"'",
		 line);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	n = fread(got, 1, sizeof(got) - 1, pipe);
	got[n] = 0;
	assert_int_equal(pclose(pipe), 0);
	assert_string_equal(got, want);
}

static void test_completion_in_bash(void **state)
{
	(void)state;
	assert_offers("tardy re", "record report replay");
	assert_offers("tardy -q report \"\"", "routes requests hotspots health facts");
	assert_offers("tardy report -F \"\"", "text json");
	assert_offers("tardy export -F \"\"", "folded speedscope");
	assert_offers("tardy export --kind \"\"", "cpu off wall");
	assert_offers("tardy --color = a", "auto always");
	assert_offers("tardy record --m", "--max-size --max-lost");
	assert_offers("tardy --b", "--batch");
	assert_offers("tardy help rep", "report replay");
	assert_offers("tardy replay /etc/hostn", "/etc/hostname");
	assert_offers("tardy --route r", "");
}

static void test_output_fails(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	FILE *quiet = fopen("/dev/null", "w");

	(void)state;
	assert_non_null(full);
	assert_non_null(quiet);
	assert_int_equal(parse("help"), 0);
	log_set_stream(quiet);
	assert_int_equal(cli_print(full, &o), EXIT_NEGATIVE);
	log_set_stream(NULL);
	fclose(full);
	fclose(quiet);
}

static void test_values(void **state)
{
	static const char *const wrong[] = { "",   "s",   ".5",  "1.",  "1.s", "-1", "1 s",
					     "1S", "1ss", "1h1", "1e3", "0x1", "inf" };
	uint64_t n = 77;

	(void)state;
	assert_int_equal(cli_number("18446744073709551615", 20, &n), 0);
	assert_true(n == UINT64_MAX);
	n = 77;
	assert_int_equal(cli_number("18446744073709551616", 20, &n), -34 /* ERANGE */);
	assert_int_equal(cli_number("", 0, &n), -22 /* EINVAL */);
	assert_int_equal(n, 77);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(cli_duration_ns(wrong[i], &n), -22);
	assert_int_equal(n, 77);
	assert_int_equal(cli_duration_ns("1.25ms", &n), 0);
	assert_int_equal(n, 1250000);
	assert_int_equal(cli_duration_ns("0.000000001", &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(cli_duration_ns("1.5d", &n), 0);
	assert_int_equal(n, S(129600));
	assert_int_equal(cli_duration_ns("18446744073709551615s", &n), -34);
	assert_int_equal(cli_duration_ns("18446744073.709551616", &n), -34);
	assert_int_equal(cli_size_bytes("3kB", &n), 0);
	assert_int_equal(n, 3072);
	assert_int_equal(cli_size_bytes("2T", &n), 0);
	assert_int_equal(n, (uint64_t)2 << 40);
	assert_int_equal(cli_size_bytes("7B", &n), 0);
	assert_int_equal(n, 7);
	assert_int_equal(cli_size_bytes("16777216T", &n), -34);
	assert_int_equal(cli_size_bytes("1KK", &n), -22);
	assert_int_equal(cli_size_bytes("K", &n), -22);
	assert_int_equal(cli_size_bytes("1.5M", &n), -22);
	/* one change, one deletion, one swap, and two of them */
	assert_int_equal(cli_distance("record", "record"), 0);
	assert_int_equal(cli_distance("recard", "record"), 1);
	assert_int_equal(cli_distance("recod", "record"), 1);
	assert_int_equal(cli_distance("recrod", "record"), 1);
	assert_int_equal(cli_distance("erocrd", "record"), 2);
	assert_int_equal(cli_distance("", "abc"), 3);
	assert_true(cli_distance("an-option-name-that-is-longer-than-any", "all") > 31);
}

static int release(void **state)
{
	(void)state;
	free(said);
	free(printed);
	return 0;
}

static void test_moments(void **state)
{
	static const char *const wrong[] = { "",          "x",          "14:",
					     ":03",       "14:03:",     "14:60",
					     "24:00",     "14:03.5",    "1:2:3:4",
					     "14:03:20.", "-5s",        "5 s",
					     "+5s",       "2026-11-26", "2026-13-01 1:00",
					     "14:03 ",    "140:3",      "2026-11-26 14:99" };
	/* 2026-11-26 13:30:10.5 in a zone two hours east of Greenwich */
	const uint64_t start = 1795692610500000000u;
	struct cli_when w = { CLI_WHEN_NONE, 7 };

	(void)state;
	setenv("TZ", "EET-2", 1);
	tzset();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (!cli_when(wrong[i], &w))
			fail_msg("'%s' is taken for a moment", wrong[i]);
	assert_int_equal(w.kind, CLI_WHEN_NONE);
	assert_int_equal(w.ns, 7);
	w.ns = 0;
	assert_true(cli_when_unix_ns(&w, start) == 0);
	assert_int_equal(cli_when("1.5m", &w), 0);
	assert_true(cli_when_unix_ns(&w, start) == start + S(90));
	assert_int_equal(cli_when("14:00", &w), 0);
	assert_true(cli_when_unix_ns(&w, start) == start + S(29 * 60 + 50) - 500000000u);
	/* the second in which it began */
	assert_int_equal(cli_when("13:30:10", &w), 0);
	assert_true(cli_when_unix_ns(&w, start) == start - 500000000u);
	/* the clock showed it before the start: the day after */
	assert_int_equal(cli_when("13:30:09.25", &w), 0);
	assert_true(cli_when_unix_ns(&w, start) == start + S(86400 - 1) - 250000000u);
	assert_int_equal(cli_when("2026-11-26T13:31:10.5", &w), 0);
	assert_true(cli_when_unix_ns(&w, start) == start + S(60));
	unsetenv("TZ");
	tzset();
	good("report --from 14:03 --to 2026-11-26+14:04", CLI_REPORT);
	assert_int_equal(o.from.kind, CLI_WHEN_CLOCK);
	assert_int_equal(o.to.kind, CLI_WHEN_DATE);
	good("export --to 500ms", CLI_EXPORT);
	assert_int_equal(o.from.kind, CLI_WHEN_NONE);
	assert_true(o.to.ns == S(1) / 2);
	bad("report --from noon", "--from cannot be 'noon'", "14:03:20");
	bad("report --duration 1s --to 1s", "--from and --to choose from a capture", "--input");
	bad("top --from 1s", "--from", "report");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_selection),
		cmocka_unit_test(test_too_many_pids),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_report_and_export),
		cmocka_unit_test(test_other_commands),
		cmocka_unit_test(test_everywhere),
		cmocka_unit_test(test_bundle),
		cmocka_unit_test(test_for_tests),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_every_row),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_completion),
		cmocka_unit_test(test_completion_in_bash),
		cmocka_unit_test(test_output_fails),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_moments),
	};

	unsetenv("TARDY_BREAK");
	return cmocka_run_group_tests(tests, NULL, release);
}
