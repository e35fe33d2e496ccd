/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads one HTTP/1.1 answer (RFC 9112) as it arrives: status, the head, and the beginning of the
 * body, in bounded memory. Included by load.c alone.
 */
#ifndef DEMO_LOAD_ANSWER_H
#define DEMO_LOAD_ANSWER_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	HEAD_BYTES = 4096,
	BODY_KEEP_BYTES = 8192, /* of a page, to find its links */
};

enum body_kind { BODY_LENGTH, BODY_CHUNKED, BODY_TO_CLOSE };
enum chunk_state { CHUNK_SIZE, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER };

struct Answer {
	bool in_body;
	bool close_after; /* the server closes the connection after this answer */
	char head[HEAD_BYTES];
	size_t head_len;
	int status;
	enum body_kind body_kind;
	enum chunk_state chunk;
	uint64_t body_left;
	size_t trailer_line;
	char body[BODY_KEEP_BYTES];
	size_t body_len;
};

/* Makes it ready for the next answer. */
static void Answer_reset(struct Answer *a)
{
	a->head_len = a->body_len = 0;
	a->in_body = a->close_after = false;
	a->status = 0;
}

static const char *header_of(const char *head, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = strstr(head, "\r\n"); at; at = strstr(at, "\r\n")) {
		at += 2;
		if (strncasecmp(at, name, len) == 0 && at[len] == ':')
			return at + len + 1 + strspn(at + len + 1, " \t");
	}
	return NULL;
}

static int Answer_parse_head(struct Answer *a)
{
	const char *value;

	if (sscanf(a->head, "HTTP/1.%*d %d", &a->status) != 1)
		return -EPROTO;
	value = header_of(a->head, "Connection");
	a->close_after = value && strncasecmp(value, "close", 5) == 0;
	if ((value = header_of(a->head, "Transfer-Encoding")) != NULL &&
	    strncasecmp(value, "chunked", 7) == 0) {
		a->body_kind = BODY_CHUNKED;
		a->chunk = CHUNK_SIZE;
		a->body_left = 0;
	} else if ((value = header_of(a->head, "Content-Length")) != NULL) {
		a->body_kind = BODY_LENGTH;
		a->body_left = strtoull(value, NULL, 10);
	} else {
		a->body_kind = BODY_TO_CLOSE;
		a->close_after = true;
	}
	a->in_body = true;
	return 0;
}

static void Answer_keep(struct Answer *a, const char *data, size_t len)
{
	size_t room = sizeof(a->body) - 1 - a->body_len;

	len = len < room ? len : room;
	memcpy(a->body + a->body_len, data, len);
	a->body_len += len;
}

/* One byte that frames chunks. Returns 1 at the end of the body, 0 to go on, -EPROTO. */
static int Answer_chunk_byte(struct Answer *a, char c)
{
	const char *hex = "0123456789abcdef", *digit;

	switch (a->chunk) {
	case CHUNK_SIZE:
		if (c == '\n') {
			a->chunk = a->body_left ? CHUNK_DATA : CHUNK_TRAILER;
			a->trailer_line = 0;
			return 0;
		}
		digit = c ? strchr(hex, c | 32) : NULL;
		if (c != '\r' && !digit)
			return -EPROTO;
		if (digit)
			a->body_left = a->body_left * 16 + (uint64_t)(digit - hex);
		return a->body_left > (1ULL << 40) ? -EPROTO : 0;
	case CHUNK_DATA_END:
		if (c == '\n')
			a->chunk = CHUNK_SIZE;
		return 0;
	case CHUNK_TRAILER:
		if (c == '\n' && a->trailer_line == 0)
			return 1;
		a->trailer_line = c == '\n' ? 0 : a->trailer_line + (c != '\r');
		return 0;
	default:
		return -EPROTO;
	}
}

/* Body bytes. Returns 1 when the body is complete, 0 for more, -EPROTO. */
static int Answer_feed_body(struct Answer *a, const char *data, size_t len)
{
	while (len) {
		size_t n = 1;

		if (a->body_kind == BODY_CHUNKED && a->chunk != CHUNK_DATA) {
			int rc = Answer_chunk_byte(a, *data);

			if (rc)
				return rc;
		} else {
			n = a->body_kind != BODY_TO_CLOSE && a->body_left < len ?
				    (size_t)a->body_left :
				    len;
			Answer_keep(a, data, n);
			if (a->body_kind == BODY_TO_CLOSE)
				return 0;
			a->body_left -= n;
			if (a->body_kind == BODY_LENGTH)
				return a->body_left == 0;
			if (a->body_left == 0)
				a->chunk = CHUNK_DATA_END;
		}
		data += n;
		len -= n;
	}
	return a->in_body && a->body_kind == BODY_LENGTH && a->body_left == 0;
}

/* Returns 1 when the answer is complete, 0 for more, a negative errno. */
static int Answer_feed(struct Answer *a, const char *data, size_t len)
{
	char *end;
	size_t room = sizeof(a->head) - 1 - a->head_len, taken = len < room ? len : room, used;
	int rc;

	if (a->in_body)
		return Answer_feed_body(a, data, len);
	memcpy(a->head + a->head_len, data, taken);
	a->head[a->head_len + taken] = '\0';
	end = strstr(a->head, "\r\n\r\n");
	if (!end) {
		a->head_len += taken;
		return taken < len ? -EMSGSIZE : 0;
	}
	used = (size_t)(end + 4 - a->head) - a->head_len;
	end[2] = '\0';
	a->head_len += used;
	rc = Answer_parse_head(a);
	return rc ? rc : Answer_feed_body(a, data + used, len - used);
}

#endif
