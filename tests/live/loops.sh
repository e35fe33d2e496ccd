#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Whose time it is on an event loop: its own only while it ran or was runnable, a timer's, another
# thread's.
# timeout: 150
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

port=$(free_port)
spawn python3 "$here/loops_server.py" "$port" >"$TMP/cpu"
server=$SPAWNED
wait_until 10 listens "$port" || bail "the server did not start"
record_start "$server"
check "the client got its answers" timeout 60 python3 "$here/loops_client.py" "$port"
record_end
is "record ended well" "$RECORD_STATUS" 0
end_pid "$server" TERM
report_json "$TMP/report" requests
facts python3 "$here/loops_check.py" "$TMP/report" "$TMP/cpu"

kernel_clean
done_testing
