// SPDX-License-Identifier: GPL-2.0-only
/* Formatting of diagnostics; the texts are in log.h's table. */
#include "base/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_TEXT_MAX = 2048, LOG_HINT_MAX = 1024, LOG_WRAP_COLUMNS = 78 };

static const struct {
	int number, exit_status;
	const char *effect, *fix, *explanation;
} codes[LOG_CODE_COUNT] = {
#define X(id, number_, exit_, effect_, fix_, explanation_) \
	[LOG_##id] = { number_, exit_, effect_, fix_, explanation_ },
	LOG_CODES(X)
#undef X
};

static struct {
	FILE *stream;
	bool quiet, verbose;
	char hints[LOG_HINT_COUNT][LOG_HINT_MAX];
} state;

static FILE *stream(void)
{
	return state.stream ? state.stream : stderr;
}

/* A name taken from a request must not move the cursor or set the title of the terminal. */
static void text_clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

static void __attribute__((format(printf, 3, 0)))
text_format(char *buf, size_t size, const char *fmt, va_list ap)
{
	if (vsnprintf(buf, size, fmt, ap) < 0)
		buf[0] = '\0';
	text_clean(buf);
}

void log_hint(enum log_hint hint, const char *fmt, ...)
{
	va_list ap;

	if ((unsigned int)hint >= LOG_HINT_COUNT)
		return;
	va_start(ap, fmt);
	text_format(state.hints[hint], sizeof(state.hints[hint]), fmt, ap);
	va_end(ap);
}

static const char *hint_or(enum log_hint hint, const char *fallback)
{
	return state.hints[hint][0] ? state.hints[hint] : fallback;
}

static void print_diag(const char *level, enum log_code code, const char *what)
{
	const char *where = hint_or(LOG_WHERE, "");
	const char *effect = hint_or(LOG_EFFECT, codes[code].effect);
	const char *fix = hint_or(LOG_FIX, codes[code].fix);
	FILE *out = stream();

	fprintf(out, "tardy: %s[T%04d]: %s\n", level, codes[code].number, what);
	if (where[0])
		fprintf(out, "  --> %s\n", where);
	if (effect[0])
		fprintf(out, "  = effect: %s\n", effect);
	if (fix[0])
		fprintf(out, "  = fix: %s     (details: tardy explain T%04d)\n", fix,
			codes[code].number);
	else
		fprintf(out, "  = details: tardy explain T%04d\n", codes[code].number);
	fflush(out);
}

static void __attribute__((format(printf, 4, 0)))
diag(const char *level, enum log_code code, bool silent, const char *fmt, va_list ap)
{
	char what[LOG_TEXT_MAX];

	text_format(what, sizeof(what), fmt, ap);
	if (!silent)
		print_diag(level, code, what);
	for (int i = 0; i < LOG_HINT_COUNT; i++)
		state.hints[i][0] = '\0';
}

int log_error(enum log_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag("error", code, false, fmt, ap);
	va_end(ap);
	return codes[code].exit_status;
}

void log_warn(enum log_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag("warning", code, state.quiet, fmt, ap);
	va_end(ap);
}

static void __attribute__((format(printf, 1, 0))) plain(const char *fmt, va_list ap)
{
	char what[LOG_TEXT_MAX];

	text_format(what, sizeof(what), fmt, ap);
	fprintf(stream(), "tardy: %s\n", what);
	fflush(stream());
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	if (state.quiet)
		return;
	va_start(ap, fmt);
	plain(fmt, ap);
	va_end(ap);
}

void log_verbose(const char *fmt, ...)
{
	va_list ap;

	if (!state.verbose)
		return;
	va_start(ap, fmt);
	plain(fmt, ap);
	va_end(ap);
}

void log_set_quiet(bool quiet)
{
	state.quiet = quiet;
}

void log_set_verbose(bool verbose)
{
	state.verbose = verbose;
}

bool log_is_verbose(void)
{
	return state.verbose;
}

void log_set_stream(FILE *to)
{
	state.stream = to;
}

int log_exit_status(enum log_code code)
{
	return codes[code].exit_status;
}

/* Prints text broken at spaces. */
static void print_wrapped(FILE *out, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (column && column + 1 + word > LOG_WRAP_COLUMNS) {
			fputc('\n', out);
			column = 0;
		}
		if (column) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, word, out);
		column += word;
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

int log_explain(FILE *out, const char *text)
{
	char *end;
	long number;

	if (*text == 'T' || *text == 't')
		text++;
	if (!isdigit((unsigned char)*text))
		return -ENOENT;
	number = strtol(text, &end, 10);
	if (*end)
		return -ENOENT;
	for (int i = 0; i < LOG_CODE_COUNT; i++) {
		if (codes[i].number != number)
			continue;
		fprintf(out, "T%04d\n", codes[i].number);
		print_wrapped(out, codes[i].explanation);
		if (codes[i].effect[0])
			fprintf(out, "effect: %s\n", codes[i].effect);
		if (codes[i].fix[0])
			fprintf(out, "fix: %s\n", codes[i].fix);
		fprintf(out, "exit status: %d\n", codes[i].exit_status);
		return 0;
	}
	return -ENOENT;
}

void log_explain_all(FILE *out)
{
	for (int i = 0; i < LOG_CODE_COUNT; i++) {
		const char *text = codes[i].explanation, *dot = strstr(text, ". ");
		/* The first sentence. */
		int len = dot ? (int)(dot - text) + 1 : (int)strlen(text);

		fprintf(out, "T%04d  %.*s\n", codes[i].number, len, text);
	}
}
