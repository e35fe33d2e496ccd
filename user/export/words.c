// SPDX-License-Identifier: GPL-2.0-only
/* Sentences about a snapshot, shared by the report and the live view. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/format.h"
#include "base/intern.h"
#include "export/words.h"

const char *words_label(char *buf, size_t size, uint32_t id, const char *absent, unsigned cols,
			bool ascii)
{
	const char *text = intern_text(id);

	format_clean(buf, size, text && *text ? text : absent, cols, ascii);
	return buf;
}

/* The widest that names are shown in. */
struct culprit_cols {
	unsigned route, what, holder;
};

static const struct culprit_cols whole_culprit = { 48, 60, 40 };

/* "postgres disk: nvme0n1 read" or "php-fpm lock: flock sess_*, held by POST /y"; share, where it
 * is not empty, is that of what comes after the cause: "apache2 runq, 19% behind xz". */
static void put_culprit(char *buf, size_t size, uint32_t who, uint8_t cause, uint32_t what,
			uint32_t held_by, const char *share, const struct culprit_cols *cols,
			bool ascii)
{
	char who_text[FORMAT_LABEL], what_text[FORMAT_LABEL], holder[FORMAT_LABEL];
	bool more;

	words_label(who_text, sizeof(who_text), who, "", 24, ascii);
	words_label(what_text, sizeof(what_text), what, "", cols->what, ascii);
	words_label(holder, sizeof(holder), held_by, "", cols->holder, ascii);
	more = *what_text || *holder;
	snprintf(buf, size, "%s%s%s%s%s%s%s%s%s", who_text, *who_text ? " " : "",
		 cause_name((enum cause)cause),
		 !more  ? "" :
		 *share ? ", " :
			  ": ",
		 more ? share : "", more && *share ? " " : "", what_text,
		 !*holder   ? "" :
		 *what_text ? ", held by " :
			      "held by ",
		 holder);
}

static void verdict_wait(const struct snapshot *s, char *buf, size_t size, bool brief,
			 const struct culprit_cols *cols, bool ascii)
{
	char route[FORMAT_LABEL], culprit[WORDS_LEN / 2];
	char a[FORMAT_LEN], b[FORMAT_LEN], c[FORMAT_LEN];

	format_percent(b, s->top.cause_share);
	format_percent(c, s->top.what_share);
	words_label(route, sizeof(route), s->top.route, "(no name)", cols->route, ascii);
	put_culprit(culprit, sizeof(culprit), s->top.who, s->top.cause, s->top.what, s->top.held_by,
		    strcmp(b, c) ? c : "", cols, ascii);
	snprintf(buf, size, "%s of %s %s; %s of %s %s", format_percent(a, s->top.route_share),
		 brief ? "waiting:" : "all waiting is", route, b, brief ? "it" : "that is",
		 culprit);
}

/* Takes up to *over columns from a name that *cols are for, but leaves it `least`. */
static void narrow(unsigned *cols, uint32_t name, unsigned least, unsigned *over, bool ascii)
{
	char text[FORMAT_LABEL];
	unsigned shown, take;

	words_label(text, sizeof(text), name, "", *cols, ascii);
	shown = format_width(text);
	if (shown <= least)
		return;
	take = shown - least < *over ? shown - least : *over;
	*cols = shown - take;
	*over -= take;
}

/* Where there is no room for the route: what all waiting is for most. */
static void verdict_culprit(const struct snapshot *s, char *buf, size_t size, unsigned cols,
			    bool ascii)
{
	char culprit[WORDS_LEN / 2], a[FORMAT_LEN], line[WORDS_LEN];

	put_culprit(culprit, sizeof(culprit), s->top.who, s->top.cause, s->top.what, s->top.held_by,
		    "", &(struct culprit_cols){ 0, 6, 10 }, ascii);
	snprintf(line, sizeof(line), "%s: %s",
		 format_percent(a, s->top.route_share * s->top.what_share), culprit);
	format_clean(buf, size, line, cols, ascii);
}

/* The sentence in as many columns as there are, if need be with shorter names: first what is
 * waited for, then the route, the holder last. The cause is never cut for them. */
static void verdict_fit(const struct snapshot *s, char *buf, size_t size, unsigned cols, bool ascii)
{
	struct culprit_cols names = whole_culprit;
	unsigned width, over;

	verdict_wait(s, buf, size, false, &names, ascii);
	if (format_width(buf) <= cols)
		return;
	verdict_wait(s, buf, size, true, &names, ascii);
	width = format_width(buf);
	if (width <= cols)
		return;
	over = width - cols;
	narrow(&names.what, s->top.what, 6, &over, ascii);
	narrow(&names.route, s->top.route, 8, &over, ascii);
	narrow(&names.holder, s->top.held_by, 10, &over, ascii);
	verdict_wait(s, buf, size, true, &names, ascii);
	if (over)
		verdict_culprit(s, buf, size, cols, ascii);
}

void words_verdict(const struct snapshot *s, char *buf, unsigned cols, bool ascii)
{
	char route[FORMAT_LABEL], a[FORMAT_LEN], b[FORMAT_LEN];
	int n = 0;

	switch (s->verdict) {
	case SNAP_VERDICT_NO_DATA:
		snprintf(buf, WORDS_LEN, "no requests seen yet");
		return;
	case SNAP_VERDICT_NOTHING:
		snprintf(buf, WORDS_LEN, "nothing waits: %s requests in flight on average",
			 format_fixed(a, s->wait_s_per_s, 2));
		return;
	case SNAP_VERDICT_CALM:
		snprintf(buf, WORDS_LEN, "%s waits long: p95 %s%s%s",
			 s->max_us > VERDICT_LONG_US ? "hardly anybody" : "nobody",
			 format_us(a, s->p95_us), s->max_us > VERDICT_LONG_US ? ", longest " : "",
			 s->max_us > VERDICT_LONG_US ? format_us(b, s->max_us) : "");
		return;
	case SNAP_VERDICT_UNKNOWN:
		words_label(route, sizeof(route), s->top.route, "(no name)", 48, ascii);
		snprintf(buf, WORDS_LEN,
			 "not measured time leads: %s of all waiting is %s; %s of that is unknown",
			 format_percent(a, s->top.route_share), route,
			 format_percent(b, s->top.cause_share));
		return;
	case SNAP_VERDICT_INCOMPLETE:
		n = snprintf(buf, WORDS_LEN, "records were lost: %s of %s requests incomplete",
			     format_grouped(a, s->incomplete), format_grouped(b, s->requests));
		if (!s->top.route)
			return;
		n += snprintf(buf + n, WORDS_LEN - (size_t)n, "; of the rest, ");
		break;
	case SNAP_VERDICT_WAIT:
		break;
	}
	verdict_fit(s, buf + n, WORDS_LEN - (size_t)n, cols > (unsigned)n ? cols - (unsigned)n : 0,
		    ascii);
}

static double share_of(uint64_t us, uint64_t wall_us)
{
	return wall_us ? (double)us / (double)wall_us : 0;
}

/* What a part waited for, who holds it, how often and over which hops, in cols columns. The name
 * and the holder share the room; count and hops are shown where there is some left. */
static void part_object(const struct snap_part *p, bool per_request, unsigned cols, bool ascii,
			char *buf, size_t size)
{
	static const char by[] = ", held by ";
	char what[FORMAT_LABEL], holder[FORMAT_LABEL], via[FORMAT_LABEL], n[FORMAT_LEN];
	char count[FORMAT_LEN + 8] = "", hops[FORMAT_LABEL + 8] = "";
	bool held = p->held_by != INTERN_EMPTY;
	unsigned what_cols, holder_cols, room, left;

	words_label(what, sizeof(what), p->what, "", 100, ascii);
	words_label(holder, sizeof(holder), p->held_by, "", 60, ascii);
	what_cols = format_width(what);
	holder_cols = held ? format_width(holder) + sizeof(by) - 1 : 0;
	if (p->count >= 1.5)
		snprintf(count, sizeof(count), "%s%s%s", what_cols || held ? "  " : "",
			 format_rate(n, p->count), per_request ? "/req" : "x");
	if (held && what_cols + holder_cols + strlen(count) > cols)
		*count = '\0';
	room = cols > strlen(count) ? cols - (unsigned)strlen(count) : 0;
	if (what_cols + holder_cols > room && holder_cols > room / 2)
		holder_cols = what_cols > room / 2 ? room / 2 : room - what_cols;
	words_label(what, sizeof(what), p->what, "", room - holder_cols, ascii);
	if (held && holder_cols >= sizeof(by) + 3)
		words_label(holder, sizeof(holder), p->held_by, "",
			    holder_cols - (unsigned)sizeof(by) + 1, ascii);
	else
		held = false;
	left = cols - format_width(what) - holder_cols;
	left = left > strlen(count) ? left - (unsigned)strlen(count) : 0;
	if (p->via && p->via != p->who) {
		words_label(via, sizeof(via), p->via, "", 60, ascii);
		if (format_width(via) + 6 <= left)
			snprintf(hops, sizeof(hops), "  via %s", via);
	}
	snprintf(buf, size, "%s%s%s%s%s", what, held ? by + (*what ? 0 : 2) : "",
		 held ? holder : "", count, hops);
}

void words_part(const struct snap_part *p, uint64_t wall_us, bool per_request, char *buf,
		unsigned cols, bool ascii)
{
	char line[WORDS_LEN], who[FORMAT_LABEL], label[FORMAT_LABEL], object[WORDS_LEN];
	char time[FORMAT_LEN], us[FORMAT_LEN], percent[FORMAT_LEN];
	enum cause cause = (enum cause)p->cause;
	unsigned used;
	int n;

	words_label(label, sizeof(label), p->who, "-", 10, ascii);
	format_pad(who, sizeof(who), label, 10, false);
	snprintf(time, sizeof(time), "%s%.16s", p->scaled ? "~" : "", format_us(us, p->us));
	n = snprintf(line, sizeof(line), "%c %-8s %6s %4s  %s ", cause_letter(cause),
		     cause_name(cause), time, format_percent(percent, share_of(p->us, wall_us)),
		     who);
	used = format_width(line);
	part_object(p, per_request, used < cols ? cols - used : 0, ascii, object, sizeof(object));
	snprintf(line + n, sizeof(line) - (size_t)n, "%.*s", (int)sizeof(line) - n - 1, object);
	format_clean(buf, WORDS_LEN, line, cols, ascii);
}

void words_part_rest(size_t n, uint64_t us, uint64_t wall_us, char *buf, unsigned cols)
{
	char line[128], time[FORMAT_LEN], percent[FORMAT_LEN];

	snprintf(line, sizeof(line), "+ %-8s %6s %4s  %zu smaller part%s", "rest",
		 format_us(time, us), format_percent(percent, share_of(us, wall_us)), n,
		 n == 1 ? "" : "s");
	format_clean(buf, WORDS_LEN, line, cols, true);
}

void words_stream(const struct snap_request *r, char *buf, size_t size)
{
	char first[FORMAT_LEN], gap[FORMAT_LEN], most[FORMAT_LEN], n[FORMAT_LEN];

	if (!r->first_byte_us)
		snprintf(buf, size, "stream: nothing sent yet");
	else if (!r->gap_us)
		snprintf(buf, size, "stream: first byte %s", format_us(first, r->first_byte_us));
	else
		snprintf(buf, size, "stream: first byte %s, %s gap%s of %s (mean)%s%s%s",
			 format_us(first, r->first_byte_us), format_grouped(n, r->sends - 1),
			 r->sends == 2 ? "" : "s", format_us(gap, r->gap_us),
			 r->gap_max_us ? ", " : "",
			 r->gap_max_us ? format_us(most, r->gap_max_us) : "",
			 r->gap_max_us ? " (max)" : "");
}

/* "first byte 612ms, gap 38ms": means of a route's streams. */
static void put_streams(const struct snap_route *r, char *buf, size_t size)
{
	char first[FORMAT_LEN], gap[FORMAT_LEN];

	format_us(first, r->stream_first_us);
	if (r->stream_gap_us)
		snprintf(buf, size, "first byte %s, gap %s", first,
			 format_us(gap, r->stream_gap_us));
	else
		snprintf(buf, size, "first byte %s", first);
}

void words_route_head(const struct snap_route *r, char *buf, bool ascii)
{
	char route[FORMAT_LABEL], streams[64], a[FORMAT_LEN], b[FORMAT_LEN], c[FORMAT_LEN];
	uint64_t measured = r->requests > r->incomplete ? r->requests - r->incomplete : 0;
	int n;

	words_label(route, sizeof(route), r->route, "(no name)", 48, ascii);
	if (!measured && r->multiplexed && !r->in_flight) {
		snprintf(buf, WORDS_LEN, "%s: %s turns of multiplexed connections, timed only",
			 route, format_grouped(a, r->multiplexed));
		return;
	}
	if (!measured && r->n_parts) {
		snprintf(buf, WORDS_LEN, "%s: none completed, %s in flight, mean %s so far", route,
			 format_grouped(a, r->in_flight), format_us(b, r->wall_us));
		return;
	}
	if (!r->n_parts || !r->wall_us) {
		snprintf(buf, WORDS_LEN, "%s: none completed, %s in flight", route,
			 format_grouped(a, r->in_flight));
		return;
	}
	format_us(a, r->wall_us);
	format_grouped(b, measured);
	put_streams(r, streams, sizeof(streams));
	if (r->stream_wall_us && r->streams >= measured) {
		snprintf(buf, WORDS_LEN, "%s: mean %s in %s stream%s, %s", route, a, b,
			 measured == 1 ? "" : "s", streams);
		return;
	}
	if (r->in_flight)
		n = snprintf(buf, WORDS_LEN, "%s: mean %s per request, in %s + %s open", route, a,
			     b, format_grouped(c, r->in_flight));
	else
		n = snprintf(buf, WORDS_LEN, "%s: mean %s per request, in %s request%s", route, a,
			     b, measured == 1 ? "" : "s");
	if (r->stream_wall_us)
		snprintf(buf + n, WORDS_LEN - (size_t)n, ", %s streamed: %s",
			 format_grouped(c, r->streams), streams);
}

void words_hotspot_head(const struct snap_hotspot *h, char *buf, bool ascii)
{
	put_culprit(buf, WORDS_LEN, h->who, h->cause, h->what, h->held_by, "", &whole_culprit,
		    ascii);
}

/* Writes as many whole frames as fit, at least one; returns how many. */
static size_t put_frames(char buf[WORDS_LEN / 2], const uint32_t *frames, size_t n, unsigned cols,
			 bool ascii)
{
	char frame[FORMAT_LABEL];
	size_t shown = 0, len = 0;

	*buf = '\0';
	for (; shown < n; shown++) {
		words_label(frame, sizeof(frame), frames[shown], "-", 120, ascii);
		if (shown && len + format_width(frame) + 3 > cols)
			break;
		len += (size_t)snprintf(buf + len, WORDS_LEN / 2 - len, "%s%s", shown ? " < " : "",
					frame);
		if (len >= WORDS_LEN / 2 - FORMAT_LABEL)
			return shown + 1;
	}
	return shown;
}

static unsigned less(unsigned a, unsigned b)
{
	return a > b ? a - b : 0;
}

void words_stack(const uint32_t *frames, size_t n, size_t n_kernel, char *buf, unsigned cols,
		 bool ascii)
{
	const unsigned between = sizeof(" < .. < "
					" < ..") -
				 1;
	char kernel[WORDS_LEN / 2] = "", user[WORDS_LEN / 2] = "", line[WORDS_LEN + 32];
	unsigned room = less(cols, between);
	size_t n_user = n - n_kernel, shown, shown_user;

	if (put_frames(line, frames, n, cols, ascii) < n) {
		/* half for the process's side; the kernel's takes what that leaves, and back */
		put_frames(user, frames + n_kernel, n_user, n_kernel ? room / 2 : room, ascii);
		shown = put_frames(kernel, frames, n_kernel, less(room, format_width(user)), ascii);
		shown_user = put_frames(user, frames + n_kernel, n_user,
					less(room, format_width(kernel)), ascii);
		snprintf(line, sizeof(line), "%s%s%s%s%s", kernel, shown < n_kernel ? " < .." : "",
			 *kernel && *user ? " < " : "", user, shown_user < n_user ? " < .." : "");
	}
	format_clean(buf, WORDS_LEN, line, cols, ascii);
}

double words_broken_share(const struct snap_health *h)
{
	const struct snap_stacks *s = &h->stacks;
	uint64_t all = s->cpu_samples + s->waits;

	return all ? (double)(s->no_user + s->user_short) / (double)all : 0;
}

bool words_stacks(const struct snap_health *h, size_t line, char *buf)
{
	const struct snap_stacks *s = &h->stacks;
	char a[FORMAT_LEN], b[FORMAT_LEN], c[FORMAT_LEN];

	if (!h->has_stacks)
		return false;
	switch (line) {
	case 0:
		snprintf(buf, WORDS_LEN, "%s CPU samples, %s waits, %s broken",
			 format_grouped(a, s->cpu_samples), format_grouped(b, s->waits),
			 format_percent(c, words_broken_share(h)));
		return true;
	case 1:
		snprintf(buf, WORDS_LEN, "no frame pointers %s, not readable %s, skipped %s",
			 format_grouped(a, s->user_short), format_grouped(b, s->no_user),
			 format_grouped(c, s->user_skipped));
		return true;
	case 2:
		snprintf(buf, WORDS_LEN, "too deep %s, no kernel frames %s, unknown functions %s",
			 format_grouped(a, s->user_cut + s->kernel_cut),
			 format_grouped(b, s->no_kernel), format_grouped(c, s->unknown_symbols));
		return true;
	case 3:
		snprintf(buf, WORDS_LEN, "after the answer %s, of no request %s, dropped %s",
			 format_grouped(a, s->after_answer), format_grouped(b, s->unclaimed),
			 format_grouped(c, s->dropped + s->folded));
		return true;
	default:
		return false;
	}
}

uint64_t words_unbound_calls(const struct snap_health *h)
{
	uint64_t calls = 0;

	for (size_t i = 0; i < h->n_unbound; i++)
		calls += h->unbound[i].calls;
	return calls;
}

bool words_unbound(const struct snap_health *h, size_t line, char *buf, bool ascii)
{
	enum { ROWS = 8 };
	char service[FORMAT_LABEL], peer[FORMAT_LABEL], calls[FORMAT_LEN], us[FORMAT_LEN];
	const struct snap_unbound *u = line ? &h->unbound[line - 1] : NULL;
	uint64_t all_us = 0;

	if (!h->n_unbound || line > h->n_unbound || line > ROWS + 1)
		return false;
	for (size_t i = 0; i < h->n_unbound; i++)
		all_us += h->unbound[i].us;
	if (!u)
		snprintf(buf, WORDS_LEN, "%s calls of no known request, %s",
			 format_grouped(calls, words_unbound_calls(h)), format_us(us, all_us));
	else if (line > ROWS)
		snprintf(buf, WORDS_LEN, "+ %zu more", h->n_unbound - ROWS);
	else
		snprintf(buf, WORDS_LEN, "%s (%s)  %s to %s", format_grouped(calls, u->calls),
			 format_us(us, u->us),
			 words_label(service, sizeof(service), u->service, "-", 40, ascii),
			 words_label(peer, sizeof(peer), u->peer, "-", 60, ascii));
	return true;
}

void words_cost(const struct snapshot *s, bool brief, char *buf)
{
	const struct snap_health *h = &s->health;
	char own[FORMAT_LEN], probe[FORMAT_LEN], rss[FORMAT_LEN], lost[FORMAT_LEN];

	format_fixed(own, h->own_cpu_ratio * 100, 1);
	format_fixed(probe, h->probe_cpu_ratio * 100, 1);
	format_bytes(rss, h->rss_bytes);
	format_count(lost, h->lost);
	if (!h->has_own_cost)
		snprintf(buf, WORDS_LEN, "%s  lost %s", s->live ? "tardy cost ?" : "replay", lost);
	else if (brief)
		snprintf(buf, WORDS_LEN, "tardy %s%%+%s%% lost %s", own, probe, lost);
	else
		snprintf(buf, WORDS_LEN, "tardy %s%% cpu (+%s%% in probes) %s  lost %s", own, probe,
			 rss, lost);
}

/* "14:03:20.117" */
static void put_clock(char *buf, size_t size, uint64_t unix_us)
{
	time_t seconds = (time_t)(unix_us / 1000000);
	char clock[32] = "-";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	snprintf(buf, size, "%s.%03u", clock, (unsigned)(unix_us / 1000 % 1000));
}

void words_loss(const struct snap_lost_interval *l, char *buf)
{
	char from[48], to[48], count[FORMAT_LEN];

	put_clock(from, sizeof(from), l->from_unix_us);
	put_clock(to, sizeof(to), l->to_unix_us);
	snprintf(buf, WORDS_LEN, "%s to %s  cpu %u  %s %s", from, to, l->cpu, l->kind,
		 format_grouped(count, l->count));
}

/* The first cause that has this one's letter. */
static int first_of_letter(int cause)
{
	int c = 0;

	while (cause_letter((enum cause)c) != cause_letter((enum cause)cause))
		c++;
	return c;
}

void words_legend(bool left[CAUSE_COUNT], unsigned cols, char *buf)
{
	size_t at = 0;

	*buf = '\0';
	for (int first = 0; first < CAUSE_COUNT; first++) {
		char names[128] = "";
		size_t n = 0;

		if (first_of_letter(first) != first)
			continue;
		for (int c = first; c < CAUSE_COUNT; c++)
			if (left[c] && first_of_letter(c) == first)
				n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
						      n ? "+" : "", cause_name((enum cause)c));
		if (!n)
			continue;
		if (at + n + 3 > cols || at + n + 4 > WORDS_LEN)
			return;
		at += (size_t)snprintf(buf + at, WORDS_LEN - at, "%s%c %s", at ? " " : "",
				       cause_letter((enum cause)first), names);
		for (int c = first; c < CAUSE_COUNT; c++)
			left[c] &= first_of_letter(c) != first;
	}
}

double words_unknown_share(const struct snapshot *s)
{
	double unknown = 0, all = 0;

	for (size_t i = 0; i < s->n_routes; i++)
		for (int c = 0; s->routes[i].entry && c < CAUSE_COUNT; c++) {
			all += s->routes[i].wait_by_cause[c];
			if (c == CAUSE_UNKNOWN)
				unknown += s->routes[i].wait_by_cause[c];
		}
	return all > 0 ? unknown / all : 0;
}
