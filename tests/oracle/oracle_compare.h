/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The comparator: what its files share. Truth is a range where the oracle cannot know better
 * (the instant of arrival lies inside the client's send call); the error of a value is its
 * distance from the range. All times are nanoseconds, on CLOCK_MONOTONIC.
 */
#ifndef ORACLE_COMPARE_H
#define ORACLE_COMPARE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "account/causes.h"
#include "oracle_truth.h"

struct range {
	int64_t lo, hi;
};

struct truth {
	uint64_t id;
	uint64_t caller; /* the request that called it, 0 = the client */
	char group[16];
	int64_t pid, tid;
	char method[8], path[160];
	struct range start, end, wall;
	struct range cause[CAUSE_COUNT];
	unsigned waited; /* the causes of its waits, a bit each */
	bool unwoken; /* it waited for what says not when it woke it */
	int64_t after_ns; /* what its thread did after the answer, at most; -1 = not known */
	int64_t gap_ns; /* of its own wall, what neither clock nor cause explains */
	bool found;
};

/* A request as tardy reports it. */
struct answer {
	int64_t id, parent; /* tardy's; parent 0 = none */
	int64_t pid, tid, start_ns, wall_ns, sum_ns, after_ns;
	int64_t cause_ns[CAUSE_COUNT];
	char method[16], route[160], held_by[160];
	int64_t status;
	bool incomplete, aborted, entry;
	struct truth *truth; /* NULL = no request of the oracle */
};

struct truths {
	struct truth *v;
	size_t n;
	char mode[16];
	int64_t realtime_minus_monotonic_ns;
};

struct answers {
	struct answer *v;
	size_t n;
};

/* A JSON value; children of objects and arrays are a list. Strings are unescaped, at most as
 * long as the input. */
struct json {
	enum json_type {
		JSON_NULL,
		JSON_BOOL,
		JSON_NUMBER,
		JSON_STRING,
		JSON_ARRAY,
		JSON_OBJECT
	} type;
	char *key; /* in an object, else NULL */
	char *text; /* strings; numbers as written */
	bool truth;
	struct json *child, *next;
};

/* oracle_compare_json.c */
/* The value of a whole line, or NULL. Freed by json_free(), which takes NULL. */
struct json *json_parse(const char *text);
void json_free(struct json *j);
/* A member of an object, or NULL. */
const struct json *json_get(const struct json *object, const char *key);
/* A member that is an integer or a string of one; 0 when it is missing. */
int64_t json_int(const struct json *object, const char *key);
/* A member that is a string, or "". Valid as long as the object. */
const char *json_text(const struct json *object, const char *key);
bool json_bool(const struct json *object, const char *key);

/* oracle_compare_load.c: 0, or 2 with a message on stderr; memory is never given back */
/* callee_path: the truth of another server, which that one called; NULL = none. */
int truths_load(struct truths *t, const char *server_path, const char *client_path,
		const char *callee_path);
int answers_load(struct answers *a, const char *path, const struct truths *t);
/* Joins answers to truths of the same thread, the nearest in start and end first. */
void answers_match(struct answers *a, struct truths *t);

/* oracle_compare_truth.c: fills the ranges of *t; times of the client and the mode are known */
void truth_account(struct truth *t, const struct oracle_record *r, const char *mode);
/* What the thread of r did after its answer, at most, until it waited for the next one. */
int64_t truth_after_ns(const struct oracle_record *r, const struct oracle_record *next);
#endif
