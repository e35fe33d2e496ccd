/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The service that names functions: a thread of its own, because a name may need a file, and a
 * file may need a disk. Asking and taking answers never wait. Questions are answered in the
 * order in which they were asked.
 */
#ifndef TARDY_SYM_SYMBOLS_H
#define TARDY_SYM_SYMBOLS_H
#include "sym/resolve.h"

enum { SYMBOLS_ASKS_MAX = 8192 }; /* addresses asked for whose answers were not taken yet */

struct symbols;

struct symbol_ask {
	uint64_t key; /* the asker's, comes back with the answer */
	uint64_t addr;
	uint32_t tgid; /* 0 = the kernel */
	bool after_call; /* see resolver_resolve() */
};

struct symbol_answer {
	struct symbol_ask ask;
	struct resolved sym;
};

/* max_asks: 0 = default. opts' texts must live as long as the process. NULL: no memory or no
 * thread. */
struct symbols *symbols_new(const struct resolve_opts *opts, size_t max_asks);
/* Asks for n names: 0, or -EAGAIN when they are too many at once (then none was asked for). */
int symbols_ask(struct symbols *s, const struct symbol_ask *asks, size_t n);
/* The next answer, or false when there is none at the moment. */
bool symbols_take(struct symbols *s, struct symbol_answer *out);
/* Drops what is known of a process (0: of all) once the questions before are answered. */
void symbols_forget(struct symbols *s, uint32_t tgid);
/* As of the last answer. */
struct resolve_stats symbols_stats(struct symbols *s);
/* Ends the thread and frees all. When the thread hangs in a file system and does not end within
 * 2 s, it is left behind, and frees all when it comes back. */
void symbols_free(struct symbols *s);
#endif
