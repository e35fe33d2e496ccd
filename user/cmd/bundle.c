/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/doctor.h"
#include "export/text.h"
#include "ingest/capture_read.h"
#include "ingest/record.h"
#include "pipeline.h"
#include "probe/hostfacts.h"
#include "probe/serverfacts.h"

enum { RESERVED_MAX = 256 << 10 }; /* far more than the attachments take when compressed */

struct bundle {
	struct serverfacts servers;
};

/* A text in the making. */
struct draft {
	char *text;
	size_t len;
	FILE *file;
};

static int draft_open(struct draft *d)
{
	d->text = NULL;
	d->file = open_memstream(&d->text, &d->len);
	return d->file ? 0 : -ENOMEM;
}

/* Attaches what was drafted, if making it went well. */
static int draft_attach(struct draft *d, struct capture_writer *w, const char *name, int err)
{
	if (fclose(d->file) && !err)
		err = -ENOMEM;
	if (!err)
		err = capture_writer_attach(w, name, (struct slice){ d->text, d->len });
	free(d->text);
	return err;
}

static int attach_doctor(struct capture_writer *w, struct probe *probe)
{
	struct draft d;
	int err = draft_open(&d);

	return err ? err : draft_attach(&d, w, "doctor", doctor_write(d.file, probe));
}

static int attach_host(struct capture_writer *w)
{
	struct draft d;
	int err = draft_open(&d);

	return err ? err : draft_attach(&d, w, "host", hostfacts_write(d.file, ""));
}

static int attach_servers(struct capture_writer *w, const struct serverfacts *s)
{
	struct draft d;
	int err = draft_open(&d);

	return err ? err : draft_attach(&d, w, "servers", serverfacts_write(d.file, s, ""));
}

/* Everything that was written so far, through the pipeline: what `report -i` would say of it. */
static int read_back(struct capture_writer *w, struct pipeline *p)
{
	int fd = capture_writer_reopen(w), err;
	const struct rec_hdr *rec;
	struct capture_reader *r;

	if (fd < 0)
		return fd;
	err = capture_reader_open_fd(&r, fd);
	if (!err) {
		while ((err = capture_reader_next(r, &rec)) == 1) {
			err = pipeline_record(p, rec);
			if (err)
				break;
		}
		capture_reader_close(r);
	}
	close(fd);
	pipeline_finish(p);
	return err;
}

static int attach_report(struct capture_writer *w)
{
	struct pipeline_opts po = { .report = true };
	struct text_opts to = { .color = TEXT_COLOR_NEVER, .ascii = true };
	struct pipeline *p = pipeline_new(&po);
	int err = p ? read_back(w, p) : -ENOMEM;
	struct snapshot *s = err ? NULL : pipeline_snapshot(p, 0, 0);
	struct draft d;

	if (!err && !s)
		err = -ENOMEM;
	if (!err)
		err = draft_open(&d);
	if (!err)
		err = draft_attach(&d, w, "report", export_text(d.file, s, EXPORT_ALL, &to));
	snapshot_free(s);
	pipeline_free(p);
	return err;
}

struct bundle *bundle_begin(struct capture_writer *w, struct probe *probe, uint64_t max_bytes)
{
	struct bundle *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	log_info("a bundle holds the beginnings of requests and answers as they were sent (paths, "
		 "cookies, statements), command lines, and facts of this host: send it only to "
		 "people who may see them");
	if (max_bytes)
		capture_writer_reserve(w,
				       max_bytes / 4 < RESERVED_MAX ? max_bytes / 4 : RESERVED_MAX);
	/* a write error comes back with the next record */
	attach_doctor(w, probe);
	attach_host(w);
	return b;
}

void bundle_record(struct bundle *b, const struct rec_hdr *rec)
{
	if (rec->type == REC_PROC)
		serverfacts_add(&b->servers, (const struct rec_proc *)rec);
}

int bundle_end(struct bundle *b, struct capture_writer *w)
{
	int err, report_err;

	if (!b)
		return 0;
	err = attach_servers(w, &b->servers);
	report_err = attach_report(w);
	bundle_drop(b);
	return err ? err : report_err;
}

void bundle_drop(struct bundle *b)
{
	free(b);
}
