// SPDX-License-Identifier: GPL-2.0-only
/* Slow and open requests one by one, and where the time of the selected one goes. */
#include <inttypes.h>
#include <stdio.h>
#include "base/format.h"
#include "view/screens.h"
#include "view/view_go.h"
#include "view/view_paint.h"
#include "view/view_table.h"

static uint64_t request_identity(const void *row)
{
	return ((const struct snap_request *)row)->xid;
}

static bool request_keep(struct view *v, const void *row)
{
	const struct snap_request *r = row;

	if (v->only_route)
		return r->route == v->only_route && r->service == v->only_service;
	return r->entry || v->internal;
}

static void draw_detail(struct view *v, struct view_area area, const struct snap_request *r)
{
	char head[WORDS_LEN], route[FORMAT_LABEL], service[FORMAT_LABEL], wait[FORMAT_LABEL];
	char wall[FORMAT_LEN];

	if (area.h < 2)
		return;
	words_label(wait, sizeof(wait), r->waiting_for, "", 30, v->ascii);
	snprintf(head, sizeof(head), "%s: %s%s, %s[%" PRId32 "]%s%s",
		 words_label(route, sizeof(route), r->route, "(no name)", 40, v->ascii),
		 format_us(wall, r->wall_us), r->open ? " so far" : "",
		 words_label(service, sizeof(service), r->service, "-", 16, v->ascii), r->pid,
		 *wait ? ", waits for " : "", wait);
	paint_rule(v, area.y, head);
	area.y++;
	area.h--;
	paint_parts(v, area, r->parts, r->n_parts, r->wall_us, false);
}

static void draw(struct view *v, struct view_area area)
{
	const struct snap_request *r = view_table_selected(v, SCREEN_REQUESTS);
	struct view_area detail;

	if (area.h >= 10) {
		paint_legend(v, area.y + area.h - 1);
		area.h--;
	}
	detail = paint_split(&area, v->tables[SCREEN_REQUESTS].n, r ? (int)r->n_parts + 1 : 0);
	view_table_draw(v, area);
	if (r)
		draw_detail(v, detail, r);
}

static bool key(struct view *v, enum view_action action)
{
	const struct snap_request *r;

	if ((action == VIEW_ACTION_BACK || action == VIEW_ACTION_CLOSE) && v->only_route) {
		v->only_route = v->only_service = 0;
		view_table_rebuild(v, SCREEN_REQUESTS);
		return v->n_back == 0; /* handled, unless there is a screen to go back to */
	}
	if (action == VIEW_ACTION_INTERNAL) {
		v->internal = !v->internal;
		view_table_rebuild(v, SCREEN_ROUTES);
		view_table_rebuild(v, SCREEN_REQUESTS);
		return true;
	}
	if (action != VIEW_ACTION_OPEN)
		return view_table_key(v, action);
	r = view_table_selected(v, SCREEN_REQUESTS);
	if (!r)
		return true;
	v->request_xid = r->xid;
	if (!v->paused) { /* it would be gone before it is read */
		view_set_paused(v, true);
		v->auto_paused = true;
	}
	view_open(v, SCREEN_REQUEST);
	return true;
}

const struct view_screen view_screen_requests = {
	.name = "Requests",
	.brief = "Req",
	.set = &columns_requests,
	.identity = request_identity,
	.keep = request_keep,
	.draw = draw,
	.key = key,
};
