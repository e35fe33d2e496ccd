/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FastCGI 1.0 (the Open Market specification, sections 3.3, 3.4, 5 and 8), read from the first
 * bytes of a direction. Pure functions: no allocation, no state, never a byte outside the input;
 * slices in the results point into the input. Records of other requests on the same connection
 * (multiplexing, which no common server uses) are skipped.
 */
#ifndef TARDY_PROTO_FASTCGI_H
#define TARDY_PROTO_FASTCGI_H
#include <stdint.h>
#include "base/slice.h"

enum fastcgi_role { FASTCGI_RESPONDER = 1, FASTCGI_AUTHORIZER = 2, FASTCGI_FILTER = 3 };

/*
 * A parameter is set when its whole value lies in one record and in the input; else it is left
 * empty and `cut` is set. Sent twice, the last one counts, as in PHP.
 */
struct fastcgi_request {
	bool begun; /* BEGIN_REQUEST was read in whole */
	bool keep_conn; /* the connection stays open after END_REQUEST */
	bool params_done; /* the empty PARAMS record was read */
	uint16_t role; /* enum fastcgi_role */
	uint16_t request_id;
	struct slice method, script_name, script_filename, request_uri, document_uri;
	bool cut; /* some wanted value was cut or split */
};

/* -1 = not FastCGI, 0 = so far it is, 1 = all parameters were read. Fills *out always. */
int fastcgi_parse_request(struct slice in, struct fastcgi_request *out);

enum { FASTCGI_END_REQUEST = 3 }; /* type of the record that ends an answer */

struct fastcgi_response {
	uint16_t request_id; /* whose records are read: that of the first one; 0 = none yet */
	/*
	 * From a "Status: NNN" header; once the header is complete without one, 302 with a
	 * Location (RFC 3875 section 6.2.3), else 200; 0 = not known.
	 */
	int status;
	int status_so_far; /* what it is if no Status follows; 0 = no line of the header is there */
	bool event_stream; /* Content-Type: text/event-stream */
	uint32_t header_lines; /* whole header lines seen; most programs send Status first */
	bool has_stderr; /* something was written to STDERR */
	bool ended; /* END_REQUEST was read: the next two are set */
	uint32_t app_status; /* exit status of the program */
	uint8_t protocol_status; /* 0 complete, 1 cannot multiplex, 2 overloaded, 3 unknown role */
};

/* -1 = not FastCGI, 0 = so far it is, 1 = END_REQUEST was read. Fills *out always. */
int fastcgi_parse_response(struct slice in, struct fastcgi_response *out);

/*
 * Whether `tail`, the last bytes of what was sent (the last 16 are looked at), ends with a whole
 * END_REQUEST record of request `id`, 0 = of any. A padded one is not recognised: its 8 bytes need no
 * padding. Data can look like it: this is for where the records were not followed.
 */
bool fastcgi_ends(struct slice tail, uint16_t id);
#endif
