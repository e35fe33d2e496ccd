/* SPDX-License-Identifier: GPL-2.0-only */
#include "proto/pgsql_names.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 63 };

struct pgsql_name {
	uint32_t what; /* 0 = not known */
	uint8_t len;
	char name[NAME_MAX_BYTES];
};

void pgsql_names_release(struct pgsql_names *s)
{
	free(s->v);
	*s = (struct pgsql_names){ 0 };
}

static struct pgsql_name *find(const struct pgsql_names *s, struct slice name)
{
	size_t len = name.len < NAME_MAX_BYTES ? name.len : NAME_MAX_BYTES;

	for (size_t i = 0; i < s->n; i++) {
		struct pgsql_name *at = &s->v[i];

		if (at->len == len && !memcmp(at->name, name.ptr, len))
			return at;
	}
	return NULL;
}

static struct pgsql_name *add(struct pgsql_names *s)
{
	size_t room = s->room ? 2 * (size_t)s->room : 4;
	struct pgsql_name *v;

	if (s->n == PGSQL_NAMES_MAX)
		return &s->v[s->next++ % PGSQL_NAMES_MAX];
	if (s->n == s->room) {
		v = realloc(s->v, room * sizeof(*v));
		if (!v)
			return NULL;
		s->v = v;
		s->room = (uint16_t)room;
	}
	return &s->v[s->n++];
}

void pgsql_names_put(struct pgsql_names *s, struct slice name, uint32_t what)
{
	struct pgsql_name *at = find(s, name);

	if (!at) {
		at = add(s);
		if (!at)
			return;
		at->len = (uint8_t)(name.len < NAME_MAX_BYTES ? name.len : NAME_MAX_BYTES);
		memcpy(at->name, name.len ? name.ptr : "", at->len);
	}
	at->what = what;
}

void pgsql_names_drop(struct pgsql_names *s, struct slice name)
{
	struct pgsql_name *at = find(s, name);

	if (at)
		at->what = 0;
}

void pgsql_names_drop_all(struct pgsql_names *s)
{
	s->n = 0;
}

uint32_t pgsql_names_find(const struct pgsql_names *s, struct slice name)
{
	const struct pgsql_name *at = find(s, name);

	return at ? at->what : 0;
}

void pgsql_names_each(const struct pgsql_names *s, void (*fn)(uint32_t what))
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].what)
			fn(s->v[i].what);
}
