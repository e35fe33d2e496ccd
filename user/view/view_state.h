/* SPDX-License-Identifier: GPL-2.0-only */
/* What a view is, for the files of view/; nobody else includes this. */
#ifndef TARDY_VIEW_VIEW_STATE_H
#define TARDY_VIEW_VIEW_STATE_H
#include <curses.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "export/columns.h"
#include "export/words.h"
#include "rank/snapshot.h"
#include "view/view_filter.h"
#include "view/view_keys.h"
#include "view/view_opts.h"

/* The screens that are tabs come first, in the order of the tab line. */
enum view_screen_id {
	SCREEN_ROUTES,
	SCREEN_REQUESTS,
	SCREEN_HOTSPOTS,
	SCREEN_HEALTH,
	SCREEN_TABS,
	SCREEN_REQUEST = SCREEN_TABS, /* one request */
	SCREEN_FULL, /* the row of the screen below, with nothing cut */
	SCREEN_HELP,
	SCREEN_COUNT,
};

struct view;

struct view_area { /* a rectangle as wide as the terminal */
	int y, h;
};

/* A screen is one file ending in one of these. */
struct view_screen {
	const char *name, *brief; /* for the tab line: wide, narrow */
	const struct column_set *set; /* NULL: no table */
	uint64_t (*identity)(const void *row); /* stays the same from snapshot to snapshot */
	bool (*keep)(struct view *v, const void *row); /* NULL: all rows */
	void (*draw)(struct view *v, struct view_area area);
	bool (*key)(struct view *v, enum view_action action); /* false: not handled; may be NULL */
};

/* The rows of one table as shown: filtered, sorted, with a selected one. */
struct view_table {
	size_t *order; /* rows of the snapshot */
	size_t n, cap;
	size_t cursor, top; /* in order[]; top is the first one on the screen */
	size_t page; /* rows that were visible at the last draw */
	size_t sort;
	bool invert;
	bool follow; /* keep the selection on `selected`, else on the first row */
	uint64_t selected;
	struct view_filter filter;
};

enum view_prompt { PROMPT_NONE, PROMPT_SEARCH, PROMPT_FILTER };
enum { VIEW_BACK_MAX = 8, VIEW_MESSAGE = 160 };

struct view {
	struct view_opts opts;
	const struct view_screen *const *screens; /* by enum view_screen_id */
	SCREEN *scr;
	WINDOW *input; /* a pad: reading keys from it never draws */
	bool ascii, colors, sync_output;
	const struct snapshot *s; /* not owned; may be NULL */
	enum view_screen_id screen;
	enum view_screen_id back[VIEW_BACK_MAX];
	size_t n_back;
	struct view_table tables[SCREEN_TABS];
	bool paused, auto_paused; /* auto: by opening a request, undone by leaving it */
	bool header;
	bool internal; /* show routes of joined children too */
	double window_s, refresh_s;
	double whole_s; /* replay: as long as the recording; 0 = not known yet */
	enum view_prompt prompt;
	char typed[VIEW_FILTER_MAX];
	char before[VIEW_FILTER_MAX]; /* the filter to return to when typing is given up */
	struct view_filter search;
	char message[VIEW_MESSAGE]; /* shown until the next key */
	uint32_t only_service, only_route; /* requests screen: of this route; 0 = all */
	uint64_t request_xid; /* request screen */
	size_t scroll; /* health, request and help screens */
};

/* Shown until the next key. */
void view_message(struct view *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void view_set_paused(struct view *v, bool paused);
#endif
