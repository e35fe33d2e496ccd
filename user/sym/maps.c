// SPDX-License-Identifier: GPL-2.0-only
#include "sym/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { FIRST_MAPS = 16, FIRST_NAMES = 1024, LINE_MAX_BYTES = PATH_MAX * 4 + 128 };

void maps_release(struct maps *m)
{
	free(m->v);
	free(m->names);
	memset(m, 0, sizeof(*m));
}

/* ---- one line ---------------------------------------------------------------------------- */

/* A hexadecimal (base 16) or decimal number that ends at `end`, which is taken, too. */
static bool take_number(struct slice *s, unsigned base, char end, uint64_t *out)
{
	size_t i = 0;

	for (*out = 0; i < s->len && i < 20; i++) {
		char c = s->ptr[i];
		unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') :
				 c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 :
							base;

		if (digit >= base)
			break;
		*out = *out * base + digit;
	}
	if (!i || i >= s->len || s->ptr[i] != end)
		return false;
	*s = (struct slice){ s->ptr + i + 1, s->len - i - 1 };
	return true;
}

static enum map_kind kind_of(struct slice name, uint64_t ino)
{
	/* named by the kernel, of memory that no file in a folder stands behind */
	static const char *const anonymous[] = { "//anon", "/dev/zero", "/SYSV", "/anon_hugepage",
						 "[heap]", "[stack",    "[anon" };

	for (size_t i = 0; i < sizeof(anonymous) / sizeof(anonymous[0]); i++)
		if (slice_starts(name, slice_of(anonymous[i])))
			return MAPPED_CODE;
	if (slice_eq(name, SLICE_LIT("[vdso]")))
		return MAPPED_VDSO;
	if (slice_starts(name, SLICE_LIT("[")))
		return MAPPED_SPECIAL;
	return name.len && ino ? MAPPED_FILE : MAPPED_CODE;
}

static bool grow(struct maps *m, size_t name_len)
{
	if (m->n == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : FIRST_MAPS;
		struct map *more = realloc(m->v, cap * sizeof(*more));

		if (!more)
			return false;
		m->v = more;
		m->cap = cap;
	}
	if (!m->names || m->names_len + name_len + 1 > m->cap_names) {
		size_t cap = m->cap_names ? m->cap_names : FIRST_NAMES;
		char *more;

		while (cap < m->names_len + name_len + 1)
			cap *= 2;
		more = realloc(m->names, cap);
		if (!more)
			return false;
		m->names = more;
		m->cap_names = cap;
	}
	return true;
}

/* The segments of one file stand one after the other: they share its name. */
static uint32_t name_put(struct maps *m, struct slice name)
{
	uint32_t at = (uint32_t)m->names_len;

	if (m->n && slice_eq(slice_of(maps_name(m, &m->v[m->n - 1])), name))
		return m->v[m->n - 1].name;
	if (name.len)
		memcpy(m->names + at, name.ptr, name.len);
	m->names[at + name.len] = '\0';
	m->names_len += name.len + 1;
	return at;
}

/* "start-end perm offset major:minor inode   name" */
int maps_add_line(struct maps *m, struct slice line)
{
	struct map map = { 0 };
	uint64_t major_no, minor_no;
	char perm;

	if (!take_number(&line, 16, '-', &map.start) || !take_number(&line, 16, ' ', &map.end) ||
	    line.len < 5)
		return -EBADMSG;
	perm = line.ptr[2];
	line = (struct slice){ line.ptr + 5, line.len - 5 };
	if (!take_number(&line, 16, ' ', &map.off) || !take_number(&line, 16, ':', &major_no) ||
	    !take_number(&line, 16, ' ', &minor_no) || !take_number(&line, 10, ' ', &map.ino) ||
	    map.end <= map.start || (m->n && map.start < m->v[m->n - 1].end))
		return -EBADMSG;
	if (perm != 'x')
		return 1;
	while (line.len && *line.ptr == ' ')
		line = (struct slice){ line.ptr + 1, line.len - 1 };
	if (m->n >= MAPS_MAX || m->names_len + line.len + 1 > MAPS_NAMES_MAX ||
	    !grow(m, line.len)) {
		m->cut = true;
		return 1;
	}
	map.dev = makedev((unsigned)major_no, (unsigned)minor_no);
	map.kind = kind_of(line, map.ino);
	map.name = name_put(m, line);
	m->v[m->n++] = map;
	return 0;
}

/* ---- a process --------------------------------------------------------------------------- */

/* Takes the whole lines off buf, of which len bytes are filled; returns what is left. */
static size_t take_lines(struct maps *m, char *buf, size_t len)
{
	size_t at = 0;
	const char *end;

	while (!m->cut && (end = memchr(buf + at, '\n', len - at))) {
		size_t line_len = (size_t)(end - (buf + at));

		maps_add_line(m, (struct slice){ buf + at, line_len });
		at += line_len + 1;
	}
	memmove(buf, buf + at, len - at);
	return len - at;
}

int maps_read(struct maps *m, uint32_t tgid)
{
	char path[40], buf[LINE_MAX_BYTES];
	struct maps fresh = { 0 };
	size_t len = 0;
	ssize_t n;
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/maps", tgid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf + len, sizeof(buf) - len)) > 0 && !fresh.cut) {
		fresh.read_bytes += (uint64_t)n;
		len = take_lines(&fresh, buf, len + (size_t)n);
	}
	err = n < 0 ? -errno : 0;
	close(fd);
	if (!err && !fresh.n)
		err = -ESRCH;
	if (err) {
		maps_release(&fresh);
		return err;
	}
	maps_release(m);
	*m = fresh;
	return 0;
}

struct map *maps_find(const struct maps *m, uint64_t addr)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->v[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low < m->n && m->v[low].start <= addr ? &m->v[low] : NULL;
}

size_t maps_bytes(const struct maps *m)
{
	return m->cap * sizeof(*m->v) + m->cap_names;
}
