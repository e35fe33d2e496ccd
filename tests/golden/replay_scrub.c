// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies a capture without what names the machine it was made on, so that it can be kept with the
 * tests: replay_scrub FROM TO [MILLISECONDS]. What lies more than so long after the first record
 * is left out. Built and run by replay.sh when it records.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/capture_read.h"
#include "ingest/capture_write.h"
#include "ingest/record.h"

static void put_text(uint8_t *field, size_t size, const char *text)
{
	memset(field, 0, size);
	memcpy(field, text, strlen(text));
}

/* Words of a command line without their folders. */
static void strip_folders(uint8_t *title, size_t size)
{
	char words[256];
	size_t at = 0;

	snprintf(words, sizeof(words), "%.*s", (int)size - 1, (const char *)title);
	memset(title, 0, size);
	for (char *rest = words, *word; (word = strsep(&rest, " ")) != NULL;) {
		char *slash = strrchr(word, '/');

		at += (size_t)snprintf((char *)title + at, size - at, "%s%s", at ? " " : "",
				       slash ? slash + 1 : word);
	}
}

static void scrub(struct rec_hdr *rec)
{
	if (record_check(rec) != 1)
		return;
	if (rec->type == REC_META) {
		struct rec_meta *m = (void *)rec;
		size_t release = strspn((const char *)m->kernel, "0123456789.");

		put_text(m->hostname, sizeof(m->hostname), "classroom");
		if (release < sizeof(m->kernel))
			memset(m->kernel + release, 0, sizeof(m->kernel) - release);
	} else if (rec->type == REC_PROC) {
		struct rec_proc *p = (void *)rec;

		put_text(p->cgroup, sizeof(p->cgroup), "/");
		strip_folders(p->title, sizeof(p->title));
	}
}

static int copy(struct capture_reader *from, struct capture_writer *to, uint64_t keep_ns)
{
	const struct rec_hdr *rec;
	uint64_t first_ns = 0;
	int err = 0, more;

	while (!err && (more = capture_reader_next(from, &rec)) != 0) {
		struct rec_hdr *mine;

		if (more < 0)
			return more;
		if (!first_ns)
			first_ns = rec->ts_ns;
		if (keep_ns && rec->ts_ns > first_ns + keep_ns)
			continue;
		mine = malloc(rec->len);
		if (!mine)
			abort();
		memcpy(mine, rec, rec->len);
		scrub(mine);
		err = capture_writer_add(to, mine);
		free(mine);
	}
	return err;
}

int main(int argc, char **argv)
{
	uint64_t keep_ms = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	struct capture_reader *from;
	struct capture_writer *to;
	int err;

	if (argc < 3)
		return 2;
	err = capture_reader_open(&from, argv[1]);
	if (!err) {
		err = capture_writer_open(&to, argv[2], 0);
		if (!err) {
			err = copy(from, to, keep_ms * 1000000);
			if (!err)
				err = capture_writer_close(to);
		}
		capture_reader_close(from);
	}
	if (err)
		fprintf(stderr, "replay_scrub: %s\n", strerror(-err));
	return err ? 1 : 0;
}
