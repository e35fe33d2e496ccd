/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FastCGI's records in an answer, followed by their lengths across I/O: whether END_REQUEST is whole.
 * The last bytes alone do not tell: a page can look like it, and it can come in parts.
 */
#ifndef TARDY_FASTCGI_BPF_H
#define TARDY_FASTCGI_BPF_H
#include "walk.bpf.h"

#define FCGI_HEAD 8 /* version, type, id (2), length (2), padding, reserved */
#define FCGI_END 3 /* END_REQUEST */

/* END_REQUEST, STDOUT, STDERR of the one request, and two that are about the connection. */
static __always_inline bool fcgi_is_ours(const struct fcgi_place *f, const __u8 *h)
{
	const __u32 types = 1 << FCGI_END | 1 << 6 | 1 << 7, management = 1 << 10 | 1 << 11;
	__u32 id = (__u32)h[2] << 8 | h[3], type = 1U << (h[1] & 31);

	if (h[0] != 1 || h[1] > 11 || (h[1] == FCGI_END && (h[4] || h[5] != 8)))
		return false;
	return id ? id == f->id && types & type : !!(management & type);
}

static int fcgi_step(__u32 i, struct walk *w)
{
	struct conn *c = w->c;
	struct fcgi_place *f;

	if (!c || w->off >= w->n)
		return 1;
	f = &c->fcgi;
	if (f->left) {
		if (!walk_pass(w, &f->left))
			return 1;
		c->rec.pg_last = f->head[1];
		return 0;
	}
	if (!walk_look(w, c, 1)) {
		f->on = 0;
		return 1;
	}
	f->head[f->head_len & 7] = c->req[walk_at(w)];
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
	struct walk w = { .c = c, .base = base, .n = n };

	if (!c)
		return 0;
	bpf_loop(WALK_STEPS_MAX, fcgi_step, &w, 0);
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
