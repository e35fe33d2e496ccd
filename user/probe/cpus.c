/* SPDX-License-Identifier: GPL-2.0-only */
#include "probe/cpus.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIST_BYTES = 4096 };

/* Takes a number off *at. */
static bool take_number(const char **at, unsigned long *out)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	*out = strtoul(*at, &end, 10);
	*at = end;
	return true;
}

/* One pass over the list; online NULL: only to see whether it is one. */
static int take_list(const char *at, bool *online, size_t n)
{
	unsigned long first, last;

	while (take_number(&at, &first)) {
		last = first;
		if (*at == '-') {
			at++;
			if (!take_number(&at, &last) || last < first)
				return -EINVAL;
		}
		for (unsigned long cpu = first; online && cpu <= last && cpu < n; cpu++)
			online[cpu] = true;
		if (*at != ',')
			return !*at || !strcmp(at, "\n") ? 0 : -EINVAL;
		at++;
	}
	return -EINVAL;
}

int cpus_parse(const char *list, bool *online, size_t n)
{
	int err = take_list(list, NULL, n);

	if (err)
		return err;
	memset(online, 0, n * sizeof(*online));
	return take_list(list, online, n);
}

int cpus_read(const char *path, bool *online, size_t n)
{
	char text[LIST_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got < 0)
		return -EIO;
	text[got] = '\0';
	return cpus_parse(text, online, n);
}
