#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tardy that starts late, servers that reload, requests in flight, and tardy's own end.
# timeout: 120
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

port=$(free_port)
mkdir -p "$TMP/www"
for name in before kept after reload; do
	echo "$name" >"$TMP/www/$name.html"
done
echo '<?php usleep((int)$_GET["ms"] * 1000); echo "done";' >"$TMP/www/slow.php"
cp "$TMP/www/slow.php" "$TMP/www/next.php"
cp "$TMP/www/slow.php" "$TMP/www/flight.php"
php_start "$TMP/php.sock" 4
nginx_start "$port" "$(nginx_php "$TMP/php.sock")"
at_exit 'rm -f "$TMP/go"*'
step() { wait_until 20 test -e "$TMP/$1" || bail "no step $1" "$(cat "$TMP/client.err")"; }
client() { spawn python3 "$here/lifecycle_client.py" "$port" "$TMP" "$@" 2>"$TMP/client.err"; }

some_gone() {
	local id
	for id in $ids; do
		bpf_gone "$id" && return
	done
	return 1
}
none_leaked() { [ -z "$(bpf_leaked on_sched_switch)" ]; }

# ---- tardy starts second: connections, workers and requests are there already ----
client late
step before
record_start "$NGINX_PID,$PHP_PID"
touch "$TMP/go"
step late
record_end
is "started late: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests health
facts python3 "$here/lifecycle_check.py" late "$TMP/report"

# ---- nginx reloads under load ----
: >"$TMP/nginx-access.log"
record_start "$NGINX_PID"
client reload
loader=$SPAWNED
for _ in 1 2 3; do
	sleep 1
	kill -HUP "$NGINX_PID"
done
wait_until 30 test -e "$TMP/reload" || bail "the load did not end"
end_pid "$loader"
record_end
is "reload: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests health
facts python3 "$here/lifecycle_check.py" reload "$TMP/report" "$TMP/nginx-access.log" "$TMP/reload"

# ---- requests in flight are shown, with what they wait for ----
client flight
step flying
"$TARDY" -b -n 2 -d 1 -p "$NGINX_PID,$PHP_PID" >"$TMP/batch" 2>"$TMP/batch.err" &
batch=$!
TARDY_PID=$batch
tardy_ready
touch "$TMP/go2"
wait "$batch"
is "batch ends well after two refreshes" "$?" 0
is "batch printed two blocks" "$(grep -c 'window' "$TMP/batch")" 2
like "batch shows requests in flight" "$(cat "$TMP/batch")" ', [1-9][0-9]* in flight'
like "batch shows their route" "$(cat "$TMP/batch")" 'GET /flight.php'
like "batch says what they wait for" "$(cat "$TMP/batch")" '>> .*php-fpm sleep'
like "and so does the route's breakdown" "$(cat "$TMP/batch")" '^ *s sleep +[0-9.]+m?s +[0-9]+% +php-fpm'
"$TARDY" report --duration 2s -p "$NGINX_PID,$PHP_PID" requests -F json >"$TMP/report" \
	2>"$TMP/report.err" &
report=$!
TARDY_PID=$report
tardy_ready
touch "$TMP/go3"
wait "$report"
is "report of requests in flight ends well" "$?" 0
facts python3 "$here/lifecycle_check.py" flight "$TMP/report"
touch "$TMP/go4"

# ---- SIGKILL leaves nothing in the kernel, and a file that can be read ----
record_start "$NGINX_PID,$PHP_PID"
ids=$(bpf_progs_of "$TARDY_PID")
between "tardy has programs in the kernel" "$(wc -w <<<"$ids")" 5 100
# shellcheck disable=SC2086 # ids are words
check_not "they are there while it runs" bpf_gone $ids
check_not "all of them" some_gone
curl -s "http://127.0.0.1:$port/after.html" >"$TMP/curl.out"
sleep 2.5
end_pid "$TARDY_PID" KILL
# shellcheck disable=SC2086 # ids are words
check "its programs are gone within a second" wait_until 1 bpf_gone $ids
check_not "the capture has no final name" test -e "$TMP/data"
check "what was written has its own name" test -s "$TMP/data.part"
is "its mode is private" "$(stat -c %a "$TMP/data.part")" 600
"$TARDY" report -i "$TMP/data.part" requests -F json >"$TMP/report" 2>"$TMP/report.err"
is "it can be read" "$?" 0
is "the request is in it" "$(json "$TMP/report" \
	'sum(r.get("route") == "GET /after.html" and not r["incomplete"] for r in rows)')" 1

# ---- record -- CMD ----
rm -f "$TMP/data"
"$TARDY" record -o "$TMP/data" -- python3 "$here/lifecycle_child.py" 7 2>"$TMP/record.err"
is "record gives the status of its command" "$?" 7
"$TARDY" report -i "$TMP/data" requests -F json >"$TMP/report" 2>"$TMP/report.err"
is "report of the command's requests" "$?" 0
is "the command's requests are seen" "$(json "$TMP/report" \
	'sorted(r["route"] for r in rows if r.get("entry"))')" "['GET /first', 'GET /second']"
"$TARDY" record -o "$TMP/data" -- sh -c 'kill -9 $$' 2>"$TMP/record.err"
is "status of a command that a signal ended" "$?" 137
"$TARDY" record -o "$TMP/data" -- /nonexistent/program 2>"$TMP/record.err"
is "status of a command that is not there" "$?" 127

check "no program of tardy is left" wait_until 2 none_leaked
kernel_clean
done_testing
