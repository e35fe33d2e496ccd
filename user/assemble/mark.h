/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks that user probes leave in requests, and the labels that name them.
 */
#ifndef TARDY_ASSEMBLE_MARK_H
#define TARDY_ASSEMBLE_MARK_H
#include "assemble/known.h"

void mark_record(struct assemble *a, const struct rec_mark *r);
void mark_label(struct assemble *a, const struct rec_label *r);

#endif
