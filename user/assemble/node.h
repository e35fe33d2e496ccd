/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the assembler: what an exchange (node), a connection, a process, a thread are to it.
 * Types only; known.h has the tables that hold them.
 */
#ifndef TARDY_ASSEMBLE_NODE_H
#define TARDY_ASSEMBLE_NODE_H
#include "account/breakdown_in.h"
#include "account/causes.h"
#include "account/parts.h"
#include "assemble/end_reason.h"
#include "assemble/message.h"
#include "assemble/request.h"
#include "bpf/abi.h"

enum {
	NODES_MAX = 1 << 18,
	CONNS_MAX = 1 << 17,
	PROCS_MAX = 1 << 16,
	NAMES_MAX = 1 << 16,
	LISTENERS_MAX = 4096,
	WAITS_MAX = 128, /* of one request; further ones are merged into the last */
	CALLS_KEPT = 256, /* of one request, in what the sink gets */
	CALLS_MAX = 20000, /* of one request, accounted */
	MARKS_MAX = 64,
	WORKS_MAX = 64, /* of one request */
	LOCK_WAITS_MAX = 8192, /* remembered of all requests */
	HANDED_WAITS_MAX = 1024, /* the same, of workers between two requests */
	HOLDERS_MAX = 8, /* that one wait is split among */
	JOIN_DEPTH = 16,
	SLOT_PEERS_MAX = 1024,
	SLOT_CALLS = 64, /* remembered of each */
};

/* Those whose threads have one lock for all, which they ask for in timed waits. */
enum interpreter { INTERPRETER_NONE, INTERPRETER_PYTHON, INTERPRETER_RUBY };

struct proc {
	uint32_t service, pool;
	uint32_t parent_tgid;
	bool known; /* a REC_PROC came */
	bool serves, exited;
	uint64_t exit_ns;
	uint32_t shared; /* threads of it that have served more than one connection */
	bool loops; /* one of its threads serves several connections at once */
	bool migrates; /* a request of its went on in another thread */
	/* answers by another thread than the one that has read the request: a worker of a pool, which
	 * works for one request at a time; or it is not known where it went on meanwhile */
	uint32_t handed, migrated;
	bool store; /* speaks a database's protocol */
	enum interpreter interpreter;
};

/* A thread that reads requests and answers them: tells loops from pools. */
struct worker {
	uint64_t served; /* requests so far */
	uint64_t conn, first_ns, last_ns; /* of the latest */
	uint32_t tgid;
	bool shared; /* it has served more than one connection */
	bool polls; /* when it has nothing to do it waits for any of several descriptors */
	bool returns; /* it turned to a connection again after it had served others */
	bool overlaps; /* it had two requests open at once */
};

/* What is kept of an exchange beyond its life. */
struct name {
	uint32_t route;
	bool moved; /* it went on in another thread */
	uint64_t last_ns; /* its last I/O; 0 while it lives */
};

/* Who reads what arrives at a listening address. */
struct listener {
	uint32_t service, pool;
};

struct conn {
	uint64_t id;
	uint64_t peer; /* id of the other end when it is on this host, 0 = not known */
	uint64_t pair_key, listener_key;
	uint64_t path_key; /* of the listener's path, Unix only; 0 = none or not known */
	uint64_t last_ns; /* of the last record */
	uint64_t born_ns; /* its first exchange began; 0 = not seen */
	uint8_t role;
	uint32_t tid; /* last thread that read a request */
	uint64_t served_at; /* that thread's count then */
	struct text_state text;
	bool used; /* it had an exchange */
	bool gone; /* it was closed */
	struct node *newest; /* of its exchanges, chained by older */
	struct node *joined; /* where the next search for a join begins; NULL = at the newest */
	uint32_t srtt_us; /* round trip, 0 = not known or within this host */
	uint64_t done_seqs; /* exchanges before this number are finished and gone */
	uint64_t unbound_seqs; /* calls before this number were counted if they are in no request */
	/* arrived, not read by anybody */
	uint64_t pending_ns; /* arrival, 0 = none */
	uint64_t pending_seen_ns;
	bool pending_before; /* it was there when tardy came */
};

struct wait {
	uint64_t ns;
	uint64_t start_ns, key;
	uint64_t waker_xid;
	uint32_t what, count;
	uint8_t cause; /* enum cause whose time it is: lock, disk, fault, runq, throttle, ipc, sleep */
	uint8_t as; /* enum cause that it is told as, 0 = the same */
	bool held; /* lock, ipc: the waker released it */
};

static inline enum cause wait_told_as(const struct wait *w)
{
	return (enum cause)(w->as ? w->as : w->cause);
}

/* What another thread did for a request, see work.h; times and sums as in rec_work. */
struct work {
	uint64_t xid, from_ns, end_ns, wait_ns, after_ns; /* end_ns 0: its end was not seen (yet) */
	uint64_t state_ns[STATE_COUNT];
	uint64_t turn; /* of the loop, from 1; 0 = of no loop, or not known */
	uint32_t tid, worker_tid;
	uint32_t state;
	bool sure; /* it was for this request */
};

struct mark {
	uint64_t at_ns;
	uint32_t label;
};

/* A call of an event loop to a peer, when it was over. */
struct slot_call {
	uint64_t from_ns, to_ns;
	uint64_t read_ns; /* the request that it was made for was read */
	struct rec_idle idle; /* at its last I/O */
	uint32_t n; /* calls at once when it began, itself included */
};

/* The calls of one process to one peer: the latest ones, and how many there were at once. */
struct slots {
	struct slot_call calls[SLOT_CALLS]; /* a ring */
	uint32_t at, most;
	uint32_t tgid;
	uint64_t last_ns; /* a call was over */
	uint64_t unsure_ns; /* the latest that nobody was found to have made, 0 = none */
};

/* Where an exchange is in its life; life.h has what may follow what. */
enum node_state {
	NODE_NAMED, /* only calls, waits or marks have named it: x has nothing but its xid */
	NODE_OPEN, /* a record of it is there */
	NODE_OVER, /* its end was decided; only while that is acted on */
	NODE_HELD, /* over, but its thread still works for it: not given out yet */
	NODE_GIVEN, /* given to the sink */
	NODE_DROPPED, /* over, and no request to give */
	NODE_GONE, /* about to be freed */
	NODE_STATE_COUNT,
};

struct node {
	struct rec_xchg x; /* the latest record; its text is gone */
	enum node_state state; /* changed by node_becomes() only */
	enum end_reason end_reason; /* why it is over, END_NONE before */
	/* beside its life: each of these comes in any state */
	bool followed; /* a later exchange of its connection is there */
	bool unwanted; /* its caller's request is gone */
	bool named; /* its route was put into the names table, which may have let it go since */
	bool busy; /* its breakdown is being made, further up the stack */
	bool forwarded; /* a call that asks for the same was bound to it */
	bool unbound; /* a call: whose it is cannot be known */
	bool holds; /* others waited for what it held: its name is to last */
	bool kept; /* ... and does, with whom it was for */
	bool lossy; /* a loss may have changed it; once seen it stays */
	struct text text;
	enum proto proto;
	uint64_t first_seen_ns;
	uint64_t parent_xid; /* request that made the call it answers */
	uint64_t after_ns; /* work after the answer, as far as it is known */
	uint64_t after_io_ns; /* the I/O that it came after, 0 = the last */
	uint32_t service, pool;
	struct rec_xchg *base; /* the exchange that this one continues, folded into x */
	struct text base_text;
	struct conn *conn;
	struct node *older, *newer; /* on the connection */
	struct node *next_active,
		**prev_active; /* accepted and not done, or waiting for a parent */
	struct node *next_served, *prev_served; /* requests of one process, latest first */
	uint32_t served_by; /* the process on whose list it is, 0 = on none */
	/* calls made for it */
	struct node *calls, *last_call;
	uint32_t n_calls;
	struct node *next_call;
	struct node *owner; /* of a call: the request */
	struct node *child; /* of a call: the callee's request */
	struct node *caller; /* of a request: the call */
	struct wait *waits;
	uint32_t n_waits;
	struct mark *marks;
	uint32_t n_marks;
	struct work *works;
	uint32_t n_works;
	struct request_net *net; /* of its latest record, NULL = nothing was told */
	struct rec_thread *now; /* what its thread does; for open ones */
	struct breakdown_slot slot; /* that it waited for, when it is over */
	/* result */
	struct parts parts;
	uint64_t parts_end_ns; /* parts sum to parts_end_ns - start; 0 = not made */
};

/* A wait of a worker after an answer: it may have been for the request that it was handed next. */
struct handed_wait {
	uint32_t tid, tgid;
	uint64_t ts_ns; /* of its record */
	struct wait wait;
};

/* A finished wait for a lock, kept for those that waited behind it. */
struct lock_wait {
	uint64_t xid, key, start_ns, end_ns, waker_xid;
	uint32_t older; /* of the same request: place + 1, 0 = none */
};

struct pair {
	uint64_t accepted, connected; /* connection ids */
};

/* Is a record of it there? */
static inline bool node_seen(const struct node *n)
{
	return n->state != NODE_NAMED;
}

/* Is there nothing left that a record could change? */
static inline bool node_done(const struct node *n)
{
	return n->state >= NODE_GIVEN;
}

/* Is it a request that is still on its way to the sink? */
static inline bool node_is_request(const struct node *n)
{
	return node_seen(n) && !node_done(n) && n->x.role == ROLE_ACCEPTED;
}

static inline uint64_t node_start(const struct node *n)
{
	return n->x.turn[0].arrival_ns ? n->x.turn[0].arrival_ns : n->x.turn[0].first_ns;
}

/* Last I/O of the exchange. */
static inline uint64_t node_last(const struct node *n)
{
	return n->x.turn[1].last_ns > n->x.turn[0].last_ns ? n->x.turn[1].last_ns :
							     n->x.turn[0].last_ns;
}

/* Had its data arrived on a connection older than tardy before that saw any arrive? */
static inline bool node_arrived_before(const struct node *n)
{
	return (n->x.flags & XCHG_SEEDED) && (n->x.flags & XCHG_NO_ARRIVAL);
}

/* Last bytes of the answer, as a slice of x. */
static inline struct slice node_tail(const struct rec_xchg *x)
{
	return (struct slice){ (const char *)x->tail, x->tail_len };
}

static inline enum answer_place node_answer_place(const struct rec_xchg *x)
{
	if (!(x->flags & XCHG_ANSWER_FRAMED))
		return ANSWER_NOT_FOLLOWED;
	return x->pg_last ? ANSWER_WHOLE : ANSWER_GOES_ON;
}

static inline bool node_answered(const struct node *n)
{
	return n->x.turn[1].ops > 0;
}

#endif
