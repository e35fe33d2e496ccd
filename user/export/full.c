// SPDX-License-Identifier: GPL-2.0-only
#include "export/full.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/intern.h"

struct full {
	FILE *out;
	char *text;
	size_t len;
	bool ascii;
};

static bool full_open(struct full *f, bool ascii)
{
	*f = (struct full){ .ascii = ascii };
	f->out = open_memstream(&f->text, &f->len);
	return f->out != NULL;
}

static char *full_close(struct full *f)
{
	bool bad = ferror(f->out);

	if (!fclose(f->out) && !bad)
		return f->text;
	free(f->text);
	return NULL;
}

/* Cleaning can make a text longer: a character of one byte may be shown as one of three. */
static void put_text(struct full *f, const char *text)
{
	size_t size = strlen(text) * 4 + 1;
	char *clean = malloc(size);

	if (!clean)
		return;
	format_clean(clean, size, text, UINT_MAX, f->ascii);
	fputs(clean, f->out);
	free(clean);
}

/* "held by       POST /quiz.php": nothing when there is no name. */
static void put_name(struct full *f, const char *what, uint32_t id)
{
	const char *text = intern_text(id);

	if (!text || !*text)
		return;
	fprintf(f->out, "%-13s ", what);
	put_text(f, text);
	fputc('\n', f->out);
}

static void put_part(struct full *f, const struct snap_part *p)
{
	char us[FORMAT_LEN], count[FORMAT_LEN];
	enum cause cause = (enum cause)p->cause;

	fprintf(f->out, "%c %-8s %s%6s", cause_letter(cause), cause_name(cause),
		p->scaled ? "~" : " ", format_us(us, p->us));
	if (p->who)
		fputs("  ", f->out), put_text(f, intern_text(p->who));
	if (p->what)
		fputs("  ", f->out), put_text(f, intern_text(p->what));
	if (p->held_by)
		fputs(", held by ", f->out), put_text(f, intern_text(p->held_by));
	if (p->via && p->via != p->who)
		fputs("  via ", f->out), put_text(f, intern_text(p->via));
	if (p->count >= 1.5)
		fprintf(f->out, "  %sx", format_rate(count, p->count));
	fputc('\n', f->out);
}

static void put_parts(struct full *f, const struct snap_part *parts, size_t n)
{
	if (n)
		fputs("\nwhere the time goes\n", f->out);
	for (size_t i = 0; i < n; i++)
		put_part(f, &parts[i]);
}

char *full_route(const struct snap_route *r, bool ascii)
{
	char n[FORMAT_LEN], a[FORMAT_LEN], b[FORMAT_LEN], c[FORMAT_LEN], d[FORMAT_LEN];
	struct full f;

	if (!full_open(&f, ascii))
		return NULL;
	put_name(&f, "route", r->route);
	put_name(&f, "service", r->service);
	put_name(&f, "pool", r->pool);
	fprintf(f.out, "%-13s %s, %s in flight\n", "requests", format_grouped(n, r->requests),
		format_grouped(a, r->in_flight));
	if (r->max_us)
		fprintf(f.out, "%-13s p50 %s  p95 %s  p99 %s  max %s\n", "time",
			format_us(a, r->p50_us), format_us(b, r->p95_us), format_us(c, r->p99_us),
			format_us(d, r->max_us));
	fprintf(f.out, "%-13s %s\n", "WAIT/s", format_load(a, r->wait_s_per_s));
	put_parts(&f, r->parts, r->n_parts);
	return full_close(&f);
}

static void put_waiters(struct full *f, const char *title, const struct snap_hotspot_route *v,
			size_t n)
{
	char load[FORMAT_LEN];

	if (n)
		fprintf(f->out, "\n%s\n", title);
	for (size_t i = 0; i < n; i++) {
		const char *route = intern_text(v[i].route);

		fprintf(f->out, "%6s/s  ", format_load(load, v[i].wait_s_per_s));
		put_text(f, route && *route ? route : "(no name)");
		fputc('\n', f->out);
	}
}

char *full_hotspot(const struct snap_hotspot *h, bool ascii)
{
	char load[FORMAT_LEN], share[FORMAT_LEN];
	struct full f;

	if (!full_open(&f, ascii))
		return NULL;
	fprintf(f.out, "%-13s %s\n", "cause", cause_name((enum cause)h->cause));
	put_name(&f, "who", h->who);
	put_name(&f, "what", h->what);
	put_name(&f, "held by", h->held_by);
	put_name(&f, "via", h->via);
	fprintf(f.out, "%-13s %s, %s of all waiting\n", "WAIT/s",
		format_load(load, h->wait_s_per_s), format_percent(share, h->share));
	put_waiters(&f, "waited on by", h->routes, h->n_routes);
	put_waiters(&f, "occupied by", h->occupied_by, h->n_occupied_by);
	if (h->n_stack)
		fprintf(f.out, "\nhottest stack, %s\n", format_percent(share, h->stack_share));
	for (size_t i = 0; i < h->n_stack; i++) {
		fputs("  ", f.out);
		put_text(&f, intern_text(h->stack[i]));
		fputc('\n', f.out);
	}
	return full_close(&f);
}

static void put_call(struct full *f, const struct snap_call *c)
{
	char at[FORMAT_LEN], wall[FORMAT_LEN];
	const char *what = intern_text(c->what), *peer = intern_text(c->peer);

	fprintf(f->out, "%6s %6s %s ", format_us(at, c->start_us), format_us(wall, c->wall_us),
		c->error ? "!" : " ");
	put_text(f, peer && *peer ? peer : "-");
	if (what && *what)
		fputs("  ", f->out), put_text(f, what);
	fputc('\n', f->out);
}

char *full_request(const struct snap_request *r, bool ascii)
{
	char wall[FORMAT_LEN], client[PROXY_CLIENT_TEXT];
	struct full f;

	if (!full_open(&f, ascii))
		return NULL;
	put_name(&f, "route", r->route);
	put_name(&f, "service", r->service);
	if (r->status)
		fprintf(f.out, "%-13s %" PRId32 "\n", "status", r->status);
	fprintf(f.out, "%-13s %s%s\n", "time", format_us(wall, r->wall_us),
		r->open ? " so far" : "");
	if (r->client.version)
		fprintf(f.out, "%-13s %s\n", "client", proxy_client_text(client, &r->client));
	put_name(&f, "waits for", r->waiting_for);
	fprintf(f.out, "%-13s %" PRIu64 ", bound %c\n", "id", r->xid,
		r->binding ? r->binding : 'U');
	put_parts(&f, r->parts, r->n_parts);
	if (r->n_calls)
		fputs("\ncalls: begun after, took\n", f.out);
	for (size_t i = 0; i < r->n_calls; i++)
		put_call(&f, &r->calls[i]);
	return full_close(&f);
}
