/* SPDX-License-Identifier: GPL-2.0-only */
#include "probe/serverfacts.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "ingest/record.h"
#include "probe/hostfacts.h"
#include "probe/procinfo.h"

enum {
	PATH_LEN = 512,
	NOTES_MAX = 4096, /* bytes of a file's notes that are looked at */
	PHDRS_MAX = 64,
	LIST_MAX = 8 << 20,
	STATUS_MAX = 64 << 20,
	LIMITS_MAX = 8 << 10,
};

void serverfacts_add(struct serverfacts *s, const struct rec_proc *r)
{
	struct slice exe = record_text(r->exe, sizeof(r->exe));
	struct serverfact *f = NULL;

	if (!exe.len)
		return;
	if (exe.len >= ABI_NAME)
		exe.len = ABI_NAME - 1;
	for (size_t i = 0; i < s->n && !f; i++)
		if (slice_eq(exe, slice_of(s->v[i].exe)))
			f = &s->v[i];
	if (!f && s->n == SERVERFACTS_MAX) {
		s->dropped++;
		return;
	}
	if (!f) {
		f = &s->v[s->n++];
		*f = (struct serverfact){ .processes = 0 };
		memcpy(f->exe, exe.ptr, exe.len);
	}
	f->pids[f->processes++ % SERVERFACTS_PIDS] = r->tgid;
}

/* ---- build ids ----------------------------------------------------------------------------- */

static size_t id_in_notes(const unsigned char *notes, size_t len, uint8_t id[SERVERFACTS_BUILD_ID])
{
	size_t at = 0;

	while (len - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr n;
		size_t name, desc;

		memcpy(&n, notes + at, sizeof(n));
		name = at + sizeof(n);
		if (n.n_namesz > len || n.n_descsz > len)
			return 0;
		desc = name + ((n.n_namesz + 3u) & ~(size_t)3);
		at = desc + ((n.n_descsz + 3u) & ~(size_t)3);
		if (at > len)
			return 0;
		if (n.n_type != NT_GNU_BUILD_ID || n.n_namesz != 4 ||
		    memcmp(notes + name, "GNU", 4))
			continue;
		if (!n.n_descsz || n.n_descsz > SERVERFACTS_BUILD_ID)
			return 0;
		memcpy(id, notes + desc, n.n_descsz);
		return n.n_descsz;
	}
	return 0;
}

size_t serverfacts_build_id(int fd, uint8_t id[SERVERFACTS_BUILD_ID])
{
	unsigned char notes[NOTES_MAX];
	Elf64_Ehdr e;
	Elf64_Phdr p;

	if (pread(fd, &e, sizeof(e), 0) != (ssize_t)sizeof(e) ||
	    memcmp(e.e_ident, ELFMAG, SELFMAG) || e.e_ident[EI_CLASS] != ELFCLASS64 ||
	    e.e_phentsize != sizeof(p))
		return 0;
	for (size_t i = 0; i < e.e_phnum && i < PHDRS_MAX; i++) {
		uint64_t at = e.e_phoff + i * sizeof(p);
		ssize_t got;
		size_t n;

		if (at > INT64_MAX || pread(fd, &p, sizeof(p), (off_t)at) != (ssize_t)sizeof(p))
			return 0;
		if (p.p_type != PT_NOTE || p.p_offset > INT64_MAX)
			continue;
		n = p.p_filesz < sizeof(notes) ? (size_t)p.p_filesz : sizeof(notes);
		got = pread(fd, notes, n, (off_t)p.p_offset);
		n = got > 0 ? id_in_notes(notes, (size_t)got, id) : 0;
		if (n)
			return n;
	}
	return 0;
}

/* ---- packages ------------------------------------------------------------------------------ */

/* What is found out of one executable. */
struct found {
	pid_t pid; /* one that lives, 0 = none */
	char path[PATH_LEN]; /* of the executable; "" = not known, or in another mount namespace */
	char package[128], version[128];
	char build_id[2 * SERVERFACTS_BUILD_ID + 1];
	long long open_files; /* soft limit, -1 = not known */
};

static bool link_of(const char *root, pid_t pid, const char *what, char *out, size_t cap)
{
	char name[PATH_LEN];
	ssize_t n;

	if (pid)
		snprintf(name, sizeof(name), "%s/proc/%d/%s", root, (int)pid, what);
	else
		snprintf(name, sizeof(name), "%s/proc/self/%s", root, what);
	n = readlink(name, out, cap - 1);
	out[n > 0 ? n : 0] = '\0';
	return n > 0 && (size_t)n < cap - 1;
}

/* The host's package database says nothing of what another mount namespace has at a path. */
static bool same_files(const char *root, pid_t pid)
{
	char ours[64], theirs[64];

	return link_of(root, 0, "ns/mnt", ours, sizeof(ours)) &&
	       link_of(root, pid, "ns/mnt", theirs, sizeof(theirs)) && !strcmp(ours, theirs);
}

static void find_build_id(const char *root, struct found *f)
{
	uint8_t id[SERVERFACTS_BUILD_ID];
	char name[PATH_LEN];
	size_t n;
	int fd;

	snprintf(name, sizeof(name), "%s/proc/%d/exe", root, (int)f->pid);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return;
	n = serverfacts_build_id(fd, id);
	close(fd);
	for (size_t i = 0; i < n; i++)
		snprintf(f->build_id + 2 * i, 3, "%02x", id[i]);
}

static void find_limit(const char *root, struct found *f)
{
	char name[64], *text, *at;

	snprintf(name, sizeof(name), "/proc/%d/limits", (int)f->pid);
	text = hostfacts_read(root, name, LIMITS_MAX, NULL);
	at = text ? strstr(text, "Max open files") : NULL;
	if (at)
		f->open_files = strtoll(at + strlen("Max open files"), NULL, 10);
	free(text);
}

/* A process of it that still is what it was. */
static void find_process(const char *root, const struct serverfact *s, struct found *f)
{
	char target[PATH_LEN], exe[ABI_NAME];
	static const char deleted[] = " (deleted)";

	f->open_files = -1;
	for (size_t i = 0; i < SERVERFACTS_PIDS && !f->pid; i++) {
		pid_t pid = (pid_t)s->pids[i];

		if (pid <= 0 || !link_of(root, pid, "exe", target, sizeof(target)))
			continue;
		procinfo_exe(slice_of(target), exe, sizeof(exe));
		if (!strcmp(exe, s->exe))
			f->pid = pid;
	}
	if (!f->pid)
		return;
	find_build_id(root, f);
	find_limit(root, f);
	/* a deleted one is what was there before an upgrade: its version is not known */
	if (same_files(root, f->pid) && !strstr(target, deleted))
		snprintf(f->path, sizeof(f->path), "%s", target);
}

/* Is path a line of text, or what it was before /bin became a link into /usr? */
static bool lists(const char *text, size_t len, const char *path)
{
	char line[PATH_LEN + 2];
	int n;

	for (int i = 0; i < 2; i++) {
		if (i && strncmp(path, "/usr/", 5))
			return false;
		n = snprintf(line, sizeof(line), "\n%s\n", path + (i ? 4 : 0));
		if (memmem(text, len, line, (size_t)n))
			return true;
	}
	return false;
}

/* dpkg keeps the paths of package P in info/P.list or info/P:ARCH.list. */
static void find_packages(const char *root, struct found *v, size_t n)
{
	static const char info[] = "/var/lib/dpkg/info";
	char path[PATH_LEN];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s%s", root, info);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		size_t name_len = strlen(e->d_name), len, package = strcspn(e->d_name, ":");
		char *text;

		if (name_len < 6 || strcmp(e->d_name + name_len - 5, ".list"))
			continue;
		package = package < name_len - 5 ? package : name_len - 5;
		snprintf(path, sizeof(path), "%s/%s", info, e->d_name);
		text = hostfacts_read(root, path, LIST_MAX, &len);
		for (size_t i = 0; text && i < n; i++)
			if (v[i].path[0] && !v[i].package[0] && lists(text, len, v[i].path))
				snprintf(v[i].package, sizeof(v[i].package), "%.*s",
					 (int)(package < 127 ? package : 127), e->d_name);
		free(text);
	}
	if (d)
		closedir(d);
}

/* Takes a package's version out of its paragraph of dpkg's status file. */
static void find_version(const char *status, struct found *f)
{
	char head[160];
	const char *at, *end, *version;

	snprintf(head, sizeof(head), "Package: %s\n", f->package);
	for (at = strstr(status, head); at; at = strstr(at + 1, head))
		if (at == status || at[-1] == '\n')
			break;
	end = at ? strstr(at, "\n\n") : NULL;
	version = at ? strstr(at, "\nVersion: ") : NULL;
	if (!version || (end && version > end))
		return;
	version += strlen("\nVersion: ");
	snprintf(f->version, sizeof(f->version), "%.*s", (int)strcspn(version, "\n"), version);
}

static void put_text(struct json *j, const char *key, const char *text)
{
	if (*text)
		json_str(j, key, text);
	else
		json_null(j, key);
}

static void put_server(struct json *j, const struct serverfact *s, const struct found *f)
{
	json_open_object(j, NULL);
	json_str(j, "kind", "server");
	json_str(j, "exe", s->exe);
	json_u64(j, "processes", s->processes);
	json_bool(j, "alive", f->pid);
	put_text(j, "package", f->package);
	put_text(j, "version", f->version);
	put_text(j, "build_id", f->build_id);
	if (f->open_files >= 0)
		json_i64(j, "open_files_limit", f->open_files);
	else
		json_null(j, "open_files_limit");
	json_close_object(j);
	json_end_line(j);
}

int serverfacts_write(FILE *out, const struct serverfacts *s, const char *root)
{
	struct found *v = calloc(s->n + 1, sizeof(*v));
	char *status = hostfacts_read(root, "/var/lib/dpkg/status", STATUS_MAX, NULL);
	struct json j;

	json_init(&j, out);
	json_open_object(&j, NULL);
	json_str(&j, "schema", "tardy.servers/1.0");
	json_u64(&j, "dropped", s->dropped);
	json_close_object(&j);
	json_end_line(&j);
	for (size_t i = 0; v && i < s->n; i++)
		find_process(root, &s->v[i], &v[i]);
	if (v && status)
		find_packages(root, v, s->n);
	for (size_t i = 0; v && i < s->n; i++) {
		if (status && v[i].package[0])
			find_version(status, &v[i]);
		put_server(&j, &s->v[i], &v[i]);
	}
	free(status);
	free(v);
	return json_finish(&j);
}
