/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Thread states: X(ENUM, "name", "what the thread does"). Order is part of the capture format:
 * append only. How states become causes is in user/account and docs/states.md.
 */
#ifndef TARDY_ABI_STATES_H
#define TARDY_ABI_STATES_H

#define STATES(X) \
	X(RUN, "run", "on a CPU") \
	X(RUNQ, "runq", "runnable, waiting for a CPU") \
	X(THROTTLE, "throttle", "runnable, held back by a CPU quota") \
	X(DISK, "disk", "in block I/O or uninterruptible in a file-system call") \
	X(FAULT, "fault", "off-CPU inside a page fault") \
	X(LOCK, "lock", "for a mutex, in flock, fcntl or semop") \
	X(RECV, "recv", "in a receive or accept on a socket") \
	X(SEND, "send", "in a send on a socket") \
	X(CONNECT, "connect", "in connect()") \
	X(POLL, "poll", "in poll, select or epoll_wait") \
	X(SLEEP, "sleep", "in nanosleep or a timed wait") \
	X(IPC, "ipc", "on a pipe, eventfd, message queue, child or another thread") \
	X(KERNEL, "kernel", "uninterruptible outside of files: a kernel lock") \
	X(OTHER, "other", "any other wait")

enum thread_state {
#define X(id, name, help) STATE_##id,
	STATES(X)
#undef X
		STATE_COUNT
};

/* Classes of system calls; the collector fills the table from the numbers of its architecture. */
enum syscall_class {
	SYSC_NONE,
	SYSC_FUTEX,
	SYSC_FLOCK, /* flock, fcntl, semop */
	SYSC_FD_READ, /* read, readv: what the descriptor is decides */
	SYSC_FD_WRITE,
	SYSC_RECV, /* also accept */
	SYSC_SEND,
	SYSC_CONNECT,
	SYSC_EPOLL,
	SYSC_POLL, /* poll, ppoll: (fds, count, ...) */
	SYSC_SELECT, /* select, pselect6: (count, ...) */
	SYSC_SLEEP,
	SYSC_IPC,
	SYSC_CLOSE,
	SYSC_FILE, /* open, stat, fsync, rename, ... */
	SYSC_SIGNAL, /* kill; of no class otherwise */
	SYSC_URING, /* may do what other calls do; of no class otherwise */
};

/* How a socket call passes its message: what follows the descriptor in the arguments. */
enum io_shape {
	IO_NONE,
	IO_BUF, /* buffer, length */
	IO_IOV, /* iovec, count */
	IO_MSG, /* msghdr */
};

#endif
