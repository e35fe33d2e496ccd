/* SPDX-License-Identifier: GPL-2.0-only */
/* The terminal itself. */
#ifndef TARDY_VIEW_VIEW_TERM_H
#define TARDY_VIEW_VIEW_TERM_H
#include "view/view_state.h"

int view_term_open(struct view *v); /* 0 or negative errno */
void view_term_close(struct view *v);
void view_term_resize(struct view *v);
void view_term_flush(struct view *v);
void view_term_suspend(struct view *v);
/* Gives it back from a signal handler: only write() and tcsetattr(). */
void view_term_emergency(void);
enum { VIEW_COPY_MAX = 65536 }; /* bytes; terminals take no more */
/* 0; -E2BIG and -ENOMEM: nothing was sent. */
int view_term_copy(struct view *v, const char *text);
#endif
