#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernels do not report every context switch. Here every third of the server's is not seen, going off
# and coming back: its waits are found in the scheduler's own counters, and are not taken for cpu.
# timeout: 60
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

port=$(free_port)
spawn python3 "$here/unseen.py" server "$port" "$TMP/truth"
server=$SPAWNED
wait_until 10 listens "$port" || bail "the server did not start"
record_start "$server" --skip-switches 3
python3 "$here/unseen.py" client "$port" 40 || bail "the client"
record_end
is "record ends well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests health
facts python3 "$here/unseen.py" check "$TMP/report" "$TMP/truth"

kernel_clean
done_testing
