/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel saw as two exchanges of a connection and is one: turns, states, calls and waits
 * of both become those of the later one.
 */
#ifndef TARDY_ASSEMBLE_MERGE_H
#define TARDY_ASSEMBLE_MERGE_H
#include "assemble/known.h"

/* Takes the exchange before n on its connection into n when n continues it. n's text was read. */
void merge_older(struct assemble *a, struct node *n);
/* Puts what was taken in front of n's record and text; to be called for each new record of n. */
void merge_fold(struct node *n);

#endif
