#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# SIGKILL at any moment, while programs are loaded, attached, in use or taken out: nothing stays in
# the kernel, a capture can be read up to its last whole block, and the next tardy runs, in the
# same terminal, too. Signals that can be caught give the terminal back.
# timeout: 150
. "$(dirname "$0")/../lib/live.sh"
. "$(dirname "$0")/../lib/tui.sh"
kernel_mark

port=$(free_port)
nginx_start "$port"
pids=$(children_of "$NGINX_PID")
spawn wrk -t 1 -c 2 -d 120 "http://127.0.0.1:$port/index.html" >"$TMP/wrk.out"

# What tardy has in the kernel, by name; maps of other users of such a name have a holder.
maps_leaked() {
	comm -23 <(bpftool map show 2>/dev/null |
		sed -nE 's/^([0-9]+): .* name (conns|threads|counters|selected|tardy_ring|tardy_bp\.rodata) .*/\1/p' |
		sort -u) <(cat /proc/[0-9]*/fdinfo/* 2>/dev/null | sed -n 's/^map_id:[[:space:]]*//p' | sort -u)
}
progs_leaked() {
	local name
	for name in on_sched_switch on_sched_waking on_sk_data_read on_sock_recv_le sweep_threads seed_threads; do
		bpf_leaked "$name"
	done
}
nothing_left() { [ -z "$(progs_leaked)$(maps_leaked)" ]; }
ended_by_kill() { wait "$1" 2>/dev/null; [ "$?" = 137 ]; }

# killed NAME SECONDS COMMAND...: killed after so many seconds; counts what went wrong
killed() {
	local name=$1 after=$2
	shift 2
	"$@" >"$TMP/out" 2>"$TMP/err" </dev/null &
	local pid=$!
	check_pids+=("$pid")
	sleep "$after"
	kill -KILL "$pid"
	ended_by_kill "$pid" || {
		fail "$name: killed after $after s" "it had ended: $(cat "$TMP/err")"
		return
	}
	kills=$((kills + 1))
	wait_until 3 nothing_left || {
		fail "$name: left after $after s" "programs $(progs_leaked)" "maps $(maps_leaked)"
		left=$((left + 1))
	}
}

# readable FILE: it can be read as far as it goes, and says that it is cut
readable() {
	local rc
	"$TARDY" report -i "$1" requests -F json >"$TMP/report" 2>"$TMP/err"
	rc=$?
	((rc < 2)) && grep -q 'warning\[T0015\]' "$TMP/err" && return
	fail "what a killed recording left" "status $rc" "$(cat "$TMP/err")" "$(stat "$1")"
	return 1
}

# ---- record ----
kills=0 left=0 parts=0 read=0 most=0
for ms in 5 40 90 140 190 240 290 340 400 500 700 1100 1700 2600; do
	rm -f "$TMP"/data*
	killed record "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))" \
		"$TARDY" record -p "$pids" -o "$TMP/data"
	[ ! -e "$TMP/data" ] || fail "a finished file after $ms ms"
	[ -e "$TMP/data.part" ] || continue
	parts=$((parts + 1))
	readable "$TMP/data.part" && read=$((read + 1))
	n=$(grep -c '"kind":"request"' "$TMP/report")
	((n <= most)) || most=$n
done
is "record: killed at 14 moments" "$kills" 14
is "record: nothing was left in the kernel" "$left" 0
between "record: captures that had begun" "$parts" 2 14
is "record: all of them can be read" "$read" "$parts"
between "record: requests in the longest" "$most" 100 1e9
"$TARDY" record -p "$pids" -o "$TMP/data" --duration 500ms 2>"$TMP/err"
is "the next recording to that name is fine" "$?" 0
check "and what the killed one left is kept" test -s "$TMP/data.part.old"

# ---- the view as text, report, doctor ----
kills=0 left=0
for after in 0.06 0.21 0.33 0.9; do
	killed view "$after" "$TARDY" -b -d 0.1 -p "$pids"
	killed report "$after" "$TARDY" report --duration 20s -p "$pids"
done
killed doctor 0.04 "$TARDY" doctor
is "killed at 9 moments more" "$kills" 9
is "nothing was left in the kernel" "$left" 0

# ---- the live view, again and again in one terminal ----
cat >"$TMP/again.sh" <<-END
	stty -a >'$TMP/before'
	for i in 1 2 3 4 5 6; do
		bash -c 'echo \$\$ >"$TMP/pid.new"; mv "$TMP/pid.new" "$TMP/pid"; exec "$TARDY" -p $pids'
		echo \$? >'$TMP/status'
	done
	reset
	stty sane
	stty -a >'$TMP/after'
	echo the shell again
END
rm -f "$TMP/pid"
tui_start 80x24 bash "$TMP/again.sh"
kills=0
for after in 0.1 0.3 0.6 1.5 3; do
	wait_until 10 test -s "$TMP/pid" || bail "no view" "$(tui_screen)"
	pid=$(cat "$TMP/pid")
	rm -f "$TMP/pid"
	sleep "$after"
	kill -KILL "$pid" && kills=$((kills + 1))
	check "nothing is left of the view killed after $after s" wait_until 3 nothing_left
done
is "views killed" "$kills" 5
tui_expect "the next view draws in that terminal" tui_shows '\[1\]Routes'
tui_expect "and shows requests" tui_shows 'GET /index.html'
tui_keys 2
tui_expect "it takes keys" tui_shows '\[2\]Requests'
tui_keys F10
tui_expect "it gives the terminal back" tui_shows 'the shell again'
is "its status" "$(cat "$TMP/status")" 0
is "the cursor is visible" "$(tui_is cursor_flag)" 1
is "the other screen is left" "$(tui_is alternate_on)" 0
same_modes() { tr -s ' ;' '\n' <"$1" | grep -xE -- '-?(icanon|echo|isig|icrnl|opost|onlcr|ixon|iexten)'; }
is "after reset all is as it was" "$(same_modes "$TMP/after")" "$(same_modes "$TMP/before")"

# ---- signals that can be caught ----
for signal in HUP:0 TERM:0 INT:0 ABRT:134 BUS:135 FPE:136 SEGV:139; do
	cat >"$TMP/once.sh" <<-END
		stty -a >'$TMP/before'
		bash -c 'echo \$\$ >"$TMP/pid.new"; mv "$TMP/pid.new" "$TMP/pid"; exec "$TARDY" -p $pids'
		echo \$? >'$TMP/status'
		stty -a >'$TMP/after'
		echo the shell again
	END
	rm -f "$TMP/pid"
	tui_start 80x24 bash "$TMP/once.sh"
	tui_wait '\[1\]Routes'
	kill -"${signal%:*}" "$(cat "$TMP/pid")"
	tui_restored "SIG${signal%:*}" "${signal#*:}"
done
check "nothing is left in the kernel" wait_until 3 nothing_left

kernel_clean
done_testing
