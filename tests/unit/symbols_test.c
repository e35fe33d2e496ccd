// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread that names functions: answers in order, what is refused when it has too much to do,
 * and an end while it hangs. It hangs at will by reading the kernel's functions from a pipe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sym/symbols.h"
#include "kallsyms_pipe.h"

static struct symbol_ask ask_of(uint64_t key, uint32_t tgid, uint64_t addr)
{
	return (struct symbol_ask){ .key = key, .addr = addr, .tgid = tgid };
}

static struct symbol_answer take(struct symbols *s)
{
	const struct timespec pause = { 0, 1000000 };
	struct symbol_answer answer;

	while (!symbols_take(s, &answer))
		nanosleep(&pause, NULL);
	return answer;
}

/* Lets the thread that hangs in the pipe go on. */
static void release(void)
{
	int fd = open(fifo, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "ffffffff81000000 T first\n", 25), 25);
	close(fd);
}

static void test_answers(void **state)
{
	const struct resolve_opts opts = { 0 };
	struct symbols *s = symbols_new(&opts, 0);
	struct symbol_answer answer;
	struct symbol_ask asks[3] = {
		ask_of(1, self, (uint64_t)(uintptr_t)target),
		ask_of(2, self, 0x10),
		ask_of(3, self, (uint64_t)(uintptr_t)target),
	};

	(void)state;
	assert_non_null(s);
	asks[2].after_call = true;
	assert_false(symbols_take(s, &answer));
	assert_int_equal(symbols_ask(s, asks, 3), 0);
	answer = take(s);
	assert_int_equal(answer.ask.key, 1);
	assert_int_equal(answer.ask.tgid, self);
	assert_int_equal(answer.ask.addr, (uint64_t)(uintptr_t)target);
	assert_string_equal(answer.sym.text, "target");
	assert_string_equal(answer.sym.module, "symbols_test");
	answer = take(s);
	assert_int_equal(answer.ask.key, 2);
	assert_int_equal(answer.sym.flags, SYM_UNKNOWN | SYM_NO_MAP);
	answer = take(s);
	assert_int_equal(answer.ask.key, 3);
	assert_string_not_equal(answer.sym.text, "target");
	assert_false(symbols_take(s, &answer));
	assert_int_equal(symbols_stats(s).procs, 1);
	assert_true(symbols_stats(s).bytes > 0);
	symbols_free(s);
	symbols_free(NULL);
}

/* Many times around the rings. */
static void test_many(void **state)
{
	const struct resolve_opts opts = { 0 };
	struct symbols *s = symbols_new(&opts, 7);
	uint64_t asked = 0, taken = 0;

	(void)state;
	assert_non_null(s);
	while (taken < 5000) {
		struct symbol_answer answer;
		struct symbol_ask ask = ask_of(asked, self, (uint64_t)(uintptr_t)target);

		if (asked < 5000 && !symbols_ask(s, &ask, 1))
			asked++;
		while (symbols_take(s, &answer)) {
			assert_int_equal(answer.ask.key, taken);
			assert_string_equal(answer.sym.text, "target");
			taken++;
		}
	}
	symbols_free(s);
}

static void test_full(void **state)
{
	const struct resolve_opts opts = { .kallsyms = fifo };
	struct symbols *s = symbols_new(&opts, 4);
	struct symbol_ask asks[4];

	(void)state;
	assert_non_null(s);
	for (uint64_t i = 0; i < 4; i++)
		asks[i] = ask_of(i, 0, 0xffffffff81000000);
	assert_int_equal(symbols_ask(s, asks, 3), 0); /* the thread hangs in the first */
	assert_int_equal(symbols_ask(s, asks, 2), -EAGAIN); /* all or nothing */
	assert_int_equal(symbols_ask(s, asks + 3, 1), 0);
	assert_int_equal(symbols_ask(s, asks, 1), -EAGAIN);
	release();
	for (uint64_t i = 0; i < 4; i++) {
		struct symbol_answer answer = take(s);

		assert_int_equal(answer.ask.key, i);
		assert_string_equal(answer.sym.text, "first");
		/* an answer makes room when it is taken */
		assert_int_equal(symbols_ask(s, asks, 1), 0);
		assert_int_equal(symbols_ask(s, asks, 1), -EAGAIN);
	}
	symbols_free(s);
}

static pid_t waiting_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		for (;;)
			pause();
	return pid;
}

/* Questions before are answered by what was known then. */
static void test_forget(void **state)
{
	const struct resolve_opts opts = { 0 };
	struct symbols *s = symbols_new(&opts, 0);
	pid_t pid = waiting_child();
	struct symbol_ask ask = ask_of(1, (uint32_t)pid, (uint64_t)(uintptr_t)target);

	(void)state;
	assert_non_null(s);
	assert_int_equal(symbols_ask(s, &ask, 1), 0);
	assert_string_equal(take(s).sym.text, "target");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(symbols_ask(s, &ask, 1), 0);
	symbols_forget(s, (uint32_t)pid);
	assert_int_equal(symbols_ask(s, &ask, 1), 0);
	assert_string_equal(take(s).sym.text, "target");
	assert_string_equal(take(s).sym.text, "[unknown]");
	symbols_free(s);
}

static void test_forget_too_much(void **state)
{
	const struct resolve_opts opts = { .kallsyms = fifo };
	struct symbols *s = symbols_new(&opts, 0);
	struct symbol_ask own = ask_of(1, self, (uint64_t)(uintptr_t)target);
	struct symbol_ask kernel = ask_of(2, 0, 0xffffffff81000000);

	(void)state;
	assert_non_null(s);
	assert_int_equal(symbols_ask(s, &own, 1), 0);
	take(s);
	assert_int_equal(symbols_stats(s).procs, 1);
	assert_int_equal(symbols_ask(s, &kernel, 1), 0);
	/* of other processes; when there is no more room for them all are forgotten */
	for (uint32_t i = 0; i < 5000; i++)
		symbols_forget(s, 0x7fffffff - i);
	release();
	take(s);
	assert_int_equal(symbols_ask(s, &kernel, 1), 0);
	take(s);
	assert_int_equal(symbols_stats(s).procs, 0);
	symbols_free(s);
}

static void test_end_with_work_left(void **state)
{
	const struct resolve_opts opts = { 0 };
	struct symbols *s = symbols_new(&opts, 0);

	(void)state;
	assert_non_null(s);
	for (uint64_t i = 0; i < 1000; i++) {
		struct symbol_ask ask = ask_of(i, self, (uint64_t)(uintptr_t)target + i);

		assert_int_equal(symbols_ask(s, &ask, 1), 0);
	}
	symbols_free(s);
}

static size_t threads(void)
{
	size_t n = 0;
	DIR *tasks = opendir("/proc/self/task");

	assert_non_null(tasks);
	for (struct dirent *e; (e = readdir(tasks));)
		n += e->d_name[0] != '.';
	closedir(tasks);
	return n;
}

static void test_end_while_it_hangs(void **state)
{
	const struct timespec pause = { 0, 1000000 };
	const struct resolve_opts opts = { .kallsyms = fifo };
	size_t before = threads();
	struct symbols *s = symbols_new(&opts, 0);
	struct symbol_ask ask = ask_of(1, 0, 0xffffffff81000000);
	int fd;

	(void)state;
	assert_non_null(s);
	assert_int_equal(symbols_ask(s, &ask, 1), 0);
	while ((fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0) /* nobody reads yet */
		nanosleep(&pause, NULL);
	/* the thread is left behind; it must not touch what is freed when it comes back */
	symbols_free(s);
	assert_int_equal(threads(), before + 1);
	close(fd);
	while (threads() > before)
		nanosleep(&pause, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_forget_too_much),
		cmocka_unit_test(test_end_with_work_left),
		cmocka_unit_test(test_end_while_it_hangs),
	};

	return cmocka_run_group_tests(tests, pipe_setup, pipe_teardown);
}
