/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the live view share among themselves; nobody else includes this. */
#ifndef TARDY_VIEW_VIEW_INTERNAL_H
#define TARDY_VIEW_VIEW_INTERNAL_H
#include <curses.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>
#include "export/columns.h"
#include "export/words.h"
#include "rank/snapshot.h"
#include "view/view.h"
#include "view/view_filter.h"
#include "view/view_keys.h"

/* The screens that are tabs come first, in the order of the tab line. */
enum view_screen_id {
	SCREEN_ROUTES,
	SCREEN_REQUESTS,
	SCREEN_HOTSPOTS,
	SCREEN_HEALTH,
	SCREEN_TABS,
	SCREEN_REQUEST = SCREEN_TABS, /* one request */
	SCREEN_HELP,
	SCREEN_COUNT,
};

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

extern const struct view_screen view_screen_routes, view_screen_requests, view_screen_hotspots;
extern const struct view_screen view_screen_health, view_screen_request, view_screen_help;

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
	enum view_prompt prompt;
	char typed[VIEW_FILTER_MAX];
	char before[VIEW_FILTER_MAX]; /* the filter to return to when typing is given up */
	struct view_filter search;
	char message[VIEW_MESSAGE]; /* shown until the next key */
	uint32_t only_service, only_route; /* requests screen: of this route; 0 = all */
	uint64_t request_xid; /* request screen */
	size_t scroll; /* health, request and help screens */
};

/* view.c */
const struct view_screen *view_screen_of(enum view_screen_id id);
/* Goes to another screen; the present one is where Esc returns to. */
void view_open(struct view *v, enum view_screen_id id);
void view_message(struct view *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void view_set_paused(struct view *v, bool paused);

/* view_table.c */
/* Sorts and filters again, keeping the selection. On lack of memory the table is empty. */
void view_table_rebuild(struct view *v, enum view_screen_id id);
/* The selected row of a table screen, NULL when it is empty. */
const void *view_table_selected(const struct view *v, enum view_screen_id id);
void view_table_select(struct view *v, enum view_screen_id id, uint64_t identity);
/* Cursor, sort and match keys; false when the action is none of them. */
bool view_table_key(struct view *v, enum view_action action);
/* Head and rows; returns the lines that were used. */
int view_table_draw(struct view *v, struct view_area area);
bool view_table_search(struct view *v, bool forward, bool from_here);
void view_table_release(struct view_table *t);

/* view_scroll.c: moves v->scroll; what lies beyond the end is for draw() to take back */
bool view_scroll_key(struct view *v, enum view_action action);

/* view_paint.c: text is cut at width and at the screen's edge; y beyond the screen is ignored */
void paint_text(struct view *v, int y, int x, int width, attr_t attr, const char *text);
void paint_rule(struct view *v, int y, const char *head);
/* Colours the cause letters in columns [x, x + width) of a painted line. */
void paint_letters(struct view *v, int y, int x, int width, attr_t attr);
/* "label [|||||.....] 64%", exactly width columns, the label in label_cols. ratio in 0..1. */
void paint_meter(struct view *v, int y, int x, int width, int label_cols, const char *label,
		 double ratio, const char *value);
/* A list of parts, as many lines as area has; the last says what is left out. */
void paint_parts(struct view *v, struct view_area area, const struct snap_part *parts, size_t n,
		 uint64_t wall_us, bool per_request);
void paint_legend(struct view *v, int y);
/* Splits an area: rows of the table above, the rest (at most want lines) for details. */
struct view_area paint_split(struct view_area *area, size_t rows, int want);

/* view_frame.c: title, meters, verdict, tabs and bottom line; returns what is left between */
struct view_area view_frame_draw(struct view *v);

/* view_term.c: the terminal itself */
int view_term_open(struct view *v); /* 0 or negative errno */
void view_term_close(struct view *v);
void view_term_resize(struct view *v);
void view_term_flush(struct view *v);
void view_term_suspend(struct view *v);
void view_term_copy(struct view *v, const char *text);
#endif
