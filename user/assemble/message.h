/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the bytes of an exchange say: its protocol, its name, how it ended, and whether it has
 * ended. Text is read once and only ids of interned names are kept.
 */
#ifndef TARDY_ASSEMBLE_MESSAGE_H
#define TARDY_ASSEMBLE_MESSAGE_H
#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"
#include "proto/detect.h"
#include "proto/pgsql_names.h"
#include "proto/proxy_line.h"

enum { TEXT_REST_MAX = 1024 };

/* What a connection remembers between exchanges. Zeroed is empty. */
struct text_state {
	enum proto proto;
	enum proto upgraded; /* what it speaks from the next exchange on, 0 = the same */
	/* HTTP pipelining: bytes read together with an earlier request that belong to the present
	 * exchange, and those that will belong to the next */
	struct text_rest {
		char *bytes;
		uint16_t len;
	} rest, next;
	struct proxy_client client; /* that a PROXY header names */
	bool begun; /* the connection's first exchange is over */
	/* bytes of an earlier request's body that had not come when it was answered: they are in
	 * front of the present exchange's, and in front of the next one's */
	uint64_t body_due, body_due_next;
	struct pgsql_names prepared, portals;
	uint32_t statement; /* the latest that does something within a transaction */
};

void text_state_release(struct text_state *s);
/* Holds on to its names, see base/intern.h. */
void text_state_keep_names(const struct text_state *s);

/* HTTP: how far an answer was followed by its framing. */
enum answer_place { ANSWER_NOT_FOLLOWED, ANSWER_GOES_ON, ANSWER_WHOLE };

struct text_in {
	struct slice request; /* head, with what REC_DATA added */
	struct slice response; /* head */
	struct slice tail; /* last bytes of the response */
	uint64_t request_bytes, response_bytes; /* in all */
	enum answer_place answer;
	bool pipelined; /* the request was read together with the one before */
	/* HTTP: the request before was followed: this is more of its body, or begins right behind it */
	bool body, behind;
	/* PostgreSQL: every message was followed; so many ReadyForQuery are due; type of the last
	 * message of the answer, 0 when it is not whole. FastCGI: so was every record of the answer,
	 * whose last one's type it is. */
	bool framed;
	uint16_t pg_owed;
	char pg_last;
	bool seeded; /* the connection's beginning was not seen */
	bool http2; /* the connection began with HTTP/2's preface */
};

struct text {
	uint32_t method;
	uint32_t route; /* "GET /a/b.php"; for a database the normalised statement; 0 = no name */
	uint32_t after; /* PostgreSQL's COMMIT, ROLLBACK: the statement before it, 0 = not known */
	uint64_t ask; /* hash of what a proxy passes on as it came: target, statement; 0 = none */
	int32_t status; /* HTTP status, 0 = none */
	bool error; /* 5xx, SQL error, protocol error */
	bool continues; /* these are more bytes of the exchange before, not a new one */
	bool no_request; /* asks for no answer: PostgreSQL's Terminate, CancelRequest */
	bool interim; /* the answer so far is a 1xx: the real one follows */
	bool ended; /* the protocol proves that the answer is whole */
	bool can_tell; /* the protocol would prove it: `ended` false means not yet */
	bool unseen; /* HTTP: where the answer ends is said in bytes that are not there */
	bool chunked; /* HTTP: its end is in the last bytes */
	bool followed; /* HTTP: the kernel side has told how far the answer is */
	uint64_t whole; /* HTTP: bytes of the answer when it has a length, else 0 */
	bool stream; /* server-sent events, replication */
	bool endless; /* a stream of which nobody awaits the end: replication */
	enum proto upgrade; /* HTTP: what its connection speaks from here on, 0 = the same */
	/* its connection carries several at once, or messages of both sides: the turns are timed, but
	 * which answer is whose is not known */
	bool multiplexed;
};

/* Reads an exchange as far as it is there; may be called again when more is. Updates *s. */
void text_read_exchange(struct text_state *s, const struct text_in *in, struct text *out);
/* Reads the answer again, when more is known of it. Only in's answer matters. */
void text_read_answer(const struct text_in *in, enum proto proto, struct text *out);
/* An HTTP answer goes on in a further exchange: it has so many bytes now, which end with `tail`. */
void text_goes_on(struct text *out, uint64_t response_bytes, struct slice tail,
		  enum answer_place place);
/* The route of an exchange with PostgreSQL in two parts, either of which may have none. */
uint32_t text_both_routes(uint32_t first, uint32_t second);
/* To be called before the first reading of each further exchange of the connection. */
void text_next_exchange(struct text_state *s);

#endif
