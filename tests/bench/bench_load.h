/* SPDX-License-Identifier: GPL-2.0-only */
/* A load generator as a child process, and what it says that it got answered. */
#ifndef TARDY_BENCH_LOAD_H
#define TARDY_BENCH_LOAD_H
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
#include <unistd.h>

#include "bench/bench.h"

struct load {
	pid_t pid;
	int out;
	char text[65536];
	size_t len;
};

struct answered {
	double requests, seconds; /* seconds: as the load says, 0 if it does not */
};

static inline void load_start(struct load *l, char **argv)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		die("pipe", errno);
	l->len = 0;
	l->pid = fork();
	if (l->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(fds[1], STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(fds[1]);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	l->out = fds[0];
}

/* false once the load has ended and all it said was read */
static inline bool load_goes_on(struct load *l)
{
	for (;;) {
		ssize_t n = read(l->out, l->text + l->len, sizeof(l->text) - 1 - l->len);

		if (n > 0)
			l->len += (size_t)n;
		else
			return n < 0 && errno == EAGAIN;
	}
}

/* What wrk, pgbench or load_bench says that it got answered. */
static inline struct answered load_finish(struct load *l)
{
	static const char pgbench[] = "transactions actually processed: ", http[] = " requests in ";
	struct answered a = { 0 };
	const char *at;
	int status;

	close(l->out);
	if (waitpid(l->pid, &status, 0) != l->pid || status)
		die("the load failed", EIO);
	l->text[l->len] = '\0';
	at = strstr(l->text, pgbench);
	if (at) {
		a.requests = strtod(at + strlen(pgbench), NULL);
	} else {
		at = strstr(l->text, http);
		if (at)
			a.seconds = strtod(at + strlen(http), NULL);
		while (at && at > l->text && at[-1] >= '0' && at[-1] <= '9')
			at--;
		if (at)
			a.requests = strtod(at, NULL);
	}
	if (strstr(l->text, "Non-2xx"))
		die("the server answered with errors", EPROTO);
	if (a.requests < 1)
		die("the load does not say how many requests it made", EPROTO);
	return a;
}

#endif
