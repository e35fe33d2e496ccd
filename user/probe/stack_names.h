/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks as they come from the kernel, each behind the names of its functions: the thread that
 * names them (sym/symbols.h) and what holds stacks back for it (probe/stack_hold.h). Without that
 * thread stacks go on as they are, and are counted as late. Used from one thread.
 */
#ifndef TARDY_PROBE_STACK_NAMES_H
#define TARDY_PROBE_STACK_NAMES_H
#include "probe/stack_hold.h"

struct stack_names;

/* symbols becomes its own, also when this fails; NULL: no names. NULL: no memory. */
struct stack_names *stack_names_new(struct symbols *symbols);
void stack_names_free(struct stack_names *n);
/* Whether there is anybody to ask. */
bool stack_names_any(const struct stack_names *n);
/* Takes a record as it lies in the ring, where it may be longer than what is used of it. */
int stack_names_add(struct stack_names *n, const struct rec_stack *rec,
		    const struct stack_sink *sink);
/* See stack_hold_task(). */
void stack_names_task(struct stack_names *n, const struct rec_task *task);
/* Delivers what can go on. */
int stack_names_poll(struct stack_names *n, const struct stack_sink *sink);
/* Delivers all, waiting for the last names, but not for ever. */
int stack_names_finish(struct stack_names *n, const struct stack_sink *sink);
/* See stack_hold_oldest_ns(). */
uint64_t stack_names_oldest_ns(const struct stack_names *n);
/* What could not be named, by counter; the others are left alone. */
void stack_names_losses(const struct stack_names *n, uint64_t *counters);
#endif
