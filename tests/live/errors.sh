#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What cannot work says so with the right exit status, and what can still be saved is saved.
# timeout: 150
. "$(dirname "$0")/../lib/live.sh"
kernel_mark

# expect NAME STATUS REGEX COMMAND...: exit status, and an error (or warning) line on stderr
expect() {
	local name=$1 status=$2 text=$3 got
	shift 3
	"$@" >"$TMP/out" 2>"$TMP/err" </dev/null
	got=$?
	is "$name: exit status" "$got" "$status"
	[ -z "$text" ] || like "$name: says why" "$(cat "$TMP/err")" "$text"
	unlike "$name: does not crash" "$(cat "$TMP/err")" 'Sanitizer|runtime error|Segmentation|Aborted'
}
# an error has a code that explain knows, and says what to do
explained() {
	local code
	code=$(sed -n 's/.*error\[\(T[0-9]*\)\].*/\1/p' "$TMP/err" | head -n 1)
	like "$1: has a code" "$code" '^T[0-9]{4}$'
	check "$1: explain knows $code" "$TARDY" explain "$code"
}

# ended NAME PID: it ends by itself; $ENDED is its status
ended() {
	if wait_until 5 gone "$2"; then
		pass "$1"
		wait "$2"
	else
		fail "$1"
		end_pid "$2" INT
	fi
	ENDED=$?
}
gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status"; }

# ---- usage, privilege, target ----
install -m 0755 "$TARDY" "$TMP/tardy"
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups "$TMP/tardy")
expect "not root: top" 3 'error\[T[0-9]+\]' "${nobody[@]}" -b -n 1
explained "not root"
like "not root: a fix" "$(cat "$TMP/err")" '= fix: '
expect "not root: record" 3 'error\[T[0-9]+\]' "${nobody[@]}" record -o "$TMP/none" --duration 1s
check_not "not root: no file" test -e "$TMP/none"
expect "not root: report --duration" 3 'error\[T[0-9]+\]' "${nobody[@]}" report --duration 1s
expect "not root: doctor" 1 '' "${nobody[@]}" doctor
few=-bpf,-sys_admin,-perfmon
few_caps=(setpriv --bounding-set "$few" --inh-caps "$few")
expect "root without its privileges: doctor" 1 '' "${few_caps[@]}" "$TARDY" doctor
like "root without its privileges: why" "$(cat "$TMP/out")" '^FAIL +tier tp +programs not loaded: no privilege'
unlike "root without its privileges: is root" "$(cat "$TMP/out")" 'run as root'
few_files() (ulimit -n 12 && exec "$@")
expect "few open files: doctor" 1 '' few_files "$TARDY" doctor
like "few open files: doctor says why" "$(cat "$TMP/out")" '^FAIL +tier tp +programs not loaded: too many open files'
unlike "few open files: is no lack of privilege" "$(cat "$TMP/out")" 'privilege, or|run as root'
expect "few open files: record" 3 'error\[T0005\].*too many open files' few_files "$TARDY" record -p $$ \
	-o "$TMP/none" --duration 1s
like "few open files: record says what helps" "$(cat "$TMP/err")" '= fix: raise the limit'
explained "few open files"
nobody_pid=$(sh -c 'echo $$')
expect "no such process" 4 "error\[T[0-9]+\].*$nobody_pid" "$TARDY" record -p "$nobody_pid" -o "$TMP/none"
explained "no such process"
check_not "no such process: no file" test -e "$TMP/none"
expect "in a PID namespace of its own" 3 'error\[T0026\]' \
	unshare --pid --fork --mount-proc "$TARDY" record --port 1 -o "$TMP/none" --duration 1s
explained "in a PID namespace of its own"
check_not "in a PID namespace of its own: no file" test -e "$TMP/none"
expect "unknown option" 2 'error' "$TARDY" record --no-such-option
expect "unknown command" 2 'error' "$TARDY" no-such-command
expect "bad number" 2 'error' "$TARDY" -n many
expect "bad selection" 2 'error' "$TARDY" -p 0
expect "no such user" 2 'error' "$TARDY" -b -n 1 -u no-such-user-at-all

# ---- captures that are none ----
port=$(free_port)
mkdir -p "$TMP/www"
nginx_start "$port"
get() { curl -s -o "$TMP/page" "http://127.0.0.1:$port/$1"; }
record_start "$NGINX_PID"
for _ in 1 2 3 4 5; do
	get index.html
	sleep 0.4
done
record_end
is "a good capture" "$RECORD_STATUS" 0
check "SIGINT finished it" test -s "$TMP/data"
check_not "no .part is left" test -e "$TMP/data.part"
cp "$TMP/data" "$TMP/good"
found() { "$TARDY" report -i "$1" requests -F json 2>"$TMP/err" | grep -c '"kind":"request"'; }
is "its requests" "$(found "$TMP/good")" 5

expect "no such file" 1 'error\[T[0-9]+\].*absent' "$TARDY" report -i "$TMP/absent"
explained "no such file"
install -m 0600 "$TMP/good" "$TMP/private"
expect "no permission" 1 'error\[T[0-9]+\].*private' "${nobody[@]}" report -i "$TMP/private"
expect "a folder" 1 'error\[T[0-9]+\]' "$TARDY" report -i "$TMP"
expect "not a capture" 2 'error\[T[0-9]+\]' "$TARDY" report -i "$TMP/nginx.conf"
explained "not a capture"
: >"$TMP/empty"
expect "an empty file" 2 'error\[T[0-9]+\]' "$TARDY" report -i "$TMP/empty"
expect "replay of none" 2 'error\[T[0-9]+\]' "$TARDY" replay -b "$TMP/nginx.conf"
expect "export of none" 2 'error\[T[0-9]+\]' "$TARDY" export -i "$TMP/nginx.conf" -F folded

# every length: never a crash, the whole blocks are used, and a cut is said
size=$(stat -c %s "$TMP/good")
most=0
cuts=0
silent=0
for ((i = 1; i < 40; i++)); do
	head -c $((size * i / 40)) "$TMP/good" >"$TMP/cut"
	n=$(found "$TMP/cut")
	rc=${PIPESTATUS[0]}
	((rc < 128)) || fail "cut at $i/40" "status $rc" "$(cat "$TMP/err")"
	((n >= most)) || fail "a longer capture shows less" "$n after $most"
	((n <= most)) || most=$n
	((n == 0)) || cuts=$((cuts + 1))
	grep -qE 'warning\[|error\[' "$TMP/err" || silent=$((silent + 1))
done
between "whole blocks of a cut capture are used" "$cuts" 1 39
is "each cut is said" "$silent" 0
head -c $((size - 3)) "$TMP/good" >"$TMP/cut"
expect "cut at its end" 0 'warning\[T[0-9]+\]' "$TARDY" report -i "$TMP/cut"
expect "no data" 1 '' "$TARDY" report -p $$ --duration 300ms
explained "no data"

# ---- outputs that fail ----
"$TARDY" report -i "$TMP/good" requests -F json 2>"$TMP/err" | head -n 1 >"$TMP/out"
status=("${PIPESTATUS[@]}")
is "a reader that leaves: the line" "$(grep -c schema "$TMP/out")" 1
between "a reader that leaves: no signal" "${status[0]}" 0 127
unlike "a reader that leaves: no crash" "$(cat "$TMP/err")" 'Sanitizer|runtime error'
mkfifo "$TMP/fifo"
spawn head -c 1 "$TMP/fifo" >"$TMP/out"
reader=$SPAWNED
exec 7>"$TMP/fifo"
end_pid "$reader"
"$TARDY" report -i "$TMP/good" requests -F json >&7 2>"$TMP/err"
rc=$?
exec 7>&-
between "a closed pipe: exit status" "$rc" 1 127
like "a closed pipe: says so" "$(cat "$TMP/err")" 'error\[T[0-9]+\]'

mkdir "$TMP/small"
mount -t tmpfs -o size=64k tardy-test "$TMP/small" || bail "cannot mount a small file system"
at_exit 'umount -l "$TMP/small"'
head -c 60000 /dev/zero >"$TMP/small/filler"
expect "full disk: report" 1 'error\[T[0-9]+\].*[Nn]o space' \
	sh -c 'exec "$0" report -i "$1" requests routes hotspots -F json >>"$2"' "$TARDY" "$TMP/good" /dev/full
tardy_start record -p "$NGINX_PID" -o "$TMP/small/data"
wait_until 10 grep -q 'recording to' "$TMP/tardy.err" || bail "record did not start"
wrk -t 1 -c 8 -d 2 "http://127.0.0.1:$port/index.html" >"$TMP/wrk.out"
ended "full disk ends the recording" "$TARDY_PID"
is "full disk: record's exit status" "$ENDED" 1
like "full disk: record says so" "$(cat "$TMP/tardy.err")" 'error\[T[0-9]+\].*[Nn]o space'
expect "--output in no folder" 1 'error\[T[0-9]+\]' "$TARDY" record -p "$NGINX_PID" \
	-o "$TMP/no/such/folder" --duration 1s

# ---- bounds ----
record_start "$NGINX_PID" --max-size 200K
wrk -t 1 -c 8 -d 2 "http://127.0.0.1:$port/index.html" >"$TMP/wrk.out"
ended "--max-size ends the recording" "$TARDY_PID"
is "--max-size: exit status" "$ENDED" 0
like "--max-size: says so" "$(cat "$TMP/tardy.err")" 'warning\[T[0-9]+\]'
between "--max-size: bytes" "$(stat -c %s "$TMP/data")" 20000 204800
between "--max-size: what is there can be read" "$(found "$TMP/data")" 10 1000000

record_start "$NGINX_PID" --ring-size 4096 --max-lost 0
wrk -t 1 -c 16 -d 2 "http://127.0.0.1:$port/index.html" >"$TMP/wrk.out"
record_end
is "--max-lost: exit status" "$RECORD_STATUS" 5
like "--max-lost: says so" "$(cat "$TMP/tardy.err")" 'error\[T[0-9]+\].*lost'
"$TARDY" report -i "$TMP/data" requests health -F json >"$TMP/report" 2>"$TMP/err"
is "--max-lost: the capture can be read" "$?" 0
lost=$(json "$TMP/report" 'next(r["lost"] for r in rows if r.get("kind") == "health")')
between "a small ring loses records" "$lost" 1 1e12
between "requests that overlap the loss are incomplete" "$(json "$TMP/report" \
	'sum(r["incomplete"] for r in rows if r.get("kind") == "request")')" 1 1e12
"$TARDY" report -i "$TMP/data" --max-lost 0 >"$TMP/out" 2>"$TMP/err"
is "--max-lost of a report" "$?" 5
is "without --max-lost it is fine" "$("$TARDY" report -i "$TMP/data" >"$TMP/out" 2>&1; echo $?)" 0

# ---- signals ----
for signal in INT TERM; do
	record_start "$NGINX_PID"
	get index.html
	sleep 0.4
	end_pid "$TARDY_PID" $signal
	is "SIG$signal: exit status" "$?" 0
	is "SIG$signal: the request is in the file" "$(found "$TMP/data")" 1
	check_not "SIG$signal: no .part" test -e "$TMP/data.part"
done
cp "$TMP/data" "$TMP/previous"
expect "a second recording" 0 '' "$TARDY" record -p "$NGINX_PID" -o "$TMP/data" --duration 300ms
check "the previous capture is kept" cmp "$TMP/previous" "$TMP/data.old"
is "a capture is private" "$(stat -c %a "$TMP/data")" 600

# ---- doctor ----
expect "doctor" 0 '' "$TARDY" doctor
is "doctor prints findings" "$(grep -cE '^(ok|WARN) ' "$TMP/out" | awk '{ print ($1 >= 5) }')" 1
unlike "doctor: nothing fails here" "$(cat "$TMP/out")" '^FAIL'
expect "doctor -F json" 0 '' "$TARDY" doctor -F json
cp "$TMP/out" "$TMP/doctor"
is "doctor: schema" "$(json "$TMP/doctor" 'rows[0]["schema"].split("/")[0] + " " + str(rows[0]["ok"])')" \
	"tardy.doctor True"
is "doctor: findings have a state" "$(json "$TMP/doctor" \
	'len(rows) > 5 and all(r["state"] in ("ok", "WARN") for r in rows[1:])')" True
expect "doctor -q" 0 '' "$TARDY" doctor -q
is "doctor -q prints nothing" "$(cat "$TMP/out" "$TMP/err")" ''

kernel_clean
done_testing
