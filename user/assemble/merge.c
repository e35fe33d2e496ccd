/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/merge.h"

#include <assert.h>
#include <stdlib.h>

/* Was the exchange before in the middle of its HTTP answer? The rest of the request's body, or what
 * looks like a status line, does not begin another one. */
static bool answer_goes_on(const struct node *n)
{
	return n->proto == PROTO_HTTP1 && n->base->turn[1].ops && !n->base_text.interim;
}

/* What was sent, or read, of the answer before goes in front of what came since. */
static void fold_answer(struct rec_turn *t, const struct rec_turn *b)
{
	t->arrival_ns = b->arrival_ns;
	t->first_ns = b->first_ns;
	if (!t->ops) {
		t->last_ns = b->last_ns;
		t->tid = b->tid;
	}
	t->bytes += b->bytes;
	t->ops += b->ops;
}

/* Puts the exchange before in front of n: they are one, told apart only by turns. */
static void fold_record(struct node *n)
{
	const struct rec_xchg *b = n->base;
	struct rec_xchg *x = &n->x;
	struct rec_turn *t = &x->turn[0];

	t->arrival_ns = b->turn[0].arrival_ns;
	t->first_ns = b->turn[0].first_ns;
	x->idle[0][0] = b->idle[0][0];
	if (!t->last_ns)
		x->idle[0][1] = b->turn[1].last_ns ? b->idle[1][1] : b->idle[0][1];
	if (!t->last_ns)
		t->last_ns = b->turn[1].last_ns ? b->turn[1].last_ns : b->turn[0].last_ns;
	t->bytes += b->turn[0].bytes;
	t->ops += b->turn[0].ops;
	x->slice_ns[SLICE_T0] += x->slice_ns[SLICE_PRE] + b->slice_ns[SLICE_T0] +
				 b->slice_ns[SLICE_MID] + b->slice_ns[SLICE_T1];
	x->slice_ns[SLICE_PRE] = b->slice_ns[SLICE_PRE];
	for (size_t i = 0; i < STATE_COUNT; i++)
		x->state_ns[i] += b->state_ns[i];
	x->flags |= b->flags & (XCHG_FRESH | XCHG_THREAD_NEW | XCHG_NO_ARRIVAL | XCHG_SEEDED);
	x->pos[0] = b->pos[0];
	if (!(b->flags & XCHG_POS))
		x->flags &= ~(uint32_t)XCHG_POS;
	x->behind = b->behind;
	x->behind_after_ns = b->behind_after_ns;
	if (!x->parent)
		x->parent = b->parent;
	x->flags &= ~(uint32_t)XCHG_PIPELINED | b->flags;
	if (answer_goes_on(n))
		fold_answer(&x->turn[1], &b->turn[1]);
}

static void take_over(struct node *n, struct node *old)
{
	struct node *call;

	n->base = malloc(sizeof(*n->base));
	if (n->base)
		*n->base = old->x;
	for (call = old->calls; call; call = call->next_call)
		call->owner = n;
	if (old->calls) {
		old->last_call->next_call = n->calls;
		if (!n->calls)
			n->last_call = old->last_call;
		n->calls = old->calls;
		n->n_calls += old->n_calls;
		old->calls = NULL;
		old->n_calls = 0;
	}
	if (!n->marks) {
		n->marks = old->marks;
		n->n_marks = old->n_marks;
		old->marks = NULL;
	}
	if (old->child) {
		n->child = old->child;
		n->child->caller = n;
		old->child = NULL;
	}
	if (old->caller) {
		n->caller = old->caller;
		n->caller->child = n;
		old->caller = NULL;
	}
	if (!n->works) {
		n->works = old->works;
		n->n_works = old->n_works;
		old->works = NULL;
	}
	if (!n->waits) {
		n->waits = old->waits;
		n->n_waits = old->n_waits;
		old->waits = NULL;
	}
}

/* Is n the same exchange as the one before it on its connection? */
static bool continues(const struct node *n, const struct node *old)
{
	if (old->text.interim)
		return true;
	if (n->proto == PROTO_PGSQL)
		return old->text.can_tell && !old->text.ended && !old->text.no_request;
	if (n->text.continues)
		return !old->text.ended;
	/* a second status line where the first answer was not over */
	return (n->x.flags & XCHG_PIPELINED) && old->text.can_tell && !old->text.ended;
}

/* What the folded part said stands for the whole. */
static void fold_text(struct node *n)
{
	const struct text *b = &n->base_text;
	struct text *t = &n->text;

	if (answer_goes_on(n)) {
		*t = *b;
		text_goes_on(t, n->x.turn[1].bytes, node_tail(&n->x), node_answer_place(&n->x));
		return;
	}
	if (b->route && (b->interim || t->continues || !t->route))
		t->route = b->route;
	else if (n->proto == PROTO_PGSQL)
		t->route = text_both_routes(b->route, t->route);
	if (!t->ask)
		t->ask = b->ask;
	if (!t->method)
		t->method = b->method;
	t->continues = false;
	t->error = t->error || b->error;
	t->stream = t->stream || b->stream;
	t->endless = t->endless || b->endless;
}

void merge_older(struct assemble *a, struct node *n)
{
	struct node *old = n->older;

	if (!old || node_done(old) || !continues(n, old))
		return;
	assert(node_seen(old) && old->conn == n->conn);
	take_over(n, old);
	n->base_text = old->text;
	node_detach(old);
	node_free(a, old, END_MERGED);
	assert(n->older != old);
}

void merge_fold(struct node *n)
{
	if (!n->base)
		return;
	fold_record(n);
	fold_text(n);
}
