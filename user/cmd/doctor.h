/* SPDX-License-Identifier: GPL-2.0-only */
/* doctor's findings for others than `tardy doctor` itself. */
#ifndef TARDY_CMD_DOCTOR_H
#define TARDY_CMD_DOCTOR_H
#include <stdio.h>
#include "probe/probe.h"

/* Writes what `tardy doctor -F json` prints, of a probe that is attached already. 0 or negative
 * errno of the first failed write. */
int doctor_write(FILE *out, struct probe *attached);
#endif
