/* SPDX-License-Identifier: GPL-2.0-only */
/* Socket programs: every I/O, arrival and state change of an observed connection. */
#ifndef TARDY_EXCHANGE_BPF_H
#define TARDY_EXCHANGE_BPF_H
#include "take.bpf.h"
#include "text.bpf.h"
#include "work.bpf.h"

#define SOCK_STREAM 1
#define EAGAIN 11
#define EPIPE 32
#define ECONNRESET 104

/* Starts an exchange in c->rec; what the connection keeps stays, the one before leaves. */
static __always_inline void exchange_begin(struct conn *c, __u64 now)
{
	struct rec_xchg *x = &c->rec;
	__u32 keep = XCHG_SEEDED | XCHG_INTERNAL | XCHG_HTTP2;

	if (c->active && c->dirty)
		conn_emit(c, 0, now);
	if (c->active)
		x->seq++;
	x->flags = (x->flags & keep) | (c->active ? 0 : XCHG_FRESH);
	if (c->fin) /* the client left behind what it had sent */
		x->flags |= XCHG_PEER_FIN | XCHG_PEER_FIN_EARLY;
	x->xid = new_xid();
	x->parent = 0;
	x->behind = 0;
	x->behind_after_ns = 0;
	__builtin_memset(x->turn, 0, sizeof(x->turn));
	__builtin_memset(x->idle, 0, sizeof(x->idle));
	__builtin_memset(x->slice_ns, 0, sizeof(x->slice_ns));
	__builtin_memset(x->state_ns, 0, sizeof(x->state_ns));
	x->req_total = 0;
	x->rsp_total = 0;
	x->req_len = 0;
	x->rsp_len = 0;
	x->tail_len = 0;
	x->pg_last = 0;
	x->pg_owed = 0;
	c->pg.last = 0;
	c->pg.ready = 0;
	net_reset(c);
	c->active = 1;
	c->outside = 0;
}

/* Was the request read by another thread than this one, a worker of a pool? */
static __always_inline bool is_handed(const struct rec_xchg *x, const struct thread *t, __u32 tid)
{
	return x->turn[0].ops && x->turn[0].tid != tid && !t->poller;
}

/* The request that the current thread calls somebody for, 0 = none. */
static __always_inline __u64 asks_for(const struct thread *t)
{
	return t->serving ? t->serving : t->job;
}

/* A call of the current thread: for whom. A global function: verified once. */
__noinline int call_begins(struct rec_xchg *x, struct thread *t)
{
	if (!x || !t)
		return 0;
	x->parent = asks_for(t);
	if (!t->serving)
		x->flags |= XCHG_LENT;
	else if (thread_strays(t))
		x->flags |= XCHG_IDLE_CUT;
	if (t->read_turn && !t->idle_cut)
		x->flags |= XCHG_SAME_TURN;
	return 0;
}

/* Who does it: the current thread, and what its time since the last I/O goes to. before_xid is the
 * connection's exchange before, when one starts. */
static __always_inline void exchange_charge(struct conn *c, struct task_struct *p, struct thread *t,
					    bool start, __u64 before_xid, enum slice_kind slice,
					    __u32 poll_as, __u64 now)
{
	struct rec_xchg *x = &c->rec;
	enum whose whose;
	bool lent = false;
	__u64 owner;

	if (start) {
		x->tid = p->pid;
		x->tgid = p->tgid;
	} else if (x->tid != (__u32)p->pid) {
		x->flags |= XCHG_MULTI_THREAD;
	}
	if (!t)
		return;
	if (x->role == ROLE_ACCEPTED) {
		owner = x->xid;
		t->strayed = 0;
		t->job = 0;
		whose = start                   ? TAKE_NEW :
			t->serving == owner     ? TAKE_SAME :
			is_handed(x, t, p->pid) ? TAKE_HANDED :
						  TAKE_NEW;
		if (start) {
			if (before_xid && t->serving == before_xid)
				whose = TAKE_NEXT;
			x->behind = t->serving;
			if (t->idle_cut || thread_had_rest(t, x->turn[0].arrival_ns))
				x->flags |= XCHG_IDLE_CUT;
			if (!t->poller)
				x->flags |= XCHG_NO_POLLER;
			t->reads++;
			c->hands_over = thread_hands_over(t);
			if (t->runq_told)
				runq_emit(p, t, owner, now);
		}
	} else {
		if (start)
			call_begins(x, t);
		owner = x->parent;
		lent = x->flags & XCHG_LENT;
		whose = !owner || asks_for(t) != owner   ? TAKE_NEW :
			start && t->strayed && !t->holds ? TAKE_NONE :
							   TAKE_SAME;
	}
	t->read_turn = x->role == ROLE_ACCEPTED && slice <= SLICE_T0;
	thread_take(t, p, x, now, slice, poll_as, whose, c->hands_over);
	if (t->fresh) {
		x->flags |= XCHG_THREAD_NEW;
		t->fresh = 0;
	}
	if (owner && !lent) {
		t->serving = owner;
		work_turn(t, owner, x->role == ROLE_ACCEPTED && slice >= SLICE_MID);
	}
}

/* Before the turn gets the I/O, after the thread's time was taken. */
static __always_inline void idle_mark(struct rec_xchg *x, __u32 turn, struct thread *t, __u32 tid)
{
	if (!t)
		return;
	thread_idle(t, x->role == ROLE_ACCEPTED ? x->xid : x->parent, tid, &x->idle[turn][1]);
	if (!x->turn[turn].first_ns)
		x->idle[turn][0] = x->idle[turn][1];
}

static __always_inline void turn_add(struct rec_turn *turn, __u32 tid, __u32 bytes, __u64 now)
{
	if (!turn->first_ns)
		turn->first_ns = now;
	turn->last_ns = now;
	turn->bytes += bytes;
	turn->ops++;
	turn->tid = tid;
}

/* Where the I/O that has just returned began in its stream: TCP numbers the bytes alike at both
 * ends. A protocol on top (kernel TLS) makes bytes of its own: those have no place. */
static __always_inline void turn_position(struct conn *c, struct sock *sk, __u32 turn, bool send,
					  __u32 bytes)
{
	struct tcp_sock *tp;

	if (c->rec.turn[turn].ops || c->rec.family == AF_UNIX || sk->sk_protocol != IPPROTO_TCP)
		return;
	tp = typed(sk, struct tcp_sock);
	if (tp->inet_conn.icsk_ulp_ops)
		return;
	c->rec.pos[turn] = (send ? tp->write_seq : tp->copied_seq) - bytes;
	c->rec.flags |= XCHG_POS;
}

/* Does a receive on an accepted connection begin a request? One without a new arrival belongs to
 * the old one: php-fpm reads the last record after it has answered. A message that nobody answered
 * is none; the next one may come much later. */
static __always_inline bool begins_request(struct conn *c)
{
	struct rec_xchg *x = &c->rec;

	if (!x->turn[1].ops) {
		if (c->framing != FRAMING_MESSAGES || c->arrival.ready_ns <= x->turn[0].last_ns)
			return false;
		c->dirty = 0;
		return true;
	}
	return !c->arrival.ready_ns || c->arrival.ready_ns > x->turn[0].last_ns;
}

/* Does an I/O of the side that asks begin an exchange? As far as a request is followed what is more of
 * its body begins one only where an answer had begun, and what is behind it always does then. */
__noinline int io_begins(struct conn *c, __u32 ret)
{
	struct http_place *h;
	__u32 used = 0;
	bool start;

	if (!c)
		return 1;
	h = &c->http[0];
	c->skip = 0;
	c->how = 0;
	if (!c->active) {
		h->phase = HTTP_NONE;
		return 1;
	}
	if (http_is_followed(h))
		used = http_read(c, ret, 0, 0);
	start = c->rec.role == ROLE_ACCEPTED ? begins_request(c) : c->rec.turn[1].ops > 0;
	if (used == ret) {
		c->how = XCHG_BODY;
		if (start)
			answer_catch_up(c); /* it goes on in the next exchange */
		return start;
	}
	if (c->rec.flags & XCHG_BODY && !c->rec.turn[1].ops)
		start = true;
	if (start && h->phase == HTTP_DONE) {
		c->how = XCHG_BEHIND;
		c->skip = used;
	}
	h->phase = HTTP_NONE;
	return start;
}

/* The first I/O of a request has been read: is it to be followed from here on? */
__noinline int http_first(struct conn *c, __u32 ret)
{
	__u32 skip;

	if (!c || c->how & XCHG_BODY)
		return 0;
	skip = c->skip;
	if (c->req[0] == 'P' || c->req[0] == '\r')
		skip += text_proxy_head(c);
	if ((skip == c->skip && !http_may_have_body(c)) || skip > ret)
		return 0;
	http_begin(&c->http[0], HTTP_FIRST);
	/* there may be more behind it: a pipeline */
	if ((__u32)http_read(c, ret, skip, skip == c->skip ? c->rec.req_len : 0) < ret)
		c->http[0].phase = HTTP_NONE;
	return 0;
}

/* Are the connection's first bytes HTTP/2's preface? With no more than frames of the connection
 * itself behind it nothing was asked yet. A PROXY header in front of it is to be known. */
__noinline int preface_read(struct conn *c)
{
	__u32 end;

	if (!c)
		return 0;
	end = text_preface_end(c);
	if (!end)
		return 0;
	c->framing = FRAMING_HTTP2;
	c->rec.flags |= XCHG_HTTP2;
	if (!text_preface_only(c, end, c->rec.req_total - end))
		return 0;
	if (end > HTTP2_PREFACE) {
		conn_emit(c, 0, c->rec.turn[0].last_ns);
		c->rec.seq++;
	}
	c->active = 0;
	c->dirty = 0;
	return 0;
}

/* The first bytes of an answer may say that it is the last one of HTTP/1 here; then, and where one
 * message has answered another, what this side sends later is none of the exchange. */
__noinline int upgrade_read(struct conn *c)
{
	if (!c)
		return 0;
	if (c->framing == FRAMING_NONE && text_is_upgrade(c))
		c->framing = FRAMING_MESSAGES;
	c->outside = c->framing == FRAMING_MESSAGES;
	return 0;
}

static __always_inline void io_request(struct conn *c, struct sock *sk, struct task_struct *p,
				       struct thread *t, __u32 ret, __u64 now)
{
	struct rec_xchg *x = &c->rec;
	bool accepted = x->role == ROLE_ACCEPTED, start;
	__u64 before_xid = c->active ? x->xid : 0;
	__u32 poll_as = STATE_POLL;

	start = io_begins(c, ret);
	if (start && !accepted && (!t || !asks_for(t))) {
		c->outside = 1; /* for nobody who asked: its answer is no part of a call either */
		c->pg.on = 0;
		c->http[0].phase = HTTP_NONE;
		return;
	}
	if (start) {
		exchange_begin(c, now);
		x->flags |= c->how;
		if (accepted) {
			x->turn[0].arrival_ns = c->arrival.ready_ns ? c->arrival.ready_ns : now;
			if (!c->arrival.ready_ns || c->arrival.before)
				x->flags |= XCHG_NO_ARRIVAL;
		} else if (!before_xid) {
			poll_as = STATE_CONNECT; /* a Unix socket's connect has no hook */
		}
	} else if (accepted) {
		poll_as = STATE_RECV;
	} else {
		poll_as = x->turn[0].ops ? STATE_SEND : STATE_CONNECT;
	}
	exchange_charge(c, p, t, start, before_xid, start ? SLICE_PRE : SLICE_T0, poll_as, now);
	turn_position(c, sk, 0, !accepted, ret - c->skip);
	idle_mark(x, 0, t, p->pid);
	turn_add(&x->turn[0], p->pid, ret - c->skip, now);
	text_read(c, ret, 0);
	if (x->turn[0].ops == 1)
		http_first(c, ret);
	c->dirty = 1;
	if (t) {
		t->mid_request = !t->strayed;
		if (accepted) {
			t->backend = c->pg.on;
			t->served_sk = (__u64)sk;
		}
	}
	if (c->framing != FRAMING_HTTP2 && text_may_be_preface(c))
		preface_read(c);
}

static __always_inline bool answer_ended(struct rec_xchg *x)
{
	const __u8 *z = x->tail;

	if (x->flags & XCHG_FRAMED)
		return x->pg_last == FCGI_END || (x->pg_last == 'Z' && !x->pg_owed);
	if (x->tail_len < 6)
		return false;
	if (x->tail_len == ABI_TAIL && z[0] == 1 && z[1] == 3 && z[4] == 0 && z[5] == 8)
		return true; /* FastCGI END_REQUEST */
	z += (x->tail_len - 6) & (ABI_TAIL - 1);
	return z[0] == 'Z' && z[1] == 0 && z[2] == 0 && z[3] == 0 && z[4] == 5;
}

/* A Unix socket is freed without any hook, so its exchange cannot wait for the close: it leaves
 * at the first bytes of the answer and again at the protocol's end; where that end is not known
 * here, at every I/O. A later record of the same xid supersedes the earlier. */
static __always_inline void leave_early(struct conn *c, __u64 now)
{
	struct rec_xchg *x = &c->rec;
	bool known = wants_data(c->req) || x->flags & XCHG_FRAMED;

	if (x->family != AF_UNIX)
		return;
	if (answer_ended(x))
		conn_emit(c, 0, now);
	else if (!known || x->turn[1].ops == 1)
		conn_emit(c, XCHG_OPEN, now);
}

#define SOCK_NOSPACE_BIT (1UL << 2) /* of enum or #define SOCK_NOSPACE, the same since 2.6 */

/* Has this socket no room for more of the answer? TCP says so itself: a send that could not take
 * all sets the flag, and room clears it. A Unix socket never clears it: it is full while poll()
 * would not call it writable. */
static __always_inline bool send_is_full(struct sock *sk)
{
	if (sk->__sk_common.skc_family == AF_UNIX)
		return (__u32)sk->sk_wmem_alloc.refs.counter << 2 > (__u32)sk->sk_sndbuf;
	return sk->sk_socket && (sk->sk_socket->flags & SOCK_NOSPACE_BIT);
}

/* A send of the answer has returned, or has failed because the socket was full. */
static __always_inline void send_room(struct conn *c, bool full, bool sent, __u64 now)
{
	if (sent && c->send_full_ns && now > c->send_full_ns)
		c->send_wait_ns += now - c->send_full_ns;
	if (sent || !c->send_full_ns)
		c->send_full_ns = full ? now : 0;
}

#define GAP_MIN_NS 1000000ULL

/* The answer paused for so long. */
static __always_inline void gap_note(struct conn *c, __u64 ns)
{
	if (ns > c->gap_max_ns)
		c->gap_max_ns = ns;
	if (ns >= ABI_GAP_MS * 1000000ULL)
		c->gaps++;
}

/* What a wait in poll between two I/Os of an answer was for: for room only where there was none. */
static __always_inline __u32 answer_polls_for(const struct conn *c, bool accepted)
{
	if (!accepted)
		return STATE_RECV;
	return c->send_full_ns ? STATE_SEND : STATE_POLL;
}

/* A second status line in one send turn is the answer to a pipelined request (or what follows an
 * interim 1xx; the collector tells them apart). */
static __always_inline void io_answer(struct conn *c, struct sock *sk, struct task_struct *p,
				      struct thread *t, __u32 ret, __u64 now)
{
	struct rec_xchg *x = &c->rec;
	bool accepted = x->role == ROLE_ACCEPTED;
	__u64 arrival;
	__u32 poll_as;

	if (!c->active || c->outside)
		return; /* the request went before tardy, or the server speaks first */
	if (pg_is_quiet(c)) {
		text_pass(c, ret);
		return;
	}
	if (accepted && x->turn[1].ops && x->rsp[0] == 'H' && x->rsp[4] == '/' &&
	    text_begins_answer(c)) {
		arrival = x->turn[0].arrival_ns;
		exchange_begin(c, now);
		x->flags |= XCHG_PIPELINED;
		x->turn[0].arrival_ns = arrival;
		x->tid = p->pid;
		x->tgid = p->tgid;
		if (t)
			t->serving = x->xid;
	}
	if (!x->turn[1].ops)
		poll_as = accepted ? STATE_POLL : STATE_RECV;
	else
		poll_as = answer_polls_for(c, accepted);
	exchange_charge(c, p, t, false, 0, x->turn[1].ops ? SLICE_T1 : SLICE_MID, poll_as, now);
	if (!accepted && !x->turn[1].ops)
		x->turn[1].arrival_ns = c->arrival.ready_ns;
	if (accepted && x->turn[1].ops && now - x->turn[1].last_ns > GAP_MIN_NS)
		gap_note(c, now - x->turn[1].last_ns);
	turn_position(c, sk, 1, accepted, ret);
	idle_mark(x, 1, t, p->pid);
	turn_add(&x->turn[1], p->pid, ret, now);
	text_read(c, ret, 1);
	/* "HTTP/1.1 101", or the answer to a CONNECT */
	if (c->framing == FRAMING_MESSAGES || x->rsp[9] == '1' || c->req[0] == 'C')
		upgrade_read(c);
	c->dirty = 1;
	if (t) { /* of a pipeline there is more to be done */
		t->mid_request = accepted ? c->pg.on && c->pg.owed : !t->strayed;
		if (accepted) {
			t->served_sk = (__u64)sk;
			t->answers += x->turn[1].ops == 1;
			t->whole += x->turn[1].ops == 1 && x->turn[0].tid == (__u32)p->pid;
		}
	}
	leave_early(c, now);
}

/* A connection that a thread of a server uses without one being known: it was opened outside of a
 * request, or is a Unix socket, whose connect has no hook. What is sent there outside of a request
 * leaves no exchange, but the other end is to know that it serves one of us. */
static __always_inline struct conn *conn_connected(struct sock *sk)
{
	struct thread *t = thread_of(bpf_get_current_task_btf());
	__u16 family = sk->__sk_common.skc_family;
	struct unix_sock *u;
	struct conn *c;

	if (!t || sk->sk_type != SOCK_STREAM || (!asks_for(t) && !is_server(current_tgid())))
		return NULL;
	if (family == AF_UNIX) {
		u = bpf_skc_to_unix_sock(sk);
		/* a socketpair has no address on either side; an accepted socket has one */
		if (!u || u->addr || !unix_peer_addr(u))
			return NULL;
	} else if (family != AF_INET && family != AF_INET6) {
		return NULL;
	}
	c = conn_connected_make(sk);
	if (!c)
		return NULL;
	if (!asks_for(t))
		conn_tell(c, XCHG_OPEN | XCHG_CONNECTION, 0, bpf_ktime_get_ns());
	return c;
}

static __always_inline void io_ended(struct conn *c, bool reset, __u64 now)
{
	struct rec_xchg *x = &c->rec;

	if (!reset)
		c->fin = 1;
	if (!c->active)
		return;
	x->flags |= reset ? XCHG_RESET : XCHG_PEER_FIN;
	if (!x->turn[1].ops)
		x->flags |= XCHG_PEER_FIN_EARLY;
	if (c->dirty || c->open_out) {
		if (x->family == AF_UNIX)
			conn_emit(c, 0, now);
		else
			c->dirty = 1;
	}
}

/* I/O on a connection without room for exchanges: one that nobody observed has read from yet, or
 * that is not known at all. */
static __always_inline struct conn *conn_first(struct sock *sk, int ret, bool send, int flags)
{
	struct stamp *s = sk->sk_bpf_storage ? bpf_sk_storage_get(&stamps, sk, NULL, 0) : NULL;
	struct conn *c;

	if (ret <= 0 || (!send && (flags & MSG_PEEK)))
		return NULL;
	if (!s)
		return send ? conn_connected(sk) : NULL;
	if (s->verdict == IGNORED)
		return NULL;
	if (!is_observed(sk, current_tgid())) {
		s->verdict = IGNORED;
		stamp_waits(s, false);
		return NULL;
	}
	c = conn_accepted_make(sk, s);
	if (c)
		c->verdict = TRACKED;
	return c;
}

static __always_inline int socket_io(struct sock *sk, int ret, bool send, int flags)
{
	struct conn *c = sk->sk_bpf_storage ? bpf_sk_storage_get(&conns, sk, NULL, 0) : NULL;
	struct task_struct *task;
	struct thread *t;
	__u64 now;

	if (!c)
		c = conn_first(sk, ret, send, flags);
	if (!c)
		return 0;
	if (c->verdict == IGNORED || (!send && (flags & MSG_PEEK)))
		return 0;
	if (ret < 0 && ret != -EPIPE && ret != -ECONNRESET) {
		if (ret == -EAGAIN && send && c->rec.role == ROLE_ACCEPTED && c->rec.turn[1].ops)
			send_room(c, true, false, bpf_ktime_get_ns());
		return 0;
	}
	if (c->verdict == UNDECIDED) {
		c->verdict = is_observed(sk, current_tgid()) ? TRACKED : IGNORED;
		if (c->verdict == IGNORED)
			return 0;
	}
	if (c->framing == FRAMING_HTTP2 && ret > 0 && ret <= FRAMES_LOOK && text_is_control(ret))
		return 0; /* settings, windows, pings: nobody asks or answers */
	now = bpf_ktime_get_ns();
	if (ret <= 0) {
		if (ret < 0 || !send)
			io_ended(c, ret < 0, now);
		return 0;
	}
	task = bpf_get_current_task_btf();
	t = thread_of(task);
	if (!t && c->rec.role == ROLE_ACCEPTED)
		t = thread_make_current(task, now);
	if (__sync_lock_test_and_set(&c->busy, 1)) {
		count(COUNTER_CONN_BUSY);
		c->pg.on = 0;
		c->fcgi.on = 0;
		c->http[0].phase = c->http[1].phase = HTTP_NONE;
		c->rec.flags &= ~(__u32)XCHG_ANSWER_FRAMED;
		return 0;
	}
	c->rec.lifetime++;
	if ((c->rec.role == ROLE_CONNECTED) == send)
		io_request(c, sk, task, t, ret, now);
	else
		io_answer(c, sk, task, t, ret, now);
	if (send && c->rec.role == ROLE_ACCEPTED)
		send_room(c, send_is_full(sk), true, now);
	/* only what it does of its own says what it goes on with */
	if (t && t->has_work)
		work_goes_on(
			t,
			send && c->active &&
					(c->rec.role == ROLE_ACCEPTED || c->rec.turn[0].ops == 1) ?
				c->rec.xid :
				0,
			bpf_get_current_pid_tgid());
	c->busy = 0;
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_sock_recv_length, struct sock *sk, int ret, int flags)
{
	return socket_io(sk, ret, false, flags);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_sock_send_length, struct sock *sk, int ret, int flags)
{
	return socket_io(sk, ret, true, 0);
}

/* An accepted Unix socket that is not known gets its stamp at its first data. */
static __always_inline struct stamp *unix_accepted(struct sock *sk)
{
	struct unix_sock *u = bpf_skc_to_unix_sock(sk);
	struct stamp *s;

	if (!u || sk->sk_type != SOCK_STREAM || sk->__sk_common.skc_state != TCP_ESTABLISHED ||
	    !unix_is_accepted(u))
		return NULL;
	s = stamp_make(sk);
	/* data on a Unix socket arrives in the sender's own call */
	if (s && thread_of(bpf_get_current_task_btf()))
		s->flags |= XCHG_INTERNAL;
	return s;
}

static __always_inline void arrival_now(struct arrival *a)
{
	a->ready_ns = bpf_ktime_get_ns();
	a->before = 0;
}

static __always_inline void arrives(struct sock *sk, struct arrival *a)
{
	struct tcp_sock *tp;

	if (sk->__sk_common.skc_family == AF_UNIX) {
		if (sk->sk_receive_queue.qlen == 1)
			arrival_now(a);
		return;
	}
	if (sk->__sk_common.skc_state == TCP_LISTEN || sk->sk_protocol != IPPROTO_TCP)
		return;
	tp = typed(sk, struct tcp_sock);
	if (!a->seen_init || (__s32)(a->seen - tp->copied_seq) <= 0)
		arrival_now(a);
	a->seen = tp->rcv_nxt;
	a->seen_init = 1;
}

/* The time of arrival is that of the first byte nobody has read. It is not reset at the read
 * (that loses data which arrives while it runs): it moves when everything seen was consumed. */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(on_sk_data_ready, struct sock *sk)
{
	struct conn *c = sk->sk_bpf_storage ? bpf_sk_storage_get(&conns, sk, NULL, 0) : NULL;
	struct arrival *a = NULL;
	struct stamp *s;

	if (c) {
		a = c->verdict == IGNORED ? NULL : &c->arrival;
	} else {
		s = sk->sk_bpf_storage ? bpf_sk_storage_get(&stamps, sk, NULL, 0) : NULL;
		if (!s && sk->__sk_common.skc_family == AF_UNIX)
			s = unix_accepted(sk);
		a = s && s->verdict != IGNORED ? &s->arrival : NULL;
		if (a && is_awaited(sk))
			stamp_waits(s, true);
	}
	if (!a)
		return 0;
	arrives(sk, a);
	/* read for the first time meanwhile, on another CPU: either the stamp was taken over after this
	 * arrival, or there is room for exchanges now */
	if (!c)
		c = bpf_sk_storage_get(&conns, sk, NULL, 0);
	if (c && a != &c->arrival)
		arrives(sk, &c->arrival);
	return 0;
}

/* connect() by a serving thread begins the first call: its wait is the caller's. Another thread of
 * a server makes a connection only. */
static __always_inline void connect_begins(struct sock *sk)
{
	struct task_struct *p = bpf_get_current_task_btf();
	struct thread *t = thread_of(p);
	__u64 now = bpf_ktime_get_ns();
	struct conn *c;

	if (!t || (!asks_for(t) && !is_server(p->tgid)))
		return;
	c = conn_connected_make(sk);
	if (!c || !asks_for(t))
		return;
	exchange_begin(c, now);
	exchange_charge(c, p, t, true, 0, SLICE_PRE, STATE_POLL, now);
	idle_mark(&c->rec, 0, t, p->pid);
	c->rec.turn[0].first_ns = now;
	c->dirty = 1;
	t->mid_request = !t->strayed;
	if (t->has_work)
		work_goes_on(t, c->rec.xid, bpf_get_current_pid_tgid());
}

static __always_inline void closes(struct conn *c, int from, int to)
{
	__u64 now = bpf_ktime_get_ns();

	if (!c->active || !(c->dirty || c->open_out)) {
		if (c->rec.role == ROLE_CONNECTED)
			conn_tell(c, XCHG_CLOSED | XCHG_CONNECTION, 0, now);
		return;
	}
	if (to == TCP_CLOSE && from != TCP_LAST_ACK && from != TCP_FIN_WAIT2 &&
	    from != TCP_CLOSING && from != TCP_TIME_WAIT)
		c->rec.flags |= XCHG_RESET;
	conn_emit(c, XCHG_CLOSED, now);
}

static __always_inline void stamp_ends(struct sock *sk, int to)
{
	struct stamp *s = bpf_sk_storage_get(&stamps, sk, NULL, 0);

	if (!s)
		return;
	if (to == TCP_CLOSE_WAIT)
		s->fin = 1;
	else
		stamp_waits(s, false);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_inet_sock_set_state, struct sock *sk, int from, int to)
{
	struct conn *c;

	if (sk->sk_type != SOCK_STREAM)
		return 0;
	if (from == TCP_SYN_RECV && to == TCP_ESTABLISHED) {
		stamp_make(sk);
		return 0;
	}
	if (from == TCP_CLOSE && to == TCP_SYN_SENT) {
		connect_begins(sk);
		return 0;
	}
	c = bpf_sk_storage_get(&conns, sk, NULL, 0);
	if (!c && (to == TCP_CLOSE_WAIT || to == TCP_CLOSE))
		stamp_ends(sk, to);
	if (!c || c->verdict == IGNORED)
		return 0;
	switch (to) {
	case TCP_ESTABLISHED: /* only now is the local port known */
		conn_fill_address(&c->rec, sk);
		if (c->rec.role != ROLE_CONNECTED)
			break;
		if (!c->active)
			conn_tell(c, XCHG_OPEN | XCHG_CONNECTION, 0, bpf_ktime_get_ns());
		else if (!c->rec.turn[0].ops)
			c->connect_ns = bpf_ktime_get_ns() - c->rec.turn[0].first_ns;
		break;
	case TCP_CLOSE_WAIT:
		io_ended(c, false, bpf_ktime_get_ns());
		break;
	case TCP_FIN_WAIT1:
	case TCP_LAST_ACK:
	case TCP_CLOSE:
		closes(c, from, to);
		break;
	}
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(on_tcp_retransmit_skb, struct sock *sk)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, NULL, 0);

	if (!c)
		return 0;
	c->retransmits++;
	if (c->active)
		c->dirty = 1; /* the record may have left already */
	return 0;
}

#endif
