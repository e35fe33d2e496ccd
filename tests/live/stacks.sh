#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Long waits leave their stack, each: also where the kernel's frames are those of the wait before,
# because the thread waits in the same place (bpf/stack.bpf.h). A server sleeps 20 ms in every other
# request, and computes as long in the others.
# timeout: 60
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

port=$(free_port)
spawn python3 "$here/unseen.py" server "$port" "$TMP/truth"
server=$SPAWNED
wait_until 10 listens "$port" || bail "the server did not start"
record_start "$server"
python3 "$here/unseen.py" client "$port" 30 || bail "the client"
record_end
is "record ends well" "$RECORD_STATUS" 0
for kind in off cpu; do
	"$TARDY" export -i "$TMP/data" -F folded --kind $kind >"$TMP/$kind" 2>"$TMP/err"
	is "export of $kind: exit status" $? 0
done
facts python3 "$here/stacks.py" "$TMP/off" "$TMP/cpu" 30

kernel_clean
done_testing
