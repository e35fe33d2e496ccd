// SPDX-License-Identifier: GPL-2.0-only
/*
 * The capture reader on hostile files. The first byte chooses how far checksums help the input
 * on its way: 0 a file as it is; 1 a file whose magic numbers, sequence and checksums are put
 * right; else the raw bytes of one block, packed properly: of records, from 128 on an attachment.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "ingest/capture_format.h"
#include "ingest/capture_read.h"
#include "ingest/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void head_seal(struct capture_head *head)
{
	memcpy(head->magic, CAPTURE_MAGIC, sizeof(head->magic));
	head->incompatible = CAPTURE_INCOMPAT_ZSTD;
	head->crc = (uint32_t)crc32(0, (const void *)head, offsetof(struct capture_head, crc));
}

static void block_seal(struct capture_block *b, uint32_t seq, const uint8_t *stored)
{
	b->magic = CAPTURE_BLOCK_MAGIC;
	b->seq = seq;
	b->stored_crc = (uint32_t)crc32(0, stored, b->stored_len);
	b->crc = (uint32_t)crc32(0, (const void *)b, offsetof(struct capture_block, crc));
}

/* Makes what looks like a file pass its checksums. */
static void file_repair(uint8_t *file, size_t len)
{
	struct capture_head head;
	size_t at = sizeof(head);

	if (len < at)
		return;
	memcpy(&head, file, sizeof(head));
	head.head_len = sizeof(head);
	head_seal(&head);
	memcpy(file, &head, sizeof(head));
	for (uint32_t seq = 0; len - at >= sizeof(struct capture_block); seq++) {
		struct capture_block b;
		size_t body = at + sizeof(b);

		memcpy(&b, file + at, sizeof(b));
		if (b.stored_len > len - body)
			b.stored_len = (uint32_t)(len - body);
		b.raw_len %= 1 << 20;
		block_seal(&b, seq, file + body);
		memcpy(file + at, &b, sizeof(b));
		at = body + b.stored_len;
	}
}

/* A file of one block that holds raw; *len its size. */
static uint8_t *file_around(enum capture_kind kind, const uint8_t *raw, size_t raw_len, size_t *len)
{
	struct capture_head head = { .version = 1, .head_len = sizeof(head) };
	struct capture_block b = { .kind = kind, .raw_len = (uint32_t)raw_len };
	size_t body = sizeof(head) + sizeof(b), bound = ZSTD_compressBound(raw_len);
	uint8_t *file = malloc(body + bound);

	if (!file)
		abort();
	if (raw_len >= 4 && kind == CAPTURE_RECORDS) {
		memcpy(&b.n_records, raw, 4);
		b.n_records %= 64;
	}
	b.stored_len = (uint32_t)ZSTD_compress(file + body, bound, raw, raw_len, 1);
	head_seal(&head);
	block_seal(&b, 0, file + body);
	memcpy(file, &head, sizeof(head));
	memcpy(file + sizeof(head), &b, sizeof(b));
	*len = body + b.stored_len;
	return file;
}

static void on_attachment(void *ctx, struct slice name, struct slice text)
{
	volatile uint8_t *sink = ctx;

	if (!capture_name_valid(name.ptr, name.len) || text.len > CAPTURE_TEXT_MAX)
		abort();
	for (size_t i = 0; i < text.len; i++)
		*sink = *sink ^ (uint8_t)text.ptr[i];
}

/* Reads the file to its end, touching each byte of each record. */
static void read_file(const uint8_t *file, size_t len)
{
	int fd = memfd_create("capture_fuzz", MFD_CLOEXEC);
	const struct rec_hdr *rec;
	struct capture_reader *r;
	volatile uint8_t sink = 0;

	if (fd < 0 || pwrite(fd, file, len, 0) != (ssize_t)len)
		abort();
	if (!capture_reader_open_fd(&r, fd)) {
		capture_reader_on_attachment(r, on_attachment, (void *)&sink);
		while (capture_reader_next(r, &rec) == 1) {
			for (uint32_t i = 0; i < rec->len; i++)
				sink = sink ^ ((const uint8_t *)rec)[i];
			record_check(rec);
		}
		if (capture_reader_status(r) == CAPTURE_READING)
			abort(); /* it ended without saying how */
		capture_reader_close(r);
	}
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *file;
	size_t len;

	if (size < 1 || size > 1 << 20)
		return 0;
	if (data[0] > 1) {
		file = file_around(data[0] < 128 ? CAPTURE_RECORDS : CAPTURE_ATTACHMENT, data + 1,
				   size - 1, &len);
	} else {
		len = size - 1;
		file = malloc(len + 1);
		if (!file)
			abort();
		memcpy(file, data + 1, len);
		if (data[0] == 1)
			file_repair(file, len);
	}
	read_file(file, len);
	free(file);
	return 0;
}
