#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# analyze.sh CLANG STAMP SOURCE FLAGS...: clang's static analyzer on one file; a finding is an
# error. Writes STAMP, and beside it the dependencies for make.
set -u
clang=$1 stamp=$2 source=$3
shift 3
log=$("$clang" --analyze --analyzer-output text -Xclang -analyzer-werror \
	-Xclang -analyzer-checker=core,unix,deadcode,security.insecureAPI.UncheckedReturn,nullability \
	-Wno-everything "$@" "$source" -o /dev/null 2>&1) || {
	# bpftool's generated skeletons are not ours to repair
	if grep -E '^[^ ].*: (fatal )?error: ' <<<"$log" | grep -qv '\.skel\.h:[0-9]' ||
		! grep -q '\.skel\.h:[0-9].*error: ' <<<"$log"; then
		printf '%s\n' "$log"
		exit 1
	fi
}
"$clang" "$@" -MM -MP -MT "$stamp" -MF "${stamp%.ok}.d" "$source" || exit 1
: >"$stamp"
