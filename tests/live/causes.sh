#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Whom a wait for a CPU was behind. A server shares its CPU with a process that computes and one that
# wakes up all the time, but uses little: nobody is blamed for more time than it ran.
# timeout: 60
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

port=$(free_port)
for role in hog ticker server; do
	spawn python3 "$here/causes.py" $role "$port" "$TMP/$role"
	[ $role = server ] && server=$SPAWNED
done
wait_until 10 listens "$port" || bail "the server did not start"
record_start "$server"
python3 "$here/causes.py" client "$port" 30 || bail "the client"
record_end
is "record ends well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests health
facts python3 "$here/causes.py" check "$TMP/report" "$TMP/hog" "$TMP/ticker"

kernel_clean
done_testing
