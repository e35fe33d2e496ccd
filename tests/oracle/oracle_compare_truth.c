/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the server's marks and the client's send to what each cause's time must be.
 *
 *	arrival ........ boundary .......... read done ......................... end
 *	|-- queue/loop --|-- head: runq, cpu --|-- own: causes, runq, cpu ----------|
 *
 * arrival lies in the client's send call. boundary is the end of the serving thread's previous
 * turn, when that was after the arrival; else there is no queue, and the head begins at arrival.
 * In the head nothing blocks: the thread is woken by the data, or finds it there.
 *
 * What a thread did not run in a turn's last send (the client that it woke took the CPU) may lie before or after the
 * bytes were sent, which end the turn: it may be the request's own, or the next one's, or nobody's.
 */
#define _GNU_SOURCE
#include "oracle_compare.h"
#include <math.h>
#include <string.h>

/* schedstat's clock is up to 10 us stale at a switch, and each wait has two: so much of what it
 * says may be cpu instead of run queue or wait, or the reverse. One cause may be many waits (a slow
 * reader lets a sender go on for some segments at a time); the kernel counts them, and as each is off
 * by itself, their sum is off by the root of their number. */
#define STALE_NS 20000

static int64_t stale_ns(const struct oracle_span *wait)
{
	return (int64_t)(STALE_NS * sqrt(wait->blocked > 1 ? (double)wait->blocked : 1));
}

static int64_t max_ns(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t min_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void add(struct range *to, int64_t lo, int64_t hi)
{
	to->lo += lo;
	to->hi += hi;
}

/* What the thread ran (oracle_truth.h). */
static struct range ran(const struct oracle_span *s)
{
	if (!s->exec_ns)
		return (struct range){ s->cpu_ns, s->cpu_ns };
	return (struct range){ min_ns(s->cpu_ns, s->exec_ns), max_ns(s->cpu_ns, s->exec_ns) };
}

/* A thread that is woken to an idle processor gets there by an interrupt. To tardy it is runnable
 * from its wakeup on; its delay begins when the interrupt has come: what lies between, of a wait
 * that took `blocked` or more by that. */
static int64_t late_ns(const struct oracle_wait *w, struct range on, int64_t blocked)
{
	return w->woken_ns ? max_ns(0, blocked - max_ns(0, w->woken_ns - on.hi)) : 0;
}

static enum cause cause_of(int oracle_cause)
{
	static const char *const names[] = {
#define X(id, letter, name, help) [CAUSE_##id] = name,
		CAUSES(X)
#undef X
	};

	for (int i = 0; i < CAUSE_COUNT; i++)
		if (!strcmp(names[i], oracle_cause_tardy(oracle_cause)))
			return i;
	return CAUSE_UNKNOWN;
}

/*
 * The thread slept in its read: what it did not run since the arrival it was runnable, from the
 * wakeup on. schedstat starts later when the thread is woken on an idle CPU: the wakeup goes there
 * by an interrupt, and the CPU leaves its idle state first (tens of microseconds on a guest), all
 * before the thread is enqueued. What it ran is at most the read's CPU time, of which entering the
 * read and going to sleep, before the arrival, is an unknown part.
 */
static struct range woken_delay(const struct oracle_record *r, struct range wall)
{
	struct range d = { r->read.delay_ns, r->read.delay_ns };

	d.lo = max_ns(d.lo, min_ns(wall.lo - r->read.cpu_ns, wall.lo));
	d.hi = max_ns(d.hi, wall.hi);
	return d;
}

/* A thread of a pool: when another one woke it for this request. */
static struct range handed(const struct oracle_record *r)
{
	return (struct range){ r->hand_ns, min_ns(r->handed_ns, r->read_done_ns) };
}

/* ... and when it had begun to wait for that, at the latest. */
static int64_t waits_from(const struct oracle_record *r)
{
	return r->read_call_ns + r->read.cpu_ns + r->read.delay_ns;
}

static void account_head(struct truth *t, const struct oracle_record *r, enum cause queue,
			 bool pool)
{
	struct range a = r->hand_ns ? handed(r) : t->start, wall, delay;
	int64_t b = r->prev_end_ns, throttled = r->read.throttled_ns;
	/* A worker or a loop that turns from one connection to another without a wait: how much of
	 * that is work for the one before is for no clock to say. Neither is it for the thread of a
	 * pool that had not begun to wait when the request arrived. */
	bool busy = pool ? !r->hand_ns || waits_from(r) >= t->start.lo :
			   (r->accept_ns || queue == CAUSE_LOOP) && b >= a.hi;

	wall.lo = r->read_done_ns - max_ns(a.hi, b);
	wall.hi = r->read_done_ns - max_ns(a.lo, b);
	if (b >= a.hi) {
		/* all of the thread since its previous turn belongs to this request */
		delay.lo = delay.hi = r->head.delay_ns;
		throttled = r->head.throttled_ns;
	} else if (b > a.lo) {
		delay.lo = 0;
		delay.hi = r->head.delay_ns;
	} else if (r->accept_ns && a.lo < r->accept_ns) {
		/* woken by the connection, the data came while it was still runnable */
		delay = woken_delay(r, wall);
		delay.lo = r->read.delay_ns;
		delay.hi = max_ns(delay.hi, r->read.delay_ns + r->accept.delay_ns);
	} else {
		delay = woken_delay(r, wall);
	}
	throttled = min_ns(throttled, delay.lo);
	delay.lo = min_ns(delay.lo - throttled, wall.hi);
	delay.hi = min_ns(delay.hi - throttled, wall.hi);
	add(&t->cause[CAUSE_THROTTLE], busy ? 0 : throttled, throttled);
	add(&t->cause[CAUSE_RUNQ], busy ? 0 : delay.lo, delay.hi);
	add(&t->cause[CAUSE_CPU], busy ? 0 : max_ns(0, wall.lo - delay.hi - throttled),
	    max_ns(0, wall.hi - delay.lo - throttled));
	add(&t->cause[queue], 0, busy ? max_ns(0, wall.hi) : 0);
}

static void account_own(struct truth *t, const struct oracle_record *r)
{
	/* the read, for an accepted connection the accept and its hand-over, and the waits */
	int64_t waits = 0, runq, runq_late = 0, runq_others = 0,
		stale = STALE_NS * (r->accept_ns ? 3 : 1);
	struct range own = ran(&r->own);
	bool turns = false;

	for (int i = 0; i < r->n_waits; i++) {
		const struct oracle_span *s = &r->waits[i].span;
		int64_t off = s->wall_ns - s->delay_ns, lo, hi, late, own_late, others;
		struct range on = ran(s);

		stale += stale_ns(s);
		if (r->waits[i].cause == ORACLE_SPIN)
			continue; /* never blocks */
		waits += max_ns(0, off - s->cpu_ns);
		t->unwoken |= !r->waits[i].woken_ns;
		t->waited |= 1u << cause_of(r->waits[i].cause);
		hi = max_ns(0, off - on.lo);
		lo = max_ns(0, off - on.hi);
		own_late = late_ns(&r->waits[i], on, lo);
		late = own_late;
		/* In the run queue for its own sake, or for others' whose wakeup ended the wait of
		 * the thread, but not that of the request. What the thread did for them is the
		 * loop's where it went on beyond what this request waited for; and so is what it
		 * did for this one before it did for them, as no I/O tells them apart. */
		others = r->waits[i].shared ? s->delay_ns : 0;
		late += min_ns(lo - late, r->waits[i].foreign_ns);
		turns |= r->waits[i].shared;
		add(&t->cause[CAUSE_LOOP], 0, r->waits[i].foreign_ns + others);
		add(&t->cause[cause_of(r->waits[i].cause)], lo - late, hi + others);
		runq_late += own_late;
		runq_others += others;
	}
	runq = max_ns(0, r->own.delay_ns - r->own.throttled_ns);
	t->gap_ns = r->own.wall_ns - r->own.delay_ns - waits - r->own.cpu_ns;
	add(&t->cause[CAUSE_THROTTLE], max_ns(0, r->own.throttled_ns - r->last_send_off_ns),
	    r->own.throttled_ns);
	add(&t->cause[CAUSE_RUNQ], max_ns(0, runq - runq_others - r->last_send_off_ns - stale),
	    runq + max_ns(0, r->own.exec_ns - r->own.cpu_ns) + runq_late + stale);
	add(&t->cause[CAUSE_CPU], turns ? 0 : max_ns(0, own.lo - stale), own.hi + stale);
	add(&t->cause[CAUSE_LOOP], 0, turns ? own.hi : 0);
}

void truth_account(struct truth *t, const struct oracle_record *r, const char *mode)
{
	int64_t b = r->prev_end_ns, early = b - r->prev_send_off_ns, held;
	enum cause queue = strcmp(mode, "loop") ? CAUSE_QUEUE : CAUSE_LOOP;
	struct range turned = r->hand_ns ? handed(r) : (struct range){ early, b };

	t->start.hi = min_ns(t->start.hi, r->read_done_ns);
	t->end.lo = r->end_ns - r->last_send_off_ns;
	t->end.hi = r->end_ns;
	t->wall.lo = t->end.lo - t->start.hi;
	t->wall.hi = t->end.hi - t->start.lo;
	memset(t->cause, 0, sizeof(t->cause));
	add(&t->cause[queue], max_ns(0, turned.lo - t->start.hi),
	    max_ns(0, turned.hi - t->start.lo));
	held = max_ns(0, b - max_ns(early, t->start.lo));
	add(&t->cause[CAUSE_RUNQ], 0, held);
	add(&t->cause[CAUSE_THROTTLE], 0, held);
	account_head(t, r, queue, !strcmp(mode, "pool"));
	account_own(t, r);
}

int64_t truth_after_ns(const struct oracle_record *r, const struct oracle_record *next)
{
	int64_t from = next->accept_call_ns ? next->accept_call_ns : next->read_call_ns;
	const struct oracle_span *a = &next->accept, *b = &next->read;

	/* without a wait; a loop may have waited before it did both */
	if ((!a->blocked && !b->blocked) || from < r->end_ns)
		return next->read_done_ns - r->end_ns + r->last_send_off_ns;
	return from - r->end_ns + r->last_send_off_ns + a->cpu_ns + a->delay_ns + b->cpu_ns +
	       b->delay_ns;
}
