/* SPDX-License-Identifier: GPL-2.0-only */
#include "probe/syscalls.h"

#include <stddef.h>
#include <sys/syscall.h>

#include "bpf/abi.h"

struct row {
	int nr;
	uint8_t class, io;
};

#define R(name, class, io) \
	{ \
		SYS_##name, SYSC_##class, IO_##io \
	}

static const struct row rows[] = {
	R(read, FD_READ, BUF),
	R(readv, FD_READ, IOV),
	R(write, FD_WRITE, BUF),
	R(writev, FD_WRITE, IOV),
	R(pread64, FILE, NONE),
	R(preadv, FILE, NONE),
	R(preadv2, FILE, NONE),
	R(pwrite64, FILE, NONE),
	R(pwritev, FILE, NONE),
	R(pwritev2, FILE, NONE),
	R(recvfrom, RECV, BUF),
	R(recvmsg, RECV, MSG),
	R(recvmmsg, RECV, NONE),
	R(accept, RECV, NONE),
	R(accept4, RECV, NONE),
	R(sendto, SEND, BUF),
	R(sendmsg, SEND, MSG),
	R(sendmmsg, SEND, NONE),
	R(sendfile, SEND, NONE),
	R(splice, IPC, NONE),
	R(tee, IPC, NONE),
	R(vmsplice, IPC, NONE),
	R(connect, CONNECT, NONE),
	R(ppoll, POLL, NONE),
	R(pselect6, SELECT, NONE),
	R(epoll_pwait, EPOLL, NONE),
#ifdef SYS_epoll_pwait2
	R(epoll_pwait2, EPOLL, NONE),
#endif
#ifdef SYS_poll
	R(poll, POLL, NONE),
	R(select, SELECT, NONE),
	R(epoll_wait, EPOLL, NONE),
	R(pause, SLEEP, NONE),
	R(open, FILE, NONE),
	R(creat, FILE, NONE),
	R(stat, FILE, NONE),
	R(lstat, FILE, NONE),
	R(access, FILE, NONE),
	R(rename, FILE, NONE),
	R(mkdir, FILE, NONE),
	R(rmdir, FILE, NONE),
	R(unlink, FILE, NONE),
	R(link, FILE, NONE),
	R(symlink, FILE, NONE),
	R(readlink, FILE, NONE),
	R(chmod, FILE, NONE),
	R(chown, FILE, NONE),
	R(getdents, FILE, NONE),
	R(utimes, FILE, NONE),
#endif
	R(io_getevents, FILE, NONE),
	R(futex, FUTEX, NONE),
#ifdef SYS_futex_waitv
	R(futex_waitv, IPC, NONE),
#endif
	R(flock, FLOCK, NONE),
	R(fcntl, FLOCK, NONE),
	R(semop, FLOCK, NONE),
	R(semtimedop, FLOCK, NONE),
	R(nanosleep, SLEEP, NONE),
	R(clock_nanosleep, SLEEP, NONE),
	R(rt_sigsuspend, SLEEP, NONE),
	R(rt_sigtimedwait, SLEEP, NONE),
	R(wait4, IPC, NONE),
	R(waitid, IPC, NONE),
	R(msgsnd, IPC, NONE),
	R(msgrcv, IPC, NONE),
	R(mq_timedsend, IPC, NONE),
	R(mq_timedreceive, IPC, NONE),
	R(kill, SIGNAL, NONE),
	R(close, CLOSE, NONE),
#ifdef SYS_io_uring_enter
	R(io_uring_enter, URING, NONE),
#endif
#ifdef SYS_close_range
	R(close_range, CLOSE, NONE),
#endif
	R(openat, FILE, NONE),
#ifdef SYS_openat2
	R(openat2, FILE, NONE),
#endif
	R(newfstatat, FILE, NONE),
	R(statx, FILE, NONE),
	R(fstat, FILE, NONE),
	R(statfs, FILE, NONE),
	R(fstatfs, FILE, NONE),
	R(faccessat, FILE, NONE),
	R(renameat, FILE, NONE),
	R(renameat2, FILE, NONE),
	R(mkdirat, FILE, NONE),
	R(mknodat, FILE, NONE),
	R(unlinkat, FILE, NONE),
	R(linkat, FILE, NONE),
	R(symlinkat, FILE, NONE),
	R(readlinkat, FILE, NONE),
	R(fchmod, FILE, NONE),
	R(fchmodat, FILE, NONE),
	R(fchown, FILE, NONE),
	R(fchownat, FILE, NONE),
	R(utimensat, FILE, NONE),
	R(truncate, FILE, NONE),
	R(ftruncate, FILE, NONE),
	R(fallocate, FILE, NONE),
	R(fsync, FILE, NONE),
	R(fdatasync, FILE, NONE),
	R(sync, FILE, NONE),
	R(syncfs, FILE, NONE),
	R(sync_file_range, FILE, NONE),
	R(msync, FILE, NONE),
	R(lseek, FILE, NONE),
	R(getdents64, FILE, NONE),
	R(chdir, FILE, NONE),
	R(execve, FILE, NONE),
	R(execveat, FILE, NONE),
	R(copy_file_range, FILE, NONE),
	R(fadvise64, FILE, NONE),
	R(readahead, FILE, NONE),
	R(setxattr, FILE, NONE),
	R(getxattr, FILE, NONE),
	R(fgetxattr, FILE, NONE),
	R(fsetxattr, FILE, NONE),
};

void syscalls_fill(uint8_t *class_of, uint8_t *io_of)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].nr < 0 || rows[i].nr >= ABI_SYSCALLS)
			continue;
		class_of[rows[i].nr] = rows[i].class;
		io_of[rows[i].nr] = rows[i].io;
	}
}
