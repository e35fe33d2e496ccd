/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names for SQL statements: what stays of a statement when everything that varies from one
 * execution to the next, and everything that may be private, is taken out. Pure functions: no
 * allocation, no state, never a byte outside the input. Outputs are printable UTF-8 and end in a
 * NUL; the length that is returned does not count it and is < cap (0 when cap is 0).
 *
 * Quotes are read as with standard_conforming_strings = on, the default since PostgreSQL 9.1:
 * a backslash escapes only in E'...'.
 */
#ifndef TARDY_PROTO_SQL_H
#define TARDY_PROTO_SQL_H
#include <stdint.h>
#include "base/slice.h"

/*
 * The normalised text: literals, signed numbers included, and placeholders are "?"; a list of
 * them is "(...)" after IN and VALUES or when it has two or more, "[...]" likewise; rows equal to
 * the one before are dropped; comments go, white space becomes one blank, none inside of
 * parentheses and before a comma, always one after it; semicolons and commas at the end go.
 * Words keep their spelling. A literal that is cut by the end of the input does not show. An
 * output that does not fit ends early. Normalising the result again changes nothing.
 */
size_t sql_normalise(struct slice sql, char *out, size_t cap);

/* A 64-bit hash of a normalised text; the case of ASCII letters does not matter. */
uint64_t sql_fingerprint(struct slice normalised);

/*
 * "SELECT mdl_course", "INSERT mdl_log", "CREATE TABLE t", "BEGIN": the verb in capitals and the
 * first table, in the spirit of OpenTelemetry's db.query.summary. Runs of five or more digits in
 * a name become "*". Empty for a text without a verb. At most 120 bytes.
 */
size_t sql_summary(struct slice sql, char *out, size_t cap);

/*
 * A statement that was cut, without the word that the cut went through: gives summaries that
 * do not name half a table.
 */
struct slice sql_trim_cut(struct slice sql);
#endif
