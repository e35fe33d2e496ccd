/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The waiting causes that the oracle can inject, and the one that tardy must call each of them:
 * the only table of both, used by the server (parsing), the truth log and the comparator.
 *
 * X(ENUM, "name in a request and in the truth", "tardy's cause")
 */
#ifndef ORACLE_NAMES_H
#define ORACLE_NAMES_H

#define ORACLE_CAUSES(X) \
	X(SPIN, "spin", "cpu") /* burn CPU for so many microseconds of thread CPU time */ \
	X(SLEEP, "sleep", "sleep") /* clock_nanosleep */ \
	X(TIMER, "timer", \
	  "sleep") /* mode loop: taken up again when the loop's own timeout is due */ \
	X(FUTEX, "futex", "sleep") /* wait on a futex for a helper thread, which sleeps so long */ \
	X(FLOCK, "flock", "lock") /* flock() held by a helper thread for so long */ \
	X(MUTEX, "mutex", "lock") /* pthread mutex held by a /hold/mutex request; no argument */ \
	X(HFLOCK, "hflock", "lock") /* flock() held by a /hold/hflock request; no argument */ \
	X(PIPE, "pipe", "ipc") /* read a pipe that a helper thread writes */ \
	X(DISK, "disk", "disk") /* O_DIRECT|O_DSYNC overwrite; the argument is KiB */ \
	X(FSYNC, "fsync", "disk") /* buffered write of so many KiB, then fsync */ \
	X(FAULT, "fault", "fault") /* touch a userfaultfd page that is answered late */ \
	X(UPSTREAM, "upstream", "upstream") /* HTTP call to a server that sleeps so long */ \
	X(STORE, "store", \
	  "upstream") /* mode lasting: a call of its own protocol that takes so long */ \
	X(SHARED, "shared", \
	  "upstream") /* the same on the one connection that all threads have, one at a time */ \
	X(SLOT, "slot", "queue") /* never asked for by name: until mode proxy may make its call */ \
	X(READER, "reader", "send") /* response body of so many KiB for a client that is slow */ \
	X(BODY, "body", "recv") /* never asked for by name: the rest of the request's body */

enum oracle_cause {
#define X(id, name, tardy) ORACLE_##id,
	ORACLE_CAUSES(X)
#undef X
		ORACLE_CAUSE_COUNT
};

/* Static name of a cause in requests and in the truth log; and what tardy calls it. */
const char *oracle_cause_name(enum oracle_cause cause);
const char *oracle_cause_tardy(enum oracle_cause cause);
/* The cause of that name, or -EINVAL. len is the length of name, which need not be terminated. */
int oracle_cause_parse(const char *name, int len);
#endif
