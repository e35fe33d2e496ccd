/* SPDX-License-Identifier: GPL-2.0-only */
#include "probe/hostfacts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/json.h"

enum { TEXT_MAX = 64 << 10, PATH_LEN = 512, DISKS_MAX = 64, SECTOR = 512 };

char *hostfacts_read(const char *root, const char *path, size_t max, size_t *len)
{
	char name[PATH_LEN], *buf;
	size_t n = 0, cap = 4096;
	ssize_t got = 1;
	int fd;

	if (snprintf(name, sizeof(name), "%s%s", root, path) >= (int)sizeof(name))
		return NULL;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	buf = malloc(cap);
	while (buf && got > 0 && n < max) {
		if (n + 1 == cap) {
			char *more = realloc(buf, cap *= 2);

			if (!more)
				free(buf);
			buf = more;
			continue;
		}
		got = read(fd, buf + n, cap - n - 1 < max - n ? cap - n - 1 : max - n);
		n += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	if (!buf || got < 0) {
		free(buf);
		return NULL;
	}
	buf[n] = '\0';
	if (len)
		*len = n;
	return buf;
}

/* The first line of a small file, NULL when it cannot be read. For the caller to free. */
static char *line_of(const char *root, const char *path)
{
	char *text = hostfacts_read(root, path, TEXT_MAX, NULL);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

static void put_text(struct json *j, const char *key, const char *text)
{
	if (text && *text)
		json_str(j, key, text);
	else
		json_null(j, key);
}

static void put_line_of(struct json *j, const char *key, const char *root, const char *path)
{
	char *text = line_of(root, path);

	put_text(j, key, text);
	free(text);
}

static void open_fact(struct json *j, const char *kind)
{
	json_open_object(j, NULL);
	json_str(j, "kind", kind);
}

static void close_fact(struct json *j)
{
	json_close_object(j);
	json_end_line(j);
}

/* What follows "KEY" and its separators in a line of text, cut off there; NULL: no such line. */
static char *value_of(char *text, const char *key)
{
	size_t len = strlen(key);

	for (char *line = text; line; line = strchr(line, '\n')) {
		char *value = line + (*line == '\n') + len;

		line += *line == '\n';
		if (strncmp(line, key, len))
			continue;
		value += strspn(value, " \t:=\"");
		value[strcspn(value, "\"\n")] = '\0';
		return value;
	}
	return NULL;
}

static void put_kernel(struct json *j, const char *root)
{
	char *os = hostfacts_read(root, "/etc/os-release", TEXT_MAX, NULL);
	struct utsname u;

	open_fact(j, "kernel");
	if (!uname(&u)) {
		json_str(j, "sysname", u.sysname);
		json_str(j, "release", u.release);
		json_str(j, "version", u.version);
		json_str(j, "machine", u.machine);
	}
	put_text(j, "os", os ? value_of(os, "PRETTY_NAME") : NULL);
	put_line_of(j, "lockdown", root, "/sys/kernel/security/lockdown");
	put_line_of(j, "clocksource", root,
		    "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	close_fact(j);
	free(os);
}

static void put_cpu(struct json *j, const char *root)
{
	char *text = hostfacts_read(root, "/proc/cpuinfo", TEXT_MAX, NULL);

	open_fact(j, "cpu");
	json_i64(j, "online", sysconf(_SC_NPROCESSORS_ONLN));
	json_i64(j, "configured", sysconf(_SC_NPROCESSORS_CONF));
	put_text(j, "model", text ? value_of(text, "model name") : NULL);
	put_line_of(j, "governor", root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	close_fact(j);
	free(text);
}

static void put_memory(struct json *j, const char *root)
{
	static const struct {
		const char *key, *line;
	} rows[] = { { "total_bytes", "MemTotal:" },
		     { "available_bytes", "MemAvailable:" },
		     { "swap_bytes", "SwapTotal:" } };

	open_fact(j, "memory");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = hostfacts_read(root, "/proc/meminfo", TEXT_MAX, NULL);
		const char *value = text ? value_of(text, rows[i].line) : NULL;

		if (value)
			json_u64(j, rows[i].key, strtoull(value, NULL, 10) * 1024);
		else
			json_null(j, rows[i].key);
		free(text);
	}
	close_fact(j);
}

/* The word in brackets: "[none] mq-deadline". */
static void put_scheduler(struct json *j, char *text)
{
	char *open = text ? strchr(text, '[') : NULL, *close = open ? strchr(open, ']') : NULL;

	if (close)
		*close = '\0';
	put_text(j, "scheduler", close ? open + 1 : text);
}

static bool put_disk(struct json *j, const char *root, const char *name)
{
	char path[PATH_LEN], *size, *rotational, *scheduler;
	uint64_t sectors;

	snprintf(path, sizeof(path), "/sys/block/%.64s/size", name);
	size = line_of(root, path);
	sectors = size ? strtoull(size, NULL, 10) : 0;
	free(size);
	if (!sectors || !strncmp(name, "loop", 4) || !strncmp(name, "ram", 3))
		return false;
	snprintf(path, sizeof(path), "/sys/block/%.64s/queue/rotational", name);
	rotational = line_of(root, path);
	snprintf(path, sizeof(path), "/sys/block/%.64s/queue/scheduler", name);
	scheduler = line_of(root, path);
	open_fact(j, "disk");
	json_str(j, "name", name);
	json_u64(j, "bytes", sectors * SECTOR);
	if (rotational)
		json_bool(j, "rotational", *rotational == '1');
	else
		json_null(j, "rotational");
	put_scheduler(j, scheduler);
	close_fact(j);
	free(rotational);
	free(scheduler);
	return true;
}

static void put_disks(struct json *j, const char *root)
{
	struct dirent **names;
	char path[PATH_LEN];
	int n, shown = 0;

	snprintf(path, sizeof(path), "%s/sys/block", root);
	n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.' && shown < DISKS_MAX)
			shown += put_disk(j, root, names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

static void put_sysctls(struct json *j, const char *root)
{
	static const char *const names[] = {
		"fs/file-max",
		"fs/nr_open",
		"kernel/pid_max",
		"kernel/threads-max",
		"kernel/perf_event_paranoid",
		"kernel/unprivileged_bpf_disabled",
		"net/core/bpf_jit_enable",
		"net/core/somaxconn",
		"net/core/netdev_max_backlog",
		"net/ipv4/tcp_max_syn_backlog",
		"net/ipv4/tcp_congestion_control",
		"vm/dirty_background_ratio",
		"vm/dirty_ratio",
		"vm/overcommit_memory",
		"vm/swappiness",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[PATH_LEN], *value;

		snprintf(path, sizeof(path), "/proc/sys/%s", names[i]);
		value = line_of(root, path);
		if (!value)
			continue;
		open_fact(j, "sysctl");
		json_str(j, "name", names[i]);
		json_str(j, "value", value);
		close_fact(j);
		free(value);
	}
}

static void put_limit_value(struct json *j, const char *key, rlim_t v)
{
	if (v == RLIM_INFINITY)
		json_str(j, key, "unlimited");
	else
		json_u64(j, key, (uint64_t)v);
}

static void put_limits(struct json *j)
{
	static const struct {
		const char *name;
		int id;
	} rows[] = { { "nofile", RLIMIT_NOFILE }, { "memlock", RLIMIT_MEMLOCK },
		     { "nproc", RLIMIT_NPROC },   { "as", RLIMIT_AS },
		     { "fsize", RLIMIT_FSIZE },   { "stack", RLIMIT_STACK },
		     { "core", RLIMIT_CORE },     { "cpu", RLIMIT_CPU } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rlimit r;

		if (getrlimit((unsigned)rows[i].id, &r))
			continue;
		open_fact(j, "limit"); /* tardy's own */
		json_str(j, "name", rows[i].name);
		put_limit_value(j, "soft", r.rlim_cur);
		put_limit_value(j, "hard", r.rlim_max);
		close_fact(j);
	}
}

int hostfacts_write(FILE *out, const char *root)
{
	struct json j;

	json_init(&j, out);
	json_open_object(&j, NULL);
	json_str(&j, "schema", "tardy.host/1.0");
	json_close_object(&j);
	json_end_line(&j);
	put_kernel(&j, root);
	put_cpu(&j, root);
	put_memory(&j, root);
	put_disks(&j, root);
	put_sysctls(&j, root);
	put_limits(&j);
	return json_finish(&j);
}
