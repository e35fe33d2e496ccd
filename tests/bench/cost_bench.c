// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tardy's programs cost, in nanoseconds of CPU per request and per context switch. Prints
 * "name value" lines; tests/bench/run.sh starts the servers, calls this and compares with the
 * budgets.
 *
 *	cost_bench                                 costs without a server: switches, attach, detach
 *	cost_bench serve KIND PIDS -- LOAD ARGS..  cost per request of these servers under that load
 *
 * How program time becomes cost. The kernel's run-time statistics add two clock reads to every
 * run, which an empty program on the same hook shows too: its time per run is the floor, and
 *
 *	net(program) = ns - runs x floor
 *
 * Programs on the scheduler run for every switch of the host, not only for the servers'. Threads
 * that tardy does not track take the short way out, whose cost per run is measured with two such
 * threads that hand a byte to and fro. With the context switches that /proc counts for the
 * servers' threads, of which each means one run at the switch-out and one at the switch-in,
 *
 *	net(servers) = net - (runs - 2 x switches) x net per untracked run
 *
 * and in the same way for wakeups, one for each voluntary switch. The load is on this host too and
 * not tracked: half of the runs of each socket program are at its ends of the connections. Their
 * cost per run, measured with an untracked connection, is taken off as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/bench_empty.h"
#include "bench/bench_load.h"
#include "bench/bench_pingpong.h"
#include "bench/bench_stat.h"
#include "bench/bench_tasks.h"
#include "probe/probe.h"

enum {
	ROUNDS = 5,
	SERVE_ROUNDS = 3,
	PROGRAMS_MAX = 64,
	DRAIN_MS = 25, /* as the collector does */
	SWEEP_MS = 100,
};

/* ---- programs ------------------------------------------------------------------------------ */

struct runs {
	struct probe_run v[PROGRAMS_MAX];
	size_t n;
};

/* The probe's programs and, as one more, the empty one on switches. */
static void runs_read(struct probe *p, const struct empty_switch *e, struct runs *out)
{
	struct probe_run *last;

	out->n = probe_runs(p, out->v, PROGRAMS_MAX - 1);
	if (!e)
		return;
	last = &out->v[out->n++];
	last->program = "empty_switch";
	if (empty_switch_read(e, &last->runs, &last->ns))
		die("empty program", errno);
}

/* to - from; the programs of one probe come in the same order each time */
static struct runs runs_between(const struct runs *from, const struct runs *to)
{
	struct runs d = *to;

	for (size_t i = 0; i < d.n && i < from->n; i++) {
		d.v[i].runs -= from->v[i].runs;
		d.v[i].ns -= from->v[i].ns;
	}
	return d;
}

static const struct probe_run *runs_of(const struct runs *r, const char *program)
{
	static const struct probe_run none;

	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->v[i].program, program) == 0)
			return &r->v[i];
	return &none;
}

static double floor_of(const struct runs *r, const char *program)
{
	const struct probe_run *empty = runs_of(r, program);

	if (empty->runs < 1000)
		die("the empty program hardly ran: no floor", ENODATA);
	return (double)empty->ns / (double)empty->runs;
}

static double net_of(const struct probe_run *r, double floor_ns)
{
	return (double)r->ns - (double)r->runs * floor_ns;
}

static double net_per_run(const struct probe_run *r, double floor_ns)
{
	return r->runs ? net_of(r, floor_ns) / (double)r->runs : 0;
}

static struct probe *probe_start(const pid_t *pids, size_t n_pids, bool measure)
{
	struct probe_opts opts = {
		.pids = pids, .n_pids = n_pids, .break_state = -1, .bench_empty = measure
	};
	struct probe *p = probe_new(&opts);
	int err = p ? probe_load(p) : -ENOMEM;

	if (!err)
		err = probe_attach(p);
	if (!err && measure)
		err = probe_stats_enable(p, true);
	if (err)
		die("cannot attach", err);
	return p;
}

/* ---- switches ------------------------------------------------------------------------------ */

/* The process whose threads are tracked: a ping-pong for each byte that it gets, then the number
 * of switches of its threads. */
static void tracked_child(int orders, int answers)
{
	int fds[2];
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(orders, &byte, 1) == 1) {
		uint64_t switches;

		tcp_pair(fds);
		switches = ping_pong(fds[0], fds[0], fds[1], fds[1], MESSAGES);
		close(fds[0]);
		close(fds[1]);
		if (write(answers, &switches, sizeof(switches)) != sizeof(switches))
			break;
	}
	_exit(0);
}

struct switch_cost {
	double untracked, waking, tracked; /* net nanoseconds per run */
	double floor, sched_floor; /* empty program on sends and on switches */
	double send, recv, ready; /* net per untracked run */
};
enum { COSTS = sizeof(struct switch_cost) / sizeof(double) };

static int ignore_record(void *ctx, const struct rec_hdr *rec)
{
	uint64_t *n = ctx;

	(void)rec;
	if (n)
		++*n;
	return 0;
}

static uint64_t untracked_round(void)
{
	int there[2], back[2];
	uint64_t switches;

	if (pipe(there) || pipe(back))
		die("pipe", errno);
	switches = ping_pong(back[0], there[1], there[0], back[1], MESSAGES);
	for (int i = 0; i < 2; i++) {
		close(there[i]);
		close(back[i]);
	}
	return switches;
}

/* Two untracked threads over pipes: only the scheduler's programs run. */
static void untracked_switches(struct probe *p, const struct empty_switch *e, struct switch_cost *c)
{
	struct runs r0, r1, d;

	runs_read(p, e, &r0);
	untracked_round();
	send_bursts();
	runs_read(p, e, &r1);
	d = runs_between(&r0, &r1);
	c->floor = floor_of(&d, "bench_empty");
	c->sched_floor = floor_of(&d, "empty_switch");
	c->untracked = net_per_run(runs_of(&d, "on_sched_switch"), c->floor);
	c->waking = net_per_run(runs_of(&d, "on_sched_waking"), c->floor);
}

/* The same over an untracked connection. */
static void untracked_messages(struct probe *p, struct switch_cost *c)
{
	struct runs r0, r1, d;
	double floor_ns;
	int fds[2];

	tcp_pair(fds);
	runs_read(p, NULL, &r0);
	ping_pong(fds[0], fds[0], fds[1], fds[1], MESSAGES);
	runs_read(p, NULL, &r1);
	close(fds[0]);
	close(fds[1]);
	d = runs_between(&r0, &r1);
	floor_ns = floor_of(&d, "bench_empty");
	c->send = net_per_run(runs_of(&d, "on_sock_send_length"), floor_ns);
	c->recv = net_per_run(runs_of(&d, "on_sock_recv_length"), floor_ns);
	c->ready = net_per_run(runs_of(&d, "on_sk_data_ready"), floor_ns);
}

/* One round of each kind. This process is never tracked: tardy leaves out itself. */
static struct switch_cost switch_round(struct probe *p, const struct empty_switch *e, int orders,
				       int answers)
{
	struct switch_cost c = { 0 };
	struct runs r1, r2, d;
	const struct probe_run *sw;
	uint64_t switches = 0;

	untracked_switches(p, e, &c);
	untracked_messages(p, &c);
	runs_read(p, e, &r1);
	if (write(orders, "g", 1) != 1 || read(answers, &switches, 8) != 8)
		die("tracked process", errno);
	send_bursts();
	runs_read(p, e, &r2);
	probe_drain(p, ignore_record, NULL);
	d = runs_between(&r1, &r2);
	sw = runs_of(&d, "on_sched_switch");
	/* runs in which neither thread was one of the two cost what untracked ones do */
	c.tracked = (net_of(sw, floor_of(&d, "bench_empty")) -
		     ((double)sw->runs - (double)switches) * (c.untracked > 0 ? c.untracked : 0)) /
		    (double)switches;
	return c;
}

static struct switch_cost measure_switches(void)
{
	union {
		struct switch_cost by_name;
		double by_number[COSTS];
	} c;
	double v[COSTS][ROUNDS];
	int orders[2], answers[2], err;
	struct empty_switch e;
	struct probe *p;
	pid_t child;

	if (pipe(orders) || pipe(answers))
		die("pipe", errno);
	child = fork();
	if (child == 0)
		tracked_child(orders[0], answers[1]);
	p = probe_start(&child, 1, true);
	err = empty_switch_open(&e);
	if (err)
		die("empty program on sched_switch", err);
	for (int i = 0; i < ROUNDS; i++) {
		c.by_name = switch_round(p, &e, orders[1], answers[0]);
		for (int k = 0; k < COSTS; k++)
			v[k][i] = c.by_number[k];
		fprintf(stderr,
			"# switch: untracked %.0f, tracked %.0f, floor %.0f, on switches %.0f\n",
			c.by_name.untracked, c.by_name.tracked, c.by_name.floor,
			c.by_name.sched_floor);
	}
	empty_switch_close(&e);
	probe_free(p);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (int i = 0; i < 2; i++) {
		close(orders[i]);
		close(answers[i]);
	}
	for (int k = 0; k < COSTS; k++)
		c.by_number[k] = median(v[k], ROUNDS);
	return c.by_name;
}

/* ---- attaching ----------------------------------------------------------------------------- */

static void measure_attach(const char *suffix, const char *const *points, size_t n_points)
{
	double attach[ROUNDS], detach[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		struct probe_opts opts = { .points = points,
					   .n_points = n_points,
					   .break_state = -1 };
		uint64_t t0 = clock_ns(CLOCK_MONOTONIC), t1, t2;
		struct probe *p = probe_new(&opts);
		int err = p ? probe_load(p) : -ENOMEM;

		if (!err)
			err = probe_attach(p);
		if (err)
			die("cannot attach", err);
		t1 = clock_ns(CLOCK_MONOTONIC);
		probe_free(p);
		t2 = clock_ns(CLOCK_MONOTONIC);
		attach[i] = (double)(t1 - t0) / 1e6;
		detach[i] = (double)(t2 - t1) / 1e6;
	}
	printf("attach%s_ms %.1f\n", suffix, median(attach, ROUNDS));
	printf("detach%s_ms %.1f\n", suffix, median(detach, ROUNDS));
}

static void bench_alone(void)
{
	char point[4200] = "uprobe:", *end = point + strlen(point);
	const char *points[] = { point };
	struct switch_cost c = measure_switches();
	ssize_t n;

	printf("switch_untracked_net_ns %.1f\n", c.untracked);
	printf("waking_untracked_net_ns %.1f\n", c.waking);
	printf("switch_tracked_net_ns %.1f\n", c.tracked);
	printf("send_untracked_net_ns %.1f\n", c.send);
	printf("receive_untracked_net_ns %.1f\n", c.recv);
	printf("data_ready_untracked_net_ns %.1f\n", c.ready);
	printf("empty_program_ns %.1f\n", c.floor);
	printf("empty_program_on_switch_ns %.1f\n", c.sched_floor);
	measure_attach("", NULL, 0);
	n = readlink("/proc/self/exe", end, 4096);
	if (n < 0)
		die("/proc/self/exe", errno);
	snprintf(end + n, sizeof(point) - (size_t)(end + n - point), ":main");
	measure_attach("_uprobe", points, 1);
}

/* ---- servers under load -------------------------------------------------------------------- */

struct drained {
	struct task_set *tasks;
	uint64_t records, exchanges, waits, others;
};

static int count_record(void *ctx, const struct rec_hdr *rec)
{
	struct drained *d = ctx;

	d->records++;
	if (rec->type == REC_XCHG) {
		d->exchanges++;
		task_set_add(d->tasks, (pid_t)((const struct rec_xchg *)rec)->tgid);
	} else if (rec->type == REC_WAIT) {
		d->waits++;
	} else {
		d->others++;
	}
	return 0;
}

/* Reads the rings as often as the collector does until the load ends. */
static void run_load(struct probe *p, struct load *l, struct drained *d)
{
	struct timespec pause = { 0, DRAIN_MS * 1000000 };
	uint64_t covered;
	bool more = true;

	for (int turn = 1; more; turn++) {
		more = load_goes_on(l);
		nanosleep(&pause, NULL);
		if (turn % (SWEEP_MS / DRAIN_MS) == 0)
			probe_sweep(p, &covered);
		if (probe_drain(p, count_record, d) < 0)
			die("drain", EIO);
		task_set_sample(d->tasks);
	}
	nanosleep(&pause, NULL);
	probe_sweep(p, &covered);
	probe_drain(p, count_record, d);
}

static bool is_collectors(const char *program)
{
	return !strncmp(program, "sweep_", 6) || !strncmp(program, "seed_", 5) ||
	       !strcmp(program, "bench_empty");
}

/* Net nanoseconds of one program that the servers caused, see above. */
static double servers_part(const struct probe_run *r, double floor_ns, const struct task_sum *s,
			   const struct switch_cost *c)
{
	double net = net_of(r, floor_ns), own, per_run;

	if (!strcmp(r->program, "on_sched_switch")) {
		own = 2.0 * (double)(s->voluntary + s->involuntary);
		per_run = c->untracked;
	} else if (!strcmp(r->program, "on_sched_waking")) {
		own = (double)s->voluntary;
		per_run = c->waking;
	} else if (!strcmp(r->program, "on_sock_send_length")) {
		own = (double)r->runs / 2;
		per_run = c->send;
	} else if (!strcmp(r->program, "on_sock_recv_length")) {
		own = (double)r->runs / 2;
		per_run = c->recv;
	} else if (!strcmp(r->program, "on_sk_data_ready")) {
		own = (double)r->runs / 2;
		per_run = c->ready;
	} else {
		return net;
	}
	if (own < (double)r->runs && per_run > 0)
		net -= ((double)r->runs - own) * per_run;
	return net;
}

struct serve_result {
	double net, gross, host_net, records, exchanges;
};

/* What one program cost, round by round; all of a request except per_run. */
struct program_cost {
	const char *program;
	double runs[SERVE_ROUNDS], net[SERVE_ROUNDS], part[SERVE_ROUNDS], per_run[SERVE_ROUNDS];
	double part_median;
};

static void print_lost(const char *kind, struct probe *p, const uint64_t *before)
{
	static const bool loses[COUNTER_COUNT] = {
#define X(id, name, does_lose, help) does_lose,
		COUNTERS(X)
#undef X
	};
	uint64_t counts[COUNTER_COUNT], lost = 0;

	if (probe_counters(p, counts))
		die("counters", EIO);
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		lost += loses[i] ? counts[i] - before[i] : 0;
	printf("%s_lost_records %llu\n", kind, (unsigned long long)lost);
}

static void program_round(struct program_cost *out, int round, const struct probe_run *r,
			  double floor_ns, double part, double requests)
{
	out->program = r->program;
	out->runs[round] = (double)r->runs / requests;
	out->net[round] = net_of(r, floor_ns) / requests;
	out->part[round] = part / requests;
	out->per_run[round] = net_per_run(r, floor_ns);
	fprintf(stderr, "# %-24s %7.2f runs  gross %7.1f ns  net %7.1f  servers' %7.1f%s\n",
		r->program, out->runs[round], (double)r->ns / requests, out->net[round],
		out->part[round], is_collectors(r->program) ? "  (not counted)" : "");
}

static struct serve_result serve_round(struct probe *p, struct task_set *tasks, char **argv,
				       const struct switch_cost *c, struct program_cost *programs,
				       int round)
{
	struct serve_result out = { 0 };
	struct drained d = { .tasks = tasks };
	struct task_sum s0, s1;
	struct runs from, to;
	struct load l;
	double requests, floor_ns;

	task_set_sample(tasks);
	s0 = task_set_sum(tasks);
	runs_read(p, NULL, &from);
	load_start(&l, argv);
	run_load(p, &l, &d);
	runs_read(p, NULL, &to);
	s1 = task_set_sum(tasks);
	s1.voluntary -= s0.voluntary;
	s1.involuntary -= s0.involuntary;
	requests = load_finish(&l).requests;
	to = runs_between(&from, &to);
	floor_ns = floor_of(&to, "bench_empty");
	fprintf(stderr,
		"# %.0f requests, floor %.1f ns, switches of the servers %.3f per request\n",
		requests, floor_ns, (double)(s1.voluntary + s1.involuntary) / requests);
	for (size_t i = 0; i < to.n; i++) {
		const struct probe_run *r = &to.v[i];
		double part = servers_part(r, floor_ns, &s1, c);

		program_round(&programs[i], round, r, floor_ns, part, requests);
		if (is_collectors(r->program))
			continue;
		out.net += part / requests;
		out.gross += (double)r->ns / requests;
		out.host_net += net_of(r, floor_ns) / requests;
	}
	out.records = (double)d.records / requests;
	out.exchanges = (double)d.exchanges / requests;
	return out;
}

static int dearest_first(const void *va, const void *vb)
{
	const struct program_cost *a = va, *b = vb;

	return (a->part_median < b->part_median) - (a->part_median > b->part_median);
}

/* Where the nanoseconds go: figures of each program that ran, dearest first. */
static void print_programs(const char *kind, struct program_cost *programs)
{
	for (size_t i = 0; i < PROGRAMS_MAX; i++)
		programs[i].part_median = median(programs[i].part, SERVE_ROUNDS);
	qsort(programs, PROGRAMS_MAX, sizeof(*programs), dearest_first);
	for (size_t i = 0; i < PROGRAMS_MAX; i++) {
		struct program_cost *c = &programs[i];
		double runs = median(c->runs, SERVE_ROUNDS);

		if (!c->program || runs < 0.0005 || is_collectors(c->program))
			continue;
		printf("probe_%s_net_ns_per_%s_request %.1f\n", c->program, kind, c->part_median);
		printf("probe_%s_host_net_ns_per_%s_request %.1f\n", c->program, kind,
		       median(c->net, SERVE_ROUNDS));
		printf("probe_%s_runs_per_%s_request %.3f\n", c->program, kind, runs);
		printf("probe_%s_net_ns_per_run_%s %.1f\n", c->program, kind,
		       median(c->per_run, SERVE_ROUNDS));
	}
}

static void bench_serve(const char *kind, const char *pids, char **argv)
{
	static struct program_cost programs[PROGRAMS_MAX];
	struct switch_cost c = measure_switches();
	double net[SERVE_ROUNDS], gross[SERVE_ROUNDS], host[SERVE_ROUNDS], records[SERVE_ROUNDS],
		exchanges[SERVE_ROUNDS];
	struct task_set *tasks = task_set_new(pids);
	uint64_t before[COUNTER_COUNT];
	struct probe *p = probe_start(tasks->tgids, tasks->n_tgids, true);

	if (probe_counters(p, before))
		die("counters", EIO);
	for (int i = 0; i < SERVE_ROUNDS; i++) {
		struct serve_result r = serve_round(p, tasks, argv, &c, programs, i);

		net[i] = r.net;
		gross[i] = r.gross;
		host[i] = r.host_net;
		records[i] = r.records;
		exchanges[i] = r.exchanges;
	}
	printf("%s_net_ns_per_request %.0f\n", kind, median(net, SERVE_ROUNDS));
	printf("%s_net_whole_host_ns_per_request %.0f\n", kind, median(host, SERVE_ROUNDS));
	printf("%s_gross_ns_per_request %.0f\n", kind, median(gross, SERVE_ROUNDS));
	printf("%s_records_per_request %.3f\n", kind, median(records, SERVE_ROUNDS));
	printf("%s_exchanges_per_request %.3f\n", kind, median(exchanges, SERVE_ROUNDS));
	print_programs(kind, programs);
	print_lost(kind, p, before);
	probe_free(p);
	task_set_free(tasks);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	probe_set_verbose(false);
	if (argc == 1)
		bench_alone();
	else if (argc >= 6 && !strcmp(argv[1], "serve") && !strcmp(argv[4], "--"))
		bench_serve(argv[2], argv[3], argv + 5);
	else
		return 2;
	return fflush(stdout) ? 1 : 0;
}
