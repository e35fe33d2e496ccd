/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User probe points given on the command line: "uprobe:BINARY:function" (function entry) and
 * "usdt:BINARY:provider:name". Each is attached once for the whole binary; the BPF program
 * looks only at threads that serve a request. Never a return probe.
 */
#ifndef TARDY_PROBE_POINTS_H
#define TARDY_PROBE_POINTS_H
#include <stdint.h>

struct bpf_program;
struct bpf_link;

enum { POINT_LINKS_MAX = 8 }; /* locations of one point */

/* links, POINT_LINKS_MAX long and zeroed, gets the caller's links, some also when an error is
 * returned. -EINVAL: not of the forms above; -ENOENT: no such binary,
 * function or USDT point; else what the kernel said. */
int point_attach(const struct bpf_program *prog, const char *spec, uint32_t label,
		 struct bpf_link **links);

#endif
