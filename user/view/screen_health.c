// SPDX-License-Identifier: GPL-2.0-only
/* Whether the numbers can be trusted and what they cost: losses by kind, gaps, own use. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include "base/format.h"
#include "view/screens.h"
#include "view/view_paint.h"
#include "view/view_scroll.h"

struct lines { /* of a list that may be longer than the screen */
	struct view *v;
	struct view_area area;
	size_t n; /* written so far, shown or not */
};

__attribute__((format(printf, 3, 4))) static void put(struct lines *l, const char *status,
						      const char *fmt, ...)
{
	char text[WORDS_LEN], line[WORDS_LEN + 16];
	size_t at = l->n++;
	va_list ap;

	if (at < l->v->scroll || at - l->v->scroll >= (size_t)l->area.h)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(line, sizeof(line), " %-5s %s", status, text);
	paint_text(l->v, l->area.y + (int)(at - l->v->scroll), 0, COLS,
		   *status == 'W' ? A_BOLD : A_NORMAL, line);
}

static void put_losses(struct lines *l, const struct snapshot *s)
{
	const struct snap_health *h = &s->health;
	char a[FORMAT_LEN], b[FORMAT_LEN], text[WORDS_LEN];
	double incomplete = s->requests ? (double)s->incomplete / (double)s->requests : 0;

	put(l, h->lost ? "WARN" : "ok", "records    seen %s  lost %s", format_grouped(a, h->seen),
	    format_grouped(b, h->lost));
	for (size_t i = 0; i < h->n_lost_by_kind; i++)
		if (h->lost_by_kind[i].count)
			put(l, "", "             %-28s %s", h->lost_by_kind[i].kind,
			    format_grouped(a, h->lost_by_kind[i].count));
	for (size_t i = 0; i < h->n_lost_intervals; i++) {
		if (!h->lost_intervals[i].loses)
			continue;
		words_loss(&h->lost_intervals[i], text);
		put(l, "", "           %.1000s", text);
	}
	if (h->evicted || h->malformed)
		put(l, "WARN",
		    "collector  no room for %" PRIu64 " exchanges, %" PRIu64
		    " records that make no sense",
		    h->evicted, h->malformed);
	put(l, incomplete > 0.05 ? "WARN" : "ok", "requests   seen %s  incomplete %s",
	    format_grouped(a, s->requests), format_grouped(b, s->incomplete));
	if (s->requests_dropped)
		put(l, "", "           %s are counted, but not listed one by one",
		    format_grouped(a, s->requests_dropped));
	put(l, words_unknown_share(s) > 0.01 ? "WARN" : "ok",
	    "breakdown  %s of the waiting is unknown", format_percent(a, words_unknown_share(s)));
}

static void put_unbound(struct lines *l, const struct snap_health *h)
{
	char line[WORDS_LEN];

	for (size_t i = 0; words_unbound(h, i, line, l->v->ascii); i++)
		put(l, "", "%-10s %.1000s", i ? "" : "unbound", line);
}

static void put_stacks(struct lines *l, const struct snap_health *h)
{
	char line[WORDS_LEN];

	for (size_t i = 0; words_stacks(h, i, line); i++)
		put(l,
		    i                           ? "" :
		    words_broken_share(h) > 0.1 ? "WARN" :
						  "ok",
		    "%-10s %.1000s", i ? "" : "stacks", line);
}

static void put_cost(struct lines *l, const struct snapshot *s)
{
	const struct snap_health *h = &s->health;
	char a[FORMAT_LEN], b[FORMAT_LEN], c[FORMAT_LEN];

	if (!h->has_own_cost) {
		put(l, "", "cost       not known%s", s->live ? "" : ": this is a replay");
		return;
	}
	put(l, "", "cost       collector %s%% of a core, %sB memory",
	    format_fixed(a, h->own_cpu_ratio * 100, 1), format_bytes(b, h->rss_bytes));
	put(l, "", "           probes %s%% of a core, %s ns per request",
	    format_fixed(a, h->probe_cpu_ratio * 100, 1),
	    h->probe_ns_per_request >= 0 ? format_fixed(c, h->probe_ns_per_request, 0) : "-");
}

static void draw(struct view *v, struct view_area area)
{
	struct lines l = { .v = v, .area = area };
	char name[FORMAT_LABEL], window[FORMAT_LEN];
	const struct snapshot *s = v->s;
	size_t rows = area.h > 0 ? (size_t)area.h : 0;

	if (!s) {
		paint_text(v, area.y, 1, COLS, A_NORMAL, "measuring ...");
		return;
	}
	put(&l, "", "source     %s, window %s, kernel %s",
	    s->live ? "this host, live" : "a recording",
	    format_span(window, (double)s->window_us / 1e6),
	    words_label(name, sizeof(name), s->kernel, "unknown", 40, v->ascii));
	put_losses(&l, s);
	put_unbound(&l, &s->health);
	put_stacks(&l, &s->health);
	put_cost(&l, s);
	for (size_t i = 0; i < s->n_pools; i++)
		put(&l, "", "%-10s %s  %" PRIu32 " of %" PRIu32 " workers busy", i ? "" : "pools",
		    words_label(name, sizeof(name), s->pools[i].service, "-", 30, v->ascii),
		    s->pools[i].busy, s->pools[i].workers);
	if (v->scroll && v->scroll + rows > l.n) {
		v->scroll = l.n > rows ? l.n - rows : 0; /* scrolled past the end: once more */
		for (int y = area.y; y < area.y + area.h; y++) {
			move(y, 0);
			clrtoeol();
		}
		draw(v, area);
	}
}

const struct view_screen view_screen_health = {
	.name = "Health",
	.brief = "Health",
	.draw = draw,
	.key = view_scroll_key,
};
