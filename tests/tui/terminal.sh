#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Manners in other people's terminals: it is given back as it was, however the view ends.
# timeout: 90

. "$(dirname "$0")/../lib/live.sh"
. "$(dirname "$0")/../lib/tui.sh"

tui_capture "$TMP/demo.data"
exec {LIVE_FD}>&-

tui_shell 80x24
tui_wait '\[1\]Routes'
tui_stable
is "the cursor is hidden while it runs" "$(tui_is cursor_flag)" 0
is "it draws on the other screen" "$(tui_is alternate_on)" 1
like "it uses colours" "$(tui_raw)" $'\033\\[[0-9;]*3[1-7]m|\033\\[3[1-7]m'
tui_keys q
tui_restored "q" 0

for key in Q F10 C-c; do
	tui_shell 80x24
	tui_wait '\[1\]Routes'
	tui_keys "$key"
	tui_restored "$key" 0
done

tui_shell 80x24
tui_wait '\[1\]Routes'
kill -TERM "$(cat "$TMP/pid")"
tui_restored "SIGTERM" 0

tui_shell 80x24
tui_wait '\[1\]Routes'
kill -SEGV "$(cat "$TMP/pid")"
tui_restored "a crash" 139
done_testing
