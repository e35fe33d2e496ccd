// SPDX-License-Identifier: GPL-2.0-only
/* The keys of screens that are text and no table. */
#include "view/view_scroll.h"

enum { PAGE = 10 };

bool view_scroll_key(struct view *v, enum view_action action)
{
	switch (action) {
	case VIEW_ACTION_UP:
		v->scroll -= v->scroll > 0;
		return true;
	case VIEW_ACTION_DOWN:
		v->scroll++; /* draw() knows the end */
		return true;
	case VIEW_ACTION_PAGE_UP:
		v->scroll -= v->scroll < PAGE ? v->scroll : PAGE;
		return true;
	case VIEW_ACTION_PAGE_DOWN:
		v->scroll += PAGE;
		return true;
	case VIEW_ACTION_FIRST:
		v->scroll = 0;
		return true;
	default:
		return false;
	}
}
