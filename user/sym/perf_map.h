/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions that a process made at run time, from the file that runtimes write for perf:
 * /tmp/perf-PID.map with lines "start size name", both numbers hexadecimal.
 */
#ifndef TARDY_SYM_PERF_MAP_H
#define TARDY_SYM_PERF_MAP_H
#include <sys/types.h>
#include "sym/sym_table.h"

enum { PERF_MAP_BYTES_MAX = 32 << 20 }; /* of a file that are read */

/* Adds the function of one line; a later one of the same address replaces an earlier. */
void perf_map_add_line(struct sym_table *t, struct slice line);
/* Fills an empty table from an open file and finishes it. 0 or negative errno. */
int perf_map_read(struct sym_table *t, int fd);
#endif
