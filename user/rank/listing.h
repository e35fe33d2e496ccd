/* SPDX-License-Identifier: GPL-2.0-only */
/* The requests that a snapshot lists one by one; internal to rank/. */
#ifndef TARDY_RANK_LISTING_H
#define TARDY_RANK_LISTING_H
#include "rank/row.h"

/* Rounds v[0..n) to total_us in all and copies it, largest first, without those that come to
 * nothing; per_request divides the counts. *out is malloc'ed, NULL for none. 0 or -ENOMEM. */
int listing_parts(const struct parts *parts, uint64_t total_us, double per_request,
		  struct snap_part **out, size_t *n_out);
/* Fills s->requests_v and s->requests_dropped. 0 or -ENOMEM; s owns what was made so far. */
int listing_build(struct snapshot *s, const struct aggregate *a, const struct rows *rows,
		  const struct snapshot_input *in);
#endif
