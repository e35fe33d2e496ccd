/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opens files of observed processes for reading. Their names come from places that a process
 * controls, so: only regular files, never through a link out of the process's root, never
 * something whose mere opening waits or acts. Descriptors are the caller's to close; negative
 * errno on failure.
 */
#ifndef TARDY_SYM_PROC_FILE_H
#define TARDY_SYM_PROC_FILE_H
#include <stdint.h>

/* path as the process sees it (its mount namespace and root); tgid 0: as we see it. */
int proc_file_open(uint32_t tgid, const char *path);
/* The file behind the mapping [start, end), even when it has no name any more. Needs
 * CAP_CHECKPOINT_RESTORE. */
int proc_file_open_mapped(uint32_t tgid, uint64_t start, uint64_t end);
/* The program that the process runs, the same. */
int proc_file_open_exe(uint32_t tgid);
#endif
