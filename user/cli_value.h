/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values as people write them on a command line. All are strict: the whole text, digits only, no
 * sign, no blanks; 0, or -EINVAL when it is not of the form, -ERANGE when it does not fit. *out is
 * left alone on an error.
 */
#ifndef TARDY_CLI_VALUE_H
#define TARDY_CLI_VALUE_H
#include <stddef.h>
#include <stdint.h>

/* "12" */
int cli_number(const char *text, size_t len, uint64_t *out);
/* "2", "0.5", "30s", "500ms", "10m", "1h", "2d"; without a unit seconds. */
int cli_duration_ns(const char *text, uint64_t *out);
/* "4096", "64K", "200M", "2G", powers of 1024; a trailing "B" or "iB" is fine. */
int cli_size_bytes(const char *text, uint64_t *out);
/* Each number of "1,2,3" to each(ctx, number), whose negative return ends it. -EINVAL also for
 * an empty list or element. */
int cli_list(const char *text, int (*each)(void *ctx, uint64_t number), void *ctx);
/*
 * A moment of a recording, as it is told apart from others before the recording is known: "90s",
 * "1.5m" after its start; "14:03", "14:03:20.5" by the clock of this host's time zone, at the first
 * time that it showed that since the start; "2026-11-26 14:03:20" (also with a T between), in that
 * zone, too.
 */
enum cli_when_kind { CLI_WHEN_NONE, CLI_WHEN_AFTER, CLI_WHEN_CLOCK, CLI_WHEN_DATE };

struct cli_when {
	enum cli_when_kind kind;
	uint64_t ns; /* AFTER: since the start; CLOCK: since midnight; DATE: since 1970, UTC */
};

int cli_when(const char *text, struct cli_when *out);
/* The moment since 1970, of a recording that began at start_unix_ns. CLI_WHEN_NONE gives 0. */
uint64_t cli_when_unix_ns(const struct cli_when *w, uint64_t start_unix_ns);
/* Insertions, deletions, changes and swaps of neighbours that turn a into b; a large number for
 * texts longer than 31 bytes. */
unsigned cli_distance(const char *a, const char *b);
#endif
