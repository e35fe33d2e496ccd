/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the assembler keeps beside requests in flight grows with every connection and process, so
 * once a second what is over is let go: closed connections, ended processes with their threads,
 * text of exchanges that never came. Unix sockets do not tell when they close; under pressure
 * their idle ones go first, which costs at most the names of prepared statements.
 */
#include <stdlib.h>

#include "assemble/node.h"

#define SECOND 1000000000ull
#define CLOSED_NS (2 * SECOND)
#define IDLE_NS (600 * SECOND)
#define PRESSED_NS (3 * SECOND)
#define EXITED_NS (10 * SECOND)
#define TEXT_NS (10 * SECOND)

static void conn_forget(struct assemble *a, struct conn *c)
{
	struct pair *p = c->pair_key ? table_get(&a->pairs, c->pair_key) : NULL;

	if (p) {
		if (p->accepted == c->id)
			p->accepted = 0;
		if (p->connected == c->id)
			p->connected = 0;
		if (!p->accepted && !p->connected)
			table_del(&a->pairs, c->pair_key);
	}
	text_state_release(&c->text);
	free(c);
}

static void forget_conns(struct assemble *a, uint64_t covered)
{
	bool pressed = a->conns.n > CONNS_MAX / 4;

	table_each(it, &a->conns) {
		struct conn *c = *(struct conn **)it.value;
		uint64_t keep = c->gone ? CLOSED_NS : pressed ? PRESSED_NS : IDLE_NS;

		if (c->newest || c->last_ns + keep > covered)
			continue;
		table_del(&a->conns, c->id);
		conn_forget(a, c);
	}
}

static void forget_procs(struct assemble *a, uint64_t covered)
{
	table_each(it, &a->procs) {
		const struct proc *p = it.value;

		if (p->exited && p->exit_ns + EXITED_NS < covered)
			table_del(&a->procs, it.key);
	}
	table_each(it, &a->workers) {
		const struct worker *w = it.value;

		/* threads end without a word; what is idle for long learns again */
		if (!table_get(&a->procs, w->tgid) ||
		    (a->workers.n > PROCS_MAX / 4 && w->last_ns + IDLE_NS / 10 < covered))
			table_del(&a->workers, it.key);
	}
}

void forget(struct assemble *a, uint64_t covered_ns)
{
	forget_conns(a, covered_ns);
	forget_procs(a, covered_ns);
	more_texts_forget(a, covered_ns > TEXT_NS ? covered_ns - TEXT_NS : 0);
}
