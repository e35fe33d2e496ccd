#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The budgets, measured: what tardy costs per request and per context switch, beside tools that do
# a part of its work, how long it takes to come and go, and what its collector can do. Prints a
# table with MET or MISSED, writes all figures to bench.json in the build folder, one flat object,
# and the tables of docs/performance.md to bench.md. How each figure comes about is said there and
# at the head of each program of this folder. Times are medians of rounds; the load is on this
# host too, so figures of a busy machine are upper bounds.
#
# BENCH='step ...' does only these steps (below), BENCH_ROUNDS sets the rounds beside the peers.
# timeout: 1500

. "$(dirname "$0")/../lib/live.sh"

ALL_STEPS="switch http nginx live record rate php sql"
STEPS=${BENCH:-$ALL_STEPS}
ROUNDS=${BENCH_ROUNDS:-12}
REPORT_REQUESTS=1000000
BIN=$TARDY_BUILD/bench
FIGURES=$TMP/figures
DETAILS=$TARDY_BUILD/bench.log
: >"$DETAILS"
: >"$FIGURES"

# measure PREFIX COMMAND...: its "name value" lines become figures named PREFIX + name
measure() {
	local prefix=$1
	shift
	echo "== $prefix${prefix:+ }${1##*/} ${*:2}" >>"$DETAILS"
	"$@" >"$TMP/out" 2>>"$DETAILS" || bail "${1##*/} ${*:2} failed" "$(tail -n 5 "$DETAILS")"
	sed "s/^/$prefix/" "$TMP/out" >>"$FIGURES"
}
figure() { echo "$1 $2" >>"$FIGURES"; }
value() { awk -v n="$1" '$1 == n { v = $2 } END { if (v == "") exit 1; print v }' "$FIGURES"; }
need() { command -v "$1" >/dev/null || bail "$1 is not installed (tools/setup.sh test)"; }

# Servers have the first CPU and the load the last one, so that a round is not decided by where the
# scheduler happens to put them; tardy and its peers go where they are put.
read -r FIRST_CPU LAST_CPU < <(python3 -c 'import os
cpus = sorted(os.sched_getaffinity(0))
print(cpus[0], cpus[-1])')
ON_LAST=(taskset -c "$LAST_CPU")
# pin CPU PIDS: processes, separated by commas, and what they start from now on
pin() {
	local pid
	for pid in ${2//,/ }; do
		taskset -cp "$1" "$pid" >/dev/null || bail "cannot pin $pid to CPU $1"
	done
}

# ---- no server -----------------------------------------------------------------------------
step_switch() { measure "" "$BIN/cost_bench"; }

# ---- HTTP: a small file over keep-alive connections ----------------------------------------
small_files() {
	[ -z "${NGINX_SMALL:-}" ] || return 0
	PORT=$(free_port)
	nginx_start "$PORT" 'keepalive_requests 1000000000; access_log off;'
	wait_until 10 pgrep -P "$NGINX_PID" || bail "nginx has no worker"
	NGINX_SMALL=$(children_of "$NGINX_PID")
	pin "$FIRST_CPU" "$NGINX_SMALL"
	URL=http://127.0.0.1:$PORT/index.html
}
small_files_end() {
	[ -n "${NGINX_SMALL:-}" ] || return 0
	end_pid "$NGINX_PID" QUIT
	NGINX_SMALL=
}

step_http() {
	small_files
	measure "" "$BIN/cost_bench" serve http "$NGINX_SMALL" -- \
		"${ON_LAST[@]}" wrk -t1 -c8 -d3s "$URL"
	figure probe_net_ns_per_http_request "$(value http_net_ns_per_request)"
	figure records_per_http_request "$(value http_records_per_request)"
}
step_nginx() {
	need offcputime
	need runqlat
	small_files
	# one request after the other: the worker waits for each; and more than it can do: it never
	# waits, so that programs on the scheduler hardly run
	measure "" "$BIN/peers_bench" nginx "$ROUNDS" "$TARDY" "$NGINX_SMALL" -- \
		"${ON_LAST[@]}" wrk -t1 -c1 -d1s "$URL"
	measure "" "$BIN/peers_bench" nginx_busy "$ROUNDS" "$TARDY" "$NGINX_SMALL" -- \
		"${ON_LAST[@]}" wrk -t1 -c8 -d1s "$URL"
}

# memory_of PID: resident MiB of all, and of the rings that it maps
memory_of() {
	awk '/^[0-9a-f]+-[0-9a-f]+ / { ring = /bpf-map|bpf_ringbuf/ }
		/^Rss:/ { all += $2; if (ring) rings += $2 }
		END { printf "%.1f %.1f\n", all / 1024, rings / 1024 }' "/proc/$1/smaps"
}
run_ns() { awk '{ print $1 }' "/proc/$1/schedstat"; }
# The live view at 5,000 requests/s: its own CPU time and memory.
step_live() {
	local live before wall seconds=10 all rings
	small_files
	spawn "$TARDY" -b -p "$NGINX_SMALL" --iterations 1000 >"$TMP/live.out" 2>"$TMP/live.err"
	live=$SPAWNED
	wait_until 10 test -s "$TMP/live.out" || bail "tardy shows nothing" "$(cat "$TMP/live.err")"
	before=$(run_ns "$live") wall=$EPOCHREALTIME
	measure "" load_5k "$seconds"
	figure own_cpu_ratio_5k "$(awk -v a="$before" -v b="$(run_ns "$live")" -v t="$wall" \
		-v u="$EPOCHREALTIME" 'BEGIN { printf "%.4f", (b - a) / 1e9 / (u - t) }')"
	read -r all rings < <(memory_of "$live")
	figure rss_with_rings_mib "$all"
	figure rss_mib "$(awk -v a="$all" -v r="$rings" 'BEGIN { printf "%.1f", a - r }')"
	end_pid "$live" INT
}
load_5k() {
	"${ON_LAST[@]}" "$BIN/load_bench" "$PORT" /index.html 8 5000 "$1" |
		awk '{ printf "live_requests_s %.0f\n", $1 / $4; exit !($1 / $4 > 4900) }'
}

# ---- a recording of a million requests, its replay and its report ---------------------------
# record_load FILE REQUESTS: a recording of so many requests for the small file
record_load() {
	spawn "$TARDY" record -p "$NGINX_SMALL" -o "$1" 2>"$TMP/record.err"
	wait_until 10 grep -q 'recording to' "$TMP/record.err" || bail "tardy record did not attach"
	"${ON_LAST[@]}" "$BIN/load_bench" "$PORT" /index.html 8 0 240 "$2" >"$TMP/record.load"
	grep -q "^$2 requests" "$TMP/record.load" ||
		bail "the server did not answer $2 requests in time" "$(cat "$TMP/record.load")"
	sleep 0.3
	end_pid "$SPAWNED" INT || bail "tardy record failed" "$(cat "$TMP/record.err")"
}
step_record() {
	need valgrind
	small_files
	record_load "$TMP/bench.data" "$REPORT_REQUESTS"
	figure record_lost "$(sed -n 's/.*lost \([0-9]*\)$/\1/p' "$TMP/record.err" | tail -n 1)"
	measure "" "$BIN/collector_bench" replay "$TMP/bench.data" 6
	measure report_1m_ "$BIN/collector_bench" command "$TARDY" report -i "$TMP/bench.data"
	rm -f "$TMP/bench.data"
	# instructions do not depend on how busy the machine is
	record_load "$TMP/small.data" 50000
	measure "" instructions report_instructions_per_request 50000 \
		"$TARDY" report -i "$TMP/small.data"
}
# instructions NAME N COMMAND...: user instructions / N
instructions() {
	local name=$1 n=$2
	shift 2
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>"$TMP/callgrind" >/dev/null &&
		sed -n 's/.*Collected : *\([0-9]*\)$/\1/p' "$TMP/callgrind" |
		awk -v name="$name" -v n="$n" '{ printf "%s %.0f\n", name, $1 / n; found = 1 }
			END { exit !found }'
}

# ---- records until some are lost -------------------------------------------------------------
step_rate() {
	local kind
	for kind in tcp unix; do
		measure "" "$BIN/rate_bench" "$TARDY" "$kind" 2
	done
	figure max_lossless_records_s "$(awk -v a="$(value max_lossless_tcp_records_s)" \
		-v b="$(value max_lossless_unix_records_s)" 'BEGIN { print (a > b ? a : b) }')"
}

# ---- PHP: a page that computes for some milliseconds ------------------------------------------
step_php() {
	local port
	need offcputime
	need runqlat
	port=$(free_port)
	small_files_end
	mkdir -p "$TMP/www"
	cp "$(dirname "$0")/page.php" "$TMP/www/page.php"
	php_start "$TMP/php.sock" 1
	nginx_start "$port" "keepalive_requests 1000000000; access_log off; $(nginx_php "$TMP/php.sock")"
	curl -sf "http://127.0.0.1:$port/page.php" | grep -q '</html>' || bail "the page is broken"
	pin "$FIRST_CPU" "$(children_of "$PHP_PID")"
	pin "$LAST_CPU" "$(children_of "$NGINX_PID")"
	measure "" "$BIN/cost_bench" serve php "$(children_of "$NGINX_PID"),$(children_of "$PHP_PID")" \
		-- "${ON_LAST[@]}" wrk -t1 -c1 -d3s "http://127.0.0.1:$port/page.php"
	measure "" "$BIN/peers_bench" php "$ROUNDS" "$TARDY" \
		"$(children_of "$NGINX_PID"),$(children_of "$PHP_PID")" -- \
		"${ON_LAST[@]}" wrk -t1 -c1 -d3s "http://127.0.0.1:$port/page.php"
	# a ratio of two loads does not resolve half a percent: what the programs alone take does
	figure php_probe_ratio "$(awk -v a="$(value php_net_ns_per_request)" \
		-v b="$(value php_cpu_ns_per_request)" 'BEGIN { printf "%.5f", a / b }')"
	end_pid "$NGINX_PID" QUIT
	end_pid "$PHP_PID" QUIT
}

# ---- SQL: single-row selects by key ---------------------------------------------------------
step_sql() {
	local pgbench port mode
	pgbench=$(printf '%s\n' /usr/lib/postgresql/*/bin/pgbench | sort -V | tail -n 1)
	[ -x "$pgbench" ] || bail "pgbench is not installed"
	port=$(free_port)
	postgres_start "$port"
	"$pgbench" -h 127.0.0.1 -p "$port" -U postgres -i -q -s 1 postgres >"$TMP/pgbench.out" 2>&1 ||
		bail "pgbench -i failed" "$(cat "$TMP/pgbench.out")"
	for mode in simple prepared; do
		measure "" "$BIN/cost_bench" serve "sql_$mode" "$(children_of "$POSTGRES_PID")" -- \
			"$pgbench" -h 127.0.0.1 -p "$port" -U postgres -S -n -c 4 -T 3 -M "$mode" postgres
	done
	end_pid "$POSTGRES_PID" INT
	figure probe_net_ns_per_sql_query "$(value sql_simple_net_ns_per_request)"
}

# ---- budgets ----------------------------------------------------------------------------------
# budget STEP NAME RELATION LIMIT WHAT: MET or MISSED; only if its step was done
budget() {
	local got word=MISSED
	case " $STEPS " in *" $1 "*) shift ;; *) return 0 ;; esac
	got=$(value "$1") || got=none
	awk -v g="$got" -v r="$2" -v l="$3" 'BEGIN { exit !(g != "none" && (r == "<=" ? g + 0 <= l : g + 0 >= l)) }' &&
		word=MET
	printf '%s|%s|%s %s|%s\n' "$4" "$got" "$2" "$3" "$word" >>"$TMP/budgets"
	if [ "$word" = MET ]; then pass "$1"; else fail "$1" "got $got, the budget is $2 $3"; fi
}
budgets() {
	local lost=0 name
	for name in $(awk '$1 ~ /lost_records$|^record_lost$/ { print $1 }' "$FIGURES" | sort -u); do
		lost=$((lost + $(value "$name")))
	done
	figure lost_records "$lost"
	: >"$TMP/budgets"
	budget http probe_net_ns_per_http_request "<=" 600 "programs per keep-alive HTTP request, ns net"
	budget switch switch_untracked_net_ns "<=" 30 "one switch of untracked threads, ns net"
	budget switch switch_tracked_net_ns "<=" 120 "one switch of tracked threads, ns net"
	budget nginx nginx_cpu_ratio "<=" 1.04 "server CPU per small-file request, with / without"
	budget php php_cpu_ratio "<=" 1.005 "server CPU per PHP page, with / without"
	budget record collector_requests_per_core_s ">=" 200000 "collector in replay, requests/s per core"
	budget live own_cpu_ratio_5k "<=" 0.02 "collector live at 5,000 requests/s, share of a core"
	budget live rss_mib "<=" 64 "its memory beside the rings, MiB"
	budget rate max_lossless_records_s ">=" 200000 "records/s without a loss"
	budget http lost_records "<=" 0 "records lost under the other loads"
	budget switch attach_ms "<=" 300 "attach, ms"
	budget switch attach_uprobe_ms "<=" 300 "attach with a user probe, ms"
	budget switch detach_ms "<=" 200 "detach, ms"
	budget switch detach_uprobe_ms "<=" 200 "detach with a user probe, ms"
}

# ---- tables (Markdown) ------------------------------------------------------------------------
or_dash() { value "$1" 2>/dev/null || echo -; }
with_interval() {
	value "$1" >/dev/null 2>&1 || { echo -; return; }
	echo "$(value "$1") ($(value "$1_lo") – $(value "$1_hi"))"
}
table_budgets() {
	echo '| what | measured | budget | |'
	echo '|---|---|---|---|'
	sed 's/|/ | /g; s/^/| /; s/$/ |/' "$TMP/budgets"
}
table_peers() {
	local tool label load
	case " $STEPS " in *" nginx "* | *" php "*) ;; *) return 0 ;; esac
	echo '| ratio to nothing, median (95 % interval) | tardy | tardy record | offcputime | runqlat |'
	echo '|---|---|---|---|---|'
	for load in nginx:"small file" nginx_busy:"small file, worker never idle" php:"PHP page"; do
		for label in cpu:"server CPU per request" throughput:"throughput"; do
			printf '| %s, %s ' "${load#*:}" "${label#*:}"
			for tool in "" record_ offcputime_ runqlat_; do
				printf '| %s ' "$(with_interval "$tool${load%%:*}_${label%%:*}_ratio")"
			done
			echo '|'
		done
	done
	echo
	echo "With nothing: $(or_dash nginx_cpu_ns_per_request) ns of CPU per small file at" \
		"$(or_dash nginx_requests_s) requests/s, $(or_dash nginx_busy_cpu_ns_per_request) ns at" \
		"$(or_dash nginx_busy_requests_s) requests/s of a worker that is never idle;" \
		"$(or_dash php_cpu_ns_per_request) ns per PHP page at $(or_dash php_requests_s) pages/s;" \
		"$ROUNDS rounds. Programs alone, of a PHP page's CPU: $(or_dash php_probe_ratio)."
}
# table_programs KIND: dearest first, as cost_bench prints them
table_programs() {
	echo "| program | runs per request | ns net per run | ns net per request, servers' part | whole host |"
	echo '|---|---|---|---|---|'
	awk -v kind="$1" '
		{ v[$1] = $2 }
		match($1, "_net_ns_per_" kind "_request$") && $1 !~ /_host_net/ && /^probe_/ {
			name = substr($1, 7, RSTART - 7)
			if (name != "" && !(name in at)) { at[name] = ++n; names[n] = name }
		}
		END {
			for (i = 1; i <= n; i++) {
				p = "probe_" names[i]
				printf "| `%s` | %s | %s | %s | %s |\n", names[i],
					v[p "_runs_per_" kind "_request"], v[p "_net_ns_per_run_" kind],
					v[p "_net_ns_per_" kind "_request"],
					v[p "_host_net_ns_per_" kind "_request"]
			}
			printf "| sum | | | %s | %s |\n", v[kind "_net_ns_per_request"],
				v[kind "_net_whole_host_ns_per_request"]
		}' "$FIGURES"
	echo
	echo "One run of an empty program measures as $(or_dash empty_program_ns) ns, which is taken off."
}
table_collector() {
	echo '| collector | |'
	echo '|---|---|'
	awk -F '|' 'NR == FNR { split($0, a, " "); v[a[1]] = a[2]; next }
		$1 in v { printf "| %s | %s |\n", $2, v[$1] }' "$FIGURES" - <<-'END'
		collector_requests_per_core_s|replay, requests/s per core
		collector_records_per_core_s|replay, records/s per core
		report_instructions_per_request|`report`, instructions per request
		own_cpu_ratio_5k|live view at 5,000 requests/s, share of a core
		rss_mib|memory of the live view beside the rings, MiB
		rss_with_rings_mib|with the rings that it maps, MiB
		max_lossless_tcp_1cpu_records_s|records/s without loss, TCP, load on one CPU
		max_lossless_tcp_records_s|records/s without loss, TCP, load on every CPU
		first_lossy_tcp_records_s|first rate with loss, TCP (0: the load was at its end)
		max_lossless_unix_1cpu_records_s|records/s without loss, Unix sockets, load on one CPU
		max_lossless_unix_records_s|records/s without loss, Unix sockets, load on every CPU
		first_lossy_unix_records_s|first rate with loss, Unix sockets (0: as above)
		capture_bytes_per_request|bytes of capture per request
		report_1m_s|`report` on 1,000,000 requests, s
		report_1m_rss_mib|its peak memory, MiB
	END
}
kind_name() {
	case $1 in
	http) echo "a small file over HTTP" ;;
	php) echo "a PHP page behind nginx" ;;
	*) echo "$1" ;;
	esac
}
tables() {
	table_budgets
	echo
	table_peers
	for kind in http php sql_simple sql_prepared; do
		value "${kind}_net_ns_per_request" >/dev/null 2>&1 || continue
		printf '\n%s:\n\n' "$(kind_name "$kind")"
		table_programs "$kind"
	done
	echo
	table_collector
}

need wrk
need python3
[ -x "$BIN/cost_bench" ] || bail "$BIN/cost_bench is not built (make bench-bins)"
for step in $STEPS; do
	case " $ALL_STEPS " in *" $step "*) ;; *) bail "no step '$step' ($ALL_STEPS)" ;; esac
	begin=$SECONDS
	"step_$step"
	echo "# step $step: $((SECONDS - begin)) s"
done
budgets
awk '{ v[$1] = $2; if (!($1 in at)) { at[$1] = ++n; name[n] = $1 } }
	END { printf "{"; for (i = 1; i <= n; i++) printf "%s\"%s\":%s", (i > 1 ? "," : ""), name[i], v[name[i]]; print "}" }' \
	"$FIGURES" >"$TARDY_BUILD/bench.json"
check "bench.json is one flat object" python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
assert len(d) > 1 and all(type(v) in (int, float) for v in d.values())' "$TARDY_BUILD/bench.json"
tables >"$TARDY_BUILD/bench.md"
{
	echo
	cat "$TARDY_BUILD/bench.md"
	echo
	echo "all figures ($TARDY_BUILD/bench.json):"
	awk '{ v[$1] = $2 } END { for (n in v) printf "  %-56s %s\n", n, v[n] }' "$FIGURES" | sort
} | sed 's/^/# /'
done_testing
