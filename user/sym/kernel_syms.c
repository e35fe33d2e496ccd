// SPDX-License-Identifier: GPL-2.0-only
#include "sym/kernel_syms.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 << 10 };

/* kallsyms gives no sizes: a function reaches to the next, or this far. Larger ones do not
 * exist; what lies further is of a module that was loaded later, or of none. */
static const uint64_t FUNCTION_BYTES_MAX = 64 << 10;
static const uint64_t KERNEL_HALF = 1ull << 63;

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void kernel_syms_add_line(struct sym_table *t, struct slice line)
{
	uint64_t addr = 0;
	uint32_t rank = SYM_RANK_UNSIZED;
	size_t i = 0;

	for (; i < line.len && i < 16 && hex_digit(line.ptr[i]) >= 0; i++)
		addr = addr << 4 | (uint64_t)hex_digit(line.ptr[i]);
	if (!i || line.len - i < 4 || line.ptr[i] != ' ' || line.ptr[i + 2] != ' ' ||
	    addr < KERNEL_HALF)
		return;
	switch (line.ptr[i + 1]) {
	case 'T':
		break;
	case 't':
		rank += SYM_RANK_LOCAL;
		break;
	case 'W':
	case 'w':
		rank += SYM_RANK_WEAK;
		break;
	default:
		return;
	}
	/* the name with its module, as it stands there */
	if (sym_table_add(t, addr, FUNCTION_BYTES_MAX, rank, 0))
		sym_table_name(t, t->n_draft - 1,
			       (struct slice){ line.ptr + i + 3, line.len - i - 3 });
}

static size_t take_lines(struct sym_table *t, char *buf, size_t len)
{
	size_t at = 0;
	const char *end;

	while ((end = memchr(buf + at, '\n', len - at))) {
		size_t line_len = (size_t)(end - (buf + at));

		kernel_syms_add_line(t, (struct slice){ buf + at, line_len });
		at += line_len + 1;
	}
	memmove(buf, buf + at, len - at);
	return len - at;
}

int kernel_syms_read(struct sym_table *t, const char *path)
{
	char buf[BUFFER_BYTES];
	size_t len = 0;
	ssize_t n;
	int err, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf + len, sizeof(buf) - len)) > 0)
		len = take_lines(t, buf, len + (size_t)n);
	err = n < 0 ? -errno : 0;
	close(fd);
	if (!err)
		err = sym_table_finish(t);
	if (!err && !t->n)
		err = -EPERM;
	if (err)
		sym_table_release(t);
	return err;
}

bool kernel_syms_find(const struct sym_table *t, uint64_t addr, struct kernel_function *out)
{
	const struct sym *s = sym_table_find(t, addr);
	const char *tab;
	struct slice text;

	if (!s)
		return false;
	text = slice_of(sym_table_text(t, s));
	*out = (struct kernel_function){ .name = text, .start = s->start };
	tab = memchr(text.ptr, '\t', text.len);
	if (!tab)
		return true;
	out->name.len = (size_t)(tab - text.ptr);
	out->module = (struct slice){ tab + 1, text.len - out->name.len - 1 };
	if (out->module.len >= 2 && out->module.ptr[0] == '[' &&
	    out->module.ptr[out->module.len - 1] == ']')
		out->module = (struct slice){ tab + 2, out->module.len - 2 };
	return true;
}
