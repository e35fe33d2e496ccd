/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PostgreSQL's protocol 3 (manual, "Message Formats"), read from the first bytes of a direction.
 * Pure functions: no allocation, no state, never a byte outside the input; slices in the results
 * point into the input. Types, lengths and structure of the messages that can begin an exchange
 * are validated, so that other protocols are hardly ever taken for it.
 */
#ifndef TARDY_PROTO_PGSQL_H
#define TARDY_PROTO_PGSQL_H
#include <stdint.h>
#include "base/slice.h"

enum pgsql_kind {
	PGSQL_STARTUP,
	PGSQL_SSL_REQUEST,
	PGSQL_GSS_REQUEST,
	PGSQL_CANCEL,
	PGSQL_QUERY,
	PGSQL_PARSE,
	PGSQL_BIND,
	PGSQL_DESCRIBE,
	PGSQL_EXECUTE,
	PGSQL_SYNC,
	PGSQL_FLUSH,
	PGSQL_CLOSE,
	PGSQL_COPY_DATA, /* both directions, like the next one */
	PGSQL_COPY_DONE,
	PGSQL_COPY_FAIL,
	PGSQL_FUNCTION,
	PGSQL_PASSWORD, /* also the SASL and GSS answers */
	PGSQL_TERMINATE,
	/* backend */
	PGSQL_AUTH,
	PGSQL_READY,
	PGSQL_ERROR,
	PGSQL_NOTICE,
	PGSQL_COMMAND_COMPLETE,
	PGSQL_ROW,
	PGSQL_ROW_DESCRIPTION,
	PGSQL_COPY_IN,
	PGSQL_COPY_OUT,
	PGSQL_COPY_BOTH,
	PGSQL_PARSE_COMPLETE,
	PGSQL_BIND_COMPLETE,
	PGSQL_OTHER, /* known, of no interest: ParameterStatus, NoData, ... */
};

/* A name, portal, tag or sqlstate is empty unless the input holds all of it. */
struct pgsql_msg {
	enum pgsql_kind kind;
	char type; /* byte on the wire, 0 for the startup family */
	uint32_t len_bytes; /* of the whole message on the wire, type byte included */
	struct slice name; /* statement: Parse, Bind, Describe S, Close S; portal: Execute */
	struct slice portal; /* Bind, Describe P, Close P, Execute */
	struct slice sql; /* Query, Parse; ends early when `cut` came inside it */
	struct slice tag; /* CommandComplete: "INSERT 0 1" */
	struct slice sqlstate; /* ErrorResponse, NoticeResponse: five characters */
	char tx_status; /* ReadyForQuery: 'I', 'T' or 'E'; 0 when cut */
	bool cut; /* the body continues after the input */
};

/*
 * The next message: 1 = *out is filled and *in advanced past it (a cut one consumes all that is
 * left), 0 = no more (*in is empty or ends inside a message's header), -1 = not PostgreSQL; *in
 * is unchanged for the latter two. A message of the startup family begins with a zero byte, no
 * other does, so it is recognised wherever it stands (it follows an SSLRequest too).
 */
int pgsql_next_frontend(struct slice *in, struct pgsql_msg *out);

/* The same for the server's direction. The single byte that answers SSLRequest is no message. */
int pgsql_next_backend(struct slice *in, struct pgsql_msg *out);

/* Whether `tail`, the last bytes of what was sent (six are looked at), ends in ReadyForQuery. */
bool pgsql_ends(struct slice tail);
#endif
