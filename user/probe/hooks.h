/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every program that tardy puts into the kernel, one row each: what doctor lists, what is
 * attached, and what is missed when it cannot be.
 * X(program, "tracepoint", need, "what it gives", "effect when off")
 */
#ifndef TARDY_PROBE_HOOKS_H
#define TARDY_PROBE_HOOKS_H

enum hook_need { HOOK_REQUIRED, HOOK_OPTIONAL };

#define HOOKS(X) \
	X(on_sock_recv_length, "sock_recv_length", HOOK_REQUIRED, "receives on sockets", \
	  "no request can be seen") \
	X(on_sock_send_length, "sock_send_length", HOOK_REQUIRED, "sends on sockets", \
	  "no request can be seen") \
	X(on_sk_data_ready, "sk_data_ready", HOOK_REQUIRED, "arrival of unread data", \
	  "the wait in the accept queue cannot be seen") \
	X(on_inet_sock_set_state, "inet_sock_set_state", HOOK_REQUIRED, \
	  "TCP connections accepted, opened and closed", "TCP connections are not recognised") \
	X(on_sched_switch, "sched_switch", HOOK_REQUIRED, "what threads wait in", \
	  "no breakdown of the wait") \
	X(on_sched_waking, "sched_waking", HOOK_REQUIRED, "blocked time apart from run queue", \
	  "run queue cannot be told from blocking; locks have no holder") \
	X(on_sched_process_fork, "sched_process_fork", HOOK_REQUIRED, "new processes and threads", \
	  "children of selected processes are missed") \
	X(on_sched_process_exec, "sched_process_exec", HOOK_OPTIONAL, "new programs", \
	  "a process keeps the name it had before exec") \
	X(on_sched_process_exit, "sched_process_exit", HOOK_OPTIONAL, "ended processes", \
	  "ended processes are noticed late") \
	X(on_block_rq_issue, "block_rq_issue", HOOK_OPTIONAL, "block requests given to a device", \
	  "waits for a disk are not split by queue and device") \
	X(on_block_rq_complete, "block_rq_complete", HOOK_OPTIONAL, "block requests completed", \
	  "waits for a disk do not say which device") \
	X(on_tcp_retransmit_skb, "tcp_retransmit_skb", HOOK_OPTIONAL, "retransmitted segments", \
	  "retransmits are not counted")

/* Not a tracepoint: the CPU clock, on each CPU. */
#define HOOK_SAMPLE_NAME "cpu-clock"
#define HOOK_SAMPLE_GIVES "stacks of running requests, 99 times a second"
#define HOOK_SAMPLE_EFFECT "on-CPU time is counted, but not split by function"

#endif
