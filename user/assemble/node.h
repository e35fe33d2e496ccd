/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the assembler: exchanges (nodes), connections, processes, threads and the tables
 * that hold them. Only files of this folder include it.
 */
#ifndef TARDY_ASSEMBLE_NODE_H
#define TARDY_ASSEMBLE_NODE_H
#include "account/breakdown.h"
#include "assemble/assemble.h"
#include "assemble/message.h"
#include "base/table.h"

enum {
	NODES_MAX = 1 << 18,
	CONNS_MAX = 1 << 17,
	PROCS_MAX = 1 << 16,
	NAMES_MAX = 1 << 16,
	WAITS_MAX = 128, /* of one request; further ones are merged into the last */
	CALLS_KEPT = 256, /* of one request, in what the sink gets */
	CALLS_MAX = 20000, /* of one request, accounted */
	MARKS_MAX = 64,
	LOCK_WAITS_MAX = 8192, /* remembered of all requests */
	HOLDERS_MAX = 8, /* that one wait is split among */
	JOIN_DEPTH = 16,
};

struct proc {
	uint32_t service, pool;
	uint32_t parent_tgid;
	bool known; /* a REC_PROC came */
	bool serves, exited;
	uint64_t exit_ns;
	bool loops; /* one of its threads serves several connections at once */
	bool store; /* speaks a database's protocol */
};

/* A thread that serves: tells loops from pools. */
struct worker {
	uint64_t served; /* requests so far */
	uint64_t conn, first_ns, last_ns; /* of the latest */
	uint32_t tgid;
	bool loops;
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
	uint32_t srtt_us; /* round trip, 0 = not known or within this host */
	uint64_t done_seqs; /* exchanges before this number are finished and gone */
	/* arrived, not read by anybody */
	uint64_t pending_ns; /* arrival, 0 = none */
	uint64_t pending_seen_ns;
};

struct wait {
	uint64_t ns;
	uint64_t start_ns, key;
	uint64_t waker_xid;
	uint32_t what;
	uint8_t cause; /* enum cause: lock, disk, fault, runq */
	bool held; /* lock: the waker released it */
};

struct mark {
	uint64_t at_ns;
	uint32_t label;
};

struct node {
	struct rec_xchg x; /* the latest record; its text is gone */
	bool seen; /* x is filled: else only calls or waits have named it yet */
	bool over; /* no further record of it is to come */
	bool done; /* given to the sink */
	bool texted; /* text is filled */
	bool named; /* its route is in the names table */
	bool unwanted; /* its caller's request is gone */
	bool busy; /* its breakdown is being made */
	bool held; /* over, but its thread still works for it */
	bool lossy; /* a loss may have changed it */
	struct text text;
	enum proto proto;
	uint64_t first_seen_ns;
	uint64_t parent_xid; /* request that made the call it answers */
	uint64_t after_ns; /* work after the answer, as far as it is known */
	uint32_t service, pool;
	struct rec_xchg *base; /* the exchange that this one continues, folded into x */
	struct text base_text;
	struct conn *conn;
	struct node *older, *newer; /* on the connection */
	struct node *next_active,
		**prev_active; /* accepted and not done, or waiting for a parent */
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
	struct request_net *net; /* of its latest record, NULL = nothing was told */
	struct rec_thread *now; /* what its thread does; for open ones */
	/* result */
	struct parts parts;
	uint64_t parts_end_ns; /* parts sum to parts_end_ns - start; 0 = not made */
};

/* A finished wait for a lock, kept for those that waited behind it. */
struct lock_wait {
	uint64_t xid, key, start_ns, end_ns, waker_xid;
	uint32_t older; /* of the same request: place + 1, 0 = none */
};

struct assemble {
	assemble_request_fn fn;
	void *ctx;
	struct assemble_counters counters;
	struct table nodes; /* xid -> struct node * */
	struct table conns; /* conn -> struct conn * */
	struct table pairs; /* both addresses -> struct pair */
	struct table procs; /* tgid -> struct proc */
	struct table workers; /* tid -> struct worker */
	struct table texts; /* xid -> struct more_text * */
	struct table listeners; /* address -> struct listener */
	struct table names; /* xid -> route, for holders */
	struct lock_wait *lock_waits; /* a ring */
	uint32_t lock_wait_at;
	struct table lock_index; /* xid -> place + 1 of its newest */
	uint64_t name_ring[NAMES_MAX];
	uint32_t name_at;
	struct node *active, **active_end;
	uint64_t covered_ns; /* of the last tick */
	struct losses losses;
	uint32_t labels[ABI_PROBES_MAX];
};

struct pair {
	uint64_t accepted, connected; /* connection ids */
};

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

static inline bool node_answered(const struct node *n)
{
	return n->x.turn[1].ops > 0;
}

/* ---- assemble.c: tables ---- */
struct node *node_make(struct assemble *a, uint64_t xid, uint64_t now_ns);
struct node *node_find(const struct assemble *a, uint64_t xid);
/* Frees n and its calls; their callees become unwanted. */
void node_free(struct assemble *a, struct node *n);
/* Takes n off the list of active nodes. */
void node_deactivate(struct assemble *a, struct node *n);
struct conn *conn_find(const struct assemble *a, uint64_t id);
struct proc *proc_of(struct assemble *a, uint32_t tgid);
uint32_t route_of(const struct assemble *a, uint64_t xid);
struct slice more_text_of(struct assemble *a, const struct rec_xchg *x, const uint8_t *head,
			  char *buf, size_t cap);
void more_text_drop(struct assemble *a, uint64_t xid);
/* Drops those that were last added to before before_ns. */
void more_texts_forget(struct assemble *a, uint64_t before_ns);

/* ---- detail.c: what waits were for, and what TCP knows ---- */
void detail_wait(struct assemble *a, const struct rec_wait *r);
void detail_io(struct assemble *a, const struct rec_io *r);
void detail_runq(struct assemble *a, const struct rec_runq *r);
void detail_net(struct assemble *a, const struct rec_net *r);
/* What a thread that waits for a lock waits for, by the file's name if it is one. */
uint32_t detail_lock_what(struct slice name);
/* What is known of n's connection during n; the round trip is the connection's. */
struct request_net detail_net_of(const struct node *n);
/* "rtt ~20ms, retransmits": what was unusual on n's connection, 0 = nothing. */
uint32_t detail_net_what(const struct node *n);

/* ---- exchange.c: one record of an exchange ---- */
int exchange_record(struct assemble *a, const struct rec_xchg *x);

/* ---- holder.c: who held a lock ---- */
void holder_remember(struct assemble *a, const struct rec_wait *r);
/* Splits a wait by holder; fills at most HOLDERS_MAX entries, whose ns sum to w->ns. */
size_t holder_split(const struct assemble *a, const struct wait *w, struct breakdown_wait *out);

/* ---- forget.c: letting go of what is not used any more; once a second ---- */
void forget(struct assemble *a, uint64_t covered_ns);

/* ---- finish.c: what is over, and what is open ---- */
void finish_tick(struct assemble *a, uint64_t covered_ns, bool last);
void node_join(struct assemble *a, struct node *n);
/* Makes n->parts up to end_ns (its own end when it is over). */
int node_breakdown(struct assemble *a, struct node *n, uint64_t end_ns, int depth);
uint64_t node_end(const struct node *n);

#endif
