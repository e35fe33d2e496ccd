/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scheduler side: splits a serving thread's time by state. Off-CPU time is split at the wakeup
 * (blocked until it, run queue after it); a preempted thread is runnable whatever its state
 * says. What a thread blocks in is read from the registers of the system call it is in.
 */
#ifndef TARDY_SCHED_BPF_H
#define TARDY_SCHED_BPF_H
#include "behind.bpf.h"
#include "block.bpf.h"
#include "futex.bpf.h"
#include "stack.bpf.h"
#include "work.bpf.h"

#define RELEASE_UNSEEN_NS 500000ULL
#define AFTER_TOLD_NS 1000000ULL /* shorter work after an answer leaves no record */
#define TIMEOUT_MS_MAX (24 * 3600 * 1000) /* a larger argument is an address, or no timeout */

/* A read or write blocks in what its descriptor is. */
static __always_inline __u32 fd_state(struct task_struct *p, __u32 fd, bool write)
{
	struct file *file = task_file(p, fd);
	__u32 mode;

	if (!file)
		return STATE_OTHER;
	mode = file->f_inode->i_mode & S_IFMT;
	if (mode == S_IFSOCK)
		return write ? STATE_SEND : STATE_RECV;
	if (mode == S_IFREG || mode == S_IFBLK || mode == S_IFDIR)
		return STATE_DISK;
	return STATE_IPC; /* pipes, eventfds and other anonymous files, terminals */
}

static __always_inline __u32 classify_call(struct task_struct *p, struct thread *t,
					   struct pt_regs *regs, __s64 nr, __u32 task_state)
{
	__u32 class = class_of(nr);

	if ((task_state & TASK_UNINTERRUPTIBLE) && !(task_state & TASK_NOLOAD)) {
		/* most of an fsync on a journaled file system sleeps without in_iowait */
		if (class == SYSC_FILE || class == SYSC_FD_READ || class == SYSC_FD_WRITE)
			return STATE_DISK;
		return STATE_KERNEL;
	}
	switch (class) {
	case SYSC_FUTEX:
		return futex_classify(t, regs);
	case SYSC_FLOCK:
		return STATE_LOCK;
	case SYSC_FD_READ:
		return fd_state(p, REG_ARG1(regs), false);
	case SYSC_FD_WRITE:
		return fd_state(p, REG_ARG1(regs), true);
	case SYSC_RECV:
		return STATE_RECV;
	case SYSC_SEND:
		return STATE_SEND;
	case SYSC_CONNECT:
		return STATE_CONNECT;
	case SYSC_EPOLL:
		return STATE_POLL;
	case SYSC_POLL: /* no descriptor: how old code sleeps */
		return REG_ARG2(regs) ? STATE_POLL : STATE_SLEEP;
	case SYSC_SELECT:
		return REG_ARG1(regs) ? STATE_POLL : STATE_SLEEP;
	case SYSC_SLEEP:
		return STATE_SLEEP;
	case SYSC_IPC:
		return STATE_IPC;
	case SYSC_FILE:
		return STATE_DISK;
	}
	return STATE_OTHER;
}

/* The timeout of epoll_wait(), epoll_pwait() and poll(): milliseconds in a register. Where it is an
 * address (epoll_pwait2, ppoll) it is read from the memory of the thread if that is current. That of
 * select() is not known. */
static __always_inline __u64 poll_timeout_ns(struct task_struct *p, struct pt_regs *regs, __s64 nr)
{
	__u32 class = class_of(nr);
	__u64 ms = class == SYSC_EPOLL ? REG_ARG4(regs) : class == SYSC_POLL ? REG_ARG3(regs) : 0;

	if (ms <= TIMEOUT_MS_MAX)
		return ms * 1000000;
	return p == bpf_get_current_task_btf() ? user_time_ns((void *)ms) : 0;
}

/* Is it a wait for any of several descriptors? select() does not say how many it has. */
static __always_inline bool poll_is_many(struct pt_regs *regs, __s64 nr)
{
	__u32 class = class_of(nr);

	return class == SYSC_EPOLL || (class == SYSC_POLL && REG_ARG2(regs) > 1);
}

/* The socket that the current thread waits at in a receive, or in poll for nothing else; 0 = none. */
static __always_inline __u64 waits_at(struct task_struct *p)
{
	struct pt_regs *regs = task_regs(p);
	__u32 class = class_of(REG_NR(regs));
	struct file *file;
	__u32 fd;

	if (class == SYSC_RECV || class == SYSC_FD_READ)
		fd = REG_ARG1(regs);
	else if (class != SYSC_POLL || REG_ARG2(regs) != 1 ||
		 bpf_probe_read_user(&fd, sizeof(fd), (void *)REG_ARG1(regs)))
		return 0;
	file = task_file(p, fd);
	if (!file || (file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return 0;
	return (__u64)typed(file->private_data, struct socket)->sk;
}

/* State of a thread that is off-CPU with `task_state`, not runnable. */
static __always_inline __u32 classify_wait(struct task_struct *p, struct thread *t,
					   __u32 task_state)
{
	struct pt_regs *regs = task_regs(p);
	__s64 nr = REG_NR(regs);
	__u32 state;

	t->syscall = nr >= 0 ? nr : 0xffff;
	t->key = 0;
	t->futex = 0;
	t->again_ns = 0;
	if (task_state & TASK_STOPPED_OR_TRACED)
		state = STATE_OTHER;
	else if (nr < 0)
		state = STATE_FAULT;
	else if (task_in_iowait(p))
		state = STATE_DISK;
	else
		state = classify_call(p, t, regs, nr, task_state);
	t->latch = state == STATE_POLL && t->backend && t->mid_request;
	if (state == STATE_POLL)
		t->timeout_ns = poll_timeout_ns(p, regs, nr);
	if (state_is_idle(state))
		t->poll_many = state == STATE_POLL && poll_is_many(regs, nr);
	if (break_state && state + 1 == break_state)
		state = STATE_OTHER;
	return state;
}

/* The thread waits for new work after it has done some for a request that was answered. Told by a
 * rec_thread in no state; only when it was long, the usual microseconds are not worth a record. */
static __always_inline void after_emit(struct task_struct *p, struct thread *t, __u64 now)
{
	struct rec_thread *r = thread_record(p, t, now);

	if (!r)
		return;
	r->since_ns = now;
	__builtin_memset(r->state_ns, 0, sizeof(r->state_ns));
	r->key = 0;
	r->state = STATE_COUNT;
	r->syscall = t->syscall;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

/* For tests: is this one of the switches that tardy is not to see? */
static __always_inline bool switch_skipped(struct thread *t)
{
	if (!skip_switches)
		return false;
	t->skip_in = 0; /* the kernel may have skipped that itself */
	if (__sync_fetch_and_add(&switches_seen, 1) % skip_switches)
		return false;
	t->skip_in = 1;
	return true;
}

static __always_inline void switch_out(void *ctx, struct task_struct *p, bool preempt,
				       __u32 task_state, __u64 now)
{
	struct thread *t = thread_of(p);
	struct cfs_rq *q;
	__u64 clock;

	if (!t || switch_skipped(t))
		return;
	if (!t->on_cpu)
		thread_in_unseen(t, p, now);
	thread_run_until(t, p, now, preempt || !task_state ? IS_PREEMPTED : WAITS);
	t->on_cpu = 0;
	t->switched = 1;
	thread_base(t, p);
	clock = run_queue_clock_ns(p);
	t->clock_ns = clock ? now - clock : 0;
	t->out_ns = now;
	t->out_state = preempt || !task_state ? STATE_RUNQ : classify_wait(p, t, task_state);
	if (t->out_state == STATE_POLL) {
		thread_polls(t, now);
		if (t->has_work)
			work_goes_on(t, 0, pid_tgid_of(p));
		t->turn++;
		t->turn_of = 0;
		t->turn_mixed = 0;
	}
	t->awaits_next = state_is_idle(t->out_state) && !t->mid_request && !t->poller &&
			 t->served_sk && waits_at(p) == t->served_sk;
	if (t->out_state == STATE_RUNQ)
		cpu_watch(bpf_get_smp_processor_id());
	if (state_is_idle(t->out_state) && !t->mid_request)
		t->runq_told = 0; /* that was for nothing that was read */
	if (t->out_state != STATE_RUNQ) {
		if (t->futex & FUTEX_TIMED)
			futex_timeout(p, t, now);
		futex_begins(t);
	}
	t->stack_wanted = t->out_state != STATE_RUNQ && stack_wait_min_ns && thread_in_request(t) &&
			  (t->mid_request || !state_is_idle(t->out_state));
	if (t->stack_wanted)
		stack_take_user(ctx, t, now);
	if ((state_is_idle(t->out_state) || thread_rests(t)) && !t->idle_cut && !t->rested &&
	    !t->mid_request && t->serving && now - t->last_io_ns > AFTER_TOLD_NS)
		after_emit(p, t, now);
	q = task_quota_rq(p);
	t->cfs_rq = (__u64)q;
	t->throttled_ns = q ? throttled_total_ns(q) + throttled_so_far_ns(q) : 0;
}

static __always_inline void wait_emit(struct task_struct *p, struct thread *t, __u64 blocked,
				      __u64 runq, bool woken, __u64 now)
{
	void *ring = ring_of_cpu();
	struct rec_wait *r;

	if (!ring)
		return;
	r = bpf_ringbuf_reserve(ring, sizeof(*r), 0);
	if (!r) {
		count(COUNTER_RING_WAIT);
		return;
	}
	hdr_fill(&r->h, REC_WAIT, sizeof(*r), now);
	r->xid = t->serving;
	r->start_ns = t->out_ns - t->again_ns;
	r->blocked_ns = blocked + t->again_ns;
	r->runq_ns = runq;
	r->key = t->key;
	r->waker_xid = woken ? t->waker_xid : 0;
	r->waker_tid = woken ? t->waker_tid : 0;
	r->waker_tgid = woken ? t->waker_tgid : 0;
	r->flags = woken ? t->wake_flags : 0;
	if (t->futex && t->timeout_ns && t->timeout_ns <= ASKS_AGAIN_NS)
		r->flags |= WAIT_SHORT;
	if (t->latch && t->on_time)
		r->flags = WAIT_TIMED_OUT; /* whatever the timer has interrupted */
	r->tid = p->pid;
	r->tgid = p->tgid;
	r->state = t->out_state;
	if (r->state == STATE_OTHER && r->flags & WAIT_KERNEL_WAKER)
		r->state = STATE_SLEEP;
	r->syscall = t->syscall;
	r->name[0] = 0;
	if (class_of(t->syscall) == SYSC_FLOCK) {
		file_name(p, r->name);
		r->key = wait_inode(p);
	}
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

/* Fills in which quota it was that throttled t, if one did. A global function: verified once. */
__noinline int quota_find(struct thread *t)
{
	struct task_group *g;

	if (!t)
		return 0;
	t->runq.quota_us = 0;
	t->runq.period_us = 0;
	t->runq.group[0] = 0;
	if (!t->runq.throttle_ns)
		return 0;
	g = quota_group(typed(t->cfs_rq, struct cfs_rq));
	if (!g)
		return 0;
	t->runq.quota_us = g->cfs_bandwidth.quota / 1000;
	t->runq.period_us = (__u64)g->cfs_bandwidth.period / 1000;
	bpf_probe_read_kernel_str(t->runq.group, sizeof(t->runq.group), g->css.cgroup->kn->name);
	return 0;
}

/* Who had the CPU while t waited for it; `other` just before. A request that is yet to be read has no
 * id: kept until the read, see runq_emit(). */
static __always_inline void runq_note(struct thread *t, struct task_struct *other, __u64 runq,
				      __u64 throttle, __u64 now)
{
	run_note(other, now);
	t->runq.start_ns = now - runq;
	t->runq.runq_ns = runq;
	t->runq.throttle_ns = throttle;
	behind_find(t);
	quota_find(t);
	t->runq_told = 1;
}

/* A wait that has ended. */
struct wait_end {
	__u64 woken_ns; /* 0 = nobody was seen to end it */
	__u64 queued_ns; /* in the run queue since, by the scheduler's own account */
	__u64 blocked_ns, runq_ns, throttled_ns; /* what it was; throttled is of runq */
};

/* Books a wait that ended at `now` on the thread, and says in w what it was. (As a function of its own it
 * would be verified once, but a call costs 10 to 30 ns of each switch.) */
static __always_inline void wait_add(struct thread *t, struct wait_end *w, __u64 now)
{
	__u64 off = now - t->out_ns, blocked = 0;

	if (t->out_state != STATE_RUNQ) {
		blocked = w->woken_ns        ? w->woken_ns - t->out_ns :
			  w->queued_ns < off ? off - w->queued_ns :
					       0;
		if (!w->woken_ns) {
			count(COUNTER_WAKE_LOST);
			t->waker_xid = 0;
			timed_unseen(t, blocked);
		}
	}
	w->blocked_ns = blocked;
	w->runq_ns = off - blocked;
	/* a release would have woken nobody meanwhile: they stay `other` */
	if (w->runq_ns > RELEASE_UNSEEN_NS && !(t->timed & TIMED_LONG))
		t->timed_ns = 0;
	if (blocked)
		thread_add(t, t->out_state, blocked);
	poll_ended(t, blocked);
	if (state_is_idle(t->out_state)) {
		thread_cut(t, t->out_ns + blocked);
		t->poller |= t->poll_many && !t->mid_request;
	} else if (thread_rests(t)) {
		thread_rested(t, blocked);
	}
	w->throttled_ns = thread_add_runq(t, w->runq_ns);
}

/* What is told of a wait that has ended, beside its time. */
static __always_inline void switch_in_tell(struct task_struct *p, struct task_struct *prev,
					   struct thread *t, const struct wait_end *w, __u64 now)
{
	bool idle = state_is_idle(t->out_state) && !t->mid_request;

	if (w->runq_ns >= runq_record_min_ns) {
		runq_note(t, prev, w->runq_ns, w->throttled_ns, now);
		if (!idle && thread_in_request(t))
			runq_emit(p, t, t->serving, now);
	}
	if (w->blocked_ns + t->again_ns < wait_record_min_ns || !t->serving || idle)
		return;
	if (t->futex && t->has_work && t->work.wait_ns == t->out_ns)
		work_goes_on(t, t->serving, pid_tgid_of(p));
	if (t->out_state == STATE_LOCK || t->out_state == STATE_KERNEL || t->futex || t->latch)
		wait_emit(p, t, w->blocked_ns, w->runq_ns, w->woken_ns, now);
	else if (t->out_state == STATE_DISK || t->out_state == STATE_FAULT)
		io_emit(p, t, w->blocked_ns, w->woken_ns, now);
	if (t->stack_wanted && w->blocked_ns >= stack_wait_min_ns)
		stack_emit_wait(p, t, w->blocked_ns, now);
}

static __always_inline void switch_in(struct task_struct *p, struct task_struct *prev, __u64 now)
{
	struct thread *t = thread_of(p);
	struct wait_end w = {};

	if (!t)
		return;
	if (skip_switches && t->skip_in) {
		t->skip_in = 0;
		return;
	}
	if (skip_arrivals && !(__sync_fetch_and_add(&arrivals_seen, 1) % skip_arrivals))
		return;
	if (t->on_cpu) { /* its switch-out was not seen */
		thread_run_until(t, p, now, ARRIVES);
		return;
	}
	w.woken_ns = thread_woken_ns(t, now);
	w.queued_ns = task_queued_ns(p);
	if (t->out_ns)
		wait_add(t, &w, now);
	t->delay_ns = task_delay_ns(p) + w.queued_ns;
	t->on_cpu = 1;
	t->mark_ns = now;
	t->in_ns = now;
	if (t->out_ns && now - t->out_ns + t->again_ns >= wait_record_min_ns)
		switch_in_tell(p, prev, t, &w, now);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	bool watched = cpu_watched();
	__u64 now;

	/* most threads serve nobody, nor keep one that does waiting: out, before the clock is read */
	if (!prev->bpf_storage && !next->bpf_storage && !watched)
		return 0;
	now = bpf_ktime_get_ns();
	if (watched)
		run_note(prev, now);
	if (prev->bpf_storage)
		switch_out(ctx, prev, preempt, prev_state, now);
	if (next->bpf_storage)
		switch_in(next, prev, now);
	if (!next->pid)
		cpu_rests();
	return 0;
}

/* Does the waker, by its own registers, release the file's lock that `t` waits for? */
static __always_inline bool flock_released(struct task_struct *waker)
{
	__u32 does = class_of(REG_NR(task_regs(waker)));

	return does == SYSC_FLOCK || does == SYSC_CLOSE || (waker->flags & PF_EXITING);
}

#define SIGURG 23

/* Does the waker set the latch that a PostgreSQL backend waits for? That waits in epoll_wait() for
 * locks, other processes and time alike; since version 14 who has what it waits for signals it with
 * SIGURG. Both are children of one server. */
static __always_inline bool latch_set(struct task_struct *p, struct task_struct *waker)
{
	struct pt_regs *regs = task_regs(waker);

	return REG_IN_CALL(regs) && class_of(REG_NR(regs)) == SYSC_SIGNAL &&
	       (__u32)REG_ARG2(regs) == SIGURG &&
	       (__u64)waker->real_parent == (__u64)p->real_parent;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(on_sched_waking, struct task_struct *p)
{
	struct task_struct *waker;
	struct thread *t, *w;

	if (!p->bpf_storage)
		return 0;
	t = thread_of(p);
	if (!t)
		return 0;
	waker = bpf_get_current_task_btf();
	if (waker == p)
		return 0;
	t->wake_ns = bpf_ktime_get_ns();
	t->waker_tid = waker->pid;
	t->waker_tgid = waker->tgid;
	t->waker_xid = 0;
	t->wake_flags = 0;
	if (t->on_cpu) { /* it is about to be switched out: what it waits in is not known yet */
		t->io.flags = 0;
		return 0;
	}
	if (t->out_state == STATE_RUNQ)
		return 0;
	cpu_watch(task_last_cpu(p));
	cpu_watch(bpf_get_smp_processor_id());
	if (t->out_state == STATE_DISK || t->out_state == STATE_FAULT)
		io_note_wake(p, t, waker, t->wake_ns);
	if (t->futex)
		futex_woken(p, t, waker);
	else if (class_of(t->syscall) == SYSC_FLOCK && flock_released(waker))
		t->wake_flags = WAIT_HELD;
	else if (t->latch && latch_set(p, waker))
		t->wake_flags = WAIT_HELD;
	else if (t->out_state == STATE_POLL)
		work_wakes_poll(p, t, waker);
	if (!(t->wake_flags & WAIT_HELD))
		return 0;
	w = thread_of(waker);
	if (!w)
		return 0;
	if (thread_in_request(w) && (w->mid_request || !w->rested))
		t->waker_xid = w->serving;
	if (t->futex && waker->tgid == p->tgid)
		work_releases(p, t, waker, w);
	return 0;
}

static __always_inline void task_emit(enum task_event event, __u32 tgid, __u32 parent,
				      struct task_struct *p)
{
	void *ring = ring_of_cpu();
	struct rec_task *r;

	if (!ring)
		return;
	r = bpf_ringbuf_reserve(ring, sizeof(*r), 0);
	if (!r) {
		count(COUNTER_RING_TASK);
		return;
	}
	hdr_fill(&r->h, REC_TASK, sizeof(*r), bpf_ktime_get_ns());
	r->event = event;
	r->tgid = tgid;
	r->parent_tgid = parent;
	r->reserved = 0;
	bpf_probe_read_kernel_str(r->comm, sizeof(r->comm), p->comm);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

/* Children of selected processes are selected; children of serving threads are accounted from
 * birth, so that a thread or process made for one connection has no unknown past. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 parent_tgid = parent->tgid, tgid = child->tgid;
	bool listed = bpf_map_lookup_elem(&selected, &parent_tgid) != NULL;
	struct thread *t, *by;
	__u8 one = 1;

	if (!listed && !thread_of(parent))
		return 0;
	if (listed && tgid != parent_tgid)
		bpf_map_update_elem(&selected, &tgid, &one, BPF_ANY);
	if (tgid != parent_tgid && is_server(parent_tgid))
		server_add(tgid);
	t = bpf_task_storage_get(&threads, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t) {
		/* refused while another task was preempted inside the map on this CPU */
		count(COUNTER_THREAD_LATE);
	} else {
		t->out_ns = bpf_ktime_get_ns();
		t->out_state = STATE_RUNQ;
		t->cut_ns = t->out_ns;
		t->idle_cut = 1;
		t->switched = 1;
		by = tgid == parent_tgid ? thread_of(parent) : NULL;
		if (by)
			work_begins(t, by, child->pid, t->out_ns);
	}
	if (tgid != parent_tgid)
		task_emit(TASK_FORK, tgid, parent_tgid, child);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_sched_process_exec, struct task_struct *p)
{
	__u32 tgid = p->tgid;

	if (thread_of(p) || bpf_map_lookup_elem(&selected, &tgid))
		task_emit(TASK_EXEC, tgid, 0, p);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_sched_process_exit, struct task_struct *p)
{
	__u32 tgid = p->tgid;

	/* the last thread of the process */
	if (p->signal->live.counter > 0)
		return 0;
	if (thread_of(p) || bpf_map_lookup_elem(&selected, &tgid))
		task_emit(TASK_EXIT, tgid, 0, p);
	bpf_map_delete_elem(&selected, &tgid);
	bpf_map_delete_elem(&servers, &tgid);
	return 0;
}

#endif
