/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a person who reads a bundle elsewhere has to know of the host: kernel, CPUs, memory, disks,
 * limits. Written as NDJSON, schema tardy.host/1.0. Nothing of it is a secret: no names of users,
 * hosts or addresses, no environment, no command lines, not the kernel's either. Stateless.
 */
#ifndef TARDY_PROBE_HOSTFACTS_H
#define TARDY_PROBE_HOSTFACTS_H
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* root: what stands before /proc, /sys and /etc, "" for the host's own. What cannot be read is
 * null or left out. 0 or negative errno of the first failed write. */
int hostfacts_write(FILE *out, const char *root);

/* Reads ROOT/PATH, at most max bytes of it, NUL-terminated; for the caller to free. NULL: it
 * cannot be read. *len, which may be NULL, gets the length. */
char *hostfacts_read(const char *root, const char *path, size_t max, size_t *len);
#endif
