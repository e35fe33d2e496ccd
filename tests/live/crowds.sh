#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Anybody may hold connections, with bytes that nobody reads: beside a watched server they cost no
# records, none of its requests, and little memory.
# timeout: 200
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
CROWD=5000
kernel_mark

port=$(free_port)
spawn python3 "$here/crowds.py" serve "$port"
server=$SPAWNED
wait_until 10 listens "$port" || bail "the server did not start"
crowd_there() { grep -q there "$TMP/crowd"; }

install -m 0644 "$here/crowds.py" "$TMP/crowds.py" # where nobody can read it

# Room for exchanges takes 4 KiB of the kernel's memory, and little else here does.
pages() { awk '$1 ~ /^kmalloc(-cg)?-4k$/ { n += $2 } END { print n + 0 }' /proc/slabinfo; }

# sweeps_of PID: runs so far of its programs that go through connections, one for each
sweeps_of() {
	local id
	for id in $(bpf_progs_of "$1"); do
		bpftool prog show id "$id"
	done | awk '/name sweep_(conns|stamps|tcp|unix|files) / {
		for (i = 1; i < NF; i++) if ($i == "run_cnt") n += $(i + 1) }
		END { print n + 0 }'
}
stats=$(sysctl -n kernel.bpf_stats_enabled)
at_exit 'sysctl -qw kernel.bpf_stats_enabled="$stats"'
sysctl -qw kernel.bpf_stats_enabled=1

# beside WAY ARGS...: what the crowd costs, with the ways to sweep of this kernel and of others
beside() {
	local way=$1 before swept crowd answered
	shift
	record_start "$server" "$@"
	before=$(pages)
	spawn setpriv --reuid=65534 --regid=65534 --clear-groups \
		/usr/bin/python3 "$TMP/crowds.py" crowd "$(free_port)" "$CROWD" >"$TMP/crowd"
	crowd=$SPAWNED
	wait_until 30 crowd_there || bail "the crowd did not come"
	sleep 2 # the collector looks each second
	swept=$(sweeps_of "$TARDY_PID")
	answered=$(python3 "$here/crowds.py" ask "$port" 3)
	swept=$(($(sweeps_of "$TARDY_PID") - swept))
	between "$way: room for exchanges that the crowd takes" "$(($(pages) - before))" \
		-1000 $((CROWD / 5))
	between "$way: connections looked at in 3 s" "$swept" 1 $((4 * CROWD))
	record_end
	end_pid "$crowd"
	is "$way: record ended well" "$RECORD_STATUS" 0
	report_json "$TMP/health" health
	is "$way: each request of the watched server, and no other" "$(health requests)" "$answered"
	is "$way: all of them whole" "$(health requests_incomplete)" 0
	is "$way: nothing lost" "$(health lost)" 0
	between "$way: fewer records than the crowd has connections" "$(health seen)" 1 "$CROWD"
	unlike "$way: none of the crowd is told as waiting" "$(cat "$TMP/health")" pending_many
}
health() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$TMP/health" | tail -n 1; }

beside "as this kernel allows"
beside "over sockets and files" --sweep-sockets
end_pid "$server"

# ---- a server in a network namespace of its own: what is in flight there is seen ---------------
inside() { nsenter -t "$away" -n "$@"; }
listens_inside() { inside grep -q ":$(printf %04X "$1") 00000000:0000 0A" /proc/self/net/tcp; }
asked() { grep -q asked "$TMP/held"; }

# in_flight WAY ARGS...
in_flight() {
	local way=$1 away held
	shift
	spawn unshare -n sh -c "ip link set lo up && exec python3 '$here/crowds.py' serve $port"
	away=$SPAWNED
	wait_until 10 listens_inside "$port" || bail "the server away did not start"
	record_start "$away" "$@"
	spawn nsenter -t "$away" -n python3 "$here/crowds.py" hold "$port" >"$TMP/held"
	held=$SPAWNED
	wait_until 10 asked || bail "nobody asked"
	sleep 0.5
	record_end
	end_pid "$held"
	end_pid "$away"
	is "$way: record ended well" "$RECORD_STATUS" 0
	report_json "$TMP/report" requests
	is "$way: the request in flight there" \
		"$(json "$TMP/report" '[(r["route"], r["open"]) for r in rows if "route" in r]')" \
		"[('GET /held', True)]"
}
in_flight "away, as this kernel allows"
in_flight "away, over sockets and files" --sweep-sockets

kernel_clean
done_testing
