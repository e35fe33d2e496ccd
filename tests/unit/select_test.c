// SPDX-License-Identifier: GPL-2.0-only
/*
 * The selection: processes that this test forks, in the real /proc, and users, control groups and
 * containers in a small /proc and /sys/fs/cgroup made for it, where no privilege is needed.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/abi.h"
#include "probe/select.h"

enum { SELF = 5000 }; /* tardy in the made /proc */

static char root[64], proc[80], cgroup[80];
static struct select_roots roots;
static struct select_error err;
static struct selection sel;

/* ---- a /proc and a /sys/fs/cgroup --------------------------------------------------------- */

/* Makes the folders on the way too. */
__attribute__((format(printf, 2, 3))) static void put(const char *file, const char *fmt, ...)
{
	char path[400];
	va_list ap;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, file);
	for (char *c = path + strlen(root) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
		*c = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	va_start(ap, fmt);
	assert_true(vfprintf(f, fmt, ap) >= 0);
	va_end(ap);
	assert_int_equal(fclose(f), 0);
}

static void drop(const char *what)
{
	char command[400];

	snprintf(command, sizeof(command), "rm -r %s/%s", root, what);
	assert_int_equal(system(command), 0);
}

struct made {
	int pid, parent;
	unsigned uid;
	const char *comm, *cgroup;
	char state;
	unsigned flags, start;
};

static void put_proc(struct made m)
{
	char file[64];

	snprintf(file, sizeof(file), "proc/%d/stat", m.pid);
	put(file, "%d (%s) %c %d 1 1 0 -1 %u 1 2 3 4 5 6 7 8 20 0 1 0 %u 1 2\n", m.pid,
	    m.comm ? m.comm : "x", m.state ? m.state : 'S', m.parent, m.flags,
	    m.start ? m.start : 100);
	snprintf(file, sizeof(file), "proc/%d/status", m.pid);
	/* the real user id differs, as with a set-user-id program */
	put(file, "Name:\tx\nTgid:\t%d\nUid:\t7\t%u\t%u\t%u\n", m.pid, m.uid, m.uid, m.uid);
	snprintf(file, sizeof(file), "proc/%d/cgroup", m.pid);
	put(file, "%s", m.cgroup ? m.cgroup : "0::/\n");
}

static int set_up(void **state)
{
	(void)state;
	strcpy(root, "/tmp/tardy-select-XXXXXX");
	assert_non_null(mkdtemp(root));
	snprintf(proc, sizeof(proc), "%s/proc", root);
	snprintf(cgroup, sizeof(cgroup), "%s/cgroup", root);
	roots = (struct select_roots){ proc, cgroup, SELF };
	put("cgroup/none", "x");
	put_proc((struct made){ .pid = 1, .parent = 0, .comm = "init" });
	put_proc((struct made){ .pid = 2, .parent = 0, .comm = "kthreadd", .flags = 0x200000 });
	put_proc((struct made){ .pid = SELF, .parent = 1, .comm = "tardy" });
	return 0;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	selection_release(&sel);
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static int resolve(struct select_spec spec)
{
	selection_release(&sel);
	return selection_resolve_at(&roots, &spec, &sel, &err);
}

/* Compares with a list that ends with 0. */
static void check_pids(const int *want)
{
	size_t n = 0;

	while (want[n])
		n++;
	assert_int_equal(sel.n_pids, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(sel.pids[i], want[i]);
}

#define PIDS(...) check_pids((const int[]){ __VA_ARGS__, 0 })

static int found[64];
static size_t n_found;

static void on_added(void *ctx, pid_t pid)
{
	assert_ptr_equal(ctx, found);
	assert_true(n_found < 64);
	found[n_found++] = pid;
}

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void check_rescan(const int *want)
{
	size_t n = 0;

	while (want[n])
		n++;
	n_found = 0;
	assert_int_equal(selection_rescan(&sel, on_added, found), 0);
	qsort(found, n_found, sizeof(found[0]), by_value);
	assert_int_equal(n_found, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(found[i], want[i]);
}

#define RESCAN(...) check_rescan((const int[]){ __VA_ARGS__, 0 })
#define RESCAN_NOTHING() check_rescan((const int[]){ 0 })

/* ---- -p ------------------------------------------------------------------------------------ */

static void *stay(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

/* A master with a worker, whose id *worker gets. Each is to be ended on its own. */
static pid_t fork_pair(pid_t *worker)
{
	int p[2];
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		pid_t child = fork();

		if (child > 0 && write(p[1], &child, sizeof(child)) != sizeof(child))
			_exit(1);
		alarm(300); /* should the test die first */
		stay(NULL);
	}
	assert_int_equal(read(p[0], worker, sizeof(*worker)), sizeof(*worker));
	close(p[0]);
	close(p[1]);
	return pid;
}

static void end_child(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Of a process that is nobody's child here any more. */
static void end_orphan(pid_t pid)
{
	char path[32];

	assert_int_equal(kill(pid, SIGKILL), 0);
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	/* a zombie nobody waits for counts as ended too: it has no executable */
	for (int i = 0; i < 2000 && readlink(path, (char[8]){ 0 }, 8) > 0; i++)
		usleep(5000);
}

static bool selected(pid_t pid)
{
	for (size_t i = 0; i < sel.n_pids; i++)
		if (sel.pids[i] == pid)
			return true;
	return false;
}

static void test_real_pids(void **state)
{
	struct select_spec spec = { 0 };
	pid_t worker, master = fork_pair(&worker);
	char list[40];

	(void)state;
	snprintf(list, sizeof(list), "%d", (int)master);
	spec.pids = list;
	assert_int_equal(selection_resolve(&spec, &sel, &err), 0);
	assert_int_equal(err.code, LOG_CODE_COUNT);
	assert_false(sel.all);
	assert_int_equal(sel.n_pids, 2);
	assert_true(selected(master) && selected(worker) && sel.pids[0] < sel.pids[1]);
	RESCAN_NOTHING();
	/* the worker outlives its master, and is still what was selected */
	end_child(master);
	RESCAN_NOTHING();
	end_orphan(worker);
	assert_int_equal(selection_rescan(&sel, on_added, found), 1);
	assert_int_equal(selection_rescan(&sel, on_added, found), 1);
	selection_release(&sel);
	assert_int_equal(selection_resolve(&spec, &sel, &err), -ESRCH);
	assert_int_equal(err.code, LOG_NO_PID);
	assert_non_null(strstr(err.what, list));
	assert_int_equal(sel.n_pids, 0);
}

/* Says its id, which only the thread itself knows. */
static void *say_and_stay(void *arg)
{
	pid_t tid = gettid();

	if (write(*(int *)arg, &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	return stay(NULL);
}

static void test_real_thread(void **state)
{
	struct select_spec spec = { 0 };
	char list[40];
	int p[2];
	pid_t tid, pid;

	(void)state;
	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		pthread_t t;

		alarm(300);
		if (pthread_create(&t, NULL, say_and_stay, &p[1]))
			_exit(1);
		stay(NULL);
	}
	assert_int_equal(read(p[0], &tid, sizeof(tid)), sizeof(tid));
	assert_int_not_equal(tid, pid);
	snprintf(list, sizeof(list), "%d,%d", (int)tid, (int)tid);
	spec.pids = list;
	assert_int_equal(selection_resolve(&spec, &sel, &err), 0);
	assert_int_equal(sel.n_pids, 1);
	assert_int_equal(sel.pids[0], pid);
	selection_release(&sel);
	end_child(pid);
	close(p[0]);
	close(p[1]);
}

static void test_real_user(void **state)
{
	struct select_spec spec = { 0 };
	pid_t worker, master = fork_pair(&worker);
	char uid[16];

	(void)state;
	snprintf(uid, sizeof(uid), "%u", (unsigned)geteuid());
	spec.user = uid;
	assert_int_equal(selection_resolve(&spec, &sel, &err), 0);
	assert_true(selected(master) && selected(worker));
	assert_false(selected(getpid()));
	assert_false(selected(2)); /* of root, but the kernel's */
	selection_release(&sel);
	spec.user = "0";
	assert_int_equal(selection_resolve(&spec, &sel, &err), 0);
	selection_release(&sel);
	spec.user = "no such user";
	assert_int_equal(selection_resolve(&spec, &sel, &err), -ENOENT);
	assert_int_equal(err.code, LOG_USAGE);
	end_child(master);
	end_orphan(worker);
}

static void test_bad_lists(void **state)
{
	static const char *const bad[] = { "",           ",",  "1,", ",1",
					   "1,,2",       "x",  "1x", "0",
					   "-1",         "+1", " 1", "99999999999999999999",
					   "2147483648", "1 2" };
	char many[200] = "1";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(resolve((struct select_spec){ .pids = bad[i] }), -EINVAL);
		assert_int_equal(err.code, LOG_USAGE);
		assert_int_equal(resolve((struct select_spec){ .ports = bad[i] }), -EINVAL);
		assert_int_equal(err.code, LOG_USAGE);
	}
	assert_int_equal(resolve((struct select_spec){ .ports = "65536" }), -EINVAL);
	assert_int_equal(resolve((struct select_spec){ 0 }), -EINVAL);
	for (int i = 2; i <= ABI_PORTS_MAX; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), ",%d", i);
	assert_int_equal(resolve((struct select_spec){ .ports = many }), 0);
	assert_int_equal(sel.n_ports, ABI_PORTS_MAX);
	strcat(many, ",99");
	assert_int_equal(resolve((struct select_spec){ .ports = many }), -E2BIG);
	assert_int_equal(err.code, LOG_USAGE);
}

/* tardy under sudo under a shell: the shell may be selected, sudo and tardy never. */
static void test_self(void **state)
{
	(void)state;
	put_proc((struct made){ .pid = 10, .parent = 1, .comm = "bash" });
	put_proc((struct made){ .pid = 11, .parent = 10, .comm = "sudo" });
	put_proc((struct made){ .pid = 12, .parent = 11, .comm = "sudo" });
	put_proc((struct made){ .pid = 13, .parent = 10, .comm = "server" });
	put_proc((struct made){ .pid = SELF, .parent = 12, .comm = "tardy" });
	put_proc((struct made){ .pid = SELF + 1, .parent = SELF, .comm = "less" });
	assert_int_equal(resolve((struct select_spec){ .pids = "10" }), 0);
	PIDS(10, 13);
	assert_int_equal(resolve((struct select_spec){ .user = "0" }), 0);
	PIDS(1, 10, 13, SELF + 1);
	assert_int_equal(resolve((struct select_spec){ .pids = "13,5000" }), -EINVAL);
	assert_int_equal(err.code, LOG_USAGE);
	assert_int_equal(sel.n_pids, 0);
	assert_int_equal(resolve((struct select_spec){ .pids = "11" }), -EINVAL);
}

static void test_tree(void **state)
{
	(void)state;
	/* a child with a lower id than its parent's, and names that look like fields */
	put_proc((struct made){ .pid = 50, .parent = 1, .comm = ") S 60 (", .start = 5 });
	put_proc((struct made){ .pid = 60, .parent = 50 });
	put_proc((struct made){ .pid = 40, .parent = 60 });
	put_proc((struct made){ .pid = 45, .parent = 40, .state = 'Z' });
	put_proc((struct made){ .pid = 46, .parent = 1 });
	assert_int_equal(resolve((struct select_spec){ .pids = "45" }), -ESRCH);
	assert_int_equal(resolve((struct select_spec){ .pids = "50,46,50" }), 0);
	PIDS(40, 46, 50, 60);
	/* new ones are found by the fifth scan, once */
	put_proc((struct made){ .pid = 70, .parent = 40 });
	for (int i = 0; i < 4; i++)
		RESCAN_NOTHING();
	RESCAN(70);
	for (int i = 0; i < 4; i++)
		RESCAN_NOTHING();
	/* 60 has ended; its id is used by a stranger, whose child is a stranger */
	put_proc((struct made){ .pid = 60, .parent = 1, .start = 999 });
	put_proc((struct made){ .pid = 61, .parent = 60 });
	for (int i = 0; i < 5; i++)
		RESCAN_NOTHING();
	/* one that the kernel side told of, whose parent was never seen */
	put_proc((struct made){ .pid = 80, .parent = 1 });
	assert_int_equal(selection_add(&sel, 80), 0);
	assert_int_equal(selection_add(&sel, 81), 0);
	drop("proc/50");
	drop("proc/46");
	drop("proc/40");
	drop("proc/70");
	for (int i = 0; i < 6; i++)
		RESCAN_NOTHING();
	/* the same id, another process */
	put_proc((struct made){ .pid = 80, .parent = 1, .start = 101 });
	assert_int_equal(selection_rescan(&sel, on_added, found), 1);
}

/* ---- -u ------------------------------------------------------------------------------------ */

static void test_user(void **state)
{
	(void)state;
	put_proc((struct made){ .pid = 20, .parent = 1, .uid = 4033 });
	put_proc((struct made){ .pid = 21, .parent = 1, .uid = 4034 });
	put_proc((struct made){ .pid = 22, .parent = 1, .uid = 4033, .state = 'Z' });
	put_proc((struct made){ .pid = 23, .parent = 2, .uid = 4033, .flags = 0x200040 });
	assert_int_equal(resolve((struct select_spec){ .user = "4033" }), 0);
	PIDS(20);
	assert_int_equal(err.code, LOG_CODE_COUNT);
	RESCAN_NOTHING();
	/* forked by root, it changes its user later; another one does so when it is old */
	put_proc((struct made){ .pid = 30, .parent = 1, .uid = 0 });
	RESCAN_NOTHING();
	put_proc((struct made){ .pid = 30, .parent = 1, .uid = 4033 });
	RESCAN(30);
	for (int i = 0; i < 30; i++)
		RESCAN_NOTHING();
	put_proc((struct made){ .pid = 21, .parent = 1, .uid = 4033 });
	n_found = 0;
	for (int i = 0; i < 16 && !n_found; i++)
		assert_int_equal(selection_rescan(&sel, on_added, found), 0);
	assert_int_equal(n_found, 1);
	assert_int_equal(found[0], 21);
	/* the last one ends, another begins: never "all gone" */
	drop("proc/20");
	drop("proc/21");
	drop("proc/30");
	RESCAN_NOTHING();
	put_proc((struct made){ .pid = 20, .parent = 1, .uid = 4033, .start = 300 });
	RESCAN(20);
	assert_int_equal(resolve((struct select_spec){ .user = "4999" }), 0);
	assert_int_equal(sel.n_pids, 0);
	assert_int_equal(err.code, LOG_NO_PID);
}

/* ---- control groups ------------------------------------------------------------------------ */

static void put_procs(int from, int to)
{
	for (int pid = from; pid <= to; pid++)
		put_proc((struct made){ .pid = pid, .parent = 1 });
}

static void test_v2(void **state)
{
	char path[200];

	(void)state;
	put_procs(30, 39);
	put("cgroup/cgroup.procs", "1\n2\n5000\n");
	put("cgroup/system.slice/cgroup.procs", "%s", "");
	put("cgroup/system.slice/nginx.service/cgroup.procs", "30\n31\n");
	put("cgroup/system.slice/nginx.service/sub/deep/cgroup.procs", "32\n0\n999\n");
	put("cgroup/system.slice/nginx.service.d/cgroup.procs", "33\n");
	put("cgroup/system.slice/system-pg.slice/cgroup.procs", "%s", "");
	put("cgroup/system.slice/system-pg.slice/pg@15-main.service/cgroup.procs", "34\n");
	put("cgroup/system.slice/system-pg.slice/pg@16-x.service/cgroup.procs", "35\n");
	put("cgroup/system.slice/empty.service/cgroup.procs", "%s", "");
	assert_int_equal(resolve((struct select_spec){ .unit = "nginx" }), 0);
	PIDS(30, 31);
	/* sub/ is no group, as it has no cgroup.procs itself, but sub/deep is below it */
	put("cgroup/system.slice/nginx.service/sub/cgroup.procs", "%s", "");
	assert_int_equal(resolve((struct select_spec){ .unit = "nginx.service" }), 0);
	PIDS(30, 31, 32);
	assert_int_equal(resolve((struct select_spec){ .unit = "pg" }), 0);
	PIDS(34, 35);
	assert_int_equal(resolve((struct select_spec){ .unit = "pg@16-x" }), 0);
	PIDS(35);
	assert_int_equal(resolve((struct select_spec){ .unit = "empty" }), 0);
	assert_int_equal(err.code, LOG_NO_CGROUP);
	assert_int_equal(resolve((struct select_spec){ .unit = "ngin" }), -ENOENT);
	assert_int_equal(err.code, LOG_NO_CGROUP);
	assert_int_equal(resolve((struct select_spec){ .unit = "" }), -ENOENT);
	assert_int_equal(resolve((struct select_spec){ .unit = "system.slice/nginx" }), -ENOENT);

	assert_int_equal(resolve((struct select_spec){ .cgroup = "system.slice/" }), 0);
	PIDS(30, 31, 32, 33, 34, 35);
	assert_int_equal(resolve((struct select_spec){ .cgroup = "/system.slice/pg" }), -ENOENT);
	snprintf(path, sizeof(path), "%s/system.slice//nginx.service.d", cgroup);
	assert_int_equal(resolve((struct select_spec){ .cgroup = path }), 0);
	PIDS(33);
	/* all: but neither tardy nor kernel threads */
	assert_int_equal(resolve((struct select_spec){ .cgroup = "/" }), 0);
	PIDS(1, 30, 31, 32, 33, 34, 35);
	assert_int_equal(resolve((struct select_spec){ .cgroup = "system.slice/../.." }), -ENOENT);
	assert_int_equal(resolve((struct select_spec){ .cgroup = "" }), -ENOENT);
}

static void test_unit_restarts(void **state)
{
	(void)state;
	put_procs(30, 39);
	put("cgroup/cgroup.procs", "1\n");
	put("cgroup/a.slice/cgroup.procs", "%s", "");
	put("cgroup/a.slice/web.service/cgroup.procs", "30\n");
	put("cgroup/a.slice/other.service/cgroup.procs", "36\n");
	assert_int_equal(
		resolve((struct select_spec){ .unit = "web", .cgroup = "a.slice/other.service" }),
		0);
	PIDS(30, 36);
	put("cgroup/a.slice/web.service/cgroup.procs", "30\n31\n");
	RESCAN(31);
	RESCAN_NOTHING();
	/* stopped, and started again in another slice */
	drop("cgroup/a.slice/web.service");
	drop("proc/30");
	drop("proc/31");
	RESCAN_NOTHING();
	put("cgroup/b.slice/cgroup.procs", "%s", "");
	put("cgroup/b.slice/web.service/cgroup.procs", "32\n");
	put("cgroup/a.slice/other.service/cgroup.procs", "36\n37\n");
	RESCAN(32, 37);
	/* a stranger under an id that was selected once is new */
	put_proc((struct made){ .pid = 30, .parent = 1, .start = 777 });
	put("cgroup/b.slice/web.service/cgroup.procs", "30\n32\n");
	RESCAN(30);
}

static void test_v1(void **state)
{
	char target[200], link[200];

	(void)state;
	put_procs(30, 39);
	put("cgroup/cpu,cpuacct/cgroup.procs", "1\n");
	put("cgroup/cpu,cpuacct/grp/cgroup.procs", "30\n");
	put("cgroup/memory/cgroup.procs", "1\n");
	put("cgroup/memory/grp/cgroup.procs", "%s", "");
	put("cgroup/memory/both/cgroup.procs", "%s", "");
	put("cgroup/memory/web.service/cgroup.procs", "31\n");
	put("cgroup/systemd/cgroup.procs", "1\n");
	put("cgroup/systemd/system.slice/cgroup.procs", "%s", "");
	put("cgroup/systemd/system.slice/web.service/cgroup.procs", "32\n");
	put("cgroup/unified/cgroup.procs", "1\n");
	put("cgroup/unified/both/cgroup.procs", "33\n");
	snprintf(target, sizeof(target), "%s/cpu,cpuacct", cgroup);
	snprintf(link, sizeof(link), "%s/cpu", cgroup);
	assert_int_equal(symlink(target, link), 0);
	/* systemd's hierarchy says where a unit is */
	assert_int_equal(resolve((struct select_spec){ .unit = "web" }), 0);
	PIDS(32);
	assert_int_equal(resolve((struct select_spec){ .cgroup = "/grp" }), 0);
	PIDS(30);
	assert_int_equal(resolve((struct select_spec){ .cgroup = "memory/web.service" }), 0);
	PIDS(31);
	assert_int_equal(resolve((struct select_spec){ .cgroup = "cpu/grp" }), 0);
	PIDS(30);
	assert_int_equal(resolve((struct select_spec){ .cgroup = "both" }), 0);
	PIDS(33);
	assert_int_equal(resolve((struct select_spec){ .cgroup = "neither" }), -ENOENT);
}

#define ID_A "aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899"
#define ID_B "aabb0cddeeff00112233445566778899aabbccddeeff00112233445566778899"

static void test_container(void **state)
{
	const char *a = "0::/system.slice/docker-" ID_A ".scope\n";

	(void)state;
	put_proc((struct made){ .pid = 30, .parent = 1, .cgroup = a });
	put_proc(
		(struct made){ .pid = 31,
			       .parent = 30,
			       .cgroup = "4:cpu:/\n0::/system.slice/docker-" ID_A ".scope/sub\n" });
	put_proc((struct made){
		.pid = 32, .parent = 1, .cgroup = "3:memory:/docker/" ID_B "\n0::/\n" });
	put_proc((struct made){
		.pid = 33, .parent = 1, .cgroup = "0::/libpod-conmon-" ID_A ".scope\n" });
	put_proc((struct made){ .pid = 34, .parent = 1, .cgroup = "0::/lxc.payload.web\n" });
	put_proc((struct made){ .pid = 35, .parent = 1, .cgroup = "0::/lxc.payload.web2/x\n" });
	put_proc((struct made){ .pid = 36, .parent = 1, .cgroup = "0::/aabbccdd\n" });
	put("cgroup/cgroup.procs", "1\n");
	put("cgroup/system.slice/docker-" ID_A ".scope/cgroup.procs", "30\n");
	put("cgroup/system.slice/docker-" ID_A ".scope/sub/cgroup.procs", "31\n");
	assert_int_equal(resolve((struct select_spec){ .container = "aabbcc" }), 0);
	PIDS(30, 31);
	assert_int_equal(sel.dirs.n, 1);
	/* one that entered it, as with docker exec */
	put_proc((struct made){ .pid = 40, .parent = 1, .cgroup = a });
	put("cgroup/system.slice/docker-" ID_A ".scope/cgroup.procs", "30\n40\n");
	RESCAN(40);
	/* its control group cannot be seen from here: the process is selected all the same */
	assert_int_equal(resolve((struct select_spec){ .container = ID_B }), 0);
	PIDS(32);
	assert_int_equal(resolve((struct select_spec){ .container = "aabb" }), -ENOTUNIQ);
	assert_int_equal(err.code, LOG_USAGE);
	/* a whole name, though another one begins like it */
	assert_int_equal(resolve((struct select_spec){ .container = "web" }), 0);
	PIDS(34);
	assert_int_equal(resolve((struct select_spec){ .container = "we" }), -ENOTUNIQ);
	assert_int_equal(resolve((struct select_spec){ .container = "web2" }), 0);
	PIDS(35);
	assert_int_equal(resolve((struct select_spec){ .container = "bb" }), -ENOENT);
	assert_int_equal(err.code, LOG_NO_CGROUP);
	assert_int_equal(resolve((struct select_spec){ .container = "" }), -ENOENT);
}

/* ---- --port and several together ----------------------------------------------------------- */

static void test_ports(void **state)
{
	(void)state;
	put("proc/net/tcp", "  sl  local_address rem_address   st tx_queue rx_queue\n"
			    "   0: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:0 0\n"
			    "   1: 0100007F:01BB 0100007F:1F90 01 00000000:00000000 00:0 0\n");
	put("proc/net/tcp6",
	    "  sl  local_address                         remote_address     st\n"
	    "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A "
	    "0:0\n");
	assert_int_equal(resolve((struct select_spec){ .ports = "80,8080,80" }), 0);
	assert_int_equal(err.code, LOG_CODE_COUNT);
	assert_int_equal(sel.n_ports, 2);
	assert_int_equal(sel.ports[0], 80);
	assert_int_equal(sel.ports[1], 8080);
	assert_int_equal(sel.n_pids, 0);
	/* connections on it, but no listener */
	assert_int_equal(resolve((struct select_spec){ .ports = "80,443" }), 0);
	assert_int_equal(err.code, LOG_NO_PORT);
	assert_non_null(strstr(err.what, "443"));
	assert_int_equal(sel.n_ports, 2);
	RESCAN_NOTHING();
}

static void test_real_port(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	struct select_spec spec = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char port[8];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	snprintf(port, sizeof(port), "%u", ntohs(a.sin_port));
	spec.ports = port;
	assert_int_equal(selection_resolve(&spec, &sel, &err), 0);
	assert_int_equal(err.code, LOG_NO_PORT);
	selection_release(&sel);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(selection_resolve(&spec, &sel, &err), 0);
	assert_int_equal(err.code, LOG_CODE_COUNT);
	assert_int_equal(sel.ports[0], ntohs(a.sin_port));
	selection_release(&sel);
	close(fd);
}

static void test_together(void **state)
{
	(void)state;
	put_procs(30, 39);
	put_proc((struct made){ .pid = 50, .parent = 1, .uid = 4033 });
	put("cgroup/cgroup.procs", "1\n");
	put("cgroup/grp/cgroup.procs", "31\n");
	assert_int_equal(resolve((struct select_spec){
				 .pids = "30,31", .user = "4033", .cgroup = "grp", .ports = "1" }),
			 0);
	PIDS(30, 31, 50);
	assert_int_equal(sel.n_ports, 1);
	assert_int_equal(err.code, LOG_NO_PORT);
	for (int i = 0; i < 12; i++)
		RESCAN_NOTHING();
	/* an error goes before the warning */
	assert_int_equal(resolve((struct select_spec){ .pids = "77", .ports = "1" }), -ESRCH);
	assert_int_equal(err.code, LOG_NO_PID);
	assert_int_equal(resolve((struct select_spec){ .all = true }), 0);
	assert_true(sel.all);
	assert_int_equal(sel.n_pids, 0);
	RESCAN_NOTHING();
}

#define MADE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_pids),
		cmocka_unit_test(test_real_thread),
		cmocka_unit_test(test_real_user),
		cmocka_unit_test(test_real_port),
		MADE(test_bad_lists),
		MADE(test_self),
		MADE(test_tree),
		MADE(test_user),
		MADE(test_v2),
		MADE(test_unit_restarts),
		MADE(test_v1),
		MADE(test_container),
		MADE(test_ports),
		MADE(test_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
