/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests that are kept whole, to be listed and looked into. A report keeps all up to a cap;
 * the live view keeps the slowest of each group within its window, and the most recent ones.
 * A copy may be in two lists and is counted. Internal to aggregate/.
 */
#ifndef TARDY_AGGREGATE_KEPT_H
#define TARDY_AGGREGATE_KEPT_H
#include <stddef.h>
#include <stdint.h>
#include "assemble/request.h"

enum { KEPT_SLOWEST = 16 };

struct kept {
	struct request r; /* owns its parts, calls and marks */
	uint32_t refs;
	size_t bytes;
};

/* A deep copy with one reference, or NULL. */
struct kept *kept_copy(const struct request *r);
struct kept *kept_ref(struct kept *k);
/* Holds on to its names, see base/intern.h. */
void kept_keep_names(const struct kept *k);
/* Gives a reference back; NULL is fine. */
void kept_put(struct kept *k);

/* The slowest of one group. */
struct kept_slow {
	struct kept *v[KEPT_SLOWEST];
	uint32_t n;
};

/* Where a request of this wall time would go: a slot of *s, or -1 when it is not among the
 * slowest. One that ended before since_ns gives way first, then the fastest. */
int kept_slow_slot(const struct kept_slow *s, uint64_t wall_ns, uint64_t since_ns);
/* Puts k there, taking the reference. */
void kept_slow_put(struct kept_slow *s, int slot, struct kept *k);
/* Frees s, NULL is fine. */
void kept_slow_free(struct kept_slow *s);
#endif
