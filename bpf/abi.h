/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only structs that the BPF programs and the collector share, and the raw records that a
 * capture holds. Times are CLOCK_MONOTONIC nanoseconds (bpf_ktime_get_ns). All integers are
 * little-endian on the platforms tardy supports; structs have no implicit padding. A record may
 * grow at its end of fixed fields only with a new record type.
 */
#ifndef TARDY_ABI_H
#define TARDY_ABI_H

#ifndef __VMLINUX_H__
#include <stdint.h>
#endif

#include "abi_states.h"
#include "abi_counters.h"

enum {
	ABI_REQ_HEAD_MAX = 1024, /* bytes of a request's or statement's head kept in the exchange */
	ABI_RSP_HEAD_MAX = 256, /* the same for the answer */
	ABI_RSP_MORE = 1024, /* and of an HTTP head that is longer, as REC_DATA; then one chunk */
	ABI_TAIL =
		16, /* last bytes of the answer: FastCGI END_REQUEST, ReadyForQuery, last chunk */
	ABI_DATA_CHUNK = 4096, /* one REC_DATA */
	ABI_DATA_MAX = 16384, /* bytes of one direction of one exchange that REC_DATA carry */
	ABI_NAME = 64,
	ABI_COMM = 16,
	ABI_PROBES_MAX = 16,
	ABI_PORTS_MAX = 16,
	ABI_SHARDS_MAX = 64,
	ABI_SYSCALLS = 512,
	ABI_STACK_KERNEL_MAX = 48, /* frames kept of a stack */
	ABI_STACK_USER_MAX = 64,
	ABI_SYM_TEXT = 192,
	ABI_GAP_MS = 50,
	ABI_BEHIND_MAX = 6, /* names of those who had a CPU that is waited for */
	ABI_ASKS_AGAIN_MS = 10, /* waits with such a timeout, one after another, are one wait */
};

/* Type numbers are part of the capture format: append only. */
enum rec_type {
	REC_XCHG_1 =
		1, /* an exchange as it was in captures until 2026-11, see ingest/record_old.h */
	REC_DATA = 2, /* rec_data: more of a message's head */
	REC_WAIT = 3, /* rec_wait: one wait of a serving thread, with its waker */
	REC_THREAD_1 = 4, /* the same of rec_thread */
	REC_TASK = 5, /* rec_task: fork, exec, exit of a tracked process */
	REC_MARK = 6, /* rec_mark: a configured probe fired inside a request */
	REC_STACK = 7, /* rec_stack: where a serving thread ran or waited */
	REC_IO = 8, /* rec_io: a wait for a disk or a page, and the block I/O that ended it */
	REC_RUNQ =
		9, /* rec_runq: a long wait for a CPU, and who ran last; REC_BEHIND since 2026-12 */
	REC_NET = 10, /* rec_net: what TCP knows of a connection during an exchange */
	/* made by the collector */
	REC_META = 16, /* rec_meta: start of a recording */
	REC_PROC = 17, /* rec_proc: what /proc says of a process */
	REC_TICK = 18, /* rec_tick: all that happened before ts_ns has been read */
	REC_LOST = 19, /* rec_lost: records of a kind that were lost in an interval */
	REC_LABEL = 20, /* rec_label: the name of a probe */
	REC_HOST = 21, /* rec_host: load of the host over the last interval */
	REC_SYM = 22, /* rec_sym: the function at an address; before the stacks that have it */
	/* written by the programs again */
	REC_XCHG = 23, /* rec_xchg: an exchange, whole or so far */
	REC_THREAD = 24, /* rec_thread: what a serving thread does now */
	REC_BEHIND = 25, /* rec_behind: a long wait for a CPU, and who had the CPU meanwhile */
	REC_WORK = 26, /* rec_work: what another thread did for a request */
};

struct rec_hdr {
	uint32_t len; /* of the whole record, this header included */
	uint16_t type; /* enum rec_type */
	uint16_t cpu;
	uint64_t ts_ns; /* when it was written */
};

enum role { ROLE_NONE = 0, ROLE_ACCEPTED = 1, ROLE_CONNECTED = 2 };

enum xchg_flag {
	XCHG_OPEN = 1 << 0, /* still going on: a later record of the same xid supersedes this one */
	XCHG_CLOSED = 1 << 1, /* the connection was closed by this side after it */
	XCHG_PEER_FIN = 1 << 2, /* the peer had shut down its side by the last I/O */
	XCHG_PEER_FIN_EARLY = 1 << 3, /* ... before the first byte of turn 2 */
	XCHG_RESET = 1 << 4, /* ended by a reset or a failed send */
	XCHG_PENDING = 1 << 5, /* data has arrived, no thread has read it: turn 1 is empty */
	XCHG_SEEDED = 1 << 6, /* the connection existed before tardy */
	/* arrival not seen: turn[0].arrival_ns is the first I/O, or when it was found at start */
	XCHG_NO_ARRIVAL = 1 << 7,
	XCHG_PIPELINED = 1 << 8, /* began inside the send turn of the exchange before it */
	XCHG_NO_TEXT = 1 << 9, /* bytes of a head could not be read (sendfile, io_uring, fault) */
	XCHG_FRESH = 1 << 10, /* first exchange of its connection */
	XCHG_THREAD_NEW = 1 << 11, /* the reading thread was not known before: its states are not */
	XCHG_MULTI_THREAD = 1 << 12, /* more than one thread did I/O */
	/* accepted: the thread waited for work since its request before; connected: since an I/O that
	 * sent of the answer to parent, so that it may work for somebody else by now */
	XCHG_IDLE_CUT = 1 << 13,
	XCHG_INTERNAL = 1 << 14, /* Unix, accepted: its client is a thread that serves, too */
	XCHG_POS = 1 << 15, /* pos[] of the turns that have begun is known */
	XCHG_CONNECTION = 1 << 16, /* no exchange: a server of the selection has this connection */
	XCHG_SAME_TURN = 1 << 17, /* connected: begun right after the thread had read of parent */
	XCHG_NO_POLLER = 1 << 18, /* accepted: its thread never waits for several connections */
	XCHG_HTTP2 = 1 << 19, /* the connection began with HTTP/2's preface */
	/* HTTP/1, by the framing of a request before: all that was received is more of its body */
	XCHG_BODY = 1 << 20,
	/* ... it is over, and what was received begins right behind it */
	XCHG_BEHIND = 1 << 21,
	/* connected: by a thread without requests of its own, which the one that works for parent had woken,
	 * see rec_work */
	XCHG_LENT = 1 << 22,
	/* HTTP/1: the answer was followed by its framing so far: pg_last is 1 once it is whole, else 0 */
	XCHG_ANSWER_FRAMED = 1 << 23,
	/* PostgreSQL's messages were followed so far: pg_owed, pg_last hold; or FastCGI's records of the
	 * answer: pg_last is the type of the last one, 0 while it is not whole */
	XCHG_FRAMED = 1 << 24,
};

/* One direction's burst. For an accepted connection turn[0] is received, turn[1] sent; for a
 * connected one the reverse. */
struct rec_turn {
	/* received turns: first unread byte arrived; sent turns: 0, but for an answer by another thread
	 * than the one that has read the request: when that turned to it, 0 = not known */
	uint64_t arrival_ns;
	uint64_t first_ns; /* return of the first I/O, 0 = no I/O yet */
	uint64_t last_ns; /* return of the last I/O */
	uint64_t bytes;
	uint32_t ops;
	uint32_t tid; /* thread of the last I/O */
};

/* What the thread that does an I/O has waited in poll, since tardy knows it, until then. From one
 * I/O of a request to the next the difference is how long its event loop had nothing to do. */
struct rec_idle {
	uint64_t ns;
	uint32_t tid; /* 0 = not known */
	/* Of the latest of these waits: IDLE_TOLD; IDLE_TIMED_OUT, so something was due (only at the I/O of the
	 * first request that the thread went on with then); IDLE_ANYBODYS, that may have been for the loop's
	 * own sake (it was as long in coming before, and then no I/O followed), or what it goes on with may be
	 * another thread's result (these have ended such waits) that came while it was slow to go on; the
	 * time since the thread first waited until that time, in units of 2^IDLE_CHOSEN_SHIFT ns; and the time
	 * since the wait ended, in units of 2^IDLE_TURN_SHIFT ns. Older versions: 0, or it timed out, then 1 and the microseconds since the
	 * thread first waited until that time. */
	uint32_t latest;
};

#define IDLE_TOLD 0x80000000u
#define IDLE_TIMED_OUT 0x40000000u
#define IDLE_CHOSEN_PLACE 15
#define IDLE_CHOSEN_SHIFT 20
#define IDLE_CHOSEN_MAX 0x7fffu
#define IDLE_ANYBODYS 0x4000u
#define IDLE_TURN_MAX 0x3fffu /* or more */
#define IDLE_TURN_SHIFT 16

/* Slices: the nanoseconds that the doing thread spent for this exchange before ... */
enum slice_kind {
	SLICE_PRE, /* ... the first I/O of turn 0 (since it was free, or since its last I/O) */
	SLICE_T0, /* ... further I/O of turn 0 */
	SLICE_MID, /* ... the first I/O of turn 1 */
	SLICE_T1, /* ... further I/O of turn 1 */
	SLICE_COUNT,
};

struct rec_xchg {
	struct rec_hdr h;
	uint64_t xid; /* identity of the exchange, unique within one recording */
	uint64_t parent; /* connected: xid of the request it was made for, 0 = none */
	uint64_t behind; /* accepted: xid of the request its thread had served just before, or 0 */
	uint64_t behind_after_ns; /* what that thread still did for it after its last I/O */
	uint64_t conn; /* identity of the connection */
	uint64_t sk, peer_sk; /* kernel addresses; link Unix peers while both live */
	uint32_t netns; /* inode number */
	uint32_t seq; /* number of this exchange on its connection, from 0 */
	uint32_t tgid;
	uint32_t tid; /* thread that began it */
	uint16_t family; /* AF_INET, AF_INET6, AF_UNIX */
	uint16_t lport, rport; /* host order */
	uint8_t role; /* enum role */
	uint8_t reserved0;
	uint8_t laddr[16], raddr[16]; /* IPv4 in the first four bytes */
	uint32_t flags; /* enum xchg_flag */
	uint32_t lifetime; /* I/O operations on the connection so far */
	struct rec_turn turn[2];
	uint64_t slice_ns[SLICE_COUNT]; /* each the sum of its states */
	uint64_t state_ns[STATE_COUNT]; /* over all slices; Σ state_ns = Σ slice_ns */
	uint32_t req_total, rsp_total; /* bytes seen of the heads before the caps (saturating) */
	uint16_t req_len, rsp_len; /* bytes kept below */
	uint8_t tail_len;
	uint8_t pg_last; /* type of the answer's last message; 0 = none, or not whole yet */
	uint16_t pg_owed; /* ReadyForQuery that are still to come */
	uint8_t tail
		[ABI_TAIL]; /* last bytes of turn 1 so far, over several I/Os if they are short */
	uint8_t rsp[ABI_RSP_HEAD_MAX];
	/* Where each turn's first byte is in its stream, modulo 2^32, the same at both ends: TCP's
	 * sequence number. Not known on Unix connections. */
	uint32_t pos[2];
	struct rec_idle idle[2][2]; /* at each turn's first and last I/O */
	/* req_len bytes of the request's head follow */
};

/* Bytes [off, off + len) of turn `turn` of exchange xid. */
struct rec_data {
	struct rec_hdr h;
	uint64_t xid;
	uint32_t off;
	uint16_t len;
	uint16_t turn;
	uint8_t bytes[];
};

enum wait_flag {
	WAIT_HELD = 1 << 0, /* the waker released what was waited for */
	WAIT_KERNEL_WAKER = 1 << 1, /* woken from an interrupt, a timer or a kernel thread */
	WAIT_TIMED_OUT = 1 << 3, /* state poll: it ended by its own timeout */
	WAIT_SHORT = 1 << 2, /* in futex() with a timeout of ABI_ASKS_AGAIN_MS at most */
};

struct rec_wait {
	struct rec_hdr h;
	uint64_t xid; /* request the waiting thread served */
	uint64_t start_ns, blocked_ns, runq_ns;
	uint64_t key; /* futex address, inode number, 0 */
	uint64_t waker_xid; /* request the waker served at the wakeup, 0 = none */
	uint32_t tid, tgid, waker_tid, waker_tgid;
	uint16_t state; /* enum thread_state */
	uint16_t syscall;
	uint32_t flags; /* enum wait_flag */
	uint8_t name[ABI_NAME]; /* file: "parent/name", NUL-terminated, may be empty */
};

/*
 * A thread that serves requests leaves work to another one of its process, a worker: it wakes it, and is
 * woken by it when the work is done. What the thread goes on with then is what the work was for; with
 * `job`, whose turn it was when the worker was woken, there are two witnesses.
 */
struct rec_work {
	struct rec_hdr h;
	/* exchange that the thread goes on with: an answer, a new call; 0 = it waits again */
	uint64_t xid;
	uint64_t job; /* request that it worked for when it woke the worker */
	uint64_t from_ns; /* the worker was woken */
	/* it has woken the thread; 0 = the work begins, told of loops only: no more is known */
	uint64_t end_ns;
	uint64_t wait_ns; /* the thread's wait that it ended began */
	/* end_ns of the work for job whose end the thread had been woken by when it woke this worker; 0 = it
	 * had gone on with job itself */
	uint64_t after_ns;
	/* of the worker since its last I/O for a call, or since from_ns */
	uint64_t state_ns[STATE_COUNT];
	uint32_t tid, tgid; /* the thread */
	uint32_t worker_tid;
	uint32_t turn; /* the work begins: in which of the loop's turns */
	uint32_t state; /* enum thread_state: what the thread waited in */
	uint32_t reserved;
};

enum thread_flag {
	THREAD_RESTED = 1 << 0, /* it waits or has waited in a futex since it sent of an answer */
};

struct rec_thread {
	struct rec_hdr h;
	uint64_t xid; /* request it serves */
	uint64_t since_ns; /* in this state since */
	uint64_t last_io_ns;
	uint64_t state_ns[STATE_COUNT]; /* since its last I/O, the current state included */
	uint64_t key;
	uint32_t tid, tgid;
	uint16_t state; /* enum thread_state, now; STATE_COUNT = none: its work is over */
	uint16_t syscall;
	uint32_t flags; /* enum thread_flag */
	uint8_t name[ABI_NAME];
};

enum stack_kind {
	STACK_CPU = 0, /* a sample of a running thread */
	STACK_WAIT = 1, /* of a wait above the threshold */
};

enum stack_flag {
	STACK_NO_KERNEL = 1 << 0, /* the kernel's frames could not be taken */
	STACK_NO_USER = 1 << 1, /* the process's frames could not be taken */
	STACK_USER_SKIPPED = 1 << 2, /* not taken: another of the kind was just before */
	STACK_KERNEL_CUT = 1 << 3, /* as many frames as are kept: there may be more */
	STACK_USER_CUT = 1 << 4,
	STACK_USER_SHORT = 1 << 5, /* ended at once: no frame pointers there */
	STACK_IN_KERNEL = 1 << 6, /* CPU: it ran in the kernel */
	STACK_KERNEL_REUSED = 1 << 7, /* the kernel's are of its wait before in that call */
};

/* n_kernel, then n_user addresses follow, each leaf first. */
struct rec_stack {
	struct rec_hdr h;
	uint64_t xid; /* request that the thread served */
	uint64_t start_ns; /* the wait began; CPU: the sample's time */
	uint64_t ns; /* length of the wait (blocked only); CPU: time that a sample stands for */
	uint32_t tid, tgid;
	uint16_t kind; /* enum stack_kind */
	uint16_t state; /* enum thread_state */
	uint16_t n_kernel, n_user;
	uint32_t flags; /* enum stack_flag */
	uint32_t reserved;
	uint64_t frames[];
};

enum io_flag {
	IO_SEEN = 1 << 0, /* a block request's completion ended the wait: the fields below hold */
	IO_WRITE = 1 << 1,
	IO_SYNC = 1 << 2,
	IO_FLUSH = 1 << 3, /* cache flush or FUA */
	IO_META = 1 << 4, /* file system metadata */
	IO_JOURNAL = 1 << 5, /* woken by a journal's thread */
	IO_WRITEBACK = 1 << 6, /* woken by a writeback or completion worker */
};

/* held + queue + service <= blocked; the rest is what came after the completion. */
struct rec_io {
	struct rec_hdr h;
	uint64_t xid;
	uint64_t start_ns, blocked_ns;
	uint64_t held_ns; /* before a request entered the device's queue: throttle, allocation */
	uint64_t queue_ns; /* in the queue, not yet issued */
	uint64_t service_ns; /* issued until completed */
	uint64_t inode;
	uint32_t tid, tgid;
	uint32_t dev; /* major << 20 | minor */
	uint32_t bytes;
	uint32_t waker_tid;
	uint16_t state; /* STATE_DISK, STATE_FAULT */
	uint16_t syscall;
	uint32_t flags; /* enum io_flag */
	uint32_t reserved;
	uint8_t disk[32]; /* "vda" */
	uint8_t waker[ABI_COMM];
	uint8_t name[ABI_NAME]; /* "parent/name" of the file, may be empty */
	/* the one I/O limit that held it, in bytes and operations a second, and whose; 0 = none, or not
	 * known; records of older versions end before */
	uint64_t limit_bps, limit_iops;
	uint8_t group[ABI_NAME];
};

struct rec_runq {
	struct rec_hdr h;
	uint64_t xid;
	uint64_t start_ns, runq_ns; /* from the wakeup or preemption to the switch-in */
	uint64_t throttle_ns; /* of it a CPU quota held the thread back */
	uint32_t tid, tgid;
	uint32_t other_tid, other_tgid; /* who had the CPU that it got, just before */
	uint8_t other[ABI_COMM];
	/* how long that had had it by then, 0 = not known; records of older versions end before */
	uint64_t other_ns;
};

struct rec_behind_by {
	uint64_t ns; /* 0: this one and the next ones are not used */
	uint32_t tid, tgid; /* the latest of that name */
	uint8_t comm[ABI_COMM];
};

struct rec_behind {
	struct rec_hdr h;
	uint64_t xid;
	uint64_t start_ns, runq_ns; /* from the wakeup or preemption to the switch-in */
	uint64_t throttle_ns; /* of it a CPU quota held the thread back */
	uint64_t stolen_ns; /* interrupts had the CPU, or a hypervisor, as far as known */
	uint32_t tid, tgid;
	struct rec_behind_by by[ABI_BEHIND_MAX]; /* in no order */
	/* the one quota that the thread is under; 0 = none, or several, of which it is not known whose it
	 * was; records of older versions end before */
	uint64_t quota_us, period_us;
	uint8_t group[ABI_NAME];
};

/* What it does not know is 0. */
struct rec_net {
	struct rec_hdr h;
	uint64_t xid;
	uint64_t conn;
	uint64_t connect_ns; /* a call's connection was opened for it: SYN to ESTABLISHED */
	uint64_t peer_window_ns; /* sending stood still: the peer's receive window was full */
	uint64_t gap_max_ns; /* longest time between two sends of the answer */
	uint32_t srtt_us, rttvar_us;
	uint32_t retransmits; /* segments, during the exchange */
	uint32_t gaps; /* between sends of the answer that were ABI_GAP_MS or more apart */
	/* sending stood still: the socket was full; records of older versions end before */
	uint64_t send_wait_ns;
};

enum task_event { TASK_FORK = 1, TASK_EXEC = 2, TASK_EXIT = 3 };

struct rec_task {
	struct rec_hdr h;
	uint32_t event; /* enum task_event */
	uint32_t tgid; /* of the child, for a fork */
	uint32_t parent_tgid;
	uint32_t reserved;
	uint8_t comm[ABI_COMM];
};

struct rec_mark {
	struct rec_hdr h;
	uint64_t xid;
	uint32_t tid, tgid;
	uint32_t label; /* index of the probe, see REC_LABEL */
	uint32_t reserved;
};

struct rec_meta {
	struct rec_hdr h;
	uint64_t start_unix_ns; /* CLOCK_REALTIME at h.ts_ns */
	uint32_t cpus;
	uint32_t state_count;
	uint8_t hostname[64];
	uint8_t kernel[64];
	uint8_t version[32];
};

struct rec_proc {
	struct rec_hdr h;
	uint32_t tgid, parent_tgid;
	uint8_t exe[128]; /* base name of the executable, NUL-terminated */
	uint8_t title[128]; /* command line, spaces between words */
	uint8_t cgroup[128];
};

struct rec_tick {
	struct rec_hdr h; /* h.ts_ns: everything before it has been delivered */
	uint64_t seen; /* records so far */
	uint64_t own_cpu_ns; /* collector's CPU time so far */
	uint64_t probe_ns; /* estimated CPU time in BPF programs so far */
	uint64_t rss_bytes;
};

struct rec_lost {
	struct rec_hdr h;
	uint32_t kind; /* enum counter */
	uint32_t reserved;
	uint64_t count;
	uint64_t from_ns, to_ns;
};

struct rec_label {
	struct rec_hdr h;
	uint32_t label;
	uint32_t reserved;
	uint8_t text[128];
};

enum sym_flag {
	SYM_KERNEL = 1 << 0,
	SYM_UNKNOWN = 1 << 1, /* no function is known there: text is made of module and offset */
	SYM_NO_MAP = 1 << 2, /* not even a mapping: the process had ended, or a broken stack */
};

/* Made by the collector. Holds until another of the same tgid and address comes. */
struct rec_sym {
	struct rec_hdr h;
	uint64_t addr;
	uint32_t tgid; /* 0 = kernel */
	uint32_t flags; /* enum sym_flag */
	uint8_t module[ABI_NAME]; /* base name of the file, NUL-terminated, may be empty */
	uint8_t text[ABI_SYM_TEXT]; /* function, NUL-terminated, never empty */
};

/* Ratios in 1/10000; -1 = not known. */
struct rec_host {
	struct rec_hdr h;
	int32_t cpu, disk, runnable_x100, psi_cpu, psi_io, psi_mem;
};

#endif
