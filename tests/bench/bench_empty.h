/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An empty program on sched_switch. Next to the one that tardy's object has for sends it shows how
 * much of a program's time on the scheduler is the hook's and the cold cache's, not the program's.
 */
#ifndef TARDY_BENCH_EMPTY_H
#define TARDY_BENCH_EMPTY_H
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

struct empty_switch {
	int prog, link;
};

/* 0 or a negative errno; end with empty_switch_close(). */
static inline int empty_switch_open(struct empty_switch *e)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int id = libbpf_find_vmlinux_btf_id("sched_switch", BPF_TRACE_RAW_TP);
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP,
		    .attach_btf_id = (uint32_t)id);

	if (id < 0)
		return id;
	e->prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "empty_switch", "GPL", insns, 2, &opts);
	if (e->prog < 0)
		return -errno;
	e->link = bpf_raw_tracepoint_open(NULL, e->prog);
	if (e->link < 0) {
		int err = -errno;

		close(e->prog);
		return err;
	}
	return 0;
}

/* Runs and nanoseconds so far, like probe_runs(). */
static inline int empty_switch_read(const struct empty_switch *e, uint64_t *runs, uint64_t *ns)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(e->prog, &info, &len))
		return -errno;
	*runs = info.run_cnt;
	*ns = info.run_time_ns;
	return 0;
}

static inline void empty_switch_close(struct empty_switch *e)
{
	close(e->link);
	close(e->prog);
}

#endif
