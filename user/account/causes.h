/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The causes of a wait: the one table from which JSON, screens, folded stacks, help and manual
 * take names and letters. X(ENUM, letter, "name", "one line of help")
 */
#ifndef TARDY_ACCOUNT_CAUSES_H
#define TARDY_ACCOUNT_CAUSES_H

#define CAUSES(X) \
	X(QUEUE, 'w', "queue", "waiting for a free worker: accept queue, backlog, busy pool") \
	X(LOOP, 'e', "loop", "data was ready, but the event loop worked for another request") \
	X(RECV, 'n', "recv", "waiting for the client's request body") \
	X(SEND, 'n', "send", "waiting for a slow reader of the response") \
	X(CPU, 'c', "cpu", "running on a CPU") \
	X(RUNQ, 'r', "runq", "runnable, waiting for a CPU") \
	X(THROTTLE, 't', "throttle", "runnable, held back by a CPU quota") \
	X(DISK, 'k', "disk", "waiting for block I/O or a file system") \
	X(FAULT, 'f', "fault", "off-CPU inside a page fault") \
	X(LOCK, 'l', "lock", "waiting for a lock: mutex, flock, fcntl, semop, kernel lock") \
	X(DB, 'q', "db", "waiting for a database") \
	X(CACHE, 'q', "cache", "waiting for a cache server") \
	X(UPSTREAM, 'u', "upstream", "waiting for another service") \
	X(SLEEP, 's', "sleep", "sleeping on purpose") \
	X(IPC, 'i', "ipc", "waiting for a pipe, eventfd, message queue, child or another thread") \
	X(OTHER, 'o', "other", "measured, but of no named kind") \
	X(UNKNOWN, '?', "unknown", "not measured")

enum cause {
#define X(id, letter, name, help) CAUSE_##id,
	CAUSES(X)
#undef X
		CAUSE_COUNT
};

/* Static text for each cause; out-of-range gives "unknown" and '?'. */
const char *cause_name(enum cause cause);
char cause_letter(enum cause cause);
const char *cause_help(enum cause cause);
#endif
