// SPDX-License-Identifier: GPL-2.0-only
/*
 * The writer of capture files. Blocks leave whole or not at all: what a failed write left of one
 * is cut off again where the output is a file.
 */
#include "ingest/capture_write.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "base/outfile.h"
#include "ingest/capture_format.h"

enum { CAPTURE_ZSTD_LEVEL = 1 };
#define FLUSH_EVERY_NS 1000000000ull

struct capture_writer {
	int fd;
	bool own_fd;
	bool can_cut; /* a regular file that is written from its start */
	struct outfile file; /* OUTFILE_NONE: not to a name */
	uint64_t max_bytes; /* 0 = none */
	uint64_t reserved; /* of it, for attachments */
	uint64_t bytes; /* whole blocks written */
	uint64_t records;
	uint64_t last_flush_ns;
	uint32_t seq;
	int err; /* sticky */
	bool ended;
	ZSTD_CCtx *cctx;
	struct capture_block pending; /* n_records and times of raw */
	size_t raw_len;
	size_t out_cap;
	unsigned char *out; /* a block's head and its stored bytes */
	unsigned char raw[CAPTURE_BLOCK_RAW];
};

/* The errors that mean "no room" to a user are one. */
static int write_error(int err)
{
	return err == EFBIG || err == EDQUOT ? -ENOSPC : -err;
}

/* Writes all of buf; on failure some of it may have been written. */
static int write_all(int fd, const unsigned char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			if (poll(&p, 1, -1) < 0 && errno != EINTR)
				return -errno;
			continue;
		}
		if (n < 0)
			return write_error(errno);
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Writes len bytes, all or (where the output can be cut) none. */
static int emit(struct capture_writer *w, const void *buf, size_t len)
{
	int rc = write_all(w->fd, buf, len);

	if (!rc) {
		w->bytes += len;
		return 0;
	}
	if (w->can_cut &&
	    (ftruncate(w->fd, (off_t)w->bytes) || lseek(w->fd, (off_t)w->bytes, SEEK_SET) < 0))
		w->can_cut = false; /* the reader will find the cut block and stop before it */
	w->err = rc;
	return rc;
}

static void block_seal(struct capture_writer *w, struct capture_block *b)
{
	b->magic = CAPTURE_BLOCK_MAGIC;
	b->seq = w->seq++;
	b->crc = (uint32_t)crc32(0, (const void *)b, offsetof(struct capture_block, crc));
}

static int head_write(struct capture_writer *w)
{
	struct capture_head head = {
		.version = CAPTURE_VERSION,
		.head_len = sizeof(head),
		.incompatible = CAPTURE_INCOMPAT_KNOWN,
	};

	memcpy(head.magic, CAPTURE_MAGIC, sizeof(head.magic));
	head.crc = (uint32_t)crc32(0, (const void *)&head, offsetof(struct capture_head, crc));
	return emit(w, &head, sizeof(head));
}

static int end_write(struct capture_writer *w)
{
	struct capture_block end = { .kind = CAPTURE_END };

	if (w->ended)
		return 0;
	w->ended = true;
	end.stored_crc = (uint32_t)crc32(0, NULL, 0);
	block_seal(w, &end);
	return emit(w, &end, sizeof(end));
}

/* Would len more bytes still leave room for `kept` bytes and the end? */
static bool fits(const struct capture_writer *w, size_t len, uint64_t kept)
{
	return !w->max_bytes ||
	       w->bytes + len + kept + sizeof(struct capture_block) <= w->max_bytes;
}

/* Writes the block's head and its stored bytes, which are in out behind the room for the head. */
static int block_emit(struct capture_writer *w, unsigned char *out, struct capture_block *b)
{
	b->stored_crc = (uint32_t)crc32(0, out + sizeof(*b), b->stored_len);
	block_seal(w, b);
	memcpy(out, b, sizeof(*b));
	return emit(w, out, sizeof(*b) + b->stored_len);
}

static int flush(struct capture_writer *w)
{
	struct capture_block b = w->pending;
	size_t stored;

	if (w->err || !w->raw_len)
		return w->err;
	stored = ZSTD_compressCCtx(w->cctx, w->out + sizeof(b), w->out_cap - sizeof(b), w->raw,
				   w->raw_len, CAPTURE_ZSTD_LEVEL);
	if (ZSTD_isError(stored))
		return w->err = -ENOMEM; /* out_cap is enough, so nothing else can fail */
	b.kind = CAPTURE_RECORDS;
	b.stored_len = (uint32_t)stored;
	b.raw_len = (uint32_t)w->raw_len;
	w->raw_len = 0;
	w->pending = (struct capture_block){ 0 };
	if (!fits(w, sizeof(b) + stored, w->reserved)) {
		w->records -= b.n_records;
		if (w->reserved || !end_write(w))
			w->err = -EFBIG;
		return w->err;
	}
	if (block_emit(w, w->out, &b))
		w->records -= b.n_records;
	return w->err;
}

int capture_writer_attach(struct capture_writer *w, const char *name, struct slice text)
{
	struct capture_attachment a = { (uint32_t)strlen(name), (uint32_t)text.len };
	size_t raw_len = sizeof(a) + a.name_len + text.len, stored = 0;
	struct capture_block b = { .kind = CAPTURE_ATTACHMENT, .raw_len = (uint32_t)raw_len };
	size_t cap = sizeof(b) + ZSTD_compressBound(raw_len);
	unsigned char *raw, *out;
	int rc = 0;

	if (!capture_name_valid(name, a.name_len))
		return -EINVAL;
	if (text.len > CAPTURE_TEXT_MAX)
		return -EMSGSIZE;
	flush(w);
	if (w->ended || (w->err && w->err != -EFBIG))
		return w->err;
	raw = malloc(raw_len);
	out = malloc(cap);
	if (raw && out) {
		memcpy(raw, &a, sizeof(a));
		memcpy(raw + sizeof(a), name, a.name_len);
		memcpy(raw + sizeof(a) + a.name_len, text.ptr, text.len);
		stored = ZSTD_compressCCtx(w->cctx, out + sizeof(b), cap - sizeof(b), raw, raw_len,
					   CAPTURE_ZSTD_LEVEL);
	}
	if (!raw || !out || ZSTD_isError(stored)) {
		rc = -ENOMEM;
	} else if (!fits(w, sizeof(b) + stored, 0)) {
		rc = -EFBIG; /* of this one: a shorter one may fit */
	} else {
		b.stored_len = (uint32_t)stored;
		rc = block_emit(w, out, &b);
	}
	free(raw);
	free(out);
	return rc;
}

void capture_writer_reserve(struct capture_writer *w, uint64_t bytes)
{
	w->reserved = bytes;
}

int capture_writer_reopen(struct capture_writer *w)
{
	int fd;

	flush(w);
	if (w->err && w->err != -EFBIG)
		return w->err;
	if (!w->file.part)
		return -ESPIPE;
	fd = openat(w->file.dir_fd, w->file.part, O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int capture_writer_add(struct capture_writer *w, const struct rec_hdr *rec)
{
	size_t padded = capture_padded(rec->len);

	if (w->err)
		return w->err;
	if (rec->len < sizeof(*rec) || rec->len > CAPTURE_BLOCK_RAW)
		return -EMSGSIZE;
	if (w->raw_len + padded > sizeof(w->raw) && flush(w))
		return w->err;
	memcpy(w->raw + w->raw_len, rec, rec->len);
	memset(w->raw + w->raw_len + rec->len, 0, padded - rec->len);
	w->raw_len += padded;
	if (!w->pending.n_records || rec->ts_ns < w->pending.first_ts_ns)
		w->pending.first_ts_ns = rec->ts_ns;
	if (rec->ts_ns > w->pending.last_ts_ns)
		w->pending.last_ts_ns = rec->ts_ns;
	w->pending.n_records++;
	w->records++;
	return 0;
}

int capture_writer_tick(struct capture_writer *w, uint64_t now_ns)
{
	if (w->err)
		return w->err;
	if (!w->last_flush_ns)
		w->last_flush_ns = now_ns;
	if (now_ns - w->last_flush_ns < FLUSH_EVERY_NS)
		return 0;
	w->last_flush_ns = now_ns;
	return flush(w);
}

uint64_t capture_writer_bytes(const struct capture_writer *w)
{
	return w->bytes;
}

uint64_t capture_writer_records(const struct capture_writer *w)
{
	return w->records;
}

/* ---- names ------------------------------------------------------------------------------- */

static const char part_suffix[] = ".part", old_suffix[] = ".old";

static void writer_free(struct capture_writer *w)
{
	ZSTD_freeCCtx(w->cctx);
	if (w->own_fd && w->fd >= 0)
		close(w->fd);
	outfile_release(&w->file);
	free(w->out);
	free(w);
}

static struct capture_writer *writer_alloc(uint64_t max_bytes)
{
	struct capture_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->fd = -1;
	w->file = OUTFILE_NONE;
	w->max_bytes = max_bytes;
	w->out_cap = sizeof(struct capture_block) + ZSTD_compressBound(sizeof(w->raw));
	w->out = malloc(w->out_cap);
	w->cctx = ZSTD_createCCtx();
	if (w->out && w->cctx)
		return w;
	writer_free(w);
	return NULL;
}

/* Is it a regular file that no living recorder has locked? 0 or negative errno. */
static int leftover_check(int dir_fd, const char *part)
{
	struct stat st;
	int fd, rc = 0;

	if (fstatat(dir_fd, part, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISLNK(st.st_mode) ? -ELOOP : -EINVAL;
	fd = openat(dir_fd, part, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
	close(fd);
	return rc;
}

/* Moves a PATH.part that a crashed recorder left out of the way; a living one holds a lock. */
static int leftover_keep(struct capture_writer *w)
{
	size_t size = strlen(w->file.name) + sizeof(part_suffix) + sizeof(old_suffix);
	char *part = malloc(size), *keep = malloc(size);
	int rc = -ENOMEM;

	if (part && keep) {
		snprintf(part, size, "%s%s", w->file.name, part_suffix);
		snprintf(keep, size, "%s%s", part, old_suffix);
		rc = leftover_check(w->file.dir_fd, part);
		if (!rc && renameat(w->file.dir_fd, part, w->file.dir_fd, keep))
			rc = -errno;
	}
	free(part);
	free(keep);
	return rc == -ENOENT ? 0 : rc;
}

static int file_create(struct capture_writer *w, const char *path)
{
	int rc = outfile_open(&w->file, path);

	if (!rc)
		rc = leftover_keep(w);
	if (rc)
		return rc;
	w->fd = outfile_create(&w->file, part_suffix);
	if (w->fd < 0)
		return w->fd;
	w->own_fd = true;
	w->can_cut = true;
	return flock(w->fd, LOCK_EX | LOCK_NB) ? -errno : 0;
}

/* Common end of opening; takes w. */
static int writer_start(struct capture_writer **out, struct capture_writer *w, int rc)
{
	if (!rc && isatty(w->fd))
		rc = -ENOTTY;
	if (!rc && !fits(w, sizeof(struct capture_head), 0))
		rc = -EFBIG;
	if (!rc)
		rc = head_write(w);
	if (!rc) {
		*out = w;
		return 0;
	}
	outfile_discard(&w->file);
	writer_free(w);
	return rc;
}

int capture_writer_open_fd(struct capture_writer **out, int fd, uint64_t max_bytes)
{
	struct capture_writer *w = writer_alloc(max_bytes);

	if (!w)
		return -ENOMEM;
	w->fd = fd;
	return writer_start(out, w, 0);
}

int capture_writer_open(struct capture_writer **out, const char *path, uint64_t max_bytes)
{
	struct capture_writer *w;

	if (!strcmp(path, "-"))
		return capture_writer_open_fd(out, STDOUT_FILENO, max_bytes);
	w = writer_alloc(max_bytes);
	if (!w)
		return -ENOMEM;
	return writer_start(out, w, file_create(w, path));
}

int capture_writer_close(struct capture_writer *w)
{
	int rc;

	if (!w)
		return 0;
	flush(w);
	/* After an error the end stays away: the reader shall say that something is missing. */
	if (!w->err || w->err == -EFBIG)
		end_write(w);
	rc = w->err == -EFBIG ? 0 : w->err;
	if (w->file.part) {
		int published;

		if (fsync(w->fd) && !rc)
			rc = write_error(errno);
		/* PATH becomes PATH.old, PATH.part becomes PATH: a crash loses neither */
		published = outfile_publish(&w->file, old_suffix);
		rc = rc ? rc : published;
	}
	writer_free(w);
	return rc;
}
