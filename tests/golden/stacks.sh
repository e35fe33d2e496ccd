#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A stored capture with stacks through report and export: what is said of it stays the same, its
# flame graphs keep the grammar of flamegraph.pl and the schema of speedscope.
#
#   TARDY_GOLDEN_UPDATE=1 tests/golden/stacks.sh   stores what is said now; look at the diff
#   TARDY_GOLDEN_RECORD=1 tests/golden/stacks.sh   writes the capture anew, then stores
# timeout: 60
UPDATE=${UPDATE:-${TARDY_GOLDEN_UPDATE:-}}
. "$(dirname "$0")/../lib/golden.sh"

data=$GOLDEN_DIR/stacks.data
if [ -n "${TARDY_GOLDEN_RECORD:-}" ]; then
	UPDATE=1
	# shellcheck disable=SC2046
	cc -std=gnu11 -D_GNU_SOURCE -I"$TARDY_ROOT/user" -I"$TARDY_ROOT" -I"$TARDY_ROOT/tests" \
		"$GOLDEN_DIR/stacks_capture.c" "$TARDY_BUILD/libtardy.a" \
		$(pkg-config --libs cmocka libzstd zlib) -lm -o "$TMP/make" || bail "stacks_capture"
	check "the capture is written" "$TMP/make" "$TMP/data"
	cp "$TMP/data" "$data"
fi

for table in hotspots health; do
	golden "stacks_$table" 0 "$TARDY" report -q -i "$data" "$table"
	golden "stacks_${table}_json" 0 "$TARDY" report -q -i "$data" "$table" -F json
done

# follows_grammar FILE: "root;..;leaf N", no empty frame, no comment, no leaf that ends in a number
follows_grammar() {
	! grep -vE '^[^;# ][^;]*(;[^;]+)+ [0-9]+$' "$1" && ! grep -E ' [0-9]+ [0-9]+$' "$1"
}

# as_flamegraph_pl FILE: what its regular expression reads is all there is
as_flamegraph_pl() {
	/usr/bin/perl -ne 'exit 1 unless my ($stack, $n) = (/^(.*)\s+?(\d+(?:\.\d*)?)$/);
		exit 1 if grep { !length } split(";", $stack, -1)' "$1"
}

# The Debian interpreter: its package of the validator belongs to it.
follows_schema() {
	/usr/bin/python3 - "$GOLDEN_DIR/speedscope_schema.json" "$1" <<'PYTHON'
import json, sys
import jsonschema
schema, data = (json.load(open(name)) for name in sys.argv[1:])
jsonschema.validate(data, schema)
frames = len(data["shared"]["frames"])
if not data["profiles"]:
    sys.exit("no profile")
for p in data["profiles"]:
    if len(p["samples"]) != len(p["weights"]) or sum(p["weights"]) != p["endValue"]:
        sys.exit("samples, weights and the end do not fit: %s" % p["name"])
    if any(not 0 <= f < frames for s in p["samples"] for f in s):
        sys.exit("a frame that is not there")
PYTHON
}

# both_sum_to FILE SPEEDSCOPE: the two formats hold the same total
totals() {
	local folded
	folded=$(awk '{ n += $NF } END { printf "%d", n }' "$1")
	is "$3: the same total in both formats" \
		"$(/usr/bin/python3 -c 'import json, sys
print(sum(p["endValue"] for p in json.load(open(sys.argv[1]))["profiles"]))' "$2")" "$folded"
}

for kind in cpu off wall; do
	golden "stacks_folded_$kind" 0 "$TARDY" export -i "$data" -F folded --kind $kind
	golden "stacks_speedscope_$kind" 0 "$TARDY" export -i "$data" -F speedscope --kind $kind
	check "$kind: the grammar" follows_grammar "$TMP/stacks_folded_$kind.out"
	check "$kind: as flamegraph.pl reads it" as_flamegraph_pl "$TMP/stacks_folded_$kind.out"
	check "$kind: the schema" follows_schema "$TMP/stacks_speedscope_$kind.out"
	totals "$TMP/stacks_folded_$kind.out" "$TMP/stacks_speedscope_$kind.out" "$kind"
	"$TARDY" export -q -i "$GOLDEN_DIR/replay_session_lock.data" -F speedscope --kind $kind \
		>"$TMP/other" 2>"$TMP/err"
	if [ $kind = wall ]; then
		check "the schema, of a real capture" follows_schema "$TMP/other"
	else
		is "$kind of a capture without stacks" $? 1
		like "and why" "$(cat "$TMP/err")" 'error\[T0018\].*holds no'
	fi
done

# What the breakdown says was waited off a CPU, in all requests of a service, is what the graph of
# waits holds: waits without a stack are in it.
off_of() {
	"$TARDY" report -q -i "$data" -F json routes | /usr/bin/python3 -c 'import json, sys
on_cpu = {"cpu", "runq", "throttle", "queue", "loop", "unknown"}
print(sum(int(p["us"]) * int(r["requests"]) for r in map(json.loads, sys.stdin)
    if r.get("kind") == "route" and r["service"] == sys.argv[1]
    for p in r["parts"] if p["via"] or p["cause"] not in on_cpu))' "$1"
}
for service in app postgres; do
	is "off: $service adds up to the breakdown" \
		"$(awk -F';' -v s="$service" '$1 == s { n = split($0, w, " "); sum += w[n] } END { print sum + 0 }' \
			"$TMP/stacks_folded_off.out")" "$(off_of "$service")"
done

# the checks themselves can fail
printf 'a;b 1 2\n' >"$TMP/bad"
check_not "a leaf with a number" follows_grammar "$TMP/bad"
printf '#a;b 2\n' >"$TMP/bad"
check_not "a comment" follows_grammar "$TMP/bad"
printf 'a;;b 2\n' >"$TMP/bad"
check_not "an empty frame" as_flamegraph_pl "$TMP/bad"
sed 's/"unit":"none"/"unit":"samples"/' "$TMP/stacks_speedscope_cpu.out" >"$TMP/bad"
check_not "a unit that there is not" follows_schema "$TMP/bad"
sed 's/"weights":\[[0-9]*,/"weights":[/' "$TMP/stacks_speedscope_cpu.out" >"$TMP/bad"
check_not "a missing weight" follows_schema "$TMP/bad"

"$TARDY" export -q -i "$data" -F speedscope --kind off -o "$TMP/file"
is "to a file" $? 0
check "which is the same" cmp "$TMP/file" "$TMP/stacks_speedscope_off.out"
is "and nobody else's" "$(stat -c %a "$TMP/file")" 600

done_testing
