#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Any size of the terminal, at any moment: it goes on, fills the screen that it has, and leaves
# nothing of the size before.
# timeout: 90

. "$(dirname "$0")/../lib/live.sh"
. "$(dirname "$0")/../lib/tui.sh"

tui_capture "$TMP/demo.data"
exec {LIVE_FD}>&-
tui_start 100x30 "$TARDY" replay "$TMP/demo.data"
tui_wait '\[1\]Routes'
tui_stable
whole=$(tui_screen)

runs() { [ ! -s "$TMP/tui.rc" ]; }
# Drawing all of it anew must not change a screen: what was wrong on it would go away.
redrawn_same() {
	local before
	tui_stable
	before=$(tui_screen)
	tui_keys C-l
	tui_stable
	[ "$(tui_screen)" = "$before" ]
}
fits() { (($(tui_screen | wc -L) <= ${1%x*})); }

for size in 80x24 40x10 20x5 200x50 100x30; do
	tui_resize "$size"
	tui_expect "$size: the title is there" eval 'tui_screen | head -n 1 | grep -q "^tardy"'
	check "$size: no garbage" redrawn_same
	check "$size: no line is too long" fits "$size"
	check "$size: it runs" runs
done
is "100x30 again looks as at the start" "$(tui_screen)" "$whole"

for key in 2 3 4 '?'; do
	tui_keys "$key"
	tui_resize 20x5
	check "screen $key at 20x5: no garbage" redrawn_same
	check "screen $key at 20x5: it runs" runs
	tui_resize 100x30
	check "screen $key, large again: no garbage" redrawn_same
done
tui_keys Escape 1
tui_expect "routes again" tui_shows '\[1\]Routes'
tui_resize 1x1
tui_resize 3x2
check "3x2: it runs" runs
tui_resize 80x24
tui_expect "80x24 after that" tui_shows '\[1\]Routes'

# many at once, while a prompt is open
tui_keys /
for size in 60x12 30x7 120x40 25x4 90x20 80x24; do
	tui_resize "$size"
done
tui_keys index Enter
tui_expect "the prompt outlives resizing" tui_row_count_is 1
tui_keys Escape q
is "it ends with status 0" "$(tui_ended)" 0
done_testing
