#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the demo classroom makes outside of its folder (groups, a file system, a namespace and its
# link) goes with the mode and with "down", and after a command that was killed with the next one.
# timeout: 150
. "$(dirname "$0")/../lib/live.sh"
room=$TMP/class
at_exit '"$CLASSROOM" down --dir "$room" >/dev/null 2>&1'

# gear KIND: the names of that kind in the classroom's state
gear() { sed -n "s/^gear $1 //p" "$room/state" 2>/dev/null; }
# gear_left: of all that was seen so far, what still exists
seen=()
note() {
	local kind name
	while read -r _ kind name; do
		seen+=("$kind $name")
	done < <(grep '^gear ' "$room/state")
}
gear_left() {
	local one kind name
	for one in "${seen[@]}"; do
		kind=${one%% *} name=${one#* }
		case $kind in
		group) [ ! -d "$name" ] || echo "$one" ;;
		disk) ! mountpoint -q "$name" || echo "$one" ;;
		netns) [ ! -e "/run/netns/$name" ] || echo "$one" ;;
		link) ! ip link show "$name" >/dev/null 2>&1 || echo "$one" ;;
		*) echo "what is $one?" ;;
		esac
	done
}
up() { exec_or_run "$CLASSROOM" up --dir "$room" --mode "$1" >/dev/null 2>"$TMP/up.err"; }
# pid_of SERVER: as the state has it
pid_of() { sed -n "s/^pid $1 \([0-9]*\) .*/\1/p" "$room/state"; }

check "up with a slow disk" up upload-disk
note
check "the uploads have a file system of their own" mountpoint -q "$room/uploads"
like "the pool is in the group" "$(cat "$(gear group)/cgroup.procs")" "(^|[^0-9])$(pid_of php-fpm)([^0-9]|$)"
check "from there to a quota" up cpu-quota
is "the disk is gone" "$(gear_left)" ""
note
like "the pool is in the group" "$(cat "$(gear group)/cgroup.procs")" "(^|[^0-9])$(pid_of php-fpm)([^0-9]|$)"
like "there is one group" "$(gear group | wc -l)" '^1$'
check "from there to the tutor" up tutor
is "the group is gone" "$(gear_left)" ""
note
is "the model is in its namespace" "$(ip netns pids "$(gear netns)")" "$(pid_of model)"
is "who runs the model" "$(stat -c %U "/proc/$(pid_of model)")" www-data
check "down" "$CLASSROOM" down --dir "$room"
is "all is gone" "$(gear_left)" ""
check_not "the folder is gone" test -e "$room"

for mode in tutor upload-disk; do
	spawn up "$mode"
	wait_until 30 grep -q '^gear ' "$room/state" || bail "no gear" "$(cat "$TMP/up.err")"
	kill -KILL "$SPAWNED"
	wait "$SPAWNED" 2>/dev/null
	sleep 0.5 # what the killed command had started ends by itself
	note
	check "$mode: up again after a kill" up normal
	is "$mode: what the killed one had made is gone" "$(gear_left)" ""
	"$CLASSROOM" down --dir "$room"
done

# servers that were started and not written down
check "up once more" up normal
mapfile -t masters < <(for server in nginx php-fpm postgres; do pid_of "$server"; done)
is "there are three" "${#masters[@]}" 3
sed -i '/^pid /d' "$room/state"
check "down without a word of its servers" "$CLASSROOM" down --dir "$room"
is "they have ended" "$(ps -o stat=,pid=,args= -p "$(IFS=,; echo "${masters[*]}")" | grep -v '^Z')" ""

# the backup ends with the load, however that ends
check "up beside a backup" up cpu-hog
load() {
	exec "$CLASSROOM" load --dir "$room" --seconds 20 >/dev/null 2>&1
}
export TARDY_LOAD=$TARDY_BUILD/demo-load
spawn load
backup() { pgrep -P "$SPAWNED" xz; }
wait_until 10 backup >/dev/null || fail "a backup runs"
mapfile -t jobs < <(backup)
between "its jobs are few" "${#jobs[@]}" 1 24
is "who runs it" "$(stat -c %U "/proc/${jobs[0]}")" www-data
kill -KILL "$SPAWNED"
wait "$SPAWNED" 2>/dev/null
none_of() {
	local pid
	for pid; do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != xz ] || return 1
	done
}
check "the backup ends with the load" wait_until 10 none_of "${jobs[@]}"
done_testing
