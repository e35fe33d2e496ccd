// SPDX-License-Identifier: GPL-2.0-only
#include "proto/proxy_line.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	V1_MAX = 107, /* with its line end, as the specification has it */
	V2_HEAD = 16,
	V2_TCP4 = 0x11,
	V2_TCP6 = 0x21,
};

/* The next word of a line, up to a single space or the line's end. */
static bool next_word(struct slice *in, char *out, size_t cap)
{
	const char *space = in->len ? memchr(in->ptr, ' ', in->len) : NULL;
	size_t n = space ? (size_t)(space - in->ptr) : in->len;

	if (!n || n >= cap)
		return false;
	memcpy(out, in->ptr, n);
	out[n] = 0;
	in->ptr += n + (space != NULL);
	in->len -= n + (space != NULL);
	return true;
}

static bool is_port(const char *word)
{
	uint32_t n = 0;

	for (const char *c = word; *c; c++) {
		if (*c < '0' || *c > '9' || (n == 0 && c != word))
			return false;
		n = n * 10 + (uint32_t)(*c - '0');
	}
	return n <= UINT16_MAX;
}

/* "SOURCE DESTINATION PORT PORT" and nothing else. */
static bool v1_addresses(struct slice line, int family, struct proxy_client *client)
{
	char source[PROXY_CLIENT_TEXT], dest[PROXY_CLIENT_TEXT], from[6], to[6];
	struct proxy_client from_address = { .version = family == AF_INET ? 4 : 6 };
	uint8_t address[16];

	if (line.len && line.ptr[line.len - 1] == ' ')
		return false;
	if (!next_word(&line, source, sizeof(source)) || !next_word(&line, dest, sizeof(dest)) ||
	    !next_word(&line, from, sizeof(from)) || !next_word(&line, to, sizeof(to)) || line.len)
		return false;
	if (inet_pton(family, source, from_address.address) != 1 ||
	    inet_pton(family, dest, address) != 1 || !is_port(from) || !is_port(to))
		return false;
	*client = from_address;
	return true;
}

static size_t v1(struct slice in, struct proxy_client *client)
{
	static const struct slice unknown = SLICE_LIT("PROXY UNKNOWN\r\n");
	size_t max = in.len < V1_MAX ? in.len : V1_MAX;
	const char *lf = max ? memchr(in.ptr, '\n', max) : NULL;
	struct slice line = { in.ptr, lf ? (size_t)(lf - in.ptr) : 0 };
	const size_t word = sizeof("PROXY TCP4 ") - 1;
	int family = AF_UNSPEC;

	if (slice_starts(in, unknown))
		return unknown.len;
	if (line.len < word || line.ptr[line.len - 1] != '\r')
		return 0;
	if (slice_starts(line, SLICE_LIT("PROXY TCP4 ")))
		family = AF_INET;
	else if (slice_starts(line, SLICE_LIT("PROXY TCP6 ")))
		family = AF_INET6;
	if (family == AF_UNSPEC ||
	    !v1_addresses((struct slice){ line.ptr + word, line.len - 1 - word }, family, client))
		return 0;
	return line.len + 1;
}

static size_t v2(struct slice in, struct proxy_client *client)
{
	static const struct slice signature = SLICE_LIT("\r\n\r\n\0\r\nQUIT\n");
	const unsigned char *at = (const unsigned char *)in.ptr;
	size_t len;
	bool proxied;

	if (in.len < V2_HEAD || !slice_starts(in, signature) || at[12] >> 4 != 2 ||
	    (at[12] & 15) > 1)
		return 0;
	len = (size_t)at[14] << 8 | at[15];
	proxied = at[12] & 1;
	if (in.len - V2_HEAD < len)
		return 0;
	if (proxied && at[13] == V2_TCP4 && len >= 12) {
		client->version = 4;
		memcpy(client->address, at + V2_HEAD, 4);
	} else if (proxied && at[13] == V2_TCP6 && len >= 36) {
		client->version = 6;
		memcpy(client->address, at + V2_HEAD, 16);
	}
	return V2_HEAD + len;
}

size_t proxy_line(struct slice in, struct proxy_client *client)
{
	*client = (struct proxy_client){ 0 };
	if (in.len && in.ptr[0] == 'P')
		return v1(in, client);
	return v2(in, client);
}

const char *proxy_client_text(char buf[PROXY_CLIENT_TEXT], const struct proxy_client *client)
{
	buf[0] = 0;
	if (client->version)
		inet_ntop(client->version == 4 ? AF_INET : AF_INET6, client->address, buf,
			  PROXY_CLIENT_TEXT);
	return buf;
}
