/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes that end where a page without access begins: a parser that reads one byte too many
 * faults, with or without sanitizers.
 */
#ifndef TARDY_TESTS_GUARD_H
#define TARDY_TESTS_GUARD_H
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/slice.h"

struct guard {
	char *map;
	size_t room; /* bytes before the guard page */
};

/* Room for at least max_len bytes. Aborts when there is no memory. */
static inline void guard_init(struct guard *g, size_t max_len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	g->room = (max_len / page + 1) * page;
	g->map = mmap(NULL, g->room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (g->map == MAP_FAILED || mprotect(g->map + g->room, page, PROT_NONE))
		abort();
}

/* A copy of len bytes that ends at the guard page; the next one overwrites it. */
static inline struct slice guard_place(struct guard *g, const char *bytes, size_t len)
{
	char *at = g->map + g->room - len;

	if (len > g->room)
		abort();
	memcpy(at, bytes, len);
	return (struct slice){ at, len };
}

static inline void guard_release(struct guard *g)
{
	munmap(g->map, g->room + (size_t)sysconf(_SC_PAGESIZE));
}
#endif
