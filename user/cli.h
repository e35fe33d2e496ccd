/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line. Commands and options are rows of the tables below, from which parsing,
 * --help, the help of each command and the shells' completion are made: a new option is one row,
 * a field of struct cli_options and a case in cli.c.
 *
 *	status = cli_parse(argc, argv, &o);
 *	if (status)
 *		return status;
 *	log_set_quiet(o.quiet), log_set_verbose(o.verbose);
 *	switch (o.command) ... CLI_HELP, CLI_VERSION, CLI_COMPLETION: return cli_print(stdout, &o);
 */
#ifndef TARDY_CLI_H
#define TARDY_CLI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include "bpf/abi.h"
#include "cli_value.h"
#include "export/text.h"

/* X(ENUM, "name", "positional arguments", "what it does"). The first is the default. */
// clang-format off
#define CLI_COMMANDS(X) \
	X(TOP, "top", "", "live view; plain text when stdout is no terminal") \
	X(RECORD, "record", "[-- CMD ARGS...]", "write what is measured to a capture") \
	X(REPORT, "report", "[routes|requests|hotspots|health|facts]...", \
	  "print a capture, or what is measured for --duration") \
	X(EXPORT, "export", "", "turn a capture into another format") \
	X(REPLAY, "replay", "FILE", "the live view over a capture") \
	X(DOCTOR, "doctor", "", "say what this kernel allows tardy to measure") \
	X(EXPLAIN, "explain", "[CODE]", "explain an error code such as T0012, or list all") \
	X(COMPLETION, "completion", "bash|zsh|fish", "print completion code for a shell") \
	X(MAN, "man", "", "print the manual page: tardy man | man -l -") \
	X(HELP, "help", "[COMMAND]", "print help") \
	X(VERSION, "version", "", "print the version")
// clang-format on

enum cli_command {
#define X(id, name, args, help) CLI_##id,
	CLI_COMMANDS(X)
#undef X
		CLI_COMMAND_COUNT
};

/* Which commands an option belongs to. */
enum {
	CLI_IN_TOP = 1 << CLI_TOP,
	CLI_IN_RECORD = 1 << CLI_RECORD,
	CLI_IN_REPORT = 1 << CLI_REPORT,
	CLI_IN_EXPORT = 1 << CLI_EXPORT,
	CLI_IN_REPLAY = 1 << CLI_REPLAY,
	CLI_IN_DOCTOR = 1 << CLI_DOCTOR,
	CLI_IN_LIVE = CLI_IN_TOP | CLI_IN_RECORD | CLI_IN_REPORT,
	CLI_IN_VIEW = CLI_IN_TOP | CLI_IN_REPLAY,
	CLI_IN_ALL = (1 << CLI_COMMAND_COUNT) - 1,
};

/* X(ENUM, short or 0, "long", argument or NULL, commands, help). No help: not shown, for tests.
 * An argument of the form a|b|c is a choice. */
// clang-format off
#define CLI_OPTIONS(X) \
	X(PID, 'p', "pid", "PID,...", CLI_IN_LIVE, "processes with these ids, and their children") \
	X(USER, 'u', "user", "USER", CLI_IN_LIVE, "processes of a user, by name or number") \
	X(UNIT, 0, "unit", "UNIT", CLI_IN_LIVE, "processes of a systemd unit") \
	X(CGROUP, 0, "cgroup", "PATH", CLI_IN_LIVE, "processes of a control group and those below it") \
	X(CONTAINER, 0, "container", "ID", CLI_IN_LIVE, "processes of a container") \
	X(PORT, 0, "port", "N,...", CLI_IN_LIVE, "connections accepted on these local ports") \
	X(EVERYTHING, 'a', "all", NULL, CLI_IN_LIVE, "every server of the host") \
	X(ROUTE, 0, "route", "GLOB", CLI_IN_LIVE | CLI_IN_EXPORT | CLI_IN_REPLAY, \
	  "only requests of matching routes: 'GET /course/*'") \
	X(DELAY, 'd', "delay", "SEC", CLI_IN_VIEW, "seconds between refreshes, 0.1 to 3600 (2)") \
	X(WINDOW, 'w', "window", "DUR", CLI_IN_VIEW, "what figures are about: 10s to 1h (60s; of a capture all, or its end)") \
	X(BATCH, 'b', "batch", NULL, CLI_IN_VIEW, "plain text instead of screens") \
	X(ITERATIONS, 'n', "iterations", "N", CLI_IN_VIEW, "leave after N refreshes; implies -b") \
	X(INPUT, 'i', "input", "FILE", CLI_IN_TOP | CLI_IN_REPORT | CLI_IN_EXPORT, \
	  "read a capture instead of measuring (tardy.data)") \
	X(DURATION, 0, "duration", "DUR", CLI_IN_RECORD | CLI_IN_REPORT, \
	  "measure for so long: 500ms, 30s, 10m, 2h") \
	X(FROM, 0, "from", "WHEN", CLI_IN_REPORT | CLI_IN_EXPORT, \
	  "only what a capture holds from then on: 90s after its start, 14:03:20, or with a date") \
	X(TO, 0, "to", "WHEN", CLI_IN_REPORT | CLI_IN_EXPORT, "the same, until then") \
	X(OUTPUT, 'o', "output", "FILE", CLI_IN_RECORD | CLI_IN_REPORT | CLI_IN_EXPORT, \
	  "write there, - = stdout (record: tardy.data; others: -)") \
	X(MAX_SIZE, 0, "max-size", "SIZE", CLI_IN_RECORD, "end the capture at that size: 200M") \
	X(BUNDLE, 0, "bundle", NULL, CLI_IN_RECORD, \
	  "also put doctor, facts of the host and servers, and the report into the capture") \
	X(FORMAT, 'F', "format", "FORMAT", CLI_IN_REPORT | CLI_IN_EXPORT | CLI_IN_DOCTOR, \
	  "text or json (export: folded or speedscope)") \
	X(KIND, 0, "kind", "cpu|off|wall", CLI_IN_EXPORT, \
	  "what stacks add up to: samples on a CPU, microseconds of waits, or of wall time (wall)") \
	X(TOP_ROWS, 0, "top", "N", CLI_IN_REPORT, "rows of a table (20)") \
	X(SORT, 's', "sort", "COLUMN", CLI_IN_REPORT, "order tables by wait, p99, rate, wall, ...") \
	X(PROBE, 0, "probe", "SPEC", CLI_IN_ALL, \
	  "also mark requests at uprobe:FILE:FUNCTION or usdt:FILE:PROVIDER:NAME; up to 16 times") \
	X(NO_STACKS, 0, "no-stacks", NULL, CLI_IN_LIVE, \
	  "take no stacks of running and waiting requests; a little cheaper") \
	X(QUIET, 'q', "quiet", NULL, CLI_IN_ALL, "errors only (doctor: only its exit status)") \
	X(VERBOSE, 'v', "verbose", NULL, CLI_IN_ALL, "say more about what is done") \
	X(COLOR, 0, "color", "auto|always|never", CLI_IN_ALL, "colours; auto obeys NO_COLOR") \
	X(ASCII, 0, "ascii", NULL, CLI_IN_ALL, "no characters outside of ASCII") \
	X(MAX_LOST, 0, "max-lost", "N", CLI_IN_ALL, "leave with status 5 when more records were lost") \
	X(STRICT, 0, "strict", NULL, CLI_IN_ALL, "fail where there would be a warning") \
	X(SHOW_HELP, 'h', "help", NULL, CLI_IN_ALL, "print help, of the command if one is given") \
	X(SHOW_VERSION, 'V', "version", NULL, CLI_IN_ALL, "print the version") \
	X(RING_SIZE, 0, "ring-size", "SIZE", CLI_IN_LIVE, NULL) \
	X(FAIL_STORAGE, 0, "fail-storage", "N", CLI_IN_LIVE, NULL) \
	X(SWEEP_SOCKETS, 0, "sweep-sockets", NULL, CLI_IN_LIVE, NULL) \
	X(SKIP_SWITCHES, 0, "skip-switches", "N", CLI_IN_LIVE, NULL) \
	X(SKIP_ARRIVALS, 0, "skip-arrivals", "N", CLI_IN_LIVE, NULL) \
	X(BREAK, 0, "break-classifier", "STATE", CLI_IN_ALL, NULL)
// clang-format on

enum cli_option {
#define X(id, letter, name, arg, commands, help) CLI_OPT_##id,
	CLI_OPTIONS(X)
#undef X
		CLI_OPTION_COUNT
};

enum cli_format { CLI_TEXT, CLI_JSON, CLI_FOLDED, CLI_SPEEDSCOPE };
enum cli_shell { CLI_BASH, CLI_ZSH, CLI_FISH };

enum { CLI_PIDS_MAX = 1024 };
#define CLI_MAX_LOST_NONE UINT64_MAX

/* What to watch. Nothing given: all zero. Different kinds add up; `all` stands alone. */
struct cli_select {
	pid_t pids[CLI_PIDS_MAX];
	size_t n_pids;
	uint16_t ports[ABI_PORTS_MAX];
	size_t n_ports;
	const char *user, *unit, *cgroup, *container; /* not empty; NULL = not given */
	bool all;
};

/* Strings are borrowed from argv and the environment. */
struct cli_options {
	enum cli_command command;
	struct cli_select select;
	const char *route; /* NULL = all */
	uint64_t refresh_ns; /* never 0 */
	uint64_t window_ns; /* 0 = all of a capture */
	bool batch;
	uint64_t iterations; /* 0 = until stopped */
	const char *input; /* NULL = measure; report, export: tardy.data by default; replay: FILE */
	const char *output; /* record, report, export: never NULL, "-" = stdout */
	bool bundle;
	uint64_t duration_ns; /* 0 = not given */
	struct cli_when from, to; /* of a capture */
	uint64_t max_size_bytes; /* 0 = no bound */
	char **child_argv; /* record -- CMD ARGS..., ends in NULL; NULL = not given */
	enum cli_format format;
	enum export_kind kind; /* export */
	unsigned report; /* mask of enum export_what, never 0 */
	size_t top; /* 0 = default */
	const char *sort; /* a column that a table of `report` has; NULL = default */
	const char *probes[ABI_PROBES_MAX]; /* of the right form */
	size_t n_probes;
	bool no_stacks;
	bool quiet, verbose, ascii, strict;
	enum text_color color;
	uint64_t max_lost; /* CLI_MAX_LOST_NONE = any number is fine; --strict: 0 */
	const char *code; /* explain; NULL = all */
	int topic; /* help: enum cli_command, -1 = all */
	enum cli_shell shell; /* completion */
	/* for tests */
	size_t ring_bytes; /* 0 = default */
	uint32_t fail_storage; /* every so many-th storage of the kernel side fails, 0 = none */
	bool sweep_sockets; /* no iterators over maps */
	uint32_t
		skip_arrivals; /* every so many-th coming back to the CPU is not seen, 0 = all are */
	uint32_t skip_switches; /* every so many-th switch is not seen, 0 = all are */
	int break_state; /* --break-classifier or TARDY_BREAK: enum thread_state, -1 = none */
};

/* Returns 0 with *out filled, or prints an error through base/log.h and returns the status to
 * leave with; *out is then undefined. --help and --version give the commands of the same name. */
int cli_parse(int argc, char **argv, struct cli_options *out);
/* Runs help, version or completion. Returns the exit status. */
int cli_print(FILE *out, const struct cli_options *o);
/* The manual page as troff, for cli_print(). */
void cli_put_man(FILE *out, const char *version);

const char *cli_command_name(enum cli_command command);
/* The table's rows, for help and completion. */
struct cli_row {
	const char *name, *arg, *help;
	unsigned commands;
	char letter;
};
const struct cli_row *cli_option_row(enum cli_option option);
/* What an option's argument may be for a command, separated by '|'; NULL when it is free. */
const char *cli_choices(enum cli_command command, enum cli_option option);
#endif
