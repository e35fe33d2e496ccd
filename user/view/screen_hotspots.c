// SPDX-License-Identifier: GPL-2.0-only
/* What users wait for, over all routes, and which routes wait on the selected one. */
#include <stdio.h>
#include "base/format.h"
#include "view/screens.h"
#include "view/view_go.h"
#include "view/view_paint.h"
#include "view/view_table.h"

static uint64_t hotspot_identity(const void *row)
{
	const struct snap_hotspot *h = row;
	const uint32_t ids[] = { h->who, h->cause, h->what, h->held_by, h->via };
	uint64_t hash = 14695981039346656037ull; /* FNV-1a over words */

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		hash = (hash ^ ids[i]) * 1099511628211ull;
	return hash;
}

static int draw_waiters(struct view *v, struct view_area area, const char *lead,
			const struct snap_hotspot_route *list, size_t n)
{
	char line[WORDS_LEN], route[FORMAT_LABEL], load[FORMAT_LEN];
	int used = 0;

	for (size_t i = 0; i < n && used < area.h; i++, used++) {
		if (used == area.h - 1 && i + 1 < n)
			snprintf(line, sizeof(line), "%-13s %8s  + %zu more", "", "", n - i);
		else
			snprintf(line, sizeof(line), "%-13s %6s/s  %s", i ? "" : lead,
				 format_load(load, list[i].wait_s_per_s),
				 words_label(route, sizeof(route), list[i].route, "(no name)", 80,
					     v->ascii));
		paint_text(v, area.y + used, 2, COLS, A_NORMAL, line);
	}
	return used;
}

static void draw_stack(struct view *v, int y, const struct snap_hotspot *h)
{
	char line[WORDS_LEN], stack[WORDS_LEN], share[FORMAT_LEN];
	int used = snprintf(line, sizeof(line), "%-13s %6s    ", "hottest stack",
			    format_percent(share, h->stack_share));

	words_stack(h->stack, h->n_stack, h->n_stack_kernel, stack,
		    COLS > used + 2 ? (unsigned)(COLS - used - 2) : 0, v->ascii);
	snprintf(line + used, sizeof(line) - (size_t)used, "%.*s", (int)sizeof(line) - used - 1,
		 stack);
	paint_text(v, y, 2, COLS, A_NORMAL, line);
}

static void draw_detail(struct view *v, struct view_area area, const struct snap_hotspot *h)
{
	char head[WORDS_LEN];
	int waiters, stack = h->n_stack && area.h > 2;

	if (area.h < 2)
		return;
	words_hotspot_head(h, head, v->ascii);
	paint_rule(v, area.y, head);
	area.y++;
	area.h--;
	area.h -= stack;
	waiters = h->n_occupied_by && area.h > 2 ? area.h / 2 : area.h;
	waiters = draw_waiters(v, (struct view_area){ area.y, waiters }, "waited on by", h->routes,
			       h->n_routes);
	waiters += draw_waiters(v, (struct view_area){ area.y + waiters, area.h - waiters },
				"occupied by", h->occupied_by, h->n_occupied_by);
	if (stack)
		draw_stack(v, area.y + waiters, h);
}

static int detail_lines(const struct snap_hotspot *h)
{
	return (int)(h->n_routes + h->n_occupied_by) + 1 + (h->n_stack > 0);
}

static void draw(struct view *v, struct view_area area)
{
	const struct snap_hotspot *h = view_table_selected(v, SCREEN_HOTSPOTS);
	struct view_area detail = paint_split(&area, v->tables[SCREEN_HOTSPOTS].n,
					      h ? detail_lines(h) : 0);

	view_table_draw(v, area);
	if (h)
		draw_detail(v, detail, h);
}

bool screen_hotspots_culprit(struct view *v)
{
	const struct snap_hotspot *h = view_table_selected(v, SCREEN_HOTSPOTS);
	uint32_t route = h ? h->held_by : 0;

	if (h && !route && h->n_routes)
		route = h->routes[0].route;
	for (size_t i = 0; route && i < v->s->n_routes; i++) {
		const struct snap_route *r = &v->s->routes[i];

		if (r->route != route || !(r->entry || v->internal))
			continue;
		view_filter_set(&v->tables[SCREEN_ROUTES].filter, "");
		view_table_select(v, SCREEN_ROUTES, view_screen_routes.identity(r));
		view_open(v, SCREEN_ROUTES);
		return true;
	}
	view_message(v, "no route to open here");
	return true;
}

static bool key(struct view *v, enum view_action action)
{
	if (action != VIEW_ACTION_OPEN)
		return view_table_key(v, action);
	if (view_table_selected(v, SCREEN_HOTSPOTS))
		view_open(v, SCREEN_FULL);
	return true;
}

const struct view_screen view_screen_hotspots = {
	.name = "Hotspots",
	.brief = "Hot",
	.set = &columns_hotspots,
	.identity = hotspot_identity,
	.draw = draw,
	.key = key,
};
