/* SPDX-License-Identifier: GPL-2.0-only */
/* The screens: a file each, which ends in one of these. */
#ifndef TARDY_VIEW_SCREENS_H
#define TARDY_VIEW_SCREENS_H
#include "view/view_state.h"

extern const struct view_screen view_screen_routes, view_screen_requests, view_screen_hotspots;
extern const struct view_screen view_screen_health, view_screen_request, view_screen_help;
extern const struct view_screen view_screen_full;
/* Goes from the selected hotspot to the route that holds what is waited for, or that waits most. */
bool screen_hotspots_culprit(struct view *v);
#endif
