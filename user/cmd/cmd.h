/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands. Each takes the parsed command line and returns the exit status; what they share
 * is opening the live source, and reading a capture, with clear errors.
 */
#ifndef TARDY_CMD_CMD_H
#define TARDY_CMD_CMD_H
#include <signal.h>
#include "cli.h"
#include "cmd/attachments.h"
#include "pipeline.h"
#include "probe/live.h"

int cmd_top(const struct cli_options *o);
int cmd_record(const struct cli_options *o);
int cmd_report(const struct cli_options *o);
int cmd_export(const struct cli_options *o);
int cmd_doctor(const struct cli_options *o);

/* Set by SIGINT, SIGTERM and SIGHUP once cmd_catch_signals() was called. */
extern volatile sig_atomic_t cmd_stop;
void cmd_catch_signals(void);

/* A live source with its selection. */
struct cmd_session {
	struct selection selection;
	struct live *live;
};

/* Opens it or prints why not; returns 0 or the exit status. */
int cmd_session_open(struct cmd_session *s, const struct cli_options *o);
void cmd_session_close(struct cmd_session *s);
/* Says what an error of live_poll() means; returns the exit status. */
int cmd_live_error(int err);
/* Rests for as long as the live source allows after live_poll(). */
void cmd_session_rest(const struct cmd_session *s);
/* Feeds the live source into fn until duration_ns has passed (0 = no limit) or a signal came. */
int cmd_session_run(struct cmd_session *s, uint64_t duration_ns, probe_record_fn fn, void *ctx);
/* Feeds the capture o->input into the pipeline, between o->from and o->to; prints errors and
 * warnings. Returns 0 or an exit status. facts gets its attachments, NULL = they are not wanted. */
int cmd_read_capture(const struct cli_options *o, struct pipeline *p, struct attachments *facts);
/* The closing "seen N, lost M" on stderr, and the exit status: LOST when it was too much. */
int cmd_closing(const struct cli_options *o, uint64_t seen, uint64_t lost, int status);
/* Says why writing to `name` failed; returns the exit status. */
int cmd_output_error(const char *name, int err);
struct text_opts cmd_text_opts(const struct cli_options *o);
uint64_t cmd_now_ns(void);

#endif
