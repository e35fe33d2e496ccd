/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports and exports: one snapshot of a whole interval, from a capture or measured now. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "export/flame.h"
#include "export/folded.h"
#include "export/ndjson.h"
#include "export/speedscope.h"

/* Fills *p, and *facts from a capture, from where the command line says. */
static int gather(const struct cli_options *o, struct pipeline *p, struct attachments *facts)
{
	struct cmd_session s;
	int err, status;

	if (o->input || !o->duration_ns)
		return cmd_read_capture(o, p, facts);
	status = cmd_session_open(&s, o);
	if (status)
		return status;
	cmd_catch_signals();
	err = cmd_session_run(&s, o->duration_ns, pipeline_record, p);
	cmd_session_close(&s);
	pipeline_finish(p);
	return err ? cmd_live_error(err) : 0;
}

static int print_report(const struct cli_options *o, const struct snapshot *s,
			const struct attachments *facts)
{
	struct text_opts to = cmd_text_opts(o);
	bool wants_facts = o->report & EXPORT_FACTS;
	int err = 0;

	if (o->format == CLI_JSON)
		err = export_ndjson(stdout, s, o->report);
	else if (o->report != EXPORT_FACTS)
		err = export_text(stdout, s, o->report, &to);
	if (!err && wants_facts && o->format == CLI_JSON)
		err = attachments_json(stdout, facts);
	else if (!err && wants_facts)
		err = attachments_print(stdout, facts);
	return err ? cmd_output_error("standard output", err) : 0;
}

/* 0, or the exit status when there is nothing of what was asked for. */
static int check_data(const struct cli_options *o, const struct snapshot *s,
		      const struct attachments *facts)
{
	if ((o->report & EXPORT_FACTS) && !facts->n) {
		log_hint(LOG_FIX, "make a capture that has them with: tardy record --bundle");
		return log_error(LOG_NO_DATA, "the capture has no attachments");
	}
	if (o->report != EXPORT_FACTS && !s->requests && !s->n_routes)
		return log_error(LOG_NO_DATA, "no request was seen");
	return 0;
}

int cmd_report(const struct cli_options *o)
{
	struct pipeline_opts po = { .report = true, .route_glob = o->route };
	struct pipeline *p = pipeline_new(&po);
	struct attachments facts = { .n = 0 };
	struct pipeline_totals totals;
	struct snapshot *s;
	int status;

	if (!p)
		return log_error(LOG_NO_MEMORY, "out of memory");
	status = gather(o, p, &facts);
	s = status ? NULL : pipeline_snapshot(p, 0, 0);
	if (!status && !s)
		status = log_error(LOG_NO_MEMORY, "out of memory");
	if (!status)
		status = print_report(o, s, &facts);
	totals = pipeline_totals(p);
	if (!status && s)
		status = check_data(o, s, &facts);
	if (s)
		status = cmd_closing(o, totals.records, totals.lost, status);
	attachments_release(&facts);
	snapshot_free(s);
	pipeline_free(p);
	return status;
}

static int write_export(const struct cli_options *o, const struct snapshot *s)
{
	bool to_stdout = strcmp(o->output, "-") == 0;
	FILE *f = stdout;
	int err, fd;

	if (!to_stdout) {
		fd = open(o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
		f = fd < 0 ? NULL : fdopen(fd, "w");
		if (!f)
			return cmd_output_error(o->output, -errno);
	}
	err = o->format == CLI_SPEEDSCOPE ? export_speedscope(f, s, o->kind) :
					    export_folded(f, s, o->kind);
	if (!to_stdout && fclose(f) && !err)
		err = -errno;
	return err ? cmd_output_error(to_stdout ? "standard output" : o->output, err) : 0;
}

static int is_row(void *ctx, const struct flame_row *row)
{
	(void)ctx;
	(void)row;
	return 1;
}

/* Nothing to show is an error, and says what is missing. */
static int check_export(const struct cli_options *o, const struct snapshot *s)
{
	if (!s->n_routes)
		return log_error(LOG_NO_DATA, "no request was seen");
	if (o->kind == EXPORT_WALL || flame_rows(s, o->kind, is_row, NULL))
		return 0;
	log_hint(LOG_FIX, "--kind wall needs no stacks");
	return log_error(LOG_NO_DATA, "%s holds no %s", o->input,
			 o->kind == EXPORT_CPU ? "CPU sample of a request" :
						 "stack of a request that waited");
}

int cmd_export(const struct cli_options *o)
{
	struct pipeline_opts po = { .report = true,
				    .route_glob = o->route,
				    .stacks = o->kind != EXPORT_WALL };
	struct pipeline *p = pipeline_new(&po);
	struct snapshot *s = NULL;
	int status;

	if (!p)
		return log_error(LOG_NO_MEMORY, "out of memory");
	status = cmd_read_capture(o, p, NULL);
	if (!status) {
		s = pipeline_snapshot(p, 0, 1);
		status = s ? write_export(o, s) : log_error(LOG_NO_MEMORY, "out of memory");
	}
	if (!status && s)
		status = check_export(o, s);
	snapshot_free(s);
	pipeline_free(p);
	return status;
}
