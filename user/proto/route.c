// SPDX-License-Identifier: GPL-2.0-only
/*
 * Route names. The path is taken segment by segment; a segment is judged by its bytes alone,
 * since nothing is known of the application's own routing table.
 */
#include "proto/route.h"
#include "proto/uri.h"
#include "proto/utf8.h"

enum {
	METHOD_SHOWN = 24,
	EXTENSION_MAX = 5,
	HEX_MIN = 8,
	MIXED_MIN = 20,
	SEGMENT_MAX = 64,
	UUID_LEN = 36,
	SLUG_DIGITS_MAX = 2, /* of a word: "web20" */
	TOKEN_MIN = 8,
	SECRET_LETTERS_MAX = 15, /* of a word behind "reset" and the like */
};

struct writer {
	char *out;
	size_t len, cap; /* cap leaves room for the NUL */
	bool full;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Bytes of printable ASCII without blanks that s begins with. */
static size_t plain_len(struct slice s)
{
	size_t n = 0;

	while (n < s.len && s.ptr[n] > ' ' && s.ptr[n] < 0x7f)
		n++;
	return n;
}

/* Appends up to len bytes that are shown as they are. */
static void put_bytes(struct writer *w, const char *from, size_t len, bool divisible)
{
	size_t room = w->cap - w->len;

	if (len > room) {
		w->full = true;
		if (!divisible)
			return;
		len = room;
	}
	memcpy(w->out + w->len, from, len);
	w->len += len;
}

static void put(struct writer *w, struct slice text)
{
	while (text.len && !w->full) {
		size_t len = plain_len(text);

		if (len) {
			put_bytes(w, text.ptr, len, true);
		} else {
			size_t seen = utf8_printable(text.ptr, text.len);

			len = seen ? seen : 1;
			if (seen && text.ptr[0] != ' ')
				put_bytes(w, text.ptr, len, false);
			else
				put_bytes(w, "?", 1, false);
		}
		text.ptr += len;
		text.len -= len;
	}
}

static void put_blank(struct writer *w)
{
	if (w->full || w->len == w->cap) {
		w->full = true;
		return;
	}
	w->out[w->len++] = ' ';
}

static bool all_digits(struct slice s)
{
	size_t i = s.len > 1 && s.ptr[0] == '-';

	for (; i < s.len; i++)
		if (!is_digit(s.ptr[i]))
			return false;
	return s.len > 0;
}

static bool is_uuid(struct slice s)
{
	if (s.len != UUID_LEN)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s.ptr[i] != '-' : !is_hex(s.ptr[i]))
			return false;
	}
	return true;
}

static bool is_hash(struct slice s)
{
	bool digit = false;

	for (size_t i = 0; i < s.len; i++) {
		if (!is_hex(s.ptr[i]))
			return false;
		digit |= is_digit(s.ptr[i]);
	}
	return digit && s.len >= HEX_MIN;
}

/* A word of a slug: digits, or letters with at most two digits after them. */
static bool is_slug_word(struct slice s)
{
	size_t letters = 0, digits;

	while (letters < s.len && is_letter(s.ptr[letters]))
		letters++;
	for (digits = 0; letters + digits < s.len; digits++)
		if (!is_digit(s.ptr[letters + digits]))
			return false;
	return letters == 0 || digits <= SLUG_DIGITS_MAX;
}

/* Letters and digits mixed, as in tokens; but words that dashes join are a title. */
static bool is_mixed(struct slice s)
{
	bool digit = false, letter = false, slug = true;
	size_t word = 0, words = 0;

	if (s.len < MIXED_MIN)
		return false;
	for (size_t i = 0; i <= s.len; i++) {
		char c = i < s.len ? s.ptr[i] : '-';

		if (c == '-' || c == '_') {
			slug &= is_slug_word((struct slice){ s.ptr + word, i - word });
			words++;
			word = i + 1;
		} else if (is_digit(c)) {
			digit = true;
		} else if (is_letter(c)) {
			letter = true;
		} else if (c != '=' && c != '~') {
			return false;
		}
	}
	return digit && letter && !(slug && words > 1);
}

enum { CLASS_DIGIT, CLASS_LOWER, CLASS_UPPER, CLASS_OTHER };

static int class_of(char c)
{
	return is_digit(c)          ? CLASS_DIGIT :
	       c >= 'a' && c <= 'z' ? CLASS_LOWER :
	       c >= 'A' && c <= 'Z' ? CLASS_UPPER :
				      CLASS_OTHER;
}

/* Short tokens: digits, small and capital letters that change at every second byte or more
 * often. "OAuth2Callback" is a name, "Ab3dEf7h" is none. */
static bool is_token(struct slice s)
{
	size_t changes = 0;
	bool seen[CLASS_OTHER + 1] = { false };

	for (size_t i = 0; i < s.len; i++) {
		seen[class_of(s.ptr[i])] = true;
		changes += i && class_of(s.ptr[i]) != class_of(s.ptr[i - 1]);
	}
	return s.len >= TOKEN_MIN && changes * 2 >= s.len && seen[CLASS_DIGIT] &&
	       seen[CLASS_LOWER] && seen[CLASS_UPPER] && !seen[CLASS_OTHER];
}

static int hex_value(char c)
{
	return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* The byte at *pos as the server will see it; *pos goes behind it. */
static char decoded(struct slice s, size_t *pos)
{
	char c = s.ptr[*pos];

	if (c == '%' && s.len - *pos > 2 && is_hex(s.ptr[*pos + 1]) && is_hex(s.ptr[*pos + 2])) {
		c = (char)(hex_value(s.ptr[*pos + 1]) << 4 | hex_value(s.ptr[*pos + 2]));
		*pos += 2;
	}
	*pos += 1;
	return c;
}

/* What is no name of a page: a value ("a=b"), the query of an encoded '?', an address or userinfo
 * ("john@example.com", "user:pass@host"), a JWT (RFC 7519: its header is an object in base64url). */
static bool has_value(struct slice s)
{
	const struct slice jwt = SLICE_LIT("eyJ");

	if (s.len >= 16 && !memcmp(s.ptr, jwt.ptr, jwt.len))
		return true;
	for (size_t pos = 0; pos < s.len;) {
		char c = decoded(s, &pos);

		if (c == '=' || c == '?' || c == '&' || c == '#' || c == '@')
			return true;
	}
	return false;
}

/* Words of pages that are opened by a secret: it is the next segment. */
static bool leads_to_secret(struct slice s)
{
	static const char *const words[] = { "reset",      "verify",     "verification",
					     "token",      "tokens",     "activate",
					     "activation", "confirm",    "confirmation",
					     "invite",     "invitation", "unsubscribe",
					     "magic",      "magic-link" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_ieq(s, slice_of(words[i])))
			return true;
	return false;
}

/* Such a secret, told from the page's next word: "confirm/email" stays. */
static bool could_be_secret(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (class_of(s.ptr[i]) == CLASS_DIGIT)
			return true;
	return s.len > SECRET_LETTERS_MAX;
}

static bool is_opaque(struct slice s)
{
	return all_digits(s) || is_uuid(s) || is_hash(s) || is_mixed(s) || is_token(s) ||
	       s.len > SEGMENT_MAX;
}

/* Where the extension begins (at its dot): a letter somewhere, else it is a version number. */
static size_t extension(struct slice s)
{
	bool letter = false;
	size_t dot = s.len;

	while (dot > 0 && s.len - dot < EXTENSION_MAX &&
	       (is_letter(s.ptr[dot - 1]) || is_digit(s.ptr[dot - 1]))) {
		dot--;
		letter |= is_letter(s.ptr[dot]);
	}
	if (letter && dot > 1 && s.ptr[dot - 1] == '.')
		return dot - 1;
	return s.len;
}

/* The parts between dots are judged one by one ("app.*.js"). */
static void put_stem(struct writer *w, struct slice stem)
{
	size_t from = 0;

	if (is_opaque(stem)) {
		put(w, SLICE_LIT("*"));
		return;
	}
	for (size_t i = 0; i <= stem.len; i++) {
		struct slice part = { stem.ptr + from, i - from };

		if (i < stem.len && stem.ptr[i] != '.')
			continue;
		put(w, !all_digits(part) && is_opaque(part) ? SLICE_LIT("*") : part);
		if (i < stem.len)
			put(w, SLICE_LIT("."));
		from = i + 1;
	}
}

static void put_segment(struct writer *w, struct slice segment, bool after_lead)
{
	size_t dot = extension(segment);

	if (has_value(segment)) {
		put(w, SLICE_LIT("*"));
		return;
	}
	if (after_lead && could_be_secret((struct slice){ segment.ptr, dot }))
		put(w, SLICE_LIT("*"));
	else
		put_stem(w, (struct slice){ segment.ptr, dot });
	put(w, (struct slice){ segment.ptr + dot, segment.len - dot });
}

static bool is_php(struct slice segment)
{
	const struct slice php = SLICE_LIT(".php");
	struct slice end;

	if (segment.len <= php.len)
		return false;
	end = (struct slice){ segment.ptr + segment.len - php.len, php.len };
	return slice_ieq(end, php);
}

/* A program that all pages of a site go through: what follows its name is the route. */
static bool is_front(struct slice segment)
{
	const struct slice index = SLICE_LIT("index.php");

	return slice_eq(segment, index);
}

static void put_path(struct writer *w, struct slice path, bool parameters)
{
	bool after_lead = false;
	size_t pos = 0;

	if (!path.len || path.ptr[0] != '/')
		put(w, SLICE_LIT("/"));
	while (pos < path.len && !w->full) {
		struct slice segment;
		size_t start = pos;

		while (pos < path.len && path.ptr[pos] == '/')
			pos++;
		if (pos > start)
			put(w, SLICE_LIT("/"));
		start = pos;
		while (pos < path.len && path.ptr[pos] != '/')
			pos++;
		segment = (struct slice){ path.ptr + start, pos - start };
		if (parameters && segment.len) {
			const char *semicolon = memchr(segment.ptr, ';', segment.len);

			if (semicolon)
				segment.len = (size_t)(semicolon - segment.ptr);
		}
		put_segment(w, segment, after_lead);
		after_lead = leads_to_secret(segment);
		if (is_php(segment) && !is_front(segment) && pos < path.len) {
			put(w, SLICE_LIT("/*"));
			return;
		}
	}
}

static bool start(struct writer *w, struct slice method, char *out, size_t cap)
{
	if (!cap)
		return false;
	*w = (struct writer){ .out = out, .cap = cap - 1 < ROUTE_MAX ? cap - 1 : ROUTE_MAX };
	if (method.len > METHOD_SHOWN)
		method.len = METHOD_SHOWN;
	put(w, method);
	if (method.len)
		put_blank(w);
	return true;
}

static size_t end(struct writer *w)
{
	w->out[w->len] = '\0';
	return w->len;
}

/* The path of a target in any of its four forms (RFC 9112 section 3.2). */
static struct slice path_of(struct slice target)
{
	struct slice authority;
	size_t from = uri_authority(target, &authority), to = from;

	if (!target.len)
		return target;
	while (to < target.len && target.ptr[to] != '?' && target.ptr[to] != '#')
		to++;
	return (struct slice){ target.ptr + from, to - from };
}

size_t route_normalise(struct slice method, struct slice target, char *out, size_t cap)
{
	struct slice path;
	struct writer w;

	if (!start(&w, method, out, cap))
		return 0;
	path = path_of(target);
	if (slice_eq(method, SLICE_LIT("CONNECT")) || slice_eq(path, SLICE_LIT("*")))
		put(&w, SLICE_LIT("*"));
	else
		put_path(&w, path, true);
	return end(&w);
}

size_t route_script(struct slice method, struct slice script_name, char *out, size_t cap)
{
	struct writer w;

	if (cap)
		out[0] = '\0';
	if (!script_name.len || !start(&w, method, out, cap))
		return 0;
	put_path(&w, script_name, false);
	return end(&w);
}
