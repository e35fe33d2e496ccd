/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/view_go.h"

#include <string.h>

#include "view/view_table.h"

void view_open(struct view *v, enum view_screen_id id)
{
	if (v->screen == id)
		return;
	if (v->n_back == VIEW_BACK_MAX) {
		memmove(v->back, v->back + 1, sizeof(v->back[0]) * (VIEW_BACK_MAX - 1));
		v->n_back--;
	}
	v->back[v->n_back++] = v->screen;
	v->screen = id;
	v->scroll = 0;
	if (id < SCREEN_TABS)
		view_table_rebuild(v, id);
}

bool view_back(struct view *v)
{
	if (!v->n_back)
		return false;
	if (v->screen == SCREEN_REQUEST && v->auto_paused)
		view_set_paused(v, false);
	v->screen = v->back[--v->n_back];
	v->scroll = 0;
	return true;
}

void view_go_to_tab(struct view *v, int tab)
{
	while (view_back(v))
		;
	v->screen = (enum view_screen_id)tab;
	v->only_route = v->only_service = 0;
	view_table_rebuild(v, v->screen);
}
