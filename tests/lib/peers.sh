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
	local quota=$1 period=$2 group pid
	shift 2
	group=$CPU_GROUPS/tardy-compare-$$
	cpu_group "$group"
	cpu_quota_set "$group" "$quota" "$period"
	CPU_GROUP=$group
	# at_exit comes before the processes are ended: they have to leave first
	at_exit 'for p in $(cat "$CPU_GROUP/cgroup.procs"); do echo "$p" >"${CPU_GROUP%/*}/cgroup.procs"
		done; rmdir "$CPU_GROUP"'
	for pid in "$@"; do
		echo "$pid" >"$group/cgroup.procs" || bail "cannot move $pid to $group"
	done
}
