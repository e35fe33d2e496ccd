#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# record --bundle: one file with the capture, doctor, facts and the report, which anybody can read
# without root or BPF; and what of the requests and processes is not in the facts.
# timeout: 120
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

port=$(free_port)
mkdir -p "$TMP/www"
echo '<?php usleep(20000); echo "done";' >"$TMP/www/page.php"
export TARDY_TEST_SECRET=environment-secret-4711
php_start "$TMP/php.sock" 2
nginx_start "$port" "$(nginx_php "$TMP/php.sock")"
# a server with a password among its words; it speaks after tardy has begun
own=$(free_port)
spawn python3 "$here/loss.py" server "$own" --password argument-secret-4712
OWN_PID=$SPAWNED
wait_until 10 tcp_open "$own" || bail "the server did not start"
get() {
	curl -s -o "$TMP/page" -b "sid=cookie-secret-4713" -H "Authorization: Bearer header-secret-4714" \
		"http://127.0.0.1:$1/$2?token=query-secret-4715" || bail "no answer of $2"
}

record_start "$NGINX_PID,$PHP_PID,$OWN_PID" --bundle
for _ in 1 2 3; do
	get "$port" page.php
	get "$own" own
done
record_end
is "record ended well" "$RECORD_STATUS" 0
is "one line says what a bundle holds" "$(grep -c 'a bundle holds .*cookies.* send it only to' "$TMP/tardy.err")" 1
is "its mode is private" "$(stat -c %a "$TMP/data")" 600

# ---- anybody reads it: no root, nothing of BPF ----
install -m 0755 "$TARDY" "$TMP/tardy"
cp "$TMP/data" "$TMP/sent"
chmod 644 "$TMP/sent"
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --no-new-privs "$TMP/tardy")
"${nobody[@]}" report -i "$TMP/sent" routes >"$TMP/routes" 2>"$TMP/err"
is "the report is read by nobody" "$?" 0
like "and has the route" "$(cat "$TMP/routes")" 'GET /page.php'
is "replay is read by nobody" "$("${nobody[@]}" replay -b "$TMP/sent" 2>"$TMP/err" | grep -c '>> ')" 1
like "and export" "$("${nobody[@]}" export -i "$TMP/sent" -F folded 2>"$TMP/err")" ';GET /page.php;'
"${nobody[@]}" report -i "$TMP/sent" facts >"$TMP/facts.txt" 2>"$TMP/err"
is "facts as text" "$?" 0
"${nobody[@]}" report -i "$TMP/sent" facts -F json >"$TMP/facts.json" 2>"$TMP/err"
is "facts as JSON" "$?" 0
attached() { json "$TMP/facts.json" "[r['text'] for r in rows if r.get('name') == '$1'][0]"; }
is "what is attached" "$(json "$TMP/facts.json" "[r['name'] for r in rows if r.get('kind') == 'attachment']")" \
	"['doctor', 'host', 'servers', 'report']"
is "facts alone are no report" "$(grep -c '^-- ' "$TMP/facts.txt")" "$(($(attached report | grep -c '^-- ') + 4))"

# ---- what the attachments say ----
attached doctor >"$TMP/doctor"
is "doctor's schema" "$(json "$TMP/doctor" 'rows[0]["schema"].split("/")[0], rows[0]["ok"]')" "('tardy.doctor', True)"
is "doctor lists hooks" "$(json "$TMP/doctor" 'any(r.get("what") == "sched_switch" and r["state"] == "ok" for r in rows)')" True
attached host >"$TMP/host"
is "the kernel" "$(json "$TMP/host" 'next(r["release"] for r in rows if r.get("kind") == "kernel")')" "$(uname -r)"
is "the CPUs" "$(json "$TMP/host" 'next(r["online"] for r in rows if r.get("kind") == "cpu")')" "$(nproc)"
is "the memory" "$(json "$TMP/host" 'next(r["total_bytes"] for r in rows if r.get("kind") == "memory")')" \
	"$(($(awk '/^MemTotal:/ { print $2 }' /proc/meminfo) * 1024))"
is "somaxconn" "$(json "$TMP/host" 'next(r["value"] for r in rows if r.get("name") == "net/core/somaxconn")')" \
	"$(cat /proc/sys/net/core/somaxconn)"
is "limits of tardy" "$(json "$TMP/host" 'next(r["soft"] for r in rows if r.get("name") == "nofile")')" "$(ulimit -Sn)"
attached servers >"$TMP/servers"
nginx=$(readlink -f "$(command -v nginx)")
is "nginx's version is its package's" \
	"$(json "$TMP/servers" 'next((r["package"], r["version"]) for r in rows if r.get("exe") == "nginx")')" \
	"('$(dpkg-query -S "$nginx" | cut -d: -f1)', '$(dpkg-query -S "$nginx" | cut -d: -f1 | xargs dpkg-query -W -f '${Version}')')"
is "and its build id" "$(json "$TMP/servers" 'next(r["build_id"] for r in rows if r.get("exe") == "nginx")')" \
	"$(readelf -n "$nginx" | sed -n 's/.*Build ID: //p')"
is "the others" "$(json "$TMP/servers" 'sorted(r["exe"].rstrip("0123456789.") for r in rows if "exe" in r)')" \
	"['nginx', 'php-fpm', 'python']"
# what was attached is what report says now, but for its clock
attached report | grep '^  GET' >"$TMP/was"
"$TARDY" report -i "$TMP/data" --ascii 2>"$TMP/err" | grep '^  GET' >"$TMP/now"
check "the attached report is the report" cmp "$TMP/was" "$TMP/now"

# ---- what they do not say ----
is "no secret in the attachments" "$(grep -oE '[a-z]+-secret-[0-9]+' "$TMP/facts.json" "$TMP/facts.txt")" ''
unlike "no path of the test" "$(cat "$TMP/facts.json")" "${TMP##*/}"
unlike "no name of the host in host facts" "$(cat "$TMP/host")" "\"$(hostname)\""

# ---- a cut bundle, a plain capture, a bound ----
head -c $(($(stat -c %s "$TMP/data") - 20)) "$TMP/data" >"$TMP/cut"
"$TARDY" report -i "$TMP/cut" facts >"$TMP/out" 2>"$TMP/err"
is "a cut bundle still has its facts" "$?" 0
like "and says that it is cut" "$(cat "$TMP/err")" 'warning\[T0015\].*truncated'
record_start "$NGINX_PID"
get "$port" page.php
record_end
"$TARDY" report -i "$TMP/data" facts >"$TMP/out" 2>"$TMP/err"
is "a plain capture has none: exit status" "$?" 1
like "and says how to make one" "$(cat "$TMP/err")" 'record --bundle'
"$TARDY" record -p "$NGINX_PID" -o - --bundle >"$TMP/out" 2>"$TMP/err"
is "a bundle needs a file" "$?" 2
rm -f "$TMP/data"
tardy_start record -p "$NGINX_PID,$PHP_PID" -o "$TMP/data" --bundle --max-size 100K
wait_until 10 grep -q 'recording to' "$TMP/tardy.err" || bail "no recording"
wrk -t 1 -c 8 -d 2 "http://127.0.0.1:$port/" >"$TMP/wrk.out"
check "--max-size ends the recording" wait_until 10 test -e "$TMP/data"
wait "$TARDY_PID"
is "with status" "$?" 0
between "bytes" "$(stat -c %s "$TMP/data")" 20000 102400
is "all is attached" "$("$TARDY" report -i "$TMP/data" facts -F json 2>"$TMP/err" | grep -c '"kind":"attachment"')" 4

kernel_clean
done_testing
