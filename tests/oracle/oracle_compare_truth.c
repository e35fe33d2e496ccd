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
 * A delay in a turn's last send (the client that it woke took the CPU) may lie before or after the
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

static void account_head(struct truth *t, const struct oracle_record *r)
{
	struct range a = t->start, wall, delay;
	int64_t b = r->prev_end_ns, throttled = r->read.throttled_ns;

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
	add(&t->cause[CAUSE_THROTTLE], throttled, throttled);
	add(&t->cause[CAUSE_RUNQ], delay.lo, delay.hi);
	add(&t->cause[CAUSE_CPU], max_ns(0, wall.lo - delay.hi - throttled),
	    max_ns(0, wall.hi - delay.lo - throttled));
}

static void account_own(struct truth *t, const struct oracle_record *r)
{
	/* the read, for an accepted connection the accept and its hand-over, and the waits */
	int64_t waits = 0, runq, cpu, stale = STALE_NS * (r->accept_ns ? 3 : 1);

	for (int i = 0; i < r->n_waits; i++) {
		const struct oracle_span *s = &r->waits[i].span;
		int64_t wait = max_ns(0, s->wall_ns - s->cpu_ns - s->delay_ns);

		stale += stale_ns(s);
		if (r->waits[i].cause == ORACLE_SPIN)
			continue; /* never blocks: what is left over was stolen from it */
		waits += wait;
		add(&t->cause[cause_of(r->waits[i].cause)], wait, wait);
	}
	runq = max_ns(0, r->own.delay_ns - r->own.throttled_ns);
	cpu = max_ns(0, r->own.wall_ns - r->own.delay_ns - waits);
	t->gap_ns = cpu - r->own.cpu_ns;
	add(&t->cause[CAUSE_THROTTLE], max_ns(0, r->own.throttled_ns - r->last_send_delay_ns),
	    r->own.throttled_ns);
	add(&t->cause[CAUSE_RUNQ], max_ns(0, runq - r->last_send_delay_ns - stale), runq + stale);
	add(&t->cause[CAUSE_CPU], max_ns(0, cpu - stale), cpu + stale);
}

void truth_account(struct truth *t, const struct oracle_record *r, const char *mode)
{
	int64_t b = r->prev_end_ns, early = b - r->prev_send_delay_ns, held;
	enum cause queue = strcmp(mode, "loop") ? CAUSE_QUEUE : CAUSE_LOOP;

	t->start.hi = min_ns(t->start.hi, r->read_done_ns);
	t->end.lo = r->end_ns - r->last_send_delay_ns;
	t->end.hi = r->end_ns;
	t->wall.lo = t->end.lo - t->start.hi;
	t->wall.hi = t->end.hi - t->start.lo;
	memset(t->cause, 0, sizeof(t->cause));
	add(&t->cause[queue], max_ns(0, early - t->start.hi), max_ns(0, b - t->start.lo));
	held = max_ns(0, b - max_ns(early, t->start.lo));
	add(&t->cause[CAUSE_RUNQ], 0, held);
	add(&t->cause[CAUSE_THROTTLE], 0, held);
	account_head(t, r);
	account_own(t, r);
}
