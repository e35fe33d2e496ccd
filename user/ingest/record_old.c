// SPDX-License-Identifier: GPL-2.0-only
#include "ingest/record_old.h"

#include <stddef.h>
#include <string.h>

enum { STATES_1 = 14 }; /* of enum thread_state, then */

/* The fields as they were; those up to state_ns are where they still are. */
struct rec_xchg_1 {
	uint8_t same[offsetof(struct rec_xchg, state_ns)];
	uint64_t state_ns[STATES_1];
	uint32_t req_total, rsp_total;
	uint16_t req_len, rsp_len;
	uint8_t tail_len;
	uint8_t reserved1[3];
	uint8_t tail[ABI_TAIL];
	uint8_t rsp[ABI_RSP_HEAD_MAX];
};

struct rec_thread_1 {
	struct rec_hdr h;
	uint64_t xid, since_ns, last_io_ns;
	uint64_t state_ns[STATES_1];
	uint64_t key;
	uint32_t tid, tgid;
	uint16_t state, syscall;
	uint32_t reserved;
	uint8_t name[ABI_NAME];
};

_Static_assert(sizeof(struct rec_xchg_1) == 648, "part of the capture format");
_Static_assert(sizeof(struct rec_thread_1) == 240, "part of the capture format");
_Static_assert((int)STATE_COUNT >= (int)STATES_1, "states are only ever appended");

static size_t old_bytes(const struct rec_hdr *rec)
{
	switch (rec->type) {
	case REC_XCHG_1:
		return sizeof(struct rec_xchg_1);
	case REC_THREAD_1:
		return sizeof(struct rec_thread_1);
	default:
		return 0;
	}
}

bool record_is_old(const struct rec_hdr *rec)
{
	size_t bytes = old_bytes(rec);

	return bytes && rec->len >= bytes;
}

/* What follows the fixed fields stays as it is. */
static void present_xchg(const struct rec_hdr *rec, struct rec_xchg *x)
{
	const struct rec_xchg_1 *old = (const void *)rec;
	size_t more = rec->len - sizeof(*old);

	memset(x, 0, sizeof(*x));
	memcpy(x, old->same, sizeof(old->same));
	memcpy(x->state_ns, old->state_ns, sizeof(old->state_ns));
	x->req_total = old->req_total;
	x->rsp_total = old->rsp_total;
	x->req_len = old->req_len;
	x->rsp_len = old->rsp_len;
	x->tail_len = old->tail_len;
	memcpy(x->tail, old->tail, sizeof(x->tail));
	memcpy(x->rsp, old->rsp, sizeof(x->rsp));
	memcpy(x + 1, old + 1, more);
	if (x->role == ROLE_CONNECTED) /* whom the thread served last is all that they know */
		x->flags |= XCHG_SAME_TURN;
	x->h.type = REC_XCHG;
	x->h.len = (uint32_t)(sizeof(*x) + more);
}

static void present_thread(const struct rec_hdr *rec, struct rec_thread *t)
{
	const struct rec_thread_1 *old = (const void *)rec;

	memset(t, 0, sizeof(*t));
	t->h = old->h;
	t->xid = old->xid;
	t->since_ns = old->since_ns;
	t->last_io_ns = old->last_io_ns;
	memcpy(t->state_ns, old->state_ns, sizeof(old->state_ns));
	t->key = old->key;
	t->tid = old->tid;
	t->tgid = old->tgid;
	t->state = old->state;
	t->syscall = old->syscall;
	memcpy(t->name, old->name, sizeof(t->name));
	t->h.type = REC_THREAD;
	t->h.len = sizeof(*t);
}

const struct rec_hdr *record_present(const struct rec_hdr *rec, struct rec_hdr *to)
{
	if (rec->type == REC_XCHG_1)
		present_xchg(rec, (void *)to);
	else
		present_thread(rec, (void *)to);
	return to;
}
