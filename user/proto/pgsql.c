// SPDX-License-Identifier: GPL-2.0-only
/*
 * PostgreSQL messages. Each body is read through a reader that knows whether the bytes stop
 * because the message does (then missing bytes are an error) or because the input does (then
 * they are not).
 */
#include "proto/pgsql.h"

enum {
	LEN_MAX = 1 << 30,
	HEADER_LEN = 5, /* type and length */
	STARTUP_MAX = 10000, /* MAX_STARTUP_PACKET_LENGTH of the server */
	CODE_PROTOCOL_3 = 3 << 16,
	CODE_MINOR_MAX = 99,
	CODE_CANCEL = 80877102,
	CODE_SSL = 80877103,
	CODE_GSS = 80877104,
	CANCEL_MIN = 16,
	CANCEL_MAX = 268, /* protocol 3.2: keys of up to 256 bytes */
};

/* A message body, or its first part. */
struct reader {
	struct slice left;
	bool cut; /* the body goes on after `left` */
	bool bad; /* the body contradicts the format */
};

static uint32_t be32_at(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint32_t be16_at(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return (uint32_t)b[0] << 8 | b[1];
}

/* n bytes; NULL when they are not all there, which is bad unless the input is what ends. */
static const char *read_bytes(struct reader *r, size_t n)
{
	const char *p = r->left.ptr;

	if (r->left.len < n) {
		r->bad |= !r->cut;
		r->left.len = 0;
		return NULL;
	}
	r->left.ptr += n;
	r->left.len -= n;
	return p;
}

static bool read_u16(struct reader *r, uint32_t *value)
{
	const char *p = read_bytes(r, 2);

	if (p)
		*value = be16_at(p);
	return p != NULL;
}

static bool read_u32(struct reader *r, uint32_t *value)
{
	const char *p = read_bytes(r, 4);

	if (p)
		*value = be32_at(p);
	return p != NULL;
}

/* A string up to its NUL. Without one, *out is what there is and the answer is false. */
static bool read_string(struct reader *r, struct slice *out)
{
	const char *nul = r->left.len ? memchr(r->left.ptr, 0, r->left.len) : NULL;
	size_t len = nul ? (size_t)(nul - r->left.ptr) : r->left.len;

	*out = (struct slice){ r->left.ptr, len };
	if (!nul) {
		r->bad |= !r->cut;
		r->left.len = 0;
		return false;
	}
	r->left.ptr += len + 1;
	r->left.len -= len + 1;
	return true;
}

/* An object's name: whole or empty. Control characters in one mean that it is none. */
static bool read_name(struct reader *r, struct slice *out)
{
	struct slice name;
	bool whole = read_string(r, &name);

	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.ptr[i] < ' ')
			r->bad = true;
	if (whole)
		*out = name;
	return whole;
}

static void read_end(struct reader *r)
{
	r->bad |= r->left.len > 0 || r->cut;
}

/* n items of `size` bytes that nobody wants. */
static bool skip_items(struct reader *r, uint32_t n, size_t size)
{
	return read_bytes(r, n * size) != NULL;
}

static void read_query(struct reader *r, struct pgsql_msg *m)
{
	if (read_string(r, &m->sql))
		read_end(r);
}

static void read_parse(struct reader *r, struct pgsql_msg *m)
{
	uint32_t n;

	if (read_name(r, &m->name) && read_string(r, &m->sql) && read_u16(r, &n) &&
	    skip_items(r, n, 4))
		read_end(r);
}

static void read_bind(struct reader *r, struct pgsql_msg *m)
{
	uint32_t n, len;

	if (!read_name(r, &m->portal) || !read_name(r, &m->name) || !read_u16(r, &n) ||
	    !skip_items(r, n, 2) || !read_u16(r, &n))
		return;
	while (n--) {
		if (!read_u32(r, &len))
			return;
		if (len == UINT32_MAX) /* NULL */
			continue;
		r->bad |= len > LEN_MAX;
		if (r->bad || !read_bytes(r, len))
			return;
	}
	if (read_u16(r, &n) && skip_items(r, n, 2))
		read_end(r);
}

static void read_describe(struct reader *r, struct pgsql_msg *m)
{
	const char *what = read_bytes(r, 1);

	if (!what)
		return;
	r->bad |= *what != 'S' && *what != 'P';
	if (read_name(r, *what == 'S' ? &m->name : &m->portal))
		read_end(r);
}

static void read_execute(struct reader *r, struct pgsql_msg *m)
{
	uint32_t rows;

	if (!read_name(r, &m->portal))
		return;
	m->name = m->portal;
	if (read_u32(r, &rows))
		read_end(r);
}

static void read_copy_fail(struct reader *r, struct pgsql_msg *m)
{
	struct slice reason;

	(void)m;
	if (read_string(r, &reason))
		read_end(r);
}

static void read_auth(struct reader *r, struct pgsql_msg *m)
{
	uint32_t code;

	(void)m;
	if (read_u32(r, &code))
		r->bad |= code > 12;
}

static void read_ready(struct reader *r, struct pgsql_msg *m)
{
	const char *status = read_bytes(r, 1);

	if (!status)
		return;
	r->bad |= *status != 'I' && *status != 'T' && *status != 'E';
	m->tx_status = *status;
}

/* Fields of a letter and a string each, then a zero byte. */
static void read_error(struct reader *r, struct pgsql_msg *m)
{
	const char *field;
	struct slice value;

	while ((field = read_bytes(r, 1))) {
		if (!*field) {
			read_end(r);
			return;
		}
		r->bad |= (unsigned char)*field < 'A' || (unsigned char)*field > 'z';
		if (r->bad || !read_string(r, &value))
			return;
		if (*field == 'C' && value.len == 5)
			m->sqlstate = value;
	}
}

static void read_tag(struct reader *r, struct pgsql_msg *m)
{
	if (read_name(r, &m->tag))
		read_end(r);
}

/* What is known of a type: bounds of its length field, and how its body is read. */
struct format {
	char type;
	enum pgsql_kind kind;
	uint32_t min_len, max_len;
	void (*read)(struct reader *r, struct pgsql_msg *m);
};

static const struct format frontend[] = {
	{ 'Q', PGSQL_QUERY, 5, LEN_MAX, read_query },
	{ 'P', PGSQL_PARSE, 8, LEN_MAX, read_parse },
	{ 'B', PGSQL_BIND, 12, LEN_MAX, read_bind },
	{ 'D', PGSQL_DESCRIBE, 6, 4096, read_describe },
	{ 'E', PGSQL_EXECUTE, 9, 4096, read_execute },
	{ 'S', PGSQL_SYNC, 4, 4, NULL },
	{ 'H', PGSQL_FLUSH, 4, 4, NULL },
	{ 'C', PGSQL_CLOSE, 6, 4096, read_describe },
	{ 'd', PGSQL_COPY_DATA, 4, LEN_MAX, NULL },
	{ 'c', PGSQL_COPY_DONE, 4, 4, NULL },
	{ 'f', PGSQL_COPY_FAIL, 5, LEN_MAX, read_copy_fail },
	{ 'F', PGSQL_FUNCTION, 14, LEN_MAX, NULL },
	{ 'p', PGSQL_PASSWORD, 4, 65536, NULL },
	{ 'X', PGSQL_TERMINATE, 4, 4, NULL },
};

static const struct format backend[] = {
	{ 'R', PGSQL_AUTH, 8, 65536, read_auth },
	{ 'Z', PGSQL_READY, 5, 5, read_ready },
	{ 'E', PGSQL_ERROR, 5, LEN_MAX, read_error },
	{ 'N', PGSQL_NOTICE, 5, LEN_MAX, read_error },
	{ 'C', PGSQL_COMMAND_COMPLETE, 5, 4096, read_tag },
	{ 'D', PGSQL_ROW, 6, LEN_MAX, NULL },
	{ 'T', PGSQL_ROW_DESCRIPTION, 6, LEN_MAX, NULL },
	{ 'G', PGSQL_COPY_IN, 7, 65536 * 2 + 7, NULL },
	{ 'H', PGSQL_COPY_OUT, 7, 65536 * 2 + 7, NULL },
	{ 'W', PGSQL_COPY_BOTH, 7, 65536 * 2 + 7, NULL },
	{ '1', PGSQL_PARSE_COMPLETE, 4, 4, NULL },
	{ '2', PGSQL_BIND_COMPLETE, 4, 4, NULL },
	{ 'd', PGSQL_COPY_DATA, 4, LEN_MAX, NULL },
	{ 'c', PGSQL_COPY_DONE, 4, 4, NULL },
	{ '3', PGSQL_OTHER, 4, 4, NULL }, /* CloseComplete */
	{ 'n', PGSQL_OTHER, 4, 4, NULL }, /* NoData */
	{ 's', PGSQL_OTHER, 4, 4, NULL }, /* PortalSuspended */
	{ 'I', PGSQL_OTHER, 4, 4, NULL }, /* EmptyQueryResponse */
	{ 'S', PGSQL_OTHER, 6, LEN_MAX, NULL }, /* ParameterStatus */
	{ 'K', PGSQL_OTHER, 12, 264, NULL }, /* BackendKeyData */
	{ 't', PGSQL_OTHER, 6, 65536 * 4 + 6, NULL }, /* ParameterDescription */
	{ 'A', PGSQL_OTHER, 10, 65536, NULL }, /* NotificationResponse */
	{ 'V', PGSQL_OTHER, 8, LEN_MAX, NULL }, /* FunctionCallResponse */
	{ 'v', PGSQL_OTHER, 12, 65536, NULL }, /* NegotiateProtocolVersion */
};

/*
 * Takes the message's bytes off the input. The rest of a message that begins before the end of
 * the input and ends after it is cut, even when all its wanted fields are there.
 */
static void consume(struct slice *in, struct pgsql_msg *out)
{
	size_t take = out->len_bytes < in->len ? out->len_bytes : in->len;

	out->cut = out->len_bytes > in->len;
	in->ptr += take;
	in->len -= take;
}

static int next_message(struct slice *in, const struct format *formats, size_t n_formats,
			struct pgsql_msg *out)
{
	const struct format *f = NULL;
	struct reader r;
	uint32_t len;

	*out = (struct pgsql_msg){ .kind = PGSQL_OTHER };
	if (!in->len)
		return 0;
	for (size_t i = 0; i < n_formats && !f; i++)
		if (formats[i].type == in->ptr[0])
			f = &formats[i];
	if (!f)
		return -1;
	if (in->len < HEADER_LEN)
		return 0;
	len = be32_at(in->ptr + 1);
	if (len < f->min_len || len > f->max_len)
		return -1;
	out->kind = f->kind;
	out->type = f->type;
	out->len_bytes = len + 1;
	r = (struct reader){ .left = { in->ptr + HEADER_LEN, in->len - HEADER_LEN } };
	if (r.left.len < len - 4)
		r.cut = true;
	else
		r.left.len = len - 4;
	if (f->read)
		f->read(&r, out);
	if (r.bad)
		return -1;
	consume(in, out);
	return 1;
}

/* Length and code (SSLRequest, GSSENCRequest, CancelRequest, StartupMessage), no type byte. */
static int next_startup(struct slice *in, struct pgsql_msg *out)
{
	uint32_t len, code;

	*out = (struct pgsql_msg){ .kind = PGSQL_OTHER };
	if (in->len >= 2 && in->ptr[1] != 0)
		return -1;
	if (in->len < 8)
		return 0;
	len = be32_at(in->ptr);
	code = be32_at(in->ptr + 4);
	if (code == CODE_SSL && len == 8)
		out->kind = PGSQL_SSL_REQUEST;
	else if (code == CODE_GSS && len == 8)
		out->kind = PGSQL_GSS_REQUEST;
	else if (code == CODE_CANCEL && len >= CANCEL_MIN && len <= CANCEL_MAX)
		out->kind = PGSQL_CANCEL;
	else if (code >= CODE_PROTOCOL_3 && code <= CODE_PROTOCOL_3 + CODE_MINOR_MAX && len > 8 &&
		 len <= STARTUP_MAX)
		out->kind = PGSQL_STARTUP;
	else
		return -1;
	out->len_bytes = len;
	consume(in, out);
	return 1;
}

int pgsql_next_frontend(struct slice *in, struct pgsql_msg *out)
{
	if (in->len && in->ptr[0] == 0)
		return next_startup(in, out);
	return next_message(in, frontend, sizeof(frontend) / sizeof(frontend[0]), out);
}

int pgsql_next_backend(struct slice *in, struct pgsql_msg *out)
{
	return next_message(in, backend, sizeof(backend) / sizeof(backend[0]), out);
}

bool pgsql_ends(struct slice tail)
{
	char status;

	if (tail.len < 6 || memcmp(tail.ptr + tail.len - 6, "Z\0\0\0\5", 5))
		return false;
	status = tail.ptr[tail.len - 1];
	return status == 'I' || status == 'T' || status == 'E';
}
