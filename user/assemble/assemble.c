/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/assemble.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "assemble/node.h"
#include "base/intern.h"
#include "ingest/record.h"

/* Bytes of a request's head beyond what its record holds. */
struct more_text {
	uint32_t len;
	uint64_t ts_ns;
	char bytes[ABI_DATA_MAX];
};

struct assemble *assemble_new(assemble_request_fn fn, void *ctx)
{
	struct assemble *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->fn = fn;
	a->ctx = ctx;
	table_init(&a->nodes, sizeof(struct node *), NODES_MAX);
	table_init(&a->conns, sizeof(struct conn *), CONNS_MAX);
	table_init(&a->pairs, sizeof(struct pair), CONNS_MAX);
	table_init(&a->procs, sizeof(struct proc), PROCS_MAX);
	table_init(&a->workers, sizeof(struct worker), PROCS_MAX);
	table_init(&a->texts, sizeof(struct more_text *), 4096);
	table_init(&a->lock_index, sizeof(uint32_t), LOCK_WAITS_MAX);
	table_init(&a->listeners, sizeof(struct listener), 4096);
	table_init(&a->names, sizeof(uint32_t), NAMES_MAX);
	a->active_end = &a->active;
	return a;
}

static void conn_release(struct conn *c)
{
	text_state_release(&c->text);
	free(c);
}

static void node_release(struct node *n)
{
	parts_release(&n->parts);
	free(n->waits);
	free(n->marks);
	free(n->net);
	free(n->now);
	free(n->base);
	free(n);
}

void assemble_free(struct assemble *a)
{
	if (!a)
		return;
	table_each(it, &a->nodes)
		node_release(*(struct node **)it.value);
	table_each(it, &a->conns)
		conn_release(*(struct conn **)it.value);
	table_each(it, &a->texts)
		free(*(struct more_text **)it.value);
	table_release(&a->nodes);
	table_release(&a->conns);
	table_release(&a->pairs);
	table_release(&a->procs);
	table_release(&a->workers);
	table_release(&a->texts);
	table_release(&a->lock_index);
	free(a->lock_waits);
	table_release(&a->listeners);
	table_release(&a->names);
	free(a);
}

/* ---- nodes --------------------------------------------------------------------------------- */

struct node *node_find(const struct assemble *a, uint64_t xid)
{
	struct node **slot = table_get(&a->nodes, xid);

	return slot ? *slot : NULL;
}

struct node *node_make(struct assemble *a, uint64_t xid, uint64_t now_ns)
{
	struct node **slot, *n;
	bool created;

	slot = table_put(&a->nodes, xid, &created);
	if (slot && !created)
		return *slot;
	n = slot ? calloc(1, sizeof(*n)) : NULL;
	if (!n) {
		if (slot)
			table_del(&a->nodes, xid);
		a->counters.evicted++;
		losses_add_span(&a->losses, now_ns, now_ns);
		return NULL;
	}
	*slot = n;
	n->x.xid = xid;
	n->first_seen_ns = now_ns;
	n->prev_active = a->active_end;
	*a->active_end = n;
	a->active_end = &n->next_active;
	return n;
}

void node_deactivate(struct assemble *a, struct node *n)
{
	if (!n->prev_active)
		return;
	if (n->next_active)
		n->next_active->prev_active = n->prev_active;
	else
		a->active_end = n->prev_active;
	*n->prev_active = n->next_active;
	n->prev_active = NULL;
	n->next_active = NULL;
}

static void node_unlink(struct assemble *a, struct node *n)
{
	node_deactivate(a, n);
	if (n->older)
		n->older->newer = n->newer;
	if (n->newer)
		n->newer->older = n->older;
	else if (n->conn && n->conn->newest == n)
		n->conn->newest = n->older;
}

void node_free(struct assemble *a, struct node *n)
{
	struct node *call = n->calls, *next;

	for (; call; call = next) {
		next = call->next_call;
		node_free(a, call);
	}
	if (n->child) {
		n->child->caller = NULL;
		n->child->unwanted = true;
	}
	if (n->caller)
		n->caller->child = NULL;
	more_text_drop(a, n->x.xid);
	node_unlink(a, n);
	table_del(&a->nodes, n->x.xid);
	node_release(n);
}

/* ---- what is known of others --------------------------------------------------------------- */

struct conn *conn_find(const struct assemble *a, uint64_t id)
{
	struct conn **slot = table_get(&a->conns, id);

	return slot ? *slot : NULL;
}

struct proc *proc_of(struct assemble *a, uint32_t tgid)
{
	bool created;
	struct proc *p = table_put(&a->procs, tgid, &created);

	if (p && created)
		p->service = intern_fmt("pid %u", tgid);
	return p;
}

bool assemble_knows_process(const struct assemble *a, uint32_t tgid)
{
	const struct proc *p = table_get(&a->procs, tgid);

	return p && p->known;
}

uint32_t route_of(const struct assemble *a, uint64_t xid)
{
	const uint32_t *route = xid ? table_get(&a->names, xid) : NULL;

	return route ? *route : 0;
}

/* "php-fpm8.2" -> "php-fpm": one service whatever version of it runs. */
static uint32_t service_name(struct slice exe)
{
	size_t n = exe.len;

	while (n && (exe.ptr[n - 1] == '.' || (exe.ptr[n - 1] >= '0' && exe.ptr[n - 1] <= '9')))
		n--;
	while (n && exe.ptr[n - 1] == '-')
		n--;
	return intern((struct slice){ exe.ptr, n ? n : exe.len });
}

/* php-fpm and others put their pool into the title: "php-fpm: pool www". */
static uint32_t pool_name(struct slice title)
{
	static const char mark[] = ": pool ";
	const char *at = memmem(title.ptr, title.len, mark, sizeof(mark) - 1), *end;

	if (!at)
		return 0;
	at += sizeof(mark) - 1;
	end = at;
	while (end<title.ptr + title.len && * end> ' ')
		end++;
	return intern((struct slice){ at, (size_t)(end - at) });
}

static void on_proc(struct assemble *a, const struct rec_proc *r)
{
	struct slice exe = record_text(r->exe, sizeof(r->exe));
	struct proc *p = proc_of(a, r->tgid);

	if (!p)
		return;
	p->known = true;
	p->exited = false;
	p->parent_tgid = r->parent_tgid;
	if (exe.len)
		p->service = service_name(exe);
	p->pool = pool_name(record_text(r->title, sizeof(r->title)));
}

static void on_task(struct assemble *a, const struct rec_task *r)
{
	struct proc *p, *parent;
	struct proc made = { 0 };

	if (r->event == TASK_FORK) {
		/* it is what its parent is until it says otherwise; it may be gone before /proc is
		 * read */
		parent = table_get(&a->procs, r->parent_tgid);
		if (parent) {
			made.service = parent->service;
			made.store = parent->store;
		} else {
			made.service = service_name(record_text(r->comm, sizeof(r->comm)));
		}
		made.parent_tgid = r->parent_tgid;
		p = proc_of(a, r->tgid);
		if (p)
			*p = made;
		return;
	}
	p = table_get(&a->procs, r->tgid);
	if (p && r->event == TASK_EXEC)
		p->known = false;
	if (p && r->event == TASK_EXIT) {
		p->exited = true;
		p->exit_ns = r->h.ts_ns;
	}
}

/* ---- details of requests ------------------------------------------------------------------- */

static void on_data(struct assemble *a, const struct rec_data *r)
{
	struct more_text **slot, *t;
	uint32_t at = r->off - ABI_REQ_HEAD_MAX;
	bool created;

	if (r->turn != 0 || r->off < ABI_REQ_HEAD_MAX || r->off >= ABI_DATA_MAX || !r->len)
		return;
	slot = table_put(&a->texts, r->xid, &created);
	if (!slot) {
		a->counters.evicted++;
		return;
	}
	if (created) {
		*slot = malloc(sizeof(**slot));
		if (!*slot) {
			table_del(&a->texts, r->xid);
			return;
		}
		(*slot)->len = 0;
	}
	t = *slot;
	t->ts_ns = r->h.ts_ns;
	/* chunks come in order; after a lost one the rest is of no use */
	if (at != t->len || at + r->len > sizeof(t->bytes))
		return;
	memcpy(t->bytes + at, r->bytes, r->len);
	t->len += r->len;
}

struct slice more_text_of(struct assemble *a, const struct rec_xchg *x, const uint8_t *head,
			  char *buf, size_t cap)
{
	struct more_text **slot = table_get(&a->texts, x->xid);
	size_t more = slot ? (*slot)->len : 0;

	if (!slot || x->req_len != ABI_REQ_HEAD_MAX)
		return (struct slice){ (const char *)head, x->req_len };
	if (more > cap - x->req_len)
		more = cap - x->req_len;
	memcpy(buf, head, x->req_len);
	memcpy(buf + x->req_len, (*slot)->bytes, more);
	return (struct slice){ buf, x->req_len + more };
}

void more_text_drop(struct assemble *a, uint64_t xid)
{
	struct more_text **slot = table_get(&a->texts, xid);

	if (!slot)
		return;
	free(*slot);
	table_del(&a->texts, xid);
}

void more_texts_forget(struct assemble *a, uint64_t before_ns)
{
	table_each(it, &a->texts) {
		struct more_text *t = *(struct more_text **)it.value;

		if (t->ts_ns >= before_ns || node_find(a, it.key))
			continue;
		table_del(&a->texts, it.key);
		free(t);
	}
}

static void on_thread(struct assemble *a, const struct rec_thread *r)
{
	struct node *n = node_find(a, r->xid);

	if (!n || n->done)
		return;
	if (r->state == STATE_COUNT) { /* it is free now: what it did since its last I/O */
		n->after_ns = r->h.ts_ns - r->last_io_ns;
		return;
	}
	if (!n->now)
		n->now = malloc(sizeof(*n->now));
	if (n->now)
		*n->now = *r;
}

static void on_mark(struct assemble *a, const struct rec_mark *r)
{
	struct node *n = node_make(a, r->xid, r->h.ts_ns);

	if (!n || n->done || r->label >= ABI_PROBES_MAX)
		return;
	if (!n->marks)
		n->marks = calloc(MARKS_MAX, sizeof(*n->marks));
	if (!n->marks || n->n_marks == MARKS_MAX)
		return;
	n->marks[n->n_marks].at_ns = r->h.ts_ns;
	n->marks[n->n_marks++].label = a->labels[r->label];
}

static void on_lost(struct assemble *a, const struct rec_lost *r)
{
	if (r->kind < COUNTER_COUNT)
		a->counters.lost_by_kind[r->kind] += r->count;
	if (loss_loses(r->kind))
		a->counters.lost += r->count;
	losses_add(&a->losses, r);
}

static void on_label(struct assemble *a, const struct rec_label *r)
{
	if (r->label < ABI_PROBES_MAX)
		a->labels[r->label] = intern(record_text(r->text, sizeof(r->text)));
}

int assemble_record(struct assemble *a, const struct rec_hdr *rec)
{
	a->counters.records++;
	if (record_check(rec) != 1) {
		a->counters.malformed += record_check(rec) < 0;
		return 0;
	}
	switch (rec->type) {
	case REC_XCHG:
		return exchange_record(a, (const struct rec_xchg *)rec);
	case REC_DATA:
		on_data(a, (const struct rec_data *)rec);
		break;
	case REC_WAIT:
		detail_wait(a, (const struct rec_wait *)rec);
		break;
	case REC_IO:
		detail_io(a, (const struct rec_io *)rec);
		break;
	case REC_RUNQ:
		detail_runq(a, (const struct rec_runq *)rec);
		break;
	case REC_NET:
		detail_net(a, (const struct rec_net *)rec);
		break;
	case REC_THREAD:
		on_thread(a, (const struct rec_thread *)rec);
		break;
	case REC_TASK:
		on_task(a, (const struct rec_task *)rec);
		break;
	case REC_MARK:
		on_mark(a, (const struct rec_mark *)rec);
		break;
	case REC_PROC:
		on_proc(a, (const struct rec_proc *)rec);
		break;
	case REC_LOST:
		on_lost(a, (const struct rec_lost *)rec);
		break;
	case REC_LABEL:
		on_label(a, (const struct rec_label *)rec);
		break;
	case REC_TICK:
		finish_tick(a, rec->ts_ns, false);
		break;
	}
	return 0;
}

void assemble_finish(struct assemble *a)
{
	finish_tick(a, UINT64_MAX, true);
}

const struct assemble_counters *assemble_counters(const struct assemble *a)
{
	return &a->counters;
}

const struct losses *assemble_losses(const struct assemble *a)
{
	return &a->losses;
}

size_t assemble_pools(const struct assemble *a, struct assemble_pool *out, size_t cap)
{
	size_t n = 0;

	table_each(it, &a->procs) {
		const struct proc *p = it.value;
		size_t i;

		if (!p->serves || p->exited || p->loops || p->store)
			continue;
		for (i = 0; i < n; i++)
			if (out[i].service == p->service && out[i].pool == p->pool)
				break;
		if (i == cap)
			continue;
		if (i == n)
			out[n++] = (struct assemble_pool){ p->service, p->pool, 0 };
		out[i].workers++;
	}
	return n;
}
