/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each system call waits in and how it passes its buffer: fills the tables that the BPF
 * programs index by number, from the numbers of the architecture this is compiled for.
 */
#ifndef TARDY_PROBE_SYSCALLS_H
#define TARDY_PROBE_SYSCALLS_H
#include <stdint.h>

/* class_of and io_of have ABI_SYSCALLS entries each. */
void syscalls_fill(uint8_t *class_of, uint8_t *io_of);

#endif
