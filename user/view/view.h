/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live view: screens over snapshots on one terminal (ncurses). It is driven from one thread:
 *
 *	v = view_new(&opts);
 *	loop:	poll view_fd(v) for input        -> view_handle_input(v), view_draw(v)
 *		every view_refresh_s(v), unless view_paused(v):
 *			build a snapshot of the last view_window_s(v) seconds
 *			view_update(v, snapshot), free the one before, view_draw(v)
 *	view_free(v)
 *
 * The view owns no snapshot: the one given last must live until the next view_update() or
 * view_free(). LC_CTYPE must be set before view_new(); ASCII is used when it is not UTF-8.
 * SIGINT and SIGTERM are the caller's to handle (ncurses would exit on them); ^C arrives as a key.
 * SIGWINCH needs no handling: the size is looked up at every draw.
 */
#ifndef TARDY_VIEW_VIEW_H
#define TARDY_VIEW_VIEW_H
#include <stdbool.h>
#include <stdio.h>
#include "export/text.h"
#include "rank/snapshot.h"
#include "view/view_opts.h"

struct view;

/* Takes the terminal over. NULL with errno set: ENOTTY when out is no terminal, ENODEV when no
 * terminal description fits, EBUSY when there is a view already, ENOMEM. */
struct view *view_new(const struct view_opts *o);
/* Gives the terminal back as it was. v may be NULL. */
void view_free(struct view *v);
/* The descriptor to wait on for input. */
int view_fd(const struct view *v);
/* Shows another snapshot from the next draw on; s may be NULL (nothing measured yet). */
void view_update(struct view *v, const struct snapshot *s);
/* Reads all pending keys without waiting; mask of enum view_result. Draw afterwards. */
int view_handle_input(struct view *v);
void view_draw(struct view *v);

double view_window_s(const struct view *v);
double view_refresh_s(const struct view *v);
bool view_paused(const struct view *v);

/* The screen that was drawn last as text, a line each, without blanks at the ends. Returns 0 or
 * the negative errno of a failed write. */
int view_print(struct view *v, FILE *out);
/* Gives the terminal back from a fatal-signal handler: only write() and tcsetattr(). Does nothing
 * when there is no view. The process should end afterwards. */
void view_emergency_restore(void);
/* Batch mode (-b): prints one block with totals, verdict and routes. Errors as export_text(). */
int view_batch_print(FILE *out, const struct snapshot *s, const struct text_opts *o);
#endif
