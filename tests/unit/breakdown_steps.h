/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens to a request, step by step: for tests of breakdown() with arithmetic done by hand. */
#ifndef TARDY_TESTS_BREAKDOWN_STEPS_H
#define TARDY_TESTS_BREAKDOWN_STEPS_H
#include "breakdown_scene.h"

enum { T = 5000000 /* arbitrary beginning of all requests here, ns */ };

/* Time of the thread for the request itself. */
static inline void own(struct scene *s, enum slice_kind slice, enum thread_state state, uint64_t us)
{
	s->slice[slice] += US(us);
	s->state[state] += US(us);
}

static inline void read_at(struct scene *s, uint64_t first_us, uint64_t last_us)
{
	s->in.read_first_ns = T + US(first_us);
	s->in.read_last_ns = T + US(last_us);
}

/* A call whose answer was read at once when it arrived, at end_us. */
static inline struct breakdown_call *call(struct scene *s, enum cause cause, uint64_t sent_us,
					  uint64_t end_us)
{
	struct breakdown_call *c = scene_call(s, cause);

	c->start_ns = c->sent_ns = T + US(sent_us);
	c->arrival_ns = c->first_ns = c->end_ns = T + US(end_us);
	return c;
}

/* Time of the thread for the call that was added last. */
static inline void called(struct scene *s, enum slice_kind slice, enum thread_state state,
			  uint64_t us)
{
	s->of[s->in.n_calls - 1].slice[slice] += US(us);
	s->of[s->in.n_calls - 1].state[state] += US(us);
}

static inline void run(struct scene *s)
{
	assert_int_equal(breakdown(&s->in, &s->out), 0);
	assert_int_equal(parts_sum_ns(&s->out), s->in.end_ns - s->in.start_ns);
}

#endif
