// SPDX-License-Identifier: GPL-2.0-only
#include "sym/debug_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "sym/proc_file.h"

static const uint64_t CHECKED_BYTES_MAX = 512u << 20; /* a larger file's checksum is not taken */

/* The checksum of .gnu_debuglink is the CRC-32 of zlib, over the whole file. */
static bool checksum_is(const struct elf_input *in, uint32_t want)
{
	unsigned char bytes[16384];
	uLong crc = crc32(0, NULL, 0);

	if (in->size > CHECKED_BYTES_MAX)
		return false;
	for (uint64_t at = 0; at < in->size; at += sizeof(bytes)) {
		uint64_t left = in->size - at;
		size_t n = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);

		if (elf_input_read(in, at, bytes, n))
			return false;
		crc = crc32(crc, bytes, (uInt)n);
	}
	return crc == want;
}

static bool same_build(const struct elf_file *a, const struct elf_file *b)
{
	return a->build_id_len == b->build_id_len &&
	       !memcmp(a->build_id, b->build_id, a->build_id_len);
}

static int try_path(const struct elf_file *f, uint32_t tgid, const char *path, bool by_link,
		    struct elf_file *debug)
{
	struct elf_input in;
	int fd = proc_file_open(tgid, path);

	if (fd < 0)
		return fd;
	if (!elf_input_of_fd(&in, fd) && !elf_file_read(debug, &in) && debug->symtab.size &&
	    debug->is32 == f->is32 &&
	    (by_link ? checksum_is(&in, f->link_crc) : same_build(f, debug)))
		return fd;
	close(fd);
	return -ENOENT;
}

/* As the process sees the path, then as we do. */
static int try_roots(const struct elf_file *f, uint32_t tgid, const char *path, bool by_link,
		     struct elf_file *debug)
{
	int fd = try_path(f, tgid, path, by_link, debug);

	return fd < 0 && tgid ? try_path(f, 0, path, by_link, debug) : fd;
}

static int by_build_id(const struct elf_file *f, uint32_t tgid, const char *dir,
		       struct elf_file *debug)
{
	char path[PATH_MAX], hex[2 * ELF_BUILD_ID_MAX + 1];

	if (!f->build_id_len)
		return -ENOENT;
	for (uint32_t i = 0; i < f->build_id_len; i++)
		snprintf(hex + 2 * (size_t)i, 3, "%02x", f->build_id[i]);
	if (snprintf(path, sizeof(path), "%s/.build-id/%.2s/%s.debug", dir, hex, hex + 2) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	return try_roots(f, tgid, path, false, debug);
}

static int by_link(const struct elf_file *f, uint32_t tgid, const char *path, const char *dir,
		   struct elf_file *debug)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) : 0, fd = -ENOENT;
	const struct {
		const char *before, *between;
	} places[] = { { "", "/" }, { "", "/.debug/" }, { dir, "/" } };

	if (!f->link[0] || !slash)
		return -ENOENT;
	for (size_t i = 0; fd < 0 && i < sizeof(places) / sizeof(places[0]); i++) {
		char at[PATH_MAX];

		if (snprintf(at, sizeof(at), "%s%.*s%s%s", places[i].before, folder, path,
			     places[i].between, f->link) < (int)sizeof(at))
			fd = try_roots(f, tgid, at, true, debug);
	}
	return fd;
}

int debug_file_open(const struct elf_file *f, uint32_t tgid, const char *path, const char *dir,
		    struct elf_file *debug)
{
	int fd = by_build_id(f, tgid, dir, debug);

	return fd < 0 ? by_link(f, tgid, path, dir, debug) : fd;
}
