#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shell scripts: syntax, and shellcheck.
set -u
cd "${1:-$(dirname "$0")/../..}" || exit 1
status=0
scripts=()
while read -r f; do
	case $f in
	*.sh) scripts+=("$f") ;;
	*.[choa] | *.py | *.md | *.txt | *.out) ;;
	*) head -c 64 "$f" | head -n 1 | tr -d '\0' | grep -q '^#!.*sh' && scripts+=("$f") ;;
	esac
done < <(find tools tests .ci -type f | sort)
((${#scripts[@]})) || { echo "no script was found"; exit 1; }

for f in "${scripts[@]}"; do
	bash -n "$f" || status=1
done
if command -v shellcheck >/dev/null; then
	# SC1091: sourced files are checked themselves; SC2034: variables of a sourced helper
	shellcheck -s bash -S warning -e SC1091,SC2034 "${scripts[@]}" || status=1
else
	echo "shellcheck is not installed (tools/setup.sh test)"
	status=1
fi
exit $status
