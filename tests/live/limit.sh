#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Limits of I/O: of the server's own group, of one above it, of both, and one that is never reached. What
# was held names the limit and its group where it is certain whose it was. In a hierarchy of cgroup v1 the
# limit of a group above does not hold what is below.
# timeout: 120
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

mkdir "$TMP/disk"
truncate -s 64M "$TMP/image"
mkfs.ext4 -q -F "$TMP/image" >"$TMP/mkfs.out" 2>&1 || bail "mkfs.ext4" "$(cat "$TMP/mkfs.out")"
mount -o loop "$TMP/image" "$TMP/disk" || bail "cannot mount a file system from a file"
at_exit 'wait_until 5 umount "$TMP/disk"'
number=$(stat -c '%Hd:%Ld' "$TMP/disk")
disk=$(basename "$(readlink "/sys/dev/block/$number")")

above=$IO_GROUPS/tardy-above-$$
below=$above/below
at_exit 'rmdir "$below" "$above" 2>/dev/null || { sleep 0.3; rmdir "$below" "$above"; }'
io_group "$above"
io_group "$below"

# held WHAT PATH NAME: the server in $below; NAME as in limit.py
held() {
	local port server n=8
	port=$(free_port)
	spawn python3 "$here/limit.py" server "$port" "$TMP/disk/data" "$below/cgroup.procs"
	server=$SPAWNED
	wait_until 20 listens "$port" || bail "the server did not start"
	record_start "$server"
	python3 "$here/limit.py" client "$port" "$2" "$n" "$TMP/took" || bail "the client"
	record_end
	is "$1: record ended well" "$RECORD_STATUS" 0
	end_pid "$server"
	report_json "$TMP/report" requests
	facts python3 "$here/limit.py" check "$1" "$3" "$TMP/report" "$TMP/took" "$n"
}
slow=$((1 << 20)) slower=$((1 << 19)) never=$((1 << 34))
held "no limit" /write ""
io_limit_set "$below" "$number" wbps "$slow"
held "its own group's" /write "$disk sync write held by limit 1.05 MB/s of below: /data"
held "the same, through the page cache" /sync \
	"$disk sync write held by limit 1.05 MB/s of below: /data.sync"
held "a limit of writes while it reads" /read ""
io_limit_set "$below" "$number" rbps "$slow"
held "a limit of reads" /read "$disk read held by limit 1.05 MB/s of below: /data"
io_limit_set "$below" "$number" rbps max
io_limit_set "$below" "$number" wbps max
io_limit_set "$below" "$number" wiops 10
held "a limit of operations" /write "$disk sync write held by limit 10 IO/s of below: /data"
io_limit_set "$below" "$number" wiops max
io_limit_set "$below" "$number" wbps "$never"
held "a limit that is not reached" /write ""
io_limit_set "$below" "$number" wbps max
io_limit_set "$above" "$number" wbps "$slow"
if [ -n "$IO_GROUPS_V2" ]; then
	held "one above" /write "$disk sync write held by limit 1.05 MB/s of tardy-above-\*: /data"
	io_limit_set "$below" "$number" wbps "$slower"
	held "both" /write "$disk sync write held: /data"
else
	held "one above" /write ""
	io_limit_set "$below" "$number" wbps "$slower"
	held "both" /write "$disk sync write held by limit 524 kB/s of below: /data"
fi

kernel_clean
done_testing
