/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/conn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ingest/record.h"

static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3ull;
	return h;
}

/* One end of a connection can be an IPv6 socket and the other an IPv4 one. */
static uint64_t mix_address(uint64_t h, uint16_t family, const uint8_t *address)
{
	const uint8_t *ipv4 = record_ipv4(family, address);

	return ipv4 ? mix(h, ipv4, 4) : mix(h, address, 16);
}

static uint64_t tcp_key(const struct rec_xchg *x, bool reversed)
{
	uint64_t h = mix(0xcbf29ce484222325ull, &x->netns, sizeof(x->netns));
	const uint8_t *server = reversed ? x->raddr : x->laddr;
	const uint8_t *client = reversed ? x->laddr : x->raddr;
	uint16_t sport = reversed ? x->rport : x->lport, cport = reversed ? x->lport : x->rport;

	h = mix_address(mix_address(h, x->family, server), x->family, client);
	return mix(mix(h, &sport, 2), &cport, 2);
}

/* The same for both ends of a connection: addresses of TCP, sockets of Unix, server first. */
static uint64_t pair_key(const struct rec_xchg *x)
{
	bool connected = x->role == ROLE_CONNECTED;
	uint64_t server, client;

	if (x->family != AF_UNIX)
		return x->lport && x->rport ? tcp_key(x, connected) : 0;
	server = connected ? x->peer_sk : x->sk;
	client = connected ? x->sk : x->peer_sk;
	if (!server || !client)
		return 0;
	return mix(mix(0xcbf29ce484222325ull, &server, 8), &client, 8);
}

uint64_t conn_listener_key(const struct rec_xchg *x)
{
	uint64_t h = mix(0xcbf29ce484222325ull, &x->netns, sizeof(x->netns));

	if (x->family == AF_UNIX)
		return mix(h, x->laddr, sizeof(x->laddr) + sizeof(x->raddr));
	return mix(h, &x->lport, sizeof(x->lport));
}

/* What one end sends first is what arrives first at the other. */
static bool born_together(const struct conn *a, const struct conn *b)
{
	uint64_t d = a->born_ns > b->born_ns ? a->born_ns - b->born_ns : b->born_ns - a->born_ns;

	return !a->born_ns || !b->born_ns || d < 2000000000u;
}

/* Both ends of a Unix connection have the listener's path. */
static uint64_t path_key(const struct rec_xchg *x)
{
	static const uint8_t none[16];
	bool known = x->family == AF_UNIX && (memcmp(x->laddr, none, sizeof(none)) != 0 ||
					      memcmp(x->raddr, none, sizeof(none)) != 0);

	return known ? conn_listener_key(x) : 0;
}

static bool same_path(const struct conn *a, const struct conn *b)
{
	return !a->path_key || !b->path_key || a->path_key == b->path_key;
}

static void pair_up(struct assemble *a, struct conn *c, const struct rec_xchg *x)
{
	uint64_t key = pair_key(x), other;
	struct pair *p;
	struct conn *peer;

	if (!key || key == c->pair_key)
		return;
	p = table_put(&a->pairs, key, NULL);
	if (!p) {
		a->counters.evicted++;
		return;
	}
	c->pair_key = key;
	c->path_key = path_key(x);
	if (x->role == ROLE_ACCEPTED) {
		p->accepted = c->id;
		other = p->connected;
	} else {
		p->connected = c->id;
		other = p->accepted;
	}
	peer = other ? conn_find(a, other) : NULL;
	/* addresses are used again: an old other end is not this one's */
	if (!peer || peer->pair_key != key || (peer->peer && peer->peer != c->id) ||
	    !born_together(c, peer) || !same_path(c, peer))
		return;
	peer->peer = c->id;
	c->peer = peer->id;
}

struct conn *conn_of(struct assemble *a, const struct rec_xchg *x)
{
	struct conn **slot, *c;
	bool created;

	slot = table_put(&a->conns, x->conn, &created);
	if (!slot) {
		a->counters.evicted++;
		return NULL;
	}
	if (created) {
		*slot = calloc(1, sizeof(**slot));
		if (!*slot) {
			table_del(&a->conns, x->conn);
			return NULL;
		}
		(*slot)->id = x->conn;
		(*slot)->role = x->role;
	}
	c = *slot;
	c->last_ns = x->h.ts_ns;
	if (!c->born_ns && x->seq == 0 && !(x->flags & XCHG_SEEDED))
		c->born_ns = x->turn[0].arrival_ns ? x->turn[0].arrival_ns : x->turn[0].first_ns;
	pair_up(a, c, x);
	return c;
}
