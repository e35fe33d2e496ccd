// SPDX-License-Identifier: GPL-2.0-only
/* Fuzzes routes: printable, bounded, nothing of the query, a smaller output is a beginning. */
#include "fuzz.h"
#include "proto/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[512], small[512], stem[512];
	struct slice in = { (const char *)data, size }, method = in, cut = in;
	size_t len, cap = size ? data[0] : 0, small_len;

	method.len = size ? data[size - 1] % (size + 1) : 0;
	len = route_normalise(method, in, out, sizeof(out));
	MUST(len <= ROUTE_MAX);
	must_be_printable(out, len);
	small_len = route_normalise(method, in, small, cap);
	MUST(small_len <= len && (cap ? small_len < cap : small_len == 0));
	MUST(!memcmp(out, small, small_len));

	/* What follows the first '?' makes no difference. */
	for (cut.len = 0; cut.len < size && data[cut.len] != '?';)
		cut.len++;
	if (cut.len < size) {
		size_t stem_len;

		len = route_normalise(SLICE_LIT("GET"), in, out, sizeof(out));
		stem_len = route_normalise(SLICE_LIT("GET"), cut, stem, sizeof(stem));
		MUST(stem_len == len && !memcmp(out, stem, len));
	}
	len = route_script(method, in, out, sizeof(out));
	MUST(len <= ROUTE_MAX);
	must_be_printable(out, len);
	return 0;
}
