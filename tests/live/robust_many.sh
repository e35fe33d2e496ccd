#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Many of everything: 10,000 idle keep-alive connections, 2,000 threads in one server, storms of
# forks beside and inside of what is selected. Requests are still found, each of them, nothing is
# lost, and tardy's memory is bounded and shown.
# timeout: 180
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

py() { python3 "$here/robust_many.py" "$@" || bail "robust_many.py $*"; }
ulimit -n "$(ulimit -Hn)"
(($(ulimit -n) >= 10100)) || bail "10,000 connections need more open files than $(ulimit -n)"
requests() { json "$TMP/report" "sum(r.get('route') == 'GET $1' for r in rows if r.get('kind') == 'request')"; }
health() { json "$TMP/report" "next(r for r in rows if r.get('kind') == 'health')['$1']"; }
# the most that the process ever had, in MiB, by the kernel
peak_mib() { awk '/^VmHWM:/ { print int($2 / 1024) }' "/proc/$1/status"; }
memory() {
	local peak=$1
	between "$2: tardy's memory in MiB" "$peak" 1 "$3"
	# what it says of itself is of its last second
	between "$2: and it says so" "$(($(health rss_bytes) >> 20))" "$((peak / 2))" "$((peak + 8))"
	is "$2: nothing is lost" "$(health lost)" 0
	is "$2: no table was full" "$(health evicted)" 0
}

# ---- 10,000 connections at rest ----
port=$(free_port)
spawn python3 "$here/robust_many.py" server "$port"
SERVER_PID=$SPAWNED
wait_until 10 tcp_open "$port" || bail "no server"
# half of them are there before tardy, half come while it watches
mkdir "$TMP/a" "$TMP/b"
spawn python3 "$here/robust_many.py" idle "$port" 5000 "$TMP/a"
first=$SPAWNED
wait_until 60 test -e "$TMP/a/idle" || bail "5,000 connections"
record_start "$SERVER_PID"
ids=$(bpf_progs_of "$TARDY_PID")
spawn python3 "$here/robust_many.py" idle "$port" 5000 "$TMP/b"
second=$SPAWNED
wait_until 60 test -e "$TMP/b/idle" || bail "5,000 connections more"
py ask "$port" 200 /beside
sleep 3
touch "$TMP/a/end" "$TMP/b/end"
wait "$first" "$second"
sleep 1
peak=$(peak_mib "$TARDY_PID")
record_end
is "connections: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests health
is "connections: requests before they rest" "$(requests /idle)" 5000
is "connections: requests on others meanwhile" "$(requests /beside)" 200
is "connections: requests after the rest" "$(requests /again)" 10000
between "connections: open ones are none" "$(json "$TMP/report" 'sum(bool(r.get("open")) for r in rows)')" 0 0
memory "$peak" connections 96
between "connections: of a core" "$(health own_cpu_ratio)" 0 0.9
# shellcheck disable=SC2086 # ids are words
check "connections: nothing is left in the kernel" bpf_gone $ids
end_pid "$SERVER_PID"

# ---- 2,000 threads ----
rm -f "$TMP/data"
port=$(free_port)
spawn python3 "$here/robust_many.py" threads "$port" 2000 >"$TMP/threads"
SERVER_PID=$SPAWNED
wait_until 60 grep -q started "$TMP/threads" || bail "2,000 threads"
is "threads" "$(awk '/^Threads:/ { print ($2 >= 2000) }' "/proc/$SERVER_PID/status")" 1
record_start "$SERVER_PID"
py ask "$port" 1000 /thread
peak=$(peak_mib "$TARDY_PID")
record_end
is "threads: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests health
is "threads: each request is found" "$(requests /thread)" 1000
between "threads: many of them served" "$(json "$TMP/report" \
	'len({r["tid"] for r in rows if r.get("route") == "GET /thread"})')" 100 2000
memory "$peak" threads 64
end_pid "$SERVER_PID"

# ---- forks ----
rm -f "$TMP/data"
port=$(free_port)
spawn python3 "$here/robust_many.py" server "$port"
SERVER_PID=$SPAWNED
wait_until 10 tcp_open "$port" || bail "no server"
mkfifo "$TMP/go"
spawn bash -c 'read -r _ <"$1"; exec python3 "$2" storm 20000' - "$TMP/go" "$here/robust_many.py"
inside=$SPAWNED
record_start "$SERVER_PID,$inside"
spawn python3 "$here/robust_many.py" storm 20000
beside=$SPAWNED
echo >"$TMP/go"
for _ in 1 2 3 4 5; do
	py ask "$port" 40 /storm
	sleep 0.2
done
wait "$inside" "$beside"
py ask "$port" 40 /calm
peak=$(peak_mib "$TARDY_PID")
record_end
is "forks: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests health
is "forks: each request is found" "$(requests /storm) $(requests /calm)" "200 40"
memory "$peak" forks 64

kernel_clean
done_testing
