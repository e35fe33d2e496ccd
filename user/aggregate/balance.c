// SPDX-License-Identifier: GPL-2.0-only
/* Repair of parts that do not sum to the wall time; see balance.h. */
#include "aggregate/balance.h"

#include <stdlib.h>

const struct parts *parts_balanced(const struct request *r, struct parts *tmp)
{
	uint64_t sum = parts_sum_ns(&r->parts), wall = request_wall_ns(r);
	uint64_t *rounded;

	if (sum == wall)
		return &r->parts;
	for (size_t i = 0; i < r->parts.n; i++)
		if (parts_add(tmp, &r->parts.v[i]))
			return NULL;
	if (sum < wall) {
		struct part rest = {
			.who = r->service, .cause = CAUSE_UNKNOWN, .count = 1, .ns = wall - sum
		};

		return parts_add(tmp, &rest) ? NULL : tmp;
	}
	rounded = malloc(tmp->n * sizeof(*rounded));
	if (!rounded)
		return NULL;
	parts_round(tmp->v, tmp->n, wall, rounded);
	for (size_t i = 0; i < tmp->n; i++)
		tmp->v[i].ns = rounded[i];
	free(rounded);
	return tmp;
}
