// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real captures with flipped bits, through everything that a report does: reader, pipeline,
 * snapshot and every export. Random bytes never look like a recording, so the input says only what
 * to change: its first byte which of the captures of tests/golden and at which level, then groups
 * of five, a place and a mask.
 *
 *   even  bits of the file: checksums find them, and what came before is used
 *   odd   bits of the records, each with its own length: nothing finds them
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

enum { CAPTURES_MAX = 16, FLIPS_MAX = 64, FILE_MAX = 4 << 20 };

static struct {
	uint8_t *file, *records; /* records one behind the other, padded as in a block */
	size_t file_len, records_len;
} captures[CAPTURES_MAX];
static size_t n_captures;

int LLVMFuzzerInitialize(int *argc, char ***argv);

static void unpack(uint8_t **out, size_t *len, const uint8_t *file, size_t file_len)
{
	int fd = memfd_create("replay_fuzz", MFD_CLOEXEC);
	const struct rec_hdr *rec;
	struct capture_reader *r;

	MUST(fd >= 0 && pwrite(fd, file, file_len, 0) == (ssize_t)file_len);
	MUST(!capture_reader_open_fd(&r, fd));
	while (capture_reader_next(r, &rec) == 1) {
		size_t padded = (rec->len + 7u) & ~(size_t)7;

		*out = realloc(*out, *len + padded);
		MUST(*out);
		memset(*out + *len, 0, padded);
		memcpy(*out + *len, rec, rec->len);
		*len += padded;
	}
	MUST(capture_reader_status(r) == CAPTURE_WHOLE);
	capture_reader_close(r);
	close(fd);
}

/* Captures are found from the root of the repository, where suites run. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct dirent **names;
	int n = scandir("tests/golden", &names, NULL, alphasort);

	(void)argc, (void)argv;
	for (int i = 0; i < n; i++) {
		size_t len = strlen(names[i]->d_name);
		char path[512];
		ssize_t got;
		int fd;

		if (n_captures < CAPTURES_MAX && len > 5 &&
		    !strcmp(names[i]->d_name + len - 5, ".data")) {
			snprintf(path, sizeof(path), "tests/golden/%s", names[i]->d_name);
			fd = open(path, O_RDONLY | O_CLOEXEC);
			captures[n_captures].file = malloc(FILE_MAX);
			MUST(fd >= 0 && captures[n_captures].file);
			got = read(fd, captures[n_captures].file, FILE_MAX);
			MUST(got > 0);
			close(fd);
			captures[n_captures].file_len = (size_t)got;
			unpack(&captures[n_captures].records, &captures[n_captures].records_len,
			       captures[n_captures].file, (size_t)got);
			n_captures++;
		}
		free(names[i]);
	}
	free(names);
	MUST(n_captures);
	return 0;
}

static uint8_t *flipped(const uint8_t *from, size_t len, const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(len);
	uint32_t place;

	MUST(copy);
	memcpy(copy, from, len);
	for (size_t i = 0; i < FLIPS_MAX && size >= 5; i++, data += 5, size -= 5) {
		memcpy(&place, data, sizeof(place));
		copy[place % len] ^= data[4];
	}
	return copy;
}

static void feed_file(struct pipeline *p, const uint8_t *file, size_t len)
{
	int fd = memfd_create("replay_fuzz", MFD_CLOEXEC);
	const struct rec_hdr *rec;
	struct capture_reader *r;

	MUST(fd >= 0 && pwrite(fd, file, len, 0) == (ssize_t)len);
	if (!capture_reader_open_fd(&r, fd)) {
		while (capture_reader_next(r, &rec) == 1)
			MUST(!pipeline_record(p, rec));
		MUST(capture_reader_status(r) != CAPTURE_READING);
		capture_reader_close(r);
	}
	close(fd);
}

/* Each record alone in memory of its size, so that reading behind it is found. */
static void feed_records(struct pipeline *p, const uint8_t *whole, const uint8_t *bent, size_t len)
{
	size_t at = 0;

	while (at < len) {
		struct rec_hdr was, *rec;

		memcpy(&was, whole + at, sizeof(was));
		rec = malloc(was.len);
		MUST(rec);
		memcpy(rec, bent + at, was.len);
		/* the reader vouches for this much */
		if (rec->len > was.len || rec->len < sizeof(*rec))
			rec->len = was.len;
		MUST(!pipeline_record(p, rec));
		free(rec);
		at += (was.len + 7u) & ~(size_t)7;
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
	struct pipeline_opts po = { .report = true };
	size_t which = size ? data[0] / 2 % n_captures : 0;
	struct pipeline *p = pipeline_new(&po);
	struct snapshot *s;
	uint8_t *bent;

	MUST(p);
	if (size && data[0] % 2) {
		bent = flipped(captures[which].records, captures[which].records_len, data + 1,
			       size - 1);
		feed_records(p, captures[which].records, bent, captures[which].records_len);
	} else {
		bent = flipped(captures[which].file, captures[which].file_len, data + 1,
			       size ? size - 1 : 0);
		feed_file(p, bent, captures[which].file_len);
	}
	free(bent);
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
