// SPDX-License-Identifier: GPL-2.0-only
#include "proto/websocket.h"

enum {
	FIRST_LEN = 2, /* flags and operation; mask bit and length */
	MASK_LEN = 4,
	LEN_16 = 126, /* the length is in the next two bytes */
	LEN_64 = 127, /* in the next eight */
	CONTROL = 8, /* operations from here on: close, ping, pong */
	OPERATION_MAX = 10,
	RESERVED_BITS = 0x30, /* RSV2, RSV3: no extension in use sets them; RSV1 is compression */
};

static uint8_t byte_at(struct slice in, uint64_t i)
{
	return (uint8_t)in.ptr[i];
}

/* The length of the frame at `at`, its head included; 0: that is none, or it cannot be seen. */
static uint64_t frame_len(struct slice in, uint64_t at)
{
	uint64_t len, more = 0;
	uint8_t first, operation;

	if (at > in.len || in.len - at < FIRST_LEN)
		return 0;
	first = byte_at(in, at);
	operation = first & 15;
	len = byte_at(in, at + 1) & 0x7f;
	if (first & RESERVED_BITS || operation > OPERATION_MAX ||
	    (operation > 2 && operation < CONTROL) || !(byte_at(in, at + 1) & 0x80))
		return 0;
	if (operation >= CONTROL && (len >= LEN_16 || !(first & 0x80)))
		return 0;
	if (len >= LEN_16)
		more = len == LEN_16 ? 2 : 8;
	if (in.len - at - FIRST_LEN < more)
		return 0;
	for (uint64_t i = 0; i < more; i++)
		len = (i ? len << 8 : 0) | byte_at(in, at + FIRST_LEN + i);
	if (len >> 48)
		return 0;
	return FIRST_LEN + more + MASK_LEN + len;
}

bool websocket_is_message(struct slice in, uint64_t total)
{
	uint64_t at = 0, len;

	while (at < total && (len = frame_len(in, at)))
		at += len;
	return total && at == total;
}
