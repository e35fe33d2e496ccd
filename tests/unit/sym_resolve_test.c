// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names for addresses of real processes: this one, and copies of its program in a folder of the
 * test's own, stripped, deleted or ended. A copy that is started with an argument prints some of
 * its addresses and waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sym/elf_file.h"
#include "sym/resolve.h"

/* Real functions, which nothing else calls. */
__attribute__((noinline)) static int target_one(int x)
{
	__asm__ volatile("" : "+r"(x));
	return x * 3 + 1;
}

__attribute__((noinline)) static int target_two(int x)
{
	__asm__ volatile("" : "+r"(x));
	return x * 5 + 2;
}

static char dir[64];
static uint32_t self;

static uint64_t addr_of(int (*function)(int))
{
	return (uint64_t)(uintptr_t)function;
}

/* ---- programs ---------------------------------------------------------------------------- */

struct child {
	pid_t pid;
	uint64_t one, two;
	uint64_t getppid; /* of the C library */
};

__attribute__((noreturn)) static void be_child(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	printf("%llx %llx %llx\n", (unsigned long long)addr_of(target_one),
	       (unsigned long long)addr_of(target_two), (unsigned long long)(uintptr_t)getppid);
	fflush(stdout);
	for (;;)
		pause();
}

static struct child child_start(const char *program)
{
	struct child c = { 0 };
	unsigned long long one = 0, two = 0, library = 0;
	int fds[2];
	FILE *f;

	assert_int_equal(pipe(fds), 0);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (!c.pid) {
		dup2(fds[1], STDOUT_FILENO);
		execl(program, program, "child", (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	f = fdopen(fds[0], "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%llx %llx %llx", &one, &two, &library), 3);
	fclose(f);
	c.one = one;
	c.two = two;
	c.getppid = library;
	return c;
}

static void child_end(const struct child *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
}

/* Runs a shell command in the test's folder. */
__attribute__((format(printf, 1, 2))) static void shell(const char *fmt, ...)
{
	char command[1024], all[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	snprintf(all, sizeof(all), "cd %s && %s", dir, command);
	if (system(all)) {
		fprintf(stderr, "failed: %s\n", all);
		abort();
	}
}

static const char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/sym_resolve_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	self = (uint32_t)getpid();
	shell("cp /proc/%u/exe whole && objcopy --strip-all whole stripped && "
	      "objcopy --only-keep-debug whole made.debug && mkdir empty",
	      self);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	shell("rm -rf %s", dir);
	return 0;
}

static struct resolver *resolver(size_t max_objects, size_t max_procs)
{
	static char debug_dir[96];
	struct resolve_opts opts = { .max_objects = max_objects,
				     .max_procs = max_procs,
				     .reread_ns = 1,
				     .debug_dir = debug_dir };
	struct resolver *r;

	snprintf(debug_dir, sizeof(debug_dir), "%s/debug", dir);
	r = resolver_new(&opts);
	assert_non_null(r);
	return r;
}

static struct resolved resolve(struct resolver *r, uint32_t tgid, uint64_t addr)
{
	struct resolved out;

	resolver_resolve(r, tgid, addr, false, &out);
	assert_true(out.text[0]);
	return out;
}

static void is(struct resolver *r, uint32_t tgid, uint64_t addr, uint32_t flags, const char *module,
	       const char *text)
{
	struct resolved out = resolve(r, tgid, addr);

	assert_string_equal(out.text, text);
	assert_string_equal(out.module, module);
	assert_int_equal(out.flags, flags);
}

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* ---- this process ------------------------------------------------------------------------ */

static void test_own(void **state)
{
	struct resolver *r = resolver(0, 0);
	struct resolved out;

	(void)state;
	is(r, self, addr_of(target_one), 0, "sym_resolve_test", "target_one");
	is(r, self, addr_of(target_two) + 1, 0, "sym_resolve_test", "target_two");
	out = resolve(r, self, (uint64_t)(uintptr_t)&strtoul);
	assert_true(starts(out.module, "lib"));
	assert_int_equal(out.flags & SYM_NO_MAP, 0);
	is(r, self, 0x10, SYM_UNKNOWN | SYM_NO_MAP, "", "[unknown]");
	is(r, self, UINT64_MAX, SYM_UNKNOWN | SYM_NO_MAP, "", "[unknown]");
	assert_int_equal(resolver_stats(r).procs, 1);
	resolver_free(r);
}

/* A call at the very end of a function returns behind it. */
static void test_after_call(void **state)
{
	struct resolver *r = resolver(0, 0);
	struct resolved out;

	(void)state;
	resolver_resolve(r, self, addr_of(target_one), true, &out);
	assert_string_not_equal(out.text, "target_one");
	resolver_resolve(r, self, addr_of(target_one) + 1, true, &out);
	assert_string_equal(out.text, "target_one");
	resolver_resolve(r, self, 0, true, &out);
	assert_string_equal(out.text, "[unknown]");
	resolver_free(r);
}

static void test_vdso(void **state)
{
	uint64_t at = getauxval(AT_SYSINFO_EHDR);
	struct resolver *r = resolver(0, 0);
	struct resolved out;
	bool named = false;

	(void)state;
	assert_true(at);
	for (uint64_t addr = at; addr < at + 0x2000 && !named; addr += 16) {
		out = resolve(r, self, addr);
		assert_string_equal(out.module, "[vdso]");
		named = strstr(out.text, "clock_gettime");
	}
	assert_true(named);
	is(r, self, at + 1, SYM_UNKNOWN, "[vdso]", "[vdso+0x1]");
	resolver_free(r);
}

static void test_kernel(void **state)
{
	struct resolve_opts opts = { 0 };
	char path[256], hidden[256];
	struct resolver *r;

	(void)state;
	shell("printf 'ffffffff81000000 T first\\nffffffffc0000000 t in_module\\t[nf]\\n' >kallsyms");
	shell("printf '0000000000000000 T first\\n' >hidden");
	snprintf(path, sizeof(path), "%s", in_dir("kallsyms"));
	snprintf(hidden, sizeof(hidden), "%s", in_dir("hidden"));
	opts.kallsyms = path;
	r = resolver_new(&opts);
	assert_non_null(r);
	is(r, 0, 0xffffffff81000010, SYM_KERNEL, "", "first");
	is(r, 0, 0xffffffffc0000010, SYM_KERNEL, "nf", "in_module");
	is(r, 0, 0xffffffffd0000010, SYM_KERNEL | SYM_UNKNOWN, "", "[kernel]");
	assert_int_equal(resolver_stats(r).unreadable, 0);
	resolver_free(r);
	opts.kallsyms = hidden;
	r = resolver_new(&opts);
	assert_non_null(r);
	is(r, 0, 0xffffffff81000010, SYM_KERNEL | SYM_UNKNOWN, "", "[kernel]");
	is(r, 0, 0xffffffff81000010, SYM_KERNEL | SYM_UNKNOWN, "", "[kernel]");
	assert_int_equal(resolver_stats(r).unreadable, 1);
	resolver_free(r);
}

/* ---- others ------------------------------------------------------------------------------ */

static void test_stripped(void **state)
{
	struct child c = child_start(in_dir("stripped"));
	struct resolver *r = resolver(0, 0);
	struct resolved out = resolve(r, (uint32_t)c.pid, c.one);

	(void)state;
	assert_string_equal(out.module, "stripped");
	assert_int_equal(out.flags, SYM_UNKNOWN);
	assert_true(starts(out.text, "[stripped+0x"));
	resolver_free(r);
	child_end(&c);
}

/* The offset is that of the file's addresses: it can be looked up in the debug file later. */
static void test_offset_of_unknown(void **state)
{
	struct child c = child_start(in_dir("stripped"));
	struct resolver *r = resolver(0, 0);
	struct resolved out = resolve(r, (uint32_t)c.pid, c.one);
	unsigned long long offset = 0, nm = 0;
	char line[64] = "";
	FILE *f;

	(void)state;
	assert_int_equal(sscanf(out.text, "[stripped+0x%llx]", &offset), 1);
	shell("nm whole | grep ' target_one$' >address");
	f = fopen(in_dir("address"), "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	assert_int_equal(sscanf(line, "%llx", &nm), 1);
	assert_true(offset == nm);
	resolver_free(r);
	child_end(&c);
}

static void test_debug_by_build_id(void **state)
{
	int fd = open(in_dir("whole"), O_RDONLY | O_CLOEXEC);
	char hex[2 * ELF_BUILD_ID_MAX + 1];
	struct child c = child_start(in_dir("stripped"));
	struct resolver *r;
	struct elf_input in;
	struct elf_file f;

	(void)state;
	assert_int_equal(elf_input_of_fd(&in, fd), 0);
	assert_int_equal(elf_file_read(&f, &in), 0);
	close(fd);
	assert_true(f.build_id_len > 0);
	for (uint32_t i = 0; i < f.build_id_len; i++)
		snprintf(hex + 2 * (size_t)i, 3, "%02x", f.build_id[i]);
	shell("mkdir -p debug/.build-id/%.2s && cp made.debug debug/.build-id/%.2s/%s.debug", hex,
	      hex, hex + 2);
	r = resolver(0, 0);
	is(r, (uint32_t)c.pid, c.one, 0, "stripped", "target_one");
	is(r, (uint32_t)c.pid, c.two, 0, "stripped", "target_two");
	resolver_free(r);
	/* a file that is of another build is not taken, whatever its name says */
	shell("objcopy --remove-section=.note.gnu.build-id made.debug "
	      "debug/.build-id/%.2s/%s.debug",
	      hex, hex + 2);
	r = resolver(0, 0);
	assert_true(starts(resolve(r, (uint32_t)c.pid, c.one).text, "[stripped+0x"));
	resolver_free(r);
	child_end(&c);
	shell("rm -r debug");
}

static void test_debug_by_link(void **state)
{
	static const char *const places[] = { ".", ".debug", "debug%s" };
	char place[160];
	struct child c;

	(void)state;
	shell("objcopy --add-gnu-debuglink=made.debug stripped linked && mv made.debug kept");
	c = child_start(in_dir("linked"));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct resolver *r = resolver(0, 0);

		if (i == 2)
			snprintf(place, sizeof(place), "debug%s", dir);
		else
			snprintf(place, sizeof(place), "%s", places[i]);
		assert_true(starts(resolve(r, (uint32_t)c.pid, c.one).text, "[linked+0x"));
		resolver_free(r);
		shell("mkdir -p ./%s && cp kept ./%s/made.debug", place, place);
		r = resolver(0, 0);
		is(r, (uint32_t)c.pid, c.one, 0, "linked", "target_one");
		resolver_free(r);
		/* a file with another content is not taken */
		shell("echo >>./%s/made.debug", place);
		r = resolver(0, 0);
		assert_true(starts(resolve(r, (uint32_t)c.pid, c.one).text, "[linked+0x"));
		resolver_free(r);
		shell("rm ./%s/made.debug", place);
	}
	child_end(&c);
	shell("mv kept made.debug && rm -rf debug .debug");
}

static void test_deleted(void **state)
{
	struct resolver *r = resolver(0, 0);
	struct child c;

	(void)state;
	shell("cp whole gone");
	c = child_start(in_dir("gone"));
	/* and another file has its name now */
	shell("rm gone && cp /bin/true gone");
	is(r, (uint32_t)c.pid, c.one, 0, "gone", "target_one");
	resolver_free(r);
	child_end(&c);
}

static void test_ended(void **state)
{
	struct resolver *r = resolver(0, 0);
	struct child c = child_start(in_dir("whole")), unseen = child_start(in_dir("whole"));

	(void)state;
	is(r, (uint32_t)c.pid, c.one, 0, "whole", "target_one");
	child_end(&c);
	is(r, (uint32_t)c.pid, c.one, 0, "whole", "target_one");
	is(r, (uint32_t)c.pid, c.two, 0, "whole", "target_two");
	/* a library of it that had not been read by then */
	assert_string_equal(resolve(r, (uint32_t)c.pid, c.getppid).text, "getppid");
	assert_int_equal(resolver_stats(r).unreadable, 0);
	/* never seen while it ran */
	child_end(&unseen);
	is(r, (uint32_t)unseen.pid, unseen.one, SYM_UNKNOWN | SYM_NO_MAP, "", "[unknown]");
	resolver_forget(r, (uint32_t)c.pid);
	is(r, (uint32_t)c.pid, c.one, SYM_UNKNOWN | SYM_NO_MAP, "", "[unknown]");
	resolver_free(r);
}

/* A library of which nothing but the mapping is left, and that leads to it for root only. */
static void test_deleted_library(void **state)
{
	struct resolver *r = resolver(0, 0);
	char link[96], nameless[64];
	struct elf_input in;
	struct elf_file f;
	char *map;
	int fd;

	(void)state;
	shell("cp whole library");
	fd = open(in_dir("library"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(elf_input_of_fd(&in, fd), 0);
	assert_int_equal(elf_file_read(&f, &in), 0);
	map = mmap(NULL, in.size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_true(map != MAP_FAILED);
	close(fd);
	shell("rm library && cp /bin/true library");
	uint64_t start = (uint64_t)(uintptr_t)map, length = (in.size + 4095) & ~(uint64_t)4095;
	struct resolved out = resolve(r, self, start + f.loads[0].off);

	snprintf(link, sizeof(link), "/proc/self/map_files/%llx-%llx", (unsigned long long)start,
		 (unsigned long long)(start + length));
	fd = open(link, O_RDONLY | O_CLOEXEC);
	assert_string_equal(out.module, "library");
	snprintf(nameless, sizeof(nameless), "[library+0x%llx]",
		 (unsigned long long)f.loads[0].off);
	assert_string_equal(out.text, fd >= 0 ? "_init" : nameless);
	if (fd >= 0)
		close(fd);
	munmap(map, in.size);
	resolver_free(r);
}

/* Its file is gone, too, but another process had it mapped before. */
static void test_ended_and_deleted(void **state)
{
	struct resolver *r = resolver(0, 0);
	struct child a, b;

	(void)state;
	shell("cp whole shared");
	a = child_start(in_dir("shared"));
	b = child_start(in_dir("shared"));
	is(r, (uint32_t)a.pid, a.one, 0, "shared", "target_one");
	assert_int_equal(resolver_stats(r).objects, 1);
	assert_true(
		starts(resolve(r, (uint32_t)b.pid, 0x10).text, "[unknown]")); /* mappings only */
	shell("rm shared");
	child_end(&a);
	child_end(&b);
	is(r, (uint32_t)b.pid, b.two, 0, "shared", "target_two");
	assert_int_equal(resolver_stats(r).objects, 1);
	resolver_free(r);
}

static void test_file_of_another_kind(void **state)
{
	struct resolver *r = resolver(0, 0);
	int fd;
	char *map;

	(void)state;
	shell("head -c 8192 /dev/zero >data");
	fd = open(in_dir("data"), O_RDONLY | O_CLOEXEC);
	map = mmap(NULL, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 4096);
	close(fd);
	assert_true(map != MAP_FAILED);
	is(r, self, (uint64_t)(uintptr_t)map + 0x20, SYM_UNKNOWN, "data", "[data+0x1020]");
	munmap(map, 8192);
	resolver_free(r);
}

/* ---- code made at run time --------------------------------------------------------------- */

static char perf_path[64];

static void write_perf_map(const char *how, uint64_t addr, const char *name)
{
	FILE *f;

	snprintf(perf_path, sizeof(perf_path), "/tmp/perf-%u.map", self);
	f = fopen(perf_path, how);
	assert_non_null(f);
	fprintf(f, "%llx 40 %s\n", (unsigned long long)addr, name);
	fclose(f);
}

static void test_jit(void **state)
{
	struct resolver *r = resolver(0, 0);
	char *map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t at = (uint64_t)(uintptr_t)map;

	(void)state;
	assert_true(map != MAP_FAILED);
	is(r, self, at, SYM_UNKNOWN, "", "[jit]");
	write_perf_map("w", at, "Made::one");
	is(r, self, at + 0x3f, 0, "", "Made::one");
	is(r, self, at + 0x40, SYM_UNKNOWN, "", "[jit]");
	write_perf_map("a", at + 0x40, "Made::two");
	is(r, self, at + 0x40, 0, "", "Made::two");
	unlink(perf_path);
	/* nothing that waits when it is opened, or that is somebody else's */
	assert_int_equal(mkfifo(perf_path, 0600), 0);
	resolver_forget(r, self);
	is(r, self, at, SYM_UNKNOWN, "", "[jit]");
	unlink(perf_path);
	munmap(map, 4096);
	resolver_free(r);
}

static void test_jit_of_another_user(void **state)
{
	struct resolver *r = resolver(0, 0);
	char *map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t at = (uint64_t)(uintptr_t)map;

	(void)state;
	assert_true(map != MAP_FAILED);
	write_perf_map("w", at, "Made::one");
	if (chown(perf_path, 65533, 65533)) /* only root can give a file away */
		is(r, self, at, 0, "", "Made::one");
	else
		is(r, self, at, SYM_UNKNOWN, "", "[jit]");
	unlink(perf_path);
	munmap(map, 4096);
	resolver_free(r);
}

static void test_memfd(void **state)
{
	struct resolver *r = resolver(0, 0);
	int fd = memfd_create("jit", MFD_CLOEXEC);
	uint64_t at;
	char *map;

	(void)state;
	assert_int_equal(ftruncate(fd, 4096), 0);
	map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	assert_true(map != MAP_FAILED);
	at = (uint64_t)(uintptr_t)map;
	write_perf_map("w", at, "Made::shared");
	is(r, self, at, 0, "", "Made::shared");
	unlink(perf_path);
	munmap(map, 4096);
	close(fd);
	resolver_free(r);
}

/* ---- bounds ------------------------------------------------------------------------------ */

static void test_mapped_later(void **state)
{
	struct resolver *r = resolver(0, 0);
	char *map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t at = (uint64_t)(uintptr_t)map;

	(void)state;
	assert_true(map != MAP_FAILED);
	munmap(map, 4096);
	is(r, self, at, SYM_UNKNOWN | SYM_NO_MAP, "", "[unknown]");
	map = mmap(map, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		   0);
	assert_true(map != MAP_FAILED);
	is(r, self, at, SYM_UNKNOWN, "", "[jit]");
	munmap(map, 4096);
	resolver_free(r);
}

/* A process's own word about itself is read for so many bytes a second; what is put off is counted. */
static void test_read_budget(void **state)
{
	const struct resolve_opts opts = { .reread_ns = 1, .read_per_s = 1 };
	struct resolver *r = resolver_new(&opts);
	char *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t at = (uint64_t)(uintptr_t)code;
	struct child c = child_start("/proc/self/exe");

	(void)state;
	assert_non_null(r);
	assert_true(code != MAP_FAILED);
	/* the first is read, and uses up more than there is */
	is(r, self, addr_of(target_one), 0, "sym_resolve_test", "target_one");
	assert_int_equal(resolver_stats(r).put_off, 0);
	write_perf_map("w", at, "Made::one");
	is(r, self, at, SYM_UNKNOWN, "", "[jit]");
	assert_int_equal(resolver_stats(r).put_off, 1);
	/* another process has to wait, too, and the kernel and what is known need nothing */
	is(r, (uint32_t)c.pid, c.one, SYM_UNKNOWN | SYM_NO_MAP, "", "[unknown]");
	assert_true(resolver_stats(r).put_off > 1);
	is(r, self, addr_of(target_one), 0, "sym_resolve_test", "target_one");
	unlink(perf_path);
	munmap(code, 4096);
	child_end(&c);
	resolver_free(r);
}

static void test_few_objects(void **state)
{
	struct resolver *r = resolver(2, 0);
	struct child c[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "copy%zu", i);
		shell("cp whole %s", name);
		c[i] = child_start(in_dir(name));
	}
	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < 3; i++) {
			struct resolved out = resolve(r, (uint32_t)c[i].pid, c[i].one);

			assert_string_equal(out.text, "target_one");
			assert_true(resolver_stats(r).objects <= 2);
		}
	assert_int_equal(resolver_stats(r).evicted, 4);
	for (size_t i = 0; i < 3; i++)
		child_end(&c[i]);
	resolver_free(r);
}

static void test_few_bytes(void **state)
{
	struct resolve_opts opts = { .cache_bytes = 64 };
	struct resolver *r = resolver_new(&opts);
	struct resolved out;

	(void)state;
	assert_non_null(r);
	/* larger than all that may be kept: without names, and said */
	out = resolve(r, self, addr_of(target_one));
	assert_int_equal(out.flags, SYM_UNKNOWN);
	assert_true(starts(out.text, "[sym_resolve_test+0x"));
	assert_int_equal(resolver_stats(r).cut, 1);
	resolver_free(r);
}

static void test_few_processes(void **state)
{
	struct resolver *r = resolver(0, 2);
	struct child c[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		c[i] = child_start(in_dir("whole"));
	for (size_t i = 0; i < 3; i++) {
		is(r, (uint32_t)c[i].pid, c[i].one, 0, "whole", "target_one");
		assert_true(resolver_stats(r).procs <= 2);
	}
	/* one file, read once */
	assert_int_equal(resolver_stats(r).objects, 1);
	assert_int_equal(resolver_stats(r).evicted, 1);
	for (size_t i = 0; i < 3; i++)
		child_end(&c[i]);
	/* the first made room for the third */
	is(r, (uint32_t)c[2].pid, c[2].two, 0, "whole", "target_two");
	is(r, (uint32_t)c[0].pid, c[0].two, SYM_UNKNOWN | SYM_NO_MAP, "", "[unknown]");
	resolver_free(r);
}

static void test_few_map_bytes(void **state)
{
	struct resolve_opts opts = { .maps_bytes = 1 };
	struct resolver *r = resolver_new(&opts);
	struct child a = child_start(in_dir("whole")), b = child_start(in_dir("whole"));

	(void)state;
	assert_non_null(r);
	is(r, (uint32_t)a.pid, a.one, 0, "whole", "target_one");
	is(r, (uint32_t)b.pid, b.one, 0, "whole", "target_one");
	assert_int_equal(resolver_stats(r).procs, 1);
	assert_int_equal(resolver_stats(r).evicted, 1);
	resolver_free(r);
	child_end(&a);
	child_end(&b);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_after_call),
		cmocka_unit_test(test_vdso),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_stripped),
		cmocka_unit_test(test_offset_of_unknown),
		cmocka_unit_test(test_debug_by_build_id),
		cmocka_unit_test(test_debug_by_link),
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_deleted_library),
		cmocka_unit_test(test_ended),
		cmocka_unit_test(test_ended_and_deleted),
		cmocka_unit_test(test_file_of_another_kind),
		cmocka_unit_test(test_jit),
		cmocka_unit_test(test_jit_of_another_user),
		cmocka_unit_test(test_memfd),
		cmocka_unit_test(test_mapped_later),
		cmocka_unit_test(test_read_budget),
		cmocka_unit_test(test_few_objects),
		cmocka_unit_test(test_few_bytes),
		cmocka_unit_test(test_few_processes),
		cmocka_unit_test(test_few_map_bytes),
	};

	if (argc > 1 && !strcmp(argv[1], "child"))
		be_child();
	return cmocka_run_group_tests(tests, setup, teardown);
}
