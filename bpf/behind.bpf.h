/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whom a wait for a CPU is behind: those who had the CPU meanwhile, by time. From when an observed
 * thread may wait for a CPU until that has nothing to do, what runs there is noted at each switch, in
 * a ring; when the thread gets it, the notes within its wait are summed by name. A thread that was
 * woken is taken to wait for the CPU that it had before, or for its waker's. If it gets another one,
 * only what was noted there is known.
 *
 * Time that was on the CPU's clock and is on no task's was for interrupts, or stolen by a hypervisor,
 * where the kernel tells them apart.
 */
#ifndef TARDY_BEHIND_BPF_H
#define TARDY_BEHIND_BPF_H
#include "thread.bpf.h"

#define RUNS 64 /* kept of a CPU; a power of two */
#define WATCH_CPUS 256 /* CPUs beyond share a place; a power of two */

struct run {
	__u64 end_ns;
	__u64 wall_ns; /* since it got the CPU */
	__u64 ran_ns; /* of it by its own account */
	__u32 tid, tgid;
	__u64 comm[ABI_COMM / 8];
};

struct cpu_runs {
	__u64 head; /* how many were noted so far */
	struct run v[RUNS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu_runs);
} runs SEC(".maps");

/* May an observed thread wait for the CPU? Set when one is woken to it or preempted on it, cleared when
 * the CPU has nothing to do, for then nobody waits. A cache line each. */
struct {
	__u32 on, pad[15];
} watches[WATCH_CPUS];

static __always_inline bool cpu_watched(void)
{
	return watches[bpf_get_smp_processor_id() & (WATCH_CPUS - 1)].on;
}

static __always_inline void cpu_watch(__u32 cpu)
{
	cpu &= WATCH_CPUS - 1;
	if (!watches[cpu].on)
		watches[cpu].on = 1;
}

static __always_inline void cpu_rests(void)
{
	watches[bpf_get_smp_processor_id() & (WATCH_CPUS - 1)].on = 0;
}

/* How long the task that is switched out has run since it was switched in, by the scheduler's own
 * account; 0 where its class keeps none. */
static __always_inline __u64 task_ran_ns(struct task_struct *p)
{
	__u64 ran = p->se.sum_exec_runtime - p->se.prev_sum_exec_runtime;

	return p->prio >= PRIO_FAIR_MIN && ran < p->se.sum_exec_runtime ? ran : 0;
}

/* Notes what p, which is switched out, had of this CPU. */
static __always_inline void run_note(struct task_struct *p, __u64 now)
{
	const __u64 *comm = (const __u64 *)p->comm;
	__u64 clock, arrived;
	__u32 zero = 0;
	struct cpu_runs *c;
	struct run *r;

	if (!p->pid)
		return; /* nobody */
	c = bpf_map_lookup_elem(&runs, &zero);
	if (!c || c->v[(c->head - 1) & (RUNS - 1)].end_ns == now)
		return;
	clock = run_queue_clock_ns(p);
	arrived = task_arrived_ns(p);
	r = &c->v[c->head & (RUNS - 1)];
	r->end_ns = now;
	r->ran_ns = task_ran_ns(p);
	r->wall_ns = arrived && clock > arrived ? clock - arrived : r->ran_ns;
	if (!r->ran_ns || r->ran_ns > r->wall_ns)
		r->ran_ns = r->wall_ns;
	r->tid = p->pid;
	r->tgid = p->tgid;
	r->comm[0] = comm[0];
	r->comm[1] = comm[1];
	c->head++;
}

struct behind_sum {
	struct cpu_runs *runs;
	struct thread *t;
};

static int behind_add(__u32 i, struct behind_sum *s)
{
	struct thread_runq *q = &s->t->runq;
	struct run *r = &s->runs->v[(s->runs->head - 1 - i) & (RUNS - 1)];
	__u64 start = r->end_ns - r->wall_ns, span, ran, stolen;

	if (r->end_ns <= q->start_ns)
		return 1;
	span = r->end_ns - (start > q->start_ns ? start : q->start_ns);
	ran = r->ran_ns < span ? r->ran_ns : span;
	stolen = r->wall_ns - r->ran_ns;
	q->stolen_ns += stolen < span - ran ? stolen : span - ran;
	for (int k = 0; k < ABI_BEHIND_MAX; k++) {
		struct rec_behind_by *by = &q->by[k];
		__u64 *comm = (__u64 *)by->comm;

		if (!by->ns) {
			by->tid = r->tid;
			by->tgid = r->tgid;
			comm[0] = r->comm[0];
			comm[1] = r->comm[1];
		} else if (comm[0] != r->comm[0] || comm[1] != r->comm[1]) {
			continue;
		}
		by->ns += ran;
		return 0;
	}
	return 0; /* one of many: no name */
}

/* Fills t->runq.by from what was noted on this CPU since t->runq.start_ns. */
__noinline int behind_find(struct thread *t)
{
	__u32 zero = 0;
	struct behind_sum s = { .runs = bpf_map_lookup_elem(&runs, &zero), .t = t };

	if (!t || !s.runs)
		return 0;
	t->runq.stolen_ns = 0;
	__builtin_memset(t->runq.by, 0, sizeof(t->runq.by));
	bpf_loop(RUNS, behind_add, &s, 0);
	return 0;
}

#endif
