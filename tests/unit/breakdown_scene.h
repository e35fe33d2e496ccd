/* SPDX-License-Identifier: GPL-2.0-only */
/* A request with its calls as input of breakdown(), shared by the tests of it. */
#ifndef TARDY_TESTS_BREAKDOWN_SCENE_H
#define TARDY_TESTS_BREAKDOWN_SCENE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "account/breakdown.h"
#include "base/intern.h"

enum { CALLS = 4 };

/* A request and its calls, all zero but for the times that a test sets. */
struct scene {
	uint64_t state[STATE_COUNT], slice[SLICE_COUNT];
	struct {
		uint64_t state[STATE_COUNT], slice[SLICE_COUNT];
	} of[CALLS];
	struct breakdown_call calls[CALLS];
	struct breakdown_in in;
	struct parts out;
};

static inline void scene_init(struct scene *s, uint64_t start_ns, uint64_t end_ns)
{
	memset(s, 0, sizeof(*s));
	s->in = (struct breakdown_in){
		.start_ns = start_ns,
		.end_ns = end_ns,
		.read_first_ns = start_ns,
		.read_last_ns = start_ns,
		.sent_first_ns = end_ns,
		.sent_last_ns = end_ns,
		.state_ns = s->state,
		.slice_ns = s->slice,
		.who = intern_str("app"),
		.queue_what = intern_str("backlog"),
		.calls = s->calls,
	};
}

/* Another call, of the statement "SELECT t"; all its times are 0. */
static inline struct breakdown_call *scene_call(struct scene *s, enum cause cause)
{
	size_t i = s->in.n_calls++;

	assert_true(i < CALLS);
	s->calls[i] = (struct breakdown_call){
		.state_ns = s->of[i].state,
		.slice_ns = s->of[i].slice,
		.cause = cause,
		.who = intern_str("10.0.0.9:5432"),
		.what = intern_str("SELECT t"),
	};
	return &s->calls[i];
}
#endif
