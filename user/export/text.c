// SPDX-License-Identifier: GPL-2.0-only
/* Prints a snapshot as text; every line goes through trim_line(), which keeps it in the width. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "base/format.h"
#include "base/intern.h"
#include "export/cause_bar.h"
#include "export/columns.h"
#include "export/text.h"
#include "export/words.h"

enum { WIDTH_DEFAULT = 80, WIDTH_MIN = 40, WIDTH_MAX = 400, TOP_DEFAULT = 20 };
enum { DETAILED_ROUTES = 3, DETAIL_PARTS = 10, DETAIL_WAITERS = 3, DETAIL_LOSSES = 8 };

struct text {
	FILE *out;
	const struct snapshot *s;
	unsigned width;
	bool color, ascii, internal;
	size_t top;
	const char *sort;
	int err;
};

static unsigned pick_width(FILE *out, unsigned asked)
{
	struct winsize ws;
	unsigned width = asked;

	if (!width && isatty(fileno(out)) && !ioctl(fileno(out), TIOCGWINSZ, &ws))
		width = ws.ws_col;
	if (!width)
		width = WIDTH_DEFAULT;
	return width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
}

static bool pick_color(FILE *out, enum text_color color)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (color != TEXT_COLOR_AUTO)
		return color == TEXT_COLOR_ALWAYS;
	return !(no && *no) && term && strcmp(term, "dumb") && isatty(fileno(out));
}

static void put_bytes(struct text *t, const char *bytes, size_t len)
{
	if (t->err)
		return;
	errno = 0;
	if (fwrite(bytes, 1, len, t->out) != len)
		t->err = errno ? -errno : -EIO;
}

/* Cuts text to the width and takes the blanks at its end away. */
static void trim_line(const struct text *t, const char *text, char line[WORDS_LEN])
{
	size_t len;

	format_clean(line, WORDS_LEN, text, t->width, t->ascii);
	len = strlen(line);
	while (len && line[len - 1] == ' ')
		line[--len] = '\0';
}

static void put_line(struct text *t, const char *text)
{
	char line[WORDS_LEN];

	trim_line(t, text, line);
	put_bytes(t, line, strlen(line));
	put_bytes(t, "\n", 1);
}

__attribute__((format(printf, 2, 3))) static void put_linef(struct text *t, const char *fmt, ...)
{
	char line[WORDS_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	put_line(t, line);
}

static void put_sgr(struct text *t, const char *sgr)
{
	if (t->color)
		put_bytes(t, sgr, strlen(sgr));
}

/* A line whose columns [from, from + len) are cause letters, coloured when colour is on. The
 * part before is not ASCII in general, so its end is found by columns. */
static void put_bar_line(struct text *t, const char *text, unsigned from, unsigned len)
{
	char line[WORDS_LEN], last = '\0';
	const char *p = line;
	unsigned col = 0;

	if (!t->color) {
		put_line(t, text);
		return;
	}
	trim_line(t, text, line);
	while (*p) {
		bool in_bar = col >= from && col < from + len && *p != ' ';
		char one[8] = { 0 }, sgr[16];
		int color;
		uint32_t cp;
		size_t taken = format_utf8_next(p, strlen(p), &cp);

		if (in_bar && *p != last) {
			color = cause_bar_color(*p);
			snprintf(sgr, sizeof(sgr), "\033[%dm", color < 8 ? 30 + color : 82 + color);
			put_sgr(t, sgr);
		} else if (!in_bar && last) {
			put_sgr(t, "\033[39m");
		}
		last = in_bar ? *p : '\0';
		memcpy(one, p, taken);
		put_bytes(t, p, taken);
		col += format_width(one);
		p += taken;
	}
	if (last)
		put_sgr(t, "\033[39m");
	put_bytes(t, "\n", 1);
}

/* "-- head ------": a rule as wide as the text. */
static void put_rule(struct text *t, const char *head)
{
	char line[WORDS_LEN];
	unsigned cols;

	strcpy(line, "-- ");
	format_clean(line + 3, sizeof(line) - WIDTH_MAX - 8, head, t->width - 6, t->ascii);
	strcat(line, " ");
	for (cols = format_width(line); cols < t->width; cols++)
		strcat(line, "-");
	put_line(t, line);
}

/* Wraps at blanks; the lines after the first are indented. */
static void put_wrapped(struct text *t, const char *first, const char *indent, const char *text)
{
	char rest[WORDS_LEN], line[WORDS_LEN];
	char *p = rest;
	unsigned room = t->width - (unsigned)strlen(indent);

	snprintf(rest, sizeof(rest), "%s", text);
	for (const char *lead = first; *p; lead = indent) {
		char *cut = p + strlen(p), *next = cut;

		while (format_width(p) > room) {
			char *blank = strrchr(p, ' ');

			if (!blank)
				break; /* one long word: put_line() cuts it */
			if (cut != next)
				*cut = ' ';
			cut = blank;
			*cut = '\0';
		}
		snprintf(line, sizeof(line), "%.16s%.2000s", lead, p);
		put_line(t, line);
		if (cut == next)
			break;
		p = cut + 1;
	}
}

static void put_head(struct text *t)
{
	const struct snapshot *s = t->s;
	char host[FORMAT_LABEL], kernel[FORMAT_LABEL], window[FORMAT_LEN], when[64] = "-";
	time_t seconds = (time_t)(s->start_unix_us / 1000000);
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	put_sgr(t, "\033[1m");
	put_linef(t, "tardy  %s  %s  %s  window %s",
		  words_label(host, sizeof(host), s->hostname, "(unnamed host)", 24, t->ascii),
		  words_label(kernel, sizeof(kernel), s->kernel, "", 20, t->ascii), when,
		  format_span(window, (double)s->window_us / 1e6));
	put_sgr(t, "\033[22m");
}

static void put_totals(struct text *t)
{
	const struct snapshot *s = t->s;
	char a[FORMAT_LEN], b[FORMAT_LEN], c[FORMAT_LEN], d[FORMAT_LEN], e[FORMAT_LEN];

	put_linef(t, " %s requests  %s/s  errors %s  aborted %s  in flight %s (mean)",
		  format_grouped(a, s->requests), format_rate(b, s->req_per_s),
		  format_percent(c, s->error_ratio), format_grouped(d, s->aborted),
		  format_load(e, s->in_flight_mean));
	if (s->max_us)
		put_linef(t, " p50 %s  p95 %s  p99 %s  max %s", format_us(a, s->p50_us),
			  format_us(b, s->p95_us), format_us(c, s->p99_us),
			  format_us(d, s->max_us));
}

static void put_verdict(struct text *t)
{
	char words[WORDS_LEN];

	words_verdict(t->s, words, WORDS_LEN, t->ascii); /* it is wrapped */
	put_sgr(t, "\033[1m");
	put_wrapped(t, ">> ", "   ", words);
	put_sgr(t, "\033[22m");
}

static void put_parts(struct text *t, const struct snap_part *v, size_t n, uint64_t wall_us,
		      bool per_request)
{
	char line[WORDS_LEN];
	size_t shown = n > DETAIL_PARTS ? DETAIL_PARTS - 1 : n;
	uint64_t rest_us = 0;

	for (size_t i = 0; i < shown; i++) {
		strcpy(line, "  ");
		words_part(&v[i], wall_us, per_request, line + 2, t->width - 2, t->ascii);
		put_bar_line(t, line, 2, 1);
	}
	for (size_t i = shown; i < n; i++)
		rest_us += v[i].us;
	if (shown < n) {
		strcpy(line, "  ");
		words_part_rest(n - shown, rest_us, wall_us, line + 2, t->width - 2);
		put_line(t, line);
	}
}

static void put_route_parts(struct text *t, const struct snap_route *r)
{
	struct snap_part waiting[CAUSE_BAR_WAITING_MAX];
	uint64_t sum_us;
	size_t n;

	if (r->n_parts && r->wall_us) {
		put_parts(t, r->parts, r->n_parts, r->wall_us, true);
		return;
	}
	n = cause_bar_waiting(t->s, r, waiting, &sum_us);
	put_parts(t, waiting, n, sum_us, true);
}

static bool keep_row(const void *row, void *internal)
{
	const struct snap_route *r = row;

	return r->entry || *(bool *)internal;
}

/* The rows of a table in the asked order; NULL when out of memory or there is nothing. */
static size_t *ordered(struct text *t, const struct column_set *set, size_t sort, size_t *n)
{
	size_t count = set->count(t->s);
	size_t *order = calloc(count ? count : 1, sizeof(*order));
	int asked = t->sort ? columns_find(set, t->sort) : COLUMNS_NONE;

	if (!order) {
		t->err = t->err ? t->err : -ENOMEM;
		return NULL;
	}
	*n = columns_order(set, t->s, asked == COLUMNS_NONE ? sort : (size_t)asked, false,
			   set == &columns_routes ? keep_row : NULL, &t->internal, order);
	return order;
}

/* A table of at most top rows; says how many it left out. */
static void put_table(struct text *t, const struct column_set *set, const size_t *order, size_t n,
		      const char *plural)
{
	unsigned widths[COLUMNS_MAX], from = 0, len = 0;
	char line[WORDS_LEN + 2] = "  ";

	columns_fit(set, t->width - 2, widths);
	for (size_t i = 0; i < set->n; i++)
		if (set->v[i].bar && widths[i]) {
			from = columns_offset(set, widths, i) + 2;
			len = widths[i];
		}
	columns_line(set, widths, NULL, t->ascii, line + 2);
	put_line(t, line);
	for (size_t i = 0; i < n && i < t->top; i++) {
		columns_line(set, widths, set->row(t->s, order[i]), t->ascii, line + 2);
		put_bar_line(t, line, from, len);
	}
	if (n > t->top)
		put_linef(t, "  + %zu more %s", n - t->top, plural);
	if (!n)
		put_linef(t, "  no %s", plural);
}

static void put_legend(struct text *t)
{
	bool used[CAUSE_COUNT] = { false };
	char line[WORDS_LEN];

	for (size_t i = 0; i < t->s->n_routes; i++) {
		double weights[CAUSE_COUNT];

		cause_bar_route(&t->s->routes[i], weights);
		for (int c = 0; c < CAUSE_COUNT; c++)
			used[c] |= weights[c] > 0;
	}
	for (size_t i = 0; i < t->s->n_requests_v; i++)
		for (size_t k = 0; k < t->s->requests_v[i].n_parts; k++)
			used[t->s->requests_v[i].parts[k].cause % CAUSE_COUNT] = true;
	words_legend(used, t->width - 2, line + 2);
	memcpy(line, "  ", 2);
	if (line[2])
		put_line(t, line);
}

static void put_routes(struct text *t)
{
	size_t n = 0, hidden = 0;
	size_t *order = ordered(t, &columns_routes, columns_routes.default_sort, &n);
	char head[WORDS_LEN];

	if (!order)
		return;
	put_line(t, "");
	put_table(t, &columns_routes, order, n, "routes");
	for (size_t i = 0; i < t->s->n_routes; i++)
		hidden += !t->s->routes[i].entry && !t->internal;
	if (hidden)
		put_linef(t, "  + %zu route%s between services, counted in the rows above", hidden,
			  hidden == 1 ? "" : "s");
	put_legend(t);
	for (size_t i = 0; i < n && i < t->top && i < DETAILED_ROUTES; i++) {
		const struct snap_route *r = &t->s->routes[order[i]];

		if (i && r->entry && r->wait_share < 0.05)
			break; /* not worth a reader's time; JSON has them all */
		put_line(t, "");
		words_route_head(r, head, t->ascii);
		put_rule(t, head);
		put_route_parts(t, r);
	}
	free(order);
}

static void put_requests(struct text *t)
{
	size_t n = 0;
	size_t *order = ordered(t, &columns_requests, columns_requests.default_sort, &n);
	char head[WORDS_LEN], wall[FORMAT_LEN];

	if (!order)
		return;
	put_line(t, "");
	put_table(t, &columns_requests, order, n, "requests");
	if (t->s->requests_dropped)
		put_linef(t, "  %s more are counted, but not listed one by one",
			  format_grouped(wall, t->s->requests_dropped));
	if (n) {
		const struct snap_request *r = &t->s->requests_v[order[0]];
		char route[FORMAT_LABEL], service[FORMAT_LABEL];

		put_line(t, "");
		snprintf(head, sizeof(head), "%s: %s, %s[%" PRId32 "], id %" PRIu64,
			 words_label(route, sizeof(route), r->route, "(no name)", 40, t->ascii),
			 format_us(wall, r->wall_us),
			 words_label(service, sizeof(service), r->service, "-", 20, t->ascii),
			 r->pid, r->xid);
		put_rule(t, head);
		if (r->stream) {
			words_stream(r, head, sizeof(head));
			put_linef(t, "  %s", head);
		}
		put_parts(t, r->parts, r->n_parts, r->wall_us, false);
	}
	free(order);
}

static void put_waiters(struct text *t, const char *lead, const struct snap_hotspot_route *v,
			size_t n)
{
	char route[FORMAT_LABEL], load[FORMAT_LEN];

	for (size_t i = 0; i < n && i < DETAIL_WAITERS; i++)
		put_linef(t, "  %-13s %6s/s  %s", i ? "" : lead,
			  format_load(load, v[i].wait_s_per_s),
			  words_label(route, sizeof(route), v[i].route, "(no name)", 60, t->ascii));
	if (n > DETAIL_WAITERS)
		put_linef(t, "  %-13s           + %zu more", "", n - DETAIL_WAITERS);
}

/* Where most of a hotspot was spent, if a stack was taken there. */
static void put_stack(struct text *t, const struct snap_hotspot *h)
{
	char line[WORDS_LEN], stack[WORDS_LEN], share[FORMAT_LEN];
	int used;

	if (!h->n_stack)
		return;
	used = snprintf(line, sizeof(line), "  %-13s %6s    ", "hottest stack",
			format_percent(share, h->stack_share));
	words_stack(h->stack, h->n_stack, h->n_stack_kernel, stack, t->width - (unsigned)used,
		    t->ascii);
	snprintf(line + used, sizeof(line) - (size_t)used, "%.*s", (int)sizeof(line) - used - 1,
		 stack);
	put_line(t, line);
}

static void put_hotspots(struct text *t)
{
	size_t n = 0;
	size_t *order = ordered(t, &columns_hotspots, columns_hotspots.default_sort, &n);
	char head[WORDS_LEN];

	if (!order)
		return;
	put_line(t, "");
	put_table(t, &columns_hotspots, order, n, "hotspots");
	for (size_t i = 0; i < n && i < t->top && i < DETAILED_ROUTES; i++) {
		const struct snap_hotspot *h = &t->s->hotspots[order[i]];

		put_line(t, "");
		words_hotspot_head(h, head, t->ascii);
		put_rule(t, head);
		put_waiters(t, "waited on by", h->routes, h->n_routes);
		put_waiters(t, "occupied by", h->occupied_by, h->n_occupied_by);
		put_stack(t, h);
	}
	free(order);
}

/* The latest of those that made requests incomplete. */
static void put_losses(struct text *t)
{
	const struct snap_health *h = &t->s->health;
	size_t n = 0, skip;
	char line[WORDS_LEN];

	for (size_t i = 0; i < h->n_lost_intervals; i++)
		n += h->lost_intervals[i].loses;
	skip = n > DETAIL_LOSSES ? n - DETAIL_LOSSES : 0;
	for (size_t i = 0, at = 0; i < h->n_lost_intervals; i++) {
		if (!h->lost_intervals[i].loses || at++ < skip)
			continue;
		words_loss(&h->lost_intervals[i], line);
		put_linef(t, "  %-11s %.1000s", at == skip + 1 ? "lost at" : "", line);
	}
	if (skip)
		put_linef(t, "              + %zu earlier intervals", skip);
	if (h->evicted || h->malformed)
		put_linef(t,
			  "  collector   no room for %" PRIu64 " exchanges, %" PRIu64
			  " records that make no sense",
			  h->evicted, h->malformed);
}

static void put_health(struct text *t)
{
	const struct snapshot *s = t->s;
	const struct snap_health *h = &s->health;
	char a[FORMAT_LEN], b[FORMAT_LEN], c[FORMAT_LEN], name[FORMAT_LABEL], line[WORDS_LEN];

	put_line(t, "");
	put_rule(t, "health");
	put_linef(t, "  records     seen %s, lost %s", format_grouped(a, h->seen),
		  format_grouped(b, h->lost));
	for (size_t i = 0; i < h->n_lost_by_kind; i++)
		if (h->lost_by_kind[i].count)
			put_linef(t, "              %-28s %s", h->lost_by_kind[i].kind,
				  format_grouped(a, h->lost_by_kind[i].count));
	put_losses(t);
	put_linef(t, "  requests    seen %s, incomplete %s", format_grouped(a, s->requests),
		  format_grouped(b, s->incomplete));
	if (s->requests_dropped)
		put_linef(t, "              %s are counted, but not listed one by one",
			  format_grouped(c, s->requests_dropped));
	put_linef(t, "  unmeasured  %s of the waiting", format_percent(a, words_unknown_share(s)));
	for (size_t i = 0; words_unbound(h, i, line, t->ascii); i++)
		put_linef(t, "  %-11s %.1000s", i ? "" : "unbound", line);
	for (size_t i = 0; words_stacks(h, i, line); i++)
		put_linef(t, "  %-11s %.1000s", i ? "" : "stacks", line);
	if (h->has_own_cost)
		put_linef(t, "  probes      %s ns per request",
			  format_grouped(a, h->probe_ns_per_request > 0 ?
						    (uint64_t)(h->probe_ns_per_request + 0.5) :
						    0));
	for (size_t i = 0; i < s->n_pools; i++)
		put_linef(t, "  pool        %s %" PRIu32 "/%" PRIu32 " busy",
			  words_label(name, sizeof(name), s->pools[i].service, "-", 40, t->ascii),
			  s->pools[i].busy, s->pools[i].workers);
}

bool text_sort_known(const char *name, unsigned what)
{
	return ((what & EXPORT_ROUTES) && columns_find(&columns_routes, name) >= 0) ||
	       ((what & EXPORT_REQUESTS) && columns_find(&columns_requests, name) >= 0) ||
	       ((what & EXPORT_HOTSPOTS) && columns_find(&columns_hotspots, name) >= 0);
}

int export_text(FILE *out, const struct snapshot *s, unsigned what, const struct text_opts *o)
{
	struct text t = { .out = out, .s = s, .ascii = o->ascii, .internal = o->internal };
	char cost[WORDS_LEN], seen[FORMAT_LEN];

	if (o->sort && !text_sort_known(o->sort, what))
		return -EINVAL;
	t.width = pick_width(out, o->width);
	t.color = pick_color(out, o->color);
	t.top = o->top ? o->top : TOP_DEFAULT;
	t.sort = o->sort;
	put_head(&t);
	put_totals(&t);
	put_verdict(&t);
	if (what & EXPORT_ROUTES)
		put_routes(&t);
	if (what & EXPORT_REQUESTS)
		put_requests(&t);
	if (what & EXPORT_HOTSPOTS)
		put_hotspots(&t);
	if (what & EXPORT_HEALTH)
		put_health(&t);
	put_line(&t, "");
	words_cost(s, false, cost);
	put_linef(&t, " %s, seen %s", cost, format_grouped(seen, s->health.seen));
	if (words_unbound_calls(&s->health))
		put_linef(&t, " %s calls of no known request: some of what is unknown may be these",
			  format_grouped(seen, words_unbound_calls(&s->health)));
	if (t.err)
		return t.err;
	errno = 0;
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
