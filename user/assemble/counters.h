/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the assembler counts: all that it took in, and all that it could not use.
 */
#ifndef TARDY_ASSEMBLE_COUNTERS_H
#define TARDY_ASSEMBLE_COUNTERS_H
#include <stddef.h>
#include <stdint.h>
#include "bpf/abi.h"

enum { ASSEMBLE_UNBOUND_MAX = 64 };

/* Calls of a service to a peer that are in no request. */
struct assemble_unbound {
	uint32_t service, peer; /* ids of names */
	uint64_t calls, ns;
};

struct assemble_counters {
	uint64_t records; /* all, whatever their type */
	uint64_t malformed; /* records whose lengths do not fit */
	uint64_t requests; /* given to the sink */
	uint64_t late; /* calls and waits whose request was gone already */
	uint64_t orphans; /* calls whose request was never seen */
	uint64_t unnamed; /* requests of no known protocol */
	uint64_t evicted; /* let go because a table was full */
	uint64_t lost; /* records that the kernel side or the reader lost */
	uint64_t lost_by_kind[COUNTER_COUNT];
	struct assemble_unbound unbound[ASSEMBLE_UNBOUND_MAX]; /* the last one is all others */
	size_t n_unbound;
};
#endif
