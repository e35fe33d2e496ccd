/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verdict: the one line that says what to look at, or why nothing can be said. In this order:
 * nothing was ever seen; too many requests are incomplete for any figure to be trusted; hardly
 * anything waits; nobody waits long; unmeasured time leads the leading route; else the leading
 * route and what its mean request, as in the route's panel, waits for most. Internal to rank/.
 */
#ifndef TARDY_RANK_VERDICT_H
#define TARDY_RANK_VERDICT_H
#include "rank/row.h"

#define VERDICT_WAIT_MIN 0.1 /* seconds per second: below, nothing waits */
#define VERDICT_INCOMPLETE_MAX 0.05 /* of the requests */
#define VERDICT_CALM_US 10000 /* who waits less does not notice */

/* Fills s->verdict and s->top; the totals of s must be there. seen: any request was, ever.
 * 0 or -ENOMEM. */
int verdict_build(struct snapshot *s, const struct rows *rows, bool seen);
#endif
