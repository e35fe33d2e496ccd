#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Rules that every file keeps: unique names, size, licence line, no leftovers, clean text.
set -u
cd "${1:-$(dirname "$0")/../..}" || exit 1
status=0
max_lines=800

complain() {
	printf '%s\n' "$*"
	status=1
}

mapfile -t code < <(find bpf user tests tools .ci Makefile -type f \
	\( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name Makefile -o -path .ci/run \) | sort)
mapfile -t text < <(printf '%s\n' "${code[@]}" && find docs README.md .gitignore .editorconfig \
	.clang-format -type f \( -name '*.md' -o -name '.*' \) 2>/dev/null | sort)
((${#code[@]} > 3)) || complain "no source was found"

# One name, one file: a name in a stack trace or a review needs no folder.
while read -r name; do
	complain "user/ has two files named $name: $(find user -name "$name" | sort | tr '\n' ' ')"
done < <(find user -name '*.[ch]' -printf '%f\n' | sort | uniq -d)

for f in "${code[@]}"; do
	lines=$(wc -l <"$f")
	case $f in
	*.[ch]) ((lines <= max_lines)) || complain "$f: $lines lines, at most $max_lines" ;;
	esac
	head -n 2 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-only' ||
		complain "$f:1: no SPDX-License-Identifier: GPL-2.0-only"
done

# Durations are of the monotonic clock: the time of day is read once for a recording, and for the
# clock in the corner of the screen. A step of it changes nothing else.
while read -r f; do
	complain "$f: reads the time of day; durations are of CLOCK_MONOTONIC"
done < <(grep -lE '\(CLOCK_REALTIME|gettimeofday\(|[^_a-z]time\((NULL|0|&)' -r user bpf --include='*.[ch]' |
	grep -vxE 'user/(probe/procinfo|view/view)\.c')

# Marks of unfinished work; the brackets keep this line from finding itself.
if grep -nwE 'TO[D]O|FIX[M]E|X[X]X|HA[C]K' "${text[@]}"; then
	complain "unfinished: marks like the above have no place here"
fi
if grep -nE '[[:blank:]]+$' "${code[@]}"; then
	complain "blanks at the end of a line"
fi
if grep -nP '\r' "${text[@]}"; then
	complain "carriage returns"
fi
for f in "${text[@]}"; do
	[ ! -s "$f" ] || [ -z "$(tail -c 1 "$f")" ] || complain "$f: no newline at the end"
done
# Tests that the compiler throws away, and a header without its guard.
while read -r f; do
	grep -q '^#ifndef ' "$f" || grep -q '^#pragma once' "$f" || complain "$f: no include guard"
done < <(find user -name '*.h')
exit $status
