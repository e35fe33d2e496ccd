// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protocol detection. The grammars hardly overlap in their first five bytes, but all other
 * protocols of a host come by here too, so each is accepted on strong evidence only.
 */
#include "proto/detect.h"
#include "proto/fastcgi.h"
#include "proto/http1.h"
#include "proto/http2.h"
#include "proto/pgsql.h"
#include "proto/websocket.h"

enum { SQL_SEEN_MIN = 4, SQL_ASCII = 8, SQL_CUT_MAX = 64 << 20 };

const char *proto_name(enum proto proto)
{
	static const char *const names[PROTO_COUNT] = {
		[PROTO_UNKNOWN] = "unknown", [PROTO_HTTP1] = "http",
		[PROTO_FASTCGI] = "fastcgi", [PROTO_PGSQL] = "postgresql",
		[PROTO_HTTP2] = "http/2",    [PROTO_WEBSOCKET] = "websocket",
		[PROTO_TUNNEL] = "tunnel",
	};

	return (unsigned int)proto < PROTO_COUNT ? names[proto] : names[PROTO_UNKNOWN];
}

static bool known_method(struct slice method)
{
	static const struct slice known[] = {
		SLICE_LIT("GET"),      SLICE_LIT("POST"),    SLICE_LIT("HEAD"),
		SLICE_LIT("PUT"),      SLICE_LIT("DELETE"),  SLICE_LIT("OPTIONS"),
		SLICE_LIT("PATCH"),    SLICE_LIT("CONNECT"), SLICE_LIT("TRACE"),
		SLICE_LIT("PROPFIND"),
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (slice_eq(method, known[i]))
			return true;
	return false;
}

/* The version settles it; a long target may keep it out of sight, then its form must do. */
static bool is_http1(struct slice in)
{
	struct http1_request r;

	if (http1_parse_request(in, &r) == HTTP1_NOT)
		return false;
	if (r.minor_version >= 0)
		return true;
	return known_method(r.method) && (slice_starts(r.target, SLICE_LIT("/")) ||
					  slice_starts(r.target, SLICE_LIT("http://")) ||
					  slice_starts(r.target, SLICE_LIT("https://")));
}

static bool is_fastcgi(struct slice in)
{
	struct fastcgi_request r;

	return fastcgi_parse_request(in, &r) >= 0 && r.begun;
}

/*
 * A statement begins with a word, a parenthesis or a comment, in ASCII; what follows may be of any
 * encoding. One that is cut must show enough of itself and not claim to be huge.
 */
static bool looks_like_sql(const struct pgsql_msg *m)
{
	struct slice sql = m->sql;

	if (m->cut && (sql.len < SQL_SEEN_MIN || m->len_bytes > SQL_CUT_MAX))
		return false;
	for (size_t i = 0; i < sql.len; i++) {
		unsigned char c = (unsigned char)sql.ptr[i];
		bool space = c == ' ' || (c >= '\t' && c <= '\r');
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

		if (c < ' ' && !space)
			return false;
		if (i < SQL_ASCII && c > '~')
			return false;
		if (i == 0 && !space && !letter && !strchr("(-/;", c))
			return false;
	}
	return true;
}

/* Whether this message, the first one, is proof; those without structure need a second one. */
static bool pgsql_proves(const struct pgsql_msg *m)
{
	switch (m->kind) {
	case PGSQL_STARTUP:
	case PGSQL_SSL_REQUEST:
	case PGSQL_GSS_REQUEST:
	case PGSQL_CANCEL:
		return true;
	case PGSQL_QUERY:
	case PGSQL_PARSE:
		return looks_like_sql(m);
	case PGSQL_COPY_DATA:
	case PGSQL_COPY_FAIL:
	case PGSQL_FUNCTION:
	case PGSQL_PASSWORD:
		return false;
	default:
		return !m->cut;
	}
}

static bool is_pgsql(struct slice in)
{
	struct pgsql_msg m;
	bool proved = false;
	int r;

	while ((r = pgsql_next_frontend(&in, &m)) > 0) {
		if (m.kind == PGSQL_SSL_REQUEST || m.kind == PGSQL_GSS_REQUEST)
			return true; /* what follows is encrypted */
		proved |= pgsql_proves(&m);
	}
	return proved && r == 0;
}

enum proto proto_detect(struct slice request_head)
{
	if (is_fastcgi(request_head))
		return PROTO_FASTCGI;
	if (is_http1(request_head))
		return PROTO_HTTP1;
	if (http2_is_preface(request_head))
		return PROTO_HTTP2;
	if (is_pgsql(request_head))
		return PROTO_PGSQL;
	return PROTO_UNKNOWN;
}

enum proto proto_detect_later(struct slice request_head, uint64_t total)
{
	enum proto proto = proto_detect(request_head);

	if (proto != PROTO_UNKNOWN || request_head.len != total)
		return proto;
	if (http2_is_request(request_head))
		return PROTO_HTTP2;
	return websocket_is_message(request_head, total) ? PROTO_WEBSOCKET : PROTO_UNKNOWN;
}
