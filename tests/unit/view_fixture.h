/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hand-made snapshots for the tests of screens and exports. fixture_busy() is a school's server
 * on exam day; the numbers are invented, but parts sum to wall times and shares to 1 as they do
 * in real ones. Everything is freed by snapshot_free().
 */
#ifndef TARDY_TESTS_VIEW_FIXTURE_H
#define TARDY_TESTS_VIEW_FIXTURE_H
#include <stdlib.h>
#include <string.h>
#include "base/intern.h"
#include "rank/snapshot.h"

#define FIXTURE_START_US 1795183342000000ull /* 2026-11-20 14:02:22 UTC */

struct fixture_part {
	const char *who;
	enum cause cause;
	const char *what, *held_by, *via;
	double count;
	uint64_t us;
	bool scaled;
};

static inline struct snap_part *fixture_parts(const struct fixture_part *list, size_t n)
{
	struct snap_part *v = calloc(n ? n : 1, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = (struct snap_part){
			.who = intern_str(list[i].who ? list[i].who : ""),
			.cause = (uint8_t)list[i].cause,
			.what = intern_str(list[i].what ? list[i].what : ""),
			.held_by = intern_str(list[i].held_by ? list[i].held_by : ""),
			.via = intern_str(list[i].via ? list[i].via : ""),
			.count = list[i].count,
			.us = list[i].us,
			.scaled = list[i].scaled,
		};
	return v;
}

/* clang-format off */
static inline void fixture_route(struct snap_route *r, const char *name, double per_s,
				 double wait, double share, const uint64_t us[4],
				 const struct fixture_part *parts, size_t n_parts)
{
	*r = (struct snap_route){
		.service = intern_str("nginx"), .route = intern_str(name), .entry = true,
		.requests = (uint64_t)(per_s * 60), .counted = (uint64_t)(per_s * 60), .req_per_s = per_s,
		.wait_s_per_s = wait, .wait_share = share, .in_flight = (uint64_t)wait,
		.p50_us = us[0], .p95_us = us[1], .p99_us = us[2], .max_us = us[3],
		.parts = fixture_parts(parts, n_parts), .n_parts = n_parts,
	};
	for (size_t i = 0; i < n_parts; i++)
		r->wall_us += parts[i].us;
	for (size_t i = 0; i < n_parts; i++)
		r->wait_by_cause[parts[i].cause] +=
			wait * (double)parts[i].us / (double)r->wall_us;
	for (int i = 0; i < SNAP_TREND; i++)
		r->trend[i] = wait * (1 + i) / SNAP_TREND;
}

static inline void fixture_routes(struct snapshot *s)
{
	static const struct fixture_part course[] = {
		{ "postgres", CAUSE_DISK, "SELECT mdl_course_modules WHERE course = ?", NULL,
		  "php-fpm > postgres", 1180, 191000, false },
		{ "postgres", CAUSE_DB, "SELECT mdl_course_modules WHERE course = ?", NULL,
		  "php-fpm > postgres", 31, 63000, false },
		{ "php-fpm", CAUSE_CPU, NULL, NULL, "php-fpm", 0, 62500, false },
		{ "php-fpm", CAUSE_LOCK, "flock sess_*", "POST /lib/ajax/service.php", "php-fpm",
		  1, 16000, false },
		{ "nginx", CAUSE_CPU, NULL, NULL, NULL, 0, 11000, true },
		{ "php-fpm", CAUSE_UNKNOWN, NULL, NULL, "php-fpm", 0, 3500, false },
	};
	static const struct fixture_part quiz[] = {
		{ "php-fpm", CAUSE_LOCK, "flock sess_*", "POST /mod/quiz/attempt.php", NULL, 2,
		  410000, false },
		{ "php-fpm", CAUSE_CPU, NULL, NULL, NULL, 0, 320000, false },
		{ "postgres", CAUSE_DB, "UPDATE mdl_quiz_attempts", NULL, NULL, 9, 191000, false },
	};
	static const struct fixture_part my[] = {
		{ "php-fpm", CAUSE_QUEUE, "pool edu", NULL, NULL, 1, 29000, false },
		{ "php-fpm", CAUSE_CPU, NULL, NULL, NULL, 0, 28000, false },
		{ "postgres", CAUSE_DB, "SELECT mdl_user", NULL, NULL, 4, 14000, false },
		{ "nginx", CAUSE_SEND, NULL, NULL, NULL, 0, 1000, false },
	};
	static const struct fixture_part inner[] = {
		{ "php-fpm", CAUSE_CPU, NULL, NULL, NULL, 0, 28000, false },
		{ "postgres", CAUSE_DB, "SELECT mdl_user", NULL, NULL, 4, 14000, false },
	};

	s->routes = calloc(5, sizeof(*s->routes));
	s->n_routes = 5;
	fixture_route(&s->routes[0], "GET /course/view.php", 214, 74.2, 0.43,
		      (const uint64_t[]){ 212000, 1610000, 3900000, 9800000 }, course, 6);
	fixture_route(&s->routes[1], "POST /mod/quiz/attempt.php", 38, 35.0, 0.20,
		      (const uint64_t[]){ 640000, 2200000, 4710000, 5100000 }, quiz, 3);
	fixture_route(&s->routes[2], "GET /my/", 301, 21.7, 0.13,
		      (const uint64_t[]){ 58000, 160000, 420000, 900000 }, my, 4);
	fixture_route(&s->routes[3], "POST /local/\xc3\xbc" "bung/abgabe.php", 0, 41.0, 0.24,
		      (const uint64_t[]){ 0, 0, 0, 0 }, NULL, 0); /* a pile-up: none completed */
	s->routes[3].wait_by_cause[CAUSE_LOCK] = 40;
	s->routes[3].wait_by_cause[CAUSE_CPU] = 1;
	fixture_route(&s->routes[4], "GET /my/", 301, 12.6, 0,
		      (const uint64_t[]){ 40000, 90000, 190000, 400000 }, inner, 2);
	s->routes[4].entry = false;
	s->routes[4].service = intern_str("php-fpm");
	s->routes[0].errors = 12;
	s->routes[0].aborted = 3;
}

static inline void fixture_requests(struct snapshot *s)
{
	static const struct fixture_part slow[] = {
		{ "postgres", CAUSE_DISK, "SELECT mdl_course_modules WHERE course = ?", NULL, NULL,
		  1180, 2110000, false },
		{ "php-fpm", CAUSE_CPU, NULL, NULL, NULL, 0, 833000, false },
		{ "php-fpm", CAUSE_QUEUE, "pool edu", NULL, NULL, 1, 402000, false },
		{ "postgres", CAUSE_DB, "SELECT mdl_course_modules WHERE course = ?", NULL, NULL,
		  31, 360000, false },
		{ "php-fpm", CAUSE_LOCK, "flock sess_*", "POST /lib/ajax/service.php", NULL, 1,
		  205000, false },
	};
	static const struct fixture_part open[] = {
		{ "php-fpm", CAUSE_LOCK, "flock sess_*", "POST /mod/quiz/attempt.php", NULL, 1,
		  1900000, false },
		{ "php-fpm", CAUSE_CPU, NULL, NULL, NULL, 0, 30000, false },
	};
	struct snap_request *r = calloc(2, sizeof(*r));

	s->requests_v = r;
	s->n_requests_v = 2;
	r[0] = (struct snap_request){
		.xid = 18446744073709551615ull, .start_unix_us = FIXTURE_START_US + 57204000,
		.wall_us = 3910000, .after_us = 1200, .first_byte_us = 3800000, .bytes_in = 412,
		.bytes_out = 81230, .service = intern_str("nginx"), .method = intern_str("GET"),
		.route = intern_str("GET /course/view.php"), .protocol = intern_str("http"),
		.status = 200, .pid = 1207, .tid = 1207, .binding = 'R', .entry = true,
		.parts = fixture_parts(slow, 5), .n_parts = 5,
		.calls = calloc(2, sizeof(struct snap_call)), .n_calls = 2,
		.marks = calloc(1, sizeof(struct snap_mark)), .n_marks = 1,
	};
	r[0].calls[0] = (struct snap_call){ intern_str("php-fpm"), intern_str("fastcgi"),
					    intern_str("GET /course/view.php"), 9000, 3890000,
					    0, 0, 0, false };
	r[0].calls[1] = (struct snap_call){ intern_str("postgres"), intern_str("postgresql"),
					    intern_str("SELECT mdl_course_modules WHERE course = ?"),
					    700000, 2470000, 1200, 310, 2, true };
	r[0].marks[0] = (struct snap_mark){ intern_str("session start"), 412000 };
	r[1] = (struct snap_request){
		.xid = 42, .parent_xid = 41, .start_unix_us = FIXTURE_START_US + 58070000,
		.wall_us = 1930000, .service = intern_str("nginx"), .method = intern_str("POST"),
		.route = intern_str("POST /mod/quiz/attempt.php"), .protocol = intern_str("http"),
		.waiting_for = intern_str("lock flock sess_*"), .pid = 1208, .tid = 1208,
		.binding = 'L', .entry = true, .open = true,
		.parts = fixture_parts(open, 2), .n_parts = 2,
	};
}

static inline void fixture_hotspots(struct snapshot *s)
{
	struct snap_hotspot *h = calloc(2, sizeof(*h));

	s->hotspots = h;
	s->n_hotspots = 2;
	h[0] = (struct snap_hotspot){
		.who = intern_str("postgres"), .cause = CAUSE_DISK,
		.what = intern_str("SELECT mdl_course_modules WHERE course = ?"),
		.wait_s_per_s = 40.8, .share = 0.24,
		.routes = calloc(2, sizeof(struct snap_hotspot_route)), .n_routes = 2,
	};
	h[0].routes[0] = (struct snap_hotspot_route){ intern_str("GET /course/view.php"), 38.1 };
	h[0].routes[1] = (struct snap_hotspot_route){ intern_str("GET /my/"), 2.7 };
	h[1] = (struct snap_hotspot){
		.who = intern_str("php-fpm"), .cause = CAUSE_QUEUE, .what = intern_str("pool edu"),
		.held_by = intern_str("POST /mod/quiz/attempt.php"), .wait_s_per_s = 8.7,
		.share = 0.05,
		.routes = calloc(1, sizeof(struct snap_hotspot_route)), .n_routes = 1,
		.occupied_by = calloc(1, sizeof(struct snap_hotspot_route)), .n_occupied_by = 1,
	};
	h[1].routes[0] = (struct snap_hotspot_route){ intern_str("GET /my/"), 8.7 };
	h[1].occupied_by[0] =
		(struct snap_hotspot_route){ intern_str("POST /mod/quiz/attempt.php"), 33.2 };
}

static inline struct snapshot *fixture_empty(void)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	s->start_unix_us = FIXTURE_START_US;
	s->window_us = 60000000;
	s->verdict = SNAP_VERDICT_NO_DATA;
	return s;
}

static inline struct snapshot *fixture_busy(void)
{
	struct snapshot *s = fixture_empty();

	s->hostname = intern_str("edu-web-03");
	s->kernel = intern_str("6.1.0-28");
	s->live = true;
	s->requests = 33180;
	s->errors = 12;
	s->aborted = 3;
	s->incomplete = 1;
	s->req_per_s = 553;
	s->error_ratio = 0.003;
	s->in_flight_mean = s->wait_s_per_s = 171.9;
	s->p50_us = 41000;
	s->p95_us = 612000;
	s->p99_us = 2410000;
	s->max_us = 9800000;
	s->verdict = SNAP_VERDICT_WAIT;
	s->top.route = intern_str("GET /course/view.php");
	s->top.who = intern_str("postgres");
	s->top.what = intern_str("SELECT mdl_course_modules WHERE course = ?");
	s->top.cause = CAUSE_DISK;
	s->top.route_share = 0.43;
	s->top.cause_share = s->top.what_share = 0.55;
	fixture_routes(s);
	fixture_requests(s);
	fixture_hotspots(s);
	s->requests_dropped = 1200;
	s->pools = calloc(2, sizeof(*s->pools));
	s->n_pools = 2;
	s->pools[0] = (struct snap_pool){ intern_str("nginx"), 1, 4 };
	s->pools[1] = (struct snap_pool){ intern_str("php-fpm"), 50, 50 };
	s->host = (struct snap_host){ true, 0.64, 0.88, 3.1, 0.08, 0.31, 0, 8 };
	s->health = (struct snap_health){
		.seen = 2460123, .lost = 7, .n_lost_by_kind = 2,
		.lost_by_kind = { { "ring_full_exchange", 7 }, { "thread_storage", 0 } },
		.lost_intervals = { { "ring_full_exchange", true, 5, 1795183381100250u,
				      1795183383000000u, 7 },
				    { "wake_lost", false, 0, 1795183382000000u,
				      1795183382100000u, 1 } },
		.n_lost_intervals = 2,
		.has_own_cost = true, .own_cpu_ratio = 0.007, .probe_cpu_ratio = 0.011,
		.probe_ns_per_request = 640, .rss_bytes = 38u << 20,
	};
	return s;
}

static inline void fixture_stack(struct snap_hotspot *h, const char *const *frames, size_t n,
				 size_t n_kernel, double share)
{
	h->stack = calloc(n, sizeof(*h->stack));
	h->n_stack = n;
	h->n_stack_kernel = n_kernel;
	h->stack_share = share;
	for (size_t i = 0; i < n; i++)
		h->stack[i] = intern_str(frames[i]);
}

/* Gives the snapshot what it has when stacks are taken. */
static inline struct snapshot *fixture_with_stacks(struct snapshot *s)
{
	static const char *const disk[] = {
		"io_schedule_[k]", "folio_wait_bit_common_[k]", "filemap_get_pages_[k]",
		"filemap_read_[k]", "vfs_read_[k]", "__x64_sys_pread64_[k]", "do_syscall_64_[k]",
		"__pread64", "FileReadV", "mdreadv", "ReadBuffer_common", "heapgettup_pagemode",
		"ExecSeqScan", "PortalRun", "exec_simple_query", "PostgresMain", "main",
	};
	static const char *const pool[] = { "accept4", "fcgi_accept_request", "main" };
	static const char *const stack[] = { "leaf", "main" };
	uint32_t *frames = calloc(2, sizeof(*frames));

	fixture_stack(&s->hotspots[0], disk, 17, 7, 0.71);
	fixture_stack(&s->hotspots[1], pool, 3, 0, 1);
	frames[0] = intern_str(stack[0]);
	frames[1] = intern_str(stack[1]);
	s->stack_frames = frames;
	s->stacks = calloc(1, sizeof(*s->stacks));
	s->n_stacks = 1;
	s->stacks[0] = (struct snap_stack){
		.service = intern_str("php-fpm"), .route = intern_str("GET /my/"),
		.cause = CAUSE_CPU, .frames = frames, .n_frames = 2, .samples = 7, .us = 70000,
	};
	s->health.has_stacks = true;
	s->health.stacks = (struct snap_stacks){
		.cpu_samples = 61284, .waits = 9120, .no_user = 410, .user_skipped = 77,
		.user_short = 12840, .user_cut = 31, .no_kernel = 3, .kernel_cut = 2,
		.unknown_symbols = 1966, .after_answer = 240, .unclaimed = 12, .dropped = 5,
		.folded = 1,
	};
	return s;
}

/* Names that attack: escape sequences, invalid and overlong UTF-8, direction changes, wide
 * characters, combining marks without end, a very long one, separators of the formats. */
static inline const char *const *fixture_hostile_names(size_t *n)
{
	static char longest[5000];
	static const char *const names[] = {
		"GET /a\033[2J\033]52;c;ZXZpbA==\a",
		"\xff\xfe\xc0\xaf\xed\xa0\x80\xf5\x80\x80\x80",
		"GET /\xe2\x80\xae" "evil\xe2\x80\x8b",
		"GET /\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e/\xf0\x9f\x98\x80",
		"e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
		longest,
		"#a;b;c 12\n\"quoted\\\" 7",
		"\xc2\x9b" "31m \x7f\x01\t",
		"\xe2\x82",
		"%s%n%d",
		" ",
	};

	memset(longest, 'x', sizeof(longest) - 1);
	*n = sizeof(names) / sizeof(names[0]);
	return names;
}

/* clang-format on */

/* The busy snapshot with stacks and with every name replaced by an attack. */
static inline struct snapshot *fixture_hostile(void)
{
	struct snapshot *s = fixture_with_stacks(fixture_busy());
	size_t n, next = 0;
	const char *const *names = fixture_hostile_names(&n);

#define HOSTILE() intern_str(names[next++ % n])
	for (size_t i = 0; i < s->n_routes; i++) {
		s->routes[i].route = HOSTILE();
		s->routes[i].service = HOSTILE();
		for (size_t k = 0; k < s->routes[i].n_parts; k++) {
			s->routes[i].parts[k].who = HOSTILE();
			s->routes[i].parts[k].what = HOSTILE();
			s->routes[i].parts[k].via = HOSTILE();
			s->routes[i].parts[k].held_by = HOSTILE();
		}
	}
	for (size_t i = 0; i < s->n_requests_v; i++) {
		s->requests_v[i].route = HOSTILE();
		s->requests_v[i].waiting_for = HOSTILE();
		for (size_t k = 0; k < s->requests_v[i].n_calls; k++)
			s->requests_v[i].calls[k].what = HOSTILE();
	}
	for (size_t i = 0; i < s->n_hotspots; i++) {
		s->hotspots[i].what = HOSTILE();
		s->hotspots[i].held_by = HOSTILE();
		for (size_t k = 0; k < s->hotspots[i].n_routes; k++)
			s->hotspots[i].routes[k].route = HOSTILE();
		for (size_t k = 0; k < s->hotspots[i].n_stack; k++)
			s->hotspots[i].stack[k] = HOSTILE();
	}
	s->stacks[0].service = HOSTILE();
	s->stacks[0].route = HOSTILE();
	s->stack_frames[0] = HOSTILE();
	s->stack_frames[1] = HOSTILE();
	s->hostname = HOSTILE();
	s->kernel = HOSTILE();
	s->pools[0].service = HOSTILE();
	s->top.what = HOSTILE();
	s->top.route = HOSTILE();
#undef HOSTILE
	return s;
}
#endif
