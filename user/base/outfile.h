/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that are written for a user. tardy runs as root, in directories where others may have put
 * something at the name that it was given: so the name itself is never opened. A new file of mode
 * 0600 is made beside it and takes the name when it is whole (rename(2)), so that what had the
 * name is replaced, never written to, whoever owns it. What is no regular file (a link, a pipe, a
 * device, a directory) is refused: who wants a stream says "-".
 *
 * Names are handled through the directory's descriptor, so that a directory that is moved away
 * meanwhile does no harm.
 */
#ifndef TARDY_BASE_OUTFILE_H
#define TARDY_BASE_OUTFILE_H
#include <stdio.h>

struct outfile {
	int dir_fd; /* of the names below, -1 = not open */
	char *name; /* within dir_fd */
	char *part; /* what is written until it is published; NULL = none was made */
};

/* What a failed open leaves, and what outfile_release() may be called on. */
#define OUTFILE_NONE ((struct outfile){ .dir_fd = -1 })

/* Splits path and looks at what has the name. Errors: -ELOOP a symbolic link, -EISDIR, -EINVAL a
 * pipe, socket or device, -ENOMEM, and those of open(2) of the directory. The caller releases. */
int outfile_open(struct outfile *o, const char *path);
/* Makes the file to write to: named NAME and suffix, or, with NULL, a name of its own that nobody
 * can know before. A descriptor (the caller's) or negative errno: -EEXIST the suffixed name is in
 * use, -ENOMEM, and those of open(2). */
int outfile_create(struct outfile *o, const char *suffix);
/* Gives the file its name. keep: suffix of the name that what had NAME before is given, NULL = it is
 * replaced. Looks again as outfile_open() does; on failure the file stays under its own name. */
int outfile_publish(struct outfile *o, const char *keep);
/* Removes the file again. */
void outfile_discard(struct outfile *o);
/* Frees the names; twice is fine. Removes nothing. */
void outfile_release(struct outfile *o);

/* What writes a whole text to a stream: 0 or negative errno. */
typedef int (*outfile_write_fn)(void *ctx, FILE *out);
/* Writes a file from beginning to end: all of it under its name, synced, or nothing at all.
 * 0 or the first error: those above, those of write, -ENOSPC, ... */
int outfile_write(const char *path, outfile_write_fn fn, void *ctx);
#endif
