/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks: where requests run (samples of the CPU clock) and where they wait (waits above a
 * threshold).
 *
 * Of a wait, the kernel's frames are taken when the thread is switched in again, because only
 * then it is known to have been long; the process's own frames can only be taken while it is
 * current, that is at the switch-out. To bound what short waits cost they are taken every 100 us for
 * each state at most, so a long wait that begins sooner after another has none.
 *
 * The kernel's unwinder is the dearest of all (12 to 30 us with cold caches, for one wait). In a call
 * that waits in one place, as epoll_wait(), futex() and sleeps do, its frames are those of the
 * thread's wait before: they are taken again every 100 ms. A read() has many places.
 */
#ifndef TARDY_STACK_BPF_H
#define TARDY_STACK_BPF_H
#include "thread.bpf.h"

#define STACK_SPACING_NS 100000ULL
#define STACK_KERNEL_REUSE_NS 100000000ULL

/* Waits as long as this leave a stack; 0 = none do. */
const volatile __u64 stack_wait_min_ns = 1000000;
/* What a sample of the CPU clock stands for. */
const volatile __u64 sample_ns = 0;

/* The record with room for all frames; twice the user part so that a masked count stays inside. */
struct stack_scratch {
	__u8 head[sizeof(struct rec_stack)];
	__u64 frames[64 + 2 * ABI_STACK_USER_MAX];
};

enum { SCRATCH_WAIT, SCRATCH_SAMPLE, SCRATCH_COUNT }; /* a sample may interrupt a switch */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_COUNT);
	__type(key, __u32);
	__type(value, struct stack_scratch);
} stack_scratches SEC(".maps");

/* Is the current thread, or one that goes off, at work for its request? */
static __always_inline bool thread_in_request(struct thread *t)
{
	return t->serving && !t->strayed && (t->mid_request || !t->idle_cut);
}

/* The process's frames of a wait that begins; ctx is that of the switch. */
static __always_inline void stack_take_user(void *ctx, struct thread *t, __u64 now)
{
	__s64 n;

	t->user_frames = 0;
	t->stack_flags = STACK_USER_SKIPPED;
	if (t->stack_state == t->out_state && now - t->stack_ns < STACK_SPACING_NS)
		return;
	t->stack_ns = now;
	t->stack_state = t->out_state;
	t->stack_flags = 0;
	n = bpf_get_stack(ctx, t->user, sizeof(t->user), BPF_F_USER_STACK);
	if (n <= 0) {
		t->stack_flags = STACK_NO_USER;
		return;
	}
	t->user_frames = n / sizeof(__u64);
}

static __always_inline void stack_judge_user(struct rec_stack *r, __u32 n)
{
	if (n >= ABI_STACK_USER_MAX)
		r->flags |= STACK_USER_CUT;
	else if (n == 1)
		r->flags |= STACK_USER_SHORT;
}

/* Sends s with n_kernel and n_user frames in place. */
static __always_inline void stack_send(struct stack_scratch *s, struct task_struct *p, __u32 frames,
				       __u64 now)
{
	struct rec_stack *r = (void *)s->head;
	void *ring = ring_of_cpu();
	__u32 len = frames * sizeof(__u64);

	if (!ring)
		return;
	r->tid = p->pid;
	r->tgid = p->tgid;
	r->reserved = 0;
	asm volatile("%0 &= 1023" : "+r"(len));
	hdr_fill(&r->h, REC_STACK, sizeof(*r) + len, now);
	if (bpf_ringbuf_output(ring, s, sizeof(*r) + len, BPF_RB_NO_WAKEUP))
		count(COUNTER_RING_STACK);
}

static __always_inline bool waits_in_one_place(const struct thread *t)
{
	return t->out_state == STATE_POLL || t->out_state == STATE_LOCK ||
	       t->out_state == STATE_SLEEP || t->futex;
}

/* Puts the kernel's frames of p's wait into t->kernel; adds to *flags. */
static __always_inline void stack_take_kernel(struct task_struct *p, struct thread *t, __u32 *flags,
					      __u64 now)
{
	struct thread_kernel_stack *k = &t->kernel;
	__s64 n;

	if (k->n && k->state == t->out_state && k->syscall == t->syscall && waits_in_one_place(t) &&
	    now - k->taken_ns < STACK_KERNEL_REUSE_NS) {
		*flags |= STACK_KERNEL_REUSED;
	} else {
		n = bpf_get_task_stack(p, k->frames, ABI_STACK_KERNEL_MAX * sizeof(__u64), 0);
		k->n = n > 0 ? n / sizeof(__u64) : 0;
		k->state = t->out_state;
		k->syscall = t->syscall;
		k->taken_ns = now;
	}
	if (!k->n)
		*flags |= STACK_NO_KERNEL;
	if (k->n == ABI_STACK_KERNEL_MAX)
		*flags |= STACK_KERNEL_CUT;
}

/* A wait of t above the threshold has ended: p is switched in. */
static __always_inline void stack_emit_wait(struct task_struct *p, struct thread *t, __u64 blocked,
					    __u64 now)
{
	__u32 key = SCRATCH_WAIT, n_kernel, n_user = t->user_frames;
	struct stack_scratch *s = bpf_map_lookup_elem(&stack_scratches, &key);
	struct rec_stack *r = (void *)s;

	if (!s)
		return;
	r->flags = t->stack_flags;
	stack_take_kernel(p, t, &r->flags, now);
	if (r->flags & (STACK_NO_KERNEL | STACK_NO_USER))
		count(COUNTER_STACK_FAILED);
	n_kernel = t->kernel.n;
	asm volatile("%0 &= 63" : "+r"(n_kernel));
	if (n_kernel)
		bpf_probe_read_kernel(s->frames, n_kernel * sizeof(__u64), t->kernel.frames);
	asm volatile("%0 &= 127" : "+r"(n_user));
	if (n_user > ABI_STACK_USER_MAX)
		n_user = ABI_STACK_USER_MAX;
	if (n_user)
		bpf_probe_read_kernel(s->frames + n_kernel, n_user * sizeof(__u64), t->user);
	stack_judge_user(r, n_user);
	r->xid = t->serving;
	r->start_ns = t->out_ns;
	r->ns = blocked;
	r->kind = STACK_WAIT;
	r->state = t->out_state;
	r->n_kernel = n_kernel;
	r->n_user = n_user;
	stack_send(s, p, n_kernel + n_user, now);
}

/* The CPU clock, 99 times a second on each CPU. Nothing is kept of what serves nobody. */
SEC("perf_event")
int on_cpu_sample(struct bpf_perf_event_data *ctx)
{
	__u32 key = SCRATCH_SAMPLE, n_kernel = 0, n_user = 0;
	struct task_struct *p = bpf_get_current_task_btf();
	struct stack_scratch *s;
	struct rec_stack *r;
	struct thread *t;
	__u64 now;
	__s64 n;

	if (!p->bpf_storage)
		return 0;
	t = thread_of(p);
	if (!t || !thread_in_request(t))
		return 0;
	s = bpf_map_lookup_elem(&stack_scratches, &key);
	if (!s)
		return 0;
	r = (void *)s->head;
	now = bpf_ktime_get_ns();
	r->flags = 0;
	n = bpf_get_stack(ctx, s->frames, ABI_STACK_KERNEL_MAX * sizeof(__u64), 0);
	if (n > 0) {
		n_kernel = n / sizeof(__u64);
		r->flags |= STACK_IN_KERNEL;
	}
	if (n_kernel == ABI_STACK_KERNEL_MAX)
		r->flags |= STACK_KERNEL_CUT;
	asm volatile("%0 &= 63" : "+r"(n_kernel));
	n = bpf_get_stack(ctx, s->frames + n_kernel, ABI_STACK_USER_MAX * sizeof(__u64),
			  BPF_F_USER_STACK);
	if (n > 0) {
		n_user = n / sizeof(__u64);
	} else {
		r->flags |= STACK_NO_USER;
		count(COUNTER_STACK_FAILED);
	}
	asm volatile("%0 &= 127" : "+r"(n_user));
	stack_judge_user(r, n_user);
	r->xid = t->serving;
	r->start_ns = now;
	r->ns = sample_ns;
	r->kind = STACK_CPU;
	r->state = STATE_RUN;
	r->n_kernel = n_kernel;
	r->n_user = n_user;
	stack_send(s, p, n_kernel + n_user, now);
	return 0;
}

#endif
