/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the truth of server and client and tardy's answer, and joins them.
 */
#define _GNU_SOURCE
#include "oracle_compare.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MATCH_MAX_NS 1000000000LL

/* Calls take(line's value, nr from 0, arg) for each line; it returns 0 or 2. */
static int each_line(const char *path, int (*take)(const struct json *, size_t, void *), void *arg)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0, nr = 0;
	int err = 0;

	if (!f) {
		fprintf(stderr, "oracle_compare: %s: %s\n", path, strerror(errno));
		return 2;
	}
	while (!err && getline(&line, &cap, f) > 0) {
		struct json *j = json_parse(line);

		err = j ? take(j, nr, arg) : 2;
		if (err)
			fprintf(stderr, "oracle_compare: %s:%zu: not what was expected\n", path,
				nr + 1);
		json_free(j);
		nr++;
	}
	free(line);
	fclose(f);
	if (!err && !nr)
		fprintf(stderr, "oracle_compare: %s is empty\n", path);
	return err ? err : nr ? 0 : 2;
}

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
}

/* room for one more in a growing array */
static void *grown(void *v, size_t n, size_t size)
{
	if (n & (n - 1) || n == 1)
		return v;
	return realloc(v, (n ? 2 * n : 2) * size);
}

static void take_span(const struct json *object, const char *key, struct oracle_span *s)
{
	int64_t *const to[] = { &s->wall_ns,      &s->cpu_ns,  &s->delay_ns,
				&s->throttled_ns, &s->blocked, &s->exec_ns };
	const struct json *j = json_get(object, key);

	j = j ? j->child : NULL;
	for (int i = 0; i < 6 && j; i++, j = j->next)
		*to[i] = j->text ? strtoll(j->text, NULL, 10) : 0;
}

static int take_record(const struct json *j, struct oracle_record *r)
{
	const struct json *waits = json_get(j, "waits"), *call;

	memset(r, 0, sizeof(*r));
	r->accept_call_ns = json_int(j, "accept_call_ns");
	r->accept_ns = json_int(j, "accept_ns");
	r->hand_ns = json_int(j, "hand_ns");
	r->handed_ns = json_int(j, "handed_ns");
	r->prev_end_ns = json_int(j, "prev_end_ns");
	r->read_call_ns = json_int(j, "read_call_ns");
	r->read_done_ns = json_int(j, "read_done_ns");
	r->end_ns = json_int(j, "end_ns");
	r->last_send_off_ns = json_int(j, "last_send_off_ns");
	take_span(j, "head", &r->head);
	take_span(j, "accept", &r->accept);
	take_span(j, "read", &r->read);
	take_span(j, "own", &r->own);
	for (waits = waits ? waits->child : NULL; waits; waits = waits->next) {
		const char *name = json_text(waits, "cause");
		struct oracle_wait *w = &r->waits[r->n_waits];

		if (r->n_waits++ == ORACLE_WAITS_MAX)
			return 2;
		w->cause = oracle_cause_parse(name, (int)strlen(name));
		if (w->cause < 0)
			return 2;
		w->woken_ns = json_int(waits, "woken_ns");
		w->shared = json_int(waits, "shared");
		w->foreign_ns = json_int(waits, "foreign_ns");
		call = json_get(waits, "call");
		if (call) {
			w->call.id = (uint64_t)json_int(call, "id");
			w->call.send_call_ns = json_int(call, "send_call_ns");
			w->call.send_done_ns = json_int(call, "send_done_ns");
		}
		take_span(waits, "span", &w->span);
	}
	return 0;
}

struct loading {
	struct truths *t;
	struct oracle_record *records;
	char mode[16]; /* of the server's file that was read last */
	size_t n_served; /* records of the server, the rest is the callee's */
	bool *seen; /* by the client, or the caller */
};

static int take_server_line(const struct json *j, size_t nr, void *arg)
{
	struct loading *l = arg;
	struct truths *t = l->t;
	struct truth *add;

	if (!nr) {
		copy_text(l->mode, sizeof(l->mode), json_text(j, "mode"));
		t->realtime_minus_monotonic_ns = json_int(j, "realtime_minus_monotonic_ns");
		return strcmp(json_text(j, "schema"), "oracle.truth/1") ? 2 : 0;
	}
	t->v = grown(t->v, t->n, sizeof(*t->v));
	l->records = grown(l->records, t->n, sizeof(*l->records));
	if (!t->v || !l->records)
		abort();
	add = &t->v[t->n];
	memset(add, 0, sizeof(*add));
	add->id = (uint64_t)json_int(j, "id");
	add->pid = json_int(j, "pid");
	add->tid = json_int(j, "tid");
	copy_text(add->method, sizeof(add->method), json_text(j, "method"));
	copy_text(add->path, sizeof(add->path), json_text(j, "path"));
	return take_record(j, &l->records[t->n++]);
}

/* Who asked for record i, and when: then its truth is known. */
static void account(struct loading *l, size_t i, const char *group, int64_t from_ns, int64_t to_ns)
{
	struct truth *t = &l->t->v[i];

	copy_text(t->group, sizeof(t->group), group);
	t->start.lo = from_ns;
	t->start.hi = to_ns;
	l->seen[i] = true;
	truth_account(t, &l->records[i], i < l->n_served ? l->t->mode : l->mode);
}

/* What the server called is what the other one served. 0, or 2: that knows nothing of it. */
static int take_call(struct loading *l, const struct truth *caller, const struct oracle_call *call)
{
	for (size_t i = l->n_served; i < l->t->n; i++) {
		if (l->t->v[i].id != call->id)
			continue;
		l->t->v[i].caller = caller->id;
		account(l, i, strcmp(caller->group, "warmup") ? "callee" : "warmup",
			call->send_call_ns, call->send_done_ns);
		return 0;
	}
	return 2;
}

static int take_calls(struct loading *l)
{
	int err = 0;

	for (size_t i = 0; i < l->n_served && !err; i++) {
		const struct oracle_record *r = &l->records[i];

		for (int k = 0; k < r->n_waits && !err; k++)
			if (r->waits[k].call.id)
				err = take_call(l, &l->t->v[i], &r->waits[k].call);
		if (err)
			fprintf(stderr, "oracle_compare: a call of request %llu was not served\n",
				(unsigned long long)l->t->v[i].id);
	}
	return err;
}

static int take_client_line(const struct json *j, size_t nr, void *arg)
{
	struct loading *l = arg;
	uint64_t id = (uint64_t)json_int(j, "id");

	if (!nr)
		return strcmp(json_text(j, "schema"), "oracle.client/1") ? 2 : 0;
	for (size_t i = 0; i < l->t->n; i++) {
		if (l->t->v[i].id != id)
			continue;
		account(l, i, json_text(j, "group"), json_int(j, "send_call_ns"),
			json_int(j, "send_done_ns"));
		return 0;
	}
	return 2; /* the server knows nothing of it */
}

/* What the end of a thread's turn before leaves open is the next turn's uncertainty, too. */
static void take_previous(struct loading *l)
{
	for (size_t i = 0; i < l->t->n; i++)
		l->t->v[i].after_ns = -1;
	for (size_t i = 0; i < l->t->n; i++) {
		struct oracle_record *r = &l->records[i];
		int64_t best = 0;

		for (size_t k = 0; k < l->t->n; k++) {
			const struct oracle_record *before = &l->records[k];

			if (l->t->v[k].tid != l->t->v[i].tid || before->end_ns > r->prev_end_ns ||
			    before->end_ns <= best)
				continue;
			best = before->end_ns;
			r->prev_send_off_ns = before->last_send_off_ns;
			if (best == r->prev_end_ns)
				l->t->v[k].after_ns = truth_after_ns(before, r);
		}
	}
}

int truths_load(struct truths *t, const char *server_path, const char *client_path,
		const char *callee_path)
{
	struct loading l = { .t = t };
	int err;

	memset(t, 0, sizeof(*t));
	err = each_line(server_path, take_server_line, &l);
	copy_text(t->mode, sizeof(t->mode), l.mode);
	l.n_served = t->n;
	if (!err && callee_path)
		err = each_line(callee_path, take_server_line, &l);
	l.seen = calloc(t->n + 1, sizeof(*l.seen));
	if (!l.seen)
		abort();
	take_previous(&l);
	if (!err)
		err = each_line(client_path, take_client_line, &l);
	if (!err && callee_path)
		err = take_calls(&l);
	for (size_t i = 0; i < t->n && !err; i++) {
		if (!l.seen[i]) {
			fprintf(stderr, "oracle_compare: request %llu has no client\n",
				(unsigned long long)t->v[i].id);
			err = 2;
		}
	}
	free(l.records);
	free(l.seen);
	return err;
}

static int cause_by_name(const char *name)
{
	static const char *const names[] = {
#define X(id, letter, text, help) text,
		CAUSES(X)
#undef X
	};

	for (int i = 0; i < CAUSE_COUNT; i++)
		if (!strcmp(names[i], name))
			return i;
	return -EINVAL;
}

/* What a joined callee did in place of its caller's wait is, to the caller, upstream. */
static int take_parts(const struct json *j, struct answer *a)
{
	const struct json *part = json_get(j, "parts");
	int64_t longest_held = -1;

	if (!part || part->type != JSON_ARRAY)
		return 2;
	for (part = part->child; part; part = part->next) {
		int64_t ns = json_int(part, "us") * 1000;
		bool callee = *json_text(part, "via");
		int cause = cause_by_name(json_text(part, "cause"));

		if (cause < 0 || ns < 0)
			return 2;
		a->sum_ns += ns;
		/* a callee's unknown is as unknown as one's own */
		if (callee && cause != CAUSE_UNKNOWN)
			cause = CAUSE_UPSTREAM;
		a->cause_ns[cause] += ns;
		if ((cause == CAUSE_LOCK || cause == CAUSE_IPC) && ns > longest_held) {
			longest_held = ns;
			copy_text(a->held_by, sizeof(a->held_by), json_text(part, "held_by"));
		}
	}
	return 0;
}

struct answering {
	struct answers *a;
	const struct truths *t;
};

static bool is_server(const struct truths *t, int64_t pid)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].pid == pid)
			return true;
	return false;
}

static int take_answer_line(const struct json *j, size_t nr, void *arg)
{
	struct answering *ctx = arg;
	struct answer *a;

	if (!nr)
		return strncmp(json_text(j, "schema"), "tardy.report/1.", 15) ? 2 : 0;
	/* other kinds of lines, and requests of processes that are not the server's (a tracked
	 * upstream), have no truth here */
	if (strcmp(json_text(j, "kind"), "request") || !is_server(ctx->t, json_int(j, "pid")))
		return 0;
	ctx->a->v = grown(ctx->a->v, ctx->a->n, sizeof(*ctx->a->v));
	if (!ctx->a->v)
		abort();
	a = &ctx->a->v[ctx->a->n++];
	memset(a, 0, sizeof(*a));
	a->id = json_int(j, "id");
	a->parent = json_int(j, "parent");
	a->entry = json_bool(j, "entry");
	a->pid = json_int(j, "pid");
	a->tid = json_int(j, "tid");
	a->start_ns = json_int(j, "start_unix_us") * 1000 - ctx->t->realtime_minus_monotonic_ns;
	a->wall_ns = json_int(j, "wall_us") * 1000;
	a->after_ns = json_int(j, "after_us") * 1000;
	a->status = json_int(j, "status");
	a->incomplete = json_bool(j, "incomplete");
	a->aborted = json_bool(j, "aborted");
	copy_text(a->method, sizeof(a->method), json_text(j, "method"));
	copy_text(a->route, sizeof(a->route), json_text(j, "route"));
	return take_parts(j, a);
}

int answers_load(struct answers *a, const char *path, const struct truths *t)
{
	struct answering ctx = { a, t };

	memset(a, 0, sizeof(*a));
	return each_line(path, take_answer_line, &ctx);
}

struct pair {
	int64_t distance;
	size_t answer, truth;
};

static int by_distance(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return x->distance < y->distance ? -1 : x->distance > y->distance;
}

/* The end weighs as much as the start: an answer whose clock starts at the read instead of at
 * the arrival still finds its request, and its wall time is then wrong, which is the finding. */
static int64_t distance(const struct answer *a, const struct truth *t)
{
	return llabs(a->start_ns - t->start.hi) + llabs(a->start_ns + a->wall_ns - t->end.hi);
}

void answers_match(struct answers *a, struct truths *t)
{
	struct pair *pairs = NULL;
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		for (size_t k = 0; k < t->n; k++) {
			int64_t d = distance(&a->v[i], &t->v[k]);

			if (a->v[i].tid != t->v[k].tid || a->v[i].pid != t->v[k].pid ||
			    d > MATCH_MAX_NS)
				continue;
			pairs = grown(pairs, n, sizeof(*pairs));
			if (!pairs)
				abort();
			pairs[n++] = (struct pair){ d, i, k };
		}
	}
	if (n)
		qsort(pairs, n, sizeof(*pairs), by_distance);
	for (size_t i = 0; i < n; i++) {
		struct answer *answer = &a->v[pairs[i].answer];
		struct truth *truth = &t->v[pairs[i].truth];

		if (answer->truth || truth->found)
			continue;
		answer->truth = truth;
		truth->found = true;
	}
	free(pairs);
}
