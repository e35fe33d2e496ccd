// SPDX-License-Identifier: GPL-2.0-only
/*
 * Captures that cost much where work is not near-linear: hostile_capture KIND N FILE, one request
 * with N calls.
 *	overlap   all are outstanding at once, each ends before the one that began before it
 *	stairs    all are outstanding at once, each ends after it
 *	onewire   one after the other on one connection; only the first half of the callees is there
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ingest/capture_write.h"

#define START_NS 1000000000000ull
#define WALL_NS 9000000000ull

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
static struct capture_writer *writer;

struct exchange {
	struct rec_xchg x;
	char head[32];
};

static struct exchange exchange(uint64_t xid, uint64_t conn, enum role role, const char *head)
{
	struct exchange e = { .x = { .h = { .type = REC_XCHG },
				     .xid = xid,
				     .conn = conn,
				     .role = role,
				     .family = AF_INET,
				     .netns = 1,
				     .tgid = 100,
				     .tid = 100,
				     .laddr = { 127, 0, 0, 1 },
				     .raddr = { 127, 0, 0, 1 } } };

	snprintf(e.head, sizeof(e.head), "%s", head);
	e.x.req_len = (uint16_t)strlen(e.head);
	e.x.req_total = e.x.req_len;
	e.x.h.len = (uint32_t)sizeof(e.x) + e.x.req_len;
	e.x.rsp_len = sizeof(answer) - 1;
	e.x.rsp_total = e.x.rsp_len;
	memcpy(e.x.rsp, answer, e.x.rsp_len);
	e.x.turn[0] = (struct rec_turn){ .bytes = e.x.req_len, .ops = 1 };
	e.x.turn[1] = (struct rec_turn){ .bytes = e.x.rsp_len, .ops = 1 };
	return e;
}

static void write_at(struct exchange *e, uint64_t begin_ns, uint64_t end_ns)
{
	bool accepted = e->x.role == ROLE_ACCEPTED;

	e->x.turn[0].arrival_ns = accepted ? begin_ns : 0;
	e->x.turn[0].first_ns = e->x.turn[0].last_ns = begin_ns + 10;
	e->x.turn[1].arrival_ns = accepted ? 0 : end_ns - 10;
	e->x.turn[1].first_ns = e->x.turn[1].last_ns = end_ns;
	e->x.state_ns[accepted ? STATE_RUN : STATE_RECV] = end_ns - begin_ns - 10;
	e->x.slice_ns[SLICE_MID] = end_ns - begin_ns - 10;
	e->x.h.ts_ns = end_ns + 10;
	if (capture_writer_add(writer, &e->x.h))
		abort();
}

static void call(const char *kind, unsigned i, unsigned n)
{
	bool one = !strcmp(kind, "onewire");
	uint64_t step = WALL_NS / 3 / n, begin = START_NS + 1000 + i * step, end;
	struct exchange e = exchange(2 + i, one ? 2 : 10 + i, ROLE_CONNECTED,
				     "GET /c HTTP/1.1\r\n\r\n");

	end = !strcmp(kind, "overlap") ? START_NS + WALL_NS - i * step - 1000 :
	      !strcmp(kind, "stairs")  ? begin + WALL_NS / 2 :
					 begin + step * 9 / 10;
	e.x.parent = 1;
	e.x.seq = one ? i : 0;
	e.x.rport = 81;
	e.x.lport = one ? 5000 : 0;
	write_at(&e, begin, end);
	if (!one || i >= n / 2)
		return;
	e = exchange(2 + n + i, 3, ROLE_ACCEPTED, "GET /c HTTP/1.1\r\n\r\n");
	e.x.seq = i;
	e.x.lport = 81;
	e.x.rport = 5000;
	e.x.tgid = e.x.tid = 200;
	write_at(&e, begin + 1, end - 20);
}

int main(int argc, char **argv)
{
	struct rec_meta meta = { .h = { sizeof(meta), REC_META, 0, START_NS },
				 .start_unix_ns = 1700000000000000000ull,
				 .cpus = 2,
				 .state_count = STATE_COUNT };
	struct rec_tick tick = { .h = { sizeof(tick), REC_TICK, 0, START_NS + 2 * WALL_NS } };
	struct exchange request = exchange(1, 1, ROLE_ACCEPTED, "GET /r HTTP/1.1\r\n\r\n");
	unsigned n = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;

	if (!n || capture_writer_open(&writer, argv[3], 0) || capture_writer_add(writer, &meta.h))
		return 1;
	for (unsigned i = 0; i < n; i++)
		call(argv[1], i, n);
	request.x.lport = 80;
	request.x.rport = 2000;
	write_at(&request, START_NS, START_NS + WALL_NS);
	if (capture_writer_add(writer, &tick.h))
		return 1;
	return capture_writer_close(writer) ? 1 : 0;
}
