// SPDX-License-Identifier: GPL-2.0-only
/* Fuzzes PostgreSQL messages: progress, bounds, and prefixes that give the same messages. */
#include "fuzz.h"
#include "proto/detect.h"
#include "proto/pgsql.h"

typedef int next_fn(struct slice *in, struct pgsql_msg *out);

static void check_message(const struct pgsql_msg *m, struct slice in)
{
	must_lie_in(m->name, in);
	must_lie_in(m->portal, in);
	must_lie_in(m->sql, in);
	must_lie_in(m->tag, in);
	must_lie_in(m->sqlstate, in);
	MUST(m->sqlstate.len == 0 || m->sqlstate.len == 5);
	MUST(m->len_bytes >= 5 && m->len_bytes <= (1u << 30) + 1);
}

static void check_stream(next_fn *next, struct slice in, struct slice part)
{
	struct slice whole = in;
	struct pgsql_msg m, full;
	int r;

	while ((r = next(&part, &m)) > 0) {
		struct slice before = in;

		if (next(&in, &full) != 1)
			return; /* what was cut turned out to be malformed */
		MUST(m.kind == full.kind && m.len_bytes == full.len_bytes);
		MUST(!m.name.len || slice_eq(m.name, full.name));
		MUST(!m.sql.len || slice_starts(full.sql, m.sql));
		MUST(m.cut || (m.sql.len == full.sql.len && !full.cut));
		MUST(!m.cut || part.len == 0);
		MUST(in.len < before.len);
		check_message(&full, whole);
	}
	if (r < 0)
		MUST(next(&in, &full) < 0);
	while (next(&in, &full) > 0)
		check_message(&full, whole);
	MUST(in.len <= whole.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct slice part = in;

	part.len = size ? data[size - 1] % (size + 1) : 0;
	check_stream(pgsql_next_frontend, in, part);
	check_stream(pgsql_next_backend, in, part);
	if (pgsql_ends(in))
		MUST(size >= 6 && data[size - 6] == 'Z');
	proto_detect(in);
	return 0;
}
