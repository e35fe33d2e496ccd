#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The data flows one way: a stage of user/ includes only its own headers and those of lower
# stages. This table is the rule, the #include lines are checked against it. A new folder of
# user/ needs a line here. Within a folder the files stand on each other, without circles.
set -u
cd "${1:-$(dirname "$0")/../..}" || exit 1

mapfile -t files < <(find user -name '*.[ch]' | sort)
((${#files[@]})) || { echo "no file of user/ was found"; exit 1; }
failed=0
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
}' SELF=tools/lint/layers.sh "${files[@]}" || failed=1

# Within a folder too: no file (a source with its header) includes or uses one that includes or
# uses it, over however many others. To use is to call a function or to name an object of it.
awk '
FNR == 1 {
	m = split(FILENAME, part, "/")
	dir = m > 2 ? FILENAME : "user/"
	sub(/[^\/]*$/, "", dir)
	me = FILENAME
	sub(/\.[ch]$/, "", me)
	comment = 0
}
# the text without comments
{
	line = $0
	if (comment && !sub(/^.*\*\//, "", line)) next
	gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, " ", line)
	comment = sub(/\/\*.*/, "", line)
	sub(/\/\/.*/, "", line)
}
# first reading: what each file defines for others (the name is where the style puts it, in the
# line that begins the definition)
pass == 1 {
	if (FILENAME !~ /\.c$/ || line !~ /^[a-z_]/ || line ~ /^(static|typedef|extern|enum)/) next
	if (line !~ /[;=]/ && match(line, /[a-z_][a-z0-9_]*\(/))
		defined[dir substr(line, RSTART, RLENGTH - 1)] = me
	else if (line !~ /\(/ && match(line, /[a-z_][a-z0-9_]*(\[[^\]]*\])? *[=;]/)) {
		name = substr(line, RSTART, RLENGTH)
		sub(/[ \[=;].*/, "", name)
		object[dir name] = me
	}
	next
}
line ~ /^[ \t]*#[ \t]*include[ \t]*"/ {
	name = line
	sub(/^[^"]*"/, "", name)
	sub(/".*/, "", name)
	at = name ~ /\// ? "user/" name : dir name
	sub(/\.[a-z_]*$/, "", at)
	to = at
	sub(/[^\/]*$/, "", to)
	if (to == dir) edge(me, at, FILENAME " includes " name)
	next
}
{
	if (FILENAME !~ /\.c$/) next
	gsub(/"([^"\\]|\\.)*"/, "", line)
	while (match(line, /[A-Za-z_][A-Za-z0-9_]*\(?/)) {
		name = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		if (sub(/\($/, "", name)) {
			if (dir name in defined)
				edge(me, defined[dir name], FILENAME " calls " name "()")
		} else if (dir name in object)
			edge(me, object[dir name], FILENAME " uses " name)
	}
}
function edge(from, to, why) {
	if (from == to || (from, to) in reason) return
	reason[from, to] = why
	n_out[from]++
	out[from, n_out[from]] = to
}
# Depth first; what is on the path and met again closes a circle.
function visit(at, depth,   i, j) {
	state[at] = 1
	path[depth] = at
	for (i = 1; i <= n_out[at]; i++) {
		j = out[at, i]
		if (state[j] == 1) circle(j, depth)
		else if (!state[j]) visit(j, depth + 1)
	}
	state[at] = 2
}
function circle(from, depth,   i) {
	errors++
	for (i = depth; path[i] != from; i--) ;
	print "a circle of files:"
	for (; i <= depth; i++)
		print "  " reason[path[i], i < depth ? path[i + 1] : from]
}
END {
	for (at in n_out)
		if (!state[at]) visit(at, 1)
	exit errors ? 1 : 0
}' pass=1 "${files[@]}" pass=2 "${files[@]}" || failed=1
exit "$failed"
