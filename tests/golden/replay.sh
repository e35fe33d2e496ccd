#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Stored captures of the demo classroom through report and export: what is said of them stays the
# same, old captures stay readable, and damaged ones give a report or an error that says why.
#
#   TARDY_GOLDEN_UPDATE=1 tests/golden/replay.sh       stores what is said now; look at the diff
#   TARDY_GOLDEN_RECORD=1 sudo -E tests/golden/replay.sh   records the captures anew, then stores
#
# The captures hold nothing but the demo's own processes; replay_scrub takes out what names the
# machine.
# timeout: 300
UPDATE=${UPDATE:-${TARDY_GOLDEN_UPDATE:-}}
. "$(dirname "$0")/../lib/golden.sh"

# capture NAME MODE USERS MILLISECONDS: a capture of the classroom in that mode, under load
capture() {
	local room=$TMP/room pids load
	local classroom=$TARDY_ROOT/tools/demo/classroom
	mkdir -p "$TMP/$1"
	"$classroom" up --dir "$room" --mode "$2" 8>&- || bail "the classroom did not start"
	at_exit "$classroom down --dir $room"
	pids=$("$classroom" pids --dir "$room" | tr ' ' ',')
	"$classroom" load --dir "$room" --mode "$2" --seconds 10 --users "$3" >"$TMP/$1/load" 8>&- &
	load=$!
	sleep 6
	check "$2 is recorded" "$TARDY" record -p "$pids" --duration "$4ms" -o "$TMP/$1/data"
	wait "$load"
	"$classroom" down --dir "$room"
	check "$1 is scrubbed" "$TMP/scrub" "$TMP/$1/data" "$TMP/$1/kept"
	cp "$TMP/$1/kept" "$GOLDEN_DIR/replay_$1.data"
	between "$1: bytes" "$(stat -c %s "$GOLDEN_DIR/replay_$1.data")" 10000 150000
}

if [ -n "${TARDY_GOLDEN_RECORD:-}" ]; then
	UPDATE=1
	exec 8>"${TARDY_LIVE_LOCK:-$TARDY_ROOT/build/live.lock}"
	flock 8 # nothing else may disturb the demo meanwhile
	# shellcheck disable=SC2046
	cc -std=gnu11 -D_GNU_SOURCE -I"$TARDY_ROOT/user" -I"$TARDY_ROOT" \
		"$GOLDEN_DIR/replay_scrub.c" "$TARDY_BUILD/libtardy.a" \
		$(pkg-config --libs libzstd zlib) -o "$TMP/scrub" || bail "replay_scrub"
	capture exam_start exam-start 14 1100
	capture session_lock session-lock 16 2000
	capture n_plus_one n-plus-one 1 1100
fi

# first_rows N COMMAND...: the first rows of JSON; all of them would be a megabyte
first_rows() {
	local n=$1
	shift
	"$@" >"$TMP/rows" || return
	head -n "$n" "$TMP/rows"
}

# Each row of requests explains its wall time to the microsecond.
sums() {
	"$TARDY" report -i "$1" requests -F json 2>/dev/null | python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
requests = [r for r in rows if r.get("kind") == "request"]
bad = [r["id"] for r in requests if sum(p["us"] for p in r["parts"]) != r["wall_us"]]
late = [r["id"] for r in requests if r["wall_us"] > 60e6]
entry = sum(r["entry"] for r in requests)
if bad or late or not requests:
    sys.exit("parts do not sum in %s, no time at all in %s" % (bad, late))
print("requests %d, of them from clients %d" % (len(requests), entry))'
}

# each way to read a capture in turn
shows=(
	'report -F json requests -i'
	'report -i'
	'report facts -i'
	'report -F json routes hotspots health facts -i'
	'export -F folded -i'
	'replay -b'
)
show_at=0
# survives NAME FILE: a report or an error that is understood, never a signal
survives() {
	local rc show=${shows[show_at++ % ${#shows[@]}]}
	# shellcheck disable=SC2086 # its words
	timeout 20 "$TARDY" $show "$2" >"$TMP/out" 2>"$TMP/err" </dev/null
	rc=$?
	if ((rc > 5)); then
		fail "$1: status $rc" "$(tail -n 3 "$TMP/err")"
	elif ((rc > 0)) && ! grep -q '^tardy: ' "$TMP/err"; then
		fail "$1: status $rc without a reason"
	else
		return 0
	fi
}

# put_bits FILE BYTE MASK: flips the bits of MASK in one byte
put_bits() {
	local old
	old=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf '%b' "\\$(printf %03o $((old ^ $3)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

damaged() {
	local data=$1 size step at ok=0 n=0
	size=$(stat -c %s "$data")
	for at in 0 1 63 64 100 $((size / 3)) $((size / 2)) $((size - 100)) $((size - 1)); do
		head -c "$at" "$data" >"$TMP/cut"
		survives "the first $at bytes" "$TMP/cut" && ok=$((ok + 1))
		n=$((n + 1))
	done
	# every bit of the file's head in turn, then places all over it
	step=$((size / 40))
	for ((at = 0; at < size; at += at < 64 ? 4 : step)); do
		cp "$data" "$TMP/bent"
		put_bits "$TMP/bent" "$at" $((1 << (n % 8)))
		survives "byte $at of $size flipped" "$TMP/bent" && ok=$((ok + 1))
		n=$((n + 1))
	done
	is "damaged copies that are understood" "$ok" "$n"
}

# Two halves of a capture make the whole: each request ended in one of them, and what was waited for
# adds up.
halves() {
	local at=$2
	"$TARDY" report -q -i "$1" -F json routes >"$TMP/whole" &&
		"$TARDY" report -q -i "$1" -F json routes --to "$at" >"$TMP/first" &&
		"$TARDY" report -q -i "$1" -F json routes --from "$at" >"$TMP/second" &&
		python3 - "$TMP/whole" "$TMP/first" "$TMP/second" <<-'END'
		import json, sys
		def sums(name):
		    rows = [json.loads(line) for line in open(name)]
		    return (rows[0]["window_us"], rows[1]["requests"],
		            rows[1]["wait_s_per_s"] * rows[0]["window_us"])
		whole, first, second = (sums(name) for name in sys.argv[1:])
		if not 0 < first[0] < whole[0] or abs(first[0] + second[0] - whole[0]) > 1:
		    sys.exit("%d + %d us are not %d" % (first[0], second[0], whole[0]))
		if first[1] + second[1] != whole[1] or not second[1]:
		    sys.exit("%d + %d requests are not %d" % (first[1], second[1], whole[1]))
		if abs(first[2] + second[2] - whole[2]) > 0.02 * whole[2]:
		    sys.exit("%g + %g us of waiting are not %g" % (first[2], second[2], whole[2]))
		END
}

for data in "$GOLDEN_DIR"/replay_*.data; do
	name=$(basename "$data" .data)
	golden "${name}_report" 0 "$TARDY" report -i "$data"
	for table in routes:4 requests:6 hotspots:20 health:9; do
		golden "${name}_${table%:*}" 0 first_rows "${table#*:}" \
			"$TARDY" report -q -i "$data" "${table%:*}" -F json
	done
	golden "${name}_folded" 0 "$TARDY" export -q -i "$data" -F folded
	golden "${name}_sums" 0 sums "$data"
	check "$name: two halves make a whole" halves "$data" 800ms
	damaged "$data"
done
"$TARDY" report -i "$GOLDEN_DIR/replay_exam_start.data" --from 1h >/dev/null 2>"$TMP/err"
is "status of an interval after the end" $? 1
like "which is said" "$(cat "$TMP/err")" 'ends before --from'
"$TARDY" report -i "$GOLDEN_DIR/replay_exam_start.data" --from 500ms --to 400ms >/dev/null 2>"$TMP/err"
is "status of an interval that is none" $? 1
like "which is said, too" "$(cat "$TMP/err")" '--to is not after --from'

# what is kept of a capture whose recorder was killed is its beginning, and it says so
head -c 60000 "$GOLDEN_DIR/replay_exam_start.data" >"$TMP/cut"
"$TARDY" report -i "$TMP/cut" >"$TMP/out" 2>"$TMP/err"
is "a cut capture is reported" $? 0
like "and said to be cut" "$(cat "$TMP/err")" 'truncated|cut|incomplete'
check "its requests sum" sums "$TMP/cut"

done_testing
