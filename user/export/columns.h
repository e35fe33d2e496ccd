/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of routes, requests and hotspots as data: name, width, importance, text and order of
 * each column. The report and the live view draw the same tables from here; adding a column is
 * adding a row to one array of columns.c.
 */
#ifndef TARDY_EXPORT_COLUMNS_H
#define TARDY_EXPORT_COLUMNS_H
#include "rank/snapshot.h"

enum { COLUMNS_MAX = 16, COLUMNS_CELL = 1024, COLUMNS_NONE = -1 };

struct column {
	const char *name; /* for -s COLUMN and the sort indicator */
	const char *head;
	uint8_t min, want, max; /* widths: never less, usual, when there is room */
	uint8_t weight; /* 0 is never dropped; the largest is dropped first */
	bool right; /* aligned */
	bool bar; /* made of cause letters */
	/* Writes what the cell says to buf (COLUMNS_CELL bytes), safe for a terminal. */
	void (*cell)(const void *row, unsigned width, bool ascii, char *buf);
	/* < 0 when a goes first: numbers largest first, names alphabetically. NULL: no order. */
	int (*compare)(const void *a, const void *b);
};

struct column_set {
	const struct column *v;
	size_t n;
	size_t default_sort; /* index in v */
	size_t (*count)(const struct snapshot *s);
	const void *(*row)(const struct snapshot *s, size_t i);
	/* What search, filter and copy see of a row; buf of COLUMNS_CELL bytes. */
	void (*label)(const void *row, bool ascii, char *buf);
};

extern const struct column_set columns_routes; /* rows are struct snap_route */
extern const struct column_set columns_requests; /* struct snap_request */
extern const struct column_set columns_hotspots; /* struct snap_hotspot */

/* Chooses what to show in width columns, one blank between two of them: widths[i] of each column,
 * 0 = dropped. */
void columns_fit(const struct column_set *set, unsigned width, unsigned widths[COLUMNS_MAX]);
/* The column of that name, or COLUMNS_NONE when there is none that has an order. */
int columns_find(const struct column_set *set, const char *name);
/* Which rows to show, in which order. keep: NULL, or whether the row is wanted. sort: index of a
 * column; invert turns its order round. Equal rows keep the snapshot's order. *order must hold
 * set->count(s) entries; returns how many it got. */
size_t columns_order(const struct column_set *set, const struct snapshot *s, size_t sort,
		     bool invert, bool (*keep)(const void *row, void *ctx), void *ctx,
		     size_t *order);
/* One line of a table: the head (row NULL) or a row, at most WORDS_LEN bytes. */
void columns_line(const struct column_set *set, const unsigned widths[COLUMNS_MAX], const void *row,
		  bool ascii, char *buf);
/* Where column i begins in that line. */
unsigned columns_offset(const struct column_set *set, const unsigned widths[COLUMNS_MAX], size_t i);
#endif
