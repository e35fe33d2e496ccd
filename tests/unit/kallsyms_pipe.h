/* SPDX-License-Identifier: GPL-2.0-only */
/* A pipe in place of the kernel's list of functions, at which a naming thread hangs at will, and a
 * function to be named; include it after cmocka. */
#ifndef TARDY_TESTS_UNIT_KALLSYMS_PIPE_H
#define TARDY_TESTS_UNIT_KALLSYMS_PIPE_H
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], fifo[96];
static uint32_t self;

__attribute__((noinline)) static int target(int x)
{
	__asm__ volatile("" : "+r"(x));
	return x + 7;
}

static int pipe_setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/tardy_kallsyms.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(fifo, sizeof(fifo), "%s/kallsyms", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	self = (uint32_t)getpid();
	return 0;
}

static int pipe_teardown(void **state)
{
	(void)state;
	unlink(fifo);
	rmdir(dir);
	return 0;
}

#endif
