/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What /proc says of a process and of this host, as records. The texts of /proc that hold names a
 * process chooses itself are parsed by functions of their own, which take any bytes. Stateless;
 * any thread.
 */
#ifndef TARDY_PROBE_PROCINFO_H
#define TARDY_PROBE_PROCINFO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/slice.h"
#include "bpf/abi.h"

/* Of /proc/PID/stat, see proc(5). */
struct procinfo_stat {
	pid_t pid, parent;
	char state; /* 'R', 'S', 'Z', ... */
	bool kernel; /* a kernel thread */
	uint32_t threads;
	uint64_t start_ticks; /* since boot: with pid, the identity of a process */
	char comm[ABI_NAME]; /* as the process chose it, any bytes */
};

/* One line of /proc/PID/cgroup; points into the text. */
struct procinfo_cgroup {
	struct slice controllers; /* "" = cgroup v2, "name=systemd", "cpu,cpuacct" */
	struct slice path; /* begins with '/' */
};

/* Fills out for the process, header included; all of it is zeroed first. exe: base name of the
 * executable, else the command name. title: see procinfo_title(). cgroup: see
 * procinfo_cgroup_of(). -ESRCH: no such process, out is untouched. */
int procinfo_fill(pid_t tgid, struct rec_proc *out);
/* Fills out for this host. version: tardy's. 0, or negative errno of the clocks or uname. */
int procinfo_meta(struct rec_meta *out, const char *version);

/* Reads PROC/PID/FILE into buf, NUL-terminated, cut at cap - 1 bytes. Returns the length or a
 * negative errno; -ESRCH when the process is gone (or has no such file). */
ssize_t procinfo_read(const char *proc, pid_t pid, const char *file, char *buf, size_t cap);
/* Reads and parses PROC/PID/stat. -ESRCH: gone; -EBADMSG. */
int procinfo_stat(const char *proc, pid_t pid, struct procinfo_stat *out);
/* True for a process that has ended and was not waited for yet. A group leader that ended while
 * its other threads run has state 'Z' too, but lives. */
bool procinfo_is_dead(const struct procinfo_stat *st);

/* The text of /proc/PID/stat. -EBADMSG, with out untouched, when it is not of that form. */
int procinfo_parse_stat(struct slice text, struct procinfo_stat *out);
/* The number field of a line "KEY:\t1\t2..." of /proc/PID/status, counted from 0.
 * -ENOENT: no such line or field. */
int64_t procinfo_parse_status(struct slice text, const char *key, unsigned field);
/* Takes the next line off *rest. False at the end; lines of another form are skipped. */
bool procinfo_cgroup_next(struct slice *rest, struct procinfo_cgroup *line);

/* The control group that says most, of the text of /proc/PID/cgroup: the deeper of v2's and
 * systemd's, else the longest of any controller. What does not fit in cap loses its first
 * directories, as the last say more. out is NUL-terminated, "" when there is none. */
void procinfo_cgroup_of(struct slice text, char *out, size_t cap);
/* A command line for display: words parted by one space, control bytes replaced by '?', cut at
 * cap - 1 bytes. From the first secret on ("--password x", "PGPASSWORD=x", "://user:x@host") it
 * is replaced by "***"; that is a guess by name and not a promise. */
void procinfo_title(struct slice cmdline, char *out, size_t cap);
/* Are the ids of processes that tardy sees those of the host (of the first PID namespace)? */
bool procinfo_host_ids(void);
/* The base name of what /proc/PID/exe links to, without " (deleted)", control bytes replaced. */
void procinfo_exe(struct slice target, char *out, size_t cap);
/* Puts the name that a program was started by into exe, which holds its executable's, where command
 * name and title agree on another one. */
void procinfo_started_as(const char *comm, struct slice title, char *exe, size_t cap);
#endif
