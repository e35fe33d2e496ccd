// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real captures, damaged, through everything that a report does: reader, pipeline, snapshot and
 * every export. Random bytes never look like a recording, so the input says only what to change. Its
 * first byte: which capture of tests/golden and tests/fuzz/captures. Its second byte, the level:
 *
 *   0..7  the file: groups of five, a place and a mask. Checksums find them, and what came before is
 *         used
 *   8..   the records, which nothing finds: where to begin and how many to take (a byte each, in
 *         parts of 256 of the capture and of RECORDS_MAX), then groups of six: what to do (enum
 *         damage), a place, a mask. So few records, because their exports take most of the time
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/intern.h"
#include "export/folded.h"
#include "export/ndjson.h"
#include "export/speedscope.h"
#include "export/text.h"
#include "fuzz.h"
#include "ingest/capture_read.h"
#include "pipeline.h"

enum { CAPTURES_MAX = 32, CHANGES_MAX = 64, FILE_MAX = 4 << 20, RECORDS_MAX = 128 };

/* What can happen to a record between two hosts, or in the hands of somebody who edits it. */
enum { FILE_LEVELS = 8 };
enum damage { FLIP, DROP, REPEAT, SWAP, CUT, DAMAGES };

static struct capture {
	uint8_t *file;
	size_t file_len;
	struct rec_hdr **records; /* each in memory of its own size */
	size_t n_records;
} captures[CAPTURES_MAX];
static size_t n_captures;

int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct rec_hdr *record_copy(const struct rec_hdr *rec)
{
	struct rec_hdr *copy = malloc(rec->len);

	MUST(copy);
	memcpy(copy, rec, rec->len);
	return copy;
}

/* NULL when it is no capture any more. *fd is the caller's to close, after the reader. */
static struct capture_reader *reader_of(const uint8_t *file, size_t len, int *fd)
{
	struct capture_reader *r;

	*fd = memfd_create("replay_fuzz", MFD_CLOEXEC);
	MUST(*fd >= 0 && pwrite(*fd, file, len, 0) == (ssize_t)len);
	return capture_reader_open_fd(&r, *fd) ? NULL : r;
}

static void unpack(struct capture *c)
{
	int fd;
	struct capture_reader *r = reader_of(c->file, c->file_len, &fd);
	const struct rec_hdr *rec;

	MUST(r);
	while (capture_reader_next(r, &rec) == 1) {
		c->records = realloc(c->records, (c->n_records + 1) * sizeof(struct rec_hdr *));
		MUST(c->records);
		c->records[c->n_records++] = record_copy(rec);
	}
	MUST(capture_reader_status(r) == CAPTURE_WHOLE && c->n_records);
	capture_reader_close(r);
	close(fd);
}

static void load(const char *path)
{
	struct capture *c = &captures[n_captures++];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	c->file = malloc(FILE_MAX);
	MUST(fd >= 0 && c->file);
	got = read(fd, c->file, FILE_MAX);
	MUST(got > 0);
	close(fd);
	c->file_len = (size_t)got;
	unpack(c);
}

static void load_all(const char *folder)
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);

	MUST(n > 0);
	for (int i = 0; i < n; i++) {
		size_t len = strlen(names[i]->d_name);
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (n_captures < CAPTURES_MAX && len > 5 &&
		    !strcmp(names[i]->d_name + len - 5, ".data"))
			load(path);
		free(names[i]);
	}
	free(names);
}

/* Captures are found from the root of the repository, where suites run. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	load_all("tests/golden");
	load_all("tests/fuzz/captures");
	return 0;
}

static uint32_t place_of(const uint8_t *data)
{
	uint32_t place;

	memcpy(&place, data, sizeof(place));
	return place;
}

static void feed_file(struct pipeline *p, const struct capture *c, const uint8_t *data, size_t size)
{
	uint8_t *bent = malloc(c->file_len);
	const struct rec_hdr *rec;
	struct capture_reader *r;
	int fd;

	MUST(bent);
	memcpy(bent, c->file, c->file_len);
	for (size_t i = 0; i < CHANGES_MAX && size >= 5; i++, data += 5, size -= 5)
		bent[place_of(data) % c->file_len] ^= data[4];
	r = reader_of(bent, c->file_len, &fd);
	free(bent);
	while (r && capture_reader_next(r, &rec) == 1)
		MUST(!pipeline_record(p, rec));
	MUST(!r || capture_reader_status(r) != CAPTURE_READING);
	capture_reader_close(r);
	close(fd);
}

/* The records that are fed, each its own. */
static struct rec_hdr *window[2 * RECORDS_MAX];

/* data: a damage, a place (16 bits which record, 16 where in it), a mask. */
static void change(size_t *n, const uint8_t *data)
{
	struct rec_hdr **v = window;
	uint32_t place = place_of(data + 1), which, at = place >> 16, len;
	struct rec_hdr *rec, *other;

	MUST(*n);
	which = place % *n;
	rec = v[which];
	len = rec->len;
	switch (data[0] % DAMAGES) {
	case FLIP:
		((uint8_t *)rec)[at % len] ^= data[5];
		/* the reader vouches for this much */
		rec->len = len;
		break;
	case DROP:
		if (*n == 1)
			break;
		free(rec);
		memmove(v + which, v + which + 1, (--*n - which) * sizeof(*v));
		break;
	case REPEAT: /* later in the stream, or sooner */
		if (*n == 2 * (size_t)RECORDS_MAX)
			break;
		v[(*n)++] = record_copy(rec);
		other = v[at % *n];
		v[at % *n] = v[*n - 1];
		v[*n - 1] = other;
		break;
	case SWAP:
		other = v[at % *n];
		v[at % *n] = rec;
		v[which] = other;
		break;
	case CUT:
		rec->len = sizeof(*rec) + at % (len - (uint32_t)sizeof(*rec) + 1);
		v[which] = record_copy(rec);
		free(rec);
		break;
	}
}

/* Each record alone in memory of its size, so that reading behind it is found. */
static void feed_records(struct pipeline *p, const struct capture *c, const uint8_t *data,
			 size_t size)
{
	size_t from = size ? c->n_records * data[0] / 256 : 0;
	size_t n = size > 1 ? (size_t)RECORDS_MAX * data[1] / 256 + 1 : RECORDS_MAX;
	struct rec_hdr **v = window;

	n = n < c->n_records - from ? n : c->n_records - from;
	for (size_t i = 0; i < n; i++)
		v[i] = record_copy(c->records[from + i]);
	data += size < 2 ? size : 2;
	size -= size < 2 ? size : 2;
	for (size_t i = 0; i < CHANGES_MAX && size >= 6; i++, data += 6, size -= 6)
		change(&n, data);
	for (size_t i = 0; i < n; i++) {
		MUST(!pipeline_record(p, v[i]));
		free(v[i]);
	}
}

static void export_all(const struct snapshot *s)
{
	static const struct text_opts to = { .color = TEXT_COLOR_ALWAYS, .internal = true };
	FILE *f = fopen("/dev/null", "w");

	MUST(f);
	MUST(!export_text(f, s, EXPORT_ALL, &to));
	MUST(!export_ndjson(f, s, EXPORT_ALL));
	for (int kind = 0; kind <= EXPORT_WALL; kind++) {
		MUST(!export_folded(f, s, (enum export_kind)kind));
		MUST(!export_speedscope(f, s, (enum export_kind)kind));
	}
	fclose(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct capture *c = &captures[size ? data[0] % n_captures : 0];
	struct pipeline_opts po = { .report = true };
	struct pipeline *p = pipeline_new(&po);
	struct snapshot *s;

	MUST(p);
	if (size > 1 && data[1] >= FILE_LEVELS)
		feed_records(p, c, data + 2, size - 2);
	else
		feed_file(p, c, data + (size > 1 ? 2 : 0), size > 1 ? size - 2 : 0);
	s = pipeline_snapshot(p, 5, 500);
	MUST(s);
	export_all(s);
	snapshot_free(s);
	pipeline_finish(p);
	s = pipeline_snapshot(p, 0, 0);
	MUST(s);
	export_all(s);
	snapshot_free(s);
	pipeline_free(p);
	intern_release();
	return 0;
}
