// SPDX-License-Identifier: GPL-2.0-only
/* Facts of a host and of its servers, from folders made for the test; files that lie. */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "probe/hostfacts.h"
#include "probe/serverfacts.h"
#include "unit/view_json_check.h"

static char root[64];

/* Makes the folders of a path below root. */
static void path_below(char *out, size_t cap, const char *name)
{
	snprintf(out, cap, "%s%s", root, name);
	for (char *at = strchr(out + strlen(root) + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		mkdir(out, 0700);
		*at = '/';
	}
}

static void put_bytes(const char *name, const void *bytes, size_t len)
{
	char path[256];
	FILE *f;

	path_below(path, sizeof(path), name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void put_file(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

static void put_link(const char *name, const char *target)
{
	char path[256];

	path_below(path, sizeof(path), name);
	assert_int_equal(symlink(target, path), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(root, "/tmp/tardy-facts-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

/* Checks that each line is JSON, which the check takes apart. */
static void check_lines(const char *text)
{
	char *copy = strdup(text), *save = NULL;

	assert_non_null(copy);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		assert_true(json_check(line));
	free(copy);
}

static char *host_text(void)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(hostfacts_write(f, root), 0);
	fclose(f);
	check_lines(text);
	return text;
}

static char *servers_text(const struct serverfacts *s)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(serverfacts_write(f, s, root), 0);
	fclose(f);
	check_lines(text);
	return text;
}

static void expect(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no %s in:\n%s", part, text);
}

static void test_host(void **state)
{
	char *text;

	(void)state;
	put_file("/etc/os-release", "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n");
	put_file("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 2GHz\nflags\t: a b\n");
	put_file("/proc/meminfo", "MemTotal:        2048 kB\nMemFree: 9 kB\nSwapTotal:   0 kB\n");
	put_file("/proc/cmdline", "root=/dev/vda secret=kernel-secret\n");
	put_file("/proc/sys/net/core/somaxconn", "4096\n");
	put_file("/sys/block/vda/size", "1000\n");
	put_file("/sys/block/vda/queue/rotational", "0\n");
	put_file("/sys/block/vda/queue/scheduler", "none [mq-deadline] kyber\n");
	put_file("/sys/block/sdb/size", "2\n"); /* and nothing else */
	put_file("/sys/block/loop0/size", "1000\n");
	put_file("/sys/block/ram0/size", "1000\n");
	put_file("/sys/block/empty/size", "0\n");
	text = host_text();
	expect(text, "{\"schema\":\"tardy.host/1.0\"}\n");
	expect(text, "\"os\":\"Debian GNU/Linux 12\"");
	expect(text, "\"model\":\"Some CPU @ 2GHz\"");
	expect(text, "\"total_bytes\":2097152,\"available_bytes\":null,\"swap_bytes\":0}");
	expect(text, "{\"kind\":\"sysctl\",\"name\":\"net/core/somaxconn\",\"value\":\"4096\"}");
	expect(text, "\"name\":\"vda\",\"bytes\":512000,\"rotational\":false,"
		     "\"scheduler\":\"mq-deadline\"}");
	expect(text, "\"name\":\"sdb\",\"bytes\":1024,\"rotational\":null,\"scheduler\":null}");
	expect(text, "{\"kind\":\"limit\",\"name\":\"nofile\",\"soft\":");
	assert_null(strstr(text, "loop0"));
	assert_null(strstr(text, "ram0"));
	assert_null(strstr(text, "empty"));
	assert_null(strstr(text, "secret"));
	free(text);
}

/* Nothing is there, or what is there is no text. */
static void test_host_of_nothing(void **state)
{
	static char junk[100000];
	char *text = host_text();

	(void)state;
	expect(text, "\"model\":null");
	expect(text, "\"total_bytes\":null");
	free(text);
	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (char)(i * 7 + i / 251);
	put_bytes("/proc/cpuinfo", junk, sizeof(junk));
	put_bytes("/proc/meminfo", junk, sizeof(junk));
	put_bytes("/etc/os-release", "PRETTY_NAME=", 12);
	put_bytes("/sys/block/vda/size", junk + 1, 5000);
	put_bytes("/proc/sys/vm/swappiness", junk + 3, 70000);
	free(host_text());
}

static void test_read_is_bounded(void **state)
{
	size_t len;
	char *text;

	(void)state;
	put_file("/f", "0123456789");
	text = hostfacts_read(root, "/f", 4, &len);
	assert_string_equal(text, "0123");
	assert_int_equal(len, 4);
	free(text);
	assert_null(hostfacts_read(root, "/none", 4, &len));
	assert_null(hostfacts_read(root, "/", 4, &len));
}

/* ---- servers ---- */

struct elf_file {
	Elf64_Ehdr e;
	Elf64_Phdr p[2];
	Elf64_Nhdr other;
	char other_text[8];
	Elf64_Nhdr id;
	char id_name[4];
	uint8_t id_bytes[20];
};

static struct elf_file make_elf(void)
{
	struct elf_file f = { .e = { .e_phoff = offsetof(struct elf_file, p),
				     .e_phentsize = sizeof(Elf64_Phdr),
				     .e_phnum = 2 },
			      .other = { 4, 4, 1 },
			      .other_text = "GNU\0abcd",
			      .id = { 4, 20, NT_GNU_BUILD_ID },
			      .id_name = "GNU" };

	memcpy(f.e.e_ident, ELFMAG, SELFMAG);
	f.e.e_ident[EI_CLASS] = ELFCLASS64;
	f.p[0].p_type = PT_LOAD;
	f.p[1].p_type = PT_NOTE;
	f.p[1].p_offset = offsetof(struct elf_file, other);
	f.p[1].p_filesz = sizeof(f) - offsetof(struct elf_file, other);
	for (size_t i = 0; i < sizeof(f.id_bytes); i++)
		f.id_bytes[i] = (uint8_t)(0xa0 + i);
	return f;
}

static size_t id_of(const void *bytes, size_t len, uint8_t id[SERVERFACTS_BUILD_ID])
{
	int fd = memfd_create("elf", MFD_CLOEXEC);
	size_t n;

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, 0), len);
	n = serverfacts_build_id(fd, id);
	close(fd);
	return n;
}

static void test_build_id(void **state)
{
	struct elf_file f = make_elf(), bad;
	uint8_t id[SERVERFACTS_BUILD_ID];

	(void)state;
	assert_int_equal(id_of(&f, sizeof(f), id), 20);
	assert_memory_equal(id, f.id_bytes, 20);
	for (size_t cut = 0; cut < sizeof(f); cut++)
		assert_int_equal(id_of(&f, cut, id), 0);
	bad = f;
	bad.id.n_descsz = UINT32_MAX;
	assert_int_equal(id_of(&bad, sizeof(bad), id), 0);
	bad = f;
	bad.other.n_namesz = UINT32_MAX - 3;
	assert_int_equal(id_of(&bad, sizeof(bad), id), 0);
	bad = f;
	bad.e.e_phoff = UINT64_MAX - 8;
	assert_int_equal(id_of(&bad, sizeof(bad), id), 0);
	bad = f;
	bad.p[1].p_offset = UINT64_MAX;
	bad.p[1].p_filesz = UINT64_MAX;
	assert_int_equal(id_of(&bad, sizeof(bad), id), 0);
	/* any byte may be anything: no more than that it ends */
	for (size_t at = 0; at < sizeof(f); at++) {
		bad = f;
		((uint8_t *)&bad)[at] ^= 0xff;
		assert_true(id_of(&bad, sizeof(bad), id) <= SERVERFACTS_BUILD_ID);
	}
}

static void add(struct serverfacts *s, uint32_t pid, const char *exe)
{
	struct rec_proc r = { .tgid = pid };

	snprintf((char *)r.exe, sizeof(r.exe), "%s", exe);
	snprintf((char *)r.title, sizeof(r.title), "%s --password title-secret", exe);
	serverfacts_add(s, &r);
}

static void put_process(uint32_t pid, const char *exe, const char *ns)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/%u/exe", pid);
	put_link(name, exe);
	snprintf(name, sizeof(name), "/proc/%u/ns/mnt", pid);
	put_link(name, ns);
	snprintf(name, sizeof(name), "/proc/%u/cmdline", pid);
	put_file(name, "x --password cmdline-secret");
	snprintf(name, sizeof(name), "/proc/%u/environ", pid);
	put_file(name, "PASSWORD=environ-secret");
}

static void test_servers(void **state)
{
	struct serverfacts *s = calloc(1, sizeof(*s));
	struct elf_file elf = make_elf();
	char path[256], *text;

	(void)state;
	assert_non_null(s);
	put_link("/proc/self/ns/mnt", "mnt:[1]");
	put_file("/var/lib/dpkg/info/nginx.list", "/.\n/usr/sbin/nginx\n/usr/sbin/nginx-debug\n");
	put_file("/var/lib/dpkg/info/libc6:amd64.list", "/.\n/bin/old\n");
	put_file("/var/lib/dpkg/info/nginx.md5sums", "/usr/sbin/other\n");
	put_file("/var/lib/dpkg/status",
		 "Package: libc6\nVersion: 2.36-9\n\nPackage: nginx-common\nVersion: 0\n\n"
		 "Package: nginx\nStatus: install ok installed\nVersion: 1.22.1-9+deb12u3\n\n"
		 "Package: unversioned\n\nPackage: last\nVersion: 7\n");
	put_process(10, "/usr/sbin/nginx", "mnt:[1]");
	put_process(11, "/usr/bin/old", "mnt:[1]");
	put_process(12, "/usr/sbin/nginx-debug (deleted)", "mnt:[1]");
	put_process(13, "/usr/sbin/nginx", "mnt:[2]");
	put_process(14, "/home/alice/secret-project/own", "mnt:[1]");
	put_bytes("/elf", &elf, sizeof(elf));
	snprintf(path, sizeof(path), "%s/elf", root);
	put_process(15, path, "mnt:[1]");
	put_file("/proc/15/limits",
		 "Limit   Soft  Hard Units\n"
		 "Max open files            1024                 4096      files\n");
	add(s, 9, "nginx"); /* gone */
	add(s, 10, "nginx");
	add(s, 11, "old");
	add(s, 12, "nginx-debug");
	add(s, 14, "own");
	add(s, 15, "elf");
	add(s, 16, "gone");
	text = servers_text(s);
	expect(text, "{\"schema\":\"tardy.servers/1.0\",\"dropped\":0}\n");
	expect(text, "\"exe\":\"nginx\",\"processes\":2,\"alive\":true,\"package\":\"nginx\","
		     "\"version\":\"1.22.1-9+deb12u3\",");
	expect(text, "\"exe\":\"old\",\"processes\":1,\"alive\":true,\"package\":\"libc6\","
		     "\"version\":\"2.36-9\"");
	expect(text, "\"exe\":\"nginx-debug\",\"processes\":1,\"alive\":true,\"package\":null");
	expect(text, "\"exe\":\"own\",\"processes\":1,\"alive\":true,\"package\":null");
	expect(text, "\"build_id\":\"a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3\","
		     "\"open_files_limit\":1024}");
	expect(text, "\"exe\":\"gone\",\"processes\":1,\"alive\":false,\"package\":null");
	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "alice"));
	free(text);
	/* in a container: the host's packages say nothing of it */
	*s = (struct serverfacts){ .n = 0 };
	add(s, 13, "nginx");
	text = servers_text(s);
	expect(text, "\"alive\":true,\"package\":null,\"version\":null");
	free(text);
	/* a pid that is somebody else by now */
	*s = (struct serverfacts){ .n = 0 };
	add(s, 10, "php-fpm");
	text = servers_text(s);
	expect(text, "\"alive\":false,\"package\":null");
	free(text);
	free(s);
}

static void test_servers_bounded(void **state)
{
	struct serverfacts *s = calloc(1, sizeof(*s));
	char name[300], *text;

	(void)state;
	assert_non_null(s);
	for (uint32_t i = 0; i < 3 * SERVERFACTS_MAX; i++) {
		snprintf(name, sizeof(name), "server%u", i);
		add(s, i + 1, name);
	}
	assert_int_equal(s->n, SERVERFACTS_MAX);
	assert_int_equal(s->dropped, 2 * SERVERFACTS_MAX);
	for (uint32_t i = 0; i < 1000; i++)
		add(s, i, "server1");
	assert_int_equal(s->v[1].processes, 1001);
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	*s = (struct serverfacts){ .n = 0 };
	add(s, 1, name);
	add(s, 2, name);
	add(s, 3, "");
	add(s, 4, "a\"b\n\033[2J");
	assert_int_equal(s->n, 2);
	assert_int_equal(s->v[0].processes, 2);
	text = servers_text(s);
	free(text);
	free(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_host),     TEST(test_host_of_nothing), TEST(test_read_is_bounded),
		TEST(test_build_id), TEST(test_servers),         TEST(test_servers_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
