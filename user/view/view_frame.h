/* SPDX-License-Identifier: GPL-2.0-only */
/* What is around each screen: title, meters, verdict, tabs and bottom line. */
#ifndef TARDY_VIEW_VIEW_FRAME_H
#define TARDY_VIEW_VIEW_FRAME_H
#include "view/view_state.h"

/* Draws it; returns what is left between. */
struct view_area view_frame_draw(struct view *v);
#endif
