// SPDX-License-Identifier: GPL-2.0-only
/* The sizes that each type of record must have, in one table. */
#include "ingest/record.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

static const size_t fixed_bytes[] = {
	[REC_XCHG] = sizeof(struct rec_xchg),
	[REC_DATA] = sizeof(struct rec_data),
	[REC_WAIT] = sizeof(struct rec_wait),
	[REC_THREAD] = sizeof(struct rec_thread),
	[REC_TASK] = sizeof(struct rec_task),
	[REC_MARK] = sizeof(struct rec_mark),
	[REC_META] = sizeof(struct rec_meta),
	[REC_PROC] = sizeof(struct rec_proc),
	[REC_TICK] = sizeof(struct rec_tick),
	[REC_LOST] = sizeof(struct rec_lost),
	[REC_LABEL] = sizeof(struct rec_label),
	[REC_HOST] = sizeof(struct rec_host),
	[REC_STACK] = sizeof(struct rec_stack),
	[REC_IO] = offsetof(struct rec_io, limit_bps),
	[REC_RUNQ] = offsetof(struct rec_runq, other_ns),
	[REC_BEHIND] = offsetof(struct rec_behind, quota_us),
	[REC_NET] = offsetof(struct rec_net, send_wait_ns),
	[REC_WORK] = sizeof(struct rec_work),
	[REC_SYM] = sizeof(struct rec_sym),
};

/* Bytes behind the fixed fields; -EBADMSG when a length in them is beyond its array. */
static long variable_bytes(const struct rec_hdr *rec)
{
	if (rec->type == REC_XCHG) {
		const struct rec_xchg *x = (const void *)rec;

		if (x->rsp_len > sizeof(x->rsp) || x->tail_len > sizeof(x->tail))
			return -EBADMSG;
		return x->req_len;
	}
	if (rec->type == REC_DATA)
		return ((const struct rec_data *)(const void *)rec)->len;
	if (rec->type == REC_STACK) {
		const struct rec_stack *s = (const void *)rec;

		if (s->n_kernel > ABI_STACK_KERNEL_MAX || s->n_user > ABI_STACK_USER_MAX)
			return -EBADMSG;
		return ((long)s->n_kernel + s->n_user) * (long)sizeof(s->frames[0]);
	}
	return 0;
}

int record_check(const struct rec_hdr *rec)
{
	size_t types = sizeof(fixed_bytes) / sizeof(fixed_bytes[0]);
	long more;

	if (rec->len < sizeof(*rec))
		return -EBADMSG;
	if (rec->type >= types || !fixed_bytes[rec->type])
		return 0;
	/* The structs have no padding at their end: sizeof is where variable bytes begin. */
	if (rec->len < fixed_bytes[rec->type])
		return -EBADMSG;
	more = variable_bytes(rec);
	if (more < 0 || rec->len - fixed_bytes[rec->type] < (size_t)more)
		return -EBADMSG;
	return 1;
}

struct slice record_text(const uint8_t *field, size_t size)
{
	return (struct slice){ (const char *)field, strnlen((const char *)field, size) };
}

const uint8_t *record_ipv4(uint16_t family, const uint8_t *address)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (family == AF_INET)
		return address;
	if (family == AF_INET6 && !memcmp(address, mapped, sizeof(mapped)))
		return address + sizeof(mapped);
	return NULL;
}
