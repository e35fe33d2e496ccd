// SPDX-License-Identifier: GPL-2.0-only
/* HTTP/2 and WebSocket frames: what turns say, every prefix at a guard page, what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "proto/detect.h"
#include "proto/http2.h"
#include "proto/websocket.h"
#include "guard.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define ACK "\0\0\0\4\1\0\0\0\0"
#define PING \
	"\0\0\x08\6\0\0\0\0\0" \
	"12345678"
#define ASKS(stream) "\0\0\3\1\5\0\0\0" stream "\x82\x86\x84" /* HEADERS, the stream ends with it */
#define STATUS(stream) "\0\0\1\1\4\0\0\0" stream "\x88"
#define BODY(stream) "\0\0\2\0\1\0\0\0" stream "ok" /* DATA, the last of it */

static void test_frames(void **state)
{
	static const struct {
		struct slice in;
		uint32_t opened, ended;
		bool body;
	} turns[] = {
		{ SLICE_LIT(PREFACE SETTINGS ASKS("\1")), 1, 1, false },
		{ SLICE_LIT(ASKS("\3") ASKS("\5") ACK), 2, 2, false },
		{ SLICE_LIT(PREFACE), 0, 0, false },
		{ SLICE_LIT(ACK PING), 0, 0, false },
		{ SLICE_LIT(SETTINGS STATUS("\1") BODY("\1")), 1, 1, true },
		{ SLICE_LIT("\0\0\4\3\0\0\0\0\1\0\0\0\0"), 0, 1, false }, /* RST_STREAM */
	};
	struct http2_frames f;

	(void)state;
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		struct slice in = turns[i].in;

		http2_read(in, in.len, &f);
		assert_int_equal(f.opened, turns[i].opened);
		assert_int_equal(f.ended, turns[i].ended);
		assert_int_equal(f.body, turns[i].body);
		assert_true(f.whole);
		http2_read(in, in.len + 1, &f);
		assert_false(f.whole);
	}
	/* only the data's own bytes are out of sight */
	http2_read((struct slice){ "\0\0\x20\0\1\0\0\0\1", 9 }, 9 + 32, &f);
	assert_true(f.whole && f.body && f.ended == 1);
}

static void test_detect(void **state)
{
	static const struct slice one = SLICE_LIT(ASKS("\7") PING ASKS("\x09"));
	static const struct slice hello = SLICE_LIT("\x81\x85"
						    "mask"
						    "hello");

	(void)state;
	assert_int_equal(proto_detect(SLICE_LIT(PREFACE)), PROTO_HTTP2);
	assert_int_equal(proto_detect(SLICE_LIT("PRI * HTTP/2.0\r\n\r\n")), PROTO_UNKNOWN);
	assert_int_equal(proto_detect(SLICE_LIT("PRI * HTTP/1.1\r\n\r\n")), PROTO_HTTP1);
	/* a later turn is taken for frames only where all of it is */
	assert_int_equal(proto_detect_later(one, one.len), PROTO_HTTP2);
	assert_int_equal(proto_detect_later(one, one.len + 1), PROTO_UNKNOWN);
	assert_int_equal(proto_detect(one), PROTO_UNKNOWN);
	assert_int_equal(proto_detect_later(SLICE_LIT(ACK), 9), PROTO_UNKNOWN);
	assert_int_equal(proto_detect_later(hello, hello.len), PROTO_WEBSOCKET);
	assert_int_equal(proto_detect_later(hello, hello.len - 1), PROTO_UNKNOWN);
	assert_int_equal(proto_detect_later(SLICE_LIT("GET /x HTTP/1.1\r\n\r\n"), 19), PROTO_HTTP1);
}

static void test_messages(void **state)
{
	static const struct slice messages[] = {
		SLICE_LIT("\x81\x80"
			  "mask"), /* empty */
		SLICE_LIT("\x01\x81"
			  "maskx"
			  "\x80\x81"
			  "masky"), /* in two frames */
		SLICE_LIT("\x89\x80"
			  "mask"
			  "\xc2\x81"
			  "maskz"), /* a ping, compressed data */
	};
	static const struct slice none[] = {
		SLICE_LIT(""),
		SLICE_LIT("\x81\x05"
			  "hello"), /* a server's: not masked */
		SLICE_LIT("\x83\x80"
			  "mask"), /* no such operation */
		SLICE_LIT("\xb1\x80"
			  "mask"),
		SLICE_LIT("\x09\x80"
			  "mask"), /* a ping is never in pieces */
		SLICE_LIT("\x81\x85"
			  "maskhell"),
		SLICE_LIT("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			  "mask"),
	};
	static char big[8 + 300] = "\x82\xfe\x01\x2c"
				   "mask";

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		assert_true(websocket_is_message(messages[i], messages[i].len));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(websocket_is_message(none[i], none[i].len));
	assert_true(websocket_is_message((struct slice){ big, 100 }, sizeof(big)));
	assert_false(websocket_is_message((struct slice){ big, 100 }, sizeof(big) + 1));
}

/* No read beyond what is there, and nothing that more bytes would take back. */
static void test_prefixes(void **state)
{
	static const struct slice whole[] = {
		SLICE_LIT(PREFACE SETTINGS ASKS("\1") BODY("\1")),
		SLICE_LIT("\x81\xfe\x00\x03"
			  "maskabc"),
	};

	struct guard g;

	(void)state;
	guard_init(&g, 256);
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		for (size_t n = 0; n <= whole[i].len; n++) {
			struct slice in = guard_place(&g, whole[i].ptr, n);
			enum proto p = proto_detect_later(in, in.len);
			struct http2_frames f;

			http2_read(in, in.len, &f);
			assert_true(f.opened <= 1 && f.ended <= 2);
			websocket_is_message(in, whole[i].len);
			assert_true(p == PROTO_UNKNOWN || p == PROTO_HTTP2 || p == PROTO_WEBSOCKET);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_detect),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
