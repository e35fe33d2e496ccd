/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keys, once: input, the help screen and the bottom line are made from these two tables.
 *
 * VIEW_ACTIONS: X(ACTION, "short", "help"); a short name puts the action on the bottom line,
 * a help on the help screen.
 * VIEW_KEYS: X(code, "label", ACTION); an action's first key is the one on the bottom line.
 */
#ifndef TARDY_VIEW_VIEW_KEYS_H
#define TARDY_VIEW_VIEW_KEYS_H
#include <stddef.h>

/* clang-format off */
#define VIEW_ACTIONS(X) \
	X(HELP, "Help", "this help") \
	X(SEARCH, "Find", "search") \
	X(FILTER, "Filter", "filter: text, ~regex, !not") \
	X(INTERNAL, "All", "routes between services too") \
	X(SORT_NEXT, "Sort", "sort by the next column") \
	X(SORT_PREV, NULL, "sort by the previous column") \
	X(SORT_INVERT, NULL, "invert the order") \
	X(OPEN, "Open", "open the selected row") \
	X(BACK, "Back", "clear the filter, back") \
	X(PAUSE, "Pause", "pause / resume") \
	X(TAB, "Tab", NULL) \
	X(TAB_NEXT, NULL, "next screen; or 1 2 3 4") \
	X(NEXT_MATCH, NULL, "next match") \
	X(PREV_MATCH, NULL, "previous match") \
	X(SPACE, NULL, "resume when paused") \
	X(UP, NULL, "one row up") \
	X(DOWN, NULL, "one row down") \
	X(PAGE_UP, NULL, "one page up") \
	X(PAGE_DOWN, NULL, "one page down") \
	X(FIRST, NULL, "first row") \
	X(LAST, NULL, "last row") \
	X(CLOSE, NULL, "back; quits on screen 1") \
	X(TAB_PREV, NULL, "previous screen") \
	X(FASTER, NULL, "refresh more often") \
	X(SLOWER, NULL, "refresh less often") \
	X(WINDOW_LESS, NULL, "shorter window, down to 10s") \
	X(WINDOW_MORE, NULL, "longer window, up to 1h") \
	X(HEADER, NULL, "header meters on/off") \
	X(PRINT, NULL, "print the screen to a file") \
	X(COPY, NULL, "copy the whole row (OSC 52)") \
	X(REDRAW, NULL, "draw everything again") \
	X(SUSPEND, NULL, "suspend to the shell") \
	X(QUIT, "Quit", "quit")

#define VIEW_KEYS(X) \
	X(KEY_F(1), "F1", HELP) X('?', "?", HELP) X('h', "h", HELP) \
	X(KEY_F(3), "F3", SEARCH) X('n', "n", NEXT_MATCH) X('N', "N", PREV_MATCH) \
	X(KEY_F(4), "F4", FILTER) X('\\', "\\", FILTER) X('/', "/", FILTER) \
	X(KEY_F(6), "F6", SORT_NEXT) X('>', ">", SORT_NEXT) X('<', "<", SORT_PREV) \
	X('I', "I", SORT_INVERT) X(KEY_F(5), "F5", INTERNAL) X('t', "t", INTERNAL) \
	X('Z', "Z", PAUSE) X(' ', "Space", SPACE) \
	X(KEY_UP, "Up", UP) X('k', "k", UP) X(KEY_DOWN, "Down", DOWN) X('j', "j", DOWN) \
	X(KEY_PPAGE, "PgUp", PAGE_UP) X(KEY_NPAGE, "PgDn", PAGE_DOWN) \
	X(KEY_HOME, "Home", FIRST) X('g', "g", FIRST) X(KEY_END, "End", LAST) X('G', "G", LAST) \
	X('\r', "Enter", OPEN) X('\n', NULL, OPEN) X(KEY_ENTER, NULL, OPEN) \
	X(27, "Esc", BACK) X('q', "q", CLOSE) \
	X('1', "1-4", TAB) X('2', NULL, TAB) X('3', NULL, TAB) X('4', NULL, TAB) \
	X('\t', "Tab", TAB_NEXT) X(KEY_BTAB, "S-Tab", TAB_PREV) \
	X('+', "+", FASTER) X('-', "-", SLOWER) X('[', "[", WINDOW_LESS) X(']', "]", WINDOW_MORE) \
	X('#', "#", HEADER) X('P', "P", PRINT) X('y', "y", COPY) \
	X(12, "^L", REDRAW) X(26, "^Z", SUSPEND) \
	X(KEY_F(10), "F10", QUIT) X('Q', "Q", QUIT) X(3, "^C", QUIT)
/* clang-format on */

enum view_action {
	VIEW_ACTION_NONE,
#define X(id, brief, help) VIEW_ACTION_##id,
	VIEW_ACTIONS(X)
#undef X
		VIEW_ACTION_COUNT
};

/* The action of a key code as ncurses gives it; VIEW_ACTION_NONE for a key without one. */
enum view_action view_keys_action(int code);
/* "F1 ? h": the labels of an action's keys. buf holds size bytes. */
void view_keys_labels(enum view_action action, char *buf, size_t size);
/* Names for the bottom line (NULL: not there) and the help screen. */
const char *view_keys_brief(enum view_action action);
const char *view_keys_help(enum view_action action);
#endif
