// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parsing. The words are gone through twice: first to find the command, which may come after its
 * options, then to take options and arguments in the light of it.
 */
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli_value.h"
#include "export/export.h"

#define NS_PER_S 1000000000u

enum {
	MESSAGE_LEN = 512,
	ROWS_MAX = 1000000,
};

static const char default_file[] = "tardy.data";

static const struct cli_row option_rows[] = {
#define X(id, short_name, long_name, arg_name, in, text) \
	[CLI_OPT_##id] = { .name = long_name, \
			   .arg = arg_name, \
			   .help = text, \
			   .commands = in, \
			   .letter = short_name },
	CLI_OPTIONS(X)
#undef X
};

static const char *const command_names[] = {
#define X(id, name, args, help) [CLI_##id] = name,
	CLI_COMMANDS(X)
#undef X
};

static const char *const state_names[] = {
#define X(id, name, help) [STATE_##id] = name,
	STATES(X)
#undef X
};

static const char *const report_names[] = { "routes", "requests", "hotspots", "health", "facts" };
static const unsigned report_bits[] = { EXPORT_ROUTES, EXPORT_REQUESTS, EXPORT_HOTSPOTS,
					EXPORT_HEALTH, EXPORT_FACTS };

struct parser {
	int argc;
	char **argv;
	struct cli_options *o;
	bool has_command;
	bool given[CLI_OPTION_COUNT];
	size_t n_words; /* positional arguments after the command */
};

const char *cli_command_name(enum cli_command command)
{
	return (unsigned)command < CLI_COMMAND_COUNT ? command_names[command] : "";
}

const struct cli_row *cli_option_row(enum cli_option option)
{
	return &option_rows[option];
}

const char *cli_choices(enum cli_command command, enum cli_option option)
{
	const char *arg = option_rows[option].arg;

	if (option == CLI_OPT_FORMAT)
		return command == CLI_EXPORT ? "folded|speedscope" : "text|json";
	return arg && strchr(arg, '|') ? arg : NULL;
}

/* Index of text among the words of "a|b|c", or -1. */
static int choose(const char *choices, const char *text)
{
	size_t len = strlen(text);

	for (int i = 0;; i++) {
		size_t n = strcspn(choices, "|");

		if (n == len && !memcmp(choices, text, n))
			return i;
		if (!choices[n])
			return -1;
		choices += n + 1;
	}
}

/* An error whose fix is to read the help of the command. */
__attribute__((format(printf, 2, 3))) static int complain(const struct parser *p, const char *fmt,
							  ...)
{
	char text[MESSAGE_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (p->has_command)
		log_hint(LOG_FIX, "see tardy help %s", cli_command_name(p->o->command));
	return log_error(LOG_USAGE, "%s", text);
}

/* The word that was meant, if one of them is near enough; tried one after the other. */
struct guess {
	const char *word, *best;
	unsigned distance;
};

static void guess_try(struct guess *g, const char *candidate)
{
	unsigned distance = cli_distance(g->word, candidate);
	size_t len = strlen(g->word);

	/* the beginning of a word is as good as one mistake */
	if (len >= 2 && !strncmp(g->word, candidate, len))
		distance = 1;
	if (distance <= 2 && distance * 2 <= len && (!g->best || distance < g->distance)) {
		g->best = candidate;
		g->distance = distance;
	}
}

static int unknown_command(const char *word)
{
	struct guess g = { .word = word };

	for (int i = 0; i < CLI_COMMAND_COUNT; i++)
		guess_try(&g, command_names[i]);
	if (g.best)
		log_hint(LOG_FIX, "did you mean %s?", g.best);
	return log_error(LOG_USAGE, "there is no command '%s'", word);
}

static int unknown_option(const struct parser *p, const char *word)
{
	char name[64];
	struct guess g = { .word = name };

	if (strncmp(word, "--", 2))
		return complain(p, "there is no option '-%c'", *word);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (int i = 0; i < CLI_OPTION_COUNT; i++)
		if (option_rows[i].help)
			guess_try(&g, option_rows[i].name);
	if (!g.best)
		return complain(p, "there is no option '--%s'", name);
	log_hint(LOG_FIX, "did you mean --%s?", g.best);
	return log_error(LOG_USAGE, "there is no option '--%s'", name);
}

/* "--name" of "--name=value" or a letter; CLI_OPTION_COUNT when there is none. */
static enum cli_option find_option(const char *name, size_t len, char letter)
{
	int i;

	for (i = 0; i < CLI_OPTION_COUNT; i++) {
		const struct cli_row *row = &option_rows[i];

		if (letter ? row->letter == letter :
			     strlen(row->name) == len && !memcmp(row->name, name, len))
			break;
	}
	return (enum cli_option)i;
}

/* ---- values of options --------------------------------------------------------------------- */

static int bad_value(const struct parser *p, enum cli_option option, const char *value,
		     const char *want)
{
	return complain(p, "--%s cannot be '%s': %s", option_rows[option].name, value, want);
}

static int add_pid(void *ctx, uint64_t number)
{
	struct cli_select *s = ctx;

	if (!number || number > INT_MAX)
		return -ERANGE;
	if (s->n_pids == CLI_PIDS_MAX)
		return -E2BIG;
	s->pids[s->n_pids++] = (pid_t)number;
	return 0;
}

static int add_port(void *ctx, uint64_t number)
{
	struct cli_select *s = ctx;

	if (!number || number > UINT16_MAX)
		return -ERANGE;
	if (s->n_ports == ABI_PORTS_MAX)
		return -E2BIG;
	s->ports[s->n_ports++] = (uint16_t)number;
	return 0;
}

static int take_list(struct parser *p, enum cli_option option, const char *value)
{
	bool pids = option == CLI_OPT_PID;
	int err = cli_list(value, pids ? add_pid : add_port, &p->o->select);

	if (err == -E2BIG)
		return complain(p, "--%s: more than %d numbers", option_rows[option].name,
				pids ? (int)CLI_PIDS_MAX : (int)ABI_PORTS_MAX);
	if (err)
		return bad_value(p, option, value,
				 pids ? "process ids such as 12,345 are wanted" :
					"port numbers such as 80,8080 are wanted");
	return 0;
}

static int take_duration(struct parser *p, enum cli_option option, const char *value,
			 uint64_t min_ns, uint64_t max_ns, const char *want, uint64_t *out)
{
	uint64_t ns;

	if (cli_duration_ns(value, &ns) || ns < min_ns || ns > max_ns)
		return bad_value(p, option, value, want);
	*out = ns;
	return 0;
}

static int take_when(struct parser *p, enum cli_option option, const char *value,
		     struct cli_when *out)
{
	if (!cli_when(value, out))
		return 0;
	return bad_value(p, option, value,
			 "90s (after the start), 14:03:20 or '2026-11-26 14:03' is wanted");
}

static int take_size(struct parser *p, enum cli_option option, const char *value, uint64_t min,
		     uint64_t max, const char *want, uint64_t *out)
{
	uint64_t bytes;

	if (cli_size_bytes(value, &bytes) || bytes < min || bytes > max)
		return bad_value(p, option, value, want);
	*out = bytes;
	return 0;
}

static int take_number(struct parser *p, enum cli_option option, const char *value, uint64_t min,
		       uint64_t max, uint64_t *out)
{
	uint64_t n;

	if (cli_number(value, strlen(value), &n) || n < min || n > max)
		return complain(p, "--%s cannot be '%s': a number from %llu to %llu is wanted",
				option_rows[option].name, value, (unsigned long long)min,
				(unsigned long long)max);
	*out = n;
	return 0;
}

/* uprobe:FILE:FUNCTION or usdt:FILE:PROVIDER:NAME, no field empty. */
static bool probe_has_form(const char *spec)
{
	size_t fields = 0, want = 0;

	if (!strncmp(spec, "uprobe:", 7))
		want = 3;
	else if (!strncmp(spec, "usdt:", 5))
		want = 4;
	for (;; spec++) {
		size_t len = strcspn(spec, ":");

		fields += len > 0;
		if (!len)
			return false;
		spec += len;
		if (!*spec)
			return fields == want;
	}
}

static int take_probe(struct parser *p, const char *value)
{
	if (!probe_has_form(value))
		return bad_value(p, CLI_OPT_PROBE, value,
				 "uprobe:FILE:FUNCTION or usdt:FILE:PROVIDER:NAME is wanted");
	if (p->o->n_probes == ABI_PROBES_MAX)
		return complain(p, "more than %d times --probe", (int)ABI_PROBES_MAX);
	p->o->probes[p->o->n_probes++] = value;
	return 0;
}

/* from: "--break-classifier" or the variable */
static int take_break(struct parser *p, const char *from, const char *value)
{
	/* there is nothing to recognise in a thread that runs */
	for (int i = STATE_RUN + 1; i < STATE_COUNT; i++) {
		if (!strcmp(state_names[i], value)) {
			p->o->break_state = i;
			return 0;
		}
	}
	return complain(p, "%s cannot be '%s': a thread state such as runq, lock, disk is wanted",
			from, value);
}

static int take_choice(struct parser *p, enum cli_option option, const char *value, int *out)
{
	const char *choices = cli_choices(p->o->command, option);
	int i = choose(choices, value);
	char want[64];

	snprintf(want, sizeof(want), "%s is wanted", choices);
	if (i < 0)
		return bad_value(p, option, value, want);
	*out = i;
	return 0;
}

static int take_choices(struct parser *p, enum cli_option option, const char *value)
{
	struct cli_options *o = p->o;
	int i = 0, status = take_choice(p, option, value, &i);

	if (status)
		return status;
	if (option == CLI_OPT_COLOR)
		o->color = (enum text_color)i;
	else if (option == CLI_OPT_KIND)
		o->kind = (enum export_kind)i;
	else if (option == CLI_OPT_FORMAT)
		o->format = (enum cli_format)(o->command == CLI_EXPORT ? CLI_FOLDED + i : i);
	return 0;
}

static int take_text(struct parser *p, enum cli_option option, const char *value)
{
	struct cli_options *o = p->o;

	switch (option) {
	case CLI_OPT_USER:
		o->select.user = value;
		return 0;
	case CLI_OPT_UNIT:
		o->select.unit = value;
		return 0;
	case CLI_OPT_CGROUP:
		o->select.cgroup = value;
		return 0;
	case CLI_OPT_CONTAINER:
		o->select.container = value;
		return 0;
	case CLI_OPT_ROUTE:
		o->route = value;
		return 0;
	case CLI_OPT_INPUT:
		o->input = value;
		return 0;
	case CLI_OPT_OUTPUT:
		o->output = value;
		return 0;
	case CLI_OPT_SORT:
		o->sort = value;
		return 0;
	default:
		return complain(p, "--%s is not understood", option_rows[option].name);
	}
}

static int take_value(struct parser *p, enum cli_option option, const char *value)
{
	struct cli_options *o = p->o;
	uint64_t n = 0;
	int status;

	switch (option) {
	case CLI_OPT_PID:
	case CLI_OPT_PORT:
		return take_list(p, option, value);
	case CLI_OPT_DELAY:
		return take_duration(p, option, value, NS_PER_S / 10, (uint64_t)3600 * NS_PER_S,
				     "0.1 to 3600 seconds are wanted", &o->refresh_ns);
	case CLI_OPT_WINDOW:
		return take_duration(p, option, value, (uint64_t)10 * NS_PER_S,
				     (uint64_t)3600 * NS_PER_S, "10s to 1h is wanted",
				     &o->window_ns);
	case CLI_OPT_DURATION:
		return take_duration(p, option, value, NS_PER_S / 100,
				     (uint64_t)31 * 86400 * NS_PER_S,
				     "10ms to 31d is wanted, such as 30s", &o->duration_ns);
	case CLI_OPT_FROM:
		return take_when(p, option, value, &o->from);
	case CLI_OPT_TO:
		return take_when(p, option, value, &o->to);
	case CLI_OPT_MAX_SIZE:
		return take_size(p, option, value, 64 << 10, UINT64_MAX,
				 "at least 64K is wanted, such as 200M", &o->max_size_bytes);
	case CLI_OPT_NO_STACKS:
		o->no_stacks = true;
		return 0;
	case CLI_OPT_RING_SIZE:
		status = take_size(p, option, value, 4 << 10, 1 << 30, "4K to 1G is wanted", &n);
		o->ring_bytes = (size_t)n;
		return status;
	case CLI_OPT_FAIL_STORAGE:
		status = take_number(p, option, value, 1, INT_MAX, &n);
		o->fail_storage = (uint32_t)n;
		return status;
	case CLI_OPT_SKIP_SWITCHES:
		status = take_number(p, option, value, 1, INT_MAX, &n);
		o->skip_switches = (uint32_t)n;
		return status;
	case CLI_OPT_SKIP_ARRIVALS:
		status = take_number(p, option, value, 1, INT_MAX, &n);
		o->skip_arrivals = (uint32_t)n;
		return status;
	case CLI_OPT_ITERATIONS:
		return take_number(p, option, value, 1, INT_MAX, &o->iterations);
	case CLI_OPT_TOP_ROWS:
		status = take_number(p, option, value, 1, ROWS_MAX, &n);
		o->top = (size_t)n;
		return status;
	case CLI_OPT_MAX_LOST:
		return take_number(p, option, value, 0, INT64_MAX, &o->max_lost);
	case CLI_OPT_PROBE:
		return take_probe(p, value);
	case CLI_OPT_BREAK:
		return take_break(p, "--break-classifier", value);
	case CLI_OPT_COLOR:
	case CLI_OPT_FORMAT:
	case CLI_OPT_KIND:
		return take_choices(p, option, value);
	default:
		return take_text(p, option, value);
	}
}

static void take_flag(struct parser *p, enum cli_option option)
{
	struct cli_options *o = p->o;

	/* the field of each option without an argument; help and version end the parsing */
	switch (option) {
	case CLI_OPT_EVERYTHING:
		o->select.all = true;
		break;
	case CLI_OPT_BATCH:
		o->batch = true;
		break;
	case CLI_OPT_BUNDLE:
		o->bundle = true;
		break;
	case CLI_OPT_QUIET:
		o->quiet = true;
		break;
	case CLI_OPT_VERBOSE:
		o->verbose = true;
		break;
	case CLI_OPT_ASCII:
		o->ascii = true;
		break;
		break;
	case CLI_OPT_STRICT:
		o->strict = true;
		break;
	case CLI_OPT_SWEEP_SOCKETS:
		o->sweep_sockets = true;
		break;
	default:
		break;
	}
}

/* ---- words --------------------------------------------------------------------------------- */

static int not_for_command(const struct parser *p, enum cli_option option)
{
	char where[MESSAGE_LEN] = "";
	size_t len = 0;

	for (int i = 0; i < CLI_COMMAND_COUNT && len < sizeof(where); i++)
		if (option_rows[option].commands & 1u << i)
			len += (size_t)snprintf(where + len, sizeof(where) - len, "%s%s",
						len ? ", " : "", command_names[i]);
	log_hint(LOG_FIX, "it belongs to: %s", where);
	return log_error(LOG_USAGE, "tardy %s has no option --%s", cli_command_name(p->o->command),
			 option_rows[option].name);
}

/* value: NULL = none was given. Sets *ends when nothing after this option matters. */
static int take_option(struct parser *p, enum cli_option option, const char *value, bool *ends)
{
	const struct cli_row *row = &option_rows[option];

	if (!(row->commands & 1u << p->o->command))
		return not_for_command(p, option);
	if (row->arg && (!value || !*value))
		return complain(p, "--%s needs a value: %s", row->name, row->arg);
	if (!row->arg && value)
		return complain(p, "--%s takes no value", row->name);
	p->given[option] = true;
	if (row->arg)
		return take_value(p, option, value);
	take_flag(p, option);
	*ends = option == CLI_OPT_SHOW_HELP || option == CLI_OPT_SHOW_VERSION;
	if (option == CLI_OPT_SHOW_HELP) {
		p->o->topic = p->has_command ? (int)p->o->command : -1;
		p->o->command = CLI_HELP;
	} else if (option == CLI_OPT_SHOW_VERSION) {
		p->o->command = CLI_VERSION;
	}
	return 0;
}

/* argv[*i] is "--name" or "--name=value"; *i is moved to the last word that was used. */
static int take_long(struct parser *p, int *i, bool *ends)
{
	const char *word = p->argv[*i], *name = word + 2, *value = strchr(name, '=');
	enum cli_option option = find_option(name, strcspn(name, "="), 0);

	if (option == CLI_OPTION_COUNT)
		return unknown_option(p, word);
	if (value)
		value++;
	else if (option_rows[option].arg && *i + 1 < p->argc)
		value = p->argv[++*i];
	return take_option(p, option, value, ends);
}

/* argv[*i] is "-a", "-bn3", "-p12", or "-p" with the value in the next word. */
static int take_letters(struct parser *p, int *i, bool *ends)
{
	for (const char *at = p->argv[*i] + 1; *at && !*ends; at++) {
		enum cli_option option = find_option(NULL, 0, *at);
		const char *value = NULL;
		bool has_arg;
		int status;

		if (option == CLI_OPTION_COUNT)
			return unknown_option(p, at);
		has_arg = option_rows[option].arg;
		if (has_arg && at[1])
			value = at + 1;
		else if (has_arg && *i + 1 < p->argc)
			value = p->argv[++*i];
		status = take_option(p, option, value, ends);
		if (status || has_arg)
			return status;
	}
	return 0;
}

static int take_report(struct parser *p, const char *word)
{
	struct guess g = { .word = word };

	for (size_t i = 0; i < sizeof(report_bits) / sizeof(report_bits[0]); i++) {
		if (!strcmp(report_names[i], word)) {
			p->o->report |= report_bits[i];
			return 0;
		}
		guess_try(&g, report_names[i]);
	}
	if (!g.best)
		return complain(p, "there is no report '%s'", word);
	log_hint(LOG_FIX, "did you mean %s?", g.best);
	return log_error(LOG_USAGE, "there is no report '%s'", word);
}

static int command_of(const char *word)
{
	for (int i = 0; i < CLI_COMMAND_COUNT; i++)
		if (!strcmp(command_names[i], word))
			return i;
	return -1;
}

/* A word after the command that is not an option. */
static int take_word(struct parser *p, const char *word)
{
	struct cli_options *o = p->o;
	bool first = !p->n_words++;
	int i;

	if (o->command == CLI_REPORT)
		return take_report(p, word);
	if (o->command == CLI_RECORD) {
		log_hint(LOG_FIX, "put -- before the command to run: tardy record -- %s ...", word);
		return log_error(LOG_USAGE, "tardy record has no argument '%s'", word);
	}
	if (!first || o->command == CLI_TOP || o->command == CLI_EXPORT ||
	    o->command == CLI_DOCTOR || o->command == CLI_MAN || o->command == CLI_VERSION)
		return complain(p, "tardy %s: '%s' is too much", cli_command_name(o->command),
				word);
	if (o->command == CLI_HELP) {
		o->topic = command_of(word);
		return o->topic < 0 ? unknown_command(word) : 0;
	}
	if (o->command == CLI_EXPLAIN) {
		o->code = word;
	} else if (o->command == CLI_REPLAY) {
		o->input = word;
	} else {
		i = choose("bash|zsh|fish", word);
		if (i < 0)
			return complain(p, "no completion for '%s': bash, zsh, fish are known",
					word);
		o->shell = (enum cli_shell)i;
	}
	return 0;
}

/* The index of the command's word, 0 when there is none, and the command into *o. Returns the
 * status to leave with. */
static int find_command(struct parser *p, int *index)
{
	*index = 0;
	p->o->command = CLI_TOP;
	for (int i = 1; i < p->argc; i++) {
		const char *word = p->argv[i];
		enum cli_option option;
		int command;

		if (!strcmp(word, "--"))
			return 0;
		if (word[0] != '-' || !word[1]) {
			command = command_of(word);
			if (command < 0)
				return unknown_command(word);
			*index = i;
			p->has_command = true;
			p->o->command = (enum cli_command)command;
			return 0;
		}
		if (word[1] == '-') {
			option = find_option(word + 2, strcspn(word + 2, "="), 0);
			if (option == CLI_OPTION_COUNT)
				return unknown_option(p, word);
			i += option_rows[option].arg && !strchr(word, '=');
			continue;
		}
		/* the first letter with an argument takes the rest of the word or the next one */
		for (const char *at = word + 1; *at; at++) {
			option = find_option(NULL, 0, *at);
			if (option == CLI_OPTION_COUNT)
				return unknown_option(p, at);
			if (!option_rows[option].arg)
				continue;
			i += !at[1];
			break;
		}
	}
	return 0;
}

static int take_words(struct parser *p, int command_index)
{
	bool ends = false;
	int status = 0;

	for (int i = 1; i < p->argc && !status && !ends; i++) {
		char *word = p->argv[i];

		if (i == command_index)
			continue;
		if (!strcmp(word, "--")) {
			if (p->o->command == CLI_RECORD && i + 1 < p->argc) {
				p->o->child_argv = &p->argv[i + 1];
				return 0;
			}
			if (p->o->command == CLI_RECORD)
				return complain(p, "there is no command after --");
			while (++i < p->argc && !status)
				status = take_word(p, p->argv[i]);
			return status;
		}
		if (word[0] != '-' || !word[1])
			status = take_word(p, word);
		else if (word[1] == '-')
			status = take_long(p, &i, &ends);
		else
			status = take_letters(p, &i, &ends);
	}
	return status;
}

/* ---- what does not go together ------------------------------------------------------------- */

static bool selects(const struct cli_select *s)
{
	return s->n_pids || s->n_ports || s->user || s->unit || s->cgroup || s->container;
}

static int check_source(const struct parser *p)
{
	const struct cli_options *o = p->o;

	if (o->select.all && selects(&o->select))
		return complain(p, "--all and a selection exclude each other");
	if (o->input && (o->select.all || selects(&o->select)))
		return complain(p, "a capture holds what was selected when it was made: of the "
				   "selection only --route goes with --input");
	if (o->input && o->duration_ns)
		return complain(p, "--input and --duration exclude each other");
	if (o->command == CLI_REPORT && !o->duration_ns && (o->select.all || selects(&o->select)))
		return complain(p, "to measure, a report needs --duration");
	if (o->duration_ns && (o->from.kind || o->to.kind))
		return complain(p, "--from and --to choose from a capture: they need --input");
	if (o->duration_ns && (o->report & EXPORT_FACTS))
		return complain(p, "facts are attached to a capture: they need --input");
	if (o->child_argv && o->duration_ns)
		return complain(p, "--duration and a command exclude each other: the recording "
				   "ends with the command");
	return 0;
}

static int check(struct parser *p)
{
	struct cli_options *o = p->o;
	int status = check_source(p);

	if (status)
		return status;
	if (o->bundle && o->output && !strcmp(o->output, "-"))
		return complain(p, "--bundle needs a file: the report is made of what was written");
	if (o->quiet && o->verbose)
		return complain(p, "--quiet and --verbose exclude each other");
	if (o->command == CLI_REPLAY && !o->input)
		return complain(p, "tardy replay needs a FILE");
	if (o->command == CLI_COMPLETION && !p->n_words)
		return complain(p, "tardy completion needs a shell: bash, zsh or fish");
	if (!o->report)
		o->report = EXPORT_ALL;
	if (o->sort && !text_sort_known(o->sort, o->report))
		return complain(p, "--sort: no table of this report has a column '%s'", o->sort);
	if ((o->command == CLI_REPORT || o->command == CLI_EXPORT) && !o->input && !o->duration_ns)
		o->input = default_file;
	if (!o->output)
		o->output = o->command == CLI_RECORD ? default_file : "-";
	if (o->command == CLI_EXPORT && !p->given[CLI_OPT_FORMAT])
		o->format = CLI_FOLDED;
	if (o->input && !p->given[CLI_OPT_WINDOW])
		o->window_ns = 0;
	if (o->input && !strcmp(o->input, "-") && o->window_ns)
		return complain(p,
				"--window needs a file: where it ends is known when it was read");
	if (o->iterations)
		o->batch = true;
	if (o->strict && !p->given[CLI_OPT_MAX_LOST])
		o->max_lost = 0;
	return 0;
}

int cli_parse(int argc, char **argv, struct cli_options *out)
{
	struct parser p = { .argc = argc, .argv = argv, .o = out };
	const char *broken = getenv("TARDY_BREAK");
	int status, command_index;

	*out = (struct cli_options){
		.refresh_ns = (uint64_t)2 * NS_PER_S,
		.window_ns = (uint64_t)60 * NS_PER_S,
		.max_lost = CLI_MAX_LOST_NONE,
		.kind = EXPORT_WALL,
		.topic = -1,
		.break_state = -1,
	};
	status = find_command(&p, &command_index);
	if (!status)
		status = take_words(&p, command_index);
	if (status || out->command == CLI_HELP || out->command == CLI_VERSION)
		return status;
	if (broken && *broken && !p.given[CLI_OPT_BREAK])
		status = take_break(&p, "TARDY_BREAK", broken);
	return status ? status : check(&p);
}
