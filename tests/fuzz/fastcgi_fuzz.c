// SPDX-License-Identifier: GPL-2.0-only
/* Fuzzes FastCGI: results lie in the input, and more input never takes an answer back. */
#include "fuzz.h"
#include "proto/fastcgi.h"

static void check_request(struct slice in, struct slice part)
{
	struct fastcgi_request a, b;
	int ra = fastcgi_parse_request(part, &a), rb = fastcgi_parse_request(in, &b);

	must_lie_in(b.method, in);
	must_lie_in(b.script_name, in);
	must_lie_in(b.script_filename, in);
	must_lie_in(b.request_uri, in);
	must_lie_in(b.document_uri, in);
	MUST((rb == 1) == b.params_done);
	MUST(!b.params_done || b.begun);
	MUST(!b.begun || (b.request_id && b.role >= 1 && b.role <= 3 && in.len >= 16));
	if (ra == -1)
		MUST(rb == -1);
	if (ra == 1)
		MUST(rb == 1 && slice_eq(a.script_name, b.script_name) && a.cut == b.cut);
	MUST(a.begun <= b.begun);
}

static void check_response(struct slice in, struct slice part)
{
	struct fastcgi_response a, b;
	int ra = fastcgi_parse_response(part, &a), rb = fastcgi_parse_response(in, &b);

	MUST((rb == 1) == b.ended);
	MUST(b.status == 0 || (b.status >= 100 && b.status <= 999));
	if (ra == -1)
		MUST(rb == -1);
	if (ra == 1)
		MUST(rb == 1);
	MUST(a.request_id == 0 || a.request_id == b.request_id);
	MUST(a.status == 0 || a.status == b.status);
	MUST(a.header_lines <= b.header_lines && a.has_stderr <= b.has_stderr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct slice part = in;

	part.len = size ? data[size - 1] % (size + 1) : 0;
	check_request(in, part);
	check_response(in, part);
	if (fastcgi_ends(in, 0))
		MUST(size >= 16 && data[size - 16] == 1 && data[size - 15] == 3);
	return 0;
}
