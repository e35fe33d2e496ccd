/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes of messages: the heads of both, and the last bytes of an answer, read from the user's
 * buffers of the system call that moves them. Each read of user memory costs more than all else
 * that an I/O does here, so there are as few as can be: one for the buffers' addresses when there
 * are several, one for the head, and one for the tail where the head does not have it already.
 */
#ifndef TARDY_TEXT_BPF_H
#define TARDY_TEXT_BPF_H
#include "fastcgi.bpf.h"
#include "http.bpf.h"
#include "pgsql.bpf.h"

#define REQ_MASK (ABI_REQ_HEAD_MAX - 1)
#define RSP_MASK (ABI_RSP_HEAD_MAX - 1)
#define IOVS_MAX 8 /* power of two */
#define ANSWER_BUFS_MAX 1024 /* of a call, as the kernel has it */
#define HEAD_ENOUGH 32 /* an answer's head ends with the first buffer this long */
#define LAST_CHUNK \
	5 /* "0\r\n\r\n", the end of a chunked body; 7 with the chunk's own end before it */
#define FAST_ANSWER_NS 200000ULL

/* The system call interface's own structs: they are not relocated. */
struct user_iovec {
	__u64 base, len;
};

#define USER_MSG_IOV 16 /* where struct user_msghdr has address and number of its buffers */

/* The user buffers of the system call that the current thread is in. */
struct user_bufs {
	struct user_iovec v[IOVS_MAX];
	__u32 n; /* of v */
	__u32 all; /* of the call, which are at `at` where v does not hold them */
	__u64 at;
};

/* Finds them; `ret` bytes were moved. Returns 0 when they are not known. */
static __always_inline int user_bufs_find(struct user_bufs *b, __u32 ret)
{
	struct pt_regs *regs = task_regs(bpf_get_current_task_btf());
	__s64 nr = REG_NR(regs);
	__u64 base = REG_ARG2(regs), iovs = REG_ARG3(regs);
	__u32 shape;

	if (!REG_IN_CALL(regs) || nr < 0 || nr >= ABI_SYSCALLS)
		return 0;
	shape = syscall_io[nr];
	if (shape == IO_BUF) {
		b->v[0].base = base;
		b->v[0].len = ret;
		b->n = b->all = 1;
		return 1;
	}
	if (shape == IO_NONE)
		return 0;
	/* keep clang from merging this load with that of msg, which the verifier refuses */
	asm volatile("" : "+r"(iovs), "+r"(base));
	if (shape == IO_MSG) {
		/* into the room for a buffer: the stack is short */
		if (bpf_probe_read_user(b->v, sizeof(b->v[0]), (void *)base + USER_MSG_IOV))
			return 0;
		base = b->v[0].base;
		iovs = b->v[0].len;
	}
	b->at = base;
	b->all = iovs;
	if (iovs > IOVS_MAX)
		iovs = IOVS_MAX;
	b->n = iovs;
	iovs *= sizeof(b->v[0]);
	asm volatile("%0 &= 255" : "+r"(iovs));
	if (!iovs || iovs > sizeof(b->v) || bpf_probe_read_user(b->v, iovs, (void *)base))
		return 0;
	return 1;
}

/* Both heads lie in struct conn; where byte `off` of turn `turn` goes. */
static __always_inline __u8 *head_at(struct conn *c, __u32 turn, __u32 off)
{
	if (turn == 0)
		return c->req + (off & REQ_MASK);
	return c->rec.rsp + (off & RSP_MASK);
}

/* Copies up to `want` bytes of one buffer; returns how many. */
static __always_inline __u32 head_from(struct conn *c, __u32 turn, __u32 off, __u32 want,
				       const struct user_iovec *from)
{
	__u32 max = turn == 0 ? ABI_REQ_HEAD_MAX : ABI_RSP_HEAD_MAX;
	__u32 n = from->len < want ? from->len : want;

	if (n > max)
		n = max;
	if (!n || bpf_probe_read_user(head_at(c, turn, off), n, (void *)from->base))
		return 0;
	return n;
}

/* A loop over further buffers is a bpf_loop(): its body is verified once. */
struct head_walk {
	struct conn *c;
	struct user_bufs *b;
	__u32 turn, off, want, done;
};

static int head_step(__u32 i, struct head_walk *w)
{
	struct user_bufs *b = w->b;
	struct user_iovec from;
	__u32 n;

	if (!b || i + 1 >= b->n || !w->want)
		return 1;
	from = b->v[(i + 1) & (IOVS_MAX - 1)];
	if (!from.len)
		return 0;
	n = head_from(w->c, w->turn, w->off + w->done, w->want, &from);
	w->done += n;
	w->want -= n;
	return !n || (w->turn == 1 && from.len >= HEAD_ENOUGH);
}

/* Appends what the buffers hold to the head of `turn`, `ret` bytes at most; returns how many. */
static __always_inline __u32 head_copy(struct conn *c, struct user_bufs *b, __u32 ret, __u32 turn)
{
	__u32 max = turn == 0 ? ABI_REQ_HEAD_MAX : ABI_RSP_HEAD_MAX;
	__u32 off = turn == 0 ? c->rec.req_len : c->rec.rsp_len, want, n;
	struct head_walk w;

	if (off >= max)
		return 0;
	want = ret < max - off ? ret : max - off;
	n = head_from(c, turn, off, want, &b->v[0]);
	if (n == want || b->n < 2 || (turn == 1 && n >= HEAD_ENOUGH))
		return n;
	w.c = c;
	w.b = b;
	w.turn = turn;
	w.off = off;
	w.want = want - n;
	w.done = n;
	bpf_loop(IOVS_MAX - 1, head_step, &w, 0);
	return w.done;
}

struct data_walk {
	__u64 from, xid, now;
	__u32 n, off, turn;
};

static int data_chunk(__u32 i, struct data_walk *w)
{
	struct rec_data *r;
	void *ring;
	__u32 n;

	if (!w->n || w->off >= ABI_DATA_MAX)
		return 1;
	n = w->n < ABI_DATA_CHUNK ? w->n : ABI_DATA_CHUNK;
	ring = ring_of_cpu();
	r = ring ? bpf_ringbuf_reserve(ring, sizeof(*r) + ABI_DATA_CHUNK, 0) : NULL;
	if (!r) {
		count(COUNTER_RING_DATA);
		return 1;
	}
	hdr_fill(&r->h, REC_DATA, sizeof(*r) + ABI_DATA_CHUNK, w->now);
	r->xid = w->xid;
	r->off = w->off;
	r->turn = w->turn;
	r->len = n;
	if (bpf_probe_read_user(r->bytes, n, (void *)w->from)) {
		r->len = 0;
		count(COUNTER_READ_HEAD);
	}
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	w->from += n;
	w->n -= n;
	w->off += n;
	return 0;
}

/* Bytes [off, off + n) of a turn's message, which are at `from`, in chunks. */
__noinline int data_emit(struct conn *c, __u64 from, __u32 n, __u32 off, __u32 turn)
{
	struct data_walk w = { .from = from, .n = n, .off = off, .turn = turn };

	if (!c)
		return 0;
	w.xid = c->rec.xid;
	w.now = bpf_ktime_get_ns();
	bpf_loop(ABI_DATA_MAX / ABI_DATA_CHUNK, data_chunk, &w, 0);
	return 0;
}

/* FastCGI and PostgreSQL need more than the head: parameters and statements are long. */
static __always_inline bool wants_data(const __u8 *head)
{
	return fcgi_looks(head) ||
	       ((head[0] == 'Q' || head[0] == 'P') && head[1] == 0 && head[2] <= 1);
}

/* More of an answer's head, from `skip` bytes into its first buffer of `have` bytes on. */
__noinline int answer_emit(struct conn *c, __u64 base, __u32 have, __u32 skip)
{
	void *ring = ring_of_cpu();
	struct rec_data *r;
	__u32 n = have - skip;

	if (!c)
		return 0;
	r = ring ? bpf_ringbuf_reserve(ring, sizeof(*r) + ABI_RSP_MORE, 0) : NULL;
	if (!r) {
		count(COUNTER_RING_DATA);
		return 0;
	}
	if (n > ABI_RSP_MORE)
		n = ABI_RSP_MORE;
	hdr_fill(&r->h, REC_DATA, sizeof(*r) + ABI_RSP_MORE, bpf_ktime_get_ns());
	r->xid = c->rec.xid;
	r->off = ABI_RSP_HEAD_MAX;
	r->turn = 1;
	r->len = n;
	if (bpf_probe_read_user(r->bytes, n, (void *)(base + skip))) {
		r->len = 0;
		count(COUNTER_READ_HEAD);
	}
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline void sat_add(__u32 *sum, __u32 n)
{
	*sum = *sum + n < *sum ? 0xffffffff : *sum + n;
}

static __always_inline void read_request(struct conn *c, struct user_bufs *b, __u32 ret)
{
	struct rec_xchg *x = &c->rec;
	__u32 n, total = x->req_total, have;

	sat_add(&x->req_total, ret);
	if (x->req_len != total && x->req_len < ABI_REQ_HEAD_MAX)
		return; /* a hole before: what follows would not fit */
	n = head_copy(c, b, ret, 0);
	if (!n && x->req_len < ABI_REQ_HEAD_MAX) {
		x->flags |= XCHG_NO_TEXT;
		count(COUNTER_READ_HEAD);
		return;
	}
	x->req_len += n;
	if (n == ret || total >= ABI_DATA_MAX || !wants_data(c->req))
		return;
	have = b->v[0].len < ret ? b->v[0].len : ret;
	if (have > n)
		data_emit(c, b->v[0].base + n, have - n, total + n, 0);
}

/* Narrows *last to the used part of the last buffer of `ret` bytes in all. */
static __always_inline bool last_buf(struct user_bufs *b, __u32 ret, struct user_iovec *last)
{
	__u64 left = ret;

	for (__u32 i = 0; i < IOVS_MAX; i++) {
		if (i >= b->n)
			break;
		if (b->v[i].len >= left) {
			last->base = b->v[i].base;
			last->len = left;
			return true;
		}
		left -= b->v[i].len;
	}
	return false; /* it lies beyond those that are looked at */
}

/* Is the tail of no use? HTTP has its end in the tail only when its body is chunked. An answer that
 * came at once is a file, whose length the head says, or ends with a buffer of its own. Behind an
 * interim answer's long head the final one may follow. */
static __always_inline bool tail_is_useless(struct rec_xchg *x, __u64 last_len, __u64 now)
{
	if ((x->flags & XCHG_FRAMED && x->rsp[0] == 1) || x->flags & XCHG_ANSWER_FRAMED)
		return true; /* FastCGI's records were followed, or HTTP's chunks */
	return x->rsp[0] == 'H' && x->rsp[9] != '1' && x->turn[1].ops == 1 &&
	       last_len != LAST_CHUNK && last_len != LAST_CHUNK + 2 &&
	       now - x->turn[0].last_ns < FAST_ANSWER_NS;
}

/* Moves what is kept of the last bytes to make room for n new ones; returns how many stay. */
static __always_inline __u32 tail_roll(struct rec_xchg *x, __u32 n)
{
	__u32 had = x->tail_len, keep = ABI_TAIL - n;

	if (keep >= had)
		return had;
	asm volatile("%0 &= 15" : "+r"(keep));
	asm volatile("%0 &= 31" : "+r"(had));
	if (bpf_probe_read_kernel(x->tail, keep, x->tail + ((had - keep) & 15)))
		return 0;
	return keep;
}

/* The last bytes of the answer so far, as far as they lie in one buffer; those of an I/O that is
 * shorter follow those of the one before. */
static __always_inline void tail_copy(struct rec_xchg *x, struct user_bufs *b, __u32 ret)
{
	struct user_iovec last;
	__u32 n, keep = 0;

	if (!last_buf(b, ret, &last) || tail_is_useless(x, last.len, x->turn[1].last_ns)) {
		x->tail_len = 0;
		return;
	}
	n = last.len > ABI_TAIL ? ABI_TAIL : last.len;
	last.base += last.len - n;
	if (ret < ABI_TAIL && last.len == ret && x->tail_len)
		keep = tail_roll(x, n);
	x->tail_len = 0;
	asm volatile("%0 &= 31" : "+r"(n));
	asm volatile("%0 &= 15" : "+r"(keep));
	if (n && n <= ABI_TAIL && !bpf_probe_read_user(x->tail + keep, n, (void *)last.base))
		x->tail_len = keep + n;
}

/* Walks through the buffers of an I/O of an answer, all of them: some servers have several for each
 * chunk. */
struct answer_walk {
	struct conn *c;
	struct user_bufs *b;
	__u32 ret, skip, off;
};

static int answer_step(__u32 i, struct answer_walk *w)
{
	struct user_bufs *b = w->b;
	struct conn *c = w->c;
	struct user_iovec from;
	__u32 n, at;

	if (!b || !c || i >= b->all || w->off >= w->ret || !http_is_followed(&c->http[1]))
		return 1;
	from = b->v[i & (IOVS_MAX - 1)];
	if (i >= IOVS_MAX &&
	    bpf_probe_read_user(&from, sizeof(from), (void *)(b->at + i * sizeof(from))))
		return 1;
	n = from.len < w->ret - w->off ? from.len : w->ret - w->off;
	at = w->off < w->skip ? w->skip - w->off : 0;
	if (at < n)
		http_follow(c, from.base + at, n - at, 1, 0);
	w->off += n;
	return 0;
}

/* An I/O of `ret` bytes of an answer that is followed, from `skip` on. */
__noinline int answer_read(struct conn *c, struct user_bufs *b, __u32 ret, __u32 skip)
{
	struct answer_walk w = { .c = c, .b = b, .ret = ret, .skip = skip };

	if (!c || !b)
		return 0;
	bpf_loop(ANSWER_BUFS_MAX, answer_step, &w, 0);
	if (w.off < ret && c->http[1].phase != HTTP_DONE)
		c->http[1].phase = HTTP_NONE; /* bytes were missed */
	return 0;
}

/* An answer goes beyond what is kept of it with this I/O, n bytes of which are kept. More of its head,
 * if that is longer; and is it to be followed? Answers with a length in sight are not. Returns how many
 * bytes of this I/O were. */
__noinline int answer_first(struct conn *c, struct user_bufs *b, __u32 ret, __u32 n)
{
	__u32 have, skip = n;
	bool whole, longer;

	if (!c || !b)
		return 0;
	have = b->v[0].len < ret ? b->v[0].len : ret;
	whole = answer_head_is_whole(c);
	longer = !whole && n && n < have;
	if (longer)
		answer_emit(c, b->v[0].base, have, n);
	longer = longer && have - n > ABI_RSP_MORE;
	if (!answer_has(c, ANSWER_CHUNKED, 0x20) &&
	    (whole || (!longer && answer_has(c, ANSWER_LENGTH, 0x20))))
		return 0;
	answer_begin(c);
	if (longer) {
		http_follow(c, b->v[0].base + n, ABI_RSP_MORE, 1, 0);
		skip += ABI_RSP_MORE;
		have -= skip;
		if (http_in_head(&c->http[1]))
			data_emit(c, b->v[0].base + skip,
				  have < ABI_DATA_CHUNK ? have : ABI_DATA_CHUNK,
				  ABI_RSP_HEAD_MAX + ABI_RSP_MORE, 1);
	}
	if (!answer_has_body(c))
		c->http[1].phase = HTTP_NONE;
	return skip;
}

static __always_inline void read_response(struct conn *c, struct user_bufs *b, __u32 ret)
{
	struct rec_xchg *x = &c->rec;
	bool kept = x->rsp_len == x->rsp_total; /* all of it so far */
	__u32 n = 0, skip = 0;

	if (kept && x->rsp_len < ABI_RSP_HEAD_MAX)
		n = head_copy(c, b, ret, 1);
	x->rsp_len += n;
	sat_add(&x->rsp_total, ret);
	if (!http_is_followed(&c->http[1]) && kept && n < ret && answer_looks(x) &&
	    (answer_may_chunk(c) || !answer_head_is_whole(c)))
		skip = answer_first(c, b, ret, n);
	if (http_is_followed(&c->http[1]))
		answer_read(c, b, ret, skip);
	answer_tell(c);
	tail_copy(x, b, ret);
}

/* An I/O of `ret` bytes of a PostgreSQL connection. */
__noinline int pg_read(struct conn *c, struct user_bufs *b, __u32 ret, __u32 turn)
{
	__u32 left = ret;

	if (!c || !b)
		return 0;
	for (__u32 i = 0; i < IOVS_MAX; i++) {
		__u32 n;

		if (i >= b->n || !left || !c->pg.on)
			break;
		n = b->v[i].len < left ? b->v[i].len : left;
		pg_follow(c, b->v[i].base, n, turn);
		left -= n;
	}
	if (left || !c->pg.on)
		pg_lost(c);
	return 0;
}

/* An I/O of `ret` bytes of a FastCGI answer. */
__noinline int fcgi_read(struct conn *c, struct user_bufs *b, __u32 ret)
{
	__u32 left = ret;

	if (!c || !b)
		return 0;
	for (__u32 i = 0; i < IOVS_MAX; i++) {
		__u32 n;

		if (i >= b->n || !left || !c->fcgi.on)
			break;
		n = b->v[i].len < left ? b->v[i].len : left;
		fcgi_follow(c, b->v[i].base, n);
		left -= n;
	}
	if (left)
		c->fcgi.on = 0;
	if (!c->fcgi.on)
		c->rec.flags &= ~(__u32)XCHG_FRAMED;
	return 0;
}

/* The `ret` bytes that the current system call moves, from `skip` on, of the side that asks, whose
 * request is followed; `kept` of them are in c->req. Returns how many were this request's, `skip`
 * included. */
__noinline int http_read(struct conn *c, __u32 ret, __u32 skip, __u32 kept)
{
	struct user_bufs b;
	__u32 off = 0;

	if (!c)
		return 0;
	if (!user_bufs_find(&b, ret))
		b.n = 0;
	for (__u32 i = 0; i < IOVS_MAX; i++) {
		__u32 n, at;

		if (i >= b.n || off >= ret || !http_is_followed(&c->http[0]))
			break;
		n = b.v[i].len < ret - off ? b.v[i].len : ret - off;
		at = off < skip ? skip - off : 0;
		if (at < n)
			n = at + http_follow(c, b.v[i].base + at, n - at, 0, i ? 0 : kept);
		off += n;
	}
	if (off < ret && c->http[0].phase != HTTP_DONE)
		c->http[0].phase = HTTP_NONE; /* bytes were missed */
	return off;
}

/* Takes the first `skip` bytes, which are of the request before, off the first buffer. */
static __always_inline void bufs_skip(struct user_bufs *b, __u32 skip)
{
	if (b->v[0].len > skip) {
		b->v[0].base += skip;
		b->v[0].len -= skip;
	} else {
		b->n = 0; /* of no known server's reads */
		b->v[0].len = 0;
	}
}

/* What the server sends of its own accord. */
__noinline int text_pass(struct conn *c, __u32 ret)
{
	struct user_bufs b;

	if (!c)
		return 0;
	if (user_bufs_find(&b, ret))
		pg_read(c, &b, ret, 1);
	else
		c->pg.on = 0;
	return 0;
}

/* Takes what is wanted of the text of an I/O of `ret` bytes, by the current system call; after the
 * turn's times were brought up to date. Of the first I/O of a request c->skip bytes are not its. */
__noinline int text_read(struct conn *c, __u32 ret, __u32 turn)
{
	struct user_bufs b;

	if (!c)
		return 0;
	/* another answer, but for one that goes on while more of its request's body comes */
	if (turn && c->rec.turn[1].ops == 1 &&
	    !(c->rec.flags & XCHG_BODY && http_is_followed(&c->http[1])))
		c->http[1].phase = HTTP_NONE;
	if (!user_bufs_find(&b, ret)) {
		count(COUNTER_NO_TEXT);
		pg_lost(c);
		c->fcgi.on = 0;
		c->http[0].phase = HTTP_NONE;
		if (turn == 0) {
			c->rec.flags |= XCHG_NO_TEXT;
			sat_add(&c->rec.req_total, ret);
		} else {
			answer_pass(c, ret);
			sat_add(&c->rec.rsp_total, ret);
			c->rec.tail_len = 0;
		}
		return 0;
	}
	if (turn == 0) {
		if (c->skip && c->skip < ret) {
			bufs_skip(&b, c->skip);
			ret -= c->skip;
		}
		read_request(c, &b, ret);
		if (c->rec.turn[0].ops == 1)
			fcgi_begin(c);
	} else {
		if (c->fcgi.on)
			fcgi_read(c, &b, ret);
		read_response(c, &b, ret);
	}
	if (!turn && c->rec.turn[0].ops == 1) {
		pg_begin(c);
		if (c->pg.on)
			c->rec.flags |= XCHG_FRAMED;
	}
	if (c->pg.on)
		pg_read(c, &b, ret, turn);
	else if (!c->fcgi.on)
		pg_lost(c);
	return 0;
}

/* Does what the current system call sends begin with a status line? */
__noinline int text_is_status_line(struct conn *c)
{
	struct user_bufs b;
	__u8 head[8] = {};

	if (!c || !user_bufs_find(&b, 0))
		return 0;
	if (bpf_probe_read_user(head, 7, (void *)b.v[0].base))
		return 0;
	return head[0] == 'H' && head[1] == 'T' && head[2] == 'T' && head[3] == 'P' &&
	       head[4] == '/' && head[5] == '1' && head[6] == '.';
}

/* Does it begin another answer? Not where the framing of the one before says that it goes on. What was
 * pipelined may have been HEAD, whose answer only looks as if it did. */
__noinline int text_begins_answer(struct conn *c)
{
	if (!c || (http_is_followed(&c->http[1]) && !(c->rec.flags & XCHG_PIPELINED)) ||
	    !text_is_status_line(c))
		return 0;
	answer_catch_up(c);
	return !http_in_data(&c->http[1]);
}

/* ---- what turns are no requests of ---- */

#define HTTP2_PREFACE 24 /* "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" */
#define HTTP2_HEAD 9 /* of a frame: length (3), type, flags, stream (4) */
#define FRAMES_LOOK 64 /* longer I/O has more than frames of the connection itself */
#define FRAMES_MANY 6

struct frames {
	__u8 at[FRAMES_LOOK + 16];
	__u32 len;
};

/* Are these whole HTTP/2 frames that concern the connection or its windows only? */
__noinline int frames_are_control(struct frames *f)
{
	const __u32 types = 1 << 2 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 8;
	__u32 at = 0, i;

	if (!f)
		return 0;
	for (i = 0; i < FRAMES_MANY && at + HTTP2_HEAD <= f->len; i++) {
		const __u8 *head = f->at + (at & (FRAMES_LOOK - 1));

		if (head[0] || head[1] || head[3] > 8 || !(types >> head[3] & 1))
			return 0;
		at += HTTP2_HEAD + head[2];
	}
	return at && at == f->len;
}

/* The same of the `ret` bytes, FRAMES_LOOK at most, that the current system call moves. */
__noinline int text_is_control(__u32 ret)
{
	struct frames f = { .len = ret };
	struct user_bufs b;

	if (ret > FRAMES_LOOK || !user_bufs_find(&b, ret) || b.v[0].len < ret)
		return 0;
	asm volatile("%0 &= 127" : "+r"(ret));
	if (ret > FRAMES_LOOK || bpf_probe_read_user(f.at, ret, (void *)b.v[0].base))
		return 0;
	return frames_are_control(&f);
}

#define PROXY_LINE_MAX 107 /* of a PROXY header, version 1 */
#define PROXY_HEAD 16 /* of version 2: a signature (12), version, family, length (2) */

/* Length of a line at the beginning of what is kept of a request, 0: too long for a PROXY header. */
__noinline int text_first_line(struct conn *c)
{
	if (!c)
		return 0;
	for (__u32 i = 0; i < PROXY_LINE_MAX; i++)
		if (c->req[i] == '\n')
			return i + 1;
	return 0;
}

/* Bytes of a PROXY header in front of what is kept of a request, as it says itself; 0: there is none. */
__noinline int text_proxy_head(struct conn *c)
{
	const __u32 prox = 0x584f5250; /* little endian */
	__u32 first;

	if (!c || c->rec.req_len < PROXY_HEAD)
		return 0;
	first = *(const __u32 *)c->req;
	if (first == prox)
		return text_first_line(c);
	if (first == EMPTY_LINE && !c->req[4])
		return PROXY_HEAD + ((__u32)c->req[14] << 8 | c->req[15]);
	return 0;
}

/* Where HTTP/2's preface ends, which may be behind a PROXY header; 0: there is none. */
__noinline int text_preface_end(struct conn *c)
{
	const __u32 pri = 0x20495250, star = 0x5448202a; /* "PRI * HT", little endian */
	__u32 at;

	if (!c)
		return 0;
	at = text_proxy_head(c);
	if (at + HTTP2_PREFACE > c->rec.req_len || at > ABI_REQ_HEAD_MAX - HTTP2_PREFACE)
		return 0;
	if (*(const __u32 *)(c->req + at) != pri || *(const __u32 *)(c->req + at + 4) != star)
		return 0;
	return at + HTTP2_PREFACE;
}

/* May it be there, at the connection's beginning? */
static __always_inline bool text_may_be_preface(const struct conn *c)
{
	return c->req[0] == 'P' ? c->req[1] == 'R' : c->req[0] == '\r';
}

/* Is what follows the preface, which ends at `end`, such frames or nothing? `len` bytes of it. */
__noinline int text_preface_only(struct conn *c, __u32 end, __u32 len)
{
	struct frames f = { .len = len };

	if (!c || len > FRAMES_LOOK || end > ABI_REQ_HEAD_MAX)
		return 0;
	if (!len)
		return 1;
	if (bpf_probe_read_kernel(f.at, FRAMES_LOOK, c->req + end))
		return 0;
	return frames_are_control(&f);
}

/* Does the answer say that HTTP/1 ends with it? "101", or a 2xx to CONNECT. */
static __always_inline bool text_is_upgrade(const struct conn *c)
{
	const __u8 *a = c->rec.rsp, *q = c->req;

	if (c->rec.rsp_len < 12 || a[0] != 'H' || a[4] != '/')
		return false;
	if (a[9] == '1' && a[10] == '0' && a[11] == '1')
		return true;
	return a[9] == '2' && q[0] == 'C' && q[1] == 'O' && q[2] == 'N' && q[3] == 'N';
}

#endif
