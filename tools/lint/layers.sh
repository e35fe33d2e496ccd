#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The data flows one way: a stage of user/ includes only its own headers and those of lower
# stages. This table is the rule, the #include lines are checked against it. A new folder of
# user/ needs a line here.
set -u
cd "${1:-$(dirname "$0")/../..}" || exit 1

mapfile -t files < <(find user -name '*.[ch]' | sort)
((${#files[@]})) || { echo "no file of user/ was found"; exit 1; }
awk '
BEGIN {
	order = "base ingest proto account assemble aggregate rank"
	n = split(order, stage, " ")
	for (i = 1; i <= n; i++)
		for (j = 1; j <= i; j++)
			may[stage[i], stage[j]] = 1
	for (i = 1; i <= n; i++)
		may["view", stage[i]] = may["export", stage[i]] = may["advise", stage[i]] = 1
	# services beside the stream
	allow("sym", "base"); allow("unwind", "base sym"); allow("config", "base")
	allow("probe", "base ingest sym unwind config")
	allow("view", "view export advise config"); allow("export", "export advise config")
	allow("advise", "advise")
	# what wires the stages together
	all = order " sym unwind config probe view export advise"
	allow("pipeline", all); allow("cmd", all " pipeline"); allow("main", all " pipeline cmd")
	# headers of user/ itself that a folder may include
	one["cmd", "cli.h"] = 1
}
function allow(from, list,   k, m, w) {
	known[from] = 1
	may[from, from] = 1
	m = split(list, w, " ")
	for (k = 1; k <= m; k++) {
		may[from, w[k]] = 1
		known[w[k]] = 1
	}
}
function bad(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text
	errors++
}
FNR == 1 {
	m = split(FILENAME, part, "/")
	me = m > 2 ? part[2] : "main"
	if (m == 3 && part[2] == "pipeline") me = "pipeline"
	if (m == 2 && part[2] ~ /^(pipeline|config)[._]/) {
		me = part[2]
		sub(/[._].*/, "", me)
	}
	if (!(me in known)) bad("user/" me "/ is not in the table of " SELF)
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
	name = $0
	sub(/^[^"]*"/, "", name)
	sub(/".*/, "", name)
	if (name ~ /^\.\.?\//) { bad("include by path from user/, not \"" name "\""); next }
	if (name ~ /^bpf\/abi[a-z_]*\.h$/) next
	if (name ~ /^bpf\//) { bad("of bpf/ only abi*.h is shared, not " name); next }
	if (name ~ /\.skel\.h$/) {
		if (me != "probe") bad("only probe/ includes a skeleton")
		next
	}
	if (name !~ /\//) {
		if (m == 2 || system("test -f \"" substr(FILENAME, 1, length(FILENAME) - length(part[m])) name "\"") == 0)
			next
		to = name
		sub(/\..*/, "", to)
		if ((me, to) in may || (me, name) in one) next
		if (system("test -f user/" name) == 0)
			bad(me " may not include " name " (a higher stage)")
		else
			bad("no such header: " name)
		next
	}
	split(name, inc, "/")
	if (!((me, inc[1]) in may) && !((me, name) in one))
		bad(me " may not include " name " (a higher stage)")
}
/^[ \t]*#[ \t]*include[ \t]*<(n?curses|ncursesw\/.*|panel|form|menu)[^>]*>/ {
	if (me != "view") bad("only view/ knows curses")
}
/^[ \t]*#[ \t]*include[ \t]*<bpf\// {
	if (me != "probe") bad("only probe/ knows libbpf")
}
END {
	exit errors ? 1 : 0
}' SELF=tools/lint/layers.sh "${files[@]}"
