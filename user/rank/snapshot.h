/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A snapshot: everything that a screen or an export shows of one window, immutable once built
 * and owned by its reader. Strings are ids of base/intern.h; times are microseconds where the
 * name says _us. Rows are ranked by WAIT/s, largest first. Absent data has has_* == false or an
 * empty list, and a view leaves its column or line out.
 */
#ifndef TARDY_RANK_SNAPSHOT_H
#define TARDY_RANK_SNAPSHOT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "proto/proxy_line.h"
#include "account/causes.h"
#include "base/intern.h"

#define VERDICT_LONG_US 100000 /* a single request that took longer is told of on a calm host */

enum {
	SNAP_TREND = 8,
	SNAP_LOST_KINDS_MAX = 32,
	SNAP_LOST_INTERVALS_MAX = 64,
	SNAP_UNBOUND_MAX = 64
};

/* A share of a mean request (routes) or of one request. */
struct snap_part {
	uint32_t who, what, via, held_by;
	uint8_t cause; /* enum cause */
	bool scaled;
	double count; /* per request */
	uint64_t us; /* rounded so that the sum is exactly the wall_us beside it */
};

struct snap_route {
	uint32_t service, route, pool;
	bool entry; /* the row counts entry requests; joined children have rows of their own */
	uint64_t requests; /* ended in the window */
	uint64_t errors, aborted, incomplete, streams;
	uint64_t multiplexed; /* exchanges that are in no other figure, see REQUEST_MULTIPLEXED */
	/* means of the complete streams, 0 = none: to the first byte, from send to send, whole */
	uint64_t stream_first_us, stream_gap_us, stream_wall_us;
	uint64_t in_flight; /* now */
	/* mean of complete requests, and of those in flight by their time so far; how many these
	 * are */
	uint64_t wall_us, counted;
	uint64_t p50_us, p95_us, p99_us, max_us; /* nearest rank */
	double req_per_s;
	double wait_s_per_s; /* unfinished ones included */
	double wait_share; /* of all entry waiting in the window, 0..1; 0 for rows not entry */
	struct snap_part *parts; /* of that mean: largest first, sum of us == wall_us */
	size_t n_parts;
	/* the same for everything that waits on the row, unfinished ones too: seconds per second
	 * by cause; what the bar shows where there is no mean */
	double wait_by_cause[CAUSE_COUNT];
	double trend[SNAP_TREND]; /* WAIT/s in eighths of the window, oldest first */
};

struct snap_call {
	uint32_t peer, protocol, what;
	uint64_t start_us; /* after the request's start */
	uint64_t wall_us;
	uint64_t connect_us; /* 0 = the connection was there */
	uint32_t srtt_us, retransmits;
	bool error;
};

struct snap_mark {
	uint32_t label;
	uint64_t at_us; /* after the request's start */
};

struct snap_request {
	uint64_t xid, parent_xid;
	uint64_t start_unix_us, wall_us, after_us, first_byte_us;
	uint64_t bytes_in, bytes_out;
	uint64_t gap_us; /* mean time from send to send of the answer, 0 = fewer than two */
	uint64_t gap_max_us, peer_window_us;
	uint32_t sends;
	uint32_t srtt_us, rttvar_us, retransmits; /* of the client's connection, 0 = not known */
	uint32_t service, method, route, protocol, waiting_for;
	struct proxy_client client; /* that a PROXY header names */
	int32_t status, pid, tid;
	char binding;
	bool entry, aborted, incomplete, error, open, stream, before, multiplexed, end_unseen;
	struct snap_part *parts;
	size_t n_parts;
	struct snap_call *calls;
	size_t n_calls;
	struct snap_mark *marks;
	size_t n_marks;
};

struct snap_hotspot_route {
	uint32_t route;
	double wait_s_per_s;
};

struct snap_hotspot {
	uint32_t who, what, held_by, via;
	uint8_t cause;
	double wait_s_per_s;
	double share; /* of all entry waiting */
	/* who waits on it, largest first */
	struct snap_hotspot_route *routes;
	size_t n_routes;
	/* queue and loop: what the workers did meanwhile, wait_s_per_s = their busy seconds/s; runq:
	 * whom it is behind ("behind xz"), wait_s_per_s = for how much of the waiting */
	struct snap_hotspot_route *occupied_by;
	size_t n_occupied_by;
	/* the stack that most of it was spent in, leaf first, the kernel's frames first; none
	 * where no stack was taken */
	uint32_t *stack;
	size_t n_stack, n_stack_kernel;
	double stack_share; /* of the time of all stacks that match the hotspot, 0..1 */
};

/* One distinct stack of the requests of a route, who answered them being the service. */
struct snap_stack {
	uint32_t service, route;
	uint8_t cause; /* enum cause; CAUSE_CPU: samples of a running thread, all else is waiting */
	const uint32_t *frames; /* leaf first, the kernel's frames first; of the snapshot */
	uint16_t n_frames, n_kernel;
	uint64_t samples, us;
};

/* What became of the stacks that were taken, since the beginning. */
struct snap_stacks {
	uint64_t cpu_samples, waits; /* taken */
	uint64_t no_user, user_skipped, user_short, user_cut; /* why frames are missing */
	uint64_t no_kernel, kernel_cut;
	uint64_t unknown_symbols; /* frames without a known function */
	uint64_t after_answer; /* not part of a request any more */
	uint64_t unclaimed; /* of a request that never came */
	uint64_t dropped; /* no room */
	uint64_t folded; /* shown as "[other]" for want of room */
};

struct snap_pool { /* a service with several workers */
	uint32_t service;
	uint32_t busy, workers; /* mean busy rounded up, workers alive */
};

struct snap_lost {
	const char *kind; /* static text */
	uint64_t count;
};

struct snap_lost_interval {
	const char *kind; /* static text */
	bool loses; /* requests that overlap it are incomplete; else only a detail is gone */
	uint32_t cpu;
	uint64_t from_unix_us, to_unix_us;
	uint64_t count;
};

struct snap_unbound { /* calls of a service that are in no request */
	uint32_t service, peer;
	uint64_t calls, us;
};

struct snap_health {
	uint64_t seen; /* records */
	uint64_t lost; /* records */
	struct snap_lost lost_by_kind[SNAP_LOST_KINDS_MAX];
	size_t n_lost_by_kind;
	struct snap_lost_interval lost_intervals[SNAP_LOST_INTERVALS_MAX]; /* oldest first */
	size_t n_lost_intervals;
	uint64_t lost_intervals_dropped; /* older ones, of which only the counts are left */
	/* in the collector: records that do not make sense, exchanges for which a table had no room,
	 * calls and waits whose request was gone already, or was never seen */
	uint64_t malformed, evicted, late, orphans;
	struct snap_unbound unbound[SNAP_UNBOUND_MAX]; /* longest time first */
	size_t n_unbound;
	bool has_own_cost; /* false in replay */
	double own_cpu_ratio; /* of one core */
	double probe_cpu_ratio; /* of one core */
	double probe_ns_per_request;
	uint64_t rss_bytes;
	bool has_stacks; /* any was taken */
	struct snap_stacks stacks;
};

struct snap_host {
	bool has; /* false in replay of another host */
	double cpu_ratio; /* 0..1 of all CPUs */
	double disk_ratio; /* busiest disk's util, 0..1; negative = not known */
	double runnable; /* mean runnable tasks; negative = not known */
	double psi_cpu, psi_io, psi_mem; /* 0..1, avg10; negative = not known */
	uint32_t cpus;
};

enum snap_verdict_kind {
	SNAP_VERDICT_NOTHING, /* nothing waits */
	SNAP_VERDICT_CALM, /* many are in flight, but nobody waits long */
	SNAP_VERDICT_WAIT, /* route, who, cause, what are set */
	SNAP_VERDICT_UNKNOWN, /* unknown time leads */
	SNAP_VERDICT_INCOMPLETE, /* more than 5 % of requests are incomplete */
	SNAP_VERDICT_NO_DATA, /* no request seen at all */
};

struct snapshot {
	struct intern_holder holder; /* of its names, until snapshot_free() */
	uint64_t start_unix_us, window_us;
	uint32_t hostname, kernel; /* of the recorded host */
	bool live;
	/* entry requests only */
	uint64_t requests, errors, aborted, incomplete;
	double req_per_s, error_ratio, in_flight_mean, wait_s_per_s;
	uint64_t p50_us, p95_us, p99_us, max_us;
	enum snap_verdict_kind verdict;
	struct {
		uint32_t route, who, what, held_by;
		uint8_t cause;
		double route_share; /* of all entry waiting */
		/* of the mean request of that route: of who and cause, and of what and held_by
		 * among that */
		double cause_share, what_share;
	} top;
	struct snap_route *routes;
	size_t n_routes;
	struct snap_hotspot *hotspots;
	size_t n_hotspots;
	/* requests of the window: in report all kept ones in order of start; in top the slowest
	 * and the open ones */
	struct snap_request *requests_v;
	size_t n_requests_v;
	uint64_t requests_dropped; /* not kept for want of room */
	/* every stack of the window, by service, cause and route; only where they were asked for */
	struct snap_stack *stacks;
	size_t n_stacks;
	uint32_t *stack_frames; /* what their frames point into */
	struct snap_pool *pools;
	size_t n_pools;
	struct snap_host host;
	struct snap_health health;
};

/* Registers it as the holder of its names. */
void snapshot_hold(struct snapshot *s);
void snapshot_free(struct snapshot *s);
#endif
