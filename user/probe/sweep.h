/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sweeps: the iterators that write out what is at rest or stuck, over connections and then over
 * threads. Over which connections:
 *
 *   all of the map of them, where the kernel allows iterators over maps. Those that nobody observed has
 *   read from are in another map: anybody may hold them, so they are looked at only when data waits at
 *   one that an observed process should read, and each 2 s. Else
 *   all sockets of tardy's network namespace, and the open files of those observed processes that
 *   live in another, with what waits at their TCP listeners; but where there are many sockets, which
 *   may be anybody's, the open files of all observed processes in place of the sockets.
 */
#ifndef TARDY_PROBE_SWEEP_H
#define TARDY_PROBE_SWEEP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sweep;
struct tardy_bpf;

/* Before the skeleton is loaded: which iterators are. no_maps: none over maps, allowed or not. */
void sweep_choose(struct tardy_bpf *skel, bool no_maps);
/* Attaches to a loaded skeleton, which has to live as long. 0 or negative errno. */
int sweep_new(struct sweep **out, struct tardy_bpf *skel);
void sweep_free(struct sweep *s);
/* Runs them all once. 0 or negative errno. *covered_ns is the time of which all is to be known by them;
 * it becomes earlier if an exchange that had begun then could not be written out. */
int sweep_run(struct sweep *s, uint64_t *covered_ns);
/* To be called each second: looks at how many sockets there are, and where whose processes live. */
void sweep_look(struct sweep *s);

/* How many sockets of its network namespace a process sees, by /proc/net/sockstat and sockstat6. */
struct sweep_sockets {
	uint64_t tcp, others; /* TCP: those too that wait for their end */
};
struct sweep_sockets sweep_count(const char *sockstat, const char *sockstat6);
/* Runs an iterator to its end. 0 or negative errno. */
struct bpf_link;
int sweep_iterate(struct bpf_link *link);
#endif
