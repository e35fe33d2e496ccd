/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which processes and ports are observed: turns what the command line names (-p, -u, --unit,
 * --cgroup, --container, --port, -a) into process ids, and finds those that come later. Several
 * of them together select all that any of them selects. Processes forked by a selected one are
 * followed by the kernel side; what is rescanned here are users and control groups, which
 * processes enter in other ways. tardy itself, and the sudo, su or doas it was started by, are
 * never selected; neither are kernel threads, unless named. One thread uses a selection.
 */
#ifndef TARDY_PROBE_SELECT_H
#define TARDY_PROBE_SELECT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/log.h"
#include "base/table.h"
#include "probe/select_cgroup.h"

/* As on the command line; NULL = not given. */
struct select_spec {
	bool all;
	const char *pids; /* "12,34": process or thread ids */
	const char *user; /* name or number: processes with that effective user id */
	const char *unit; /* systemd unit, ".service" may be left out */
	const char *cgroup; /* path, as it is or below /sys/fs/cgroup, and all below it */
	const char *container; /* beginning of its id, or its name */
	const char *ports; /* "80,443": local ports of accepted connections */
};

/* Filled by selection_resolve() in any case. */
struct select_error {
	enum log_code code; /* LOG_CODE_COUNT: nothing to say */
	char what[160]; /* "no process 4711"; names in it come from the command line */
};

/* Where to look, for tests. */
struct select_roots {
	const char *proc, *cgroup; /* borrowed until selection_release() */
	pid_t self; /* which is left out */
};

struct selection {
	bool all;
	pid_t *pids; /* process (thread group) ids found by selection_resolve(), ascending */
	size_t n_pids;
	uint16_t *ports; /* as given, each once */
	size_t n_ports;

	/* private */
	struct select_roots roots;
	bool by_pid, by_user, by_cgroup;
	uid_t uid;
	char *unit; /* searched again, as its groups go and come with it */
	struct cgroup_dirs unit_dirs, dirs;
	struct table known; /* pid -> struct known_proc */
	pid_t excluded[8];
	size_t n_excluded;
	uint32_t scan; /* number of this scan */
};

/*
 * Resolves spec. 0; out is the caller's then, and err holds a warning if its code is not
 * LOG_CODE_COUNT: LOG_NO_PORT nobody listens on a port now, LOG_NO_PID the user has no process,
 * LOG_NO_CGROUP the group has none. On errors out is empty and err says why:
 *   -EINVAL     LOG_USAGE: not a list of ids or ports, tardy's own id, nothing given at all
 *   -E2BIG      LOG_USAGE: more than ABI_PORTS_MAX ports, or more than 65536 processes
 *   -ENOTUNIQ   LOG_USAGE: several containers begin like that
 *   -ESRCH      LOG_NO_PID: no such process
 *   -ENOENT     LOG_NO_CGROUP: no such group, unit or container; LOG_USAGE: no such user
 *   -ENOMEM     LOG_NO_MEMORY
 * -p adds all processes that descend from the one named: of a prefork server the master is
 * named and the workers are found.
 */
int selection_resolve(const struct select_spec *spec, struct selection *out,
		      struct select_error *err);
int selection_resolve_at(const struct select_roots *roots, const struct select_spec *spec,
			 struct selection *out, struct select_error *err);

/*
 * To be called each second. Calls added for each process that is in the selection now and was
 * not known before (it may be one the kernel side follows already). A process that left its
 * user or control group stays selected. Returns 1 when only -p was given and neither those
 * processes nor their descendants live any more, else 0. Cost: one small file for -p alone (all
 * of /proc each fifth time), the folders of a control group, or for a user a listing of /proc
 * with a closer look at new processes, and now and then at others.
 */
int selection_rescan(struct selection *s, void (*added)(void *ctx, pid_t tgid), void *ctx);
/* Tells of a process that the kernel side follows, so that "all gone" includes it even when its
 * parent ended at once. -E2BIG: no room, which only makes that less exact. */
int selection_add(struct selection *s, pid_t tgid);
/* Frees what s holds; a zeroed or released one is fine too. */
void selection_release(struct selection *s);
#endif
