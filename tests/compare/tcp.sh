#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Calls to an upstream in a network namespace of its own, by the caller's own clock and by what TCP
# knows of the same connection (ss), against tardy's calls. (tcprtt needs kprobes, which not every
# kernel allows: tests/vm/linux612.sh has it.)
# timeout: 120
. "$(dirname "$0")/../lib/peers.sh"
here=$TARDY_ROOT/tests/compare
kernel_mark

net=198.18.$(($$ % 250)) ns=tardy-compare-$$ dev=tc$$
ip netns add "$ns" || bail "no network namespace"
at_exit 'ip netns del "$ns"; ip link del "${dev}a" 2>/dev/null'
ip link add "${dev}a" type veth peer name "${dev}b" && ip link set "${dev}b" netns "$ns" &&
	ip addr add "$net.1/30" dev "${dev}a" && ip link set "${dev}a" up &&
	ip -n "$ns" addr add "$net.2/30" dev "${dev}b" && ip -n "$ns" link set "${dev}b" up ||
	bail "no way into the network namespace"
mkdir "$TMP/upstream"
spawn ip netns exec "$ns" "$TARDY_BUILD/oracle/oracle_server" --mode threads --listen "$net.2" \
	--port 8080 --dir "$TMP/upstream" --ready "$TMP/ready"
wait_until 10 test -e "$TMP/ready" || bail "the upstream did not start"

port=$(free_port)
spawn python3 "$here/tcp_server.py" "$port" "$net.2" 8080 "$TMP/own" 2>"$TMP/server.err"
server=$SPAWNED
wait_until 10 tcp_open "$port" || bail "the server did not start" "$(cat "$TMP/server.err")"
record_start "$server"
check "kept connection" python3 "$here/visitors.py" "$port" 1 200 /kept
ss -tinH dst "$net.2:8080" >"$TMP/ss"
check "fresh connections" python3 "$here/visitors.py" "$port" 1 100 /fresh
record_end
is "record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests health
facts python3 "$here/tcp_check.py" "$TMP/report" "$TMP/own" "$TMP/ss" "$net.2:8080"

kernel_clean
done_testing
