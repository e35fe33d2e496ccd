/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Further text: what REC_DATA brought of a request's or an answer's head beyond the bytes that the
 * record holds.
 */
#ifndef TARDY_ASSEMBLE_MORE_TEXT_H
#define TARDY_ASSEMBLE_MORE_TEXT_H
#include "base/slice.h"
#include "base/table.h"
#include "bpf/abi.h"

enum {
	MORE_TEXTS_MAX = 4096,
	/* most of an answer's head: what its record holds, and a short and a long REC_DATA */
	ANSWER_TEXT_MAX = ABI_RSP_HEAD_MAX + ABI_RSP_MORE + ABI_DATA_CHUNK,
};

struct more_texts {
	struct table of; /* xid -> struct more_text * */
};

void more_texts_init(struct more_texts *t);
void more_texts_release(struct more_texts *t);
/* Adds what r has if it continues what is there. -ENOSPC: there is no place for a further one. */
int more_text_add(struct more_texts *t, const struct rec_data *r);
/* The head of x with what is known beyond it, in buf (cap bytes) if there is more. */
struct slice more_text_of(const struct more_texts *t, const struct rec_xchg *x, const uint8_t *head,
			  char *buf, size_t cap);
/* The head of x's answer with what is known beyond it; buf has room for ANSWER_TEXT_MAX
 * bytes. */
struct slice more_text_of_answer(const struct more_texts *t, const struct rec_xchg *x, char *buf);
void more_text_drop(struct more_texts *t, uint64_t xid);
/* Drops those that were last added to before before_ns and that keep() does not want. */
void more_texts_forget(struct more_texts *t, uint64_t before_ns,
		       bool (*keep)(const void *ctx, uint64_t xid), const void *ctx);

#endif
