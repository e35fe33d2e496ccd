// SPDX-License-Identifier: GPL-2.0-only
/*
 * The collector without a kernel:
 *
 *	collector_bench replay FILE SECONDS    a capture through the pipeline, again and again
 *	collector_bench command CMD ARGS..     time and memory of a command, three times
 *
 * A replay takes what a live collector takes for the same records except for draining the rings:
 * all CPU time of the thread from opening the file, unpacking included, to the last request.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/bench_stat.h"
#include "ingest/capture_read.h"
#include "pipeline.h"

enum { REPLAYS_MIN = 3, REPLAYS_MAX = 64, COMMANDS = 3 };

struct replayed {
	uint64_t requests, records, file_bytes, cpu_ns;
};

static struct replayed replay_once(const char *path)
{
	struct pipeline_opts opts = { .live = true };
	struct replayed out = { 0 };
	struct pipeline *p = pipeline_new(&opts);
	struct capture_reader *r;
	const struct rec_hdr *rec;
	uint64_t t0 = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int err = capture_reader_open(&r, path);

	if (err || !p)
		die(path, err ? err : ENOMEM);
	while ((err = capture_reader_next(r, &rec)) == 1)
		if (pipeline_record(p, rec))
			die("pipeline", ENOMEM);
	if (err || capture_reader_status(r) != CAPTURE_WHOLE)
		die(path, err ? err : EBADMSG);
	pipeline_finish(p);
	out.cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - t0;
	out.requests = pipeline_totals(p).requests;
	out.records = capture_reader_records(r);
	out.file_bytes = capture_reader_bytes(r);
	capture_reader_close(r);
	pipeline_free(p);
	if (!out.requests)
		die("the capture has no requests", ENODATA);
	return out;
}

static void bench_replay(const char *path, double seconds)
{
	double rate[REPLAYS_MAX], records_rate[REPLAYS_MAX];
	uint64_t end = clock_ns(CLOCK_MONOTONIC) + (uint64_t)(seconds * 1e9);
	struct replayed r = { 0 };
	size_t n = 0;

	while (n < REPLAYS_MIN || (n < REPLAYS_MAX && clock_ns(CLOCK_MONOTONIC) < end)) {
		r = replay_once(path);
		rate[n] = (double)r.requests / ((double)r.cpu_ns / 1e9);
		records_rate[n++] = (double)r.records / ((double)r.cpu_ns / 1e9);
	}
	printf("collector_requests_per_core_s %.0f\n", median(rate, n));
	printf("collector_records_per_core_s %.0f\n", median(records_rate, n));
	printf("replayed_requests %llu\n", (unsigned long long)r.requests);
	printf("capture_bytes_per_request %.1f\n", (double)r.file_bytes / (double)r.requests);
}

/* Seconds that the command took; what it prints is dropped. */
static double command_once(char **argv, double *cpu_s, double *rss_mib)
{
	uint64_t t0 = clock_ns(CLOCK_MONOTONIC);
	struct rusage u;
	int status, null;
	pid_t pid = fork();

	if (pid == 0) {
		null = open("/dev/null", O_RDWR);
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &u) != pid || status)
		die(argv[0], EIO);
	*cpu_s = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		 (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	*rss_mib = (double)u.ru_maxrss / 1024;
	return (double)(clock_ns(CLOCK_MONOTONIC) - t0) / 1e9;
}

static void bench_command(char **argv)
{
	double wall[COMMANDS], cpu[COMMANDS], rss[COMMANDS];

	for (size_t i = 0; i < COMMANDS; i++)
		wall[i] = command_once(argv, &cpu[i], &rss[i]);
	printf("s %.2f\n", median(wall, COMMANDS));
	printf("cpu_s %.2f\n", median(cpu, COMMANDS));
	printf("rss_mib %.1f\n", median(rss, COMMANDS));
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "replay"))
		bench_replay(argv[2], atof(argv[3]));
	else if (argc >= 3 && !strcmp(argv[1], "command"))
		bench_command(argv + 2);
	else
		return 2;
	return fflush(stdout) ? 1 : 0;
}
