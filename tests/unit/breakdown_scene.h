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

#define US(n) ((uint64_t)(n)*1000u)

/* The list is exactly these parts, in any order; then it is freed. */
static inline void expect(struct scene *s, const struct part *want, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t found = 0;

		for (size_t j = 0; j < s->out.n; j++) {
			const struct part *p = &s->out.v[j];

			found += p->who == want[i].who && p->what == want[i].what &&
				 p->via == want[i].via && p->held_by == want[i].held_by &&
				 p->count == want[i].count && p->cause == want[i].cause &&
				 p->scaled == want[i].scaled && p->ns == want[i].ns;
		}
		if (found != 1) {
			for (size_t j = 0; j < s->out.n; j++)
				print_error(
					"  %s %s what '%s' via '%s' held by '%s' count %u%s: %llu\n",
					intern_text(s->out.v[j].who), cause_name(s->out.v[j].cause),
					intern_text(s->out.v[j].what), intern_text(s->out.v[j].via),
					intern_text(s->out.v[j].held_by), s->out.v[j].count,
					s->out.v[j].scaled ? " scaled" : "",
					(unsigned long long)s->out.v[j].ns);
			fail_msg("no such part: %s '%s' %llu ns, number %zu",
				 cause_name(want[i].cause), intern_text(want[i].what),
				 (unsigned long long)want[i].ns, i);
		}
	}
	assert_int_equal(s->out.n, n);
	parts_release(&s->out);
}

#define EXPECT(s, ...) \
	do { \
		const struct part want_[] = { __VA_ARGS__ }; \
		expect(s, want_, sizeof(want_) / sizeof(want_[0])); \
	} while (0)

static inline struct part part(enum cause cause, const char *what, uint64_t us)
{
	return (struct part){ .who = intern_str("app"),
			      .cause = (uint8_t)cause,
			      .what = intern_str(what),
			      .ns = US(us) };
}

/* A part of somebody else, seen through `via`. */
static inline struct part part_via(const char *who, const char *via, enum cause cause,
				   const char *what, uint32_t count, uint64_t us)
{
	struct part p = part(cause, what, us);

	p.who = intern_str(who);
	p.via = intern_str(via);
	p.count = count;
	return p;
}

static inline struct part part_held(enum cause cause, const char *what, const char *held_by,
				    uint32_t count, uint64_t us)
{
	struct part p = part(cause, what, us);

	p.held_by = intern_str(held_by);
	p.count = count;
	return p;
}
#endif
