/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Block I/O, seen from the wait that it ends. A completion wakes its waiters from within
 * block_rq_complete's own context, so the latest completion of a CPU says which request a wakeup
 * is for: no map from requests to threads is needed. The wait is then laid beside that request's
 * times: before it entered the queue (held by a throttle, or by what was read before it), in the
 * queue, in the device. What is counted for a group was held by the limits of that group, whoever waits
 * for it.
 */
#ifndef TARDY_BLOCK_BPF_H
#define TARDY_BLOCK_BPF_H
#include "file.bpf.h"

#define IO_SLOTS 4096
#define IO_CONTEXT_NS 200000ULL /* a completion handler does not last longer */
#define IO_WORKER_NS 20000000ULL /* nor what a worker does after it */
#define REQ_OP_MASK 0xff
#define REQ_OP_WRITE_BIT 1 /* operations with an odd number move data to the device */
#define PF_KTHREAD 0x00200000

/* When a request was issued. Requests live in fixed arrays of their queues, so few share a slot. */
struct io_slot {
	__u64 rq, issue_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, IO_SLOTS);
	__type(key, __u32);
	__type(value, struct io_slot);
} io_slots SEC(".maps");

/* The latest completion on this CPU. */
struct io_done {
	struct thread_io io; /* with its group, see io_group() */
	__u32 pid; /* of the interrupted task, the same until the handler is done */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct io_done);
} io_dones SEC(".maps");

/* Of a wait that a request has ended its waker is not told; in that place is the request's group. */
static __always_inline __u64 *io_group(struct thread_io *io)
{
	return (__u64 *)io->waker;
}

static __always_inline struct io_slot *io_slot_of(__u64 rq)
{
	__u32 key = ((rq >> 6) ^ (rq >> 18)) & (IO_SLOTS - 1);

	return bpf_map_lookup_elem(&io_slots, &key);
}

SEC("tp_btf/block_rq_issue")
int BPF_PROG(on_block_rq_issue, struct request *rq)
{
	struct io_slot *slot = io_slot_of((__u64)rq);

	if (slot) {
		slot->rq = (__u64)rq;
		slot->issue_ns = bpf_ktime_get_ns();
	}
	return 0;
}

/* The file that a bio's first page belongs to; 0 for direct I/O. */
static __always_inline __u64 bio_inode(struct bio *bio)
{
	__u64 vecs = (__u64)bio->bi_io_vec;
	struct address_space *mapping;
	struct bio_vec *vec;

	if (!vecs)
		return 0;
	vec = typed(vecs + bio->bi_iter.bi_idx * sizeof(*vec), struct bio_vec);
	mapping = page_mapping_of(vec->bv_page);
	return mapping ? (__u64)mapping->host : 0;
}

static __always_inline __u32 io_flags_of(__u32 op)
{
	__u32 flags = IO_SEEN;

	if (op & REQ_OP_WRITE_BIT)
		flags |= IO_WRITE;
	if ((op & REQ_OP_MASK) == 2)
		flags = IO_SEEN | IO_FLUSH;
	if (op & (REQ_BIT_FUA | REQ_BIT_PREFLUSH))
		flags |= IO_FLUSH;
	if (op & REQ_BIT_SYNC)
		flags |= IO_SYNC;
	if (op & REQ_BIT_META)
		flags |= IO_META;
	return flags;
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(on_block_rq_complete, struct request *rq, int error, unsigned int bytes)
{
	struct io_slot *slot = io_slot_of((__u64)rq);
	__u32 zero = 0;
	struct io_done *done = bpf_map_lookup_elem(&io_dones, &zero);
	struct bio *bio = rq->bio;

	if (!done)
		return 0;
	done->io.done_ns = bpf_ktime_get_ns();
	done->io.start_ns = rq->start_time_ns;
	done->io.flags = io_flags_of(rq->cmd_flags);
	done->io.bytes = bytes;
	done->io.disk = (__u64)rq->q->disk;
	done->io.inode = bio ? bio_inode(bio) : 0;
	*io_group(&done->io) = bio_group(bio);
	done->io.issue_ns = slot && slot->rq == (__u64)rq ? slot->issue_ns : 0;
	done->pid = bpf_get_current_pid_tgid();
	return 0;
}

/* Did the completion end the wait of p, that is t? Its own handler does the wakeup, or a worker does
 * that finished what the file system had to do afterwards: then it is the same file. */
static __always_inline bool io_is_for(struct io_done *done, struct task_struct *p,
				      struct task_struct *waker, __u64 now)
{
	struct file *file;

	if (!done->io.done_ns || now - done->io.done_ns > IO_WORKER_NS)
		return false;
	if (done->pid == (__u32)waker->pid && now - done->io.done_ns < IO_CONTEXT_NS)
		return true;
	if (!(waker->flags & PF_KTHREAD) || !done->io.inode)
		return false;
	file = call_file(p);
	return file && (__u64)file->f_inode == done->io.inode;
}

/* Notes what woke p out of a wait for a disk or a page. */
static __always_inline void io_note_wake(struct task_struct *p, struct thread *t,
					 struct task_struct *waker, __u64 now)
{
	__u32 zero = 0;
	struct io_done *done = bpf_map_lookup_elem(&io_dones, &zero);
	__u8 comm[8];

	if (done && io_is_for(done, p, waker, now)) {
		t->io = done->io;
		if (!t->io.issue_ns)
			count(COUNTER_IO_SLOT);
		return;
	}
	t->io.flags = 0;
	t->io.inode = 0;
	*io_group(&t->io) = 0; /* and no name of a waker */
	if (!(waker->flags & PF_KTHREAD))
		return;
	bpf_probe_read_kernel(comm, sizeof(comm), waker->comm);
	if (comm[0] == 'j' && comm[1] == 'b' && comm[2] == 'd' && comm[3] == '2')
		t->io.flags = IO_JOURNAL;
	else if (comm[0] == 'k' && comm[1] == 'w' && comm[2] == 'o' && comm[3] == 'r')
		t->io.flags = IO_WRITEBACK;
	bpf_probe_read_kernel(t->io.waker, sizeof(t->io.waker), waker->comm);
}

/* How long the wait from `from` to `until` lay before `mark`; the rest goes on from there. */
static __always_inline __u64 io_lap(__u64 *from, __u64 mark, __u64 until)
{
	__u64 end = mark < until ? mark : until, lap;

	if (end <= *from)
		return 0;
	lap = end - *from;
	*from = end;
	return lap;
}

static __always_inline void io_fill_times(struct rec_io *r, struct thread *t, __u64 blocked)
{
	__u64 from = t->out_ns, until = t->out_ns + blocked;

	r->held_ns = 0;
	r->queue_ns = 0;
	r->service_ns = 0;
	if (!(t->io.flags & IO_SEEN))
		return;
	r->held_ns = io_lap(&from, t->io.start_ns, until);
	if (!t->io.issue_ns)
		return; /* the queue and the device cannot be told apart */
	r->queue_ns = io_lap(&from, t->io.issue_ns, until);
	r->service_ns = io_lap(&from, t->io.done_ns, until);
}

/* Whose limit it was that held the request back in the last `ns`, if it is certain. A global function:
 * verified once. */
__noinline int io_fill_limit(struct rec_io *r, struct thread_io *io, __u64 ns)
{
	struct throtl_grp *tg;
	struct io_limit limit;
	__u64 blkg;
	bool write;

	if (!r || !io || !limits_exist())
		return 0;
	blkg = *io_group(io);
	write = io->flags & IO_WRITE;
	if (!r->held_ns || !blkg || (!write && io->flags & IO_FLUSH))
		return 0;
	tg = limit_group(typed(blkg, struct blkcg_gq), write);
	if (!tg || !limit_held(tg, ns))
		return 0;
	limit = io_limit_of((__u64)tg, write);
	r->limit_bps = limit.bps == NO_BPS ? 0 : limit.bps;
	r->limit_iops = limit.iops == NO_IOPS ? 0 : limit.iops;
	bpf_probe_read_kernel_str(r->group, sizeof(r->group),
				  tg->pd.blkg->blkcg->css.cgroup->kn->name);
	return 0;
}

/* A wait for a disk or a page has ended. */
static __always_inline void io_emit(struct task_struct *p, struct thread *t, __u64 blocked,
				    bool woken, __u64 now)
{
	struct inode *inode = (struct inode *)t->io.inode;
	void *ring = ring_of_cpu();
	struct rec_io *r;

	if (!ring)
		return;
	r = bpf_ringbuf_reserve(ring, sizeof(*r), 0);
	if (!r) {
		count(COUNTER_RING_DETAIL);
		return;
	}
	__builtin_memset(r, 0, sizeof(*r));
	hdr_fill(&r->h, REC_IO, sizeof(*r), now);
	r->xid = t->serving;
	r->start_ns = t->out_ns;
	r->blocked_ns = blocked;
	r->tid = p->pid;
	r->tgid = p->tgid;
	r->state = t->out_state;
	r->syscall = t->syscall;
	if (woken) {
		r->waker_tid = t->waker_tid;
		r->flags = t->io.flags;
		io_fill_times(r, t, blocked);
		if (!(r->flags & IO_SEEN))
			bpf_probe_read_kernel(r->waker, sizeof(r->waker), t->io.waker);
	}
	if (r->flags & IO_SEEN) {
		io_fill_limit(r, &t->io, now - t->out_ns);
		r->bytes = t->io.bytes;
		r->dev = disk_fill((struct gendisk *)t->io.disk, r->disk);
		if (inode)
			r->inode = BPF_CORE_READ(inode, i_ino);
	}
	if (t->out_state == STATE_FAULT)
		inode_name(inode, r->name);
	else
		wait_file_name(p, t, r->name);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

#endif
