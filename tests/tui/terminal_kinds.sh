#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Terminals that cannot everything, and people who do not want it: no colours where none are
# wanted, no characters that the terminal does not know, text where there is no terminal.
# timeout: 90

. "$(dirname "$0")/../lib/live.sh"
. "$(dirname "$0")/../lib/tui.sh"

tui_capture "$TMP/demo.data"
exec {LIVE_FD}>&-

tui_shell 120x30 NO_COLOR=1
tui_wait '\[1\]Routes'
tui_stable
like "with UTF-8 the trend is drawn in blocks" "$(tui_screen)" $'[^\t -~]'
unlike "NO_COLOR: no colour" "$(tui_raw)" $'\033\\[([0-9;]*;)?([349][0-7]|10[0-7]|[34]8[;:])[0-9;:]*m'
tui_keys q
tui_restored "NO_COLOR" 0

tui_shell 80x24 NO_COLOR=
tui_wait '\[1\]Routes'
tui_stable
like "an empty NO_COLOR means nothing" "$(tui_raw)" $'\033\\[([0-9;]*;)?3[1-7]m'
tui_keys q
tui_restored "empty NO_COLOR" 0

arguments=--ascii
tui_shell 100x30
tui_wait '\[1\]Routes'
for key in 1 2 3 4 '?'; do
	tui_keys "$key"
	tui_stable
	unlike "--ascii: screen $key has ASCII only" "$(tui_screen)" $'[^\t -~]'
done
tui_keys Q
tui_restored "--ascii" 0
arguments=

tui_shell 100x30 LC_ALL=C
tui_wait '\[1\]Routes'
unlike "a locale without UTF-8: ASCII only" "$(tui_screen)" $'[^\t -~]'
tui_keys q
tui_restored "LC_ALL=C" 0

# either a view that works or a clear error, and never a spoilt terminal
for term in dumb no-such-terminal; do
	tui_shell 80x24 "TERM=$term"
	tui_expect "TERM=$term: a view, text or an error" tui_shows 'Routes|ROUTE|the shell again'
	if ! tui_shows 'the shell again'; then
		tui_keys q
		tui_restored "TERM=$term" 0
	else
		like "TERM=$term: says what is wrong" "$(tui_screen; cat "$TMP/tui.err")" 'terminal|ROUTE'
		is "TERM=$term: settings of the terminal" "$(cat "$TMP/after")" "$(cat "$TMP/before")"
	fi
done

# no terminal: text
out=$("$TARDY" replay "$TMP/demo.data" 2>/dev/null </dev/null)
is "without a terminal: status" $? 0
like "without a terminal: the routes as text" "$out" 'GET /slow\.bin'
unlike "without a terminal: no control characters" "$out" $'\033'
done_testing
