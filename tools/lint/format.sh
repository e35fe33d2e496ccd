#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# format.sh check|write FILE...: the layout of C sources, by .clang-format.
set -u
cd "$(dirname "$0")/../.." || exit 1
how=$1
shift
(($#)) || { echo "no C file was given"; exit 1; }
case $how in
check)
	clang-format --style=file --dry-run -Werror "$@" 2>/dev/null && exit 0
	for f in "$@"; do
		clang-format --style=file "$f" | diff -U0 --label "$f" --label formatted "$f" - |
			head -n 12
	done
	echo "'make fmt' writes them as they should be"
	exit 1
	;;
write) clang-format --style=file -i "$@" ;;
esac
