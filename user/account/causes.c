// SPDX-License-Identifier: GPL-2.0-only
/* Names, letters and help of the causes, all from the one table in causes.h. */
#include "account/causes.h"

static const struct {
	const char *name;
	const char *help;
	char letter;
} cause_table[CAUSE_COUNT] = {
#define X(id, letter_, name_, help_) [CAUSE_##id] = { name_, help_, letter_ },
	CAUSES(X)
#undef X
};

/* The enum may be signed or not: compare as unsigned so that negatives are out of range too. */
static unsigned int cause_index(enum cause cause)
{
	unsigned int i = (unsigned int)cause;

	return i < CAUSE_COUNT ? i : (unsigned int)CAUSE_UNKNOWN;
}

const char *cause_name(enum cause cause)
{
	return cause_table[cause_index(cause)].name;
}

char cause_letter(enum cause cause)
{
	return cause_table[cause_index(cause)].letter;
}

const char *cause_help(enum cause cause)
{
	return cause_table[cause_index(cause)].help;
}
