// SPDX-License-Identifier: GPL-2.0-only
/* The columns of every table, their order, and how they share the width of a line. */
#define _GNU_SOURCE /* qsort_r() */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/format.h"
#include "base/intern.h"
#include "export/cause_bar.h"
#include "export/columns.h"
#include "export/words.h"

#define ROW(type, var) const struct type *var = row
#define UNUSED(x) ((void)(x))

static int larger_first(double a, double b)
{
	return a > b ? -1 : a < b;
}

static int name_order(uint32_t a, uint32_t b)
{
	return strcmp(intern_text(a), intern_text(b));
}

/* A compare function by one number, and one by one interned name. */
#define BY_NUMBER(fn, type, field) \
	static int fn(const void *a, const void *b) \
	{ \
		return larger_first((double)((const struct type *)a)->field, \
				    (double)((const struct type *)b)->field); \
	}
#define BY_NAME(fn, type, field) \
	static int fn(const void *a, const void *b) \
	{ \
		return name_order(((const struct type *)a)->field, \
				  ((const struct type *)b)->field); \
	}
/* A cell that is one formatted number, and one that is one label. */
#define NUMBER_CELL(fn, type, expr) \
	static void fn(const void *row, unsigned width, bool ascii, char *buf) \
	{ \
		ROW(type, r); \
		UNUSED(width); \
		UNUSED(ascii); \
		expr; \
	}
#define LABEL_CELL(fn, type, field, absent) \
	static void fn(const void *row, unsigned width, bool ascii, char *buf) \
	{ \
		ROW(type, r); \
		words_label(buf, COLUMNS_CELL, r->field, absent, width, ascii); \
	}

/* A percent without its sign, for a column whose head says %. */
static void put_share(char *buf, double ratio)
{
	char text[FORMAT_LEN];

	snprintf(buf, COLUMNS_CELL, "%s", format_fixed(text, ratio * 100, 0));
}

/* ---- routes ---- */

static size_t route_count(const struct snapshot *s)
{
	return s->n_routes;
}

static const void *route_row(const struct snapshot *s, size_t i)
{
	return &s->routes[i];
}

static void route_label(const void *row, bool ascii, char *buf)
{
	ROW(snap_route, r);
	char name[FORMAT_LABEL], service[FORMAT_LABEL];

	snprintf(buf, COLUMNS_CELL, "%s %s",
		 words_label(name, sizeof(name), r->route, "(no name)", 400, ascii),
		 words_label(service, sizeof(service), r->service, "", 100, ascii));
}

static void route_bar(const void *row, unsigned width, bool ascii, char *buf)
{
	ROW(snap_route, r);
	double weights[CAUSE_COUNT];

	UNUSED(ascii);
	cause_bar_route(r, weights);
	cause_bar(weights, width, buf);
}

/* The row's WAIT/s over the window, scaled to the row's own peak. */
static void route_trend(const void *row, unsigned width, bool ascii, char *buf)
{
	static const char *const blocks[] = { "\u2581", "\u2582", "\u2583", "\u2584",
					      "\u2585", "\u2586", "\u2587", "\u2588" };
	static const char *const plain[] = { ".", ":", "-", "=", "+", "*", "%", "#" };
	ROW(snap_route, r);
	double peak = 0;

	*buf = '\0';
	for (unsigned i = 0; i < SNAP_TREND; i++)
		if (r->trend[i] > peak)
			peak = r->trend[i];
	for (unsigned i = 0; i < SNAP_TREND && i < width && peak > 0; i++) {
		double level = r->trend[i] > 0 ? r->trend[i] / peak * 7.999 : 0;

		strcat(buf, (ascii ? plain : blocks)[(int)level]);
	}
}

LABEL_CELL(route_name, snap_route, route, "(no name)")
LABEL_CELL(route_service, snap_route, service, "-")
NUMBER_CELL(route_rate, snap_route, format_rate(buf, r->req_per_s))
NUMBER_CELL(route_errors, snap_route, format_count(buf, r->errors))
NUMBER_CELL(route_open, snap_route, format_count(buf, r->in_flight))
NUMBER_CELL(route_wait, snap_route, format_load(buf, r->wait_s_per_s))
BY_NAME(by_route, snap_route, route)
BY_NAME(by_service, snap_route, service)
BY_NUMBER(by_rate, snap_route, req_per_s)
BY_NUMBER(by_errors, snap_route, errors)
BY_NUMBER(by_open, snap_route, in_flight)
BY_NUMBER(by_p50, snap_route, p50_us)
BY_NUMBER(by_p95, snap_route, p95_us)
BY_NUMBER(by_p99, snap_route, p99_us)
BY_NUMBER(by_max, snap_route, max_us)
BY_NUMBER(by_wait, snap_route, wait_s_per_s)
BY_NUMBER(by_share, snap_route, wait_share)

/* A percentile; without a completed request there is none, and 0us would be a lie. Streams have
 * other figures, multiplexed exchanges none. */
static void put_percentile(const struct snap_route *r, uint64_t us, char *buf)
{
	if (r->max_us)
		format_us(buf, us);
	else
		strcpy(buf, r->streams ? "strm" : r->multiplexed ? "mux" : "-");
}

static void put_time(uint64_t us, char *buf)
{
	if (us)
		format_us(buf, us);
	else
		strcpy(buf, "-");
}

NUMBER_CELL(route_p50, snap_route, put_percentile(r, r->p50_us, buf))
NUMBER_CELL(route_p95, snap_route, put_percentile(r, r->p95_us, buf))
NUMBER_CELL(route_p99, snap_route, put_percentile(r, r->p99_us, buf))
NUMBER_CELL(route_max, snap_route, put_percentile(r, r->max_us, buf))
NUMBER_CELL(route_first, snap_route, put_time(r->stream_first_us, buf))
NUMBER_CELL(route_gap, snap_route, put_time(r->stream_gap_us, buf))
BY_NUMBER(by_stream_first, snap_route, stream_first_us)
BY_NUMBER(by_stream_gap, snap_route, stream_gap_us)

static void route_share(const void *row, unsigned width, bool ascii, char *buf)
{
	ROW(snap_route, r);

	UNUSED(width);
	UNUSED(ascii);
	if (r->entry)
		put_share(buf, r->wait_share);
	else
		strcpy(buf, "-"); /* its time is inside the entry rows' 100 % */
}

/* clang-format off */
static const struct column route_columns[] = {
	{ "route", "ROUTE", 12, 26, 60, 0, false, false, route_name, by_route },
	{ "service", "SERVICE", 7, 8, 14, 65, false, false, route_service, by_service },
	{ "rate", "REQ/s", 5, 5, 5, 30, true, false, route_rate, by_rate },
	{ "errors", "ERR", 4, 4, 5, 86, true, false, route_errors, by_errors },
	{ "open", "OPEN", 4, 4, 5, 85, true, false, route_open, by_open },
	{ "p50", "p50", 5, 5, 5, 40, true, false, route_p50, by_p50 },
	{ "p95", "p95", 5, 5, 5, 20, true, false, route_p95, by_p95 },
	{ "p99", "p99", 5, 5, 5, 87, true, false, route_p99, by_p99 },
	{ "max", "MAX", 5, 5, 5, 90, true, false, route_max, by_max },
	{ "first", "FIRST", 5, 5, 5, 97, true, false, route_first, by_stream_first },
	{ "gap", "GAP", 5, 5, 5, 98, true, false, route_gap, by_stream_gap },
	{ "wait", "WAIT/s", 6, 6, 6, 5, true, false, route_wait, by_wait },
	{ "share", "%", 3, 3, 3, 25, true, false, route_share, by_share },
	{ "bar", "WHERE THE TIME GOES", 8, 21, 50, 10, false, true, route_bar, NULL },
	{ "trend", "TREND", 8, 8, 8, 88, false, false, route_trend, NULL },
};
/* clang-format on */

const struct column_set columns_routes = {
	.v = route_columns,
	.n = sizeof(route_columns) / sizeof(route_columns[0]),
	.default_sort = 11,
	.count = route_count,
	.row = route_row,
	.label = route_label,
};

/* ---- requests ---- */

static size_t request_count(const struct snapshot *s)
{
	return s->n_requests_v;
}

static const void *request_row(const struct snapshot *s, size_t i)
{
	return &s->requests_v[i];
}

static void request_label(const void *row, bool ascii, char *buf)
{
	ROW(snap_request, r);
	char name[FORMAT_LABEL], service[FORMAT_LABEL];

	snprintf(buf, COLUMNS_CELL, "%s %s id %" PRIu64,
		 words_label(name, sizeof(name), r->route, "(no name)", 400, ascii),
		 words_label(service, sizeof(service), r->service, "", 100, ascii), r->xid);
}

static void request_start(const void *row, unsigned width, bool ascii, char *buf)
{
	ROW(snap_request, r);
	time_t seconds = (time_t)(r->start_unix_us / 1000000);
	struct tm tm;
	size_t n;

	UNUSED(width);
	UNUSED(ascii);
	if (!localtime_r(&seconds, &tm)) { /* a year that does not fit */
		strcpy(buf, "-");
		return;
	}
	n = strftime(buf, COLUMNS_CELL, "%H:%M:%S", &tm);
	snprintf(buf + n, COLUMNS_CELL - n, ".%03u", (unsigned)(r->start_unix_us / 1000 % 1000));
}

static void request_status(const void *row, unsigned width, bool ascii, char *buf)
{
	ROW(snap_request, r);

	UNUSED(width);
	UNUSED(ascii);
	if (r->status)
		snprintf(buf, COLUMNS_CELL, "%" PRId32, r->status);
	else
		strcpy(buf, r->error ? "ERR" : "-");
}

static const char *request_state_text(const struct snap_request *r)
{
	if (r->open)
		return "open";
	if (r->aborted)
		return "abort";
	if (r->incomplete)
		return "part";
	if (r->before)
		return "early";
	if (r->error)
		return "error";
	if (r->multiplexed)
		return "mux";
	if (r->end_unseen)
		return "end?";
	return r->stream ? "strm" : "";
}

static void request_state(const void *row, unsigned width, bool ascii, char *buf)
{
	UNUSED(width);
	UNUSED(ascii);
	strcpy(buf, request_state_text(row));
}

static int by_state(const void *a, const void *b)
{
	return -strcmp(request_state_text(a), request_state_text(b));
}

static void request_bar(const void *row, unsigned width, bool ascii, char *buf)
{
	ROW(snap_request, r);
	double weights[CAUSE_COUNT];

	UNUSED(ascii);
	cause_bar_parts(r->parts, r->n_parts, weights);
	cause_bar(weights, width, buf);
}

/* Oldest first, as a log reads. */
static int by_start(const void *a, const void *b)
{
	uint64_t x = ((const struct snap_request *)a)->start_unix_us;
	uint64_t y = ((const struct snap_request *)b)->start_unix_us;

	return x < y ? -1 : x > y;
}

LABEL_CELL(request_service, snap_request, service, "-")
LABEL_CELL(request_route, snap_request, route, "(no name)")
LABEL_CELL(request_waiting, snap_request, waiting_for, "")
NUMBER_CELL(request_wall, snap_request, format_us(buf, r->wall_us))
NUMBER_CELL(request_first, snap_request, put_time(r->first_byte_us, buf))
NUMBER_CELL(request_gap, snap_request, put_time(r->stream ? r->gap_us : 0, buf))
BY_NUMBER(by_first, snap_request, first_byte_us)
BY_NUMBER(by_gap, snap_request, gap_us)
BY_NUMBER(by_wall, snap_request, wall_us)
BY_NUMBER(by_status, snap_request, status)
BY_NAME(by_request_service, snap_request, service)
BY_NAME(by_request_route, snap_request, route)

/* clang-format off */
static const struct column request_columns[] = {
	{ "start", "START", 12, 12, 12, 50, false, false, request_start, by_start },
	{ "wall", "WALL", 5, 5, 5, 0, true, false, request_wall, by_wall },
	{ "first", "FIRST", 5, 5, 5, 97, true, false, request_first, by_first },
	{ "gap", "GAP", 5, 5, 5, 98, true, false, request_gap, by_gap },
	{ "status", "ST", 3, 3, 3, 40, true, false, request_status, by_status },
	{ "state", "STATE", 5, 5, 5, 30, false, false, request_state, by_state },
	{ "route", "ROUTE", 12, 26, 60, 0, false, false, request_route, by_request_route },
	{ "service", "SERVICE", 7, 10, 14, 60, false, false, request_service,
	  by_request_service },
	{ "bar", "WHERE THE TIME GOES", 8, 21, 50, 10, false, true, request_bar, NULL },
	{ "waiting", "WAITING FOR", 11, 22, 40, 80, false, false, request_waiting, NULL },
};
/* clang-format on */

const struct column_set columns_requests = {
	.v = request_columns,
	.n = sizeof(request_columns) / sizeof(request_columns[0]),
	.default_sort = 1,
	.count = request_count,
	.row = request_row,
	.label = request_label,
};

/* ---- hotspots ---- */

static size_t hotspot_count(const struct snapshot *s)
{
	return s->n_hotspots;
}

static const void *hotspot_row(const struct snapshot *s, size_t i)
{
	return &s->hotspots[i];
}

static void hotspot_label(const void *row, bool ascii, char *buf)
{
	char text[WORDS_LEN];

	words_hotspot_head(row, text, ascii);
	format_clean(buf, COLUMNS_CELL, text, 400, ascii);
}

static void hotspot_cause(const void *row, unsigned width, bool ascii, char *buf)
{
	ROW(snap_hotspot, r);

	UNUSED(width);
	UNUSED(ascii);
	snprintf(buf, COLUMNS_CELL, "%c %s", cause_letter((enum cause)r->cause),
		 cause_name((enum cause)r->cause));
}

static void hotspot_share(const void *row, unsigned width, bool ascii, char *buf)
{
	ROW(snap_hotspot, r);

	UNUSED(width);
	UNUSED(ascii);
	put_share(buf, r->share);
}

static int by_cause(const void *a, const void *b)
{
	return (int)((const struct snap_hotspot *)a)->cause -
	       (int)((const struct snap_hotspot *)b)->cause;
}

/* "behind xz 62%, php-fpm 20%" where that is who had the CPU. */
static void hotspot_what(const void *row, unsigned width, bool ascii, char *buf)
{
	ROW(snap_hotspot, r);
	enum { CULPRITS = 3 };
	char text[WORDS_LEN] = "", name[FORMAT_LABEL], share[FORMAT_LEN];
	size_t len = 0;

	if (r->cause != CAUSE_RUNQ || !r->n_occupied_by) {
		words_label(buf, COLUMNS_CELL, r->what, "-", width, ascii);
		return;
	}
	for (size_t i = 0; i < r->n_occupied_by && i < CULPRITS; i++) {
		const struct snap_hotspot_route *c = &r->occupied_by[i];

		words_label(name, sizeof(name), c->route, "-", 60, ascii);
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%s%s %s", i ? ", " : "",
			i && !strncmp(name, "behind ", 7) ? name + 7 : name,
			format_percent(share, r->wait_s_per_s > 0 ?
						      c->wait_s_per_s / r->wait_s_per_s :
						      0));
	}
	format_clean(buf, COLUMNS_CELL, text, 400, ascii);
}

LABEL_CELL(hotspot_who, snap_hotspot, who, "-")
LABEL_CELL(hotspot_holder, snap_hotspot, held_by, "")
NUMBER_CELL(hotspot_wait, snap_hotspot, format_load(buf, r->wait_s_per_s))
NUMBER_CELL(hotspot_routes, snap_hotspot, format_count(buf, r->n_routes))
BY_NUMBER(by_hotspot_wait, snap_hotspot, wait_s_per_s)
BY_NUMBER(by_hotspot_share, snap_hotspot, share)
BY_NUMBER(by_hotspot_routes, snap_hotspot, n_routes)
BY_NAME(by_who, snap_hotspot, who)
BY_NAME(by_what, snap_hotspot, what)
BY_NAME(by_holder, snap_hotspot, held_by)

/* clang-format off */
static const struct column hotspot_columns[] = {
	{ "cause", "CAUSE", 8, 10, 10, 20, false, false, hotspot_cause, by_cause },
	{ "who", "WHO", 6, 10, 16, 15, false, false, hotspot_who, by_who },
	{ "what", "WHAT USERS WAIT FOR", 10, 30, 80, 0, false, false, hotspot_what, by_what },
	{ "held", "HELD BY", 10, 16, 40, 25, false, false, hotspot_holder, by_holder },
	{ "wait", "WAIT/s", 6, 6, 6, 5, true, false, hotspot_wait, by_hotspot_wait },
	{ "share", "%", 3, 3, 3, 30, true, false, hotspot_share, by_hotspot_share },
	{ "routes", "ROUTES", 6, 6, 6, 80, true, false, hotspot_routes, by_hotspot_routes },
};
/* clang-format on */

const struct column_set columns_hotspots = {
	.v = hotspot_columns,
	.n = sizeof(hotspot_columns) / sizeof(hotspot_columns[0]),
	.default_sort = 4,
	.count = hotspot_count,
	.row = hotspot_row,
	.label = hotspot_label,
};

/* ---- layout and order ---- */

static unsigned total_width(const unsigned widths[COLUMNS_MAX], size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		if (widths[i])
			sum += widths[i] + (sum ? 1 : 0);
	return sum;
}

/* Drops the least important column of at least that weight; false when none is left. */
static bool drop_one(const struct column_set *set, unsigned weight, unsigned widths[COLUMNS_MAX])
{
	size_t worst = set->n;

	for (size_t i = 0; i < set->n; i++)
		if (widths[i] && set->v[i].weight >= weight &&
		    (worst == set->n || set->v[i].weight > set->v[worst].weight))
			worst = i;
	if (worst == set->n)
		return false;
	widths[worst] = 0;
	return true;
}

/* Widens columns one by one, in turn, up to want or max, while the line has room. */
static void grow(const struct column_set *set, bool to_max, unsigned width,
		 unsigned widths[COLUMNS_MAX])
{
	unsigned used = total_width(widths, set->n);
	bool grew = true;

	while (grew) {
		grew = false;
		for (size_t i = 0; i < set->n && used < width; i++) {
			unsigned limit = to_max ? set->v[i].max : set->v[i].want;

			if (!widths[i] || widths[i] >= limit)
				continue;
			widths[i]++;
			used++;
			grew = true;
		}
	}
}

void columns_fit(const struct column_set *set, unsigned width, unsigned widths[COLUMNS_MAX])
{
	/* Columns of this weight and above are a bonus: shown only when nothing gets narrow. */
	const unsigned bonus = 50;

	memset(widths, 0, sizeof(unsigned) * COLUMNS_MAX);
	for (size_t i = 0; i < set->n; i++)
		widths[i] = set->v[i].want;
	while (total_width(widths, set->n) > width && drop_one(set, bonus, widths))
		;
	for (size_t i = 0; i < set->n; i++)
		if (widths[i])
			widths[i] = set->v[i].min;
	while (total_width(widths, set->n) > width && drop_one(set, 1, widths))
		;
	grow(set, false, width, widths);
	grow(set, true, width, widths);
}

int columns_find(const struct column_set *set, const char *name)
{
	for (size_t i = 0; i < set->n; i++)
		if (!strcasecmp(set->v[i].name, name) && set->v[i].compare)
			return (int)i;
	return COLUMNS_NONE;
}

struct order_ctx {
	const struct column_set *set;
	const struct snapshot *s;
	size_t sort;
	bool invert;
};

static int order_compare(const void *a, const void *b, void *arg)
{
	const struct order_ctx *ctx = arg;
	size_t i = *(const size_t *)a, k = *(const size_t *)b;
	int diff = ctx->set->v[ctx->sort].compare(ctx->set->row(ctx->s, i),
						  ctx->set->row(ctx->s, k));

	if (diff)
		return ctx->invert ? -diff : diff;
	return i < k ? -1 : i > k;
}

size_t columns_order(const struct column_set *set, const struct snapshot *s, size_t sort,
		     bool invert, bool (*keep)(const void *row, void *ctx), void *ctx,
		     size_t *order)
{
	struct order_ctx by = { set, s, sort, invert };
	size_t n = 0;

	for (size_t i = 0; i < set->count(s); i++)
		if (!keep || keep(set->row(s, i), ctx))
			order[n++] = i;
	if (n)
		qsort_r(order, n, sizeof(*order), order_compare, &by);
	return n;
}

void columns_line(const struct column_set *set, const unsigned widths[COLUMNS_MAX], const void *row,
		  bool ascii, char *buf)
{
	char cell[COLUMNS_CELL], padded[COLUMNS_CELL];
	size_t at = 0;

	*buf = '\0';
	for (size_t i = 0; i < set->n; i++) {
		int n;

		if (!widths[i])
			continue;
		if (row)
			set->v[i].cell(row, widths[i], ascii, cell);
		else
			snprintf(cell, sizeof(cell), "%s", set->v[i].head);
		format_pad(padded, sizeof(padded), cell, widths[i], set->v[i].right);
		n = snprintf(buf + at, WORDS_LEN - at, "%s%s", at ? " " : "", padded);
		if (n < 0 || (size_t)n >= WORDS_LEN - at)
			break;
		at += (size_t)n;
	}
}

unsigned columns_offset(const struct column_set *set, const unsigned widths[COLUMNS_MAX], size_t i)
{
	unsigned before = total_width(widths, i);

	(void)set;
	return before ? before + 1 : 0;
}
