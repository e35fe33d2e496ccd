/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is summed of the requests that are streams: they are in no percentile, so they have means
 * of their own. Complete ones only.
 */
#ifndef TARDY_AGGREGATE_STREAMS_H
#define TARDY_AGGREGATE_STREAMS_H
#include "assemble/request.h"

struct streams {
	uint64_t n;
	uint64_t first_ns; /* from the start to the first byte, all streams together */
	uint64_t wall_ns;
	uint64_t gaps_ns; /* from the first to the last byte */
	uint64_t gaps; /* between two sends */
};

static inline void streams_add(struct streams *to, const struct streams *add)
{
	to->n += add->n;
	to->first_ns += add->first_ns;
	to->wall_ns += add->wall_ns;
	to->gaps_ns += add->gaps_ns;
	to->gaps += add->gaps;
}

static inline struct streams streams_of(const struct request *r)
{
	struct streams one = { .n = 1, .wall_ns = request_wall_ns(r) };

	if (r->first_byte_ns > r->start_ns)
		one.first_ns = r->first_byte_ns - r->start_ns;
	if (r->sends > 1 && r->last_byte_ns > r->first_byte_ns) {
		one.gaps = r->sends - 1;
		one.gaps_ns = r->last_byte_ns - r->first_byte_ns;
	}
	return one;
}
#endif
