/* SPDX-License-Identifier: GPL-2.0-only */
/* Which processors are online, as the kernel lists them: "0-3,8,10-11". */
#ifndef TARDY_PROBE_CPUS_H
#define TARDY_PROBE_CPUS_H
#include <stdbool.h>
#include <stddef.h>

#define CPUS_ONLINE_PATH "/sys/devices/system/cpu/online"

/* Sets online[0..n) from a list; a processor of n or more is left out. 0, or -EINVAL when it is none
 * (online is not changed then). */
int cpus_parse(const char *list, bool *online, size_t n);
/* The same from a file. 0 or negative errno. */
int cpus_read(const char *path, bool *online, size_t n);

#endif
