#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What TCP knows of connections over a slow path that loses packets (round trip, its variation,
# segments sent again), by ss, against what tardy says of the same connections: those of clients that
# wait for a big answer, and those of calls. The path is carried by a program between two TUN devices,
# into a network namespace (netem is not in every kernel).
# timeout: 120
. "$(dirname "$0")/../lib/peers.sh"
here=$TARDY_ROOT/tests/compare
kernel_mark

delay=4000 every=97 count=20
net=198.19.$(($$ % 250)) ns=tardy-rtt-$$ dev=tr$$
ip netns add "$ns" || bail "no network namespace"
at_exit 'ip netns del "$ns"'
spawn python3 "$here/far_path.py" "${dev}a" "${dev}b" "$delay" "$every" "$TMP/lost" >"$TMP/path" \
	2>"$TMP/path.err"
path=$SPAWNED
wait_until 10 grep -q ready "$TMP/path" || bail "no TUN devices" "$(cat "$TMP/path.err")"
ip link set "${dev}b" netns "$ns" &&
	ip addr add "$net.1/30" dev "${dev}a" && ip link set "${dev}a" up &&
	ip -n "$ns" addr add "$net.2/30" dev "${dev}b" && ip -n "$ns" link set "${dev}b" up &&
	ip -n "$ns" link set lo up ||
	bail "no way into the network namespace"
spawn ip netns exec "$ns" python3 "$here/far_server.py" "$net.2" 8080 "$TMP/upstream" \
	2>"$TMP/upstream.err"
wait_until 10 ip netns exec "$ns" bash -c "exec 3<>/dev/tcp/$net.2/8080" ||
	bail "the upstream did not start" "$(cat "$TMP/upstream.err")"
port=$(free_port)
spawn python3 "$here/far_server.py" "$net.1" "$port" "$TMP/own" "$net.2:8080" 2>"$TMP/server.err"
server=$SPAWNED
answers() { (exec 3<>"/dev/tcp/$net.1/$port") 2>/dev/null; }
wait_until 10 answers || bail "the server did not start" "$(cat "$TMP/server.err")"

record_start "$server"
spawn ip netns exec "$ns" python3 "$here/far_client.py" "$net.1" "$port" "$count" /big \
	>"$TMP/big" 2>&1
check "big answers" wait_until 40 grep -q answered "$TMP/big"
spawn python3 "$here/far_client.py" "$net.1" "$port" "$count" /call >"$TMP/call" 2>&1
check "calls" wait_until 40 grep -q answered "$TMP/call"
# the last acknowledgement is there, and tardy has told of each exchange
sleep 1
ss -tinH "( sport = :$port or dport = :8080 )" dst "$net.2" >"$TMP/ss"
record_end
is "record ended well" "$RECORD_STATUS" 0
end_pid "$path" TERM
report_json "$TMP/report" requests health
facts python3 "$here/tcp_rtt_check.py" "$TMP" "$count" "$delay" "$port" 8080

kernel_clean
done_testing
