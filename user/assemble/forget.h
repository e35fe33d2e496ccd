/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Letting go. What the assembler keeps beside requests in flight grows with every connection and
 * process, so once a second what is over is let go: closed connections, ended processes with their
 * threads, text of exchanges that never came. Unix sockets do not tell when they close; under
 * pressure their idle ones go first, which costs at most the names of prepared statements.
 */
#ifndef TARDY_ASSEMBLE_FORGET_H
#define TARDY_ASSEMBLE_FORGET_H
#include "assemble/known.h"

/* Connections, processes, threads, texts; once a second. */
void forget(struct assemble *a, uint64_t covered_ns);
/* Exchanges that nobody asks for any more; after all that ended has been given out. */
void forget_nodes(struct assemble *a, uint64_t covered_ns);

#endif
