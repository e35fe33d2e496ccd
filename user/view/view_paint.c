// SPDX-License-Identifier: GPL-2.0-only
/* Painting on the screen: every text that reaches ncurses is cleaned and cut here. */
#include <string.h>
#include "base/format.h"
#include "export/cause_bar.h"
#include "view/view_paint.h"

void paint_text(struct view *v, int y, int x, int width, attr_t attr, const char *text)
{
	char line[WORDS_LEN];

	if (y < 0 || y >= LINES || x < 0 || x >= COLS || width <= 0)
		return;
	if (width > COLS - x)
		width = COLS - x;
	format_clean(line, sizeof(line), text, (unsigned)width, v->ascii);
	attrset(attr);
	mvaddstr(y, x, line);
	attrset(A_NORMAL);
}

void paint_rule(struct view *v, int y, const char *head)
{
	char text[WORDS_LEN];
	unsigned cols;

	if (y < 0 || y >= LINES)
		return;
	attrset(A_NORMAL);
	mvhline(y, 0, '-', COLS);
	if (COLS < 8)
		return;
	cols = format_clean(text, sizeof(text), head, (unsigned)COLS - 5, v->ascii);
	paint_text(v, y, 2, 1, A_NORMAL, " ");
	paint_text(v, y, 3, COLS, A_BOLD, text);
	paint_text(v, y, 3 + (int)cols, 1, A_NORMAL, " ");
}

void paint_letters(struct view *v, int y, int x, int width, attr_t attr)
{
	if (!v->colors || y < 0 || y >= LINES || x < 0)
		return;
	for (int i = x; i < x + width && i < COLS; i++) {
		char letter = (char)(mvinch(y, i) & A_CHARTEXT);
		int color = cause_bar_color(letter);
		bool bold = color > 7 && (COLORS < 16 || COLOR_PAIRS < 16); /* bright there */

		if (letter != ' ')
			mvchgat(y, i, 1, bold ? attr | A_BOLD : attr,
				(short)(bold ? color - 8 : color), NULL);
	}
}

void paint_meter(struct view *v, int y, int x, int width, int label_cols, const char *label,
		 double ratio, const char *value)
{
	char bar[256];
	int value_cols = (int)format_width(value);
	int len = width - label_cols - 4 - value_cols, full;
	short color = ratio < 0.7 ? COLOR_GREEN : ratio < 0.9 ? COLOR_YELLOW : COLOR_RED;

	if (len > (int)sizeof(bar) - 1)
		len = (int)sizeof(bar) - 1;
	if (len < 1)
		return;
	if (!(ratio > 0))
		ratio = 0;
	full = ratio >= 1 ? len : (int)(ratio * len + 0.5);
	memset(bar, '|', (size_t)full);
	memset(bar + full, '.', (size_t)(len - full));
	bar[len] = '\0';
	paint_text(v, y, x, label_cols, A_NORMAL, label);
	x += label_cols + 1;
	paint_text(v, y, x, 1, A_BOLD, "[");
	paint_text(v, y, x + 1, len, A_NORMAL, bar);
	if (v->colors && y >= 0 && y < LINES && x + 1 < COLS && full)
		mvchgat(y, x + 1, full < COLS - x - 1 ? full : COLS - x - 1, A_NORMAL, color, NULL);
	paint_text(v, y, x + 1 + len, 1, A_BOLD, "]");
	paint_text(v, y, x + 3 + len, value_cols, A_NORMAL, value);
}

void paint_parts(struct view *v, struct view_area area, const struct snap_part *parts, size_t n,
		 uint64_t wall_us, bool per_request)
{
	size_t room = area.h > 0 ? (size_t)area.h : 0;
	size_t shown = n <= room ? n : room ? room - 1 : 0;
	unsigned cols = COLS > 2 ? (unsigned)COLS - 2 : 0;
	uint64_t rest_us = 0;
	char line[WORDS_LEN];

	for (size_t i = 0; i < shown; i++) {
		int y = area.y + (int)i;

		words_part(&parts[i], wall_us, per_request, line, cols, v->ascii);
		paint_text(v, y, 2, COLS, A_NORMAL, line);
		paint_letters(v, y, 2, 1, A_NORMAL);
	}
	for (size_t i = shown; i < n; i++)
		rest_us += parts[i].us;
	if (shown < n && room) {
		words_part_rest(n - shown, rest_us, wall_us, line, cols);
		paint_text(v, area.y + (int)shown, 2, COLS, A_NORMAL, line);
	}
}

void paint_legend(struct view *v, int y)
{
	bool used[CAUSE_COUNT] = { false };
	char line[WORDS_LEN];

	for (size_t i = 0; v->s && i < v->s->n_routes; i++) {
		double weights[CAUSE_COUNT];

		cause_bar_route(&v->s->routes[i], weights);
		for (int c = 0; c < CAUSE_COUNT; c++)
			used[c] |= weights[c] > 0;
	}
	words_legend(used, COLS > 2 ? (unsigned)COLS - 2 : 0, line);
	paint_text(v, y, 1, COLS, A_NORMAL, line);
}

struct view_area paint_split(struct view_area *area, size_t rows, int want)
{
	/* Details never take more than half, and small screens have the rows only. */
	int table = rows < 1000 ? (int)rows + 2 : 1002; /* head and a blank line */
	int detail;

	if (area->h < 8 || want < 2)
		return (struct view_area){ area->y + area->h, 0 };
	detail = area->h - table;
	if (detail < area->h * 2 / 5)
		detail = area->h * 2 / 5;
	if (detail > want)
		detail = want;
	if (table > area->h - detail)
		table = area->h - detail;
	*area = (struct view_area){ area->y, area->h - detail };
	return (struct view_area){ area->y + table, detail };
}
