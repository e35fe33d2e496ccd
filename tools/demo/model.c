// SPDX-License-Identifier: GPL-2.0-only
/*
 * The language model that the demo classroom's tutor asks: a server that answers POST with
 * server-sent events, a word at a time. It stands for a machine elsewhere, so its pace is a
 * table of times (below), as such services have them: a while to read the question, then some
 * thirty words a second, and in one answer of four a pause in the middle, to look something up.
 *
 *	model ADDRESS PORT
 *
 * One thread and poll(); at most ANSWERS_MAX at once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	ANSWERS_MAX = 64,
	QUESTION_MAX = 4096,
	READ_MIN_MS = 300, /* the question, before the first word */
	READ_SPREAD_MS = 500,
	WORD_MIN_MS = 20,
	WORD_SPREAD_MS = 30,
	WORDS_MIN = 30,
	WORDS_SPREAD = 40,
	LOOK_UP_MS = 1200, /* one answer of LOOK_UP_ONE_OF has such a pause */
	LOOK_UP_ONE_OF = 4,
	IDLE_MS = 10000, /* a connection without a question */
};

struct Answer {
	int fd; /* -1 = free */
	char question[QUESTION_MAX];
	size_t len;
	bool asked; /* the question is here */
	bool begun; /* the head of the answer is out */
	uint64_t due_ms; /* of the next word; before the question: of giving up */
	int words_left, look_up_at;
};

static volatile sig_atomic_t stop_asked;

static void on_signal(int sig)
{
	(void)sig;
	stop_asked = 1;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* xorshift64*, from a constant: the same answers in every run. */
static unsigned int random_below(unsigned int below)
{
	static uint64_t state = 0x9E3779B97F4A7C15ULL;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned int)((state * 0x2545F4914F6CDD1DULL) >> 33) % below;
}

static void Answer_close(struct Answer *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

static void Answer_accept(struct Answer *answers, int listener, uint64_t now)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;

	for (int i = 0; fd >= 0 && i < ANSWERS_MAX; i++) {
		if (answers[i].fd >= 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		memset(&answers[i], 0, sizeof(answers[i]));
		answers[i].fd = fd;
		answers[i].due_ms = now + IDLE_MS;
		return;
	}
	if (fd >= 0)
		close(fd);
}

/* Is the whole question here, head and body? */
static bool Answer_has_question(const struct Answer *a)
{
	const char *end = strstr(a->question, "\r\n\r\n"), *length;

	if (!end)
		return false;
	length = strcasestr(a->question, "\r\nContent-Length:");
	return !length || length > end ||
	       a->len - (size_t)(end + 4 - a->question) >= strtoul(length + 17, NULL, 10);
}

static void Answer_read(struct Answer *a, uint64_t now)
{
	ssize_t n = recv(a->fd, a->question + a->len, sizeof(a->question) - 1 - a->len, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || a->asked) { /* gone, too long, or talks while it should listen */
		Answer_close(a);
		return;
	}
	a->len += (size_t)n;
	a->question[a->len] = '\0';
	if (!Answer_has_question(a))
		return;
	a->asked = true;
	a->due_ms = now + READ_MIN_MS + random_below(READ_SPREAD_MS);
	a->words_left = WORDS_MIN + (int)random_below(WORDS_SPREAD);
	a->look_up_at = random_below(LOOK_UP_ONE_OF) == 0 ? a->words_left / 2 : -1;
}

/* Sends the next word, with the head before the first; the end is the connection's. (Not chunked:
 * PHP's streams would keep the words until all were there.) */
static void Answer_say(struct Answer *a, uint64_t now)
{
	static const char *const words[] = { "the",   "integral", "of",      "your",
					     "quiz",  "sum",      "becomes", "larger",
					     "since", "each",     "term",    "counts" };
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
				   "Connection: close\r\n\r\n";
	const char *word = words[random_below(sizeof(words) / sizeof(words[0]))];
	char out[256];
	int len = snprintf(out, sizeof(out), "%sdata: {\"word\": \"%s\"}\n\n", a->begun ? "" : head,
			   word);

	if (send(a->fd, out, (size_t)len, MSG_NOSIGNAL) != len || --a->words_left == 0) {
		Answer_close(a); /* who does not read, does not want to know */
		return;
	}
	a->begun = true;
	a->due_ms = now + (a->words_left == a->look_up_at ?
				   LOOK_UP_MS :
				   WORD_MIN_MS + random_below(WORD_SPREAD_MS));
}

static void Answer_due(struct Answer *a, uint64_t now)
{
	if (a->asked)
		Answer_say(a, now);
	else
		Answer_close(a);
}

/* Until a signal comes. Returns 0 or a negative errno. */
static int serve(int listener)
{
	static struct Answer answers[ANSWERS_MAX];
	struct pollfd fds[ANSWERS_MAX + 1];

	for (int i = 0; i < ANSWERS_MAX; i++)
		answers[i].fd = -1;
	while (!stop_asked) {
		uint64_t now = now_ms(), next = now + 1000;

		for (int i = 0; i < ANSWERS_MAX; i++) {
			fds[i] = (struct pollfd){ .fd = answers[i].fd, .events = POLLIN };
			if (answers[i].fd >= 0 && answers[i].due_ms < next)
				next = answers[i].due_ms;
		}
		fds[ANSWERS_MAX] = (struct pollfd){ .fd = listener, .events = POLLIN };
		if (poll(fds, ANSWERS_MAX + 1, next > now ? (int)(next - now) : 0) < 0 &&
		    errno != EINTR)
			return -errno;
		now = now_ms();
		for (int i = 0; i < ANSWERS_MAX; i++) {
			if (answers[i].fd >= 0 && fds[i].revents)
				Answer_read(&answers[i], now);
			if (answers[i].fd >= 0 && answers[i].due_ms <= now)
				Answer_due(&answers[i], now);
		}
		if (fds[ANSWERS_MAX].revents)
			Answer_accept(answers, listener, now);
	}
	return 0;
}

static int listen_at(const char *address, const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || inet_pton(AF_INET, address, &at.sin_addr) != 1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, ANSWERS_MAX) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int main(int argc, char **argv)
{
	int listener, rc;

	if (argc != 3) {
		fprintf(stderr, "usage: %s ADDRESS PORT\n", argv[0]);
		return 2;
	}
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	listener = listen_at(argv[1], argv[2]);
	if (listener < 0) {
		fprintf(stderr, "%s: cannot listen at %s:%s\n", argv[0], argv[1], argv[2]);
		return 1;
	}
	rc = serve(listener);
	if (rc < 0)
		fprintf(stderr, "%s: cannot go on: %s\n", argv[0], strerror(-rc));
	close(listener);
	return rc < 0;
}
