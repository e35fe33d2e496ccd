/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "ingest/capture_read.h"
#include "ingest/record.h"
#include "probe/procinfo.h"
#include "probe/refusal.h"

volatile sig_atomic_t cmd_stop;

static void on_signal(int signo)
{
	cmd_stop = signo;
}

void cmd_catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

uint64_t cmd_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Numbers of the command line as a list in text, as selections are given. */
static char *list_of(const void *v, size_t n, size_t size)
{
	char *text = calloc(n ? n : 1, 12);
	size_t at = 0;

	for (size_t i = 0; text && i < n; i++) {
		long value = size == sizeof(pid_t) ? (long)((const pid_t *)v)[i] :
						     (long)((const uint16_t *)v)[i];

		at += (size_t)sprintf(text + at, "%s%ld", i ? "," : "", value);
	}
	return text;
}

static int resolve(const struct cli_options *o, struct selection *out)
{
	const struct cli_select *c = &o->select;
	char *pids = list_of(c->pids, c->n_pids, sizeof(*c->pids));
	char *ports = list_of(c->ports, c->n_ports, sizeof(*c->ports));
	struct select_spec spec = {
		.all = c->all,
		.pids = c->n_pids ? pids : NULL,
		.user = c->user,
		.unit = c->unit,
		.cgroup = c->cgroup,
		.container = c->container,
		.ports = c->n_ports ? ports : NULL,
	};
	struct select_error why = { .code = LOG_CODE_COUNT };
	int err = -ENOMEM, status = 0;

	if (!spec.pids && !spec.user && !spec.unit && !spec.cgroup && !spec.container &&
	    !spec.ports && !o->child_argv)
		spec.all = true;
	if (o->child_argv && !spec.pids && !spec.all && !spec.user && !spec.unit && !spec.cgroup &&
	    !spec.container && !spec.ports)
		err = 0; /* the child is added when it is there */
	else if (pids && ports)
		err = selection_resolve(&spec, out, &why);
	if (err)
		status = log_error(why.code < LOG_CODE_COUNT ? why.code : LOG_NO_MEMORY, "%s",
				   why.what[0] ? why.what : strerror(-err));
	else if (why.code < LOG_CODE_COUNT)
		log_warn(why.code, "%s", why.what);
	free(pids);
	free(ports);
	return status;
}

static int load_error(const struct cli_options *o, struct probe *probe, int err)
{
	const struct refusal *r = probe_refusal();
	const struct probe_hook_status *hooks;
	int point = probe ? probe_failed_point(probe) : -1;
	size_t n = probe ? probe_hooks(probe, &hooks) : 0;

	if (point >= 0)
		return log_error(LOG_NO_PROBE, "cannot attach %s: %s", o->probes[point],
				 strerror(-err));
	for (size_t i = 0; i < n; i++) {
		if (!hooks[i].required || !hooks[i].error)
			continue;
		if (hooks[i].error == -ESRCH)
			return log_error(LOG_NO_BTF, "the kernel has no type information");
		log_hint(LOG_WHERE, "tracepoint %s: %s", hooks[i].tracepoint,
			 strerror(-hooks[i].error));
		return log_error(LOG_NO_HOOKS, "this kernel lacks a hook that tardy needs");
	}
	if (*r->what)
		log_hint(LOG_WHERE, "%s%s%s", r->what, *r->words ? ": " : "", r->words);
	log_hint(LOG_FIX, "%s", refusal_mend(r, err, geteuid() == 0));
	return log_error(LOG_LOAD_FAILED, "cannot load BPF programs: %s", refusal_why(r, err));
}

int cmd_session_open(struct cmd_session *s, const struct cli_options *o)
{
	struct live_opts lo = {
		.probe = { .points = o->probes,
			   .n_points = o->n_probes,
			   .ring_bytes = o->ring_bytes,
			   .no_stacks = o->no_stacks,
			   .break_state = o->break_state,
			   .fail_storage = o->fail_storage,
			   .sweep_sockets = o->sweep_sockets,
			   .skip_arrivals = o->skip_arrivals,
			   .skip_switches = o->skip_switches },
		.selection = &s->selection,
		.version = TARDY_VERSION,
	};
	struct probe *probe;
	int err, status;

	memset(s, 0, sizeof(*s));
	if (geteuid() != 0) {
		log_hint(LOG_WHERE, "running as uid %u", (unsigned)geteuid());
		return log_error(LOG_NOT_ROOT, "measuring needs root");
	}
	if (!procinfo_host_ids())
		return log_error(LOG_PID_NAMESPACE, "tardy is in a PID namespace of its own");
	status = resolve(o, &s->selection);
	if (status)
		return status;
	probe_set_verbose(o->verbose);
	s->live = live_new(&lo, &err, &probe);
	if (s->live) {
		if (!live_has_names(s->live) && !o->no_stacks)
			log_warn(LOG_NO_NAMES, "cannot start the thread that names functions");
		return 0;
	}
	status = load_error(o, probe, err);
	probe_free(probe);
	selection_release(&s->selection);
	return status;
}

void cmd_session_close(struct cmd_session *s)
{
	live_free(s->live);
	s->live = NULL;
	selection_release(&s->selection);
}

int cmd_live_error(int err)
{
	if (err == -ESRCH)
		return log_error(LOG_TARGET_GONE, "every selected process has ended");
	if (err == -ENOMEM)
		return log_error(LOG_NO_MEMORY, "out of memory");
	return log_error(LOG_LOAD_FAILED, "reading from the kernel failed: %s", strerror(-err));
}

void cmd_session_rest(const struct cmd_session *s)
{
	struct timespec pause = { 0, (long)live_pause_ns(s->live) };

	nanosleep(&pause, NULL);
}

int cmd_session_run(struct cmd_session *s, uint64_t duration_ns, probe_record_fn fn, void *ctx)
{
	uint64_t start = cmd_now_ns();
	int err = 0, last;

	while (!cmd_stop && !err && (!duration_ns || cmd_now_ns() - start < duration_ns)) {
		err = live_poll(s->live, fn, ctx);
		cmd_session_rest(s);
	}
	if (err && err != -ESRCH)
		return err;
	last = live_stop(s->live, fn, ctx);
	return err ? err : last;
}

/* Sets the interval that --from and --to choose of the recording that meta begins. */
static int set_interval(const struct cli_options *o, struct pipeline *p,
			const struct rec_meta *meta)
{
	uint64_t start = meta->start_unix_ns, from = cli_when_unix_ns(&o->from, start);
	uint64_t to = cli_when_unix_ns(&o->to, start);

	if (from < start)
		from = start;
	if (o->to.kind && to <= from)
		return log_error(LOG_NO_DATA, "--to is not after %s",
				 o->from.kind ? "--from" : "the beginning of the recording");
	pipeline_set_interval(p, o->from.kind ? from - start + meta->h.ts_ns : 0,
			      o->to.kind ? to - start + meta->h.ts_ns : 0);
	return 0;
}

/* Feeds records until there are no more, or the interval is over. Returns what the reader or the
 * pipeline said, or an exit status through *status. */
static int feed(const struct cli_options *o, struct capture_reader *r, struct pipeline *p,
		int *status)
{
	const struct rec_hdr *rec;
	bool chosen = o->from.kind || o->to.kind;
	int err;

	while ((err = capture_reader_next(r, &rec)) == 1) {
		err = pipeline_record(p, rec);
		if (!err && chosen && rec->type == REC_META && record_check(rec) == 1)
			*status = set_interval(o, p, (const struct rec_meta *)rec);
		if (err || *status)
			break;
	}
	return err;
}

int cmd_read_capture(const struct cli_options *o, struct pipeline *p, struct attachments *facts)
{
	struct capture_reader *r;
	const char *path = o->input;
	const struct rec_hdr *rec;
	int status = 0, err = capture_reader_open(&r, path);
	bool reached;

	if (err == -EBADMSG || err == -EPROTONOSUPPORT)
		return log_error(LOG_NOT_CAPTURE, "%s: %s", path, capture_reader_strerror(err));
	if (err)
		return log_error(LOG_UNREADABLE, "cannot read %s: %s", path,
				 capture_reader_strerror(err));
	if (facts)
		capture_reader_on_attachment(r, attachments_add, facts);
	err = feed(o, r, p, &status);
	reached = err == 1;
	while (reached && facts && (err = capture_reader_next(r, &rec)) == 1)
		; /* they stand behind the records */
	if (err == -ENOMEM)
		status = log_error(LOG_NO_MEMORY, "out of memory while reading %s", path);
	if (status) {
		capture_reader_close(r);
		return status;
	}
	if (err < 0 || (!err && capture_reader_status(r) != CAPTURE_WHOLE)) {
		log_hint(LOG_WHERE, "%s, after %llu records", path,
			 (unsigned long long)capture_reader_records(r));
		log_warn(LOG_TRUNCATED, "the capture is %s",
			 capture_status_text(capture_reader_status(r)));
	}
	capture_reader_close(r);
	if (!reached)
		pipeline_finish(p);
	if (o->from.kind && pipeline_is_before_interval(p))
		return log_error(LOG_NO_DATA, "the recording ends before --from");
	return 0;
}

int cmd_closing(const struct cli_options *o, uint64_t seen, uint64_t lost, int status)
{
	log_info("seen %llu, lost %llu", (unsigned long long)seen, (unsigned long long)lost);
	if (lost > o->max_lost && o->max_lost != CLI_MAX_LOST_NONE && status == EXIT_FINE)
		return log_error(LOG_LOST, "%llu records were lost, %llu are allowed",
				 (unsigned long long)lost, (unsigned long long)o->max_lost);
	return status;
}

/* What has the name and is no regular file: 0 or the exit status. */
static int not_a_file_error(const char *name, int err)
{
	static const struct {
		int err;
		const char *what;
	} kinds[] = {
		{ -ELOOP, "a symbolic link" },
		{ -EISDIR, "a directory" },
		{ -EINVAL, "a pipe, a socket or a device" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].err != err)
			continue;
		log_hint(LOG_EFFECT, "nothing was written");
		log_hint(LOG_FIX, "use another name, or -o - for standard output");
		return log_error(LOG_OUTPUT, "%s is %s: only files are written to by name", name,
				 kinds[i].what);
	}
	return 0;
}

int cmd_output_error(const char *name, int err)
{
	int status = not_a_file_error(name, err);

	if (status)
		return status;
	if (err == -EPIPE)
		return log_error(LOG_CLOSED_PIPE, "%s was closed by its reader", name);
	if (err == -ENOSPC || err == -EDQUOT || err == -EFBIG)
		return log_error(LOG_DISK_FULL, "cannot write %s: %s", name, strerror(-err));
	if (err == -ENOTTY)
		return log_error(LOG_TERMINAL, "%s is a terminal", name);
	if (err == -ENOMEM)
		return log_error(LOG_NO_MEMORY, "out of memory");
	return log_error(LOG_OUTPUT, "cannot write %s: %s", name, strerror(-err));
}

struct text_opts cmd_text_opts(const struct cli_options *o)
{
	return (struct text_opts){
		.color = o->color,
		.ascii = o->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
		.top = o->top,
		.sort = o->sort,
	};
}
