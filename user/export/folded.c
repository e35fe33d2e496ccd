// SPDX-License-Identifier: GPL-2.0-only
/* Writes the wall time of a window as folded stacks. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/format.h"
#include "base/intern.h"
#include "export/folded.h"

struct stack {
	char *frames; /* "a;b;c", owned */
	uint64_t us;
};

struct stacks {
	struct stack *v;
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

static char *join_frames(const struct snap_route *r, const struct snap_part *p)
{
	const char *names[] = { intern_text(r->service), intern_text(r->route), intern_text(p->who),
				cause_name((enum cause)p->cause), intern_text(p->what) };
	char stack[5 * FRAME_SIZE + 8], *end = stack, frame[FRAME_SIZE];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		clean_frame(frame, names[i]);
		if (!*frame && i == 4)
			continue; /* nothing more is known than the cause */
		if (!*frame)
			strcpy(frame, "unknown");
		protect_leaf(frame);
		end += sprintf(end, "%s%s", end == stack ? "" : ";", frame);
	}
	return strdup(stack);
}

static int stacks_add(struct stacks *st, char *frames, uint64_t us)
{
	if (st->n == st->cap) {
		size_t cap = st->cap ? 2 * st->cap : 64;
		struct stack *v = realloc(st->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		st->v = v;
		st->cap = cap;
	}
	st->v[st->n++] = (struct stack){ frames, us };
	return 0;
}

static int collect(struct stacks *st, const struct snapshot *s)
{
	for (size_t i = 0; i < s->n_routes; i++) {
		const struct snap_route *r = &s->routes[i];

		for (size_t k = 0; r->entry && k < r->n_parts; k++) {
			uint64_t us;
			char *frames;

			if (__builtin_mul_overflow(r->parts[k].us, r->requests, &us))
				us = UINT64_MAX;
			if (!us)
				continue;
			frames = join_frames(r, &r->parts[k]);
			if (!frames || stacks_add(st, frames, us)) {
				free(frames);
				return -ENOMEM;
			}
		}
	}
	return 0;
}

static int by_frames(const void *a, const void *b)
{
	return strcmp(((const struct stack *)a)->frames, ((const struct stack *)b)->frames);
}

static int write_stacks(FILE *out, struct stacks *st)
{
	if (st->n)
		qsort(st->v, st->n, sizeof(st->v[0]), by_frames);
	for (size_t i = 0; i < st->n; i++) {
		if (i + 1 < st->n && !strcmp(st->v[i].frames, st->v[i + 1].frames)) {
			if (__builtin_add_overflow(st->v[i].us, st->v[i + 1].us, &st->v[i + 1].us))
				st->v[i + 1].us = UINT64_MAX;
			continue;
		}
		errno = 0;
		if (fprintf(out, "%s %" PRIu64 "\n", st->v[i].frames, st->v[i].us) < 0)
			return errno ? -errno : -EIO;
	}
	errno = 0;
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

int export_folded(FILE *out, const struct snapshot *s)
{
	struct stacks st = { 0 };
	int err = collect(&st, s);

	if (!err)
		err = write_stacks(out, &st);
	for (size_t i = 0; i < st.n; i++)
		free(st.v[i].frames);
	free(st.v);
	return err;
}
