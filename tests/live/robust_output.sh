#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Outputs that fail while tardy measures: a file system that fills up, readers that leave. It ends
# soon, says why, nothing of it stays in the kernel, and what was written can be read.
# timeout: 120
. "$(dirname "$0")/../lib/live.sh"
kernel_mark

port=$(free_port)
nginx_start "$port"
pids=$(children_of "$NGINX_PID")
spawn wrk -t 1 -c 4 -d 100 "http://127.0.0.1:$port/index.html" >"$TMP/wrk.out"

gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status"; }
# ended NAME PID STATUS ERROR-REGEX: it ends by itself, with that status and reason
ended() {
	if wait_until 15 gone "$2"; then pass "$1: ends"; else fail "$1: ends" "$(cat "$TMP/tardy.err")"; fi
	wait "$2"
	is "$1: status" "$?" "$3"
	like "$1: says why" "$(cat "$TMP/tardy.err")" "$4"
}
no_programs() { [ -z "$(bpf_leaked on_sched_switch)" ]; }
found() { "$TARDY" report -i "$1" requests -F json 2>"$TMP/err" | grep -c '"kind":"request"'; }

# ---- a full disk ----
mkdir "$TMP/small"
mount -t tmpfs -o size=200k tardy-test "$TMP/small" || bail "cannot mount a small file system"
at_exit 'umount -l "$TMP/small"'
for bundle in '' --bundle; do
	rm -f "$TMP/small"/*
	tardy_start record -p "$pids" -o "$TMP/small/data" $bundle
	ended "full disk${bundle:+, a bundle}" "$TARDY_PID" 1 'error\[T0016\].*No space'
	between "full disk: what fitted can be read" "$(found "$TMP/small/data")" 10 1e9
	like "full disk: it says that it is cut" "$(cat "$TMP/err")" 'warning\[T0015\].*truncated'
done
# full before the first byte
rm -f "$TMP/small"/*
head -c 300000 /dev/zero >"$TMP/small/filler" 2>"$TMP/err"
tardy_start record -p "$pids" -o "$TMP/small/data"
ended "no byte free" "$TARDY_PID" 1 'error\[T0016\].*No space'
is "no byte free: no file is left" "$(ls "$TMP/small")" filler
into_full() { exec "$TARDY" record -p "$pids" -o - >/dev/full 2>"$TMP/tardy.err" </dev/null; }
spawn into_full
ended "a full device" "$SPAWNED" 1 'error\[T0016\].*No space'
# exports and reports: no file rather than half of one
"$TARDY" record -p "$pids" -o "$TMP/whole" --duration 1s 2>"$TMP/err"
for what in 'export -F folded' 'report requests -F json' report; do
	# shellcheck disable=SC2086 # its words
	"$TARDY" $what -i "$TMP/whole" -o "$TMP/small/out" 2>"$TMP/err"
	is "no byte free: $what: status" "$?" 1
	like "no byte free: $what: says so" "$(cat "$TMP/err")" 'error\[T0016\]: cannot write .*No space'
	is "no byte free: $what: no file is left" "$(ls -A "$TMP/small")" filler
done
# a limit of the shell's, not of the disk
tardy_start_limited() { (ulimit -f 64 && exec "$TARDY" "$@"); }
spawn tardy_start_limited record -p "$pids" -o "$TMP/limited" 2>"$TMP/tardy.err"
ended "a file size limit" "$SPAWNED" 1 'error\[T0016\]'
between "a file size limit: what fitted can be read" "$(found "$TMP/limited")" 10 1e9

# ---- what others put at the name ----
mkdir -m 1777 "$TMP/shared"
mkfifo -m 666 "$TMP/shared/data"
chown 65534:65534 "$TMP/shared/data"
spawn timeout 60 cat "$TMP/shared/data" >"$TMP/stolen"
thief=$SPAWNED
tardy_start record -p "$pids" -o "$TMP/shared/data" --duration 2s
ended "a planted pipe" "$TARDY_PID" 1 'error\[T0022\].*data is a pipe'
end_pid "$thief"
is "a planted pipe: nothing went into it" "$(stat -c %s "$TMP/stolen")" 0
rm "$TMP/shared/data"
mkfifo -m 666 "$TMP/shared/data.part"
chown 65534:65534 "$TMP/shared/data.part"
tardy_start record -p "$pids" -o "$TMP/shared/data" --duration 2s
ended "a pipe at the name of the part" "$TARDY_PID" 1 'error\[T0022\]'
rm "$TMP/shared/data.part"
echo theirs >"$TMP/shared/data"
chown 65534:65534 "$TMP/shared/data"
chmod 0666 "$TMP/shared/data"
"$TARDY" record -p "$pids" -o "$TMP/shared/data" --duration 1s 2>"$TMP/err"
is "a file of another user: it is kept" "$(cat "$TMP/shared/data.old")" theirs
is "a file of another user: the new one is private" \
	"$(stat -c '%a %u' "$TMP/shared/data")" '600 0'

# ---- readers that leave ----
# opens the pipe, which waits for the reader, in the background
into_pipe() { exec "$TARDY" "$@" >"$TMP/pipe" 2>"$TMP/tardy.err" </dev/null; }
pipe_ended() {
	local name=$1
	shift
	mkfifo "$TMP/pipe"
	spawn into_pipe "$@"
	head -c 20000 <"$TMP/pipe" >"$TMP/head"
	ended "$name" "$SPAWNED" 1 'error\[T0017\].*closed by its reader'
	rm "$TMP/pipe"
}
pipe_ended "record -o - | head" record -p "$pids" -o -
is "record -o - | head: what came is a capture" "$(head -c 6 "$TMP/head" | tail -c 5)" TARDY
pipe_ended "tardy -b | head" -b -d 0.1 -p "$pids"
"$TARDY" record -p "$pids" -o "$TMP/data" --duration 3s 2>"$TMP/err"
is "a capture" "$?" 0
pipe_ended "report -F json | head" report -i "$TMP/data" requests -F json
# a pipe in both directions is a file as good as another
"$TARDY" record -p "$pids" -o - --duration 1s 2>"$TMP/err" | "$TARDY" report -i - routes >"$TMP/out" 2>&1
is "record | report" "${PIPESTATUS[*]}" "0 0"
like "record | report: it shows the route" "$(cat "$TMP/out")" 'GET /index.html'

check "nothing is left in the kernel" wait_until 3 no_programs
kernel_clean
done_testing
