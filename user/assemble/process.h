/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is said of processes: who they are, forks, execs, exits.
 */
#ifndef TARDY_ASSEMBLE_PROCESS_H
#define TARDY_ASSEMBLE_PROCESS_H
#include "assemble/known.h"

void process_proc(struct assemble *a, const struct rec_proc *r);
void process_task(struct assemble *a, const struct rec_task *r);

#endif
