/* SPDX-License-Identifier: GPL-2.0-only */
/* Walking through the bytes of an I/O, of which only some are looked at: heads of messages. */
#ifndef TARDY_WALK_BPF_H
#define TARDY_WALK_BPF_H
#include "sock.bpf.h"

#define WALK_WINDOW 512 /* bytes that are read at once; a power of two */
#define WALK_STEPS_MAX 4096 /* of one I/O: beyond it the place is lost */

/* One I/O of `n` bytes at `base`, and how far it was followed. The window is the unused upper half of
 * the room for the request's head. */
struct walk {
	struct conn *c;
	__u64 base;
	__u32 n, off, turn;
	__u32 window, window_len;
};

/* Passes what is left of a message, all of it if that is true. */
static __always_inline bool walk_pass(struct walk *w, __u32 *left)
{
	__u32 have = w->n - w->off;

	if (*left > have) {
		*left -= have;
		w->off = w->n;
		return false;
	}
	w->off += *left;
	*left = 0;
	return true;
}

/* Makes `need` of the next bytes readable, or all that there are; false: the memory is not. */
static __always_inline bool walk_look(struct walk *w, struct conn *c, __u32 need)
{
	__u32 want = w->n - w->off;

	if (w->off + need <= w->window + w->window_len)
		return true;
	if (want > WALK_WINDOW)
		want = WALK_WINDOW;
	asm volatile("%0 &= 1023" : "+r"(want));
	if (!want || want > WALK_WINDOW ||
	    bpf_probe_read_user(c->req + ABI_REQ_HEAD_MAX, want, (void *)(w->base + w->off)))
		return false;
	w->window = w->off;
	w->window_len = want;
	return true;
}

/* Where the next byte is in c->req. */
static __always_inline __u32 walk_at(const struct walk *w)
{
	return ABI_REQ_HEAD_MAX + ((w->off - w->window) & (WALK_WINDOW - 1));
}

#endif
