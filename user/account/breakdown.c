/* SPDX-License-Identifier: GPL-2.0-only */
#include "account/breakdown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account/idle.h"
#include "base/intern.h"

#define min_of(a, b) ((a) < (b) ? (a) : (b))
#define max_of(a, b) ((a) > (b) ? (a) : (b))

/* Work in progress: what is still free of the wall time, and the list that is built. */
struct work {
	const struct breakdown_in *in;
	struct parts *out;
	uint64_t left_ns;
	struct idle idle;
	uint64_t full_ns; /* given to a slow reader */
	uint64_t worked_ns[STATE_COUNT]; /* workers were at it while the thread was in that state */
	uint64_t after_ns; /* of SLICE_T0 what was after the answer */
	uint64_t named_ns[CAUSE_COUNT]; /* time that in->waits may name, by cause */
	int err;
};

/* Every nanosecond goes through here, so that no sum can exceed the wall time. */
static uint64_t give(struct work *w, const struct part *like, uint64_t ns)
{
	struct part part = *like;
	int err;

	ns = min_of(ns, w->left_ns);
	if (!ns)
		return 0;
	part.ns = ns;
	err = parts_add(w->out, &part);
	if (err) {
		w->err = err;
		return 0;
	}
	w->left_ns -= ns;
	return ns;
}

static uint64_t give_own(struct work *w, enum cause cause, uint32_t what, uint32_t held_by,
			 uint64_t ns)
{
	struct part part = {
		.who = w->in->who, .what = what, .held_by = held_by, .cause = (uint8_t)cause
	};

	return give(w, &part, ns);
}

/* The same for a cause's fixed name, which is looked up only when there is something to give. */
static void give_named(struct work *w, enum cause cause, const char *what, uint64_t ns)
{
	if (ns)
		give_own(w, cause, intern_str(what), 0, ns);
}

/* In poll for nothing that is known: as far as the thread had chosen the time itself, that. */
static void give_poll(struct work *w, uint64_t ns)
{
	uint64_t due = !w->in->loop && w->idle.known ? min_of(ns, w->idle.due_ns) : 0;

	give_named(w, CAUSE_SLEEP, "timer", due);
	give_named(w, CAUSE_OTHER, "poll", ns - due);
}

/* Single waits of a cause, those that are told as another one or those that are not, up to `ns`;
 * returns what is left of it. */
static uint64_t give_waits_as(struct work *w, enum cause cause, bool as, uint64_t ns)
{
	for (size_t i = 0; i < w->in->n_waits && ns; i++) {
		const struct breakdown_wait *wait = &w->in->waits[i];
		uint64_t take = min_of(wait->ns, ns);
		struct part part = { .who = w->in->who,
				     .what = wait->what,
				     .held_by = wait->held_by,
				     .count = wait->count ? wait->count : 1,
				     .cause = wait->as ? wait->as : wait->cause };

		if (wait->cause != cause || as != (wait->as != 0))
			continue;
		give(w, &part, take);
		ns -= take;
	}
	return ns;
}

/* Time of a cause that single waits name; what is left of it were shorter waits. What is known of
 * them comes first: others can be of a time that is booked elsewhere. */
static void give_waits(struct work *w, enum cause cause)
{
	uint64_t ns = w->named_ns[cause];

	ns = give_waits_as(w, cause, true, ns);
	ns = give_waits_as(w, cause, false, ns);
	if (cause == CAUSE_LOCK)
		give_named(w, cause, "futex", ns);
	else if (cause == CAUSE_OTHER)
		give_poll(w, ns);
	else
		give_own(w, cause, 0, 0, ns);
}

/* The thread's own states; what was for the peer of a call or of the request is left to the
 * caller. `clip` was before the request's first byte: the thread finished its work for the request
 * before, or it had been woken for something else (its connection was new), and waited for a CPU. */
static void give_states(struct work *w, const uint64_t *state, uint64_t clip)
{
	static const struct {
		enum thread_state state;
		enum cause cause;
		bool named;
	} direct[] = {
		{ STATE_RUN, CAUSE_CPU, false },          { STATE_RUNQ, CAUSE_RUNQ, true },
		{ STATE_THROTTLE, CAUSE_THROTTLE, true }, { STATE_DISK, CAUSE_DISK, true },
		{ STATE_FAULT, CAUSE_FAULT, true },       { STATE_SLEEP, CAUSE_SLEEP, true },
		{ STATE_IPC, CAUSE_IPC, true },           { STATE_OTHER, CAUSE_OTHER, false },
	};

	uint64_t woken = w->in->woken ? min_of(clip, state[STATE_RUNQ]) : 0;

	clip -= woken;
	for (size_t i = 0; i < sizeof(direct) / sizeof(direct[0]); i++) {
		uint64_t ns = state[direct[i].state];
		uint64_t first = direct[i].state == STATE_RUNQ ? woken : 0;
		uint64_t cut = first + min_of(clip, ns - first);

		clip -= cut - first;
		if (direct[i].named)
			w->named_ns[direct[i].cause] += ns - cut;
		else
			give_own(w, direct[i].cause, 0, 0, ns - cut);
	}
	give_named(w, CAUSE_LOCK, "kernel", state[STATE_KERNEL]);
	w->named_ns[CAUSE_LOCK] += state[STATE_LOCK];
}

static uint64_t peer_wait(const struct breakdown_call *c)
{
	return c->state_ns[STATE_RECV] + c->state_ns[STATE_SEND] + c->state_ns[STATE_CONNECT];
}

static uint64_t cut_own(struct part *v, size_t n, enum cause cause, uint64_t ns)
{
	uint64_t left = ns;

	for (size_t i = 0; i < n; i++) {
		uint64_t cut = min_of(left, v[i].ns);

		if (v[i].cause != cause || v[i].via)
			continue;
		v[i].ns -= cut;
		left -= cut;
	}
	return ns - left;
}

/* A copy of the callee's parts without what was not in the caller's wait: after the caller had its
 * answer the callee's last send was still returning, running or waiting for a CPU; and while the
 * callee waited for the caller's bytes, or for it to read, the caller was busy itself. */
static struct part *child_parts(const struct breakdown_call *c, uint64_t wait_ns, uint64_t *wall_ns)
{
	static const enum cause late_causes[] = { CAUSE_RUNQ, CAUSE_THROTTLE, CAUSE_CPU };
	struct part *v = malloc(c->n_child * sizeof(*v));
	uint64_t late = c->child_late_ns;

	if (!v)
		return NULL;
	memcpy(v, c->child, c->n_child * sizeof(*v));
	*wall_ns = c->child_wall_ns;
	for (size_t k = 0; k < sizeof(late_causes) / sizeof(late_causes[0]); k++) {
		uint64_t cut = cut_own(v, c->n_child, late_causes[k], late);

		late -= cut;
		*wall_ns -= cut;
	}
	if (*wall_ns > wait_ns)
		*wall_ns -= cut_own(v, c->n_child, CAUSE_RECV, *wall_ns - wait_ns);
	if (*wall_ns > wait_ns)
		*wall_ns -= cut_own(v, c->n_child, CAUSE_SEND, *wall_ns - wait_ns);
	return v;
}

/* A store's time is known by its statement; what it waited for is told beside it, but for who had
 * the CPU meanwhile, which is no matter of the statement. */
static uint32_t store_what(const struct breakdown_call *c, const struct part *p)
{
	if (!p->what || (p->cause == CAUSE_RUNQ && c->what))
		return c->what;
	if (c->what && (p->cause == CAUSE_DISK || p->cause == CAUSE_FAULT))
		return intern_fmt("%s (%s)", intern_text(c->what), intern_text(p->what));
	return p->what;
}

static uint64_t give_child(struct work *w, const struct breakdown_call *c, uint64_t ns,
			   uint32_t *counted)
{
	uint64_t wall_ns, child_ns, given = 0, *scaled = calloc(c->n_child, sizeof(*scaled));
	struct part *v = child_parts(c, ns, &wall_ns);
	bool misfit;

	if (!v || !scaled) {
		w->err = -ENOMEM;
		free(v);
		free(scaled);
		return 0;
	}
	/* a few microseconds are the caller's own wakeup, not a misfit */
	misfit = wall_ns > ns + 50000 + ns / 50;
	child_ns = min_of(ns, wall_ns);
	parts_round(v, c->n_child, child_ns, scaled);
	for (size_t i = 0; i < c->n_child; i++) {
		struct part p = v[i];

		p.scaled = p.scaled || misfit;
		p.via = breakdown_via(c->child_service, p.via);
		if (c->child_is_store && p.cause == CAUSE_CPU)
			p.cause = (uint8_t)c->cause;
		if (c->child_is_store)
			p.what = store_what(c, &p);
		if (p.cause == c->cause && p.what == c->what && !*counted) {
			p.count = 1;
			*counted = scaled[i] > 0;
		}
		given += give(w, &p, scaled[i]);
	}
	free(v);
	free(scaled);
	return given;
}

/* The time that opening the call's connection took, of a callee that is not known. */
static uint64_t give_connect(struct work *w, const struct part *like,
			     const struct breakdown_call *c, uint64_t ns)
{
	struct part part = *like;

	part.count = 0;
	part.what = intern_str("connect");
	return give(w, &part, min_of(ns, c->state_ns[STATE_CONNECT]));
}

/* "GET /answer (rtt ~20ms)" */
static uint32_t what_and_net(const struct breakdown_call *c)
{
	if (!c->what || !c->net)
		return c->what ? c->what : c->net;
	return intern_fmt("%s (%s)", intern_text(c->what), intern_text(c->net));
}

/* Gives `ns` of waiting to the callee: by its own parts where they are known. */
static void give_call(struct work *w, const struct breakdown_call *c, uint64_t ns)
{
	struct part part = {
		.who = c->who, .what = c->what, .via = c->who, .cause = (uint8_t)c->cause
	};
	uint32_t counted = 0;

	if (c->n_child && c->child_wall_ns) {
		ns -= give_child(w, c, ns, &counted);
		/* the rest was on the wire, or in the callee's kernel before its clock started */
		part.who = c->child_service ? c->child_service : c->who;
		part.via = part.who;
	}
	part.count = counted ? 0 : 1;
	if (!c->n_child)
		ns -= give_connect(w, &part, c, ns);
	part.what = what_and_net(c);
	give(w, &part, ns);
}

static int later_end_first(const void *a, const void *b)
{
	const struct breakdown_call *x = a, *y = b;

	if (x->end_ns != y->end_ns)
		return x->end_ns > y->end_ns ? -1 : 1;
	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

struct outstanding {
	uint64_t from_ns, owned_ns; /* while no call that finishes later was outstanding */
	uint64_t wait_ns, loop_ns;
};

/* Time in which each call was the one that finishes last among those outstanding. Calls are
 * sorted by end, latest first, so whatever lies after `taken` belongs to a call before. */
static void own_intervals(const struct breakdown_in *in, struct outstanding *o)
{
	uint64_t taken = in->end_ns;

	for (size_t i = 0; i < in->n_calls; i++) {
		const struct breakdown_call *c = &in->calls[i];
		uint64_t end = min_of(c->end_ns, taken), start = max_of(c->sent_ns, in->start_ns);

		o[i].from_ns = start;
		o[i].owned_ns = end > start ? end - start : 0;
		taken = min_of(taken, start);
	}
}

/* On an event loop: the part of an outstanding call in which its caller's thread did something
 * else. Until the answer arrived that is waiting for it; from then on the loop was busy. */
static void find_gap(const struct breakdown_call *c, uint64_t request_end, uint64_t *wait_ns,
		     uint64_t *loop_ns)
{
	uint64_t end = min_of(c->end_ns, request_end);
	uint64_t span = end > c->sent_ns ? end - c->sent_ns : 0;
	uint64_t seen = c->slice_ns[SLICE_MID] + c->slice_ns[SLICE_T1];
	uint64_t gap = span > seen ? span - seen : 0, late = 0, ready, read;

	ready = max_of(c->arrival_ns, c->sent_ns);
	read = c->first_ns ? c->first_ns : end;
	if (c->arrival_ns && read > ready)
		late = read - ready;
	late = late > c->slice_ns[SLICE_MID] ? late - c->slice_ns[SLICE_MID] : 0;
	*loop_ns = min_of(late, gap);
	*wait_ns = gap - *loop_ns;
}

/* Sorted times and their sums: the integral of how many of them have passed. */
struct steps {
	uint64_t *at, *sum; /* sum[i]: of the first i */
	size_t n;
};

static int by_time(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void steps_sum(struct steps *s)
{
	if (s->n)
		qsort(s->at, s->n, sizeof(*s->at), by_time);
	for (size_t i = 0; i < s->n; i++)
		s->sum[i + 1] = s->sum[i] + s->at[i];
}

/* The sum of min(t, time) over all times. */
static uint64_t steps_until(const struct steps *s, uint64_t t)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->at[mid] < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return s->sum[lo] + (s->n - lo) * t;
}

/* The intervals that calls own, latest first, as they are found; end[i] is how long the first i + 1
 * of them are. */
struct owned {
	const struct outstanding **v;
	uint64_t *length;
	size_t n;
};

/* How much of what is owned lies after t. */
static uint64_t owned_after(const struct owned *own, uint64_t t)
{
	size_t lo = 0, hi = own->n;
	const struct outstanding *o;

	while (lo < hi) { /* the first that does not begin after t */
		size_t mid = lo + (hi - lo) / 2;

		if (own->v[mid]->from_ns > t)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == own->n)
		return own->n ? own->length[own->n - 1] : 0;
	o = own->v[lo];
	return (lo ? own->length[lo - 1] : 0) +
	       (o->from_ns + o->owned_ns > t ? o->from_ns + o->owned_ns - t : 0);
}

/* The time by which `ns` of what is owned after `from` have passed. */
static uint64_t owned_until(const struct owned *own, uint64_t from, uint64_t ns)
{
	uint64_t rest = owned_after(own, from) - ns; /* is left after that time */
	size_t lo = 0, hi = own->n;

	while (lo < hi) { /* the first with which more than the rest is passed */
		size_t mid = lo + (hi - lo) / 2;

		if (own->length[mid] <= rest)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == own->n)
		return from;
	rest -= lo ? own->length[lo - 1] : 0;
	return own->v[lo]->from_ns + own->v[lo]->owned_ns - rest;
}

static int share_out_alloc(struct owned *own, struct steps *from, struct steps *until, size_t n)
{
	own->v = calloc(n, sizeof(*own->v));
	own->length = calloc(n, sizeof(*own->length));
	from->at = calloc(n, sizeof(*from->at));
	from->sum = calloc(n + 1, sizeof(*from->sum));
	until->at = calloc(n, sizeof(*until->at));
	until->sum = calloc(n + 1, sizeof(*until->sum));
	return own->v && own->length && from->at && from->sum && until->at && until->sum ? 0 :
											   -ENOMEM;
}

/* Waits that were measured on one call while others were outstanding that finished later belong
 * to those: a thread blocks at the end of a call, just before it reads the answer. They get the
 * earliest of it, each as much as it owns there. So a call's wait goes to whatever is owned from its
 * send on until it is used up, and an owner gets what all such spans have in its interval: the
 * difference of two integrals. Calls are sorted as in own_intervals(): owners come before. */
static int share_out(const struct breakdown_in *in, struct outstanding *o)
{
	struct owned own = { 0 };
	struct steps from = { 0 }, until = { 0 };
	int err = share_out_alloc(&own, &from, &until, in->n_calls);

	for (size_t i = 0; i < in->n_calls && !err; i++) {
		const struct breakdown_call *c = &in->calls[i];
		uint64_t span = c->end_ns > c->sent_ns ? c->end_ns - c->sent_ns : 0;
		uint64_t move = span > o[i].owned_ns ? span - o[i].owned_ns : 0, there;

		there = span ? owned_after(&own, c->sent_ns) - owned_after(&own, c->end_ns) : 0;
		move = min_of(min_of(move, o[i].wait_ns), there);
		if (move) {
			o[i].wait_ns -= move;
			/* what it owns itself comes first, and stays its own */
			from.at[from.n++] = max_of(c->sent_ns, o[i].from_ns + o[i].owned_ns);
			until.at[until.n++] = owned_until(&own, c->sent_ns, move);
		}
		if (o[i].owned_ns) {
			own.length[own.n] = o[i].owned_ns + (own.n ? own.length[own.n - 1] : 0);
			own.v[own.n++] = &o[i];
		}
	}
	steps_sum(&from);
	steps_sum(&until);
	for (size_t i = 0; i < in->n_calls && from.n; i++) {
		uint64_t begin = o[i].from_ns, end = begin + o[i].owned_ns;

		if (o[i].owned_ns)
			o[i].wait_ns += steps_until(&until, end) - steps_until(&from, end) -
					(steps_until(&until, begin) - steps_until(&from, begin));
	}
	free(own.v);
	free(own.length);
	free(from.at);
	free(from.sum);
	free(until.at);
	free(until.sum);
	return err;
}

static void give_calls(struct work *w)
{
	const struct breakdown_in *in = w->in;
	uint64_t gap, explained = 0;
	struct outstanding *o;

	if (!in->n_calls)
		return;
	o = calloc(in->n_calls, sizeof(*o));
	if (!o) {
		w->err = -ENOMEM;
		return;
	}
	qsort(in->calls, in->n_calls, sizeof(*in->calls), later_end_first);
	own_intervals(in, o);
	/* what slices do not cover is a gap; only an event loop has one */
	gap = w->left_ns;
	for (size_t i = 0; i < in->n_calls; i++) {
		o[i].wait_ns = peer_wait(&in->calls[i]);
		gap -= min_of(gap, o[i].wait_ns);
	}
	w->err = share_out(in, o);
	for (size_t i = 0; i < in->n_calls && gap > explained; i++) {
		uint64_t wait, loop;

		find_gap(&in->calls[i], in->end_ns, &wait, &loop);
		wait = min_of(wait, o[i].owned_ns);
		loop = min_of(loop, gap - explained);
		wait = min_of(wait, gap - explained - loop);
		o[i].wait_ns += wait;
		o[i].loop_ns = loop;
		explained += wait + loop;
	}
	for (size_t i = 0; i < in->n_calls; i++) {
		give_own(w, CAUSE_LOOP, 0, 0, o[i].loop_ns);
		give_call(w, &in->calls[i], o[i].wait_ns);
	}
	free(o);
}

/* From arrival until the thread turned to the request. */
static uint64_t give_queue(struct work *w)
{
	const struct breakdown_in *in = w->in;
	uint64_t until = in->read_first_ns ? in->read_first_ns : in->end_ns;
	uint64_t late = until > in->start_ns ? until - in->start_ns : 0;
	uint64_t pre = in->slice_ns[SLICE_PRE];

	if (pre > late)
		return pre - late;
	if (in->states_unknown)
		give_named(w, CAUSE_UNKNOWN, "before the thread was known", late - pre);
	else if (in->loop)
		give_own(w, CAUSE_LOOP, 0, in->behind, late - pre);
	else
		give_own(w, CAUSE_QUEUE, in->queue_what, 0, late - pre);
	return 0;
}

/* One thread has read the request, and then it waited for another one to turn to it. */
static void give_handed(struct work *w)
{
	const struct breakdown_in *in = w->in;

	if (in->turned_ns > in->read_last_ns && in->read_last_ns && !in->loop)
		give_own(w, CAUSE_QUEUE, in->queue_what, 0, in->turned_ns - in->read_last_ns);
}

/* The last read can come after the answer: php-fpm takes the record that ends its input then, and
 * may have waited for a CPU before. Returns for how long the thread was at it. A thread, that is:
 * on an event loop the time between belongs to others. */
static uint64_t read_after_answer(const struct breakdown_in *in)
{
	uint64_t from = max_of(in->end_ns, in->read_first_ns);

	if (in->loop || !in->sent_last_ns || in->read_last_ns <= from)
		return 0;
	return min_of(in->read_last_ns - from, in->slice_ns[SLICE_T0]);
}

/* The same as in a callee that was late: it did not block, as its data was there. */
static void give_own_states(struct work *w, uint64_t clip)
{
	static const enum thread_state late[] = { STATE_RUNQ, STATE_THROTTLE, STATE_RUN };
	uint64_t state[STATE_COUNT], after = w->after_ns;

	memcpy(state, w->in->state_ns, sizeof(state));
	for (size_t i = 0; i < STATE_COUNT; i++)
		state[i] -= min_of(state[i], w->worked_ns[i]);
	for (size_t k = 0; k < sizeof(late) / sizeof(late[0]); k++) {
		uint64_t cut = min_of(after, state[late[k]]);

		state[late[k]] -= cut;
		after -= cut;
	}
	give_states(w, state, clip);
}

/* Waits on the request's own connection, and on sockets that are not known as calls. */
static void give_peer_waits(struct work *w)
{
	const struct breakdown_in *in = w->in;
	const uint64_t *state = in->state_ns;
	uint64_t body = min_of(state[STATE_RECV], in->slice_ns[SLICE_T0] - w->after_ns);

	give_own(w, CAUSE_RECV, 0, 0, body);
	give_named(w, CAUSE_UPSTREAM, "socket", state[STATE_RECV] - body);
	give_own(w, CAUSE_SEND, in->net, 0, state[STATE_SEND]);
	give_named(w, CAUSE_UPSTREAM, "connect", state[STATE_CONNECT]);
	if (!in->loop || !w->idle.known)
		w->named_ns[CAUSE_OTHER] += state[STATE_POLL] -
					    min_of(state[STATE_POLL], w->worked_ns[STATE_POLL]);
}

/* For how long the thread waited for a worker. A loop may wait several times meanwhile. */
static uint64_t waited_for(const struct breakdown_work *v)
{
	return v->end_ns - (v->state == STATE_POLL ? v->from_ns : max_of(v->from_ns, v->wait_ns));
}

/* How long the thread waited for workers: that is no wait of its own. */
static void find_worked(struct work *w)
{
	for (size_t i = 0; i < w->in->n_works; i++)
		if (w->in->works[i].end_ns)
			w->worked_ns[w->in->works[i].state] += waited_for(&w->in->works[i]);
}

/* Takes up to `ns` off; returns how much that was. */
static uint64_t cut_state(uint64_t *state_ns, uint64_t ns)
{
	ns = min_of(ns, *state_ns);
	*state_ns -= ns;
	return ns;
}

/* What a worker did, but for its calls. Where it had begun before the thread waited, both are at work for
 * the request, and the thread's own comes first. */
static void give_work(struct work *w, const struct breakdown_work *v)
{
	static const enum thread_state first[] = { STATE_RUNQ, STATE_IPC, STATE_OTHER, STATE_RUN };
	uint64_t state[STATE_COUNT], both = v->end_ns - v->from_ns - waited_for(v);

	memcpy(state, v->state_ns, sizeof(state));
	for (size_t k = 0; k < sizeof(first) / sizeof(first[0]); k++)
		both -= cut_state(&state[first[k]], both);
	for (size_t k = 0; k < STATE_COUNT; k++)
		both -= cut_state(&state[k], both);
	give_states(w, state, 0);
	give_named(w, CAUSE_UPSTREAM, "socket",
		   state[STATE_RECV] + state[STATE_SEND] + state[STATE_CONNECT]);
	give_named(w, CAUSE_OTHER, "poll", state[STATE_POLL]);
}

/* Time between two sends that no slice covers, and what follows the last one when it was not sent to its end. */
static uint64_t send_gap(const struct breakdown_in *in, uint64_t *tail)
{
	uint64_t span = in->sent_last_ns > in->sent_first_ns ?
				in->sent_last_ns - in->sent_first_ns :
				0;

	*tail = in->sent_first_ns && in->end_ns > in->sent_last_ns ? in->end_ns - in->sent_last_ns :
								     0;
	return span > in->slice_ns[SLICE_T1] ? span - in->slice_ns[SLICE_T1] : 0;
}

/* The reader was slow as long as the socket was full: also while a call was outstanding, whose answer could not
 * be passed on. The loop idled meanwhile, which is no other wait. */
static void give_slow_reader(struct work *w)
{
	const struct breakdown_in *in = w->in;
	uint64_t tail, gap = send_gap(in, &tail);
	uint64_t own = in->state_ns[STATE_SEND], full = in->send_wait_ns;
	uint64_t idle = min_of(max_of(own, full), w->idle.gap_ns);

	w->idle.gap_ns -= idle;
	w->idle.due_ns -= min_of(w->idle.due_ns, max_of(own, full) - idle);
	w->full_ns = min_of(full > own ? full - own : 0, gap + tail);
	give_own(w, CAUSE_SEND, in->net, 0, w->full_ns);
}

/* The rest of the time between sends. */
static void give_send_gap(struct work *w)
{
	const struct breakdown_in *in = w->in;
	uint64_t tail, gap = send_gap(in, &tail), rest, idle;

	rest = gap > w->full_ns ? gap - w->full_ns : 0;
	if (!w->idle.known)
		give_named(w, CAUSE_UNKNOWN, "the answer paused", rest);
	if (!in->stream)
		return;
	/* another thread than a loop's has what it polled in its slices */
	idle = in->loop ? w->idle.gap_ns : min_of(w->idle.gap_ns, rest);
	give_named(w, CAUSE_OTHER, "stream gap", idle);
	w->idle.gap_ns -= idle;
}

/* What is left of `ns`, in which the thread may have worked for the request itself for up to *own_ns. */
static uint64_t more_of(uint64_t ns, uint64_t *own_ns)
{
	uint64_t own = min_of(ns, *own_ns);

	*own_ns -= own;
	return ns - own;
}

/* What no slice covers and no call explains: the body or the reader was slow, or the loop was
 * busy between two steps of this request. */
static void give_gaps(struct work *w)
{
	const struct breakdown_in *in = w->in;
	uint64_t span, handed, own, due, other;

	span = in->read_last_ns > in->read_first_ns ? in->read_last_ns - in->read_first_ns : 0;
	span -= min_of(span, in->slice_ns[SLICE_T0]);
	/* read on by the thread that it was handed to: the body may have been there before that */
	if (in->turned_ns > in->read_first_ns && in->turned_ns < in->read_last_ns) {
		handed = min_of(span, in->turned_ns - in->read_first_ns);
		give_named(w, CAUSE_UNKNOWN, "on other threads", handed);
		span -= handed;
	}
	/* a read after the answer says nothing about how long the body took */
	if (!w->after_ns)
		give_own(w, CAUSE_RECV, 0, 0, span);
	give_send_gap(w);
	if (in->loop) {
		own = w->idle.span_ns > w->left_ns ? w->idle.span_ns - w->left_ns : 0;
		due = more_of(w->idle.due_more_ns, &own);
		other = more_of(w->idle.other_more_ns, &own);
		give_named(w, CAUSE_SLEEP, "timer", w->idle.due_ns + due);
		give_named(w, CAUSE_UNKNOWN, "the event loop was idle",
			   w->idle.other_ns + w->idle.gap_ns + other);
		give_named(w, CAUSE_UNKNOWN, "on other threads",
			   w->idle.unmeasured_ns + w->idle.worker_ns);
	}
	if (in->loop && in->moves)
		give_named(w, CAUSE_UNKNOWN, "on other threads", w->left_ns);
	if (in->loop && in->read_first_ns)
		give_own(w, CAUSE_LOOP, 0, 0, w->left_ns);
	give_own(w, CAUSE_UNKNOWN, 0, 0, w->left_ns);
}

int breakdown(const struct breakdown_in *in, struct parts *out)
{
	struct work w = { .in = in, .out = out };
	uint64_t clip;

	if (in->end_ns <= in->start_ns)
		return 0;
	w.left_ns = in->end_ns - in->start_ns;
	w.after_ns = read_after_answer(in);
	w.err = idle_between(in, &w.idle);
	find_worked(&w);
	clip = give_queue(&w);
	give_handed(&w);
	give_own_states(&w, clip);
	give_peer_waits(&w);
	for (size_t i = 0; i < in->n_calls; i++) {
		give_states(&w, in->calls[i].state_ns, 0);
		if (!in->loop || !w.idle.known || in->calls[i].lent)
			give_named(&w, CAUSE_OTHER, "poll", in->calls[i].state_ns[STATE_POLL]);
	}
	for (size_t i = 0; i < in->n_works; i++)
		if (in->works[i].end_ns)
			give_work(&w, &in->works[i]);
	for (int c = 0; c < CAUSE_COUNT; c++)
		give_waits(&w, c);
	give_own(&w, CAUSE_QUEUE, in->slot.what, 0, in->slot.ns);
	give_slow_reader(&w);
	give_calls(&w);
	give_gaps(&w);
	if (w.err)
		parts_clear(out);
	return w.err;
}

uint32_t breakdown_via(uint32_t first, uint32_t rest)
{
	/* few services, so few pairs: a direct-mapped cache spares the formatting */
	static struct {
		uint32_t first, rest, id;
	} cache[256];
	size_t slot = (first * 31u + rest) & 255;

	if (!first || !rest)
		return first ? first : rest;
	if (cache[slot].id && intern_has(cache[slot].id) && cache[slot].first == first &&
	    cache[slot].rest == rest)
		return cache[slot].id;
	cache[slot].first = first;
	cache[slot].rest = rest;
	cache[slot].id = intern_fmt("%s > %s", intern_text(first), intern_text(rest));
	return cache[slot].id;
}
