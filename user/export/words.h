/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sentences that the report and the live view share, so that both say the same thing in the
 * same words. All text is safe for a terminal (base/format.h) and fits the columns it is given.
 * buf needs WORDS_LEN bytes.
 */
#ifndef TARDY_EXPORT_WORDS_H
#define TARDY_EXPORT_WORDS_H
#include "rank/snapshot.h"

enum { WORDS_LEN = 2048 };

/* A name for an id of base/intern.h, cleaned and at most cols wide; absent when it is empty. */
const char *words_label(char *buf, size_t size, uint32_t id, const char *absent, unsigned cols,
			bool ascii);
/* What to look at: "43% of all waiting is GET /x; 55% of that is postgres disk: nvme0n1 read";
 * in shorter words when that is wider than cols, not cut. */
void words_verdict(const struct snapshot *s, char *buf, unsigned cols, bool ascii);
/* One part of a whole of wall_us: "k disk      191ms  55%  postgres  nvme0n1 read  1180x". A '~'
 * before the time says that it was scaled to fit its call. per_request: counts are means. */
void words_part(const struct snap_part *p, uint64_t wall_us, bool per_request, char *buf,
		unsigned cols, bool ascii);
/* The same line for the parts that were not shown, so that the lines still sum to the whole. */
void words_part_rest(size_t n, uint64_t us, uint64_t wall_us, char *buf, unsigned cols);
/* The head of a route's details: "GET /x: mean 347ms per request, in 12,840 requests". */
void words_route_head(const struct snap_route *r, char *buf, bool ascii);
/* What a request that is a stream was like: "stream: first byte 612ms, 57 gaps of 38ms (mean)". */
void words_stream(const struct snap_request *r, char *buf, size_t size);
/* The head of a hotspot's details: "postgres disk: nvme0n1 read, held by POST /y". */
void words_hotspot_head(const struct snap_hotspot *h, char *buf, bool ascii);
/* A stack in one line, leaf first: "fsync < XLogWrite < main". Frames as in snap_hotspot; where
 * not all fit, those next to the leaf are shown, of the kernel and of the process. */
void words_stack(const uint32_t *frames, size_t n, size_t n_kernel, char *buf, unsigned cols,
		 bool ascii);
/* What became of the stacks, line by line; false when there is no line of that number. */
bool words_stacks(const struct snap_health *h, size_t line, char *buf);
/* The share of stacks whose callers are unknown, 0..1. */
double words_broken_share(const struct snap_health *h);
/* Calls that are in no request, line by line; false when there is no line of that number. */
bool words_unbound(const struct snap_health *h, size_t line, char *buf, bool ascii);
/* How many there are. */
uint64_t words_unbound_calls(const struct snap_health *h);
/* What watching costs and what was lost; always on screen. brief: for narrow places. */
void words_cost(const struct snapshot *s, bool brief, char *buf);
/* When and where something was lost: "14:03:20.117 to 14:03:22.480  cpu 1  ring_full_exchange 7",
 * in local time. */
void words_loss(const struct snap_lost_interval *l, char *buf);
/* Letters and names of the causes with left[cause] set, in the order of their table, as many as
 * fit; clears left[] of those that it wrote. Causes with one letter share an entry: "q db+cache". */
void words_legend(bool left[CAUSE_COUNT], unsigned cols, char *buf);
/* How much of the waiting of entry requests was not measured, 0..1. */
double words_unknown_share(const struct snapshot *s);
#endif
