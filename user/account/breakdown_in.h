/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a breakdown is made from: measured at the I/O of the thread that serves the request. Each
 * slice is the thread's time before an I/O that was for this request; see breakdown.h.
 */
#ifndef TARDY_ACCOUNT_BREAKDOWN_IN_H
#define TARDY_ACCOUNT_BREAKDOWN_IN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "account/parts.h"
#include "bpf/abi.h"

/* A call made for the request. Times are absolute nanoseconds. */
struct breakdown_call {
	uint64_t start_ns; /* connect or return of the first send */
	uint64_t sent_ns; /* return of the last send */
	uint64_t arrival_ns; /* first byte of the answer arrived, 0 = not yet */
	uint64_t first_ns; /* it was read, 0 = not yet */
	uint64_t end_ns; /* last read; the request's end when there is none yet */
	const uint64_t *state_ns; /* STATE_COUNT, of the caller's thread */
	const uint64_t *slice_ns; /* SLICE_COUNT */
	const struct rec_idle (*idle)[2]; /* of each turn, as in rec_xchg; NULL = not known */
	enum cause cause; /* of its wait when the callee is not known: db, cache, upstream */
	uint32_t who, what; /* callee, or its address; statement, route */
	uint32_t net; /* what was unusual on its connection, 0 = nothing */
	/* the callee's own breakdown, when it is known; sums to child_wall_ns */
	const struct part *child;
	size_t n_child;
	uint64_t child_wall_ns;
	uint64_t
		child_late_ns; /* of it after the caller had the answer: its last send returned late */
	uint32_t child_service;
	bool lent; /* it was made by another thread, a worker: idle is not of the request's thread */
	bool child_is_store; /* its cpu is reported as `cause` and its parts carry `what` */
};

/* A wait inside the request that is known by name: it names time that states account for. */
struct breakdown_wait {
	uint64_t ns;
	uint32_t what, held_by;
	uint8_t cause; /* enum cause whose time it is: lock, disk, fault, runq, ipc, sleep */
	uint8_t as; /* enum cause that it is told as, 0 = the same */
	uint32_t count; /* of waits; 0 = one */
};

/* What another thread, a worker, did while the request's thread waited for it, or did other things. */
struct breakdown_work {
	uint64_t from_ns;
	uint64_t
		end_ns; /* 0: it is not known for how long it was at work for the request, if it was */
	uint64_t wait_ns; /* that wait began */
	enum thread_state state; /* what it waited in: poll, or a futex (ipc) */
	const uint64_t
		*state_ns; /* STATE_COUNT, of the worker; but for its calls, which have theirs */
};

/* A wait for a slot of a pool of connections, on an event loop: within [from_ns, to_ns], before the
 * first call. All zero: there was none, or it is not known. */
struct breakdown_slot {
	uint64_t from_ns, to_ns;
	uint64_t ns; /* of it; the rest is the loop's or its own */
	uint32_t what;
};

struct breakdown_in {
	uint64_t start_ns, end_ns;
	uint64_t read_first_ns, read_last_ns; /* 0 = nobody has read it yet */
	/* the thread that answers turned to it when another one had read of it; 0 = not known, or it
	 * has read it itself */
	uint64_t turned_ns;
	uint64_t sent_first_ns, sent_last_ns; /* 0 = nothing was sent yet */
	uint64_t send_wait_ns; /* between these its socket was full for so long */
	const uint64_t *state_ns; /* STATE_COUNT */
	const uint64_t *slice_ns; /* SLICE_COUNT */
	const struct rec_idle (*idle)[2]; /* of each turn, as in rec_xchg; NULL = not known */
	uint32_t who;
	bool stream; /* what it sends comes when it happens: nobody waits for it between */
	bool loop; /* its thread serves several connections at once */
	bool moves; /* requests of its process go on in other threads */
	bool woken; /* its first slice begins with a wakeup, not with work for another request */
	bool states_unknown; /* the thread's past before the first read is not known */
	uint32_t queue_what;
	struct breakdown_slot slot;
	uint32_t net; /* what was unusual on its own connection, 0 = nothing */
	uint32_t behind; /* route of the request that the thread served before this one */
	const struct breakdown_wait *waits;
	size_t n_waits;
	const struct breakdown_work *works;
	size_t n_works;
	struct breakdown_call *calls;
	size_t n_calls;
};
#endif
