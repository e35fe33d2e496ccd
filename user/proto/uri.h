/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The absolute form of a request target (RFC 9112 section 3.2.2): proxies' clients send it, and
 * both the host and the route must come out as for the usual form.
 */
#ifndef TARDY_PROTO_URI_H
#define TARDY_PROTO_URI_H
#include "base/slice.h"

static inline bool uri_scheme_byte(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return !first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.');
}

/*
 * The offset of the path (or query) in an absolute-form target, and its authority without user
 * information; 0 and an empty authority for any other form.
 */
static inline size_t uri_authority(struct slice target, struct slice *authority)
{
	size_t pos = 0, start;

	*authority = (struct slice){ NULL, 0 };
	while (pos < target.len && uri_scheme_byte(target.ptr[pos], pos == 0))
		pos++;
	if (pos == 0 || target.len - pos < 3 || memcmp(target.ptr + pos, "://", 3))
		return 0;
	pos += 3;
	start = pos;
	for (; pos < target.len; pos++) {
		char c = target.ptr[pos];

		if (c == '/' || c == '?' || c == '#')
			break;
		if (c == '@')
			start = pos + 1;
	}
	*authority = (struct slice){ target.ptr + start, pos - start };
	return pos;
}
#endif
