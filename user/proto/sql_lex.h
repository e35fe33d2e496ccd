/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SQL tokens as PostgreSQL lexes them (manual, "Lexical Structure", standard_conforming_strings
 * on), for the two readers of statements: sql.c and sql_summary.c. Input may stop anywhere: a
 * literal or comment that is cut extends to the end. Never reads outside the input.
 */
#ifndef TARDY_PROTO_SQL_LEX_H
#define TARDY_PROTO_SQL_LEX_H
#include "base/slice.h"

enum sql_token_kind {
	SQL_END,
	SQL_WORD, /* keyword or identifier */
	SQL_QUOTED, /* "identifier", quotes included, the last one missing when cut */
	SQL_NUMBER,
	SQL_STRING, /* all quoted literals, dollar-quoted ones too */
	SQL_PARAM, /* $1, :name, ? */
	SQL_PUNCT, /* one byte, or "::" or ":=" */
};

struct sql_token {
	enum sql_token_kind kind;
	struct slice text; /* in the input */
	bool space_before; /* white space or a comment */
};

struct sql_lexer {
	struct slice in;
	size_t pos;
};

/* Fills *out with the next token; false (and SQL_END) when there is none. */
bool sql_lexer_next(struct sql_lexer *lexer, struct sql_token *out);

/* Whether a number begins exactly where the lexer stands: tells a sign from an operator. */
bool sql_lexer_at_number(const struct sql_lexer *lexer);

/* Whether the token is this keyword, in any case. */
static inline bool sql_token_is(const struct sql_token *token, const char *keyword)
{
	return token->kind == SQL_WORD && slice_ieq(token->text, slice_of(keyword));
}

/* Whether the token is this one byte of punctuation. */
static inline bool sql_token_punct(const struct sql_token *token, char c)
{
	return token->kind == SQL_PUNCT && token->text.len == 1 && token->text.ptr[0] == c;
}
#endif
