// SPDX-License-Identifier: GPL-2.0-only
/*
 * A row with nothing cut: what a table has no room for, wrapped to the width of the terminal. It
 * is made from the row of the screen below, so it follows that row from snapshot to snapshot.
 */
#include <stdlib.h>
#include <string.h>
#include "base/format.h"
#include "view/screens.h"
#include "view/view_full.h"
#include "view/view_go.h"
#include "view/view_paint.h"
#include "view/view_scroll.h"

enum { INDENT = 2 };

/* The bytes of the line that fit cols columns; at a space where there is one in its last half.
 * At least one character, so that every terminal gets to the end. */
static size_t line_fits(const char *line, size_t len, unsigned cols)
{
	size_t at = 0, space = 0;
	unsigned used = 0;

	while (at < len) {
		char one[8] = "";
		uint32_t c;
		size_t n = format_utf8_next(line + at, len - at, &c);

		memcpy(one, line + at, n < sizeof(one) ? n : sizeof(one) - 1);
		used += format_width(one);
		if (used > cols && at)
			return space > at / 2 ? space : at;
		at += n;
		if (c == ' ')
			space = at;
	}
	return len;
}

/* Paints the line that begins at text as so many rows from row `y` on, of which those from `top` on
 * are on the screen; returns the rows. */
static size_t paint_wrapped(struct view *v, struct view_area area, size_t row, const char *line,
			    size_t len)
{
	size_t rows = 0, at = 0;

	do {
		size_t indent = rows ? 1 + 2 * INDENT : 1;
		unsigned cols = COLS > (int)indent + 8 ? (unsigned)COLS - (unsigned)indent : 8;
		size_t n = line_fits(line + at, len - at, cols);
		size_t shown = row + rows;

		if (shown >= v->scroll && shown - v->scroll < (size_t)area.h) {
			char part[WORDS_LEN];

			snprintf(part, sizeof(part), "%.*s", (int)n, line + at);
			paint_text(v, area.y + (int)(shown - v->scroll), (int)indent, COLS,
				   A_NORMAL, part);
		}
		at += n;
		rows++;
	} while (at < len);
	return rows;
}

static size_t paint_all(struct view *v, struct view_area area, const char *text)
{
	size_t row = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");

		row += paint_wrapped(v, area, row, text, len);
		text += len + (text[len] == '\n');
	}
	return row;
}

static void draw(struct view *v, struct view_area area)
{
	char *text = view_full_text(v);
	size_t rows, page = area.h > 0 ? (size_t)area.h : 0, last;

	if (!text) {
		paint_text(v, area.y, 1, COLS, A_NORMAL, "this row is no longer there");
		return;
	}
	rows = paint_all(v, (struct view_area){ area.y, 0 }, text);
	last = rows > page ? rows - page : 0;
	if (v->scroll > last)
		v->scroll = last;
	paint_all(v, area, text);
	free(text);
}

/* Enter again leads to who is to blame, where the screen below knows one. */
static bool key(struct view *v, enum view_action action)
{
	enum view_screen_id below = v->n_back ? v->back[v->n_back - 1] : SCREEN_ROUTES;

	if (action == VIEW_ACTION_OPEN && below == SCREEN_HOTSPOTS) {
		view_back(v);
		return screen_hotspots_culprit(v);
	}
	return view_scroll_key(v, action);
}

const struct view_screen view_screen_full = {
	.name = "Full",
	.brief = "Full",
	.draw = draw,
	.key = key,
};
