# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What every test script begins with:
#
#   . "$(dirname "$0")/../lib/check.sh"      (or live.sh, tui.sh, golden.sh, which include it)
#   is "two and two" "$((2 + 2))" 4
#   done_testing
#
# Each check writes a TAP line, which the runner counts. A script that ends before done_testing
# has failed, whatever its exit status. Processes started with spawn are ended by pid and $TMP is
# removed on every exit (KEEP=1 keeps it).

set -u
TARDY_ROOT=${TARDY_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
TARDY_BUILD=${TARDY_BUILD:-$TARDY_ROOT/build}
TARDY=${TARDY:-$TARDY_BUILD/tardy}
export TARDY_ROOT TARDY_BUILD TARDY
export PATH="$PATH:/usr/sbin:/sbin" LC_ALL=C.UTF-8 TZ=UTC
TMP=$(mktemp -d "${TMPDIR:-/tmp}/tardy-test.XXXXXX") || exit 1
chmod 755 "$TMP"

check_count=0 check_failed=0 check_done=
check_pids=() check_hooks=()

# pass NAME; fail NAME [DETAIL...]: one result
pass() {
	check_count=$((check_count + 1))
	printf 'ok %d - %s\n' "$check_count" "$1"
}
fail() {
	check_count=$((check_count + 1)) check_failed=$((check_failed + 1))
	printf 'not ok %d - %s\n' "$check_count" "$1"
	shift
	(($# == 0)) || printf '%s\n' "$@" | sed 's/^/#   /'
	return 1
}
# check NAME COMMAND...: its exit status is 0
check() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then pass "$name"; else fail "$name" "command: $*" "$out"; fi
}
# check_not NAME COMMAND...: its exit status is not 0
check_not() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then fail "$name" "succeeded: $*" "$out"; else pass "$name"; fi
}
# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got:    $2" "wanted: $3"; fi
}
# like NAME TEXT EXTENDED-REGEX: some line of TEXT matches; unlike: none does
like() {
	if grep -qE -- "$3" <<<"$2"; then pass "$1"; else fail "$1" "no match: $3" "in:" "$2"; fi
}
unlike() {
	if grep -qE -- "$3" <<<"$2"; then fail "$1" "matches: $3" "in:" "$2"; else pass "$1"; fi
}
# between NAME VALUE LOW HIGH: decimal numbers
between() {
	if awk -v v="$2" -v a="$3" -v b="$4" \
		'BEGIN { exit !(v ~ /^-?[0-9.]+([eE][-+]?[0-9]+)?$/ && v + 0 >= a && v + 0 <= b) }'; then
		pass "$1 ($2)"
	else
		fail "$1" "got $2, wanted $3 .. $4"
	fi
}
# bail WHY: nothing after this makes sense
bail() {
	fail "$@"
	exit 1
}
# relay FILE: each line "ok NAME" or "not ok NAME" is a check, lines below one that begin with "  "
# are its details, "# " begins a comment; 1 when there is no check
relay() {
	local line name='' word='' more=() count=0
	while IFS= read -r line; do
		line=${line%$'\r'}
		case $line in
		"ok "* | "not ok "*)
			relay_one
			word=${line%%ok *}ok name=${line#*ok } count=$((count + 1))
			more=()
			;;
		"# "*)
			relay_one
			printf '%s\n' "$line"
			;;
		*) more+=("$line") ;;
		esac
	done <"$1"
	relay_one
	((count > 0))
}
# (of relay, whose variables these are)
relay_one() {
	case $word in
	ok) pass "$name" ;;
	not*) fail "$name" "${more[@]}" ;;
	esac
	word=
}
# facts COMMAND...: what it prints becomes checks, as relay says
facts() {
	local rc=0
	"$@" >"$TMP/facts" 2>"$TMP/facts.err" </dev/null || rc=$?
	relay "$TMP/facts" || fail "${1##*/} found nothing to check"
	((rc == 0)) || fail "$* ended with $rc" "$(tail -n 20 "$TMP/facts.err")"
}
done_testing() {
	check_done=1
	printf '1..%d\n' "$check_count"
	((check_failed == 0 && check_count > 0))
	exit
}

# at_exit COMMAND: run (last one first) before processes are ended
at_exit() { check_hooks+=("$1"); }

# spawn COMMAND...: in the background; its pid is $SPAWNED. It does not get the lock of live tests,
# which it could keep beyond the test's end.
spawn() {
	if [ -n "${LIVE_FD:-}" ]; then
		"$@" {LIVE_FD}>&- &
	else
		"$@" &
	fi
	SPAWNED=$!
	check_pids+=("$SPAWNED")
}
# end_pid PID [SIGNAL]: ends one process and waits until it is gone (10 s, then SIGKILL)
end_pid() {
	local pid=$1 i
	kill "-${2:-TERM}" "$pid" 2>/dev/null || true
	for ((i = 0; i < 200; i++)); do
		if ! kill -0 "$pid" 2>/dev/null || grep -qs '^State:.Z' "/proc/$pid/status"; then
			break
		fi
		sleep 0.05
	done
	((i < 200)) || kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null
}
# wait_until SECONDS COMMAND...: until it succeeds; 1 when the time is over
wait_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
}
# free_port: a TCP port of 127.0.0.1 on which nobody listens
free_port() {
	python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}
# json FILE EXPRESSION: evaluates Python over `rows`, the list of a file's JSON lines
json() {
	python3 -c 'import json, sys
rows = [json.loads(l) for l in open(sys.argv[1]) if l.strip()]
print(eval(sys.argv[2]))' "$1" "$2"
}

check_exit() {
	local rc=$? i
	trap - EXIT
	for ((i = ${#check_hooks[@]} - 1; i >= 0; i--)); do
		eval "${check_hooks[i]}"
	done
	for ((i = ${#check_pids[@]} - 1; i >= 0; i--)); do
		if kill -0 "${check_pids[i]}" 2>/dev/null; then
			end_pid "${check_pids[i]}"
		fi
	done
	if [ -n "${KEEP:-}" ]; then
		echo "# kept $TMP"
	else
		rm -rf "$TMP"
	fi
	if [ -z "$check_done" ]; then
		echo "not ok $((check_count + 1)) - the script ended before done_testing"
		rc=1
	fi
	exit $rc
}
trap check_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
