/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why an exchange is over. Every end has a reason; most are the protocol's own, the others were
 * concluded from what is around the exchange or forced, and what they end may be less exact.
 */
#ifndef TARDY_ASSEMBLE_END_REASON_H
#define TARDY_ASSEMBLE_END_REASON_H

/* name, what it is called, what it means */
#define END_REASONS(ROW) \
	ROW(END_NONE, "none", "it is not over") \
	ROW(END_PROTOCOL, "protocol", "its protocol says that the answer is whole") \
	ROW(END_NEXT, "next", "the next exchange of its connection began") \
	ROW(END_CLOSED, "closed", "its connection was closed") \
	ROW(END_RESET, "reset", "its connection was reset, or a send failed") \
	ROW(END_REST, "rest", "nothing came for a while, and no protocol tells more") \
	ROW(END_INPUT, "input", "the records end: it was at rest") \
	ROW(END_MERGED, "merged", "it and a later exchange are one") \
	ROW(END_PART, "part", "more bytes of an exchange that is gone") \
	ROW(END_NO_ANSWER, "no-answer", "a message that asks for no answer") \
	ROW(END_BEFORE, "before", "the rest of what began before the records") \
	ROW(END_ORPHANED, "orphaned", "what it belongs to never came, or its own record") \
	ROW(END_OWNER, "owner", "a call: the request that made it was let go") \
	ROW(END_EVICTED, "evicted", "there was no memory for it")

enum end_reason {
#define END_ROW(id, name, help) id,
	END_REASONS(END_ROW)
#undef END_ROW
		END_REASON_COUNT,
};

/* Its name, "none" for what is no reason. */
const char *end_reason_name(enum end_reason why);

#endif
