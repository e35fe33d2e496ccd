/* SPDX-License-Identifier: GPL-2.0-only */
/* What an I/O takes of the sums of its thread: whose the time since the last one was. */
#ifndef TARDY_TAKE_BPF_H
#define TARDY_TAKE_BPF_H
#include "thread.bpf.h"

enum whose {
	TAKE_NEW, /* a request of another connection: what follows the last idle wait, if any */
	TAKE_NEXT, /* the next request of the same connection: also what follows the last I/O when
		    * there was no idle wait, because no other thread would have served it sooner */
	TAKE_SAME, /* the same request: everything since the last I/O */
	TAKE_NONE, /* a call by a worker that has waited since its answer: it may be for a request that it
		    * was handed, so the sums are held until it answers */
	TAKE_HANDED, /* a request that another thread has read, by a worker of a pool: what follows the
		      * end of its work for the request before, see thread_take_handed() */
};

/*
 * The request that `since` is taken for arrived while the thread was last off-CPU, or after: what
 * is left of the sums is what came after the arrival, run queue and then running. Returns what was
 * taken off. A thread held up between an answer and the next request is so for nobody, until that
 * arrives. An earlier arrival leaves the sums as they are: its time before is the collector's to
 * take off, which does not know the order.
 */
static __always_inline __u64 thread_since_arrival(struct thread *t, __u64 arrival, __u64 now)
{
	__u64 sum = 0, in = t->in_ns, out = t->out_ns, off, throttled;

	/* what follows a wakeup or a preemption is all in the run queue */
	if (t->out_state != STATE_RUNQ && t->wake_ns > out)
		out = t->wake_ns;
	if (arrival <= out || arrival >= now || in > now || t->unseen_ns || break_state)
		return 0;
	for (int i = 0; i < STATE_COUNT; i++)
		sum += t->since[i];
	if (sum <= now - arrival)
		return 0;
	off = in > arrival ? in - arrival : 0;
	throttled = t->since[STATE_THROTTLE] < off ? t->since[STATE_THROTTLE] : off;
	for (int i = 0; i < STATE_COUNT; i++)
		t->since[i] = 0;
	t->since[STATE_RUN] = now - (in > arrival ? in : arrival);
	t->since[STATE_THROTTLE] = throttled;
	t->since[STATE_RUNQ] = off - throttled;
	return sum - (now - arrival);
}

/* Global functions: for what is seldom, verified once. */
__noinline int thread_rests_clear(struct thread *t)
{
	if (!t)
		return 0;
	for (int i = 0; i < RESTS; i++) {
		t->rests[i].start_ns = 0;
		t->rests[i].end_ns = 0;
	}
	t->has_rests = 0;
	return 0;
}

/* `since` becomes all that followed the rest of that number, from 1. */
__noinline int thread_since_rest(struct thread *t, __u32 number)
{
	const struct thread_rest *rest;

	if (!t)
		return 0;
	rest = &t->rests[(number - 1) & (RESTS - 1)];
	for (int i = 0; i < STATE_COUNT; i++)
		t->since[i] += t->before[i] - rest->ns[i];
	return 0;
}

static __always_inline void thread_taken(struct thread *t)
{
	if (!t->holds) {
		if (t->has_rests)
			thread_rests_clear(t);
		t->waited_unseen = 0;
	}
	t->switched = 0;
	t->idle_cut = 0;
	t->rested = 0;
}

/* Global functions, too. */
__noinline int thread_hold(struct thread *t)
{
	if (!t)
		return 0;
	timed_settle(t);
	for (int i = 0; i < STATE_COUNT; i++) {
		t->held[i] = t->since[i] + t->before[i];
		t->since[i] = 0;
		t->before[i] = 0;
	}
	t->holds = 1;
	thread_taken(t);
	return 0;
}

__noinline int thread_unhold(struct thread *t)
{
	if (!t)
		return 0;
	for (int i = 0; i < STATE_COUNT; i++)
		t->before[i] += t->held[i];
	t->holds = 0;
	return 0;
}

/* Books `ns` of a state, of which nothing is left on the thread; that in poll is told apart. */
static __always_inline void state_take(struct thread *t, struct rec_xchg *x, int state, __u64 ns,
				       __u64 *polled)
{
	t->since[state] = 0;
	t->before[state] = 0;
	if (state == STATE_POLL)
		*polled = ns;
	else
		x->state_ns[state] += ns;
}

/* Books time in poll, which was for `poll_as`. */
static __always_inline void polled_add(struct rec_xchg *x, __u32 poll_as, __u64 polled)
{
	/* opaque to clang, which would compare before it shifts, and so hide the bound */
	asm volatile("%0 &= 15" : "+r"(poll_as));
	if (poll_as < STATE_COUNT)
		x->state_ns[poll_as] += polled;
}

/* A global function, too. */
__noinline int thread_take_states(struct thread *t, struct rec_xchg *x, __u64 now,
				  __u32 slice_and_poll_as, __u32 whose)
{
	__u32 slice = slice_and_poll_as & 3, poll_as = slice_and_poll_as >> 8;
	__u64 sum = 0, after = 0, polled = 0, since_mask, before_mask;
	int rested = 0;

	if (!t || !x)
		return 0;
	timed_settle(t);
	if (whose != TAKE_SAME && x->role == ROLE_ACCEPTED)
		rested = thread_had_rest(t, slice == SLICE_PRE ? x->turn[0].arrival_ns :
								 x->turn[0].last_ns);
	if (rested)
		thread_since_rest(t, rested);
	if (slice == SLICE_PRE && (whose == TAKE_NEXT || t->idle_cut || rested))
		after = thread_since_arrival(t, x->turn[0].arrival_ns, now);
	/* masks instead of branches: each branch in the loop would double what is verified */
	since_mask = whose != TAKE_NEW || t->idle_cut || rested ? ~0ULL : 0;
	before_mask = whose == TAKE_SAME ? ~0ULL : 0;
	for (int i = 0; i < STATE_COUNT; i++) {
		__u64 ns = (t->since[i] & since_mask) + (t->before[i] & before_mask);

		after += t->since[i] & ~since_mask;
		state_take(t, x, i, ns, &polled);
		sum += ns;
	}
	polled_add(x, poll_as, polled);
	x->slice_ns[slice] += sum;
	if (whose != TAKE_SAME && slice == SLICE_PRE)
		x->behind_after_ns = t->idle_cut || t->rested ? t->after_ns : after;
	thread_taken(t);
	return 0;
}

#define READS_MIN 8 /* until then it is not known */
#define JUST_WOKEN_NS 10000000ULL /* by who accepts, say: it has not begun with anything else */

/* Does it leave what it reads to others? Now and then it may answer what makes no sense. */
static __always_inline bool thread_hands_over(const struct thread *t)
{
	return t->reads >= READS_MIN && t->answers <= t->reads / 16;
}

/*
 * A worker goes on with a request that another thread has read. If it rested at that read, what
 * follows is for this request; and it turned to it then if who read it, and hands over what it reads,
 * ended the rest (for this request, or for one that another worker was quicker to take, so it may have
 * been awake already). One that was woken by that thread before, or that serves others from beginning to
 * end, turned to it at the end of any such rest; and if it was busy at that read, when it had answered
 * the request before, and had waited for the next one on that connection if it did. One that only sends
 * what others have made is none of these: it may have worked for anybody, and only what follows its last
 * idle wait counts. Its calls meanwhile have taken what was theirs.
 */
__noinline int thread_take_handed(struct thread *t, struct rec_xchg *x, __u32 slice_and_poll_as,
				  bool hands_over)
{
	__u32 slice = slice_and_poll_as & 3, poll_as = slice_and_poll_as >> 8;
	__u64 sum = 0, polled = 0, turned = 0, read, rest_mask, before_mask, mask = 0;
	const struct thread_rest *rest;
	__u64 early = 0, cut;
	bool by_reader, is_worker, just_woken;
	int rested;

	if (!t || !x)
		return 0;
	timed_settle(t);
	read = x->turn[0].last_ns;
	rested = thread_rest_at(t, read, t->rests[REST_NEXT].end_ns);
	rest = &t->rests[(rested - 1) & (RESTS - 1)];
	by_reader = hands_over && rested && rest->waker_tid == x->turn[0].tid;
	is_worker = hands_over && (t->hander == x->turn[0].tid || t->whole);
	just_woken = is_worker && read - rest->end_ns < JUST_WOKEN_NS;
	if (by_reader || (rested && (read <= rest->end_ns || just_woken))) {
		mask = ~0ULL;
		early = read > rest->end_ns ? read - rest->end_ns : 0;
		if (by_reader)
			t->hander = x->turn[0].tid;
		if (by_reader || is_worker)
			turned = rest->end_ns + early;
	} else if (is_worker && !t->waited_unseen) {
		rest = &t->rests[REST_NEXT];
		rested = rest->end_ns != 0;
		turned = rested ? rest->end_ns : t->served_ns;
		mask = turned >= read ? ~0ULL : 0;
		turned &= mask;
	}
	rest_mask = rested ? ~0ULL : 0;
	before_mask = mask;
	if (t->idle_cut)
		mask = ~0ULL;
	for (int i = 0; i < STATE_COUNT; i++) {
		__u64 ns = (t->since[i] & mask) +
			   ((t->before[i] - (rest->ns[i] & rest_mask)) & before_mask);

		if (i == STATE_RUN || i == STATE_RUNQ) { /* it was awake before that read */
			cut = ns < early ? ns : early;
			ns -= cut;
			early -= cut;
		}
		state_take(t, x, i, ns, &polled);
		sum += ns;
	}
	polled_add(x, poll_as, polled);
	x->slice_ns[slice] += sum;
	if (!x->turn[1].arrival_ns)
		x->turn[1].arrival_ns = turned;
	thread_taken(t);
	return 0;
}

/*
 * Takes the sums at an I/O at `now` and adds them to the exchange's states and to `slice`, as
 * `whose` says; x->behind_after_ns gets what is left out, the work for the request before. Poll
 * time is booked as `poll_as`, e.g. as RECV while an answer is awaited.
 */
static __always_inline void thread_take(struct thread *t, struct task_struct *p, struct rec_xchg *x,
					__u64 now, enum slice_kind slice, __u32 poll_as,
					enum whose whose, bool hands_over)
{
	__u64 sum;

	if (!t->on_cpu)
		thread_in_unseen(t, p, now);
	thread_run_until(t, p, now, STAYS);
	if (t->holds && x->role == ROLE_ACCEPTED) {
		if (whose == TAKE_SAME || whose == TAKE_HANDED)
			thread_unhold(t);
		t->holds = 0;
		t->switched = 1;
	}
	if (whose == TAKE_NONE) {
		thread_hold(t);
	} else if (whose == TAKE_HANDED) {
		thread_take_handed(t, x, slice | poll_as << 8, hands_over);
	} else if (t->switched) {
		thread_take_states(t, x, now, slice | poll_as << 8, whose);
	} else { /* nothing but running since the last I/O: busy servers come here */
		sum = t->since[STATE_RUN];
		t->since[STATE_RUN] = 0;
		if (whose != TAKE_NEW) {
			x->state_ns[STATE_RUN] += sum;
			x->slice_ns[slice & 3] += sum;
		} else if (slice == SLICE_PRE) {
			x->behind_after_ns = sum;
		}
	}
	t->last_io_ns = now;
	if (x->role == ROLE_ACCEPTED)
		t->served_ns = now;
}

#endif
