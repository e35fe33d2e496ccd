/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Per-thread accounting. A thread that serves requests has storage in which the scheduler
 * programs add up its nanoseconds by state since its last socket I/O; an I/O takes them and puts
 * them on the exchange that it was for. Only the thread's own switches and its own I/O write
 * the sums, so no lock is needed; a waker writes only the wake stamp.
 *
 * Sums are kept in two halves, cut at the last wakeup out of an idle wait (poll, receive,
 * accept): `before` and `since`. If the next I/O is for the same request the wait was part of
 * it and both halves count. If it is for another request, the thread was free in between:
 * `since` belongs to the new one, `before` was work after the old one's last I/O.
 */
#ifndef TARDY_THREAD_BPF_H
#define TARDY_THREAD_BPF_H
#include "compat.bpf.h"

#define TIMEOUT_SLACK_NS 100000ULL /* the call had begun before the switch-out */
#define MAYBE_ASKS_NS 120000000ULL /* see futex.bpf.h; Ruby: 100 ms */
#define STATE_SLOTS 16 /* power of two >= STATE_COUNT, so that an index can be masked */

/* What woke a thread out of a wait for a disk or a page, see block.bpf.h. */
struct thread_io {
	__u64 start_ns, issue_ns, done_ns; /* of the block request */
	__u64 disk, inode; /* kernel addresses */
	__u32 bytes, flags; /* enum io_flag */
	__u8 waker[ABI_COMM];
};

/* A long wait for a CPU before the request that it belongs to was read, see sched.bpf.h. */
struct thread_runq {
	__u64 start_ns, runq_ns, throttle_ns, stolen_ns;
	struct rec_behind_by by[ABI_BEHIND_MAX];
	__u64 quota_us, period_us; /* what throttled it, see rec_behind */
	__u8 group[ABI_NAME];
};

/* A wait that may have been for work, and the thread's sums, of both halves, when it had ended. */
struct thread_rest {
	__u64 start_ns, end_ns; /* 0 = there is none */
	__u32 waker_tid; /* who ended it while it served a request, 0 = nobody */
	__u64 ns[STATE_SLOTS];
};

/* Work that another thread has done, until it is told of, see work.bpf.h. */
struct thread_work {
	__u64 job, from_ns, end_ns, wait_ns, after_ns; /* as in rec_work */
	__u64 ns[STATE_SLOTS];
	__u32 tid; /* the worker */
	__u32 state;
};

#define RESTS 4 /* in futex, but for the last: on the connection that it has answered */
#define REST_NEXT (RESTS - 1)

/* The kernel's frames of the latest wait that they were taken of. */
struct thread_kernel_stack {
	__u64 taken_ns;
	__u16 state, syscall;
	__u32 n; /* of frames */
	__u64 frames[64]; /* ABI_STACK_KERNEL_MAX; a power of two for the verifier's sake */
};

struct thread {
	__u64 serving; /* xid of the request last worked for */
	__u64 last_io_ns;
	__u64 mark_ns; /* on CPU: run time is accounted up to here */
	__u64 in_ns, out_ns; /* last switch-in and switch-out */
	__u64 cut_ns; /* start of `since` when idle_cut */
	__u64 after_ns; /* worked between the last I/O and the first idle wait after it */
	__u64 key; /* of the present wait in futex(): its address */
	__u64 cfs_rq; /* at switch-out */
	__u64 throttled_ns; /* of that cfs_rq at switch-out */
	__u64 idle_ns; /* in poll since it is known, see rec_idle */
	__u64 timeout_ns; /* of the present wait in poll or futex, 0 = none, or not known */
	/* waits in futex() that ended by their timeout, booked as `other` until what follows tells
	 * what they were; see futex_woken() */
	__u64 timed_ns, timed_key;
	__u64 again_ns; /* of the present wait's kind just before it, told with it */
	__u64 due_ns; /* when the present wait in poll ends by its timeout */
	__u64 chosen_ns; /* since when it waits in poll until then */
	__u64 polled_ns; /* its latest wait in poll ended */
	__u64 due_for; /* the request that it went on with first when it had ended by its timeout */
	__u64 tick_ns; /* the latest time that was due, and then no I/O followed, was so long in coming */
	/* the scheduler's own account at switch-out, see thread_unseen() */
	__u64 exec_ns; /* CPU time so far */
	__u64 delay_ns; /* in run queues so far, also up to the latest switch-in; 0 = not known */
	__u64 clock_ns; /* CLOCK_MONOTONIC less the run queue's clock, 0 = not known */
	__u64 unseen_ns; /* waits found since that no switch told of */
	__u32 nvcsw, nivcsw; /* switches so far: waits, preemptions */
	/* written by wakers */
	__u64 wake_ns;
	__u64 waker_xid;
	__u32 waker_tid, waker_tgid;
	__u32 wake_flags; /* enum wait_flag */
	__u16 out_state; /* state since switch-out */
	__u16 syscall; /* number at switch-out */
	__u8 on_cpu;
	__u8 idle_cut; /* there was an idle wait since the last I/O */
	__u8 switched; /* there was any switch since the last I/O */
	__u8 fresh; /* storage was made while it ran: earlier states unknown */
	__u8 mid_request; /* its last I/O was not the sending of an answer */
	__u8 runq_told; /* runq waits for the request that is read next */
	__u8 stack_wanted; /* the present wait leaves a stack if it is long */
	__u8 stack_state; /* enum thread_state, of the latest stack */
	__u8 read_turn; /* its last I/O was a read of the request that it serves */
	__u8 on_time; /* its latest wait in poll ended by its own timeout */
	__u8 backend; /* it serves a connection of PostgreSQL */
	__u8 latch; /* the present wait is in poll, of a backend that has something to do */
	__u8 futex; /* enum futex_kind, of the present wait; 0 = another call */
	__u8 timed; /* enum timed_flag, of timed_ns */
	__u8 skip_in; /* tests: the switch-in that comes next is not seen */
	__u8 rested; /* it has waited in a futex since the last I/O, which sent of an answer */
	__u8 poll_many; /* its latest wait in poll was for any of several descriptors */
	__u8 poller; /* it has waited for work like that: an event loop */
	__u8 strayed; /* it calls others, and has waited for work since it sent of the answer to `serving` */
	__u8 waited_unseen; /* since the last I/O, after an answer: nothing says what for */
	__u8 awaits_next; /* the present wait is on the connection that it has answered */
	__u8 has_rests; /* any of rests is set */
	__u8 has_work; /* work is set: the wait that it has ended was the latest in poll or futex */
	__u8 helped; /* a loop: other threads of its process have ended its waits in poll */
	__u8 lends; /* a loop that has woken a worker since */
	__u8 turn_mixed; /* it has done I/O for several requests in this turn */
	__u8 holds; /* held is set: it has called somebody since its last I/O for who asked */
	__u32 hander; /* reads, and has woken it for a request that it answered; 0 = none */
	__u32 reads, answers; /* requests that it has read, and that it has answered */
	__u32 whole; /* ... both */
	__u64 served_sk; /* the connection that it has served: the kernel's address */
	__u64 served_ns; /* its last I/O on it */
	__u64 turn_of; /* the request that it has done I/O for since its latest wait in poll */
	__u32 turn; /* of a loop: a number */
	__u64 job; /* it works for this request, by another thread's leave; 0 = for none */
	__u64 since[STATE_SLOTS];
	__u64 before[STATE_SLOTS];
	struct thread_io io;
	struct thread_runq runq;
	__u64 stack_ns; /* when the latest stack was taken */
	__u32 user_frames, stack_flags; /* of the present wait */
	__u64 user[ABI_STACK_USER_MAX];
	struct thread_kernel_stack kernel;
	/* seldom used: apart from what each switch touches */
	struct thread_rest rests[RESTS]; /* since its last I/O for who asked */
	__u64 held[STATE_SLOTS]; /* the sums, of both halves, when it called somebody */
	__u64 job_ns, job_after_ns; /* from_ns and after_ns of job */
	struct thread_work work;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

static __always_inline struct thread *thread_of(struct task_struct *p)
{
	return bpf_task_storage_get(&threads, p, NULL, 0);
}

#define DUE_SLACK_NS 2000000ULL
#define SLOW_TURN_NS 1000000ULL

static __always_inline bool state_is_idle(__u32 state)
{
	return state == STATE_POLL || state == STATE_RECV;
}

static __always_inline void thread_add(struct thread *t, __u32 state, __u64 ns)
{
	t->since[state & (STATE_SLOTS - 1)] += ns;
	if (state == STATE_POLL) {
		t->idle_ns += ns;
		t->on_time = 0;
	}
}

/* A wait in poll begins. A loop may come back to the same time some waits long, in milliseconds that
 * it has rounded; but not when that has passed. */
static __always_inline void thread_polls(struct thread *t, __u64 now)
{
	__u64 due = t->timeout_ns ? now + t->timeout_ns : 0;

	if (t->on_time && t->last_io_ns < t->polled_ns)
		t->tick_ns = t->polled_ns - t->chosen_ns;
	if (due && !t->on_time && due < t->due_ns + DUE_SLACK_NS && t->due_ns < due + DUE_SLACK_NS)
		return;
	t->due_ns = due;
	t->chosen_ns = now;
}

/* At an I/O for request xid, after the thread's time was taken. What was due is that of the first one that the
 * thread goes on with: others may come in the same turn for reasons that are not seen. */
static __always_inline void thread_idle(struct thread *t, __u64 xid, __u32 tid, struct rec_idle *to)
{
	__u64 turn = (t->last_io_ns - t->polled_ns) >> IDLE_TURN_SHIFT, chosen, coming;

	to->ns = t->idle_ns;
	to->tid = tid;
	to->latest = IDLE_TOLD | (turn < IDLE_TURN_MAX ? turn : IDLE_TURN_MAX);
	if (!t->on_time)
		return;
	if (!t->due_for)
		t->due_for = xid;
	if (t->due_for != xid)
		return;
	chosen = (t->last_io_ns - t->chosen_ns) >> IDLE_CHOSEN_SHIFT;
	to->latest |= IDLE_TIMED_OUT | (chosen < IDLE_CHOSEN_MAX ? chosen : IDLE_CHOSEN_MAX)
					       << IDLE_CHOSEN_PLACE;
	coming = t->polled_ns - t->chosen_ns;
	if ((t->helped && turn > SLOW_TURN_NS >> IDLE_TURN_SHIFT) ||
	    (coming < t->tick_ns + DUE_SLACK_NS && t->tick_ns < coming + DUE_SLACK_NS))
		to->latest |= IDLE_ANYBODYS;
}

/* Books the `runq` between a wakeup or a preemption and the CPU: what a quota held back is `throttle`,
 * which is returned. */
static __always_inline __u64 thread_add_runq(struct thread *t, __u64 runq)
{
	__u64 total, throttled = 0;

	if (t->cfs_rq && runq) {
		/* the one it was on: it may have moved */
		total = throttled_total_ns(typed(t->cfs_rq, struct cfs_rq));
		if (total > t->throttled_ns) {
			throttled = total - t->throttled_ns;
			t->throttled_ns = total;
		}
		if (throttled > runq)
			throttled = runq;
	}
	if (break_state == STATE_THROTTLE + 1)
		throttled = 0;
	thread_add(t, break_state == STATE_RUNQ + 1 ? STATE_OTHER : STATE_RUNQ, runq - throttled);
	thread_add(t, STATE_THROTTLE, throttled);
	return throttled;
}

enum timed_flag {
	TIMED_LONG = 1 << 0, /* one was longer than ABI_ASKS_AGAIN_MS */
	TIMED_REPEATS = 1 << 1, /* there is more than one */
};

/* The timed waits before were nothing but sleep; several short ones, one after another, may have asked
 * for something that was released unseen. Before a request is read no record says how long they were: they stay
 * what is not known. */
static __always_inline void timed_settle(struct thread *t)
{
	if (t->timed != TIMED_REPEATS && (t->mid_request || t->job)) {
		t->since[STATE_OTHER] -= t->timed_ns;
		t->since[STATE_SLEEP] += t->timed_ns;
	}
	t->timed_ns = 0;
}

/* Ends `before` at an idle wait's wakeup. A global function: verified once instead of at each place
 * that calls it. */
__noinline int thread_cut(struct thread *t, __u64 wake_ns)
{
	__u64 worked = 0;

	if (!t)
		return 0;
	timed_settle(t);
	for (int i = 0; i < STATE_COUNT; i++) {
		t->before[i] += t->since[i];
		if (!state_is_idle(i))
			worked += t->since[i];
		t->since[i] = 0;
	}
	if (!t->idle_cut && !t->rested)
		t->after_ns = worked;
	if (t->awaits_next && !t->holds) {
		t->awaits_next = 0;
		t->has_rests = 1;
		t->rests[REST_NEXT].start_ns = t->out_ns;
		t->rests[REST_NEXT].end_ns = wake_ns;
		for (int i = 0; i < STATE_COUNT; i++)
			t->rests[REST_NEXT].ns[i] = t->before[i];
	}
	t->idle_cut = 1;
	t->fresh = 0; /* all since is known */
	t->cut_ns = wake_ns;
	if (t->out_state == STATE_POLL)
		t->polled_ns = wake_ns;
	return 0;
}

/* Does it wait in a futex after it has sent of an answer? */
static __always_inline bool thread_rests(const struct thread *t)
{
	return !t->on_cpu && t->serving && !t->mid_request && t->out_state != STATE_RUNQ &&
	       t->futex;
}

/*
 * Such a wait, a rest, has ended after `ns`: a pool's worker had nothing to do until another thread
 * handed it a request, or it waited for a lock. Which of them is known when the next request is
 * read or answered, by when it came: so the sums are kept as they are now. Who is handed a request
 * may wait for locks before that is known, so some rests are kept: the longest, which are the
 * likeliest, and this one. One that may be asked for again (see timed_ns) goes on with the next wait.
 * Work after the answer ends with the first. A global function, too.
 */
__noinline int thread_rested(struct thread *t, __u64 ns)
{
	__u64 worked = 0, shortest = ~0ULL, length;
	struct thread_rest *r;
	__u32 at = 0;

	if (!t)
		return 0;
	for (int i = 0; i < STATE_COUNT; i++)
		worked += state_is_idle(i) ? 0 : t->since[i];
	if (!t->idle_cut && !t->rested)
		t->after_ns = worked > ns ? worked - ns : 0;
	t->rested = 1;
	if (t->timed_ns || t->holds)
		return 0;
	for (int i = 0; i < REST_NEXT; i++) {
		length = t->rests[i].end_ns - t->rests[i].start_ns;
		if (length < shortest) {
			shortest = length;
			at = i;
		}
	}
	r = &t->rests[at & (RESTS - 1)];
	t->has_rests = 1;
	r->start_ns = t->out_ns - t->again_ns;
	r->end_ns = t->out_ns + ns;
	r->waker_tid = t->waker_xid ? t->waker_tid : 0;
	for (int i = 0; i < STATE_COUNT; i++)
		r->ns[i] = t->before[i] + t->since[i];
	return 0;
}

/* The latest rest that had begun at `at`, of those that began at `from` or later: its number from 1, 0 =
 * there is none. A global function, too. */
__noinline int thread_rest_at(const struct thread *t, __u64 at, __u64 from)
{
	__u64 latest = 0;
	int found = 0;

	if (!t || !t->has_rests || t->poller)
		return 0;
	for (int i = 0; i < REST_NEXT; i++) {
		const struct thread_rest *r = &t->rests[i];

		if (!r->start_ns || r->start_ns < from || r->start_ns > at || r->start_ns < latest)
			continue;
		latest = r->start_ns;
		found = i + 1;
	}
	return found;
}

/* The rest in which it was, or that it had behind it, when what it reads now came at `arrival`. */
static __always_inline int thread_had_rest(const struct thread *t, __u64 arrival)
{
	return thread_rest_at(t, arrival, t->idle_cut ? t->cut_ns : 0);
}

/* A call begins. A thread of a pool that has waited for work since it answered may have got some that is
 * for another request: nothing told of it. A loop comes back to requests that it keeps. */
static __always_inline bool thread_strays(struct thread *t)
{
	if (!t->mid_request && (t->idle_cut || t->rested) && !t->poller)
		t->strayed = 1;
	return t->strayed;
}

#define UNSEEN_MIN_NS 100000ULL /* shorter runs are not looked into */

/* What the thread does while its run time is brought up to date. */
enum going { STAYS, WAITS, IS_PREEMPTED, ARRIVES };

/* Where thread_unseen() begins to compare: at a switch-out, and when storage is made. */
static __always_inline void thread_base(struct thread *t, struct task_struct *p)
{
	t->nvcsw = p->nvcsw;
	t->nivcsw = p->nivcsw;
	t->exec_ns = p->se.sum_exec_runtime;
	t->delay_ns = task_delay_ns(p);
	t->clock_ns = 0;
	t->unseen_ns = 0;
}

/* When the thread came onto its CPU by the scheduler's account, if that was in (after, now]. Where
 * the run queue's clock is not known, it is taken to have run as soon as it was woken. 0 = no. */
static __always_inline __u64 thread_arrived_ns(const struct thread *t, __u64 arrived, __u64 after,
					       __u64 now)
{
	arrived = t->clock_ns && arrived ? t->clock_ns + arrived : t->wake_ns;
	return arrived > after && arrived <= now ? arrived : 0;
}

/* What the scheduler has of a task. */
struct sched_account {
	__u64 exec_ns, exec_before_ns; /* CPU time, and what it was at its latest arrival */
	__u64 arrived_ns; /* that, in the run queue's clock; 0 = not known */
	__u64 delay_ns; /* in run queues so far; 0 = not known */
	__u32 nvcsw, nivcsw; /* switches so far, without the one that is under way */
};

static __always_inline void sched_account_of(struct task_struct *p, struct sched_account *of)
{
	of->exec_ns = p->se.sum_exec_runtime;
	of->exec_before_ns = p->se.prev_sum_exec_runtime;
	of->arrived_ns = task_arrived_ns(p);
	of->delay_ns = task_delay_ns(p);
}

/*
 * The thread seems to have run up to now, by the switches that were seen; but the scheduler has counted
 * others. It also says how long the thread was in the run queue. If it was preempted only, that is
 * all. Else the wait between is what its account of CPU time does not have. The state is not known:
 * after an answer it was for new work; else it is `other`. All but the part that the thread ran up to
 * now is booked, and t->mark_ns is where that begins. A global function: verified once.
 */
__noinline int thread_unseen(struct thread *t, const struct sched_account *of, __u64 now,
			     __u32 going)
{
	__u64 ns, before, since, told, arrived, wait, runq;
	bool waited;

	if (!t || !of)
		return 0;
	ns = now - t->mark_ns;
	waited = of->nvcsw != t->nvcsw;
	t->nvcsw = of->nvcsw;
	t->nivcsw = of->nivcsw;
	count(COUNTER_SWITCH_LOST);
	t->switched = 1;
	runq = of->delay_ns > t->delay_ns ? of->delay_ns - t->delay_ns : 0;
	t->delay_ns = of->delay_ns;
	if (!waited && of->delay_ns) {
		if (runq > ns)
			runq = ns;
		t->unseen_ns += runq;
		thread_add_runq(t, runq);
		t->mark_ns += runq;
		return 0;
	}
	/* what it ran up to the last wait, and since */
	told = t->exec_ns + (t->mark_ns - t->in_ns) - t->unseen_ns;
	before = of->exec_before_ns > told ? of->exec_before_ns - told : 0;
	arrived = going == ARRIVES ? now : thread_arrived_ns(t, of->arrived_ns, t->mark_ns, now);
	since = arrived ? now - arrived : of->exec_ns - of->exec_before_ns;
	if (before + since >= ns)
		return 0;
	wait = ns - before - since;
	t->unseen_ns += wait;
	if (!of->delay_ns && !waited)
		runq = wait;
	else if (!of->delay_ns && t->wake_ns > t->mark_ns && t->wake_ns < now - since)
		runq = now - since - t->wake_ns;
	if (runq > wait)
		runq = wait;
	thread_add(t, STATE_RUN, before);
	if (waited && !t->mid_request) {
		thread_add(t, STATE_POLL, wait - runq);
		t->awaits_next = 0;
		thread_cut(t, now - since - runq);
		t->waited_unseen = 1;
	} else {
		thread_add(t, STATE_OTHER, wait - runq);
	}
	thread_add_runq(t, runq);
	t->mark_ns = now - since;
	return 0;
}

/* Brings `run` up to now; for the current thread, or one that is just leaving the CPU. */
static __always_inline void thread_run_until(struct thread *t, struct task_struct *p, __u64 now,
					     enum going going)
{
	struct sched_account of;

	if (t->on_cpu && now > t->mark_ns) {
		of.nvcsw = p->nvcsw - (going == WAITS);
		of.nivcsw = p->nivcsw - (going == IS_PREEMPTED);
		if (now - t->mark_ns > UNSEEN_MIN_NS &&
		    of.nvcsw + of.nivcsw != t->nvcsw + t->nivcsw) {
			sched_account_of(p, &of);
			if (going == ARRIVES)
				of.delay_ns += task_queued_ns(p);
			thread_unseen(t, &of, now, going);
		}
		t->since[STATE_RUN] += now - t->mark_ns;
	}
	t->mark_ns = now;
}

/* A wait has ended, and nobody was seen to end it. In futex() a long timeout that has passed did. */
static __always_inline void timed_unseen(struct thread *t, __u64 blocked)
{
	if (t->out_state == STATE_OTHER && t->futex && t->timeout_ns > MAYBE_ASKS_NS &&
	    blocked + TIMEOUT_SLACK_NS >= t->timeout_ns)
		t->out_state = STATE_SLEEP;
}

/* A wait in poll has ended after so long: was that its own timeout? */
static __always_inline void poll_ended(struct thread *t, __u64 blocked)
{
	if (t->out_state == STATE_POLL && t->timeout_ns &&
	    blocked + TIMEOUT_SLACK_NS >= t->timeout_ns) {
		t->on_time = 1;
		t->due_for = 0;
	}
}

#define WAKE_AHEAD_NS 1000000ULL /* a hypervisor can hold up the CPU that is switching */

/* When the wait that the thread is in, or was in until `now`, was ended by a wakeup; 0 = none was
 * seen. It can come before the switch-out: the waker is told of, and then waits for the run queue
 * that the thread is about to leave. A wake of a thread that did not sleep after all is followed by
 * that of its next wait. */
static __always_inline __u64 thread_woken_ns(const struct thread *t, __u64 now)
{
	__u64 wake = t->wake_ns;

	if (wake <= t->in_ns || wake > now)
		return 0;
	if (wake >= t->out_ns)
		return wake;
	return t->out_ns - wake < WAKE_AHEAD_NS ? t->out_ns : 0;
}

/*
 * A thread that runs although it was last seen going off: sched_switch does not fire at every
 * switch from the idle task (seen on a 6.18 guest, a few in 10^4, in bursts on one CPU; ftrace
 * misses the same ones). Such a CPU may not have told of the wakeup either: then the scheduler's own
 * account says how long it was in the run queue. A global function: verified once.
 */
__noinline int thread_came_in(struct thread *t, const struct sched_account *of, __u64 now)
{
	__u64 woken, in, ran, delay;

	if (!t || !of)
		return 0;
	count(COUNTER_SWITCH_LOST);
	woken = t->out_state == STATE_RUNQ ? t->out_ns : thread_woken_ns(t, now);
	in = thread_arrived_ns(t, of->arrived_ns, woken ? woken : t->out_ns, now);
	if (!in)
		in = woken;
	if (!in) {
		ran = of->exec_ns - of->exec_before_ns;
		in = now - ran > t->out_ns && ran < now ? now - ran : t->out_ns;
	}
	if (!woken) {
		count(COUNTER_WAKE_LOST);
		t->waker_xid = 0;
		delay = of->delay_ns - t->delay_ns;
		woken = delay < in - t->out_ns ? in - delay : t->out_ns;
		timed_unseen(t, woken - t->out_ns);
	}
	if (t->out_state != STATE_RUNQ) {
		thread_add(t, t->out_state, woken - t->out_ns);
		if (t->futex)
			t->timed_ns =
				0; /* no record tells how long it was: what it was for is not known */
		if (state_is_idle(t->out_state))
			thread_cut(t, woken);
		else if (thread_rests(t))
			thread_rested(t, woken - t->out_ns);
	}
	/* there may have been more than one */
	ran = of->exec_before_ns > t->exec_ns ? of->exec_before_ns - t->exec_ns : 0;
	if (ran > in - woken)
		ran = in - woken;
	if (!ran)
		poll_ended(t, woken - t->out_ns);
	t->exec_ns += ran;
	t->delay_ns = of->delay_ns;
	thread_add(t, STATE_RUN, ran);
	thread_add_runq(t, in - woken - ran);
	t->on_cpu = 1;
	t->mark_ns = in;
	t->in_ns = in;
	return 0;
}

static __always_inline void thread_in_unseen(struct thread *t, struct task_struct *p, __u64 now)
{
	struct sched_account of;

	if (t->on_cpu || !t->out_ns)
		return;
	sched_account_of(p, &of);
	of.nvcsw = of.nivcsw = 0;
	thread_came_in(t, &of, now);
}

/* Tells of t->runq, for request xid. */
static __always_inline void runq_emit(struct task_struct *p, struct thread *t, __u64 xid, __u64 now)
{
	void *ring = ring_of_cpu();
	struct rec_behind *r;

	t->runq_told = 0;
	if (!ring)
		return;
	r = bpf_ringbuf_reserve(ring, sizeof(*r), 0);
	if (!r) {
		count(COUNTER_RING_DETAIL);
		return;
	}
	hdr_fill(&r->h, REC_BEHIND, sizeof(*r), now);
	r->xid = xid;
	r->start_ns = t->runq.start_ns;
	r->runq_ns = t->runq.runq_ns;
	r->throttle_ns = t->runq.throttle_ns;
	r->stolen_ns = t->runq.stolen_ns;
	r->tid = p->pid;
	r->tgid = p->tgid;
	__builtin_memcpy(r->by, t->runq.by, sizeof(r->by));
	r->quota_us = t->runq.quota_us;
	r->period_us = t->runq.period_us;
	__builtin_memcpy(r->group, t->runq.group, sizeof(r->group));
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

/* A rec_thread that the caller completes and submits; NULL, counted, when there is no room. */
static __always_inline struct rec_thread *thread_record(struct task_struct *p, struct thread *t,
							__u64 now)
{
	void *ring = ring_of_cpu();
	struct rec_thread *r;

	if (!ring)
		return NULL;
	r = bpf_ringbuf_reserve(ring, sizeof(*r), 0);
	if (!r) {
		count(COUNTER_RING_THREAD);
		return NULL;
	}
	hdr_fill(&r->h, REC_THREAD, sizeof(*r), now);
	r->xid = t->serving;
	r->last_io_ns = t->last_io_ns;
	r->tid = p->pid;
	r->tgid = p->tgid;
	r->flags = 0;
	r->name[0] = 0;
	return r;
}

/* For a thread that runs now. Returns NULL, counted, when there is no memory. */
static __always_inline struct thread *thread_make_current(struct task_struct *p, __u64 now)
{
	struct thread *t = bpf_task_storage_get(&threads, p, NULL, storage_flags());

	if (!t) {
		count(COUNTER_THREAD_STORAGE);
		return NULL;
	}
	t->on_cpu = 1;
	t->mark_ns = now;
	t->in_ns = now;
	t->fresh = 1;
	thread_base(t, p);
	return t;
}

#endif
