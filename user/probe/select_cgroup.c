// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control groups as folders. Which hierarchies there are is seen from the folders themselves and
 * not from the mounts: a group is a folder with a file cgroup.procs.
 */
#define _GNU_SOURCE
#include "probe/select_cgroup.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe/procinfo.h"

enum {
	DEPTH_MAX = 32, /* of groups within groups; deeper ones are not looked at */
	DIRS_MAX = 4096,
	ID_MIN_LEN = 32, /* hex digits that make a folder's bare name a container's id */
};

void cgroup_dirs_release(struct cgroup_dirs *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->paths[i]);
	free(d->paths);
	*d = (struct cgroup_dirs){ 0 };
}

static int dirs_add(struct cgroup_dirs *d, const char *path)
{
	char **paths, *copy;

	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->paths[i], path) == 0)
			return 0;
	if (d->n == DIRS_MAX)
		return -ENOMEM;
	copy = strdup(path);
	paths = copy ? realloc(d->paths, (d->n + 1) * sizeof(*paths)) : NULL;
	if (!paths) {
		free(copy);
		return -ENOMEM;
	}
	d->paths = paths;
	d->paths[d->n++] = copy;
	return 0;
}

/* ---- folders ----------------------------------------------------------------------------- */

/* Joins into buf[PATH_MAX]; false when it does not fit. */
static bool join(char *buf, const char *dir, const char *name)
{
	return snprintf(buf, PATH_MAX, "%s/%s", dir, name) < PATH_MAX;
}

static bool is_group(const char *dir)
{
	char path[PATH_MAX];

	return join(path, dir, "cgroup.procs") && access(path, F_OK) == 0;
}

/* A real folder, neither a link to one nor "." and "..". */
static bool is_subdir(DIR *d, const struct dirent *e)
{
	struct stat st;

	if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
		return false;
	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* systemd's own hierarchy knows the units, then v2's, then the others by name. */
static int by_preference(const void *a, const void *b)
{
	static const char *const first[] = { "/systemd", "/unified" };
	const char *pa = strrchr(*(char *const *)a, '/'), *pb = strrchr(*(char *const *)b, '/');

	for (size_t i = 0; i < 2; i++) {
		bool fa = strcmp(pa, first[i]) == 0, fb = strcmp(pb, first[i]) == 0;

		if (fa != fb)
			return fa ? -1 : 1;
	}
	return strcmp(pa, pb);
}

/* The hierarchies: root itself, or the groups in it. */
static int find_hierarchies(const char *root, struct cgroup_dirs *out)
{
	char path[PATH_MAX];
	const struct dirent *e;
	int err = 0;
	DIR *d;

	if (is_group(root))
		return dirs_add(out, root);
	d = opendir(root);
	if (!d)
		return errno == ENOMEM ? -ENOMEM : -ENOENT;
	while (!err && (e = readdir(d)))
		if (is_subdir(d, e) && join(path, root, e->d_name) && is_group(path))
			err = dirs_add(out, path);
	closedir(d);
	if (err)
		return err;
	if (out->n)
		qsort(out->paths, out->n, sizeof(*out->paths), by_preference);
	return out->n ? 0 : -ENOENT;
}

/* ---- processes --------------------------------------------------------------------------- */

static int procs_of(const char *dir, int (*fn)(void *ctx, pid_t tgid), void *ctx)
{
	char path[PATH_MAX], line[32];
	int ret = 0;
	FILE *f;

	if (!join(path, dir, "cgroup.procs"))
		return -ENOENT;
	f = fopen(path, "re");
	if (!f)
		return errno == ENOMEM ? -ENOMEM : -ENOENT;
	/* a threaded group refuses the read: its processes are listed further up. 0 stands for a
	 * process of another PID namespace. */
	while (!ret && fgets(line, sizeof(line), f)) {
		int pid = atoi(line);

		if (pid > 0)
			ret = fn(ctx, pid);
	}
	fclose(f);
	return ret;
}

static int each_proc(const char *dir, int depth, int (*fn)(void *ctx, pid_t tgid), void *ctx)
{
	int ret = procs_of(dir, fn, ctx);
	char path[PATH_MAX];
	const struct dirent *e;
	DIR *d;

	if (ret || depth == DEPTH_MAX)
		return ret;
	d = opendir(dir);
	if (!d)
		return errno == ENOMEM ? -ENOMEM : -ENOENT;
	while (!ret && (e = readdir(d))) {
		if (!is_subdir(d, e) || !join(path, dir, e->d_name))
			continue;
		ret = each_proc(path, depth + 1, fn, ctx);
		/* removed since it was listed */
		if (ret == -ENOENT)
			ret = 0;
	}
	closedir(d);
	return ret;
}

int cgroup_each_proc(const char *dir, int (*fn)(void *ctx, pid_t tgid), void *ctx)
{
	return each_proc(dir, 0, fn, ctx);
}

static int stop_at_first(void *ctx, pid_t tgid)
{
	(void)ctx;
	(void)tgid;
	return 1;
}

/* ---- by path ----------------------------------------------------------------------------- */

static bool has_dotdot(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")); p += 2)
		if ((p == path || p[-1] == '/') && (p[2] == '\0' || p[2] == '/'))
			return true;
	return false;
}

static int find_below(const struct cgroup_dirs *hierarchies, const char *tail,
		      struct cgroup_dirs *out)
{
	const char *chosen = NULL;
	char path[PATH_MAX], first[PATH_MAX];

	for (size_t i = 0; i < hierarchies->n; i++) {
		if (!join(path, hierarchies->paths[i], tail) || !is_group(path))
			continue;
		if (cgroup_each_proc(path, stop_at_first, NULL) == 1)
			return dirs_add(out, path);
		if (!chosen)
			chosen = strcpy(first, path);
	}
	return chosen ? dirs_add(out, chosen) : -ENOENT;
}

int cgroup_find_path(const char *root, const char *path, struct cgroup_dirs *out)
{
	size_t root_len = strlen(root), len;
	struct cgroup_dirs hierarchies = { 0 };
	char tail[PATH_MAX], full[PATH_MAX];
	const char *below = path;
	int err;

	if (!*path || has_dotdot(path) || strlen(path) >= sizeof(tail))
		return -ENOENT;
	if (strncmp(path, root, root_len) == 0 && (!path[root_len] || path[root_len] == '/'))
		below = path + root_len;
	while (*below == '/')
		below++;
	strcpy(tail, below);
	for (len = strlen(tail); len && tail[len - 1] == '/'; len--)
		tail[len - 1] = '\0';
	if (len && join(full, root, tail) && is_group(full))
		return dirs_add(out, full);
	err = find_hierarchies(root, &hierarchies);
	if (!err)
		err = find_below(&hierarchies, tail, out);
	cgroup_dirs_release(&hierarchies);
	/* mounted elsewhere */
	if (err == -ENOENT && path[0] == '/' && path[1] && is_group(path))
		err = dirs_add(out, path);
	return err;
}

/* ---- by unit ----------------------------------------------------------------------------- */

struct unit_search {
	const char *unit;
	size_t len;
	bool instances;
	struct cgroup_dirs *out;
};

static bool unit_matches(const struct unit_search *s, const char *name)
{
	const char *rest = name + s->len;
	size_t rest_len;

	if (strncmp(name, s->unit, s->len) != 0)
		return false;
	if (!s->instances)
		return !*rest || strcmp(rest, ".service") == 0;
	rest_len = strlen(rest);
	return *rest == '@' && rest_len > strlen("@.service") &&
	       strcmp(rest + rest_len - strlen(".service"), ".service") == 0;
}

static int search_unit(const char *dir, int depth, const struct unit_search *s)
{
	char path[PATH_MAX];
	const struct dirent *e;
	int err = 0;
	DIR *d;

	if (depth == DEPTH_MAX)
		return 0;
	d = opendir(dir);
	if (!d)
		return errno == ENOMEM ? -ENOMEM : 0;
	while (!err && (e = readdir(d))) {
		if (!is_subdir(d, e) || !join(path, dir, e->d_name))
			continue;
		err = unit_matches(s, e->d_name) && is_group(path) ?
			      dirs_add(s->out, path) :
			      search_unit(path, depth + 1, s);
	}
	closedir(d);
	return err;
}

int cgroup_find_unit(const char *root, const char *unit, struct cgroup_dirs *out)
{
	struct unit_search s = { .unit = unit, .len = strlen(unit), .out = out };
	struct cgroup_dirs hierarchies = { 0 };
	size_t before = out->n;
	int err;

	if (!*unit || strchr(unit, '/') || has_dotdot(unit))
		return -ENOENT;
	err = find_hierarchies(root, &hierarchies);
	for (int pass = 0; !err && pass < 2 && out->n == before; pass++) {
		s.instances = pass == 1;
		for (size_t i = 0; !err && i < hierarchies.n && out->n == before; i++)
			err = search_unit(hierarchies.paths[i], 0, &s);
	}
	cgroup_dirs_release(&hierarchies);
	return err ? err : out->n == before ? -ENOENT : 0;
}

/* ---- by container ------------------------------------------------------------------------ */

/* The id or name that a folder's name stands for, empty if it is not a container's. parent: the
 * name of the folder it is in. */
static struct slice container_name(struct slice name, struct slice parent)
{
	static const char *const prefixes[] = { "docker-", "cri-containerd-", "crio-",
						"libpod-", "lxc.payload.",    "machine-" };
	struct slice none = { "", 0 };
	size_t hex = 0;

	/* the monitor of a container, not it */
	if (memmem(name.ptr, name.len, "-conmon-", 8))
		return none;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t skip = strlen(prefixes[i]), end = strlen(".scope");

		if (!slice_starts(name, slice_of(prefixes[i])))
			continue;
		name.ptr += skip;
		name.len -= skip;
		if (name.len > end && memcmp(name.ptr + name.len - end, ".scope", end) == 0)
			name.len -= end;
		return name;
	}
	while (hex < name.len && isxdigit((unsigned char)name.ptr[hex]))
		hex++;
	if ((hex >= ID_MIN_LEN && hex == name.len) || slice_eq(parent, SLICE_LIT("lxc")))
		return name;
	return none;
}

/* Takes the next folder's name off *rest. */
static bool component_next(struct slice *rest, struct slice *name)
{
	while (rest->len && *rest->ptr == '/') {
		rest->ptr++;
		rest->len--;
	}
	if (!rest->len)
		return false;
	const char *slash = memchr(rest->ptr, '/', rest->len);

	name->ptr = rest->ptr;
	name->len = slash ? (size_t)(slash - rest->ptr) : rest->len;
	rest->ptr += name->len;
	rest->len -= name->len;
	return true;
}

/* The container that a group's path names; *end gets how much of the path leads to its folder. */
static struct slice container_in(struct slice path, struct slice prefix, size_t *end)
{
	struct slice rest = path, name, parent = { "", 0 };

	for (; component_next(&rest, &name); parent = name) {
		struct slice id = container_name(name, parent);

		if (id.len && slice_starts(id, prefix)) {
			*end = (size_t)(name.ptr + name.len - path.ptr);
			return id;
		}
	}
	return (struct slice){ "", 0 };
}

struct slice cgroup_container_of(struct slice proc_cgroup, struct slice prefix)
{
	struct procinfo_cgroup line;
	struct slice id = { "", 0 };
	size_t end;

	while (!id.len && procinfo_cgroup_next(&proc_cgroup, &line))
		id = container_in(line.path, prefix, &end);
	return id;
}

/* Where a line's hierarchy is mounted. */
static bool hierarchy_path(const char *root, struct slice controllers, char *buf)
{
	struct slice name = controllers;

	if (slice_starts(name, SLICE_LIT("name="))) {
		name.ptr += strlen("name=");
		name.len -= strlen("name=");
	}
	if (name.len == 0) {
		if (is_group(root))
			return snprintf(buf, PATH_MAX, "%s", root) < PATH_MAX;
		name = SLICE_LIT("unified");
	}
	if (name.len > NAME_MAX)
		return false;
	return snprintf(buf, PATH_MAX, "%s/%.*s", root, (int)name.len, name.ptr) < PATH_MAX;
}

int cgroup_find_container(const char *root, struct slice proc_cgroup, struct slice container,
			  struct cgroup_dirs *out)
{
	char base[PATH_MAX], tail[PATH_MAX], dir[PATH_MAX];
	struct procinfo_cgroup line;
	int err = -ENOENT;
	size_t end;

	/* one hierarchy is enough: the runtime puts a container into all that it uses */
	while (err == -ENOENT && procinfo_cgroup_next(&proc_cgroup, &line)) {
		if (!container_in(line.path, container, &end).len || end >= sizeof(tail))
			continue;
		memcpy(tail, line.path.ptr, end);
		tail[end] = '\0';
		/* ".." leads out of a control group namespace */
		if (has_dotdot(tail) || !hierarchy_path(root, line.controllers, base) ||
		    !join(dir, base, tail + 1) || !is_group(dir))
			continue;
		err = dirs_add(out, dir);
	}
	return err;
}
