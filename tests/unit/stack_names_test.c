// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks from the ring to the stream with the thread that names their functions, and without it.
 * It hangs at will by reading the kernel's functions from a pipe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe/stack_names.h"
#include "kallsyms_pipe.h"

enum { OUT = 4096, RING = 256 };
#define KERNEL_ADDR 0xffffffff81000000

static char out[OUT]; /* what was delivered: "name" for each function, "Sxid" for each stack */
static uint32_t last_len; /* of the last stack */
static int sink_result;

static int to_stream(void *ctx, const struct rec_hdr *rec)
{
	size_t len = strlen(out);

	(void)ctx;
	if (rec->type == REC_SYM) {
		snprintf(out + len, OUT - len, "%s ",
			 (const char *)((const struct rec_sym *)(const void *)rec)->text);
	} else {
		snprintf(out + len, OUT - len, "S%llu ",
			 (unsigned long long)((const struct rec_stack *)(const void *)rec)->xid);
		last_len = rec->len;
	}
	return sink_result;
}

static const struct stack_sink sink = { .fn = to_stream };

static void delivered(const char *want)
{
	assert_string_equal(out, want);
	out[0] = '\0';
}

/* A stack of one frame as it lies in the ring: with more room than it uses. */
static int add(struct stack_names *n, uint64_t xid, uint32_t tgid, uint64_t addr)
{
	union {
		struct rec_stack s;
		char bytes[sizeof(struct rec_stack) + RING];
	} r = { .s = { .h = { sizeof(r), REC_STACK, 0, xid }, .xid = xid, .tgid = tgid } };

	r.s.n_kernel = tgid == 0;
	r.s.n_user = tgid != 0;
	r.s.frames[0] = addr;
	return stack_names_add(n, &r.s, &sink);
}

static int add_own(struct stack_names *n, uint64_t xid)
{
	return add(n, xid, self, (uint64_t)(uintptr_t)target);
}

/* Until as much as is wanted was delivered, for some seconds at most. */
static void poll_until(struct stack_names *n, const char *want)
{
	const struct timespec pause = { 0, 1000000 };

	for (int i = 0; i < 10000 && strlen(out) < strlen(want); i++) {
		assert_int_equal(stack_names_poll(n, &sink), 0);
		nanosleep(&pause, NULL);
	}
	delivered(want);
}

static struct stack_names *start(const char *kallsyms)
{
	const struct resolve_opts opts = { .kallsyms = kallsyms };
	struct stack_names *n = stack_names_new(symbols_new(&opts, 0));

	out[0] = '\0';
	sink_result = 0;
	assert_non_null(n);
	return n;
}

static uint64_t late(const struct stack_names *n)
{
	uint64_t counters[COUNTER_COUNT] = { 0 };

	stack_names_losses(n, counters);
	return counters[COUNTER_SYM_LATE];
}

/* Lets the thread that hangs in the pipe go on. */
static void release(void)
{
	int fd = open(fifo, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "ffffffff81000000 T first\n", 25), 25);
	close(fd);
}

static void test_names_come_first(void **state)
{
	struct stack_names *n = start(NULL);

	(void)state;
	assert_true(stack_names_any(n));
	assert_int_equal(add_own(n, 1), 0);
	delivered("");
	assert_int_equal(stack_names_oldest_ns(n), 1);
	poll_until(n, "target S1 ");
	assert_int_equal(last_len, sizeof(struct rec_stack) + sizeof(uint64_t));
	assert_int_equal(stack_names_oldest_ns(n), UINT64_MAX);
	assert_int_equal(add_own(n, 2), 0); /* it is known */
	delivered("S2 ");
	assert_int_equal(late(n), 0);
	stack_names_free(n);
	stack_names_free(NULL);
}

/* Another program has another function there. */
static void test_exec(void **state)
{
	const struct rec_task exec = { .event = TASK_EXEC, .tgid = self };
	struct stack_names *n = start(NULL);

	(void)state;
	add_own(n, 1);
	poll_until(n, "target S1 ");
	stack_names_task(n, &exec);
	add_own(n, 2);
	poll_until(n, "target S2 ");
	stack_names_free(n);
}

static void test_damaged(void **state)
{
	struct stack_names *n = start(NULL);
	union {
		struct rec_stack s;
		char bytes[sizeof(struct rec_stack) + RING * sizeof(uint64_t)];
	} r = { .s = { .h = { sizeof(r), REC_STACK, 0, 1 }, .tgid = self } };

	(void)state;
	r.s.n_user = ABI_STACK_KERNEL_MAX + ABI_STACK_USER_MAX + 1; /* more than there can be */
	assert_int_equal(stack_names_add(n, &r.s, &sink), 0);
	r.s.n_user = 3; /* more than the record has */
	r.s.h.len = sizeof(r.s) + 2 * sizeof(uint64_t);
	assert_int_equal(stack_names_add(n, &r.s, &sink), 0);
	assert_int_equal(stack_names_finish(n, &sink), 0);
	delivered("");
	stack_names_free(n);
}

/* At the end: the last names are waited for, as long as they come. */
static void test_finish(void **state)
{
	struct stack_names *n = start(NULL);

	(void)state;
	add_own(n, 1);
	assert_int_equal(stack_names_finish(n, &sink), 0);
	delivered("target S1 ");
	assert_int_equal(late(n), 0);
	add(n, 2, self, (uint64_t)(uintptr_t)target + 1);
	sink_result = -EIO;
	assert_int_equal(stack_names_finish(n, &sink), -EIO);
	stack_names_free(n);
}

static void test_finish_while_it_hangs(void **state)
{
	struct stack_names *n = start(fifo);

	(void)state;
	add(n, 1, 0, KERNEL_ADDR);
	add_own(n, 2); /* behind it in the line */
	assert_int_equal(stack_names_poll(n, &sink), 0);
	delivered("");
	assert_int_equal(stack_names_finish(n, &sink), 0);
	delivered("S1 S2 ");
	assert_int_equal(late(n), 2);
	release(); /* what comes too late is for others that have it */
	poll_until(n, "first target ");
	add(n, 3, 0, KERNEL_ADDR);
	delivered("S3 ");
	stack_names_free(n);
}

static void test_files_that_cannot_be_read(void **state)
{
	uint64_t counters[COUNTER_COUNT] = { [COUNTER_SWITCH_LOST] = 7 };
	struct stack_names *n = start("/nonexistent/kallsyms");

	(void)state;
	add(n, 1, 0, KERNEL_ADDR);
	assert_int_equal(stack_names_finish(n, &sink), 0);
	stack_names_losses(n, counters);
	assert_int_equal(counters[COUNTER_SYM_FILE], 1);
	assert_int_equal(counters[COUNTER_SYM_LATE], 0);
	assert_int_equal(counters[COUNTER_SWITCH_LOST], 7);
	stack_names_free(n);
}

/* ---- no thread --------------------------------------------------------------------------- */

/* From now on this process gets no thread: clone() says that there are too many. */
static int forbid_threads(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone3, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) ? -errno : 0;
}

/* 0, or the number of what is not as it should be. */
static int without_threads(void)
{
	const struct rec_task exec = { .event = TASK_EXEC, .tgid = self };
	const struct resolve_opts opts = { 0 };
	uint64_t counters[COUNTER_COUNT] = { 0 };
	struct symbols *symbols;
	struct stack_names *n;

	out[0] = '\0';
	if (forbid_threads())
		return 1;
	symbols = symbols_new(&opts, 0);
	if (symbols)
		return 2;
	n = stack_names_new(symbols);
	if (!n)
		return 3;
	if (stack_names_any(n))
		return 4;
	if (add_own(n, 1) || add(n, 2, 0, KERNEL_ADDR) || strcmp(out, "S1 S2 ") != 0)
		return 5;
	if (stack_names_oldest_ns(n) != UINT64_MAX || stack_names_poll(n, &sink))
		return 6;
	stack_names_task(n, &exec);
	if (add_own(n, 3) || stack_names_finish(n, &sink) || strcmp(out, "S1 S2 S3 ") != 0)
		return 7;
	stack_names_losses(n, counters);
	if (counters[COUNTER_SYM_LATE] != 3 || counters[COUNTER_SYM_FILE])
		return 8;
	stack_names_free(n);
	return 0;
}

static void test_no_thread(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (!child)
		_exit(without_threads());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_come_first),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_finish),
		cmocka_unit_test(test_finish_while_it_hangs),
		cmocka_unit_test(test_files_that_cannot_be_read),
		cmocka_unit_test(test_no_thread),
	};

	return cmocka_run_group_tests(tests, pipe_setup, pipe_teardown);
}
