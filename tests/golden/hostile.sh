#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Who may send requests chooses how many calls they make and how these overlap: twice as many must
# cost about twice as much, counted in instructions.
# timeout: 240
. "$(dirname "$0")/../lib/golden.sh"

# shellcheck disable=SC2046
cc -std=gnu11 -D_GNU_SOURCE -I"$TARDY_ROOT/user" -I"$TARDY_ROOT" "$GOLDEN_DIR/hostile_capture.c" \
	"$TARDY_BUILD/libtardy.a" $(pkg-config --libs libzstd zlib) -lm -o "$TMP/make" ||
	bail "hostile_capture"

# instructions KIND N: of a report
instructions() {
	"$TMP/make" "$1" "$2" "$TMP/data" || return
	valgrind --tool=callgrind --callgrind-out-file="$TMP/callgrind" \
		"$TARDY" report -i "$TMP/data" routes >"$TMP/out" 2>"$TMP/err" || return
	awk '/^(summary|totals):/ { print $2; exit }' "$TMP/callgrind"
}

for kind in overlap stairs onewire; do
	one=$(instructions "$kind" 4000)
	like "$kind: the request is there" "$(cat "$TMP/out")" '^ *GET /r '
	two=$(instructions "$kind" 8000)
	between "$kind: twice the calls, percent of the instructions" "$((two * 100 / one))" 120 240
done
done_testing
