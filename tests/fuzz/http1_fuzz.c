// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes HTTP/1 and what is told beside it: results lie in the input, and a prefix never contradicts
 * the whole. The ends of chunked bodies are checked against a reader that sees every byte.
 */
#include "fuzz.h"
#include "proto/detect.h"
#include "proto/http1.h"
#include "proto/http2.h"
#include "proto/proxy_line.h"
#include "proto/websocket.h"

static void check_request(struct slice in, struct slice part)
{
	struct http1_request a, b;
	int ra = http1_parse_request(part, &a), rb = http1_parse_request(in, &b);

	must_lie_in(b.method, in);
	must_lie_in(b.target, in);
	must_lie_in(b.host, in);
	MUST(b.head_len <= in.len && (b.head_len > 0) == (rb == HTTP1_OK));
	MUST(b.minor_version >= -1 && b.minor_version <= 9 && b.content_length >= -1);
	MUST(!(rb == HTTP1_OK && b.target_cut));
	if (ra == HTTP1_NOT)
		MUST(rb == HTTP1_NOT);
	if (ra == HTTP1_OK)
		MUST(rb == HTTP1_OK && a.head_len == b.head_len && a.close == b.close);
	if (rb == HTTP1_NOT)
		return;
	MUST(!a.method.len || slice_eq(a.method, b.method));
	MUST(!a.target.len || slice_starts(b.target, a.target));
	MUST(a.content_length == -1 || a.content_length == b.content_length);
	MUST(a.chunked <= b.chunked && a.close <= b.close && a.upgrade <= b.upgrade);
	MUST(!a.host.len || slice_eq(a.host, b.host));
}

static void check_response(struct slice in, struct slice part)
{
	struct http1_response a, b;
	int ra = http1_parse_response(part, &a), rb = http1_parse_response(in, &b);

	MUST(b.head_len <= in.len && (b.head_len > 0) == (rb == HTTP1_OK));
	MUST(b.status == 0 || (b.status >= 100 && b.status <= 999));
	if (ra == HTTP1_NOT)
		MUST(rb == HTTP1_NOT);
	if (ra == HTTP1_OK)
		MUST(rb == HTTP1_OK && a.head_len == b.head_len && a.close == b.close);
	MUST(a.status == 0 || a.status == b.status);
	MUST(a.content_length == -1 || a.content_length == b.content_length);
	MUST(a.chunked <= b.chunked && a.close <= b.close);
}

/* Where a chunked body ends, SIZE_MAX: not yet, or it is none; *well: as far as it goes it is one. */
static size_t chunks_end(struct slice in, bool *well)
{
	size_t at = 0;

	*well = false;
	for (;;) {
		uint64_t size = 0;
		size_t start = at, lf;

		for (lf = at; lf < in.len && in.ptr[lf] != '\n'; lf++)
			;
		if (lf == in.len)
			break;
		for (; at < lf && strchr("0123456789abcdefABCDEF", in.ptr[at]) && in.ptr[at];
		     at++) {
			char c = in.ptr[at];

			size = size * 16 + (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
			if (size > 1 << 30)
				return SIZE_MAX;
		}
		if (at == start || !strchr(";\r\n \t", in.ptr[at]) || !in.ptr[at] ||
		    (in.ptr[at] == '\r' && at + 1 != lf))
			return SIZE_MAX;
		at = lf + 1;
		if (!size)
			break;
		if (in.len - at < size + 2)
			return SIZE_MAX;
		at += size + 2;
	}
	for (size_t line = at, lf; line < in.len; line = lf + 1) {
		for (lf = line; lf < in.len && in.ptr[lf] != '\n'; lf++)
			;
		if (lf == in.len)
			return SIZE_MAX;
		if (lf == line || (lf == line + 1 && in.ptr[line] == '\r')) {
			*well = true;
			return lf + 1;
		}
	}
	return SIZE_MAX;
}

/* A chunk whose data ends with a line looks so, too, and is what most servers send. */
static bool ends_as_data(struct slice in)
{
	return in.len > 3 && !memcmp(in.ptr + in.len - 3, "\n\r\n", 3) &&
	       in.ptr[in.len - 4] != '\r';
}

/* Where all bytes are in sight the answer is exact; with fewer it is the same, or not known. A body
 * that goes on behind its end is none. */
static void check_chunks(struct slice in, size_t cut)
{
	struct slice front = { in.ptr, cut }, tail = in;
	enum http1_body all = http1_chunks(in, in, in.len), some;
	bool well;
	size_t end = chunks_end(in, &well);

	if (well && end == in.len)
		MUST(all == HTTP1_BODY_ENDED);
	if (tail.len > 16) {
		tail.ptr += tail.len - 16;
		tail.len = 16;
	}
	some = http1_chunks(front, tail, in.len);
	if (well && end == in.len && !ends_as_data(in))
		MUST(some != HTTP1_BODY_GOES_ON);
	/* a total that no bytes are there for */
	http1_chunks(front, tail, UINT64_MAX);
	http1_chunks(front, tail, in.len + cut);
}

static void check_frames(struct slice in, struct slice part)
{
	struct http2_frames a, b;
	enum proto whole = proto_detect_later(in, in.len);

	http2_read(part, in.len, &a);
	http2_read(in, in.len, &b);
	MUST(a.opened <= b.opened && a.ended <= b.ended && a.body <= b.body);
	MUST(!http2_is_request(in) || (b.opened && b.whole));
	MUST(!websocket_is_message(part, in.len) || websocket_is_message(in, in.len));
	MUST(proto_detect(in) == PROTO_UNKNOWN || whole == proto_detect(in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct slice part = in;
	enum proto whole = proto_detect(in);
	struct proxy_client client;

	/* The last byte says where to cut; it is as random as any. */
	part.len = size ? data[size - 1] % (size + 1) : 0;
	check_request(in, part);
	check_response(in, part);
	check_chunks(in, part.len);
	check_frames(in, part);
	if (whole != PROTO_UNKNOWN)
		MUST(proto_detect(part) == PROTO_UNKNOWN || proto_detect(part) == whole);
	MUST(proxy_line(in, &client) <= size);
	if (http1_chunked_ends(in))
		MUST(size >= 5 && data[size - 1] == '\n');
	return 0;
}
