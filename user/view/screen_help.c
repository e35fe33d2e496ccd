// SPDX-License-Identifier: GPL-2.0-only
/* The keys, from their table, and the letters, from theirs; two columns where there is room. */
#include <stdio.h>
#include <string.h>
#include "base/format.h"
#include "view/screens.h"
#include "view/view_paint.h"
#include "view/view_scroll.h"

enum { TWO_COLUMNS = 76, LINE_MAX_COLS = 120, LINES_MAX = VIEW_ACTION_COUNT + 16 };

struct help {
	char line[LINES_MAX][LINE_MAX_COLS + 8];
	size_t n;
};

static void add(struct help *h, const char *text)
{
	if (h->n < LINES_MAX)
		snprintf(h->line[h->n++], sizeof(h->line[0]), "%s", text);
}

static void add_keys(struct help *h, size_t columns, size_t cols)
{
	enum view_action shown[VIEW_ACTION_COUNT];
	size_t n = 0, rows;

	for (int a = VIEW_ACTION_NONE + 1; a < VIEW_ACTION_COUNT; a++)
		if (*view_keys_help((enum view_action)a))
			shown[n++] = (enum view_action)a;
	rows = (n + columns - 1) / columns;
	for (size_t row = 0; row < rows; row++) {
		char line[LINE_MAX_COLS + 8] = "", cell[LINE_MAX_COLS + 8], keys[64];
		char padded[LINE_MAX_COLS + 8];
		size_t at = 0;

		for (size_t c = 0; c < columns && c * rows + row < n; c++) {
			enum view_action a = shown[c * rows + row];

			view_keys_labels(a, keys, sizeof(keys));
			snprintf(cell, sizeof(cell), "%9s  %s", keys, view_keys_help(a));
			format_pad(padded, sizeof(padded), cell, (unsigned)(cols / columns), false);
			at += (size_t)snprintf(line + at, sizeof(line) - at, "%s", padded);
			if (at >= sizeof(line))
				at = sizeof(line) - 1;
		}
		add(h, line);
	}
}

/* The legend in as many lines as it needs. */
static void add_letters(struct help *h, unsigned cols)
{
	bool left[CAUSE_COUNT];
	char line[WORDS_LEN];

	memset(left, true, sizeof(left));
	while (words_legend(left, cols - 2, line), *line) {
		char indented[WORDS_LEN + 2] = "  ";

		memcpy(indented + 2, line, strlen(line) + 1);
		add(h, indented);
	}
}

static void draw(struct view *v, struct view_area area)
{
	unsigned cols = COLS < 4 ? 4 : COLS > LINE_MAX_COLS ? LINE_MAX_COLS : (unsigned)COLS;
	struct help h = { .n = 0 };
	size_t rows = area.h > 0 ? (size_t)area.h : 0, last;

	add_keys(&h, COLS >= TWO_COLUMNS ? 2 : 1, cols);
	add(&h, "");
	add(&h, " Bars add up to the wall-clock time of the request:");
	add_letters(&h, cols);
	add(&h, " ~ before a time: scaled, because the callee's own time did not fit the call");
	add(&h, " WAIT/s: seconds users wait per second (= mean requests in flight)");
	last = h.n > rows ? h.n - rows : 0;
	if (v->scroll > last)
		v->scroll = last;
	for (size_t i = v->scroll; i < h.n && i - v->scroll < rows; i++)
		paint_text(v, area.y + (int)(i - v->scroll), 0, COLS, A_NORMAL, h.line[i]);
}

const struct view_screen view_screen_help = {
	.name = "Help",
	.brief = "Help",
	.draw = draw,
	.key = view_scroll_key,
};
