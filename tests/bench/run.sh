#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The budgets, measured: what tardy costs per request and per context switch, how long it takes to
# come and go, and what its collector can do. Prints a table with MET or MISSED, and writes all
# figures to bench.json in the build folder, one flat object. How program time becomes cost is
# said in tests/bench/cost_bench.c. Times are medians of rounds; the load is on this host too, so
# figures of a busy machine are upper bounds.
# timeout: 400

. "$(dirname "$0")/../lib/live.sh"

BENCH=$TARDY_BUILD/bench/cost_bench
FIGURES=$TMP/figures
DETAILS=$TARDY_BUILD/bench.log
: >"$DETAILS"

# measure PREFIX COMMAND...: its "name value" lines become figures named PREFIX + name
measure() {
	local prefix=$1
	shift
	echo "== ${prefix:-alone}: ${*:2}" >>"$DETAILS"
	"$@" >"$TMP/out" 2>>"$DETAILS" || bail "${*:2} failed" "$(tail -n 5 "$DETAILS")"
	sed "s/^/$prefix/" "$TMP/out" >>"$FIGURES"
}
figure() { echo "$1 $2" >>"$FIGURES"; }
value() { awk -v n="$1" '$1 == n { v = $2 } END { if (v == "") exit 1; print v }' "$FIGURES"; }

[ -x "$BENCH" ] || bail "$BENCH is not built (make bench-bins)"
command -v wrk >/dev/null || bail "wrk is not installed"
PGBENCH=$(printf '%s\n' /usr/lib/postgresql/*/bin/pgbench | sort -V | tail -n 1)
[ -x "$PGBENCH" ] || bail "pgbench is not installed"

# ---- no server -----------------------------------------------------------------------------
measure "" "$BENCH"

# ---- HTTP: a small file over keep-alive connections ----------------------------------------
port=$(free_port)
nginx_start "$port" 'keepalive_requests 1000000000; access_log off; location = /status { stub_status; }' 2
wait_until 10 test -n "$(pgrep -P "$NGINX_PID")"
servers=$(children_of "$NGINX_PID")
url=http://127.0.0.1:$port/index.html
load() { wrk -t1 -c8 -d"$1" "$url"; }
served() { curl -s "http://127.0.0.1:$port/status" | awk 'NR == 3 { print $3 }'; }

measure http_ "$BENCH" serve "$servers" -- wrk -t1 -c8 -d3s "$url"
measure http_ "$BENCH" overhead "$servers" -- wrk -t1 -c8 -d1s "$url"

# The collector at work: its own CPU time and memory while it shows the servers.
spawn "$TARDY" -b -p "$servers" --iterations 1000 >"$TMP/live.out" 2>"$TMP/live.err"
live=$SPAWNED
wait_until 10 test -s "$TMP/live.out" || bail "tardy shows nothing" "$(cat "$TMP/live.err")"
cpu_ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$live/stat"; }
ticks=$(cpu_ticks) before=$(served)
load 5s >/dev/null
answered=$(($(served) - before)) ticks=$(($(cpu_ticks) - ticks))
figure collector_rss_anon_mib "$(awk '/^RssAnon/ { printf "%.1f", $2 / 1024 }' "/proc/$live/status")"
end_pid "$live" INT
# its fixed part is spread over more requests than 5,000/s would be, its rest is proportional
figure collector_cpu_percent_at_5k_req_s "$(awk -v t="$ticks" -v hz="$(getconf CLK_TCK)" \
	-v n="$answered" 'BEGIN { printf "%.2f", 100 * 5000 * t / hz / n }')"
figure live_requests_per_s "$((answered / 5))"

# A recording of the same load, and its replay.
spawn "$TARDY" record -p "$servers" --duration 8s -o "$TMP/bench.data" 2>"$TMP/record.err"
recorder=$SPAWNED
wait_until 10 grep -q 'recording to' "$TMP/record.err" || bail "tardy record did not attach"
load 6s >/dev/null
wait "$recorder" || bail "tardy record failed" "$(cat "$TMP/record.err")"
measure "" "$BENCH" replay "$TMP/bench.data" 5
figure record_lost "$(sed -n 's/.*lost \([0-9]*\)$/\1/p' "$TMP/record.err" | tail -n 1)"
end_pid "$NGINX_PID" QUIT

# ---- SQL: single-row selects by key ---------------------------------------------------------
port=$(free_port)
postgres_start "$port"
"$PGBENCH" -h 127.0.0.1 -p "$port" -U postgres -i -q -s 1 postgres >"$TMP/pgbench.out" 2>&1 ||
	bail "pgbench -i failed" "$(cat "$TMP/pgbench.out")"
for mode in simple prepared; do
	measure "sql_${mode}_" "$BENCH" serve "$(children_of "$POSTGRES_PID")" -- "$PGBENCH" \
		-h 127.0.0.1 -p "$port" -U postgres -S -n -c 4 -T 3 -M "$mode" postgres
done
end_pid "$POSTGRES_PID" INT

# ---- the figures ----------------------------------------------------------------------------
figure probe_net_ns_per_http_request "$(value http_net_ns_per_request)"
figure probe_net_ns_per_sql_query "$(value sql_simple_net_ns_per_request)"
figure records_per_http_request "$(value http_records_per_request)"
figure lost_records "$(($(value http_lost_records) + $(value sql_simple_lost_records) + \
	$(value sql_prepared_lost_records) + $(value record_lost)))"

awk '{ v[$1] = $2; if (!($1 in at)) { at[$1] = ++n; name[n] = $1 } }
	END { printf "{"; for (i = 1; i <= n; i++) printf "%s\"%s\":%s", (i > 1 ? "," : ""), name[i], v[name[i]]; print "}" }' \
	"$FIGURES" >"$TARDY_BUILD/bench.json"
check "bench.json is one flat object" python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
assert len(d) > 20 and all(type(v) in (int, float) for v in d.values())' "$TARDY_BUILD/bench.json"

# budget NAME RELATION LIMIT WHAT
budget() {
	local got word=MISSED
	got=$(value "$1") || got=none
	awk -v g="$got" -v r="$2" -v l="$3" 'BEGIN { exit !(g != "none" && (r == "<=" ? g + 0 <= l : g + 0 >= l)) }' &&
		word=MET
	printf '# %-50s %10s  %s %-8s %s\n' "$4" "$got" "$2" "$3" "$word" >>"$TMP/table"
	if [ "$word" = MET ]; then pass "$1"; else fail "$1" "got $got, the budget is $2 $3"; fi
}
budget probe_net_ns_per_http_request "<=" 600 "programs, ns net per keep-alive HTTP request"
budget switch_untracked_net_ns "<=" 30 "one switch of untracked threads, ns net"
budget switch_tracked_net_ns "<=" 120 "one switch of tracked threads, ns net"
budget http_server_cpu_overhead_percent "<=" 4 "server CPU per small-file request, + %"
budget collector_requests_per_core_s ">=" 200000 "collector in replay, requests/s per core"
budget collector_cpu_percent_at_5k_req_s "<=" 2 "collector live at 5,000 req/s, % of a core"
budget collector_rss_anon_mib "<=" 64 "collector memory beside the rings, MiB"
budget lost_records "<=" 0 "lost records"
budget attach_ms "<=" 300 "attach, ms"
budget attach_uprobe_ms "<=" 300 "attach with a user probe, ms"
budget detach_ms "<=" 200 "detach, ms"
budget detach_uprobe_ms "<=" 200 "detach with a user probe, ms"
{
	echo "#"
	cat "$TMP/table"
	echo "# all figures ($TARDY_BUILD/bench.json):"
	awk '{ v[$1] = $2 } END { for (n in v) printf "#   %-44s %s\n", n, v[n] }' "$FIGURES" | sort
}
done_testing
