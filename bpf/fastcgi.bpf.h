/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FastCGI's records in an answer, followed by their lengths across I/O: whether END_REQUEST is whole.
 * The last bytes alone do not tell: a page can look like it, and it can come in parts.
 */
#ifndef TARDY_FASTCGI_BPF_H
#define TARDY_FASTCGI_BPF_H
#include "sock.bpf.h"

#define FCGI_HEAD 8 /* version, type, id (2), length (2), padding, reserved */
#define FCGI_WINDOW 512 /* bytes that are read at once; a power of two */
#define FCGI_STEPS_MAX 4096 /* of one I/O: beyond it the place is lost */
#define FCGI_END 3 /* END_REQUEST */

/* One I/O of `n` bytes at `base`, and how far it was followed. The window is the unused upper half of
 * the room for the request's head. */
struct fcgi_walk {
	struct conn *c;
	__u64 base;
	__u32 n, off;
	__u32 window, window_len;
};

/* END_REQUEST, STDOUT, STDERR of the one request, and two that are about the connection. */
static __always_inline bool fcgi_is_ours(const struct fcgi_place *f, const __u8 *h)
{
	const __u32 types = 1 << FCGI_END | 1 << 6 | 1 << 7, management = 1 << 10 | 1 << 11;
	__u32 id = (__u32)h[2] << 8 | h[3], type = 1U << (h[1] & 31);

	if (h[0] != 1 || h[1] > 11 || (h[1] == FCGI_END && (h[4] || h[5] != 8)))
		return false;
	return id ? id == f->id && types & type : !!(management & type);
}

static int fcgi_step(__u32 i, struct fcgi_walk *w)
{
	struct conn *c = w->c;
	struct fcgi_place *f;
	__u32 have, idx;

	if (!c || w->off >= w->n)
		return 1;
	f = &c->fcgi;
	have = w->n - w->off;
	if (f->left) {
		if (f->left > have) {
			f->left -= have;
			w->off = w->n;
			return 1;
		}
		w->off += f->left;
		f->left = 0;
		c->rec.pg_last = f->head[1];
		return 0;
	}
	if (w->off >= w->window + w->window_len) {
		__u32 want = have < FCGI_WINDOW ? have : FCGI_WINDOW;

		asm volatile("%0 &= 1023" : "+r"(want));
		if (!want || want > FCGI_WINDOW ||
		    bpf_probe_read_user(c->req + ABI_REQ_HEAD_MAX, want,
					(void *)(w->base + w->off))) {
			f->on = 0;
			return 1;
		}
		w->window = w->off;
		w->window_len = want;
	}
	idx = ABI_REQ_HEAD_MAX + ((w->off - w->window) & (FCGI_WINDOW - 1));
	f->head[f->head_len & 7] = c->req[idx];
	f->head_len++;
	w->off++;
	c->rec.pg_last = 0;
	if (f->head_len < FCGI_HEAD)
		return 0;
	f->head_len = 0;
	f->left = ((__u32)f->head[4] << 8 | f->head[5]) + f->head[6];
	f->on = fcgi_is_ours(f, f->head);
	if (!f->left)
		c->rec.pg_last = f->head[1];
	return !f->on;
}

/* Follows n bytes of the answer at base. */
__noinline int fcgi_follow(struct conn *c, __u64 base, __u32 n)
{
	struct fcgi_walk w = { .c = c, .base = base, .n = n };

	if (!c)
		return 0;
	bpf_loop(FCGI_STEPS_MAX, fcgi_step, &w, 0);
	if (w.off < n)
		c->fcgi.on = 0;
	return 0;
}

/* Does a request's head begin with BEGIN_REQUEST? */
static __always_inline bool fcgi_looks(const __u8 *head)
{
	return head[0] == 1 && head[1] == 1 && head[4] == 0 && head[5] == 8;
}

/* An exchange begins. */
static __always_inline void fcgi_begin(struct conn *c)
{
	struct fcgi_place *f = &c->fcgi;

	f->on = 0;
	if (c->rec.req_len < FCGI_HEAD || !fcgi_looks(c->req))
		return;
	__builtin_memset(f, 0, sizeof(*f));
	f->id = (__u32)c->req[2] << 8 | c->req[3];
	f->on = 1;
	c->rec.flags |= XCHG_FRAMED;
}

#endif
