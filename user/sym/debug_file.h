/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the separate debug file of a stripped one, as gdb does: by build id below the folder of
 * debug files, else by the name and checksum of .gnu_debuglink beside the file, in .debug/ beside
 * it and below the folder of debug files. Each first as the process sees it, then as we do.
 */
#ifndef TARDY_SYM_DEBUG_FILE_H
#define TARDY_SYM_DEBUG_FILE_H
#include <stdint.h>
#include "sym/elf_file.h"

#define DEBUG_FILE_DIR "/usr/lib/debug"

/* f: the stripped file, seen at path by process tgid. dir: the folder of debug files. Returns a
 * descriptor of a file with symbols, which *debug reads and the caller closes, or -ENOENT. */
int debug_file_open(const struct elf_file *f, uint32_t tgid, const char *path, const char *dir,
		    struct elf_file *debug);
#endif
