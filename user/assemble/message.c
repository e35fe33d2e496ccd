/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/message.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/intern.h"
#include "proto/fastcgi.h"
#include "proto/http1.h"
#include "proto/http2.h"
#include "proto/pgsql.h"
#include "proto/route.h"
#include "proto/sql.h"

#define ROUTE_CAP 160
#define STATEMENT_CAP 200

enum {
	STATEMENTS_MAX = 8, /* of one request, in its name */
	NAME_SHOWN = 64, /* bytes of a prepared statement's name that stand for it */
	NAME_DIGITS_MAX = 4,
};

void text_state_keep_names(const struct text_state *s)
{
	pgsql_names_each(&s->prepared, intern_keep);
	pgsql_names_each(&s->portals, intern_keep);
	if (s->statement)
		intern_keep(s->statement);
}

void text_state_release(struct text_state *s)
{
	free(s->rest.bytes);
	free(s->next.bytes);
	pgsql_names_release(&s->prepared);
	pgsql_names_release(&s->portals);
	*s = (struct text_state){ 0 };
}

/* ---- HTTP ---------------------------------------------------------------------------------- */

/* The request's bytes with those that were read too early in front; buf has room for both. */
static struct slice http_request_bytes(const struct text_state *s, const struct text_in *in,
				       char *buf, size_t cap)
{
	size_t rest = s->rest.len < cap ? s->rest.len : cap, n;

	if (!rest)
		return in->request;
	n = in->request.len < cap - rest ? in->request.len : cap - rest;
	memcpy(buf, s->rest.bytes, rest);
	if (n)
		memcpy(buf + rest, in->request.ptr, n);
	return (struct slice){ buf, rest + n };
}

/* Is "text/event-stream" anywhere in it? There are few slashes in a head, and memchr is fast. */
static bool names_event_stream(struct slice in)
{
	static const struct slice name = SLICE_LIT("text/event-stream");
	const size_t slash = sizeof("text") - 1;
	const char *end = in.ptr + in.len, *at = in.ptr;

	while ((at = memchr(at, '/', (size_t)(end - at)))) {
		if ((size_t)(at - in.ptr) >= slash && (size_t)(end - at) >= name.len - slash &&
		    !memcmp(at - slash, name.ptr, name.len))
			return true;
		at++;
	}
	return false;
}

/* An interim answer, of which `in` holds all. The final one may follow in the same bytes; when the
 * head is longer than what is kept of it, the last bytes tell whether anything does. */
static bool interim_is_all(const struct text_in *in, const struct http1_response *rsp)
{
	static const char end[] = "\r\n\r\n";
	const size_t n = sizeof(end) - 1;

	if (rsp->head_len || in->response.len == in->response_bytes)
		return in->response_bytes <= rsp->head_len || !rsp->head_len;
	return in->tail.len >= n && !memcmp(in->tail.ptr + in->tail.len - n, end, n);
}

static void http_followed(enum answer_place place, struct text *out)
{
	out->followed = true;
	out->ended = place == ANSWER_WHOLE;
	out->unseen = false;
	out->can_tell = true;
}

static void http_chunks(struct slice front, struct slice tail, uint64_t bytes, struct text *out)
{
	/* the kernel side has not read a tail where all is in the head */
	enum http1_body body = http1_chunks(front, front.len == bytes ? front : tail, bytes);

	out->chunked = true;
	out->ended = body == HTTP1_BODY_ENDED;
	out->unseen = body == HTTP1_BODY_UNSEEN;
	out->can_tell = !out->unseen;
}

static void http_read_body(const struct text_in *in, const struct http1_response *rsp,
			   struct slice method, struct text *out)
{
	struct slice front = { in->response.ptr + rsp->head_len, in->response.len - rsp->head_len };
	uint64_t body = in->response_bytes - rsp->head_len;

	if (!http1_response_has_body(method, rsp->status)) {
		out->can_tell = true;
		out->ended = true;
	} else if (rsp->chunked && in->answer) {
		http_followed(in->answer, out);
	} else if (rsp->chunked) {
		http_chunks(front, in->tail, body, out);
	} else if (rsp->content_length >= 0) {
		out->whole += rsp->head_len + (uint64_t)rsp->content_length;
		out->can_tell = true;
		out->ended = body >= (uint64_t)rsp->content_length;
	}
}

/* The answer is HTTP/1's last one here. */
static void http_read_upgrade(struct slice to, struct text *out)
{
	out->upgrade = PROTO_TUNNEL;
	if (slice_ieq(to, SLICE_LIT("websocket")))
		out->upgrade = PROTO_WEBSOCKET;
	else if (slice_ieq(to, SLICE_LIT("h2c")))
		out->upgrade = PROTO_HTTP2;
	/* HTTP/2 brings the answer itself, as its first stream */
	out->multiplexed = out->upgrade == PROTO_HTTP2;
	out->can_tell = true;
	out->ended = true;
}

static bool is_upgrade(struct slice method, int status)
{
	return status == 101 ||
	       (status >= 200 && status < 300 && slice_eq(method, SLICE_LIT("CONNECT")));
}

static void http_read_answer(const struct text_in *in, struct slice method, struct text *out)
{
	struct text_in rest = *in;
	struct http1_response rsp;

	out->whole = 0;
	if (!in->response.len || http1_parse_response(in->response, &rsp) == HTTP1_NOT)
		return;
	while (rsp.status >= 100 && rsp.status < 200 && rsp.status != 101) {
		out->status = rsp.status;
		if (interim_is_all(&rest, &rsp)) {
			out->interim = true;
			return;
		}
		rest.response.ptr += rsp.head_len;
		rest.response.len -= rsp.head_len;
		rest.response_bytes -= rsp.head_len;
		out->whole += rsp.head_len;
		if (!rsp.head_len || !rest.response.len ||
		    http1_parse_response(rest.response, &rsp) == HTTP1_NOT) {
			out->status = 0; /* the final answer is out of sight */
			out->unseen = true;
			return;
		}
	}
	out->status = rsp.status;
	out->error = rsp.status >= 500;
	if (is_upgrade(method, rsp.status)) {
		http_read_upgrade(rsp.upgrade, out);
		return;
	}
	out->stream = names_event_stream((struct slice){
		rest.response.ptr, rsp.head_len ? rsp.head_len : rest.response.len });
	if (rsp.head_len) {
		http_read_body(&rest, &rsp, method, out);
		return;
	}
	/* longer than what is kept of it */
	if (in->answer && http1_response_has_body(method, rsp.status)) {
		http_followed(in->answer, out);
		return;
	}
	/* how chunks end is known anyway */
	out->ended = (rsp.chunked || out->stream) && http1_chunked_ends(in->tail);
	if (rsp.chunked)
		http_chunks((struct slice){ 0 }, in->tail, rest.response_bytes, out);
	else
		out->unseen = in->response.len < in->response_bytes;
}

void text_goes_on(struct text *out, uint64_t response_bytes, struct slice tail,
		  enum answer_place place)
{
	if (out->whole)
		out->ended = response_bytes >= out->whole;
	else if (out->followed && place)
		http_followed(place, out);
	else if (out->followed || out->chunked)
		http_chunks((struct slice){ 0 }, tail, response_bytes, out);
}

/* Keeps what was read behind the first request: it is the beginning of the next. */
static void http_keep_rest(struct text_state *s, struct slice bytes,
			   const struct http1_request *req)
{
	size_t used = req->head_len + (req->content_length > 0 ? (size_t)req->content_length : 0);
	/* behind a chunked body, where it ends is not known */
	size_t rest = req->head_len && !req->chunked && bytes.len > used ? bytes.len - used : 0;

	if (rest > TEXT_REST_MAX)
		rest = TEXT_REST_MAX;
	if (rest && !s->next.bytes)
		s->next.bytes = malloc(TEXT_REST_MAX);
	s->next.len = s->next.bytes ? (uint16_t)rest : 0;
	if (s->next.len)
		memcpy(s->next.bytes, bytes.ptr + used, s->next.len);
}

static uint64_t asked(struct slice what)
{
	return what.len ? hash_bytes(what.ptr, what.len) | 1 : 0;
}

/* How much of the request's body has not come yet. */
static uint64_t http_body_due(const struct http1_request *req, uint64_t bytes)
{
	uint64_t whole = req->head_len +
			 (uint64_t)(req->content_length > 0 ? req->content_length : 0);

	return req->head_len && !req->chunked && whole > bytes ? whole - bytes : 0;
}

/* Takes off what belongs to the body of a request that has been answered; false: it is all of it. */
static bool http_skip_due(struct text_state *s, const struct text_in *in, struct slice *bytes)
{
	uint64_t due = s->body_due;
	size_t n = due < bytes->len ? (size_t)due : bytes->len;

	s->body_due_next = due > in->request_bytes ? due - in->request_bytes : 0;
	if (!due)
		return true;
	bytes->ptr += n;
	bytes->len -= n;
	return in->request_bytes > due;
}

static void http_read(struct text_state *s, const struct text_in *in, struct text *out)
{
	char joined[2 * TEXT_REST_MAX + 64], route[ROUTE_CAP];
	struct slice bytes = http_request_bytes(s, in, joined, sizeof(joined));
	struct http1_request req;
	size_t n;

	if (in->behind)
		s->body_due = 0;
	if (!http_skip_due(s, in, &bytes) || in->body) {
		out->continues = in->request_bytes > 0;
		http_read_answer(in, SLICE_LIT(""), out);
		return;
	}
	if (http1_parse_request(bytes, &req) == HTTP1_NOT) {
		out->continues = bytes.len > 0;
		http_read_answer(in, SLICE_LIT(""), out);
		return;
	}
	if (!req.target.len) { /* nothing of it could be read */
		http_read_answer(in, req.method, out);
		return;
	}
	out->ask = asked(req.target);
	n = route_normalise(req.method, req.target, route, sizeof(route));
	out->route = intern((struct slice){ route, n });
	out->method = intern(req.method);
	http_read_answer(in, req.method, out);
	http_keep_rest(s, bytes, &req);
	if (!s->rest.len)
		s->body_due_next = http_body_due(&req, in->request_bytes - s->body_due);
}

/* ---- FastCGI ------------------------------------------------------------------------------- */

static void fastcgi_read(const struct text_in *in, struct text *out)
{
	struct fastcgi_request req;
	struct fastcgi_response rsp;
	char route[ROUTE_CAP];
	size_t n = 0;

	if (fastcgi_parse_request(in->request, &req) < 0) {
		out->continues = true;
		return;
	}
	out->ask = asked(req.request_uri);
	if (req.script_name.len)
		n = route_script(req.method, req.script_name, route, sizeof(route));
	else if (req.document_uri.len)
		n = route_script(req.method, req.document_uri, route, sizeof(route));
	else if (req.request_uri.len)
		n = route_normalise(req.method, req.request_uri, route, sizeof(route));
	out->route = n ? intern((struct slice){ route, n }) : 0;
	out->method = intern(req.method);
	out->can_tell = true;
	out->ended = in->framed ? in->pg_last == FASTCGI_END_REQUEST :
				  fastcgi_ends(in->tail, req.request_id);
	if (in->response.len && fastcgi_parse_response(in->response, &rsp) >= 0 &&
	    (!rsp.request_id || !req.request_id || rsp.request_id == req.request_id)) {
		out->status = rsp.status;
		/* a header that is longer than what is kept: programs send Status first */
		if (!rsp.status && in->response_bytes > in->response.len)
			out->status = rsp.status_so_far;
		out->ended = out->ended || rsp.ended;
		out->error = rsp.status >= 500 || (rsp.ended && rsp.protocol_status != 0);
		out->stream = rsp.event_stream;
	}
}

/* ---- PostgreSQL ---------------------------------------------------------------------------- */

static uint32_t statement_of(struct slice sql)
{
	char text[STATEMENT_CAP];
	size_t n = sql_normalise(sql, text, sizeof(text));

	/* its operand is the client's own name for a statement */
	if (n > 10 && strncasecmp(text, "DEALLOCATE", 10) == 0)
		n = 10;
	return intern((struct slice){ text, n });
}

/* The statements of one request, each once, in their order. */
struct statements {
	uint32_t v[STATEMENTS_MAX];
	size_t n;
	bool more;
};

static void statements_add(struct statements *all, uint32_t what)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i] == what)
			return;
	if (!what)
		return;
	if (all->n < STATEMENTS_MAX)
		all->v[all->n++] = what;
	else
		all->more = true;
}

static uint32_t statements_route(const struct statements *all)
{
	char text[STATEMENT_CAP];
	size_t n = 0;

	if (all->n == 1)
		return all->v[0];
	for (size_t i = 0; i < all->n && n < sizeof(text) - 1; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? "; " : "",
				      intern_text(all->v[i]));
	if (n > sizeof(text) - 1)
		n = sizeof(text) - 1;
	if (all->more && n + 5 < sizeof(text))
		n += (size_t)snprintf(text + n, sizeof(text) - n, "; ...");
	return n ? intern((struct slice){ text, n }) : 0;
}

/* What was prepared in the first part is what runs in the second. */
uint32_t text_both_routes(uint32_t first, uint32_t second)
{
	const char *a = intern_text(first), *b = intern_text(second);

	if (!first || !strncmp(a, "PREPARE ", 8))
		return second ? second : first;
	if (!second || strstr(a, b) || strlen(a) + strlen(b) + 2 >= STATEMENT_CAP)
		return first;
	return intern_fmt("%s; %s", a, b);
}

/* For a name whose statement nobody saw. Long numbers in it count something, and are many. */
static uint32_t named_only(const char *kind, struct slice name)
{
	char text[NAME_SHOWN + 1];
	size_t n = 0, digits;

	for (size_t i = 0; i < name.len && n < NAME_SHOWN; i += digits ? digits : 1) {
		for (digits = 0;
		     i + digits < name.len && isdigit((unsigned char)name.ptr[i + digits]);
		     digits++)
			;
		if (digits > NAME_DIGITS_MAX)
			text[n++] = '*';
		else if (digits && n + digits <= NAME_SHOWN)
			for (size_t k = 0; k < digits; k++)
				text[n++] = name.ptr[i + k];
		else
			text[n++] = (unsigned char)name.ptr[i] < 0x7f ? name.ptr[i] : '?';
	}
	text[n] = 0;
	return n ? intern_fmt("(%s %s)", kind, text) : 0;
}

/* A statement or portal that is executed under its name. */
static uint32_t statement_named(const struct text_state *s, struct slice name)
{
	uint32_t what = pgsql_names_find(&s->prepared, name);

	return what ? what : named_only("prepared", name);
}

static uint32_t portal_named(const struct text_state *s, struct slice name)
{
	uint32_t what = pgsql_names_find(&s->portals, name);

	return what ? what : named_only("portal", name);
}

static void pgsql_query(struct text_state *s, const struct pgsql_msg *m, struct statements *run,
			struct text *out)
{
	uint32_t what = statement_of(m->sql);
	const char *text = intern_text(what);

	statements_add(run, what);
	if (!strncasecmp(text, "DEALLOCATE", 10) || !strncasecmp(text, "DISCARD", 7))
		pgsql_names_drop_all(&s->prepared);
	if (!strncasecmp(text, "START_REPLICATION", 17))
		out->stream = out->endless = true;
}

static bool is_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	return !strncasecmp(text, word, n) && (!text[n] || text[n] == ' ');
}

/* What ends a transaction lets its locks go: the statement before it says more. */
static void pgsql_name(struct text_state *s, uint32_t route, struct text *out)
{
	const char *text = intern_text(route);

	out->route = route;
	if (is_word(text, "COMMIT") || is_word(text, "ROLLBACK") || is_word(text, "END"))
		out->after = s->statement;
	else
		s->statement = is_word(text, "BEGIN") ? 0 : route;
}

static void pgsql_read_request(struct text_state *s, struct slice in, struct text *out)
{
	struct statements run = { .n = 0 };
	uint32_t parsed = 0, what;
	bool startup = false, first = true;
	struct pgsql_msg m;

	for (; pgsql_next_frontend(&in, &m) == 1; first = false) {
		switch (m.kind) {
		case PGSQL_QUERY:
			pgsql_query(s, &m, &run, out);
			out->ask = out->ask ? out->ask : asked(m.sql);
			break;
		case PGSQL_PARSE:
			parsed = statement_of(m.sql);
			out->ask = out->ask ? out->ask : asked(m.sql);
			pgsql_names_put(&s->prepared, m.name, parsed);
			break;
		case PGSQL_BIND:
			what = statement_named(s, m.name);
			statements_add(&run, what);
			pgsql_names_put(&s->portals, m.portal, what);
			break;
		case PGSQL_EXECUTE:
			statements_add(&run, portal_named(s, m.portal));
			break;
		case PGSQL_TERMINATE:
		case PGSQL_CANCEL:
			out->no_request |= first;
			break;
		case PGSQL_STARTUP:
		case PGSQL_SSL_REQUEST:
		case PGSQL_GSS_REQUEST:
		case PGSQL_PASSWORD:
			startup = true;
			break;
		case PGSQL_COPY_DATA:
		case PGSQL_COPY_DONE:
		case PGSQL_COPY_FAIL:
			out->continues |= first;
			break;
		default:
			break;
		}
	}
	if (run.n)
		pgsql_name(s, statements_route(&run), out);
	else if (parsed)
		out->route = intern_fmt("PREPARE %s", intern_text(parsed));
	else if (startup)
		out->route = intern_str("(connect)");
}

/* After an error it is not known which of the statements that were to be prepared there are. */
static void pgsql_forget_parsed(struct text_state *s, struct slice in)
{
	struct pgsql_msg m;

	while (pgsql_next_frontend(&in, &m) == 1)
		if (m.kind == PGSQL_PARSE)
			pgsql_names_drop(&s->prepared, m.name);
}

/* Behind an SSLRequest or GSSENCRequest all that is seen are records of TLS: handshake or data. */
static bool pgsql_is_encrypted(struct slice in)
{
	return in.len >= 3 && in.ptr[0] >= 0x14 && in.ptr[0] <= 0x17 && in.ptr[1] == 3 &&
	       in.ptr[2] <= 4;
}

static void pgsql_read_encrypted(struct slice in, struct text *out)
{
	out->route = intern_str(in.ptr[0] == 0x17 ? "(encrypted)" : "(connect)");
}

static void pgsql_read(struct text_state *s, const struct text_in *in, struct text *out)
{
	struct slice answer = in->response;
	bool prepared = false;
	struct pgsql_msg m;

	if (pgsql_is_encrypted(in->request)) {
		pgsql_read_encrypted(in->request, out);
		return;
	}
	pgsql_read_request(s, in->request, out);
	out->can_tell = in->response_bytes > 0 && (in->framed || in->tail.len > 0);
	out->ended = in->framed ? in->pg_last == 'Z' && !in->pg_owed : pgsql_ends(in->tail);
	if (answer.len == 1 && in->response_bytes == 1)
		out->ended = true; /* 'S' or 'N' to SSLRequest */
	while (pgsql_next_backend(&answer, &m) == 1) {
		prepared |= m.kind == PGSQL_PARSE_COMPLETE;
		out->error |= m.kind == PGSQL_ERROR;
		if (m.kind == PGSQL_COPY_BOTH)
			out->stream = out->endless = true;
	}
	if (out->error && !prepared)
		pgsql_forget_parsed(s, in->request);
}

/* ---- what turns are no requests of --------------------------------------------------------- */

static void http2_read_turns(const struct text_in *in, struct text *out)
{
	struct http2_frames asked, answered;

	http2_read(in->request, in->request_bytes, &asked);
	http2_read(in->response, in->response_bytes, &answered);
	out->multiplexed = true;
	out->route = intern_str("(http/2)");
	/* only of the connection itself: settings, windows, pings */
	out->no_request = asked.whole && !asked.opened && !asked.body && answered.whole &&
			  !answered.opened && !answered.body;
	out->can_tell = asked.whole && asked.opened && answered.whole;
	out->ended = out->can_tell && answered.ended >= asked.opened;
}

/* A message that nobody answered is no request. */
static void message_read_turns(const struct text_in *in, const char *name, struct text *out)
{
	out->multiplexed = true;
	out->route = intern_str(name);
	out->no_request = !in->response_bytes;
	out->can_tell = in->response_bytes > 0;
	out->ended = out->can_tell;
}

/* ---- */

void text_read_answer(const struct text_in *in, enum proto proto, struct text *out)
{
	if (proto != PROTO_HTTP1)
		return;
	out->status = 0;
	out->error = out->interim = out->ended = out->can_tell = false;
	out->unseen = out->chunked = out->followed = out->stream = out->multiplexed = false;
	out->upgrade = PROTO_UNKNOWN;
	http_read_answer(in, slice_of(intern_text(out->method)), out);
}

/* Takes a PROXY header off the connection's first bytes: it is in front of whatever is spoken. */
static void proxy_read(struct text_state *s, struct text_in *in)
{
	size_t n;

	if (s->begun || !in->request.len)
		return;
	n = proxy_line(in->request, &s->client);
	in->request.ptr += n;
	in->request.len -= n;
	in->request_bytes -= n;
}

void text_read_exchange(struct text_state *s, const struct text_in *whole, struct text *out)
{
	struct text_in behind = *whole, *in = &behind;

	proxy_read(s, in);
	*out = (struct text){ 0 };
	if (s->proto == PROTO_UNKNOWN && in->request.len)
		s->proto = in->http2  ? PROTO_HTTP2 :
			   in->seeded ? proto_detect_later(in->request, in->request_bytes) :
					proto_detect(in->request);
	else if (s->proto == PROTO_TUNNEL && (in->http2 || http2_is_preface(in->request)))
		s->proto = PROTO_HTTP2;
	/* both directions went by its grammar, to the end of an answer */
	if (s->proto == PROTO_UNKNOWN && in->framed && in->pg_last == 'Z' && !in->pg_owed)
		s->proto = PROTO_PGSQL;
	switch (s->proto) {
	case PROTO_HTTP1:
		http_read(s, in, out);
		break;
	case PROTO_FASTCGI:
		fastcgi_read(in, out);
		break;
	case PROTO_PGSQL:
		pgsql_read(s, in, out);
		break;
	case PROTO_HTTP2:
		http2_read_turns(in, out);
		break;
	case PROTO_WEBSOCKET:
		message_read_turns(in, "(websocket)", out);
		break;
	case PROTO_TUNNEL:
		message_read_turns(in, "(tunnel)", out);
		break;
	default:
		break;
	}
	s->upgraded = out->upgrade;
}

void text_next_exchange(struct text_state *s)
{
	struct text_rest used = s->rest;

	s->begun = true;
	if (s->upgraded)
		s->proto = s->upgraded;
	s->upgraded = PROTO_UNKNOWN;
	s->rest = s->next;
	s->next = used;
	s->next.len = 0;
	s->body_due = s->body_due_next;
	s->body_due_next = 0;
}
