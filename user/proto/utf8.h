/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What may be shown of bytes that came from the network: names reach a terminal and exports, so
 * control characters and malformed UTF-8 are never passed on.
 */
#ifndef TARDY_PROTO_UTF8_H
#define TARDY_PROTO_UTF8_H
#include <stddef.h>

/*
 * Length in bytes (1..4) of the well-formed, printable UTF-8 sequence at p, of which `left` >= 1
 * bytes may be read; 0 when there is none: C0 and C1 controls, DEL, overlong forms, surrogates,
 * and a sequence that is cut (RFC 3629 section 4).
 */
static inline size_t utf8_printable(const char *p, size_t left)
{
	const unsigned char *b = (const unsigned char *)p;
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (b[0] < 0x80)
		return b[0] >= 0x20 && b[0] != 0x7f;
	if (b[0] < 0xc2 || b[0] > 0xf4)
		return 0;
	len = b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
	if (left < len)
		return 0;
	if (b[0] == 0xc2 || b[0] == 0xe0)
		low = 0xa0; /* C1 controls; overlong */
	else if (b[0] == 0xf0)
		low = 0x90;
	else if (b[0] == 0xed)
		high = 0x9f;
	else if (b[0] == 0xf4)
		high = 0x8f;
	if (b[1] < low || b[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	return len;
}
#endif
