/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HTTP/1 requests that may have a body, followed by their framing across I/O: where the head ends,
 * however long it is, how long the body is, or where its last chunk is. So what comes when the answer
 * has begun, or is over, is known to be more of the body or the next request, whatever it looks like.
 * So are answers in chunks, and those with heads that are longer than what is kept of them: their end
 * is where their framing says.
 * The rules are those of proto/http1.c; what is no valid framing is not followed.
 */
#ifndef TARDY_HTTP_BPF_H
#define TARDY_HTTP_BPF_H
#include "sock.bpf.h"

#define HTTP_WINDOW ABI_REQ_HEAD_MAX /* bytes that are read at once */
#define HTTP_AT_ONCE 64 /* bytes of a line that are looked at in one step, or read between data */
#define HTTP_STEPS_MAX 4096 /* of one I/O: beyond it the place is lost */
#define HTTP_HEAD_LONG 65536 /* no server takes longer heads */
#define HTTP_CODING 7 /* "chunked" */
#define HTTP_OTHER 8

#define EMPTY_LINE 0x0a0d0a0dU /* CR LF CR LF, little endian */

enum http_phase {
	HTTP_NONE, /* not followed */
	/* the head */
	HTTP_FIRST, /* the request line */
	HTTP_LINE, /* a line begins: its name fits so far */
	HTTP_LINE_REST,
	HTTP_LENGTH_VALUE,
	HTTP_CODING_VALUE,
	/* the body */
	HTTP_BODY, /* so many bytes */
	HTTP_SIZE, /* the line before a chunk */
	HTTP_SIZE_REST,
	HTTP_CHUNK, /* so many bytes, its line end included */
	HTTP_TRAILER, /* a line begins */
	HTTP_TRAILER_REST,
	HTTP_DONE,
};

const __u8 http_names[2][32] = { "content-length:", "transfer-encoding:" };
const __u8 http_coding[8] = "chunked";

/* One I/O of `n` bytes at `base`, and how far it was followed. Those before `end` are in c->req, `shift`
 * places on: what was kept of a request, or else in the unused upper half of the room for that. */
struct http_walk {
	struct conn *c;
	__u64 base;
	__u32 n, off, end;
	__u16 turn, shift; /* modulo the size of c->req: the stack is short */
};

static __always_inline bool http_in_head(const struct http_place *h)
{
	return h->phase >= HTTP_FIRST && h->phase <= HTTP_CODING_VALUE;
}

static __always_inline bool http_is_followed(const struct http_place *h)
{
	return h->phase > HTTP_NONE && h->phase < HTTP_DONE;
}

static __always_inline void http_becomes(struct http_place *h, enum http_phase phase)
{
	h->phase = phase;
	h->fits = 0;
}

static __always_inline void http_head_ends(struct http_place *h)
{
	enum http_phase none = h->answer ? HTTP_NONE : HTTP_DONE;

	if (h->chunked)
		h->left = 0;
	http_becomes(h, h->chunked ? HTTP_SIZE : h->left ? HTTP_BODY : none);
}

static __always_inline void http_size_ends(struct http_place *h)
{
	http_becomes(h, h->left ? HTTP_CHUNK : HTTP_TRAILER);
	if (h->left)
		h->left += 2;
}

/* A byte of a line's first bytes: is it one that is looked for? */
static __always_inline void http_name_byte(struct http_place *h, __u8 b)
{
	if (b == '\n') {
		if (h->fits)
			h->fits = 0;
		else
			http_head_ends(h);
		return;
	}
	if (!h->fits) {
		if (b == '\r')
			return;
		h->name = (b | 0x20) == 't';
	}
	if ((b | 0x20) != http_names[h->name & 1][h->fits & 31]) {
		http_becomes(h, HTTP_LINE_REST);
		return;
	}
	h->fits++;
	if (http_names[h->name & 1][h->fits & 31])
		return;
	http_becomes(h, h->name ? HTTP_CODING_VALUE : HTTP_LENGTH_VALUE);
	if (!h->name)
		h->left = 0;
}

static __always_inline void http_length_byte(struct http_place *h, __u8 b)
{
	if (b >= '0' && b <= '9' && h->left < 1ULL << 48) {
		h->left = h->left * 10 + (b - '0');
		h->fits = 1;
	} else if (b == '\n' && h->fits) {
		http_becomes(h, HTTP_LINE);
	} else if (b == ' ' || b == '\t' || ((b == '\r' || b == ',') && h->fits)) {
		if (h->fits) /* a repeated header, "5, 5" */
			http_becomes(h, HTTP_LINE_REST);
	} else {
		h->phase = HTTP_NONE;
	}
}

/* Chunked delimits the body only as the last coding. */
static __always_inline void http_coding_byte(struct http_place *h, __u8 b)
{
	if (b == '\n') {
		h->chunked = h->fits == HTTP_CODING;
		http_becomes(h, h->chunked ? HTTP_LINE : HTTP_NONE);
	} else if (b == ',') {
		h->fits = 0;
	} else if (b != '\r' && b != ' ' && b != '\t') {
		h->fits = (b | 0x20) == http_coding[h->fits & 7] && h->fits < HTTP_CODING ?
				  h->fits + 1 :
				  HTTP_OTHER;
	}
}

static __always_inline void http_size_byte(struct http_place *h, __u8 b)
{
	__u8 digit = b - '0', letter = (b | 0x20) - 'a';

	if (digit < 10 || letter < 6) {
		h->left = h->left << 4 | (digit < 10 ? digit : letter + 10);
		h->fits = 1;
		if (h->left >> 48)
			h->phase = HTTP_NONE;
	} else if (!h->fits) {
		h->phase = HTTP_NONE;
	} else if (b == '\n') {
		http_size_ends(h);
	} else if (b == ';' || b == ' ' || b == '\t') {
		http_becomes(h, HTTP_SIZE_REST);
	} else if (b != '\r') {
		h->phase = HTTP_NONE;
	}
}

#define HTTP_ONES 0x0101010101010101ULL
#define HTTP_LOWER (HTTP_ONES * 0x20)

/* A line begins, of which enough is there: is its name one that is looked for? Little endian, as all
 * that looks at several bytes at once here. */
static __always_inline bool http_name_at_once(struct http_place *h, struct http_walk *w,
					      const __u8 *at)
{
	const __u64 content = 0x2d746e65746e6f63, length = 0x003a6874676e656c;
	const __u64 transfer = 0x726566736e617274, encodin = 0x6e69646f636e652d;
	__u64 a = *(const __u64 *)at | HTTP_LOWER, b = *(const __u64 *)(at + 8) | HTTP_LOWER;

	if (a == content && b << 8 == length << 8) {
		http_becomes(h, HTTP_LENGTH_VALUE);
		h->left = 0;
		w->off += 15;
		return true;
	}
	if (a == transfer && b == encodin && (at[16] | 0x20) == 'g' && at[17] == ':') {
		http_becomes(h, HTTP_CODING_VALUE);
		w->off += 18;
		return true;
	}
	return false;
}

struct http_bytes {
	__u64 v[HTTP_AT_ONCE / 8];
};

/* The place of the first LF, HTTP_AT_ONCE: there is none. */
__noinline int http_line_end(const struct http_bytes *bytes)
{
	if (!bytes)
		return HTTP_AT_ONCE;
	for (__u32 i = 0; i < HTTP_AT_ONCE / 8; i++) {
		__u64 x = bytes->v[i] ^ HTTP_ONES * '\n';
		__u64 found = (x - HTTP_ONES) & ~x & HTTP_ONES << 7;

		if (found) /* the lowest one is true; the product's top byte is its place */
			return 8 * i + (((found & -found) >> 7) * 0x0001020304050607ULL >> 56);
	}
	return HTTP_AT_ONCE;
}

/* Does the line whose LF is at `lf` of c->req end with HTTP/1's version? Many protocols begin with a word
 * in capital letters. */
static __always_inline bool http_version_ends(const struct conn *c, __u32 lf)
{
	const __u64 version = 0x2e312f50545448; /* "HTTP/1.", little endian */
	const __u32 mask = 2 * ABI_REQ_HEAD_MAX - 1;

	return *(const __u64 *)(c->req + ((lf - 9) & mask)) << 8 == version << 8 ||
	       *(const __u64 *)(c->req + ((lf - 8) & mask)) << 8 == version << 8;
}

/* The rest of a line of which nothing is wanted, of which `have` bytes are there. */
static __always_inline void http_skip(struct http_place *h, struct http_walk *w, const __u8 *bytes,
				      __u32 have, __u32 phase)
{
	__u32 at = http_line_end((const struct http_bytes *)bytes);

	if (have > HTTP_AT_ONCE)
		have = HTTP_AT_ONCE;
	if (at >= have) {
		w->off += have;
		h->phase = phase;
		return;
	}
	w->off += at + 1;
	if (phase == HTTP_FIRST)
		http_becomes(h, http_version_ends(w->c, w->off - 1 + w->shift) ? HTTP_LINE :
										 HTTP_NONE);
	else if (phase == HTTP_SIZE_REST)
		http_size_ends(h);
	else
		http_becomes(h, phase == HTTP_LINE_REST ? HTTP_LINE : HTTP_TRAILER);
}

static __always_inline bool http_in_data(const struct http_place *h)
{
	return h->phase == HTTP_BODY || h->phase == HTTP_CHUNK;
}

static __always_inline void http_data_ends(struct http_place *h)
{
	h->left = 0;
	http_becomes(h, h->phase == HTTP_BODY ? HTTP_DONE : HTTP_SIZE);
}

/* Data, of which only the length counts; false: it goes on behind these bytes. */
static __always_inline bool http_data(struct http_place *h, struct http_walk *w, __u32 have)
{
	if (h->left > have) {
		h->left -= have;
		w->off = w->n;
		return false;
	}
	w->off += h->left;
	http_data_ends(h);
	return true;
}

/* The next bytes; false: they cannot be read. */
static __always_inline bool http_window(struct http_walk *w, struct conn *c, __u32 have, bool head)
{
	__u32 most = head ? HTTP_WINDOW : HTTP_AT_ONCE, want = have < most ? have : most;

	asm volatile("%0 &= 2047" : "+r"(want));
	if (!want || want > HTTP_WINDOW ||
	    bpf_probe_read_user(c->req + ABI_REQ_HEAD_MAX, want, (void *)(w->base + w->off)))
		return false;
	w->end = w->off + want;
	w->shift = ABI_REQ_HEAD_MAX - w->off;
	return true;
}

static __always_inline void http_byte(struct http_place *h, __u8 b)
{
	switch (h->phase) {
	case HTTP_LINE:
		http_name_byte(h, b);
		break;
	case HTTP_LENGTH_VALUE:
		http_length_byte(h, b);
		break;
	case HTTP_CODING_VALUE:
		http_coding_byte(h, b);
		break;
	case HTTP_SIZE:
		http_size_byte(h, b);
		break;
	case HTTP_TRAILER:
		if (b == '\n')
			h->phase = HTTP_DONE;
		else if (b != '\r')
			h->phase = HTTP_TRAILER_REST;
		break;
	}
}

static int http_step(__u32 i, struct http_walk *w)
{
	struct conn *c = w->c;
	struct http_place *h;
	__u32 have, phase;
	const __u8 *at;

	if (!c || w->off >= w->n)
		return 1;
	h = &c->http[w->turn & 1];
	have = w->n - w->off;
	phase = h->phase;
	if (phase == HTTP_NONE || phase == HTTP_DONE)
		return 1;
	if (http_in_data(h))
		return !http_data(h, w, have);
	if (w->off + 24 > w->end && w->end < w->n && !http_window(w, c, have, phase < HTTP_BODY)) {
		h->phase = HTTP_NONE;
		return 1;
	}
	have = w->end - w->off;
	at = c->req + ((w->off + w->shift) & (2 * ABI_REQ_HEAD_MAX - 1));
	if (phase == HTTP_LINE && !h->fits && have >= 24 && *at != '\r' && *at != '\n') {
		if (http_name_at_once(h, w, at))
			return 0;
		phase = HTTP_LINE_REST;
	}
	if (phase == HTTP_FIRST || phase == HTTP_LINE_REST || phase == HTTP_SIZE_REST ||
	    phase == HTTP_TRAILER_REST) {
		http_skip(h, w, at, have, phase);
		return 0;
	}
	w->off++;
	http_byte(h, *at);
	return 0;
}

/* Follows n bytes at base, the first `kept` of which are in c->req (those of an answer in its upper half),
 * up to the end of the message; returns how many were its. */
__noinline int http_follow(struct conn *c, __u64 base, __u32 n, __u32 turn, __u32 kept)
{
	struct http_walk w = { .c = c, .base = base, .n = n, .turn = turn };
	struct http_place *h;

	if (!c)
		return 0;
	h = &c->http[turn & 1];
	w.end = kept < n ? kept : n;
	/* any number at the loop's begin as later: so its body is verified once */
	*(volatile __u32 *)&h->zero = 0;
	w.off = w.shift = *(volatile __u32 *)&h->zero;
	w.shift += turn ? ABI_REQ_HEAD_MAX : 0;
	bpf_loop(HTTP_STEPS_MAX, http_step, &w, 0);
	if (w.off < n && h->phase != HTTP_DONE)
		h->phase = HTTP_NONE;
	if (http_in_head(h)) {
		h->head += n;
		if (h->head > HTTP_HEAD_LONG)
			h->phase = HTTP_NONE;
	}
	return w.off;
}

static __always_inline void http_begin(struct http_place *h, enum http_phase phase)
{
	__builtin_memset(h, 0, sizeof(*h));
	h->phase = phase;
}

/* Does an exchange begin like a request that may have a body? GET and HEAD, which are most of all
 * requests, hardly ever have one: they are looked at only where a short first I/O, of which all is
 * kept, does not end with the head. */
static __always_inline bool http_may_have_body(const struct conn *c)
{
	__u8 a = c->req[0] - 'A', b = c->req[1] - 'A';
	__u32 last = (c->rec.req_len - 4) & (ABI_REQ_HEAD_MAX - 1);

	if (c->rec.req_len < 4 || a >= 26 || b >= 26)
		return false;
	return (a != 'G' - 'A' && a != 'H' - 'A') ||
	       (c->rec.req_len == c->rec.req_total &&
		*(const __u32 *)(c->req + last) != EMPTY_LINE);
}

/* ---- answers ---- */

#define ANSWER_EMPTY_LINE 0x0a0d0aU /* LF CR LF, little endian */
#define ANSWER_CHUNKED 0x6b6e75U /* "unk", of "chunked" */
#define ANSWER_LENGTH 0x687467U /* "gth", of "Content-Length" */

/* Are these three bytes anywhere in what is kept of an answer, but for the bits in `any`, which are set
 * in them? Eight places at once and without branches, each of which would double what is verified. What
 * is behind the kept bytes is of an older answer: so "yes" is only a reason to look closer. */
__noinline int answer_has(struct conn *c, __u32 three, __u8 any)
{
	__u64 a = HTTP_ONES * (three & 255), b = HTTP_ONES * (three >> 8 & 255),
	      d = HTTP_ONES * (three >> 16 & 255), or = HTTP_ONES * any, found = 0;

	if (!c)
		return 0;
	for (__u32 i = 0; i < ABI_RSP_HEAD_MAX; i += 8) {
		/* the last ones overlap those before, and end where it ends */
		const __u8 *at = c->rec.rsp + (i + 10 > ABI_RSP_HEAD_MAX ? i - 2 : i);
		__u64 x = ((*(const __u64 *)at | or) ^ a) | ((*(const __u64 *)(at + 1) | or) ^ b) |
			  ((*(const __u64 *)(at + 2) | or) ^ d);

		found |= (x - HTTP_ONES) & ~x & HTTP_ONES << 7;
	}
	return !!found;
}

/* May what is kept of an answer say that it is chunked? Each usual answer comes here, so it looks for no more
 * than "nk", which other heads seldom have. */
__noinline int answer_may_chunk(struct conn *c)
{
	__u64 found = 0;

	if (!c)
		return 0;
	for (__u32 i = 0; i < ABI_RSP_HEAD_MAX; i += 8) {
		const __u8 *at = c->rec.rsp + (i + 9 > ABI_RSP_HEAD_MAX ? i - 1 : i);
		__u64 x = ((*(const __u64 *)at | HTTP_ONES * 0x20) ^ HTTP_ONES * 'n') |
			  ((*(const __u64 *)(at + 1) | HTTP_ONES * 0x20) ^ HTTP_ONES * 'k');

		found |= (x - HTTP_ONES) & ~x;
	}
	return !!(found & HTTP_ONES << 7);
}

/* Some have none, whatever their heads say; behind an interim one the final one may follow at once. */
static __always_inline bool answer_has_body(const struct conn *c)
{
	const __u8 *a = c->rec.rsp, *q = c->req;

	if (a[9] == '1' || (a[10] == '0' && a[11] == '4' && (a[9] == '2' || a[9] == '3')))
		return false;
	return c->framing == FRAMING_NONE && (q[0] != 'H' || q[1] != 'E');
}

static __always_inline bool answer_looks(const struct rec_xchg *x)
{
	return x->rsp_len > 12 && x->rsp[0] == 'H' && x->rsp[4] == '/';
}

static __always_inline bool answer_is_head(const struct rec_xchg *x)
{
	__u32 last = (x->rsp_len - 4) & (ABI_RSP_HEAD_MAX - 1);

	return *(const __u32 *)(x->rsp + last) == EMPTY_LINE;
}

static __always_inline bool answer_head_is_whole(struct conn *c)
{
	return answer_is_head(&c->rec) || answer_has(c, ANSWER_EMPTY_LINE, 0);
}

/* What the record says of it. */
static __always_inline void answer_tell(struct conn *c)
{
	struct rec_xchg *x = &c->rec;
	__u8 phase = c->http[1].phase;

	if (phase != HTTP_NONE) {
		x->flags |= XCHG_ANSWER_FRAMED;
		x->pg_last = phase == HTTP_DONE;
	} else if (x->flags & XCHG_ANSWER_FRAMED) {
		x->flags &= ~(__u32)XCHG_ANSWER_FRAMED;
		x->pg_last = 0;
	}
}

/* Follows an answer from its beginning through what is kept of it. */
__noinline int answer_begin(struct conn *c)
{
	if (!c)
		return 0;
	http_begin(&c->http[1], HTTP_LINE_REST);
	c->http[1].answer = 1;
	if (bpf_probe_read_kernel(c->req + ABI_REQ_HEAD_MAX, ABI_RSP_HEAD_MAX, c->rec.rsp))
		c->http[1].phase = HTTP_NONE;
	http_follow(c, 0, c->rec.rsp_len, 1, c->rec.rsp_len);
	return 0;
}

/* Of which all is kept so far needs not be followed: everybody can see it. Now it does. */
__noinline int answer_catch_up(struct conn *c)
{
	if (!c || c->http[1].phase != HTTP_NONE || c->rec.rsp_len != c->rec.rsp_total)
		return 0;
	if (!answer_looks(&c->rec) || !answer_has_body(c) || !answer_has(c, ANSWER_CHUNKED, 0x20))
		return 0;
	answer_begin(c);
	answer_tell(c);
	return 0;
}

/* Bytes of an answer that cannot be read: data counts by its length all the same. */
__noinline int answer_pass(struct conn *c, __u32 n)
{
	struct http_place *h;

	if (!c)
		return 0;
	h = &c->http[1];
	if (!answer_is_head(&c->rec)) /* no data follows a chunked head at once */
		answer_catch_up(c);
	if (http_in_data(h) && h->left >= n) {
		h->left -= n;
		if (!h->left)
			http_data_ends(h);
	} else {
		h->phase = HTTP_NONE;
	}
	answer_tell(c);
	return 0;
}

#endif
