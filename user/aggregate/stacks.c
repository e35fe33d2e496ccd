// SPDX-License-Identifier: GPL-2.0-only
/* Samples: from records to their request, and from there to sums or the window. */
#include "aggregate/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account/causes.h"
#include "aggregate/frame_names.h"
#include "aggregate/stack_pending.h"
#include "base/compare.h"
#include "base/hash.h"
#include "base/intern.h"

enum { FRAMES_MAX = ABI_STACK_KERNEL_MAX + ABI_STACK_USER_MAX + 2 };

/* Frames that stand for missing ones. */
enum marker {
	NO_KERNEL,
	KERNEL_CUT,
	NO_USER,
	NO_USER_POINTERS,
	USER_SKIPPED,
	USER_SHORT,
	USER_CUT,
	MARKERS,
};

static const char *const marker_texts[MARKERS] = {
	[NO_KERNEL] = "[kernel stack missing]_[k]",
	[KERNEL_CUT] = "[kernel callers missing: too deep]_[k]",
	[NO_USER] = "[user stack missing: could not be read]",
	[NO_USER_POINTERS] = "[user stack missing: no frame pointers]",
	[USER_SKIPPED] = "[user stack missing: another was taken just before]",
	[USER_SHORT] = "[callers missing: no frame pointers]",
	[USER_CUT] = "[callers missing: too deep]",
};

/* What a thread that waits in a state keeps its request waiting for. */
static const uint8_t state_causes[STATE_COUNT] = {
	[STATE_RUN] = CAUSE_OTHER,         [STATE_RUNQ] = CAUSE_RUNQ,
	[STATE_THROTTLE] = CAUSE_THROTTLE, [STATE_DISK] = CAUSE_DISK,
	[STATE_FAULT] = CAUSE_FAULT,       [STATE_LOCK] = CAUSE_LOCK,
	[STATE_RECV] = CAUSE_UPSTREAM,     [STATE_SEND] = CAUSE_SEND,
	[STATE_CONNECT] = CAUSE_UPSTREAM,  [STATE_POLL] = CAUSE_UPSTREAM,
	[STATE_SLEEP] = CAUSE_SLEEP,       [STATE_IPC] = CAUSE_IPC,
	[STATE_KERNEL] = CAUSE_LOCK,       [STATE_OTHER] = CAUSE_OTHER,
};

/* Of a request, what its samples need. */
struct owner {
	uint64_t end_ns; /* of the answer; UINT64_MAX = in flight */
	uint32_t service, route;
	bool wanted;
};

struct event { /* of the live window */
	uint64_t ts_ns;
	struct stack_sum sum; /* one sample */
};

struct stacks {
	struct intern_holder holder;
	struct stacks_options o;
	struct stacks_counters counters;
	struct frame_names names;
	struct stack_set set;
	struct stack_pending pending;
	uint32_t markers[MARKERS];
	struct table known; /* xid -> struct owner */
	uint64_t *known_ring; /* the xids in it, the oldest at known_at once it is full */
	uint32_t known_n, known_at;
	struct table sums; /* report: key -> struct stack_sum, each with a reference to its stack */
	struct event *events; /* live: a ring */
	uint32_t first_event, n_events;
	uint64_t now_ns; /* of the last tick, or of the first record while there was none */
};

static void sum_keep_names(const struct stack_sum *s)
{
	intern_keep(s->service);
	intern_keep(s->route);
	intern_keep(s->peer);
	intern_keep(s->what);
}

static void stacks_keep_names(void *ctx)
{
	const struct stacks *st = ctx;

	frame_names_keep(&st->names);
	stack_set_keep_names(&st->set);
	for (int i = 0; i < MARKERS; i++)
		intern_keep(st->markers[i]);
	table_each(it, &st->known) {
		intern_keep(((struct owner *)it.value)->service);
		intern_keep(((struct owner *)it.value)->route);
	}
	table_each(it, &st->sums)
		sum_keep_names(it.value);
	for (uint32_t i = 0; i < st->n_events; i++)
		sum_keep_names(&st->events[(st->first_event + i) % st->o.max_events].sum);
}

#define DEFAULT(field, value) (field) = (field) ? (field) : (value)

struct stacks *stacks_new(const struct stacks_options *opts)
{
	struct stacks *st = calloc(1, sizeof(*st));

	if (!st)
		return NULL;
	if (opts)
		st->o = *opts;
	DEFAULT(st->o.max_stacks, STACK_SET_MAX);
	DEFAULT(st->o.max_pending, STACK_PENDING_MAX);
	DEFAULT(st->o.max_known, STACKS_KNOWN_MAX);
	DEFAULT(st->o.max_sums, STACKS_SUMS_MAX);
	DEFAULT(st->o.max_events, STACKS_EVENTS_MAX);
	DEFAULT(st->o.window_ns, (uint64_t)60 * 1000000000u);
	frame_names_init(&st->names, FRAME_NAMES_MAX, FRAME_TEXTS_MAX);
	stack_pending_init(&st->pending, st->o.max_pending);
	table_init(&st->known, sizeof(struct owner), st->o.max_known);
	table_init(&st->sums, sizeof(struct stack_sum), st->o.max_sums + STACKS_OTHERS_MAX);
	for (int i = 0; i < MARKERS; i++)
		st->markers[i] = intern_str(marker_texts[i]);
	if (stack_set_init(&st->set, st->o.max_stacks)) {
		stacks_free(st);
		return NULL;
	}
	st->holder = (struct intern_holder){ stacks_keep_names, st, NULL };
	intern_hold(&st->holder);
	return st;
}

void stacks_free(struct stacks *st)
{
	if (!st)
		return;
	intern_unhold(&st->holder);
	frame_names_release(&st->names);
	stack_set_release(&st->set);
	stack_pending_release(&st->pending);
	table_release(&st->known);
	table_release(&st->sums);
	free(st->known_ring);
	free(st->events);
	free(st);
}

void stacks_set_window(struct stacks *st, uint64_t window_ns)
{
	st->o.window_ns = window_ns;
}

/* ---- sums ---------------------------------------------------------------------------------- */

static bool same_sum(const struct stack_sum *a, const struct stack_sum *b)
{
	return a->service == b->service && a->route == b->route && a->cause == b->cause &&
	       a->stack == b->stack && a->peer == b->peer && a->what == b->what;
}

static uint64_t sum_key(const struct stack_sum *s)
{
	uint32_t words[] = { s->service, s->route, s->cause, s->stack, s->peer, s->what };

	return hash_bytes(words, sizeof(words));
}

/* The sum of the same identity, made if it is not there and the table has fewer than max. Two
 * identities with one hash: the next key is tried. */
static struct stack_sum *sum_find(struct table *sums, const struct stack_sum *s, size_t max,
				  bool *created)
{
	uint64_t key = sum_key(s);

	for (int tries = 0; tries < 4; tries++, key++) {
		struct stack_sum *at = table_get(sums, key);

		*created = false;
		if (at && same_sum(at, s))
			return at;
		if (at)
			continue;
		at = sums->n < max ? table_put(sums, key, created) : NULL;
		if (at) {
			*at = *s;
			at->samples = at->ns = 0;
		}
		return at;
	}
	return NULL;
}

static void add_saturating(uint64_t *to, uint64_t n)
{
	if (__builtin_add_overflow(*to, n, to))
		*to = UINT64_MAX;
}

/* Adds to the sums, to the route's "[other]" when there are max already. NULL: dropped. */
static struct stack_sum *sum_add(struct table *sums, const struct stack_sum *s, size_t max,
				 bool *created)
{
	struct stack_sum other = *s, *at = sum_find(sums, s, max, created);

	if (!at) {
		other.stack = STACK_OTHER;
		other.peer = other.what = 0;
		at = sum_find(sums, &other, max + STACKS_OTHERS_MAX, created);
	}
	if (at) {
		at->samples += s->samples;
		add_saturating(&at->ns, s->ns);
	}
	return at;
}

/* ---- the live window ----------------------------------------------------------------------- */

static void event_drop_oldest(struct stacks *st)
{
	stack_set_unref(&st->set, st->events[st->first_event].sum.stack);
	st->first_event = (st->first_event + 1) % st->o.max_events;
	st->n_events--;
}

static bool is_past(const struct stacks *st, uint64_t ts_ns)
{
	return st->now_ns > st->o.window_ns && ts_ns < st->now_ns - st->o.window_ns;
}

static void event_add(struct stacks *st, uint64_t ts_ns, const struct stack_sum *sum)
{
	if (!st->events)
		st->events = calloc(st->o.max_events, sizeof(*st->events));
	if (!st->events) {
		st->counters.dropped++;
		stack_set_unref(&st->set, sum->stack);
		return;
	}
	if (st->n_events == st->o.max_events) {
		st->counters.dropped += !is_past(st, st->events[st->first_event].ts_ns);
		event_drop_oldest(st);
	}
	st->events[(st->first_event + st->n_events++) % st->o.max_events] = (struct event){ ts_ns,
											    *sum };
}

/* ---- samples meet their request ------------------------------------------------------------ */

/* The call that a wait was for: that during which it began; of several, the one that finishes last,
 * as in the breakdown. NULL: none that is known. */
static const struct request_call *call_at(const struct request *r, uint64_t at_ns)
{
	const struct request_call *found = NULL;
	uint64_t found_end = 0;

	for (uint32_t i = 0; i < r->n_calls; i++) {
		const struct request_call *c = &r->calls[i];
		uint64_t end = c->start_ns + c->wall_ns;

		if (at_ns < c->start_ns || at_ns >= end || end <= found_end)
			continue;
		found = c;
		found_end = end;
	}
	return found;
}

/* What a sample adds to its request, *ts_ns being when; false: it lies after the answer. */
static bool sample_place(const struct stack_sample *s, const struct owner *o,
			 const struct request *r, struct stack_sum *sum, uint64_t *ts_ns)
{
	const struct request_call *call = NULL;
	uint64_t end_ns;

	*sum = (struct stack_sum){ .service = o->service,
				   .route = o->route,
				   .stack = s->stack,
				   .cause = s->cause,
				   .samples = 1,
				   .ns = s->ns };
	if (r && s->cause == CAUSE_UPSTREAM)
		call = call_at(r, s->at_ns);
	if (call) {
		sum->peer = call->peer;
		sum->what = call->what;
	}
	*ts_ns = s->at_ns;
	if (s->cause == CAUSE_CPU)
		return s->at_ns <= o->end_ns;
	if (s->at_ns >= o->end_ns)
		return false;
	if (__builtin_add_overflow(s->at_ns, s->ns, &end_ns) || end_ns > o->end_ns)
		end_ns = o->end_ns;
	sum->ns = end_ns - s->at_ns;
	*ts_ns = end_ns;
	return true;
}

/* Takes over the sample's reference to its stack. r: NULL when it is gone already. */
static void sample_count(struct stacks *st, const struct stack_sample *s, const struct owner *o,
			 const struct request *r)
{
	struct stack_sum sum, *at;
	uint64_t ts_ns;
	bool created;

	if (!o->wanted || !sample_place(s, o, r, &sum, &ts_ns)) {
		st->counters.after_answer += o->wanted;
		stack_set_unref(&st->set, s->stack);
		return;
	}
	if (!st->o.report) {
		event_add(st, ts_ns, &sum);
		return;
	}
	at = sum_add(&st->sums, &sum, st->o.max_sums, &created);
	st->counters.dropped += !at;
	st->counters.folded += at && at->stack != s->stack;
	if (!created || !at || at->stack != s->stack)
		stack_set_unref(&st->set, s->stack); /* the first one of a sum stays */
}

/* Late samples find the request for as long as it is among the last so many. Without any sample
 * so far nothing is remembered: most captures have none. */
static void remember(struct stacks *st, uint64_t xid, const struct owner *o)
{
	struct owner *at;
	bool created;

	if (!st->counters.cpu_samples && !st->counters.waits)
		return;
	if (!st->known_ring)
		st->known_ring = malloc(st->o.max_known * sizeof(*st->known_ring));
	if (!st->known_ring)
		return;
	if (st->known_n == st->o.max_known && !table_get(&st->known, xid))
		table_del(&st->known, st->known_ring[st->known_at]);
	at = table_put(&st->known, xid, &created);
	if (!at)
		return;
	*at = *o;
	if (!created)
		return;
	st->known_ring[st->known_at] = xid;
	st->known_at = (st->known_at + 1) % st->o.max_known;
	st->known_n += st->known_n < st->o.max_known;
}

void stacks_request(struct stacks *st, const struct request *r, bool wanted)
{
	struct owner o = { r->end_ns, r->service, r->route, wanted };

	for (const struct stack_sample *s = stack_pending_first(&st->pending, r->xid); s;
	     s = stack_pending_next(&st->pending, s))
		sample_count(st, s, &o, r);
	stack_pending_drop(&st->pending, r->xid);
	remember(st, r->xid, &o);
}

/* Lets go of all samples of the request that waits for longest. Returns how many these were. */
static uint64_t pending_let_go(struct stacks *st, uint64_t xid)
{
	uint64_t before = st->pending.waiting;

	for (const struct stack_sample *s = stack_pending_first(&st->pending, xid); s;
	     s = stack_pending_next(&st->pending, s))
		stack_set_unref(&st->set, s->stack);
	stack_pending_drop(&st->pending, xid);
	return before - st->pending.waiting;
}

static void pending_add(struct stacks *st, uint64_t xid, const struct stack_sample *s)
{
	int err = stack_pending_add(&st->pending, xid, s, st->now_ns);
	uint64_t oldest, oldest_ns;

	if (err == -ENOSPC && stack_pending_oldest(&st->pending, &oldest, &oldest_ns)) {
		st->counters.dropped += pending_let_go(st, oldest);
		err = stack_pending_add(&st->pending, xid, s, st->now_ns);
	}
	if (err) {
		st->counters.dropped++;
		stack_set_unref(&st->set, s->stack);
	}
}

static void on_tick(struct stacks *st, uint64_t now_ns)
{
	uint64_t xid, seen_ns;

	st->now_ns = now_ns;
	if (st->o.report)
		return;
	while (st->n_events && is_past(st, st->events[st->first_event].ts_ns))
		event_drop_oldest(st);
	while (stack_pending_oldest(&st->pending, &xid, &seen_ns) && is_past(st, seen_ns))
		st->counters.expired += pending_let_go(st, xid);
}

/* ---- records ------------------------------------------------------------------------------- */

static void frame_add(struct stacks *st, uint32_t *frames, uint16_t *n, uint32_t tgid, uint64_t at)
{
	bool known;

	frames[(*n)++] = frame_names_get(&st->names, tgid, at, &known);
	st->counters.unknown_symbols += !known;
}

static void add_kernel(struct stacks *st, const struct rec_stack *r, uint32_t *frames, uint16_t *n)
{
	bool in_kernel = r->kind != STACK_CPU || (r->flags & STACK_IN_KERNEL);

	for (uint16_t i = 0; i < r->n_kernel; i++)
		frame_add(st, frames, n, 0, r->frames[i]);
	if (!r->n_kernel && in_kernel) {
		frames[(*n)++] = st->markers[NO_KERNEL];
		st->counters.no_kernel++;
	} else if (r->flags & STACK_KERNEL_CUT) {
		frames[(*n)++] = st->markers[KERNEL_CUT];
		st->counters.kernel_cut++;
	}
}

static void add_user(struct stacks *st, const struct rec_stack *r, uint32_t *frames, uint16_t *n)
{
	enum marker missing = MARKERS;

	for (uint16_t i = 0; i < r->n_user; i++)
		frame_add(st, frames, n, r->tgid, r->frames[r->n_kernel + i]);
	if (r->flags & STACK_USER_SHORT) {
		missing = r->n_user ? USER_SHORT : NO_USER_POINTERS;
		st->counters.user_short++;
	} else if (!r->n_user && (r->flags & STACK_USER_SKIPPED)) {
		missing = USER_SKIPPED;
		st->counters.user_skipped++;
	} else if (!r->n_user) {
		missing = NO_USER;
		st->counters.no_user++;
	} else if (r->flags & STACK_USER_CUT) {
		missing = USER_CUT;
		st->counters.user_cut++;
	}
	if (missing != MARKERS)
		frames[(*n)++] = st->markers[missing];
}

static void on_stack(struct stacks *st, const struct rec_stack *r)
{
	struct stack_sample s = { .at_ns = r->start_ns, .ns = r->ns, .cause = CAUSE_CPU };
	uint32_t frames[FRAMES_MAX];
	struct stack_frames f = { .v = frames };
	const struct owner *o;

	st->now_ns = st->now_ns ? st->now_ns : r->h.ts_ns;
	if (r->kind == STACK_CPU) {
		st->counters.cpu_samples++;
	} else {
		st->counters.waits++;
		s.cause = r->state < STATE_COUNT ? state_causes[r->state] : CAUSE_OTHER;
	}
	add_kernel(st, r, frames, &f.n);
	f.n_kernel = f.n;
	add_user(st, r, frames, &f.n);
	s.stack = stack_set_ref(&st->set, f);
	o = table_get(&st->known, r->xid);
	if (o)
		sample_count(st, &s, o, NULL);
	else
		pending_add(st, r->xid, &s);
}

void stacks_record(struct stacks *st, const struct rec_hdr *rec)
{
	if (rec->type == REC_STACK)
		on_stack(st, (const struct rec_stack *)rec);
	else if (rec->type == REC_TICK)
		on_tick(st, rec->ts_ns);
	else if (rec->type == REC_SYM && frame_names_add(&st->names, (const struct rec_sym *)rec))
		st->counters.dropped++;
}

struct stacks_counters stacks_counters(const struct stacks *st)
{
	struct stacks_counters c = st->counters;

	c.folded += st->set.folded;
	return c;
}

/* ---- results ------------------------------------------------------------------------------- */

static int sum_cmp(const void *va, const void *vb)
{
	const struct stack_sum *a = va, *b = vb;
	int c = CMP(a->service, b->service);

	c = c ? c : CMP(a->cause, b->cause);
	c = c ? c : CMP(a->route, b->route);
	c = c ? c : CMP(a->stack, b->stack);
	c = c ? c : CMP(a->peer, b->peer);
	return c ? c : CMP(a->what, b->what);
}

/* The sums of a snapshot while they are made. */
struct summing {
	struct table sums;
	size_t max;
	uint64_t dropped;
};

static void summing_add(struct summing *to, const struct stack_sum *sum, size_t max)
{
	bool created;

	if (!sum_add(&to->sums, sum, max, &created))
		to->dropped += sum->samples;
}

static void add_finished(const struct stacks *st, uint64_t from_ns, uint64_t to_ns,
			 struct summing *to)
{
	table_each(it, &st->sums) /* bounded already, the "[other]" beyond max included */
		summing_add(to, it.value, to->max + STACKS_OTHERS_MAX);
	for (uint32_t i = 0; i < st->n_events; i++) {
		const struct event *e = &st->events[(st->first_event + i) % st->o.max_events];

		if (e->ts_ns >= from_ns && e->ts_ns < to_ns)
			summing_add(to, &e->sum, to->max);
	}
}

/* Returns how many samples belong to it, in the window or not. */
static uint64_t add_open(const struct stacks *st, uint64_t from_ns, const struct request *r,
			 struct summing *to)
{
	struct owner o = { UINT64_MAX, r->service, r->route, true };
	struct stack_sum sum;
	uint64_t ts_ns, n = 0;

	for (const struct stack_sample *s = stack_pending_first(&st->pending, r->xid); s;
	     s = stack_pending_next(&st->pending, s), n++)
		if (sample_place(s, &o, r, &sum, &ts_ns) && (st->o.report || ts_ns >= from_ns))
			summing_add(to, &sum, to->max);
	return n;
}

int stacks_sum(const struct stacks *st, uint64_t from_ns, uint64_t to_ns,
	       const struct request *const *open, size_t n_open, struct stack_sums *out)
{
	struct summing to = { .max = st->o.max_sums };
	uint64_t claimed = 0;

	*out = (struct stack_sums){ .unclaimed = st->counters.expired };
	table_init(&to.sums, sizeof(struct stack_sum), to.max + STACKS_OTHERS_MAX);
	add_finished(st, from_ns, to_ns, &to);
	for (size_t i = 0; i < n_open; i++)
		claimed += add_open(st, from_ns, open[i], &to);
	if (st->o.report) /* live, the request may still come */
		out->unclaimed += st->pending.waiting - claimed;
	out->dropped = to.dropped;
	out->v = malloc((to.sums.n ? to.sums.n : 1) * sizeof(*out->v));
	if (out->v) {
		table_each(it, &to.sums)
			out->v[out->n++] = *(const struct stack_sum *)it.value;
		if (out->n)
			qsort(out->v, out->n, sizeof(*out->v), sum_cmp);
	}
	table_release(&to.sums);
	return out->v ? 0 : -ENOMEM;
}

void stack_sums_release(struct stack_sums *s)
{
	free(s->v);
	*s = (struct stack_sums){ 0 };
}

struct stack_frames stacks_frames(const struct stacks *st, uint32_t stack)
{
	return stack_set_frames(&st->set, stack);
}

uint32_t stacks_limit(const struct stacks *st)
{
	return st->set.n;
}
