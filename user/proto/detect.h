/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which protocol a connection speaks, told from the first bytes of a message that the client
 * sent: of its first one, or, for a connection that was there before us, of any later one.
 */
#ifndef TARDY_PROTO_DETECT_H
#define TARDY_PROTO_DETECT_H
#include <stdint.h>
#include "base/slice.h"

enum proto {
	PROTO_UNKNOWN,
	PROTO_HTTP1,
	PROTO_FASTCGI,
	PROTO_PGSQL,
	PROTO_HTTP2, /* in clear, known by its preface */
	PROTO_WEBSOCKET, /* what an HTTP/1 connection was upgraded to */
	PROTO_TUNNEL, /* upgraded to something else, or CONNECT */
	PROTO_COUNT
};

/* "unknown", "http", "fastcgi", "postgresql", "http/2", "websocket", "tunnel". */
const char *proto_name(enum proto proto);

/*
 * PROTO_UNKNOWN also while the bytes are too few to be sure: ask again with more of them. An
 * answer never changes to another protocol when more bytes come. Never reads outside the input.
 */
enum proto proto_detect(struct slice request_head);

/* The same of any message, of `total` bytes, of a connection whose beginning was not seen. */
enum proto proto_detect_later(struct slice request_head, uint64_t total);
#endif
