// SPDX-License-Identifier: GPL-2.0-only
/* PostgreSQL messages: values by hand, every prefix at a guard page, hostile lengths and bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "proto/pgsql.h"
#include "guard.h"

#define BYTES(text) ((struct slice){ (text), sizeof(text) - 1 })

#define assert_text(s, text) assert_true(slice_eq((s), SLICE_LIT(text)))

typedef int next_fn(struct slice *in, struct pgsql_msg *out);

static const char extended[] = "P\0\0\0\x1e"
			       "stm1\0SELECT $1::int, $2\0\0\0"
			       "B\0\0\0\x1f"
			       "port\0stm1\0\0\1\0\1\0\2\0\0\0\1"
			       "7\xff\xff\xff\xff\0\0"
			       "D\0\0\0\x0a"
			       "Pport\0"
			       "E\0\0\0\x0d"
			       "port\0\0\0\0\0"
			       "C\0\0\0\x0a"
			       "Sstm1\0"
			       "H\0\0\0\4"
			       "S\0\0\0\4";

static const char answer[] = "1\0\0\0\4"
			     "2\0\0\0\4"
			     "T\0\0\0\x1b\0\1id\0\0\0\0\0\0\0\0\0\0\x17\0\4\xff\xff\xff\xff\0\0"
			     "D\0\0\0\x0b\0\1\0\0\0\1"
			     "7"
			     "C\0\0\0\x0d"
			     "SELECT 1\0"
			     "N\0\0\0\x19"
			     "SNOTICE\0C01000\0Mhey\0\0"
			     "E\0\0\0\x24"
			     "SERROR\0VERROR\0C42P01\0Mno table\0\0"
			     "Z\0\0\0\5E";

static void startup_family(void **state)
{
	static const char all[] = "\0\0\0\x08\x04\xd2\x16\x30" /* GSSENCRequest */
				  "\0\0\0\x08\x04\xd2\x16\x2f" /* SSLRequest */
				  "\0\0\0\x17\0\3\0\0user\0postgres\0\0"
				  "\0\0\0\x10\x04\xd2\x16\x2e\0\0\1\2\3\4\5\6";
	static const enum pgsql_kind kinds[] = { PGSQL_GSS_REQUEST, PGSQL_SSL_REQUEST,
						 PGSQL_STARTUP, PGSQL_CANCEL };
	static const uint32_t lens[] = { 8, 8, 23, 16 };
	struct slice in = BYTES(all);
	struct pgsql_msg m;

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pgsql_next_frontend(&in, &m), 1);
		assert_int_equal(m.kind, kinds[i]);
		assert_int_equal(m.len_bytes, lens[i]);
		assert_int_equal(m.type, 0);
		assert_false(m.cut);
	}
	assert_int_equal(in.len, 0);
	assert_int_equal(pgsql_next_frontend(&in, &m), 0);
}

static void simple_query(void **state)
{
	struct slice in = BYTES("Q\0\0\0\x0dSELECT 1\0X\0\0\0\4");
	struct pgsql_msg m;

	(void)state;
	assert_int_equal(pgsql_next_frontend(&in, &m), 1);
	assert_int_equal(m.kind, PGSQL_QUERY);
	assert_int_equal(m.type, 'Q');
	assert_int_equal(m.len_bytes, 14);
	assert_text(m.sql, "SELECT 1");
	assert_int_equal(pgsql_next_frontend(&in, &m), 1);
	assert_int_equal(m.kind, PGSQL_TERMINATE);
	assert_int_equal(in.len, 0);
}

static void extended_query(void **state)
{
	struct slice in = BYTES(extended);
	struct pgsql_msg m;

	(void)state;
	assert_int_equal(pgsql_next_frontend(&in, &m), 1);
	assert_int_equal(m.kind, PGSQL_PARSE);
	assert_text(m.name, "stm1");
	assert_text(m.sql, "SELECT $1::int, $2");
	assert_int_equal(pgsql_next_frontend(&in, &m), 1);
	assert_int_equal(m.kind, PGSQL_BIND);
	assert_text(m.portal, "port");
	assert_text(m.name, "stm1");
	assert_int_equal(pgsql_next_frontend(&in, &m), 1);
	assert_int_equal(m.kind, PGSQL_DESCRIBE);
	assert_text(m.portal, "port");
	assert_int_equal(m.name.len, 0);
	assert_int_equal(pgsql_next_frontend(&in, &m), 1);
	assert_int_equal(m.kind, PGSQL_EXECUTE);
	assert_text(m.name, "port");
	assert_int_equal(pgsql_next_frontend(&in, &m), 1);
	assert_int_equal(m.kind, PGSQL_CLOSE);
	assert_text(m.name, "stm1");
	assert_int_equal(pgsql_next_frontend(&in, &m), 1);
	assert_int_equal(m.kind, PGSQL_FLUSH);
	assert_int_equal(pgsql_next_frontend(&in, &m), 1);
	assert_int_equal(m.kind, PGSQL_SYNC);
	assert_int_equal(pgsql_next_frontend(&in, &m), 0);
}

static void server_answer(void **state)
{
	static const enum pgsql_kind kinds[] = {
		PGSQL_PARSE_COMPLETE,   PGSQL_BIND_COMPLETE, PGSQL_ROW_DESCRIPTION, PGSQL_ROW,
		PGSQL_COMMAND_COMPLETE, PGSQL_NOTICE,        PGSQL_ERROR,           PGSQL_READY,
	};
	struct slice in = BYTES(answer);
	struct pgsql_msg m;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		assert_int_equal(pgsql_next_backend(&in, &m), 1);
		assert_int_equal(m.kind, kinds[i]);
		if (m.kind == PGSQL_COMMAND_COMPLETE)
			assert_text(m.tag, "SELECT 1");
		if (m.kind == PGSQL_NOTICE)
			assert_text(m.sqlstate, "01000");
		if (m.kind == PGSQL_ERROR)
			assert_text(m.sqlstate, "42P01");
	}
	assert_int_equal(m.tx_status, 'E');
	assert_int_equal(in.len, 0);
}

static void login_and_copy(void **state)
{
	struct slice in = BYTES("R\0\0\0\x08\0\0\0\0"
				"S\0\0\0\x09"
				"a\0bc\0"
				"K\0\0\0\x0c"
				"12345678"
				"Z\0\0\0\5I"
				"G\0\0\0\7\0\0\0"
				"d\0\0\0\x07"
				"1\t2"
				"c\0\0\0\4"
				"I\0\0\0\4"
				"n\0\0\0\4");
	static const enum pgsql_kind kinds[] = {
		PGSQL_AUTH,      PGSQL_OTHER,     PGSQL_OTHER, PGSQL_READY, PGSQL_COPY_IN,
		PGSQL_COPY_DATA, PGSQL_COPY_DONE, PGSQL_OTHER, PGSQL_OTHER,
	};
	struct pgsql_msg m;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		assert_int_equal(pgsql_next_backend(&in, &m), 1);
		assert_int_equal(m.kind, kinds[i]);
	}
	in = BYTES("d\0\0\0\x07"
		   "1\t2"
		   "c\0\0\0\4"
		   "f\0\0\0\x08"
		   "why\0"
		   "p\0\0\0\x08"
		   "pwd\0");
	for (int i = 0; i < 4; i++) {
		static const enum pgsql_kind copy[] = { PGSQL_COPY_DATA, PGSQL_COPY_DONE,
							PGSQL_COPY_FAIL, PGSQL_PASSWORD };

		assert_int_equal(pgsql_next_frontend(&in, &m), 1);
		assert_int_equal(m.kind, copy[i]);
	}
	assert_int_equal(in.len, 0);
}

static void cut_statement(void **state)
{
	struct slice in = BYTES("Q\0\0\x10\0SELECT * FROM t WHE");
	struct pgsql_msg m;

	(void)state;
	assert_int_equal(pgsql_next_frontend(&in, &m), 1);
	assert_true(m.cut);
	assert_int_equal(m.len_bytes, 4097);
	assert_text(m.sql, "SELECT * FROM t WHE");
	assert_int_equal(in.len, 0);
	in = BYTES("P\0\0\x10\0stat");
	assert_int_equal(pgsql_next_frontend(&in, &m), 1);
	assert_true(m.cut);
	assert_int_equal(m.name.len, 0);
	assert_int_equal(m.sql.len, 0);
	in = BYTES("Z\0\0\0\5");
	assert_int_equal(pgsql_next_backend(&in, &m), 1);
	assert_true(m.cut);
	assert_int_equal(m.tx_status, 0);
}

static void refused(next_fn *next, struct slice in)
{
	struct slice before = in;
	struct pgsql_msg m;

	assert_int_equal(next(&in, &m), -1);
	assert_ptr_equal(in.ptr, before.ptr);
	assert_int_equal(in.len, before.len);
}

static void not_pgsql(void **state)
{
	static const struct slice wrong[] = {
		SLICE_LIT("GET / HTTP/1.1\r\n\r\n"),
		SLICE_LIT("POST / HTTP/1.1\r\n\r\n"), /* 'P', 1.3 GiB */
		SLICE_LIT("\x16\x03\x01\0\xa5"),
		SLICE_LIT("Q\0\0\0\3x"),
		SLICE_LIT("Q\x40\0\0\1x"),
		SLICE_LIT("Q\xff\xff\xff\xffx"),
		SLICE_LIT("Q\0\0\0\7a\0b"), /* NUL inside */
		SLICE_LIT("Q\0\0\0\7abc"), /* no NUL */
		SLICE_LIT("S\0\0\0\5x"),
		SLICE_LIT("D\0\0\0\6X\0"),
		SLICE_LIT("P\0\0\0\x0d"
			  "a\0SELE\0\0\1"), /* one type announced, none there */
		SLICE_LIT("P\0\0\0\x0b"
			  "\1\0S\0\0\0\0"), /* control character in a name */
		SLICE_LIT("B\0\0\0\x0d\0\0\0\0\0\0\0\0x"), /* one byte left over */
		SLICE_LIT("B\0\0\0\x10\0\0\0\0\0\1\x7f\xff\xff\xff\0\0"), /* parameter length */
		SLICE_LIT("E\0\0\0\x0c"
			  "po\0\0\0\0\0"), /* left over */
		SLICE_LIT("\0\0\0\x08\0\3\0\0"),
		SLICE_LIT("\0\0\x27\x11\0\3\0\0"), /* 10001 */
		SLICE_LIT("\0\0\0\x09\0\2\0\0x"),
		SLICE_LIT("\0\1\0\0"),
	};
	static const struct slice wrong_answers[] = {
		SLICE_LIT("HTTP/1.1 200 OK\r\n"),
		SLICE_LIT("Z\0\0\0\5X"),
		SLICE_LIT("Z\0\0\0\6II"),
		SLICE_LIT("E\0\0\0\x0a\x01"
			  "abc\0\0"),
		SLICE_LIT("E\0\0\0\x07SX\0"), /* no end */
		SLICE_LIT("C\0\0\0\x07"
			  "a\0b"),
		SLICE_LIT("R\0\0\0\x08\0\0\0\x0d"),
		SLICE_LIT("1\0\0\0\5x"),
		SLICE_LIT("Q\0\0\0\4"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		refused(pgsql_next_frontend, wrong[i]);
	for (size_t i = 0; i < sizeof(wrong_answers) / sizeof(wrong_answers[0]); i++)
		refused(pgsql_next_backend, wrong_answers[i]);
}

static void same_or_empty(struct slice got, struct slice whole)
{
	assert_true(got.len == 0 || slice_eq(got, whole));
}

/* A prefix of a stream gives its first messages, at most the last of them cut. */
static void stream_prefixes(next_fn *next, struct slice whole)
{
	struct guard g;

	guard_init(&g, whole.len);
	for (size_t n = 0; n <= whole.len; n++) {
		struct slice in = guard_place(&g, whole.ptr, n), all = whole;
		struct pgsql_msg m, full;
		size_t taken = 0;
		int r;

		while ((r = next(&in, &m)) > 0) {
			assert_int_equal(next(&all, &full), 1);
			taken += full.len_bytes;
			assert_int_equal(m.kind, full.kind);
			assert_int_equal(m.type, full.type);
			assert_int_equal(m.len_bytes, full.len_bytes);
			assert_int_equal(m.cut, taken > n);
			same_or_empty(m.name, full.name);
			same_or_empty(m.portal, full.portal);
			same_or_empty(m.tag, full.tag);
			same_or_empty(m.sqlstate, full.sqlstate);
			assert_true(m.sql.len == 0 || slice_starts(full.sql, m.sql));
			assert_true(m.cut || m.sql.len == full.sql.len);
			assert_true(m.tx_status == 0 || m.tx_status == full.tx_status);
		}
		assert_int_equal(r, 0);
		assert_true(in.len < 8);
	}
	guard_release(&g);
}

static void all_prefixes(void **state)
{
	static const char first[] = "\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x17\0\3\0\0user\0postgres\0\0"
				    "p\0\0\0\x08pwd\0Q\0\0\0\x0dSELECT 1\0";

	(void)state;
	stream_prefixes(pgsql_next_frontend, BYTES(first));
	stream_prefixes(pgsql_next_frontend, BYTES(extended));
	stream_prefixes(pgsql_next_backend, BYTES(answer));
}

static void ends(void **state)
{
	(void)state;
	assert_true(pgsql_ends(BYTES("Z\0\0\0\5I")));
	assert_true(pgsql_ends(BYTES(answer)));
	assert_true(pgsql_ends(BYTES("xxxxxxxxxxZ\0\0\0\5T")));
	assert_false(pgsql_ends(BYTES("Z\0\0\0\5X")));
	assert_false(pgsql_ends(BYTES("Z\0\0\0\6I")));
	assert_false(pgsql_ends(BYTES("\0\0\0\5I")));
	assert_false(pgsql_ends(BYTES("Z\0\0\0\5I\0")));
	assert_false(pgsql_ends((struct slice){ NULL, 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(startup_family), cmocka_unit_test(simple_query),
		cmocka_unit_test(extended_query), cmocka_unit_test(server_answer),
		cmocka_unit_test(login_and_copy), cmocka_unit_test(cut_statement),
		cmocka_unit_test(not_pgsql),      cmocka_unit_test(all_prefixes),
		cmocka_unit_test(ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
