// SPDX-License-Identifier: GPL-2.0-only
/* The end of a snapshot's life; rank.c builds it. */
#include "rank/snapshot.h"

#include <stdlib.h>

static void route_release(struct snap_route *r)
{
	free(r->parts);
}

static void request_release(struct snap_request *r)
{
	free(r->parts);
	free(r->calls);
	free(r->marks);
}

static void hotspot_release(struct snap_hotspot *h)
{
	free(h->routes);
	free(h->occupied_by);
	free(h->stack);
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_routes; i++)
		route_release(&s->routes[i]);
	for (size_t i = 0; i < s->n_hotspots; i++)
		hotspot_release(&s->hotspots[i]);
	for (size_t i = 0; i < s->n_requests_v; i++)
		request_release(&s->requests_v[i]);
	free(s->routes);
	free(s->hotspots);
	free(s->requests_v);
	free(s->pools);
	free(s->stacks);
	free(s->stack_frames);
	free(s);
}
