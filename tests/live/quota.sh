#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A CPU quota: on the server's own group, on one above it, and on both. Throttle is the kernel's own
# account, and names the group and its quota; of two it is not known whose it was.
# timeout: 90
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

above=$CPU_GROUPS/tardy-above-$$
below=$above/below
at_exit 'rmdir "$below" "$above" 2>/dev/null || { sleep 0.3; rmdir "$below" "$above"; }'
cpu_group "$above"
cpu_group "$below"

# held WHAT GROUP STAT: the server in $below
held() {
	local port server
	port=$(free_port)
	spawn python3 "$here/quota.py" server "$port" "$3" "$below/cgroup.procs"
	server=$SPAWNED
	wait_until 10 listens "$port" || bail "the server did not start"
	record_start "$server"
	python3 "$here/quota.py" client "$port" 20 "$TMP/held" || bail "the client"
	record_end
	is "$1: record ended well" "$RECORD_STATUS" 0
	end_pid "$server"
	report_json "$TMP/report" requests
	facts python3 "$here/quota.py" check "$1" "$2" "$TMP/report" "$TMP/held" 20
}
cpu_quota_set "$below" 5000 20000
held "its own group's" below "$below"
cpu_quota_set "$below" -1 20000
cpu_quota_set "$above" 5000 20000
held "one above" "tardy-above-*" "$above"
cpu_quota_set "$above" 6000 20000
cpu_quota_set "$below" 5000 20000
held "both" "" "$below"

kernel_clean
done_testing
