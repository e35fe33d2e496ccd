#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The oracle: servers that know what each of their requests waited for, and tardy, which must find
# the same. For each mode: start the server and what its causes need (a network namespace, a CPU
# quota, a block throttle), record it with tardy while the client drives it, compare.
#
#	tests/oracle/run.sh [--classifier NAME] [--mode LIST] [--only GROUPS] [--samples N] [-v]
#
# --classifier NAME runs with TARDY_BREAK=NAME in tardy's environment, which breaks that classifier:
# the run must then end with 1. --only restricts the groups of requests (a comma list), --samples says
# how many of each (30).
# Exit: 0 agreement, 1 disagreement, 2 usage, 3 something did not run or could not be set up.
#
# Environment: TARDY_BUILD or BUILD (build), TARDY (its tardy), TARDY_ORACLE_ALLOW_MISSING=1 (leave
# out causes that this host cannot produce), TARDY_ORACLE_KEEP=DIR (keep truth and answers there),
# TARDY_ORACLE_RECORD (options for tardy record), TARDY_ORACLE_SETTLE=SECONDS (before the first
# request, for a machine whose only processor the start of the recording keeps busy),
# TARDY_ORACLE_COMPARE (options for oracle_compare),
# TARDY_ORACLE_TRUTH_ONLY=1 (no tardy: only show that server and client run; nothing is compared).

set -u
build=${TARDY_BUILD:-${BUILD:-build}}
tardy=${TARDY:-$build/tardy}
bin=$build/oracle
classifier=
modes=threads,workers,pool,loop,proxy,lasting
only=
samples=30
verbose=

while [ $# -gt 0 ]; do
	case $1 in
	--classifier) classifier=${2:?}; shift ;;
	--mode) modes=${2:?}; shift ;;
	--only) only=${2:?}; shift ;;
	--samples) samples=${2:?}; shift ;;
	-v) verbose=-v ;;
	*) sed -n '8p' "$0" >&2; exit 2 ;;
	esac
	shift
done

work=$(mktemp -d /var/tmp/tardy-oracle.XXXXXX) || exit 3
id=$$
pids=()
cgroups=()
missing=()
netns=
loop_device=
mounted=

say() { echo "oracle: $*" >&2; }

# end PID...: SIGTERM, wait at most 5 s, SIGKILL
end()
{
	local pid i

	for pid in "$@"; do
		kill -TERM "$pid" 2>/dev/null || continue
		for ((i = 0; i < 50; i++)); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
}

clean()
{
	local i

	trap - EXIT INT TERM
	end "${pids[@]}"
	if [ -n "$netns" ]; then
		ip netns del "$netns"
		ip link del "tv${id}a" 2>/dev/null
	fi
	for ((i = ${#cgroups[@]} - 1; i >= 0; i--)); do
		rmdir "${cgroups[i]}" 2>/dev/null || { sleep 0.2; rmdir "${cgroups[i]}"; }
	done
	[ -n "$mounted" ] && umount "$mounted"
	[ -n "$loop_device" ] && losetup -d "$loop_device"
	if [ -n "${TARDY_ORACLE_KEEP:-}" ]; then
		mkdir -p "$TARDY_ORACLE_KEEP" &&
			cp "$work"/*.{ndjson,tardy,log} "$TARDY_ORACLE_KEEP" 2>/dev/null
	fi
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 3' INT TERM

# lacks WHAT GROUPS...: without these groups if that is allowed, else it is a failure
lacks()
{
	say "cannot set up $1"
	if [ "${TARDY_ORACLE_ALLOW_MISSING:-0}" != 1 ]; then
		say "TARDY_ORACLE_ALLOW_MISSING=1 leaves it out"
		exit 3
	fi
	shift
	missing+=("$@")
}

new_cgroup()
{
	mkdir "$1" && cgroups+=("$1")
}

# The mount point of a cgroup v1 controller.
v1_mount()
{
	awk -v want="(^|,)$1(,|\$)" '$3 == "cgroup" && $4 ~ want { print $2; exit }' /proc/mounts
}

v2_mount() { awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts; }

# cpu_cgroup: a group with 5 ms of CPU in 20 ms, that a thread can be put into. v2 wants the process
# in the parent and threads in a threaded child.
cpu_cgroup=
v2_parent=
setup_cpu()
{
	local root v2

	root=$(v1_mount cpu)
	if [ -n "$root" ]; then
		new_cgroup "$root/tardy-oracle-$id" &&
			echo 20000 >"$root/tardy-oracle-$id/cpu.cfs_period_us" &&
			echo 5000 >"$root/tardy-oracle-$id/cpu.cfs_quota_us" &&
			cpu_cgroup=$root/tardy-oracle-$id && return
		return 1
	fi
	v2=$(v2_mount)
	[ -n "$v2" ] || return 1
	v2_parent=$v2/tardy-oracle-$id
	new_cgroup "$v2_parent" && new_cgroup "$v2_parent/quota" &&
		echo threaded >"$v2_parent/quota/cgroup.type" &&
		echo +cpu >"$v2_parent/cgroup.subtree_control" &&
		echo "5000 20000" >"$v2_parent/quota/cpu.max" &&
		cpu_cgroup=$v2_parent/quota
} 2>"$work/cpu.log"

# A directory whose device can be throttled: this one, or a file system in a loop device.
disk_dir=$work/disk
device=
setup_disk_dir()
{
	local number

	mkdir "$disk_dir"
	number=$(stat -c '%Hd:%Ld' "$disk_dir")
	if [ -e "/sys/dev/block/$number/partition" ]; then
		number=$(cat "/sys/dev/block/$number/../dev")
	fi
	if [ ! -e "/sys/dev/block/$number" ]; then
		truncate -s 256M "$work/image" && mkfs.ext4 -q -F "$work/image" &&
			loop_device=$(losetup -f --show "$work/image") &&
			mount "$loop_device" "$disk_dir" && mounted=$disk_dir || return 1
		number=$(cat "/sys/block/${loop_device##*/}/dev")
	fi
	device=$number
} 2>"$work/disk.log"

# blkio_procs: the file to join. 64 KiB (DISK_KIB of the client) in 117 ms.
write_bps=560000
blkio_procs=
plain_fsync=
setup_blkio()
{
	local root

	setup_disk_dir || return 1
	root=$(v1_mount blkio)
	if [ -n "$root" ]; then
		root+=/tardy-oracle-$id
		new_cgroup "$root" &&
			echo "$device $write_bps" >"$root/blkio.throttle.write_bps_device" &&
			blkio_procs=$root/cgroup.procs && return
		return 1
	fi
	[ -n "$v2_parent" ] || return 1
	echo "$device wbps=$write_bps" >"$v2_parent/io.max"
} 2>>"$work/disk.log"

upstream_pid=
upstream=
setup_upstream()
{
	local net=198.18.$((id % 250)) name=tardy-oracle-$id i

	ip netns add "$name" || return 1
	netns=$name
	ip link add "tv${id}a" type veth peer name "tv${id}b" &&
		ip link set "tv${id}b" netns "$netns" &&
		ip addr add "$net.1/30" dev "tv${id}a" && ip link set "tv${id}a" up &&
		ip -n "$netns" addr add "$net.2/30" dev "tv${id}b" &&
		ip -n "$netns" link set "tv${id}b" up && ip -n "$netns" link set lo up || return 1
	mkdir "$work/upstream"
	ip netns exec "$netns" "$bin/oracle_server" --mode threads --listen "$net.2" --port 8080 \
		--dir "$work/upstream" --ready "$work/upstream.ready" &
	upstream_pid=$!
	pids+=("$upstream_pid")
	upstream=$net.2:8080
	for ((i = 0; i < 50; i++)); do
		[ -e "$work/upstream.ready" ] && return 0
		sleep 0.1
	done
	return 1
} 2>"$work/netns.log"

# What the proxy passes on to, and what the lasting connections lead to: a server with its own truth.
back_pid=
start_back()
{
	local mode=$1 kind=$2 i

	mkdir -p "$work/$mode.back"
	"$bin/oracle_server" --mode "$kind" --port "$back_port" --dir "$work/$mode.back" \
		--truth "$work/$mode.back.ndjson" --ready "$work/$mode.back.ready" \
		2>"$work/$mode.back.log" &
	back_pid=$!
	pids+=("$back_pid")
	wait_ready "$mode.back"
}

# wait_ready NAME: until that server listens
wait_ready()
{
	local i

	for ((i = 0; i < 50; i++)); do
		[ -e "$work/$1.ready" ] && return 0
		sleep 0.1
	done
	cat "$work/$1.log" >&2
	return 1
}

start_server()
{
	local mode=$1
	local -a more=()

	back_pid=
	case $mode in
	threads | loop) [ -n "$upstream" ] && more+=(--upstream "$upstream") ;;
	pool) more+=(--workers 3) ;;
	proxy)
		start_back "$mode" threads || return 1
		more+=(--upstream "127.0.0.1:$back_port")
		;;
	lasting)
		start_back "$mode" store || return 1
		more+=(--store "127.0.0.1:$back_port")
		;;
	esac
	[ -n "$cpu_cgroup" ] && more+=(--cpu-cgroup "$cpu_cgroup")
	(
		[ -n "$blkio_procs" ] && echo "$BASHPID" >"$blkio_procs"
		[ -n "$v2_parent" ] && echo "$BASHPID" >"$v2_parent/cgroup.procs"
		exec "$bin/oracle_server" --mode "$mode" --port "$port" --dir "$disk_dir" \
			--truth "$work/$mode.server.ndjson" --ready "$work/$mode.ready" "${more[@]}"
	) 2>"$work/$mode.log" &
	server_pid=$!
	pids+=("$server_pid")
	wait_ready "$mode"
}

# end_server PID NAME: it writes its truth
end_server()
{
	kill -TERM "$1"
	wait "$1" || { cat "$work/$2.log" >&2; return 1; }
}

start_record()
{
	local mode=$1 targets i

	targets=$(cat "$work/$mode.ready")
	# the upstream is a stranger to mode threads, and a tracked process, joined, to mode loop
	[ "$mode" = loop ] && [ -n "$upstream_pid" ] && targets+=,$(cat "$work/upstream.ready")
	[ -n "$back_pid" ] && targets+=,$back_pid
	# shellcheck disable=SC2086 # options are words
	TARDY_BREAK=$classifier "$tardy" record ${TARDY_ORACLE_RECORD:-} -p "$targets" -o "$work/$mode.tardy" --duration 60 \
		2>"$work/$mode.record.log" >&2 &
	record_pid=$!
	pids+=("$record_pid")
	for ((i = 0; i < 100; i++)); do
		if grep -qs recording "$work/$mode.record.log"; then
			sleep "${TARDY_ORACLE_SETTLE:-0}"
			return 0
		fi
		kill -0 "$record_pid" 2>/dev/null || break
		sleep 0.1
	done
	say "tardy does not record:"
	cat "$work/$mode.record.log" >&2
	return 1
}

# SIGTERM finishes the file as SIGINT does, but is not ignored in a script's background job.
stop_record()
{
	local i

	sleep 0.3
	kill -TERM "$record_pid"
	for ((i = 0; i < 100; i++)); do
		kill -0 "$record_pid" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "$record_pid" 2>/dev/null
	wait "$record_pid" || { say "tardy record: exit $?"; cat "$1" >&2; return 1; }
}

# 0 agreement, 1 disagreement, 3 not compared
run_mode()
{
	local mode=$1 without status=0
	local -a more=()

	without=$(IFS=,; echo "${missing[*]}")
	[ -n "$only" ] && more+=(--only "$only")
	start_server "$mode" || return 3
	if [ "${TARDY_ORACLE_TRUTH_ONLY:-0}" != 1 ]; then
		start_record "$mode" || return 3
	fi
	"$bin/oracle_client" --mode "$mode" --port "$port" --out "$work/$mode.client.ndjson" \
		-n "$samples" --without "$without" $plain_fsync "${more[@]}" || status=3
	if [ "${TARDY_ORACLE_TRUTH_ONLY:-0}" != 1 ]; then
		stop_record "$work/$mode.record.log" || status=3
	fi
	end_server "$server_pid" "$mode" || status=3
	more=()
	if [ -n "$back_pid" ]; then
		end_server "$back_pid" "$mode.back" || status=3
		more+=(--callee "$work/$mode.back.ndjson")
	fi
	[ "$status" = 0 ] || return 3
	[ "${TARDY_ORACLE_TRUTH_ONLY:-0}" = 1 ] && return 0
	TARDY_BREAK=$classifier "$tardy" report -i "$work/$mode.tardy" requests -F json \
		>"$work/$mode.answer.ndjson" 2>"$work/$mode.report.log" || {
		say "tardy report failed:"
		cat "$work/$mode.report.log" >&2
		return 3
	}
	# shellcheck disable=SC2086 # options are words
	"$bin/oracle_compare" ${TARDY_ORACLE_COMPARE:-} "$work/$mode.server.ndjson" "$work/$mode.client.ndjson" \
		"$work/$mode.answer.ndjson" --mode "$mode" "${more[@]}" $verbose >"$work/$mode.compare.log"
	status=$?
	[ "$status" = 2 ] && status=3
	grep -v '^oracle: ' "$work/$mode.compare.log"
	grep '^oracle: ' "$work/$mode.compare.log" >>"$work/closing"
	echo
	return $status
}

[ "$(id -u)" = 0 ] || { say "needs root"; exit 3; }
for need in "$bin/oracle_server" "$bin/oracle_client" "$bin/oracle_compare"; do
	[ -x "$need" ] || { say "no $need: make oracle-bins"; exit 3; }
done
if [ ! -x "$tardy" ] && [ "${TARDY_ORACLE_TRUTH_ONLY:-0}" != 1 ]; then
	say "no $tardy"
	exit 3
fi
port=$((20000 + id % 10000))
back_port=$((port + 20))
setup_cpu || lacks "a CPU quota" throttle
setup_blkio || { lacks "a block throttle" disk; plain_fsync=--plain-fsync; }
setup_upstream || lacks "a network namespace with an upstream" upstream

worst=0
: >"$work/closing"
for mode in ${modes//,/ }; do
	run_mode "$mode"
	status=$?
	[ "$status" -gt "$worst" ] && worst=$status
	port=$((port + 1))
done
if [ "${TARDY_ORACLE_TRUTH_ONLY:-0}" = 1 ]; then
	echo "truth only: nothing was compared"
	exit "$worst"
fi
compared=$(wc -l <"$work/closing")
[ "$compared" -gt 0 ] || exit 3
awk '{
	causes += $2
	if ($6 + 0 > worst) worst = $6 + 0
	if ($10 + 0 > residue) residue = $10 + 0
}
END { printf "oracle: %d causes, worst error %.2f %%, residue max %d us\n", causes, worst, residue }
' "$work/closing"
exit "$worst"
