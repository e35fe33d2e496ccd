/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work that a thread leaves to another one of its process: an executor's, that of a loop's pool. The
 * thread wakes a worker that waits in futex() (or makes it) while it works for a request: the worker is
 * lent to that request. It has done its job when it wakes a thread that waits for it, in futex() or, a loop,
 * in poll. What the worker did meanwhile is told then; the calls that it made are exchanges of their
 * own. The request is a claim only: the worker may have taken another job. Whether the thread goes on with
 * that request is for the collector to see.
 */
#ifndef TARDY_WORK_BPF_H
#define TARDY_WORK_BPF_H
#include "futex.bpf.h"

/* The request that the current thread would lend a worker to, 0 = none: the only one that it has done I/O for since
 * its latest wait in poll, or select(); or that whose worker has woken it. */
static __always_inline __u64 thread_lends(const struct thread *w)
{
	if (w->has_work)
		return w->work.job;
	if (!w->serving || !w->mid_request || w->strayed || w->turn_of != w->serving ||
	    w->turn_mixed)
		return 0;
	return w->serving;
}

/* The current thread does I/O for a request. One that it sends the answer to is no longer what it may leave to
 * a worker: what it reads then is. (epoll_wait() need not wait: not every turn of a loop is seen.) Each branch
 * would double what is verified. */
static __always_inline void work_turn(struct thread *t, __u64 xid, bool answers)
{
	t->turn_mixed |= (t->turn_of != 0) & (t->turn_of != xid);
	t->turn_of = answers ? 0 : xid;
	t->turn += answers;
}

/* A record of a thread's work, or of work for job that begins; pid_tgid is of that thread. */
static __always_inline struct rec_work *work_record(__u64 pid_tgid, __u64 job, __u64 now)
{
	void *ring = ring_of_cpu();
	struct rec_work *r;

	if (!ring)
		return NULL;
	r = bpf_ringbuf_reserve(ring, sizeof(*r), 0);
	if (!r) {
		count(COUNTER_RING_DETAIL);
		return NULL;
	}
	__builtin_memset(r, 0, sizeof(*r));
	hdr_fill(&r->h, REC_WORK, sizeof(*r), now);
	r->job = job;
	r->tid = pid_tgid;
	r->tgid = pid_tgid >> 32;
	return r;
}

/* t, the worker tid, is lent to job from `now` on by the current thread w. It is asleep, or new: its own programs
 * do not write now. Of two that a loop wakes in one turn it is not known which is for whom: results of other
 * work can have come in it unseen. So a loop's are told. A global function: verified once. */
__noinline int work_begins(struct thread *t, struct thread *w, __u32 tid, __u64 now)
{
	struct rec_work *r;
	__u64 job;

	if (!t || !w)
		return 0;
	job = thread_lends(w);
	if (!job)
		return 0; /* it goes on with what it had */
	t->job = job;
	t->job_ns = now;
	t->job_after_ns = w->has_work ? w->work.end_ns : 0;
	for (int i = 0; i < STATE_COUNT; i++) {
		t->before[i] = 0;
		t->since[i] = 0;
	}
	/* the wait that ends now is booked when it has the CPU: it is none of the job */
	if (t->out_state != STATE_RUNQ)
		t->since[t->out_state & (STATE_SLOTS - 1)] = t->out_ns - now;
	t->timed_ns = 0;
	t->idle_cut = 0;
	t->switched = 1;
	t->fresh = 0;
	if (!w->idle_ns) /* it has never waited in poll: no loop, nor one by select() */
		return 0;
	w->lends = 1;
	r = work_record(bpf_get_current_pid_tgid(), job, now);
	if (!r) {
		t->job = 0; /* another one of this turn would look as if it was alone */
		return 0;
	}
	r->from_ns = now;
	r->worker_tid = tid;
	r->turn = w->turn;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

/* w, which is current and on its CPU, has done its job: t goes on. A global function, too. */
__noinline int work_taken(struct thread *t, struct thread *w, __u32 tid)
{
	__u64 ran;

	if (!t || !w)
		return 0;
	timed_settle(w);
	ran = t->wake_ns > w->mark_ns ? t->wake_ns - w->mark_ns : 0;
	w->mark_ns += ran;
	t->work.job = w->job;
	t->work.from_ns = w->job_ns;
	t->work.end_ns = t->wake_ns;
	t->work.wait_ns = t->out_ns;
	t->work.after_ns = w->job_after_ns;
	t->work.tid = tid;
	t->work.state = t->out_state;
	for (int i = 0; i < STATE_COUNT; i++) {
		t->work.ns[i] = w->before[i] + w->since[i];
		w->before[i] = 0;
		w->since[i] = 0;
	}
	t->work.ns[STATE_RUN] += ran;
	t->has_work = 1;
	t->lends = 0;
	w->job = 0;
	return 0;
}

/* Thread t goes on with exchange xid; 0: with nothing that is known, but it may have left the next step of the
 * work to a worker. A global function, too. */
__noinline int work_goes_on(struct thread *t, __u64 xid, __u64 pid_tgid)
{
	struct rec_work *r;

	if (!t)
		return 0;
	t->has_work = 0;
	if (!xid && !t->lends)
		return 0;
	r = work_record(pid_tgid, t->work.job, bpf_ktime_get_ns());
	if (!r)
		return 0;
	r->xid = xid;
	r->from_ns = t->work.from_ns;
	r->end_ns = t->work.end_ns;
	r->wait_ns = t->work.wait_ns;
	r->after_ns = t->work.after_ns;
	for (int i = 0; i < STATE_COUNT; i++)
		r->state_ns[i] = t->work.ns[i];
	r->worker_tid = t->work.tid;
	r->state = t->work.state;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline void work_ends(struct thread *t, struct task_struct *waker, struct thread *w)
{
	if (!w->on_cpu)
		thread_in_unseen(w, waker, t->wake_ns);
	work_taken(t, w, waker->pid);
}

/* Does the waker write to something that a thread of its own may wait for in poll: a pipe, an eventfd, a
 * pair of Unix sockets? An interrupt, or a packet, can wake anybody in its name. */
static __always_inline bool wakes_by_write(struct task_struct *waker)
{
	struct pt_regs *regs = task_regs(waker);
	__u32 class = class_of(REG_NR(regs)), mode;
	struct file *file;

	if (!REG_IN_CALL(regs) || (class != SYSC_FD_WRITE && class != SYSC_SEND))
		return false;
	file = task_file(waker, REG_ARG1(regs));
	if (!file)
		return false;
	mode = file->f_inode->i_mode & S_IFMT;
	if (mode == S_IFSOCK)
		return typed(file->private_data, struct socket)->sk->__sk_common.skc_family ==
		       AF_UNIX;
	return mode != S_IFREG && mode != S_IFBLK && mode != S_IFDIR;
}

/* The current thread, waker, wakes p out of a wait in poll. */
static __always_inline void work_wakes_poll(struct task_struct *p, struct thread *t,
					    struct task_struct *waker)
{
	struct thread *w;

	if (waker->tgid != p->tgid || !wakes_by_write(waker))
		return;
	t->helped = 1;
	w = thread_of(waker);
	if (w && w->job)
		work_ends(t, waker, w);
}

/* The current thread, waker, releases t, of its process, which waits in futex() for no mutex. A short timeout is
 * that of who asks again and again for an interpreter's lock. */
static __always_inline void work_releases(struct task_struct *p, struct thread *t,
					  struct task_struct *waker, struct thread *w)
{
	if (t->futex & FUTEX_MUTEX || (t->timeout_ns && t->timeout_ns <= MAYBE_ASKS_NS))
		return;
	if (!t->serving)
		work_begins(t, w, p->pid, t->wake_ns);
	else if (w->job == t->serving)
		work_ends(t, waker, w);
}

#endif
