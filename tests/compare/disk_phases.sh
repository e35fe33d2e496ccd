#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two phases of a transfer: in the device's queue and in the device, of more readers than the device
# takes at once. By the kernel's own trace events of each request, by the device's counters and by
# biolatency with and without the queue, against what tardy says a request waited for.
# timeout: 120
. "$(dirname "$0")/../lib/peers.sh"
here=$TARDY_ROOT/tests/compare
kernel_mark

loop_device 256M
# four at once in the driver, which only a queue without scheduler can be told; the others wait in a
# scheduler's queue. No two are merged.
old=$(sed 's/.*\[\(.*\)\].*/\1/' "/sys/block/$DISK/queue/scheduler")
depth=$(echo none >"/sys/block/$DISK/queue/scheduler" && cat "/sys/block/$DISK/queue/nr_requests")
merges=$(cat "/sys/block/$DISK/queue/nomerges")
at_exit 'queue_is none "$depth" "$old" "$merges"'
# queue_is SCHEDULER REQUESTS SCHEDULER MERGES
queue_is() {
	echo "$1" >"/sys/block/$DISK/queue/scheduler" &&
		echo "$2" >"/sys/block/$DISK/queue/nr_requests" &&
		echo "$3" >"/sys/block/$DISK/queue/scheduler" &&
		echo "$4" >"/sys/block/$DISK/queue/nomerges"
}
queue_is none 4 mq-deadline 2 || bail "the queue of $DISK cannot be set up"

port=$(free_port)
spawn python3 "$here/disk_server.py" "$port" "$LOOP" "$TMP/own" 12 2>"$TMP/server.err"
server=$SPAWNED
wait_until 10 tcp_open "$port" || bail "the server did not start" "$(cat "$TMP/server.err")"

record_start "$server"
spawn unshare -m python3 "$here/block_events.py" "$LOOP" "$TMP/events" >"$TMP/events.out" \
	2>"$TMP/events.err"
events=$SPAWNED
wait_until 10 grep -q '^Tracing' "$TMP/events.out" || bail "no trace events" "$(cat "$TMP/events.err")"
tool_start biolatency -d "$DISK"
service=$TOOL_PID
mv "$TMP/biolatency" "$TMP/service"
tool_start biolatency -Q -d "$DISK"
cat "/sys/block/$DISK/stat" >"$TMP/before"
check "answered" python3 "$here/visitors.py" "$port" 12 25 /read
cat "/sys/block/$DISK/stat" >"$TMP/after"
tool_end "$TOOL_PID" "biolatency -Q"
tool_end "$service" biolatency
end_pid "$events" TERM
is "trace events: exit status" $? 0
record_end
is "record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests health
facts python3 "$here/disk_phases_check.py" "$DISK" 300 "$TMP"

kernel_clean
done_testing
