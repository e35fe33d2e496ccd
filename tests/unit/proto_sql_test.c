// SPDX-License-Identifier: GPL-2.0-only
/* SQL: tables of statements and names, and that no cut of a statement lets a literal out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "proto/sql.h"
#include "guard.h"

struct sample {
	const char *sql, *expect;
};

static const struct sample normal[] = {
	{ "SELECT * FROM mdl_user WHERE id = 42", "SELECT * FROM mdl_user WHERE id = ?" },
	{ "select  a ,b\n\tFROM t -- why\nWHERE x='it''s' ;", "select a, b FROM t WHERE x=?" },
	{ "SELECT /* a /* nested */ b */ 1;;", "SELECT ?" },
	{ "SELECT/**/a", "SELECT a" },
	{ "", "" },
	{ " ; ", "" },
	/* literals */
	{ "SELECT 1, 1.5, .5, 1e-5, 0xFF, 1_000, 1.5E+10", "SELECT ?, ?, ?, ?, ?, ?, ?" },
	{ "SELECT -1, a -1, a - 1, (-1), a = -1.5", "SELECT ?, a -?, a - ?, (?), a = ?" },
	{ "WHERE a BETWEEN -1 AND +2 LIMIT -3", "WHERE a BETWEEN ? AND ? LIMIT ?" },
	{ "SELECT E'a\\'b', e'\\\\', x", "SELECT ?, ?, x" },
	/* does the literal end there? the server's setting says it, so nothing is shown of the rest */
	{ "SELECT 'it\\'s secret token' , 2", "SELECT ?" },
	{ "SELECT a FROM t WHERE p = 'C:\\' AND q = 'secret'", "SELECT a FROM t WHERE p = ?" },
	{ "SELECT 'a\\b', c", "SELECT ?, c" },
	/* settings are values, quoted or not */
	{ "SET my.key = hunter2", "SET my.key = ?" },
	{ "set local a to b, c; SELECT d", "set local a to ?; SELECT d" },
	{ "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
	  "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE" },
	{ "UPDATE t SET a = b WHERE c = d", "UPDATE t SET a = b WHERE c = d" },
	{ "ALTER USER bob PASSWORD 'hunter2'", "ALTER USER bob PASSWORD ?" },
	/* names that are no names */
	{ "SELECT a FROM \"user_bob@example.com\"", "SELECT a FROM ?" },
	{ "SELECT \"secret literal in mysql\"", "SELECT ?" },
	{ "SELECT a FROM \"my-schema\".\"t.1\"", "SELECT a FROM \"my-schema\".\"t.1\"" },
	{ "SELECT B'01', X'ff', N'n', U&'d\\0061'", "SELECT ?, ?, ?, ?" },
	{ "SELECT 'a'\n  'b' FROM t", "SELECT ? FROM t" },
	{ "SELECT $$it's$$, $tag$ $$ $x$ $tag$, x", "SELECT ?, ?, x" },
	{ "SELECT $1, :name, ?, a::int, $2::text[]", "SELECT ?, ?, ?, a::int, ?::text[]" },
	{ "SELECT date'2020-01-01', true, NULL", "SELECT date?, true, NULL" },
	{ "SELECT arr[1], x[2:3]", "SELECT arr[?], x[?:?]" },
	{ "SELECT a->'k' , b @> '{\"x\":1}'", "SELECT a->?, b @> ?" },
	{ "SELECT t1.c2, mdl_3 FROM t1", "SELECT t1.c2, mdl_3 FROM t1" },
	{ "SELECT \"My \"\"Col\", U&\"x\" FROM \"s\".t", "SELECT ?, U&\"x\" FROM \"s\".t" },
	{ "SELECT 'open", "SELECT ?" },
	{ "SELECT $a$open", "SELECT ?" },
	{ "SELECT 1 /* open", "SELECT ?" },
	{ "SELECT a := 1, b => 2", "SELECT a := ?, b => ?" },
	/* lists */
	{ "a IN (1)", "a IN (...)" },
	{ "a IN(1,2 , 3)", "a IN (...)" },
	{ "a NOT IN ($1,$2,$3,$4) AND b", "a NOT IN (...) AND b" },
	{ "a IN (1, b)", "a IN (?, b)" },
	{ "a IN (1, 2, 3, 4, b, 5)", "a IN (?, ?, ?, ?, b, ?)" },
	{ "a IN (SELECT 1)", "a IN (SELECT ?)" },
	{ "(a,b) IN ((1,2),(3,4))", "(a, b) IN ((...))" },
	{ "a = ANY(ARRAY[1,2,3])", "a = ANY(ARRAY[...])" },
	{ "a = ANY (ARRAY[1])", "a = ANY (ARRAY[...])" },
	{ "f(1), f(1,2), f()", "f(?), f(...), f()" },
	{ "f(1), (1)", "f(?), (?)" },
	{ "INSERT INTO t (a,b) VALUES (1,'x'),(2,'y'), (3,'z')",
	  "INSERT INTO t (a, b) VALUES (...)" },
	{ "VALUES (1,NULL),(DEFAULT,2) RETURNING id", "VALUES (...) RETURNING id" },
	{ "VALUES (1, now()), (2, now()) ON", "VALUES (?, now()) ON" },
	{ "x IS NULL AND (NULL, 1)", "x IS NULL AND (NULL, ?)" },
	/* lists that are cut */
	{ "a IN (1,2,", "a IN (...)" },
	{ "a IN (1", "a IN (...)" },
	{ "VALUES (1,2),(3", "VALUES (...)" },
	{ "VALUES (1,2),(", "VALUES (...)" },
	{ "VALUES (1,2),", "VALUES (...)" },
	{ "VALUES (1, now()), (2, no", "VALUES (?, now())" },
	/* bytes */
	{ "SELECT \"a\x1b[2J\", \xc3\xa9t\xc3\xa9, b\xff", "SELECT ?, \xc3\xa9t\xc3\xa9, b_" },
	{ "SELECT\x01 a", "SELECT a" },
};

static void normalise_table(void **state)
{
	char out[512], again[512];

	(void)state;
	for (size_t i = 0; i < sizeof(normal) / sizeof(normal[0]); i++) {
		size_t len = sql_normalise(slice_of(normal[i].sql), out, sizeof(out));

		assert_string_equal(out, normal[i].expect);
		assert_int_equal(len, strlen(out));
		sql_normalise((struct slice){ out, len }, again, sizeof(again));
		assert_string_equal(again, out);
	}
}

/* A list needs no room for its elements: thousands of them fit a small output. */
static void long_list(void **state)
{
	static char sql[40000];
	char out[64];
	size_t len = (size_t)snprintf(sql, sizeof(sql), "SELECT a FROM t WHERE id IN (");

	(void)state;
	for (int i = 0; i < 5000; i++)
		len += (size_t)snprintf(sql + len, sizeof(sql) - len, "%s%d", i ? "," : "", i);
	sql_normalise((struct slice){ sql, len }, out, sizeof(out));
	assert_string_equal(out, "SELECT a FROM t WHERE id IN (...)");
	snprintf(sql + len, sizeof(sql) - len, ") AND x = 1");
	sql_normalise(slice_of(sql), out, sizeof(out));
	assert_string_equal(out, "SELECT a FROM t WHERE id IN (...) AND x = ?");
	/* ... and when the list turns out to be none, the output just ends early. */
	snprintf(sql + len, sizeof(sql) - len, ", b)");
	len = sql_normalise(slice_of(sql), out, sizeof(out));
	assert_true(len < sizeof(out));
	assert_memory_equal(out, "SELECT a FROM t WHERE id IN (?, ?, ?, ?", 39);
}

static void deep_nesting(void **state)
{
	char sql[2000], out[3000];

	(void)state;
	memset(sql, '(', 1000);
	memset(sql + 1000, ')', 1000);
	assert_int_equal(sql_normalise((struct slice){ sql, 2000 }, out, sizeof(out)), 2000);
	memset(sql, ')', 1000);
	assert_int_equal(sql_normalise((struct slice){ sql, 1000 }, out, sizeof(out)), 1000);
}

/* Whether the output holds three bytes in a row of the secret. */
static bool leaks(const char *out, const char *secret)
{
	for (size_t i = 0; i + 3 <= strlen(secret); i++) {
		char part[4] = { secret[i], secret[i + 1], secret[i + 2], 0 };

		if (strstr(out, part))
			return true;
	}
	return false;
}

static void no_leak_at_any_cut(void **state)
{
	static const struct {
		const char *before, *after;
	} quotes[] = {
		{ "SELECT a FROM t WHERE x = '", "'" },
		{ "SELECT a FROM t WHERE x = '''", "'''" },
		{ "SELECT a FROM t WHERE x = 'q''", "' AND b IN ('r', 's')" },
		{ "SELECT a FROM t WHERE x = E'\\'", "\\'q'" },
		{ "SELECT a FROM t WHERE x = U&'", "'" },
		{ "SELECT a FROM t WHERE x = $$", "$$" },
		{ "SELECT a FROM t WHERE x = $q$", "$q$ AND b" },
		{ "SELECT a FROM t WHERE x = $", "$$" },
		{ "SELECT a /* ", " */ FROM t" },
		{ "SELECT a -- ", "\nFROM t" },
		{ "INSERT INTO t VALUES (1, '", "'), (2, 'y')" },
		{ "INSERT INTO t VALUES (1), ('", "')" },
		{ "SELECT f('a', '", "', b)" },
		{ "SELECT N'", "'" },
		{ "SELECT date'", "'" },
		{ "SELECT -1'", "'" },
	};
	struct guard g;
	char sql[256], out[256];

	(void)state;
	guard_init(&g, sizeof(sql));
	for (size_t i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
		size_t len = (size_t)snprintf(sql, sizeof(sql), "%ssecret%s", quotes[i].before,
					      quotes[i].after);

		for (size_t n = 0; n <= len; n++) {
			struct slice cut = guard_place(&g, sql, n);

			sql_normalise(cut, out, sizeof(out));
			assert_false(leaks(out, "secret"));
			sql_summary(cut, out, sizeof(out));
			assert_false(leaks(out, "secret"));
		}
	}
	guard_release(&g);
}

static void numbers_do_not_leak(void **state)
{
	static const char sql[] = "SELECT 123456789 , 0xABCDEF0, 3.14159e-26, -271828 FROM t";
	char out[128];

	(void)state;
	for (size_t n = 0; n < sizeof(sql); n++) {
		sql_normalise((struct slice){ sql, n }, out, sizeof(out));
		for (size_t i = 0; out[i]; i++)
			assert_false(out[i] >= '0' && out[i] <= '9');
	}
}

/* Every prefix at a guard page into every small output, which ends at one too. */
static void caps_and_prefixes(void **state)
{
	struct guard in, out;

	(void)state;
	guard_init(&in, 512);
	guard_init(&out, 512);
	for (size_t i = 0; i < sizeof(normal) / sizeof(normal[0]); i++) {
		size_t sql_len = strlen(normal[i].sql);

		for (size_t n = 0; n <= sql_len; n++) {
			struct slice sql = guard_place(&in, normal[i].sql, n);

			for (size_t cap = 0; cap < 48; cap++) {
				char *at = out.map + out.room - cap;
				size_t len = sql_normalise(sql, at, cap);

				assert_true(cap ? len < cap : len == 0);
				assert_true(!cap || strlen(at) == len);
				len = sql_summary(sql, at, cap);
				assert_true(cap ? len < cap : len == 0);
				assert_true(!cap || strlen(at) == len);
			}
		}
	}
	guard_release(&in);
	guard_release(&out);
}

static void fingerprints(void **state)
{
	(void)state;
	assert_true(sql_fingerprint(SLICE_LIT("SELECT ? FROM T")) ==
		    sql_fingerprint(SLICE_LIT("select ? from t")));
	assert_true(sql_fingerprint(SLICE_LIT("SELECT ? FROM t")) !=
		    sql_fingerprint(SLICE_LIT("SELECT ? FROM u")));
	assert_true(sql_fingerprint(SLICE_LIT("[")) != sql_fingerprint(SLICE_LIT("{")));
	assert_true(sql_fingerprint(SLICE_LIT("")) == 0xcbf29ce484222325);
	assert_true(sql_fingerprint(SLICE_LIT("a")) == 0xaf63dc4c8601ec8c); /* FNV's own vector */
}

static const struct sample summaries[] = {
	{ "SELECT * FROM mdl_course WHERE id=1", "SELECT mdl_course" },
	{ "select c.id from mdl_course c join mdl_user u on 1=1", "SELECT mdl_course" },
	{ "SELECT (SELECT max(x) FROM b) FROM a", "SELECT a" },
	{ "SELECT * FROM (SELECT x FROM inner_t WHERE 1=1) q JOIN r ON 1=1", "SELECT inner_t" },
	{ "SELECT * FROM ((a JOIN b ON 1=1))", "SELECT a" },
	{ "SELECT EXTRACT(year FROM ts) FROM log", "SELECT log" },
	{ "SELECT trim(both 'x' from y)", "SELECT" },
	{ "SELECT a IS DISTINCT FROM b FROM c", "SELECT c" },
	{ "SELECT * FROM (VALUES (1)) v", "SELECT" },
	{ "SELECT 1", "SELECT" },
	{ "SELECT 'FROM secret'", "SELECT" },
	{ "(SELECT a FROM t) UNION (SELECT b FROM u)", "SELECT t" },
	{ "SELECT * FROM ONLY \"Sch\".\"My Table\" x", "SELECT Sch" },
	{ "/* hint */ INSERT INTO mdl_log (a) VALUES (1)", "INSERT mdl_log" },
	{ "UPDATE ONLY mdl_user SET a=1", "UPDATE mdl_user" },
	{ "DELETE FROM public.mdl_sessions WHERE 1=1", "DELETE public.mdl_sessions" },
	{ "MERGE INTO t USING s ON 1=1", "MERGE t" },
	{ "TRUNCATE TABLE a, b", "TRUNCATE a" },
	{ "COPY t (a,b) FROM STDIN", "COPY t" },
	{ "COPY (SELECT 1) TO STDOUT", "COPY" },
	{ "BEGIN", "BEGIN" },
	{ "begin; select 1 from t", "BEGIN" },
	{ "COMMIT;", "COMMIT" },
	{ "SAVEPOINT sp_17", "SAVEPOINT" },
	{ "SET client_encoding TO 'utf8'", "SET" },
	{ "WITH x AS (SELECT a FROM b) SELECT * FROM x", "SELECT x" },
	{ "WITH RECURSIVE x(a) AS (VALUES (1)), y AS (SELECT 2) DELETE FROM z", "DELETE z" },
	{ "WITH x AS (SELECT a FR", "WITH" },
	{ "EXPLAIN (ANALYZE) SELECT 1 FROM t", "EXPLAIN SELECT t" },
	{ "EXPLAIN WITH a AS (SELECT 1) SELECT * FROM a", "EXPLAIN SELECT a" },
	{ "DECLARE crs1 NO SCROLL CURSOR WITH HOLD FOR SELECT a FROM t", "DECLARE SELECT t" },
	{ "FETCH FORWARD 1000 FROM crs1", "FETCH" },
	{ "CREATE TEMPORARY TABLE IF NOT EXISTS t_20240131 (a int)", "CREATE TABLE t_*" },
	{ "CREATE UNIQUE INDEX i ON t (a)", "CREATE INDEX" },
	{ "DROP TABLE IF EXISTS t1234", "DROP TABLE t1234" },
	{ "VACUUM ANALYZE", "VACUUM" },
	{ "42", "" },
	{ "", "" },
	{ "SELECT * FROM", "SELECT" },
	{ "SELECT * FROM t\x1b[2J", "SELECT t" },
	{ "SELECT * FROM \"t\x1b[2J\"", "SELECT" },
};

static void summary_table(void **state)
{
	char out[256];

	(void)state;
	for (size_t i = 0; i < sizeof(summaries) / sizeof(summaries[0]); i++) {
		size_t len = sql_summary(slice_of(summaries[i].sql), out, sizeof(out));

		assert_string_equal(out, summaries[i].expect);
		assert_int_equal(len, strlen(out));
	}
}

static void trim_cut(void **state)
{
	char out[64];

	(void)state;
	assert_true(slice_eq(sql_trim_cut(SLICE_LIT("SELECT a FROM mdl_cou")),
			     SLICE_LIT("SELECT a FROM ")));
	assert_true(slice_eq(sql_trim_cut(SLICE_LIT("SELECT a FROM t ")),
			     SLICE_LIT("SELECT a FROM t ")));
	assert_int_equal(sql_trim_cut(SLICE_LIT("SEL")).len, 0);
	sql_summary(sql_trim_cut(SLICE_LIT("SELECT a FROM s.mdl_cou")), out, sizeof(out));
	assert_string_equal(out, "SELECT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normalise_table),
		cmocka_unit_test(long_list),
		cmocka_unit_test(deep_nesting),
		cmocka_unit_test(no_leak_at_any_cut),
		cmocka_unit_test(numbers_do_not_leak),
		cmocka_unit_test(caps_and_prefixes),
		cmocka_unit_test(fingerprints),
		cmocka_unit_test(summary_table),
		cmocka_unit_test(trim_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
