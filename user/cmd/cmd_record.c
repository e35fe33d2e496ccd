/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes what is measured to a capture: for a time, until a signal, or while a command runs. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/bundle.h"
#include "cmd/cmd.h"
#include "ingest/capture_write.h"

struct recorder {
	struct capture_writer *writer;
	struct bundle *bundle; /* NULL = none is asked for */
	int write_err;
	pid_t child;
	int child_status;
	bool child_ended;
	uint64_t end_ns; /* 0 = none */
};

static int on_record(void *ctx, const struct rec_hdr *rec)
{
	struct recorder *r = ctx;
	int err = capture_writer_add(r->writer, rec);

	if (r->bundle)
		bundle_record(r->bundle, rec);
	if (!err && rec->type == REC_TICK)
		err = capture_writer_tick(r->writer, rec->ts_ns);
	if (err && err != -EMSGSIZE)
		r->write_err = err;
	return r->write_err;
}

/* The child waits before exec until it is selected, so that its first request is seen too. */
static pid_t start_child(char **argv, int *gate)
{
	int fds[2];
	char byte;
	pid_t pid;

	if (pipe(fds))
		return -1;
	pid = fork();
	if (pid != 0) {
		close(fds[0]);
		*gate = fds[1];
		return pid;
	}
	close(fds[1]);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	if (read(fds[0], &byte, 1) != 1)
		_exit(127);
	execvp(argv[0], argv);
	log_error(LOG_USAGE, "cannot run %s: %s", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void look_after_child(struct recorder *r)
{
	int status;

	if (!r->child || r->child_ended || waitpid(r->child, &status, WNOHANG) != r->child)
		return;
	r->child_ended = true;
	r->child_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(struct cmd_session *s, struct recorder *r)
{
	int err = 0, last;

	while (!cmd_stop && !err && !r->child_ended && (!r->end_ns || cmd_now_ns() < r->end_ns)) {
		err = live_poll(s->live, on_record, r);
		look_after_child(r);
		cmd_session_rest(s);
	}
	if (!r->write_err) {
		last = live_stop(s->live, on_record, r);
		err = err ? err : last;
	}
	return err;
}

static int end_child(struct recorder *r)
{
	int status;

	if (!r->child_ended) {
		kill(r->child, SIGTERM);
		if (waitpid(r->child, &status, 0) == r->child)
			r->child_status = WIFEXITED(status) ? WEXITSTATUS(status) :
							      128 + WTERMSIG(status);
	}
	return r->child_status;
}

/* The rest of the bundle; 0 or the exit status. A capture without it is a good capture. */
static int finish_bundle(struct recorder *r)
{
	int err = 0;

	if (r->write_err && r->write_err != -EFBIG)
		bundle_drop(r->bundle);
	else
		err = bundle_end(r->bundle, r->writer);
	r->bundle = NULL;
	return err ? log_error(LOG_OUTPUT, "the bundle is not complete: %s", strerror(-err)) : 0;
}

static int write_error(const struct cli_options *o, int err)
{
	if (err == -ENOSPC || err == -EDQUOT) {
		log_hint(LOG_EFFECT, "the recording ends here; what was written can be read");
		log_hint(LOG_FIX, "free some space, or bound the file with --max-size");
	}
	return cmd_output_error(o->output, err);
}

static int record(const struct cli_options *o, struct cmd_session *s, struct recorder *r)
{
	int gate = -1, err, close_err, bundle_status, status = 0;

	if (o->child_argv) {
		r->child = start_child(o->child_argv, &gate);
		if (r->child < 0)
			return log_error(LOG_NO_MEMORY, "cannot start %s: %s", o->child_argv[0],
					 strerror(errno));
		live_select(s->live, r->child);
	}
	log_info("recording to %s", strcmp(o->output, "-") ? o->output : "standard output");
	if (o->child_argv && write(gate, "", 1) != 1)
		status = log_error(LOG_OUTPUT, "cannot start %s", o->child_argv[0]);
	if (gate >= 0)
		close(gate);
	if (o->duration_ns)
		r->end_ns = cmd_now_ns() + o->duration_ns;
	err = run(s, r);
	bundle_status = r->bundle ? finish_bundle(r) : 0;
	status = status ? status : bundle_status;
	close_err = capture_writer_close(r->writer);
	if (r->write_err == -EFBIG)
		log_warn(LOG_SIZE_CAP, "%s has reached its size", o->output);
	else if (r->write_err || close_err)
		status = write_error(o, r->write_err ? r->write_err : close_err);
	else if (err && !(err == -ESRCH && r->child))
		status = cmd_live_error(err);
	if (r->child)
		status = status ? (end_child(r), status) : end_child(r);
	return cmd_closing(o, live_seen(s->live), live_lost(s->live), status);
}

int cmd_record(const struct cli_options *o)
{
	struct recorder r = { 0 };
	struct cmd_session s;
	int err, status = cmd_session_open(&s, o);

	if (status)
		return status;
	cmd_catch_signals();
	err = capture_writer_open(&r.writer, o->output, o->max_size_bytes);
	if (!err && o->bundle) {
		r.bundle = bundle_begin(r.writer, live_probe(s.live), o->max_size_bytes);
		if (!r.bundle)
			err = -ENOMEM;
	}
	if (err)
		log_hint(LOG_EFFECT, "nothing was recorded");
	if (err == -EFBIG)
		log_hint(LOG_FIX, "raise --max-size");
	status = err ? cmd_output_error(o->output, err) : record(o, &s, &r);
	cmd_session_close(&s);
	return status;
}
