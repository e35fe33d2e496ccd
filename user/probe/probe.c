/* SPDX-License-Identifier: GPL-2.0-only */
#include "probe/probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/kernel_clock.h"
#include "probe/cpus.h"
#include "probe/hooks.h"
#include "probe/points.h"
#include "probe/refusal.h"
#include "probe/sweep.h"
#include "probe/syscalls.h"
#include "tardy.skel.h"

#define RING_BYTES_DEFAULT (8u << 20)
#define SWEEP_SLACK_NS 5000000ull /* the sweep leaves out what began this recently */

#define HOOK_ROW(program, tp, need, gives, effect) HOOK_##program,
enum { HOOKS(HOOK_ROW) HOOK_COUNT, HOOK_SAMPLE = HOOK_COUNT, HOOK_ROWS };
#undef HOOK_ROW

enum { SAMPLE_HZ = 99 }; /* not in step with anything that happens 100 times a second */

struct probe {
	struct probe_opts opts;
	struct tardy_bpf *skel;
	struct bpf_link *links[HOOK_COUNT];
	struct bpf_link **sample_links; /* of each possible CPU, NULL = it is offline */
	bool *sample_online;
	size_t n_sample_links;
	struct bpf_link *bench_link;
	struct bpf_link *point_links[ABI_PROBES_MAX][POINT_LINKS_MAX];
	struct sweep *sweep;
	struct probe_hook_status hooks[HOOK_ROWS];
	struct ring_buffer *rings;
	int ring_fds[ABI_SHARDS_MAX];
	size_t n_rings;
	int failed_point;
	int stats_fd;
	uint64_t *counters; /* of all CPUs, as they were last read */
	probe_record_fn fn; /* during a drain */
	void *fn_ctx;
};

static struct bpf_program *hook_program(struct probe *p, size_t i)
{
	switch (i) {
#define X(program, tp, need, gives, effect) \
	case HOOK_##program: \
		return p->skel->progs.program;
		HOOKS(X)
#undef X
	}
	return NULL;
}

/* libbpf's messages have no owner: of the load that is under way, or was the last one. */
static struct refusal refused;
static bool loud;

static int hear(enum libbpf_print_level level, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

static int hear(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char *text = NULL;

	if (level == LIBBPF_DEBUG || vasprintf(&text, fmt, args) < 0)
		return 0;
	refusal_hear(&refused, text);
	if (loud)
		fputs(text, stderr);
	free(text);
	return 0;
}

void probe_set_verbose(bool verbose)
{
	loud = verbose;
	libbpf_set_print(hear);
}

const struct refusal *probe_refusal(void)
{
	return &refused;
}

struct probe *probe_new(const struct probe_opts *opts)
{
	static const struct probe_hook_status rows[HOOK_ROWS] = {
#define X(program, tp, need, gives, effect) \
	{ #program, tp, gives, effect, need == HOOK_REQUIRED, false, 0 },
		HOOKS(X)
#undef X
			{ "on_cpu_sample", HOOK_SAMPLE_NAME, HOOK_SAMPLE_GIVES, HOOK_SAMPLE_EFFECT,
			  false, false, 0 },
	};
	struct probe *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->opts = *opts;
	memcpy(p->hooks, rows, sizeof(rows));
	for (size_t i = 0; i < ABI_SHARDS_MAX; i++)
		p->ring_fds[i] = -1;
	p->failed_point = -1;
	p->stats_fd = -1;
	return p;
}

/* A hook exists when the kernel's BTF has the type of its tracepoint. */
static int hooks_find(struct probe *p)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int missing = 0, err = libbpf_get_error(btf) ? -errno : 0;
	char name[80];

	if (err)
		btf = NULL;
	for (size_t i = 0; i < HOOK_COUNT; i++) {
		snprintf(name, sizeof(name), "btf_trace_%s", p->hooks[i].tracepoint);
		if (btf && btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF) > 0)
			continue;
		p->hooks[i].error = btf ? -EOPNOTSUPP : -ESRCH;
		bpf_program__set_autoload(hook_program(p, i), false);
		if (p->hooks[i].required)
			missing = p->hooks[i].error;
	}
	btf__free(btf);
	return missing;
}

static size_t shards_of(unsigned int cpus, unsigned int *shift)
{
	*shift = 1; /* two CPUs share a ring: their lock is rarely contended */
	while (((cpus - 1) >> *shift) + 1 > ABI_SHARDS_MAX)
		++*shift;
	return ((cpus - 1) >> *shift) + 1;
}

static size_t ring_bytes(const struct probe_opts *o)
{
	size_t want = o->ring_bytes ? o->ring_bytes : RING_BYTES_DEFAULT;
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE);

	while (bytes < want && bytes < (1u << 30))
		bytes *= 2;
	return bytes;
}

/* The coarse clock goes forward once a jiffy. */
static uint64_t jiffy_ns(void)
{
	struct timespec ts;

	return clock_getres(CLOCK_MONOTONIC_COARSE, &ts) ? 0 : (uint64_t)ts.tv_nsec;
}

static void set_switches(struct probe *p)
{
	struct tardy_bpf__rodata *ro = p->skel->rodata;
	unsigned int shift;

	ro->select_all = p->opts.select_all;
	ro->self_tgid = (uint32_t)getpid();
	ro->n_ports = p->opts.n_ports > ABI_PORTS_MAX ? ABI_PORTS_MAX : (uint32_t)p->opts.n_ports;
	for (size_t i = 0; i < ro->n_ports; i++)
		((uint16_t *)ro->ports)[i] = p->opts.ports[i];
	p->n_rings = shards_of((unsigned int)libbpf_num_possible_cpus(), &shift);
	ro->shard_shift = shift;
	if (p->opts.wait_record_min_ns)
		ro->wait_record_min_ns = p->opts.wait_record_min_ns;
	if (p->opts.no_stacks)
		ro->stack_wait_min_ns = 0;
	ro->sample_ns = 1000000000u / SAMPLE_HZ;
	ro->jiffy_ns = jiffy_ns();
	if (p->opts.break_state >= 0)
		ro->break_state = (uint32_t)p->opts.break_state + 1;
	ro->fail_storage = p->opts.fail_storage;
	ro->skip_arrivals = p->opts.skip_arrivals;
	ro->skip_switches = p->opts.skip_switches;
	syscalls_fill((uint8_t *)ro->syscall_class, (uint8_t *)ro->syscall_io);
}

static int handle_record(void *ctx, void *data, size_t len)
{
	struct probe *p = ctx;
	struct rec_hdr *h = data;

	if (len < sizeof(*h) || h->len > len || h->len < sizeof(*h))
		return -EPROTO;
	return p->fn(p->fn_ctx, h);
}

static int make_rings(struct probe *p)
{
	int outer = bpf_map__fd(p->skel->maps.rings), err;
	size_t bytes = ring_bytes(&p->opts);

	for (uint32_t i = 0; i < p->n_rings; i++) {
		int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "tardy_ring", 0, 0, (uint32_t)bytes,
					NULL);

		if (fd < 0)
			return -errno;
		p->ring_fds[i] = fd;
		if (bpf_map_update_elem(outer, &i, &fd, BPF_ANY))
			return -errno;
		if (i == 0) {
			p->rings = ring_buffer__new(fd, handle_record, p, NULL);
			err = p->rings ? 0 : -errno;
		} else {
			err = ring_buffer__add(p->rings, fd, handle_record, p);
		}
		if (err)
			return err;
	}
	return 0;
}

int probe_load(struct probe *p)
{
	int err, missing;

	refused = (struct refusal){ 0 };
	p->skel = tardy_bpf__open();
	if (!p->skel)
		return errno ? -errno : -EINVAL;
	missing = hooks_find(p);
	if (missing)
		return missing;
	set_switches(p);
	bpf_program__set_autoload(p->skel->progs.on_user_probe, p->opts.n_points > 0);
	bpf_program__set_autoload(p->skel->progs.on_cpu_sample, !p->opts.no_stacks);
	bpf_program__set_autoload(p->skel->progs.bench_empty, p->opts.bench_empty);
	sweep_choose(p->skel, p->opts.sweep_sockets);
	bpf_map__set_max_entries(p->skel->maps.rings, (uint32_t)p->n_rings);
	err = tardy_bpf__load(p->skel);
	if (err)
		return err;
	for (size_t i = 0; i < p->opts.n_pids; i++) {
		err = probe_select(p, p->opts.pids[i]);
		if (err)
			return err;
	}
	return make_rings(p);
}

static int run_iter_once(struct bpf_program *prog)
{
	struct bpf_link *link = bpf_program__attach_iter(prog, NULL);
	int err;

	if (!link)
		return -errno;
	err = sweep_iterate(link);
	bpf_link__destroy(link);
	return err;
}

static int seed(struct probe *p)
{
	int err;

	for (uint32_t pass = 0; pass < 2; pass++) {
		p->skel->bss->seed_pass = pass;
		err = run_iter_once(p->skel->progs.seed_files);
		if (err)
			return err;
	}
	err = run_iter_once(p->skel->progs.seed_unix);
	return err ? err : run_iter_once(p->skel->progs.seed_threads);
}

/* Sockets are seeded before their I/O is seen, so that nothing is read in between; connections
 * made and processes forked meanwhile are seen by the hooks of the first step. */
static bool before_seeding(size_t i)
{
	return i != HOOK_on_sock_recv_length && i != HOOK_on_sock_send_length;
}

static int attach_hooks(struct probe *p, bool first)
{
	for (size_t i = 0; i < HOOK_COUNT; i++) {
		struct bpf_program *prog = hook_program(p, i);

		if (!bpf_program__autoload(prog) || before_seeding(i) != first)
			continue;
		p->links[i] = bpf_program__attach(prog);
		if (p->links[i]) {
			p->hooks[i].on = true;
			continue;
		}
		p->hooks[i].error = -errno;
		if (p->hooks[i].required)
			return p->hooks[i].error;
	}
	return 0;
}

static int attach_points(struct probe *p)
{
	for (size_t i = 0; i < p->opts.n_points && i < ABI_PROBES_MAX; i++) {
		int err = point_attach(p->skel->progs.on_user_probe, p->opts.points[i], (uint32_t)i,
				       p->point_links[i]);

		if (err) {
			p->failed_point = (int)i;
			return err;
		}
	}
	return 0;
}

static int sample_open(int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_freq = SAMPLE_HZ,
		.freq = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int sample_cpu(struct probe *p, int cpu)
{
	int fd = sample_open(cpu);

	if (fd < 0)
		return fd;
	p->sample_links[cpu] = bpf_program__attach_perf_event(p->skel->progs.on_cpu_sample, fd);
	if (p->sample_links[cpu])
		return 0; /* it owns fd */
	close(fd);
	return -errno;
}

/* Samples every CPU that is online; one that went has lost its event for good, and gets another when it
 * comes back. Without samples the rest works: the hook's row says why. */
static void sample_look(struct probe *p)
{
	struct probe_hook_status *h = &p->hooks[HOOK_SAMPLE];

	if (!p->sample_links || h->error ||
	    cpus_read(CPUS_ONLINE_PATH, p->sample_online, p->n_sample_links))
		return;
	for (size_t cpu = 0; cpu < p->n_sample_links; cpu++) {
		int err = 0;

		if (!p->sample_online[cpu]) {
			bpf_link__destroy(p->sample_links[cpu]);
			p->sample_links[cpu] = NULL;
		} else if (!p->sample_links[cpu]) {
			err = sample_cpu(p, (int)cpu);
			h->on |= !err;
		}
		if (err && err != -ENODEV) /* it went just now */
			h->error = err;
	}
	h->on &= !h->error;
}

static int attach_sampler(struct probe *p)
{
	int cpus = libbpf_num_possible_cpus();

	if (p->opts.no_stacks || cpus < 1)
		return 0;
	p->n_sample_links = (size_t)cpus;
	p->sample_links = calloc(p->n_sample_links, sizeof(struct bpf_link *));
	p->sample_online = calloc(p->n_sample_links, sizeof(*p->sample_online));
	if (!p->sample_links || !p->sample_online)
		return -ENOMEM;
	sample_look(p);
	return 0;
}

int probe_attach(struct probe *p)
{
	int err = attach_hooks(p, true);

	if (!err)
		err = seed(p);
	if (!err)
		err = attach_hooks(p, false);
	if (!err)
		err = sweep_new(&p->sweep, p->skel);
	if (!err && p->opts.bench_empty) {
		p->bench_link = bpf_program__attach(p->skel->progs.bench_empty);
		err = p->bench_link ? 0 : -errno;
	}
	if (!err)
		err = attach_points(p);
	/* last: attaching holds CPUs up, which samples would show */
	return err ? err : attach_sampler(p);
}

void probe_free(struct probe *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < HOOK_COUNT; i++)
		bpf_link__destroy(p->links[i]);
	for (size_t i = 0; i < ABI_PROBES_MAX; i++)
		for (size_t k = 0; k < POINT_LINKS_MAX; k++)
			bpf_link__destroy(p->point_links[i][k]);
	for (size_t i = 0; p->sample_links && i < p->n_sample_links; i++)
		bpf_link__destroy(p->sample_links[i]);
	free(p->sample_links);
	free(p->sample_online);
	bpf_link__destroy(p->bench_link);
	sweep_free(p->sweep);
	ring_buffer__free(p->rings);
	for (size_t i = 0; i < p->n_rings; i++)
		if (p->ring_fds[i] >= 0)
			close(p->ring_fds[i]);
	if (p->stats_fd >= 0)
		close(p->stats_fd);
	tardy_bpf__destroy(p->skel);
	free(p->counters);
	free(p);
}

int probe_select(struct probe *p, pid_t tgid)
{
	uint32_t key = (uint32_t)tgid;
	uint8_t one = 1;

	return bpf_map_update_elem(bpf_map__fd(p->skel->maps.selected), &key, &one, BPF_ANY) ?
		       -errno :
		       0;
}

size_t probe_ring_bytes(const struct probe *p)
{
	return ring_bytes(&p->opts);
}

long probe_drain(struct probe *p, probe_record_fn fn, void *ctx)
{
	p->fn = fn;
	p->fn_ctx = ctx;
	return ring_buffer__consume(p->rings);
}

int probe_sweep(struct probe *p, uint64_t *covered_ns)
{
	uint64_t start = kernel_clock_ns();

	*covered_ns = start - SWEEP_SLACK_NS;
	return sweep_run(p->sweep, covered_ns);
}

void probe_each_second(struct probe *p)
{
	sweep_look(p->sweep);
	sample_look(p);
}

int probe_counters_by_cpu(struct probe *p, const uint64_t **rows, size_t *width)
{
	int cpus = libbpf_num_possible_cpus();
	uint32_t zero = 0;

	if (cpus < 0)
		return cpus;
	*width = COUNTER_COUNT + 1; /* struct cpu_counters of bpf/core.bpf.h */
	if (!p->counters)
		p->counters = calloc((size_t)cpus * *width, sizeof(*p->counters));
	if (!p->counters)
		return -ENOMEM;
	*rows = p->counters;
	if (bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.counters), &zero, p->counters))
		return -errno;
	return cpus;
}

int probe_counters(struct probe *p, uint64_t *counts)
{
	const uint64_t *rows;
	size_t width;
	int cpus = probe_counters_by_cpu(p, &rows, &width);

	memset(counts, 0, COUNTER_COUNT * sizeof(*counts));
	for (int cpu = 0; cpu < cpus; cpu++)
		for (size_t i = 0; i < COUNTER_COUNT; i++)
			counts[i] += rows[(size_t)cpu * width + i];
	return cpus < 0 ? cpus : 0;
}

size_t probe_hooks(struct probe *p, const struct probe_hook_status **out)
{
	*out = p->hooks;
	return HOOK_ROWS;
}

int probe_failed_point(const struct probe *p)
{
	return p->failed_point;
}

int probe_stats_enable(struct probe *p, bool on)
{
	if (!on) {
		if (p->stats_fd >= 0)
			close(p->stats_fd);
		p->stats_fd = -1;
		return 0;
	}
	if (p->stats_fd < 0)
		p->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	return p->stats_fd < 0 ? -errno : 0;
}

size_t probe_runs(struct probe *p, struct probe_run *out, size_t cap)
{
	struct bpf_program *prog;
	size_t n = 0;

	bpf_object__for_each_program(prog, p->skel->obj) {
		struct bpf_prog_info info = {};
		uint32_t len = sizeof(info);
		int fd = bpf_program__fd(prog);

		if (n == cap || fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
			continue;
		out[n].program = bpf_program__name(prog);
		out[n].runs = info.run_cnt;
		out[n].ns = info.run_time_ns;
		n++;
	}
	return n;
}
