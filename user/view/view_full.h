/* SPDX-License-Identifier: GPL-2.0-only */
/* The selected row as text with nothing cut, for the screen that shows it and for the clipboard. */
#ifndef TARDY_VIEW_VIEW_FULL_H
#define TARDY_VIEW_VIEW_FULL_H
#include "view/view_state.h"

/* Of the row that the screen is about, also of the screen below screen_full. The caller frees it;
 * NULL: there is no row, or no memory. */
char *view_full_text(const struct view *v);
/* The request that the request screen shows; NULL when it is no longer kept. */
const struct snap_request *view_full_request(const struct view *v);
#endif
