/* SPDX-License-Identifier: GPL-2.0-only */
#include "probe/sweep.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/kernel_clock.h"
#include "tardy.skel.h"

enum { TCP, UNIX };
enum {
	FILES_MAX = 64, /* processes whose files are walked: an iterator each */
	SOCKETS_MANY = 2048, /* walking them takes some 0.5 ms ten times a second */
	SOCKSTAT_BYTES = 1024,
};

#define STAMPS_NS 2000000000ull /* stamps are looked at each so often in any case */

/* An observed process whose files are walked. */
struct files {
	uint32_t tgid;
	struct bpf_link *link;
	bool wanted;
};

struct sweep {
	struct tardy_bpf *skel;
	struct bpf_link *conns, *stamps, *sockets[2], *threads; /* NULL: not loaded */
	uint64_t stamps_ns; /* when they were last looked at */
	struct files files[FILES_MAX];
	size_t n_files;
	bool no_walk[2]; /* too many, and files cover what is observed */
	ino_t netns;
};

/* Whether an iterator over the connections' map may be loaded: a kernel can refuse those over maps
 * and allow all others (seen on a locked down 6.18). */
static bool may_iterate_map(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_ITER);
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int id = libbpf_find_vmlinux_btf_id("bpf_sk_storage_map", BPF_TRACE_ITER), fd;

	if (id <= 0)
		return false;
	opts.attach_btf_id = (uint32_t)id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "may_iterate", "GPL", nothing,
			   sizeof(nothing) / sizeof(nothing[0]), &opts);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void sweep_choose(struct tardy_bpf *skel, bool no_maps)
{
	bool map = !no_maps && may_iterate_map();

	bpf_program__set_autoload(skel->progs.sweep_conns, map);
	bpf_program__set_autoload(skel->progs.sweep_stamps, map);
	bpf_program__set_autoload(skel->progs.sweep_tcp, !map);
	bpf_program__set_autoload(skel->progs.sweep_unix, !map);
	bpf_program__set_autoload(skel->progs.sweep_files, !map);
}

/* ---- links ------------------------------------------------------------------------------- */

static int attach(struct bpf_link **out, struct bpf_program *prog, union bpf_iter_link_info *info)
{
	LIBBPF_OPTS(bpf_iter_attach_opts, opts);

	if (!bpf_program__autoload(prog))
		return 0;
	if (info) {
		opts.link_info = info;
		opts.link_info_len = sizeof(*info);
	}
	*out = bpf_program__attach_iter(prog, &opts);
	return *out ? 0 : -errno;
}

static int attach_map(struct bpf_link **out, struct bpf_program *prog, const struct bpf_map *map)
{
	union bpf_iter_link_info info = { .map.map_fd = (uint32_t)bpf_map__fd(map) };

	return attach(out, prog, &info);
}

int sweep_iterate(struct bpf_link *link)
{
	char buf[64];
	ssize_t n;
	int fd = bpf_iter_create(bpf_link__fd(link));

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buf, sizeof(buf));
	} while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
	close(fd);
	return n < 0 ? -errno : 0;
}

static ino_t netns_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

int sweep_new(struct sweep **out, struct tardy_bpf *skel)
{
	struct sweep *s = calloc(1, sizeof(*s));
	int err;

	*out = s;
	if (!s)
		return -ENOMEM;
	s->skel = skel;
	s->netns = netns_of("/proc/self/ns/net");
	err = attach_map(&s->conns, skel->progs.sweep_conns, skel->maps.conns);
	if (!err)
		err = attach_map(&s->stamps, skel->progs.sweep_stamps, skel->maps.stamps);
	if (!err)
		err = attach(&s->sockets[TCP], skel->progs.sweep_tcp, NULL);
	if (!err)
		err = attach(&s->sockets[UNIX], skel->progs.sweep_unix, NULL);
	if (!err)
		err = attach(&s->threads, skel->progs.sweep_threads, NULL);
	if (!err)
		sweep_look(s);
	return err;
}

static void files_drop(struct sweep *s, size_t i)
{
	bpf_link__destroy(s->files[i].link);
	s->files[i] = s->files[--s->n_files];
}

void sweep_free(struct sweep *s)
{
	if (!s)
		return;
	while (s->n_files)
		files_drop(s, 0);
	bpf_link__destroy(s->conns);
	bpf_link__destroy(s->stamps);
	bpf_link__destroy(s->sockets[TCP]);
	bpf_link__destroy(s->sockets[UNIX]);
	bpf_link__destroy(s->threads);
	free(s);
}

static int run_maps(struct sweep *s)
{
	uint64_t now = kernel_clock_ns();
	int err = sweep_iterate(s->conns);

	if (!s->skel->bss->stamps_wait && now - s->stamps_ns < STAMPS_NS)
		return err;
	s->stamps_ns = now;
	return err ? err : sweep_iterate(s->stamps);
}

int sweep_run(struct sweep *s, uint64_t *covered_ns)
{
	struct tardy_bpf__bss *bss = s->skel->bss;
	int err;

	bss->pending_told = 0;
	bss->sweep_covers_ns = *covered_ns;
	bss->sweep_left_ns = 0;
	err = s->conns ? run_maps(s) : 0;
	for (int i = 0; i < 2 && !err; i++) {
		if (s->sockets[i] && !s->no_walk[i] && !err)
			err = sweep_iterate(s->sockets[i]);
	}
	for (size_t i = 0; i < s->n_files && !err; i++)
		err = sweep_iterate(s->files[i].link);
	if (bss->sweep_left_ns && bss->sweep_left_ns <= *covered_ns)
		*covered_ns = bss->sweep_left_ns - 1;
	return err ? err : sweep_iterate(s->threads);
}

/* ---- whose files ------------------------------------------------------------------------- */

static uint64_t number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

struct sweep_sockets sweep_count(const char *sockstat, const char *sockstat6)
{
	uint64_t used = number_after(sockstat, "sockets: used ");
	uint64_t tcp = number_after(sockstat, "TCP: inuse ") +
		       number_after(sockstat6, "TCP6: inuse ");

	return (struct sweep_sockets){ tcp + number_after(sockstat, " tw "),
				       used > tcp ? used - tcp : 0 };
}

static void read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
}

static struct sweep_sockets count_sockets(void)
{
	char sockstat[SOCKSTAT_BYTES], sockstat6[SOCKSTAT_BYTES];

	read_text("/proc/net/sockstat", sockstat, sizeof(sockstat));
	read_text("/proc/net/sockstat6", sockstat6, sizeof(sockstat6));
	return sweep_count(sockstat, sockstat6);
}

/* Makes sure that the process is among those whose files are walked; false: there is no room. */
static bool files_want(struct sweep *s, uint32_t tgid)
{
	union bpf_iter_link_info info = { .task.pid = tgid };
	struct bpf_link *link = NULL;

	for (size_t i = 0; i < s->n_files; i++)
		if (s->files[i].tgid == tgid) {
			s->files[i].wanted = true;
			return true;
		}
	if (s->n_files == FILES_MAX)
		return false;
	if (!attach(&link, s->skel->progs.sweep_files, &info))
		s->files[s->n_files++] = (struct files){ tgid, link, true };
	return true; /* without a link: it has ended */
}

static bool is_elsewhere(const struct sweep *s, uint32_t tgid)
{
	char path[40];
	ino_t netns;

	snprintf(path, sizeof(path), "/proc/%u/ns/net", tgid);
	netns = netns_of(path);
	return netns && netns != s->netns;
}

/* Do the files that are walked cover all processes of the map? Only those elsewhere, if not all. */
static bool files_of(struct sweep *s, const struct bpf_map *map, bool all)
{
	int fd = bpf_map__fd(map);
	uint32_t key, next;
	bool whole = true;

	for (uint32_t n = 0; !bpf_map_get_next_key(fd, n ? &key : NULL, &next); n++) {
		key = next;
		/* so many cannot be walked: no need to look further */
		if (n > 16 * FILES_MAX)
			return false;
		if (all || is_elsewhere(s, key))
			whole &= files_want(s, key);
	}
	return whole;
}

void sweep_look(struct sweep *s)
{
	const struct tardy_bpf__rodata *ro = s->skel->rodata;
	struct sweep_sockets n;
	bool many, whole = true;

	if (!s->sockets[TCP])
		return;
	n = count_sockets();
	many = n.tcp > SOCKETS_MANY || n.others > SOCKETS_MANY;
	for (size_t i = 0; i < s->n_files; i++)
		s->files[i].wanted = false;
	if (!ro->select_all)
		whole = files_of(s, s->skel->maps.selected, many);
	if (ro->select_all || ro->n_ports)
		whole &= files_of(s, s->skel->maps.servers, many);
	s->no_walk[TCP] = n.tcp > SOCKETS_MANY && whole;
	s->no_walk[UNIX] = n.others > SOCKETS_MANY && whole;
	for (size_t i = s->n_files; i-- > 0;)
		if (!s->files[i].wanted)
			files_drop(s, i);
}
