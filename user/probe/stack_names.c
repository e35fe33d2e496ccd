// SPDX-License-Identifier: GPL-2.0-only
#include "probe/stack_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/kernel_clock.h"

#define FINISH_NS 2000000000ull /* at the end, names are waited for so long */
#define FINISH_PAUSE_NS 5000000

struct stack_names {
	struct symbols *symbols; /* NULL: nobody names */
	struct stack_hold *hold;
};

static int ask(void *ctx, const struct symbol_ask *asks, size_t n)
{
	return ctx ? symbols_ask(ctx, asks, n) : -EAGAIN;
}

static bool take(void *ctx, struct symbol_answer *out)
{
	return symbols_take(ctx, out);
}

static void forget(void *ctx, uint32_t tgid)
{
	if (ctx)
		symbols_forget(ctx, tgid);
}

struct stack_names *stack_names_new(struct symbols *symbols)
{
	const struct stack_namer namer = { ask, take, forget, symbols };
	struct stack_names *n = calloc(1, sizeof(*n));

	if (n)
		n->hold = stack_hold_new(&namer, 0, 0);
	if (!n || !n->hold) {
		symbols_free(symbols);
		free(n);
		return NULL;
	}
	n->symbols = symbols;
	return n;
}

void stack_names_free(struct stack_names *n)
{
	if (!n)
		return;
	stack_hold_free(n->hold);
	symbols_free(n->symbols);
	free(n);
}

bool stack_names_any(const struct stack_names *n)
{
	return n->symbols;
}

int stack_names_add(struct stack_names *n, const struct rec_stack *rec,
		    const struct stack_sink *sink)
{
	union {
		struct rec_stack stack;
		char bytes[sizeof(struct rec_stack) +
			   (ABI_STACK_KERNEL_MAX + ABI_STACK_USER_MAX) * sizeof(uint64_t)];
	} copy;
	size_t len = sizeof(*rec) + ((size_t)rec->n_kernel + rec->n_user) * sizeof(rec->frames[0]);

	if (len > sizeof(copy) || len > rec->h.len)
		return 0;
	memcpy(&copy, rec, len);
	copy.stack.h.len = (uint32_t)len;
	return stack_hold_add(n->hold, &copy.stack, kernel_clock_ns(), sink);
}

void stack_names_task(struct stack_names *n, const struct rec_task *task)
{
	stack_hold_task(n->hold, task, kernel_clock_ns());
}

int stack_names_poll(struct stack_names *n, const struct stack_sink *sink)
{
	return stack_hold_poll(n->hold, kernel_clock_ns(), sink);
}

int stack_names_finish(struct stack_names *n, const struct stack_sink *sink)
{
	const struct timespec pause = { 0, FINISH_PAUSE_NS };
	uint64_t until = kernel_clock_ns() + FINISH_NS;
	int err = stack_names_poll(n, sink);

	while (!err && stack_names_oldest_ns(n) != UINT64_MAX && kernel_clock_ns() < until) {
		nanosleep(&pause, NULL);
		err = stack_names_poll(n, sink);
	}
	return err ? err : stack_hold_flush(n->hold, sink);
}

uint64_t stack_names_oldest_ns(const struct stack_names *n)
{
	return stack_hold_oldest_ns(n->hold);
}

void stack_names_losses(const struct stack_names *n, uint64_t *counters)
{
	counters[COUNTER_SYM_LATE] = stack_hold_late(n->hold);
	if (n->symbols) {
		struct resolve_stats stats = symbols_stats(n->symbols);

		counters[COUNTER_SYM_PUT_OFF] = stats.put_off;
		counters[COUNTER_SYM_FILE] = stats.unreadable + stats.cut;
	}
}
