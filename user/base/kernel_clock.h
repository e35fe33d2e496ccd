/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock that the BPF programs stamp records with. In a time namespace of its own a process
 * sees CLOCK_MONOTONIC shifted, the kernel does not: what is compared with records, or becomes one,
 * has to be taken from here. Any thread.
 */
#ifndef TARDY_BASE_KERNEL_CLOCK_H
#define TARDY_BASE_KERNEL_CLOCK_H
#include <stdint.h>

/* CLOCK_MONOTONIC of the first time namespace, which is what bpf_ktime_get_ns() gives. */
uint64_t kernel_clock_ns(void);
/* The shift of CLOCK_MONOTONIC in the NUL-terminated text of /proc/PID/timens_offsets, 0 when it
 * says none. */
int64_t kernel_clock_offset_ns(const char *text);
#endif
