/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Socket side: groups the I/O of a connection into exchanges. An exchange is two turns (an
 * accepted connection receives, then sends; a connected one sends, then receives) and leaves as
 * one record when the next one begins, when the connection closes, or when the sweep finds it
 * changed. Unix sockets die without a hook, so theirs leave early, see leave_early().
 *
 * The record is built in place inside the connection's storage and copied out whole.
 */
#ifndef TARDY_SOCK_BPF_H
#define TARDY_SOCK_BPF_H
#include <bpf/bpf_endian.h>
#include "thread.bpf.h"

#define REQ_MASK (ABI_REQ_HEAD_MAX - 1)
#define RSP_MASK (ABI_RSP_HEAD_MAX - 1)
#define IOVS_MAX 6

enum verdict { UNDECIDED, TRACKED, IGNORED };

struct conn {
	__u64 ready_ns; /* arrival of the first unread byte, 0 = not known */
	__u32 seen; /* TCP: rcv_nxt at the last arrival */
	__u8 seen_init;
	__u8 verdict; /* enum verdict */
	__u8 active; /* an exchange is in rec */
	__u8 dirty; /* rec has changed since it was last written out */
	__u8 open_out; /* rec was last written out as XCHG_OPEN */
	__u8 fin; /* the peer has shut down its side */
	__u8 reserved;
	__u32 busy; /* an I/O is being recorded */
	/* what rec_net tells of the exchange */
	__u64 connect_ns, gap_max_ns;
	__u32 gaps, retransmits;
	__u32 window_before, window_now; /* jiffies that the peer's window was full: TCP's sum */
	__u8 net_told; /* the round trip of this connection has been told */
	struct rec_xchg rec;
	__u8 req[2 * ABI_REQ_HEAD_MAX]; /* tail of rec; twice the size for the verifier's sake */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct conn);
} conns SEC(".maps");

/* ---- what is known of a socket ---------------------------------------------------------- */

static __always_inline bool unix_is_accepted(struct unix_sock *u)
{
	struct unix_address *addr = u->addr;

	/* an accepted socket shares the address of its listener */
	return addr && addr->refcnt.refs.counter > 1;
}

/* The address that the peer is bound to; NULL for a socketpair's. */
static __always_inline struct unix_address *unix_peer_addr(struct unix_sock *u)
{
	struct unix_sock *peer = (struct unix_sock *)u->peer;

	return peer ? BPF_CORE_READ(peer, addr) : NULL;
}

static __always_inline void unix_path(struct unix_address *addr, __u8 *out)
{
	__u32 len;

	if (!addr)
		return;
	len = BPF_CORE_READ(addr, len); /* of sun_family and the path with its NUL */
	/* the last 31 bytes say which socket it is */
	if (len > 34 && len < 256)
		bpf_probe_read_kernel(out, 32, (__u8 *)&addr->name[0] + len - 32);
	else if (len > 2)
		bpf_probe_read_kernel(out, 32, (__u8 *)&addr->name[0] + 2);
	out[31] = 0;
}

static __always_inline void conn_fill_address(struct rec_xchg *x, struct sock *sk)
{
	struct unix_sock *u;

	x->family = sk->__sk_common.skc_family;
	x->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	x->sk = (__u64)sk;
	if (x->family == AF_UNIX) {
		u = bpf_skc_to_unix_sock(sk);
		if (!u)
			return;
		x->peer_sk = (__u64)u->peer;
		unix_path(u->addr ? u->addr : unix_peer_addr(u), x->laddr);
		return;
	}
	x->lport = sk->__sk_common.skc_num;
	x->rport = bpf_ntohs(sk->__sk_common.skc_dport);
	if (x->family == AF_INET) {
		*(__u32 *)x->laddr = sk->__sk_common.skc_rcv_saddr;
		*(__u32 *)x->raddr = sk->__sk_common.skc_daddr;
	} else {
		BPF_CORE_READ_INTO(&x->laddr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&x->raddr, sk, __sk_common.skc_v6_daddr);
	}
}

static __always_inline struct conn *conn_make(struct sock *sk, enum role role)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!c) {
		count(COUNTER_CONN_STORAGE);
		return NULL;
	}
	if (c->rec.conn)
		return c; /* another CPU was first */
	c->rec.conn = new_xid();
	c->rec.role = role;
	conn_fill_address(&c->rec, sk);
	return c;
}

/* Whether the process that does I/O on an accepted connection is to be observed. */
static __always_inline bool conn_decide(struct conn *c, __u32 tgid)
{
	bool yes = process_selected(tgid);

	if (!yes && n_ports && c->rec.family != AF_UNIX && tgid != self_tgid)
		yes = port_selected(c->rec.lport);
	c->verdict = yes ? TRACKED : IGNORED;
	return yes;
}

/* ---- records out ------------------------------------------------------------------------ */

#define TCP_CHRONO_WINDOW 1 /* place of "limited by the peer's window" in tcp_sock's chrono_stat */
#define NET_SLOW_NS 10000000ULL /* a window that was full is looked for in sends this long */
#define NET_RTT_US 500 /* shorter round trips are those of this host */

/* Sends rec_net if there is anything to tell: beside the exchange, whose record it precedes. */
static __always_inline void net_emit(struct conn *c, __u64 now)
{
	struct rec_xchg *x = &c->rec;
	struct tcp_sock *tp = x->family == AF_UNIX ? NULL : (struct tcp_sock *)x->sk;
	bool slow = x->role == ROLE_ACCEPTED &&
		    x->turn[1].last_ns > x->turn[0].last_ns + NET_SLOW_NS;
	__u32 window = 0, srtt = 0;
	struct rec_net *r;
	void *ring;

	if (tp && slow) {
		c->window_now = BPF_CORE_READ(tp, chrono_stat[TCP_CHRONO_WINDOW]);
		window = c->window_now - c->window_before;
	}
	if (tp && !c->net_told && (x->role == ROLE_CONNECTED || slow)) {
		c->net_told = 1;
		srtt = BPF_CORE_READ(tp, srtt_us) >> 3;
		if (srtt < NET_RTT_US)
			srtt = 0;
	}
	if (!srtt && !window && !c->retransmits && !c->connect_ns &&
	    c->gap_max_ns < ABI_GAP_MS * 1000000ULL)
		return;
	ring = ring_of_cpu();
	r = ring ? bpf_ringbuf_reserve(ring, sizeof(*r), 0) : NULL;
	if (!r) {
		count(COUNTER_RING_DETAIL);
		return;
	}
	hdr_fill(&r->h, REC_NET, sizeof(*r), now);
	r->xid = x->xid;
	r->conn = x->conn;
	r->connect_ns = c->connect_ns;
	r->peer_window_ns = window * jiffy_ns;
	r->gap_max_ns = c->gap_max_ns;
	r->srtt_us = tp ? BPF_CORE_READ(tp, srtt_us) >> 3 : 0;
	r->rttvar_us = tp ? BPF_CORE_READ(tp, mdev_us) >> 2 : 0;
	r->retransmits = c->retransmits;
	r->gaps = c->gaps;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

/* A new exchange: what rec_net tells begins anew. */
static __always_inline void net_reset(struct conn *c)
{
	c->connect_ns = 0;
	c->gap_max_ns = 0;
	c->gaps = 0;
	c->retransmits = 0;
	c->window_before = c->window_now;
}

/* Global functions from here on: verified once, not at each place that calls them. */
__noinline int conn_emit(struct conn *c, __u32 flags, __u64 now)
{
	void *ring = ring_of_cpu();
	__u32 len;

	if (!ring || !c)
		return 0;
	net_emit(c, now);
	len = c->rec.req_len;
	asm volatile("%0 &= 2047" : "+r"(len));
	c->rec.flags = (c->rec.flags & ~(XCHG_OPEN | XCHG_CLOSED)) | flags;
	hdr_fill(&c->rec.h, REC_XCHG, sizeof(c->rec) + len, now);
	if (bpf_ringbuf_output(ring, &c->rec, sizeof(c->rec) + len, BPF_RB_NO_WAKEUP)) {
		count(COUNTER_RING_XCHG); /* dirty stays: the sweep tries again */
		return 0;
	}
	c->dirty = 0;
	c->open_out = (flags & XCHG_OPEN) != 0;
	return 0;
}

/* ---- bytes of messages ------------------------------------------------------------------ */

/* The system call interface's own structs: they are not relocated. */
struct user_iovec {
	__u64 base, len;
};

struct user_msg {
	__u64 name, name_len, iov, iov_len;
};

/* The user buffers of the system call that the current thread is in. */
struct user_bufs {
	__u64 base; /* IO_BUF: the buffer; else the iovec */
	__u32 count; /* iovecs; 0 = a plain buffer */
};

__noinline int user_bufs_find(struct user_bufs *b)
{
	struct pt_regs *regs = task_regs(bpf_get_current_task_btf());
	struct user_msg msg = {};
	__s64 nr = REG_NR(regs);
	__u64 base = REG_ARG2(regs), iovs = REG_ARG3(regs);
	__u32 shape;

	if (!b || !REG_IN_CALL(regs) || nr < 0 || nr >= ABI_SYSCALLS)
		return 0;
	shape = syscall_io[nr];
	if (shape == IO_NONE)
		return 0;
	/* keep clang from merging this load with that of msg, which the verifier refuses */
	asm volatile("" : "+r"(iovs), "+r"(base));
	if (shape == IO_BUF)
		iovs = 0;
	if (shape == IO_MSG) {
		if (bpf_probe_read_user(&msg, sizeof(msg), (void *)base))
			return 0;
		base = msg.iov;
		iovs = msg.iov_len;
	}
	b->base = base;
	b->count = iovs;
	return 1;
}

/* Both heads lie in struct conn; where the next byte of turn `turn` goes, and how much fits. */
static __always_inline __u8 *head_at(struct conn *c, __u32 turn, __u32 off)
{
	if (turn == 0)
		return c->req + (off & REQ_MASK);
	return c->rec.rsp + (off & RSP_MASK);
}

/* Loops over buffers are bpf_loop()s: their bodies are verified once. */
struct iov_walk {
	struct conn *c;
	__u64 iovec;
	__u32 iovs, turn;
	__u32 off, want, done; /* bytes of the head */
	__u64 base; /* the last used buffer and how much of it */
	__u32 len, left;
};

static int head_from_iov(__u32 i, struct iov_walk *w)
{
	struct user_iovec iov;
	__u32 n, max = w->turn == 0 ? ABI_REQ_HEAD_MAX : ABI_RSP_HEAD_MAX;

	if (i >= w->iovs || !w->want ||
	    bpf_probe_read_user(&iov, sizeof(iov), (void *)(w->iovec + i * sizeof(iov))))
		return 1;
	n = iov.len < w->want ? iov.len : w->want;
	if (n > max)
		n = max;
	if (n && bpf_probe_read_user(head_at(w->c, w->turn, w->off + w->done), n, (void *)iov.base))
		return 1;
	w->done += n;
	w->want -= n;
	return 0;
}

/* Copies up to `want` bytes from the iovec to the head of `turn` behind what is there; returns
 * how many. */
__noinline int head_from_iovs(struct conn *c, __u64 iovec, __u32 iovs, __u32 want, __u32 turn)
{
	struct iov_walk w = { .c = c, .iovec = iovec, .iovs = iovs, .turn = turn };

	if (!c)
		return 0;
	w.want = want;
	w.off = turn == 0 ? c->rec.req_len : c->rec.rsp_len;
	bpf_loop(IOVS_MAX, head_from_iov, &w, 0);
	return w.done;
}

static __always_inline __u32 head_copy(struct conn *c, struct user_bufs *b, __u32 ret, __u32 turn)
{
	__u32 max = turn == 0 ? ABI_REQ_HEAD_MAX : ABI_RSP_HEAD_MAX;
	__u32 off = turn == 0 ? c->rec.req_len : c->rec.rsp_len, n;

	if (off >= max)
		return 0;
	n = ret < max - off ? ret : max - off;
	if (b->count)
		return head_from_iovs(c, b->base, b->count, n, turn);
	if (n > max)
		n = max;
	if (!n || bpf_probe_read_user(head_at(c, turn, off), n, (void *)b->base))
		return 0;
	return n;
}

static int last_iov(__u32 i, struct iov_walk *w)
{
	struct user_iovec iov;

	if (i >= w->iovs || !w->left)
		return 1;
	if (bpf_probe_read_user(&iov, sizeof(iov), (void *)(w->iovec + i * sizeof(iov))))
		return 1;
	if (!iov.len)
		return 0;
	w->base = iov.base;
	w->len = iov.len < w->left ? iov.len : w->left;
	w->left -= w->len;
	return 0;
}

/* Narrows *b, an iovec of which `ret` bytes were used, to its last used buffer; returns how many
 * bytes of it, 0 when there are more buffers than are looked at. */
__noinline int last_buf(struct user_bufs *b, __u32 ret)
{
	struct iov_walk w = { .left = ret };

	if (!b)
		return 0;
	w.iovec = b->base;
	w.iovs = b->count;
	bpf_loop(IOVS_MAX, last_iov, &w, 0);
	if (w.left)
		return 0;
	b->base = w.base;
	b->count = 0;
	return w.len;
}

/* The last bytes of an I/O of `ret` bytes, as far as they lie in its last buffer. */
static __always_inline __u8 tail_copy(struct user_bufs *b, __u32 ret, __u8 *dst)
{
	__u32 n = b->count ? last_buf(b, ret) : ret;
	__u64 base = b->base;

	if (n > ABI_TAIL) {
		base += n - ABI_TAIL;
		n = ABI_TAIL;
	}
	n &= 31;
	if (n > ABI_TAIL || !n || bpf_probe_read_user(dst, n, (void *)base))
		return 0;
	return n;
}

struct data_walk {
	__u64 base, xid, now;
	__u32 have, skip, off;
};

static int data_chunk(__u32 i, struct data_walk *w)
{
	struct rec_data *r;
	void *ring;
	__u32 n;

	if (w->skip >= w->have || w->off >= ABI_DATA_MAX)
		return 1;
	n = w->have - w->skip;
	if (n > ABI_DATA_CHUNK)
		n = ABI_DATA_CHUNK;
	ring = ring_of_cpu();
	r = ring ? bpf_ringbuf_reserve(ring, sizeof(*r) + ABI_DATA_CHUNK, 0) : NULL;
	if (!r) {
		count(COUNTER_RING_DATA);
		return 1;
	}
	hdr_fill(&r->h, REC_DATA, sizeof(*r) + ABI_DATA_CHUNK, w->now);
	r->xid = w->xid;
	r->off = w->off;
	r->turn = 0;
	r->len = n;
	if (bpf_probe_read_user(r->bytes, n, (void *)(w->base + w->skip))) {
		r->len = 0;
		count(COUNTER_READ_HEAD);
	}
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	w->skip += n;
	w->off += n;
	return 0;
}

/* Bytes [off, ...) of a message, which start `skip` bytes into its first buffer of `have` bytes, in
 * chunks. Only the request direction has them. */
__noinline int data_emit(struct conn *c, __u64 base, __u32 have, __u32 skip, __u32 off)
{
	struct data_walk w = { .base = base };

	if (!c)
		return 0;
	w.xid = c->rec.xid;
	w.now = bpf_ktime_get_ns();
	w.have = have;
	w.skip = skip;
	w.off = off;
	bpf_loop(ABI_DATA_MAX / ABI_DATA_CHUNK, data_chunk, &w, 0);
	return 0;
}

/* FastCGI and PostgreSQL need more than the head: parameters and statements are long. */
static __always_inline bool wants_data(const __u8 *head)
{
	return (head[0] == 1 && head[1] == 1 && head[4] == 0 && head[5] == 8) ||
	       ((head[0] == 'Q' || head[0] == 'P') && head[1] == 0 && head[2] <= 1);
}

static __always_inline void sat_add(__u32 *sum, __u32 n)
{
	*sum = *sum + n < *sum ? 0xffffffff : *sum + n;
}

static __always_inline void read_request(struct conn *c, struct user_bufs *b, __u32 ret)
{
	struct rec_xchg *x = &c->rec;
	__u32 n, total = x->req_total;
	struct user_iovec iov = { .base = b->base, .len = ret };

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
	if (b->count && bpf_probe_read_user(&iov, sizeof(iov), (void *)b->base))
		return;
	data_emit(c, iov.base, iov.len < ret ? iov.len : ret, n, total + n);
}

static __always_inline void read_response(struct conn *c, struct user_bufs *b, __u32 ret)
{
	struct rec_xchg *x = &c->rec;

	if (x->rsp_len == x->rsp_total)
		x->rsp_len += head_copy(c, b, ret, 1);
	sat_add(&x->rsp_total, ret);
	x->tail_len = tail_copy(b, ret, x->tail);
}

/* Takes what is wanted of the text of an I/O of `ret` bytes, by the current system call. */
__noinline int text_read(struct conn *c, __u32 ret, __u32 turn)
{
	struct user_bufs b = {};

	if (!c)
		return 0;
	if (!user_bufs_find(&b)) {
		count(COUNTER_NO_TEXT);
		if (turn == 0) {
			c->rec.flags |= XCHG_NO_TEXT;
			sat_add(&c->rec.req_total, ret);
		} else {
			sat_add(&c->rec.rsp_total, ret);
			c->rec.tail_len = 0;
		}
		return 0;
	}
	if (turn == 0)
		read_request(c, &b, ret);
	else
		read_response(c, &b, ret);
	return 0;
}

/* Does what the current system call sends begin with a status line? */
__noinline int text_is_status_line(struct conn *c)
{
	struct user_bufs b = {};
	__u8 head[8] = {};

	if (!c || !user_bufs_find(&b))
		return 0;
	if (b.count) {
		struct user_iovec iov;

		if (bpf_probe_read_user(&iov, sizeof(iov), (void *)b.base))
			return 0;
		b.base = iov.base;
	}
	if (bpf_probe_read_user(head, 7, (void *)b.base))
		return 0;
	return head[0] == 'H' && head[1] == 'T' && head[2] == 'T' && head[3] == 'P' &&
	       head[4] == '/' && head[5] == '1' && head[6] == '.';
}

#endif
