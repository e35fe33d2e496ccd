// SPDX-License-Identifier: GPL-2.0-only
#include "view/view_full.h"

#include "export/full.h"
#include "view/view_table.h"

const struct snap_request *view_full_request(const struct view *v)
{
	for (size_t i = 0; v->s && i < v->s->n_requests_v; i++)
		if (v->s->requests_v[i].xid == v->request_xid)
			return &v->s->requests_v[i];
	return NULL;
}

char *view_full_text(const struct view *v)
{
	enum view_screen_id id = v->screen;
	const void *row;

	if (id == SCREEN_FULL && v->n_back)
		id = v->back[v->n_back - 1];
	switch (id) {
	case SCREEN_ROUTES:
		row = view_table_selected(v, id);
		return row ? full_route(row, v->ascii) : NULL;
	case SCREEN_REQUESTS:
		row = view_table_selected(v, id);
		return row ? full_request(row, v->ascii) : NULL;
	case SCREEN_HOTSPOTS:
		row = view_table_selected(v, id);
		return row ? full_hotspot(row, v->ascii) : NULL;
	case SCREEN_REQUEST:
		row = view_full_request(v);
		return row ? full_request(row, v->ascii) : NULL;
	default:
		return NULL;
	}
}
