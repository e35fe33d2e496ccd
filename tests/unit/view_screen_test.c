// SPDX-License-Identifier: GPL-2.0-only
/*
 * The live view on a real pseudo-terminal: stored screens, keys, every size, hostile names, how
 * much it writes at rest, and giving the terminal back.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/format.h"
#include "unit/view_fixture.h"
#include "unit/view_golden.h"
#include "view/view.h"

static struct {
	int master, slave;
	FILE *in, *out;
	struct view *v;
	struct snapshot *s;
	struct termios before;
	char bytes[1 << 17]; /* what the view wrote since the last drain() */
	size_t n_bytes;
} term;

static void set_size(int cols, int rows)
{
	struct winsize ws = { .ws_col = (unsigned short)cols, .ws_row = (unsigned short)rows };

	assert_int_equal(ioctl(term.master, TIOCSWINSZ, &ws), 0);
}

static void drain(void)
{
	ssize_t n;

	term.n_bytes = 0;
	while ((n = read(term.master, term.bytes + term.n_bytes,
			 sizeof(term.bytes) - 1 - term.n_bytes)) > 0)
		term.n_bytes += (size_t)n;
	term.bytes[term.n_bytes] = '\0';
}

static void start(int cols, int rows, struct snapshot *s, const struct view_opts *more)
{
	struct view_opts o = more ? *more : (struct view_opts){ .version = "0.1.0" };

	term.master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	assert_true(term.master >= 0);
	assert_int_equal(grantpt(term.master) | unlockpt(term.master), 0);
	set_size(cols, rows);
	term.slave = open(ptsname(term.master), O_RDWR | O_NOCTTY);
	assert_true(term.slave >= 0);
	assert_int_equal(tcgetattr(term.slave, &term.before), 0);
	o.in = term.in = fdopen(term.slave, "r");
	o.out = term.out = fdopen(dup(term.slave), "w");
	if (!o.term)
		o.term = "xterm-256color";
	term.v = view_new(&o);
	assert_non_null(term.v);
	term.s = s;
	view_update(term.v, s);
	view_draw(term.v);
	drain();
}

static void stop(void)
{
	view_free(term.v);
	fclose(term.in);
	fclose(term.out);
	close(term.master);
	snapshot_free(term.s);
	intern_release();
}

/* Types, lets the view read it and draws. Returns what view_handle_input() did. */
static int keys(const char *typed)
{
	int result;

	assert_int_equal(write(term.master, typed, strlen(typed)), (ssize_t)strlen(typed));
	result = view_handle_input(term.v);
	view_draw(term.v);
	drain();
	return result;
}

static char *screen(void)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(view_print(term.v, f), 0);
	fclose(f);
	return text;
}

static void assert_shows(const char *text, int shows)
{
	char *now = screen();

	if ((strstr(now, text) != NULL) != shows)
		fail_msg("%s \"%s\" on\n%s", shows ? "no" : "found", text, now);
	free(now);
}

static void stored_screens(void **state)
{
	static const struct {
		int cols, rows;
		const char *typed, *name;
		bool stacks;
	} cases[] = {
		{ 100, 30, "", "snapshot_routes_100x30.txt", false },
		{ 80, 24, "", "snapshot_routes_80x24.txt", false },
		{ 80, 24, "2", "snapshot_requests_80x24.txt", false },
		{ 100, 30, "2\r", "snapshot_request_100x30.txt", false },
		{ 80, 24, "3j", "snapshot_hotspots_80x24.txt", false },
		{ 80, 24, "4", "snapshot_health_80x24.txt", false },
		{ 80, 24, "?", "snapshot_help_80x24.txt", false },
		{ 40, 10, "", "snapshot_routes_40x10.txt", false },
		{ 80, 24, "3", "snapshot_hotspots_stack_80x24.txt", true },
		{ 140, 24, "3", "snapshot_hotspots_stack_140x24.txt", true },
		{ 80, 24, "4", "snapshot_health_stacks_80x24.txt", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snapshot *s = fixture_busy();
		char *text;

		start(cases[i].cols, cases[i].rows, cases[i].stacks ? fixture_with_stacks(s) : s,
		      NULL);
		keys(cases[i].typed);
		text = screen();
		assert_true(golden_matches(cases[i].name, text));
		free(text);
		stop();
	}
}

static void moving_and_sorting(void **state)
{
	(void)state;
	start(100, 30, fixture_busy(), NULL);
	assert_shows("> GET /course/view.php", 1);
	keys("j");
	assert_shows("none completed, 41 in flight", 1);
	keys("G");
	assert_shows("> GET /my/", 1);
	keys("gI"); /* inverted: least waiting first */
	assert_shows("> GET /my/", 1);
	assert_shows("sort WAIT/s ^", 1);
	keys("I>");
	assert_shows("sort % v", 1);
	keys("t");
	assert_shows("routes between services are shown too", 1);
	keys("\033[6~"); /* page down, as xterm sends it */
	keys("j");
	assert_shows("php-fpm", 1);
	stop();
}

/* The selected row stays selected when a later snapshot ranks it elsewhere. */
/* Screens that are text move by the same keys: a line, a page, back to the beginning. */
static void scrolling(void **state)
{
	static const struct {
		const char *open, *first, *last;
	} screens[] = {
		{ "4", "source     this host", "50 of 50 workers busy" },
		{ "?", "F1 ? h  this help", "seconds users wait per second" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(screens) / sizeof(screens[0]); i++) {
		start(80, 14, fixture_busy(), NULL);
		keys(screens[i].open);
		assert_shows(screens[i].first, 1);
		assert_shows(screens[i].last, 0);
		keys("j");
		assert_shows(screens[i].first, 0);
		keys("k");
		assert_shows(screens[i].first, 1);
		for (int page = 0; page < 9; page++)
			keys("\033[6~"); /* page down, as xterm sends it; the end holds it */
		assert_shows(screens[i].first, 0);
		assert_shows(screens[i].last, 1);
		keys("\033[5~");
		assert_shows(screens[i].last, 0);
		keys("j\033[6~g");
		assert_shows(screens[i].first, 1);
		stop();
	}
}

static void selection_follows_its_row(void **state)
{
	struct snapshot *later = fixture_busy(), *first;

	(void)state;
	start(100, 30, fixture_busy(), NULL);
	keys("jj"); /* the third: WAIT/s sorts the pile-up (41.0) before the quiz (35.0) */
	assert_shows("> POST /mod/quiz/attempt.php", 1);
	later->routes[1].wait_s_per_s = 500;
	first = term.s;
	view_update(term.v, later);
	term.s = later;
	snapshot_free(first);
	view_draw(term.v);
	drain();
	assert_shows("> POST /mod/quiz/attempt.php", 1);
	assert_shows("  GET /course/view.php", 1);
	stop();
}

static void filter_and_search(void **state)
{
	(void)state;
	start(100, 30, fixture_busy(), NULL);
	keys("/quiz");
	assert_shows("Filter: quiz", 1);
	assert_shows("  GET /my/", 0);
	keys("\r");
	assert_shows("filter: quiz", 1);
	keys("\033");
	assert_shows("GET /my/", 1);
	keys("\\!~^get\r"); /* all but those that begin with GET, whatever the case */
	assert_shows("  POST /mod/quiz/attempt.php", 1);
	assert_shows("GET /my/", 0);
	keys("/\x15~(\r"); /* not a regular expression: it says so, and the filter before stays */
	assert_shows("not a regular expression: ~(", 1);
	assert_shows("GET /my/", 0);
	keys("/\x15nosuchroute\r");
	assert_shows("no row matches the filter", 1);
	keys("\033");
	keys("\033[13~my\r"); /* F3 in the form of older terminals */
	keys("\033ORmy\r"); /* F3 as xterm sends it */
	assert_shows("> GET /my/", 1);
	keys("n");
	assert_shows("> GET /my/", 1);
	keys("\033[1;9Q"); /* a key that nobody knows is none of its bytes */
	assert_shows("that key does nothing", 1);
	assert_shows("> GET /my/", 1);
	keys("x");
	assert_shows("x does nothing", 1);
	keys("/caf\xc3\xa9\x7f");
	assert_shows("Filter: caf", 1);
	keys("\033");
	assert_shows("GET /course/view.php", 1);
	stop();
}

static void drilling_down(void **state)
{
	(void)state;
	start(100, 30, fixture_busy(), NULL);
	keys("\r");
	assert_shows("[2]Requests", 1);
	assert_shows("of GET /course/view.php", 1);
	assert_shows("POST /mod/quiz/attempt.php", 0);
	assert_int_equal(keys("\r"), VIEW_PAUSE_CHANGED);
	assert_shows("id 18446744073709551615", 1);
	assert_shows("PAUSED", 1);
	assert_true(view_paused(term.v));
	assert_int_equal(keys("q"), VIEW_PAUSE_CHANGED);
	assert_false(view_paused(term.v));
	assert_shows("of GET /course/view.php", 1);
	keys("q");
	assert_shows("[1]Routes", 1);
	keys("3\r"); /* all of the row, then what waits most: the first route of the first hotspot */
	assert_shows("waited on by", 1);
	keys("\r");
	assert_shows("[1]Routes", 1);
	assert_shows("> GET /course/view.php", 1);
	keys("3G\r"); /* held by the quiz */
	assert_shows("held by       POST /mod/quiz/attempt.php", 1);
	keys("\r");
	assert_shows("> POST /mod/quiz/attempt.php", 1);
	keys("1");
	assert_int_equal(keys("q"), VIEW_QUIT);
	stop();
}

static void settings(void **state)
{
	(void)state;
	start(80, 24, fixture_busy(), NULL);
	assert_int_equal(keys("]"), VIEW_WINDOW_CHANGED);
	assert_true(view_window_s(term.v) == 300);
	assert_int_equal(keys("[[["), VIEW_WINDOW_CHANGED);
	assert_true(view_window_s(term.v) == 10);
	assert_int_equal(keys("["), VIEW_OK); /* the shortest */
	assert_int_equal(keys("+"), VIEW_REFRESH_CHANGED);
	assert_true(view_refresh_s(term.v) == 1);
	keys("----------");
	assert_true(view_refresh_s(term.v) == 30);
	assert_int_equal(keys("Z"), VIEW_PAUSE_CHANGED);
	assert_shows("PAUSED", 1);
	assert_int_equal(keys(" "), VIEW_PAUSE_CHANGED);
	assert_int_equal(keys(" "), VIEW_OK);
	assert_shows("CPU", 1);
	keys("#");
	assert_shows("CPU ", 0);
	assert_shows("tardy 0.7%+1.1% lost 7", 1); /* always on the screen */
	keys("\t");
	assert_shows("[2]Requests", 1);
	keys("\033[Z\033[Z");
	assert_shows("[4]Health", 1);
	assert_int_equal(keys("\x03"), VIEW_QUIT);
	stop();
}

/* A recording: its end by windows, then all of it. */
static void windows_of_a_recording(void **state)
{
	struct view_opts o = { .version = "0.1.0", .replay = true };

	(void)state;
	start(80, 24, fixture_busy(), &o); /* of 60 s */
	assert_true(view_window_s(term.v) == 0);
	assert_int_equal(keys("]"), VIEW_OK);
	assert_shows("the whole recording is shown", 1);
	assert_int_equal(keys("["), VIEW_WINDOW_CHANGED);
	assert_true(view_window_s(term.v) == 30);
	assert_int_equal(keys("["), VIEW_WINDOW_CHANGED);
	assert_true(view_window_s(term.v) == 10);
	assert_int_equal(keys("["), VIEW_OK);
	assert_shows("this is the shortest window", 1);
	assert_int_equal(keys("]]"), VIEW_WINDOW_CHANGED);
	assert_true(view_window_s(term.v) == 0);
	assert_int_equal(keys("+"), VIEW_OK);
	assert_shows("a recording does not change", 1);
	stop();
}

/* From one cell to large, on every screen, with names that attack and with nothing at all. */
static void every_size(void **state)
{
	static const int sizes[][2] = { { 1, 1 },  { 2, 3 },   { 5, 40 },   { 3, 2 },  { 10, 6 },
					{ 40, 1 }, { 80, 24 }, { 200, 50 }, { 17, 9 }, { 79, 8 },
					{ 1, 60 }, { 200, 2 }, { 100, 30 } };
	static const char *const steps[] = { "1", "2", "\r", "q3", "4", "?", "j", "q1/a", "\033" };
	struct snapshot *snapshots[] = { fixture_hostile(), fixture_empty(), NULL };

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		start(80, 24, snapshots[k], NULL);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			for (size_t step = 0; step < sizeof(steps) / sizeof(steps[0]); step++) {
				char *text, *save = NULL;

				set_size(sizes[i][0], sizes[i][1]);
				keys(steps[step]);
				text = screen();
				for (char *line = strtok_r(text, "\n", &save); line;
				     line = strtok_r(NULL, "\n", &save))
					assert_true(format_width(line) <= (unsigned)sizes[i][0]);
				free(text);
			}
		stop();
	}
}

/* Of what reaches the terminal, an OSC or a clear-and-home in a name is nowhere. */
static void attacks_do_not_reach_the_terminal(void **state)
{
	(void)state;
	start(200, 50, fixture_hostile(), NULL);
	for (const char *p = "1234?"; *p; p++) {
		char key[2] = { *p, '\0' };

		keys(key);
		keys("\x0c"); /* all of it again */
		assert_null(strstr(term.bytes, "\033]52"));
		assert_null(strstr(term.bytes, "\xe2\x80\xae"));
		assert_null(strstr(term.bytes, "\xc2\x9b"));
		assert_null(strchr(term.bytes, '\x01'));
	}
	stop();
}

static void little_output_at_rest(void **state)
{
	struct snapshot *next = fixture_busy(), *first;

	(void)state;
	start(200, 50, fixture_busy(), NULL);
	view_draw(term.v);
	drain();
	assert_int_equal(term.n_bytes, 0); /* nothing changed: not even the marks of an update */
	keys("\x0c"); /* ^L draws all again, whatever the terminal shows */
	assert_true(term.n_bytes > 1000);
	next->start_unix_us += 2000000;
	next->req_per_s += 3;
	for (size_t i = 0; i < next->n_routes; i++)
		next->routes[i].wait_s_per_s += 0.3;
	first = term.s;
	view_update(term.v, next);
	term.s = next;
	snapshot_free(first);
	view_draw(term.v);
	drain();
	assert_true(term.n_bytes > 0 && term.n_bytes < 1000);
	assert_int_equal(strncmp(term.bytes, "\033[?2026h", 8), 0);
	assert_string_equal(term.bytes + term.n_bytes - 8, "\033[?2026l");
	stop();
}

static void colors_only_when_wanted(void **state)
{
	(void)state;
	assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
	start(100, 30, fixture_busy(), NULL);
	keys("\x0c");
	assert_null(strstr(term.bytes, "\033[31m"));
	stop();
	assert_int_equal(setenv("NO_COLOR", "", 1), 0); /* set, but empty: no meaning */
	start(100, 30, fixture_busy(), NULL);
	keys("\x0c");
	assert_non_null(strstr(term.bytes, "\033[31m"));
	stop();
	unsetenv("NO_COLOR");
}

static void ascii_and_unknown_terminals(void **state)
{
	struct view_opts o = { .ascii = true, .term = "no-such-terminal" };
	char *text;

	(void)state;
	start(200, 50, fixture_hostile(), &o);
	text = screen();
	for (const char *p = text; *p; p++)
		assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
	free(text);
	stop();
}

static void printing_to_a_file(void **state)
{
	char folder[] = "/tmp/tardy-print-XXXXXX", here[512], *text, *want;
	struct stat st;
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	(void)state;
	assert_non_null(getcwd(here, sizeof(here)));
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	start(80, 24, fixture_busy(), NULL);
	want = screen();
	keys("P");
	assert_shows("screen written to tardy-screen-", 1);
	keys("P"); /* in the same second or not: another file */
	dir = opendir(".");
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		assert_int_equal(stat(entry->d_name, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		if (n == 0) {
			text = golden_read(entry->d_name);
			assert_non_null(text);
			assert_int_equal(strncmp(text, want, 500), 0);
			free(text);
		}
		unlink(entry->d_name);
		n++;
	}
	closedir(dir);
	free(want);
	assert_int_equal(n, 2);
	stop();
	assert_int_equal(chdir(here), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void copying_a_row(void **state)
{
	(void)state;
	start(80, 24, fixture_busy(), NULL);
	assert_int_equal(write(term.master, "y", 1), 1);
	view_handle_input(term.v);
	drain();
	/* base64 of "route         GET /cours": the whole row, line by line */
	assert_int_equal(strncmp(term.bytes, "\033]52;c;cm91dGUgICAgICAgICBHRVQgL2NvdXJz", 39), 0);
	assert_int_equal(term.bytes[term.n_bytes - 1], '\a');
	stop();
}

static void terminal_is_given_back(void **state)
{
	struct termios now;

	(void)state;
	start(80, 24, fixture_busy(), NULL);
	assert_int_equal(tcgetattr(term.slave, &now), 0);
	assert_int_not_equal(now.c_lflag, term.before.c_lflag);
	view_emergency_restore(); /* what a fatal signal would do */
	drain();
	assert_non_null(strstr(term.bytes, "\033[?1049l"));
	assert_non_null(strstr(term.bytes, "\033[?2026l"));
	assert_int_equal(tcgetattr(term.slave, &now), 0);
	assert_int_equal(now.c_lflag, term.before.c_lflag);
	stop();
	view_emergency_restore(); /* no view: nothing happens */
	start(80, 24, fixture_busy(), NULL); /* and a new one can be made */
	view_free(term.v);
	assert_int_equal(tcgetattr(term.slave, &now), 0);
	assert_int_equal(now.c_lflag, term.before.c_lflag);
	assert_int_equal(now.c_iflag, term.before.c_iflag);
	term.v = NULL;
	stop();
}

static void lost_terminal_and_no_terminal(void **state)
{
	struct view_opts o = { .color = TEXT_COLOR_NEVER };
	FILE *null = fopen("/dev/null", "r+");

	(void)state;
	assert_non_null(null);
	o.in = o.out = null;
	errno = 0;
	assert_null(view_new(&o));
	assert_int_equal(errno, ENOTTY);
	fclose(null);
	start(80, 24, fixture_busy(), NULL);
	close(term.master);
	assert_int_equal(view_handle_input(term.v), VIEW_QUIT);
	view_draw(term.v); /* into nothing, without harm */
	term.master = open("/dev/null", O_RDONLY);
	stop();
}

static void batch(void **state)
{
	struct snapshot *s = fixture_busy();
	struct text_opts o = { .width = 80, .top = 2 };
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	assert_non_null(f);
	assert_int_equal(view_batch_print(f, s, &o), 0);
	fclose(f);
	assert_non_null(strstr(text, ">> 43% of all waiting is GET /course/view.php"));
	assert_non_null(strstr(text, "+ 2 more routes"));
	assert_non_null(strstr(text, "lost 7"));
	assert_string_equal(text + len - 2, "\n\n");
	free(text);
	f = fopen("/dev/full", "w");
	assert_non_null(f);
	assert_int_equal(view_batch_print(f, s, &o), -ENOSPC);
	fclose(f);
	snapshot_free(s);
	intern_release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stored_screens),
		cmocka_unit_test(moving_and_sorting),
		cmocka_unit_test(scrolling),
		cmocka_unit_test(selection_follows_its_row),
		cmocka_unit_test(filter_and_search),
		cmocka_unit_test(drilling_down),
		cmocka_unit_test(settings),
		cmocka_unit_test(windows_of_a_recording),
		cmocka_unit_test(every_size),
		cmocka_unit_test(attacks_do_not_reach_the_terminal),
		cmocka_unit_test(little_output_at_rest),
		cmocka_unit_test(colors_only_when_wanted),
		cmocka_unit_test(ascii_and_unknown_terminals),
		cmocka_unit_test(printing_to_a_file),
		cmocka_unit_test(copying_a_row),
		cmocka_unit_test(terminal_is_given_back),
		cmocka_unit_test(lost_terminal_and_no_terminal),
		cmocka_unit_test(batch),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8") || setenv("TZ", "UTC", 1) || unsetenv("NO_COLOR"))
		return 1;
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
