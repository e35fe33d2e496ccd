/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parts: what a request's wall time consists of. Every list of parts here sums, in nanoseconds
 * or (after parts_to_us) in microseconds, exactly to the wall time it explains.
 */
#ifndef TARDY_ACCOUNT_PARTS_H
#define TARDY_ACCOUNT_PARTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "account/causes.h"

/* One (who, cause, what) share. The text fields are ids of base/intern.h, 0 = absent. */
struct part {
	uint32_t who; /* service that owned the time */
	uint32_t what; /* statement, file, pool, peer, ... */
	uint32_t via; /* hops from the request's service to who: "php-fpm > postgres" */
	uint32_t held_by; /* route of the request that held the lock */
	uint32_t count; /* calls or waits merged into this part */
	uint8_t cause; /* enum cause */
	bool scaled; /* the callee's own time did not fit the call and was scaled to it */
	uint64_t ns;
};

struct parts {
	struct part *v;
	size_t n, cap;
};

void parts_release(struct parts *p);
void parts_clear(struct parts *p);
/* Adds add->ns and add->count to the part of the same identity (all but ns, count, scaled),
 * else appends. A zero add is ignored. Returns 0, or -ENOMEM with *p unchanged. */
int parts_add(struct parts *p, const struct part *add);
/* Holds on to the names of parts, see base/intern.h. */
void parts_keep_names(const struct part *v, size_t n);
/* Sum of ns. */
uint64_t parts_sum_ns(const struct parts *p);
/* Orders by ns, largest first; ties by cause, who, what (stable across runs of equal input). */
void parts_sort(struct parts *p);
/* Rounds to whole units with the largest-remainder method: out_units[i] for v[i], their sum is
 * exactly total_units. weights are the v[i].ns; an all-zero list puts nothing anywhere and the
 * caller must pass total_units == 0 then. */
void parts_round(const struct part *v, size_t n, uint64_t total_units, uint64_t *out_units);
#endif
