/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of earlier versions. A record that needs more fields becomes a new type; what older
 * captures hold is given the present one's form as it is read, so that nothing behind the reader
 * knows more than one. What they did not have is 0: not known.
 */
#ifndef TARDY_INGEST_RECORD_OLD_H
#define TARDY_INGEST_RECORD_OLD_H
#include <stdbool.h>
#include "bpf/abi.h"

/* By how many bytes a record can grow at most. */
enum { RECORD_OLD_GROWTH = sizeof(struct rec_xchg) };

/* A type with a successor, and as long as its fields were? A shorter one stays what it is, for
 * record_check() to refuse. */
bool record_is_old(const struct rec_hdr *rec);
/* The record in its present form, written to `to`, which holds rec->len + RECORD_OLD_GROWTH bytes
 * and is aligned for any record. */
const struct rec_hdr *record_present(const struct rec_hdr *rec, struct rec_hdr *to);
#endif
