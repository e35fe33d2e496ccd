/* SPDX-License-Identifier: GPL-2.0-only */
/* Hotspots: what entry requests wait for, whoever they are; internal to rank/. */
#ifndef TARDY_RANK_HOTSPOT_H
#define TARDY_RANK_HOTSPOT_H
#include "rank/row.h"

/* Fills s->hotspots. 0 or -ENOMEM; s owns what was made so far in either case. */
int hotspots_build(struct snapshot *s, const struct rows *rows);
#endif
