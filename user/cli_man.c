// SPDX-License-Identifier: GPL-2.0-only
/* The manual page, made of the tables that also make help and completion (man(7) macros). */
#include <string.h>

#include "account/causes.h"
#include "base/log.h"
#include "cli.h"

/* Text of a paragraph: what troff would take for a request or an escape is quoted. */
static void put_text(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
	}
}

static void put_section(FILE *out, const char *name)
{
	fprintf(out, ".SH %s\n", name);
}

static void put_paragraph(FILE *out, const char *text)
{
	fputs(".PP\n", out);
	put_text(out, text);
	fputc('\n', out);
}

/* A tagged paragraph, its tag in bold. */
static void put_item(FILE *out, const char *tag, const char *text)
{
	fputs(".TP\n\\fB", out);
	put_text(out, tag);
	fputs("\\fR\n", out);
	put_text(out, text);
	fputc('\n', out);
}

static void put_commands(FILE *out)
{
	static const struct {
		const char *name, *args, *help;
	} commands[] = {
#define X(id, name, args, help) { name, args, help },
		CLI_COMMANDS(X)
#undef X
	};

	put_section(out, "COMMANDS");
	put_paragraph(out, "Without a command it is top.");
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
		char tag[128];

		snprintf(tag, sizeof(tag), "%s%s%s", commands[i].name, *commands[i].args ? " " : "",
			 commands[i].args);
		put_item(out, tag, commands[i].help);
	}
}

/* "(top, replay)": nothing where every command has it. */
static void put_where(FILE *out, unsigned mask)
{
	static const char *const names[] = {
#define X(id, name, args, help) name,
		CLI_COMMANDS(X)
#undef X
	};
	const char *between = " (";

	if (mask == CLI_IN_ALL)
		return;
	for (int i = 0; i < CLI_COMMAND_COUNT; i++)
		if (mask & 1u << i) {
			fprintf(out, "%s%s", between, names[i]);
			between = ", ";
		}
	fputc(')', out);
}

static void put_options(FILE *out)
{
	put_section(out, "OPTIONS");
	for (int i = 0; i < CLI_OPTION_COUNT; i++) {
		const struct cli_row *row = cli_option_row((enum cli_option)i);
		const char *choices = cli_choices(CLI_REPORT, (enum cli_option)i);

		if (!row->help)
			continue;
		fputs(".TP\n\\fB", out);
		if (row->letter)
			fprintf(out, "\\-%c\\fR, \\fB", row->letter);
		put_text(out, "--");
		put_text(out, row->name);
		fputs("\\fR", out);
		if (row->arg) {
			fputs(" \\fI", out);
			put_text(out, choices ? choices : row->arg);
			fputs("\\fR", out);
		}
		fputc('\n', out);
		put_text(out, row->help);
		put_where(out, row->commands);
		fputc('\n', out);
	}
}

static void put_causes(FILE *out)
{
	put_section(out, "CAUSES");
	put_paragraph(out,
		      "The wall time of each request is split into these; the letter is the one "
		      "in bars. What was not measured is unknown, never guessed.");
	for (int i = 0; i < CAUSE_COUNT; i++) {
		char tag[32];

		snprintf(tag, sizeof(tag), "%c %s", cause_letter((enum cause)i),
			 cause_name((enum cause)i));
		put_item(out, tag, cause_help((enum cause)i));
	}
}

static void put_exit_status(FILE *out)
{
	static const char *const statuses[][2] = {
		{ "0", "fine" },
		{ "1", "no data, doctor failed, input not read or output not written" },
		{ "2", "usage" },
		{ "3", "privilege or kernel feature" },
		{ "4", "the target is gone" },
		{ "5", "more was lost than --max-lost" },
	};

	put_section(out, "EXIT STATUS");
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		put_item(out, statuses[i][0], statuses[i][1]);
	put_paragraph(out, "After record -- CMD it is that of CMD.");
}

static void put_examples(FILE *out)
{
	static const char *const examples[][2] = {
		{ "tardy", "what users of this host wait for, live" },
		{ "tardy --unit nginx,php8.2-fpm,postgresql", "of these services" },
		{ "tardy record -p 4711 --duration 15s -o lock.data", "record for later" },
		{ "tardy report -i lock.data hotspots", "what that was waiting for" },
		{ "tardy export -i lock.data -F folded -o lock.folded", "a flame graph of it" },
	};

	put_section(out, "EXAMPLES");
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		put_item(out, examples[i][0], examples[i][1]);
}

void cli_put_man(FILE *out, const char *version)
{
	fprintf(out, ".TH TARDY 8 \"\" \"tardy %s\" \"System administration\"\n", version);
	put_section(out, "NAME");
	fputs("tardy \\- why is this request late?\n", out);
	put_section(out, "SYNOPSIS");
	fputs("\\fBtardy\\fR [\\fICOMMAND\\fR] [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n", out);
	put_section(out, "DESCRIPTION");
	put_paragraph(out,
		      "tardy accounts for the time that clients of this host's servers wait: in "
		      "accept queues, on CPUs and for them, for disks, locks, databases and other "
		      "services, across all local processes that a request passes through. It "
		      "watches from the kernel and changes nothing in servers.");
	put_commands(out);
	put_options(out);
	put_causes(out);
	put_exit_status(out);
	put_section(out, "ENVIRONMENT");
	put_item(out, "NO_COLOR", "no colours, unless --color asks for them");
	put_section(out, "FILES");
	put_item(out, "tardy.data", "the capture that record writes and report reads by default");
	put_examples(out);
	put_section(out, "NOTES");
	put_paragraph(out,
		      "Keys of the live view are listed by its key ?. tardy explain CODE says "
		      "more of an error. A capture holds what requests held: treat it like the "
		      "servers' memory.");
}
