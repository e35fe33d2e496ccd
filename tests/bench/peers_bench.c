// SPDX-License-Identifier: GPL-2.0-only
/*
 * What watching costs the servers, beside other tools: CPU time of the servers' threads (run time
 * of /proc/PID/task/TID/schedstat) per request, and throughput, with nothing, with tardy's live
 * view, with `tardy record`, and with two tools of libbpf-tools that watch the scheduler for the
 * whole host.
 *
 *	peers_bench NAME ROUNDS TARDY PIDS -- LOAD ARGS..
 *
 * Each round runs the load once under each; which comes first rotates, and every other round goes
 * backwards. A round's figures are divided by the same round's with nothing, so that what changes
 * slowly on the machine cancels. Printed are medians of these ratios and an interval that has the
 * true median with 95 % probability (bench_stat.h).
 *
 * A tool runs as its users run it, as a process of its own for all of the load; it is attached
 * before the load begins, and what it prints at its end is not in the measured time. The run time
 * of the servers has all that programs on hooks in their own context take, except that the
 * scheduler charges what happens within a switch to the thread that comes next.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/bench_load.h"
#include "bench/bench_stat.h"
#include "bench/bench_tasks.h"

enum { ROUNDS_MAX = 64, ATTACH_MS = 10000, END_MS = 20000, LOOK_MS = 50 };

enum tool { NOTHING, TARDY, RECORD, OFFCPUTIME, RUNQLAT, TOOLS };

/* The figures of tardy's live view have no prefix. The seconds are a bound: SIGINT ends all. */
static const struct {
	const char *name, *prefix;
	const char *argv[8];
} tools[TOOLS] = {
	[NOTHING] = { "nothing", "", { NULL } },
	[TARDY] = { "live view",
		    "",
		    { "TARDY", "-b", "-p", "PIDS", "--iterations", "1000", NULL } },
	[RECORD] = { "record", "record_", { "TARDY", "record", "-p", "PIDS", "-o", "-", NULL } },
	[OFFCPUTIME] = { "offcputime", "offcputime_", { "offcputime", "120", NULL } },
	[RUNQLAT] = { "runqlat", "runqlat_", { "runqlat", "120", "1", NULL } },
};

struct bench {
	const char *name, *tardy, *pids;
	char **load;
	struct task_set *tasks;
	size_t rounds;
	double cpu_ns[TOOLS][ROUNDS_MAX]; /* of the servers, per request */
	double rate[TOOLS][ROUNDS_MAX]; /* requests/s */
};

static void sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* How many BPF links a process holds. */
static int links_of(pid_t pid)
{
	char path[300], line[128];
	struct dirent *e;
	int links = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", (int)pid, e->d_name);
		f = fopen(path, "re");
		while (f && fgets(line, sizeof(line), f))
			links += !strncmp(line, "link_type:", 10);
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
	return links;
}

static pid_t tool_start(const struct bench *b, enum tool tool)
{
	const char *argv[8];
	int links = 0, null;
	pid_t pid;

	memcpy(argv, tools[tool].argv, sizeof(argv));
	if (!argv[0])
		return 0;
	for (size_t i = 0; argv[i]; i++) {
		if (!strcmp(argv[i], "PIDS"))
			argv[i] = b->pids;
		else if (!strcmp(argv[i], "TARDY"))
			argv[i] = b->tardy;
	}
	pid = fork();
	if (pid == 0 && argv[0]) {
		prctl(PR_SET_PDEATHSIG, SIGINT);
		null = open("/dev/null", O_RDWR);
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execvp(argv[0], (char **)argv);
		_exit(127);
	}
	/* attached: it has links, and gets no more of them */
	for (int ms = 0, before = -1; ms < ATTACH_MS; ms += LOOK_MS, before = links) {
		sleep_ms(LOOK_MS);
		links = links_of(pid);
		if (links && links == before)
			return pid;
	}
	die(argv[0], ETIMEDOUT);
}

/* The tool must have run to its end: a measurement with one that was gone would be one without. */
static void tool_end(enum tool tool, pid_t pid)
{
	int status = 0;

	if (tool == NOTHING)
		return;
	if (waitpid(pid, &status, WNOHANG) == pid)
		die("a tool ended while the load ran", ESRCH);
	kill(pid, SIGINT);
	for (int ms = 0; ms < END_MS; ms += LOOK_MS) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return;
		sleep_ms(LOOK_MS);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	die("a tool did not end", ETIMEDOUT);
}

static void measure(struct bench *b, enum tool tool, size_t round)
{
	pid_t pid = tool_start(b, tool);
	uint64_t before, after;
	struct answered a;
	struct load l;

	task_set_sample(b->tasks);
	before = task_set_sum(b->tasks).cpu_ns;
	load_start(&l, b->load);
	while (load_goes_on(&l))
		sleep_ms(5);
	a = load_finish(&l);
	task_set_sample(b->tasks);
	after = task_set_sum(b->tasks).cpu_ns;
	tool_end(tool, pid);
	if (a.seconds <= 0)
		die("the load does not say how long it ran", EPROTO);
	b->cpu_ns[tool][round] = (double)(after - before) / a.requests;
	b->rate[tool][round] = a.requests / a.seconds;
}

static void print_ratio(const struct bench *b, enum tool tool, const char *what, const double *with,
			const double *without)
{
	size_t outside = median_outside(b->rounds);
	double ratio[ROUNDS_MAX], mid;

	for (size_t i = 0; i < b->rounds; i++)
		ratio[i] = with[i] / without[i];
	mid = median(ratio, b->rounds);
	printf("%s%s_%s_ratio %.4f\n", tools[tool].prefix, b->name, what, mid);
	printf("%s%s_%s_ratio_lo %.4f\n", tools[tool].prefix, b->name, what, ratio[outside]);
	printf("%s%s_%s_ratio_hi %.4f\n", tools[tool].prefix, b->name, what,
	       ratio[b->rounds - 1 - outside]);
}

static void print_all(struct bench *b)
{
	for (enum tool t = TARDY; t < TOOLS; t++) {
		print_ratio(b, t, "cpu", b->cpu_ns[t], b->cpu_ns[NOTHING]);
		print_ratio(b, t, "throughput", b->rate[t], b->rate[NOTHING]);
	}
	printf("%s_cpu_ns_per_request %.0f\n", b->name, median(b->cpu_ns[NOTHING], b->rounds));
	printf("%s_requests_s %.0f\n", b->name, median(b->rate[NOTHING], b->rounds));
	printf("%s_rounds %zu\n", b->name, b->rounds);
}

int main(int argc, char **argv)
{
	static struct bench b;

	if (argc < 7 || strcmp(argv[5], "--") != 0)
		return 2;
	b = (struct bench){ .name = argv[1],
			    .rounds = strtoul(argv[2], NULL, 10),
			    .tardy = argv[3],
			    .pids = argv[4],
			    .load = argv + 6,
			    .tasks = task_set_new(argv[4]) };
	if (!b.tasks || b.rounds < 1 || b.rounds > ROUNDS_MAX)
		return 2;
	measure(&b, NOTHING, 0); /* warm */
	for (size_t i = 0; i < b.rounds; i++) {
		for (size_t k = 0; k < TOOLS; k++) {
			size_t at = (i / 2 + k) % TOOLS;

			measure(&b, (enum tool)(i % 2 ? TOOLS - 1 - at : at), i);
		}
		for (enum tool t = NOTHING; t < TOOLS; t++)
			fprintf(stderr, "%s%s %.0f ns %.0f/s", t ? ", " : "# ", tools[t].name,
				b.cpu_ns[t][i], b.rate[t][i]);
		fputc('\n', stderr);
	}
	print_all(&b);
	task_set_free(b.tasks);
	return fflush(stdout) ? 1 : 0;
}
