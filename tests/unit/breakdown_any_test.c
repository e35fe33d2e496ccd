// SPDX-License-Identifier: GPL-2.0-only
/*
 * The breakdown against timelines whose truth is known because they were made up step by step,
 * and against nonsense: whatever comes in, the parts sum to the wall time.
 */
#include "breakdown_scene.h"

enum { ROUNDS = 200000, CHILD_PARTS = 5 };

static uint64_t rng = 0x243f6a8885a308d3u;

static uint64_t rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* From nothing to a tenth of a second. */
static uint64_t rnd_ns(void)
{
	return rnd() % 4 ? rnd() % ((uint64_t)1 << (rnd() % 27)) : 0;
}

/* From nothing to anything, with a liking for the ends. */
static uint64_t rnd_wild(void)
{
	switch (rnd() % 8) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX - rnd() % 3;
	default:
		return rnd() >> (rnd() % 64);
	}
}

static void check_parts(const struct scene *s, uint64_t wall_ns)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->out.n; i++) {
		assert_true(s->out.v[i].ns > 0);
		assert_true(s->out.v[i].ns <= wall_ns - sum);
		assert_true(s->out.v[i].cause < CAUSE_COUNT);
		sum += s->out.v[i].ns;
	}
	assert_int_equal(sum, wall_ns);
}

static uint64_t sum_of(const struct parts *p, enum cause cause)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->n; i++)
		sum += p->v[i].cause == cause ? p->v[i].ns : 0;
	return sum;
}

/* States that are a thread's own doing, whatever it was called for. */
static const struct {
	enum thread_state state;
	enum cause cause;
} own_states[] = {
	{ STATE_RUN, CAUSE_CPU },           { STATE_RUNQ, CAUSE_RUNQ },
	{ STATE_THROTTLE, CAUSE_THROTTLE }, { STATE_DISK, CAUSE_DISK },
	{ STATE_FAULT, CAUSE_FAULT },       { STATE_LOCK, CAUSE_LOCK },
	{ STATE_KERNEL, CAUSE_LOCK },       { STATE_SLEEP, CAUSE_SLEEP },
	{ STATE_IPC, CAUSE_IPC },           { STATE_OTHER, CAUSE_OTHER },
};

/* A clock that a story advances, and what really happened. */
struct story {
	uint64_t now_ns, truth_ns[CAUSE_COUNT];
};

static void work(struct story *t, uint64_t *state, uint64_t *slice, enum slice_kind kind)
{
	for (size_t n = rnd() % 3; n; n--) {
		size_t i = rnd() % (sizeof(own_states) / sizeof(own_states[0]));
		uint64_t ns = rnd_ns();

		state[own_states[i].state] += ns;
		slice[kind] += ns;
		t->truth_ns[own_states[i].cause] += ns;
		t->now_ns += ns;
	}
}

/* Time in which the thread was in `state` (a loop: elsewhere) because of `cause`. */
static void blocked(struct story *t, bool loop, uint64_t *state, uint64_t *slice,
		    enum slice_kind kind, enum thread_state in_state, enum cause cause)
{
	uint64_t ns = rnd_ns();

	if (!loop) {
		state[in_state] += ns;
		slice[kind] += ns;
	}
	t->truth_ns[cause] += ns;
	t->now_ns += ns;
}

/* One call after the other, each answered in full before the thread goes on. */
static void tell_call(struct story *t, struct scene *s, size_t i, struct part *child)
{
	struct breakdown_call *c = &s->calls[i];
	uint64_t *state = s->of[i].state, *slice = s->of[i].slice, sum = 0, wait_ns, before;

	c->start_ns = t->now_ns;
	work(t, state, slice, SLICE_PRE);
	c->sent_ns = t->now_ns;
	c->cause = rnd() % 2 ? CAUSE_DB : CAUSE_UPSTREAM;
	before = t->now_ns;
	blocked(t, s->in.loop, state, slice, SLICE_MID, STATE_RECV, c->cause);
	wait_ns = t->now_ns - before;
	c->arrival_ns = t->now_ns;
	if (s->in.loop)
		blocked(t, true, state, slice, SLICE_MID, STATE_RECV, CAUSE_LOOP);
	work(t, state, slice, SLICE_MID);
	c->first_ns = t->now_ns;
	work(t, state, slice, SLICE_T1);
	c->end_ns = t->now_ns;
	if (rnd() % 2)
		return;
	/* joined: the callee was as long as the wait or shorter */
	for (size_t n = 0; n < CHILD_PARTS; n++) {
		child[n] = (struct part){ .who = 1 + n,
					  .cause = rnd() % CAUSE_COUNT,
					  .ns = 1 + rnd_ns() / CHILD_PARTS };
		if (child[n].ns > wait_ns - sum)
			break;
		sum += child[n].ns;
		c->n_child++;
		t->truth_ns[child[n].cause] += child[n].ns;
		t->truth_ns[c->cause] -= child[n].ns;
	}
	c->child = child;
	c->child_wall_ns = sum;
	c->child_service = intern_str("callee");
}

static void test_stories_come_out_as_told(void **state)
{
	static struct part child[CALLS][CHILD_PARTS];
	struct scene s;

	(void)state;
	for (int round = 0; round < ROUNDS / 4; round++) {
		struct story t = { .now_ns = rnd() >> 8 };
		bool loop = rnd() % 2;
		size_t n = rnd() % (CALLS + 1);

		scene_init(&s, t.now_ns, t.now_ns);
		s.in.loop = loop;
		for (size_t i = 0; i < CALLS; i++)
			scene_call(&s, CAUSE_DB);
		s.in.n_calls = n;
		blocked(&t, true, NULL, NULL, SLICE_PRE, STATE_RUN,
			loop ? CAUSE_LOOP : CAUSE_QUEUE);
		work(&t, s.state, s.slice, SLICE_PRE);
		s.in.read_first_ns = t.now_ns;
		blocked(&t, loop, s.state, s.slice, SLICE_T0, STATE_RECV, CAUSE_RECV);
		work(&t, s.state, s.slice, SLICE_T0);
		s.in.read_last_ns = t.now_ns;
		for (size_t i = 0; i < n; i++) {
			tell_call(&t, &s, i, child[i]);
			work(&t, s.state, s.slice, SLICE_MID);
		}
		s.in.sent_first_ns = t.now_ns;
		blocked(&t, loop, s.state, s.slice, SLICE_T1, STATE_SEND, CAUSE_SEND);
		s.in.send_wait_ns = t.now_ns - s.in.sent_first_ns;
		work(&t, s.state, s.slice, SLICE_T1);
		s.in.sent_last_ns = s.in.end_ns = t.now_ns;
		/* one time zero is "never", so nothing may happen then */
		assert_true(s.in.start_ns > 0);

		assert_int_equal(breakdown(&s.in, &s.out), 0);
		check_parts(&s, s.in.end_ns - s.in.start_ns);
		for (int cause = 0; cause < CAUSE_COUNT; cause++)
			if (sum_of(&s.out, cause) != t.truth_ns[cause])
				fail_msg("round %d, %s: %llu ns instead of %llu", round,
					 cause_name(cause),
					 (unsigned long long)sum_of(&s.out, cause),
					 (unsigned long long)t.truth_ns[cause]);
		parts_release(&s.out);
	}
}

static uint64_t near(uint64_t base)
{
	switch (rnd() % 4) {
	case 0:
		return 0;
	case 1:
		return base - rnd_ns();
	default:
		return base + rnd_ns();
	}
}

/* States and slices of their own, sometimes of another planet. */
static void hostile_sums(uint64_t *state, uint64_t *slice, bool wild)
{
	for (int i = 0; i < STATE_COUNT; i++)
		state[i] = wild ? rnd_wild() : rnd_ns();
	for (int i = 0; i < SLICE_COUNT; i++)
		slice[i] = wild ? rnd_wild() : rnd_ns();
}

static void hostile_call(struct scene *s, size_t i, struct part *child, bool wild)
{
	uint64_t base = s->in.start_ns;

	s->calls[i] = (struct breakdown_call){
		.start_ns = wild ? rnd_wild() : near(base),
		.sent_ns = wild ? rnd_wild() : near(base),
		.arrival_ns = wild ? rnd_wild() : near(base),
		.first_ns = wild ? rnd_wild() : near(base),
		.end_ns = wild ? rnd_wild() : near(base),
		.state_ns = s->of[i].state,
		.slice_ns = s->of[i].slice,
		.cause = rnd() % CAUSE_COUNT,
		.who = rnd() % 3,
		.what = rnd() % 3,
		.child = child,
		.n_child = rnd() % (CHILD_PARTS + 1),
		.child_wall_ns = wild ? rnd_wild() : rnd_ns(),
		.child_late_ns = wild ? rnd_wild() : rnd_ns(),
		.child_service = rnd() % 3,
		.child_is_store = rnd() % 2,
		.lent = rnd() % 2,
	};
	hostile_sums(s->of[i].state, s->of[i].slice, wild && rnd() % 2);
	/* a list of parts holds no zeros and does not overflow, but need not be its wall time */
	for (size_t n = 0; n < CHILD_PARTS; n++)
		child[n] = (struct part){ .who = rnd() % 3,
					  .what = rnd() % 3,
					  .via = rnd() % 3,
					  .count = rnd() % 3,
					  .cause = rnd() % CAUSE_COUNT,
					  .scaled = rnd() % 2,
					  .ns = 1 + (wild ? rnd() >> (4 + rnd() % 60) : rnd_ns()) };
	/* and what came after the answer is not all of it */
	child[0].cause = CAUSE_DISK;
}

static void test_any_input_sums_to_the_wall(void **state)
{
	static struct part child[CALLS][CHILD_PARTS];
	struct breakdown_wait waits[3];
	struct breakdown_work works[2];
	uint64_t worked[2][STATE_COUNT], slice[SLICE_COUNT];
	struct scene s;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		bool wild = rnd() % 4 == 0;
		uint64_t start = wild ? rnd_wild() : rnd() >> 8;

		scene_init(&s, start, wild ? rnd_wild() : start + rnd_ns());
		s.in.read_first_ns = near(start);
		s.in.read_last_ns = near(start);
		s.in.sent_first_ns = wild ? rnd_wild() : near(start);
		s.in.sent_last_ns = wild ? rnd_wild() : near(start);
		s.in.loop = rnd() % 2;
		s.in.states_unknown = rnd() % 4 == 0;
		s.in.behind = rnd() % 3;
		hostile_sums(s.state, s.slice, wild && rnd() % 2);
		s.in.n_calls = rnd() % (CALLS + 1);
		for (size_t i = 0; i < s.in.n_calls; i++)
			hostile_call(&s, i, child[i], wild);
		s.in.waits = waits;
		s.in.n_waits = rnd() % 4;
		for (size_t i = 0; i < s.in.n_waits; i++)
			waits[i] = (struct breakdown_wait){
				wild ? rnd_wild() : rnd_ns(),   rnd() % 3, rnd() % 3,
				(uint8_t)(rnd() % CAUSE_COUNT), 0,         0
			};
		s.in.works = works;
		s.in.n_works = rnd() % 3;
		for (size_t i = 0; i < s.in.n_works; i++) {
			hostile_sums(worked[i], slice, wild);
			works[i] = (struct breakdown_work){ .from_ns = near(start),
							    .end_ns = near(start),
							    .wait_ns = near(start),
							    .state = rnd() % STATE_COUNT,
							    .state_ns = worked[i] };
		}
		assert_int_equal(breakdown(&s.in, &s.out), 0);
		check_parts(&s, s.in.end_ns > start ? s.in.end_ns - start : 0);
		parts_release(&s.out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories_come_out_as_told),
		cmocka_unit_test(test_any_input_sums_to_the_wall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
