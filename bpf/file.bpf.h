/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of what a thread waits for: files by their directory entry, disks by their device. */
#ifndef TARDY_FILE_BPF_H
#define TARDY_FILE_BPF_H
#include "thread.bpf.h"

#define PARENT_MAX 24 /* bytes of the parent's name, its separator included */

/* "parent/name" of a directory entry; empty when there is none. */
static __always_inline void dentry_name(struct dentry *d, __u8 *out)
{
	struct dentry *parent;
	__s64 n;

	out[0] = 0;
	if (!d)
		return;
	parent = BPF_CORE_READ(d, d_parent);
	n = bpf_probe_read_kernel_str(out, PARENT_MAX, BPF_CORE_READ(parent, d_name.name));
	if (n < 1 || n > PARENT_MAX)
		return;
	if (n == 2 && out[0] == '/') /* in the root of its file system */
		n = 1;
	out[n - 1] = '/';
	bpf_probe_read_kernel_str(out + n, ABI_NAME - PARENT_MAX, BPF_CORE_READ(d, d_name.name));
}

/* The file behind the first argument of the system call that p is in, if that is a descriptor. */
static __always_inline struct file *call_file(struct task_struct *p)
{
	__u64 arg = REG_ARG1(task_regs(p));

	return arg >> 32 ? NULL : task_file(p, arg);
}

static __always_inline void file_name(struct task_struct *p, __u8 *out)
{
	struct file *file = call_file(p);

	dentry_name(file ? file->f_path.dentry : NULL, out);
}

/* The same for calls that wait for a disk through a descriptor. */
static __always_inline void wait_file_name(struct task_struct *p, struct thread *t, __u8 *out)
{
	__u32 class = class_of(t->syscall);

	out[0] = 0;
	if (class == SYSC_FILE || class == SYSC_FD_READ || class == SYSC_FD_WRITE)
		file_name(p, out);
}

/* Which file it is, 0 = none: inodes are numbered by file system, whose device goes on top, where numbers
 * of inodes seldom reach. */
static __always_inline __u64 wait_inode(struct task_struct *p)
{
	struct file *file = call_file(p);
	struct inode *inode = file ? file->f_inode : NULL;

	return inode ? inode->i_ino ^ (__u64)inode->i_sb->s_dev << 40 : 0;
}

/* The name of a file that is in the page cache, by one of its directory entries. */
static __always_inline void inode_name(struct inode *inode, __u8 *out)
{
	struct hlist_node *first = inode ? BPF_CORE_READ(inode, i_dentry.first) : NULL;

	dentry_name(first ? (struct dentry *)((__u64)first -
					      bpf_core_field_offset(struct dentry, d_u.d_alias)) :
			    NULL,
		    out);
}

/* A disk's name into out (32 bytes); returns major << 20 | minor. */
static __always_inline __u32 disk_fill(struct gendisk *disk, __u8 *out)
{
	if (!disk)
		return 0;
	bpf_probe_read_kernel_str(out, 32, disk->disk_name);
	return (__u32)BPF_CORE_READ(disk, major) << 20 | BPF_CORE_READ(disk, first_minor);
}

#endif
