/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bar "where the time goes": one letter per cause, as many of each as its share of the time.
 * It is made of letters so that a monochrome terminal, a printed page and a colour-blind reader
 * see the same thing. Causes stand in the order of their table, so that bars of different rows
 * can be compared by eye.
 */
#ifndef TARDY_EXPORT_CAUSE_BAR_H
#define TARDY_EXPORT_CAUSE_BAR_H
#include "rank/snapshot.h"

/* Writes exactly width letters and a NUL to out (width + 1 bytes) by largest remainder, or an
 * empty string when there is no weight. Weights that are negative or not finite count as 0. */
void cause_bar(const double weights[CAUSE_COUNT], unsigned width, char *out);
/* Weights of a list of parts: microseconds by cause. */
void cause_bar_parts(const struct snap_part *v, size_t n, double weights[CAUSE_COUNT]);
/* Weights of a route: its parts, or its wait by cause while nothing of it has completed. */
void cause_bar_route(const struct snap_route *r, double weights[CAUSE_COUNT]);
/* What a route's requests wait in while none has completed, as parts in microseconds per second,
 * largest first: by hotspot where one names them, the rest by cause. Returns how many; *sum_us is
 * their sum. */
enum { CAUSE_BAR_WAITING_MAX = 64 };
size_t cause_bar_waiting(const struct snapshot *s, const struct snap_route *r,
			 struct snap_part parts[CAUSE_BAR_WAITING_MAX], uint64_t *sum_us);
/* The terminal colour of a cause letter: 1..7 as in ECMA-48 (red, green, yellow, blue, magenta,
 * cyan, white), 9..15 the bright ones; never 0, since black on black is not readable. */
int cause_bar_color(char letter);
#endif
