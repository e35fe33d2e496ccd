#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# coverage.sh DIR: runs the unit tests that were built with COV=1 in DIR and prints the share of
# lines of user/ that they reach, least covered first.
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=$1
find "$dir" -name '*.gcda' -delete
status=0
for t in "$dir"/unit/*_test; do
	[ -x "$t" ] || { echo "no unit test in $dir"; exit 1; }
	"$t" >/dev/null 2>&1 || { echo "$(basename "$t") failed"; status=1; }
done
find "$dir/obj/user" -name '*.gcno' | sort | while read -r note; do
	gcov -n "$note" 2>/dev/null
done | awk -F "[':%]" '
	/^File/ { file = $2 }
	/^Lines executed/ && file ~ /^user\// {
		split($0, w, "of ")
		lines = w[2] + 0
		share = $2 + 0
		if (file ~ /\.c$/) printf "%6.1f %% of %4d lines  %s\n", share, lines, file | "sort -n"
		total += lines; hit += lines * share / 100
		file = ""
	}
	END { close("sort -n"); printf "%6.1f %% of %4d lines  total\n", total ? 100 * hit / total : 0, total }'
exit $status
