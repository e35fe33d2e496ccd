/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much of what processes say of themselves (mappings, maps for perf) is read: they choose how
 * long it is and when it changes. All together get so many bytes a second: half of them for what is
 * short, so that those who have much, however many, leave the others theirs; and one that has much
 * waits for longer between two times.
 */
#ifndef TARDY_SYM_READ_BUDGET_H
#define TARDY_SYM_READ_BUDGET_H
#include <stdbool.h>
#include <stdint.h>

enum { READ_SMALL = 64 << 10, READ_SHARE = 4 };

enum read_kind { READ_SHORT, READ_LONG, READ_KINDS };

struct read_budget {
	uint64_t per_s; /* bytes */
	int64_t left[READ_KINDS]; /* of at most a second's; below 0: that much was read ahead */
	uint64_t at_ns; /* of left; 0 = never */
	uint64_t put_off; /* times that there was nothing left, or it was too early */
};

/* What one process has read, and when it may again. */
struct read_turn {
	uint64_t read_ns, next_ns; /* 0 = never */
};

static inline void read_fill(struct read_budget *b, uint64_t now_ns)
{
	uint64_t half = b->per_s / READ_KINDS + 1, since = now_ns - b->at_ns;
	bool whole = !b->at_ns || since >= 1000000000u; /* else the product stays within 64 bits */

	for (int k = 0; k < READ_KINDS; k++) {
		b->left[k] += (int64_t)(whole ? half : since * half / 1000000000u);
		if (b->left[k] > (int64_t)half)
			b->left[k] = (int64_t)half;
	}
	b->at_ns = now_ns;
}

static inline enum read_kind read_kind_of(uint64_t bytes)
{
	return bytes > READ_SMALL ? READ_LONG : READ_SHORT;
}

/* Was it read less than every_ns ago? That is not counted as put off. */
static inline bool read_just_done(const struct read_turn *t, uint64_t every_ns, uint64_t now_ns)
{
	return t->read_ns && now_ns - t->read_ns < every_ns;
}

/* May it be read now? bytes: how long it is, as far as that is known. */
static inline bool read_may(struct read_budget *b, const struct read_turn *t, uint64_t bytes,
			    uint64_t now_ns)
{
	bool may;

	read_fill(b, now_ns);
	may = b->left[read_kind_of(bytes)] > 0 && now_ns >= t->next_ns;
	b->put_off += !may;
	return may;
}

/* It was read, and has so many bytes. */
static inline void read_done(struct read_budget *b, struct read_turn *t, uint64_t bytes,
			     uint64_t now_ns)
{
	b->left[read_kind_of(bytes)] -= (int64_t)bytes;
	t->read_ns = now_ns;
	t->next_ns = now_ns;
	if (read_kind_of(bytes) == READ_LONG)
		t->next_ns += bytes * 1000 / (b->per_s / READ_SHARE + 1) * 1000000;
}

#endif
