/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of addresses: REC_SYM in, frames out. A frame is an id of base/intern.h, the function's
 * name, with "_[k]" behind it in the kernel, so that equal functions of many processes are one.
 *
 * A name is sent once and then used for as long as the process lives, so what is forgotten is
 * what was not used for longest: names live in two generations, and when the young one is full
 * it becomes the old one: full of addresses or of distinct names, of which a process can make up as
 * many as it likes. A name that is used moves to the young one. One thread.
 */
#ifndef TARDY_AGGREGATE_FRAME_NAMES_H
#define TARDY_AGGREGATE_FRAME_NAMES_H
#include <stdbool.h>
#include <stdint.h>
#include "base/table.h"
#include "bpf/abi.h"

enum {
	/* addresses, both generations together: a table of 2^18 slots each, as full as it gets */
	FRAME_NAMES_MAX = 3 << 17,
	FRAME_TEXTS_MAX = 1 << 16, /* distinct names, likewise */
};

struct frame_names {
	struct table young, old; /* process and address -> struct frame_name */
	struct table texts; /* ids of the names in the young one */
	size_t generation; /* most entries of the young one */
	uint32_t unknown, unknown_kernel; /* frames of addresses without a name */
};

/* addresses and texts: most of each, both generations together. Allocates nothing yet. */
void frame_names_init(struct frame_names *s, size_t addresses, size_t texts);
void frame_names_release(struct frame_names *s);
/* Takes a record that record_check() accepted. 0 or -ENOMEM. */
int frame_names_add(struct frame_names *s, const struct rec_sym *r);
/* Holds on to the names in both, see base/intern.h. */
void frame_names_keep(const struct frame_names *s);
/* The frame at an address, tgid 0 = of the kernel. *known: whether a function is known there. */
uint32_t frame_names_get(struct frame_names *s, uint32_t tgid, uint64_t addr, bool *known);
#endif
