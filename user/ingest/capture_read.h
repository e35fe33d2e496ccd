/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading a capture as a source of records; the algorithm is in capture_format.h. */
#ifndef TARDY_INGEST_CAPTURE_READ_H
#define TARDY_INGEST_CAPTURE_READ_H
#include <stdint.h>
#include "base/slice.h"
#include "ingest/source.h"

struct capture_reader;

enum capture_status {
	CAPTURE_READING, /* records are left */
	CAPTURE_WHOLE, /* all was read, and the recorder had finished the file */
	CAPTURE_TRUNCATED, /* it ends without an end, or within a block */
	CAPTURE_CORRUPT, /* a block is damaged; reading stopped before it */
};

/* An attachment: a name (capture_name_valid()) and any text. Both are valid during the call. */
typedef void (*capture_attachment_fn)(void *ctx, struct slice name, struct slice text);

/* Opens the capture at path, "-" = standard input; pipes will do. The caller closes *out.
 * Errors: -EBADMSG not a capture, -EPROTONOSUPPORT made with features that this version does not
 * know, -EISDIR, -ENOMEM, and those of open(2) and read(2). */
int capture_reader_open(struct capture_reader **out, const char *path);
/* The same from a descriptor that stays the caller's, from its current offset. */
int capture_reader_open_fd(struct capture_reader **out, int fd);
/* fn gets each attachment as it is passed, during capture_reader_next(). Without it they are checked
 * and dropped. */
void capture_reader_on_attachment(struct capture_reader *r, capture_attachment_fn fn, void *ctx);
/* The reader as a source, until capture_reader_close(); the source's own close does the same.
 * next() gives 0 at the end, whatever its reason: see capture_reader_status(). */
struct source *capture_reader_source(struct capture_reader *r);
int capture_reader_next(struct capture_reader *r, const struct rec_hdr **out);
enum capture_status capture_reader_status(const struct capture_reader *r);
/* Static text for a status, such as "truncated". */
const char *capture_status_text(enum capture_status status);
/* Static text for an error of capture_reader_open(), for people. */
const char *capture_reader_strerror(int err);
/* Records delivered and bytes of the file read so far. */
uint64_t capture_reader_records(const struct capture_reader *r);
uint64_t capture_reader_bytes(const struct capture_reader *r);
void capture_reader_close(struct capture_reader *r);
#endif
