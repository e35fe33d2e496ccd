/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The capture file: what it holds and how it is read. docs/capture-format.md says the same in
 * prose for people who write other readers.
 *
 *   file   := capture_head (block | attachment)* end?
 *   block  := capture_block (kind RECORDS)  stored bytes
 *   end    := capture_block (kind END)
 *
 *   attachment := capture_block (kind ATTACHMENT)  stored bytes, anywhere among the blocks
 *
 * The stored bytes of a block are one zstd frame of raw_len bytes: records, each a struct
 * rec_hdr with rec_hdr.len bytes in all, padded with zeros to a multiple of 8. Those of an
 * attachment are one zstd frame, too: a capture_attachment, its name and its text. All integers
 * are little-endian.
 *
 * The reader's algorithm, for a file that may have been cut anywhere or come from anybody:
 *
 *   1. Read capture_head. Wrong magic or checksum: not a capture. A bit in `incompatible` that
 *      is not known: refuse, naming the bits. Bits in `compatible` are ignored. Bytes of the
 *      head beyond the known ones (head_len) are skipped.
 *   2. Read a capture_block. No byte left: the file was cut at the end of a block, TRUNCATED.
 *      Fewer bytes than a block's head: TRUNCATED. Wrong magic, checksum or sequence number, or
 *      a size beyond the bounds below: CORRUPT.
 *   3. Kind END: the file is WHOLE when no byte follows, else CORRUPT. Any other kind but
 *      RECORDS and ATTACHMENT: skip stored_len bytes, so that later versions can add kinds.
 *   4. Read stored_len bytes. Fewer: TRUNCATED. Wrong checksum, a frame that does not give
 *      exactly raw_len bytes, or records whose lengths do not fill exactly those and number
 *      exactly n_records: CORRUPT.
 *      An attachment whose lengths do not fill raw_len, whose name is not one, or that counts
 *      records: CORRUPT.
 *   5. Deliver the records, or the attachment; go to 2.
 *
 * Nothing of a block is delivered before all of it was checked. Reading ends at the first damage:
 * what came before it is right, what comes after cannot be placed.
 */
#ifndef TARDY_INGEST_CAPTURE_FORMAT_H
#define TARDY_INGEST_CAPTURE_FORMAT_H
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPTURE_MAGIC "\x89TARDY\r\n" /* not text, and shows it when a transfer changed it */
#define CAPTURE_BLOCK_MAGIC 0x4b4c4254u /* "TBLK" */

enum {
	CAPTURE_VERSION = 1, /* informational: feature bits alone decide */
	CAPTURE_BLOCK_RAW = 256 << 10, /* what the writer aims at */
	CAPTURE_BLOCK_RAW_MAX = 16 << 20, /* what a reader accepts, raw and stored */
	CAPTURE_HEAD_MAX = 4096,
	CAPTURE_ALIGN = 8,
	CAPTURE_NAME_MAX = 63, /* of an attachment: a-z 0-9 . _ - */
	CAPTURE_TEXT_MAX = 4 << 20,
};

/* A reader must know these. */
#define CAPTURE_INCOMPAT_ZSTD (1ull << 0) /* blocks are zstd frames */
#define CAPTURE_INCOMPAT_TYPE_23 \
	(1ull << 1) /* REC_XCHG and REC_THREAD, which before had other types */
#define CAPTURE_INCOMPAT_KNOWN (CAPTURE_INCOMPAT_ZSTD | CAPTURE_INCOMPAT_TYPE_23)

enum capture_kind {
	CAPTURE_RECORDS = 1,
	CAPTURE_END = 2, /* the recorder finished the file: nothing is missing behind it */
	CAPTURE_ATTACHMENT = 3, /* a named text; older readers skip it */
};

struct capture_head {
	uint8_t magic[8];
	uint32_t version;
	uint32_t head_len; /* of this struct as written, at most CAPTURE_HEAD_MAX */
	uint64_t compatible;
	uint64_t incompatible;
	uint32_t reserved;
	uint32_t crc; /* crc32 (zlib) of the fields before it */
};

struct capture_block {
	uint32_t magic;
	uint32_t kind; /* enum capture_kind */
	uint32_t seq; /* 0, 1, 2, ... */
	uint32_t stored_len;
	uint32_t raw_len;
	uint32_t n_records;
	uint64_t first_ts_ns, last_ts_ns; /* least and largest rec_hdr.ts_ns in it */
	uint32_t stored_crc; /* crc32 of the stored bytes */
	uint32_t crc; /* crc32 of the fields before it */
};

/* The name and the text follow, neither with a NUL. */
struct capture_attachment {
	uint32_t name_len, text_len;
};

static_assert(sizeof(struct capture_attachment) == 8, "the file's layout");
static_assert(sizeof(struct capture_head) == 40, "the file's layout");
static_assert(sizeof(struct capture_block) == 48, "the file's layout");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are written as they are");

static inline bool capture_name_valid(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
		      name[i] == '.' || name[i] == '_' || name[i] == '-'))
			return false;
	return len && len <= CAPTURE_NAME_MAX;
}

static inline size_t capture_padded(size_t len)
{
	return (len + CAPTURE_ALIGN - 1) & ~(size_t)(CAPTURE_ALIGN - 1);
}
#endif
