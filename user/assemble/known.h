/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the assembler knows: exchanges (nodes), connections, processes, threads, listeners, names,
 * each in a table of its own. This is the ground that all other files of the folder stand on; it
 * looks up, makes and frees, and decides nothing.
 */
#ifndef TARDY_ASSEMBLE_KNOWN_H
#define TARDY_ASSEMBLE_KNOWN_H
#include "assemble/counters.h"
#include "assemble/losses.h"
#include "assemble/more_text.h"
#include "assemble/node.h"
#include "base/intern.h"
#include "base/table.h"

struct assemble {
	struct intern_holder holder;
	assemble_request_fn fn;
	void *ctx;
	struct assemble_counters counters;
	struct table nodes; /* xid -> struct node * */
	struct table conns; /* conn -> struct conn * */
	struct table pairs; /* both addresses -> struct pair */
	struct table served; /* tgid -> struct node *, its latest request */
	struct table procs; /* tgid -> struct proc */
	struct table workers; /* tid -> struct worker */
	struct table slots; /* process and peer -> struct slots * */
	struct table listeners; /* address -> struct listener */
	struct table names; /* xid -> struct name, for holders */
	struct more_texts texts;
	struct lock_wait *lock_waits; /* a ring */
	uint32_t lock_wait_at;
	struct table lock_index; /* xid -> place + 1 of its newest */
	struct handed_wait *handed_waits; /* a ring */
	uint32_t handed_wait_at;
	uint64_t name_ring[NAMES_MAX];
	uint32_t name_at;
	struct node *active, **active_end; /* those that no call's request answers for */
	uint64_t covered_ns; /* of the last tick */
	struct losses losses;
	uint32_t labels[ABI_PROBES_MAX];
};

/* NULL: no memory. */
struct assemble *known_new(void);
void known_free(struct assemble *a);

/* The exchange of that id, made as NODE_NAMED and put on the list of active ones if it is new.
 * NULL, counted: there is no place for it. */
struct node *node_make(struct assemble *a, uint64_t xid, uint64_t now_ns);
struct node *node_find(const struct assemble *a, uint64_t xid);
/* Frees n and its calls; their callees become unwanted. why: for what was not over before. */
void node_free(struct assemble *a, struct node *n, enum end_reason why);
/* Puts a request on the list of its process, until it is freed. */
void node_serve(struct assemble *a, struct node *n);
/* The latest of that list. */
struct node *node_latest_served(const struct assemble *a, uint32_t tgid);
/* Puts n, which is not on it, on the list of active nodes; takes it off. */
void node_activate(struct assemble *a, struct node *n);
void node_deactivate(struct assemble *a, struct node *n);
/* Takes a call from the request that it was given to, if it was. */
void node_detach(struct node *call);

struct conn *conn_find(const struct assemble *a, uint64_t id);
/* The connection at the other end of n's, when it is on this host and known; else NULL. */
struct conn *conn_opposite(const struct assemble *a, const struct node *n);
void conn_free(struct conn *c);

/* Who has that process id, made with a name of its own if nobody was known. NULL: no place. */
struct proc *proc_of(struct assemble *a, uint32_t tgid);
/* The service that serves n. */
uint32_t service_of(struct assemble *a, const struct node *n);
/* Does this thread run an event loop, as far as it was learned? */
bool worker_loops(const struct assemble *a, uint32_t tid);
/* Do its requests go on in other threads, at a time that is not known? */
bool process_migrates(const struct assemble *a, uint32_t tgid);
/* Who reads at the address that c was accepted at; NULL: not known. c may be NULL. */
const struct listener *listener_of(const struct assemble *a, const struct conn *c);

/* Remembers the name of an exchange beyond its life; the oldest goes. */
void route_put(struct assemble *a, uint64_t xid, uint32_t route);
/* The name of an exchange, 0 = not known (any more). */
uint32_t route_of(const struct assemble *a, uint64_t xid);
/* Was the thread that was last seen in request xid at it at at_ns, by what it sent of the answer later? */
bool worker_was_at(const struct assemble *a, uint64_t xid, uint64_t at_ns);
/* Do threads of that process leave requests, which go on in others? */
bool threads_leave(const struct assemble *a, uint32_t tgid);

#endif
