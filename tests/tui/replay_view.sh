#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The screens over a recording: what they show, and what the keys do. Nothing moves in a
# recording, so whatever changes is the key's doing.
# timeout: 90

. "$(dirname "$0")/../lib/live.sh"
. "$(dirname "$0")/../lib/tui.sh"

tui_capture "$TMP/demo.data" 8
exec {LIVE_FD}>&- # the rest needs no kernel
mkdir "$TMP/cwd"
tui_start 100x30 bash -c "cd '$TMP/cwd' && exec '$TARDY' replay '$TMP/demo.data'"

# ---- what is there -------------------------------------------------------------------------
tui_wait '^tardy .*REPLAY'
tui_stable
screen=$(tui_screen)
like "the title has the version and the host" "$screen" "^tardy [0-9]+\.[0-9.]+ +$(uname -n | cut -c1-12)"
like "verdict: what most of the waiting is" "$screen" '^>> [0-9]+% of .*GET /slow\.bin'
like "row of the slow route" "$screen" '^[> ] GET /slow\.bin .*[0-9.]+(ms|s) '
like "row of the frequent route" "$screen" '^[> ] GET /index\.html '
like "row of the failing route" "$screen" '^[> ] GET /missing '
like "panel of the selected row" "$screen" '^-- GET /slow\.bin: mean .* requests? -'
like "the panel's parts have a time, a share and a process" "$screen" \
	'^  [a-z?] [a-z+]+ +~?[0-9.]+(us|ms|s) +[0-9.]+% +nginx'
like "keys are on the last line" "$(tail -n 1 <<<"$screen")" 'F1Help.*F10Quit'
is "selected row is the first" "$(grep -c '^> ' <<<"$screen")" 1
like "most waiting comes first" "$(tui_rows | head -n 1)" 'GET /slow'

# ---- sorting -------------------------------------------------------------------------------
like "it says what it sorts by" "$screen" 'sort WAIT/s v'
sort_by() {
	local i
	for ((i = 0; i < 15; i++)); do
		! tui_shows "sort $1 [v^]" || return 0
		tui_keys "$2"
		tui_stable
	done
	return 1
}
check "> goes through the columns to REQ/s" sort_by 'REQ/s' '>'
tui_expect "the most frequent route is first now" tui_first_row_has 'GET /index'
tui_keys I
tui_expect "I turns the order round" tui_shows 'sort REQ/s \^'
tui_expect "... of the rows too" eval '! tui_first_row_has "GET /index"'
tui_keys F6
tui_expect "F6 does what > does" eval '! tui_shows "sort REQ/s"'
check "< goes back" sort_by 'REQ/s' '<'
check "and so to WAIT/s" sort_by 'WAIT/s' '<'

# ---- filter --------------------------------------------------------------------------------
all=$(tui_rows | wc -l)
between "rows without a filter" "$all" 3 8
tui_keys / slow
tui_expect "/ with a text keeps the rows that have it" tui_row_count_is 1
tui_keys Enter
tui_expect "the filter is named" tui_shows 'slow'
tui_keys Escape
tui_expect "Esc clears it" tui_row_count_is "$all"
tui_keys / '~index|slow' Enter
tui_expect "~ is a regular expression" tui_row_count_is 2
tui_keys Escape
tui_expect "all rows again" tui_row_count_is "$all"
tui_keys / '!slow' Enter
tui_expect "! keeps the others" tui_row_count_is $((all - 1))
tui_keys Escape
tui_expect "all rows again" tui_row_count_is "$all"
tui_keys / '~[' Enter
tui_expect "half a regular expression is said to be one" tui_shows 'not a regular expression'
tui_keys Escape Escape # of the prompt or of the filter: back to all rows, and never out
tui_expect "Esc gets rid of it" tui_row_count_is "$all"
tui_keys / 'nowhere' Enter
tui_expect "no row at all says so" tui_shows 'no row matches the filter'
tui_keys Escape
tui_expect "all rows after that" tui_row_count_is "$all"

# ---- moving about --------------------------------------------------------------------------
tui_keys j
tui_expect "j selects the second row" eval 'tui_screen | grep -A1 "^  GET /slow" | grep -q "^> "'
tui_keys g F3 missing Enter
tui_expect "F3 finds a row" tui_shows '^> GET /missing'
tui_keys '?'
tui_expect "? is the help" tui_shows 'filter: text, ~regex, !not'
tui_keys Escape
tui_expect "Esc goes back from it" tui_shows '\[1\]Routes'
for tab in '2 Requests START' '3 Hotspots CAUSE' '4 Health lost' '1 Routes ROUTE'; do
	read -r key name text <<<"$tab"
	tui_keys "$key"
	tui_expect "$key is the screen $name" tui_shows "\[$key\]$name"
	tui_expect "... with its content" tui_shows "$text"
done
tui_keys Tab
tui_expect "Tab goes on" tui_shows '\[2\]Requests'
tui_keys BTab
tui_expect "Shift-Tab goes back" tui_shows '\[1\]Routes'
tui_keys g Enter
tui_expect "Enter opens the requests of a route" tui_shows 'of GET /slow\.bin'
tui_expect "which are there" tui_first_row_has 'GET /slow\.bin'
tui_keys Enter
tui_expect "Enter opens one of them" tui_shows 'nginx\[[0-9]+\] +\|'
tui_keys q q
tui_expect "q goes back to the routes" tui_shows '\[1\]Routes'

# ---- printing ------------------------------------------------------------------------------
tui_keys P
tui_expect "P says where it wrote" tui_shows 'screen written to tardy-screen-'
is "one file, for its owner only" "$(stat -c %a "$TMP"/cwd/tardy-screen-*.txt)" 600
like "the screen is in it" "$(cat "$TMP"/cwd/tardy-screen-*.txt)" '^> GET /slow\.bin'

# ---- the window ----------------------------------------------------------------------------
requests_shown() { tui_screen | sed -n 's/^-- GET .*: mean .* in \([0-9,]*\) .*/\1/p' | tr -d ,; }
window_shown() { tui_screen | sed -n 's/^tardy .* window \([0-9]*\)s .*/\1/p'; }
tui_keys 1 g
tui_stable
all=$(requests_shown) whole=$(window_shown)
between "the whole recording is shown, in seconds" "$whole" 11 30
tui_keys ']'
tui_expect "] has nothing to add" tui_shows 'the whole recording is shown'
tui_keys '['
tui_expect "[ leaves the last 10 s" tui_shows ' window 10s '
tui_stable
between "requests in it, of $all" "$(requests_shown)" 1 $((all - 1))
tui_keys '['
tui_expect "[ cannot do less" tui_shows 'this is the shortest window'
tui_keys ']'
tui_expect "] shows all of it again" tui_shows " window ${whole}s "
tui_stable
is "with all its requests" "$(requests_shown)" "$all"
tui_keys '+'
tui_expect "+ has nothing to do" tui_shows 'a recording does not change'
text=$("$TARDY" replay -q -b -w 10s "$TMP/demo.data")
like "-w of text" "$text" '^tardy .*window 10s'
"$TARDY" replay -b -w 10s - <"$TMP/demo.data" >"$TMP/out" 2>&1
is "-w of what cannot be read again is refused" $? 2
like "... and says why" "$(cat "$TMP/out")" 'needs a file'

tui_keys q
is "q quits with status 0" "$(tui_ended)" 0
is "nothing on stderr but the counts" "$(grep -vc ': seen [0-9]*, lost [0-9]*$' "$TMP/tui.err")" 0
done_testing
