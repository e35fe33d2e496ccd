/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The attachments of a capture that is read, kept in memory until they are printed. They may come
 * from anybody: what is printed as text is made safe for a terminal.
 */
#ifndef TARDY_CMD_ATTACHMENTS_H
#define TARDY_CMD_ATTACHMENTS_H
#include <stdio.h>
#include "base/slice.h"

enum { ATTACHMENTS_MAX = 64, ATTACHMENTS_BYTES_MAX = 32 << 20 };

struct attachment {
	char *name, *text; /* NUL-terminated */
};

struct attachments {
	struct attachment v[ATTACHMENTS_MAX];
	size_t n, bytes;
	size_t dropped; /* for want of room */
};

/* A capture_attachment_fn; ctx is a struct attachments. */
void attachments_add(void *ctx, struct slice name, struct slice text);
/* Each under a rule with its name. 0 or negative errno of the first failed write. */
int attachments_print(FILE *out, const struct attachments *a);
/* As lines {"kind":"attachment","name":...,"text":...}. */
int attachments_json(FILE *out, const struct attachments *a);
void attachments_release(struct attachments *a);
#endif
