// SPDX-License-Identifier: GPL-2.0-only
#include "sym/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Takes at, opened without access, and opens what it stands for if that is a regular file. */
static int reopen(int at)
{
	char path[40];
	struct stat st;
	int fd;

	if (at < 0)
		return -errno;
	if (fstat(at, &st) || !S_ISREG(st.st_mode)) {
		close(at);
		return -EINVAL;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", at);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	fd = fd < 0 ? -errno : fd;
	close(at);
	return fd;
}

int proc_file_open(uint32_t tgid, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	char root[40] = "/";
	int dir, at;

	if (tgid)
		snprintf(root, sizeof(root), "/proc/%" PRIu32 "/root", tgid);
	dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	at = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	at = reopen(at);
	close(dir);
	return at;
}

int proc_file_open_mapped(uint32_t tgid, uint64_t start, uint64_t end)
{
	char path[80];

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64, tgid,
		 start, end);
	return reopen(open(path, O_PATH | O_CLOEXEC));
}

int proc_file_open_exe(uint32_t tgid)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/exe", tgid);
	return reopen(open(path, O_PATH | O_CLOEXEC));
}
