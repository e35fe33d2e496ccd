/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of exchanges: the text, the place among the others of the connection, the request that a
 * call was made for.
 */
#ifndef TARDY_ASSEMBLE_EXCHANGE_H
#define TARDY_ASSEMBLE_EXCHANGE_H
#include "assemble/known.h"

void exchange_data(struct assemble *a, const struct rec_data *r);
void exchange_record(struct assemble *a, const struct rec_xchg *x);

#endif
