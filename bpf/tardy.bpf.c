/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side of tardy, tier `tp`: BTF raw tracepoints of the scheduler and the generic
 * socket path, iterators, and one program for configured user probes. No system call tracing,
 * no kprobes, no return probes. See docs/architecture.md.
 */
#include "sweep.bpf.h"

/* A configured uprobe or USDT point marks a labelled event inside the running request. The
 * attach cookie is the label. */
static __always_inline int mark(void *ctx)
{
	struct task_struct *p = bpf_get_current_task_btf();
	struct thread *t = thread_of(p);
	void *ring = ring_of_cpu();
	struct rec_mark *r;

	if (!t || !t->serving || !ring)
		return 0;
	r = bpf_ringbuf_reserve(ring, sizeof(*r), 0);
	if (!r) {
		count(COUNTER_RING_MARK);
		return 0;
	}
	hdr_fill(&r->h, REC_MARK, sizeof(*r), bpf_ktime_get_ns());
	r->xid = t->serving;
	r->tid = p->pid;
	r->tgid = p->tgid;
	r->label = bpf_get_attach_cookie(ctx);
	r->reserved = 0;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("uprobe")
int on_user_probe(struct pt_regs *ctx)
{
	return mark(ctx);
}

/* Same hook, no work: what a program costs by being there, to be taken off measurements. */
SEC("tp_btf/sock_send_length")
int BPF_PROG(bench_empty)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
