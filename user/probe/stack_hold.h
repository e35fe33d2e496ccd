/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Puts names before stacks. A REC_STACK whose addresses all have been named in the stream goes on
 * at once; any other is held back while names are asked for, and follows their REC_SYMs. It is
 * not held for longer than HOLD_PATIENCE_NS, nor when too much is held already: then it goes on
 * with addresses that have no name (yet), which is counted. Used from one thread.
 */
#ifndef TARDY_PROBE_STACK_HOLD_H
#define TARDY_PROBE_STACK_HOLD_H
#include "probe/probe.h"
#include "sym/symbols.h"

enum {
	HOLD_STACKS_MAX = 4096,
	HOLD_BYTES_MAX = 4 << 20,
	HOLD_KNOWN_MAX = 98304, /* addresses known to be named; the oldest are named again */
	HOLD_PROCS_MAX = 65536, /* beyond it all are forgotten */
};
#define HOLD_PATIENCE_NS 2000000000ull
/* Names of an ended process are kept so long: its last stacks may still come. */
#define HOLD_ENDED_NS 10000000000ull

/* Who names functions: symbols_*() of sym/symbols.h, or a test. Answers in order. */
struct stack_namer {
	int (*ask)(void *ctx, const struct symbol_ask *asks, size_t n);
	bool (*take)(void *ctx, struct symbol_answer *out);
	void (*forget)(void *ctx, uint32_t tgid); /* 0 = all */
	void *ctx;
};

struct stack_hold;

/* max_stacks, max_known: 0 = the above. NULL: no memory. */
struct stack_hold *stack_hold_new(const struct stack_namer *namer, size_t max_stacks,
				  size_t max_known);
void stack_hold_free(struct stack_hold *h);
/* Where records go on to; fn's negative return is passed on by all that deliver. */
struct stack_sink {
	probe_record_fn fn;
	void *ctx;
};
/* Takes a record that record_check() would accept; now_ns: CLOCK_MONOTONIC. */
int stack_hold_add(struct stack_hold *h, const struct rec_stack *rec, uint64_t now_ns,
		   const struct stack_sink *sink);
/* Delivers names that have come and the stacks that waited for them. */
int stack_hold_poll(struct stack_hold *h, uint64_t now_ns, const struct stack_sink *sink);
/* Delivers the rest as it is. */
int stack_hold_flush(struct stack_hold *h, const struct stack_sink *sink);
/* An exec, exit or fork: addresses of the process mean something else from now on, or soon. */
void stack_hold_task(struct stack_hold *h, const struct rec_task *task, uint64_t now_ns);
/* The smallest h.ts_ns of what is held, UINT64_MAX when nothing is: what happened from then on
 * has not all been delivered. */
uint64_t stack_hold_oldest_ns(const struct stack_hold *h);
/* Stacks that went on without all names, so far. */
uint64_t stack_hold_late(const struct stack_hold *h);
#endif
