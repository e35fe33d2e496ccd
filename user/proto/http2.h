/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HTTP/2 in clear (RFC 9113), as far as it can be read without the header compression's state: that
 * a connection speaks it, and how many streams a turn opened and ended. Pure functions: no
 * allocation, no state, never a byte outside the input.
 */
#ifndef TARDY_PROTO_HTTP2_H
#define TARDY_PROTO_HTTP2_H
#include <stdint.h>
#include "base/slice.h"

/* Does a client's first input begin with the connection preface? False while it is too short. */
bool http2_is_preface(struct slice in);

/*
 * Are these whole frames of a client that opens a stream, the form of any turn but the first? For
 * connections whose beginning was not seen: false unless all of them are well-formed.
 */
bool http2_is_request(struct slice in);

struct http2_frames {
	uint32_t opened; /* HEADERS frames; clients hardly send trailers */
	uint32_t ended; /* streams of which this side has sent, or will, nothing more */
	bool body; /* DATA or CONTINUATION, maybe of streams opened before */
	bool whole; /* all `total` bytes are frames whose heads could be read, the last one whole */
};

/* Reads the frames at the beginning of what one side sent in a turn, `total` bytes in all; a
 * client's preface may stand in front. */
void http2_read(struct slice in, uint64_t total, struct http2_frames *out);
#endif
