#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Whom a wait for a CPU was behind. A server shares its CPU with one process that computes, three more of
# another name, and one that wakes up all the time, but uses little: all of the wait has a name, and
# nobody is blamed for more time than it ran.
# timeout: 90
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

port=$(free_port) n=0
spawn_role() { spawn python3 "$here/causes.py" "$1" "$port" "$TMP/$1.$((++n))"; }
for role in hog ticker server; do
	spawn_role $role
	[ $role = server ] && server=$SPAWNED
done
wait_until 10 listens "$port" || bail "the server did not start"
record_start "$server"
for _ in 1 2 3; do
	spawn_role xz
done
wait_until 10 test -e "$TMP/xz.$n" || bail "the last of them did not start"
python3 "$here/causes.py" client "$port" 8 || bail "the client"
record_end
is "record ends well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests hotspots health
facts python3 "$here/causes.py" check "$TMP/report" "$TMP"/{hog,ticker,xz}.[0-9]

kernel_clean
done_testing
