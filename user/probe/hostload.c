// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load of the host from /proc. All figures of /proc are cumulative, so that a sample is the
 * difference to the one before. The busiest device counts, and any can be it: behind a loop, a
 * mapped or a mirrored device there may be no disk that is busy (a throttle, a file in memory).
 */
#define _GNU_SOURCE
#include "probe/hostload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/kernel_clock.h"

enum {
	DISKS_MAX = 1024, /* more are not looked at; images in loop devices come by the hundred */
	NAME_MAX_LEN = 32, /* DISK_NAME_LEN of the kernel */
	TEXT_MAX = 256 * 1024, /* /proc/stat of a host with many CPUs and interrupts is long */
	INTERVAL_MIN_MS = 50,
	SCALE = 10000,
};

struct disk {
	char name[NAME_MAX_LEN];
	uint32_t busy_ms;
};

struct hostload {
	char *proc, *sys, *text;
	bool sampled; /* what follows is of the sample before */
	uint64_t at_ms;
	struct hostload_cpu cpu;
	struct disk disks[DISKS_MAX];
	size_t n_disks;
};

struct hostload *hostload_new_at(const char *proc, const char *sys)
{
	struct hostload *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->proc = strdup(proc);
	h->sys = strdup(sys);
	h->text = malloc(TEXT_MAX);
	if (!h->proc || !h->sys || !h->text) {
		hostload_free(h);
		return NULL;
	}
	return h;
}

struct hostload *hostload_new(void)
{
	return hostload_new_at("/proc", "/sys");
}

void hostload_free(struct hostload *h)
{
	if (!h)
		return;
	free(h->proc);
	free(h->sys);
	free(h->text);
	free(h);
}

/* ---- texts ------------------------------------------------------------------------------- */

/* The next line into buf, cut to cap - 1 bytes. */
static bool line_next(struct slice *rest, char *buf, size_t cap)
{
	if (rest->len == 0)
		return false;
	const char *eol = memchr(rest->ptr, '\n', rest->len);
	size_t len = eol ? (size_t)(eol - rest->ptr) : rest->len;
	size_t kept = len < cap - 1 ? len : cap - 1;

	memcpy(buf, rest->ptr, kept);
	buf[kept] = '\0';
	rest->ptr += len + (eol != NULL);
	rest->len -= len + (eol != NULL);
	return true;
}

int hostload_parse_stat(struct slice text, struct hostload_cpu *out)
{
	struct hostload_cpu cpu = { .running = -1 };
	bool found = false;
	char line[512];

	while (line_next(&text, line, sizeof(line))) {
		unsigned long long t[8] = { 0 }, running;

		/* user nice system idle iowait irq softirq steal; old kernels have fewer. The blank
		 * tells it from "cpu0"; to sscanf() it may be none. */
		if (!found && strncmp(line, "cpu ", 4) == 0 &&
		    sscanf(line + 4, "%llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2],
			   &t[3], &t[4], &t[5], &t[6], &t[7]) >= 4) {
			for (size_t i = 0; i < 8; i++) {
				cpu.total += t[i];
				cpu.busy += i == 3 || i == 4 ? 0 : t[i];
			}
			found = true;
		} else if (sscanf(line, "procs_running %llu", &running) == 1) {
			cpu.running = running > INT32_MAX ? INT32_MAX : (int64_t)running;
		}
	}
	if (!found)
		return -EBADMSG;
	*out = cpu;
	return 0;
}

int32_t hostload_parse_pressure(struct slice text)
{
	unsigned whole, hundredths;
	char line[256];

	while (line_next(&text, line, sizeof(line)))
		if (sscanf(line, "some avg10=%3u.%2u", &whole, &hundredths) == 2)
			return whole >= 100 ? SCALE : (int32_t)(whole * 100 + hundredths);
	return -1;
}

bool hostload_disk_next(struct slice *rest, char *name, size_t cap, uint32_t *busy_ms)
{
	char line[512], read_name[128];
	unsigned long long ms;

	while (line_next(rest, line, sizeof(line))) {
		/* major minor name, then ten numbers of which the last is io_ticks */
		if (sscanf(line, "%*u %*u %127s %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu",
			   read_name, &ms) != 2 ||
		    strlen(read_name) >= cap)
			continue;
		strcpy(name, read_name);
		*busy_ms = (uint32_t)ms;
		return true;
	}
	return false;
}

/* ---- samples ----------------------------------------------------------------------------- */

/* Into h->text; an empty slice when it cannot be read. */
static struct slice read_text(struct hostload *h, const char *file)
{
	char path[PATH_MAX];
	size_t len = 0;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", h->proc, file) >= (int)sizeof(path))
		return (struct slice){ h->text, 0 };
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return (struct slice){ h->text, 0 };
	while (len < TEXT_MAX) {
		ssize_t n = read(fd, h->text + len, TEXT_MAX - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	return (struct slice){ h->text, len };
}

/* /sys/block has a folder for each whole device, in whose name '/' is '!'; a partition would say
 * again what its disk says. Memory is no disk, nor what is only there to be taken out. */
static bool is_disk(const struct hostload *h, const char *name)
{
	static const char *const not_disks[] = { "ram", "zram", "sr", "fd" };
	char path[PATH_MAX];
	int n;

	for (size_t i = 0; i < sizeof(not_disks) / sizeof(not_disks[0]); i++)
		if (strncmp(name, not_disks[i], strlen(not_disks[i])) == 0)
			return false;
	n = snprintf(path, sizeof(path), "%s/block/%s", h->sys, name);
	if (n >= (int)sizeof(path))
		return false;
	for (char *c = path + n - strlen(name); *c; c++)
		if (*c == '/')
			*c = '!';
	return access(path, F_OK) == 0;
}

static const struct disk *find_disk(const struct hostload *h, const char *name)
{
	for (size_t i = 0; i < h->n_disks; i++)
		if (strcmp(h->disks[i].name, name) == 0)
			return &h->disks[i];
	return NULL;
}

/* Ratio of the busiest disk that was there before too; takes the new figures over. */
static int32_t sample_disks(struct hostload *h, uint64_t dt_ms)
{
	struct disk now[DISKS_MAX];
	struct slice text = read_text(h, "diskstats");
	size_t n = 0;
	int32_t busiest = -1;

	while (n < DISKS_MAX &&
	       hostload_disk_next(&text, now[n].name, sizeof(now[n].name), &now[n].busy_ms)) {
		const struct disk *old;

		if (!is_disk(h, now[n].name))
			continue;
		old = find_disk(h, now[n].name);
		n++;
		if (!old || dt_ms == 0)
			continue;
		uint64_t busy = (uint32_t)(now[n - 1].busy_ms - old->busy_ms);

		/* a disk of this name was taken out and another one put in */
		if (busy > 2 * dt_ms + 1000)
			continue;
		int32_t ratio = busy >= dt_ms ? SCALE : (int32_t)(busy * SCALE / dt_ms);

		if (ratio > busiest)
			busiest = ratio;
	}
	memcpy(h->disks, now, n * sizeof(now[0]));
	h->n_disks = n;
	return busiest;
}

static int32_t cpu_ratio(const struct hostload_cpu *old, const struct hostload_cpu *now)
{
	uint64_t total = now->total - old->total, busy = now->busy - old->busy;

	/* iowait and a CPU that went away can make either go back */
	if (now->total <= old->total || now->busy < old->busy)
		return -1;
	return busy >= total ? SCALE : (int32_t)(busy * SCALE / total);
}

int hostload_sample(struct hostload *h, struct rec_host *out)
{
	uint64_t ns = kernel_clock_ns(), ms = ns / 1000000;
	uint64_t dt_ms = h->sampled ? ms - h->at_ms : 0;
	struct hostload_cpu cpu;

	*out = (struct rec_host){
		.h = { .len = sizeof(*out), .type = REC_HOST, .ts_ns = ns },
		.cpu = -1,
		.disk = -1,
		.runnable_x100 = -1,
	};
	bool has_cpu = hostload_parse_stat(read_text(h, "stat"), &cpu) == 0;

	if (has_cpu && cpu.running >= 0) {
		/* whoever reads the file runs */
		int64_t others = cpu.running > 0 ? cpu.running - 1 : 0;

		out->runnable_x100 = others > INT32_MAX / 100 ? INT32_MAX : (int32_t)others * 100;
	}
	out->psi_cpu = hostload_parse_pressure(read_text(h, "pressure/cpu"));
	out->psi_io = hostload_parse_pressure(read_text(h, "pressure/io"));
	out->psi_mem = hostload_parse_pressure(read_text(h, "pressure/memory"));
	if (!h->sampled || dt_ms >= INTERVAL_MIN_MS) {
		if (has_cpu && dt_ms && h->cpu.total)
			out->cpu = cpu_ratio(&h->cpu, &cpu);
		out->disk = sample_disks(h, dt_ms);
		h->cpu = has_cpu ? cpu : (struct hostload_cpu){ .running = -1 };
		h->at_ms = ms;
		h->sampled = true;
	}
	return has_cpu || h->n_disks || out->psi_cpu >= 0 || out->psi_io >= 0 || out->psi_mem >= 0 ?
		       0 :
		       -ENODATA;
}
