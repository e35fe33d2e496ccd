// SPDX-License-Identifier: GPL-2.0-only
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_TRIES = 8 };

static char *name_with(const char *name, const char *suffix)
{
	size_t size = strlen(name) + strlen(suffix) + 1;
	char *s = malloc(size);

	if (s)
		snprintf(s, size, "%s%s", name, suffix);
	return s;
}

/* What has the name: 0 nothing or a regular file. */
static int target_check(const struct outfile *o)
{
	struct stat st;

	if (fstatat(o->dir_fd, o->name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISREG(st.st_mode))
		return 0;
	return S_ISLNK(st.st_mode) ? -ELOOP : S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
}

int outfile_open(struct outfile *o, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	char *dir;
	int rc = 0;

	*o = OUTFILE_NONE;
	if (!*path)
		return -ENOENT;
	if (!*base || !strcmp(base, ".") || !strcmp(base, ".."))
		return -EISDIR;
	dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	o->name = strdup(base);
	if (!dir || !o->name)
		rc = -ENOMEM;
	if (!rc) {
		o->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = o->dir_fd < 0 ? -errno : target_check(o);
	}
	free(dir);
	if (rc)
		outfile_release(o);
	return rc;
}

static int create_named(struct outfile *o, const char *suffix)
{
	char *part = name_with(o->name, suffix);
	int fd;

	if (!part)
		return -ENOMEM;
	fd = openat(o->dir_fd, part,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);
	if (fd < 0) {
		fd = -errno;
		free(part);
		return fd;
	}
	free(o->part);
	o->part = part;
	return fd;
}

int outfile_create(struct outfile *o, const char *suffix)
{
	int fd = -EEXIST;

	if (suffix)
		return create_named(o, suffix);
	for (int i = 0; i < NAME_TRIES && fd == -EEXIST; i++) {
		char own[32];
		uint64_t n;

		if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != sizeof(n))
			return -EAGAIN;
		snprintf(own, sizeof(own), ".%016llx.part", (unsigned long long)n);
		fd = create_named(o, own);
	}
	return fd;
}

int outfile_publish(struct outfile *o, const char *keep)
{
	int rc = target_check(o);
	char *old;

	if (rc)
		return rc; /* somebody put it there meanwhile */
	if (keep) {
		old = name_with(o->name, keep);
		if (!old)
			return -ENOMEM;
		if (renameat(o->dir_fd, o->name, o->dir_fd, old) && errno != ENOENT)
			rc = -errno;
		free(old);
	}
	if (!rc && renameat(o->dir_fd, o->part, o->dir_fd, o->name))
		rc = -errno;
	return rc;
}

void outfile_discard(struct outfile *o)
{
	if (o->part)
		unlinkat(o->dir_fd, o->part, 0);
}

void outfile_release(struct outfile *o)
{
	if (o->dir_fd >= 0)
		close(o->dir_fd);
	free(o->name);
	free(o->part);
	*o = OUTFILE_NONE;
}

/* The errors that mean "no room" to a user are one. */
static int write_error(int err)
{
	return err == -EFBIG || err == -EDQUOT ? -ENOSPC : err;
}

/* Takes fd. */
static int write_all(int fd, outfile_write_fn fn, void *ctx)
{
	FILE *f = fdopen(fd, "w");
	int rc;

	if (!f) {
		rc = -errno;
		close(fd);
		return rc;
	}
	rc = fn(ctx, f);
	/* some file systems have no room only when it gets to the disk */
	if (!rc && (fflush(f) || fsync(fd)))
		rc = -errno;
	if (fclose(f) && !rc)
		rc = -errno;
	return rc;
}

int outfile_write(const char *path, outfile_write_fn fn, void *ctx)
{
	struct outfile o;
	int rc = outfile_open(&o, path), fd;

	if (rc)
		return rc;
	fd = outfile_create(&o, NULL);
	rc = fd < 0 ? fd : write_error(write_all(fd, fn, ctx));
	if (!rc)
		rc = outfile_publish(&o, NULL);
	if (rc)
		outfile_discard(&o);
	outfile_release(&o);
	return rc;
}
