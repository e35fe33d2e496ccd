/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was lost before it came here, by kind.
 */
#ifndef TARDY_ASSEMBLE_LOSS_H
#define TARDY_ASSEMBLE_LOSS_H
#include "assemble/known.h"

void loss_record(struct assemble *a, const struct rec_lost *r);

#endif
