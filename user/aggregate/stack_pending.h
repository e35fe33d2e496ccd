/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Samples whose request is not known yet, by the request's xid, in order of arrival. Bounded by
 * the number of samples; when it is full, the caller lets those of a request go that got none
 * for longest. Internal to aggregate/. One thread.
 */
#ifndef TARDY_AGGREGATE_STACK_PENDING_H
#define TARDY_AGGREGATE_STACK_PENDING_H
#include <stdbool.h>
#include <stdint.h>
#include "base/table.h"

enum { STACK_PENDING_MAX = 1 << 17 };

struct stack_sample {
	uint64_t at_ns; /* CPU: when it was taken; else: the wait's start */
	uint64_t ns; /* CPU: time that it stands for; else: the wait's length */
	uint32_t stack; /* of the stack set, with a reference */
	uint32_t next; /* number + 1 of the request's next, 0 = none */
	uint8_t cause; /* enum cause; CAUSE_CPU for CPU samples and nothing else */
};

struct pending_request;

struct stack_pending {
	struct stack_sample *v; /* n samples were ever used; free ones are chained by next */
	struct pending_request *requests; /* as many, at the same places */
	uint32_t n, cap, capacity;
	uint32_t free; /* number + 1 */
	struct table index; /* xid -> number of the request's first sample */
	uint32_t oldest, newest; /* requests by their latest sample, number + 1 */
	uint64_t waiting; /* samples now */
};

void stack_pending_init(struct stack_pending *p, uint32_t capacity);
/* Frees the memory; references to stacks are the caller's. */
void stack_pending_release(struct stack_pending *p);
/* Keeps a copy; seen_ns is the time by which requests age. 0, -ENOSPC when it is full, -ENOMEM. */
int stack_pending_add(struct stack_pending *p, uint64_t xid, const struct stack_sample *sample,
		      uint64_t seen_ns);
/* The first sample of a request, NULL = it has none; and the one behind a sample. */
const struct stack_sample *stack_pending_first(const struct stack_pending *p, uint64_t xid);
const struct stack_sample *stack_pending_next(const struct stack_pending *p,
					      const struct stack_sample *s);
/* Removes all samples of a request; what stack_pending_first() gave is dead then. */
void stack_pending_drop(struct stack_pending *p, uint64_t xid);
/* The request that got no sample for longest, and when it got its last; false when none waits. */
bool stack_pending_oldest(const struct stack_pending *p, uint64_t *xid, uint64_t *seen_ns);
#endif
