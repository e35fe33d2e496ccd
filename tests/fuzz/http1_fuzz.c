// SPDX-License-Identifier: GPL-2.0-only
/* Fuzzes HTTP/1: results lie in the input, and a prefix never contradicts the whole. */
#include "fuzz.h"
#include "proto/detect.h"
#include "proto/http1.h"
#include "proto/proxy_line.h"

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
	if (whole != PROTO_UNKNOWN)
		MUST(proto_detect(part) == PROTO_UNKNOWN || proto_detect(part) == whole);
	MUST(proxy_line(in, &client) <= size);
	if (http1_chunked_ends(in))
		MUST(size >= 5 && data[size - 1] == '\n');
	return 0;
}
