/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/more_text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct more_text {
	uint32_t len;
	uint32_t rsp_len; /* of the answer, behind its ABI_RSP_HEAD_MAX first bytes */
	uint64_t ts_ns;
	char rsp[ANSWER_TEXT_MAX - ABI_RSP_HEAD_MAX];
	char bytes[ABI_DATA_MAX];
};

void more_texts_init(struct more_texts *t)
{
	table_init(&t->of, sizeof(struct more_text *), MORE_TEXTS_MAX);
}

void more_texts_release(struct more_texts *t)
{
	table_each(it, &t->of)
		free(*(struct more_text **)it.value);
	table_release(&t->of);
}

/* Where what comes with r is kept; NULL: there is no place. */
static struct more_text *more_text_put(struct more_texts *t, const struct rec_data *r)
{
	struct more_text **slot;
	bool created;

	slot = table_put(&t->of, r->xid, &created);
	if (!slot)
		return NULL;
	if (created) {
		*slot = malloc(sizeof(**slot));
		if (!*slot) {
			table_del(&t->of, r->xid);
			return NULL;
		}
		(*slot)->len = 0;
		(*slot)->rsp_len = 0;
	}
	(*slot)->ts_ns = r->h.ts_ns;
	return *slot;
}

static int answer_add(struct more_texts *t, const struct rec_data *r)
{
	struct more_text *more;
	uint32_t at;

	if (r->off < ABI_RSP_HEAD_MAX || r->off >= ANSWER_TEXT_MAX || !r->len)
		return 0;
	more = more_text_put(t, r);
	if (!more)
		return -ENOSPC;
	at = r->off - ABI_RSP_HEAD_MAX;
	if (at != more->rsp_len || at + r->len > sizeof(more->rsp))
		return 0;
	memcpy(more->rsp + at, r->bytes, r->len);
	more->rsp_len += r->len;
	return 0;
}

int more_text_add(struct more_texts *t, const struct rec_data *r)
{
	uint32_t at = r->off - ABI_REQ_HEAD_MAX;
	struct more_text *more;

	if (r->turn == 1)
		return answer_add(t, r);
	if (r->turn != 0 || r->off < ABI_REQ_HEAD_MAX || r->off >= ABI_DATA_MAX || !r->len)
		return 0;
	more = more_text_put(t, r);
	if (!more)
		return -ENOSPC;
	/* chunks come in order; after a lost one the rest is of no use */
	if (at != more->len || at + r->len > sizeof(more->bytes))
		return 0;
	memcpy(more->bytes + at, r->bytes, r->len);
	more->len += r->len;
	return 0;
}

struct slice more_text_of(const struct more_texts *t, const struct rec_xchg *x, const uint8_t *head,
			  char *buf, size_t cap)
{
	struct more_text **slot = table_get(&t->of, x->xid);
	size_t more = slot ? (*slot)->len : 0;

	if (!slot || x->req_len != ABI_REQ_HEAD_MAX)
		return (struct slice){ (const char *)head, x->req_len };
	assert(cap >= x->req_len);
	if (more > cap - x->req_len)
		more = cap - x->req_len;
	memcpy(buf, head, x->req_len);
	memcpy(buf + x->req_len, (*slot)->bytes, more);
	return (struct slice){ buf, x->req_len + more };
}

struct slice more_text_of_answer(const struct more_texts *t, const struct rec_xchg *x, char *buf)
{
	struct more_text **slot = table_get(&t->of, x->xid);

	if (!slot || x->rsp_len != ABI_RSP_HEAD_MAX)
		return (struct slice){ (const char *)x->rsp, x->rsp_len };
	memcpy(buf, x->rsp, x->rsp_len);
	memcpy(buf + x->rsp_len, (*slot)->rsp, (*slot)->rsp_len);
	return (struct slice){ buf, (size_t)x->rsp_len + (*slot)->rsp_len };
}

void more_text_drop(struct more_texts *t, uint64_t xid)
{
	struct more_text **slot = table_get(&t->of, xid);

	if (!slot)
		return;
	free(*slot);
	table_del(&t->of, xid);
}

void more_texts_forget(struct more_texts *t, uint64_t before_ns,
		       bool (*keep)(const void *ctx, uint64_t xid), const void *ctx)
{
	table_each(it, &t->of) {
		struct more_text *more = *(struct more_text **)it.value;

		if (more->ts_ns >= before_ns || keep(ctx, it.key))
			continue;
		table_del(&t->of, it.key);
		free(more);
	}
}
