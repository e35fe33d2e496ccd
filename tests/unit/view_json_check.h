/* SPDX-License-Identifier: GPL-2.0-only */
/* A strict JSON reader (RFC 8259) that only says whether a text is one value: what the writer
 * makes must be valid for the pickiest consumer. */
#ifndef TARDY_TESTS_VIEW_JSON_CHECK_H
#define TARDY_TESTS_VIEW_JSON_CHECK_H
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include "base/format.h"

static inline const char *json_check_value(const char *p);

static inline const char *json_check_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	while (*p != '"') {
		uint32_t cp;

		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p != '\\') {
			size_t taken = format_utf8_next(p, strlen(p), &cp);

			if (cp == FORMAT_BAD_UTF8)
				return NULL;
			p += taken;
			continue;
		}
		p++;
		if (*p == 'u') {
			for (int i = 1; i <= 4; i++)
				if (!isxdigit((unsigned char)p[i]))
					return NULL;
			p += 5;
		} else if (*p && strchr("\"\\/bfnrt", *p)) {
			p++;
		} else {
			return NULL;
		}
	}
	return p + 1;
}

static inline const char *json_check_number(const char *p)
{
	p += *p == '-';
	if (!isdigit((unsigned char)*p) || (*p == '0' && isdigit((unsigned char)p[1])))
		return NULL;
	while (isdigit((unsigned char)*p))
		p++;
	if (*p == '.') {
		if (!isdigit((unsigned char)*++p))
			return NULL;
		while (isdigit((unsigned char)*p))
			p++;
	}
	return p;
}

static inline const char *json_check_list(const char *p, char close, bool keys)
{
	if (*++p == close)
		return p + 1;
	for (;;) {
		if (keys) {
			p = json_check_string(p);
			if (!p || *p++ != ':')
				return NULL;
		}
		p = json_check_value(p);
		if (!p)
			return NULL;
		if (*p == close)
			return p + 1;
		if (*p++ != ',')
			return NULL;
	}
}

static inline const char *json_check_value(const char *p)
{
	static const char *const words[] = { "true", "false", "null" };

	if (*p == '{')
		return json_check_list(p, '}', true);
	if (*p == '[')
		return json_check_list(p, ']', false);
	if (*p == '"')
		return json_check_string(p);
	for (size_t i = 0; i < 3; i++)
		if (!strncmp(p, words[i], strlen(words[i])))
			return p + strlen(words[i]);
	return json_check_number(p);
}

/* Whether line is one JSON value and nothing else. */
static inline bool json_check(const char *line)
{
	const char *end = json_check_value(line);

	return end && *end == '\0';
}
#endif
