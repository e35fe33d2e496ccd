/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page faults of a known length: pages registered with userfaultfd, which a handler thread
 * supplies late. Each serving thread has its own range and handler.
 */
#define _GNU_SOURCE
#include "oracle_server.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FAULT_PAGES 64

struct oracle_fault {
	pthread_t thread;
	int uffd, stop_fd;
	char *pages;
	size_t page_bytes;
	int next;
	_Atomic int64_t us;
	_Atomic int64_t *woken_ns;
};

static void *fault_main(void *arg)
{
	struct oracle_fault *f = arg;
	struct pollfd fds[2] = { { .fd = f->uffd, .events = POLLIN },
				 { .fd = f->stop_fd, .events = POLLIN } };

	for (;;) {
		struct uffdio_zeropage zero = { 0 };
		struct uffd_msg msg;

		poll(fds, 2, -1);
		if (fds[1].revents)
			return NULL;
		if (read(f->uffd, &msg, sizeof(msg)) != sizeof(msg) ||
		    msg.event != UFFD_EVENT_PAGEFAULT)
			continue;
		oracle_sleep_us(atomic_load(&f->us));
		zero.range.start = msg.arg.pagefault.address & ~((uint64_t)f->page_bytes - 1);
		zero.range.len = f->page_bytes;
		atomic_store(f->woken_ns, oracle_now_ns());
		if (ioctl(f->uffd, UFFDIO_ZEROPAGE, &zero))
			abort();
	}
}

static int fault_open(struct oracle_fault *f)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	f->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	f->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (f->uffd < 0 || f->stop_fd < 0 || ioctl(f->uffd, UFFDIO_API, &api))
		return -errno;
	f->pages = mmap(NULL, FAULT_PAGES * f->page_bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (f->pages == MAP_FAILED)
		return -errno;
	/* a huge page would answer many faults at once */
	madvise(f->pages, FAULT_PAGES * f->page_bytes, MADV_NOHUGEPAGE);
	reg.range.start = (uintptr_t)f->pages;
	reg.range.len = FAULT_PAGES * f->page_bytes;
	return ioctl(f->uffd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

static void fault_close(struct oracle_fault *f)
{
	if (f->pages != MAP_FAILED)
		munmap(f->pages, FAULT_PAGES * f->page_bytes);
	if (f->uffd >= 0)
		close(f->uffd);
	if (f->stop_fd >= 0)
		close(f->stop_fd);
	free(f);
}

struct oracle_fault *oracle_fault_new(void)
{
	struct oracle_fault *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return NULL;
	f->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	f->pages = MAP_FAILED;
	err = fault_open(f);
	if (!err)
		err = -pthread_create(&f->thread, NULL, fault_main, f);
	if (err) {
		fault_close(f);
		errno = -err;
		return NULL;
	}
	return f;
}

void oracle_fault_free(struct oracle_fault *f)
{
	eventfd_write(f->stop_fd, 1);
	pthread_join(f->thread, NULL);
	fault_close(f);
}

void oracle_fault_touch(struct oracle_fault *f, int64_t us, _Atomic int64_t *woken_ns)
{
	if (f->next == FAULT_PAGES) {
		madvise(f->pages, FAULT_PAGES * f->page_bytes, MADV_DONTNEED);
		f->next = 0;
	}
	f->woken_ns = woken_ns;
	atomic_store(&f->us, us);
	*(volatile char *)(f->pages + f->page_bytes * (size_t)f->next++) = 1;
}
