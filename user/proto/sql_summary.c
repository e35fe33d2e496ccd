// SPDX-License-Identifier: GPL-2.0-only
/*
 * The summary of a statement: its verb and its first table. Statements are recognised by their
 * first words only; a text that is cut, or that is no SQL, gives what could be found.
 */
#include "proto/sql.h"
#include "proto/sql_lex.h"
#include "proto/utf8.h"

enum { SUMMARY_MAX = 120, VERB_MAX = 24, DIGITS_MAX = 4 };

struct summary {
	struct sql_lexer lexer;
	struct sql_token token; /* the present one */
	int depth; /* of parentheses, after the present token */
	char *out;
	size_t len, cap;
};

static bool advance(struct summary *s)
{
	if (!sql_lexer_next(&s->lexer, &s->token))
		return false;
	if (sql_token_punct(&s->token, '('))
		s->depth++;
	else if (sql_token_punct(&s->token, ')'))
		s->depth--;
	return true;
}

static bool put(struct summary *s, const char *bytes, size_t len)
{
	if (s->cap - s->len < len)
		return false;
	memcpy(s->out + s->len, bytes, len);
	s->len += len;
	return true;
}

static void put_word(struct summary *s, struct slice word)
{
	if (s->len)
		put(s, " ", 1);
	for (size_t i = 0; i < word.len && i < VERB_MAX; i++) {
		char c = word.ptr[i];

		if (c >= 'a' && c <= 'z')
			c -= 'a' - 'A';
		put(s, (unsigned char)c < 0x80 ? &c : "_", 1);
	}
}

/* An identifier; long numbers in it are those of a partition, a day, a temporary table. */
static void put_identifier(struct summary *s, struct slice name)
{
	for (size_t pos = 0; pos < name.len;) {
		size_t digits = 0, len = utf8_printable(name.ptr + pos, name.len - pos);
		bool fits;

		while (pos + digits < name.len && name.ptr[pos + digits] >= '0' &&
		       name.ptr[pos + digits] <= '9')
			digits++;
		if (digits > DIGITS_MAX)
			fits = put(s, "*", 1);
		else
			fits = put(s, len ? name.ptr + pos : "_", len ? len : 1);
		if (!fits)
			return;
		if (digits && digits <= DIGITS_MAX) {
			for (size_t i = 1; i < digits; i++)
				if (!put(s, name.ptr + pos + i, 1))
					return;
		}
		pos += digits ? digits : len ? len : 1;
	}
}

static struct slice unquoted(const struct sql_token *t)
{
	struct slice name = t->text;

	if (t->kind != SQL_QUOTED)
		return name;
	name.ptr++;
	name.len--;
	if (name.len && name.ptr[name.len - 1] == '"')
		name.len--;
	return name;
}

static bool is_name(const struct sql_token *t)
{
	return t->kind == SQL_WORD || t->kind == SQL_QUOTED;
}

/* The present token and what dots join to it. */
static void put_table(struct summary *s)
{
	bool name = is_name(&s->token);

	if (!name)
		return;
	if (s->len)
		put(s, " ", 1);
	put_identifier(s, unquoted(&s->token));
	while (advance(s) && sql_token_punct(&s->token, '.')) {
		if (!advance(s) || !is_name(&s->token))
			return;
		put(s, ".", 1);
		put_identifier(s, unquoted(&s->token));
	}
}

static bool is_one_of(const struct sql_token *t, const char *const *words)
{
	for (; *words; words++)
		if (sql_token_is(t, *words))
			return true;
	return false;
}

/* The table after the present token, which is a keyword; `noise` may stand between. */
static void put_table_after(struct summary *s, const char *const *noise)
{
	while (advance(s))
		if (!is_one_of(&s->token, noise)) {
			put_table(s);
			return;
		}
}

/*
 * The table of the first FROM, that of the main query before that of one in its select list:
 * two passes, since the main one comes later. FROM is also an argument separator of functions
 * and part of IS DISTINCT FROM.
 */
static bool put_from(struct summary *s, bool main_only)
{
	static const char *const functions[] = { "extract", "substring", "trim",
						 "overlay", "position",  NULL };
	static const char *const noise[] = { "only", "lateral", NULL };
	static const char *const no_table[] = { "select", "with", "values", "from", NULL };
	struct sql_token before = s->token;
	int base = s->depth, skip_above = -1;

	while (advance(s)) {
		if (sql_token_punct(&s->token, '(') && is_one_of(&before, functions) &&
		    skip_above < 0)
			skip_above = s->depth - 1;
		if (skip_above >= 0 && s->depth <= skip_above)
			skip_above = -1;
		if (sql_token_is(&s->token, "from") && skip_above < 0 &&
		    !sql_token_is(&before, "distinct") && (!main_only || s->depth <= base)) {
			while (advance(s))
				if (!is_one_of(&s->token, noise) &&
				    !sql_token_punct(&s->token, '('))
					break;
			if (is_name(&s->token) && !is_one_of(&s->token, no_table)) {
				put_table(s);
				return true;
			}
			main_only = false; /* FROM (SELECT ...: its own first table */
		}
		before = s->token;
	}
	return false;
}

static void summarise_select(struct summary *s)
{
	struct summary again = *s;

	if (!put_from(s, true)) {
		*s = again;
		put_from(s, false);
	}
}

static void summarise_definition(struct summary *s)
{
	static const char *const noise[] = { "or",           "replace",  "temp",   "temporary",
					     "global",       "unlogged", "unique", "local",
					     "materialized", NULL };
	static const char *const named[] = { "table", "view", "sequence", "function", NULL };
	static const char *const name_noise[] = { "if", "not", "exists", "only", NULL };

	while (advance(s)) {
		if (is_one_of(&s->token, noise))
			continue;
		if (s->token.kind != SQL_WORD)
			return;
		put_word(s, s->token.text);
		if (is_one_of(&s->token, named))
			put_table_after(s, name_noise);
		return;
	}
}

enum shape {
	SHAPE_VERB, /* the verb alone: what follows is a name that varies, or none */
	SHAPE_SELECT,
	SHAPE_TABLE, /* the table follows, after noise words */
	SHAPE_DEFINITION,
	SHAPE_WRAPPER, /* another statement follows */
	SHAPE_WITH,
};

static const struct {
	const char *verb;
	enum shape shape;
} verbs[] = {
	{ "select", SHAPE_SELECT },     { "insert", SHAPE_TABLE },     { "update", SHAPE_TABLE },
	{ "delete", SHAPE_TABLE },      { "merge", SHAPE_TABLE },      { "truncate", SHAPE_TABLE },
	{ "copy", SHAPE_TABLE },        { "lock", SHAPE_TABLE },       { "vacuum", SHAPE_TABLE },
	{ "analyze", SHAPE_TABLE },     { "call", SHAPE_TABLE },       { "table", SHAPE_TABLE },
	{ "create", SHAPE_DEFINITION }, { "alter", SHAPE_DEFINITION }, { "drop", SHAPE_DEFINITION },
	{ "explain", SHAPE_WRAPPER },   { "declare", SHAPE_WRAPPER },  { "prepare", SHAPE_WRAPPER },
	{ "with", SHAPE_WITH },
};

static enum shape shape_of(const struct sql_token *t)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (sql_token_is(t, verbs[i].verb))
			return verbs[i].shape;
	return SHAPE_VERB;
}

/* The statement that begins outside of parentheses after the present token. */
static bool find_inner(struct summary *s, bool wrapper)
{
	static const char *const inner[] = { "select", "insert", "update", "delete",
					     "merge",  "values", NULL };
	int base = s->depth;

	while (advance(s))
		if (s->depth <= base &&
		    (is_one_of(&s->token, inner) || (wrapper && sql_token_is(&s->token, "with"))))
			return true;
	return false;
}

/* The statement whose verb is the present token. */
static void summarise(struct summary *s)
{
	static const char *const noise[] = { "into",   "from",    "only",    "table", "full",
					     "freeze", "verbose", "analyze", NULL };
	enum shape shape;

	for (int i = 0; i < 3; i++) {
		shape = shape_of(&s->token);
		if (shape != SHAPE_WITH)
			put_word(s, s->token.text);
		if (shape != SHAPE_WITH && shape != SHAPE_WRAPPER)
			break;
		if (!find_inner(s, shape == SHAPE_WRAPPER)) {
			if (!s->len)
				put_word(s, SLICE_LIT("WITH"));
			return;
		}
	}
	if (shape == SHAPE_SELECT)
		summarise_select(s);
	else if (shape == SHAPE_DEFINITION)
		summarise_definition(s);
	else if (shape == SHAPE_TABLE)
		put_table_after(s, noise);
}

size_t sql_summary(struct slice sql, char *out, size_t cap)
{
	struct summary s = { .lexer = { .in = sql }, .out = out };

	if (!cap)
		return 0;
	s.cap = cap - 1 < SUMMARY_MAX ? cap - 1 : SUMMARY_MAX;
	while (advance(&s)) {
		if (sql_token_punct(&s.token, '(') || sql_token_punct(&s.token, ';'))
			continue;
		if (s.token.kind == SQL_WORD)
			summarise(&s);
		break;
	}
	while (s.len && out[s.len - 1] == ' ')
		s.len--;
	out[s.len] = '\0';
	return s.len;
}

struct slice sql_trim_cut(struct slice sql)
{
	while (sql.len) {
		char c = sql.ptr[sql.len - 1];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '.' ||
			    c == '"' || (unsigned char)c >= 0x80;

		if (!word)
			break;
		sql.len--;
	}
	return sql;
}
