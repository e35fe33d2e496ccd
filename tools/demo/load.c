// SPDX-License-Identifier: GPL-2.0-only
/*
 * The demo classroom's visitors: a closed-loop HTTP load generator for loopback only.
 *
 * Each user has an own session cookie and up to LANES keep-alive connections, logs in, finds the
 * links of its courses and quizzes in the pages that it is given, and follows a weighted journey
 * with think time. It exists because ready-made generators either share one session or cannot fire
 * a browser's parallel requests, and those two things make the trouble that the classroom shows.
 *
 * One thread and epoll; all users are looked at in each turn of the loop, which is cheap for the
 * thousand users that it allows.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load_answer.h"
#include "load_journey.h"
#include "load_stat.h"

enum {
	MAX_USERS = 1000,
	MAX_SECONDS = 24 * 3600,
	MAX_LINKS = 8,
	UPLOAD_BYTES = 64 * 1024,
	WARM_THINK_MIN_MS = 50,
	WARM_THINK_MAX_MS = 250,
	TIMEOUT_US = 60 * 1000000,
};

enum lane_state { LANE_IDLE, LANE_DUE, LANE_AFTER_FIRST, LANE_BUSY };
struct Lane {
	struct User *user;
	enum lane_state state;
	enum route route;
	int fd;
	bool fresh; /* no answer came on this connection yet */
	uint64_t due_us, start_us;
	char out[1024];
	size_t out_len, out_off;
	const char *extra; /* a constant tail of the request, after out */
	size_t extra_len;
	struct Answer answer;
};

struct User {
	int number;
	uint64_t rng;
	char cookie[128];
	struct Lane *lanes[LANES]; /* made when first needed */
	struct Page page;
	int outstanding; /* hits of the page without an answer */
	int warm; /* next page of warm_up */
	bool journeys; /* has seen a page behind it */
	bool waits_at_start, quiz_open;
	uint64_t due_us; /* of the next page, when none is outstanding */
	int courses[MAX_LINKS], quizzes[MAX_LINKS];
	int course_count, quiz_count;
};

struct Load {
	const struct Mode *mode;
	struct sockaddr_in to;
	struct User *users;
	int user_count, at_start, epoll_fd;
	bool started; /* nobody waits at the start line any more */
	uint64_t begin_us, end_us, hard_end_us;
	struct Stat stats[R_COUNT];
	char upload[UPLOAD_BYTES + 256];
	size_t upload_len;
};

static volatile sig_atomic_t stop_asked;

static void on_signal(int sig)
{
	(void)sig;
	stop_asked = 1;
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* xorshift64*: the same users do the same things in every run. */
static uint32_t User_random(struct User *u, uint32_t below)
{
	u->rng ^= u->rng >> 12;
	u->rng ^= u->rng << 25;
	u->rng ^= u->rng >> 27;
	return (uint32_t)((u->rng * 0x2545F4914F6CDD1DULL) >> 33) % below;
}

/* --- a lane: one connection and the request on it -------------------------------------------- */

static void Lane_close(struct Lane *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

static int Lane_connect(struct Load *load, struct Lane *l)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT, .data.ptr = l };
	int one = 1;

	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return -errno;
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	l->fresh = true;
	if (connect(l->fd, (struct sockaddr *)&load->to, sizeof(load->to)) < 0 &&
	    errno != EINPROGRESS)
		return -errno;
	return epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, l->fd, &ev) < 0 ? -errno : 0;
}

static int pick_link(struct User *u, const int *links, int count)
{
	return count ? links[User_random(u, (uint32_t)count)] : 0;
}

/* The first quiz is the exam, which all of a start-line mode's users sit together. */
static int link_of(struct Load *load, struct User *u, enum route r)
{
	if (routes[r].wants_course)
		return load->mode->start_line ? u->courses[0] :
						pick_link(u, u->courses, u->course_count);
	return load->mode->start_line ? u->quizzes[0] : pick_link(u, u->quizzes, u->quiz_count);
}

static size_t form_of(struct Load *load, struct User *u, enum route r, char *form, size_t size)
{
	size_t len = 0;

	if (r == R_LOGIN)
		return (size_t)snprintf(form, size, "username=%s%04d&password=classroom",
					load->mode->role, u->number);
	if (r == R_QUIZ_START)
		return (size_t)snprintf(form, size, "code=classroom");
	for (int n = 0; r == R_QUIZ_SUBMIT && n < 10; n++)
		len += (size_t)snprintf(form + len, size - len, "a%%5B%d%%5D=%u&", n,
					User_random(u, 4));
	return len;
}

/* Writes the request into the lane's buffers. */
static void Lane_compose(struct Load *load, struct Lane *l)
{
	const struct RouteDef *def = &routes[l->route];
	struct User *u = l->user;
	char form[256] = "", number[16] = "";
	size_t form_len = form_of(load, u, l->route, form, sizeof(form));
	int len;

	if (def->wants_course || def->wants_quiz)
		snprintf(number, sizeof(number), "%d", link_of(load, u, l->route));
	len = snprintf(l->out, sizeof(l->out),
		       "%s %s%s HTTP/1.1\r\nHost: localhost\r\n"
		       "User-Agent: tardy-demo-load\r\n",
		       def->method, def->path, number);
	if (u->cookie[0])
		len += snprintf(l->out + len, sizeof(l->out) - (size_t)len, "Cookie: %s\r\n",
				u->cookie);
	l->extra = NULL;
	l->extra_len = 0;
	if (l->route == R_UPLOAD) {
		len += snprintf(l->out + len, sizeof(l->out) - (size_t)len,
				"Content-Type: multipart/form-data; boundary=classroom-file\r\n"
				"Content-Length: %zu\r\n\r\n",
				load->upload_len);
		l->extra = load->upload;
		l->extra_len = load->upload_len;
	} else if (form_len) {
		len += snprintf(l->out + len, sizeof(l->out) - (size_t)len,
				"Content-Type: application/x-www-form-urlencoded\r\n"
				"Content-Length: %zu\r\n\r\n%s",
				form_len, form);
	} else {
		len += snprintf(l->out + len, sizeof(l->out) - (size_t)len, "\r\n");
	}
	l->out_len = (size_t)len;
}

static bool User_is_warm(const struct User *u)
{
	return u->warm >= (int)(sizeof(warm_up) / sizeof(warm_up[0]));
}

static void User_page_done(struct Load *load, struct User *u, uint64_t now)
{
	const struct Mode *m = load->mode;
	/* on the way to the journey everybody knows where to click: its trouble is to be seen */
	int min_ms = u->journeys ? m->think_min_ms : WARM_THINK_MIN_MS;
	int max_ms = u->journeys ? m->think_max_ms : WARM_THINK_MAX_MS;

	if (User_is_warm(u) && !load->started && !u->waits_at_start) {
		u->waits_at_start = true;
		load->at_start++;
	}
	u->due_us = now +
		    1000 * ((uint64_t)min_ms + User_random(u, (uint32_t)(max_ms - min_ms + 1)));
}

/* Ends the request of a lane, good or bad, and lets the rest of its page go on. */
static void Lane_finish(struct Load *load, struct Lane *l, bool ok)
{
	struct User *u = l->user;
	uint64_t now = now_us();

	Stat_add(&load->stats[l->route], now - l->start_us, ok);
	l->state = LANE_IDLE;
	l->fresh = false;
	if (!ok || l->answer.close_after)
		Lane_close(l);
	if (l->route == R_QUIZ_START)
		u->quiz_open = ok;
	if (l->route == R_LOGIN && !ok)
		u->warm = 0;
	for (int i = 0; i < LANES && l == u->lanes[0]; i++) {
		struct Lane *other = u->lanes[i];

		if (other && other->state == LANE_AFTER_FIRST) {
			other->state = LANE_DUE;
			other->due_us = now + 1000 * (uint64_t)u->page.hits[i].delay_ms;
		}
	}
	if (--u->outstanding == 0)
		User_page_done(load, u, now);
}

/*
 * The connection broke. A kept-alive one that the server closed before it answered is opened once
 * more, as browsers do; anything else is an error.
 */
static void Lane_broken(struct Load *load, struct Lane *l)
{
	bool again = !l->fresh && l->answer.head_len == 0;

	Lane_close(l);
	if (again) {
		l->out_off = 0;
		Answer_reset(&l->answer);
		if (Lane_connect(load, l) == 0)
			return;
	}
	Lane_finish(load, l, false);
}

static void Lane_write(struct Load *load, struct Lane *l)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = l };

	while (l->out_off < l->out_len + l->extra_len) {
		bool tail = l->out_off >= l->out_len;
		const char *from = tail ? l->extra + (l->out_off - l->out_len) :
					  l->out + l->out_off;
		size_t len = (tail ? l->extra_len + l->out_len : l->out_len) - l->out_off;
		ssize_t n = send(l->fd, from, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			ev.events |= EPOLLOUT;
			break;
		}
		if (n < 0) {
			Lane_broken(load, l);
			return;
		}
		l->out_off += (size_t)n;
	}
	epoll_ctl(load->epoll_fd, EPOLL_CTL_MOD, l->fd, &ev);
}

static void Lane_start(struct Load *load, struct Lane *l, uint64_t now)
{
	Lane_compose(load, l);
	l->out_off = 0;
	Answer_reset(&l->answer);
	l->state = LANE_BUSY;
	l->start_us = now;
	if (l->fd >= 0)
		Lane_write(load, l);
	else if (Lane_connect(load, l) < 0)
		Lane_finish(load, l, false);
}

/* The last Set-Cookie counts: login first opens a session and then changes its id. */
static void User_take_cookie(struct User *u, const char *head)
{
	for (const char *at = head; (at = header_of(at, "Set-Cookie")) != NULL;) {
		size_t len = strcspn(at, ";\r");

		if (len < sizeof(u->cookie)) {
			memcpy(u->cookie, at, len);
			u->cookie[len] = '\0';
		}
	}
}

/* Collects the numbers behind each "stem" in a page. */
static int links_in(const char *body, const char *stem, int *links)
{
	int count = 0;

	for (const char *at = strstr(body, stem); at && count < MAX_LINKS; at = strstr(at, stem)) {
		at += strlen(stem);
		links[count++] = atoi(at);
	}
	return count;
}

static void Lane_answered(struct Load *load, struct Lane *l)
{
	struct User *u = l->user;
	bool ok = l->answer.status == routes[l->route].status;

	User_take_cookie(u, l->answer.head);
	l->answer.body[l->answer.body_len] = '\0';
	if (ok && l->route == R_DASHBOARD)
		u->course_count = links_in(l->answer.body, "/course.php?id=", u->courses);
	if (ok && l->route == R_COURSE)
		u->quiz_count = links_in(l->answer.body, "/quiz_start.php?id=", u->quizzes);
	Lane_finish(load, l, ok);
}

static void Lane_read(struct Load *load, struct Lane *l)
{
	static char data[64 * 1024];

	while (l->fd >= 0 && l->state == LANE_BUSY) {
		ssize_t n = recv(l->fd, data, sizeof(data), 0);
		int rc;

		if (n < 0 && errno == EAGAIN)
			return;
		if (n == 0 && l->answer.in_body && l->answer.body_kind == BODY_TO_CLOSE)
			Lane_answered(load, l);
		else if (n <= 0)
			Lane_broken(load, l);
		else if ((rc = Answer_feed(&l->answer, data, (size_t)n)) > 0)
			Lane_answered(load, l);
		else if (rc < 0)
			Lane_finish(load, l, false);
	}
}

static void Lane_event(struct Load *load, struct Lane *l, uint32_t events)
{
	if (l->fd < 0)
		return;
	if (l->state != LANE_BUSY) { /* an idle connection was closed by the server */
		Lane_close(l);
		return;
	}
	if (events & (EPOLLOUT | EPOLLERR))
		Lane_write(load, l);
	if (events & (EPOLLIN | EPOLLHUP))
		Lane_read(load, l);
}

/* --- users ----------------------------------------------------------------------------------- */

static const struct Page *User_pick(struct Load *load, struct User *u)
{
	const struct Mode *m = load->mode;
	int total = 0, at;

	if (!User_is_warm(u))
		return &warm_up[u->warm++];
	u->journeys = true;
	if (u->quiz_open) {
		u->quiz_open = false;
		return &submit_page;
	}
	for (int i = 0; i < m->page_count; i++)
		total += m->pages[i].weight;
	if (total <= 0) /* nothing to draw from: no page has a weight */
		return &m->pages[0];
	at = (int)User_random(u, (uint32_t)total);
	for (int i = 0; i < m->page_count; i++) {
		at -= m->pages[i].weight;
		if (at < 0)
			return &m->pages[i];
	}
	return &m->pages[0];
}

static int User_click(struct Load *load, struct User *u, uint64_t now)
{
	u->page = *User_pick(load, u);
	u->outstanding = u->page.hit_count;
	for (int i = 0; i < u->page.hit_count; i++) {
		struct Lane *l = u->lanes[i];

		if (!l) {
			l = u->lanes[i] = calloc(1, sizeof(*l));
			if (!l)
				return -ENOMEM;
			l->user = u;
			l->fd = -1;
		}
		l->route = u->page.hits[i].route;
		l->state = u->page.hits[i].after_first ? LANE_AFTER_FIRST : LANE_DUE;
		l->due_us = now + 1000 * (uint64_t)u->page.hits[i].delay_ms;
	}
	return 0;
}

/* Starts what is due of one user and brings *next_us forward to what comes next. */
static int User_turn(struct Load *load, struct User *u, uint64_t now, uint64_t *next_us)
{
	if (u->outstanding == 0 && !(u->waits_at_start && !load->started) && now < load->end_us) {
		if (u->due_us <= now) {
			int rc = User_click(load, u, now);

			if (rc)
				return rc;
		} else if (u->due_us < *next_us) {
			*next_us = u->due_us;
		}
	}
	for (int i = 0; i < LANES; i++) {
		struct Lane *l = u->lanes[i];

		if (l && l->state == LANE_DUE && l->due_us <= now)
			Lane_start(load, l, now);
		else if (l && l->state == LANE_DUE && l->due_us < *next_us)
			*next_us = l->due_us;
		else if (l && l->state == LANE_BUSY && now - l->start_us > TIMEOUT_US)
			Lane_finish(load, l, false);
	}
	return 0;
}

/* The exam begins when everybody is at the start line, or a third of the time has gone. */
static void Load_check_start(struct Load *load, uint64_t now)
{
	bool late = now - load->begin_us > (load->end_us - load->begin_us) / 3;

	if (load->started || (load->at_start < load->user_count && !late && load->mode->start_line))
		return;
	load->started = true;
	for (int i = 0; i < load->user_count && load->mode->start_line; i++) {
		if (load->users[i].waits_at_start)
			load->users[i].due_us = now;
	}
}

static int Load_unfinished(const struct Load *load)
{
	int busy = 0;

	for (int i = 0; i < load->user_count; i++) {
		for (int k = 0; k < LANES; k++) {
			struct Lane *l = load->users[i].lanes[k];

			busy += l && l->state == LANE_BUSY;
		}
	}
	return busy;
}

/* Runs until the time is over or a signal came. Returns 0 or a negative errno. */
static int Load_run(struct Load *load)
{
	struct epoll_event events[256];
	uint64_t now = now_us();

	while (!stop_asked && now < load->hard_end_us) {
		uint64_t next_us = now + 200000;
		int n;

		Load_check_start(load, now);
		for (int i = 0; i < load->user_count; i++) {
			int rc = User_turn(load, &load->users[i], now, &next_us);

			if (rc)
				return rc;
		}
		if (now >= load->end_us && Load_unfinished(load) == 0)
			break;
		if (next_us > load->hard_end_us)
			next_us = load->hard_end_us;
		now = now_us();
		n = epoll_wait(load->epoll_fd, events, 256,
			       next_us > now ? (int)((next_us - now + 999) / 1000) : 0);
		for (int i = 0; i < n; i++)
			Lane_event(load, events[i].data.ptr, events[i].events);
		now = now_us();
	}
	return 0;
}

/* Prints the summary; the exit status is 1 when nothing was answered or something failed. */
static int Load_summary(const struct Load *load)
{
	double seconds = (double)(now_us() - load->begin_us) / 1e6;
	uint64_t count = 0, errors = 0;

	for (int r = 0; r < R_COUNT; r++) {
		count += load->stats[r].count;
		errors += load->stats[r].errors;
	}
	printf("mode %s  users %d  seconds %.1f\n", load->mode->name, load->user_count, seconds);
	printf("requests %llu  errors %llu  unfinished %d  per_second %.1f\n",
	       (unsigned long long)count, (unsigned long long)errors, Load_unfinished(load),
	       (double)count / seconds);
	printf("%-28s %8s %7s %9s %9s %9s\n", "route", "count", "errors", "p50_ms", "p95_ms",
	       "max_ms");
	for (int r = 0; r < R_COUNT; r++) {
		const struct Stat *s = &load->stats[r];
		char name[64];

		if (!s->count)
			continue;
		snprintf(name, sizeof(name), "%s %.*s", routes[r].method,
			 (int)strcspn(routes[r].path, "?"), routes[r].path);
		printf("%-28s %8llu %7llu %9.1f %9.1f %9.1f\n", name, (unsigned long long)s->count,
		       (unsigned long long)s->errors, Stat_percentile_ms(s, 0.50),
		       Stat_percentile_ms(s, 0.95), (double)s->max_us / 1000);
	}
	return count == 0 || errors > 0;
}

static int usage(const char *name)
{
	fprintf(stderr,
		"usage: %s --url http://127.0.0.1:PORT | [--host 127.0.0.1] --port PORT\n"
		"       [--mode MODE] [--users 1..%d] [--seconds 1..%d] [--drain 0..60]\n"
		"Drives the demo classroom for --seconds and stops by itself; requests still open\n"
		"then may end within --drain more seconds (default 0). Modes:",
		name, MAX_USERS, MAX_SECONDS);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		fprintf(stderr, " %s", modes[i].name);
	fprintf(stderr, "\n");
	return 2;
}

static bool number_in(const char *text, long min, long max, long *value)
{
	char *end;

	*value = strtol(text, &end, 10);
	return *text && !*end && *value >= min && *value <= max;
}

/* Takes "http://HOST:PORT" apart, in place. */
static bool split_url(char *url, const char **host, long *port)
{
	char *colon;

	if (strncmp(url, "http://", 7) != 0)
		return false;
	*host = url + 7;
	url[7 + strcspn(url + 7, "/")] = '\0';
	colon = strrchr(url + 7, ':');
	if (!colon)
		return *port = 80, true;
	*colon = '\0';
	return number_in(colon + 1, 1, 65535, port);
}

static const struct Mode *mode_of(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	}
	return NULL;
}

/* Only 127.0.0.0/8: this must never be able to load somebody else's server. */
static bool Load_aim(struct Load *load, const char *host, long port)
{
	load->to.sin_family = AF_INET;
	load->to.sin_port = htons((uint16_t)port);
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	return inet_pton(AF_INET, host, &load->to.sin_addr) == 1 &&
	       ntohl(load->to.sin_addr.s_addr) >> 24 == 127;
}

static int Load_prepare(struct Load *load)
{
	static const char begin[] =
		"--classroom-file\r\n"
		"Content-Disposition: form-data; name=\"file\"; filename=\"essay.bin\"\r\n"
		"Content-Type: application/octet-stream\r\n\r\n";
	static const char end[] = "\r\n--classroom-file--\r\n";
	struct rlimit files = { 0 };
	size_t len = sizeof(begin) - 1;

	memcpy(load->upload, begin, len);
	for (int i = 0; i < UPLOAD_BYTES; i++)
		load->upload[len++] = (char)(i * 31 % 251);
	memcpy(load->upload + len, end, sizeof(end) - 1);
	load->upload_len = len + sizeof(end) - 1;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < (rlim_t)load->user_count * LANES + 16)
		return -EMFILE;
	load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	load->users = calloc((size_t)load->user_count, sizeof(*load->users));
	if (load->epoll_fd < 0 || !load->users)
		return load->epoll_fd < 0 ? -errno : -ENOMEM;
	for (int i = 0; i < load->user_count; i++) {
		struct User *u = &load->users[i];

		u->number = 1 + i % load->mode->names;
		u->rng = 0x9E3779B97F4A7C15ULL * (uint64_t)(i + 1);
		u->due_us = load->begin_us + User_random(u, 1000000);
	}
	return 0;
}

static void Load_release(struct Load *load)
{
	for (int i = 0; load->users && i < load->user_count; i++) {
		for (int k = 0; k < LANES; k++) {
			if (load->users[i].lanes[k])
				Lane_close(load->users[i].lanes[k]);
			free(load->users[i].lanes[k]);
		}
	}
	free(load->users);
	if (load->epoll_fd >= 0)
		close(load->epoll_fd);
}

struct Options {
	const char *host;
	long port, users, seconds, drain;
	const struct Mode *mode;
};

static bool Options_parse(struct Options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "url", 1, NULL, 'u' },   { "host", 1, NULL, 'h' },    { "port", 1, NULL, 'p' },
		{ "users", 1, NULL, 'n' }, { "seconds", 1, NULL, 's' }, { "mode", 1, NULL, 'm' },
		{ "drain", 1, NULL, 'd' }, { NULL, 0, NULL, 0 },
	};
	bool ok = true;
	int c;

	while (ok && (c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'u')
			ok = split_url(optarg, &o->host, &o->port);
		else if (c == 'h')
			o->host = optarg;
		else if (c == 'p')
			ok = number_in(optarg, 1, 65535, &o->port);
		else if (c == 'n')
			ok = number_in(optarg, 1, MAX_USERS, &o->users);
		else if (c == 's')
			ok = number_in(optarg, 1, MAX_SECONDS, &o->seconds);
		else if (c == 'd')
			ok = number_in(optarg, 0, 60, &o->drain);
		else
			ok = c == 'm' && (o->mode = mode_of(optarg)) != NULL;
	}
	return ok && optind == argc && o->port != 0;
}

int main(int argc, char **argv)
{
	static struct Load load = { .epoll_fd = -1 };
	struct Options o = { .host = "127.0.0.1", .seconds = 30, .mode = &modes[0] };
	int rc;

	if (!Options_parse(&o, argc, argv))
		return usage(argv[0]);
	if (!Load_aim(&load, o.host, o.port)) {
		fprintf(stderr, "%s: %s is not an address of loopback (127.0.0.0/8)\n", argv[0],
			o.host);
		return 2;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	load.mode = o.mode;
	load.user_count = o.users ? (int)o.users : o.mode->users;
	load.begin_us = now_us();
	load.end_us = load.begin_us + (uint64_t)o.seconds * 1000000;
	load.hard_end_us = load.end_us + (uint64_t)o.drain * 1000000;
	rc = Load_prepare(&load);
	if (rc == 0)
		rc = Load_run(&load);
	if (rc < 0)
		fprintf(stderr, "%s: cannot go on: %s\n", argv[0], strerror(-rc));
	else
		rc = Load_summary(&load);
	Load_release(&load);
	return rc < 0 ? 1 : rc;
}
