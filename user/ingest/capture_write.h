/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing a capture, so that at every moment what is on disk can be read up to its last block.
 *
 * A file is written as PATH.part, mode 0600, and takes its name when it is closed; a capture that
 * had the name before is kept as PATH.old. After a crash PATH.part is what remains. A PATH.part
 * left by such a crash is kept as PATH.part.old by the next recording. What has the names is never
 * written to, nor followed (base/outfile.h); PATH and PATH.part may only be regular files.
 *
 * The process must ignore SIGPIPE and SIGXFSZ, to see the errors that they announce.
 */
#ifndef TARDY_INGEST_CAPTURE_WRITE_H
#define TARDY_INGEST_CAPTURE_WRITE_H
#include <stdint.h>
#include "base/slice.h"
#include "bpf/abi.h"

struct capture_writer;

/* Starts a capture at path; "-" is standard output. max_bytes: size of the file that is not
 * exceeded, 0 = none. The caller closes *out.
 * Errors: -ENOTTY output is a terminal, those of outfile_open(), -EBUSY another recorder writes it, -EFBIG
 * max_bytes is too small for anything, -ENOMEM, and those of open(2). */
int capture_writer_open(struct capture_writer **out, const char *path, uint64_t max_bytes);
/* The same to a descriptor that stays the caller's. */
int capture_writer_open_fd(struct capture_writer **out, int fd, uint64_t max_bytes);

/* Appends a copy of rec, all rec->len bytes. Errors, after which nothing more is taken and each
 * call gives the same: -EFBIG the next block would exceed max_bytes (the file is finished
 * cleanly), -ENOSPC no space, quota or file size limit, -EPIPE, other errors of write(2).
 * -EMSGSIZE: this record is shorter than its header or longer than a block; others still fit. */
int capture_writer_add(struct capture_writer *w, const struct rec_hdr *rec);
/* Writes what is pending when a second of now_ns (CLOCK_MONOTONIC) has passed since it was last
 * done. Errors as above. */
int capture_writer_tick(struct capture_writer *w, uint64_t now_ns);
/* Attaches a copy of text under a name (capture_name_valid()), behind the records so far. Errors as
 * of capture_writer_add(); -EINVAL no name, -EMSGSIZE more than CAPTURE_TEXT_MAX bytes: others
 * still fit. After -EFBIG of records there is room within what was reserved. */
int capture_writer_attach(struct capture_writer *w, const char *name, struct slice text);
/* Keeps so many bytes of max_bytes from records, for attachments to come. Before the first record.
 * Once records reach what is left the file is finished by capture_writer_close() only. */
void capture_writer_reserve(struct capture_writer *w, uint64_t bytes);
/* Writes what is pending and opens what was written so far for reading; the caller closes it.
 * Negative errno, -ESPIPE when the output is no file. */
int capture_writer_reopen(struct capture_writer *w);
/* Bytes written, and records that are in them or pending. */
uint64_t capture_writer_bytes(const struct capture_writer *w);
uint64_t capture_writer_records(const struct capture_writer *w);
/* Writes what is pending and the end, gives the file its name, frees w (NULL is fine). 0 when
 * the capture is whole and in its place, also when max_bytes ended it; else the first error,
 * after which the file still has its name and is whole up to its last block, unless renaming
 * itself failed: then it is PATH.part. */
int capture_writer_close(struct capture_writer *w);
#endif
