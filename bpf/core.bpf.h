/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every program here stands on: headers, switches set by the collector before loading,
 * the maps, the counters and the way a record leaves.
 */
#ifndef TARDY_CORE_BPF_H
#define TARDY_CORE_BPF_H
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "abi.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define ENOSYS 38
#define MSG_PEEK 2

/* Who is observed. With select_all every process but tardy; else the tgids in `selected` (their
 * children are added at fork) and, independent of them, connections accepted on `ports`. */
const volatile bool select_all = false;
const volatile __u32 self_tgid = 0;
const volatile __u32 n_ports = 0;
const volatile __u16 ports[ABI_PORTS_MAX] = {};
/* CPU >> shard_shift selects the ring. */
const volatile __u32 shard_shift = 31;
/* Lock waits shorter than this leave no record of their own (their time still counts). */
const volatile __u64 wait_record_min_ns = 20000;
/* The same for waits for a CPU: who ran instead. */
const volatile __u64 runq_record_min_ns = 500000;
/* Length of a jiffy. */
const volatile __u64 jiffy_ns = 4000000;
/* Classes of system calls by number, see enum syscall_class and enum io_shape. */
const volatile __u8 syscall_class[ABI_SYSCALLS] = {};
const volatile __u8 syscall_io[ABI_SYSCALLS] = {};
/* Tests only: a state (enum thread_state + 1) whose classifier is broken on purpose, 0 = none. */
const volatile __u32 break_state = 0;
/* Tests only: every so many-th storage cannot be made, 0 = all can. */
const volatile __u32 fail_storage = 0;
__u32 storage_tries;
/* Tests only: every so many-th time that a serving thread is off the CPU goes unseen, 0 = none. */
const volatile __u32 skip_switches = 0;
__u32 switches_seen;
/* Tests only: every so many-th time that such a thread comes back to the CPU goes unseen, 0 = none. */
const volatile __u32 skip_arrivals = 0;
__u32 arrivals_seen;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, ABI_SHARDS_MAX);
	__type(key, __u32);
	__type(value, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_RINGBUF);
			__uint(max_entries, 4096);
		});
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u8);
} selected SEC(".maps");

/* Processes that listen or have accepted, whoever asks them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u8);
} servers SEC(".maps");

struct cpu_counters {
	__u64 count[COUNTER_COUNT];
	__u64 next_xid;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu_counters);
} counters SEC(".maps");

static __always_inline void count(enum counter which)
{
	__u32 zero = 0;
	struct cpu_counters *c = bpf_map_lookup_elem(&counters, &zero);

	if (c) /* atomic: a softirq may count between the load and the store of what it interrupts */
		__sync_fetch_and_add(&c->count[which], 1);
}

/* Flags for getting storage: without the right to make it when a test wants that to fail. */
static __always_inline __u64 storage_flags(void)
{
	if (fail_storage && __sync_fetch_and_add(&storage_tries, 1) % fail_storage == 0)
		return 0;
	return BPF_LOCAL_STORAGE_GET_F_CREATE;
}

/* Unique within a recording: the CPU and a number of its own, never 0. Connections are made in
 * softirqs too, which interrupt a thread that takes its number on the same CPU: hence atomic. */
static __always_inline __u64 new_xid(void)
{
	__u32 zero = 0;
	struct cpu_counters *c = bpf_map_lookup_elem(&counters, &zero);

	if (!c)
		return 0;
	return ((__u64)bpf_get_smp_processor_id() << 48) |
	       (__sync_fetch_and_add(&c->next_xid, 1) + 1);
}

static __always_inline void *ring_of_cpu(void)
{
	__u32 shard = bpf_get_smp_processor_id() >> shard_shift;

	return bpf_map_lookup_elem(&rings, &shard);
}

static __always_inline void hdr_fill(struct rec_hdr *h, __u16 type, __u32 len, __u64 now)
{
	h->len = len;
	h->type = type;
	h->cpu = bpf_get_smp_processor_id();
	h->ts_ns = now;
}

static __always_inline bool process_selected(__u32 tgid)
{
	if (tgid == self_tgid)
		return false;
	return select_all || bpf_map_lookup_elem(&selected, &tgid);
}

static __always_inline bool port_selected(__u16 port)
{
	for (__u32 i = 0; i < ABI_PORTS_MAX; i++)
		if (i < n_ports && ports[i] == port)
			return true;
	return false;
}

static __always_inline bool is_server(__u32 tgid)
{
	return bpf_map_lookup_elem(&servers, &tgid) != NULL;
}

static __always_inline void server_add(__u32 tgid)
{
	__u8 one = 1;

	if (!is_server(tgid))
		bpf_map_update_elem(&servers, &tgid, &one, BPF_ANY);
}

static __always_inline __u32 class_of(__s64 nr)
{
	return nr >= 0 && nr < ABI_SYSCALLS ? syscall_class[nr] : SYSC_NONE;
}

/* As bpf_get_current_pid_tgid() has it. */
static __always_inline __u64 pid_tgid_of(const struct task_struct *p)
{
	return (__u64)p->tgid << 32 | (__u32)p->pid;
}

static __always_inline __u32 current_tgid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

#endif
