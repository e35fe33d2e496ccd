// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes SQL names: printable, bounded, normalising twice changes nothing, a smaller output never
 * overruns, and a string in the middle of the statement does not come out at any cut.
 */
#include "fuzz.h"
#include "proto/sql.h"

enum { IN_MAX = 2048, OUT_MAX = 8192 };

static char out[OUT_MAX], again[OUT_MAX];

static void check_text(struct slice sql)
{
	size_t len = sql_normalise(sql, out, sizeof(out)), small, cap;

	must_be_printable(out, len);
	/* What cannot grow: one byte of input is at most four of "(...)" and a blank. */
	if (len < OUT_MAX - 8) {
		size_t twice = sql_normalise((struct slice){ out, len }, again, sizeof(again));

		MUST(twice == len && !memcmp(out, again, len));
		MUST(sql_fingerprint((struct slice){ out, len }) ==
		     sql_fingerprint((struct slice){ again, twice }));
	}
	cap = sql.len ? (unsigned char)sql.ptr[sql.len - 1] : 0;
	small = sql_normalise(sql, again, cap);
	MUST(cap ? small < cap : small == 0);
	if (cap)
		must_be_printable(again, small);
	len = sql_summary(sql, out, sizeof(out));
	MUST(len <= 120);
	must_be_printable(out, len);
	MUST(sql_trim_cut(sql).len <= sql.len);
}

/* The input as the content of a dollar-quoted string whose tag it cannot hold. */
static void check_quoted(struct slice text)
{
	static const char before[] = "SELECT a FROM t WHERE x = $q7$";
	static char sql[IN_MAX + 64];
	size_t len = sizeof(before) - 1;

	memcpy(sql, before, len);
	for (size_t i = 0; i < text.len && i < IN_MAX; i++)
		sql[len++] = text.ptr[i] == '$' ? '#' : text.ptr[i];
	sql_normalise((struct slice){ sql, len }, out, sizeof(out));
	MUST(!strcmp(out, "SELECT a FROM t WHERE x = ?"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size < IN_MAX ? size : IN_MAX };

	check_text(in);
	check_quoted(in);
	return 0;
}
