#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The first process of the virtual machine: mounts, runs the script that the kernel's command line
# names (tardy.run=NAME), sends what it left in /out home on the disk and turns the machine off.
export PATH=/usr/bin:/usr/sbin:/bin:/sbin HOME=/root LC_ALL=C TZ=UTC
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
for dir in /tmp /run /var/tmp /dev/shm; do busybox mount -t tmpfs tmp $dir; done
mkdir -p /sys/fs/cgroup
busybox mount -t cgroup2 cgroup /sys/fs/cgroup
echo '+cpu +io' >/sys/fs/cgroup/cgroup.subtree_control
# the names that are still free
busybox --install -s /usr/bin 2>/dev/null
busybox stty -F /dev/ttyS1 raw -echo
exec 3>/dev/ttyS1

# the same words as tests/lib/vm.sh reads
say() { printf '%s\n' "$*" >&3; }
ok() { say "ok $1"; }
not_ok() {
	say "not ok $1"
	shift
	(($# == 0)) || printf '%s\n' "$@" | sed 's/^/  /' >&3
}
# is NAME GOT WANTED; like NAME FILE REGEX
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got:    $2" "wanted: $3"; fi; }
like() {
	if grep -qE "$3" "$2"; then ok "$1"; else not_ok "$1" "no match: $3" "$(cat "$2")"; fi
}
wait_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
}
# load MODULE...: those that the kernel has as modules
load() {
	local m
	for m in "$@"; do
		[ ! -e "/modules/$m.ko" ] || busybox insmod "/modules/$m.ko" ||
			not_ok "module $m" "$(dmesg | tail -n 3)"
	done
}

load virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk
ip link set lo up
run=$(sed -n 's/.*tardy\.run=\([a-z_]*\).*/\1/p' /proc/cmdline)
cd /
# shellcheck disable=SC1090
. "/$run.sh"
dmesg >/out/dmesg
tar -C /out -cf - . | busybox dd of=/dev/vda bs=64k conv=notrunc 2>/dev/null
sync
say end
busybox poweroff -f
