/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/peer.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/intern.h"
#include "ingest/record.h"

uint32_t peer_address(const struct rec_xchg *x)
{
	const uint8_t *ipv4 = record_ipv4(x->family, x->raddr);
	char text[64];
	const char *path, *slash;

	if (x->family == AF_UNIX) {
		memcpy(text, x->laddr, 32);
		text[31] = 0;
		path = text[0] ? text : text + 1; /* abstract */
		slash = strrchr(path, '/');
		return intern_fmt("unix:%s", slash ? slash + 1 : path);
	}
	if (!inet_ntop(ipv4 ? AF_INET : x->family, ipv4 ? ipv4 : x->raddr, text, sizeof(text)))
		return intern_str("peer");
	return intern_fmt(ipv4 ? "%s:%u" : "[%s]:%u", text, x->rport);
}

uint32_t peer_of(struct assemble *a, const struct node *call)
{
	const struct listener *l;

	if (call->child)
		return service_of(a, call->child);
	l = listener_of(a, conn_opposite(a, call));
	return l ? l->service : peer_address(&call->x);
}

enum cause peer_cause(enum proto proto)
{
	return proto == PROTO_PGSQL ? CAUSE_DB : CAUSE_UPSTREAM;
}
