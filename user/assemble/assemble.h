/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Assembly: raw records in, requests with their breakdown out. Exchanges of accepted connections
 * are requests, those of connected ones the calls made for them; both ends of a local connection
 * are joined, so that a callee's own breakdown replaces its caller's wait.
 *
 * A request is given to the sink once: when it is over and everything that happened before its
 * end has been read (REC_TICK). It stays valid only during the call. One assembler, one thread.
 */
#ifndef TARDY_ASSEMBLE_ASSEMBLE_H
#define TARDY_ASSEMBLE_ASSEMBLE_H
#include <stddef.h>
#include <stdint.h>
#include "assemble/counters.h"
#include "assemble/losses.h"
#include "assemble/request.h"
#include "bpf/abi.h"

struct assemble;

/* NULL: no memory. */
struct assemble *assemble_new(assemble_request_fn fn, void *ctx);
void assemble_free(struct assemble *a);
/* Takes one record; its memory is the caller's again afterwards. 0 or -ENOMEM. */
int assemble_record(struct assemble *a, const struct rec_hdr *rec);
/* End of the input: everything that is over goes to the sink without waiting further. */
void assemble_finish(struct assemble *a);
/* Calls fn for every request in flight now, REQUEST_OPEN set, with its parts so far. */
void assemble_open(struct assemble *a, assemble_request_fn fn, void *ctx);
const struct assemble_counters *assemble_counters(const struct assemble *a);
/* Where the records of counters.lost and lost_by_kind are missing. */
const struct losses *assemble_losses(const struct assemble *a);
/* Is this process known by a REC_PROC (since its last exec)? */
bool assemble_knows_process(const struct assemble *a, uint32_t tgid);

/* A service that hands its requests to workers of its own: the pool that can be exhausted. */
struct assemble_pool {
	uint32_t service, pool;
	uint32_t workers; /* processes (or threads) that were seen to serve and still live */
};
/* Fills at most cap entries; returns how many there are. */
size_t assemble_pools(const struct assemble *a, struct assemble_pool *out, size_t cap);
#endif
