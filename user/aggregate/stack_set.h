/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Distinct stacks: equal lists of frames have one number for as long as somebody refers to it.
 * Frames are ids of base/intern.h, leaf first, the kernel's before the process's. Bounded: what
 * finds no room is number STACK_OTHER, the stack "[other]", and is counted. One thread.
 */
#ifndef TARDY_AGGREGATE_STACK_SET_H
#define TARDY_AGGREGATE_STACK_SET_H
#include <stdint.h>
#include "base/table.h"

enum { STACK_OTHER = 0, STACK_SET_MAX = 1 << 14 };

struct stack_frames {
	const uint32_t *v;
	uint16_t n, n_kernel; /* the first n_kernel of them are the kernel's */
};

struct stack_entry;

struct stack_set {
	struct stack_entry *v;
	uint32_t n, cap, capacity;
	uint32_t free; /* a free entry's number, chained; 0 = none */
	struct table index; /* hash -> number */
	uint64_t folded; /* references that became "[other]" */
};

/* capacity: most stacks besides "[other]". 0 or -ENOMEM; release in either case. */
int stack_set_init(struct stack_set *s, uint32_t capacity);
void stack_set_release(struct stack_set *s);
/* The number of a stack, which it keeps until stack_set_unref(). Never fails. */
uint32_t stack_set_ref(struct stack_set *s, struct stack_frames f);
/* Another reference to a stack that has one. */
void stack_set_ref_again(struct stack_set *s, uint32_t stack);
void stack_set_unref(struct stack_set *s, uint32_t stack);
/* Holds on to the names of all frames, see base/intern.h. */
void stack_set_keep_names(const struct stack_set *s);
/* Borrowed, as long as the stack is referred to. */
struct stack_frames stack_set_frames(const struct stack_set *s, uint32_t stack);
#endif
