// SPDX-License-Identifier: GPL-2.0-only
/*
 * Normalised SQL. One pass over the tokens writes the text; a stack of open parentheses knows
 * which of them hold literals only, so that a list of any length needs room for two of its
 * elements, and where the group before ended, so that equal rows are written once.
 */
#include "proto/sql.h"
#include "proto/sql_lex.h"
#include "proto/utf8.h"

enum { DEPTH_MAX = 32 };

#define NO_GROUP ((size_t)-1)

struct group {
	size_t open; /* where its parenthesis was written */
	size_t child; /* where the last group inside it was, NO_GROUP = none */
	size_t child_end; /* and its end */
	size_t literals, commas; /* seen so far, while only_literals */
	bool only_literals;
	bool list; /* a value list: collapses whatever its length */
	bool child_list;
};

struct normaliser {
	char *out;
	size_t len, cap; /* cap leaves room for the NUL */
	bool full;
	bool gap; /* a token was left out before the next one */
	bool setting; /* the statement is a SET: its values are */
	struct sql_token last;
	struct group groups[DEPTH_MAX]; /* [0] is the statement itself */
	size_t depth;
};

static void put(struct normaliser *n, struct slice text)
{
	size_t pos = 0;

	while (pos < text.len && !n->full) {
		size_t len = utf8_printable(text.ptr + pos, text.len - pos);
		const char *from = len ? text.ptr + pos : "_";

		if (!len)
			len = 1;
		if (n->cap - n->len < len) {
			n->full = true;
			return;
		}
		memcpy(n->out + n->len, from, len);
		n->len += len;
		pos += len;
	}
}

/* Writes a token's text after the blank that belongs before it. */
static void put_spaced(struct normaliser *n, struct slice text, bool space)
{
	char before = n->len ? n->out[n->len - 1] : 0;
	char first = text.ptr[0];

	if (before == ',')
		space = true;
	if (!before || before == '(' || before == '[')
		space = false;
	if (text.len == 1 && (first == ')' || first == ']' || first == ',' || first == ';'))
		space = false;
	if (space)
		put(n, SLICE_LIT(" "));
	put(n, text);
}

static struct group *top(struct normaliser *n)
{
	return n->depth < DEPTH_MAX ? &n->groups[n->depth] : NULL;
}

/* The group turns out not to be a plain list: write the elements that were held back. */
static void flush_literals(struct normaliser *n, struct group *g)
{
	size_t literals = g->literals < 2 ? g->literals : 2;
	size_t commas = g->commas < 1 ? g->commas : 1;

	if (!g->only_literals)
		return;
	g->only_literals = false;
	while (!n->full && (commas < g->commas || literals < g->literals)) {
		if (commas < literals) {
			put_spaced(n, SLICE_LIT(","), false);
			commas++;
		} else {
			put_spaced(n, SLICE_LIT("?"), true);
			literals++;
		}
	}
}

static void add_literal(struct normaliser *n, bool space)
{
	struct group *g = top(n);

	if (g && g->only_literals) {
		if (g->literals == g->commas) {
			g->literals++;
			if (g->literals > 2)
				return;
		} else {
			flush_literals(n, g);
		}
	}
	put_spaced(n, SLICE_LIT("?"), space);
}

static void add_comma(struct normaliser *n)
{
	struct group *g = top(n);

	if (g && g->only_literals) {
		if (g->literals == g->commas + 1) {
			g->commas++;
			if (g->commas > 1)
				return;
		} else {
			flush_literals(n, g);
		}
	}
	put_spaced(n, SLICE_LIT(","), false);
}

static bool opens_values(const struct sql_token *last)
{
	return sql_token_is(last, "in") || sql_token_is(last, "values");
}

static void open_group(struct normaliser *n, const struct sql_token *token)
{
	bool values = opens_values(&n->last) && sql_token_punct(token, '(');
	struct group *parent = top(n);
	bool next_row;

	if (parent)
		flush_literals(n, parent);
	next_row = parent && parent->child != NO_GROUP && parent->child_list &&
		   sql_token_punct(&n->last, ',') && parent->child_end + 1 == n->len;
	put_spaced(n, token->text, token->space_before || values);
	n->depth++;
	if (top(n))
		*top(n) = (struct group){
			.open = n->len - !n->full,
			.child = NO_GROUP,
			.only_literals = true,
			.list = values || next_row || sql_token_is(&n->last, "array"),
		};
}

/* Whether [from, to) of the output is the start of, or, if whole, equal to the group before. */
static bool repeats_child(struct normaliser *n, const struct group *parent, size_t from, bool whole)
{
	size_t len = n->len - from, child_len = parent->child_end - parent->child;
	char before;

	if (parent->child == NO_GROUP || from != parent->child_end + 2)
		return false;
	if (memcmp(n->out + parent->child_end, ", ", 2))
		return false;
	before = parent->child ? n->out[parent->child - 1] : ' ';
	if (before != ' ' && before != '(' && before != '[') /* a function's arguments */
		return false;
	return (whole ? len == child_len : len <= child_len) &&
	       !memcmp(n->out + from, n->out + parent->child, len);
}

static bool collapses(const struct group *g)
{
	return g->only_literals && g->literals == g->commas + 1 && (g->list || g->literals > 1);
}

/* A group is complete in the output: drop it when it repeats its neighbour, else remember it. */
static void end_group(struct normaliser *n, const struct group *g)
{
	struct group *parent = top(n);

	if (!parent || n->full)
		return;
	if (repeats_child(n, parent, g->open, true)) {
		n->len = parent->child_end;
		return;
	}
	parent->child = g->open;
	parent->child_end = n->len;
	parent->child_list = g->list;
}

static void close_group(struct normaliser *n, struct slice text)
{
	struct group *g = top(n);

	if (n->depth == 0 || !g) {
		put_spaced(n, text, false);
		n->depth -= n->depth > 0;
		return;
	}
	if (collapses(g)) {
		n->len = g->open + 1;
		put(n, SLICE_LIT("..."));
	} else {
		flush_literals(n, g);
	}
	put_spaced(n, text, false);
	n->depth--;
	end_group(n, g);
}

/* A word after which a sign belongs to the number that follows it. */
static bool before_operand(const struct sql_token *t)
{
	static const char *const words[] = {
		"select", "where", "and",   "or",     "not",    "between",   "then",     "else",
		"when",   "case",  "limit", "offset", "in",     "like",      "by",       "on",
		"having", "is",    "set",   "values", "return", "returning", "distinct", "to",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (sql_token_is(t, words[i]))
			return true;
	return false;
}

static bool is_operand(const struct sql_token *t)
{
	switch (t->kind) {
	case SQL_END:
		return false;
	case SQL_WORD:
		return !before_operand(t);
	case SQL_PUNCT:
		return sql_token_punct(t, ')') || sql_token_punct(t, ']');
	default:
		return true;
	}
}

/* NULL among values stands where a literal could: the row's text must not depend on it. */
static bool is_constant(struct normaliser *n, const struct sql_token *t)
{
	struct group *g = top(n);

	if (!g || !g->list || !g->only_literals)
		return false;
	return sql_token_is(t, "null") || sql_token_is(t, "true") || sql_token_is(t, "false") ||
	       sql_token_is(t, "default");
}

static void add_other(struct normaliser *n, const struct sql_token *t)
{
	if (top(n))
		flush_literals(n, top(n));
	put_spaced(n, t->text, t->space_before);
}

static void add_token(struct normaliser *n, struct sql_lexer *lexer, struct sql_token *t)
{
	bool sign = sql_token_punct(t, '-') || sql_token_punct(t, '+');

	if (t->kind == SQL_STRING && n->last.kind == SQL_STRING)
		return; /* 'a' 'b' is one literal in two parts */
	if (sql_token_punct(t, ';') && n->depth) {
		n->gap = true; /* no statement ends in parentheses: white space */
		return;
	}
	t->space_before |= n->gap;
	n->gap = false;
	if (sign && !is_operand(&n->last) && sql_lexer_at_number(lexer)) {
		bool space = t->space_before;

		sql_lexer_next(lexer, t);
		t->space_before = space;
	}
	if (t->kind == SQL_NUMBER || t->kind == SQL_STRING || t->kind == SQL_PARAM ||
	    is_constant(n, t))
		add_literal(n, t->space_before);
	else if (sql_token_punct(t, ','))
		add_comma(n);
	else if (sql_token_punct(t, '(') || sql_token_punct(t, '['))
		open_group(n, t);
	else if (sql_token_punct(t, ')') || sql_token_punct(t, ']'))
		close_group(n, t->text);
	else
		add_other(n, t);
	n->last = *t;
}

/* SET name = value, SET name TO value: values may be bare words, and secrets. */
static bool sets_value(struct normaliser *n, const struct sql_token *t)
{
	if (n->last.kind == SQL_END || sql_token_punct(&n->last, ';'))
		n->setting = sql_token_is(t, "set");
	return n->setting && (sql_token_punct(t, '=') || sql_token_is(t, "to"));
}

/* One literal for all up to the next statement; none begins in parentheses. */
static void add_setting(struct normaliser *n, struct sql_lexer *lexer)
{
	struct sql_token token;
	bool more;

	do
		more = sql_lexer_next(lexer, &token);
	while (more && (n->depth || !sql_token_punct(&token, ';')));
	add_literal(n, true);
	n->setting = false;
	if (more)
		add_token(n, lexer, &token);
}

static void trim_end(struct normaliser *n)
{
	while (n->len && strchr(" ,;", n->out[n->len - 1]))
		n->len--;
}

/* Whether an open group holds nothing but literals so far, enough of them to collapse. */
static bool ends_in_list(const struct normaliser *n, const struct group *g)
{
	size_t literals = 0;

	for (size_t i = g->open + 1; i < n->len; i++) {
		if (!strchr("?, ", n->out[i]))
			return false;
		literals += n->out[i] == '?';
	}
	return literals > 0 && (g->list || literals > 1);
}

/*
 * The statement ended, perhaps because it was cut: a list that is open is written as if it were
 * whole, and the beginning of one more row like the last is dropped, so that where a long INSERT
 * was cut makes no difference.
 */
static void finish(struct normaliser *n)
{
	struct group *g = n->depth ? top(n) : NULL;

	trim_end(n);
	if (g && ends_in_list(n, g)) {
		n->len = g->open;
		put(n, n->out[g->open] == '[' ? SLICE_LIT("[...]") : SLICE_LIT("(...)"));
		n->depth--;
		end_group(n, g);
		trim_end(n);
	}
	for (; n->depth && n->depth < DEPTH_MAX; n->depth--) {
		g = top(n);
		if (!repeats_child(n, g - 1, g->open, false))
			continue;
		n->len = g[-1].child_end;
		trim_end(n);
	}
}

size_t sql_normalise(struct slice sql, char *out, size_t cap)
{
	struct sql_lexer lexer = { .in = sql };
	struct normaliser n;
	struct sql_token token;

	if (!cap)
		return 0;
	n.out = out;
	n.len = 0;
	n.cap = cap - 1;
	n.full = false;
	n.gap = false;
	n.setting = false;
	n.depth = 0;
	n.last = (struct sql_token){ .kind = SQL_END };
	n.groups[0] = (struct group){ .child = NO_GROUP };
	while (!n.full && sql_lexer_next(&lexer, &token)) {
		bool value = sets_value(&n, &token);

		add_token(&n, &lexer, &token);
		if (value)
			add_setting(&n, &lexer);
	}
	if (n.full)
		trim_end(&n);
	else
		finish(&n);
	out[n.len] = '\0';
	return n.len;
}

uint64_t sql_fingerprint(struct slice normalised)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t i = 0; i < normalised.len; i++) {
		unsigned char c = (unsigned char)normalised.ptr[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		hash = (hash ^ c) * 0x100000001b3;
	}
	return hash;
}
