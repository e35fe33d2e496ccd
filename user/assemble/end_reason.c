/* SPDX-License-Identifier: GPL-2.0-only */
#include "assemble/end_reason.h"

const char *end_reason_name(enum end_reason why)
{
	static const char *const names[] = {
#define END_ROW(id, name, help) [id] = name,
		END_REASONS(END_ROW)
#undef END_ROW
	};

	return names[why < END_REASON_COUNT ? why : END_NONE];
}
