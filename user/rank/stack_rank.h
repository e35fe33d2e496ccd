/* SPDX-License-Identifier: GPL-2.0-only */
/* Stacks of a window: the hottest of each hotspot, and all of them for exports; internal to rank/. */
#ifndef TARDY_RANK_STACK_RANK_H
#define TARDY_RANK_STACK_RANK_H
#include "rank/row.h"

/* Gives s->hotspots their stacks, fills s->health.stacks and, when in->list_stacks asks for it,
 * s->stacks. Nothing without in->stacks. 0 or -ENOMEM; s owns what was made in either case. */
int stack_rank_build(struct snapshot *s, const struct rows *rows, const struct snapshot_input *in);
#endif
