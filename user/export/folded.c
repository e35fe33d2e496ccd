// SPDX-License-Identifier: GPL-2.0-only
/* Writes rows of a flame graph as folded stacks. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/format.h"
#include "export/flame.h"
#include "export/folded.h"

struct line {
	char *frames; /* "a;b;c", owned */
	uint64_t weight;
};

struct lines {
	struct line *v;
	size_t n, cap;
};

enum { FRAME_COLS = 240, FRAME_SIZE = 4 * FRAME_COLS };

/* One frame: safe to print, no separator, no blanks at its ends; empty only if the name was. */
static void clean_frame(char buf[FRAME_SIZE], const char *name)
{
	size_t len;

	format_clean(buf, FRAME_SIZE, name ? name : "", FRAME_COLS, false);
	for (char *p = buf; *p; p++)
		if (*p == ';')
			*p = ':';
	len = strlen(buf);
	while (len && buf[len - 1] == ' ')
		buf[--len] = '\0';
	len = strspn(buf, " ");
	memmove(buf, buf + len, strlen(buf + len) + 1);
	if (*buf == '#') /* readers skip such lines when it is the first frame */
		*buf = '_';
}

/* Readers find N behind the last blank; a leaf "SELECT 1" would lend them its own digits when
 * somebody cuts the count off. */
static void protect_leaf(char *leaf)
{
	size_t len = strlen(leaf), at = len;

	while (at && isdigit((unsigned char)leaf[at - 1]))
		at--;
	if (at && at < len && leaf[at - 1] == ' ')
		leaf[at - 1] = '_';
}

/* The row's frames as one text, or NULL without memory. The first two are service and route. */
static char *join_frames(const struct flame_row *row)
{
	char frame[FRAME_SIZE], *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool failed;

	if (!out)
		return NULL;
	for (size_t i = 0; i < row->n; i++) {
		clean_frame(frame, row->frames[i]);
		if (!*frame)
			strcpy(frame, "unknown");
		protect_leaf(frame);
		fprintf(out, "%s%s%s", i ? ";" : "", i > 2 && i == row->kernel_at ? "-;" : "",
			frame);
	}
	failed = ferror(out);
	if (!fclose(out) && !failed)
		return text;
	free(text);
	return NULL;
}

static int lines_add(struct lines *lines, char *frames, uint64_t weight)
{
	if (lines->n == lines->cap) {
		size_t cap = lines->cap ? 2 * lines->cap : 64;
		struct line *v = realloc(lines->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		lines->v = v;
		lines->cap = cap;
	}
	lines->v[lines->n++] = (struct line){ frames, weight };
	return 0;
}

static int collect(void *ctx, const struct flame_row *row)
{
	char *frames = join_frames(row);

	if (frames && !lines_add(ctx, frames, row->weight))
		return 0;
	free(frames);
	return -ENOMEM;
}

static int by_frames(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->frames, ((const struct line *)b)->frames);
}

static int write_lines(FILE *out, struct lines *lines)
{
	if (lines->n)
		qsort(lines->v, lines->n, sizeof(lines->v[0]), by_frames);
	for (size_t i = 0; i < lines->n; i++) {
		if (i + 1 < lines->n && !strcmp(lines->v[i].frames, lines->v[i + 1].frames)) {
			if (__builtin_add_overflow(lines->v[i].weight, lines->v[i + 1].weight,
						   &lines->v[i + 1].weight))
				lines->v[i + 1].weight = UINT64_MAX;
			continue;
		}
		errno = 0;
		if (fprintf(out, "%s %" PRIu64 "\n", lines->v[i].frames, lines->v[i].weight) < 0)
			return errno ? -errno : -EIO;
	}
	errno = 0;
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

int export_folded(FILE *out, const struct snapshot *s, enum export_kind kind)
{
	struct lines lines = { 0 };
	int err = flame_rows(s, kind, collect, &lines);

	if (!err)
		err = write_lines(out, &lines);
	for (size_t i = 0; i < lines.n; i++)
		free(lines.v[i].frames);
	free(lines.v);
	return err;
}
