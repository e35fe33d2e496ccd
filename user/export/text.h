/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A snapshot as a report for people: totals, verdict, the tables that were asked for, where the
 * time of the top routes goes, and what watching cost. Fits 80 columns unless told otherwise.
 */
#ifndef TARDY_EXPORT_TEXT_H
#define TARDY_EXPORT_TEXT_H
#include <stdio.h>
#include "export/export.h"
#include "rank/snapshot.h"

enum text_color {
	TEXT_COLOR_AUTO, /* when out is a terminal, TERM is not "dumb" and NO_COLOR is not set */
	TEXT_COLOR_ALWAYS,
	TEXT_COLOR_NEVER,
};

struct text_opts { /* all zero is the default */
	unsigned width; /* columns; 0 = the terminal's, 80 when out is none */
	enum text_color color;
	bool ascii; /* set it too when the locale's character set is not UTF-8 */
	size_t top; /* rows a table; 0 = 20 */
	const char *sort; /* name of a column, NULL = the table's own order */
	bool internal; /* also routes of joined children */
};

/* Whether one of the tables in what (mask of enum export_what) has a column of that name. */
bool text_sort_known(const char *name, unsigned what);
/* Flushes out and leaves it open. Needs LC_CTYPE set. Returns 0, -EINVAL for a sort column that
 * no asked table has, -ENOMEM, or the negative errno of the first failed write. */
int export_text(FILE *out, const struct snapshot *s, unsigned what, const struct text_opts *o);
#endif
