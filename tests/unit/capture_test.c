// SPDX-License-Identifier: GPL-2.0-only
/*
 * Captures: what goes in comes out, a file cut or damaged anywhere gives a right beginning and
 * says so, and the writer's manners with full disks, closed pipes, links and older files.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "ingest/capture_format.h"
#include "ingest/capture_read.h"
#include "ingest/capture_write.h"
#include "ingest/record.h"

static char dir[64];
static char path[96], part[96], old[96];

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	strcpy(dir, "/tmp/capture_test.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/t.data", dir);
	snprintf(part, sizeof(part), "%s/t.data.part", dir);
	snprintf(old, sizeof(old), "%s/t.data.old", dir);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "t.data", "t.data.part", "t.data.old",
					     "t.data.part.old", "elsewhere" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[128];

		snprintf(name, sizeof(name), "%s/%s", dir, names[i]);
		unlink(name);
	}
	return rmdir(dir);
}

/* Record i: every length modulo 8 and every content differ. */
struct test_record {
	struct rec_hdr h;
	uint8_t bytes[400];
};

static struct test_record make_record(uint32_t i)
{
	struct test_record r = { .h = {
					 .len = (uint32_t)sizeof(struct rec_hdr) + i * 7 % 390,
					 .type = (uint16_t)(REC_THREAD_1 + 1 + i % 40),
					 .cpu = (uint16_t)i,
					 .ts_ns = 1000000 + i,
				 } };
	uint64_t x = i * 2654435761u + 1;

	for (size_t at = 0; at < sizeof(r.bytes); at++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		r.bytes[at] = (uint8_t)(x >> 56);
	}
	return r;
}

static void add_records(struct capture_writer *w, uint32_t from, uint32_t n)
{
	for (uint32_t i = from; i < from + n; i++) {
		struct test_record r = make_record(i);

		assert_int_equal(capture_writer_add(w, &r.h), 0);
	}
}

/* Reads to the end: asserts that the records are 0, 1, 2, ... and returns how many. */
static uint32_t read_records(struct capture_reader *r)
{
	const struct rec_hdr *got;
	uint32_t n = 0;

	while (capture_reader_next(r, &got) == 1) {
		struct test_record want = make_record(n++);

		assert_int_equal((uintptr_t)got % 8, 0);
		assert_int_equal(got->len, want.h.len);
		assert_memory_equal(got, &want, want.h.len);
	}
	assert_int_equal(capture_reader_records(r), n);
	assert_int_equal(capture_reader_next(r, &got), 0);
	return n;
}

static uint32_t read_path(const char *name, enum capture_status *status)
{
	struct capture_reader *r;
	uint32_t n;

	assert_int_equal(capture_reader_open(&r, name), 0);
	n = read_records(r);
	*status = capture_reader_status(r);
	capture_reader_close(r);
	return n;
}

/* A file of three blocks with a few records each; returns its bytes, for the caller to free. */
static unsigned char *small_file(size_t *len)
{
	struct capture_writer *w;
	unsigned char *bytes;
	struct stat st;
	int fd;

	assert_int_equal(capture_writer_open(&w, path, 0), 0);
	assert_int_equal(capture_writer_tick(w, 1), 0);
	for (uint32_t block = 0; block < 3; block++) {
		add_records(w, block * 4, 4);
		assert_int_equal(capture_writer_tick(w, 1 + (block + 1) * 1000000000ull), 0);
	}
	assert_int_equal(capture_writer_close(w), 0);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	bytes = malloc(*len);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, *len), *len);
	close(fd);
	return bytes;
}

/* The first len of bytes in a new descriptor at its start. */
static int memory_fd(const unsigned char *bytes, size_t len)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, 0), len);
	return fd;
}

static void test_round_trip(void **state)
{
	enum { N = 5000 }; /* about 1 MB: several blocks */
	enum capture_status status;
	struct capture_writer *w;
	struct stat st;

	(void)state;
	assert_int_equal(capture_writer_open(&w, path, 0), 0);
	assert_int_equal(access(path, F_OK), -1);
	add_records(w, 0, N);
	assert_int_equal(capture_writer_records(w), N);
	assert_true(capture_writer_bytes(w) > CAPTURE_BLOCK_RAW);
	assert_int_equal(capture_writer_close(w), 0);
	assert_int_equal(access(part, F_OK), -1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(read_path(path, &status), N);
	assert_int_equal(status, CAPTURE_WHOLE);
}

static void test_empty_capture_is_whole(void **state)
{
	enum capture_status status;
	struct capture_writer *w;

	(void)state;
	assert_int_equal(capture_writer_open(&w, path, 0), 0);
	assert_int_equal(capture_writer_close(w), 0);
	assert_int_equal(read_path(path, &status), 0);
	assert_int_equal(status, CAPTURE_WHOLE);
}

static void test_record_sizes(void **state)
{
	struct rec_hdr *big = calloc(1, CAPTURE_BLOCK_RAW + 8);
	struct rec_hdr none = { .len = sizeof(none) - 1 };
	const struct rec_hdr *got;
	struct capture_reader *r;
	struct capture_writer *w;

	(void)state;
	assert_non_null(big);
	assert_int_equal(capture_writer_open(&w, path, 0), 0);
	assert_int_equal(capture_writer_add(w, &none), -EMSGSIZE);
	big->len = CAPTURE_BLOCK_RAW + 1;
	assert_int_equal(capture_writer_add(w, big), -EMSGSIZE);
	none.len = sizeof(none);
	assert_int_equal(capture_writer_add(w, &none), 0);
	big->len = CAPTURE_BLOCK_RAW;
	assert_int_equal(capture_writer_add(w, big), 0);
	assert_int_equal(capture_writer_close(w), 0);
	assert_int_equal(capture_reader_open(&r, path), 0);
	assert_int_equal(source_next(capture_reader_source(r), &got), 1);
	assert_int_equal(got->len, sizeof(none));
	assert_int_equal(source_next(capture_reader_source(r), &got), 1);
	assert_int_equal(got->len, CAPTURE_BLOCK_RAW);
	assert_int_equal(source_next(capture_reader_source(r), &got), 0);
	source_close(capture_reader_source(r));
	free(big);
}

/* Where the blocks of a valid file begin, its end block included. */
static size_t block_starts(const unsigned char *bytes, size_t len, size_t *starts, size_t max)
{
	size_t at = sizeof(struct capture_head), n = 0;

	while (at < len) {
		struct capture_block b;

		assert_true(n < max);
		starts[n++] = at;
		memcpy(&b, bytes + at, sizeof(b));
		at += sizeof(b) + b.stored_len;
	}
	assert_int_equal(at, len);
	return n;
}

static void test_cut_anywhere(void **state)
{
	size_t len, starts[8], n_starts;
	unsigned char *bytes = small_file(&len);

	(void)state;
	n_starts = block_starts(bytes, len, starts, 8);
	assert_int_equal(n_starts, 4);
	for (size_t cut = 0; cut < len; cut++) {
		int fd = memory_fd(bytes, cut);
		struct capture_reader *r;
		int rc = capture_reader_open_fd(&r, fd);
		uint32_t want = 0;

		if (cut < sizeof(struct capture_head)) {
			assert_int_equal(rc, -EBADMSG);
		} else {
			assert_int_equal(rc, 0);
			/* Four records for each block that ends within the cut. */
			for (size_t i = 1; i < n_starts; i++)
				want += starts[i] <= cut ? 4 : 0;
			assert_int_equal(read_records(r), want);
			assert_int_equal(capture_reader_status(r), CAPTURE_TRUNCATED);
			capture_reader_close(r);
		}
		close(fd);
	}
	free(bytes);
}

static void test_each_byte_flipped(void **state)
{
	size_t len, starts[8];
	unsigned char *bytes = small_file(&len);

	(void)state;
	block_starts(bytes, len, starts, 8);
	for (size_t i = 0; i < len * 8; i++) {
		size_t at = i / 8, before = 0;
		struct capture_reader *r;
		int fd, rc;

		bytes[at] ^= (unsigned char)(1u << i % 8);
		fd = memory_fd(bytes, len);
		bytes[at] ^= (unsigned char)(1u << i % 8);
		rc = capture_reader_open_fd(&r, fd);
		if (at < sizeof(struct capture_head)) {
			assert_int_equal(rc, -EBADMSG);
		} else {
			assert_int_equal(rc, 0);
			/* Exactly the blocks before the damaged one are delivered. */
			while (before < 3 && starts[before + 1] <= at)
				before++;
			assert_int_equal(read_records(r), before * 4);
			assert_int_equal(capture_reader_status(r), CAPTURE_CORRUPT);
			capture_reader_close(r);
		}
		close(fd);
	}
	free(bytes);
}

static void test_bytes_after_the_end(void **state)
{
	struct capture_reader *r;
	size_t len;
	unsigned char *bytes = small_file(&len);
	int fd = memory_fd(bytes, len);

	(void)state;
	assert_int_equal(pwrite(fd, "x", 1, (off_t)len), 1);
	assert_int_equal(capture_reader_open_fd(&r, fd), 0);
	assert_int_equal(read_records(r), 12);
	assert_int_equal(capture_reader_status(r), CAPTURE_CORRUPT);
	capture_reader_close(r);
	close(fd);
	free(bytes);
}

static void test_missing_block(void **state)
{
	size_t len, starts[8] = { 0 };
	unsigned char *bytes = small_file(&len);
	struct capture_reader *r;
	int fd;

	(void)state;
	assert_true(block_starts(bytes, len, starts, 8) > 2);
	memmove(bytes + starts[1], bytes + starts[2], len - starts[2]);
	fd = memory_fd(bytes, len - (starts[2] - starts[1]));
	assert_int_equal(capture_reader_open_fd(&r, fd), 0);
	assert_int_equal(read_records(r), 4);
	assert_int_equal(capture_reader_status(r), CAPTURE_CORRUPT);
	capture_reader_close(r);
	close(fd);
	free(bytes);
}

static void head_seal(struct capture_head *head)
{
	head->crc = (uint32_t)crc32(0, (const void *)head, offsetof(struct capture_head, crc));
}

static void test_feature_bits(void **state)
{
	struct capture_reader *r;
	struct capture_head head;
	size_t len;
	unsigned char *bytes = small_file(&len);
	int fd;

	(void)state;
	memcpy(&head, bytes, sizeof(head));
	/* A later version with compatible additions is read. */
	head.version = 77;
	head.compatible = ~0ull;
	head_seal(&head);
	memcpy(bytes, &head, sizeof(head));
	fd = memory_fd(bytes, len);
	assert_int_equal(capture_reader_open_fd(&r, fd), 0);
	assert_int_equal(read_records(r), 12);
	capture_reader_close(r);
	close(fd);
	/* One with others is refused. */
	head.incompatible |= 1ull << 63;
	head_seal(&head);
	memcpy(bytes, &head, sizeof(head));
	fd = memory_fd(bytes, len);
	assert_int_equal(capture_reader_open_fd(&r, fd), -EPROTONOSUPPORT);
	assert_non_null(strstr(capture_reader_strerror(-EPROTONOSUPPORT), "later version"));
	close(fd);
	free(bytes);
}

/* Writes a file of one block whose contents are raw, with right checksums. */
static int crafted_fd(const void *raw, uint32_t raw_len, uint32_t n_records, uint32_t kind)
{
	struct capture_head head = { .version = 1,
				     .head_len = sizeof(head) + 8,
				     .incompatible = CAPTURE_INCOMPAT_ZSTD };
	struct capture_block b = { .magic = CAPTURE_BLOCK_MAGIC,
				   .kind = kind,
				   .raw_len = raw_len,
				   .n_records = n_records };
	unsigned char file[4096] = { 0 };
	size_t at = sizeof(head) + 8, body = at + sizeof(b);

	memcpy(head.magic, CAPTURE_MAGIC, 8);
	head_seal(&head);
	memcpy(file, &head, sizeof(head));
	b.stored_len = (uint32_t)ZSTD_compress(file + body, sizeof(file) - body, raw, raw_len, 1);
	b.stored_crc = (uint32_t)crc32(0, file + body, b.stored_len);
	b.crc = (uint32_t)crc32(0, (const void *)&b, offsetof(struct capture_block, crc));
	memcpy(file + at, &b, sizeof(b));
	return memory_fd(file, body + b.stored_len);
}

static uint32_t read_crafted(int fd, enum capture_status *status)
{
	const struct rec_hdr *rec;
	struct capture_reader *r;
	uint32_t n = 0;

	assert_int_equal(capture_reader_open_fd(&r, fd), 0);
	while (capture_reader_next(r, &rec) == 1)
		n++;
	*status = capture_reader_status(r);
	capture_reader_close(r);
	close(fd);
	return n;
}

static void test_records_that_lie(void **state)
{
	static const uint32_t bad_len[] = {
		0, 15, 17, 33, 41, 1 << 20, UINT32_MAX, UINT32_MAX - 6
	};
	struct rec_hdr v[3] = { { .len = 16 }, { .len = 16 }, { .len = 16 } };
	enum capture_status status;

	(void)state;
	assert_int_equal(read_crafted(crafted_fd(v, 48, 3, CAPTURE_RECORDS), &status), 3);
	assert_int_equal(status, CAPTURE_TRUNCATED);
	/* A block of a later version's kind is passed over. */
	assert_int_equal(read_crafted(crafted_fd(v, 48, 3, 9), &status), 0);
	assert_int_equal(status, CAPTURE_TRUNCATED);
	assert_int_equal(read_crafted(crafted_fd(v, 48, 2, CAPTURE_RECORDS), &status), 0);
	assert_int_equal(status, CAPTURE_CORRUPT);
	assert_int_equal(read_crafted(crafted_fd(v, 40, 3, CAPTURE_RECORDS), &status), 0);
	assert_int_equal(status, CAPTURE_CORRUPT);
	for (size_t i = 0; i < sizeof(bad_len) / sizeof(bad_len[0]); i++) {
		v[1].len = bad_len[i];
		for (uint32_t n = 0; n < 5; n++) {
			int fd = crafted_fd(v, 48, n, CAPTURE_RECORDS);

			/* 17 leaves less than a header, 33 and more reach beyond the block. */
			assert_int_equal(read_crafted(fd, &status), 0);
			assert_int_equal(status, CAPTURE_CORRUPT);
		}
	}
}

static void test_not_a_capture(void **state)
{
	struct capture_reader *r;

	(void)state;
	assert_int_equal(capture_reader_open(&r, dir), -EISDIR);
	assert_int_equal(capture_reader_open(&r, path), -ENOENT);
	assert_int_equal(capture_reader_open(&r, "/dev/null"), -EBADMSG);
	assert_int_equal(capture_reader_open(&r, "/dev/zero"), -EBADMSG);
}

static void test_crash_leaves_a_readable_part(void **state)
{
	enum capture_status status;
	struct capture_writer *w;
	int wait_status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (capture_writer_open(&w, path, 0))
			_exit(1);
		capture_writer_tick(w, 1);
		for (uint32_t i = 0; i < 50; i++) {
			struct test_record r = make_record(i);

			capture_writer_add(w, &r.h);
			if (i == 39)
				capture_writer_tick(w, 1000000001);
		}
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &wait_status, 0), pid);
	assert_true(WIFSIGNALED(wait_status));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(read_path(part, &status), 40);
	assert_int_equal(status, CAPTURE_TRUNCATED);
	/* The next recording keeps it. */
	assert_int_equal(capture_writer_open(&w, path, 0), 0);
	assert_int_equal(capture_writer_close(w), 0);
	snprintf(old, sizeof(old), "%s/t.data.part.old", dir);
	assert_int_equal(read_path(old, &status), 40);
}

static void test_previous_is_kept(void **state)
{
	enum capture_status status;
	struct capture_writer *w, *other;

	(void)state;
	for (uint32_t round = 1; round <= 3; round++) {
		assert_int_equal(capture_writer_open(&w, path, 0), 0);
		add_records(w, 0, round);
		/* While it records, the one before is in its place, and no other may record. */
		if (round > 1)
			assert_int_equal(read_path(path, &status), round - 1);
		assert_int_equal(capture_writer_open(&other, path, 0), -EBUSY);
		assert_int_equal(capture_writer_close(w), 0);
		assert_int_equal(read_path(path, &status), round);
		if (round > 1)
			assert_int_equal(read_path(old, &status), round - 1);
	}
}

static void test_links_are_not_followed(void **state)
{
	char elsewhere[96], buf[8] = "";
	struct capture_writer *w;
	int fd;

	(void)state;
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
	fd = open(elsewhere, O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, "precious", 8), 8);
	assert_int_equal(symlink(elsewhere, path), 0);
	assert_int_equal(capture_writer_open(&w, path, 0), -ELOOP);
	assert_int_equal(access(part, F_OK), -1);
	/* Put there while recording: not replaced, the recording stays in PATH.part. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(capture_writer_open(&w, path, 0), 0);
	assert_int_equal(symlink(elsewhere, path), 0);
	assert_int_equal(capture_writer_close(w), -ELOOP);
	assert_int_equal(access(part, F_OK), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(part), 0);
	assert_int_equal(symlink(elsewhere, part), 0);
	assert_int_equal(capture_writer_open(&w, path, 0), -ELOOP);
	assert_int_equal(pread(fd, buf, 8, 0), 8);
	assert_memory_equal(buf, "precious", 8);
	close(fd);
	assert_int_equal(capture_writer_open(&w, dir, 0), -EISDIR);
	assert_int_equal(capture_writer_open(&w, "/", 0), -EISDIR);
	assert_int_equal(capture_writer_open(&w, "/nowhere/at/all", 0), -ENOENT);
}

static void test_size_cap(void **state)
{
	uint64_t max = 700000, accepted;
	enum capture_status status;
	struct capture_writer *w;
	struct stat st;
	uint32_t i = 0;
	int rc;

	(void)state;
	assert_int_equal(capture_writer_open(&w, path, 50), -EFBIG);
	assert_int_equal(access(part, F_OK), -1);
	assert_int_equal(capture_writer_open(&w, path, max), 0);
	do {
		struct test_record r = make_record(i++);

		rc = capture_writer_add(w, &r.h);
	} while (!rc && i < 100000);
	assert_int_equal(rc, -EFBIG);
	assert_int_equal(capture_writer_tick(w, 1), -EFBIG);
	accepted = capture_writer_records(w);
	assert_int_equal(capture_writer_close(w), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true((uint64_t)st.st_size <= max);
	assert_true((uint64_t)st.st_size > max - CAPTURE_BLOCK_RAW - 4096);
	assert_int_equal(read_path(path, &status), accepted);
	assert_int_equal(status, CAPTURE_WHOLE);
}

/* RLIMIT_FSIZE fails in the middle of a write, as a full disk does. */
static void test_no_space(void **state)
{
	struct rlimit before, small = { 0 };
	enum capture_status status;
	struct capture_writer *w;
	uint64_t accepted, bytes;
	struct stat st;
	uint32_t i = 0;
	int rc;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 600000;
	assert_int_equal(capture_writer_open(&w, path, 0), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	do {
		struct test_record r = make_record(i++);

		rc = capture_writer_add(w, &r.h);
	} while (!rc && i < 100000);
	accepted = capture_writer_records(w);
	bytes = capture_writer_bytes(w);
	assert_int_equal(capture_writer_close(w), -ENOSPC);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(rc, -ENOSPC);
	assert_true(accepted > 0);
	/* Nothing of the block that failed is left. */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, bytes);
	assert_int_equal(read_path(path, &status), accepted);
	assert_int_equal(status, CAPTURE_TRUNCATED);
}

static void test_devices(void **state)
{
	struct capture_writer *w;
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(capture_writer_open_fd(&w, fd, 0), -ENOSPC);
	close(fd);
	/* not by name */
	assert_int_equal(capture_writer_open(&w, "/dev/full", 0), -EINVAL);
	assert_int_equal(capture_writer_open(&w, "/dev/null", 0), -EINVAL);
	assert_int_equal(capture_writer_open(&w, "/dev/stdout", 0), -ELOOP);
}

/* A pipe that others put there would be read by them. */
static void test_planted_pipes(void **state)
{
	struct capture_writer *w;
	struct stat st;
	int reader;
	char byte;

	(void)state;
	assert_int_equal(mkfifo(path, 0666), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	assert_true(reader >= 0);
	assert_int_equal(capture_writer_open(&w, path, 0), -EINVAL);
	assert_int_equal(read(reader, &byte, 1), 0);
	close(reader);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(part, 0666), 0);
	assert_int_equal(capture_writer_open(&w, path, 0), -EINVAL);
	assert_int_equal(lstat(part, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(unlink(part), 0);
	/* put there while it records: the capture stays in PATH.part */
	assert_int_equal(capture_writer_open(&w, path, 0), 0);
	assert_int_equal(mkfifo(path, 0666), 0);
	assert_int_equal(capture_writer_close(w), -EINVAL);
	assert_int_equal(lstat(part, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_pipe(void **state)
{
	struct capture_reader *r;
	struct capture_writer *w;
	int fds[2], rc;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(capture_writer_open_fd(&w, fds[1], 0), 0);
	add_records(w, 0, 100); /* less than a pipe holds */
	assert_int_equal(capture_writer_close(w), 0);
	close(fds[1]);
	assert_int_equal(capture_reader_open_fd(&r, fds[0]), 0);
	assert_int_equal(read_records(r), 100);
	assert_int_equal(capture_reader_status(r), CAPTURE_WHOLE);
	capture_reader_close(r);
	close(fds[0]);
	/* The reading end goes away. */
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(capture_writer_open_fd(&w, fds[1], 0), 0);
	close(fds[0]);
	capture_writer_tick(w, 1);
	add_records(w, 0, 1);
	rc = capture_writer_tick(w, 2000000000);
	assert_int_equal(rc, -EPIPE);
	assert_int_equal(capture_writer_close(w), -EPIPE);
	close(fds[1]);
}

static void test_no_binary_to_a_terminal(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	struct capture_writer *w;

	(void)state;
	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(capture_writer_open_fd(&w, slave, 0), -ENOTTY);
	assert_int_equal(capture_writer_open(&w, ptsname(master), 0), -EINVAL);
	close(slave);
	close(master);
}

static void test_record_check(void **state)
{
	struct {
		struct rec_xchg x;
		uint8_t more[16];
	} u = { .x = { .h = { .len = sizeof(u.x) + 10, .type = REC_XCHG }, .req_len = 10 } };
	struct rec_data d = { .h = { .len = sizeof(d), .type = REC_DATA } };
	struct rec_hdr odd = { .len = sizeof(odd), .type = 999 };
	const uint8_t text[4] = "abcd";

	(void)state;
	assert_int_equal(record_check(&u.x.h), 1);
	u.x.req_len = 11;
	assert_int_equal(record_check(&u.x.h), -EBADMSG);
	u.x.req_len = 10;
	u.x.rsp_len = ABI_RSP_HEAD_MAX + 1;
	assert_int_equal(record_check(&u.x.h), -EBADMSG);
	u.x.rsp_len = ABI_RSP_HEAD_MAX;
	u.x.tail_len = ABI_TAIL + 1;
	assert_int_equal(record_check(&u.x.h), -EBADMSG);
	u.x.tail_len = ABI_TAIL;
	assert_int_equal(record_check(&u.x.h), 1);
	u.x.h.len = sizeof(u.x) - 1;
	assert_int_equal(record_check(&u.x.h), -EBADMSG);
	assert_int_equal(record_check(&d.h), 1);
	d.len = 1;
	assert_int_equal(record_check(&d.h), -EBADMSG);
	assert_int_equal(record_check(&odd), 0);
	odd.type = 0;
	assert_int_equal(record_check(&odd), 0);
	odd.type = REC_HOST;
	assert_int_equal(record_check(&odd), -EBADMSG);
	odd.len = 3;
	assert_int_equal(record_check(&odd), -EBADMSG);
	assert_int_equal(record_text(text, 4).len, 4);
	assert_int_equal(record_text((const uint8_t *)"ab\0d", 4).len, 2);
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_round_trip),
		FILE_TEST(test_empty_capture_is_whole),
		FILE_TEST(test_record_sizes),
		FILE_TEST(test_cut_anywhere),
		FILE_TEST(test_each_byte_flipped),
		FILE_TEST(test_bytes_after_the_end),
		FILE_TEST(test_missing_block),
		FILE_TEST(test_feature_bits),
		FILE_TEST(test_not_a_capture),
		FILE_TEST(test_crash_leaves_a_readable_part),
		FILE_TEST(test_previous_is_kept),
		FILE_TEST(test_links_are_not_followed),
		FILE_TEST(test_size_cap),
		FILE_TEST(test_no_space),
		FILE_TEST(test_devices),
		FILE_TEST(test_planted_pipes),
		FILE_TEST(test_pipe),
		cmocka_unit_test(test_records_that_lie),
		cmocka_unit_test(test_no_binary_to_a_terminal),
		cmocka_unit_test(test_record_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
