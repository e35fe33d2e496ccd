// SPDX-License-Identifier: GPL-2.0-only
/*
 * The highest rate of records that `tardy record` takes without a loss. Records hold requests of
 * 650 bytes, as browsers send them.
 *
 *	rate_bench TARDY tcp|unix SECONDS
 *
 * A server and its client exchange small messages over 64 keep-alive connections, a record for
 * each exchange, at a rate that rises step by step until records are lost twice in a row or the
 * load cannot keep up. The client sends a batch and then reads the answers, so that there are few
 * context switches and the time goes into exchanges; over Unix sockets an exchange costs half of
 * one over TCP. Both run on the first CPU only; the collector is left to the scheduler, so on two
 * CPUs it has the second. If that load comes to its end without a loss, each CPU gets such a pair:
 * then the collector has to share. The capture goes to /dev/null: writing it to a disk is not part
 * of this.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"

enum { CONNS = 64, STEPS_MAX = 24, FIRST_RATE = 40000, PAIRS_MAX = 8 };

static const double wide = 1.25, narrow = 1.1; /* steps */
/* a load that reached less of the asked rate is at its end */
static const double enough = 0.93;
/* as long as what browsers send */
static const char request_text[] =
	"GET /course/view.php?id=4711&section=3 HTTP/1.1\r\n"
	"Host: courses.example.org\r\n"
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
	"*/*;q=0.8\r\n"
	"Accept-Language: de,en-US;q=0.7,en;q=0.3\r\n"
	"Accept-Encoding: gzip, deflate, br\r\n"
	"Referer: https://courses.example.org/my/courses.php\r\n"
	"Cookie: session=7f3a9c1e5b2d8f604a6e1c9b3d5f7a82; theme=light; lang=de; seen=1731926400\r\n"
	"Upgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n"
	"Sec-Fetch-Site: same-origin\r\nPriority: u=1\r\n\r\n";
static const char answer_text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_un un;
	};
	socklen_t len;
};

struct server {
	pid_t pid;
	struct address at;
};

struct step {
	double exchanges_s; /* that the load made */
	double records_s; /* that tardy saw */
	unsigned long long lost;
	bool kept_up;
};

/* ---- the load ------------------------------------------------------------------------------ */

/* How many CPUs may be used; *set has them. */
static int cpus_allowed(cpu_set_t *set)
{
	if (sched_getaffinity(0, sizeof(*set), set))
		die("sched_getaffinity", errno);
	return CPU_COUNT(set);
}

/* The nth CPU, and no preemption at each wakeup: batches stay batches. */
static void take_cpu(int nth)
{
	struct sched_param none = { 0 };
	cpu_set_t all, one;

	cpus_allowed(&all);
	CPU_ZERO(&one);
	for (size_t i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
		if (CPU_ISSET(i, &all) && nth-- == 0)
			CPU_SET(i, &one);
	if (sched_setaffinity(0, sizeof(one), &one) || sched_setscheduler(0, SCHED_BATCH, &none))
		die("scheduling", errno);
}

static void no_delay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* Unix: no such option */
}

/* Answers one request of each connection in turn, as the client sends them. */
static void serve(int listener, int cpu)
{
	int fds[CONNS];
	char buf[1024];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	take_cpu(cpu);
	for (size_t i = 0; i < CONNS; i++) {
		fds[i] = accept(listener, NULL, NULL);
		if (fds[i] < 0)
			_exit(1);
		no_delay(fds[i]);
	}
	for (size_t i = 0;; i = (i + 1) % CONNS) {
		if (read(fds[i], buf, sizeof(buf)) <= 0)
			_exit(0);
		if (write(fds[i], answer_text, sizeof(answer_text) - 1) < 0)
			_exit(1);
	}
}

static struct server server_start(bool is_unix, int cpu)
{
	struct server s = { 0 };
	int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (is_unix) {
		s.at.un.sun_family = AF_UNIX;
		/* abstract: nothing to clean up */
		snprintf(s.at.un.sun_path + 1, sizeof(s.at.un.sun_path) - 1, "tardy-rate-%d-%d",
			 (int)getpid(), cpu);
		s.at.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				       strlen(s.at.un.sun_path + 1));
	} else {
		s.at.in.sin_family = AF_INET;
		s.at.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		s.at.len = sizeof(s.at.in);
	}
	if (fd < 0 || bind(fd, &s.at.any, s.at.len) || listen(fd, CONNS) ||
	    getsockname(fd, &s.at.any, &s.at.len))
		die("listening socket", errno);
	s.pid = fork();
	if (s.pid == 0)
		serve(fd, cpu);
	close(fd);
	return s;
}

static void exchange_batch(const int *fds, size_t *next, size_t n)
{
	char buf[1024];

	for (size_t i = 0; i < n; i++)
		if (write(fds[(*next + i) % CONNS], request_text, sizeof(request_text) - 1) < 0)
			die("request", errno);
	for (size_t i = 0; i < n; i++)
		if (read(fds[(*next + i) % CONNS], buf, sizeof(buf)) <= 0)
			die("answer", errno);
	*next = (*next + n) % CONNS;
}

/* Every millisecond what is due. In a child, since the CPU it takes is not the caller's. */
static void client_run(const struct server *s, int cpu, double rate, double seconds, int out)
{
	struct timespec pause = { 0, 1000000 };
	uint64_t start, end, now, done = 0;
	double reached;
	int fds[CONNS];
	size_t next = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	take_cpu(cpu);
	for (size_t i = 0; i < CONNS; i++) {
		fds[i] = socket(s->at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fds[i] < 0 || connect(fds[i], &s->at.any, s->at.len))
			die("connect", errno);
		no_delay(fds[i]);
	}
	start = now = clock_ns(CLOCK_MONOTONIC);
	end = start + (uint64_t)(seconds * 1e9);
	while (now < end) {
		uint64_t due = (uint64_t)(rate * (double)(now - start) / 1e9);

		if (done >= due)
			nanosleep(&pause, NULL);
		for (; done < due && now < end; now = clock_ns(CLOCK_MONOTONIC)) {
			size_t n = due - done < CONNS ? (size_t)(due - done) : CONNS;

			exchange_batch(fds, &next, n);
			done += n;
		}
		now = clock_ns(CLOCK_MONOTONIC);
	}
	reached = (double)done / ((double)(now - start) / 1e9);
	_exit(write(out, &reached, sizeof(reached)) != sizeof(reached));
}

/* ---- the collector ------------------------------------------------------------------------- */

struct recorder {
	pid_t pid;
	FILE *says;
};

static struct recorder recorder_start(const char *tardy, const struct server *s, int pairs)
{
	struct recorder r;
	char line[512], pids[16 * PAIRS_MAX];
	int fds[2], at = 0;

	for (int i = 0; i < pairs; i++)
		at += snprintf(pids + at, sizeof(pids) - (size_t)at, "%s%d", i ? "," : "",
			       (int)s[i].pid);
	if (pipe2(fds, O_CLOEXEC))
		die("pipe", errno);
	r.pid = fork();
	if (r.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGINT);
		dup2(fds[1], STDERR_FILENO);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
		execl(tardy, tardy, "record", "-p", pids, "-o", "-", NULL);
		_exit(127);
	}
	close(fds[1]);
	r.says = fdopen(fds[0], "r");
	while (r.says && fgets(line, sizeof(line), r.says))
		if (strstr(line, "recording to"))
			return r;
	die("tardy record did not start", EIO);
}

static void recorder_end(struct recorder *r, unsigned long long *seen, unsigned long long *lost)
{
	bool told = false;
	char line[512];
	int status;

	kill(r->pid, SIGINT);
	while (fgets(line, sizeof(line), r->says)) {
		const char *at = strstr(line, "seen ");

		if (at && sscanf(at, "seen %llu, lost %llu", seen, lost) == 2)
			told = true;
	}
	fclose(r->says);
	if (waitpid(r->pid, &status, 0) != r->pid || !told)
		die("tardy record did not say what it saw", EPROTO);
}

/* ---- the sweep ----------------------------------------------------------------------------- */

static struct step step_run(const char *tardy, bool is_unix, int pairs, double rate, double seconds)
{
	struct server s[PAIRS_MAX];
	struct recorder r;
	struct step out = { 0 };
	unsigned long long seen = 0;
	int fds[2];

	for (int i = 0; i < pairs; i++)
		s[i] = server_start(is_unix, i);
	r = recorder_start(tardy, s, pairs);
	if (pipe2(fds, O_CLOEXEC))
		die("pipe", errno);
	for (int i = 0; i < pairs; i++)
		if (fork() == 0)
			client_run(&s[i], i, rate / pairs, seconds, fds[1]);
	close(fds[1]);
	for (int i = 0; i < pairs; i++) {
		double made;

		if (read(fds[0], &made, sizeof(made)) != sizeof(made))
			die("the load failed", EIO);
		out.exchanges_s += made;
	}
	close(fds[0]);
	recorder_end(&r, &seen, &out.lost);
	for (int i = 0; i < pairs; i++)
		kill(s[i].pid, SIGKILL);
	while (wait(NULL) > 0)
		;
	out.records_s = (double)seen / seconds;
	out.kept_up = out.exchanges_s >= rate * enough;
	fprintf(stderr, "# %s, %d: asked %.0f exchanges/s, made %.0f, records/s %.0f, lost %llu\n",
		is_unix ? "unix" : "tcp", pairs, rate, out.exchanges_s, out.records_s, out.lost);
	return out;
}

struct sweep {
	double best, lossy; /* records/s: the highest without a loss, the first with one or 0 */
};

/* From `rate` up, until there are losses or the load is at its end. */
static void sweep(struct sweep *w, const char *tardy, bool is_unix, int pairs, double rate,
		  double factor, double seconds)
{
	bool kept_up = true;

	for (int i = 0; i < STEPS_MAX && !w->lossy && kept_up; i++, rate *= factor) {
		struct step s = step_run(tardy, is_unix, pairs, rate, seconds);

		if (s.lost || !s.kept_up) /* once may be the machine's hiccup */
			s = step_run(tardy, is_unix, pairs, rate, seconds);
		if (s.lost)
			w->lossy = s.records_s;
		else if (s.records_s > w->best)
			w->best = s.records_s;
		kept_up = s.kept_up;
	}
}

int main(int argc, char **argv)
{
	struct sweep w = { 0 };
	bool is_unix;
	double seconds;
	cpu_set_t set;
	int cpus;

	if (argc != 4 || (strcmp(argv[2], "tcp") != 0 && strcmp(argv[2], "unix") != 0))
		return 2;
	is_unix = !strcmp(argv[2], "unix");
	seconds = atof(argv[3]);
	signal(SIGPIPE, SIG_IGN);
	cpus = cpus_allowed(&set);
	sweep(&w, argv[1], is_unix, 1, FIRST_RATE, wide, seconds);
	printf("max_lossless_%s_1cpu_records_s %.0f\n", argv[2], w.best);
	if (!w.lossy && cpus > 1)
		sweep(&w, argv[1], is_unix, cpus < PAIRS_MAX ? cpus : PAIRS_MAX, w.best, narrow,
		      seconds);
	printf("max_lossless_%s_records_s %.0f\n", argv[2], w.best);
	printf("first_lossy_%s_records_s %.0f\n", argv[2], w.lossy); /* 0: the load ended first */
	return fflush(stdout) ? 1 : 0;
}
