// SPDX-License-Identifier: GPL-2.0-only
/*
 * The assembler and the stacks on sequences of records that no kernel would write: a capture is a
 * file that somebody sends. Whatever comes, each request's parts sum to its wall time, its lists
 * are within their bounds, and no stack is unaccounted for.
 *
 * The first byte chooses the form of the rest: odd, records as they are in a capture; even, a
 * script in which each step makes one sound record of a few ids, times and messages, so that
 * records meet: the same exchange again, both ends of a connection, calls in calls.
 */
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "aggregate/stacks.h"
#include "assemble/assemble.h"
#include "base/intern.h"
#include "fuzz.h"
#include "ingest/record.h"

enum { STEPS_MAX = 4000, CALLS_SHOWN = 256, MARKS_SHOWN = 64 };

static struct stacks *stacks;

struct input {
	const uint8_t *at;
	size_t left;
};

static uint8_t byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static uint64_t number(struct input *in, size_t bytes)
{
	uint64_t n = 0;

	while (bytes--)
		n = n << 8 | byte(in);
	return n;
}

static void sink(void *ctx, const struct request *r)
{
	uint64_t sum = 0;

	MUST(r->end_ns >= r->start_ns);
	for (size_t i = 0; i < r->parts.n; i++) {
		MUST(r->parts.v[i].cause < CAUSE_COUNT);
		MUST(r->parts.v[i].ns <= r->end_ns - r->start_ns - sum);
		sum += r->parts.v[i].ns;
		intern_text(r->parts.v[i].what);
		intern_text(r->parts.v[i].via);
	}
	MUST(sum == r->end_ns - r->start_ns);
	MUST(r->n_calls <= CALLS_SHOWN && r->n_marks <= MARKS_SHOWN);
	for (uint32_t i = 0; i < r->n_calls; i++)
		MUST(intern_text(r->calls[i].what) && intern_text(r->calls[i].peer));
	MUST(intern_text(r->route) && intern_text(r->service));
	MUST((r->flags & REQUEST_OPEN) == (ctx ? REQUEST_OPEN : 0));
	if (!ctx)
		stacks_request(stacks, r, true);
}

/* A copy of exactly its size, so that reading behind it is found. */
static void give(struct assemble *a, const void *rec, size_t len)
{
	struct rec_hdr *copy = malloc(len);

	MUST(copy);
	memcpy(copy, rec, len);
	copy->len = (uint32_t)len;
	if (record_check(copy) == 1)
		stacks_record(stacks, copy);
	assemble_record(a, copy);
	free(copy);
}

static void run_raw(struct assemble *a, struct input *in)
{
	for (int i = 0; i < STEPS_MAX && in->left >= sizeof(struct rec_hdr); i++) {
		struct rec_hdr h;

		memcpy(&h, in->at, sizeof(h));
		if (h.len < sizeof(h))
			h.len = sizeof(h);
		if (h.len > in->left)
			h.len = (uint32_t)in->left;
		give(a, in->at, h.len);
		in->at += h.len;
		in->left -= h.len;
		if (i % 16 == 0)
			assemble_open(a, sink, in);
	}
}

/* ---- the script ---- */

#define M(text) \
	{ \
		(text), sizeof(text) - 1 \
	}

static const struct slice requests[] = {
	M(""),
	M("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
	M("GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\n\r\n"),
	M("PUT /c HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
	M("some body"),
	M("\0\0\0\x0d\0\3\0\0user\0"),
	M("Q\0\0\0\x0dSELECT 1\0"),
	M("P\0\0\0\x13s1\0SELECT 2\0\0\0\0"),
	M("B\0\0\0\xe\0s1\0\0\0\0\0\0\0E\0\0\0\x9\0\0\0\0\0S\0\0\0\4"),
	M("Q\0\0\0\x16"
	  "COPY t FROM STDIN\0"),
	M("d\0\0\0\6ab"),
	M("p\0\0\0\6ab"),
	M("X\0\0\0\4"),
	M("\1\1\0\1\0\x8\0\0\0\1\0\0\0\0\0\0\1\4\0\1\0\x10\0\0\xb\3SCRIPT_NAME/x.\1\4\0\1\0\0\0\0"),
	M("\3\1\2\3 what"),
};

static const struct slice answers[] = {
	M(""),
	M("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
	M("HTTP/1.1 100 Continue\r\n\r\n"),
	M("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	M("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"),
	M("HTTP/1.0 200 OK\r\n\r\nx"),
	M("C\0\0\0\x6X\0Z\0\0\0\5I"),
	M("R\0\0\0\x8\0\0\0\xa"),
	M("G\0\0\0\x7\0\0\0"),
	M("E\0\0\0\x6X\0Z\0\0\0\5E"),
	M("\1\6\0\1\0\4\0\0\r\n\r\n\1\3\0\1\0\x8\0\0\0\0\0\0\0\0\0\0"),
	M("huh"),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A moment: mostly of the present, seldom anything at all. */
static uint64_t moment(struct input *in, uint64_t now)
{
	uint8_t how = byte(in);

	if (how < 8)
		return 0;
	if (how < 10)
		return number(in, 8);
	return now + how * 1000000u - 128000000u;
}

static uint64_t span(struct input *in)
{
	uint8_t how = byte(in);

	return how == 255 ? number(in, 8) : how * 100000ull;
}

static void turn(struct input *in, struct rec_turn *t, uint64_t now, struct slice text)
{
	t->arrival_ns = moment(in, now);
	t->first_ns = moment(in, now);
	t->last_ns = t->first_ns + span(in);
	t->bytes = text.len;
	t->ops = byte(in) & 3;
	t->tid = byte(in) & 3;
}

static void fill_xchg(struct input *in, struct rec_xchg *x, uint64_t now, struct slice ask,
		      struct slice answer)
{
	size_t tail = answer.len < ABI_TAIL ? answer.len : ABI_TAIL;

	x->h.type = REC_XCHG;
	x->h.ts_ns = now;
	x->xid = byte(in) & 15;
	x->parent = byte(in) & 15;
	x->behind = byte(in) & 15;
	x->behind_after_ns = span(in);
	x->conn = byte(in) & 7;
	x->role = byte(in) % 3;
	x->seq = byte(in) & 7;
	x->tgid = byte(in) & 3;
	x->tid = byte(in) & 3;
	x->family = byte(in) & 1 ? AF_UNIX : AF_INET;
	x->lport = byte(in) & 3;
	x->rport = byte(in) & 3;
	x->sk = byte(in) & 3;
	x->peer_sk = byte(in) & 3;
	x->flags = (uint32_t)number(in, 2);
	turn(in, &x->turn[0], now, ask);
	turn(in, &x->turn[1], now, answer);
	for (size_t i = 0; i < SLICE_COUNT; i++)
		x->slice_ns[i] = span(in);
	for (size_t i = byte(in) & 3; i > 0; i--)
		x->state_ns[byte(in) % STATE_COUNT] = span(in);
	x->req_len = (uint16_t)ask.len;
	x->rsp_len = (uint16_t)answer.len;
	memcpy(x->rsp, answer.ptr, answer.len);
	memcpy(x->tail, answer.ptr + answer.len - tail, tail);
	x->tail_len = (uint8_t)tail;
}

static void step_xchg(struct assemble *a, struct input *in, uint64_t now)
{
	struct slice ask = requests[byte(in) % COUNT(requests)];
	struct slice answer = answers[byte(in) % COUNT(answers)];
	struct {
		struct rec_xchg x;
		char head[512];
	} rec = { 0 };

	MUST(ask.len <= sizeof(rec.head));
	fill_xchg(in, &rec.x, now, ask, answer);
	memcpy(rec.head, ask.ptr, ask.len);
	give(a, &rec, sizeof(rec.x) + ask.len);
}

static void step_thread(struct assemble *a, struct input *in, uint64_t now, bool wait)
{
	struct rec_wait w = { .h = { .type = REC_WAIT, .ts_ns = now } };
	struct rec_thread t = { .h = { .type = REC_THREAD, .ts_ns = now } };

	if (wait) {
		w.xid = byte(in) & 15;
		w.blocked_ns = span(in);
		w.waker_xid = byte(in) & 15;
		w.state = byte(in) & 31;
		w.flags = byte(in) & 3;
		memset(w.name, 'n', byte(in) & (sizeof(w.name) - 1));
		give(a, &w, sizeof(w));
		return;
	}
	t.xid = byte(in) & 15;
	t.last_io_ns = moment(in, now);
	t.state = byte(in) & 31;
	t.state_ns[byte(in) % STATE_COUNT] = span(in);
	give(a, &t, sizeof(t));
}

static void step_work(struct assemble *a, struct input *in, uint64_t now)
{
	struct rec_work w = { .h = { .type = REC_WORK, .ts_ns = now } };

	w.job = byte(in) & 15;
	w.xid = byte(in) & 15;
	w.from_ns = moment(in, now);
	w.end_ns = byte(in) & 1 ? moment(in, now) : 0;
	w.wait_ns = moment(in, now);
	w.after_ns = moment(in, now);
	w.state_ns[byte(in) % STATE_COUNT] = span(in);
	w.worker_tid = byte(in) & 3;
	w.tid = byte(in) & 3;
	w.turn = byte(in) & 3;
	w.state = byte(in) & 15;
	give(a, &w, sizeof(w));
}

static void step_other(struct assemble *a, struct input *in, uint64_t now, uint8_t what)
{
	struct rec_task task = { .h = { .type = REC_TASK, .ts_ns = now } };
	struct rec_proc proc = { .h = { .type = REC_PROC, .ts_ns = now }, .exe = "fpm8.2" };
	struct rec_lost lost = { .h = { .type = REC_LOST, .ts_ns = now } };
	struct rec_mark mark = { .h = { .type = REC_MARK, .ts_ns = now } };
	union {
		struct rec_data d;
		char room[sizeof(struct rec_data) + 256];
	} more = { .d = { .h = { .type = REC_DATA, .ts_ns = now } } };

	switch (what) {
	case 0:
		task.event = byte(in) & 3;
		task.tgid = byte(in) & 3;
		task.parent_tgid = byte(in) & 3;
		give(a, &task, sizeof(task));
		break;
	case 1:
		proc.tgid = byte(in) & 3;
		memcpy(proc.title, "x: pool p", byte(in) % 10);
		give(a, &proc, sizeof(proc));
		break;
	case 2:
		lost.kind = byte(in) & 15;
		lost.from_ns = moment(in, now);
		lost.to_ns = moment(in, now);
		give(a, &lost, sizeof(lost));
		break;
	case 3:
		mark.xid = byte(in) & 15;
		mark.label = byte(in) & 31;
		give(a, &mark, sizeof(mark));
		break;
	default:
		more.d.xid = byte(in) & 15;
		more.d.off = ABI_REQ_HEAD_MAX + (byte(in) & 3) * 128u;
		more.d.len = byte(in);
		give(a, &more, sizeof(more.d) + more.d.len);
	}
}

/* Few addresses and processes, so that some have names; sometimes more frames than there are, or
 * than a record may have. */
static void step_stack(struct assemble *a, struct input *in, uint64_t now, bool stack)
{
	struct rec_sym sym = { .h = { .type = REC_SYM, .ts_ns = now } };
	union {
		struct rec_stack r;
		char room[sizeof(struct rec_stack) + 256 * sizeof(uint64_t)];
	} rec = { .r = { .h = { .type = REC_STACK, .ts_ns = now } } };

	if (!stack) {
		sym.tgid = byte(in) & 3;
		sym.addr = byte(in) & 15;
		sym.flags = byte(in) & 7;
		memset(sym.text, 'a' + (byte(in) & 7), byte(in) % (sizeof(sym.text) + 1));
		give(a, &sym, sizeof(sym));
		return;
	}
	rec.r.xid = byte(in) & 15;
	rec.r.start_ns = moment(in, now);
	rec.r.ns = span(in);
	rec.r.tgid = byte(in) & 3;
	rec.r.kind = byte(in) & 3;
	rec.r.state = byte(in) & 31;
	rec.r.flags = byte(in);
	rec.r.n_kernel = byte(in) & 63;
	rec.r.n_user = byte(in) & 127;
	for (int i = 0; i < 4; i++)
		rec.r.frames[i] = byte(in) & 15;
	give(a, &rec,
	     sizeof(rec.r) + (rec.r.n_kernel + rec.r.n_user) * sizeof(uint64_t) - (byte(in) == 1));
}

static void run_script(struct assemble *a, struct input *in)
{
	uint64_t now = 1000000000000u;

	for (int i = 0; i < STEPS_MAX && in->left; i++) {
		uint8_t what = byte(in) & 15;
		struct rec_tick tick = { .h = { .type = REC_TICK } };

		now += byte(in) * 100000u;
		if (what < 6) {
			step_xchg(a, in, now);
		} else if (what == 6) {
			step_stack(a, in, now, byte(in) & 3);
		} else if (what == 8 && byte(in) & 1) {
			step_work(a, in, now);
		} else if (what < 9) {
			step_thread(a, in, now, what == 7);
		} else if (what < 14) {
			step_other(a, in, now, what - 9);
		} else {
			now += what == 15 ? byte(in) * 100000000ull : 0;
			tick.h.ts_ns = now;
			give(a, &tick, sizeof(tick));
			assemble_open(a, sink, in);
		}
	}
}

static void check_stacks(bool report)
{
	struct stacks_counters c = stacks_counters(stacks);
	struct stack_sums sums;
	uint64_t n = 0;

	MUST(!stacks_sum(stacks, 0, UINT64_MAX, NULL, 0, &sums));
	for (size_t i = 0; i < sums.n; i++) {
		struct stack_frames f = stacks_frames(stacks, sums.v[i].stack);

		MUST(sums.v[i].cause < CAUSE_COUNT && f.n > 0 && f.n_kernel <= f.n);
		MUST(f.n <= ABI_STACK_KERNEL_MAX + ABI_STACK_USER_MAX + 2);
		for (uint16_t k = 0; k < f.n; k++)
			MUST(*intern_text(f.v[k]));
		n += sums.v[i].samples;
	}
	/* live, what has left the window is in none of them */
	n += sums.unclaimed + sums.dropped + c.after_answer + c.dropped;
	MUST(report ? n == c.cpu_samples + c.waits : n <= c.cpu_samples + c.waits);
	stack_sums_release(&sums);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct stacks_options small = { .report = size & 1,
					.max_stacks = 16,
					.max_pending = 32,
					.max_known = 8,
					.max_sums = 16,
					.max_events = 16 };
	struct assemble_pool pools[4];
	struct assemble *a;

	intern_set_capacity(1 << 14); /* names outlive a run */
	a = assemble_new(sink, NULL);
	stacks = stacks_new(&small);
	MUST(a && stacks);
	if (byte(&in) & 1)
		run_raw(a, &in);
	else
		run_script(a, &in);
	MUST(assemble_pools(a, pools, COUNT(pools)) <= COUNT(pools));
	assemble_finish(a);
	assemble_open(a, sink, &in);
	assemble_free(a);
	check_stacks(small.report);
	stacks_free(stacks);
	return 0;
}
