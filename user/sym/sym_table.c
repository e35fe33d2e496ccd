// SPDX-License-Identifier: GPL-2.0-only
#include "sym/sym_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_DRAFT = 1024,
	FIRST_NAMES = 32 << 10,
	UNDERSCORES_MAX = 7,
	ENCLOSING_MAX = 32, /* functions before an address that are looked at */
};
static const uint32_t NO_NAME = UINT32_MAX;

void sym_table_release(struct sym_table *t)
{
	free(t->v);
	free(t->names);
	free(t->draft);
	memset(t, 0, sizeof(*t));
}

static bool draft_grow(struct sym_table *t)
{
	size_t cap = t->cap_draft ? t->cap_draft * 2 : FIRST_DRAFT;
	struct sym_draft *more = realloc(t->draft, cap * sizeof(*more));

	if (!more)
		return false;
	t->draft = more;
	t->cap_draft = cap;
	return true;
}

bool sym_table_add(struct sym_table *t, uint64_t start, uint64_t size, uint32_t rank, uint32_t name)
{
	if (t->n_draft >= SYM_TABLE_MAX || (t->n_draft == t->cap_draft && !draft_grow(t))) {
		t->cut = true;
		return false;
	}
	t->draft[t->n_draft++] = (struct sym_draft){
		.sym = { start, size < UINT32_MAX ? (uint32_t)size : UINT32_MAX, name },
		.rank = rank,
	};
	return true;
}

static bool names_grow(struct sym_table *t, size_t need)
{
	size_t cap = t->cap_names ? t->cap_names : FIRST_NAMES;
	char *more;

	while (cap < need)
		cap *= 2;
	if (cap > SYM_TABLE_NAMES_MAX)
		cap = SYM_TABLE_NAMES_MAX;
	more = realloc(t->names, cap);
	if (!more)
		return false;
	t->names = more;
	t->cap_names = cap;
	return true;
}

void sym_table_name(struct sym_table *t, size_t i, struct slice name)
{
	struct sym_draft *d = &t->draft[i];
	size_t underscores = 0, need;

	d->sym.name = NO_NAME;
	if (name.len >= SYM_NAME_MAX)
		name.len = SYM_NAME_MAX - 1;
	if (!name.len)
		return;
	need = t->names_len + name.len + 1;
	if (need > SYM_TABLE_NAMES_MAX || (need > t->cap_names && !names_grow(t, need))) {
		t->cut = true;
		return;
	}
	while (underscores < name.len && underscores < UNDERSCORES_MAX &&
	       name.ptr[underscores] == '_')
		underscores++;
	d->rank += 2 * (uint32_t)underscores;
	d->sym.name = (uint32_t)t->names_len;
	memcpy(t->names + t->names_len, name.ptr, name.len);
	t->names[need - 1] = '\0';
	t->names_len = need;
}

/* ---- sorting ----------------------------------------------------------------------------- */

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* By address; of one address the best first. */
static int draft_order(const void *pa, const void *pb)
{
	const struct sym_draft *a = pa, *b = pb;
	int c = compare(a->sym.start, b->sym.start);

	c = c ? c : compare(a->rank, b->rank);
	c = c ? c : compare(b->sym.size, a->sym.size);
	return c ? c : compare(a->sym.name, b->sym.name);
}

static int name_order(const void *pa, const void *pb)
{
	return compare(((const struct sym *)pa)->name, ((const struct sym *)pb)->name);
}

static int start_order(const void *pa, const void *pb)
{
	return compare(((const struct sym *)pa)->start, ((const struct sym *)pb)->start);
}

/* Moves the best of each address to the front of draft[] and returns how many they are. */
static size_t keep_best(struct sym_table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_draft; i++) {
		struct sym_draft *d = &t->draft[i];

		if (d->sym.name == NO_NAME)
			continue;
		if (n && t->draft[n - 1].sym.start == d->sym.start)
			continue;
		t->draft[n++] = *d;
	}
	/* A function without an end reaches to the next one at most. */
	for (size_t i = 0; i + 1 < n; i++) {
		struct sym_draft *d = &t->draft[i];
		uint64_t gap = t->draft[i + 1].sym.start - d->sym.start;

		if (d->rank >= SYM_RANK_UNSIZED && d->sym.size > gap)
			d->sym.size = (uint32_t)gap;
	}
	return n;
}

/* Closes the holes that dropped names left. */
static void names_compact(struct sym_table *t)
{
	size_t len = 0;

	qsort(t->v, t->n, sizeof(*t->v), name_order);
	for (size_t i = 0; i < t->n; i++) {
		size_t size = strlen(t->names + t->v[i].name) + 1;

		memmove(t->names + len, t->names + t->v[i].name, size);
		t->v[i].name = (uint32_t)len;
		len += size;
	}
	qsort(t->v, t->n, sizeof(*t->v), start_order);
	t->names_len = len;
}

int sym_table_finish(struct sym_table *t)
{
	char *names;

	if (t->n_draft) /* qsort() takes no NULL */
		qsort(t->draft, t->n_draft, sizeof(*t->draft), draft_order);
	t->n = keep_best(t);
	if (!t->n) {
		bool cut = t->cut;

		sym_table_release(t);
		t->cut = cut;
		return 0;
	}
	t->v = malloc(t->n * sizeof(*t->v));
	if (!t->v) {
		sym_table_release(t);
		return -ENOMEM;
	}
	for (size_t i = 0; i < t->n; i++)
		t->v[i] = t->draft[i].sym;
	free(t->draft);
	t->draft = NULL;
	t->n_draft = t->cap_draft = 0;
	names_compact(t);
	names = realloc(t->names, t->names_len);
	t->names = names ? names : t->names;
	t->cap_names = t->names_len;
	return 0;
}

const struct sym *sym_table_find(const struct sym_table *t, uint64_t addr)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->v[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	/* A part that was given its own symbol may lie inside of a function. */
	for (size_t i = low, back = 0; i > 0 && back < ENCLOSING_MAX; i--, back++)
		if (addr - t->v[i - 1].start < t->v[i - 1].size)
			return &t->v[i - 1];
	return NULL;
}

size_t sym_table_bytes(const struct sym_table *t)
{
	return t->n * sizeof(*t->v) + t->names_len;
}
