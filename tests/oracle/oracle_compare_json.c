/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small JSON reader (RFC 8259) for the lines of the truth logs and of tardy's report. It is
 * strict: an answer that is not JSON must fail the comparison.
 */
#define _GNU_SOURCE
#include "oracle_compare.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16

static struct json *parse_value(const char **at, int depth);

static void skip_space(const char **at)
{
	while (**at == ' ' || **at == '\t' || **at == '\r' || **at == '\n')
		(*at)++;
}

static bool take(const char **at, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len))
		return false;
	*at += len;
	return true;
}

/* Code points above ASCII come out as UTF-8; surrogates as they are, which nothing here needs. */
static char *put_escape(char *to, const char **at)
{
	static const char from[] = "\"\\/bfnrt", is[] = "\"\\/\b\f\n\r\t";
	const char *found = **at ? strchr(from, **at) : NULL;
	unsigned int code = 0;

	if (found) {
		(*at)++;
		*to++ = is[found - from];
		return to;
	}
	if (*(*at)++ != 'u')
		return NULL;
	for (int i = 0; i < 4; i++, (*at)++) {
		if (!isxdigit((unsigned char)**at))
			return NULL;
		code = code * 16 + (unsigned int)(isdigit((unsigned char)**at) ?
							  **at - '0' :
							  (**at | 32) - 'a' + 10);
	}
	if (code < 0x80) {
		*to++ = (char)code;
	} else if (code < 0x800) {
		*to++ = (char)(0xc0 | code >> 6);
		*to++ = (char)(0x80 | (code & 0x3f));
	} else {
		*to++ = (char)(0xe0 | code >> 12);
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
		*to++ = (char)(0x80 | (code & 0x3f));
	}
	return to;
}

static char *parse_string(const char **at)
{
	char *text, *to;

	if (!take(at, "\""))
		return NULL;
	/* an escape is never shorter than what it stands for */
	text = to = malloc(strlen(*at) + 1);
	while (to && **at != '"') {
		if ((unsigned char)**at < 0x20) {
			to = NULL;
		} else if (**at == '\\') {
			(*at)++;
			to = put_escape(to, at);
		} else {
			*to++ = *(*at)++;
		}
	}
	if (!to) {
		free(text);
		return NULL;
	}
	(*at)++;
	*to = 0;
	return text;
}

static bool parse_number(struct json *j, const char **at)
{
	const char *from = *at;

	take(at, "-");
	if (!isdigit((unsigned char)**at))
		return false;
	*at += strspn(*at, "0123456789");
	if (take(at, "."))
		*at += strspn(*at, "0123456789");
	if (**at == 'e' || **at == 'E') {
		(*at)++;
		*at += **at == '+' || **at == '-';
		*at += strspn(*at, "0123456789");
	}
	j->type = JSON_NUMBER;
	j->text = strndup(from, (size_t)(*at - from));
	return j->text;
}

static bool parse_members(struct json *j, const char **at, int depth)
{
	bool object = j->type == JSON_OBJECT;
	const char *close = object ? "}" : "]";
	struct json **tail = &j->child;

	(*at)++;
	skip_space(at);
	if (take(at, close))
		return true;
	do {
		char *key = NULL;

		skip_space(at);
		if (object) {
			key = parse_string(at);
			skip_space(at);
			if (!key || !take(at, ":")) {
				free(key);
				return false;
			}
		}
		*tail = parse_value(at, depth + 1);
		if (!*tail) {
			free(key);
			return false;
		}
		(*tail)->key = key;
		tail = &(*tail)->next;
		skip_space(at);
	} while (take(at, ","));
	return take(at, close);
}

static struct json *parse_value(const char **at, int depth)
{
	struct json *j = calloc(1, sizeof(*j));
	bool ok = true;

	if (!j || depth > DEPTH_MAX) {
		free(j);
		return NULL;
	}
	skip_space(at);
	if (**at == '"') {
		j->type = JSON_STRING;
		j->text = parse_string(at);
		ok = j->text;
	} else if (**at == '{' || **at == '[') {
		j->type = **at == '{' ? JSON_OBJECT : JSON_ARRAY;
		ok = parse_members(j, at, depth);
	} else if (take(at, "true")) {
		j->type = JSON_BOOL;
		j->truth = true;
	} else if (take(at, "false")) {
		j->type = JSON_BOOL;
	} else if (!take(at, "null")) {
		ok = parse_number(j, at);
	}
	if (!ok) {
		json_free(j);
		return NULL;
	}
	return j;
}

struct json *json_parse(const char *text)
{
	struct json *j = parse_value(&text, 0);

	skip_space(&text);
	if (j && *text) {
		json_free(j);
		return NULL;
	}
	return j;
}

void json_free(struct json *j)
{
	while (j) {
		struct json *next = j->next;

		json_free(j->child);
		free(j->key);
		free(j->text);
		free(j);
		j = next;
	}
}

const struct json *json_get(const struct json *object, const char *key)
{
	const struct json *j = object ? object->child : NULL;

	while (j && (!j->key || strcmp(j->key, key)))
		j = j->next;
	return j;
}

int64_t json_int(const struct json *object, const char *key)
{
	const struct json *j = json_get(object, key);

	return j && j->text ? strtoll(j->text, NULL, 10) : 0;
}

const char *json_text(const struct json *object, const char *key)
{
	const struct json *j = json_get(object, key);

	return j && j->type == JSON_STRING ? j->text : "";
}

bool json_bool(const struct json *object, const char *key)
{
	const struct json *j = json_get(object, key);

	return j && j->truth;
}
