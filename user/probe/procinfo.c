// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads /proc for names: services are named by executable, pool (from the title) and control
 * group. A process chooses its command name, its title and its executable's name, so none of
 * them may confuse a parser or reach a terminal as control bytes, and command lines are known to
 * hold passwords.
 */
#define _GNU_SOURCE
#include "probe/procinfo.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/kernel_clock.h"

#define NS_PER_S 1000000000ull
#define KERNEL_THREAD 0x00200000u /* PF_KTHREAD of the flags in /proc/PID/stat */
#define HIDDEN "***"
#define HOST_PID_NAMESPACE "pid:[4026531836]" /* PROC_PID_INIT_INO */

/* ---- texts ------------------------------------------------------------------------------- */

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Length of text without an UTF-8 sequence that was cut off at its end. */
static size_t whole_chars(const char *text, size_t len)
{
	size_t i = len;

	while (i > 0 && len - i < 3 && ((unsigned char)text[i - 1] & 0xc0) == 0x80)
		i--;
	if (i == 0)
		return len;
	unsigned char lead = (unsigned char)text[i - 1];
	size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;

	return need > len - (i - 1) ? i - 1 : len;
}

/* Appends to out, which holds *n bytes of at most cap - 1. C0 and DEL become '?', and so do the
 * C1 controls, which are C2 80 to C2 9F in UTF-8. */
static void append_clean(char *out, size_t cap, size_t *n, struct slice text)
{
	size_t len = min_size(text.len, cap - 1 - *n);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool c1 = c >= 0x80 && c < 0xa0 && *n > 0 && out[*n - 1] == '\xc2';

		if (c1)
			out[*n - 1] = '?';
		out[(*n)++] = c < ' ' || c == 0x7f || c1 ? '?' : (char)c;
	}
	if (len < text.len)
		*n = whole_chars(out, *n);
	out[*n] = '\0';
}

static void copy_clean(char *out, size_t cap, struct slice text)
{
	size_t n = 0;

	append_clean(out, cap, &n, text);
}

static bool ends_with(struct slice text, const char *end)
{
	size_t n = strlen(end);

	return text.len >= n && strncasecmp(text.ptr + text.len - n, end, n) == 0;
}

/* ---- /proc/PID/stat, status -------------------------------------------------------------- */

/* The command name stands in parentheses and may hold any bytes, parentheses and line ends
 * included; the fields behind it are numbers, so the last ')' is the one that ends it. */
int procinfo_parse_stat(struct slice text, struct procinfo_stat *out)
{
	const char *open = text.len ? memchr(text.ptr, '(', text.len) : NULL;
	const char *close = text.len ? memrchr(text.ptr, ')', text.len) : NULL;
	int pid, parent;
	unsigned flags, threads;
	unsigned long long start;
	char state, rest[512], head[16];

	if (!open || !close || close < open || (size_t)(open - text.ptr) >= sizeof(head))
		return -EBADMSG;
	size_t head_len = (size_t)(open - text.ptr);
	size_t rest_len = min_size((size_t)(text.ptr + text.len - close - 1), sizeof(rest) - 1);

	memcpy(head, text.ptr, head_len);
	head[head_len] = '\0';
	memcpy(rest, close + 1, rest_len);
	rest[rest_len] = '\0';
	if (sscanf(head, "%d", &pid) != 1 || pid <= 0)
		return -EBADMSG;
	if (sscanf(rest,
		   " %c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %u %*d %llu",
		   &state, &parent, &flags, &threads, &start) != 5)
		return -EBADMSG;
	memset(out, 0, sizeof(*out));
	out->pid = pid;
	out->parent = parent;
	out->state = state;
	out->kernel = flags & KERNEL_THREAD;
	out->threads = threads;
	out->start_ticks = start;
	memcpy(out->comm, open + 1, min_size((size_t)(close - open - 1), sizeof(out->comm) - 1));
	return 0;
}

bool procinfo_is_dead(const struct procinfo_stat *st)
{
	return (st->state == 'Z' || st->state == 'X') && st->threads <= 1;
}

/* The kernel escapes line ends in the Name line, so a line that starts with the key is it. */
int64_t procinfo_parse_status(struct slice text, const char *key, unsigned field)
{
	size_t key_len = strlen(key), i = 0;
	int64_t value = -1;

	for (;;) {
		if (i + key_len >= text.len)
			return -ENOENT;
		if (memcmp(text.ptr + i, key, key_len) == 0 && text.ptr[i + key_len] == ':')
			break;
		const char *eol = memchr(text.ptr + i, '\n', text.len - i);

		if (!eol)
			return -ENOENT;
		i = (size_t)(eol - text.ptr) + 1;
	}
	i += key_len + 1;
	for (unsigned f = 0; f <= field; f++) {
		while (i < text.len && (text.ptr[i] == '\t' || text.ptr[i] == ' '))
			i++;
		if (i == text.len || !isdigit((unsigned char)text.ptr[i]))
			return -ENOENT;
		for (value = 0; i < text.len && isdigit((unsigned char)text.ptr[i]); i++)
			if (value < INT64_MAX / 10 - 1)
				value = value * 10 + (text.ptr[i] - '0');
	}
	return value;
}

/* ---- control groups ---------------------------------------------------------------------- */

/* "4:cpu,cpuacct:/a/b": the path may hold colons, the kernel refuses line ends in it. */
bool procinfo_cgroup_next(struct slice *rest, struct procinfo_cgroup *line)
{
	while (rest->len > 0) {
		const char *eol = memchr(rest->ptr, '\n', rest->len);
		size_t len = eol ? (size_t)(eol - rest->ptr) : rest->len;
		struct slice l = { rest->ptr, len };

		rest->ptr += len + (eol != NULL);
		rest->len -= len + (eol != NULL);
		const char *first = len ? memchr(l.ptr, ':', len) : NULL;

		if (!first)
			continue;
		const char *second = memchr(first + 1, ':', (size_t)(l.ptr + len - first - 1));

		if (!second || second + 1 == l.ptr + len || second[1] != '/')
			continue;
		line->controllers = (struct slice){ first + 1, (size_t)(second - first - 1) };
		line->path = (struct slice){ second + 1, (size_t)(l.ptr + len - second - 1) };
		/* of a group that was removed while the process was in it */
		if (ends_with(line->path, " (deleted)"))
			line->path.len -= strlen(" (deleted)");
		return true;
	}
	return false;
}

void procinfo_cgroup_of(struct slice text, char *out, size_t cap)
{
	struct slice unified = { "", 0 }, any = { "", 0 };
	struct procinfo_cgroup line;

	while (procinfo_cgroup_next(&text, &line)) {
		if (line.path.len > any.len)
			any = line.path;
		if ((line.controllers.len == 0 ||
		     slice_eq(line.controllers, SLICE_LIT("name=systemd"))) &&
		    line.path.len > unified.len)
			unified = line.path;
	}
	struct slice best = unified.len > 1 ? unified : any;

	if (best.len > cap - 1) {
		const char *end = best.ptr + best.len, *from = end - (cap - 1);
		const char *slash = memchr(from, '/', cap - 1);

		if (slash && slash + 1 < end)
			from = slash;
		best = (struct slice){ from, (size_t)(end - from) };
	}
	copy_clean(out, cap, best);
}

/* ---- titles ------------------------------------------------------------------------------ */

/* How names of secrets end, whatever stands before: "PGPASSWORD", "--requirepass". */
static const char *const secret_names[] = {
	"password",    "passwd",    "passphrase",    "pass",       "pwd",         "secret",
	"token",       "apikey",    "api-key",       "api_key",    "secretkey",   "secret-key",
	"secret_key",  "accesskey", "access-key",    "access_key", "privatekey",  "private-key",
	"private_key", "auth",      "authorization", "credential", "credentials", "bearer",
};

static bool is_secret_name(struct slice name)
{
	while (name.len && strchr("\"'", name.ptr[name.len - 1]))
		name.len--;
	for (size_t i = 0; i < sizeof(secret_names) / sizeof(secret_names[0]); i++)
		if (ends_with(name, secret_names[i]))
			return true;
	return false;
}

/* Where in the word a secret begins: word.len when the next word is one, SIZE_MAX for none. */
static size_t secret_at(struct slice word)
{
	for (size_t i = 1; i < word.len; i++)
		if ((word.ptr[i] == '=' || word.ptr[i] == ':') &&
		    is_secret_name((struct slice){ word.ptr, i }))
			return i + 1;
	if (slice_ieq(word, SLICE_LIT("bearer")))
		return word.len;
	if (word.len && word.ptr[0] == '-' && is_secret_name(word))
		return word.len;
	/* scheme://user:secret@host; a password with a '/' in it is no excuse */
	const char *scheme = word.len ? memmem(word.ptr, word.len, "://", 3) : NULL;
	const char *at = word.len ? memrchr(word.ptr, '@', word.len) : NULL;

	if (scheme && at && at > scheme + 3) {
		const char *colon = memchr(scheme + 3, ':', (size_t)(at - scheme - 3));

		if (colon)
			return (size_t)(colon - word.ptr) + 1;
	}
	return SIZE_MAX;
}

static bool is_blank(char c)
{
	return c == '\0' || c == ' ' || (c >= '\t' && c <= '\r');
}

void procinfo_title(struct slice cmdline, char *out, size_t cap)
{
	size_t n = 0, i = 0;

	out[0] = '\0';
	for (;;) {
		while (i < cmdline.len && is_blank(cmdline.ptr[i]))
			i++;
		if (i == cmdline.len || n == cap - 1)
			return;
		struct slice word = { cmdline.ptr + i, 0 };

		while (i < cmdline.len && !is_blank(cmdline.ptr[i])) {
			i++;
			word.len++;
		}
		size_t secret = secret_at(word);

		if (n > 0)
			append_clean(out, cap, &n, SLICE_LIT(" "));
		if (secret == SIZE_MAX) {
			append_clean(out, cap, &n, word);
			continue;
		}
		append_clean(out, cap, &n, (struct slice){ word.ptr, secret });
		if (secret < word.len)
			append_clean(out, cap, &n, SLICE_LIT(HIDDEN));
		else if (i < cmdline.len)
			append_clean(out, cap, &n, SLICE_LIT(" " HIDDEN));
		return;
	}
}

void procinfo_exe(struct slice target, char *out, size_t cap)
{
	if (ends_with(target, " (deleted)"))
		target.len -= strlen(" (deleted)");
	const char *slash = target.len ? memrchr(target.ptr, '/', target.len) : NULL;

	if (slash) {
		target.len -= (size_t)(slash + 1 - target.ptr);
		target.ptr = slash + 1;
	}
	copy_clean(out, cap, target);
}

/* ---- files ------------------------------------------------------------------------------- */

ssize_t procinfo_read(const char *proc, pid_t pid, const char *file, char *buf, size_t cap)
{
	char path[PATH_MAX];
	size_t len = 0;
	ssize_t n;
	int fd, err;

	if (snprintf(path, sizeof(path), "%s/%d/%s", proc, (int)pid, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	while (len < cap - 1) {
		n = read(fd, buf + len, cap - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = -errno;
			close(fd);
			return err;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	buf[len] = '\0';
	return (ssize_t)len;
}

int procinfo_stat(const char *proc, pid_t pid, struct procinfo_stat *out)
{
	char buf[1024];
	ssize_t n = procinfo_read(proc, pid, "stat", buf, sizeof(buf));

	return n < 0 ? (int)n : procinfo_parse_stat((struct slice){ buf, (size_t)n }, out);
}

bool procinfo_host_ids(void)
{
	char target[64];
	ssize_t n = readlink("/proc/self/ns/pid", target, sizeof(target) - 1);

	if (n < 0)
		return true; /* a kernel without these namespaces */
	target[n] = '\0';
	return !strcmp(target, HOST_PID_NAMESPACE);
}

static uint64_t unix_clock_ns(void)
{
	struct timespec t = { 0, 0 };

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void fill_exe(struct rec_proc *out, const struct procinfo_stat *st)
{
	char path[32], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)st->pid);
	n = readlink(path, target, sizeof(target));
	if (n > 0)
		procinfo_exe((struct slice){ target, (size_t)n }, (char *)out->exe,
			     sizeof(out->exe));
	if (!out->exe[0])
		copy_clean((char *)out->exe, sizeof(out->exe), slice_of(st->comm));
}

/* A program of several names, such as redis-server, is what it was started as: its command name,
 * where the title begins with that, too. */
void procinfo_started_as(const char *comm, struct slice title, char *exe, size_t cap)
{
	const char *end = title.len ? memchr(title.ptr, ' ', title.len) : NULL;
	struct slice word = { title.ptr, end ? (size_t)(end - title.ptr) : title.len };
	const char *slash = word.len ? memrchr(word.ptr, '/', word.len) : NULL;
	size_t comm_len = strlen(comm);

	if (slash)
		word = (struct slice){ slash + 1, word.len - (size_t)(slash + 1 - word.ptr) };
	if (word.len && word.ptr[word.len - 1] == ':')
		word.len--;
	/* the kernel keeps 15 bytes of a command name */
	if (comm_len < 2 || word.len < comm_len || memcmp(word.ptr, comm, comm_len) ||
	    (comm_len < ABI_COMM - 1 && word.len > comm_len))
		return;
	/* a script's name is not its interpreter's, and what runs says more: service_name() */
	if (strncmp(exe, comm, comm_len))
		copy_clean(exe, cap, word);
}

int procinfo_fill(pid_t tgid, struct rec_proc *out)
{
	struct procinfo_stat st;
	char text[16384] = "";
	ssize_t n;
	int err = procinfo_stat("/proc", tgid, &st);

	if (err || procinfo_is_dead(&st))
		return -ESRCH;
	memset(out, 0, sizeof(*out));
	out->h.len = sizeof(*out);
	out->h.type = REC_PROC;
	out->h.ts_ns = kernel_clock_ns();
	out->tgid = (uint32_t)tgid;
	out->parent_tgid = (uint32_t)st.parent;
	fill_exe(out, &st);
	n = procinfo_read("/proc", tgid, "cmdline", text, sizeof(text));
	if (n > 0)
		procinfo_title((struct slice){ text, (size_t)n }, (char *)out->title,
			       sizeof(out->title));
	procinfo_started_as(st.comm, slice_of((char *)out->title), (char *)out->exe,
			    sizeof(out->exe));
	if (!out->title[0]) {
		size_t len = 0;

		append_clean((char *)out->title, sizeof(out->title), &len, SLICE_LIT("["));
		append_clean((char *)out->title, sizeof(out->title), &len, slice_of(st.comm));
		append_clean((char *)out->title, sizeof(out->title), &len, SLICE_LIT("]"));
	}
	n = procinfo_read("/proc", tgid, "cgroup", text, sizeof(text));
	if (n > 0)
		procinfo_cgroup_of((struct slice){ text, (size_t)n }, (char *)out->cgroup,
				   sizeof(out->cgroup));
	return 0;
}

/* The wall clock at a monotonic instant: read between two readings of the other. An interrupt
 * in between shows as a wide gap, so the narrowest of a few is taken. */
static void pair_clocks(uint64_t *mono_ns, uint64_t *unix_ns)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 16; i++) {
		uint64_t before = kernel_clock_ns();
		uint64_t wall = unix_clock_ns();
		uint64_t gap = kernel_clock_ns() - before;

		if (gap < best) {
			best = gap;
			*mono_ns = before + gap / 2;
			*unix_ns = wall;
		}
	}
}

int procinfo_meta(struct rec_meta *out, const char *version)
{
	struct utsname u;
	uint64_t mono = 0, wall = 0;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (uname(&u))
		return -errno;
	pair_clocks(&mono, &wall);
	memset(out, 0, sizeof(*out));
	out->h.len = sizeof(*out);
	out->h.type = REC_META;
	out->h.ts_ns = mono;
	out->start_unix_ns = wall;
	out->cpus = cpus > 0 ? (uint32_t)cpus : 1;
	out->state_count = STATE_COUNT;
	copy_clean((char *)out->hostname, sizeof(out->hostname), slice_of(u.nodename));
	copy_clean((char *)out->kernel, sizeof(out->kernel), slice_of(u.release));
	copy_clean((char *)out->version, sizeof(out->version), slice_of(version));
	return 0;
}
