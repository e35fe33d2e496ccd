#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The layout checks' own test: made-up trees with a known fault each go through layers.sh.
. "$(dirname "$0")/check.sh"

tree=$TMP/tree
layers=$TARDY_ROOT/tools/lint/layers.sh

# checks WANTED-STATUS WANTED-LINE NAME FILE TEXT...: a tree of these files; the line is one of
# those that are printed, empty: nothing is
checks() {
	local status=$1 line=$2 name=$3 out rc
	shift 3
	rm -rf "$tree"
	while (($#)); do
		mkdir -p "$tree/user/$(dirname "$1")"
		printf '%b\n' "$2" >"$tree/user/$1"
		shift 2
	done
	out=$("$layers" "$tree" 2>&1)
	rc=$?
	is "$name: status" "$rc" "$status"
	if [[ -n $line ]]; then
		is "$name: says" "$(grep -cxF -- "$line" <<<"$out")" 1
	else
		is "$name: says nothing" "$out" ''
	fi
}

checks 0 '' 'a file on its own' base/a.c '#include "base/a.h"\nint a_make(void)\n{\n}' base/a.h ''
checks 1 'user/base/a.c:1: base may not include proto/b.h (a higher stage)' 'upwards' \
	base/a.c '#include "proto/b.h"' proto/b.h ''
checks 0 '' 'one on the other' \
	base/a.c '#include "base/b.h"\nvoid a_do(void)\n{\n\tb_do();\n}' \
	base/b.h 'void b_do(void);' base/b.c '#include "base/b.h"\nvoid b_do(void)\n{\n}'
checks 1 'a circle of files:' 'two headers' base/a.h '#include "base/b.h"' base/b.h '#include "base/a.h"'
checks 1 '  user/base/b.h includes base/a.h' 'it says what closes it' \
	base/a.c '#include "base/b.h"' base/a.h '' base/b.h '#include "base/a.h"'
checks 1 'a circle of files:' 'over three, sources included' \
	base/a.c '#include "base/b.h"' base/b.c '#include "base/c.h"' base/c.c '#include "base/a.h"' \
	base/a.h '' base/b.h '' base/c.h ''
checks 1 '  user/base/b.c calls a_do()' 'calls behind a common header' \
	base/all.h 'void a_do(void);\nvoid b_do(void);' \
	base/a.c '#include "base/all.h"\nvoid a_do(void)\n{\n\tb_do();\n}' \
	base/b.c '#include "base/all.h"\nvoid b_do(void)\n{\n\ta_do();\n}'
checks 1 '  user/base/b.c uses a_rows' 'objects too' \
	base/all.h 'extern const int a_rows[2];\nvoid b_do(void);' \
	base/a.c '#include "base/all.h"\nconst int a_rows[2] = { 1, 2 };\nvoid a_do(void)\n{\n\tb_do();\n}' \
	base/b.c '#include "base/all.h"\nvoid b_do(void)\n{\n\tint n = a_rows[0];\n}'
checks 0 '' 'a comment calls nobody' \
	base/all.h 'void a_do(void);\nvoid b_do(void);' \
	base/a.c '#include "base/all.h"\n/* see\n * b_do() */\nvoid a_do(void)\n{\n}' \
	base/b.c '#include "base/all.h"\nvoid b_do(void)\n{\n\ta_do(); /* and b_do() */\n}'
checks 0 '' 'two folders with files of the same name' \
	base/a.h '' proto/a.h '#include "base/a.h"' base/b.c '#include "base/a.h"' proto/b.h '#include "proto/a.h"'
done_testing
