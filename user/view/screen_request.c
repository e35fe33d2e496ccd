// SPDX-License-Identifier: GPL-2.0-only
/*
 * One request: its calls on a line of time, and the parts that its wall time consists of. The
 * view pauses while it is open, so that the snapshot keeps it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/format.h"
#include "base/intern.h"
#include "export/cause_bar.h"
#include "view/screens.h"
#include "view/view_full.h"
#include "view/view_go.h"
#include "view/view_paint.h"
#include "view/view_scroll.h"

enum { NAME_COLS = 22, TIME_COLS = 7, AXIS_MIN = 8, AXIS_MAX = 511 };

/* The letter for a call's bar: what its wait is called in the breakdown. */
static char call_letter(const struct snap_call *c)
{
	static const char *const databases[] = { "postgresql", "mysql" };
	static const char *const caches[] = { "redis", "memcached" };
	const char *protocol = intern_text(c->protocol);

	for (size_t i = 0; i < 2; i++) {
		if (!strcmp(protocol, databases[i]))
			return cause_letter(CAUSE_DB);
		if (!strcmp(protocol, caches[i]))
			return cause_letter(CAUSE_CACHE);
	}
	return cause_letter(CAUSE_UPSTREAM);
}

/* Where an instant falls on an axis of so many columns. */
static int axis_at(uint64_t us, uint64_t wall_us, int cols)
{
	double at = wall_us ? (double)us / (double)wall_us * cols : 0;

	return at >= cols ? cols - 1 : at > 0 ? (int)at : 0;
}

/* The columns between the two ends of the axis. */
static int axis_cols(void)
{
	int cols = COLS - NAME_COLS - TIME_COLS - 4;

	return cols < AXIS_MAX ? cols : AXIS_MAX;
}

/* "|   qqq        |" */
static void draw_axis(struct view *v, int y, const char *bar, bool letters)
{
	int cols = axis_cols();

	paint_text(v, y, NAME_COLS + 1, 1, A_NORMAL, "|");
	paint_text(v, y, NAME_COLS + 2, cols, A_NORMAL, bar);
	if (letters)
		paint_letters(v, y, NAME_COLS + 2, cols, A_NORMAL);
	paint_text(v, y, NAME_COLS + 2 + cols, 1, A_NORMAL, "|");
}

/* "  name      |   qqq        |  360ms" */
static void draw_span(struct view *v, int y, const char *name, uint64_t start_us, uint64_t wall_us,
		      uint64_t total_us, char letter)
{
	int cols = axis_cols(), from, to;
	char bar[AXIS_MAX + 1], time[FORMAT_LEN], padded[COLUMNS_CELL];

	paint_text(v, y, 1, NAME_COLS, A_NORMAL, name);
	if (cols < AXIS_MIN)
		return;
	memset(bar, ' ', (size_t)cols);
	bar[cols] = '\0';
	from = axis_at(start_us, total_us, cols);
	to = axis_at(start_us + wall_us, total_us, cols);
	memset(bar + from, letter, (size_t)(to >= from ? to - from + 1 : 1));
	draw_axis(v, y, bar, letter != '-');
	format_pad(padded, sizeof(padded), format_us(time, wall_us), TIME_COLS, true);
	paint_text(v, y, NAME_COLS + 3 + cols, TIME_COLS, A_NORMAL, padded);
}

static void draw_breakdown(struct view *v, int y, const struct snap_request *r)
{
	int cols = axis_cols();
	double weights[CAUSE_COUNT];
	char bar[AXIS_MAX + 1];

	if (cols < AXIS_MIN)
		return;
	cause_bar_parts(r->parts, r->n_parts, weights);
	cause_bar(weights, (unsigned)cols, bar);
	paint_text(v, y, 1, NAME_COLS, A_NORMAL, "in sum");
	draw_axis(v, y, bar, true);
}

static void draw_calls(struct view *v, struct view_area area, const struct snap_request *r)
{
	char name[COLUMNS_CELL], peer[FORMAT_LABEL], what[FORMAT_LABEL];
	size_t rows = area.h > 0 ? (size_t)area.h : 0;
	size_t last = r->n_calls > rows ? r->n_calls - rows : 0;
	size_t first = v->scroll < last ? v->scroll : last;

	v->scroll = first;
	for (size_t i = first; i < r->n_calls && i - first < rows; i++) {
		const struct snap_call *c = &r->calls[i];

		snprintf(name, sizeof(name), " %s%s %s", c->error ? "!" : "",
			 words_label(peer, sizeof(peer), c->peer, "-", 12, v->ascii),
			 words_label(what, sizeof(what), c->what, "", 60, v->ascii));
		draw_span(v, area.y + (int)(i - first), name, c->start_us, c->wall_us, r->wall_us,
			  call_letter(c));
	}
}

static void head_text(struct view *v, const struct snap_request *r, char *buf)
{
	char route[FORMAT_LABEL], wall[FORMAT_LEN], first[FORMAT_LEN], after[FORMAT_LEN];
	char status[16] = "", stream[128];
	int n;

	if (r->status)
		snprintf(status, sizeof(status), "  %" PRId32, r->status);
	n = snprintf(buf, WORDS_LEN, "%s%s  %s%s%s%s%s%s%s",
		     words_label(route, sizeof(route), r->route, "(no name)", 48, v->ascii), status,
		     format_us(wall, r->wall_us), r->open ? " so far" : "",
		     r->aborted ? "  aborted" : "", r->incomplete ? "  incomplete" : "",
		     r->before ? "  came before measuring began" : "",
		     r->multiplexed ? "  on a multiplexed connection" : "",
		     r->end_unseen ? "  or more: its end was out of sight" : "");
	words_stream(r, stream, sizeof(stream));
	if (r->stream)
		n += snprintf(buf + n, WORDS_LEN - (size_t)n, "  %s", stream);
	else if (r->first_byte_us)
		n += snprintf(buf + n, WORDS_LEN - (size_t)n, "  first byte %s",
			      format_us(first, r->first_byte_us));
	if (r->after_us)
		n += snprintf(buf + n, WORDS_LEN - (size_t)n, "  after %s",
			      format_us(after, r->after_us));
	snprintf(buf + n, WORDS_LEN - (size_t)n, "  bound %c  id %" PRIu64,
		 r->binding ? r->binding : 'U', r->xid);
}

static void draw(struct view *v, struct view_area area)
{
	const struct snap_request *r = view_full_request(v);
	char line[WORDS_LEN], service[FORMAT_LABEL], wait[FORMAT_LABEL];
	int calls, parts;

	if (!r) {
		paint_text(v, area.y, 1, COLS, A_NORMAL, "this request is no longer kept");
		return;
	}
	head_text(v, r, line);
	paint_text(v, area.y, 1, COLS, A_BOLD, line);
	area.y++;
	area.h--;
	if (area.h > 8 && r->waiting_for) {
		snprintf(line, sizeof(line), "waits for %s",
			 words_label(wait, sizeof(wait), r->waiting_for, "", 100, v->ascii));
		paint_text(v, area.y, 1, COLS, A_NORMAL, line);
		area.y++;
		area.h--;
	}
	/* Parts first: they are the answer. Calls share what remains, and scroll. */
	parts = (int)(r->n_parts < 12 ? r->n_parts : 12) + 1;
	calls = r->n_calls < 1000 ? (int)r->n_calls : 1000;
	if (parts > area.h * 3 / 5 && calls + 2 + parts > area.h)
		parts = area.h * 3 / 5;
	if (calls > area.h - parts - 2)
		calls = area.h - parts - 2 > 0 ? area.h - parts - 2 : 0;
	if (area.h - parts >= 2) {
		snprintf(line, sizeof(line), "%s[%" PRId32 "]",
			 words_label(service, sizeof(service), r->service, "-", 14, v->ascii),
			 r->pid);
		draw_span(v, area.y, line, 0, r->wall_us, r->wall_us, '-');
		draw_calls(v, (struct view_area){ area.y + 1, calls }, r);
		draw_breakdown(v, area.y + 1 + calls, r);
		area.y += calls + 2;
		area.h -= calls + 2;
	}
	if (area.h > (int)r->n_parts) {
		area.y++;
		area.h--;
	}
	paint_parts(v, area, r->parts, r->n_parts, r->wall_us, false);
}

static bool key(struct view *v, enum view_action action)
{
	if (action != VIEW_ACTION_OPEN)
		return view_scroll_key(v, action);
	view_open(v, SCREEN_FULL);
	return true;
}

const struct view_screen view_screen_request = {
	.name = "Request",
	.brief = "Request",
	.draw = draw,
	.key = key,
};
