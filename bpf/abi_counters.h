/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of everything that can go wrong on the way to a record. X(ENUM, "name", loses, "help"):
 * loses = 1 when a record or a request's data is gone by it, 0 when only a detail is.
 * Order is part of the capture format: append only.
 */
#ifndef TARDY_ABI_COUNTERS_H
#define TARDY_ABI_COUNTERS_H

#define COUNTERS(X) \
	X(RING_XCHG, "ring_full_exchange", 1, "an exchange did not fit the ring") \
	X(RING_DATA, "ring_full_data", 0, "more of a head did not fit the ring") \
	X(RING_WAIT, "ring_full_wait", 0, "a wait did not fit the ring") \
	X(RING_TASK, "ring_full_task", 0, "a fork, exec or exit did not fit the ring") \
	X(RING_MARK, "ring_full_mark", 0, "a mark did not fit the ring") \
	X(RING_THREAD, "ring_full_thread", 0, "a thread's present state did not fit the ring") \
	X(CONN_STORAGE, "connection_storage", 1, "no storage for a connection") \
	X(THREAD_STORAGE, "thread_storage", 1, "no storage for a thread") \
	X(READ_HEAD, "read_head", 0, "bytes of a message could not be read") \
	X(CONN_BUSY, "connection_busy", 0, "two threads were on one connection at once") \
	X(WAKE_LOST, "wake_lost", 0, "no wakeup was seen: put right by the scheduler's account") \
	X(NO_TEXT, "no_text", 0, "I/O without a readable buffer (sendfile, io_uring)") \
	X(SWITCH_LOST, "switch_lost", 0, \
	  "a context switch was not seen: put right by other accounts") \
	X(THREAD_LATE, "thread_late", 0, \
	  "no storage for a new thread yet: made at its first request") \
	X(RING_STACK, "ring_full_stack", 0, "a stack did not fit the ring") \
	X(RING_DETAIL, "ring_full_detail", 0, \
	  "a detail of disk, CPU or network did not fit the ring") \
	X(STACK_FAILED, "stack_failed", 0, "a stack could not be taken") \
	X(IO_SLOT, "io_slot", 0, "a block request's times were overwritten by another's") \
	/* the collector's own */ \
	X(SYM_LATE, "symbols_late", 0, "a stack went on before all its functions were named") \
	X(SYM_FILE, "symbols_file", 0, \
	  "functions of a file or of the kernel could not be read, or not all of them") \
	X(PENDING, "pending_many", 0, "requests that nobody has read, beyond 256 of a sweep") \
	X(SYM_PUT_OFF, "symbols_put_off", 0, \
	  "what a process says of its functions was not read: too much, too often")

enum counter {
#define X(id, name, loses, help) COUNTER_##id,
	COUNTERS(X)
#undef X
		COUNTER_COUNT
};

#endif
