// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files written for a user: whole or not there, new ones of mode 0600, and nothing that somebody
 * else put at the name is opened, followed or written to.
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
#include <dirent.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/outfile.h"

static char dir[64], path[96], other[128];

static int setup(void **state)
{
	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	strcpy(dir, "/tmp/outfile_test.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/out", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	return 0;
}

/* Names in the directory; each is removed when `removes`. */
static int names(int removes)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' && (!e->d_name[1] || e->d_name[1] == '.'))
			continue;
		n++;
		if (removes && unlinkat(dirfd(d), e->d_name, 0))
			unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
	return n;
}

static int teardown(void **state)
{
	(void)state;
	names(1);
	return rmdir(dir);
}

static void put(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static const char *content(const char *name)
{
	static char buf[64];
	int fd = open(name, O_RDONLY);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, buf, sizeof(buf) - 1);
	assert_true(n >= 0);
	buf[n] = '\0';
	close(fd);
	return buf;
}

static int write_text(void *ctx, FILE *out)
{
	return fputs(ctx, out) < 0 ? -EIO : 0;
}

static void test_new(void **state)
{
	mode_t before = umask(0);
	struct stat st;

	(void)state;
	assert_int_equal(outfile_write(path, write_text, (void *)"text"), 0);
	umask(before);
	assert_string_equal(content(path), "text");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(names(0), 1);
}

/* The file that had the name keeps its inode, its content and its readers; the name is another's. */
static void test_replaces(void **state)
{
	struct stat before, after;
	char buf[8] = "";
	int fd;

	(void)state;
	put(path, "theirs", 0666);
	assert_int_equal(stat(path, &before), 0);
	fd = open(path, O_RDONLY);
	assert_int_equal(outfile_write(path, write_text, (void *)"ours"), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino != after.st_ino);
	assert_int_equal(after.st_mode & 07777, 0600);
	assert_int_equal(after.st_uid, geteuid());
	assert_string_equal(content(path), "ours");
	assert_int_equal(read(fd, buf, sizeof(buf)), 6);
	assert_string_equal(buf, "theirs");
	close(fd);
}

static void refused(int err)
{
	int before = names(0);

	assert_int_equal(outfile_write(path, write_text, (void *)"secret"), err);
	assert_int_equal(names(0), before);
	assert_int_equal(unlink(path), 0);
}

static void test_refuses(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, reader;
	char byte;

	(void)state;
	put(other, "precious", 0600);
	assert_int_equal(symlink(other, path), 0);
	refused(-ELOOP);
	assert_string_equal(content(other), "precious");
	assert_int_equal(symlink("/dev/stdout", path), 0);
	refused(-ELOOP);
	/* with a reader that waits: an open for writing would go through */
	assert_int_equal(mkfifo(path, 0666), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK);
	assert_true(reader >= 0);
	refused(-EINVAL);
	assert_int_equal(read(reader, &byte, 1), 0);
	close(reader);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(sun.sun_path, path);
	assert_int_equal(bind(fd, (void *)&sun, sizeof(sun)), 0);
	refused(-EINVAL);
	close(fd);
	assert_int_equal(outfile_write("/dev/null", write_text, (void *)""), -EINVAL);
	assert_int_equal(outfile_write(dir, write_text, (void *)""), -EISDIR);
	assert_int_equal(outfile_write("/", write_text, (void *)""), -EISDIR);
	assert_int_equal(outfile_write("", write_text, (void *)""), -ENOENT);
	assert_int_equal(outfile_write("/nowhere/at/all", write_text, (void *)""), -ENOENT);
}

/* What is put there while the file is made is not followed either. */
static int plant(void *ctx, FILE *out)
{
	assert_int_equal(symlink(other, path), 0);
	return write_text(ctx, out);
}

static void test_planted_meanwhile(void **state)
{
	(void)state;
	put(other, "precious", 0600);
	assert_int_equal(outfile_write(path, plant, (void *)"secret"), -ELOOP);
	assert_string_equal(content(other), "precious");
	assert_int_equal(names(0), 2); /* the link and what it leads to */
}

static int write_half(void *ctx, FILE *out)
{
	write_text(ctx, out);
	return -ENOMEM;
}

static int write_much(void *ctx, FILE *out)
{
	(void)ctx;
	for (int i = 0; i < 10000; i++)
		if (fputs("0123456789", out) < 0)
			return -errno;
	return 0;
}

/* A failure leaves what was there before, and nothing else. */
static void test_all_or_nothing(void **state)
{
	struct rlimit before, small;

	(void)state;
	assert_int_equal(outfile_write(path, write_half, (void *)"half"), -ENOMEM);
	assert_int_equal(names(0), 0);
	put(path, "before", 0600);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 50000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(outfile_write(path, write_much, NULL), -ENOSPC);
	/* less than a buffer: only the flush finds out */
	small.rlim_cur = 1;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(outfile_write(path, write_text, (void *)"long"), -ENOSPC);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(names(0), 1);
	assert_string_equal(content(path), "before");
}

static void test_keeps(void **state)
{
	struct outfile o;
	int fd;

	(void)state;
	put(path, "before", 0600);
	assert_int_equal(outfile_open(&o, path), 0);
	fd = outfile_create(&o, ".new");
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "after", 5), 5);
	close(fd);
	/* the name of the file in the making is taken */
	assert_int_equal(outfile_create(&o, ".new"), -EEXIST);
	assert_string_equal(content(path), "before");
	assert_int_equal(outfile_publish(&o, ".kept"), 0);
	outfile_release(&o);
	outfile_release(&o);
	assert_string_equal(content(path), "after");
	snprintf(other, sizeof(other), "%s.kept", path);
	assert_string_equal(content(other), "before");
	assert_int_equal(names(0), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_planted_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_or_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keeps, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
