/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which exchanges are over, why and when. A request is over when its protocol says so, when the
 * next one on its connection began, when the connection is closed, or, where no protocol tells,
 * when it has been at rest. What follows from an end is not decided here.
 */
#ifndef TARDY_ASSEMBLE_ENDS_H
#define TARDY_ASSEMBLE_ENDS_H
#include "assemble/node.h"

/* Why n, of which a record is there, is over, as far as everything before covered_ns is known.
 * END_NONE: it is not. */
enum end_reason ends_why(const struct node *n, uint64_t covered_ns);
/* Why n, which is over or may be, is no request to be shown; END_NONE: it is one. */
enum end_reason ends_no_request(const struct node *n);
/* The answer is out, but the latest sweep has seen the thread at work for it still (a shutdown
 * function, fastcgi_finish_request()): for how long by then; 0: no, or for too long to wait. */
uint64_t ends_held(const struct node *n, uint64_t covered_ns);
/* When n is over: at the last send; for a client that left, the server's last I/O or close. */
uint64_t node_end(const struct node *n);
/* Did the client leave before the answer was complete? */
bool node_aborted(const struct node *n);
/* A stream says so, or is recognised by its pace: there are several pauses, and their mean is too
 * long. An answer that says its length is none. */
bool node_streams(const struct node *n);
/* When a call was over: its last byte was read, its connection was closed, or not yet, which is
 * request_end_ns. */
uint64_t call_end(const struct node *call, uint64_t request_end_ns);
bool call_is_outstanding(const struct node *call);

#endif
