/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A source of records: the kernel's rings or a capture file. Every stage after this one sees the
 * same records in the same way, so what was seen live can be replayed, and tested without a
 * kernel. A source embeds this struct as its first member or knows the way back from it.
 */
#ifndef TARDY_INGEST_SOURCE_H
#define TARDY_INGEST_SOURCE_H
#include "bpf/abi.h"

struct source {
	/* 1: *out is the next record, 8-byte aligned, its len checked to be at least that of
	 * rec_hdr and to lie within the source's memory; valid until the next call. What lies
	 * behind the header is not checked: see record_check() in ingest/record.h.
	 * 0: the end of a capture; for a live source, nothing more at the moment.
	 * Negative errno: the source cannot go on. */
	int (*next)(struct source *src, const struct rec_hdr **out);
	/* Frees the source. */
	void (*close)(struct source *src);
};

static inline int source_next(struct source *src, const struct rec_hdr **out)
{
	return src->next(src, out);
}

static inline void source_close(struct source *src)
{
	if (src)
		src->close(src);
}
#endif
