/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard at the entrance of the sums: parts that do not add up to their request's wall time
 * are a defect of an earlier stage, but must not make a screen's sums wrong or stop the tool.
 */
#ifndef TARDY_AGGREGATE_BALANCE_H
#define TARDY_AGGREGATE_BALANCE_H
#include "assemble/request.h"

/* Parts that sum to request_wall_ns(r): r->parts where they do, else a repaired copy in *tmp
 * (zeroed by the caller, who releases it): what is missing is added as "unknown", what is too
 * much is scaled down. NULL without memory. */
const struct parts *parts_balanced(const struct request *r, struct parts *tmp);
#endif
