/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/view_state.h"

#include <stdarg.h>
#include <stdio.h>

void view_message(struct view *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(v->message, sizeof(v->message), fmt, ap);
	va_end(ap);
}

void view_set_paused(struct view *v, bool paused)
{
	v->paused = paused;
	v->auto_paused = false;
}
