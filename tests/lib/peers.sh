# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Other observers beside tardy, for tests/compare.

. "$(dirname "${BASH_SOURCE[0]}")/live.sh"

# tool_start NAME ARGS...: a program of libbpf-tools, $TOOL_PID, what it prints in $TMP/NAME
tool_start() {
	local name=$1
	command -v "$name" >/dev/null || bail "$name is not installed (libbpf-tools)"
	# its output is not a terminal: without stdbuf its first line would come with its last
	spawn stdbuf -oL "$@" >"$TMP/$name" 2>"$TMP/$name.err" </dev/null
	TOOL_PID=$SPAWNED
	wait_until 20 grep -q '^Tracing' "$TMP/$name" ||
		bail "$name did not start" "$(cat "$TMP/$name.err")"
}
# tool_end PID NAME: it prints what it has and ends
tool_end() {
	end_pid "$1" INT
	is "$2: exit status" $? 0
}

# loop_device SIZE: a block device of its own, full of random bytes, past the page cache: $LOOP, $DISK
loop_device() {
	head -c "$1" /dev/urandom >"$TMP/image"
	LOOP=$(losetup -f --show --direct-io=on "$TMP/image") || bail "no loop device"
	at_exit 'losetup -d "$LOOP"'
	DISK=${LOOP#/dev/}
}

# cpu_quota QUOTA_US PERIOD_US PID...: these processes may run so long in each period
cpu_quota() {
	local quota=$1 period=$2 root group pid
	shift 2
	root=$(awk '$3 == "cgroup" && $4 ~ /(^|,)cpu(,|$)/ { print $2; exit }' /proc/mounts)
	if [ -n "$root" ]; then
		group=$root/tardy-compare-$$
		mkdir "$group" && echo "$period" >"$group/cpu.cfs_period_us" &&
			echo "$quota" >"$group/cpu.cfs_quota_us" || bail "no CPU quota (cgroup v1)"
	else
		root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
		[ -n "$root" ] || bail "no cgroup file system"
		echo +cpu >"$root/cgroup.subtree_control"
		group=$root/tardy-compare-$$
		mkdir "$group" && echo "$quota $period" >"$group/cpu.max" || bail "no CPU quota (cgroup v2)"
	fi
	CPU_GROUP=$group
	# at_exit comes before the processes are ended: they have to leave first
	at_exit 'for p in $(cat "$CPU_GROUP/cgroup.procs"); do echo "$p" >"${CPU_GROUP%/*}/cgroup.procs"
		done; rmdir "$CPU_GROUP"'
	for pid in "$@"; do
		echo "$pid" >"$group/cgroup.procs" || bail "cannot move $pid to $group"
	done
}
