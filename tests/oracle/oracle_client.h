/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle's client: connections, and the log of what was sent and received when.
 */
#ifndef ORACLE_CLIENT_H
#define ORACLE_CLIENT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_SENT_MAX 16384

/* One request as the client saw it; CLOCK_MONOTONIC nanoseconds. On loopback the data arrives
 * at the server's socket inside the send call, so between send_call and send_done. */
struct client_sent {
	uint64_t id;
	const char *group; /* what it is a sample of; static text */
	int64_t send_call_ns, send_done_ns, last_byte_ns;
};

struct client_log {
	uint32_t n;
	struct client_sent sent[CLIENT_SENT_MAX];
};

struct client {
	int fd;
	struct client_log *log;
	uint32_t at; /* the request that is outstanding */
	bool close; /* ask for "Connection: close" */
	bool alike; /* ask without a query, so that nothing of the target is its own */
};

struct client_slow {
	int chunks; /* pieces of the body, or reads of the response */
	size_t chunk_bytes;
	int64_t pause_us; /* before each piece */
};

/* Connects to 127.0.0.1:port. rcvbuf 0 leaves the default. 0 or -errno. */
int client_open(struct client *c, struct client_log *log, int port, int rcvbuf);
void client_close(struct client *c);
/* Sends a request with the path (a query with the id is added, and a field); with body it is a POST whose body
 * follows in slow pieces. 0 or -errno. */
int client_send(struct client *c, const char *group, const char *path,
		const struct client_slow *body);
/* Receives the whole response, slowly when slow is given. 0 or -errno (-EPROTO: not a 200). */
int client_receive(struct client *c, const struct client_slow *slow);
/* Writes the log as NDJSON. 0 or -errno. */
int client_log_write(const struct client_log *log, const char *path);
void client_sleep_us(int64_t us);
#endif
