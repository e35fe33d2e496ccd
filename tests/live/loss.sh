#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Losses are forced: a collector that stands still before a small ring, and storage that cannot be
# made. They are counted and placed by kind, CPU and time; the requests that overlap them are
# incomplete, and no others.
# timeout: 120
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

clients() { python3 "$here/loss.py" client "$port" "$@" "$TMP/log" || bail "client $1"; }
serve() {
	port=$(free_port)
	spawn python3 "$here/loss.py" server "$port"
	SERVER_PID=$SPAWNED
	wait_until 10 tcp_open "$port" || bail "the server did not start"
}
state_is() { grep -q "^State:.$2" "/proc/$1/status"; }

# ---- a stalled collector ----
busy=$(free_port)
nginx_start "$busy"
serve
record_start "$NGINX_PID,$SERVER_PID" --ring-size 64K --max-lost 0
ids=$(bpf_progs_of "$TARDY_PID")
clients before 20 0.03
spawn python3 "$here/loss.py" client "$port" long 1 0 "$TMP/log"
long=$SPAWNED
sleep 0.7
kill -STOP "$TARDY_PID"
check "the collector stands still" wait_until 5 state_is "$TARDY_PID" T
stopped=$EPOCHREALTIME
wrk -t 1 -c 8 -d 1 "http://127.0.0.1:$busy/" >"$TMP/wrk.out"
clients during 5 0.02
continued=$EPOCHREALTIME
kill -CONT "$TARDY_PID"
wait "$long"
clients after 20 0.03
record_end
is "more than --max-lost: exit status" "$RECORD_STATUS" 5
like "and it says so" "$(cat "$TMP/tardy.err")" 'error\[T0011\].*records were lost'
report_json "$TMP/report" requests health
facts python3 "$here/loss.py" stall "$TMP/report" "$TMP/log" "$stopped" "$continued"
text=$("$TARDY" report -i "$TMP/data" health 2>"$TMP/report.err")
like "the report says when and where" "$text" \
	'^  lost at +[0-9:.]{12} to [0-9:.]{12}  cpu [0-9]+  ring_full_exchange [1-9]'
"$TARDY" report -i "$TMP/data" --max-lost 0 routes >"$TMP/out" 2>"$TMP/err"
is "a report of it with --max-lost" "$?" 5
# shellcheck disable=SC2086 # ids are words
check "nothing is left in the kernel" bpf_gone $ids

# ---- storage that cannot be made ----
: >"$TMP/log"
rm -f "$TMP/data"
port=$(free_port)
tardy_start record --port "$port" -o "$TMP/data" --fail-storage 6
wait_until 10 grep -q 'recording to' "$TMP/tardy.err" || bail "no recording" "$(cat "$TMP/tardy.err")"
spawn python3 "$here/loss.py" server "$port"
wait_until 10 tcp_open "$port" || bail "the server did not start"
sleep 0.3
clients spaced 24 0.3
record_end
is "failing storage: record ends well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests health
facts python3 "$here/loss.py" storage "$TMP/report" "$TMP/log"

kernel_clean
done_testing
