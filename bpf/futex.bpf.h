/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a wait in futex() is for. One system call serves mutexes, condition variables, semaphores
 * and sleeps, so what it is follows from three facts: what the waiter expects at the address, how
 * the wait ends, and what the waker does.
 *
 * - A mutex is waited for with the value that says "locked, with waiters": 2 in glibc, Go and Rust,
 *   FUTEX_WAITERS where the owner's id is kept, and FUTEX_LOCK_PI. When it is released the word is
 *   0, or whoever was faster has it (1, 2): a counter that was 2 by chance has gone on. It is `lock`.
 * - A wait that no futex call ended, nor a signal, ended by its timeout: `sleep`.
 * - All else waits for another thread: `ipc`.
 *
 * Interpreters with one lock for all threads ask for it again and again: a timed wait on a condition
 * variable, and at once another, until it is released. So a short timed wait is a sleep only when
 * it is not followed by another wait for the same, and its thread ran soon after: a release before
 * that would have woken nobody. What may be either is `other`. Which program asks less often the
 * collector knows, and is told of each wait.
 */
#ifndef TARDY_FUTEX_BPF_H
#define TARDY_FUTEX_BPF_H
#include "thread.bpf.h"

#define FUTEX_PRIVATE_FLAG 128
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_CMD(op) ((op)&127)
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAKE_OP 5
#define FUTEX_LOCK_PI 6
#define FUTEX_UNLOCK_PI 7
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10
#define FUTEX_LOCK_PI2 13
#define FUTEX_WAITERS 0x80000000U
#define LOCKED_WITH_WAITERS 2 /* the lock's word in glibc, Go, Rust */

#define ASKS_AGAIN_NS (ABI_ASKS_AGAIN_MS * 1000000ULL) /* CPython: 5 ms */
#define SAME_OBJECT_BYTES 64 /* a condition variable has two addresses that are waited at */

enum futex_kind {
	FUTEX_CALLED = 1 << 0,
	FUTEX_MUTEX = 1 << 1,
	FUTEX_TIMED = 1 << 2,
	FUTEX_SHARED = 1 << 3, /* other processes may have it at other addresses */
};

static __always_inline __u32 futex_classify(struct thread *t, struct pt_regs *regs)
{
	__u32 op = REG_ARG2(regs), cmd = FUTEX_CMD(op), val = REG_ARG3(regs);

	t->key = REG_ARG1(regs);
	t->futex = FUTEX_CALLED;
	t->timeout_ns = 0;
	if (!(op & FUTEX_PRIVATE_FLAG))
		t->futex |= FUTEX_SHARED;
	if (REG_ARG4(regs))
		t->futex |= FUTEX_TIMED;
	if (cmd == FUTEX_LOCK_PI || cmd == FUTEX_LOCK_PI2 ||
	    ((cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET) &&
	     (val == LOCKED_WITH_WAITERS || val & FUTEX_WAITERS))) {
		t->futex |= FUTEX_MUTEX;
		return STATE_LOCK;
	}
	/* how it ends will tell */
	return t->futex & FUTEX_TIMED ? STATE_OTHER : STATE_IPC;
}

/* How long the current thread's wait may last; not known when it is by the clock of the day. */
static __always_inline void futex_timeout(struct task_struct *p, struct thread *t, __u64 now)
{
	struct pt_regs *regs = task_regs(p);
	__u32 op = REG_ARG2(regs);
	__u64 ns;

	if (op & FUTEX_CLOCK_REALTIME || FUTEX_CMD(op) == FUTEX_LOCK_PI)
		return;
	ns = user_time_ns((void *)REG_ARG4(regs));
	if (!ns)
		return;
	if (FUTEX_CMD(op) != FUTEX_WAIT) /* a time, not a span */
		ns = ns > now ? ns - now : 0;
	t->timeout_ns = ns ? ns : 1;
}

static __always_inline bool futex_wakes(struct pt_regs *regs)
{
	__u32 cmd = FUTEX_CMD(REG_ARG2(regs));

	return class_of(REG_NR(regs)) == SYSC_FUTEX &&
	       (cmd == FUTEX_WAKE || cmd == FUTEX_WAKE_BITSET || cmd == FUTEX_WAKE_OP ||
		cmd == FUTEX_REQUEUE || cmd == FUTEX_CMP_REQUEUE || cmd == FUTEX_UNLOCK_PI);
}

/* Could the waker's own call have woken t, which waits in futex()? Else it was interrupted. */
static __always_inline bool futex_may_wake(struct task_struct *waker, struct thread *t,
					   struct task_struct *p)
{
	struct pt_regs *regs = task_regs(waker);

	if (!(t->futex & FUTEX_SHARED) && waker->tgid != p->tgid)
		return false;
	if (waker->flags & (PF_EXITING | PF_IO_WORKER) || futex_wakes(regs))
		return true;
	return REG_IN_CALL(regs) && class_of(REG_NR(regs)) == SYSC_URING;
}

static __always_inline bool futex_released(struct task_struct *waker, struct thread *t)
{
	struct pt_regs *regs = task_regs(waker);

	if (!futex_wakes(regs))
		return false;
	return REG_ARG1(regs) == t->key ||
	       (FUTEX_CMD(REG_ARG2(regs)) == FUTEX_WAKE_OP && REG_ARG5(regs) == t->key);
}

static __always_inline bool signal_pending(struct task_struct *p)
{
	__u64 pending = p->pending.signal.sig[0] | p->signal->shared_pending.signal.sig[0];

	return pending & ~p->blocked.sig[0];
}

/* What the waker, which is current, says of the wait of p; enum wait_flag. */
static __always_inline __u32 futex_wake_flags(struct task_struct *p, struct thread *t,
					      struct task_struct *waker)
{
	__u32 word;

	if (!futex_may_wake(waker, t, p))
		return signal_pending(p) ? 0 : WAIT_KERNEL_WAKER;
	if (!futex_released(waker, t))
		return 0;
	/* no mutex, but a counter that was 2 by chance? The waker's memory is at hand */
	if (t->futex & FUTEX_MUTEX && !bpf_probe_read_user(&word, sizeof(word), (void *)t->key) &&
	    word > LOCKED_WITH_WAITERS && !(word & FUTEX_WAITERS))
		t->futex &= ~FUTEX_MUTEX;
	return WAIT_HELD;
}

/* Is the present wait for what timed_ns waited for? */
static __always_inline bool asks_again(struct thread *t)
{
	return t->futex && t->timed_ns &&
	       t->key - t->timed_key + SAME_OBJECT_BYTES < 2 * SAME_OBJECT_BYTES;
}

/* A wait begins. If it is for something else than the timed waits before, those were sleep; but the
 * mutex of a condition variable tells nothing. */
static __always_inline void futex_begins(struct thread *t)
{
	if (t->timed_ns && !asks_again(t) && !(t->futex & FUTEX_MUTEX))
		timed_settle(t);
}

static __always_inline bool timed_out(struct thread *t, __u64 blocked)
{
	if (!(t->futex & FUTEX_TIMED) || t->wake_flags & WAIT_HELD)
		return false;
	if (t->timeout_ns)
		return blocked + TIMEOUT_SLACK_NS >= t->timeout_ns;
	return t->wake_flags & WAIT_KERNEL_WAKER;
}

/* The present wait ended by its timeout. */
static __always_inline void timed_add(struct thread *t, __u64 blocked)
{
	t->wake_flags = WAIT_KERNEL_WAKER; /* whatever the timer has interrupted */
	if (blocked > MAYBE_ASKS_NS) {
		timed_settle(t);
		t->out_state = STATE_SLEEP;
		return;
	}
	t->out_state = STATE_OTHER;
	t->timed = t->timed_ns ? t->timed | TIMED_REPEATS : 0;
	if (blocked > ASKS_AGAIN_NS)
		t->timed |= TIMED_LONG;
	t->timed_key = t->key;
	t->timed_ns += blocked;
}

/* The present wait did not end by a timeout. Those before it for the same were for what it was for,
 * if they were short and it ended by a release; else it cannot be known. */
static __always_inline void timed_join(struct thread *t)
{
	if (!(t->timed & TIMED_LONG) && t->wake_flags & WAIT_HELD) {
		t->since[STATE_OTHER] -= t->timed_ns;
		t->since[STATE_IPC] += t->timed_ns;
		t->again_ns = t->timed_ns;
	}
	t->timed_ns = 0;
}

/* The wait of p in futex() has ended: decides what it was, and what timed waits before it were. p is
 * asleep, so its own programs do not write now. */
static __always_inline void futex_woken(struct task_struct *p, struct thread *t,
					struct task_struct *waker)
{
	__u64 blocked = t->wake_ns > t->out_ns ? t->wake_ns - t->out_ns : 0;

	t->wake_flags = futex_wake_flags(p, t, waker);
	if (timed_out(t, blocked)) {
		timed_add(t, blocked);
	} else if (!(t->futex & FUTEX_MUTEX)) {
		if (t->out_state == STATE_LOCK || t->wake_flags & WAIT_HELD)
			t->out_state = STATE_IPC;
		if (asks_again(t))
			timed_join(t);
	}
}

#endif
