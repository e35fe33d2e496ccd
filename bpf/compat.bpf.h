/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernels and architectures, each with what makes it necessary.
 * Features are probed in the running kernel's own BTF, never by version.
 */
#ifndef TARDY_COMPAT_BPF_H
#define TARDY_COMPAT_BPF_H
#include "core.bpf.h"

#if defined(__TARGET_ARCH_arm64)
#define REG_NR(r) ((__s64)(__s32)(r)->syscallno)
#define REG_ARG1(r) ((r)->regs[0])
#define REG_ARG2(r) ((r)->regs[1])
#define REG_ARG3(r) ((r)->regs[2])
#define REG_ARG4(r) ((r)->regs[3])
#define REG_ARG5(r) ((r)->regs[4])
/* arm64 keeps no marker of "not returned yet"; the number alone decides. */
#define REG_IN_CALL(r) (REG_NR(r) >= 0)
#else
#define REG_NR(r) ((__s64)(r)->orig_ax)
#define REG_ARG1(r) ((r)->di)
#define REG_ARG2(r) ((r)->si)
#define REG_ARG3(r) ((r)->dx)
#define REG_ARG4(r) ((r)->r10)
#define REG_ARG5(r) ((r)->r8)
/* x86-64 entry code sets ax to -ENOSYS until the call has returned. */
#define REG_IN_CALL(r) ((__s64)(r)->orig_ax >= 0 && (__s64)(r)->ax == -ENOSYS)
#endif

#define TASK_UNINTERRUPTIBLE 0x2
#define TASK_STOPPED_OR_TRACED 0xc
#define TASK_NOLOAD 0x400
#define PF_EXITING 0x4
#define PF_IO_WORKER 0x10
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000

/*
 * bpf_rdonly_cast (6.2): a kernel address as a typed pointer. Loads through it cost what loads
 * cost, and read 0 where nothing is mapped; bpf_probe_read_kernel costs thirty times as much.
 */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;
#define typed(address, type) \
	((type *)bpf_rdonly_cast((const void *)(address), bpf_core_type_id_kernel(type)))

/* A pointer at a kernel address, and a number, which the verifier lets one calculate with; 0 where
 * nothing is mapped. */
#define pointer_at(address) ((__u64)typed(address, struct list_head)->next)
#define number_at(address) ((__u64)typed(address, struct timespec64)->tv_sec)

/*
 * Time that the task's group has spent throttled on its CPU. throttled_clock_self_time (6.6)
 * counts from when the group's own tasks were held back; before it, throttled_clock_pelt_time.
 * Both in the run queue's clock. *since gets how long the present throttling has lasted.
 */
struct cfs_rq___self {
	__u64 throttled_clock_self;
	__u64 throttled_clock_self_time;
} __attribute__((preserve_access_index));

struct cfs_rq___pelt {
	__u64 throttled_clock_pelt_time;
} __attribute__((preserve_access_index));

struct cfs_rq___rq {
	struct rq *rq;
} __attribute__((preserve_access_index));

static __always_inline __u64 throttled_total_ns(struct cfs_rq *q)
{
	struct cfs_rq___self *self = (void *)q;
	struct cfs_rq___pelt *pelt = (void *)q;

	if (bpf_core_field_exists(self->throttled_clock_self_time))
		return self->throttled_clock_self_time;
	if (bpf_core_field_exists(pelt->throttled_clock_pelt_time))
		return pelt->throttled_clock_pelt_time;
	return 0;
}

static __always_inline __u64 throttled_so_far_ns(struct cfs_rq *q)
{
	struct cfs_rq___self *self = (void *)q;
	struct cfs_rq___rq *with_rq = (void *)q;
	__u64 start, clock;

	if (!bpf_core_field_exists(self->throttled_clock_self) ||
	    !bpf_core_field_exists(with_rq->rq))
		return 0;
	start = self->throttled_clock_self;
	if (!start)
		return 0;
	clock = with_rq->rq->clock;
	return clock > start ? clock - start : 0;
}

/* The clock of the run queue that the task is on, as of its last update; 0 = not known. */
static __always_inline __u64 run_queue_clock_ns(struct task_struct *p)
{
	struct cfs_rq___rq *q = NULL;

	if (!bpf_core_field_exists(p->se.cfs_rq) || !bpf_core_field_exists(q->rq))
		return 0;
	q = (void *)p->se.cfs_rq;
	return q ? q->rq->clock : 0;
}

/* When the task came onto its CPU, in that clock; 0 = not known. */
static __always_inline __u64 task_arrived_ns(struct task_struct *p)
{
	if (!bpf_core_field_exists(p->sched_info.last_arrival))
		return 0;
	return p->sched_info.last_arrival;
}

/* The CPU that a task was on last; the present one where that is not known. */
static __always_inline __u32 task_last_cpu(struct task_struct *p)
{
	return bpf_core_field_exists(p->wake_cpu) ? p->wake_cpu : bpf_get_smp_processor_id();
}

/* How long the task has been in run queues, up to its latest arrival on a CPU; 0 = not known. */
static __always_inline __u64 task_delay_ns(struct task_struct *p)
{
	return bpf_core_field_exists(p->sched_info.run_delay) ? p->sched_info.run_delay : 0;
}

/* How long a task that comes onto a CPU has been in its run queue; 0 = not known. */
static __always_inline __u64 task_queued_ns(struct task_struct *p)
{
	__u64 clock = run_queue_clock_ns(p), queued;

	if (!bpf_core_field_exists(p->sched_info.last_queued))
		return 0;
	queued = p->sched_info.last_queued;
	return queued && clock > queued ? clock - queued : 0;
}

#define PRIO_FAIR_MIN 100 /* below are real-time tasks */

/* The run queue of the task's group. What a quota of a group further up holds back is on its clocks, too:
 * whether it has one itself says nothing. NULL: no quota holds it back, as of a real-time task. */
static __always_inline struct cfs_rq *task_quota_rq(struct task_struct *p)
{
	if (!bpf_core_field_exists(p->se.cfs_rq) || p->prio < PRIO_FAIR_MIN)
		return NULL;
	return p->se.cfs_rq;
}

#define GROUPS_DEPTH 8

/* The group that has a quota, of the one whose run queue it is and those above. NULL: none has, or more
 * than one. */
static __always_inline struct task_group *quota_group(struct cfs_rq *q)
{
	struct task_group *g = NULL, *found = NULL;

	if (!bpf_core_field_exists(q->tg) || !bpf_core_field_exists(g->cfs_bandwidth))
		return NULL;
	g = q->tg;
	for (int i = 0; i < GROUPS_DEPTH && g; i++, g = g->parent) {
		if (g->cfs_bandwidth.quota == ~0ULL)
			continue;
		if (found)
			return NULL;
		found = g;
	}
	return g ? NULL : found;
}

/* Has the kernel limits of I/O, in a form that is known? Without it these types may not be there. */
static __always_inline bool limits_exist(void)
{
	struct throtl_grp *tg = NULL;
	struct request_queue *q = NULL;

	return bpf_core_type_exists(struct throtl_grp) && bpf_core_field_exists(q->td) &&
	       bpf_core_field_exists(tg->disptime);
}

/*
 * What the block layer's throttle keeps for a group and a device: among the parts of the policies, whose
 * numbers are not known here, the one that leads to the device's throttle. 0: nobody has a limit there.
 * Addresses are numbers here: of pointers the verifier would follow each.
 */
static __always_inline __u64 throttle_of(struct blkcg_gq *blkg)
{
	struct request_queue *q = blkg->q;
	__u64 td = number_at((__u64)q + bpf_core_field_offset(q->td)),
	      pd = (__u64)blkg + bpf_core_field_offset(blkg->pd), at, found = 0;
	struct throtl_grp *tg = NULL;

	for (__u32 i = 0; td && i < bpf_core_field_size(blkg->pd) / sizeof(at); i++) {
		at = number_at(pd + i * sizeof(at));
		if (at && number_at(at + bpf_core_field_offset(tg->td)) == td)
			found = at;
	}
	return found;
}

/* Limits of a group alone, of bytes and of operations a second: of writes, or of reads. */
struct io_limit {
	__u64 bps;
	__u32 iops;
};

#define NO_BPS (~0ULL)
#define NO_IOPS (~0U)

/* Before 6.10 there may be two of each, of which the last is the limit. */
static __always_inline struct io_limit io_limit_of(__u64 group, bool write)
{
	struct throtl_grp *tg = NULL;
	__u64 bps = group + bpf_core_field_offset(tg->bps),
	      iops = group + bpf_core_field_offset(tg->iops);
	__u32 each = bpf_core_field_size(tg->bps) / 2, end = write ? 2 * each : each;

	return (struct io_limit){ .bps = number_at(bps + end - sizeof(__u64)),
				  .iops = number_at(iops + end / 2 - sizeof(__u32)) };
}

/* The next group whose limits hold what comes through this one: above it, by the throttle's own order,
 * by which there is none in a hierarchy of cgroup v1. 0 = none. */
static __always_inline __u64 throttle_above(__u64 group)
{
	struct throtl_grp *tg = NULL;
	__u64 sq = bpf_core_field_offset(tg->service_queue),
	      parent = bpf_core_field_offset(tg->service_queue.parent_sq),
	      above = number_at(group + parent);

	/* the last one is the device's own */
	return above && number_at(above + parent - sq) ? above - sq : 0;
}

struct limit_walk {
	__u64 group; /* the next one */
	__u64 found, several; /* the latest one that has a limit, and those before it */
	bool write;
};

static long limit_step(__u32 i, struct limit_walk *w)
{
	struct io_limit limit = io_limit_of(w->group, w->write);

	(void)i;
	if (limit.bps != NO_BPS || limit.iops != NO_IOPS) {
		w->several |= w->found;
		w->found = w->group;
	}
	w->group = throttle_above(w->group);
	return !w->group;
}

/* The one group with a limit, of blkg's and those that hold what comes through it. NULL: none has, or
 * more than one. */
static __always_inline struct throtl_grp *limit_group(struct blkcg_gq *blkg, bool write)
{
	struct limit_walk w = { .write = write };

	w.group = throttle_of(blkg);
	if (w.group)
		bpf_loop(GROUPS_DEPTH, limit_step, &w, 0);
	return !w.found || w.several || w.group ? NULL : typed(w.found, struct throtl_grp);
}

#define LIMIT_LATE 2 /* jiffies by which the throttle's timer may be late */

/* Has the limit of tg held anything back in the last `ns`? It says when what it held last may go on. */
static __always_inline bool limit_held(struct throtl_grp *tg, __u64 ns)
{
	__s64 ago = bpf_jiffies64() - tg->disptime;

	return ago <= (__s64)(ns / jiffy_ns + LIMIT_LATE);
}

/* The group that a block request is counted for; 0 = not known. */
static __always_inline __u64 bio_group(struct bio *bio)
{
	return bio && bpf_core_field_exists(bio->bi_blkg) ? (__u64)bio->bi_blkg : 0;
}

/* The macro has a variable p of its own, so the argument must not be called p. */
static __always_inline bool task_in_iowait(struct task_struct *task)
{
	return BPF_CORE_READ_BITFIELD(task, in_iowait);
}

static __always_inline struct pt_regs *task_regs(struct task_struct *p)
{
	return (struct pt_regs *)bpf_task_pt_regs(p);
}

/* Bits of a block request's operation: an anonymous enum, so not to be relocated. Their order has
 * been the same since 4.10; REQ_FUA and REQ_PREFLUSH since 4.8. */
#define REQ_BIT_SYNC (1U << 11)
#define REQ_BIT_META (1U << 12)
#define REQ_BIT_FUA (1U << 17)
#define REQ_BIT_PREFLUSH (1U << 18)

/* The mapping of a page in the page cache; NULL for anonymous and kernel memory. Pages behind the
 * first of a compound one name their head (bit 0 of compound_head). */
static __always_inline struct address_space *page_mapping_of(struct page *page)
{
	/* read, not loaded: both are pointers with flags in their lowest bits */
	__u64 head = BPF_CORE_READ(page, compound_head), mapping;

	if (head & 1)
		page = (struct page *)(head - 1);
	mapping = (__u64)BPF_CORE_READ(page, mapping);
	return !mapping || mapping & 3 ? NULL : typed(mapping, struct address_space);
}

#define TIME_MAX_S (1ULL << 32) /* more is no time, or does not end */

/* The timespec at an address of the current process; 0 = none there. */
static __always_inline __u64 user_time_ns(const void *address)
{
	__u64 at[2];

	if (bpf_probe_read_user(at, sizeof(at), address) || at[0] >= TIME_MAX_S)
		return 0;
	return at[0] * 1000000000ULL + at[1];
}

static __always_inline struct file *task_file(struct task_struct *p, __u32 fd)
{
	struct files_struct *files = p->files;
	struct fdtable *fdt;
	__u64 file;

	if (!files)
		return NULL;
	fdt = files->fdt;
	if (!fdt || fd >= fdt->max_fds)
		return NULL;
	file = pointer_at((__u64)fdt->fd + fd * sizeof(file));
	return file ? typed(file, struct file) : NULL;
}

#endif
