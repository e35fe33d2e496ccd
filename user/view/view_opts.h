/* SPDX-License-Identifier: GPL-2.0-only */
/* What a view is made with, and what its input leads to. */
#ifndef TARDY_VIEW_VIEW_OPTS_H
#define TARDY_VIEW_VIEW_OPTS_H
#include <stdbool.h>
#include <stdio.h>
#include "export/text.h"

struct view_opts { /* all zero is the default */
	FILE *in, *out; /* the terminal; NULL = stdin, stdout; not owned */
	const char *term; /* terminal type; NULL = $TERM */
	const char *version; /* shown in the title; NULL = left out */
	bool ascii; /* --ascii */
	enum text_color color; /* auto: unless NO_COLOR is set and not empty */
	bool no_header; /* start without the header meters */
	bool replay; /* what is shown does not go on: a window of 0 is all of it */
	double window_s; /* 0 = 60, in a replay all */
	double refresh_s; /* 0 = 2 */
};

/* Bits of view_handle_input()'s result. */
enum view_result {
	VIEW_OK = 0,
	VIEW_QUIT = 1 << 0, /* asked for, or the terminal is gone */
	VIEW_WINDOW_CHANGED = 1 << 1, /* see view_window_s() */
	VIEW_REFRESH_CHANGED = 1 << 2, /* see view_refresh_s() */
	VIEW_PAUSE_CHANGED = 1 << 3, /* see view_paused() */
};
#endif
