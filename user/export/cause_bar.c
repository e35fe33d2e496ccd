// SPDX-License-Identifier: GPL-2.0-only
/* Letters in proportion to causes, rounded so that their number is the bar's width. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "export/cause_bar.h"

static double usable(double weight)
{
	return isfinite(weight) && weight > 0 ? weight : 0;
}

/* Whole letters for each cause; the letters left over go to the largest fractions. */
static void apportion(const double weights[CAUSE_COUNT], double sum, unsigned width,
		      unsigned letters[CAUSE_COUNT])
{
	double fraction[CAUSE_COUNT];
	unsigned used = 0;

	for (int c = 0; c < CAUSE_COUNT; c++) {
		double exact = usable(weights[c]) / sum * width;

		letters[c] = (unsigned)exact;
		fraction[c] = exact - letters[c];
		used += letters[c];
	}
	while (used < width) {
		int best = -1;

		for (int c = 0; c < CAUSE_COUNT; c++)
			if (usable(weights[c]) > 0 && (best < 0 || fraction[c] > fraction[best]))
				best = c;
		letters[best]++;
		fraction[best] -= 1;
		used++;
	}
}

void cause_bar(const double weights[CAUSE_COUNT], unsigned width, char *out)
{
	unsigned letters[CAUSE_COUNT];
	double sum = 0;

	for (int c = 0; c < CAUSE_COUNT; c++)
		sum += usable(weights[c]);
	if (sum > 0 && isfinite(sum)) {
		apportion(weights, sum, width, letters);
		for (int c = 0; c < CAUSE_COUNT; c++)
			for (unsigned i = 0; i < letters[c] && width; i++, width--)
				*out++ = cause_letter((enum cause)c);
	}
	*out = '\0';
}

void cause_bar_parts(const struct snap_part *v, size_t n, double weights[CAUSE_COUNT])
{
	memset(weights, 0, sizeof(double) * CAUSE_COUNT);
	for (size_t i = 0; i < n; i++)
		weights[v[i].cause < CAUSE_COUNT ? v[i].cause : CAUSE_UNKNOWN] += (double)v[i].us;
}

void cause_bar_route(const struct snap_route *r, double weights[CAUSE_COUNT])
{
	if (r->n_parts && r->wall_us)
		cause_bar_parts(r->parts, r->n_parts, weights);
	else
		memcpy(weights, r->wait_by_cause, sizeof(r->wait_by_cause));
}

static int larger_part(const void *a, const void *b)
{
	const struct snap_part *x = a, *y = b;

	return x->us > y->us ? -1 : x->us < y->us ? 1 : (int)x->cause - (int)y->cause;
}

/* The hotspots that the route waits on say who; found[c] is how much of the route's wait they are. */
static size_t waiting_by_hotspot(const struct snapshot *s, const struct snap_route *r,
				 struct snap_part *parts, size_t cap, double found[CAUSE_COUNT])
{
	size_t n = 0;

	for (size_t i = 0; r->entry && i < s->n_hotspots && n < cap; i++) {
		const struct snap_hotspot *h = &s->hotspots[i];

		for (size_t k = 0; k < h->n_routes && n < cap; k++) {
			double us = h->routes[k].wait_s_per_s * 1e6;

			if (h->routes[k].route != r->route || !(us >= 1 && us < 1e15))
				continue;
			parts[n++] = (struct snap_part){ .who = h->who,
							 .what = h->what,
							 .via = h->via,
							 .held_by = h->held_by,
							 .cause = h->cause,
							 .us = (uint64_t)us };
			found[h->cause] += h->routes[k].wait_s_per_s;
		}
	}
	return n;
}

size_t cause_bar_waiting(const struct snapshot *s, const struct snap_route *r,
			 struct snap_part parts[CAUSE_BAR_WAITING_MAX], uint64_t *sum_us)
{
	double found[CAUSE_COUNT] = { 0 };
	size_t n;

	*sum_us = 0;
	n = waiting_by_hotspot(s, r, parts, CAUSE_BAR_WAITING_MAX - CAUSE_COUNT, found);
	for (int c = 0; c < CAUSE_COUNT; c++) {
		double us = (r->wait_by_cause[c] - found[c]) * 1e6;

		if (us >= 1 && us < 1e15)
			parts[n++] = (struct snap_part){ .cause = (uint8_t)c, .us = (uint64_t)us };
	}
	for (size_t i = 0; i < n; i++)
		*sum_us += parts[i].us;
	if (n)
		qsort(parts, n, sizeof(*parts), larger_part);
	return n;
}

int cause_bar_color(char letter)
{
	/* No two of a kind have one colour or are told apart by red against green alone: those that
	 * wait for a CPU or a database (r t q), for others (w e u), for a disk (k f). */
	static const struct {
		char letter;
		unsigned char color;
	} colors[] = { { 'w', 3 },  { 'e', 14 }, { 'c', 2 },  { 'r', 6 },  { 't', 11 }, { 'k', 1 },
		       { 'f', 15 }, { 'l', 5 },  { 'q', 12 }, { 'u', 13 }, { 'n', 7 } };

	for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++)
		if (colors[i].letter == letter)
			return colors[i].color;
	return 7;
}
