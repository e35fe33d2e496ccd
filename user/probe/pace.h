/* SPDX-License-Identifier: GPL-2.0-only */
/* How long a collector may rest between two readings of the rings, and between two sweeps. */
#ifndef TARDY_PROBE_PACE_H
#define TARDY_PROBE_PACE_H

#include <stddef.h>
#include <stdint.h>

#define PACE_MAX_NS 25000000ull
#define PACE_MIN_NS 1000000ull

/* After a reading of `drained` bytes that had come in `interval_ns`: a quarter of what fills one
 * ring of `ring_bytes` at that rate, if all of it came through that one. Nanoseconds. */
static inline uint64_t pace_ns(uint64_t drained, uint64_t interval_ns, size_t ring_bytes)
{
	double ns;

	if (!drained)
		return PACE_MAX_NS;
	ns = (double)interval_ns * (double)ring_bytes / 4 / (double)drained;
	if (ns >= (double)PACE_MAX_NS)
		return PACE_MAX_NS;
	return ns <= (double)PACE_MIN_NS ? PACE_MIN_NS : (uint64_t)ns;
}

#define SWEEP_REST_MIN_NS 100000000ull
#define SWEEP_REST_MAX_NS 2000000000ull
#define SWEEP_SHARE 64 /* of a core at most one part in so many goes to sweeps */

/* After a sweep that took `cpu_ns`. It walks all sockets, those too that others on this host hold
 * to make it long: they make it rare. What it shows is later then, and nothing is lost. */
static inline uint64_t pace_sweep_ns(uint64_t cpu_ns)
{
	if (cpu_ns >= SWEEP_REST_MAX_NS / SWEEP_SHARE)
		return SWEEP_REST_MAX_NS;
	if (cpu_ns <= SWEEP_REST_MIN_NS / SWEEP_SHARE)
		return SWEEP_REST_MIN_NS;
	return cpu_ns * SWEEP_SHARE;
}

#endif
