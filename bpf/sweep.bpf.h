/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Iterators that the collector runs: a sweep ten times a second, so that what is finished or
 * stuck becomes visible without further I/O, and seeding at start, so that sockets and threads
 * older than tardy are known.
 */
#ifndef TARDY_SWEEP_BPF_H
#define TARDY_SWEEP_BPF_H
#include "exchange.bpf.h"
#include "sched.bpf.h"

#define AT_REST_NS 2000000ULL /* no I/O for so long: no torn copy */
#define PENDING_NS 20000000ULL
#define PENDING_MAX 256 /* told by a sweep, some 2 % of a ring: the rest is counted */

__u32 pending_told; /* by this sweep; the collector sets it to 0 before each */

static __always_inline bool has_unread(struct arrival *a, struct sock *sk)
{
	struct tcp_sock *tp;

	if (sk->__sk_common.skc_family == AF_UNIX)
		return sk->sk_receive_queue.qlen > 0;
	tp = bpf_skc_to_tcp_sock(sk);
	return tp && a->seen_init && (__s32)(a->seen - tp->copied_seq) > 0;
}

/* A request that has arrived and that no thread has read: the worker pool is busy. Is there room to
 * tell it in this sweep? */
static __always_inline bool pending_room(void)
{
	if (pending_told < PENDING_MAX) {
		pending_told++;
		return true;
	}
	count(COUNTER_PENDING);
	return false;
}

static __always_inline void pending_tell(struct conn *c, __u64 now)
{
	__u32 before = c->arrival.before ? XCHG_SEEDED | XCHG_NO_ARRIVAL : 0;

	conn_tell(c, XCHG_OPEN | XCHG_PENDING | before, c->arrival.ready_ns, now);
}

/* Of a connection that nobody has read from it is not known whose pool it waits for: its listener has
 * to be a watched one. */
static __always_inline void sweep_stamp(struct sock *sk)
{
	struct stamp *s = bpf_sk_storage_get(&stamps, sk, NULL, 0);
	__u64 now;
	struct conn *c;

	if (!s || s->verdict == IGNORED || !s->arrival.ready_ns)
		return;
	now = bpf_ktime_get_ns();
	if (now - s->arrival.ready_ns <= PENDING_NS || !has_unread(&s->arrival, sk))
		return;
	if (!is_awaited(sk) || !pending_room())
		return;
	c = conn_accepted_make(sk, s);
	if (!c)
		return;
	if (!c->rec.tgid)
		c->rec.tgid = listener_watched(sk);
	pending_tell(c, now);
}

/* What began until then is known after this sweep: the collector says when, before each. What is left
 * out all the same, as it was in the middle of an I/O whenever it was looked at, began at the earliest
 * at sweep_left_ns (0 = nothing). */
__u64 sweep_covers_ns;
__u64 sweep_left_ns;

/* Written by sweeps only, of which there is one at a time. */
struct conn_copy {
	struct rec_xchg rec;
	__u8 req[2 * ABI_REQ_HEAD_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct conn_copy);
} conn_copies SEC(".maps");

#define COPY_TRIES 3

/* An exchange that goes on is copied first: is the copy whole, or did an I/O come between? */
static __always_inline bool conn_copy_whole(struct conn *c, struct conn_copy *to, __u32 len)
{
	__u32 ios = c->rec.lifetime;

	if (__sync_fetch_and_add(&c->busy, 0) ||
	    bpf_probe_read_kernel(to, sizeof(to->rec) + len, &c->rec))
		return false;
	return !__sync_fetch_and_add(&c->busy, 0) && c->rec.lifetime == ios;
}

/* 1, or 0: it was left out. */
__noinline int conn_emit_copy(struct conn *c, __u64 now)
{
	void *ring = ring_of_cpu();
	struct conn_copy *copy;
	bool whole = false;
	__u32 zero = 0, len = 0;

	copy = bpf_map_lookup_elem(&conn_copies, &zero);
	if (!ring || !c || !copy)
		return 0;
	__sync_lock_test_and_set(&c->dirty, 0); /* as in conn_emit() */
	for (int i = 0; i < COPY_TRIES && !whole; i++) {
		len = c->rec.req_len;
		asm volatile("%0 &= 2047" : "+r"(len));
		whole = conn_copy_whole(c, copy, len);
	}
	if (!whole) {
		c->dirty = 1;
		return 0;
	}
	net_emit(c, now);
	copy->rec.flags = (copy->rec.flags & ~XCHG_CLOSED) | XCHG_OPEN;
	hdr_fill(&copy->rec.h, REC_XCHG, sizeof(copy->rec) + len, now);
	if (bpf_ringbuf_output(ring, copy, sizeof(copy->rec) + len, BPF_RB_NO_WAKEUP)) {
		count(COUNTER_RING_XCHG);
		c->dirty = 1;
		return 1;
	}
	c->open_out = 1;
	return 1;
}

/* An exchange may go on without ever being at rest, and one that is over now may have begun long ago:
 * whoever decides by what went on at some time has to know of it. */
static __always_inline void sweep_goes_on(struct conn *c, __u64 now)
{
	__u64 began = c->rec.turn[0].first_ns;

	if (!began)
		began = c->rec.turn[1].first_ns; /* of a pipeline */
	if (began > sweep_covers_ns || conn_emit_copy(c, now))
		return;
	if (!sweep_left_ns || began < sweep_left_ns)
		sweep_left_ns = began;
}

static __always_inline int sweep_conn(struct sock *sk)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, NULL, 0);
	__u64 now, last;

	if (!c)
		sweep_stamp(sk);
	if (!c || c->verdict == IGNORED)
		return 0;
	now = bpf_ktime_get_ns();
	last = c->rec.turn[1].last_ns;
	if (c->rec.turn[0].last_ns > last)
		last = c->rec.turn[0].last_ns;
	if (c->active && c->dirty) {
		if (!c->busy && now - last > AT_REST_NS)
			conn_emit(c, XCHG_OPEN, now);
		else
			sweep_goes_on(c, now);
	}
	if (c->busy)
		return 0;
	if (c->rec.role == ROLE_ACCEPTED && c->arrival.ready_ns > last &&
	    now - c->arrival.ready_ns > PENDING_NS && (!c->active || c->rec.turn[1].ops) &&
	    has_unread(&c->arrival, sk) && pending_room())
		pending_tell(c, now);
	return 0;
}

SEC("iter/bpf_sk_storage_map")
int sweep_conns(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock *sk = ctx->sk;

	return sk && ctx->value ? sweep_conn(sk) : 0;
}

SEC("iter/bpf_sk_storage_map")
int sweep_stamps(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock *sk = ctx->sk;

	if (sk && ctx->value && !bpf_sk_storage_get(&conns, sk, NULL, 0))
		sweep_stamp(sk);
	return 0;
}

/* Some kernels refuse iterators over maps: then these, user/probe/sweep.h says which when. Those over
 * sockets go through tardy's own network namespace. */
SEC("iter/tcp")
int sweep_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tcp_sock *tp = skc ? bpf_skc_to_tcp_sock(skc) : NULL;

	return tp ? sweep_conn((struct sock *)tp) : 0;
}

SEC("iter/unix")
int sweep_unix(struct bpf_iter__unix *ctx)
{
	struct unix_sock *u = ctx->unix_sk;

	return u ? sweep_conn((struct sock *)u) : 0;
}

/* A connection that was made before tardy came, accepted or not yet. */
static __always_inline void seed_accepted(struct sock *sk)
{
	bool closing = sk->__sk_common.skc_state == TCP_CLOSE_WAIT;
	struct stamp *s = stamp_make(sk);
	struct arrival *a;
	struct tcp_sock *tp;

	if (!s)
		return;
	s->flags |= XCHG_SEEDED;
	s->fin |= closing;
	a = &s->arrival;
	if (a->ready_ns || s->verdict == IGNORED)
		return;
	if (sk->__sk_common.skc_family == AF_UNIX) {
		if (!sk->sk_receive_queue.qlen)
			return;
	} else {
		tp = bpf_skc_to_tcp_sock(sk);
		if (!tp)
			return;
		a->seen = tp->rcv_nxt - closing; /* the end takes a place in the stream */
		if ((__s32)(a->seen - tp->copied_seq) <= 0)
			return;
		a->seen_init = 1;
	}
	a->before = 1;
	a->ready_ns = bpf_ktime_get_ns();
	if (is_awaited(sk))
		stamp_waits(s, true);
}

#define BACKLOG_MAX 256 /* connections at one listener that are looked at by a sweep */
#define SEED_BACKLOG_MAX 8192 /* and at start */

/* Connections that nobody has accepted yet: no process has a file of them. TCP keeps them as requests
 * that lead to their sockets. They may be accepted meanwhile, but requests and TCP sockets stay of
 * their type (SLAB_TYPESAFE_BY_RCU) until the grace period that this runs in is over, and one that is
 * used anew leads to a socket again. Not so what waits at a Unix listener, messages: they are not
 * looked at. */
struct backlog_walk {
	struct request_sock *next;
	bool seed;
};

static int backlog_step(__u32 i, struct backlog_walk *w)
{
	struct request_sock *req = w->next;

	if (!req)
		return 1;
	if (req->sk && w->seed)
		seed_accepted(req->sk);
	else if (req->sk)
		sweep_conn(req->sk);
	w->next = req->dl_next;
	return 0;
}

static __always_inline void walk_backlog(struct sock *sk, bool seed)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct backlog_walk w = { .seed = seed };

	if (!tp)
		return;
	w.next = tp->inet_conn.icsk_accept_queue.rskq_accept_head;
	bpf_loop(seed ? SEED_BACKLOG_MAX : BACKLOG_MAX, backlog_step, &w, 0);
}

/* The stream socket that a file is, NULL = it is none. */
static __always_inline struct sock *stream_socket_of(struct file *file)
{
	struct socket *socket = bpf_sock_from_file(file);
	struct sock *sk = socket ? socket->sk : NULL;
	__u16 family;

	if (!sk || sk->sk_type != SOCK_STREAM)
		return NULL;
	family = sk->__sk_common.skc_family;
	return family == AF_UNIX || family == AF_INET || family == AF_INET6 ? sk : NULL;
}

/* The files of one process. */
SEC("iter/task_file")
int sweep_files(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct sock *sk = file ? stream_socket_of(file) : NULL;

	if (!sk)
		return 0;
	if (sk->__sk_common.skc_state != TCP_LISTEN)
		sweep_conn(sk);
	else if (sk->__sk_common.skc_family != AF_UNIX)
		walk_backlog(sk, false);
	return 0;
}

static __always_inline void emit_thread(struct task_struct *p, struct thread *t, __u64 now)
{
	__u64 since = t->on_cpu ? t->mark_ns : t->out_ns, part;
	struct rec_thread *r = thread_record(p, t, now);
	__u32 state;

	if (!r)
		return;
	for (int i = 0; i < STATE_COUNT; i++)
		r->state_ns[i] = t->since[i] + t->before[i];
	state = t->on_cpu ? STATE_RUN : t->out_state;
	part = now > since ? now - since : 0;
	if (!t->on_cpu && state != STATE_RUNQ && t->wake_ns > t->out_ns && now > t->wake_ns) {
		r->state_ns[STATE_RUNQ] += now - t->wake_ns;
		part = t->wake_ns - t->out_ns;
	}
	r->state_ns[state & (STATE_SLOTS - 1)] += part;
	r->since_ns = since;
	r->state = state;
	r->syscall = t->on_cpu ? 0xffff : t->syscall;
	r->key = t->key;
	if (t->rested || thread_rests(t))
		r->flags = THREAD_RESTED;
	if (!t->on_cpu && class_of(t->syscall) == SYSC_FLOCK)
		file_name(p, r->name);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

SEC("iter/task")
int sweep_threads(struct bpf_iter__task *ctx)
{
	struct task_struct *p = ctx->task;
	struct thread *t;
	__u64 now;

	if (!p)
		return 0;
	t = bpf_task_storage_get(&threads, p, NULL, 0);
	if (!t || !t->serving)
		return 0;
	/* after its answer only while it works on: not once it has waited for something new */
	if (!t->mid_request && (t->idle_cut || (!t->on_cpu && state_is_idle(t->out_state))))
		return 0;
	now = bpf_ktime_get_ns();
	if (now - t->last_io_ns > 2 * AT_REST_NS)
		emit_thread(p, t, now);
	return 0;
}

/* ---- seeding ---------------------------------------------------------------------------- */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64); /* netns << 16 | port */
	__type(value, __u8);
} seed_listeners SEC(".maps");

__u32 seed_pass = 0; /* 0 collects listeners, 1 makes connections */

static __always_inline void seed_conn(struct sock *sk, struct task_struct *p)
{
	__u16 family = sk->__sk_common.skc_family;
	__u8 state = sk->__sk_common.skc_state;
	enum role role = ROLE_CONNECTED;
	struct unix_sock *u;
	struct conn *c;
	__u64 key;

	if (state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT)
		return;
	if (family == AF_UNIX) {
		u = bpf_skc_to_unix_sock(sk);
		if (!u || !u->peer)
			return;
		if (unix_is_accepted(u))
			role = ROLE_ACCEPTED;
		else if (u->addr || !unix_peer_addr(u))
			return;
	} else {
		key = (__u64)BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum) << 16 |
		      sk->__sk_common.skc_num;
		if (bpf_map_lookup_elem(&seed_listeners, &key))
			role = ROLE_ACCEPTED;
	}
	if (role == ROLE_ACCEPTED)
		server_add(p->tgid);
	/* of clients only those that serve themselves are of interest */
	if (role == ROLE_CONNECTED &&
	    (state != TCP_ESTABLISHED || !process_selected(p->tgid) || !is_server(p->tgid)))
		return;
	if (role == ROLE_ACCEPTED) {
		seed_accepted(sk);
		return;
	}
	c = conn_connected_make(sk);
	if (!c)
		return;
	if (!(c->rec.flags & XCHG_SEEDED))
		conn_tell(c, XCHG_OPEN | XCHG_CONNECTION, 0, bpf_ktime_get_ns());
	c->rec.flags |= XCHG_SEEDED;
}

SEC("iter/task_file")
int seed_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *p = ctx->task;
	struct file *file = ctx->file;
	struct sock *sk;
	__u8 one = 1;
	bool tcp;
	__u64 key;

	if (!p || !file || (__u32)p->tgid == self_tgid)
		return 0;
	sk = stream_socket_of(file);
	if (!sk)
		return 0;
	tcp = sk->__sk_common.skc_family != AF_UNIX;
	if (seed_pass == 0) {
		if (sk->__sk_common.skc_state != TCP_LISTEN)
			return 0;
		server_add(p->tgid);
		if (process_selected(p->tgid) || (tcp && port_selected(sk->__sk_common.skc_num)))
			listener_watch(sk, p->tgid, true);
		key = (__u64)BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum) << 16 |
		      sk->__sk_common.skc_num;
		if (tcp)
			bpf_map_update_elem(&seed_listeners, &key, &one, BPF_ANY);
		return 0;
	}
	if (sk->__sk_common.skc_state != TCP_LISTEN)
		seed_conn(sk, p);
	else if (tcp && listener_watched(sk) == (__u32)p->tgid)
		walk_backlog(sk, true);
	return 0;
}

/* What waits at a Unix listener is in no file either, but in the namespace's list. */
SEC("iter/unix")
int seed_unix(struct bpf_iter__unix *ctx)
{
	struct unix_sock *u = ctx->unix_sk;
	struct sock *sk = (struct sock *)u;

	if (u && sk->sk_type == SOCK_STREAM && sk->__sk_common.skc_state == TCP_ESTABLISHED &&
	    unix_is_accepted(u) && listener_watched(sk))
		seed_accepted(sk);
	return 0;
}

/* Forked by a selected process after the collector had listed its children and before the fork
 * program was attached. Tasks come in order of their ids, so parents come first. */
static __always_inline void seed_child(struct task_struct *p, __u32 tgid)
{
	__u32 parent = BPF_CORE_READ(p, real_parent, tgid);
	__u8 one = 1;

	if (!bpf_map_lookup_elem(&selected, &tgid) && bpf_map_lookup_elem(&selected, &parent))
		bpf_map_update_elem(&selected, &tgid, &one, BPF_ANY);
}

SEC("iter/task")
int seed_threads(struct bpf_iter__task *ctx)
{
	struct task_struct *p = ctx->task;
	struct thread *t;
	__u32 tgid;

	if (!p)
		return 0;
	tgid = p->tgid;
	if (tgid == self_tgid)
		return 0;
	seed_child(p, tgid);
	if (!bpf_map_lookup_elem(&selected, &tgid) && !((select_all || n_ports) && is_server(tgid)))
		return 0;
	t = bpf_task_storage_get(&threads, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t) {
		count(COUNTER_THREAD_STORAGE);
		return 0;
	}
	if (t->out_ns || t->on_cpu)
		return 0;
	t->switched = 1;
	thread_base(t, p);
	if (p->on_cpu || !p->__state) {
		/* its first switch-out will account it; until then its past is not known */
		t->fresh = 1;
		t->mark_ns = bpf_ktime_get_ns();
		t->in_ns = t->mark_ns;
		t->on_cpu = 1;
		return 0;
	}
	t->out_state = classify_wait(p, t, p->__state);
	t->out_ns = bpf_ktime_get_ns();
	return 0;
}

#endif
