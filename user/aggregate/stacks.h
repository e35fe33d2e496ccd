/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks of requests: REC_SYM and REC_STACK in, sums by (service, route, cause, stack) out, those
 * of waits for others by the call that the wait was for, too. What
 * route a sample belongs to is known only when its request is named, so samples wait for their
 * request; those that come after it still find it among the requests that ended last.
 *
 * A report keeps sums of the whole interval, the live view keeps the samples themselves for as
 * long as its window is. A CPU sample or a wait after the answer is not part of the request and
 * only counted; a wait that the answer cut short counts up to it.
 *
 * Where frames are missing, a frame in brackets at their place says why, so that a flame graph
 * shows how much of it is broken. Everything is bounded, and what is dropped is counted. One
 * instance, one thread. Times are CLOCK_MONOTONIC nanoseconds.
 */
#ifndef TARDY_AGGREGATE_STACKS_H
#define TARDY_AGGREGATE_STACKS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "aggregate/stack_set.h"
#include "assemble/request.h"
#include "bpf/abi.h"

enum {
	STACKS_KNOWN_MAX = 1 << 16, /* ended requests that late samples still find */
	STACKS_SUMS_MAX = 1 << 16, /* (service, route, cause, stack); more: stack "[other]" */
	STACKS_OTHERS_MAX = 1 << 14, /* of these; more: dropped */
	STACKS_EVENTS_MAX = 1 << 17, /* samples of the live window */
};

struct stacks_options { /* 0 = the default in parentheses */
	bool report; /* sums of one interval, instead of a window that slides */
	uint32_t max_stacks; /* (STACK_SET_MAX) */
	uint32_t max_pending; /* (STACK_PENDING_MAX) */
	uint32_t max_known; /* (STACKS_KNOWN_MAX) */
	uint32_t max_sums; /* (STACKS_SUMS_MAX) */
	uint32_t max_events; /* (STACKS_EVENTS_MAX) */
	uint64_t window_ns; /* live: for how long samples are kept (60 s) */
};

struct stacks_counters {
	uint64_t cpu_samples, waits; /* records */
	/* of them: */
	uint64_t no_user; /* the process's frames could not be taken */
	uint64_t user_skipped; /* not tried, another was just before */
	uint64_t user_short; /* no frame pointers there */
	uint64_t user_cut, kernel_cut; /* deeper than is kept */
	uint64_t no_kernel; /* the kernel's could not be taken, though it was in the kernel */
	uint64_t unknown_symbols; /* frames without a known function */
	uint64_t after_answer; /* not part of the request any more */
	uint64_t dropped; /* no room, or no memory */
	uint64_t expired; /* waited for a request that did not come within the window */
	uint64_t folded; /* became "[other]" */
};

struct stacks;

/* NULL without memory. opts may be NULL. */
struct stacks *stacks_new(const struct stacks_options *opts);
void stacks_free(struct stacks *st);
/* Live: the window that is shown. */
void stacks_set_window(struct stacks *st, uint64_t window_ns);
/* Takes REC_SYM, REC_STACK and REC_TICK that record_check() accepted, ignores all others. What
 * there is no memory for is dropped. */
void stacks_record(struct stacks *st, const struct rec_hdr *rec);
/* A request has ended: its samples are summed, or forgotten when it is not wanted. */
void stacks_request(struct stacks *st, const struct request *r, bool wanted);
struct stacks_counters stacks_counters(const struct stacks *st);

struct stack_sum {
	uint32_t service, route;
	uint32_t stack; /* number, see stacks_frames() */
	uint32_t peer, what; /* of the call that a wait for upstream lies in, 0 = in none */
	uint8_t cause; /* CAUSE_CPU: samples of a running thread, all else is waiting */
	uint64_t samples, ns;
};

struct stack_sums {
	struct stack_sum *v; /* by service, cause, route, stack, peer, what */
	size_t n;
	uint64_t unclaimed; /* samples whose request never came; live: within the window */
	uint64_t dropped; /* had no room here */
};

/* Sums what lies in [from_ns, to_ns) (a report: everything), with the samples so far of the
 * requests in flight. *out is the caller's, also when this fails. 0 or -ENOMEM. */
int stacks_sum(const struct stacks *st, uint64_t from_ns, uint64_t to_ns,
	       const struct request *const *open, size_t n_open, struct stack_sums *out);
void stack_sums_release(struct stack_sums *s);
/* Frames of a stack that stacks_sum() gave, until the next record or request. */
struct stack_frames stacks_frames(const struct stacks *st, uint32_t stack);
/* Numbers of stacks are below this. */
uint32_t stacks_limit(const struct stacks *st);
#endif
