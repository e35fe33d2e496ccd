// SPDX-License-Identifier: GPL-2.0-only
#include "sym/perf_map.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 << 10 };

static bool take_hex(struct slice *s, uint64_t *out)
{
	size_t i = 0;

	if (slice_starts(*s, SLICE_LIT("0x")))
		*s = (struct slice){ s->ptr + 2, s->len - 2 };
	for (*out = 0; i < s->len && i < 16; i++) {
		char c = s->ptr[i];
		int digit = c >= '0' && c <= '9' ? c - '0' :
			    c >= 'a' && c <= 'f' ? c - 'a' + 10 :
			    c >= 'A' && c <= 'F' ? c - 'A' + 10 :
						   -1;

		if (digit < 0)
			break;
		*out = *out << 4 | (uint64_t)digit;
	}
	if (!i || i >= s->len || s->ptr[i] != ' ')
		return false;
	*s = (struct slice){ s->ptr + i + 1, s->len - i - 1 };
	return true;
}

void perf_map_add_line(struct sym_table *t, struct slice line)
{
	/* Among equals the lower rank wins. Code is replaced in place, the last line holds. */
	uint32_t rank = SYM_TABLE_MAX - (uint32_t)t->n_draft;
	uint64_t start, size;

	if (!take_hex(&line, &start) || !take_hex(&line, &size) || !size || !line.len)
		return;
	if (sym_table_add(t, start, size, rank * 2 * SYM_RANK_UNSIZED, 0))
		sym_table_name(t, t->n_draft - 1, line);
}

static size_t take_lines(struct sym_table *t, char *buf, size_t len)
{
	size_t at = 0;
	const char *end;

	while ((end = memchr(buf + at, '\n', len - at))) {
		size_t line_len = (size_t)(end - (buf + at));

		perf_map_add_line(t, (struct slice){ buf + at, line_len });
		at += line_len + 1;
	}
	memmove(buf, buf + at, len - at);
	return len - at;
}

int perf_map_read(struct sym_table *t, int fd)
{
	char *buf = malloc(BUFFER_BYTES);
	uint64_t at = 0;
	size_t len = 0;
	ssize_t n = 0;
	int err;

	if (!buf)
		return -ENOMEM;
	while (at < PERF_MAP_BYTES_MAX && len < BUFFER_BYTES &&
	       (n = pread(fd, buf + len, BUFFER_BYTES - len, (off_t)at)) > 0) {
		at += (uint64_t)n;
		len = take_lines(t, buf, len + (size_t)n);
	}
	t->cut |= at >= PERF_MAP_BYTES_MAX;
	err = n < 0 ? -errno : 0;
	free(buf);
	if (!err)
		err = sym_table_finish(t);
	return err;
}
