// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of capture files: reads forward only, so that pipes work, and holds one block.
 * Everything in the file is hostile until it was checked.
 */
#include "ingest/capture_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "ingest/capture_format.h"
#include "ingest/record_old.h"

struct capture_reader {
	struct source source; /* first member: a source pointer is a reader pointer */
	int fd;
	bool own_fd;
	enum capture_status status;
	int err; /* of read(2), sticky */
	uint32_t seq; /* of the next block */
	uint64_t bytes, records;
	ZSTD_DCtx *dctx;
	unsigned char *stored, *raw; /* malloc: aligned to 16 */
	unsigned char *present; /* an old record in the present one's form */
	size_t stored_cap, raw_cap, present_cap;
	size_t raw_len, at; /* of the current block, and of the next record in it */
	capture_attachment_fn on_attachment;
	void *attachment_ctx;
};

/* Reads up to len bytes, fewer only at the end of the file; negative errno. */
static ssize_t read_some(struct capture_reader *r, void *buf, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = read(r->fd, (char *)buf + got, len - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	r->bytes += got;
	return (ssize_t)got;
}

/* Ends reading; 0 so that callers can return it as "no more records". */
static int finish(struct capture_reader *r, enum capture_status status)
{
	r->status = status;
	return 0;
}

static int fail(struct capture_reader *r, int err)
{
	r->err = err;
	return err;
}

static int buffer_fit(unsigned char **buf, size_t *cap, size_t len)
{
	unsigned char *v;

	if (len <= *cap)
		return 0;
	v = realloc(*buf, len);
	if (!v)
		return -ENOMEM;
	*buf = v;
	*cap = len;
	return 0;
}

/* Do the records fill raw exactly, and are there n of them? */
static bool records_valid(const unsigned char *raw, size_t raw_len, uint32_t n_records)
{
	uint32_t n = 0;
	size_t at = 0;

	while (at < raw_len) {
		const struct rec_hdr *rec = (const void *)(raw + at);
		size_t padded;

		if (raw_len - at < sizeof(*rec) || rec->len < sizeof(*rec))
			return false;
		padded = capture_padded(rec->len);
		if (padded > raw_len - at)
			return false;
		at += padded;
		n++;
	}
	return n == n_records;
}

static bool block_head_valid(const struct capture_reader *r, const struct capture_block *b)
{
	return b->magic == CAPTURE_BLOCK_MAGIC &&
	       b->crc == crc32(0, (const void *)b, offsetof(struct capture_block, crc)) &&
	       b->seq == r->seq && b->stored_len <= CAPTURE_BLOCK_RAW_MAX &&
	       b->raw_len <= CAPTURE_BLOCK_RAW_MAX;
}

/* Gives the attachment in raw away. 1, or as next(). */
static int attachment(struct capture_reader *r, const struct capture_block *b)
{
	const struct capture_attachment *a = (const void *)r->raw;
	const char *name = (const char *)(a + 1);

	if (b->n_records || b->raw_len < sizeof(*a) ||
	    sizeof(*a) + (uint64_t)a->name_len + a->text_len != b->raw_len ||
	    a->text_len > CAPTURE_TEXT_MAX || !capture_name_valid(name, a->name_len))
		return finish(r, CAPTURE_CORRUPT);
	if (r->on_attachment)
		r->on_attachment(r->attachment_ctx, (struct slice){ name, a->name_len },
				 (struct slice){ name + a->name_len, a->text_len });
	return 1;
}

/* Reads the stored bytes of a block and unpacks those that are known. 1: ready; else as next(). */
static int block_body(struct capture_reader *r, const struct capture_block *b)
{
	ssize_t got;
	size_t len;

	if (buffer_fit(&r->stored, &r->stored_cap, b->stored_len) ||
	    buffer_fit(&r->raw, &r->raw_cap, b->raw_len))
		return fail(r, -ENOMEM);
	got = read_some(r, r->stored, b->stored_len);
	if (got < 0)
		return fail(r, (int)got);
	if ((size_t)got < b->stored_len)
		return finish(r, CAPTURE_TRUNCATED);
	if (crc32(0, r->stored, b->stored_len) != b->stored_crc)
		return finish(r, CAPTURE_CORRUPT);
	if (b->kind != CAPTURE_RECORDS && b->kind != CAPTURE_ATTACHMENT)
		return 1;
	if (!b->raw_len || !b->stored_len)
		return finish(r, CAPTURE_CORRUPT);
	len = ZSTD_decompressDCtx(r->dctx, r->raw, b->raw_len, r->stored, b->stored_len);
	if (ZSTD_isError(len) || len != b->raw_len)
		return finish(r, CAPTURE_CORRUPT);
	if (b->kind == CAPTURE_ATTACHMENT)
		return attachment(r, b);
	if (!records_valid(r->raw, b->raw_len, b->n_records))
		return finish(r, CAPTURE_CORRUPT);
	r->raw_len = b->raw_len;
	r->at = 0;
	return 1;
}

static int file_end(struct capture_reader *r, const struct capture_block *b)
{
	char more;
	ssize_t got;

	if (b->stored_len || b->raw_len || b->n_records)
		return finish(r, CAPTURE_CORRUPT);
	got = read_some(r, &more, 1);
	if (got < 0)
		return fail(r, (int)got);
	return finish(r, got ? CAPTURE_CORRUPT : CAPTURE_WHOLE);
}

/* 1: a block was passed, whether it held records or not; else as next(). */
static int block_next(struct capture_reader *r)
{
	struct capture_block b;
	ssize_t got = read_some(r, &b, sizeof(b));

	if (got < 0)
		return fail(r, (int)got);
	if ((size_t)got < sizeof(b))
		return finish(r, CAPTURE_TRUNCATED);
	if (!block_head_valid(r, &b))
		return finish(r, CAPTURE_CORRUPT);
	r->seq++;
	return b.kind == CAPTURE_END ? file_end(r, &b) : block_body(r, &b);
}

int capture_reader_next(struct capture_reader *r, const struct rec_hdr **out)
{
	const struct rec_hdr *rec;

	if (r->err)
		return r->err;
	if (r->status != CAPTURE_READING)
		return 0;
	while (r->at == r->raw_len) {
		int rc = block_next(r);

		if (rc <= 0)
			return rc;
	}
	rec = (const void *)(r->raw + r->at);
	r->at += capture_padded(rec->len);
	r->records++;
	if (record_is_old(rec)) {
		if (buffer_fit(&r->present, &r->present_cap, rec->len + RECORD_OLD_GROWTH))
			return fail(r, -ENOMEM);
		rec = record_present(rec, (void *)r->present);
	}
	*out = rec;
	return 1;
}

static int source_next_record(struct source *src, const struct rec_hdr **out)
{
	return capture_reader_next((struct capture_reader *)src, out);
}

static void source_close_reader(struct source *src)
{
	capture_reader_close((struct capture_reader *)src);
}

static int head_read(struct capture_reader *r)
{
	unsigned char skip[CAPTURE_HEAD_MAX];
	struct capture_head head;
	ssize_t got = read_some(r, &head, sizeof(head));

	if (got < 0)
		return (int)got;
	if ((size_t)got < sizeof(head) || memcmp(head.magic, CAPTURE_MAGIC, sizeof(head.magic)) ||
	    head.crc != crc32(0, (const void *)&head, offsetof(struct capture_head, crc)))
		return -EBADMSG;
	if (head.incompatible & ~CAPTURE_INCOMPAT_KNOWN)
		return -EPROTONOSUPPORT;
	/* Without this bit blocks would be stored in a way that was never defined. */
	if (!(head.incompatible & CAPTURE_INCOMPAT_ZSTD))
		return -EBADMSG;
	if (head.head_len < sizeof(head) || head.head_len > CAPTURE_HEAD_MAX)
		return -EBADMSG;
	got = read_some(r, skip, head.head_len - sizeof(head));
	if (got < 0)
		return (int)got;
	return (size_t)got == head.head_len - sizeof(head) ? 0 : -EBADMSG;
}

static int reader_open(struct capture_reader **out, int fd, bool own_fd)
{
	struct capture_reader *r = calloc(1, sizeof(*r));
	int rc = -ENOMEM;

	if (!r) {
		if (own_fd)
			close(fd);
		return -ENOMEM;
	}
	r->source = (struct source){ source_next_record, source_close_reader };
	r->fd = fd;
	r->own_fd = own_fd;
	r->dctx = ZSTD_createDCtx();
	if (r->dctx)
		rc = head_read(r);
	if (rc) {
		capture_reader_close(r);
		return rc;
	}
	*out = r;
	return 0;
}

int capture_reader_open_fd(struct capture_reader **out, int fd)
{
	return reader_open(out, fd, false);
}

int capture_reader_open(struct capture_reader **out, const char *path)
{
	int fd;

	if (!strcmp(path, "-"))
		return reader_open(out, STDIN_FILENO, false);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : reader_open(out, fd, true);
}

void capture_reader_on_attachment(struct capture_reader *r, capture_attachment_fn fn, void *ctx)
{
	r->on_attachment = fn;
	r->attachment_ctx = ctx;
}

struct source *capture_reader_source(struct capture_reader *r)
{
	return &r->source;
}

enum capture_status capture_reader_status(const struct capture_reader *r)
{
	return r->status;
}

const char *capture_status_text(enum capture_status status)
{
	switch (status) {
	case CAPTURE_READING:
		return "being read";
	case CAPTURE_WHOLE:
		return "whole";
	case CAPTURE_TRUNCATED:
		return "truncated";
	case CAPTURE_CORRUPT:
		return "damaged";
	}
	return "unknown";
}

const char *capture_reader_strerror(int err)
{
	if (err == -EBADMSG)
		return "not a capture of tardy, or its first bytes are damaged";
	if (err == -EPROTONOSUPPORT)
		return "made by a later version of tardy, with features that this one cannot read";
	return strerror(-err);
}

uint64_t capture_reader_records(const struct capture_reader *r)
{
	return r->records;
}

uint64_t capture_reader_bytes(const struct capture_reader *r)
{
	return r->bytes;
}

void capture_reader_close(struct capture_reader *r)
{
	if (!r)
		return;
	ZSTD_freeDCtx(r->dctx);
	free(r->stored);
	free(r->raw);
	free(r->present);
	if (r->own_fd)
		close(r->fd);
	free(r);
}
