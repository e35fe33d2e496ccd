#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The live view on running servers: figures move, Z holds them still, the end of the servers ends
# the view.
# timeout: 90

. "$(dirname "$0")/../lib/live.sh"
. "$(dirname "$0")/../lib/tui.sh"

tui_servers
tui_load 60 &
load=$!
check_pids+=("$load")

tui_start 100x30 "$TARDY" -p "$(children_of "$NGINX_PID")"
tui_wait '^tardy .* LIVE '
tui_wait '^[> ] GET /index\.html ' 15
tui_wait '^[> ] GET /slow\.bin ' 15
pass "routes appear while it runs"
tui_wait '^>> [0-9]+% of .*slow\.bin' 20
pass "so does the verdict"
like "its own cost and its losses are on the screen" "$(tui_screen)" 'tardy [0-9.]+% cpu .*lost 0'

# what changes from refresh to refresh: how much the window holds
count() { tui_screen | sed -n 's/^-- .*: mean .* in \([0-9]*\) .*/\1/p'; }
before=$(count)
between "the panel says how many requests there were" "${before:-none}" 1 1000000
tui_expect "the figures move" eval '[ "$(count)" != "$before" ]'

tui_keys Z
tui_expect "Z pauses: LIVE becomes PAUSED" tui_shows '^tardy .* PAUSED '
tui_stable
held=$(tui_screen | sed 1d)
is "nothing but the clock changes for two refreshes" \
	"$(sleep 4.5; tui_screen | sed 1d)" "$held"
tui_keys j
tui_expect "moving about is possible meanwhile" tui_shows '^> GET /index|^> GET /missing'
tui_keys Z
tui_expect "Z resumes" tui_shows '^tardy .* LIVE '
before=$(tui_screen)
tui_expect "the figures move again" eval '[ "$(tui_screen)" != "$before" ]'
tui_keys Z
tui_wait '^tardy .* PAUSED '
tui_keys Space
tui_expect "Space resumes too" tui_shows '^tardy .* LIVE '

tui_keys '+'
tui_expect "+ refreshes more often" tui_shows 'every 1s'
tui_keys '-' '-'
tui_expect "- less often" tui_shows 'every 5s'
tui_keys '['
tui_expect "[ makes the window shorter" tui_shows 'window 30s'
tui_keys ']'
tui_expect "] makes it longer" tui_shows 'window 60s'

end_pid "$load"
end_pid "$NGINX_PID" QUIT
is "when the servers have ended, it ends with status 4" "$(tui_ended 15)" 4
like "and says why" "$(cat "$TMP/tui.err")" 'every selected process has ended'
done_testing
