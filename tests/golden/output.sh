#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Where -o writes: a new private file that takes its name when it is whole, and never into what
# somebody else put there; what cannot be written or read says so.
. "$(dirname "$0")/../lib/check.sh"

capture=$TARDY_ROOT/tests/golden/stacks.data

# expect NAME STATUS REGEX COMMAND...: exit status, and what it says
expect() {
	local name=$1 status=$2 text=$3 rc
	shift 3
	timeout 20 "$@" >"$TMP/out" 2>"$TMP/err" </dev/null
	rc=$?
	is "$name: status" "$rc" "$status"
	[ -z "$text" ] || like "$name: says why" "$(cat "$TMP/err")" "$text"
}
# mode and owner of a file
about() { stat -c '%a %u' "$1"; }

mkdir -m 1777 "$TMP/shared"
cd "$TMP/shared" || bail "cannot go to a folder"
for what in "export -F folded" "export -F speedscope" "report requests -F json" report; do
	# shellcheck disable=SC2086 # its words
	set -- "$TARDY" $what -i "$capture"
	"$@" >"$TMP/wanted" 2>"$TMP/err"
	expect "$what: a new file" 0 '' "$@" -o new
	is "$what: it is private" "$(about new)" "600 $(id -u)"
	check "$what: it holds what standard output would" cmp new "$TMP/wanted"
	is "$what: nothing else is left" "$(ls)" new

	echo theirs >"$TMP/theirs"
	chmod 0666 "$TMP/theirs"
	[ "$(id -u)" != 0 ] || chown 65534 "$TMP/theirs"
	ln -f "$TMP/theirs" new
	expect "$what: a file of another user" 0 '' "$@" -o new
	is "$what: it is replaced, not written to" "$(cat "$TMP/theirs")" theirs
	is "$what: the new one is private" "$(about new)" "600 $(id -u)"
	rm new

	mkfifo -m 666 pipe
	spawn timeout 20 cat pipe >"$TMP/stolen"
	expect "$what: a planted pipe" 1 'error\[T0022\].*pipe is a pipe.*only files' "$@" -o pipe
	like "$what: it says what to use" "$(cat "$TMP/err")" 'fix: .*-o - '
	end_pid "$SPAWNED"
	is "$what: nothing went into it" "$(cat "$TMP/stolen")" ''
	rm pipe
	ln -s "$TMP/theirs" link
	expect "$what: a link" 1 'error\[T0022\].*link is a symbolic link' "$@" -o link
	is "$what: it is not followed" "$(cat "$TMP/theirs")" theirs
	rm link
	expect "$what: a device" 1 'error\[T0022\].*/dev/null is .*a device' "$@" -o /dev/null
	expect "$what: a folder" 1 'error\[T0022\].*a directory' "$@" -o "$TMP"
	expect "$what: in no folder" 1 'error\[T0022\].*No such file' "$@" -o no/such/folder

	# too large for what the shell allows, as on a full disk
	echo before >kept
	limited() { (ulimit -f 0 && exec "$@"); }
	said=$(limited "$@" -o kept 2>&1)
	is "$what: no room: status" "$?" 1
	like "$what: no room: says so" "$said" 'error\[T0016\]: cannot write kept: No space'
	like "$what: no room: says what is there" "$said" 'effect: nothing was written'
	is "$what: no room: what was there stays" "$(cat kept)" before
	is "$what: no room: nothing else is there" "$(ls)" kept
	rm kept
	expect "$what: a full device" 1 'error\[T0016\]: cannot write standard output' \
		sh -c 'exec "$@" >/dev/full' - "$@"
done

# small texts wait in a buffer until the end
for what in help version man 'explain T0012' explain 'completion bash'; do
	# shellcheck disable=SC2086
	expect "$what: a full device" 1 'error\[T0016\]|cannot write' \
		sh -c 'exec "$@" >/dev/full' - "$TARDY" $what
done

for what in report export 'replay -b'; do
	option=-i
	[ "$what" != 'replay -b' ] || option=
	# shellcheck disable=SC2086
	expect "$what: no such file" 1 'error\[T0013\].*absent' "$TARDY" $what $option absent
	# shellcheck disable=SC2086
	expect "$what: a folder" 1 'error\[T0013\]' "$TARDY" $what $option "$TMP"
done
expect "an export of nothing" 1 'error\[T0018\]' "$TARDY" export -i "$capture" --route 'GET /no/such' -o none
check_not "an export of nothing leaves no file" test -e none
done_testing
