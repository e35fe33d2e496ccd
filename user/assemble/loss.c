/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/loss.h"

void loss_record(struct assemble *a, const struct rec_lost *r)
{
	if (r->kind < COUNTER_COUNT)
		a->counters.lost_by_kind[r->kind] += r->count;
	if (loss_loses(r->kind))
		a->counters.lost += r->count;
	losses_add(&a->losses, r);
}
