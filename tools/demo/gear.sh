# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # dir, web_user, rights and built are of classroom
#
# What some modes of the demo classroom need beside the three servers: a small disk that is slow,
# a CPU quota, a network namespace with the tutor's model in it, a backup that takes the CPUs.
# Sourced by classroom alone. Whatever outlives a command is written into the state before it is
# made ("gear KIND NAME"), so that any later command can undo it, and undoing what was never made
# is no error.

readonly DISK_MB=512	# of the uploads' file system, a sparse file: 64 KiB x 4 for 1000 users fit
readonly DISK_BYTES_PER_S=$((1 << 20))	# 16 uploads a second
readonly QUOTA_US=10000 PERIOD_US=100000	# a tenth of a CPU for the whole pool
readonly QUOTA_WEIGHT=2000	# 100 is usual
readonly MODEL_PORT=8080
readonly HOGS_PER_CPU=3 HOGS_MAX=24

gear=()	# "KIND NAME" in the order in which they were made

gear_note() {
	gear+=("$1 $2")
	save_state
}

# A name that no earlier run has used, for groups, namespaces and links (15 characters at most).
gear_id() {
	head -c 4 /dev/urandom | od -An -tx4 | tr -d ' \n'
}

gear_make() {
	case $1 in
	upload-disk) gear_root "$1"; make_slow_disk ;;
	cpu-quota) gear_root "$1"; make_quota ;;
	tutor) gear_root "$1"; make_tutor ;;
	esac
}

gear_root() {
	[ "$(id -u)" -eq 0 ] || die "mode $1 needs root"
}

# Undone in the reverse order.
gear_undo() {
	local i
	for ((i = ${#gear[@]} - 1; i >= 0; i--)); do
		"undo_${gear[i]%% *}" "${gear[i]#* }"
	done
	gear=()
	[ ! -e "$dir/state" ] || save_state
}

# --- control groups: v1 where the controller is mounted so, else v2 -----------------------------

v1_mount() {
	awk -v want="(^|,)$1(,|\$)" '$3 == "cgroup" && $4 ~ want { print $2; exit }' /proc/mounts
}

v2_mount() {
	awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts
}

# make_group V1-CONTROLLER V2-CONTROLLER: a new group, "group", of version "group_version".
make_group() {
	local root
	root=$(v1_mount "$1") group_version=1
	if [ -z "$root" ]; then
		root=$(v2_mount) group_version=2
		[ -n "$root" ] || die "no control groups are mounted here"
		grep -qw "$2" "$root/cgroup.subtree_control" ||
			die "$root has no controller $2 for groups below it;" \
				"echo +$2 >$root/cgroup.subtree_control gives it"
	fi
	group=$root/classroom-$(gear_id)
	gear_note group "$group"
	mkdir "$group" || die "cannot make $group"
}

# What is still in a group or a namespace that nobody else knows was started by a command that did
# not come to write it down.
end_strays() {
	local pid
	for pid in "$@"; do
		kill -s KILL "$pid" 2>/dev/null || true
	done
}

undo_group() {
	local i
	for ((i = 0; i < 40; i++)); do
		[ -d "$1" ] || return 0
		rmdir "$1" 2>/dev/null && return 0
		mapfile -t strays <"$1/cgroup.procs"
		end_strays "${strays[@]}"
		sleep 0.05
	done
	die "cannot remove the control group $1"
}

# Puts the calling subshell into the groups that were made.
join_groups() {
	local one
	for one in "${gear[@]}"; do
		[ "${one%% *}" != group ] || echo "$BASHPID" >"${one#* }/cgroup.procs"
	done
}

# A high weight, so that it is the quota that is felt and not whatever else the host does.
make_quota() {
	make_group cpu cpu
	if [ "$group_version" -eq 1 ]; then
		echo "$PERIOD_US" >"$group/cpu.cfs_period_us"
		echo "$QUOTA_US" >"$group/cpu.cfs_quota_us"
		echo $((QUOTA_WEIGHT * 1024 / 100)) >"$group/cpu.shares"
	else
		echo "$QUOTA_US $PERIOD_US" >"$group/cpu.max"
		echo "$QUOTA_WEIGHT" >"$group/cpu.weight"
	fi
}

# --- the uploads' disk ---------------------------------------------------------------------------

# A file system of its own behind a loop device: a throttle on the host's disk would hold up its
# journal too, and with it everybody who syncs there.
make_slow_disk() {
	local number
	gear_note disk "$dir/uploads"
	truncate -s "${DISK_MB}M" "$dir/uploads.img"
	mkfs.ext4 -q -F -m 0 "$dir/uploads.img" >>"$dir/log/setup.log" 2>&1 ||
		die "cannot make a file system (package e2fsprogs); see $dir/log/setup.log"
	mount -o loop,nosuid,nodev,noexec "$dir/uploads.img" "$dir/uploads" ||
		die "cannot mount a file system from a file (loop devices)"
	chown "$web_user" "$dir/uploads"
	chmod 0700 "$dir/uploads"
	number=$(stat -c '%Hd:%Ld' "$dir/uploads")
	make_group blkio io
	if [ "$group_version" -eq 1 ]; then
		echo "$number $DISK_BYTES_PER_S" >"$group/blkio.throttle.write_bps_device"
	else
		echo "$number wbps=$DISK_BYTES_PER_S" >"$group/io.max"
	fi
}

# The loop device goes by itself with the mount.
undo_disk() {
	local i
	for ((i = 0; i < 40; i++)); do
		mountpoint -q "$1" || break
		umount "$1" 2>/dev/null || sleep 0.05
	done
	! mountpoint -q "$1" || umount -l "$1"
	rm -f "$1.img"
}

# --- the tutor's model ---------------------------------------------------------------------------

# A /30 of 198.18.0.0/15, which is set aside for tests between networks, that this host has not.
choose_network() {
	local i
	for ((i = 0; i < 20; i++)); do
		gear_name=$(gear_id)
		network=198.18.$((16#${gear_name:0:2})).$((16#${gear_name:2:2} & 252))
		[[ $(ip -4 -o addr) == *" ${network%.*}."* ]] || return 0
	done
	die "no free network in 198.18.0.0/16"
}

make_tutor() {
	local space host near far program
	choose_network
	space=classroom-$gear_name near=cr${gear_name}a far=cr${gear_name}b
	host=${network%.*}.$((${network##*.} + 2))
	gear_note netns "$space"
	ip netns add "$space" || die "cannot make a network namespace"
	gear_note link "$near"
	ip link add "$near" type veth peer name "$far" netns "$space" ||
		die "cannot make a pair of links"
	ip addr add "${network%.*}.$((${network##*.} + 1))/30" dev "$near"
	ip link set "$near" up
	ip -n "$space" addr add "$host/30" dev "$far"
	ip -n "$space" link set "$far" up
	ip -n "$space" link set lo up
	find_built model
	program=$dir/bin/demo-model
	install -m 0755 "$built" "$program"
	set_rights "$web_user"
	# a session of its own, so that a terminal's ^C is not for it
	setsid ip netns exec "$space" "${rights[@]}" "$program" "$host" "$MODEL_PORT" \
		9>&- </dev/null >>"$dir/log/model.log" 2>&1 &
	record model $!
	printf 'http://%s:%s/v1/answers\n' "$host" "$MODEL_PORT" >"$dir/conf/tutor.url"
	wait_for_model "$space"
}

# Until it listens, which only its own namespace can say.
wait_for_model() {
	local i hex
	hex=$(printf ':%04X' "$MODEL_PORT")
	for ((i = 0; i < 100; i++)); do
		lives model || break
		! ip netns exec "$1" cat /proc/net/tcp | awk -v p="$hex" \
			'$4 == "0A" && substr($2, 9) == p { found = 1 } END { exit !found }' ||
			return 0
		sleep 0.05
	done
	die "the tutor's model did not start; see $dir/log/model.log"
}

undo_netns() {
	rm -f "$dir/conf/tutor.url"
	[ -e "/run/netns/$1" ] || return 0
	mapfile -t strays < <(ip netns pids "$1")
	end_strays "${strays[@]}"
	ip netns del "$1"
}

undo_link() {
	! ip link show "$1" >/dev/null 2>&1 || ip link del "$1"
}

# --- the backup ----------------------------------------------------------------------------------

# A nightly backup that compresses, at the wrong time: some xz at normal priority for as long as
# the calling process lives, which is going to be the load. Each has a session of its own, as jobs
# of cron have, and may use so many seconds of CPU time at most.
start_backup() {
	local i count seconds=$1
	command -v xz >/dev/null || die "no xz (package xz-utils)"
	count=$(($(nproc) * HOGS_PER_CPU))
	[ "$count" -le "$HOGS_MAX" ] || count=$HOGS_MAX
	set_rights "$web_user"
	for ((i = 0; i < count; i++)); do
		(
			ulimit -t "$seconds"
			exec setsid "${rights[@]}" setpriv --pdeathsig TERM xz -3 -c \
				< <(exec "${rights[@]}" seq $((1 << 50)) 2>/dev/null) \
				>/dev/null 2>&1
		) &
	done
}
