/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A request as the stages after assembly see it: one inbound exchange that a local process
 * answered, its breakdown, and the calls made for it. All times are CLOCK_MONOTONIC nanoseconds.
 * Text fields are ids of base/intern.h.
 */
#ifndef TARDY_ASSEMBLE_REQUEST_H
#define TARDY_ASSEMBLE_REQUEST_H
#include <stdbool.h>
#include <stdint.h>
#include "proto/proxy_line.h"
#include "account/parts.h"
#include "assemble/end_reason.h"

enum request_flag {
	REQUEST_ENTRY = 1 << 0, /* its client is not a tracked process of this host */
	REQUEST_ABORTED = 1 << 1, /* the client left before the response was complete */
	REQUEST_INCOMPLETE = 1 << 2, /* a lost record could change its wall time or parts */
	REQUEST_ERROR = 1 << 3, /* 5xx, SQL error, protocol error */
	REQUEST_OPEN = 1 << 4, /* in flight: end_ns is "now", parts are so far */
	REQUEST_STREAM = 1 << 5, /* first byte, gaps, total of its own; not in percentiles */
	REQUEST_BEFORE =
		1 << 6, /* it had arrived before measuring began: its wall is a lower bound */
	REQUEST_ENDLESS = 1 << 8, /* a stream that goes on by design: nobody waits for its end */
	/* a turn of a connection on which several are answered at once, or both sides speak when they
	 * like: timed, but which answer is whose is not known, nor what it waited for */
	REQUEST_MULTIPLEXED = 1 << 7,
	/* where its answer ends was out of sight, so a rest ended it: its wall is a lower bound */
	REQUEST_END_UNSEEN = 1 << 9,
};

/* What TCP and the answer's pace were during an exchange. What is not known is 0. */
struct request_net {
	uint64_t connect_ns; /* calls: the connection was opened for it */
	uint64_t peer_window_ns; /* sending stood still because the peer did not read */
	uint64_t gap_max_ns; /* longest time between two sends of the answer */
	uint64_t send_wait_ns; /* sending stood still because the socket was full */
	uint32_t srtt_us, rttvar_us;
	uint32_t retransmits; /* segments */
	uint32_t gaps; /* between sends of the answer, of ABI_GAP_MS or more */
};

struct request_call {
	uint64_t xid; /* id of the call exchange */
	uint64_t child_xid; /* joined callee's request, 0 = not joined */
	uint32_t peer; /* service name, or address:port of a remote peer */
	uint32_t protocol; /* "http", "fastcgi", "postgresql", "unknown" */
	uint32_t what; /* route, normalised statement, ... */
	uint64_t start_ns, wall_ns;
	struct request_net net;
	bool error;
};

struct request_mark {
	uint64_t at_ns;
	uint32_t label;
};

struct request {
	uint64_t xid; /* identity, unique within one recording */
	uint64_t parent_xid; /* the request on whose behalf the caller asked, 0 = none known */
	uint64_t start_ns, end_ns;
	uint64_t first_byte_ns; /* first response byte, 0 = none yet */
	uint64_t last_byte_ns; /* the last so far, 0 = none yet */
	uint64_t after_ns; /* work done after the answer, not in the wall time */
	uint64_t bytes_in, bytes_out;
	uint32_t sends; /* I/O operations that the answer left in, so far */
	uint32_t service; /* who answered */
	uint32_t pool; /* pool or port when it is known, else 0 */
	uint32_t method, route; /* route includes the method: "GET /course/view.php" */
	uint32_t protocol;
	struct proxy_client client; /* that a PROXY header names */
	uint32_t waiting_for; /* open requests: "lock flock sess_ab12", else 0 */
	int32_t status; /* HTTP status; 0 = none */
	int32_t pid, tid;
	uint32_t flags; /* enum request_flag */
	enum end_reason end_reason; /* END_NONE: in flight */
	char binding; /* 'R','W','S','L','U' */
	struct request_net net; /* of the client's connection */
	struct parts parts; /* sums to end_ns - start_ns */
	struct request_call *calls;
	uint32_t n_calls;
	uint32_t calls_dropped; /* beyond the cap that is kept for each request */
	struct request_mark *marks;
	uint32_t n_marks;
};

typedef void (*assemble_request_fn)(void *ctx, const struct request *r);

static inline uint64_t request_wall_ns(const struct request *r)
{
	return r->end_ns - r->start_ns;
}
#endif
