# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Command-line tests against stored output.
#
#   golden report-json 0 "$TARDY" report -i "$TMP/fixture" -F json
#
# compares standard output with tests/golden/report-json.out (and, if that file exists, standard
# error with report-json.err) and the exit status with 0. UPDATE=1 writes the stored files
# instead; look at what changed before it is committed.

. "$(dirname "${BASH_SOURCE[0]}")/check.sh"
GOLDEN_DIR=${GOLDEN_DIR:-$TARDY_ROOT/tests/golden}

# golden NAME STATUS COMMAND...
golden() {
	local name=$1 status=$2 rc stream
	shift 2
	"$@" >"$TMP/$name.out" 2>"$TMP/$name.err" </dev/null
	rc=$?
	# what depends on where the test ran
	sed -i "s|$TMP|TMP|g; s|$TARDY_ROOT|ROOT|g" "$TMP/$name.out" "$TMP/$name.err"
	if [ -n "${UPDATE:-}" ]; then
		cp "$TMP/$name.out" "$GOLDEN_DIR/$name.out"
		[ ! -s "$TMP/$name.err" ] || cp "$TMP/$name.err" "$GOLDEN_DIR/$name.err"
	fi
	for stream in out err; do
		if [ $stream = out ] || [ -e "$GOLDEN_DIR/$name.$stream" ]; then
			check "$name: std$stream" diff -u "$GOLDEN_DIR/$name.$stream" "$TMP/$name.$stream"
		fi
	done
	if [ "$rc" = "$status" ]; then
		pass "$name: status $status"
	else
		fail "$name: status" "got $rc, wanted $status" "$(cat "$TMP/$name.err")"
	fi
}
