#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a server's transfers took, by the device's own counters and by biolatency (queue and service),
# against the disk time of its requests. The device is a loop device that nobody else uses.
# timeout: 120
. "$(dirname "$0")/../lib/peers.sh"
here=$TARDY_ROOT/tests/compare
kernel_mark

loop_device 128M
port=$(free_port)
spawn python3 "$here/disk_server.py" "$port" "$LOOP" 2>"$TMP/server.err"
server=$SPAWNED
wait_until 10 tcp_open "$port" || bail "the server did not start" "$(cat "$TMP/server.err")"

# compare PATH N
compare() {
	record_start "$server"
	tool_start biolatency -Q -d "$DISK"
	cat "/sys/block/$DISK/stat" >"$TMP/before"
	check "$1: answered" python3 "$here/visitors.py" "$port" 1 "$2" "$1"
	cat "/sys/block/$DISK/stat" >"$TMP/after"
	tool_end "$TOOL_PID" biolatency
	record_end
	is "$1: record ended well" "$RECORD_STATUS" 0
	report_json "$TMP/report" requests health
	facts python3 "$here/disk_check.py" "$1" "$2" "$TMP/report" "$TMP/before" "$TMP/after" \
		"$TMP/biolatency"
}
compare /read 300
compare /sync 100

kernel_clean
done_testing
