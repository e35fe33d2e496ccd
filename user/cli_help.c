// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is printed from the tables of the command line: help, version and completion code for
 * shells. Help fits 80 columns.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cli.h"

#ifndef TARDY_VERSION
#define TARDY_VERSION "unknown"
#endif

enum { HELP_WIDTH = 80, HELP_INDENT = 30, TEXT_LEN = 512 };

/* Selection of what to watch; options of some commands; what every command has. */
enum help_group { GROUP_SELECT, GROUP_COMMAND, GROUP_ALL };

static const struct {
	const char *name, *args, *help;
} commands[] = {
#define X(id, name, args, help) { name, args, help },
	CLI_COMMANDS(X)
#undef X
};

static enum help_group group_of(const struct cli_row *row)
{
	if (row->commands == CLI_IN_ALL)
		return GROUP_ALL;
	return (row->commands & CLI_IN_LIVE) == CLI_IN_LIVE ? GROUP_SELECT : GROUP_COMMAND;
}

/* Text in the right column, after a left side of `used` columns; below it where it is too wide. */
static void put_text(FILE *out, int used, const char *text)
{
	size_t column = HELP_INDENT;
	bool first = true;

	if (used + 2 > HELP_INDENT) {
		fputc('\n', out);
		used = 0;
	}
	fprintf(out, "%*s", HELP_INDENT - used, "");
	while (*text) {
		size_t len = strcspn(text, " ");

		if (!first && column + 1 + len > HELP_WIDTH) {
			fprintf(out, "\n%*s", HELP_INDENT, "");
			column = HELP_INDENT;
		} else if (!first) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, len, out);
		column += len;
		first = false;
		text += len + strspn(text + len, " ");
	}
	fputc('\n', out);
}

/* "a, b" of the commands in a mask. */
static void list_commands(char *buf, size_t size, unsigned mask)
{
	size_t len = 0;

	buf[0] = 0;
	for (int i = 0; i < CLI_COMMAND_COUNT && len < size; i++)
		if (mask & 1u << i)
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "",
						commands[i].name);
}

/* With the commands that it belongs to, where that is the question. */
static void put_option(FILE *out, const struct cli_row *row, bool with_commands)
{
	char text[TEXT_LEN], list[TEXT_LEN / 2];
	int used;

	if (row->letter)
		used = fprintf(out, "  -%c, --%s", row->letter, row->name);
	else
		used = fprintf(out, "      --%s", row->name);
	if (row->arg)
		used += fprintf(out, "%c%s", strchr(row->arg, '|') ? '=' : ' ', row->arg);
	list_commands(list, sizeof(list), row->commands);
	if (with_commands)
		snprintf(text, sizeof(text), "%s (%s)", row->help, list);
	put_text(out, used, with_commands ? text : row->help);
}

/* The options of a group that one of the commands in `mask` has. */
static void put_group(FILE *out, enum help_group group, const char *heading, unsigned mask,
		      bool with_commands)
{
	bool any = false;

	for (int i = 0; i < CLI_OPTION_COUNT; i++) {
		const struct cli_row *row = cli_option_row((enum cli_option)i);

		if (!row->help || group_of(row) != group || !(row->commands & mask))
			continue;
		if (!any)
			fprintf(out, "\n%s:\n", heading);
		any = true;
		put_option(out, row, with_commands);
	}
}

static void put_all_help(FILE *out)
{
	fputs("Usage: tardy [COMMAND] [OPTIONS] [ARGUMENTS]\n"
	      "Why is this request late? Where the wall time of requests goes, on this host.\n"
	      "\nCommands (without one: top; tardy help COMMAND says more):\n",
	      out);
	for (int i = 0; i < CLI_COMMAND_COUNT; i++) {
		int used = fprintf(out, "  %s%s%s", commands[i].name, *commands[i].args ? " " : "",
				   commands[i].args);

		put_text(out, used, commands[i].help);
	}
	put_group(out, GROUP_SELECT, "What to watch (top, record, report)", CLI_IN_ALL, false);
	put_group(out, GROUP_COMMAND, "Options of some commands", CLI_IN_ALL, true);
	put_group(out, GROUP_ALL, "Options of every command", CLI_IN_ALL, false);
	fputs("\nExit status: 0 fine; 1 no data, doctor failed, or no input or output; 2 usage;\n"
	      "3 privilege or kernel feature; 4 target gone; 5 lost more than --max-lost; with\n"
	      "-- CMD that of CMD.\n"
	      "Environment: NO_COLOR.\n",
	      out);
}

static void put_command_help(FILE *out, enum cli_command command)
{
	unsigned mask = 1u << command;

	fprintf(out, "Usage: tardy %s [OPTIONS]%s%s\n", commands[command].name,
		*commands[command].args ? " " : "", commands[command].args);
	fprintf(out, "tardy %s: %s\n", commands[command].name, commands[command].help);
	put_group(out, GROUP_SELECT, "What to watch", mask, false);
	put_group(out, GROUP_COMMAND, "Options", mask, false);
	put_group(out, GROUP_ALL, "Options of every command", mask, false);
}

/* ---- completion ---------------------------------------------------------------------------- */

static bool takes_file(const struct cli_row *row)
{
	return row->arg && !strcmp(row->arg, "FILE");
}

/* The names of an option that is shown, joined for a pattern: "-F|--format". */
static void put_pattern(FILE *out, const char *command, const struct cli_row *row)
{
	if (row->letter)
		fprintf(out, "%s:-%c|", command, row->letter);
	fprintf(out, "%s:--%s", command, row->name);
}

/* "a|b" with blanks between the words. */
static void put_words(FILE *out, const char *choices)
{
	for (; *choices; choices++)
		fputc(*choices == '|' ? ' ' : *choices, out);
}

static void put_command_names(FILE *out, char between)
{
	for (int i = 0; i < CLI_COMMAND_COUNT; i++)
		fprintf(out, "%s%.1s", commands[i].name, i + 1 < CLI_COMMAND_COUNT ? &between : "");
}

/* The words that a command takes as arguments into buf; "" when they are free or there are none. */
static void positional_words(enum cli_command command, char *buf, size_t size)
{
	const char *args = commands[command].args;
	size_t len = 0;

	buf[0] = 0;
	if (command == CLI_HELP) {
		for (int i = 0; i < CLI_COMMAND_COUNT && len < size; i++)
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? " " : "",
						commands[i].name);
		return;
	}
	/* "[a|b]..." or "a|b"; without a choice the argument is free */
	for (bool choice = strchr(args, '|'); choice && *args && len + 1 < size; args++)
		if (*args == '|' || (*args >= 'a' && *args <= 'z'))
			buf[len++] = *args == '|' ? ' ' : *args;
	buf[len] = 0;
}

static void put_value_case(FILE *out, const char *command, const struct cli_row *row,
			   const char *before, const char *words, const char *after)
{
	fputc('\t', out);
	put_pattern(out, command, row);
	fprintf(out, ") %s", before);
	put_words(out, words);
	fprintf(out, "%s return ;;\n", after);
}

/* What may follow an option: cases of "command:option", where words go between before and after. */
static void put_value_cases(FILE *out, const char *before, const char *after, const char *files)
{
	for (int i = 0; i < CLI_OPTION_COUNT; i++) {
		const struct cli_row *row = cli_option_row((enum cli_option)i);
		const char *choices = cli_choices(CLI_REPORT, (enum cli_option)i);

		if (!row->help || !row->arg)
			continue;
		if (i == CLI_OPT_FORMAT)
			put_value_case(out, commands[CLI_EXPORT].name, row, before,
				       cli_choices(CLI_EXPORT, CLI_OPT_FORMAT), after);
		if (choices)
			put_value_case(out, "*", row, before, choices, after);
		else
			put_value_case(out, "*", row, takes_file(row) ? files : "", "", "");
	}
}

/* All options of each command as cases that set a list of words. */
static void put_option_cases(FILE *out, const char *words, const char *end)
{
	for (int c = 0; c < CLI_COMMAND_COUNT; c++) {
		fprintf(out, "\t%s)\n\t\t%s", commands[c].name, words);
		for (int i = 0; i < CLI_OPTION_COUNT; i++) {
			const struct cli_row *row = cli_option_row((enum cli_option)i);

			if (!row->help || !(row->commands & 1u << c))
				continue;
			if (row->letter)
				fprintf(out, "-%c ", row->letter);
			fprintf(out, "--%s ", row->name);
		}
		fprintf(out, "%s\n\t\t;;\n", end);
	}
}

/* Cases of commands that take certain words or a file. */
static void put_positional_cases(FILE *out, const char *words, const char *end, const char *files)
{
	char buf[TEXT_LEN];

	for (int c = 0; c < CLI_COMMAND_COUNT; c++) {
		positional_words((enum cli_command)c, buf, sizeof(buf));
		if (*buf)
			fprintf(out, "\t\t%s) %s%s%s ;;\n", commands[c].name, words, buf, end);
		else if (!strcmp(commands[c].args, "FILE"))
			fprintf(out, "\t\t%s) %s ;;\n", commands[c].name, files);
	}
}

static void put_bash(FILE *out)
{
	fputs("# bash completion of tardy: eval \"$(tardy completion bash)\"\n"
	      "_tardy()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	      "\tlocal command= word words=\n\n"
	      "\tCOMPREPLY=()\n"
	      "\t# --name=value comes as three words\n"
	      "\tif [ \"$cur\" = = ]; then cur=\n"
	      "\telif [ \"$prev\" = = ]; then prev=${COMP_WORDS[COMP_CWORD - 2]}\n\tfi\n"
	      "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD - 1}\"; do\n"
	      "\t\tcase $word in\n\t\t",
	      out);
	put_command_names(out, '|');
	fputs(") command=$word; break ;;\n\t\tesac\n\tdone\n"
	      "\tcase ${command:-top}:$prev in\n",
	      out);
	put_value_cases(out, "COMPREPLY=($(compgen -W \"", "\" -- \"$cur\"));",
			"COMPREPLY=($(compgen -f -- \"$cur\"));");
	fputs("\tesac\n\tif [[ $cur != -* ]]; then\n\t\tcase $command in\n\t\t'') words='", out);
	put_command_names(out, ' ');
	fputs("' ;;\n", out);
	put_positional_cases(out, "words='", "'", "COMPREPLY=($(compgen -f -- \"$cur\")); return");
	fputs("\t\tesac\n\telse\n\tcase ${command:-top} in\n", out);
	put_option_cases(out, "words='", "'");
	fputs("\tesac\n\tfi\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
	      "complete -o filenames -F _tardy tardy\n",
	      out);
}

static void put_zsh(FILE *out)
{
	fputs("#compdef tardy\n# zsh completion of tardy: eval \"$(tardy completion zsh)\"\n"
	      "_tardy()\n{\n"
	      "\tlocal command= word prev=$words[CURRENT-1]\n\n"
	      "\tfor word in $words[2,CURRENT-1]; do\n\t\tcase $word in\n\t\t",
	      out);
	put_command_names(out, '|');
	fputs(") command=$word; break ;;\n\t\tesac\n\tdone\n"
	      "\tif [[ $PREFIX == --*=* ]]; then\n"
	      "\t\tprev=${PREFIX%%=*}\n\t\tcompset -P '*='\n\tfi\n"
	      "\tcase ${command:-top}:$prev in\n",
	      out);
	put_value_cases(out, "compadd -- ", ";", "_files;");
	fputs("\tesac\n\tif [[ $PREFIX != -* ]]; then\n\t\tcase $command in\n"
	      "\t\t'') compadd -- ",
	      out);
	put_command_names(out, ' ');
	fputs(" ;;\n", out);
	put_positional_cases(out, "compadd -- ", "", "_files");
	fputs("\t\tesac\n\t\treturn\n\tfi\n\tcase ${command:-top} in\n", out);
	put_option_cases(out, "compadd -- ", "");
	fputs("\tesac\n}\n"
	      "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _tardy \"$@\"\n"
	      "else compdef _tardy tardy\nfi\n",
	      out);
}

/* In single quotes of fish. */
static void put_fish_quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++)
		fprintf(out, "%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
	fputc('\'', out);
}

/* When an option is offered: with its commands, top also being what no command means. */
static void put_fish_condition(FILE *out, unsigned mask)
{
	bool otherwise = mask & CLI_IN_TOP;

	if (mask == CLI_IN_ALL)
		return;
	fprintf(out, " -n '%s__fish_seen_subcommand_from", otherwise ? "not " : "");
	for (int c = 0; c < CLI_COMMAND_COUNT; c++)
		if (!(mask & 1u << c) == otherwise)
			fprintf(out, " %s", commands[c].name);
	fputs("'", out);
}

static void put_fish_option(FILE *out, enum cli_option option, unsigned mask, const char *choices)
{
	const struct cli_row *row = cli_option_row(option);

	fputs("complete -c tardy", out);
	put_fish_condition(out, mask);
	if (row->letter)
		fprintf(out, " -s %c", row->letter);
	fprintf(out, " -l %s", row->name);
	if (choices) {
		fputs(" -x -a '", out);
		put_words(out, choices);
		fputc('\'', out);
	} else if (row->arg) {
		fputs(takes_file(row) ? " -r -F" : " -x", out);
	}
	fputs(" -d ", out);
	put_fish_quoted(out, row->help);
	fputc('\n', out);
}

static void put_fish(FILE *out)
{
	char buf[TEXT_LEN];

	fputs("# fish completion of tardy: tardy completion fish | source\n"
	      "complete -c tardy -f\n",
	      out);
	for (int c = 0; c < CLI_COMMAND_COUNT; c++) {
		fprintf(out, "complete -c tardy -n __fish_use_subcommand -a %s -d ",
			commands[c].name);
		put_fish_quoted(out, commands[c].help);
		fputc('\n', out);
		positional_words((enum cli_command)c, buf, sizeof(buf));
		if (*buf)
			fprintf(out,
				"complete -c tardy -n '__fish_seen_subcommand_from %s' -a '%s'\n",
				commands[c].name, buf);
		else if (!strcmp(commands[c].args, "FILE"))
			fprintf(out, "complete -c tardy -n '__fish_seen_subcommand_from %s' -F\n",
				commands[c].name);
	}
	for (int i = 0; i < CLI_OPTION_COUNT; i++) {
		const struct cli_row *row = cli_option_row((enum cli_option)i);
		unsigned mask = row->commands;

		if (!row->help)
			continue;
		/* the formats of export are not those of the others */
		if (i == CLI_OPT_FORMAT) {
			put_fish_option(out, CLI_OPT_FORMAT, CLI_IN_EXPORT,
					cli_choices(CLI_EXPORT, CLI_OPT_FORMAT));
			mask &= ~(unsigned)CLI_IN_EXPORT;
		}
		put_fish_option(out, (enum cli_option)i, mask,
				cli_choices(CLI_REPORT, (enum cli_option)i));
	}
}

int cli_print(FILE *out, const struct cli_options *o)
{
	if (o->command == CLI_VERSION) {
		fprintf(out, "tardy %s\n", TARDY_VERSION);
	} else if (o->command == CLI_HELP) {
		if (o->topic < 0)
			put_all_help(out);
		else
			put_command_help(out, (enum cli_command)o->topic);
	} else if (o->command == CLI_MAN) {
		cli_put_man(out, TARDY_VERSION);
	} else {
		static void (*const put[])(FILE *) = {
			[CLI_BASH] = put_bash, [CLI_ZSH] = put_zsh, [CLI_FISH] = put_fish
		};

		put[o->shell](out);
	}
	if (fflush(out) || ferror(out))
		return log_error(errno == EPIPE ? LOG_CLOSED_PIPE : LOG_OUTPUT,
				 "cannot write to standard output: %s", strerror(errno));
	return EXIT_FINE;
}
