/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HTTP/1.x heads (RFC 9112), read from the first bytes of a message. Pure functions: no
 * allocation, no state, never a byte outside the input. Slices in the results point into the
 * input and live as long as it. Lenient as servers are: a bare LF ends a line, empty lines before
 * the head are skipped, the target may be in absolute form.
 *
 * Input that stops anywhere is normal. What a longer input would add is left empty or false, so
 * a value that is set never changes when more bytes come. The one exception is a result of
 * HTTP1_NOT, which withdraws what a shorter input promised.
 */
#ifndef TARDY_PROTO_HTTP1_H
#define TARDY_PROTO_HTTP1_H
#include <stdint.h>
#include "base/slice.h"

enum http1_result {
	HTTP1_NOT = -1, /* cannot be HTTP/1 */
	HTTP1_PARTIAL = 0, /* so far it can; the head is not complete */
	HTTP1_OK = 1, /* the head is complete: head_len is set */
};

struct http1_request {
	struct slice method; /* empty until the space after it has been seen */
	struct slice target; /* as sent, query included */
	bool target_cut; /* the target continues after the input */
	int minor_version; /* of HTTP/1.N; -1 until it has been seen */
	int64_t content_length; /* bytes; -1 = none or not a number */
	bool chunked; /* overrides content_length (section 6.3) */
	bool close; /* the connection ends after the response; HTTP/1.0's default only once OK */
	bool upgrade; /* Upgrade and Connection: upgrade, both seen */
	bool expect_continue; /* Expect: 100-continue, HTTP/1.1 only */
	struct slice host; /* of an absolute target, else the first Host header; may be empty */
	size_t head_len; /* bytes from the input's start to after the empty line; 0 = not yet */
};

/*
 * Fills *out (always, HTTP1_PARTIAL included) and returns an enum http1_result. A method is 1 to
 * 24 upper-case letters and dashes, beginning with a letter.
 */
int http1_parse_request(struct slice in, struct http1_request *out);

struct http1_response {
	int minor_version; /* -1 until it has been seen */
	int status; /* 100..999; 0 until it has been seen */
	int64_t content_length; /* bytes; -1 = none or not a number */
	bool chunked; /* overrides content_length */
	bool close; /* as for requests; a body without any length also ends with the connection */
	struct slice upgrade; /* what it upgrades to: the first Upgrade field; may be empty */
	size_t head_len; /* as for requests; after a 1xx the final head follows there */
};

/* Fills *out and returns an enum http1_result. One head: an interim 1xx is a head of its own. */
int http1_parse_response(struct slice in, struct http1_response *out);

/*
 * Whether a response has a body at all (RFC 9112 section 6.3): none for HEAD, 1xx, 204, 304 and
 * a successful CONNECT, whatever its header says.
 */
bool http1_response_has_body(struct slice request_method, int status);

/*
 * Whether `tail`, the last bytes of what was sent of a chunked body, ends with the last chunk:
 * a line of zeros and an empty line, preceded by a line end or by nothing. A body that ends with
 * trailers is not recognised: "\r\n\r\n" alone is as likely to be data, and a wrong "ended" is
 * worse than one that a pause must show.
 */
bool http1_chunked_ends(struct slice tail);

enum http1_body {
	HTTP1_BODY_GOES_ON, /* more chunks, or the rest of one, must follow */
	HTTP1_BODY_ENDED,
	HTTP1_BODY_UNSEEN, /* bytes that would tell are not there */
};

/*
 * Follows the chunks of a body of `total` bytes so far, of which only the first and the last bytes
 * are there. Where the lengths lead to bytes that are not, the tail alone has to tell.
 */
enum http1_body http1_chunks(struct slice front, struct slice tail, uint64_t total);
#endif
