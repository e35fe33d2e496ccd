/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of a screen: its rows filtered and sorted, with a selected one. */
#ifndef TARDY_VIEW_VIEW_TABLE_H
#define TARDY_VIEW_VIEW_TABLE_H
#include "view/view_state.h"

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
#endif
