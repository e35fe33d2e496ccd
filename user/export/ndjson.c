// SPDX-License-Identifier: GPL-2.0-only
/* Writes a snapshot as NDJSON; one function per kind of line. */
#include "base/intern.h"
#include "base/json.h"
#include "export/ndjson.h"

/* A label, or null when it is absent: "" would be a name that nothing has. */
static void put_label(struct json *j, const char *key, uint32_t id)
{
	const char *text = intern_text(id);

	if (id == INTERN_EMPTY || !text)
		json_null(j, key);
	else
		json_str(j, key, text);
}

/* Every line is one object, and its first member says which. */
static void line_begin(struct json *j, const char *key, const char *kind)
{
	json_open_object(j, NULL);
	json_str(j, key, kind);
}

static void line_end(struct json *j)
{
	json_close_object(j);
	json_end_line(j);
}

/* 0 is "none" for these, and null says that better than a number that could be compared. */
static void put_nonzero(struct json *j, const char *key, uint64_t v)
{
	if (v)
		json_u64(j, key, v);
	else
		json_null(j, key);
}

static void put_parts(struct json *j, const struct snap_part *v, size_t n)
{
	json_open_array(j, "parts");
	for (size_t i = 0; i < n; i++) {
		json_open_object(j, NULL);
		put_label(j, "who", v[i].who);
		json_str(j, "cause", cause_name((enum cause)v[i].cause));
		put_label(j, "what", v[i].what);
		put_label(j, "via", v[i].via);
		put_label(j, "held_by", v[i].held_by);
		json_u64(j, "us", v[i].us);
		json_f64(j, "count", v[i].count);
		json_bool(j, "scaled", v[i].scaled);
		json_close_object(j);
	}
	json_close_array(j);
}

static void put_schema(struct json *j, const struct snapshot *s)
{
	line_begin(j, "schema", "tardy.report/1.0");
	json_u64_str(j, "start_unix_us", s->start_unix_us);
	json_u64(j, "window_us", s->window_us);
	put_label(j, "hostname", s->hostname);
	put_label(j, "kernel", s->kernel);
	line_end(j);
}

static void put_route(struct json *j, const struct snap_route *r)
{
	line_begin(j, "kind", "route");
	put_label(j, "service", r->service);
	put_label(j, "pool", r->pool);
	json_bool(j, "entry", r->entry);
	put_label(j, "route", r->route);
	json_u64(j, "requests", r->requests);
	json_u64(j, "errors", r->errors);
	json_u64(j, "aborted", r->aborted);
	json_u64(j, "incomplete", r->incomplete);
	json_u64(j, "streams", r->streams);
	if (r->multiplexed)
		json_u64(j, "multiplexed", r->multiplexed);
	put_nonzero(j, "stream_first_byte_us", r->stream_first_us);
	put_nonzero(j, "stream_gap_us", r->stream_gap_us);
	put_nonzero(j, "stream_wall_us", r->stream_wall_us);
	json_u64(j, "in_flight", r->in_flight);
	json_u64(j, "wall_us", r->wall_us);
	json_u64(j, "counted", r->counted);
	json_u64(j, "p50_us", r->p50_us);
	json_u64(j, "p95_us", r->p95_us);
	json_u64(j, "p99_us", r->p99_us);
	json_u64(j, "max_us", r->max_us);
	json_f64(j, "req_per_s", r->req_per_s);
	json_f64(j, "wait_s_per_s", r->wait_s_per_s);
	json_f64(j, "wait_share", r->wait_share);
	put_parts(j, r->parts, r->n_parts);
	json_open_object(j, "wait_by_cause");
	for (int c = 0; c < CAUSE_COUNT; c++)
		if (r->wait_by_cause[c] > 0)
			json_f64(j, cause_name((enum cause)c), r->wait_by_cause[c]);
	json_close_object(j);
	line_end(j);
}

static void put_summary(struct json *j, const struct snapshot *s)
{
	static const char *const verdicts[] = {
		[SNAP_VERDICT_NOTHING] = "nothing", [SNAP_VERDICT_WAIT] = "wait",
		[SNAP_VERDICT_UNKNOWN] = "unknown", [SNAP_VERDICT_INCOMPLETE] = "incomplete",
		[SNAP_VERDICT_NO_DATA] = "no_data", [SNAP_VERDICT_CALM] = "calm",
	};

	line_begin(j, "kind", "summary");
	json_u64(j, "requests", s->requests);
	json_u64(j, "errors", s->errors);
	json_u64(j, "aborted", s->aborted);
	json_u64(j, "incomplete", s->incomplete);
	json_f64(j, "req_per_s", s->req_per_s);
	json_f64(j, "error_ratio", s->error_ratio);
	json_f64(j, "in_flight_mean", s->in_flight_mean);
	json_f64(j, "wait_s_per_s", s->wait_s_per_s);
	json_u64(j, "p50_us", s->p50_us);
	json_u64(j, "p95_us", s->p95_us);
	json_u64(j, "p99_us", s->p99_us);
	json_u64(j, "max_us", s->max_us);
	json_str(j, "verdict", verdicts[s->verdict]);
	json_open_object(j, "top");
	put_label(j, "route", s->top.route);
	json_f64(j, "route_share", s->top.route_share);
	put_label(j, "who", s->top.who);
	json_str(j, "cause", cause_name((enum cause)s->top.cause));
	put_label(j, "what", s->top.what);
	put_label(j, "held_by", s->top.held_by);
	json_f64(j, "cause_share", s->top.cause_share);
	json_f64(j, "what_share", s->top.what_share);
	json_close_object(j);
	line_end(j);
}

static void put_calls_and_marks(struct json *j, const struct snap_request *r)
{
	json_open_array(j, "calls");
	for (size_t i = 0; i < r->n_calls; i++) {
		json_open_object(j, NULL);
		put_label(j, "peer", r->calls[i].peer);
		put_label(j, "protocol", r->calls[i].protocol);
		put_label(j, "what", r->calls[i].what);
		json_u64(j, "start_us", r->calls[i].start_us);
		json_u64(j, "wall_us", r->calls[i].wall_us);
		put_nonzero(j, "connect_us", r->calls[i].connect_us);
		put_nonzero(j, "srtt_us", r->calls[i].srtt_us);
		json_u64(j, "retransmits", r->calls[i].retransmits);
		json_bool(j, "error", r->calls[i].error);
		json_close_object(j);
	}
	json_close_array(j);
	json_open_array(j, "marks");
	for (size_t i = 0; i < r->n_marks; i++) {
		json_open_object(j, NULL);
		put_label(j, "label", r->marks[i].label);
		json_u64(j, "at_us", r->marks[i].at_us);
		json_close_object(j);
	}
	json_close_array(j);
}

static void put_request(struct json *j, const struct snap_request *r)
{
	char binding[2] = { r->binding ? r->binding : 'U', '\0' }, client[PROXY_CLIENT_TEXT];

	line_begin(j, "kind", "request");
	json_u64_str(j, "id", r->xid);
	if (r->parent_xid)
		json_u64_str(j, "parent", r->parent_xid);
	else
		json_null(j, "parent");
	json_u64_str(j, "start_unix_us", r->start_unix_us);
	json_u64(j, "wall_us", r->wall_us);
	put_label(j, "service", r->service);
	json_i64(j, "pid", r->pid);
	json_i64(j, "tid", r->tid);
	put_label(j, "protocol", r->protocol);
	put_label(j, "method", r->method);
	put_label(j, "route", r->route);
	if (r->status)
		json_i64(j, "status", r->status);
	else
		json_null(j, "status");
	json_bool(j, "entry", r->entry);
	json_str(j, "binding", binding);
	json_bool(j, "error", r->error);
	json_bool(j, "aborted", r->aborted);
	json_bool(j, "incomplete", r->incomplete);
	json_bool(j, "open", r->open);
	json_bool(j, "stream", r->stream);
	if (r->before)
		json_bool(j, "before", true);
	if (r->multiplexed)
		json_bool(j, "multiplexed", true);
	if (r->end_unseen)
		json_bool(j, "end_unseen", true);
	if (r->client.version)
		json_str(j, "client", proxy_client_text(client, &r->client));
	put_label(j, "waiting_for", r->waiting_for);
	put_nonzero(j, "first_byte_us", r->first_byte_us);
	put_nonzero(j, "gap_us", r->gap_us);
	put_nonzero(j, "gap_max_us", r->gap_max_us);
	json_u64(j, "sends", r->sends);
	put_nonzero(j, "srtt_us", r->srtt_us);
	put_nonzero(j, "rttvar_us", r->rttvar_us);
	json_u64(j, "retransmits", r->retransmits);
	put_nonzero(j, "peer_window_us", r->peer_window_us);
	json_u64(j, "after_us", r->after_us);
	json_u64(j, "bytes_in", r->bytes_in);
	json_u64(j, "bytes_out", r->bytes_out);
	put_parts(j, r->parts, r->n_parts);
	put_calls_and_marks(j, r);
	line_end(j);
}

static void put_shares(struct json *j, const char *key, const struct snap_hotspot_route *v,
		       size_t n)
{
	json_open_array(j, key);
	for (size_t i = 0; i < n; i++) {
		json_open_object(j, NULL);
		put_label(j, "route", v[i].route);
		json_f64(j, "wait_s_per_s", v[i].wait_s_per_s);
		json_close_object(j);
	}
	json_close_array(j);
}

static void put_stack(struct json *j, const struct snap_hotspot *h)
{
	if (!h->n_stack)
		return;
	json_open_array(j, "stack");
	for (size_t i = 0; i < h->n_stack; i++)
		json_str(j, NULL, intern_text(h->stack[i]));
	json_close_array(j);
	json_f64(j, "stack_share", h->stack_share);
}

static void put_hotspot(struct json *j, const struct snap_hotspot *h)
{
	line_begin(j, "kind", "hotspot");
	put_label(j, "who", h->who);
	json_str(j, "cause", cause_name((enum cause)h->cause));
	put_label(j, "what", h->what);
	put_label(j, "via", h->via);
	put_label(j, "held_by", h->held_by);
	json_f64(j, "wait_s_per_s", h->wait_s_per_s);
	json_f64(j, "share", h->share);
	put_shares(j, "routes", h->routes, h->n_routes);
	put_shares(j, "occupied_by", h->occupied_by, h->n_occupied_by);
	put_stack(j, h);
	line_end(j);
}

static void put_known(struct json *j, const char *key, bool known, double v)
{
	if (known)
		json_f64(j, key, v);
	else
		json_null(j, key);
}

static void put_stacks(struct json *j, const struct snap_health *h)
{
	const struct snap_stacks *s = &h->stacks;

	if (!h->has_stacks)
		return;
	json_open_object(j, "stacks");
	json_u64(j, "cpu_samples", s->cpu_samples);
	json_u64(j, "waits", s->waits);
	json_u64(j, "no_user", s->no_user);
	json_u64(j, "no_kernel", s->no_kernel);
	json_u64(j, "user_skipped", s->user_skipped);
	json_u64(j, "user_short", s->user_short);
	json_u64(j, "user_cut", s->user_cut);
	json_u64(j, "kernel_cut", s->kernel_cut);
	json_u64(j, "unknown_symbols", s->unknown_symbols);
	json_u64(j, "after_answer", s->after_answer);
	json_u64(j, "unclaimed", s->unclaimed);
	json_u64(j, "dropped", s->dropped);
	json_u64(j, "folded", s->folded);
	json_close_object(j);
}

static void put_lost_intervals(struct json *j, const struct snap_health *h)
{
	json_open_array(j, "lost_intervals");
	for (size_t i = 0; i < h->n_lost_intervals; i++) {
		const struct snap_lost_interval *v = &h->lost_intervals[i];

		json_open_object(j, NULL);
		json_str(j, "kind", v->kind);
		json_bool(j, "loses", v->loses);
		json_u64(j, "cpu", v->cpu);
		json_u64_str(j, "from_unix_us", v->from_unix_us);
		json_u64_str(j, "to_unix_us", v->to_unix_us);
		json_u64(j, "count", v->count);
		json_close_object(j);
	}
	json_close_array(j);
	json_u64(j, "lost_intervals_dropped", h->lost_intervals_dropped);
}

/* Calls that are in no request, by who made them and to whom. */
static void put_unbound(struct json *j, const struct snap_health *h)
{
	json_open_array(j, "unbound_calls");
	for (size_t i = 0; i < h->n_unbound; i++) {
		json_open_object(j, NULL);
		put_label(j, "service", h->unbound[i].service);
		put_label(j, "peer", h->unbound[i].peer);
		json_u64(j, "calls", h->unbound[i].calls);
		json_u64(j, "us", h->unbound[i].us);
		json_close_object(j);
	}
	json_close_array(j);
}

static void put_health(struct json *j, const struct snapshot *s)
{
	const struct snap_health *h = &s->health;

	line_begin(j, "kind", "health");
	json_u64(j, "seen", h->seen);
	json_u64(j, "lost", h->lost);
	json_open_object(j, "lost_by_kind");
	for (size_t i = 0; i < h->n_lost_by_kind; i++)
		json_u64(j, h->lost_by_kind[i].kind, h->lost_by_kind[i].count);
	json_close_object(j);
	put_known(j, "own_cpu_ratio", h->has_own_cost, h->own_cpu_ratio);
	put_known(j, "probe_cpu_ratio", h->has_own_cost, h->probe_cpu_ratio);
	put_known(j, "probe_ns_per_request", h->has_own_cost, h->probe_ns_per_request);
	if (h->has_own_cost)
		json_u64(j, "rss_bytes", h->rss_bytes);
	else
		json_null(j, "rss_bytes");
	json_u64(j, "requests", s->requests);
	json_u64(j, "requests_incomplete", s->incomplete);
	json_u64(j, "requests_dropped", s->requests_dropped);
	json_open_array(j, "pools");
	for (size_t i = 0; i < s->n_pools; i++) {
		json_open_object(j, NULL);
		put_label(j, "service", s->pools[i].service);
		json_u64(j, "busy", s->pools[i].busy);
		json_u64(j, "workers", s->pools[i].workers);
		json_close_object(j);
	}
	json_close_array(j);
	put_stacks(j, h);
	put_lost_intervals(j, h);
	json_u64(j, "malformed", h->malformed);
	json_u64(j, "evicted", h->evicted);
	json_u64(j, "late", h->late);
	json_u64(j, "orphans", h->orphans);
	if (h->n_unbound)
		put_unbound(j, h);
	line_end(j);
}

int export_ndjson(FILE *out, const struct snapshot *s, unsigned what)
{
	struct json j;

	json_init(&j, out);
	put_schema(&j, s);
	if (what & EXPORT_ROUTES) {
		put_summary(&j, s);
		for (size_t i = 0; i < s->n_routes && !j.err; i++)
			put_route(&j, &s->routes[i]);
	}
	if (what & EXPORT_REQUESTS)
		for (size_t i = 0; i < s->n_requests_v && !j.err; i++)
			put_request(&j, &s->requests_v[i]);
	if (what & EXPORT_HOTSPOTS)
		for (size_t i = 0; i < s->n_hotspots && !j.err; i++)
			put_hotspot(&j, &s->hotspots[i]);
	if (what & EXPORT_HEALTH)
		put_health(&j, s);
	return json_finish(&j);
}
