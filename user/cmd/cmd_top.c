/* SPDX-License-Identifier: GPL-2.0-only */
/* The live view, its text form, and both over a capture. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "view/view.h"

enum { LISTED_LIVE = 500, LISTED_REPLAY = 20000, KEYS_MS = 25 };

struct top {
	const struct cli_options *o;
	struct pipeline *pipeline;
	struct cmd_session session; /* live: NULL live when a capture is shown */
	struct view *view;
	struct snapshot *shown;
	uint64_t refreshed_ns;
	uint64_t end_unix_ns; /* of the capture */
	int status; /* of reading it again */
};

static void on_fatal(int signo)
{
	view_emergency_restore();
	signal(signo, SIG_DFL);
	raise(signo);
}

static void catch_fatal(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };

	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		signal(fatal[i], on_fatal);
}

/* Of a capture: all that was read. */
static struct snapshot *take(struct top *t, double window_s)
{
	if (!t->session.live)
		return pipeline_snapshot(t->pipeline, 0, LISTED_REPLAY);
	return pipeline_snapshot(t->pipeline, window_s, LISTED_LIVE);
}

/* ---- a capture ----------------------------------------------------------------------------- */

/* Reads it into a new pipeline: the last window_s seconds, 0 = all. Returns 0, or an exit status and
 * what was read before stays. */
static int read_window(struct top *t, double window_s)
{
	struct pipeline_opts po = { .report = true, .route_glob = t->o->route };
	struct pipeline *p = pipeline_new(&po);
	uint64_t window_ns = (uint64_t)(window_s * 1e9);
	struct cli_options o = *t->o;
	int status;

	if (!p)
		return log_error(LOG_NO_MEMORY, "out of memory");
	if (window_ns && t->end_unix_ns > window_ns)
		o.from = (struct cli_when){ CLI_WHEN_DATE, t->end_unix_ns - window_ns };
	if (t->end_unix_ns) /* warnings were given at the first reading */
		log_set_quiet(true);
	status = cmd_read_capture(&o, p, NULL);
	log_set_quiet(t->o->quiet);
	if (status) {
		pipeline_free(p);
		return status;
	}
	pipeline_free(t->pipeline);
	t->pipeline = p;
	return 0;
}

/* Where the recording ends is known when all of it was read. */
static int open_capture(struct top *t)
{
	int status = read_window(t, 0);
	struct snapshot *s = status ? NULL : take(t, 0);

	if (!status && !s)
		return log_error(LOG_NO_MEMORY, "out of memory");
	if (status)
		return status;
	t->end_unix_ns = (s->start_unix_us + s->window_us) * 1000;
	snapshot_free(s);
	return t->o->window_ns ? read_window(t, (double)t->o->window_ns / 1e9) : 0;
}

/* ---- text ---------------------------------------------------------------------------------- */

static int batch_once(struct top *t)
{
	struct text_opts to = cmd_text_opts(t->o);
	struct snapshot *s = take(t, (double)t->o->window_ns / 1e9);
	int err;

	if (!s)
		return log_error(LOG_NO_MEMORY, "out of memory");
	err = view_batch_print(stdout, s, &to);
	snapshot_free(s);
	return err ? cmd_output_error("standard output", err) : 0;
}

static int run_batch(struct top *t)
{
	int err, status = 0;

	if (!t->session.live)
		return batch_once(t);
	for (uint64_t i = 0; !status && !cmd_stop && (!t->o->iterations || i < t->o->iterations);
	     i++) {
		uint64_t until = cmd_now_ns() + t->o->refresh_ns;

		do {
			err = live_poll(t->session.live, pipeline_record, t->pipeline);
			cmd_session_rest(&t->session);
		} while (!err && !cmd_stop && cmd_now_ns() < until);
		if (err && err != -ESRCH)
			return cmd_live_error(err);
		status = batch_once(t);
		if (err)
			return status ? status : cmd_live_error(err);
	}
	return status;
}

/* ---- screens ------------------------------------------------------------------------------- */

static void refresh(struct top *t)
{
	struct snapshot *s = take(t, view_window_s(t->view));

	if (!s)
		return;
	view_update(t->view, s);
	snapshot_free(t->shown);
	t->shown = s;
	t->refreshed_ns = cmd_now_ns();
	view_draw(t->view);
}

static bool refresh_is_due(const struct top *t)
{
	return t->session.live && !view_paused(t->view) &&
	       (double)(cmd_now_ns() - t->refreshed_ns) >= view_refresh_s(t->view) * 1e9;
}

/* For which keys are waited for, too. */
static int rest_ms(const struct top *t)
{
	return t->session.live ? (int)(live_pause_ns(t->session.live) / 1000000) : KEYS_MS;
}

/* Returns 0, or an exit status when the capture cannot be read again. */
static int change_window(struct top *t)
{
	if (!t->session.live)
		return read_window(t, view_window_s(t->view));
	pipeline_set_window(t->pipeline, view_window_s(t->view));
	return 0;
}

static int run_view(struct top *t)
{
	struct pollfd in = { .fd = view_fd(t->view), .events = POLLIN };
	int err = 0, keys;

	refresh(t);
	while (!cmd_stop && !err) {
		if (poll(&in, 1, rest_ms(t)) < 0 && errno != EINTR)
			break;
		keys = view_handle_input(t->view);
		if (keys & VIEW_QUIT)
			break;
		if ((keys & VIEW_WINDOW_CHANGED) && (t->status = change_window(t)))
			break;
		if (t->session.live)
			err = live_poll(t->session.live, pipeline_record, t->pipeline);
		if ((keys & VIEW_WINDOW_CHANGED) || refresh_is_due(t))
			refresh(t);
		else
			view_draw(t->view);
	}
	return err;
}

static int run_screens(struct top *t)
{
	struct view_opts vo = {
		.version = TARDY_VERSION,
		.ascii = t->o->ascii,
		.color = t->o->color,
		.replay = !t->session.live,
		.window_s = (double)t->o->window_ns / 1e9,
		.refresh_s = (double)t->o->refresh_ns / 1e9,
	};
	int err;

	catch_fatal();
	t->view = view_new(&vo);
	if (!t->view)
		return log_error(LOG_TERMINAL, "cannot use this terminal: %s", strerror(errno));
	err = run_view(t);
	view_free(t->view);
	snapshot_free(t->shown);
	return err ? cmd_live_error(err) : t->status;
}

int cmd_top(const struct cli_options *o)
{
	struct pipeline_opts po = { .route_glob = o->route, .live = true };
	struct top t = { .o = o, .pipeline = o->input ? NULL : pipeline_new(&po) };
	bool text = o->batch || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO);
	struct pipeline_totals totals;
	int status;

	if (!o->input && !t.pipeline)
		return log_error(LOG_NO_MEMORY, "out of memory");
	if (!o->input)
		pipeline_set_window(t.pipeline, (double)o->window_ns / 1e9);
	status = o->input ? open_capture(&t) : cmd_session_open(&t.session, o);
	if (!status) {
		cmd_catch_signals();
		status = text ? run_batch(&t) : run_screens(&t);
		totals = pipeline_totals(t.pipeline);
		status = cmd_closing(o, totals.records, totals.lost, status);
	}
	cmd_session_close(&t.session);
	pipeline_free(t.pipeline);
	return status;
}
