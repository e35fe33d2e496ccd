// SPDX-License-Identifier: GPL-2.0-only
/*
 * HTTP/1.x heads. A head is read line by line and only whole lines count, because a header that
 * is cut in the middle of its value would give a wrong value rather than none.
 */
#include "proto/http1.h"
#include "proto/uri.h"

enum { METHOD_MAX = 24, VERSION_LEN = 7 };

static const char version_prefix[] = "HTTP/1.";

/* Headers whose value may continue on a folded line (RFC 9112 section 5.2) remember their kind. */
enum field {
	FIELD_OTHER,
	FIELD_CONNECTION,
	FIELD_TRANSFER_ENCODING,
	FIELD_CONTENT_LENGTH,
	FIELD_UPGRADE,
	FIELD_EXPECT,
	FIELD_HOST,
};

struct fields {
	int64_t content_length;
	bool chunked, close, keep_alive, connection_upgrade, upgrade, expect_continue;
	struct slice host, upgrade_to;
};

static struct slice slice_from(struct slice in, size_t start, size_t end)
{
	return (struct slice){ in.ptr + start, end - start };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct slice trim(struct slice s)
{
	while (s.len && is_blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* The next whole line without its end; false when the input stops before the LF. */
static bool next_line(struct slice in, size_t *pos, struct slice *line)
{
	const char *lf;
	size_t end;

	if (*pos >= in.len)
		return false;
	lf = memchr(in.ptr + *pos, '\n', in.len - *pos);
	if (!lf)
		return false;
	end = (size_t)(lf - in.ptr);
	*line = slice_from(in, *pos, end);
	if (line->len && line->ptr[line->len - 1] == '\r')
		line->len--;
	*pos = end + 1;
	return true;
}

static bool next_element(struct slice *list, struct slice *element)
{
	const char *comma;

	if (!list->len)
		return false;
	comma = memchr(list->ptr, ',', list->len);
	if (comma) {
		*element = trim(slice_from(*list, 0, (size_t)(comma - list->ptr)));
		*list = slice_from(*list, (size_t)(comma - list->ptr) + 1, list->len);
	} else {
		*element = trim(*list);
		list->len = 0;
	}
	return true;
}

static int64_t parse_length(struct slice value)
{
	int64_t n = 0;

	if (!value.len)
		return -1;
	for (size_t i = 0; i < value.len; i++) {
		int digit = value.ptr[i] - '0';

		if (digit < 0 || digit > 9 || n > (INT64_MAX - digit) / 10)
			return -1;
		n = n * 10 + digit;
	}
	return n;
}

/* "5, 5" is what a proxy makes of a repeated header: one length if all agree (section 6.3). */
static void take_content_length(struct fields *f, struct slice value)
{
	struct slice element;
	int64_t length = -1;
	bool first = true;

	if (f->content_length >= 0)
		return;
	while (next_element(&value, &element)) {
		int64_t n = parse_length(element);

		if (!first && n != length)
			return;
		length = n;
		first = false;
	}
	f->content_length = length;
}

static void take_connection(struct fields *f, struct slice value)
{
	struct slice element;

	while (next_element(&value, &element)) {
		if (slice_ieq(element, SLICE_LIT("close")))
			f->close = true;
		else if (slice_ieq(element, SLICE_LIT("keep-alive")))
			f->keep_alive = true;
		else if (slice_ieq(element, SLICE_LIT("upgrade")))
			f->connection_upgrade = true;
	}
}

/* Chunked delimits the body only as the last coding (section 6.1). */
static void take_transfer_encoding(struct fields *f, struct slice value)
{
	struct slice element, last = { NULL, 0 };

	while (next_element(&value, &element))
		if (element.len)
			last = element;
	if (slice_ieq(last, SLICE_LIT("chunked")))
		f->chunked = true;
}

/* The letters that those names begin with: most lines are told apart by their first byte. */
static bool may_be_known(char first)
{
	switch (first | 0x20) {
	case 'c':
	case 't':
	case 'u':
	case 'e':
	case 'h':
		return true;
	}
	return false;
}

static enum field field_of(struct slice name)
{
	static const struct {
		struct slice name;
		enum field field;
	} known[] = {
		{ SLICE_LIT("connection"), FIELD_CONNECTION },
		{ SLICE_LIT("transfer-encoding"), FIELD_TRANSFER_ENCODING },
		{ SLICE_LIT("content-length"), FIELD_CONTENT_LENGTH },
		{ SLICE_LIT("upgrade"), FIELD_UPGRADE },
		{ SLICE_LIT("expect"), FIELD_EXPECT },
		{ SLICE_LIT("host"), FIELD_HOST },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (slice_ieq(name, known[i].name))
			return known[i].field;
	return FIELD_OTHER;
}

static void take_field(struct fields *f, enum field field, struct slice value, bool folded)
{
	switch (field) {
	case FIELD_CONNECTION:
		take_connection(f, value);
		break;
	case FIELD_TRANSFER_ENCODING:
		take_transfer_encoding(f, value);
		break;
	case FIELD_CONTENT_LENGTH:
		take_content_length(f, value);
		break;
	case FIELD_UPGRADE:
		f->upgrade = true;
		if (!f->upgrade_to.ptr && !folded)
			f->upgrade_to = value;
		break;
	case FIELD_EXPECT:
		if (slice_ieq(value, SLICE_LIT("100-continue")))
			f->expect_continue = true;
		break;
	case FIELD_HOST:
		if (!f->host.ptr && !folded)
			f->host = value;
		break;
	case FIELD_OTHER:
		break;
	}
}

/* Reads header lines from pos on; the length of the head, or 0 when its end was not seen. */
static size_t parse_fields(struct slice in, size_t pos, struct fields *f)
{
	enum field field = FIELD_OTHER;
	struct slice line;

	while (next_line(in, &pos, &line)) {
		const char *colon;

		if (!line.len)
			return pos;
		if (is_blank(line.ptr[0])) {
			take_field(f, field, trim(line), true);
			continue;
		}
		field = FIELD_OTHER;
		colon = may_be_known(line.ptr[0]) ? memchr(line.ptr, ':', line.len) : NULL;
		if (colon)
			field = field_of(trim(slice_from(line, 0, (size_t)(colon - line.ptr))));
		if (field == FIELD_OTHER)
			continue;
		line = slice_from(line, (size_t)(colon - line.ptr) + 1, line.len);
		take_field(f, field, trim(line), false);
	}
	return 0;
}

static bool closes(const struct fields *f, int minor_version, bool complete)
{
	return f->close || (complete && minor_version == 0 && !f->keep_alive);
}

static size_t skip_empty_lines(struct slice in)
{
	size_t pos = 0;

	while (pos < in.len && (in.ptr[pos] == '\r' || in.ptr[pos] == '\n'))
		pos++;
	return pos;
}

/* "HTTP/1.N": OK when whole, PARTIAL when the input ends inside it. */
static int parse_version(struct slice in, size_t *pos, int *minor)
{
	size_t left = in.len - *pos, n = left < VERSION_LEN ? left : VERSION_LEN;

	if (memcmp(in.ptr + *pos, version_prefix, n) != 0)
		return HTTP1_NOT;
	*pos += n;
	if (*pos == in.len)
		return HTTP1_PARTIAL;
	if (in.ptr[*pos] < '0' || in.ptr[*pos] > '9')
		return HTTP1_NOT;
	*minor = in.ptr[(*pos)++] - '0';
	return HTTP1_OK;
}

static int parse_method(struct slice in, size_t *pos, struct slice *method)
{
	size_t start = *pos;

	for (; *pos < in.len && in.ptr[*pos] != ' '; (*pos)++) {
		char c = in.ptr[*pos];

		if (*pos - start == METHOD_MAX)
			return HTTP1_NOT;
		if (!(c >= 'A' && c <= 'Z') && !(c == '-' && *pos > start))
			return HTTP1_NOT;
	}
	if (*pos == in.len)
		return HTTP1_PARTIAL;
	if (*pos == start)
		return HTTP1_NOT;
	*method = slice_from(in, start, *pos);
	return HTTP1_OK;
}

static size_t skip_spaces(struct slice in, size_t pos)
{
	while (pos < in.len && in.ptr[pos] == ' ')
		pos++;
	return pos;
}

static int parse_target(struct slice in, size_t *pos, struct http1_request *out)
{
	size_t start = *pos = skip_spaces(in, *pos);

	for (; *pos < in.len && in.ptr[*pos] != ' '; (*pos)++)
		if ((unsigned char)in.ptr[*pos] < ' ' || in.ptr[*pos] == 0x7f)
			return HTTP1_NOT; /* also HTTP/0.9, which has no version */
	out->target = slice_from(in, start, *pos);
	out->target_cut = *pos == in.len;
	return out->target_cut ? HTTP1_PARTIAL : HTTP1_OK;
}

/* What follows the version on its line may only be blanks. */
static int end_request_line(struct slice in, size_t *pos)
{
	while (*pos < in.len && (is_blank(in.ptr[*pos]) || in.ptr[*pos] == '\r'))
		(*pos)++;
	if (*pos == in.len)
		return HTTP1_PARTIAL;
	return in.ptr[(*pos)++] == '\n' ? HTTP1_OK : HTTP1_NOT;
}

int http1_parse_request(struct slice in, struct http1_request *out)
{
	struct fields f = { .content_length = -1 };
	struct slice authority;
	size_t pos;
	int r;

	*out = (struct http1_request){ .minor_version = -1, .content_length = -1 };
	if (!in.len)
		return HTTP1_PARTIAL;
	pos = skip_empty_lines(in);
	r = parse_method(in, &pos, &out->method);
	if (r == HTTP1_OK)
		r = parse_target(in, &pos, out);
	if (r != HTTP1_OK)
		return r;
	uri_authority(out->target, &authority);
	out->host = authority;
	pos = skip_spaces(in, pos);
	r = parse_version(in, &pos, &out->minor_version);
	if (r == HTTP1_OK)
		r = end_request_line(in, &pos);
	if (r != HTTP1_OK)
		return r;
	out->head_len = parse_fields(in, pos, &f);
	out->content_length = f.content_length;
	out->chunked = f.chunked;
	out->close = closes(&f, out->minor_version, out->head_len > 0);
	out->upgrade = f.upgrade && f.connection_upgrade;
	out->expect_continue = f.expect_continue && out->minor_version > 0;
	if (!authority.len)
		out->host = f.host;
	return out->head_len ? HTTP1_OK : HTTP1_PARTIAL;
}

/* " NNN" and the byte after it, which shows that the number is whole. */
static int parse_status(struct slice in, size_t *pos, int *status)
{
	size_t start;
	int n = 0;

	if (*pos == in.len)
		return HTTP1_PARTIAL;
	if (in.ptr[*pos] != ' ')
		return HTTP1_NOT;
	start = *pos = skip_spaces(in, *pos);
	for (; *pos < in.len && *pos - start < 3; (*pos)++) {
		if (in.ptr[*pos] < '0' || in.ptr[*pos] > '9')
			return HTTP1_NOT;
		n = n * 10 + in.ptr[*pos] - '0';
	}
	if (*pos == in.len)
		return HTTP1_PARTIAL;
	if (n < 100 || !(is_blank(in.ptr[*pos]) || in.ptr[*pos] == '\r' || in.ptr[*pos] == '\n'))
		return HTTP1_NOT;
	*status = n;
	return HTTP1_OK;
}

int http1_parse_response(struct slice in, struct http1_response *out)
{
	struct fields f = { .content_length = -1 };
	struct slice reason;
	size_t pos;
	int r;

	*out = (struct http1_response){ .minor_version = -1, .content_length = -1 };
	if (!in.len)
		return HTTP1_PARTIAL;
	pos = skip_empty_lines(in);
	r = parse_version(in, &pos, &out->minor_version);
	if (r == HTTP1_OK)
		r = parse_status(in, &pos, &out->status);
	if (r != HTTP1_OK)
		return r;
	if (!next_line(in, &pos, &reason))
		return HTTP1_PARTIAL;
	out->head_len = parse_fields(in, pos, &f);
	out->content_length = f.content_length;
	out->chunked = f.chunked;
	out->upgrade = f.upgrade_to;
	out->close = closes(&f, out->minor_version, out->head_len > 0);
	return out->head_len ? HTTP1_OK : HTTP1_PARTIAL;
}

bool http1_response_has_body(struct slice request_method, int status)
{
	if (slice_eq(request_method, SLICE_LIT("HEAD")))
		return false;
	if (slice_eq(request_method, SLICE_LIT("CONNECT")) && status >= 200 && status < 300)
		return false;
	return !(status >= 100 && status < 200) && status != 204 && status != 304;
}

bool http1_chunked_ends(struct slice tail)
{
	static const struct slice end = SLICE_LIT("0\r\n\r\n");
	size_t pos;

	if (tail.len < end.len || memcmp(tail.ptr + tail.len - end.len, end.ptr, end.len))
		return false;
	pos = tail.len - end.len;
	while (pos && tail.ptr[pos - 1] == '0')
		pos--;
	return pos == 0 || (pos >= 2 && !memcmp(tail.ptr + pos - 2, "\r\n", 2));
}

/* What can be seen of a stream of `total` bytes. */
struct sight {
	struct slice front, tail;
	uint64_t total;
};

/* The line at *pos: 1 and *pos behind it; 0: it goes on behind the stream's present end; -1: it is
 * out of sight. */
static int line_at(const struct sight *s, uint64_t *pos, struct slice *line)
{
	uint64_t from = 0;
	struct slice in = s->front;
	size_t at;

	if (*pos >= s->front.len) {
		from = s->total - s->tail.len;
		in = s->tail;
	}
	if (*pos < from)
		return -1;
	at = (size_t)(*pos - from);
	if (!next_line(in, &at, line))
		return from + in.len == s->total ? 0 : -1;
	*pos = from + at;
	return 1;
}

/* The size in front of a chunk; -1: this is none. */
static int64_t chunk_size(struct slice line)
{
	int64_t size = 0;
	size_t i;

	for (i = 0; i < line.len && line.ptr[i] != ';' && !is_blank(line.ptr[i]); i++) {
		char c = line.ptr[i], letter = (char)(c | 0x20);

		if (size > INT64_MAX >> 5)
			return -1;
		if (c >= '0' && c <= '9')
			size = size * 16 + (c - '0');
		else if (letter >= 'a' && letter <= 'f')
			size = size * 16 + (letter - 'a' + 10);
		else
			return -1;
	}
	return i ? size : -1;
}

static bool ends_with(struct slice in, struct slice end)
{
	return in.len >= end.len && !memcmp(in.ptr + in.len - end.len, end.ptr, end.len);
}

/* Trailers from pos on: the body's end is behind the empty line. Where some of their lines are out of
 * sight, only the end of the stream can be such a line. */
static enum http1_body trailers(const struct sight *s, uint64_t pos)
{
	struct slice line;
	int r;

	while ((r = line_at(s, &pos, &line)) > 0)
		if (!line.len)
			return HTTP1_BODY_ENDED;
	if (!r)
		return HTTP1_BODY_GOES_ON;
	return ends_with(s->tail, SLICE_LIT("\n\r\n")) || ends_with(s->tail, SLICE_LIT("\n\n")) ?
		       HTTP1_BODY_ENDED :
		       HTTP1_BODY_UNSEEN;
}

/* The chunks were lost sight of. A chunk's data may end with an empty line as trailers do. A line that
 * ends with LF alone and CR LF are most often data that ends with a line, and the chunk's own end: not
 * both sorts of line ends in one trailer. */
static enum http1_body chunks_by_tail(const struct sight *s)
{
	static const struct slice empty[] = { SLICE_LIT("\r\n\r\n"), SLICE_LIT("\n\n") };

	if (http1_chunked_ends(s->tail))
		return HTTP1_BODY_ENDED;
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		if (ends_with(s->tail, empty[i]) ||
		    (s->tail.len < s->total && ends_with(empty[i], s->tail)))
			return HTTP1_BODY_UNSEEN; /* they do, or may where not all of it is there */
	return HTTP1_BODY_GOES_ON;
}

enum http1_body http1_chunks(struct slice front, struct slice tail, uint64_t total)
{
	struct sight s = { front, tail, total };
	struct slice line;
	uint64_t pos = 0;
	int64_t size;
	int r;

	if (tail.len > total)
		s.tail = slice_from(tail, tail.len - (size_t)total, tail.len);
	while ((r = line_at(&s, &pos, &line)) > 0) {
		size = chunk_size(line);
		if (size < 0)
			return chunks_by_tail(&s);
		if (!size)
			return trailers(&s, pos);
		pos += (uint64_t)size + 2;
		if (pos >= total)
			return HTTP1_BODY_GOES_ON;
	}
	return r ? chunks_by_tail(&s) : HTTP1_BODY_GOES_ON;
}
