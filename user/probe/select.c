// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resolving and rescanning the selection. A table holds each process that is selected, with its
 * start time, as ids are used again; with -u also those that are not, to look at them less often:
 * a daemon's worker is root when it is forked and another user a moment later.
 */
#define _GNU_SOURCE
#include "probe/select.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/abi.h"
#include "probe/procinfo.h"

enum {
	PROCS_MAX = 65536,
	TREE_SCANS = 5, /* descendants of -p are looked for each so many scans */
	UNIT_SCANS = 5, /* and the groups of a unit */
	YOUNG_CHECKS = 10, /* a process is new for so many scans */
	OLD_CHECK_SCANS = 16, /* others are looked at again after so many */
	TEXT_MAX = 16384,
};

struct known_proc {
	uint64_t start_ticks;
	uint32_t scan; /* last one that saw it */
	uint32_t next_check; /* not a member: not before this scan */
	uint32_t checks;
	bool member;
};

/* Whom to tell of what a scan finds. */
struct scan {
	struct selection *s;
	void (*added)(void *ctx, pid_t tgid);
	void *ctx;
};

__attribute__((format(printf, 4, 5))) static int report(struct select_error *err, int ret,
							enum log_code code, const char *fmt, ...)
{
	va_list ap;

	/* of several warnings the first is kept, an error goes before them */
	if (!ret && err->code != LOG_CODE_COUNT)
		return 0;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->what, sizeof(err->what), fmt, ap);
	va_end(ap);
	return ret;
}

static int too_many(struct select_error *err)
{
	return report(err, -E2BIG, LOG_USAGE, "more than %d processes are selected; use -a",
		      PROCS_MAX);
}

static int no_memory(struct select_error *err)
{
	return report(err, -ENOMEM, LOG_NO_MEMORY, "no memory to select processes");
}

/* ---- the table --------------------------------------------------------------------------- */

static bool is_excluded(const struct selection *s, pid_t pid)
{
	for (size_t i = 0; i < s->n_excluded; i++)
		if (s->excluded[i] == pid)
			return true;
	return false;
}

static struct known_proc *member_of(const struct selection *s, pid_t pid)
{
	struct known_proc *k = table_get(&s->known, (uint64_t)pid);

	return k && k->member ? k : NULL;
}

/* 1: new; 0: was a member already or is excluded; -E2BIG: no room. */
static int add_member(const struct scan *scan, pid_t pid, uint64_t start_ticks)
{
	struct selection *s = scan->s;
	struct known_proc *k;

	if (is_excluded(s, pid))
		return 0;
	k = table_put(&s->known, (uint64_t)pid, NULL);
	if (!k)
		return -E2BIG;
	k->scan = s->scan;
	if (k->member && k->start_ticks == start_ticks)
		return 0;
	k->member = true;
	k->start_ticks = start_ticks;
	/* k may move when the caller adds another one meanwhile: not used any more */
	if (scan->added)
		scan->added(scan->ctx, pid);
	return 1;
}

/* Alive, and still the process that is in the table. */
static bool is_alive(const struct selection *s, pid_t pid, const struct known_proc *k)
{
	struct procinfo_stat st;

	return procinfo_stat(s->roots.proc, pid, &st) == 0 && !procinfo_is_dead(&st) &&
	       st.start_ticks == k->start_ticks;
}

/* ---- all processes ----------------------------------------------------------------------- */

/* Calls fn for each process in /proc until it returns non-zero, and returns that. */
static int each_process(const char *proc, int (*fn)(void *ctx, pid_t tgid), void *ctx)
{
	DIR *d = opendir(proc);
	const struct dirent *e;
	int ret = 0;

	if (!d)
		return -errno;
	while (!ret && (e = readdir(d))) {
		int pid = isdigit((unsigned char)e->d_name[0]) ? atoi(e->d_name) : 0;

		if (pid > 0)
			ret = fn(ctx, pid);
	}
	closedir(d);
	return ret;
}

struct row {
	pid_t pid, parent;
	uint64_t start_ticks;
};

struct rows {
	const struct selection *s;
	struct row *v;
	size_t n, room;
};

/* Living user processes only. */
static int read_row(void *ctx, pid_t pid)
{
	struct rows *r = ctx;
	struct procinfo_stat st;

	if (procinfo_stat(r->s->roots.proc, pid, &st) || procinfo_is_dead(&st))
		return 0;
	/* one that was named is known, but no other */
	if (st.kernel && !member_of(r->s, pid))
		return 0;
	if (r->n == r->room) {
		size_t room = r->room ? r->room * 2 : 256;
		struct row *v = realloc(r->v, room * sizeof(*v));

		if (!v)
			return -ENOMEM;
		r->v = v;
		r->room = room;
	}
	r->v[r->n++] = (struct row){ st.pid, st.parent, st.start_ticks };
	return 0;
}

/* Adds what descends from members. Members that have ended are dropped first: their ids may
 * belong to others now. */
static int add_descendants(const struct scan *scan)
{
	struct selection *s = scan->s;
	struct rows r = { .s = s };
	int ret = each_process(s->roots.proc, read_row, &r);
	bool more = true;

	for (size_t i = 0; !ret && i < r.n; i++) {
		struct known_proc *k = member_of(s, r.v[i].pid);

		if (k && k->start_ticks == r.v[i].start_ticks)
			k->scan = s->scan;
	}
	if (!ret) {
		table_each(it, &s->known) {
			const struct known_proc *k = it.value;

			if (k->member && k->scan != s->scan)
				table_del(&s->known, it.key);
		}
	}
	/* parents mostly have the lower id and come first, so few rounds are needed */
	while (more && ret >= 0) {
		more = false;
		for (size_t i = 0; ret >= 0 && i < r.n; i++) {
			if (member_of(s, r.v[i].pid) || !member_of(s, r.v[i].parent))
				continue;
			ret = add_member(scan, r.v[i].pid, r.v[i].start_ticks);
			more |= ret > 0;
		}
	}
	free(r.v);
	return ret < 0 ? ret : 0;
}

/* ---- -p ---------------------------------------------------------------------------------- */

/* Takes the next number of a list "1,2,3". 1: taken, 0: end, -EINVAL. */
static int number_next(const char **at, long max, long *out)
{
	char *end;

	if (!**at)
		return 0;
	if (!isdigit((unsigned char)**at))
		return -EINVAL;
	errno = 0;
	*out = strtol(*at, &end, 10);
	if (errno || *out < 1 || *out > max || (*end && *end != ',') || (*end == ',' && !end[1]))
		return -EINVAL;
	*at = *end ? end + 1 : end;
	return 1;
}

/* Threads have no entry in a listing of /proc, but can be opened. */
static pid_t group_of(const char *proc, pid_t tid)
{
	char text[TEXT_MAX];
	ssize_t n = procinfo_read(proc, tid, "status", text, sizeof(text));
	int64_t tgid = n < 0 ? n :
			       procinfo_parse_status((struct slice){ text, (size_t)n }, "Tgid", 0);

	return tgid > 0 && tgid <= INT_MAX ? (pid_t)tgid : -ESRCH;
}

static int add_named(struct selection *s, long id, struct select_error *err)
{
	struct scan scan = { .s = s };
	struct procinfo_stat st;
	pid_t tgid = group_of(s->roots.proc, (pid_t)id);

	if (tgid < 0 || procinfo_stat(s->roots.proc, tgid, &st) || procinfo_is_dead(&st))
		return report(err, -ESRCH, LOG_NO_PID, "no process %ld", id);
	if (is_excluded(s, tgid))
		return report(err, -EINVAL, LOG_USAGE, "process %ld is tardy itself, or started it",
			      id);
	return add_member(&scan, tgid, st.start_ticks) < 0 ? too_many(err) : 0;
}

static int resolve_pids(struct selection *s, const char *pids, struct select_error *err)
{
	struct scan scan = { .s = s };
	const char *at = pids;
	long id;
	int ret = *pids ? 0 : -EINVAL;

	while (!ret && (ret = number_next(&at, INT_MAX, &id)) == 1) {
		ret = add_named(s, id, err);
		if (ret)
			return ret;
	}
	if (ret)
		return report(err, -EINVAL, LOG_USAGE, "not a list of process ids: '%s'", pids);
	s->by_pid = true;
	ret = add_descendants(&scan);
	if (ret)
		return ret == -E2BIG ? too_many(err) : no_memory(err);
	return 0;
}

/* ---- -u ---------------------------------------------------------------------------------- */

/* Not by the owner of /proc/PID: that is root for a process which changed its user. */
static bool has_user(const struct selection *s, pid_t pid)
{
	char text[TEXT_MAX];
	ssize_t n = procinfo_read(s->roots.proc, pid, "status", text, sizeof(text));

	return n > 0 && procinfo_parse_status((struct slice){ text, (size_t)n }, "Uid", 1) ==
				(int64_t)s->uid;
}

static int check_user(void *ctx, pid_t pid)
{
	const struct scan *scan = ctx;
	struct selection *s = scan->s;
	struct procinfo_stat st;
	struct known_proc *k;
	bool created;
	int ret;

	if (is_excluded(s, pid))
		return 0;
	k = table_put(&s->known, (uint64_t)pid, &created);
	if (!k)
		return -E2BIG;
	k->scan = s->scan;
	if (!created && (k->member || s->scan < k->next_check))
		return 0;
	if (procinfo_stat(s->roots.proc, pid, &st) || procinfo_is_dead(&st)) {
		k->next_check = s->scan + OLD_CHECK_SCANS;
	} else if (st.kernel) {
		k->next_check = UINT32_MAX;
	} else if (has_user(s, pid)) {
		ret = add_member(scan, pid, st.start_ticks);
		return ret < 0 ? ret : 0;
	} else {
		k->next_check = s->scan + (++k->checks < YOUNG_CHECKS ? 1 : OLD_CHECK_SCANS);
	}
	return 0;
}

static size_t count_members(const struct selection *s)
{
	size_t n = 0;

	table_each(it, &s->known)
		n += ((const struct known_proc *)it.value)->member;
	return n;
}

static int resolve_user(struct selection *s, const char *user, struct select_error *err)
{
	const struct passwd *pw = getpwnam(user);
	struct scan scan = { .s = s };
	size_t before = count_members(s);
	const char *at = user;
	long id = 0;
	int ret;

	/* root's number is the one that number_next() does not take */
	if (!pw && strcmp(user, "0") != 0 &&
	    (number_next(&at, (long)UINT32_MAX - 1, &id) != 1 || *at))
		return report(err, -ENOENT, LOG_USAGE, "no user '%s'", user);
	s->uid = pw ? pw->pw_uid : (uid_t)id;
	s->by_user = true;
	ret = each_process(s->roots.proc, check_user, &scan);
	if (ret)
		return ret == -E2BIG ? too_many(err) : no_memory(err);
	if (before == 0 && count_members(s) == 0)
		report(err, 0, LOG_NO_PID, "no process runs as user '%s' now", user);
	return 0;
}

/* ---- --unit, --cgroup, --container ------------------------------------------------------- */

static int add_from_group(void *ctx, pid_t pid)
{
	const struct scan *scan = ctx;
	struct known_proc *k = member_of(scan->s, pid);
	struct procinfo_stat st;
	int ret;

	if (k) {
		k->scan = scan->s->scan;
		return 0;
	}
	/* the group of all processes holds kernel threads too */
	if (procinfo_stat(scan->s->roots.proc, pid, &st) || procinfo_is_dead(&st) || st.kernel)
		return 0;
	ret = add_member(scan, st.pid, st.start_ticks);
	return ret < 0 ? ret : 0;
}

/* -ENOENT when one of the groups is gone; the others are done all the same. */
static int scan_dirs(const struct scan *scan, const struct cgroup_dirs *dirs)
{
	int ret = 0;

	for (size_t i = 0; i < dirs->n && (!ret || ret == -ENOENT); i++) {
		int one = cgroup_each_proc(dirs->paths[i], add_from_group, (void *)scan);

		ret = one ? one : ret;
	}
	return ret;
}

struct container_search {
	struct selection *s;
	struct slice prefix;
	char id[NAME_MAX + 1]; /* found, "" = none */
	bool exact, several;
};

static int find_container(void *ctx, pid_t pid)
{
	struct container_search *c = ctx;
	char text[TEXT_MAX];
	ssize_t n = procinfo_read(c->s->roots.proc, pid, "cgroup", text, sizeof(text));
	struct slice id;

	if (n <= 0)
		return 0;
	id = cgroup_container_of((struct slice){ text, (size_t)n }, c->prefix);
	if (!id.len || id.len >= sizeof(c->id) || slice_eq(id, slice_of(c->id)))
		return 0;
	c->several |= c->id[0] != '\0';
	/* the name of one container may be how that of another begins */
	if (!c->exact) {
		memcpy(c->id, id.ptr, id.len);
		c->id[id.len] = '\0';
		c->exact = slice_eq(id, c->prefix);
	}
	return 0;
}

static int add_from_container(void *ctx, pid_t pid)
{
	struct container_search *c = ctx;
	struct scan scan = { .s = c->s };
	char text[TEXT_MAX];
	ssize_t n = procinfo_read(c->s->roots.proc, pid, "cgroup", text, sizeof(text));
	struct slice all = { text, n > 0 ? (size_t)n : 0 }, id = slice_of(c->id);
	int ret;

	if (!slice_eq(cgroup_container_of(all, id), id))
		return 0;
	ret = cgroup_find_container(c->s->roots.cgroup, all, id, &c->s->dirs);
	/* its folder may not be visible from here: then its processes are all there is */
	if (ret && ret != -ENOENT)
		return ret;
	return add_from_group(&scan, pid);
}

static int resolve_container(struct selection *s, const char *container, struct select_error *err)
{
	struct container_search c = { .s = s, .prefix = slice_of(container) };
	int ret;

	if (*container)
		each_process(s->roots.proc, find_container, &c);
	if (!c.id[0])
		return report(err, -ENOENT, LOG_NO_CGROUP, "no process is in a container '%s'",
			      container);
	if (c.several && !c.exact)
		return report(err, -ENOTUNIQ, LOG_USAGE, "several containers begin with '%s'",
			      container);
	ret = each_process(s->roots.proc, add_from_container, &c);
	if (ret)
		return ret == -E2BIG ? too_many(err) : no_memory(err);
	return 0;
}

static int resolve_groups(struct selection *s, const struct select_spec *spec,
			  struct select_error *err)
{
	const char *root = s->roots.cgroup;
	struct scan scan = { .s = s };
	size_t before = count_members(s);
	int ret;

	s->by_cgroup = spec->unit || spec->cgroup || spec->container;
	if (!s->by_cgroup)
		return 0;
	if (spec->unit) {
		s->unit = strdup(spec->unit);
		ret = s->unit ? cgroup_find_unit(root, spec->unit, &s->unit_dirs) : -ENOMEM;
		if (ret == -ENOENT)
			return report(err, ret, LOG_NO_CGROUP, "no control group of unit '%s'",
				      spec->unit);
		if (ret)
			return no_memory(err);
	}
	if (spec->cgroup) {
		ret = cgroup_find_path(root, spec->cgroup, &s->dirs);
		if (ret == -ENOENT)
			return report(err, ret, LOG_NO_CGROUP, "no control group '%s'",
				      spec->cgroup);
		if (ret)
			return no_memory(err);
	}
	if (spec->container) {
		ret = resolve_container(s, spec->container, err);
		if (ret)
			return ret;
	}
	ret = scan_dirs(&scan, &s->unit_dirs);
	if (!ret || ret == -ENOENT)
		ret = scan_dirs(&scan, &s->dirs);
	if (ret && ret != -ENOENT)
		return ret == -E2BIG ? too_many(err) : no_memory(err);
	if (before == 0 && count_members(s) == 0)
		report(err, 0, LOG_NO_CGROUP, "no process is in the control group now");
	return 0;
}

/* ---- --port ------------------------------------------------------------------------------ */

/* Marks the ports of out that a line of /proc/net/tcp or tcp6 listens on (state 0A). */
static void mark_listening(const struct selection *s, const char *file, bool *listens)
{
	char path[PATH_MAX], line[512];
	unsigned port, state;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/net/%s", s->roots.proc, file) >= (int)sizeof(path))
		return;
	f = fopen(path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*d: %*32[0-9A-Fa-f]:%x %*32[0-9A-Fa-f]:%*x %x", &port, &state) !=
			    2 ||
		    state != 0x0a)
			continue;
		for (size_t i = 0; i < s->n_ports; i++)
			listens[i] |= s->ports[i] == port;
	}
	fclose(f);
}

static int resolve_ports(struct selection *s, const char *ports, struct select_error *err)
{
	bool listens[ABI_PORTS_MAX] = { false };
	const char *at = ports;
	long port;
	int ret = *ports ? 0 : -EINVAL;

	s->ports = calloc(ABI_PORTS_MAX, sizeof(*s->ports));
	if (!s->ports)
		return no_memory(err);
	while (!ret && (ret = number_next(&at, UINT16_MAX, &port)) == 1) {
		bool twice = false;

		ret = 0;
		for (size_t i = 0; i < s->n_ports; i++)
			twice |= s->ports[i] == port;
		if (twice)
			continue;
		if (s->n_ports == ABI_PORTS_MAX)
			return report(err, -E2BIG, LOG_USAGE, "more than %d ports", ABI_PORTS_MAX);
		s->ports[s->n_ports++] = (uint16_t)port;
	}
	if (ret)
		return report(err, -EINVAL, LOG_USAGE, "not a list of ports (1 to 65535): '%s'",
			      ports);
	mark_listening(s, "tcp", listens);
	mark_listening(s, "tcp6", listens);
	for (size_t i = 0; i < s->n_ports; i++)
		if (!listens[i])
			report(err, 0, LOG_NO_PORT, "no process listens on port %u now",
			       s->ports[i]);
	return 0;
}

/* ---- all together ------------------------------------------------------------------------ */

/* tardy, and what it was started with: those wait for it and would show as idle at best. */
static void exclude_self(struct selection *s)
{
	static const char *const starters[] = { "sudo", "su", "doas", "pkexec", "run0" };
	struct procinfo_stat st;
	pid_t pid = s->roots.self;

	s->excluded[s->n_excluded++] = pid;
	while (s->n_excluded < sizeof(s->excluded) / sizeof(s->excluded[0]) &&
	       procinfo_stat(s->roots.proc, pid, &st) == 0 && st.parent > 1) {
		bool starter = false;

		pid = st.parent;
		if (procinfo_stat(s->roots.proc, pid, &st))
			return;
		for (size_t i = 0; i < sizeof(starters) / sizeof(starters[0]); i++)
			starter |= strcmp(st.comm, starters[i]) == 0;
		if (!starter)
			return;
		s->excluded[s->n_excluded++] = pid;
	}
}

static int ascending(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

static int list_pids(struct selection *s, struct select_error *err)
{
	size_t n = count_members(s);

	if (n == 0)
		return 0;
	s->pids = calloc(n, sizeof(*s->pids));
	if (!s->pids)
		return no_memory(err);
	table_each(it, &s->known)
		if (((const struct known_proc *)it.value)->member)
			s->pids[s->n_pids++] = (pid_t)it.key;
	qsort(s->pids, s->n_pids, sizeof(*s->pids), ascending);
	return 0;
}

int selection_resolve_at(const struct select_roots *roots, const struct select_spec *spec,
			 struct selection *out, struct select_error *err)
{
	int ret = 0;

	*err = (struct select_error){ .code = LOG_CODE_COUNT };
	*out = (struct selection){ .all = spec->all, .roots = *roots };
	table_init(&out->known, sizeof(struct known_proc), PROCS_MAX);
	exclude_self(out);
	if (!spec->all && !spec->pids && !spec->user && !spec->unit && !spec->cgroup &&
	    !spec->container && !spec->ports)
		ret = report(err, -EINVAL, LOG_USAGE, "nothing is selected");
	if (!ret && spec->ports)
		ret = resolve_ports(out, spec->ports, err);
	if (!ret && !spec->all && spec->pids)
		ret = resolve_pids(out, spec->pids, err);
	if (!ret && !spec->all && spec->user)
		ret = resolve_user(out, spec->user, err);
	if (!ret && !spec->all)
		ret = resolve_groups(out, spec, err);
	if (!ret)
		ret = list_pids(out, err);
	if (ret)
		selection_release(out);
	return ret;
}

int selection_resolve(const struct select_spec *spec, struct selection *out,
		      struct select_error *err)
{
	const struct select_roots roots = { "/proc", "/sys/fs/cgroup", getpid() };

	return selection_resolve_at(&roots, spec, out, err);
}

/* A unit's groups are removed when it stops and made again when it starts. */
static void rescan_groups(const struct scan *scan)
{
	struct selection *s = scan->s;

	if (s->unit && (s->unit_dirs.n == 0 || s->scan % UNIT_SCANS == 0 ||
			scan_dirs(scan, &s->unit_dirs) == -ENOENT)) {
		cgroup_dirs_release(&s->unit_dirs);
		cgroup_find_unit(s->roots.cgroup, s->unit, &s->unit_dirs);
		scan_dirs(scan, &s->unit_dirs);
	}
	scan_dirs(scan, &s->dirs);
}

/* Drops what has ended of those that this scan did not see; with only_one it is enough that one
 * lives. */
static void drop_ended(struct selection *s, bool only_one)
{
	table_each(it, &s->known) {
		const struct known_proc *k = it.value;

		if (k->scan != s->scan && (!k->member || !is_alive(s, (pid_t)it.key, k)))
			table_del(&s->known, it.key);
		else if (only_one)
			return;
	}
}

int selection_rescan(struct selection *s, void (*added)(void *ctx, pid_t tgid), void *ctx)
{
	struct scan scan = { .s = s, .added = added, .ctx = ctx };
	bool only_pids = s->by_pid && !s->by_user && !s->by_cgroup && !s->n_ports;

	if (!s->by_pid && !s->by_user && !s->by_cgroup)
		return 0;
	s->scan++;
	/* what does not fit any more, or for want of memory, is found by a later scan or not */
	if (s->by_pid && s->scan % TREE_SCANS == 0)
		add_descendants(&scan);
	if (s->by_user)
		each_process(s->roots.proc, check_user, &scan);
	if (s->by_cgroup)
		rescan_groups(&scan);
	drop_ended(s, only_pids);
	return only_pids && s->known.n == 0;
}

int selection_add(struct selection *s, pid_t tgid)
{
	struct scan scan = { .s = s };
	struct procinfo_stat st;
	int ret;

	if (procinfo_stat(s->roots.proc, tgid, &st) || procinfo_is_dead(&st))
		return 0;
	ret = add_member(&scan, tgid, st.start_ticks);
	return ret < 0 ? ret : 0;
}

void selection_release(struct selection *s)
{
	free(s->pids);
	free(s->ports);
	free(s->unit);
	cgroup_dirs_release(&s->unit_dirs);
	cgroup_dirs_release(&s->dirs);
	table_release(&s->known);
	*s = (struct selection){ 0 };
}
