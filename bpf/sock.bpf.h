/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Socket side: groups the I/O of a connection into exchanges. An exchange is two turns (an
 * accepted connection receives, then sends; a connected one sends, then receives) and leaves as
 * one record when the next one begins, when the connection closes, or when the sweep finds it
 * changed. Unix sockets die without a hook, so theirs leave early, see leave_early().
 *
 * The record is built in place inside the connection's storage and copied out whole. A connection
 * that nobody observed has read from has a stamp only: anybody may hold many of them.
 */
#ifndef TARDY_SOCK_BPF_H
#define TARDY_SOCK_BPF_H
#include <bpf/bpf_endian.h>
#include "thread.bpf.h"

enum verdict { UNDECIDED, TRACKED, IGNORED };

/* Where a direction of a PostgreSQL connection is: bytes left of the message, or what has come of the
 * next one's header. */
struct pg_place {
	__u32 left;
	__u8 head[8];
	__u32 head_len;
};

struct pg_state {
	struct pg_place at[2]; /* by turn */
	__u16 owed; /* ReadyForQuery that are to come */
	__u8 on; /* the connection is followed, no byte was missed */
	__u8 crypt; /* encryption was asked for: one byte is the answer */
	__u8 copying; /* the client sends data: it may send Sync, which is not answered */
	__u8 by_sync; /* what is owed was asked for by Sync */
	__u8 type; /* of the server's present message */
	__u8 last; /* of its latest that is whole */
	__u8 ready; /* ReadyForQuery has come in this exchange */
};

/* Where a direction of an HTTP/1 connection is, see http.bpf.h. */
struct http_place {
	__u64 left; /* bytes of the body or chunk that are to come, as far as read */
	__u32 head; /* bytes of the head so far */
	__u8 phase; /* enum http_phase */
	__u8 fits; /* so many bytes of a name or value are what is looked for */
	__u8 name; /* which name */
	__u8 chunked; /* the head says so */
	__u8 answer; /* it may end with its connection */
	__u32 zero; /* 0, of which the verifier does not know */
};

/* Where a FastCGI answer is, see fastcgi.bpf.h. */
struct fcgi_place {
	__u32 left; /* bytes of the record that are to come, padding included */
	__u32 head_len;
	__u8 head[8]; /* of the present record, as far as it has come */
	__u16 id; /* of the request */
	__u8 on; /* it is followed, no byte was missed */
};

/* What a connection carries where turns are no requests and answers. */
enum framing {
	FRAMING_NONE,
	FRAMING_HTTP2, /* frames of several exchanges at once */
	FRAMING_MESSAGES, /* upgraded, or a tunnel: each side speaks when it likes */
};

struct arrival {
	__u64 ready_ns; /* of the first unread byte, 0 = not known */
	__u32 seen; /* TCP: rcv_nxt at the last arrival */
	__u8 seen_init;
	__u8 before; /* it was there when tardy came: ready_ns is when that was seen */
};

/* What is kept of an accepted connection until a process that is observed reads from it: who that
 * will be is not known when it is accepted. */
struct stamp {
	__u64 conn; /* its number, 0 = not made yet */
	struct arrival arrival;
	__u32 flags; /* of enum xchg_flag: XCHG_SEEDED, XCHG_INTERNAL */
	__u8 verdict; /* enum verdict, never TRACKED */
	__u8 fin; /* the peer has shut down its side */
	__u8 waits; /* has unread data at a watched listener: counted in stamps_wait */
};

__u32 stamps_wait;

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct stamp);
} stamps SEC(".maps");

struct conn {
	struct arrival arrival;
	__u8 verdict; /* enum verdict */
	__u8 active; /* an exchange is in rec */
	__u8 open_out; /* rec was last written out as XCHG_OPEN */
	__u8 fin; /* the peer has shut down its side */
	__u8 outside; /* what comes on turn 1 now is no part of the exchange */
	__u8 framing; /* enum framing */
	__u8 hands_over; /* who has read the request leaves what it reads to other threads */
	__u32 dirty; /* rec has changed since it was last written out */
	__u32 busy; /* an I/O is being recorded */
	/* what rec_net tells of the exchange */
	__u64 connect_ns, gap_max_ns;
	/* sending the answer: found the socket full at send_full_ns (0 = it was not) and could go on
	 * later; such times add up to send_wait_ns: the reader was slow */
	__u64 send_full_ns, send_wait_ns;
	__u32 gaps, retransmits;
	__u32 window_before, window_now; /* jiffies that the peer's window was full: TCP's sum */
	__u8 net_told; /* the round trip of this connection has been told */
	struct pg_state pg; /* see pgsql.bpf.h */
	struct http_place http[2]; /* by turn */
	struct fcgi_place fcgi;
	/* of the present I/O of the side that asks: bytes that are none of the request that begins in it, and
	 * XCHG_BODY or XCHG_BEHIND */
	__u32 skip, how;
	struct rec_xchg rec;
	/* tail of rec; more than twice the size for the verifier's sake, and as room to look for things */
	__u8 req[2 * ABI_REQ_HEAD_MAX + 128];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct conn);
} conns SEC(".maps");

/* Listeners of which an observed process has read (or holds them at start), by listener_key(); and
 * that process: of those that held it at start the youngest, the one that a server made to accept. Only
 * there an unread request tells that one of them is late: anybody may leave bytes unread elsewhere.
 * Listeners come and go: those that were not asked for the longest make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
} watched SEC(".maps");

/* ---- what is known of a socket ---------------------------------------------------------- */

static __always_inline bool unix_is_accepted(struct unix_sock *u)
{
	struct unix_address *addr = u->addr;

	/* an accepted socket shares the address of its listener */
	return addr && addr->refcnt.refs.counter > 1;
}

/* Where an accepted connection came in. An accepted Unix socket shares its listener's address, which
 * has the pointer to itself as long as one of them lives; no port looks like a kernel's address. */
static __always_inline __u64 listener_key(struct sock *sk)
{
	struct unix_sock *u;

	if (sk->__sk_common.skc_family == AF_UNIX) {
		u = bpf_skc_to_unix_sock(sk);
		return u ? (__u64)u->addr : 0;
	}
	return (__u64)BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum) << 16 |
	       sk->__sk_common.skc_num;
}

/* The process that a listener is watched for, 0 = it is not. */
static __always_inline __u32 listener_watched(struct sock *sk)
{
	__u64 key = listener_key(sk);
	__u32 *tgid = bpf_map_lookup_elem(&watched, &key);

	return tgid ? *tgid : 0;
}

static __always_inline void listener_watch(struct sock *sk, __u32 tgid, bool anew)
{
	__u64 key = listener_key(sk);

	if (key && (anew || !bpf_map_lookup_elem(&watched, &key)))
		bpf_map_update_elem(&watched, &key, &tgid, BPF_ANY);
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

/* Would its unread data tell that one of the observed processes is late? */
static __always_inline bool is_awaited(struct sock *sk)
{
	return select_all || listener_watched(sk) ||
	       (n_ports && sk->__sk_common.skc_family != AF_UNIX &&
		port_selected(sk->__sk_common.skc_num));
}

/* So that nobody looks at stamps while there is nothing to find. A Unix socket that goes with unread
 * data stays counted: then somebody looks in vain. */
static __always_inline void stamp_waits(struct stamp *s, bool waits)
{
	if (s->waits == waits)
		return;
	s->waits = waits;
	__sync_fetch_and_add(&stamps_wait, waits ? 1 : -1);
}

static __always_inline struct stamp *stamp_make(struct sock *sk)
{
	struct stamp *s = bpf_sk_storage_get(&stamps, sk, NULL, storage_flags());

	if (!s)
		count(COUNTER_CONN_STORAGE);
	else if (!s->conn)
		s->conn = new_xid();
	return s;
}

static __always_inline struct conn *conn_storage(struct sock *sk, __u64 number, enum role role)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, NULL, storage_flags());

	if (!c) {
		count(COUNTER_CONN_STORAGE);
		return NULL;
	}
	if (c->rec.conn)
		return c; /* another CPU was first */
	c->rec.conn = number;
	c->rec.role = role;
	conn_fill_address(&c->rec, sk);
	return c;
}

static __always_inline struct conn *conn_connected_make(struct sock *sk)
{
	struct conn *c = conn_storage(sk, new_xid(), ROLE_CONNECTED);

	if (c)
		c->verdict = TRACKED;
	return c;
}

/* Room for exchanges of an accepted connection, which takes over what the stamp knows. Data that
 * arrives at this moment on another CPU finds either: the arrival before is the first unread one. */
static __always_inline struct conn *conn_accepted_make(struct sock *sk, struct stamp *s)
{
	struct conn *c = conn_storage(sk, s->conn, ROLE_ACCEPTED);

	if (!c)
		return NULL;
	if (s->arrival.ready_ns) {
		c->arrival.ready_ns = s->arrival.ready_ns;
		c->arrival.before = s->arrival.before;
	}
	if (!c->arrival.seen_init) {
		c->arrival.seen = s->arrival.seen;
		c->arrival.seen_init = s->arrival.seen_init;
	}
	c->rec.flags |= s->flags;
	c->fin = s->fin;
	stamp_waits(s, false);
	return c;
}

/* Whether the process that does I/O on an accepted connection is to be observed. */
static __always_inline bool is_observed(struct sock *sk, __u32 tgid)
{
	bool yes = process_selected(tgid);

	if (!yes && n_ports && sk->__sk_common.skc_family != AF_UNIX && tgid != self_tgid)
		yes = port_selected(sk->__sk_common.skc_num);
	if (yes) {
		server_add(tgid);
		listener_watch(sk, tgid, false);
	}
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
	__u64 full = c->send_wait_ns;
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
	/* it may end so: the peer is gone, or the server gives up */
	if (c->send_full_ns && now > c->send_full_ns)
		full += now - c->send_full_ns;
	if (!srtt && !window && !c->retransmits && !c->connect_ns && !full &&
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
	r->send_wait_ns = full;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

/* A new exchange: what rec_net tells begins anew. */
static __always_inline void net_reset(struct conn *c)
{
	c->connect_ns = 0;
	c->gap_max_ns = 0;
	c->send_full_ns = 0;
	c->send_wait_ns = 0;
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
	/* Before the copy, and a barrier: the sweep has a CPU of its own and does not take `busy`, which
	 * would lose the I/O that comes meanwhile. That I/O changes rec and then sets dirty. Were the
	 * copy's loads done before this store, its change could be missed and its mark wiped out; so
	 * either the copy has it, or the mark stays and a whole copy follows a torn one. */
	__sync_lock_test_and_set(&c->dirty, 0);
	net_emit(c, now);
	len = c->rec.req_len;
	asm volatile("%0 &= 2047" : "+r"(len));
	c->rec.flags = (c->rec.flags & ~(XCHG_OPEN | XCHG_CLOSED)) | flags;
	hdr_fill(&c->rec.h, REC_XCHG, sizeof(c->rec) + len, now);
	if (bpf_ringbuf_output(ring, &c->rec, sizeof(c->rec) + len, BPF_RB_NO_WAKEUP)) {
		count(COUNTER_RING_XCHG);
		c->dirty = 1; /* the sweep tries again */
		return 0;
	}
	c->open_out = (flags & XCHG_OPEN) != 0;
	return 0;
}

/* A record about the connection itself: something waits there, or who has it. */
__noinline int conn_tell(struct conn *c, __u32 flags, __u64 arrival, __u64 now)
{
	void *ring = ring_of_cpu();
	struct rec_xchg *r;

	if (!ring || !c)
		return 0;
	r = bpf_ringbuf_reserve(ring, sizeof(*r), 0);
	if (!r) {
		count(COUNTER_RING_THREAD);
		return 0;
	}
	bpf_probe_read_kernel(r, sizeof(*r), &c->rec);
	hdr_fill(&r->h, REC_XCHG, sizeof(*r), now);
	r->flags = flags;
	r->xid = 0;
	r->parent = 0;
	r->behind = 0;
	r->seq = c->active ? r->seq + 1 : 0;
	__builtin_memset(r->turn, 0, sizeof(r->turn));
	__builtin_memset(r->idle, 0, sizeof(r->idle));
	__builtin_memset(r->slice_ns, 0, sizeof(r->slice_ns));
	__builtin_memset(r->state_ns, 0, sizeof(r->state_ns));
	r->turn[0].arrival_ns = arrival;
	r->req_len = 0;
	r->rsp_len = 0;
	r->tail_len = 0;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif
