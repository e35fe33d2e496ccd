// SPDX-License-Identifier: GPL-2.0-only
/* Load of the host: texts by hand, a small /proc and /sys made for it, and the real ones. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "probe/hostload.h"
#include "guard.h"

static char root[64], proc[80], sys[80];

static void put_file(const char *dir, const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void put_dir(const char *dir, const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(root, "/tmp/tardy-hostload-XXXXXX");
	assert_non_null(mkdtemp(root));
	snprintf(proc, sizeof(proc), "%s/proc", root);
	snprintf(sys, sizeof(sys), "%s/sys", root);
	put_dir(root, "proc");
	put_dir(proc, "pressure");
	put_dir(root, "sys");
	put_dir(sys, "block");
	return 0;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

/* The text at the end of a page behind which nothing may be read. */
static struct slice guarded(const char *text)
{
	static struct guard g;
	size_t len = strlen(text);

	if (!g.map)
		guard_init(&g, 4096);
	memcpy(g.map + g.room - len, text, len);
	return (struct slice){ g.map + g.room - len, len };
}

static void test_parse_stat(void **state)
{
	struct hostload_cpu c;

	(void)state;
	assert_int_equal(hostload_parse_stat(guarded("cpu  1 2 4 8 16 32 64 128 256 512\n"
						     "cpu0 9 9 9 9 9 9 9 9 9 9\n"
						     "procs_running 3"),
					     &c),
			 0);
	assert_int_equal(c.total, 255);
	assert_int_equal(c.busy, 255 - 8 - 16);
	assert_int_equal(c.running, 3);
	assert_int_equal(hostload_parse_stat(guarded("cpu  1 2 4 8\n"), &c), 0);
	assert_int_equal(c.total, 15);
	assert_int_equal(c.running, -1);
	assert_int_equal(hostload_parse_stat(guarded("cpu0 1 2 4 8\n"), &c), -EBADMSG);
	assert_int_equal(hostload_parse_stat(guarded(""), &c), -EBADMSG);
}

static void test_parse_pressure(void **state)
{
	(void)state;
	assert_int_equal(hostload_parse_pressure(guarded("some avg10=70.20 avg60=1.00 total=3\n"
							 "full avg10=99.00")),
			 7020);
	assert_int_equal(hostload_parse_pressure(guarded("full avg10=9.00\nsome avg10=0.07 ")), 7);
	assert_int_equal(hostload_parse_pressure(guarded("some avg10=100.00")), 10000);
	assert_int_equal(hostload_parse_pressure(guarded("some avg60=1.00")), -1);
	assert_int_equal(hostload_parse_pressure(guarded("")), -1);
}

static void test_parse_disks(void **state)
{
	struct slice rest = guarded(
		"  254 0 vda 1 2 3 4 5 6 7 8 9 33356 11 12\n"
		"garbage\n"
		" 8 0 a-name-that-no-disk-of-the-kernel-has 1 2 3 4 5 6 7 8 9 1 2\n"
		" 8 0 sda 1 2 3 4 5 6 7 8 9 4294967295 2");
	char name[32];
	uint32_t ms;

	(void)state;
	assert_true(hostload_disk_next(&rest, name, sizeof(name), &ms));
	assert_string_equal(name, "vda");
	assert_int_equal(ms, 33356);
	assert_true(hostload_disk_next(&rest, name, sizeof(name), &ms));
	assert_string_equal(name, "sda");
	assert_int_equal(ms, UINT32_MAX);
	assert_false(hostload_disk_next(&rest, name, sizeof(name), &ms));
}

#define DISK(name, ms) " 8 0 " name " 1 2 3 4 5 6 7 8 9 " ms " 2\n"

static void wait_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

static void test_sample(void **state)
{
	struct hostload *h = hostload_new_at(proc, sys);
	struct rec_host r;

	(void)state;
	assert_non_null(h);
	/* nothing there at all */
	assert_int_equal(hostload_sample(h, &r), -ENODATA);
	assert_int_equal(r.cpu, -1);
	assert_int_equal(r.disk, -1);
	assert_int_equal(r.runnable_x100, -1);
	assert_int_equal(r.psi_cpu, -1);
	hostload_free(h);
	h = hostload_new_at(proc, sys);

	put_dir(sys, "block/sda");
	put_dir(sys, "block/sdb");
	put_dir(sys, "block/cciss!c0d0");
	put_dir(sys, "block/loop0");
	put_dir(sys, "block/zram0");
	put_file(proc, "stat", "cpu  100 0 0 100 0 0 0 0 0 0\nprocs_running 4\n");
	put_file(proc, "diskstats",
		 DISK("sda", "10") DISK("sda1", "0") DISK("zram0", "0") DISK("sdb", "4294967290")
			 DISK("loop0", "0") DISK("cciss/c0d0", "0"));
	put_file(proc, "pressure/cpu", "some avg10=1.50 avg60=0.00 avg300=0.00 total=1\n");
	put_file(proc, "pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n");
	assert_int_equal(hostload_sample(h, &r), 0);
	assert_int_equal(r.h.type, REC_HOST);
	assert_int_equal(r.h.len, sizeof(r));
	assert_int_equal(r.cpu, -1);
	assert_int_equal(r.disk, -1);
	assert_int_equal(r.runnable_x100, 300);
	assert_int_equal(r.psi_cpu, 150);
	assert_int_equal(r.psi_io, 0);
	assert_int_equal(r.psi_mem, -1);

	wait_ms(60);
	/* 30 of 40 ticks busy; sda 10 ms, sdb 24 + 6 ms across the wrap, memory and a partition
	 * do not count */
	put_file(proc, "stat", "cpu  120 4 3 108 2 1 1 1 50 50\nprocs_running 1\n");
	put_file(proc, "diskstats",
		 DISK("sda", "20") DISK("sda1", "50") DISK("zram0", "55") DISK("sdb", "24")
			 DISK("cciss/c0d0", "1") DISK("loop0", "0"));
	assert_int_equal(hostload_sample(h, &r), 0);
	assert_int_equal(r.cpu, 7500);
	assert_in_range(r.disk, 1, 30 * 10000 / 60);
	assert_int_equal(r.runnable_x100, 0);

	wait_ms(60);
	/* a loop device is at work all the time, no disk is: what is in it waits */
	put_file(proc, "diskstats",
		 DISK("sda", "21") DISK("zram0", "55") DISK("sdb", "24") DISK("loop0", "60"));
	assert_int_equal(hostload_sample(h, &r), 0);
	assert_true(r.disk >= 1000); /* of 60 ms or more; sda: 1 ms */
	hostload_free(h);
}

/* The busy one comes last, behind a host's many volumes. */
static void test_many_disks(void **state)
{
	struct hostload *h = hostload_new_at(proc, sys);
	struct rec_host r;
	char name[32];

	(void)state;
	assert_non_null(h);
	put_file(proc, "stat", "cpu  100 0 0 100 0 0 0 0\n");
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "block/dm-%d", i);
		put_dir(sys, name);
	}
	for (int ms = 0; ms <= 40; ms += 40) {
		char text[400 * 64];
		int at = 0;

		if (ms)
			wait_ms(60);
		for (int i = 0; i < 400; i++)
			at += snprintf(text + at, sizeof(text) - (size_t)at, DISK("dm-%d", "%d"), i,
				       i == 399 ? ms : 0);
		put_file(proc, "diskstats", text);
		assert_int_equal(hostload_sample(h, &r), 0);
	}
	assert_true(r.disk > 0);
	hostload_free(h);
}

static void test_odd_intervals(void **state)
{
	struct hostload *h = hostload_new_at(proc, sys);
	struct rec_host r;

	(void)state;
	put_dir(sys, "block/sda");
	put_file(proc, "stat", "cpu  100 0 0 100 0 0 0 0\n");
	put_file(proc, "diskstats", DISK("sda", "1000"));
	assert_int_equal(hostload_sample(h, &r), 0);
	assert_int_equal(r.runnable_x100, -1);
	/* too soon (unless this machine stood still): what was missed is in the next sample */
	put_file(proc, "stat", "cpu  110 0 0 100 0 0 0 0\n");
	assert_int_equal(hostload_sample(h, &r), 0);
	bool soon = r.cpu == -1;

	wait_ms(60);
	put_file(proc, "stat", "cpu  110 0 0 110 0 0 0 0\n");
	put_file(proc, "diskstats", DISK("sda", "5"));
	assert_int_equal(hostload_sample(h, &r), 0);
	assert_int_equal(r.cpu, soon ? 5000 : 0);
	/* another disk of the same name */
	assert_int_equal(r.disk, -1);
	/* a CPU went away */
	wait_ms(60);
	put_file(proc, "stat", "cpu  50 0 0 50 0 0 0 0\n");
	put_file(proc, "diskstats", DISK("sda", "5"));
	assert_int_equal(hostload_sample(h, &r), 0);
	assert_int_equal(r.cpu, -1);
	assert_int_equal(r.disk, 0);
	hostload_free(h);
}

static void test_this_host(void **state)
{
	struct hostload *h = hostload_new();
	struct rec_host r;
	volatile unsigned turns = 0;

	(void)state;
	assert_non_null(h);
	assert_int_equal(hostload_sample(h, &r), 0);
	assert_int_equal(r.cpu, -1);
	assert_true(r.runnable_x100 >= 0);
	wait_ms(60);
	while (turns < 30000000)
		turns++;
	assert_int_equal(hostload_sample(h, &r), 0);
	assert_in_range(r.cpu, 1, 10000);
	assert_true(r.disk >= -1 && r.disk <= 10000);
	assert_true(r.psi_cpu >= -1 && r.psi_cpu <= 10000);
	hostload_free(h);
	hostload_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_stat),
		cmocka_unit_test(test_parse_pressure),
		cmocka_unit_test(test_parse_disks),
		cmocka_unit_test_setup_teardown(test_sample, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_disks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_odd_intervals, set_up, tear_down),
		cmocka_unit_test(test_this_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
