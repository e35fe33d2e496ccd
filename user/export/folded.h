/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folded stacks for flame graphs (flamegraph.pl, speedscope, inferno): one line "root;..;leaf N"
 * for each row of export/flame.h. Where a stack has both, a frame "-" stands between functions
 * of the process and of the kernel, which end in "_[k]".
 */
#ifndef TARDY_EXPORT_FOLDED_H
#define TARDY_EXPORT_FOLDED_H
#include <stdio.h>
#include "export/export.h"
#include "rank/snapshot.h"

/* Lines are sorted and each stack occurs once. Frames have no ';', no control characters and are
 * never empty, a leaf never ends in space and digits, no line is a comment. Flushes out and
 * leaves it open. Returns 0, -ENOMEM, or the negative errno of the first failed write. */
int export_folded(FILE *out, const struct snapshot *s, enum export_kind kind);
#endif
