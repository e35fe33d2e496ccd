/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finding control groups by path, by systemd unit and by container, and the processes in them.
 * root is where control groups are mounted, /sys/fs/cgroup: either the one hierarchy of v2, or a
 * folder of hierarchies (v1: "systemd", "cpu,cpuacct", ...; "unified" is v2 beside them).
 * Nothing here follows symbolic links below root.
 */
#ifndef TARDY_PROBE_SELECT_CGROUP_H
#define TARDY_PROBE_SELECT_CGROUP_H
#include <stddef.h>
#include <sys/types.h>
#include "base/slice.h"

/* Folders of control groups, each once. Zeroed = empty. */
struct cgroup_dirs {
	char **paths;
	size_t n;
};

void cgroup_dirs_release(struct cgroup_dirs *d);

/* All of these add to *out and return 0, -ENOENT when nothing was found, or -ENOMEM. */

/* path: below root or below any hierarchy, with or without root in front. Of several hierarchies
 * the first where a process is in the group, else the first that has it. */
int cgroup_find_path(const char *root, const char *path, struct cgroup_dirs *out);
/* unit: "nginx.service" or "nginx"; every group of that name, then of instances "nginx@*.service",
 * in the first hierarchy that has one (systemd's own first). */
int cgroup_find_unit(const char *root, const char *unit, struct cgroup_dirs *out);
/* The folders that the lines of a /proc/PID/cgroup name for the container, see
 * cgroup_container_of(). */
int cgroup_find_container(const char *root, struct slice proc_cgroup, struct slice container,
			  struct cgroup_dirs *out);

/* The whole id or name of the container a process is in, by the text of its /proc/PID/cgroup, if
 * that begins with prefix; else an empty slice. Knows docker, containerd, cri-o, podman, lxc and
 * systemd-nspawn; points into the text. */
struct slice cgroup_container_of(struct slice proc_cgroup, struct slice prefix);

/* Calls fn for each process in the group and those below it; a process may come twice. A non-zero
 * return of fn ends it and is returned. -ENOENT: the group is not there (any more). */
int cgroup_each_proc(const char *dir, int (*fn)(void *ctx, pid_t tgid), void *ctx);
#endif
