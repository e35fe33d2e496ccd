// SPDX-License-Identifier: GPL-2.0-only
/* What /proc says, from texts that hostile processes could cause and from real children. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "probe/procinfo.h"
#include "guard.h"

#define STAT_REST " S 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 331341 1 2 3\n"

/* The text at the end of a page behind which nothing may be read. */
static struct slice guarded(const char *text, size_t len)
{
	static struct guard g;

	if (!g.map)
		guard_init(&g, 16384);
	memcpy(g.map + g.room - len, text, len);
	return (struct slice){ g.map + g.room - len, len };
}

static int parse(const char *text, struct procinfo_stat *st)
{
	return procinfo_parse_stat(guarded(text, strlen(text)), st);
}

static void test_stat(void **state)
{
	static const char *const comms[] = { "cat",          ") (",  "a) R 1 (b", "",
					     "x\n1 (y) Z 2", "((((", "))))" };
	struct procinfo_stat st, before;
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(comms) / sizeof(comms[0]); i++) {
		snprintf(text, sizeof(text), "4711 (%s)" STAT_REST, comms[i]);
		assert_int_equal(parse(text, &st), 0);
		assert_string_equal(st.comm, comms[i]);
		assert_int_equal(st.pid, 4711);
		assert_int_equal(st.parent, 7);
		assert_int_equal(st.state, 'S');
		assert_int_equal(st.threads, 3);
		assert_int_equal(st.start_ticks, 331341);
		assert_false(st.kernel);
		/* cut anywhere: refused and untouched, or (in the last number on) right */
		for (size_t len = 0; len < strlen(text); len++) {
			memset(&st, 0x5a, sizeof(st));
			before = st;
			if (procinfo_parse_stat(guarded(text, len), &st))
				assert_memory_equal(&st, &before, sizeof(st));
			else
				assert_non_null(memmem(text, len, " 0 3 0 3", 8));
		}
	}
	assert_int_equal(
		parse("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 5 0", &st), 0);
	assert_true(st.kernel);
	assert_int_equal(parse("x (a)" STAT_REST, &st), -EBADMSG);
	assert_int_equal(parse(")1(" STAT_REST, &st), -EBADMSG);
	assert_int_equal(parse("-3 (a)" STAT_REST, &st), -EBADMSG);
}

static void test_status(void **state)
{
	static const char text[] =
		"Name:\tTgid:\\n\nTgidX:\t9\nTgid:\t44\nUid:\t0\t33\t1\t2\nEnd:\t";
	struct slice t = guarded(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(procinfo_parse_status(t, "Tgid", 0), 44);
	assert_int_equal(procinfo_parse_status(t, "Uid", 1), 33);
	assert_int_equal(procinfo_parse_status(t, "Uid", 3), 2);
	assert_int_equal(procinfo_parse_status(t, "Uid", 4), -ENOENT);
	assert_int_equal(procinfo_parse_status(t, "End", 0), -ENOENT);
	assert_int_equal(procinfo_parse_status(t, "Name", 0), -ENOENT);
	assert_int_equal(procinfo_parse_status(t, "gid", 0), -ENOENT);
	assert_int_equal(procinfo_parse_status(guarded("", 0), "Uid", 0), -ENOENT);
}

static const char *cgroup_of(const char *text, size_t cap)
{
	static char out[256];

	procinfo_cgroup_of(guarded(text, strlen(text)), out, cap);
	return out;
}

static void test_cgroup(void **state)
{
	static const char text[] =
		"9:name=systemd:/a:b\nnonsense\n4:cpu,cpuacct:/\n\n0::/c (deleted)";
	struct slice rest = guarded(text, sizeof(text) - 1);
	struct procinfo_cgroup line;

	(void)state;
	assert_true(procinfo_cgroup_next(&rest, &line));
	assert_true(slice_eq(line.controllers, SLICE_LIT("name=systemd")));
	assert_true(slice_eq(line.path, SLICE_LIT("/a:b")));
	assert_true(procinfo_cgroup_next(&rest, &line));
	assert_true(slice_eq(line.controllers, SLICE_LIT("cpu,cpuacct")));
	assert_true(procinfo_cgroup_next(&rest, &line));
	assert_int_equal(line.controllers.len, 0);
	assert_true(slice_eq(line.path, SLICE_LIT("/c")));
	assert_false(procinfo_cgroup_next(&rest, &line));

	assert_string_equal(cgroup_of("0::/system.slice/nginx.service\n", 128),
			    "/system.slice/nginx.service");
	assert_string_equal(cgroup_of("4:memory:/a/long/path/here\n1:name=systemd:/u\n0::/\n", 128),
			    "/u");
	assert_string_equal(cgroup_of("4:memory:/a/b\n1:name=systemd:/\n0::/\n", 128), "/a/b");
	assert_string_equal(cgroup_of("0::/\n", 128), "/");
	assert_string_equal(cgroup_of("", 128), "");
	/* the end says more than the beginning; folders stay whole where they can */
	assert_string_equal(cgroup_of("0::/kubepods/pod1/cri-1234\n", 17), "/pod1/cri-1234");
	assert_string_equal(cgroup_of("0::/kubepods/pod1/cri-1234\n", 6), "-1234");
	assert_string_equal(cgroup_of("0::/x\033[2J\n", 128), "/x?[2J");
}

static const char *title_of(const char *text, size_t len)
{
	static char out[128];

	memset(out, 'x', sizeof(out));
	procinfo_title(guarded(text, len), out, sizeof(out));
	return out;
}

#define TITLE(text, want) assert_string_equal(title_of(text, sizeof(text) - 1), want)

static void test_title(void **state)
{
	char wide[400];

	(void)state;
	TITLE("", "");
	TITLE("\0\0 \0", "");
	TITLE("sleep\0"
	      "30\0",
	      "sleep 30");
	TITLE("php-fpm: pool www\0\0\0\0\0\0", "php-fpm: pool www");
	TITLE("nginx: worker process          \0", "nginx: worker process");
	TITLE("postgres: 15/main: moodle moodle 127.0.0.1(5555) idle",
	      "postgres: 15/main: moodle moodle 127.0.0.1(5555) idle");
	TITLE("a\0\0\0b\033[31m\tc\177", "a b?[31m c?");
	TITLE("a\xc2\x9b"
	      "b \xc3\xa4",
	      "a??b \xc3\xa4");
	/* secrets: nothing of them and nothing behind them */
	TITLE("x\0--password=hunter2\0--user\0me\0", "x --password=***");
	TITLE("x\0--password\0hunter2\0y\0", "x --password ***");
	TITLE("x\0--password", "x --password");
	TITLE("redis --requirepass s3 --port 1", "redis --requirepass ***");
	TITLE("sh\0-c\0PGPASSWORD=s3 psql\0", "sh -c PGPASSWORD=***");
	TITLE("java -Dspring.datasource.Password=s3 X", "java -Dspring.datasource.Password=***");
	TITLE("x {\"user\":\"me\",\"secret\":\"s3\"}", "x {\"user\":\"me\",\"secret\":***");
	TITLE("app postgres://me:s3@db/x y", "app postgres://me:***");
	TITLE("app redis://:s/3@db/x y", "app redis://:***");
	TITLE("curl -H Authorization: Bearer s3", "curl -H Authorization: ***");
	TITLE("curl Bearer s3", "curl Bearer ***");
	TITLE("openssl -passin pass:s3", "openssl -passin pass:***");
	/* no secrets */
	TITLE("app http://db:80/x --pass-through compass.php:3",
	      "app http://db:80/x --pass-through compass.php:3");
	/* cut between characters of two bytes: 1 + 63 * 2 = 127 */
	wide[0] = 'a';
	for (size_t i = 1; i + 1 < sizeof(wide); i += 2)
		memcpy(wide + i, "\xc3\xa4", 2);
	assert_int_equal(strlen(title_of(wide, 399)), 127);
	assert_int_equal(strlen(title_of(wide + 1, 398)), 126);
}

static void test_exe(void **state)
{
	char out[16];

	(void)state;
	procinfo_exe(guarded("/usr/sbin/php-fpm8.2", 20), out, sizeof(out));
	assert_string_equal(out, "php-fpm8.2");
	procinfo_exe(guarded("/usr/sbin/nginx (deleted)", 25), out, sizeof(out));
	assert_string_equal(out, "nginx");
	procinfo_exe(guarded("/memfd:x\ny", 10), out, sizeof(out));
	assert_string_equal(out, "memfd:x?y");
	procinfo_exe(guarded("/a/0123456789abcdefghi", 22), out, sizeof(out));
	assert_string_equal(out, "0123456789abcde");
	procinfo_exe(guarded("", 0), out, sizeof(out));
	assert_string_equal(out, "");
}

static void started_as(const char *exe, const char *comm, const char *title, const char *name)
{
	char out[64];

	snprintf(out, sizeof(out), "%s", exe);
	procinfo_started_as(comm, slice_of(title), out, sizeof(out));
	assert_string_equal(out, name);
}

static void test_started_as(void **state)
{
	(void)state;
	started_as("redis-check-rdb", "redis-server", "/usr/bin/redis-server *:6379",
		   "redis-server");
	started_as("redis-check-rdb", "redis-server", "redis-server *:6379", "redis-server");
	started_as("busybox", "httpd", "httpd -f", "httpd");
	started_as("multi", "a-name-of-15-by", "a-name-of-15-bytes x", "a-name-of-15-bytes");
	/* where they do not agree it is the executable */
	started_as("redis-check-rdb", "redis-server", "*:6379", "redis-check-rdb");
	started_as("node", "MainThread", "node server.js", "node");
	started_as("python3.11", "gunicorn", "/usr/bin/python3 /usr/bin/gunicorn app",
		   "python3.11");
	started_as("php-fpm8.2", "php-fpm8.2", "php-fpm: pool www", "php-fpm8.2");
	started_as("nginx", "nginx", "nginx: worker process", "nginx");
	started_as("x", "redis", "redis-server", "x");
	started_as("x", "", "", "x");
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_own_child(void **state)
{
	struct rec_proc p, before;
	struct procinfo_stat st;
	int ready[2];
	char c;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, ") R 1 (");
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(procinfo_stat("/proc", pid, &st), 0);
	assert_string_equal(st.comm, ") R 1 (");
	assert_int_equal(st.parent, getpid());
	assert_int_equal(procinfo_fill(pid, &p), 0);
	assert_int_equal(p.h.type, REC_PROC);
	assert_int_equal(p.h.len, sizeof(p));
	assert_int_equal(p.tgid, pid);
	assert_int_equal(p.parent_tgid, getpid());
	assert_string_equal((char *)p.exe, program_invocation_short_name);
	assert_non_null(strstr((char *)p.title, program_invocation_short_name));
	kill(pid, SIGKILL);
	siginfo_t info;

	/* ended, not yet waited for: its id still exists, the process does not */
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	memset(&p, 0x5a, sizeof(p));
	before = p;
	assert_int_equal(procinfo_fill(pid, &p), -ESRCH);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(procinfo_fill(pid, &p), -ESRCH);
	assert_memory_equal(&p, &before, sizeof(p));
	close(ready[0]);
	close(ready[1]);
}

static void test_exec(void **state)
{
	struct rec_proc p;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		execlp("sleep", "sleep", "1000", (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(procinfo_fill(pid, &p), 0);
		if (strcmp((char *)p.title, "sleep 1000") == 0)
			break;
		usleep(5000);
	}
	assert_string_equal((char *)p.title, "sleep 1000");
	/* may be a link to a program of many names */
	assert_true(p.exe[0] != '\0' && strchr((char *)p.exe, '/') == NULL);
	end(pid);
}

static void *stay(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

/* A process whose first thread has ended is a zombie by its state, but works. */
static void test_leader_ended(void **state)
{
	struct procinfo_stat st = { 0 };
	struct rec_proc p;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		pthread_t t;

		if (pthread_create(&t, NULL, stay, NULL))
			_exit(1);
		pthread_exit(NULL);
	}
	for (int i = 0; i < 2000 && st.state != 'Z'; i++) {
		assert_int_equal(procinfo_stat("/proc", pid, &st), 0);
		usleep(5000);
	}
	assert_int_equal(st.state, 'Z');
	assert_false(procinfo_is_dead(&st));
	assert_int_equal(procinfo_fill(pid, &p), 0);
	assert_true(p.title[0] != '\0');
	end(pid);
}

static void test_meta(void **state)
{
	struct rec_meta m;
	struct timespec mono, wall;
	int64_t offset, now;

	(void)state;
	assert_int_equal(procinfo_meta(&m, "1.2.3"), 0);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &wall);
	assert_int_equal(m.h.type, REC_META);
	assert_int_equal(m.h.len, sizeof(m));
	assert_int_equal(m.state_count, STATE_COUNT);
	assert_true(m.cpus >= 1);
	assert_true(m.hostname[0] && m.kernel[0]);
	assert_string_equal((char *)m.version, "1.2.3");
	/* the offset of the clocks is the same a moment later; a clock that is being set apart */
	offset = (int64_t)(m.start_unix_ns - m.h.ts_ns);
	now = (wall.tv_sec - mono.tv_sec) * INT64_C(1000000000) + wall.tv_nsec - mono.tv_nsec;
	assert_true(llabs(offset - now) < 1000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat),         cmocka_unit_test(test_status),
		cmocka_unit_test(test_cgroup),       cmocka_unit_test(test_title),
		cmocka_unit_test(test_exe),          cmocka_unit_test(test_started_as),
		cmocka_unit_test(test_own_child),    cmocka_unit_test(test_exec),
		cmocka_unit_test(test_leader_ended), cmocka_unit_test(test_meta),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
