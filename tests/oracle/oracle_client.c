/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle's client: sends the scripted requests of a mode and logs when.
 *
 *	oracle_client --port PORT --mode threads|workers|pool|loop|proxy|lasting --out FILE [-n SAMPLES]
 *		[--only LIST] [--without LIST] [--plain-fsync]
 *
 * Each group of the table below is one cause alone, SAMPLES times (30) with durations of 1 to
 * 40 ms, or a mixture. --without names what could not be set up on this host. --plain-fsync: the
 * server's writes are not throttled, so fsync writes several MiB to take its time.
 *
 * The block throttle (block/blk-throttle.c: DFL_THROTL_SLICE) hands out bytes per slice of 100 ms;
 * a write that finds them used up waits for later slices, whatever its size. So disk and fsync
 * write DISK_KIB each, for which run.sh allows one in 117 ms, and the client's rest between them
 * varies how long they wait.
 */
#define _GNU_SOURCE
#include "oracle_client.h"
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define REST_US 300 /* lets the server block in its next read */
#define SPINNERS 2
#define BACKLOG_AT_ONCE 8
#define SLOT_AT_ONCE 5
#define SHARING_AT_ONCE 3
#define CALLS_EACH 4
#define SLOW_CHUNKS 8
#define DISK_KIB 64
#define DISK_REST_US 60000
#define PLAIN_FSYNC_KIB 8192
#define THROTTLE_CPU 0 /* runq has the last CPU */

enum mode {
	MODE_THREADS = 1,
	MODE_WORKERS = 2,
	MODE_POOL = 4,
	MODE_LOOP = 8,
	MODE_PROXY = 16,
	MODE_LASTING = 32
};

struct script {
	int port, samples;
	bool plain_fsync;
	enum mode mode;
	const char *only, *without;
	uint64_t seed;
	struct client_log log;
	struct client main; /* kept alive over groups; fd -1 in mode workers */
};

struct group {
	const char *name;
	int modes;
	int (*run)(struct script *s, const struct group *g);
};

static int64_t random_below(struct script *s, int64_t n)
{
	s->seed = s->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (int64_t)((s->seed >> 33) % (uint64_t)n);
}

/* Between low and high, each power of ten as often. */
static int64_t random_us(struct script *s, int64_t low, int64_t high)
{
	double r = (double)random_below(s, 10000) / 10000;

	return (int64_t)((double)low * pow((double)high / (double)low, r));
}

static bool listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; at && *at; at += strcspn(at, ",")) {
		at += *at == ',';
		if (!strncmp(at, name, len) && (!at[len] || at[len] == ','))
			return true;
	}
	return false;
}

static int open_warm(struct script *s, struct client *c, int rcvbuf)
{
	int err = client_open(c, &s->log, s->port, rcvbuf);

	if (err)
		return err;
	err = client_send(c, "warmup", "/c/none", NULL);
	if (!err)
		err = client_receive(c, NULL);
	if (err)
		client_close(c);
	client_sleep_us(REST_US);
	return err;
}

/* A request on the kept connection, or on one of its own in mode workers. */
static int one(struct script *s, const char *group, const char *path,
	       const struct client_slow *body)
{
	struct client own, *c = &s->main;
	int err = 0;

	if (s->mode == MODE_WORKERS) {
		err = client_open(&own, &s->log, s->port, 0);
		own.close = true;
		c = &own;
	}
	if (!err)
		err = client_send(c, group, path, body);
	if (!err)
		err = client_receive(c, NULL);
	if (c == &own)
		client_close(c);
	client_sleep_us(REST_US);
	return err;
}

static bool on_disk(const char *cause)
{
	return !strcmp(cause, "disk") || !strcmp(cause, "fsync");
}

/* The argument that makes a cause take about us microseconds; for the disk the moment does. */
static int64_t argument(const struct script *s, const char *cause, int64_t us)
{
	return !on_disk(cause) ? us : s->plain_fsync ? PLAIN_FSYNC_KIB : DISK_KIB;
}

static int run_alone(struct script *s, const struct group *g)
{
	char path[64];
	int err = 0;

	for (int i = 0; i < s->samples && !err; i++) {
		int64_t us = random_us(s, 1000, 40000);

		if (on_disk(g->name) && !s->plain_fsync)
			client_sleep_us(random_below(s, DISK_REST_US));
		snprintf(path, sizeof(path), "/c/%s=%lld", g->name,
			 (long long)argument(s, g->name, us));
		err = one(s, g->name, path, NULL);
	}
	return err;
}

static int run_mix(struct script *s, const struct group *g)
{
	static const char *const all[] = { "spin", "sleep", "futex", "flock",   "pipe",
					   "disk", "fsync", "fault", "upstream" };
	const char *can[9];
	int n = 0, err = 0;

	for (int i = 0; i < 9; i++)
		if (!listed(s->without, all[i]) &&
		    !(s->mode == MODE_WORKERS && !strcmp(all[i], "upstream")))
			can[n++] = all[i];
	for (int i = 0; i < s->samples && !err; i++) {
		int causes = 3 + (int)random_below(s, 3), len = 3;
		char path[160] = "/c/";

		for (int k = 0; k < causes; k++) {
			const char *cause = can[random_below(s, n)];

			len += snprintf(path + len, sizeof(path) - (size_t)len, "%s%s=%lld",
					k ? "," : "", cause,
					(long long)argument(s, cause, random_us(s, 1000, 12000)));
		}
		err = one(s, g->name, path, NULL);
	}
	return err;
}

static int run_body(struct script *s, const struct group *g)
{
	int err = 0;

	for (int i = 0; i < s->samples && !err; i++) {
		struct client_slow body = { SLOW_CHUNKS, 1000,
					    random_us(s, 1000, 40000) / SLOW_CHUNKS };

		err = one(s, g->name, "/c/none", &body);
	}
	return err;
}

static int run_reader(struct script *s, const struct group *g)
{
	struct client c;
	int err = open_warm(s, &c, 65536);

	for (int i = 0; i < s->samples && !err; i++) {
		struct client_slow slow = { SLOW_CHUNKS, 128 * 1024,
					    random_us(s, 4000, 40000) / SLOW_CHUNKS };

		err = client_send(&c, g->name, "/c/reader=1024", NULL);
		if (!err)
			err = client_receive(&c, &slow);
		client_sleep_us(REST_US);
	}
	client_close(&c);
	return err;
}

/* One request holds a lock, another waits for it. */
static int run_held(struct script *s, const struct group *g)
{
	struct client a = { .fd = -1 }, b = { .fd = -1 };
	bool each = s->mode == MODE_WORKERS;
	char hold[64], wait[64];
	int err = 0;

	snprintf(wait, sizeof(wait), "/c/%s=0", g->name);
	for (int i = 0; i < s->samples && !err; i++) {
		if (!i || each) {
			err = each ? client_open(&a, &s->log, s->port, 0) : open_warm(s, &a, 0);
			if (!err)
				err = each ? client_open(&b, &s->log, s->port, 0) :
					     open_warm(s, &b, 0);
			a.close = b.close = each;
		}
		snprintf(hold, sizeof(hold), "/hold/%s=%lld", g->name,
			 (long long)random_us(s, 8000, 30000));
		if (!err)
			err = client_send(&a, "hold", hold, NULL);
		client_sleep_us(3000);
		if (!err)
			err = client_send(&b, g->name, wait, NULL);
		if (!err)
			err = client_receive(&a, NULL);
		if (!err)
			err = client_receive(&b, NULL);
		client_sleep_us(REST_US);
		if (each) {
			client_close(&a);
			client_close(&b);
		}
	}
	client_close(&a);
	client_close(&b);
	return err;
}

#define TIMERS_AT_ONCE 3

/* Requests of a loop that all wait for timers of their own: it is idle most of the time. No two are due in one
 * turn of the loop, where nothing says which of them is whose. */
static int run_timers(struct script *s, const struct group *g)
{
	struct client c[TIMERS_AT_ONCE] = { 0 };
	char path[64];
	int err = 0, n = 0;

	for (; n < TIMERS_AT_ONCE && !err; n++)
		err = open_warm(s, &c[n], 0);
	for (int i = 0; i < s->samples && !err; i += TIMERS_AT_ONCE) {
		for (int k = 0; k < TIMERS_AT_ONCE && !err; k++) {
			snprintf(path, sizeof(path), "/c/timer=%lld",
				 (long long)random_us(s, 10000, 15000) +
					 (i / TIMERS_AT_ONCE + k) % TIMERS_AT_ONCE * 10000);
			err = client_send(&c[k], g->name, path, NULL);
			client_sleep_us(1000);
		}
		for (int k = 0; k < TIMERS_AT_ONCE && !err; k++)
			err = client_receive(&c[k], NULL);
		client_sleep_us(REST_US);
	}
	while (n > 0)
		client_close(&c[--n]);
	return err;
}

static int burn_on(int cpu, pid_t *pids)
{
	for (int i = 0; i < SPINNERS; i++) {
		cpu_set_t set;

		pids[i] = fork();
		if (pids[i] < 0)
			return -errno;
		if (pids[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(30);
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			_exit(1);
		for (;;)
			;
	}
	return 0;
}

/* A connection whose serving thread is bound to one CPU. */
static int open_pinned(struct script *s, struct client *c, int cpu)
{
	char path[32];
	int err = open_warm(s, c, 0);

	snprintf(path, sizeof(path), "/setup/pin=%d", cpu);
	if (!err)
		err = client_send(c, "setup", path, NULL);
	if (!err)
		err = client_receive(c, NULL);
	return err;
}

static int spins_on(struct script *s, struct client *c, const char *name, int64_t low, int64_t high)
{
	char path[64];
	int err = 0;

	for (int i = 0; i < s->samples && !err; i++) {
		snprintf(path, sizeof(path), "/c/spin=%lld", (long long)random_us(s, low, high));
		err = client_send(c, name, path, NULL);
		if (!err)
			err = client_receive(c, NULL);
		client_sleep_us(REST_US);
	}
	return err;
}

static int run_runq(struct script *s, const struct group *g)
{
	pid_t pids[SPINNERS] = { 0 };
	int cpu = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
	struct client c;
	int err = open_pinned(s, &c, cpu);

	if (!err)
		err = burn_on(cpu, pids);
	if (!err)
		err = spins_on(s, &c, g->name, 2000, 20000);
	for (int i = 0; i < SPINNERS; i++) {
		if (pids[i] <= 0)
			continue;
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	client_close(&c);
	return err;
}

static int run_throttle(struct script *s, const struct group *g)
{
	struct client c;
	int err = open_pinned(s, &c, THROTTLE_CPU);

	if (!err)
		err = client_send(&c, "setup", "/setup/throttle", NULL);
	if (!err)
		err = client_receive(&c, NULL);
	client_sleep_us(REST_US);
	if (!err)
		err = spins_on(s, &c, g->name, 5000, 20000);
	client_close(&c);
	return err;
}

/* More connections than workers, each with its request sent at once. */
static int run_backlog(struct script *s, const struct group *g)
{
	static const char *const causes[] = { "sleep", "spin", "pipe" };
	struct client c[BACKLOG_AT_ONCE];
	int err = 0;

	for (int i = 0; i < s->samples && !err; i += BACKLOG_AT_ONCE) {
		int n = 0;

		for (; n < BACKLOG_AT_ONCE && !err; n++) {
			char path[64];

			snprintf(path, sizeof(path), "/c/%s=%lld", causes[random_below(s, 3)],
				 (long long)random_us(s, 2000, 15000));
			err = client_open(&c[n], &s->log, s->port, 0);
			c[n].close = true;
			if (!err)
				err = client_send(&c[n], g->name, path, NULL);
		}
		for (int k = 0; k < n; k++) {
			if (!err)
				err = client_receive(&c[k], NULL);
			client_close(&c[k]);
		}
		client_sleep_us(REST_US);
	}
	return err;
}

/* More requests at once than there are threads, on lasting connections. */
static int run_crowd(struct script *s, const struct group *g)
{
	static const char *const causes[] = { "sleep", "spin", "pipe" };
	struct client c[BACKLOG_AT_ONCE];
	int err = 0, n = 0;

	for (; n < BACKLOG_AT_ONCE && !err; n++)
		err = open_warm(s, &c[n], 0);
	for (int i = 0; i < s->samples && !err; i += BACKLOG_AT_ONCE) {
		for (int k = 0; k < BACKLOG_AT_ONCE && !err; k++) {
			char path[64];

			snprintf(path, sizeof(path), "/c/%s=%lld", causes[random_below(s, 3)],
				 (long long)random_us(s, 2000, 15000));
			err = client_send(&c[k], g->name, path, NULL);
		}
		for (int k = 0; k < BACKLOG_AT_ONCE && !err; k++)
			err = client_receive(&c[k], NULL);
		client_sleep_us(REST_US);
	}
	while (n > 0)
		client_close(&c[--n]);
	return err;
}

/* More requests at once than the proxy has connections to what is behind it: a target of its own for
 * each, or (alike) the same for all. */
static int run_slot(struct script *s, const struct group *g)
{
	struct client c[SLOT_AT_ONCE];
	int err = 0, n = 0;

	for (; n < SLOT_AT_ONCE && !err; n++) {
		err = open_warm(s, &c[n], 0);
		c[n].alike = !strcmp(g->name, "alike");
	}
	for (int i = 0; i < s->samples && !err; i += SLOT_AT_ONCE) {
		for (int k = 0; k < SLOT_AT_ONCE && !err; k++) {
			char path[64];

			snprintf(path, sizeof(path), "/c/sleep=%lld",
				 c[k].alike ? 8000LL : (long long)random_us(s, 2000, 15000));
			err = client_send(&c[k], g->name, path, NULL);
			client_sleep_us(random_below(s, 2000));
		}
		for (int k = 0; k < SLOT_AT_ONCE && !err; k++)
			err = client_receive(&c[k], NULL);
		client_sleep_us(REST_US);
	}
	while (n > 0)
		client_close(&c[--n]);
	return err;
}

/* Requests that call several times, and do something in between. */
static int run_calls(struct script *s, const struct group *g)
{
	int err = 0;

	for (int i = 0; i < s->samples && !err; i++) {
		char path[160] = "/c/spin=100";
		int len = (int)strlen(path);

		for (int k = 0; k < CALLS_EACH; k++)
			len += snprintf(path + len, sizeof(path) - (size_t)len,
					",store=%lld,spin=200", (long long)random_us(s, 500, 5000));
		err = one(s, g->name, path, NULL);
	}
	return err;
}

/* Several threads call on the connection that they share. */
static int run_sharing(struct script *s, const struct group *g)
{
	struct client c[SHARING_AT_ONCE];
	int err = 0, n = 0;

	for (; n < SHARING_AT_ONCE && !err; n++)
		err = open_warm(s, &c[n], 0);
	for (int i = 0; i < s->samples && !err; i += SHARING_AT_ONCE) {
		for (int k = 0; k < SHARING_AT_ONCE && !err; k++) {
			char path[160];

			snprintf(path, sizeof(path), "/c/shared=%lld,spin=300,shared=%lld",
				 (long long)random_us(s, 1000, 8000),
				 (long long)random_us(s, 1000, 8000));
			err = client_send(&c[k], g->name, path, NULL);
		}
		for (int k = 0; k < SHARING_AT_ONCE && !err; k++)
			err = client_receive(&c[k], NULL);
		client_sleep_us(REST_US);
	}
	while (n > 0)
		client_close(&c[--n]);
	return err;
}

/* Two connections of one loop: the second's request comes 2 ms after the first's. */
static int pairs(struct script *s, const char *first_group, const char *first_cause, int64_t low,
		 int64_t high, const char *second_group, const char *second_path)
{
	struct client second;
	char path[64];
	int err = open_warm(s, &second, 0);

	for (int i = 0; i < s->samples && !err; i++) {
		snprintf(path, sizeof(path), "/c/%s=%lld", first_cause,
			 (long long)random_us(s, low, high));
		err = client_send(&s->main, first_group, path, NULL);
		client_sleep_us(2000);
		if (!err)
			err = client_send(&second, second_group, second_path, NULL);
		if (!err)
			err = client_receive(&second, NULL);
		if (!err)
			err = client_receive(&s->main, NULL);
		client_sleep_us(REST_US);
	}
	client_close(&second);
	return err;
}

static int run_loopblock(struct script *s, const struct group *g)
{
	return pairs(s, "blocker", "spin", 5000, 30000, g->name, "/c/spin=200");
}

/* The loop works for another while this one's upstream is slow, and is idle again when the
 * answer comes: all of it is upstream. */
static int run_overlap(struct script *s, const struct group *g)
{
	return pairs(s, g->name, "upstream", 20000, 40000, "guest", "/c/spin=5000");
}

#define ALL (MODE_THREADS | MODE_WORKERS | MODE_POOL | MODE_LOOP)

static const struct group groups[] = {
	{ "spin", ALL, run_alone },
	{ "sleep", ALL, run_alone },
	{ "timer", MODE_LOOP, run_alone },
	{ "timers", MODE_LOOP, run_timers },
	{ "futex", ALL, run_alone },
	{ "flock", MODE_THREADS | MODE_WORKERS | MODE_LOOP, run_alone },
	{ "pipe", ALL, run_alone },
	{ "disk", MODE_THREADS | MODE_LOOP, run_alone },
	{ "fsync", MODE_THREADS, run_alone },
	{ "fault", ALL, run_alone },
	{ "upstream", MODE_THREADS | MODE_LOOP, run_alone },
	{ "body", MODE_THREADS | MODE_LOOP, run_body },
	{ "reader", MODE_THREADS | MODE_LOOP, run_reader },
	{ "mutex", MODE_THREADS | MODE_POOL, run_held },
	{ "hflock", MODE_THREADS | MODE_WORKERS, run_held },
	{ "backlog", MODE_WORKERS, run_backlog },
	{ "crowd", MODE_POOL, run_crowd },
	{ "slot", MODE_PROXY, run_slot },
	{ "alike", MODE_PROXY, run_slot },
	{ "store", MODE_LASTING, run_alone },
	{ "shared", MODE_LASTING, run_alone },
	{ "calls", MODE_LASTING, run_calls },
	{ "sharing", MODE_LASTING, run_sharing },
	{ "loopblock", MODE_LOOP, run_loopblock },
	{ "overlap", MODE_LOOP, run_overlap },
	{ "mix", MODE_THREADS | MODE_WORKERS | MODE_LOOP, run_mix },
	{ "runq", MODE_THREADS, run_runq },
	{ "throttle", MODE_THREADS, run_throttle },
};

static int run_groups(struct script *s)
{
	int err = 0;

	s->main.fd = -1;
	if (s->mode != MODE_WORKERS)
		err = open_warm(s, &s->main, 0);
	if (s->mode == MODE_LASTING && !err)
		err = one(s, "warmup", "/c/shared=0", NULL);
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups) && !err; i++) {
		const struct group *g = &groups[i];
		bool needs_upstream = !strcmp(g->name, "overlap");

		if (!(g->modes & (int)s->mode) || (s->only && !listed(s->only, g->name)) ||
		    listed(s->without, g->name) ||
		    (needs_upstream && listed(s->without, "upstream")))
			continue;
		err = g->run(s, g);
		if (err)
			fprintf(stderr, "oracle_client: %s: %s\n", g->name, strerror(-err));
	}
	client_close(&s->main);
	return err;
}

int main(int argc, char **argv)
{
	static const struct option table[] = { { "port", 1, NULL, 'p' },
					       { "mode", 1, NULL, 'm' },
					       { "out", 1, NULL, 'o' },
					       { "only", 1, NULL, 'y' },
					       { "without", 1, NULL, 'w' },
					       { "plain-fsync", 0, NULL, 'f' },
					       { 0 } };
	struct script *s = calloc(1, sizeof(*s));
	const char *out = NULL;
	int opt, err;

	if (!s)
		return 1;
	s->samples = 30;
	s->seed = 20;
	s->mode = MODE_THREADS;
	while ((opt = getopt_long(argc, argv, "n:", table, NULL)) != -1) {
		switch (opt) {
		case 'p':
			s->port = atoi(optarg);
			break;
		case 'o':
			out = optarg;
			break;
		case 'n':
			s->samples = atoi(optarg);
			break;
		case 'y':
			s->only = optarg;
			break;
		case 'w':
			s->without = optarg;
			break;
		case 'f':
			s->plain_fsync = true;
			break;
		case 'm':
			s->mode = !strcmp(optarg, "workers") ? MODE_WORKERS :
				  !strcmp(optarg, "pool")    ? MODE_POOL :
				  !strcmp(optarg, "proxy")   ? MODE_PROXY :
				  !strcmp(optarg, "lasting") ? MODE_LASTING :
				  !strcmp(optarg, "loop")    ? MODE_LOOP :
							       MODE_THREADS;
			break;
		default:
			out = NULL;
			s->port = 0;
			break;
		}
	}
	if (!s->port || !out || s->samples < 1) {
		fputs("usage: see the top of tests/oracle/oracle_client.c\n", stderr);
		free(s);
		return 2;
	}
	err = run_groups(s);
	if (!err)
		err = client_log_write(&s->log, out);
	free(s);
	return err ? 1 : 0;
}
