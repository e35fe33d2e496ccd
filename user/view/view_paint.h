/* SPDX-License-Identifier: GPL-2.0-only */
/* Painting: text is cut at width and at the screen's edge; y beyond the screen is ignored. */
#ifndef TARDY_VIEW_VIEW_PAINT_H
#define TARDY_VIEW_VIEW_PAINT_H
#include "view/view_state.h"

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
#endif
