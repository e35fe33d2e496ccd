/* SPDX-License-Identifier: GPL-2.0-only */
/* For comparison functions of qsort(): -1, 0 or 1. */
#ifndef TARDY_BASE_COMPARE_H
#define TARDY_BASE_COMPARE_H

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

#endif
