// SPDX-License-Identifier: GPL-2.0-only
#include "proto/http2.h"

enum {
	FRAME_HEAD = 9,
	FRAME_MAX = 16384, /* that a peer may send who has not been told of more */
	TYPE_DATA = 0,
	TYPE_HEADERS = 1,
	TYPE_RST_STREAM = 3,
	TYPE_PUSH_PROMISE = 5,
	TYPE_CONTINUATION = 9,
	FLAG_END_STREAM = 1,
	HEADERS_FLAGS = 0x2d, /* END_STREAM, END_HEADERS, PADDED, PRIORITY */
};

static const struct slice preface = SLICE_LIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

struct frame {
	uint32_t len, stream;
	uint8_t type, flags;
};

static bool next_head(struct slice in, uint64_t at, struct frame *out)
{
	const uint8_t *p;

	if (at > in.len || in.len - at < FRAME_HEAD)
		return false;
	p = (const uint8_t *)in.ptr + at;
	*out = (struct frame){
		.len = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2],
		.type = p[3],
		.flags = p[4],
		.stream = (uint32_t)p[5] << 24 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 8 | p[8],
	};
	return true;
}

bool http2_is_preface(struct slice in)
{
	return slice_starts(in, preface);
}

bool http2_is_request(struct slice in)
{
	bool opens = false;
	uint64_t at = 0;
	struct frame f;

	for (; next_head(in, at, &f); at += FRAME_HEAD + f.len) {
		if (f.len > FRAME_MAX || f.type > TYPE_CONTINUATION || f.type == TYPE_PUSH_PROMISE)
			return false;
		if (f.type == TYPE_HEADERS) {
			if (!(f.stream & 1) || f.stream >> 31 || f.flags & ~HEADERS_FLAGS || !f.len)
				return false;
			opens = true;
		}
	}
	return opens && at == in.len;
}

void http2_read(struct slice in, uint64_t total, struct http2_frames *out)
{
	uint64_t at = http2_is_preface(in) ? preface.len : 0;
	struct frame f;

	*out = (struct http2_frames){ 0 };
	for (; next_head(in, at, &f); at += FRAME_HEAD + f.len) {
		bool ends = (f.type == TYPE_DATA || f.type == TYPE_HEADERS) &&
			    f.flags & FLAG_END_STREAM;

		if (f.type == TYPE_HEADERS)
			out->opened++;
		if (ends || f.type == TYPE_RST_STREAM)
			out->ended++;
		if (f.type == TYPE_DATA || f.type == TYPE_CONTINUATION)
			out->body = true;
	}
	out->whole = at == total;
}
