/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which protocol a connection speaks, told from the first bytes of a message that the client
 * sent: of its first one, or, for a connection that was there before us, of any later one.
 */
#ifndef TARDY_PROTO_DETECT_H
#define TARDY_PROTO_DETECT_H
#include "base/slice.h"

enum proto { PROTO_UNKNOWN, PROTO_HTTP1, PROTO_FASTCGI, PROTO_PGSQL, PROTO_COUNT };

/* "unknown", "http", "fastcgi", "postgresql". */
const char *proto_name(enum proto proto);

/*
 * PROTO_UNKNOWN also while the bytes are too few to be sure: ask again with more of them. An
 * answer never changes to another protocol when more bytes come. Never reads outside the input.
 */
enum proto proto_detect(struct slice request_head);
#endif
