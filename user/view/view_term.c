// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking a terminal over and giving it back. The terminal is a given pair of streams and not
 * stdout, so that tests run the view on a pty. What an emergency exit must write is prepared at
 * the start, since a signal handler can ask ncurses for nothing.
 */
#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>
#include "view/view_term.h"

#define SYNC_BEGIN "\033[?2026h"
#define SYNC_END "\033[?2026l"

/* Read by a signal handler: set before active, never changed while it is set. */
static struct {
	volatile sig_atomic_t active;
	int in_fd, out_fd;
	struct termios saved;
	bool has_saved;
	char restore[256];
	size_t restore_len;
} emergency;

/* Writes all of it although the terminal may be slow and not blocking; gives up when it is gone
 * or takes nothing for a second. */
static void write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			if (poll(&p, 1, 1000) <= 0)
				return;
		} else if (n == 0 || errno != EINTR) {
			return;
		}
	}
}

/* Appends a terminal capability without its padding ("$<5>"). */
static void restore_add(const char *capability)
{
	for (const char *p = capability; p && p != (char *)-1 && *p; p++) {
		if (p[0] == '$' && p[1] == '<' && strchr(p, '>'))
			p = strchr(p, '>');
		else if (emergency.restore_len < sizeof(emergency.restore))
			emergency.restore[emergency.restore_len++] = *p;
	}
}

static const char *capability(const char *name)
{
	return tigetstr(name);
}

static void emergency_prepare(bool sync_output)
{
	emergency.restore_len = 0;
	if (sync_output)
		restore_add(SYNC_END);
	restore_add(capability("sgr0"));
	restore_add(capability("cnorm"));
	restore_add(capability("rmkx"));
	restore_add(capability("rmcup"));
	emergency.active = 1;
}

void view_term_emergency(void)
{
	const char *bytes = emergency.restore;
	size_t len = emergency.restore_len;

	if (!emergency.active)
		return;
	emergency.active = 0;
	while (len) {
		ssize_t n = write(emergency.out_fd, bytes, len);

		if (n <= 0)
			break;
		bytes += n;
		len -= (size_t)n;
	}
	if (emergency.has_saved)
		tcsetattr(emergency.in_fd, TCSANOW, &emergency.saved);
}

static void start_colors(struct view *v)
{
	const char *no = getenv("NO_COLOR");
	short background = -1;

	v->colors = v->opts.color == TEXT_COLOR_ALWAYS ||
		    (v->opts.color == TEXT_COLOR_AUTO && !(no && *no));
	v->colors = v->colors && has_colors() && start_color() == OK;
	if (!v->colors)
		return;
	if (use_default_colors() == ERR)
		background = COLOR_BLACK;
	for (short i = 1; i <= 15 && i < COLORS && i < COLOR_PAIRS; i++)
		init_pair(i, i, background);
}

/* A server often lacks the description of a new terminal; nearly all of them understand xterm. */
static SCREEN *open_screen(const char *term, FILE *out, FILE *in)
{
	const char *names[] = { term ? term : getenv("TERM"), "xterm-256color", "xterm", "vt100" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		SCREEN *scr;
		bool placed;
		int found;

		/* newterm() would print an error or exit for a type that setupterm() refuses */
		if (!names[i] || setupterm(names[i], fileno(out), &found) != OK)
			continue;
		/* a type that cannot place the cursor, such as dumb, is meant: nothing is guessed */
		placed = capability("cup") != NULL;
		del_curterm(cur_term);
		if (!placed)
			return NULL;
		scr = newterm(names[i], out, in);
		if (scr)
			return scr;
	}
	return NULL;
}

/* F1 to F4 as older terminals and the console send them, whatever the description says. */
static void add_keys(void)
{
	static const char *const sent[][2] = { { "\033[11~", "\033[[A" },
					       { "\033[12~", "\033[[B" },
					       { "\033[13~", "\033[[C" },
					       { "\033[14~", "\033[[D" } };

	for (int i = 0; i < 4; i++)
		for (int k = 0; k < 2; k++)
			define_key(sent[i][k], KEY_F(i + 1));
}

static int start_input(struct view *v)
{
	v->input = newpad(1, 1);
	if (!v->input)
		return -ENOMEM;
	raw(); /* ^C is a key; flow control would freeze the view on ^S */
	noecho();
	nonl();
	set_escdelay(25);
	keypad(v->input, TRUE);
	add_keys();
	nodelay(v->input, TRUE);
	curs_set(0);
	return 0;
}

int view_term_open(struct view *v)
{
	const char *cup;
	int err;

	if (emergency.active)
		return -EBUSY;
	if (!isatty(fileno(v->opts.out)))
		return -ENOTTY;
	emergency.in_fd = fileno(v->opts.in);
	emergency.out_fd = fileno(v->opts.out);
	emergency.has_saved = !tcgetattr(emergency.in_fd, &emergency.saved);
	use_env(TRUE);
	use_tioctl(TRUE);
	v->scr = open_screen(v->opts.term, v->opts.out, v->opts.in);
	if (!v->scr)
		return -ENODEV;
	set_term(v->scr);
	err = start_input(v);
	if (err) {
		endwin();
		delscreen(v->scr);
		return err;
	}
	start_colors(v);
	v->ascii = v->opts.ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	cup = capability("cup");
	v->sync_output = cup && cup != (char *)-1 && !strncmp(cup, "\033[", 2);
	emergency_prepare(v->sync_output);
	return 0;
}

void view_term_close(struct view *v)
{
	delwin(v->input);
	endwin();
	delscreen(v->scr);
	emergency.active = 0;
	if (emergency.has_saved)
		tcsetattr(emergency.in_fd, TCSANOW, &emergency.saved);
}

void view_term_resize(struct view *v)
{
	struct winsize ws;

	if (!ioctl(fileno(v->opts.out), TIOCGWINSZ, &ws) && ws.ws_row && ws.ws_col &&
	    is_term_resized(ws.ws_row, ws.ws_col))
		resizeterm(ws.ws_row, ws.ws_col);
}

/* Does the line differ from what the terminal shows? Both windows keep their cursors, which are
 * where ncurses believes the terminal's to be. */
static bool line_changed(int y, cchar_t *now, cchar_t *then)
{
	size_t n = (size_t)COLS;

	memset(now, 0, (n + 1) * sizeof(*now));
	memset(then, 0, (n + 1) * sizeof(*then));
	return mvwin_wchnstr(newscr, y, 0, now, COLS) == ERR ||
	       mvwin_wchnstr(curscr, y, 0, then, COLS) == ERR ||
	       memcmp(now, then, n * sizeof(*now)) != 0;
}

static bool screen_changed(void)
{
	cchar_t *cells = calloc(2 * ((size_t)COLS + 1), sizeof(*cells));
	int new_y, new_x, cur_y, cur_x;
	bool changed;

	getyx(newscr, new_y, new_x);
	getyx(curscr, cur_y, cur_x);
	changed = !cells || is_cleared(curscr) || is_cleared(newscr) || new_y != cur_y ||
		  new_x != cur_x;
	for (int y = 0; y < LINES && !changed; y++)
		changed = line_changed(y, cells, cells + COLS + 1);
	wmove(newscr, new_y, new_x);
	wmove(curscr, cur_y, cur_x);
	free(cells);
	return changed;
}

/* Between the two marks the terminal collects, so that a reader never sees half a screen. The
 * marks go past ncurses, which would count them as text. A screen at rest writes nothing. */
void view_term_flush(struct view *v)
{
	int fd = fileno(v->opts.out);
	bool marks;

	wnoutrefresh(stdscr);
	marks = v->sync_output && screen_changed();
	if (marks)
		write_all(fd, SYNC_BEGIN, strlen(SYNC_BEGIN));
	doupdate();
	if (marks)
		write_all(fd, SYNC_END, strlen(SYNC_END));
}

void view_term_suspend(struct view *v)
{
	struct sigaction stop = { .sa_handler = SIG_DFL }, before;

	(void)v;
	endwin();
	sigaction(SIGTSTP, &stop, &before);
	raise(SIGTSTP); /* continues here; without job control it does nothing */
	sigaction(SIGTSTP, &before, NULL);
	clearok(curscr, TRUE);
	refresh();
}

/* OSC 52: the terminal, not this host, puts the text into its clipboard. */
int view_term_copy(struct view *v, const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	static const char head[] = "\033]52;c;";
	size_t len = strlen(text), at = sizeof(head) - 1;
	char *out = len <= VIEW_COPY_MAX ? malloc(at + (len + 2) / 3 * 4 + 1) : NULL;

	if (!out)
		return len <= VIEW_COPY_MAX ? -ENOMEM : -E2BIG;
	memcpy(out, head, at);
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)(unsigned char)text[i] << 16;

		if (left > 1)
			bits |= (uint32_t)(unsigned char)text[i + 1] << 8;
		if (left > 2)
			bits |= (unsigned char)text[i + 2];
		out[at++] = digits[bits >> 18];
		out[at++] = digits[bits >> 12 & 63];
		out[at++] = left > 1 ? digits[bits >> 6 & 63] : '=';
		out[at++] = left > 2 ? digits[bits & 63] : '=';
	}
	out[at++] = '\a';
	write_all(fileno(v->opts.out), out, at);
	free(out);
	return 0;
}
