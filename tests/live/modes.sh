#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The three troubles of the demo classroom are found, with their names, and the parts of every
# route and request sum to its wall time.
# timeout: 150
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

for mode in exam-start session-lock n-plus-one; do
	classroom_up "$mode"
	classroom_load 14
	sleep 3
	"$TARDY" report --duration 7s -p "$CLASSROOM_PIDS" routes requests hotspots health -F json \
		>"$TMP/report" 2>"$TMP/report.err"
	is "$mode: report's exit status" "$?" 0
	end_pid "$LOAD_PID"
	facts python3 "$here/modes.py" "$mode" "$TMP/report"
done

kernel_clean
done_testing
