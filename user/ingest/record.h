/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Distrust of records: a capture may come from anybody, so a consumer asks here before it looks
 * behind a record's header.
 */
#ifndef TARDY_INGEST_RECORD_H
#define TARDY_INGEST_RECORD_H
#include "base/slice.h"
#include "bpf/abi.h"

/* 1: a record of a known type whose fixed fields and variable bytes all lie within rec->len.
 * 0: an unknown type, to be skipped. -EBADMSG: too short or inconsistent, to be counted and
 * skipped. Reads rec->len bytes at most. */
int record_check(const struct rec_hdr *rec);
/* The text in a fixed field, with or without a NUL at its end. */
struct slice record_text(const uint8_t *field, size_t size);
/* The four bytes of an IPv4 address in a field for addresses of `family`, also of one that an IPv6
 * socket has (::ffff:a.b.c.d); NULL for any other. */
const uint8_t *record_ipv4(uint16_t family, const uint8_t *address);
#endif
