/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the names of a PostgreSQL session stand for, of prepared statements or of portals: the latest
 * ones when there are too many. As in the server, the first 63 bytes of a name count.
 */
#ifndef TARDY_PROTO_PGSQL_NAMES_H
#define TARDY_PROTO_PGSQL_NAMES_H
#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

enum { PGSQL_NAMES_MAX = 256 };

/* Zeroed is empty. */
struct pgsql_names {
	struct pgsql_name *v;
	uint16_t n, room, next; /* next: the oldest, when full */
};

void pgsql_names_release(struct pgsql_names *s);
/* Without memory the name stays unknown. */
void pgsql_names_put(struct pgsql_names *s, struct slice name, uint32_t what);
void pgsql_names_drop(struct pgsql_names *s, struct slice name);
void pgsql_names_drop_all(struct pgsql_names *s);
/* What it stands for; 0 = not known. */
uint32_t pgsql_names_find(const struct pgsql_names *s, struct slice name);
/* Of each name that stands for something, what it is. */
void pgsql_names_each(const struct pgsql_names *s, void (*fn)(uint32_t what));
#endif
