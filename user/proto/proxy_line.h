/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PROXY protocol's header, versions 1 and 2, which a proxy puts in front of all else on a
 * connection to say who its client is. A pure function, like the parsers of what follows it.
 */
#ifndef TARDY_PROTO_PROXY_LINE_H
#define TARDY_PROTO_PROXY_LINE_H
#include <stdint.h>
#include "base/slice.h"

enum { PROXY_CLIENT_TEXT = 46 }; /* an IPv6 address */

struct proxy_client {
	uint8_t address[16];
	uint8_t version; /* of IP: 4, 6; 0 = not known */
};

/*
 * Bytes of the header at the beginning of `in`; 0 when there is none, or not all of it yet. *client
 * is zeroed where the header does not say one (UNKNOWN, LOCAL, Unix sockets).
 * Version 1 is taken for one only in full: "PROXY TCP4" or TCP6, two valid addresses and ports, or
 * "PROXY UNKNOWN"; all else that begins so may be a request whose method is PROXY.
 */
size_t proxy_line(struct slice in, struct proxy_client *client);

/* Returns buf: the address, or nothing. */
const char *proxy_client_text(char buf[PROXY_CLIENT_TEXT], const struct proxy_client *client);
#endif
