/* SPDX-License-Identifier: GPL-2.0-only */
/* Going from screen to screen. */
#ifndef TARDY_VIEW_VIEW_GO_H
#define TARDY_VIEW_VIEW_GO_H
#include "view/view_state.h"

/* Goes to another screen; the present one is where Esc returns to. */
void view_open(struct view *v, enum view_screen_id id);
/* Leaves the screen for the one before; false when there is none. */
bool view_back(struct view *v);
/* A tab is a place of its own, not a step into something. */
void view_go_to_tab(struct view *v, int tab);
#endif
