// SPDX-License-Identifier: GPL-2.0-only
/*
 * FastCGI records. The parameters are one stream of name-value pairs that is cut into records
 * anywhere, even inside a length, so the pairs are read by a small machine that is fed with one
 * record's bytes after the other.
 */
#include "proto/fastcgi.h"

enum { HEADER_LEN = 8, BODY_LEN = 8, NAME_MAX_LEN = 16, LINE_MAX_LEN = 32 };

enum record_type {
	BEGIN_REQUEST = 1,
	ABORT_REQUEST = 2,
	END_REQUEST = FASTCGI_END_REQUEST,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6,
	STDERR = 7,
	DATA = 8,
	GET_VALUES = 9,
	GET_VALUES_RESULT = 10,
	UNKNOWN_TYPE = 11,
};

struct record {
	uint8_t type;
	uint16_t id;
	uint16_t content_len; /* as declared */
	struct slice content; /* the part of it that the input holds */
};

static uint8_t byte_at(struct slice s, size_t pos)
{
	return (uint8_t)s.ptr[pos];
}

static uint16_t be16(struct slice s, size_t pos)
{
	return (uint16_t)(byte_at(s, pos) << 8 | byte_at(s, pos + 1));
}

static uint32_t be32(struct slice s, size_t pos)
{
	return (uint32_t)be16(s, pos) << 16 | be16(s, pos + 2);
}

/*
 * The next record: 1 = header whole (content maybe not), 0 = the input ends in its header, -1 =
 * not a record of a direction whose types are the bits of `types`. Even a header that is cut is
 * refused as early as its bytes allow.
 */
static int next_record(struct slice *in, unsigned int types, struct record *out)
{
	size_t have, total;

	if (in->len >= 1 && byte_at(*in, 0) != 1)
		return -1;
	if (in->len >= 2 && (byte_at(*in, 1) > UNKNOWN_TYPE || !(types & 1u << byte_at(*in, 1))))
		return -1;
	if (in->len < HEADER_LEN)
		return 0;
	out->type = byte_at(*in, 1);
	out->id = be16(*in, 2);
	out->content_len = be16(*in, 4);
	total = (size_t)HEADER_LEN + out->content_len + byte_at(*in, 6);
	have = in->len - HEADER_LEN;
	out->content.ptr = in->ptr + HEADER_LEN;
	out->content.len = have < out->content_len ? have : out->content_len;
	if (total > in->len)
		total = in->len;
	in->ptr += total;
	in->len -= total;
	return 1;
}

enum pair_phase { PAIR_NAME_LEN, PAIR_VALUE_LEN, PAIR_NAME, PAIR_VALUE };

/* Where the reader is in the stream of name-value pairs (section 3.4). */
struct pairs {
	enum pair_phase phase;
	uint32_t len_seen; /* bytes of the present length */
	uint32_t len; /* the present length so far */
	uint32_t name_len, value_len;
	uint32_t name_seen, value_seen;
	char name[NAME_MAX_LEN]; /* its first bytes, for a name may be split too */
	struct slice *wanted; /* where the present value goes, NULL = nowhere */
};

static struct slice *wanted_value(struct fastcgi_request *r, struct slice name)
{
	if (slice_eq(name, SLICE_LIT("REQUEST_METHOD")))
		return &r->method;
	if (slice_eq(name, SLICE_LIT("SCRIPT_NAME")))
		return &r->script_name;
	if (slice_eq(name, SLICE_LIT("SCRIPT_FILENAME")))
		return &r->script_filename;
	if (slice_eq(name, SLICE_LIT("REQUEST_URI")))
		return &r->request_uri;
	if (slice_eq(name, SLICE_LIT("DOCUMENT_URI")))
		return &r->document_uri;
	return NULL;
}

/* One byte of a length of 1 or 4 bytes; true when it is the last. */
static bool pairs_length(struct pairs *p, uint8_t byte)
{
	if (p->len_seen == 0 && byte < 0x80) {
		p->len = byte;
		return true;
	}
	p->len = p->len_seen == 0 ? byte & 0x7f : p->len << 8 | byte;
	if (++p->len_seen < 4)
		return false;
	p->len_seen = 0;
	return true;
}

static void pairs_start_value(struct pairs *p, struct fastcgi_request *r)
{
	struct slice name = { p->name, p->name_len };

	p->phase = PAIR_VALUE;
	p->value_seen = 0;
	p->wanted = p->name_len <= NAME_MAX_LEN ? wanted_value(r, name) : NULL;
	if (p->wanted) {
		*p->wanted = (struct slice){ NULL, 0 };
		if (p->value_len)
			r->cut = true; /* until it turns out to be whole */
	}
}

static size_t pairs_name(struct pairs *p, struct slice in, struct fastcgi_request *r)
{
	size_t take = p->name_len - p->name_seen;

	if (take > in.len)
		take = in.len;
	for (size_t i = 0; i < take && p->name_seen + i < NAME_MAX_LEN; i++)
		p->name[p->name_seen + i] = in.ptr[i];
	p->name_seen += (uint32_t)take;
	if (p->name_seen == p->name_len)
		pairs_start_value(p, r);
	return take;
}

static size_t pairs_value(struct pairs *p, struct slice in, struct fastcgi_request *r, bool *cut)
{
	size_t take = p->value_len - p->value_seen;

	if (take > in.len)
		take = in.len;
	if (p->wanted && take == p->value_len) {
		*p->wanted = (struct slice){ in.ptr, take };
		r->cut = *cut;
	}
	p->value_seen += (uint32_t)take;
	if (p->value_seen == p->value_len) {
		*cut = r->cut;
		p->phase = PAIR_NAME_LEN;
	}
	return take;
}

/* Feeds one record's content. *cut remembers across records what earlier pairs made of it. */
static void pairs_feed(struct pairs *p, struct slice in, struct fastcgi_request *r, bool *cut)
{
	size_t pos = 0;

	for (;;) {
		struct slice rest = { in.ptr + pos, in.len - pos };

		/* Empty names and values need no byte: let them pass even at the end. */
		if (p->phase == PAIR_NAME && p->name_seen == p->name_len) {
			pairs_start_value(p, r);
			continue;
		}
		if (p->phase == PAIR_VALUE && p->value_seen == p->value_len) {
			pairs_value(p, rest, r, cut);
			continue;
		}
		if (!rest.len)
			return;
		switch (p->phase) {
		case PAIR_NAME_LEN:
			if (pairs_length(p, byte_at(rest, 0))) {
				p->name_len = p->len;
				p->phase = PAIR_VALUE_LEN;
			}
			pos++;
			break;
		case PAIR_VALUE_LEN:
			if (pairs_length(p, byte_at(rest, 0))) {
				p->value_len = p->len;
				p->name_seen = 0;
				p->phase = PAIR_NAME;
			}
			pos++;
			break;
		case PAIR_NAME:
			pos += pairs_name(p, rest, r);
			break;
		case PAIR_VALUE:
			pos += pairs_value(p, rest, r, cut);
			break;
		}
	}
}

static bool pairs_at_rest(const struct pairs *p)
{
	return p->phase == PAIR_NAME_LEN && p->len_seen == 0;
}

/* BEGIN_REQUEST's body (section 5.1); false when it cannot be one. */
static bool take_begin(const struct record *rec, struct fastcgi_request *out)
{
	uint16_t role;

	if (rec->content_len != BODY_LEN || rec->id == 0)
		return false;
	if (rec->content.len >= 1 && byte_at(rec->content, 0) != 0)
		return false;
	if (rec->content.len < 2)
		return true;
	role = be16(rec->content, 0);
	if (role < FASTCGI_RESPONDER || role > FASTCGI_FILTER)
		return false;
	if (rec->content.len < BODY_LEN)
		return true;
	out->begun = true;
	out->role = role;
	out->request_id = rec->id;
	out->keep_conn = byte_at(rec->content, 2) & 1;
	return true;
}

int fastcgi_parse_request(struct slice in, struct fastcgi_request *out)
{
	const unsigned int types = 1u << BEGIN_REQUEST | 1u << ABORT_REQUEST | 1u << PARAMS |
				   1u << STDIN | 1u << DATA | 1u << GET_VALUES;
	struct pairs pairs = { .phase = PAIR_NAME_LEN };
	struct record rec;
	bool cut = false;
	int r;

	*out = (struct fastcgi_request){ 0 };
	while ((r = next_record(&in, types, &rec)) > 0) {
		if (rec.type == GET_VALUES && rec.id == 0)
			continue;
		if (!out->begun) {
			if (rec.type != BEGIN_REQUEST || !take_begin(&rec, out))
				return -1;
			continue;
		}
		if (rec.id != out->request_id)
			continue;
		if (rec.type == BEGIN_REQUEST)
			return -1;
		if (rec.type != PARAMS)
			continue;
		if (rec.content_len == 0) {
			out->params_done = true;
			out->cut |= !pairs_at_rest(&pairs);
			return 1;
		}
		pairs_feed(&pairs, rec.content, out, &cut);
	}
	return r;
}

/* The lines of the CGI header in STDOUT (RFC 3875 section 6.3), split into records anywhere. */
struct cgi_header {
	char line[LINE_MAX_LEN]; /* the present line's first bytes */
	size_t len; /* its whole length so far */
	bool done, location;
};

static bool line_starts(struct slice line, struct slice name)
{
	return line.len >= name.len && slice_ieq((struct slice){ line.ptr, name.len }, name);
}

static int status_of(struct slice line)
{
	size_t pos = sizeof("Status:") - 1;
	int n = 0;

	while (pos < line.len && (line.ptr[pos] == ' ' || line.ptr[pos] == '\t'))
		pos++;
	for (int i = 0; i < 3; i++, pos++) {
		if (pos >= line.len || line.ptr[pos] < '0' || line.ptr[pos] > '9')
			return 0;
		n = n * 10 + line.ptr[pos] - '0';
	}
	return n >= 100 ? n : 0;
}

static bool is_event_stream(struct slice line)
{
	static const struct slice type = SLICE_LIT("text/event-stream");
	size_t pos = sizeof("Content-Type:") - 1;

	while (pos < line.len && (line.ptr[pos] == ' ' || line.ptr[pos] == '\t'))
		pos++;
	return line_starts((struct slice){ line.ptr + pos, line.len - pos }, type);
}

static void cgi_header_end_line(struct cgi_header *h, struct fastcgi_response *out)
{
	struct slice line = { h->line, h->len < LINE_MAX_LEN ? h->len : LINE_MAX_LEN };

	if (h->len == 0 || (h->len == 1 && h->line[0] == '\r')) {
		h->done = true;
		if (!out->status)
			out->status = h->location ? 302 : 200;
		return;
	}
	out->header_lines++;
	if (line_starts(line, SLICE_LIT("Status:")) && !out->status)
		out->status = status_of(line);
	else if (line_starts(line, SLICE_LIT("Location:")))
		h->location = true;
	else if (line_starts(line, SLICE_LIT("Content-Type:")))
		out->event_stream = is_event_stream(line);
	out->status_so_far = out->status ? out->status : h->location ? 302 : 200;
	h->len = 0;
}

static void cgi_header_feed(struct cgi_header *h, struct slice in, struct fastcgi_response *out)
{
	for (size_t i = 0; i < in.len && !h->done; i++) {
		if (in.ptr[i] == '\n') {
			cgi_header_end_line(h, out);
			continue;
		}
		if (h->len < LINE_MAX_LEN)
			h->line[h->len] = in.ptr[i];
		h->len++;
	}
}

int fastcgi_parse_response(struct slice in, struct fastcgi_response *out)
{
	const unsigned int types = 1u << END_REQUEST | 1u << STDOUT | 1u << STDERR |
				   1u << GET_VALUES_RESULT | 1u << UNKNOWN_TYPE;
	struct cgi_header header = { .len = 0 };
	struct record rec;
	int r;

	*out = (struct fastcgi_response){ 0 };
	while ((r = next_record(&in, types, &rec)) > 0) {
		bool management = rec.type == GET_VALUES_RESULT || rec.type == UNKNOWN_TYPE;

		if (management != (rec.id == 0))
			return -1;
		if (management)
			continue;
		if (!out->request_id)
			out->request_id = rec.id;
		if (rec.type == END_REQUEST && rec.content_len != BODY_LEN)
			return -1;
		if (rec.id != out->request_id)
			continue;
		if (rec.type == STDOUT) {
			cgi_header_feed(&header, rec.content, out);
		} else if (rec.type == STDERR) {
			out->has_stderr |= rec.content_len > 0;
		} else if (rec.content.len == BODY_LEN) {
			out->ended = true;
			out->app_status = be32(rec.content, 0);
			out->protocol_status = byte_at(rec.content, 4);
			return 1;
		}
	}
	return r;
}

bool fastcgi_ends(struct slice tail, uint16_t id)
{
	struct slice last;

	if (tail.len < HEADER_LEN + BODY_LEN)
		return false;
	last = (struct slice){ tail.ptr + tail.len - (HEADER_LEN + BODY_LEN),
			       HEADER_LEN + BODY_LEN };
	return byte_at(last, 0) == 1 && byte_at(last, 1) == END_REQUEST && be16(last, 2) != 0 &&
	       (!id || be16(last, 2) == id) && be16(last, 4) == BODY_LEN && byte_at(last, 6) == 0 &&
	       byte_at(last, 12) <= 3;
}
