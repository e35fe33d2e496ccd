/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/detail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assemble/holder.h"
#include "base/intern.h"
#include "ingest/record.h"

/* A phase of a disk wait below 1 / PHASE_SHARE of it is counted with the largest. */
enum { PHASE_SHARE = 50, WHAT_BYTES = 2 * ABI_NAME + 96, OPAQUE_RUN = 16, VERSION_DIGITS_MAX = 2 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Length of the word of letters and digits that begins at `at`. A number behind a digit and a dot
 * is a version's, not an id ("php-fpm8.2.log"). */
static size_t word_length(struct slice name, size_t at, bool *opaque)
{
	struct slice s = { name.ptr + at, name.len - at };
	bool version = at > 1 && s.ptr[-1] == '.' && is_digit(s.ptr[-2]);
	size_t n = 0, digits = 0;

	for (; n < s.len &&
	       (is_digit(s.ptr[n]) || ((s.ptr[n] | 32) >= 'a' && (s.ptr[n] | 32) <= 'z'));
	     n++)
		digits += is_digit(s.ptr[n]);
	*opaque = n >= OPAQUE_RUN || (n && digits == n && !(version && n <= VERSION_DIGITS_MAX));
	return n;
}

/* Appends name to out[n...] with words that look like an id as '*': numbers and what is long
 * ("sess_3vk0..." -> "sess_*", "user-42-1.bin" -> "user-*-*.bin"). */
static size_t put_name(char *out, size_t n, size_t cap, struct slice name)
{
	size_t i = 0;

	while (i < name.len && n + 2 < cap) {
		bool opaque;
		size_t word = word_length(name, i, &opaque);

		if (opaque) {
			out[n++] = '*';
			i += word;
			continue;
		}
		if (!word)
			word = 1;
		if (word > cap - 1 - n)
			word = cap - 1 - n;
		memcpy(out + n, name.ptr + i, word);
		n += word;
		i += word;
	}
	return n;
}

static uint32_t what_of(const char *lead, struct slice name)
{
	char out[WHAT_BYTES];
	size_t n = (size_t)snprintf(out, sizeof(out), "%s", lead);

	return intern((struct slice){ out, put_name(out, n, sizeof(out), name) });
}

uint32_t detail_lock_what(struct slice name)
{
	return name.len ? what_of("file ", name) : intern_str("futex");
}

static bool process_hands_over(const struct assemble *a, uint32_t tgid)
{
	const struct proc *p = table_get(&a->procs, tgid);

	return p && p->handed;
}

/* Had the worker answered request xid at `at`? Then it may be at another one that it was handed. */
static bool is_after(const struct assemble *a, uint64_t xid, uint32_t tgid, uint64_t at)
{
	const struct node *n = process_hands_over(a, tgid) ? node_find(a, xid) : NULL;

	return n &&
	       (node_done(n) || (node_answered(n) && n->text.ended && at >= n->x.turn[1].last_ns));
}

/* Has the thread only read it, and left the answer to another one? */
static bool is_readers(const struct assemble *a, uint64_t xid, uint32_t tid)
{
	const struct node *n = node_find(a, xid);

	return n && node_seen(n) && n->x.role == ROLE_ACCEPTED && n->x.turn[1].arrival_ns &&
	       n->x.turn[1].tid != tid;
}

/* A place for one more wait of request xid; NULL when there is none. */
static struct wait *wait_add(struct assemble *a, uint64_t xid, uint64_t ts_ns, enum cause cause,
			     uint64_t ns)
{
	struct node *n = xid && ns ? node_make(a, xid, ts_ns) : NULL;
	struct wait *w;

	if (!n)
		return NULL;
	if (node_done(n)) {
		a->counters.late++;
		return NULL;
	}
	if (!n->waits)
		n->waits = calloc(WAITS_MAX, sizeof(*n->waits));
	if (!n->waits)
		return NULL;
	if (n->n_waits == WAITS_MAX) {
		/* the latest of the same cause stands for those that find no place */
		for (w = &n->waits[WAITS_MAX - 1]; w >= n->waits; w--)
			if (w->cause == cause) {
				w->ns += ns;
				break;
			}
		return NULL;
	}
	w = &n->waits[n->n_waits++];
	*w = (struct wait){ .ns = ns, .count = 1, .cause = (uint8_t)cause };
	n->parts_end_ns = 0;
	return w;
}

/* A wait in futex() for no mutex: for another thread, by a condition variable or a semaphore. Some
 * programs are known to make their locks of these. */
static void wait_thread(struct assemble *a, struct wait *w, const struct rec_wait *r)
{
	const struct proc *p = proc_of(a, r->tgid);

	w->what = intern_str(!w->held                 ? "futex" :
			     r->waker_tgid == r->tgid ? "another thread" :
							"another process");
	if (!p || !w->held)
		return;
	if (p->interpreter == INTERPRETER_PYTHON && r->flags & WAIT_SHORT) {
		w->as = CAUSE_LOCK;
		w->what = intern_str("GIL");
		w->key = r->tgid; /* one for the process */
	} else if (p->store) {
		w->as = CAUSE_LOCK;
		w->what = intern_str("lightweight lock");
	}
}

/* A wait in futex() that ended by its timeout. As short as this it may have asked for the lock of its
 * interpreter, which was released just then; else its time is a sleep. */
static bool wait_timed(struct assemble *a, struct wait *w, const struct rec_wait *r)
{
	static const uint64_t asks_again_ns[] = {
		[INTERPRETER_PYTHON] = 10000000, [INTERPRETER_RUBY] = 120000000
	};
	const struct proc *p = proc_of(a, r->tgid);

	if (!p || r->blocked_ns > asks_again_ns[p->interpreter])
		return false;
	w->as = CAUSE_OTHER;
	w->what = intern_str("timed wait");
	return true;
}

static void handed_remember(struct assemble *a, const struct rec_wait *r, const struct wait *w)
{
	if (!a->handed_waits)
		a->handed_waits = calloc(HANDED_WAITS_MAX, sizeof(*a->handed_waits));
	if (a->handed_waits)
		a->handed_waits[a->handed_wait_at++ % HANDED_WAITS_MAX] = (struct handed_wait){
			.tid = r->tid, .tgid = r->tgid, .ts_ns = r->h.ts_ns, .wait = *w
		};
}

/* Rings of several CPUs are read one after another: so much may an older record follow. */
#define UNORDERED_NS 1000000000ull

void detail_handed(struct assemble *a, struct node *n)
{
	const struct rec_turn *sent = &n->x.turn[1];
	uint32_t at = a->handed_wait_at, n_waits = at < HANDED_WAITS_MAX ? at : HANDED_WAITS_MAX;

	n->n_waits = 0; /* of who has read it, meanwhile */
	for (uint32_t i = 1; i <= n_waits; i++) {
		struct handed_wait *h = &a->handed_waits[(at - i) % HANDED_WAITS_MAX];
		struct wait *to;

		if (h->ts_ns + UNORDERED_NS < sent->arrival_ns)
			return;
		if (h->tid != sent->tid || h->tgid != n->x.tgid ||
		    h->wait.start_ns < sent->arrival_ns || h->ts_ns > sent->first_ns)
			continue;
		to = wait_add(a, n->x.xid, h->ts_ns, h->wait.cause, h->wait.ns);
		if (to)
			*to = h->wait;
		h->tid = 0;
	}
}

void detail_wait(struct assemble *a, const struct rec_wait *r)
{
	struct wait *to, w = { .ns = r->blocked_ns,
			       .count = 1,
			       .start_ns = r->start_ns,
			       .key = r->key,
			       .waker_xid = r->waker_xid,
			       .held = r->flags & WAIT_HELD };
	const struct node *n;
	bool after;

	if (!r->xid || is_readers(a, r->xid, r->tid))
		return;
	switch (r->state) {
	case STATE_LOCK:
		w.cause = CAUSE_LOCK;
		w.what = detail_lock_what(record_text(r->name, sizeof(r->name)));
		break;
	case STATE_POLL: /* of a PostgreSQL backend; holder_settle() decides what it was */
		w.cause = CAUSE_OTHER;
		w.what = intern_str("poll");
		if (r->flags & WAIT_TIMED_OUT) {
			w.as = CAUSE_SLEEP;
			w.what = 0;
		} else if (w.held && w.waker_xid) {
			w.as = CAUSE_LOCK;
			w.what = 0;
		}
		if (w.held && w.waker_xid)
			holder_note(a, w.waker_xid, r->h.ts_ns);
		break;
	case STATE_IPC:
		w.cause = CAUSE_IPC;
		wait_thread(a, &w, r);
		break;
	case STATE_SLEEP:
		w.cause = CAUSE_SLEEP;
		if (wait_timed(a, &w, r))
			break;
		return;
	default:
		return;
	}
	if (w.held && wait_told_as(&w) == CAUSE_LOCK)
		holder_remember(a, r->xid, &w);
	after = is_after(a, r->xid, r->tgid, r->start_ns);
	n = node_find(a, r->xid);
	/* one that is not known is yet to come, or long gone */
	if (process_hands_over(a, r->tgid) && (after || !n || !node_seen(n)))
		handed_remember(a, r, &w);
	if (after)
		return;
	to = wait_add(a, r->xid, r->h.ts_ns, w.cause, w.ns);
	if (to)
		*to = w;
}

/* ---- disk ---------------------------------------------------------------------------------- */

static const char *io_operation(uint32_t flags)
{
	if (flags & IO_FLUSH)
		return "flush";
	if (!(flags & IO_WRITE))
		return "read";
	return flags & IO_SYNC ? "sync write" : "write";
}

static void io_part(struct assemble *a, const struct rec_io *r, const char *phase, uint64_t ns)
{
	struct slice disk = record_text(r->disk, sizeof(r->disk));
	struct slice name = record_text(r->name, sizeof(r->name));
	enum cause cause = r->state == STATE_FAULT ? CAUSE_FAULT : CAUSE_DISK;
	struct wait *w = wait_add(a, r->xid, r->h.ts_ns, cause, ns);
	char lead[WHAT_BYTES - ABI_NAME];

	if (!w)
		return;
	w->start_ns = r->start_ns;
	if (r->flags & IO_SEEN)
		snprintf(lead, sizeof(lead), "%.*s %s%s%s%s", (int)disk.len, disk.ptr,
			 io_operation(r->flags), *phase ? " " : "", phase, name.len ? ": " : "");
	else if (r->flags & IO_JOURNAL)
		snprintf(lead, sizeof(lead), "journal%s", name.len ? ": " : "");
	else if (r->flags & IO_WRITEBACK)
		snprintf(lead, sizeof(lead), "writeback%s", name.len ? ": " : "");
	else
		snprintf(lead, sizeof(lead), "%s", name.len ? "file " : "");
	w->what = *lead || name.len ? what_of(lead, name) : 0;
}

/* "8.39 MB/s", "100 IO/s", or both: which of them it was is not known. */
static void put_limit(char *out, size_t cap, const struct rec_io *r)
{
	static const char *const units[] = { "B", "kB", "MB", "GB" };
	double bps = (double)r->limit_bps;
	size_t unit = 0;
	int n = 0;

	for (; bps >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		bps /= 1000;
	if (r->limit_bps)
		n = snprintf(out, cap, "%.3g %s/s%s", bps, units[unit],
			     r->limit_iops ? " or " : "");
	if (r->limit_iops)
		snprintf(out + n, cap - (size_t)n, "%llu IO/s", (unsigned long long)r->limit_iops);
}

/* "held by limit 8.39 MB/s of uploads.service"; just "held" where the limit is not known. */
static void put_held(char *out, size_t cap, const struct rec_io *r)
{
	struct slice group;
	char limit[48];
	int n;

	snprintf(out, cap, "held");
	if (r->h.len < sizeof(*r) || !*r->group || !(r->limit_bps || r->limit_iops))
		return;
	group = record_text(r->group, sizeof(r->group));
	put_limit(limit, sizeof(limit), r);
	n = snprintf(out, cap, "held by limit %s of ", limit);
	out[put_name(out, (size_t)n, cap, group)] = 0;
}

/* Splits a wait by the phases of the block request that ended it. */
void detail_io(struct assemble *a, const struct rec_io *r)
{
	char held[WHAT_BYTES - ABI_NAME];
	const char *const names[] = { held, "queued", "in device", "" };
	enum { PHASES = sizeof(names) / sizeof(names[0]) };
	uint64_t ns[PHASES] = { r->held_ns, r->queue_ns, r->service_ns, 0 }, left = r->blocked_ns;
	size_t most = 0;

	if ((r->state != STATE_DISK && r->state != STATE_FAULT) || is_readers(a, r->xid, r->tid) ||
	    is_after(a, r->xid, r->tgid, r->start_ns))
		return;
	for (size_t i = 0; i < PHASES; i++) { /* a damaged record may claim more */
		ns[i] = i == PHASES - 1 || ns[i] > left ? left : ns[i];
		left -= ns[i];
		if (ns[i] > ns[most])
			most = i;
	}
	for (size_t i = 0; i < PHASES; i++)
		if (i != most && ns[i] < r->blocked_ns / PHASE_SHARE) {
			ns[most] += ns[i];
			ns[i] = 0;
		}
	put_held(held, sizeof(held), r);
	for (size_t i = 0; i < PHASES; i++)
		io_part(a, r, names[i], ns[i]);
}

/* ---- CPU and network ----------------------------------------------------------------------- */

/* Time of xid's waits for a CPU: there may be many, so one entry for each name. */
static void cpu_wait_add(struct assemble *a, uint64_t xid, uint64_t ts_ns, enum cause cause,
			 uint64_t ns, uint32_t what)
{
	struct node *n = ns ? node_find(a, xid) : NULL;
	struct wait *w;

	for (uint32_t i = 0; n && !node_done(n) && i < n->n_waits; i++)
		if (n->waits[i].cause == cause && n->waits[i].what == what) {
			n->waits[i].ns += ns;
			n->waits[i].count++;
			n->parts_end_ns = 0;
			return;
		}
	if (n && n->n_waits == WAITS_MAX)
		return; /* not under another's name */
	w = wait_add(a, xid, ts_ns, cause, ns);
	if (w)
		w->what = what;
}

/* "quota 0.5 CPU of nginx.service" */
static uint32_t quota_what(const struct rec_behind *r)
{
	char lead[48];

	snprintf(lead, sizeof(lead), "quota %.3g CPU of ",
		 (double)r->quota_us / (double)r->period_us);
	return what_of(lead, record_text(r->group, sizeof(r->group)));
}

void detail_behind(struct assemble *a, const struct rec_behind *r)
{
	uint64_t left = r->runq_ns > r->throttle_ns ? r->runq_ns - r->throttle_ns : 0, sum = 0;
	uint64_t ns[ABI_BEHIND_MAX + 1];

	if (is_readers(a, r->xid, r->tid) || is_after(a, r->xid, r->tgid, r->start_ns))
		return;
	for (size_t i = 0; i <= ABI_BEHIND_MAX; i++) {
		ns[i] = i < ABI_BEHIND_MAX ? r->by[i].ns : r->stolen_ns;
		ns[i] = ns[i] < r->runq_ns ? ns[i] : r->runq_ns;
		sum += ns[i];
	}
	/* while a quota held the thread back it was behind nobody */
	for (size_t i = 0; i <= ABI_BEHIND_MAX && sum > left; i++)
		ns[i] = (uint64_t)((double)ns[i] / (double)sum * (double)left);
	for (size_t i = 0; i < ABI_BEHIND_MAX && ns[i]; i++)
		cpu_wait_add(a, r->xid, r->h.ts_ns, CAUSE_RUNQ, ns[i],
			     what_of("behind ", record_text(r->by[i].comm, ABI_COMM)));
	cpu_wait_add(a, r->xid, r->h.ts_ns, CAUSE_RUNQ, ns[ABI_BEHIND_MAX],
		     intern_str("behind interrupts or a hypervisor"));
	if (r->h.len >= sizeof(*r) && r->quota_us && r->period_us)
		cpu_wait_add(a, r->xid, r->h.ts_ns, CAUSE_THROTTLE,
			     r->throttle_ns < r->runq_ns ? r->throttle_ns : r->runq_ns,
			     quota_what(r));
}

void detail_runq(struct assemble *a, const struct rec_runq *r)
{
	uint64_t ns = r->runq_ns - (r->throttle_ns < r->runq_ns ? r->throttle_ns : r->runq_ns);

	if (!r->other_tgid) /* nobody: the CPU was idle when the thread got it */
		return;
	/* Only while it had the CPU; who had it before is not known. Older records do not tell. */
	if (r->h.len >= sizeof(*r) && r->other_ns < ns)
		ns = r->other_ns;
	cpu_wait_add(a, r->xid, r->h.ts_ns, CAUSE_RUNQ, ns,
		     what_of("behind ", record_text(r->other, sizeof(r->other))));
}

void detail_net(struct assemble *a, const struct rec_net *r)
{
	struct node *n = r->xid ? node_make(a, r->xid, r->h.ts_ns) : NULL;
	struct conn *c = conn_find(a, r->conn);

	if (c)
		c->srtt_us = r->srtt_us;
	if (!n || node_done(n))
		return;
	if (!n->net)
		n->net = malloc(sizeof(*n->net));
	if (n->net)
		*n->net = (struct request_net){ .connect_ns = r->connect_ns,
						.peer_window_ns = r->peer_window_ns,
						.gap_max_ns = r->gap_max_ns,
						.srtt_us = r->srtt_us,
						.rttvar_us = r->rttvar_us,
						.retransmits = r->retransmits,
						.gaps = r->gaps,
						.send_wait_ns = r->h.len >= sizeof(*r) ?
									r->send_wait_ns :
									0 };
}

/* 1, 2, 5, 10, ...: few texts for many round trips. */
static uint32_t about_ms(uint32_t us)
{
	uint32_t ms = us / 1000, scale = 1;

	while (ms >= 10 * scale)
		scale *= 10;
	return ms >= 5 * scale ? 5 * scale : ms >= 2 * scale ? 2 * scale : scale;
}

struct request_net detail_net_of(const struct node *n)
{
	struct request_net net = { 0 };

	if (n->net)
		net = *n->net;
	if (!net.srtt_us && n->conn)
		net.srtt_us = n->conn->srtt_us;
	return net;
}

uint32_t detail_net_what(const struct node *n)
{
	struct request_net net = detail_net_of(n);
	char out[WHAT_BYTES] = "";
	int at = 0;

	if (net.srtt_us >= 1000)
		at = snprintf(out, sizeof(out), "rtt ~%ums", about_ms(net.srtt_us));
	if (net.retransmits)
		at += snprintf(out + at, sizeof(out) - (size_t)at, "%sretransmits", at ? ", " : "");
	if (net.peer_window_ns)
		at += snprintf(out + at, sizeof(out) - (size_t)at, "%speer window full",
			       at ? ", " : "");
	return at ? intern_str(out) : 0;
}
