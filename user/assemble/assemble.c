/* SPDX-License-Identifier: GPL-2.0-only */
/* The door: what comes in goes to the room of its kind. */
#include "assemble/assemble.h"

#include "assemble/detail.h"
#include "assemble/exchange.h"
#include "assemble/loss.h"
#include "assemble/mark.h"
#include "assemble/open.h"
#include "assemble/process.h"
#include "assemble/thread.h"
#include "assemble/tick.h"
#include "assemble/work.h"
#include "ingest/record.h"

struct assemble *assemble_new(assemble_request_fn fn, void *ctx)
{
	struct assemble *a = known_new();

	if (!a)
		return NULL;
	a->fn = fn;
	a->ctx = ctx;
	return a;
}

void assemble_free(struct assemble *a)
{
	known_free(a);
}

int assemble_record(struct assemble *a, const struct rec_hdr *rec)
{
	int sound = record_check(rec);

	a->counters.records++;
	if (sound != 1) {
		a->counters.malformed += sound < 0;
		return 0;
	}
	switch (rec->type) {
	case REC_XCHG:
		exchange_record(a, (const struct rec_xchg *)rec);
		break;
	case REC_DATA:
		exchange_data(a, (const struct rec_data *)rec);
		break;
	case REC_WAIT:
		detail_wait(a, (const struct rec_wait *)rec);
		break;
	case REC_IO:
		detail_io(a, (const struct rec_io *)rec);
		break;
	case REC_BEHIND:
		detail_behind(a, (const struct rec_behind *)rec);
		break;
	case REC_RUNQ:
		detail_runq(a, (const struct rec_runq *)rec);
		break;
	case REC_NET:
		detail_net(a, (const struct rec_net *)rec);
		break;
	case REC_WORK:
		work_record(a, (const struct rec_work *)rec);
		break;
	case REC_THREAD:
		thread_record(a, (const struct rec_thread *)rec);
		break;
	case REC_TASK:
		process_task(a, (const struct rec_task *)rec);
		break;
	case REC_MARK:
		mark_record(a, (const struct rec_mark *)rec);
		break;
	case REC_PROC:
		process_proc(a, (const struct rec_proc *)rec);
		break;
	case REC_LOST:
		loss_record(a, (const struct rec_lost *)rec);
		break;
	case REC_LABEL:
		mark_label(a, (const struct rec_label *)rec);
		break;
	case REC_TICK:
		tick(a, rec->ts_ns);
		break;
	}
	return 0;
}

void assemble_finish(struct assemble *a)
{
	tick_last(a);
}

void assemble_open(struct assemble *a, assemble_request_fn fn, void *ctx)
{
	open_each(a, fn, ctx);
}

bool assemble_knows_process(const struct assemble *a, uint32_t tgid)
{
	const struct proc *p = table_get(&a->procs, tgid);

	return p && p->known;
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
		out[i].workers += p->shared > 1 ? p->shared : 1;
	}
	return n;
}
