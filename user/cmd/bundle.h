/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bundle: a capture with attachments, so that one file says all to a person elsewhere.
 * "doctor" and "host" are attached when the recording begins, "servers" and "report" when it
 * ends. One thread.
 */
#ifndef TARDY_CMD_BUNDLE_H
#define TARDY_CMD_BUNDLE_H
#include "bpf/abi.h"
#include "ingest/capture_write.h"
#include "probe/probe.h"

struct bundle;

/* Attaches what is known at the beginning; says on stderr what a bundle holds. max_bytes: of the
 * capture, 0 = none. NULL: no memory. */
struct bundle *bundle_begin(struct capture_writer *w, struct probe *probe, uint64_t max_bytes);
/* Notes what a record says of a server. */
void bundle_record(struct bundle *b, const struct rec_hdr *rec);
/* Attaches the rest, made from what was written so far. 0 or negative errno: the capture is good
 * without. Frees b (NULL is fine). */
int bundle_end(struct bundle *b, struct capture_writer *w);
/* Frees b without attaching anything. */
void bundle_drop(struct bundle *b);
#endif
