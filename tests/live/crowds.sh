#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Anybody may hold connections with bytes that nobody reads: beside a watched server they cost no
# records, and none of its requests.
# timeout: 120
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
CROWD=5000
kernel_mark

port=$(free_port)
spawn python3 "$here/crowds.py" serve "$port"
server=$SPAWNED
wait_until 10 listens "$port" || bail "the server did not start"
crowd_there() { grep -q there "$TMP/crowd"; }

install -m 0644 "$here/crowds.py" "$TMP/crowds.py" # where nobody can read it

record_start "$server"
spawn setpriv --reuid=65534 --regid=65534 --clear-groups \
	/usr/bin/python3 "$TMP/crowds.py" crowd "$(free_port)" "$CROWD" >"$TMP/crowd"
crowd=$SPAWNED
wait_until 30 crowd_there || bail "the crowd did not come"
answered=$(python3 "$here/crowds.py" ask "$port" 3)
record_end
end_pid "$crowd"
end_pid "$server"
is "record ended well" "$RECORD_STATUS" 0

report_json "$TMP/health" health
health() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$TMP/health" | tail -n 1; }
is "each request of the watched server, and no other" "$(health requests)" "$answered"
is "all of them whole" "$(health requests_incomplete)" 0
is "nothing lost" "$(health lost)" 0
between "fewer records than the crowd has connections" "$(health seen)" 1 "$CROWD"
unlike "none of the crowd is told as waiting" "$(cat "$TMP/health")" pending_many

kernel_clean
done_testing
