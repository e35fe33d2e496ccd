/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pipeline: records in (from the live source or a capture), snapshots out. The only place
 * that knows all stages. One thread.
 */
#ifndef TARDY_PIPELINE_H
#define TARDY_PIPELINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bpf/abi.h"
#include "rank/snapshot.h"

struct pipeline;

struct pipeline_opts {
	bool report; /* one interval of any length, all requests kept; else a sliding window */
	const char *route_glob; /* only requests whose route matches; NULL = all */
	bool live;
	bool stacks; /* snapshots list every stack, for exports */
};

struct pipeline_totals {
	uint64_t records, lost, requests;
};

struct pipeline *pipeline_new(const struct pipeline_opts *opts);
void pipeline_free(struct pipeline *p);
/*
 * Of a recording only [from_ns, to_ns) counts, 0 = from its start, to its end: what ended before is
 * left out, what was in flight at the end is open, and what waited counts by the time that it waited
 * in between. To be set when the recording's start (REC_META) has been read.
 */
void pipeline_set_interval(struct pipeline *p, uint64_t from_ns, uint64_t to_ns);
/* Has the interval not begun yet, as far as records were read? */
bool pipeline_is_before_interval(const struct pipeline *p);
/* 0, -ENOMEM, or 1 when the end of the interval has been reached: nothing more is wanted then, and
 * the input is not to be called over. ctx is the pipeline: fits probe_record_fn. */
int pipeline_record(void *ctx, const struct rec_hdr *rec);
/* The input is over: what was waiting for more is accounted. */
void pipeline_finish(struct pipeline *p);
/* Snapshot of the last window_s seconds of the stream (0 = all of it), which the caller frees.
 * max_requests: how many single requests it lists, 0 = all that were kept. */
struct snapshot *pipeline_snapshot(struct pipeline *p, double window_s, size_t max_requests);
/* For how long the slowest requests and the stacks are kept in a sliding window. */
void pipeline_set_window(struct pipeline *p, double window_s);
struct pipeline_totals pipeline_totals(const struct pipeline *p);
/* Time of the last record that carries one, CLOCK_MONOTONIC of the recorded host. */
uint64_t pipeline_now_ns(const struct pipeline *p);

#endif
