/* SPDX-License-Identifier: GPL-2.0-only */
/* Scrolling of screens without a table. */
#ifndef TARDY_VIEW_VIEW_SCROLL_H
#define TARDY_VIEW_VIEW_SCROLL_H
#include "view/view_state.h"

/* Moves v->scroll; what lies beyond the end is for draw() to take back. */
bool view_scroll_key(struct view *v, enum view_action action);
#endif
