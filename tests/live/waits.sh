#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What waits in futex() are for: sleeps, other threads, mutexes, the lock of an interpreter. Servers
# whose routes wait in a known way.
# timeout: 90
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

spawn_server() { # NAME COMMAND...
	local name=$1
	ports[$name]=$(free_port)
	shift
	spawn "$@" "${ports[$name]}" >"$TMP/$name.out" 2>&1
	pids[$name]=$SPAWNED
}
declare -A ports pids
spawn_server python python3 "$here/waits_server.py"
spawn_server ruby ruby "$here/waits_server.rb"
spawn_server java java -XX:TieredStopAtLevel=1 -Djava.net.preferIPv4Stack=true \
	"$here/WaitsServer.java"
for name in "${!ports[@]}"; do
	wait_until 30 listens "${ports[$name]}" || bail "$name did not start" "$(cat "$TMP/$name.out")"
done
record_start "${pids[python]},${pids[ruby]},${pids[java]}"
check "Python answers" timeout 30 python3 "$here/waits_client.py" "${ports[python]}" 3 \
	/event /cond /result /result-in /hold+/mutex /spin+/gil
check "Ruby answers" timeout 30 python3 "$here/waits_client.py" "${ports[ruby]}" 3 /spin+/gvl /sleep /result
check "Java answers" timeout 30 python3 "$here/waits_client.py" "${ports[java]}" 3 \
	/sleep /park /result /result-in
record_end
is "record ends well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests
facts python3 "$here/waits_check.py" "$TMP/report" "${pids[python]}" "${pids[ruby]}" "${pids[java]}"

kernel_clean
done_testing
