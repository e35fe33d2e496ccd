/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long the thread of a request waited in poll while the request was with it: from its last read
 * on, as far as no call was outstanding. What the thread did next for the
 * request tells why: when its latest wait had ended by its own timeout, it was due then.
 */
#ifndef TARDY_ACCOUNT_IDLE_H
#define TARDY_ACCOUNT_IDLE_H
#include <stdbool.h>
#include <stdint.h>
#include "account/breakdown_in.h"

struct idle {
	bool known; /* false: a capture that does not tell, or nobody has read the request */
	uint64_t due_ns; /* until a time that the thread itself had chosen */
	uint64_t other_ns; /* until something else: another thread's result, another process */
	uint64_t gap_ns; /* the same, after the answer had begun */
	/* while it ran for others between such waits: the request was not there to go on with */
	uint64_t due_more_ns, other_more_ns;
	uint64_t span_ns; /* all that was looked at, what workers did left out */
	uint64_t worker_ns; /* while another thread may have worked for the request, all of it */
	uint64_t unmeasured_ns; /* between two threads, or not over yet */
};

/* Returns 0 or -ENOMEM. */
int idle_between(const struct breakdown_in *in, struct idle *out);
#endif
