/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports and exports: one snapshot of a whole interval, from a capture or measured now. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/outfile.h"
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

struct report_job {
	const struct cli_options *options;
	const struct snapshot *snapshot;
	const struct attachments *facts;
};

static int report_to(void *ctx, FILE *out)
{
	const struct report_job *job = ctx;
	const struct cli_options *o = job->options;
	struct text_opts to = cmd_text_opts(o);
	bool wants_facts = o->report & EXPORT_FACTS;
	int err = 0;

	if (o->format == CLI_JSON)
		err = export_ndjson(out, job->snapshot, o->report);
	else if (o->report != EXPORT_FACTS)
		err = export_text(out, job->snapshot, o->report, &to);
	if (!err && wants_facts && o->format == CLI_JSON)
		err = attachments_json(out, job->facts);
	else if (!err && wants_facts)
		err = attachments_print(out, job->facts);
	return err;
}

/* Writes to where -o says: a file is there whole, or not at all. 0 or the exit status. */
static int write_output(const struct cli_options *o, outfile_write_fn fn, void *job)
{
	int err;

	if (!strcmp(o->output, "-")) {
		err = fn(job, stdout);
		return err ? cmd_output_error("standard output", err) : 0;
	}
	err = outfile_write(o->output, fn, job);
	if (!err)
		return 0;
	log_hint(LOG_EFFECT, "nothing was written");
	return cmd_output_error(o->output, err);
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
	if (!status) {
		struct report_job job = { o, s, &facts };

		status = write_output(o, report_to, &job);
	}
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

struct export_job {
	const struct cli_options *options;
	const struct snapshot *snapshot;
};

static int export_to(void *ctx, FILE *out)
{
	const struct export_job *job = ctx;
	enum export_kind kind = job->options->kind;

	return job->options->format == CLI_SPEEDSCOPE ?
		       export_speedscope(out, job->snapshot, kind) :
		       export_folded(out, job->snapshot, kind);
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
		status = s ? check_export(o, s) : log_error(LOG_NO_MEMORY, "out of memory");
	}
	if (!status) {
		struct export_job job = { o, s };

		status = write_output(o, export_to, &job);
	}
	snapshot_free(s);
	pipeline_free(p);
	return status;
}
