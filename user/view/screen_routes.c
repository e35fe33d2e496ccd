// SPDX-License-Identifier: GPL-2.0-only
/* The main screen: routes by people waiting, and where the time of the selected one goes. */
#include "export/cause_bar.h"
#include "view/screens.h"
#include "view/view_go.h"
#include "view/view_paint.h"
#include "view/view_table.h"

static uint64_t route_identity(const void *row)
{
	const struct snap_route *r = row;

	return ((uint64_t)r->service << 40) ^ ((uint64_t)r->pool << 20) ^
	       ((uint64_t)r->route << 1) ^ r->entry;
}

static bool route_keep(struct view *v, const void *row)
{
	return ((const struct snap_route *)row)->entry || v->internal;
}

static void draw_detail(struct view *v, struct view_area area, const struct snap_route *r)
{
	struct snap_part waiting[CAUSE_BAR_WAITING_MAX];
	char head[WORDS_LEN];
	uint64_t sum_us;
	size_t n;

	if (area.h < 2)
		return;
	words_route_head(r, head, v->ascii);
	paint_rule(v, area.y, head);
	area.y++;
	area.h--;
	if (r->n_parts && r->wall_us) {
		paint_parts(v, area, r->parts, r->n_parts, r->wall_us, true);
		return;
	}
	n = cause_bar_waiting(v->s, r, waiting, &sum_us);
	paint_parts(v, area, waiting, n, sum_us, true);
}

static void draw(struct view *v, struct view_area area)
{
	const struct snap_route *r = view_table_selected(v, SCREEN_ROUTES);
	size_t n_parts = r ? (r->n_parts && r->wall_us ? r->n_parts : CAUSE_COUNT) : 0;
	struct view_area detail;

	if (area.h >= 10) {
		paint_legend(v, area.y + area.h - 1);
		area.h--;
	}
	detail = paint_split(&area, v->tables[SCREEN_ROUTES].n, r ? (int)n_parts + 1 : 0);
	view_table_draw(v, area);
	if (r)
		draw_detail(v, detail, r);
}

static bool key(struct view *v, enum view_action action)
{
	const struct snap_route *r;

	if (action == VIEW_ACTION_INTERNAL) {
		v->internal = !v->internal;
		view_table_rebuild(v, SCREEN_ROUTES);
		view_message(v, v->internal ? "routes between services are shown too" :
					      "only routes that users called are shown");
		return true;
	}
	if (action != VIEW_ACTION_OPEN)
		return view_table_key(v, action);
	r = view_table_selected(v, SCREEN_ROUTES);
	if (!r)
		return true;
	v->only_service = r->service;
	v->only_route = r->route;
	view_open(v, SCREEN_REQUESTS);
	return true;
}

const struct view_screen view_screen_routes = {
	.name = "Routes",
	.brief = "Routes",
	.set = &columns_routes,
	.identity = route_identity,
	.keep = route_keep,
	.draw = draw,
	.key = key,
};
