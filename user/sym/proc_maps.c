// SPDX-License-Identifier: GPL-2.0-only
#include "sym/proc_maps.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000, STATUS_BYTES = 4096 };

uint64_t procs_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

void procs_init(struct procs *p, size_t max, size_t max_bytes, uint64_t reread_ns,
		uint64_t read_per_s)
{
	*p = (struct procs){ .max = max,
			     .max_bytes = max_bytes,
			     .reread_ns = reread_ns,
			     .budget.per_s = read_per_s };
	table_init(&p->by_tgid, sizeof(struct proc_maps *), max);
}

static void proc_free(struct procs *p, struct proc_maps *proc)
{
	p->bytes -= maps_bytes(&proc->maps);
	maps_release(&proc->maps);
	free(proc);
}

void procs_release(struct procs *p)
{
	table_each(it, &p->by_tgid)
		proc_free(p, *(struct proc_maps **)it.value);
	table_release(&p->by_tgid);
}

void procs_forget(struct procs *p, uint32_t tgid)
{
	struct proc_maps **at = table_get(&p->by_tgid, tgid);

	if (!at)
		return;
	proc_free(p, *at);
	table_del(&p->by_tgid, tgid);
}

static struct proc_maps *least_used(struct procs *p, const struct proc_maps *but)
{
	struct proc_maps *least = NULL;

	table_each(it, &p->by_tgid) {
		struct proc_maps *proc = *(struct proc_maps **)it.value;

		if (proc != but && (!least || proc->used < least->used))
			least = proc;
	}
	return least;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* The values behind a key of /proc/PID/status. */
static const char *status_values(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? at + strlen(key) : NULL;
}

/* "Uid:\treal\teffective\t..." and "NSpid:\tours\t...\tits own". */
static void read_status(struct proc_maps *proc)
{
	char path[40], text[STATUS_BYTES];
	const char *uid, *pid, *last;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/status", proc->tgid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	uid = status_values(text, "\nUid:");
	pid = status_values(text, "\nNSpid:");
	if (!uid || !pid)
		return;
	uid = strchr(uid + 1, '\t');
	proc->uid = uid ? (uid_t)strtoul(uid + 1, NULL, 10) : (uid_t)-1;
	for (last = pid; *pid && *pid != '\n'; pid++)
		if (*pid == '\t')
			last = pid;
	proc->ns_tgid = (uint32_t)strtoul(last, NULL, 10);
}

static void read_maps(struct procs *p, struct proc_maps *proc)
{
	struct proc_maps *least;

	p->bytes -= maps_bytes(&proc->maps);
	if (!maps_read(&proc->maps, proc->tgid)) {
		read_status(proc);
		p->cut += proc->maps.cut;
	}
	p->bytes += maps_bytes(&proc->maps);
	read_done(&p->budget, &proc->maps_turn, proc->maps.read_bytes, procs_now_ns());
	while (p->bytes > p->max_bytes && (least = least_used(p, proc))) {
		procs_forget(p, least->tgid);
		p->evicted++;
	}
}

bool procs_reread(struct procs *p, struct proc_maps *proc)
{
	uint64_t now = procs_now_ns();

	if (read_just_done(&proc->maps_turn, p->reread_ns, now) ||
	    !read_may(&p->budget, &proc->maps_turn, proc->maps.read_bytes, now))
		return false;
	read_maps(p, proc);
	return true;
}

struct proc_maps *procs_get(struct procs *p, uint32_t tgid)
{
	struct proc_maps **at = table_get(&p->by_tgid, tgid), *proc;

	if (at) {
		(*at)->used = ++p->clock;
		return *at;
	}
	if (p->by_tgid.n >= p->max) {
		procs_forget(p, least_used(p, NULL)->tgid);
		p->evicted++;
	}
	proc = calloc(1, sizeof(*proc));
	at = proc ? table_put(&p->by_tgid, tgid, NULL) : NULL;
	if (!at) {
		free(proc);
		return NULL;
	}
	*at = proc;
	proc->tgid = tgid;
	proc->used = ++p->clock;
	procs_reread(p, proc);
	return proc;
}
