// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SQL lexer. Where it is unsure it prefers to call bytes a literal: a literal that is shown
 * is a leak, an operator that is hidden is not.
 */
#include "proto/sql_lex.h"

enum { IDENTIFIER_MAX = 63 }; /* of PostgreSQL (NAMEDATALEN) */

static bool is_space(char c)
{
	/* Other control characters have no meaning outside of quotes. */
	return (unsigned char)c <= ' ' || c == 0x7f;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (unsigned char)c >= 0x80;
}

static bool is_word(char c)
{
	return is_word_start(c) || is_digit(c) || c == '$';
}

/* The byte `ahead` of the position; 0, which is white space, after the end. */
static char peek(const struct sql_lexer *l, size_t ahead)
{
	return l->in.len - l->pos > ahead ? l->in.ptr[l->pos + ahead] : 0;
}

static void skip_line(struct sql_lexer *l)
{
	while (l->pos < l->in.len && l->in.ptr[l->pos] != '\n')
		l->pos++;
}

/* C comments nest in PostgreSQL. */
static void skip_block(struct sql_lexer *l)
{
	size_t depth = 0;

	while (l->pos < l->in.len) {
		if (peek(l, 0) == '/' && peek(l, 1) == '*') {
			depth++;
			l->pos += 2;
		} else if (peek(l, 0) == '*' && peek(l, 1) == '/') {
			l->pos += 2;
			if (!--depth)
				return;
		} else {
			l->pos++;
		}
	}
}

static void skip_blank(struct sql_lexer *l)
{
	while (l->pos < l->in.len) {
		if (is_space(peek(l, 0)))
			l->pos++;
		else if (peek(l, 0) == '-' && peek(l, 1) == '-')
			skip_line(l);
		else if (peek(l, 0) == '/' && peek(l, 1) == '*')
			skip_block(l);
		else
			return;
	}
}

/*
 * From the opening quote to the closing one; a doubled quote stands for itself. Where a backslash
 * comes before a quote, it is the server's setting (standard_conforming_strings; MySQL's own
 * default) that says whether the literal goes on: all that follows is taken for it.
 */
static void take_quoted(struct sql_lexer *l, bool backslash)
{
	char quote = peek(l, 0);

	l->pos++;
	while (l->pos < l->in.len) {
		char c = l->in.ptr[l->pos++];

		if (c == '\\' && backslash) {
			l->pos += l->pos < l->in.len;
		} else if (c == '\\' && peek(l, 0) == quote) {
			l->pos = l->in.len;
		} else if (c == quote) {
			if (peek(l, 0) != quote)
				return;
			l->pos++;
		}
	}
}

static void take_word(struct sql_lexer *l)
{
	while (l->pos < l->in.len && is_word(l->in.ptr[l->pos]))
		l->pos++;
}

/*
 * Digits and all that sticks to them: fraction, exponent, hexadecimal, junk. Two dots are an
 * operator of PL/pgSQL.
 */
static void take_number(struct sql_lexer *l)
{
	while (l->pos < l->in.len) {
		char c = peek(l, 0);

		if ((c == 'e' || c == 'E') && (peek(l, 1) == '+' || peek(l, 1) == '-') &&
		    is_digit(peek(l, 2)))
			l->pos += 2;
		else if (!is_word(c) && !(c == '.' && peek(l, 1) != '.'))
			return;
		l->pos++;
	}
}

/* $1, $tag$...$tag$, or a lone dollar. "$tag" that is cut may have been either: no name. */
static enum sql_token_kind take_dollar(struct sql_lexer *l)
{
	size_t start = l->pos++, tag_len;

	while (l->pos < l->in.len && is_word(peek(l, 0)) && peek(l, 0) != '$')
		l->pos++;
	if (peek(l, 0) != '$' || is_digit(l->in.ptr[start + 1]))
		return l->pos - start > 1 ? SQL_PARAM : SQL_PUNCT;
	l->pos++;
	tag_len = l->pos - start;
	for (; l->in.len - l->pos >= tag_len; l->pos++) {
		if (!memcmp(l->in.ptr + l->pos, l->in.ptr + start, tag_len)) {
			l->pos += tag_len;
			return SQL_STRING;
		}
	}
	l->pos = l->in.len;
	return SQL_STRING;
}

static enum sql_token_kind take_colon(struct sql_lexer *l)
{
	l->pos++;
	if (peek(l, 0) == ':' || peek(l, 0) == '=') {
		l->pos++;
	} else if (is_word_start(peek(l, 0))) {
		take_word(l);
		return SQL_PARAM;
	}
	return SQL_PUNCT;
}

/* E'', B'', X'', N'' and U&''; false when no such literal begins here. */
static bool take_prefixed(struct sql_lexer *l)
{
	char c = peek(l, 0) | 0x20;

	if (peek(l, 1) == '\'' && (c == 'e' || c == 'b' || c == 'x' || c == 'n')) {
		l->pos++;
		take_quoted(l, c == 'e');
		return true;
	}
	if (c == 'u' && peek(l, 1) == '&' && peek(l, 2) == '\'') {
		l->pos += 2;
		take_quoted(l, false);
		return true;
	}
	return false;
}

/* Is it a name that is in double quotes? Elsewhere they are those of literals, and names can hold
 * what belongs to people ("user_bob@example.com"): only what looks like a name is one. */
static bool is_identifier(const char *quoted, size_t len)
{
	for (size_t i = 1; i < len; i++)
		if (!is_word(quoted[i]) && quoted[i] != '-' && quoted[i] != '.' &&
		    !(quoted[i] == '"' && i + 1 == len))
			return false;
	return len <= IDENTIFIER_MAX + 2;
}

static enum sql_token_kind take_token(struct sql_lexer *l)
{
	char c = peek(l, 0);

	if (c == '\'') {
		take_quoted(l, false);
		return SQL_STRING;
	}
	if (c == '"') {
		size_t start = l->pos;

		take_quoted(l, false);
		return is_identifier(l->in.ptr + start, l->pos - start) ? SQL_QUOTED : SQL_STRING;
	}
	if (c == '$')
		return take_dollar(l);
	if (c == ':')
		return take_colon(l);
	if (sql_lexer_at_number(l)) {
		take_number(l);
		return SQL_NUMBER;
	}
	if (is_word_start(c)) {
		if (take_prefixed(l))
			return SQL_STRING;
		take_word(l);
		return SQL_WORD;
	}
	l->pos++;
	return c == '?' ? SQL_PARAM : SQL_PUNCT;
}

bool sql_lexer_at_number(const struct sql_lexer *lexer)
{
	char c = peek(lexer, 0);

	return is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)));
}

bool sql_lexer_next(struct sql_lexer *lexer, struct sql_token *out)
{
	size_t start = lexer->pos;

	skip_blank(lexer);
	*out = (struct sql_token){ .space_before = lexer->pos > start };
	if (lexer->pos >= lexer->in.len)
		return false;
	start = lexer->pos;
	out->kind = take_token(lexer);
	out->text = (struct slice){ lexer->in.ptr + start, lexer->pos - start };
	return true;
}
