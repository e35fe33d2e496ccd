#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The seven troubles of the demo classroom are found, with their names, and the parts of every
# route and request sum to its wall time. modes.sh MODE... tries only these.
# timeout: 360
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

(($#)) || set -- exam-start session-lock n-plus-one upload-disk cpu-quota tutor cpu-hog
for mode; do
	classroom_up "$mode"
	classroom_load 18
	sleep 3
	rm -f "$TMP/data"
	"$TARDY" record --duration 8s -p "$CLASSROOM_PIDS" -o "$TMP/data" >"$TMP/record.out" 2>&1
	is "$mode: record's exit status" "$?" 0
	end_pid "$LOAD_PID"
	report_json "$TMP/report" routes requests hotspots health
	facts python3 "$here/modes.py" "$mode" "$TMP/report"
done

kernel_clean
done_testing
