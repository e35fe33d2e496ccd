/* SPDX-License-Identifier: GPL-2.0-only */
/* tardy: why is this request late? Chooses the command. */
#include <errno.h>
#include <locale.h>
#include <signal.h>

#include "base/intern.h"
#include "base/log.h"
#include "cli.h"
#include "cmd/cmd.h"

static int run(const struct cli_options *o)
{
	switch (o->command) {
	case CLI_TOP:
	case CLI_REPLAY:
		return cmd_top(o);
	case CLI_RECORD:
		return cmd_record(o);
	case CLI_REPORT:
		return cmd_report(o);
	case CLI_EXPORT:
		return cmd_export(o);
	case CLI_DOCTOR:
		return cmd_doctor(o);
	case CLI_EXPLAIN:
		if (!o->code) {
			log_explain_all(stdout);
			return EXIT_FINE;
		}
		if (log_explain(stdout, o->code))
			return log_error(LOG_USAGE, "no error has the code %s", o->code);
		return EXIT_FINE;
	default:
		return cli_print(stdout, o);
	}
}

int main(int argc, char **argv)
{
	struct cli_options o;
	int status;

	setlocale(LC_CTYPE, "");
	/* a closed pipe and a file size limit are errors of write(2), to be reported */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	status = cli_parse(argc, argv, &o);
	if (status)
		return status;
	log_set_quiet(o.quiet);
	log_set_verbose(o.verbose);
	status = run(&o);
	/* what no command has found out: text that was small enough to wait in the buffer */
	errno = 0;
	if (status == EXIT_FINE && (fflush(stdout) || ferror(stdout)))
		status = cmd_output_error("standard output", errno ? -errno : -EIO);
	intern_release();
	return status;
}
