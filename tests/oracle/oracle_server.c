/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle's server: it serves requests whose waiting it knows, and logs the truth.
 *
 *	oracle_server --mode threads|workers|pool|loop|proxy|lasting|store --port PORT --dir DIR
 *		--truth FILE [--listen ADDR] [--workers N] [--upstream ADDR:PORT] [--store ADDR:PORT]
 *		[--cpu-cgroup DIR] [--ready FILE]
 *
 * threads: a thread for each connection. workers: N processes that accept, serve one connection
 * to its end and accept the next, so that a backlog builds up. pool: N threads to which another one
 * hands connections with a request over. loop: one thread, epoll. proxy: the same, and each request is
 * passed on to the upstream. lasting: threads whose causes call the store. store: that one, a thread
 * for each connection.
 * --ready is written when it listens: "pid[,pid...]" of the processes that serve.
 * SIGTERM or SIGINT writes the truth log and ends it.
 */
#define _GNU_SOURCE
#include "oracle_server.h"
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static int recv_body(struct oracle_thread *t, int fd, struct oracle_record *rec, size_t body_len,
		     size_t have)
{
	struct oracle_mark a, b;
	struct oracle_span span;

	oracle_clock_mark(&t->clock, &a);
	while (have < body_len) {
		size_t want = body_len - have;
		ssize_t n = recv(fd, t->block,
				 want < ORACLE_BLOCK_BYTES ? want : ORACLE_BLOCK_BYTES, 0);

		if (n <= 0)
			return -EPIPE;
		have += (size_t)n;
	}
	oracle_clock_mark(&t->clock, &b);
	span = oracle_span_between(&a, &b);
	oracle_record_wait(rec, ORACLE_BODY, (int64_t)body_len, &span);
	return 0;
}

/* The connection that all share is one thread's at a time. */
static void lock_store(struct oracle_thread *t, struct oracle_record *rec)
{
	struct oracle_mark a, b;
	struct oracle_span span;

	oracle_clock_mark(&t->clock, &a);
	pthread_mutex_lock(&t->shared->store);
	oracle_clock_mark(&t->clock, &b);
	span = oracle_span_between(&a, &b);
	oracle_record_wait(rec, ORACLE_MUTEX, 0, &span);
}

static int run_ops(struct oracle_thread *t, const struct oracle_request *r,
		   struct oracle_record *rec)
{
	int err = 0;

	if (r->kind == ORACLE_SETUP_PIN || r->kind == ORACLE_SETUP_THROTTLE)
		return oracle_thread_setup(t, r);
	for (int i = 0; i < r->n_ops && !err; i++) {
		struct oracle_mark a, b;
		struct oracle_span span;

		if (r->ops[i].cause == ORACLE_READER)
			continue; /* the response body, by send_response() */
		if (r->kind == ORACLE_HOLD) {
			err = oracle_thread_hold(t, &r->ops[i], &span);
			oracle_record_wait(rec, ORACLE_SLEEP, r->ops[i].arg, &span);
			continue;
		}
		if (r->ops[i].cause == ORACLE_SHARED)
			lock_store(t, rec);
		oracle_clock_mark(&t->clock, &a);
		err = oracle_thread_cause(t, &r->ops[i]);
		oracle_clock_mark(&t->clock, &b);
		oracle_record_cause(rec, t, &r->ops[i], &a, &b);
		if (r->ops[i].cause == ORACLE_SHARED)
			pthread_mutex_unlock(&t->shared->store);
	}
	return err;
}

/* Sends the whole response; *end is the mark after its last send. */
static int send_response(struct oracle_thread *t, int fd, const struct oracle_request *r,
			 struct oracle_record *rec, struct oracle_mark *end)
{
	char small[512];
	size_t body = r->reader_bytes ? r->reader_bytes : 3, left = r->reader_bytes;
	int len = oracle_response_head(small, sizeof(small), body, r->close);
	struct oracle_mark first, last;
	struct oracle_span span;

	if (!r->reader_bytes)
		len += snprintf(small + len, sizeof(small) - (size_t)len, "ok\n");
	oracle_clock_mark(&t->clock, &first);
	last = first;
	if (send(fd, small, (size_t)len, MSG_NOSIGNAL) != len)
		return -EPIPE;
	while (left) {
		size_t n = left < ORACLE_BLOCK_BYTES / 16 ? left : ORACLE_BLOCK_BYTES / 16;
		ssize_t sent;

		oracle_clock_mark(&t->clock, &last);
		sent = send(fd, t->block, n, MSG_NOSIGNAL);
		if (sent <= 0)
			return -EPIPE;
		left -= (size_t)sent;
	}
	oracle_clock_mark(&t->clock, end);
	oracle_record_sent(rec, &last, end);
	if (r->reader_bytes) {
		span = oracle_span_between(&first, end);
		oracle_record_wait(rec, ORACLE_READER, (int64_t)r->reader_bytes / 1024, &span);
	}
	return 0;
}

int oracle_serve_one(struct oracle_thread *t, int fd, struct oracle_coming *coming)
{
	char head[ORACLE_HEAD_MAX];
	struct oracle_mark call, done, end;
	struct oracle_request r;
	struct oracle_record rec;
	size_t have = 0;
	int err;

	if (coming->wait.mono_ns)
		call = coming->wait;
	else
		oracle_clock_mark(&t->clock, &call);
	do {
		ssize_t n = recv(fd, head + have, sizeof(head) - have, 0);

		if (n <= 0)
			return 0;
		if (!have)
			oracle_clock_mark(&t->clock, &done);
		have += (size_t)n;
		err = oracle_request_parse(&r, head, have);
	} while (!err);
	if (err < 0)
		return err;
	oracle_record_start(&rec, t, &call, &done);
	oracle_record_name(&rec, &r);
	if (coming->call.mono_ns) {
		rec.accept_call_ns = coming->call.mono_ns;
		rec.accept_ns = coming->done.mono_ns;
		rec.accept = oracle_span_between(&coming->call, &coming->done);
		coming->call.mono_ns = 0;
	}
	rec.hand_ns = coming->hand_ns;
	rec.handed_ns = coming->handed_ns;
	err = r.body_len ? recv_body(t, fd, &rec, r.body_len, have - r.head_len) : 0;
	if (!err)
		err = run_ops(t, &r, &rec);
	if (!err)
		err = send_response(t, fd, &r, &rec, &end);
	if (err)
		return err;
	oracle_record_end(&rec, t, &done, &end);
	return !r.close;
}

void oracle_socket_options(int fd)
{
	int one = 1, sndbuf = 65536;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf));
}

static int serve_connection(struct oracle_thread *t, int fd, struct oracle_coming *coming)
{
	int more;

	oracle_socket_options(fd);
	do {
		more = strcmp(t->opt->mode, "store") ? oracle_serve_one(t, fd, coming) :
						       oracle_store_serve_one(t, fd);
	} while (more == 1);
	if (more < 0)
		fprintf(stderr, "oracle_server: request failed: %s\n", strerror(-more));
	close(fd);
	return more;
}

struct start {
	const struct oracle_options *opt;
	struct oracle_shared *shared;
	int fd;
};

static void *thread_main(void *arg)
{
	struct start start = *(struct start *)arg;
	struct oracle_coming coming = { 0 };
	struct oracle_thread t;
	int err;

	free(arg);
	err = oracle_thread_init(&t, start.opt, start.shared);
	if (err) {
		fprintf(stderr, "oracle_server: thread: %s\n", strerror(-err));
		close(start.fd);
		return NULL;
	}
	serve_connection(&t, start.fd, &coming);
	oracle_thread_release(&t);
	return NULL;
}

static int run_threads(const struct oracle_options *opt, struct oracle_shared *shared, int lfd)
{
	while (!stop) {
		int fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
		struct start *start;
		pthread_t thread;

		if (fd < 0)
			continue;
		start = malloc(sizeof(*start));
		if (!start)
			return -ENOMEM;
		*start = (struct start){ opt, shared, fd };
		if (pthread_create(&thread, NULL, thread_main, start)) {
			free(start);
			close(fd);
			return -EAGAIN;
		}
		pthread_detach(thread);
	}
	return 0;
}

static int worker_main(const struct oracle_options *opt, struct oracle_shared *shared, int lfd)
{
	struct oracle_thread t;
	int err = oracle_thread_init(&t, opt, shared);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (err)
		return err;
	while (!stop) {
		struct oracle_coming coming = { 0 };
		int fd;

		oracle_clock_mark(&t.clock, &coming.call);
		fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
		oracle_clock_mark(&t.clock, &coming.done);
		if (fd >= 0)
			serve_connection(&t, fd, &coming);
	}
	oracle_thread_release(&t);
	return 0;
}

int oracle_write_ready(const struct oracle_options *opt, const pid_t *pids, int n)
{
	char path[512];
	FILE *f;

	if (!opt->ready)
		return 0;
	snprintf(path, sizeof(path), "%s.new", opt->ready);
	f = fopen(path, "we");
	if (!f)
		return -errno;
	for (int i = 0; i < n; i++)
		fprintf(f, "%s%d", i ? "," : "", (int)pids[i]);
	fputc('\n', f);
	return fclose(f) || rename(path, opt->ready) ? -errno : 0;
}

static int run_workers(const struct oracle_options *opt, struct oracle_shared *shared, int lfd)
{
	pid_t pids[ORACLE_WORKERS_MAX + 1];
	int n = 0, err;

	pids[n++] = getpid();
	while (n <= opt->workers) {
		pid_t pid = fork();

		if (!pid)
			_exit(worker_main(opt, shared, lfd) ? 1 : 0);
		if (pid < 0)
			break;
		pids[n++] = pid;
	}
	err = n <= opt->workers ? -EAGAIN : oracle_write_ready(opt, pids, n);
	while (!stop && !err)
		pause();
	for (int i = 1; i < n; i++)
		kill(pids[i], SIGTERM);
	for (int i = 1; i < n; i++)
		waitpid(pids[i], NULL, 0);
	return err;
}

static int run_loop(const struct oracle_options *opt, struct oracle_shared *shared, int lfd)
{
	struct oracle_thread t;
	int err = oracle_thread_init(&t, opt, shared);

	if (err)
		return err;
	err = oracle_loop_run(&t, lfd, &stop);
	oracle_thread_release(&t);
	return err;
}

static int open_listener(const struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) || listen(fd, 128)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int parse_address(struct sockaddr_in *to, char *text)
{
	char *colon = strchr(text, ':');

	if (!colon)
		return -EINVAL;
	*colon = 0;
	to->sin_family = AF_INET;
	to->sin_port = htons((uint16_t)atoi(colon + 1));
	return inet_pton(AF_INET, text, &to->sin_addr) == 1 ? 0 : -EINVAL;
}

static int parse_options(struct oracle_options *o, int argc, char **argv)
{
	static const struct option table[] = {
		{ "mode", 1, NULL, 'm' },
		{ "port", 1, NULL, 'p' },
		{ "dir", 1, NULL, 'd' },
		{ "truth", 1, NULL, 't' },
		{ "listen", 1, NULL, 'l' },
		{ "workers", 1, NULL, 'w' },
		{ "upstream", 1, NULL, 'u' },
		{ "cpu-cgroup", 1, NULL, 'c' },
		{ "ready", 1, NULL, 'r' },
		{ "store", 1, NULL, 's' },
		{ 0 },
	};
	int opt;

	o->listen.sin_family = AF_INET;
	o->listen.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	o->mode = "threads";
	o->workers = 2;
	o->dir = ".";
	while ((opt = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (opt) {
		case 'm':
			o->mode = optarg;
			break;
		case 'p':
			o->listen.sin_port = htons((uint16_t)atoi(optarg));
			break;
		case 'd':
			o->dir = optarg;
			break;
		case 't':
			o->truth = optarg;
			break;
		case 'w':
			o->workers = atoi(optarg);
			break;
		case 'c':
			o->cpu_cgroup = optarg;
			break;
		case 'r':
			o->ready = optarg;
			break;
		case 'l':
			if (inet_pton(AF_INET, optarg, &o->listen.sin_addr) != 1)
				return -EINVAL;
			break;
		case 'u':
			if (parse_address(&o->upstream, optarg))
				return -EINVAL;
			break;
		case 's':
			if (parse_address(&o->store, optarg))
				return -EINVAL;
			break;
		default:
			return -EINVAL;
		}
	}
	if (optind < argc || o->workers < 1 || o->workers > ORACLE_WORKERS_MAX)
		return -EINVAL;
	return 0;
}

static bool has_threads(const struct oracle_options *opt)
{
	return !strcmp(opt->mode, "threads") || !strcmp(opt->mode, "lasting") ||
	       !strcmp(opt->mode, "store");
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_signal }; /* no SA_RESTART: it ends accept() */
	struct oracle_options opt = { 0 };
	struct oracle_shared *shared;
	pid_t self = getpid();
	int lfd, err;

	if (parse_options(&opt, argc, argv)) {
		fputs("usage: see the top of tests/oracle/oracle_server.c\n", stderr);
		return 2;
	}
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	shared = oracle_shared_new(!strcmp(opt.mode, "workers"));
	lfd = open_listener(&opt.listen);
	err = !shared ? -ENOMEM : lfd < 0 ? lfd : 0;
	if (!err && opt.store.sin_port) {
		shared->store_fd = oracle_connect(&opt.store);
		err = shared->store_fd < 0 ? shared->store_fd : 0;
	}
	if (!err && !strcmp(opt.mode, "workers"))
		err = run_workers(&opt, shared, lfd);
	else if (!err && !strcmp(opt.mode, "pool"))
		err = oracle_pool_run(&opt, shared, lfd, &stop);
	else if (!err)
		err = oracle_write_ready(&opt, &self, 1);
	if (!err && has_threads(&opt))
		err = run_threads(&opt, shared, lfd);
	else if (!err && (!strcmp(opt.mode, "loop") || !strcmp(opt.mode, "proxy")))
		err = run_loop(&opt, shared, lfd);
	if (!err && opt.truth)
		err = oracle_shared_write(shared, opt.truth, opt.mode);
	if (err)
		fprintf(stderr, "oracle_server: %s\n", strerror(-err));
	return err ? 1 : 0;
}
