/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the assembler counts: all that it took in, and all that it could not use.
 */
#ifndef TARDY_ASSEMBLE_COUNTERS_H
#define TARDY_ASSEMBLE_COUNTERS_H
#include <stdint.h>
#include "bpf/abi.h"

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
};
#endif
