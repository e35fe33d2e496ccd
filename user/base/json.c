// SPDX-License-Identifier: GPL-2.0-only
/* Writes newline-delimited JSON; see json.h for what is promised about bytes and errors. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "base/format.h"
#include "base/json.h"

void json_init(struct json *j, FILE *out)
{
	*j = (struct json){ .out = out };
}

/* stdio writes when its buffer is full, so a failure shows at any call: errno is only right
 * directly after it. */
static void put(struct json *j, const char *bytes, size_t len)
{
	if (j->err)
		return;
	errno = 0;
	if (fwrite(bytes, 1, len, j->out) != len)
		j->err = errno ? -errno : -EIO;
}

static void put_text(struct json *j, const char *text)
{
	put(j, text, strlen(text));
}

static void put_escaped(struct json *j, const char *text)
{
	size_t len = strlen(text), plain = 0;

	put(j, "\"", 1);
	while (plain < len) {
		uint32_t cp;
		size_t taken = format_utf8_next(text + plain, len - plain, &cp);
		char esc[8];

		if (cp >= 0x20 && cp != '"' && cp != '\\' && (cp < 0x7f || cp > 0x9f) &&
		    cp != FORMAT_BAD_UTF8) {
			plain += taken;
			continue;
		}
		put(j, text, plain);
		if (cp == FORMAT_BAD_UTF8)
			snprintf(esc, sizeof(esc), "\xef\xbf\xbd");
		else if (cp == '"' || cp == '\\')
			snprintf(esc, sizeof(esc), "\\%c", (char)cp);
		else
			snprintf(esc, sizeof(esc), "\\u%04x", (unsigned)cp & 0xffffu);
		put_text(j, esc);
		text += plain + taken;
		len -= plain + taken;
		plain = 0;
	}
	put(j, text, plain);
	put(j, "\"", 1);
}

static void begin_value(struct json *j, const char *key)
{
	if (j->comma)
		put(j, ",", 1);
	j->comma = true;
	if (key) {
		put(j, "\"", 1);
		put_text(j, key);
		put(j, "\":", 2);
	}
}

static void open_with(struct json *j, const char *key, const char *bracket)
{
	begin_value(j, key);
	put_text(j, bracket);
	j->comma = false;
	j->depth++;
}

static void close_with(struct json *j, const char *bracket)
{
	assert(j->depth > 0);
	put_text(j, bracket);
	j->comma = true;
	j->depth--;
}

void json_open_object(struct json *j, const char *key)
{
	open_with(j, key, "{");
}

void json_close_object(struct json *j)
{
	close_with(j, "}");
}

void json_open_array(struct json *j, const char *key)
{
	open_with(j, key, "[");
}

void json_close_array(struct json *j)
{
	close_with(j, "]");
}

void json_str(struct json *j, const char *key, const char *text)
{
	begin_value(j, key);
	put_escaped(j, text);
}

void json_u64(struct json *j, const char *key, uint64_t v)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%" PRIu64, v);
	begin_value(j, key);
	put_text(j, buf);
}

void json_u64_str(struct json *j, const char *key, uint64_t v)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "\"%" PRIu64 "\"", v);
	begin_value(j, key);
	put_text(j, buf);
}

void json_i64(struct json *j, const char *key, int64_t v)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%" PRId64, v);
	begin_value(j, key);
	put_text(j, buf);
}

void json_f64(struct json *j, const char *key, double v)
{
	char buf[FORMAT_LEN], *end;

	if (!isfinite(v)) {
		json_null(j, key);
		return;
	}
	format_fixed(buf, v, 6);
	end = buf + strlen(buf);
	while (end[-1] == '0')
		*--end = '\0';
	if (end[-1] == '.')
		*--end = '\0';
	begin_value(j, key);
	put_text(j, buf);
}

void json_bool(struct json *j, const char *key, bool v)
{
	begin_value(j, key);
	put_text(j, v ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	begin_value(j, key);
	put_text(j, "null");
}

int json_end_line(struct json *j)
{
	assert(j->depth == 0);
	put(j, "\n", 1);
	j->comma = false;
	return j->err;
}

int json_finish(struct json *j)
{
	if (j->err)
		return j->err;
	errno = 0;
	if (fflush(j->out) || ferror(j->out))
		j->err = errno ? -errno : -EIO;
	return j->err;
}
