#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Targets that misbehave: a worker that is killed in the middle of a request, the whole server
# that is, and a server whose clocks are not the host's.
# timeout: 120
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

py() { python3 "$here/robust_target.py" "$@"; }
back=$(free_port)
mkdir "$TMP/dir"
spawn python3 "$here/robust_target.py" server "$back" "$TMP/dir"
BACK_PID=$SPAWNED
wait_until 10 tcp_open "$back" || bail "the server did not start"
front=$(free_port)
spawn python3 "$here/robust_target.py" upstream "$front" "$back"
FRONT_PID=$SPAWNED
wait_until 10 tcp_open "$front" || bail "the upstream did not start"
of() { echo "[r for r in rows if r.get('kind') == 'request' and r['route'] == 'GET $1' and r['entry']]"; }

# ---- a worker is killed while it serves ----
record_start "$(children_of "$BACK_PID"),$FRONT_PID"
is "a request before" "$(py get "$back" /before)" 200
py get "$back" /die/direct >"$TMP/answer" &
client=$!
wait_until 10 test -s "$TMP/dir/dying" || bail "no worker took the request"
sleep 0.5
kill -KILL "$(cat "$TMP/dir/dying")"
wait "$client"
is "its client sees a closed connection" "$(cat "$TMP/answer")" closed
is "the other worker goes on" "$(py get "$back" /after)" 200
rm "$TMP/dir/dying"
py get "$front" /die/behind >"$TMP/answer" &
client=$!
wait_until 10 test -s "$TMP/dir/dying" || bail "no worker took the request"
sleep 0.5
# the last one: now the server is gone as a whole
kill -KILL "$(cat "$TMP/dir/dying")"
wait "$client"
is "the caller still answers" "$(cat "$TMP/answer")" 200
is "and serves others" "$(py get "$front" /closed/too 2>&1 | tail -n 1)" closed
record_end
is "record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests
for route in /before /after; do
	is "GET $route is fine" "$(json "$TMP/report" "[(r['error'], r['aborted'], r['open']) for r in $(of $route)]")" \
		"[(False, False, False)]"
done
is "the killed worker's request is over, and failed" "$(json "$TMP/report" \
	"[(r['error'] or r['aborted'], r['open']) for r in $(of /die/direct)]")" "[(True, False)]"
is "it lasted until the kill" "$(json "$TMP/report" \
	"[400000 < r['wall_us'] < 20000000 for r in $(of /die/direct)]")" "[True]"
is "the caller's is over, and is no error" "$(json "$TMP/report" \
	"[(r['error'], r['aborted'], r['open']) for r in $(of /die/behind)]")" "[(False, False, False)]"
is "its wait is in its parts" "$(json "$TMP/report" \
	"[sum(p['us'] for p in r['parts'] if p['cause'] != 'cpu') > 400000 for r in $(of /die/behind)]")" "[True]"
is "nothing is left open" "$(json "$TMP/report" "[r['route'] for r in rows if r.get('open')]")" "[]"

# ---- all targets end: tardy does, too ----
rm -f "$TMP/data"
alone=$(free_port)
spawn python3 "$here/loss.py" server "$alone"
ALONE_PID=$SPAWNED
wait_until 10 tcp_open "$alone" || bail "the server did not start"
record_start "$ALONE_PID"
py get "$alone" /long >"$TMP/answer" &
client=$!
sleep 1
kill -KILL "$ALONE_PID"
wait "$client"
wait "$TARDY_PID"
is "tardy ends with its target" "$?" 4
like "and says so" "$(cat "$TMP/tardy.err")" 'error\[T0010\]'
report_json "$TMP/report" requests
is "the request in flight is over, and failed" "$(json "$TMP/report" \
	"[(r['error'] or r['aborted'], r['open']) for r in $(of /long)]")" "[(True, False)]"

# ---- a server with other clocks ----
rm -f "$TMP/data"
apart=$(free_port)
mkdir "$TMP/apart"
spawn unshare --time --monotonic 1000000 --boottime 2000000 --fork --kill-child \
	python3 "$here/robust_target.py" server "$apart" "$TMP/apart"
wait_until 10 tcp_open "$apart" || bail "no time namespace"
check "its monotonic clock is ahead" test "$(nsenter --time="/proc/$(pgrep -P "$SPAWNED")/ns/time_for_children" \
	python3 -c 'import time; print(int(time.monotonic()))')" -gt 900000
record_start "$SPAWNED"
py clock "$apart" "$TMP/clock"
record_end
report_json "$TMP/report" requests
facts python3 "$here/robust_target.py" clock-check "$TMP/report" "$TMP/clock"
# tardy itself with another clock than the kernel's: its times are still the host's
rm -f "$TMP/data"
spawn unshare --time --monotonic 1000000 --boottime 2000000 --fork --kill-child "$TARDY" record -p "$(pgrep -P "$SPAWNED" | paste -sd,)" \
	-o "$TMP/data" >"$TMP/tardy.out" 2>"$TMP/tardy.err" </dev/null
wait_until 10 grep -q 'recording to' "$TMP/tardy.err" || bail "no recording" "$(cat "$TMP/tardy.err")"
TARDY_PID=$(pgrep -P "$SPAWNED")
py clock "$apart" "$TMP/clock"
sleep 0.5
kill -INT "$TARDY_PID"
check "it ends" wait_until 10 test -e "$TMP/data"
report_json "$TMP/report" requests
facts python3 "$here/robust_target.py" clock-check "$TMP/report" "$TMP/clock"

kernel_clean
done_testing
