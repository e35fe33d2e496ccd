// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attachments of captures: they come out as they went in, beside the records, which are the same
 * with and without them; cut or damaged anywhere, what came before is right; and they find room in
 * a file whose size is bounded.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "ingest/capture_format.h"
#include "ingest/capture_read.h"
#include "ingest/capture_write.h"

enum { RECORDS = 3000, LONG_TEXT = 80000 };

static char long_text[LONG_TEXT];

struct seen {
	size_t records, attachments, bytes;
	bool order_right, text_right;
	enum capture_status status;
};

static const struct {
	const char *name;
	size_t len; /* of long_text */
	size_t after; /* so many records */
} wanted[] = { { "doctor", 100, 0 }, { "empty", 0, 1000 }, { "report.txt", LONG_TEXT, RECORDS } };

enum { WANTED = sizeof(wanted) / sizeof(wanted[0]) };

static struct rec_tick make_record(uint32_t i)
{
	return (struct rec_tick){ .h = { sizeof(struct rec_tick), REC_TICK, 0, 1000 + i },
				  .seen = i };
}

static void on_attachment(void *ctx, struct slice name, struct slice text)
{
	struct seen *s = ctx;
	size_t i = s->attachments++;

	s->bytes += text.len;
	if (i >= WANTED)
		return;
	s->order_right &= s->records == wanted[i].after;
	s->text_right &= slice_eq(name, slice_of(wanted[i].name)) && text.len == wanted[i].len &&
			 !memcmp(text.ptr, long_text, text.len);
}

static struct seen read_all(const void *file, size_t len, bool listen)
{
	struct seen s = { .order_right = true, .text_right = true };
	int fd = memfd_create("attach", MFD_CLOEXEC);
	const struct rec_hdr *rec;
	struct capture_reader *r;

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, file, len, 0), len);
	s.status = CAPTURE_CORRUPT;
	if (!capture_reader_open_fd(&r, fd)) {
		if (listen)
			capture_reader_on_attachment(r, on_attachment, &s);
		while (capture_reader_next(r, &rec) == 1)
			assert_int_equal(((const struct rec_tick *)rec)->seen, s.records++);
		s.status = capture_reader_status(r);
		capture_reader_close(r);
	}
	close(fd);
	return s;
}

/* A capture of all that is wanted, for the caller to free. */
static unsigned char *make_file(size_t *len)
{
	int fd = memfd_create("attach", MFD_CLOEXEC);
	struct capture_writer *w;
	unsigned char *file;
	struct stat st;
	size_t at = 0;

	assert_int_equal(capture_writer_open_fd(&w, fd, 0), 0);
	for (uint32_t i = 0; i <= RECORDS; i++) {
		struct rec_tick t = make_record(i);

		for (; at < WANTED && wanted[at].after == i; at++)
			assert_int_equal(
				capture_writer_attach(w, wanted[at].name,
						      (struct slice){ long_text, wanted[at].len }),
				0);
		if (i < RECORDS)
			assert_int_equal(capture_writer_add(w, &t.h), 0);
	}
	assert_int_equal(capture_writer_close(w), 0);
	assert_int_equal(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	file = malloc(*len);
	assert_non_null(file);
	assert_int_equal(pread(fd, file, *len, 0), *len);
	close(fd);
	return file;
}

static void test_round_trip(void **state)
{
	size_t len;
	unsigned char *file = make_file(&len);

	(void)state;
	for (int listen = 0; listen < 2; listen++) {
		struct seen s = read_all(file, len, listen);

		assert_int_equal(s.status, CAPTURE_WHOLE);
		assert_int_equal(s.records, RECORDS);
		assert_int_equal(s.attachments, listen ? WANTED : 0);
		assert_true(s.order_right && s.text_right);
	}
	free(file);
}

/* A reader of before: to it the kind is one of those that it skips. */
static void test_unknown_kind_is_skipped(void **state)
{
	size_t len, at = sizeof(struct capture_head), skipped = 0;
	unsigned char *file = make_file(&len);
	struct seen s;

	(void)state;
	while (at < len) {
		struct capture_block b;

		memcpy(&b, file + at, sizeof(b));
		if (b.kind == CAPTURE_ATTACHMENT) {
			b.kind = 1000;
			b.crc = (uint32_t)crc32(0, (void *)&b, offsetof(struct capture_block, crc));
			memcpy(file + at, &b, sizeof(b));
			skipped++;
		}
		at += sizeof(b) + b.stored_len;
	}
	assert_int_equal(skipped, WANTED);
	s = read_all(file, len, true);
	assert_int_equal(s.status, CAPTURE_WHOLE);
	assert_int_equal(s.records, RECORDS);
	assert_int_equal(s.attachments, 0);
	free(file);
}

static void test_cut_anywhere(void **state)
{
	size_t len, most = 0;
	unsigned char *file = make_file(&len);

	(void)state;
	for (size_t cut = 0; cut < len; cut += 1 + (cut > 2000 && cut < len - 2000 ? 37 : 0)) {
		struct seen s = read_all(file, cut, true);

		assert_int_not_equal(s.status, CAPTURE_WHOLE);
		assert_true(s.order_right && s.text_right && s.records <= RECORDS);
		assert_true(s.attachments >= most && s.attachments <= WANTED);
		most = s.attachments;
	}
	assert_int_equal(most, WANTED);
	free(file);
}

static void test_bits_flipped(void **state)
{
	size_t len;
	unsigned char *file = make_file(&len);

	(void)state;
	for (size_t at = 0; at < len; at += 1 + (at > 600 ? 11 : 0)) {
		struct seen s;

		file[at] ^= (unsigned char)(1 << at % 8);
		s = read_all(file, len, true);
		assert_int_equal(s.status, CAPTURE_CORRUPT);
		assert_true(s.order_right && s.text_right);
		file[at] ^= (unsigned char)(1 << at % 8);
	}
	free(file);
}

/* A block whose checksums are right, whatever it says. */
static struct seen read_block(const void *raw, size_t raw_len, uint32_t n_records)
{
	struct capture_head head = { .version = 1,
				     .head_len = sizeof(head),
				     .incompatible = CAPTURE_INCOMPAT_ZSTD };
	struct capture_block b = { .magic = CAPTURE_BLOCK_MAGIC, .kind = CAPTURE_ATTACHMENT };
	unsigned char *file = malloc(sizeof(head) + sizeof(b) + ZSTD_compressBound(raw_len));
	size_t stored;
	struct seen s;

	assert_non_null(file);
	memcpy(head.magic, CAPTURE_MAGIC, sizeof(head.magic));
	head.crc = (uint32_t)crc32(0, (void *)&head, offsetof(struct capture_head, crc));
	stored = ZSTD_compress(file + sizeof(head) + sizeof(b), ZSTD_compressBound(raw_len), raw,
			       raw_len, 1);
	b.stored_len = (uint32_t)stored;
	b.raw_len = (uint32_t)raw_len;
	b.n_records = n_records;
	b.stored_crc = (uint32_t)crc32(0, file + sizeof(head) + sizeof(b), b.stored_len);
	b.crc = (uint32_t)crc32(0, (void *)&b, offsetof(struct capture_block, crc));
	memcpy(file, &head, sizeof(head));
	memcpy(file + sizeof(head), &b, sizeof(b));
	s = read_all(file, sizeof(head) + sizeof(b) + stored, true);
	free(file);
	return s;
}

static void test_lies(void **state)
{
	static const struct {
		uint32_t name_len, text_len;
		const char *bytes;
		uint32_t n_records;
		bool good;
	} cases[] = {
		{ 4, 3, "hostabc", 0, true },           { 4, 0, "host", 0, true },
		{ 4, 3, "hostabc", 1, false },          { 0, 3, "abc", 0, false },
		{ 4, 4, "hostabc", 0, false },          { 4, 2, "hostabc", 0, false },
		{ 4, 3, "HOSTabc", 0, false },          { 4, 3, "../xabc", 0, false },
		{ 4, 3, "a\033[2abc", 0, false },       { 5, UINT32_MAX - 4, "hosta", 0, false },
		{ UINT32_MAX, 8, "hostabc", 0, false },
	};
	struct capture_attachment a;
	unsigned char raw[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen s;

		a = (struct capture_attachment){ cases[i].name_len, cases[i].text_len };
		memcpy(raw, &a, sizeof(a));
		memcpy(raw + sizeof(a), cases[i].bytes, strlen(cases[i].bytes));
		s = read_block(raw, sizeof(a) + strlen(cases[i].bytes), cases[i].n_records);
		if (s.attachments != cases[i].good ||
		    s.status != (cases[i].good ? CAPTURE_TRUNCATED : CAPTURE_CORRUPT))
			fail_msg("case %zu", i);
	}
	/* shorter than its own head */
	assert_int_equal(read_block(raw, 7, 0).status, CAPTURE_CORRUPT);
}

static void test_refused(void **state)
{
	int fd = memfd_create("attach", MFD_CLOEXEC);
	struct capture_writer *w;
	char *huge = calloc(1, CAPTURE_TEXT_MAX + 1);

	(void)state;
	assert_non_null(huge);
	assert_int_equal(capture_writer_open_fd(&w, fd, 0), 0);
	assert_int_equal(capture_writer_attach(w, "", SLICE_LIT("x")), -EINVAL);
	assert_int_equal(capture_writer_attach(w, "a/b", SLICE_LIT("x")), -EINVAL);
	assert_int_equal(
		capture_writer_attach(w, "a", (struct slice){ huge, CAPTURE_TEXT_MAX + 1 }),
		-EMSGSIZE);
	assert_int_equal(capture_writer_attach(w, "a", (struct slice){ huge, CAPTURE_TEXT_MAX }),
			 0);
	assert_int_equal(capture_writer_reopen(w), -ESPIPE);
	assert_int_equal(capture_writer_close(w), 0);
	close(fd);
	free(huge);
}

/* The size is kept, and what was reserved of it is there when records have used up the rest. */
static void test_size_cap(void **state)
{
	enum { CAP = 60000, KEPT = 20000 };

	(void)state;
	for (int reserve = 0; reserve < 2; reserve++) {
		int fd = memfd_create("attach", MFD_CLOEXEC), rc = 0;
		struct capture_writer *w;
		struct stat st;
		struct seen s;
		void *file;

		assert_int_equal(capture_writer_open_fd(&w, fd, CAP), 0);
		if (reserve)
			capture_writer_reserve(w, KEPT);
		for (uint32_t i = 0; !rc; i++) {
			struct rec_tick t = make_record(i);

			/* times that do not compress */
			t.own_cpu_ns = i * 0x9e3779b97f4a7c15u;
			t.probe_ns = t.own_cpu_ns * t.own_cpu_ns;
			rc = capture_writer_add(w, &t.h);
			if (!rc)
				rc = capture_writer_tick(w, (uint64_t)(i + 1) * 5000000);
		}
		assert_in_range(capture_writer_bytes(w), CAP / 3, CAP - (reserve ? KEPT : 0));
		assert_int_equal(rc, -EFBIG);
		rc = capture_writer_attach(w, "doctor", (struct slice){ long_text, 100 });
		assert_int_equal(rc, reserve ? 0 : -EFBIG);
		assert_int_equal(capture_writer_attach(w, "report.txt",
						       (struct slice){ long_text, LONG_TEXT }),
				 -EFBIG);
		assert_int_equal(capture_writer_close(w), 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_in_range(st.st_size, 1, CAP);
		file = malloc((size_t)st.st_size);
		assert_non_null(file);
		assert_int_equal(pread(fd, file, (size_t)st.st_size, 0), st.st_size);
		s = read_all(file, (size_t)st.st_size, true);
		assert_int_equal(s.status, CAPTURE_WHOLE);
		assert_int_equal(s.attachments, reserve);
		free(file);
		close(fd);
	}
}

/* What was written so far can be read while it is being written. */
static void test_reopen(void **state)
{
	char dir[] = "/tmp/attach_test.XXXXXX", path[64], buf[1 << 16];
	struct capture_writer *w;
	struct rec_tick t = make_record(0);
	struct seen s;
	ssize_t n;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/t.data", dir);
	assert_int_equal(capture_writer_open(&w, path, 0), 0);
	assert_int_equal(capture_writer_add(w, &t.h), 0);
	fd = capture_writer_reopen(w);
	assert_true(fd >= 0);
	n = read(fd, buf, sizeof(buf));
	close(fd);
	s = read_all(buf, (size_t)n, true);
	assert_int_equal(s.status, CAPTURE_TRUNCATED);
	assert_int_equal(s.records, 1);
	assert_int_equal(capture_writer_close(w), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_unknown_kind_is_skipped),
		cmocka_unit_test(test_cut_anywhere), cmocka_unit_test(test_bits_flipped),
		cmocka_unit_test(test_lies),         cmocka_unit_test(test_refused),
		cmocka_unit_test(test_size_cap),     cmocka_unit_test(test_reopen),
	};
	uint64_t x = 1;

	for (size_t i = 0; i < LONG_TEXT; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		long_text[i] = (char)('!' + (x >> 57) % 90);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
