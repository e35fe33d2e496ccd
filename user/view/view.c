// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of the view and what keys do on every screen. Nothing here waits: input is read until
 * there is none, and drawing happens when the caller says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>
#include "base/format.h"
#include "view/screens.h"
#include "view/view.h"
#include "view/view_frame.h"
#include "view/view_full.h"
#include "view/view_go.h"
#include "view/view_table.h"
#include "view/view_term.h"

static const double windows_s[] = { 10, 30, 60, 300, 900, 3600 };
static const double refreshes_s[] = { 0.5, 1, 2, 5, 10, 30 };
enum { STEPS = 6 };

static const struct view_screen *const screens[SCREEN_COUNT] = {
	[SCREEN_ROUTES] = &view_screen_routes,     [SCREEN_REQUESTS] = &view_screen_requests,
	[SCREEN_HOTSPOTS] = &view_screen_hotspots, [SCREEN_HEALTH] = &view_screen_health,
	[SCREEN_REQUEST] = &view_screen_request,   [SCREEN_FULL] = &view_screen_full,
	[SCREEN_HELP] = &view_screen_help,
};

struct view *view_new(const struct view_opts *o)
{
	struct view *v = calloc(1, sizeof(*v));
	int err;

	if (!v)
		return NULL;
	v->opts = *o;
	v->screens = screens;
	v->opts.in = o->in ? o->in : stdin;
	v->opts.out = o->out ? o->out : stdout;
	v->window_s = o->window_s > 0 || o->replay ? o->window_s : 60;
	v->refresh_s = o->refresh_s > 0 ? o->refresh_s : 2;
	v->header = !o->no_header;
	for (int i = 0; i < SCREEN_TABS; i++)
		if (screens[i]->set)
			v->tables[i].sort = screens[i]->set->default_sort;
	err = view_term_open(v);
	if (err) {
		free(v);
		errno = -err;
		return NULL;
	}
	return v;
}

void view_free(struct view *v)
{
	if (!v)
		return;
	view_term_close(v);
	for (int i = 0; i < SCREEN_TABS; i++)
		view_table_release(&v->tables[i]);
	view_filter_release(&v->search);
	free(v);
}

void view_emergency_restore(void)
{
	view_term_emergency();
}

int view_fd(const struct view *v)
{
	return fileno(v->opts.in);
}

double view_window_s(const struct view *v)
{
	return v->window_s;
}

double view_refresh_s(const struct view *v)
{
	return v->refresh_s;
}

bool view_paused(const struct view *v)
{
	return v->paused;
}

static void rebuild_all(struct view *v)
{
	for (int i = 0; i < SCREEN_TABS; i++)
		view_table_rebuild(v, (enum view_screen_id)i);
}

void view_update(struct view *v, const struct snapshot *s)
{
	v->s = s;
	if (s && v->opts.replay && !v->window_s)
		v->whole_s = (double)s->window_us / 1e6;
	rebuild_all(v);
}

static bool clear_filter(struct view *v)
{
	if (v->screen >= SCREEN_TABS || !*v->tables[v->screen].filter.text)
		return false;
	view_filter_set(&v->tables[v->screen].filter, "");
	view_table_rebuild(v, v->screen);
	return true;
}

static unsigned close_screen(struct view *v)
{
	if (view_back(v))
		return VIEW_OK;
	if (v->screen == SCREEN_ROUTES)
		return VIEW_QUIT;
	view_go_to_tab(v, SCREEN_ROUTES);
	return VIEW_OK;
}

/* The next larger or smaller value of a list; value itself at its end. */
static double step(const double list[STEPS], double value, bool up)
{
	for (int i = 0; up && i < STEPS; i++)
		if (list[i] > value)
			return list[i];
	for (int i = STEPS - 1; !up && i >= 0; i--)
		if (list[i] < value)
			return list[i];
	return value;
}

static unsigned set_step(double *value, const double list[STEPS], bool up, unsigned changed)
{
	double next = step(list, *value, up);

	if (next == *value)
		return VIEW_OK;
	*value = next;
	return changed;
}

/* As set_step(); in a replay the longest window is all there is. */
static unsigned set_window(struct view *v, bool up)
{
	double now = v->window_s > 0 ? v->window_s : v->whole_s, next = step(windows_s, now, up);

	if (!v->opts.replay)
		return set_step(&v->window_s, windows_s, up, VIEW_WINDOW_CHANGED);
	if (up && (next == now || (v->whole_s > 0 && next >= v->whole_s)))
		next = 0;
	if (next == now || next == v->window_s) {
		view_message(v,
			     next ? "this is the shortest window" : "the whole recording is shown");
		return VIEW_OK;
	}
	v->window_s = next;
	return VIEW_WINDOW_CHANGED;
}

static unsigned set_refresh(struct view *v, bool slower)
{
	if (!v->opts.replay)
		return set_step(&v->refresh_s, refreshes_s, slower, VIEW_REFRESH_CHANGED);
	view_message(v, "a recording does not change");
	return VIEW_OK;
}

static void start_prompt(struct view *v, enum view_prompt prompt)
{
	struct view_filter *f;

	if (v->screen >= SCREEN_TABS || !v->screens[v->screen]->set) {
		view_message(v, "this screen has no rows to search");
		return;
	}
	f = prompt == PROMPT_FILTER ? &v->tables[v->screen].filter : &v->search;
	v->prompt = prompt;
	memcpy(v->before, f->text, sizeof(v->before));
	*v->typed = '\0';
	if (prompt == PROMPT_FILTER)
		memcpy(v->typed, f->text, sizeof(v->typed));
}

static int create_print_file(char *name, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;
	char stamp[32];

	if (!localtime_r(&now, &tm))
		return -EOVERFLOW;
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	for (int i = 1; i < 10; i++) {
		int fd;

		if (i == 1)
			snprintf(name, size, "tardy-screen-%s.txt", stamp);
		else
			snprintf(name, size, "tardy-screen-%s-%d.txt", stamp, i);
		/* O_EXCL: neither overwrites a file nor follows a link that waits there */
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd >= 0 ? fd : -errno;
	}
	return -EEXIST;
}

static void print_to_file(struct view *v)
{
	char name[80];
	int fd = create_print_file(name, sizeof(name)), err = fd < 0 ? fd : 0;
	FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (out) {
		err = view_print(v, out);
		if (fclose(out) && !err)
			err = -errno;
	} else if (fd >= 0) {
		err = -errno;
		close(fd);
	}
	if (err && fd >= 0)
		unlink(name);
	if (err)
		view_message(v, "cannot write %s: %s", name, strerror(-err));
	else
		view_message(v, "screen written to %s", name);
}

static void copy_row(struct view *v)
{
	char *text = view_full_text(v);

	if (!text)
		view_message(v, "no row to copy");
	else if (view_term_copy(v, text))
		view_message(v, "too long for a terminal's clipboard");
	else
		view_message(v, "row sent to the terminal's clipboard");
	free(text);
}

static unsigned do_settings(struct view *v, enum view_action action)
{
	switch (action) {
	case VIEW_ACTION_FASTER:
	case VIEW_ACTION_SLOWER:
		return set_refresh(v, action == VIEW_ACTION_SLOWER);
	case VIEW_ACTION_WINDOW_LESS:
	case VIEW_ACTION_WINDOW_MORE:
		return set_window(v, action == VIEW_ACTION_WINDOW_MORE);
	case VIEW_ACTION_HEADER:
		v->header = !v->header;
		return VIEW_OK;
	case VIEW_ACTION_PRINT:
		print_to_file(v);
		return VIEW_OK;
	case VIEW_ACTION_COPY:
		copy_row(v);
		return VIEW_OK;
	case VIEW_ACTION_REDRAW:
		clearok(curscr, TRUE);
		return VIEW_OK;
	case VIEW_ACTION_SUSPEND:
		view_term_suspend(v);
		return VIEW_OK;
	default:
		view_message(v, "nothing to %s on this screen",
			     action == VIEW_ACTION_OPEN ? "open" : "do that with");
		return VIEW_OK;
	}
}

static unsigned do_action(struct view *v, enum view_action action)
{
	/* A filter on the rows is what Esc undoes first, whatever the screen makes of Esc. */
	if (action == VIEW_ACTION_BACK && clear_filter(v))
		return VIEW_OK;
	if (v->screens[v->screen]->key && v->screens[v->screen]->key(v, action))
		return VIEW_OK;
	switch (action) {
	case VIEW_ACTION_QUIT:
		return VIEW_QUIT;
	case VIEW_ACTION_BACK:
		view_back(v);
		return VIEW_OK;
	case VIEW_ACTION_CLOSE:
		return close_screen(v);
	case VIEW_ACTION_HELP:
		view_open(v, SCREEN_HELP);
		return VIEW_OK;
	case VIEW_ACTION_SEARCH:
		start_prompt(v, PROMPT_SEARCH);
		return VIEW_OK;
	case VIEW_ACTION_FILTER:
		start_prompt(v, PROMPT_FILTER);
		return VIEW_OK;
	case VIEW_ACTION_PAUSE:
		view_set_paused(v, !v->paused);
		return VIEW_OK;
	case VIEW_ACTION_SPACE:
		view_set_paused(v, false);
		return VIEW_OK;
	case VIEW_ACTION_TAB_NEXT:
		view_go_to_tab(v, v->screen < SCREEN_TABS ? (v->screen + 1) % SCREEN_TABS : 0);
		return VIEW_OK;
	case VIEW_ACTION_TAB_PREV:
		view_go_to_tab(v, v->screen < SCREEN_TABS ?
					  (v->screen + SCREEN_TABS - 1) % SCREEN_TABS :
					  0);
		return VIEW_OK;
	default:
		return do_settings(v, action);
	}
}

static int apply_typed(struct view *v, const char *text)
{
	int err;

	if (v->prompt == PROMPT_FILTER) {
		err = view_filter_set(&v->tables[v->screen].filter, text);
		view_table_rebuild(v, v->screen);
	} else {
		err = view_filter_set(&v->search, text);
		view_table_search(v, true, true);
	}
	return err;
}

/* Appends a typed character as UTF-8; a full line takes no more. */
static void append_typed(struct view *v, wint_t c)
{
	char bytes[MB_LEN_MAX];
	mbstate_t state = { 0 };
	size_t n = wcrtomb(bytes, (wchar_t)c, &state), len = strlen(v->typed);

	if (n == (size_t)-1 || !iswprint(c) || len + n >= sizeof(v->typed))
		return;
	memcpy(v->typed + len, bytes, n);
	v->typed[len + n] = '\0';
}

static void erase_typed(struct view *v)
{
	size_t len = strlen(v->typed);

	while (len && ((unsigned char)v->typed[len - 1] & 0xc0) == 0x80)
		len--;
	if (len)
		len--;
	v->typed[len] = '\0';
}

/* Keys while something is typed: it takes effect at once, Esc and ^C take it back. */
static unsigned prompt_key(struct view *v, wint_t c, bool is_function)
{
	if (!is_function && (c == 27 || c == 3)) {
		apply_typed(v, v->before);
		v->prompt = PROMPT_NONE;
		return VIEW_OK;
	}
	if ((is_function && c == KEY_ENTER) || (!is_function && (c == '\r' || c == '\n'))) {
		if (apply_typed(v, v->typed)) {
			apply_typed(v, v->before);
			view_message(v, "not a regular expression: %s", v->typed);
		} else if (v->prompt == PROMPT_SEARCH && !view_table_search(v, true, true))
			view_message(v, "not found: %s", v->typed);
		v->prompt = PROMPT_NONE;
		return VIEW_OK;
	}
	if ((is_function && c == KEY_BACKSPACE) || (!is_function && (c == 127 || c == 8)))
		erase_typed(v);
	else if (!is_function && c == 21) /* ^U */
		*v->typed = '\0';
	else if (!is_function)
		append_typed(v, c);
	apply_typed(v, v->typed);
	return VIEW_OK;
}

static void no_such_key(struct view *v, wint_t c, bool is_function)
{
	const char *name = is_function ? keyname((int)c) : key_name((wchar_t)c);
	char clean[32];

	format_clean(clean, sizeof(clean), name ? name : "this key", 16, v->ascii);
	view_message(v, "%s does nothing; ? lists the keys", clean);
}

static unsigned one_key(struct view *v, wint_t c, bool is_function)
{
	enum view_action action;

	if (is_function && c == KEY_RESIZE)
		return VIEW_OK; /* every draw looks the size up */
	*v->message = '\0';
	if (v->prompt != PROMPT_NONE)
		return prompt_key(v, c, is_function);
	/* A character can have the number of a function key, and has no action. */
	action = is_function || c < KEY_MIN ? view_keys_action((int)c) : VIEW_ACTION_NONE;
	if (action == VIEW_ACTION_TAB)
		view_go_to_tab(v, (int)(c - '1'));
	else if (action == VIEW_ACTION_NONE)
		no_such_key(v, c, is_function);
	else
		return do_action(v, action);
	return VIEW_OK;
}

/* The rest of a key's sequence that ncurses does not know (ECMA-48 5.4: parameters, one final
 * byte): its bytes are no keys of their own. False when nothing of the kind follows ESC. */
static bool skip_sequence(struct view *v)
{
	wint_t c;
	int kind = wget_wch(v->input, &c);

	if (kind == ERR)
		return false;
	if (kind != KEY_CODE_YES && c == 'O')
		return wget_wch(v->input, &c) != ERR;
	if (kind == KEY_CODE_YES || c != '[') {
		if (kind == KEY_CODE_YES)
			ungetch((int)c);
		else
			unget_wch((wchar_t)c);
		return false;
	}
	while (wget_wch(v->input, &c) != ERR && (c < 0x40 || c > 0x7e))
		;
	return true;
}

int view_handle_input(struct view *v)
{
	struct pollfd gone = { .fd = view_fd(v), .events = POLLIN };
	bool was_paused = v->paused;
	unsigned result = VIEW_OK;
	wint_t c;
	int kind;

	while (!(result & VIEW_QUIT) && (kind = wget_wch(v->input, &c)) != ERR)
		if (kind == OK && c == 27 && v->prompt == PROMPT_NONE && skip_sequence(v))
			view_message(v, "that key does nothing; ? lists the keys");
		else
			result |= one_key(v, c, kind == KEY_CODE_YES);
	/* Nothing to read but readable, or hung up: the terminal went away. */
	if (!(result & VIEW_QUIT) && poll(&gone, 1, 0) > 0 &&
	    (gone.revents & (POLLHUP | POLLERR | POLLNVAL)))
		result |= VIEW_QUIT;
	if (v->paused != was_paused)
		result |= VIEW_PAUSE_CHANGED;
	return (int)result;
}

void view_draw(struct view *v)
{
	struct view_area area;

	view_term_resize(v);
	erase();
	area = view_frame_draw(v);
	if (area.h > 0)
		v->screens[v->screen]->draw(v, area);
	if (v->prompt != PROMPT_NONE) {
		int x = (int)format_width(v->typed) + 8;

		move(LINES - 1, x < COLS ? x : COLS - 1);
		curs_set(1);
	} else {
		move(LINES - 1, COLS - 1);
		curs_set(0);
	}
	view_term_flush(v);
}

int view_print(struct view *v, FILE *out)
{
	size_t size = ((size_t)COLS + 1) * CCHARW_MAX;
	wchar_t *line = calloc(size, sizeof(*line));
	int err = 0;

	(void)v;
	if (!line)
		return -ENOMEM;
	for (int y = 0; y < LINES && !err; y++) {
		int n = mvinnwstr(y, 0, line, (int)size - 1);

		if (n < 0)
			n = 0;
		while (n > 0 && line[n - 1] == L' ')
			n--;
		line[n] = L'\0';
		errno = 0;
		if (fprintf(out, "%ls\n", line) < 0)
			err = errno ? -errno : -EIO;
	}
	free(line);
	errno = 0;
	if (!err && fflush(out))
		err = errno ? -errno : -EIO;
	return err;
}
