/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The little HTTP that the oracle's server needs, and the beginning of a truth record.
 */
#define _GNU_SOURCE
#include "oracle_server.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* "name=123,name=123" up to a terminator; 0 or -EINVAL */
static int parse_ops(struct oracle_request *r, const char *at)
{
	int waits = 1; /* one place is kept for the request's body */

	r->n_ops = 0;
	if (!strcmp(at, "none"))
		return 0;
	while (*at) {
		const char *eq = strchr(at, '=');
		char *end;
		int cause;

		if (!eq)
			return -EINVAL;
		cause = oracle_cause_parse(at, (int)(eq - at));
		if (cause < 0)
			return cause;
		waits += cause == ORACLE_SHARED ? 2 : 1;
		if (waits > ORACLE_WAITS_MAX)
			return -EINVAL;
		r->ops[r->n_ops].cause = cause;
		r->ops[r->n_ops].arg = strtoll(eq + 1, &end, 10);
		if (cause == ORACLE_READER)
			r->reader_bytes = (size_t)r->ops[r->n_ops].arg * 1024;
		r->n_ops++;
		if (*end && *end != ',')
			return -EINVAL;
		at = *end ? end + 1 : end;
	}
	return 0;
}

static int parse_path(struct oracle_request *r)
{
	if (!strncmp(r->path, "/c/", 3))
		return parse_ops(r, r->path + 3);
	if (!strncmp(r->path, "/hold/", 6)) {
		r->kind = ORACLE_HOLD;
		return parse_ops(r, r->path + 6);
	}
	if (!strncmp(r->path, "/setup/pin=", 11)) {
		r->kind = ORACLE_SETUP_PIN;
		r->setup_arg = atoll(r->path + 11);
		return 0;
	}
	if (!strncmp(r->path, "/setup/throttle", 15)) {
		r->kind = ORACLE_SETUP_THROTTLE;
		return 0;
	}
	return -EINVAL;
}

int oracle_request_parse(struct oracle_request *r, const char *data, size_t len)
{
	const char *end = memmem(data, len, "\r\n\r\n", 4);
	char head[ORACLE_HEAD_MAX + 1], target[200], *field;

	memset(r, 0, sizeof(*r));
	if (!end)
		return len < ORACLE_HEAD_MAX ? 0 : -EINVAL;
	r->head_len = (size_t)(end - data) + 4;
	if (r->head_len > ORACLE_HEAD_MAX)
		return -EINVAL;
	memcpy(head, data, r->head_len);
	head[r->head_len] = 0;
	if (sscanf(head, "%7s %199s HTTP/1.1\r\n", r->method, target) != 2)
		return -EINVAL;
	target[strcspn(target, "?")] = 0;
	if (strlen(target) >= sizeof(r->path))
		return -EINVAL;
	strcpy(r->path, target);
	field = strcasestr(head, "\r\nX-Call:");
	if (!field)
		field = strcasestr(head, "\r\nX-Id:");
	if (field)
		r->id = strtoull(strchr(field, ':') + 1, NULL, 10);
	field = strcasestr(head, "\r\nContent-Length:");
	if (field)
		r->body_len = strtoul(field + 17, NULL, 10);
	r->close = strcasestr(head, "\r\nConnection: close") != NULL;
	if (parse_path(r))
		return -EINVAL;
	return (int)r->head_len;
}

int oracle_response_head(char *to, size_t size, size_t body_len, bool close)
{
	return snprintf(to, size, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%s\r\n", body_len,
			close ? "Connection: close\r\n" : "");
}

void oracle_record_start(struct oracle_record *rec, const struct oracle_thread *t,
			 const struct oracle_mark *call, const struct oracle_mark *done)
{
	memset(rec, 0, sizeof(*rec));
	rec->pid = t->clock.pid;
	rec->tid = t->clock.tid;
	rec->read_call_ns = call->mono_ns;
	rec->read_done_ns = done->mono_ns;
	rec->read = oracle_span_between(call, done);
	if (t->has_prev) {
		rec->prev_end_ns = t->prev_end.mono_ns;
		rec->head = oracle_span_between(&t->prev_end, done);
	}
}

void oracle_record_name(struct oracle_record *rec, const struct oracle_request *r)
{
	rec->id = r->id;
	memcpy(rec->method, r->method, sizeof(rec->method));
	memcpy(rec->path, r->path, sizeof(rec->path));
}

struct oracle_wait *oracle_record_wait(struct oracle_record *rec, int cause, int64_t arg,
				       const struct oracle_span *span)
{
	struct oracle_wait *w = &rec->waits[rec->n_waits++];

	memset(w, 0, sizeof(*w));
	w->cause = cause;
	w->arg = arg;
	w->span = *span;
	return w;
}

void oracle_record_cause(struct oracle_record *rec, struct oracle_thread *t,
			 const struct oracle_op *op, const struct oracle_mark *a,
			 const struct oracle_mark *b)
{
	struct oracle_span span = oracle_span_between(a, b);
	int64_t woken_ns = atomic_load(&t->woken_ns);
	struct oracle_wait *w = oracle_record_wait(rec, op->cause, op->arg, &span);

	if (woken_ns)
		w->woken_ns = woken_ns - a->mono_ns;
	w->call = t->call;
	memset(&t->call, 0, sizeof(t->call));
}

/* Not its delay alone: what a hypervisor takes in the middle of a switch is in no clock but the wall's. */
void oracle_record_sent(struct oracle_record *rec, const struct oracle_mark *before,
			const struct oracle_mark *end)
{
	struct oracle_span span = oracle_span_between(before, end);

	if (!span.blocked)
		rec->last_send_off_ns = span.wall_ns > span.cpu_ns ? span.wall_ns - span.cpu_ns : 0;
}

void oracle_record_end(struct oracle_record *rec, struct oracle_thread *t,
		       const struct oracle_mark *done, const struct oracle_mark *end)
{
	rec->end_ns = end->mono_ns;
	rec->own = oracle_span_between(done, end);
	t->prev_end = *end;
	t->has_prev = true;
	oracle_shared_add(t->shared, rec);
}
