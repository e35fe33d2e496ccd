// SPDX-License-Identifier: GPL-2.0-only
/*
 * What surrounds every screen: title, header meters, verdict, tabs and the bottom line. Lines are
 * given out by importance, so that a terminal of one line still shows rows.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/format.h"
#include "base/intern.h"
#include "view/view_frame.h"
#include "view/view_paint.h"

enum { WIDE = 96, TALL = 28, METER_LEFT_MAX = 8 };

/* The end of the window, which in a replay is not now. */
static void clock_text(const struct view *v, char *buf, size_t size)
{
	time_t seconds;
	struct tm tm;

	*buf = '\0';
	if (!v->s)
		return;
	seconds = (time_t)((v->s->start_unix_us + v->s->window_us) / 1000000);
	if (localtime_r(&seconds, &tm))
		strftime(buf, size, "%H:%M:%S", &tm);
}

static void draw_title(struct view *v, int y, bool with_cost)
{
	char host[FORMAT_LABEL] = "", kernel[FORMAT_LABEL] = "", line[WORDS_LEN], right[WORDS_LEN];
	char window[FORMAT_LEN], refresh[FORMAT_LEN], now[16];
	bool live = !v->s || v->s->live;
	double span = live ? v->window_s : (double)v->s->window_us / 1e6;
	const char *version = v->opts.version && COLS >= WIDE ? v->opts.version : "";
	const char *state = v->paused ? "PAUSED" : v->s && !v->s->live ? "REPLAY" : "LIVE";
	int cols;

	if (v->s) {
		words_label(host, sizeof(host), v->s->hostname, "", COLS >= WIDE ? 24 : 16,
			    v->ascii);
		words_label(kernel, sizeof(kernel), v->s->kernel, "", 20, v->ascii);
	}
	snprintf(line, sizeof(line), "tardy%s%s%s%s%s%s  %s  window %s%s%s", *version ? " " : "",
		 version, *host ? "  " : "", host, COLS >= WIDE && *kernel ? "  Linux " : "",
		 COLS >= WIDE ? kernel : "", state, format_span(window, span),
		 live ? "  every " : "", live ? format_span(refresh, v->refresh_s) : "");
	clock_text(v, now, sizeof(now));
	*right = '\0';
	if (with_cost && v->s)
		words_cost(v->s, true, right);
	if ((int)format_width(line) + (int)format_width(right) + 12 <= COLS) {
		strcat(right, "  ");
		strcat(right, now);
	}
	/* What tardy costs and lost is never what a narrow terminal leaves out. */
	cols = (int)format_width(right);
	if (cols >= COLS)
		cols = COLS;
	paint_text(v, y, 0, COLS - cols - 1, A_BOLD, line);
	paint_text(v, y, COLS - cols, cols, A_NORMAL, right);
}

/* One meter or text of the header's left side. */
struct meter {
	char label[40]; /* at most 8 columns, cleaned */
	double ratio; /* negative: text only */
	char value[64];
};

static size_t add_meter(struct meter m[METER_LEFT_MAX], size_t n, const char *label, double ratio,
			const char *value)
{
	if (n >= METER_LEFT_MAX)
		return n;
	snprintf(m[n].label, sizeof(m[n].label), "%.*s", (int)sizeof(m[n].label) - 1, label);
	snprintf(m[n].value, sizeof(m[n].value), "%.*s", (int)sizeof(m[n].value) - 1, value);
	m[n].ratio = ratio;
	return n + 1;
}

/* "PSI cpu 8%  io 31%  mem 0%  runq 3.1", of what is known. */
static void pressure_text(const struct snap_host *h, char *buf, size_t size)
{
	const struct {
		const char *name;
		double ratio;
	} kinds[] = { { "cpu", h->psi_cpu }, { "io", h->psi_io }, { "mem", h->psi_mem } };
	char number[FORMAT_LEN];
	size_t at = 0;

	*buf = '\0';
	for (size_t i = 0; i < 3; i++)
		if (kinds[i].ratio >= 0)
			at += (size_t)snprintf(buf + at, size - at, "%s%s %s", at ? "  " : "PSI  ",
					       kinds[i].name,
					       format_percent(number, kinds[i].ratio));
	if (h->runnable >= 0)
		snprintf(buf + at, size - at, "%srunq %s", at ? "  " : "",
			 format_fixed(number, h->runnable, 1));
}

static double busy_ratio(const struct snap_pool *p)
{
	return p->workers ? (double)p->busy / p->workers : 0;
}

/* The meters that have data, busiest pools first, at most room. */
static size_t collect_meters(const struct view *v, struct meter m[METER_LEFT_MAX], size_t room)
{
	const struct snapshot *s = v->s;
	bool done[METER_LEFT_MAX * 4] = { false };
	size_t n = 0, pools = s->n_pools < sizeof(done) ? s->n_pools : sizeof(done);
	size_t reserved = s->host.has && room > 3;
	char text[64], name[FORMAT_LABEL];

	if (room > METER_LEFT_MAX)
		room = METER_LEFT_MAX;
	if (s->host.has && s->host.cpu_ratio >= 0)
		n = add_meter(m, n, "CPU", s->host.cpu_ratio,
			      format_percent(text, s->host.cpu_ratio));
	if (s->host.has && s->host.disk_ratio >= 0)
		n = add_meter(m, n, "Disk", s->host.disk_ratio,
			      format_percent(text, s->host.disk_ratio));
	while (n + reserved < room) {
		size_t best = pools;

		for (size_t i = 0; i < pools; i++)
			if (!done[i] && (best == pools ||
					 busy_ratio(&s->pools[i]) > busy_ratio(&s->pools[best])))
				best = i;
		if (best == pools)
			break;
		done[best] = true;
		words_label(name, sizeof(name), s->pools[best].service, "pool", 8, v->ascii);
		snprintf(text, sizeof(text), "%u/%u", s->pools[best].busy, s->pools[best].workers);
		n = add_meter(m, n, name, busy_ratio(&s->pools[best]), text);
	}
	if (reserved && n < room) {
		pressure_text(&s->host, text, sizeof(text));
		if (*text)
			n = add_meter(m, n, "", -1, text);
	}
	return n;
}

/* The header's right side: rates, percentiles, and always what tardy itself costs and lost. */
static size_t collect_facts(const struct snapshot *s, int cols, char facts[3][WORDS_LEN])
{
	char a[FORMAT_LEN], b[FORMAT_LEN], c[FORMAT_LEN], d[FORMAT_LEN];
	bool wide = cols >= 50;

	snprintf(facts[0], WORDS_LEN, "Req/s %s  err %s  in flight %s%s",
		 format_rate(a, s->req_per_s), format_percent(b, s->error_ratio),
		 format_load(c, s->in_flight_mean), wide ? " (mean)" : "");
	if (s->max_us)
		snprintf(facts[1], WORDS_LEN, "p50 %s  p95 %s  p99 %s%s%s", format_us(a, s->p50_us),
			 format_us(b, s->p95_us), format_us(c, s->p99_us), wide ? "  max " : "",
			 wide ? format_us(d, s->max_us) : "");
	else
		snprintf(facts[1], WORDS_LEN, "nothing completed yet");
	words_cost(s, !wide, facts[2]);
	return 3;
}

static void draw_meters(struct view *v, int y, int lines)
{
	struct meter meters[METER_LEFT_MAX];
	char facts[3][WORDS_LEN];
	size_t n = collect_meters(v, meters, (size_t)lines);
	int label = 4, left = n ? (COLS >= WIDE ? 46 : COLS * 2 / 5) : 0;
	size_t n_facts = collect_facts(v->s, COLS - left - 2, facts);

	for (size_t i = 0; i < n; i++)
		if ((int)format_width(meters[i].label) > label)
			label = (int)format_width(meters[i].label);
	if (left < 16)
		left = 0; /* too narrow for two columns: the facts matter more */
	for (size_t i = 0; i < n && left && (int)i < lines; i++) {
		if (meters[i].ratio < 0)
			paint_text(v, y + (int)i, 1, left, A_NORMAL, meters[i].value);
		else
			paint_meter(v, y + (int)i, 1, left - 2, label, meters[i].label,
				    meters[i].ratio, meters[i].value);
	}
	for (size_t i = 0; i < n_facts && (int)i < lines; i++)
		paint_text(v, y + (int)i, left + 1, COLS, A_NORMAL, facts[i]);
}

static void draw_verdict(struct view *v, int y)
{
	char words[WORDS_LEN];

	paint_text(v, y, 0, COLS, A_BOLD, ">>");
	if (v->s)
		words_verdict(v->s, words, COLS > 3 ? (unsigned)COLS - 3 : 0, v->ascii);
	else
		strcpy(words, "no requests seen yet");
	paint_text(v, y, 3, COLS, A_BOLD, words);
}

/* What the table is sorted by and filtered with, at the right end of the tab line. */
static void state_text(const struct view *v, char *buf, size_t size)
{
	const struct column_set *set;
	const struct view_table *t;
	char filter[FORMAT_LABEL], route[FORMAT_LABEL];
	size_t at;

	*buf = '\0';
	if (v->screen >= SCREEN_TABS || !v->screens[v->screen]->set)
		return;
	set = v->screens[v->screen]->set;
	t = &v->tables[v->screen];
	at = (size_t)snprintf(buf, size, "sort %s %s", set->v[t->sort].head, t->invert ? "^" : "v");
	format_clean(filter, sizeof(filter), t->filter.text, 24, v->ascii);
	if (*filter)
		at += (size_t)snprintf(buf + at, size - at, "  filter: %s", filter);
	if (v->screen == SCREEN_REQUESTS && v->only_route)
		snprintf(buf + at, size - at, "  of %s",
			 words_label(route, sizeof(route), v->only_route, "", 24, v->ascii));
}

static void draw_tabs(struct view *v, int y)
{
	char right[WORDS_LEN];
	int x = 0, cols;

	for (int i = 0; i < SCREEN_TABS; i++) {
		const struct view_screen *screen = v->screens[i];
		const char *name = COLS >= 72 ? screen->name : screen->brief;
		bool active = v->screen == (enum view_screen_id)i;
		char tab[48];

		snprintf(tab, sizeof(tab), active ? " [%d]%s" : " %d %s", i + 1, name);
		paint_text(v, y, x, COLS, active ? A_BOLD : A_NORMAL, tab);
		x += (int)strlen(tab);
	}
	state_text(v, right, sizeof(right));
	cols = (int)format_width(right);
	if (x + 2 < COLS && cols)
		paint_text(v, y, x + 2 + cols < COLS ? COLS - cols - 1 : x + 2, COLS, A_NORMAL,
			   right);
}

static void draw_bottom(struct view *v, int y)
{
	char line[WORDS_LEN], labels[64];
	size_t at = 0;

	if (v->prompt != PROMPT_NONE) {
		snprintf(line, sizeof(line), "%s: %s",
			 v->prompt == PROMPT_SEARCH ? "Search" : "Filter", v->typed);
		paint_text(v, y, 0, COLS, A_BOLD, line);
		return;
	}
	if (*v->message) {
		paint_text(v, y, 0, COLS, A_BOLD, v->message);
		return;
	}
	*line = '\0';
	for (int a = VIEW_ACTION_NONE + 1; a < VIEW_ACTION_COUNT; a++) {
		const char *brief = view_keys_brief((enum view_action)a);

		if (!brief)
			continue;
		view_keys_labels((enum view_action)a, labels, sizeof(labels));
		labels[strcspn(labels, " ")] = '\0';
		at += (size_t)snprintf(line + at, sizeof(line) - at, "%s%s%s%s",
				       !at          ? "" :
				       COLS >= WIDE ? "  " :
						      " ",
				       labels, *labels == 'F' ? "" : " ", brief);
	}
	paint_text(v, y, 0, COLS, A_NORMAL, line);
}

/* Takes lines for something while at least keep remain for the rows. */
static int take(int *left, int lines, int keep)
{
	if (*left - lines < keep)
		return 0;
	*left -= lines;
	return lines;
}

struct view_area view_frame_draw(struct view *v)
{
	int left = LINES, y = 0, title, tabs, bottom, verdict, meters = 0;
	bool asked = v->prompt != PROMPT_NONE || *v->message; /* an answer must be visible */

	bottom = take(&left, 1, asked ? 0 : 5);
	title = take(&left, 1, 1);
	verdict = v->screen == SCREEN_HELP ? 0 : take(&left, 1, 2);
	tabs = v->screen == SCREEN_HELP ? 0 : take(&left, 1, 3);
	if (v->header && v->s && v->screen != SCREEN_HELP) {
		meters = LINES >= TALL && COLS >= WIDE ? take(&left, 4, 8) : 0;
		meters = meters ? meters : take(&left, 3, 5);
	}
	if (title)
		draw_title(v, y++, !meters);
	if (meters)
		draw_meters(v, y, meters);
	y += meters;
	if (verdict)
		draw_verdict(v, y++);
	if (tabs)
		draw_tabs(v, y++);
	if (bottom)
		draw_bottom(v, LINES - 1);
	return (struct view_area){ y, left };
}
