# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Screen tests: runs a program in a terminal of its own (a private tmux server), sends keys and
# compares screens.
#
#   tui_start 80x24 "$TARDY" -i "$TMP/fixture"
#   tui_wait 'routes' ; tui_keys j j Enter ; tui_wait 'request'
#   tui_same "request view" tests/tui/request-80x24.txt
#   tui_end
#
# UPDATE=1 writes the stored screens instead of comparing them.

# live.sh may have brought it already
declare -F done_testing >/dev/null || . "$(dirname "${BASH_SOURCE[0]}")/check.sh"

command -v tmux >/dev/null || bail "tmux is not installed"
tui_tmux() { tmux -L "tardy-test-$$" -f /dev/null "$@"; }
at_exit 'tui_tmux kill-server 2>/dev/null'

tui_session() { tui_tmux new-session -d -x "$1" -y "$2" "$3"; }
# tui_start COLUMNSxROWS COMMAND...: its exit status will be in $TMP/tui.rc
tui_start() {
	local size=$1 words
	shift
	words=$(printf '%q ' "$@")
	rm -f "$TMP/tui.rc"
	tui_tmux kill-server 2>/dev/null
	# the server before may still be on its way out and take the new session with it
	wait_until 5 tui_session "${size%x*}" "${size#*x}" \
		"TERM=screen-256color LC_ALL=C.UTF-8 $words 2>$TMP/tui.err; echo \$? >$TMP/tui.rc; sleep 600" ||
		bail "tmux did not start"
	tui_tmux set-option -g status off
	tui_tmux resize-window -x "${size%x*}" -y "${size#*x}"
}
# tui_resize COLUMNSxROWS
tui_resize() { tui_tmux resize-window -x "${1%x*}" -y "${1#*x}"; }
# tui_keys KEY...: names as in tmux(1): Enter, Escape, F1, Up, C-c, or text
tui_keys() {
	local key
	for key in "$@"; do
		tui_tmux send-keys "$key"
		sleep 0.05
	done
}
# tui_screen: the text on the screen, blanks at line ends removed
tui_screen() { tui_tmux capture-pane -p | sed 's/[[:blank:]]*$//'; }
tui_shows() { tui_screen | grep -qE -- "$1"; }
# tui_wait REGEX [SECONDS]: until some line matches; a check of its own only when it fails
tui_wait() {
	wait_until "${2:-10}" tui_shows "$1" && return
	fail "waiting for $1" "screen:" "$(tui_screen)" "errors:" "$(cat "$TMP/tui.err" 2>/dev/null)"
}
# tui_stable: until the screen has stopped changing
tui_stable() {
	local i now before=
	for ((i = 0; i < 100; i++)); do
		now=$(tui_screen)
		[ "$now" != "$before" ] || return 0
		before=$now
		sleep 0.15
	done
	fail "the screen keeps changing"
}
# tui_same NAME FILE (relative to the repository)
tui_same() {
	local file=$TARDY_ROOT/$2
	tui_stable
	tui_screen >"$TMP/screen"
	if [ -n "${UPDATE:-}" ]; then
		cp "$TMP/screen" "$file"
	fi
	check "$1" diff -u "$file" "$TMP/screen"
}
# tui_ended [SECONDS]: the program has ended; prints its exit status
tui_ended() {
	wait_until "${1:-5}" test -s "$TMP/tui.rc" && cat "$TMP/tui.rc"
}
tui_end() { tui_tmux kill-server 2>/dev/null || true; }
# tui_raw: the screen with its attributes as SGR sequences
tui_raw() { tui_tmux capture-pane -e -p; }
# tui_is FORMAT: a tmux variable of the pane, such as cursor_flag or alternate_on
tui_is() { tui_tmux display-message -p "#{$1}"; }
# tui_gone REGEX: no line matches; for wait_until
tui_gone() { ! tui_shows "$1"; }
# tui_wait_gone REGEX [SECONDS]
tui_wait_gone() {
	wait_until "${2:-10}" tui_gone "$1" && return
	fail "waiting for $1 to go" "screen:" "$(tui_screen)"
}
# tui_rows: the rows of the table, its marker of the selected row taken off; the table is between
# its heading and the panel below it
tui_rows() {
	tui_screen | awk '/^  (ROUTE|START|CAUSE) / { on = 1; next } /^--/ || /^ w queue/ { on = 0 }
		on && NF { sub(/^[> ] /, ""); print }'
}
tui_row_count_is() { [ "$(tui_rows | wc -l)" = "$1" ]; }
tui_first_row_has() { tui_rows | head -n 1 | grep -qE -- "$1"; }
# tui_expect NAME COMMAND...: a check that COMMAND succeeds within some seconds
tui_expect() {
	local name=$1
	shift
	if wait_until 10 "$@"; then pass "$name"; else fail "$name" "never: $*" "$(tui_screen)"; fi
}

# ---- how a terminal is left ------------------------------------------------------------------
# tui_shell SIZE [NAME=VALUE...]: tardy replay $TMP/demo.data $arguments from a shell that notes the
# terminal's settings before and after; tardy's pid is in $TMP/pid
tui_shell() {
	local size=$1
	shift
	rm -f "$TMP"/{before,after,pid,status}
	cat >"$TMP/session.sh" <<-END
		stty -a >'$TMP/before'
		env $* bash -c 'echo \$\$ >"$TMP/pid"; exec "$TARDY" replay "$TMP/demo.data" ${arguments:-}'
		echo \$? >'$TMP/status'
		stty -a >'$TMP/after'
		echo the shell again
	END
	tui_start "$size" bash "$TMP/session.sh"
}
# tui_restored WHAT STATUS: the terminal is the shell's again, and as it was
tui_restored() {
	tui_expect "$1: the shell has the terminal again" tui_shows 'the shell again'
	is "$1: status" "$(cat "$TMP/status")" "$2"
	is "$1: settings of the terminal" "$(cat "$TMP/after")" "$(cat "$TMP/before")"
	is "$1: the cursor is visible" "$(tui_is cursor_flag)" 1
	is "$1: the other screen is left" "$(tui_is alternate_on)" 0
	is "$1: application keys are off" "$(tui_is keypad_flag)$(tui_is keypad_cursor_flag)" 00
}

# ---- something to look at (needs live.sh) ---------------------------------------------------
# tui_servers: nginx with routes of known order: /slow.bin has most of the waiting, /index.html
# most of the requests, /missing fails. $NGINX_PID, $TUI_PORT
tui_servers() {
	TUI_PORT=$(free_port)
	mkdir -p "$TMP/www"
	head -c 8192 /dev/zero >"$TMP/www/slow.bin"
	nginx_start "$TUI_PORT" 'location = /slow.bin { limit_rate 8k; sendfile_max_chunk 4k; }'
	wait_until 10 test -n "$(pgrep -P "$NGINX_PID")" || bail "nginx has no worker"
}
# tui_load SECONDS: until they are over
tui_load() {
	local end=$((SECONDS + $1)) slow=()
	while ((SECONDS < end)); do
		curl -s -o /dev/null "http://127.0.0.1:$TUI_PORT/slow.bin" &
		slow+=($!)
		curl -s -o /dev/null -o /dev/null -o /dev/null -o /dev/null -o /dev/null \
			"http://127.0.0.1:$TUI_PORT/index.html?[1-5]"
		curl -s -o /dev/null "http://127.0.0.1:$TUI_PORT/missing"
		sleep 0.1
	done
	wait "${slow[@]}"
}
# tui_capture FILE [IDLE_S]: a recording of some seconds of that; with IDLE_S, then of nothing for so
# long, then of a second of it
tui_capture() {
	tui_servers
	spawn "$TARDY" record -p "$(children_of "$NGINX_PID")" --duration 30s -o "$1" \
		2>"$TMP/record.err"
	local recorder=$SPAWNED
	wait_until 10 grep -q 'recording to' "$TMP/record.err" ||
		bail "tardy record did not attach" "$(cat "$TMP/record.err")"
	tui_load 3
	if [ -n "${2:-}" ]; then
		sleep "$2"
		tui_load 1
	fi
	end_pid "$recorder" INT
	[ -s "$1" ] || bail "no recording" "$(cat "$TMP/record.err")"
}
