// SPDX-License-Identifier: GPL-2.0-only
#include "assemble/service_name.h"

#include <stdbool.h>
#include <string.h>

#include "base/intern.h"

enum { NAME_MAX_BYTES = 40 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct slice without_version(struct slice exe)
{
	size_t n = exe.len;

	while (n && (exe.ptr[n - 1] == '.' || is_digit(exe.ptr[n - 1])))
		n--;
	while (n && exe.ptr[n - 1] == '-')
		n--;
	return (struct slice){ exe.ptr, n ? n : exe.len };
}

static struct slice next_word(struct slice *rest)
{
	struct slice word;

	while (rest->len && *rest->ptr == ' ') {
		rest->ptr++;
		rest->len--;
	}
	word = (struct slice){ rest->ptr, 0 };
	while (word.len < rest->len && rest->ptr[word.len] != ' ')
		word.len++;
	rest->ptr += word.len;
	rest->len -= word.len;
	return word;
}

/* "/usr/bin/gunicorn" and "gunicorn:" -> "gunicorn" */
static struct slice base_name(struct slice word)
{
	const char *slash = word.len ? memrchr(word.ptr, '/', word.len) : NULL;

	if (slash) {
		word.len -= (size_t)(slash + 1 - word.ptr);
		word.ptr = slash + 1;
	}
	if (word.len && word.ptr[word.len - 1] == ':')
		word.len--;
	return word;
}

/* A title is whatever the process wrote there. */
static bool is_name(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i], lower = c | 0x20;
		bool letter = lower >= 'a' && lower <= 'z';

		if (!letter && (!i || (!is_digit(c) && !strchr("._-", c))))
			return false;
	}
	return s.len && s.len <= NAME_MAX_BYTES;
}

/* Options whose value is the next word: of Python -W and -X, of Ruby and Perl -I, -r and -C. */
static bool takes_value(struct slice option)
{
	return option.len == 2 && strchr("WXIrC", option.ptr[1]);
}

/* What the interpreter runs; empty where the title does not say it. */
static struct slice script(struct slice interpreter, struct slice title)
{
	const struct slice none = { "", 0 };
	struct slice word = base_name(next_word(&title));

	if (!slice_eq(without_version(word), interpreter))
		return is_name(word) ? word : none; /* it has written its own title */
	while ((word = next_word(&title)).len && word.ptr[0] == '-') {
		if (slice_eq(word, SLICE_LIT("-m")))
			return next_word(&title);
		if (slice_eq(word, SLICE_LIT("-c")) || slice_eq(word, SLICE_LIT("-e")) ||
		    slice_eq(word, SLICE_LIT("-")))
			return none;
		if (takes_value(word))
			next_word(&title);
	}
	return base_name(word);
}

uint32_t service_name(struct slice exe, struct slice title)
{
	static const char *const interpreters[] = { "python", "ruby", "perl" };
	struct slice name = without_version(exe), run;

	for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++) {
		if (!slice_eq(name, slice_of(interpreters[i])))
			continue;
		run = script(name, title);
		return intern(is_name(run) ? run : name);
	}
	return intern(name);
}
