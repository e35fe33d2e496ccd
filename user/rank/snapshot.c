// SPDX-License-Identifier: GPL-2.0-only
/* A snapshot's names, and the end of its life; rank.c builds it. */
#include "rank/snapshot.h"

#include <stdlib.h>

static void keep_parts(const struct snap_part *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		intern_keep(v[i].who);
		intern_keep(v[i].what);
		intern_keep(v[i].via);
		intern_keep(v[i].held_by);
	}
}

static void keep_request(const struct snap_request *r)
{
	intern_keep(r->service);
	intern_keep(r->method);
	intern_keep(r->route);
	intern_keep(r->protocol);
	intern_keep(r->waiting_for);
	keep_parts(r->parts, r->n_parts);
	for (size_t i = 0; i < r->n_calls; i++) {
		intern_keep(r->calls[i].peer);
		intern_keep(r->calls[i].protocol);
		intern_keep(r->calls[i].what);
	}
	for (size_t i = 0; i < r->n_marks; i++)
		intern_keep(r->marks[i].label);
}

static void keep_hotspot(const struct snap_hotspot *h)
{
	intern_keep(h->who);
	intern_keep(h->what);
	intern_keep(h->held_by);
	intern_keep(h->via);
	for (size_t i = 0; i < h->n_routes; i++)
		intern_keep(h->routes[i].route);
	for (size_t i = 0; i < h->n_occupied_by; i++)
		intern_keep(h->occupied_by[i].route);
	for (size_t i = 0; i < h->n_stack; i++)
		intern_keep(h->stack[i]);
}

static void keep_stack(const struct snap_stack *s)
{
	intern_keep(s->service);
	intern_keep(s->route);
	for (uint16_t i = 0; i < s->n_frames; i++)
		intern_keep(s->frames[i]);
}

static void snapshot_keep_names(void *ctx)
{
	const struct snapshot *s = ctx;

	intern_keep(s->hostname);
	intern_keep(s->kernel);
	intern_keep(s->top.route);
	intern_keep(s->top.who);
	intern_keep(s->top.what);
	intern_keep(s->top.held_by);
	for (size_t i = 0; i < s->n_routes; i++) {
		intern_keep(s->routes[i].service);
		intern_keep(s->routes[i].route);
		intern_keep(s->routes[i].pool);
		keep_parts(s->routes[i].parts, s->routes[i].n_parts);
	}
	for (size_t i = 0; i < s->n_hotspots; i++)
		keep_hotspot(&s->hotspots[i]);
	for (size_t i = 0; i < s->n_requests_v; i++)
		keep_request(&s->requests_v[i]);
	for (size_t i = 0; i < s->n_stacks; i++)
		keep_stack(&s->stacks[i]);
	for (size_t i = 0; i < s->n_pools; i++)
		intern_keep(s->pools[i].service);
	for (size_t i = 0; i < s->health.n_unbound; i++) {
		intern_keep(s->health.unbound[i].service);
		intern_keep(s->health.unbound[i].peer);
	}
}

void snapshot_hold(struct snapshot *s)
{
	s->holder = (struct intern_holder){ snapshot_keep_names, s, NULL };
	intern_hold(&s->holder);
}

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
	intern_unhold(&s->holder);
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
