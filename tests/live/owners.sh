#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Whose work it is: calls and what answers them, where names and threads do not tell.
# timeout: 200
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

# ---- one lasting connection of a protocol that is not known, TCP and Unix ------------------
# lasting ADDRESS: a web server of one thread calls a store on a connection older than tardy
lasting() {
	local name=$1 address=$2 store web port
	port=$(free_port)
	spawn python3 "$here/owners_server.py" store "$address"
	store=$SPAWNED
	spawn python3 "$here/owners_server.py" web "$port" "$address"
	web=$SPAWNED
	wait_until 10 listens "$port" || bail "the web server did not start"
	record_start "$store,$web"
	check "$name: a visitor came" python3 "$here/owners_client.py" "$port" 3 0
	check "$name: and came again" python3 "$here/owners_client.py" "$port" 2 0.02
	record_end
	is "$name: record ended well" "$RECORD_STATUS" 0
	report_json "$TMP/report" requests
	facts python3 "$here/owners_check.py" lasting "$TMP/report" "$name" "$web" "$store"
	end_pid "$web"
	end_pid "$store"
}
lasting tcp "127.0.0.1:$(free_port)"
lasting unix "$TMP/store.sock"

# ---- asked by nobody who asked us: outside of a request, and for one older than tardy --------
outside() {
	local name=$1 address=$2 store web port visitor
	port=$(free_port)
	spawn python3 "$here/owners_server.py" store "$address"
	store=$SPAWNED
	spawn python3 "$here/owners_server.py" ticker "$port" "$address"
	web=$SPAWNED
	wait_until 10 listens "$port" || bail "the web server did not start"
	spawn curl -s -o "$TMP/many" "http://127.0.0.1:$port/many"
	visitor=$SPAWNED
	sleep 0.2
	record_start "$store,$web"
	wait "$visitor"
	check "$name: a visitor came" python3 "$here/owners_client.py" "$port" 2 0
	record_end
	is "$name: record ended well" "$RECORD_STATUS" 0
	report_json "$TMP/report" requests
	facts python3 "$here/owners_check.py" outside "$TMP/report" "$name" "$web" "$store"
	end_pid "$web"
	end_pid "$store"
}
outside tcp "127.0.0.1:$(free_port)"
outside unix "$TMP/store2.sock"

# ---- an event loop that asks for one of several requests, it cannot be known which ------------
address=127.0.0.1:$(free_port)
port=$(free_port)
spawn python3 "$here/owners_server.py" store "$address"
store=$SPAWNED
spawn python3 "$here/owners_server.py" later "$port" "$address"
web=$SPAWNED
wait_until 10 listens "${address#*:}" || bail "the store did not start"
wait_until 10 listens "$port" || bail "the web server did not start"
record_start "$store,$web"
check "unknown: visitors came" python3 "$here/owners_client.py" "$port" 3 0 4
record_end
is "unknown: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests health
facts python3 "$here/owners_check.py" unknown "$TMP/report" unknown "$web" "$store"
"$TARDY" report -i "$TMP/data" health >"$TMP/health" 2>&1
like "unknown: health says so" "$(cat "$TMP/health")" \
	'unbound +[0-9]+ calls of no known request, [0-9.]+m?s'
end_pid "$web"
end_pid "$store"

# ---- a proxy that queues: one server at a time, eight visitors -------------------------------
port=$(free_port)
back=$(free_port)
spawn python3 "$here/owners_server.py" pages "$back" 2>"$TMP/pages.err"
pages=$SPAWNED
haproxy_start "$port" "$back"
record_start "$HAPROXY_PID,$pages"
check "haproxy: visitors came" python3 "$here/owners_client.py" "$port" 4 0.005 8
record_end
is "haproxy: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests
facts python3 "$here/owners_check.py" proxy "$TMP/report" haproxy "$HAPROXY_PID" "$pages"
end_pid "$HAPROXY_PID"
end_pid "$pages"

# ---- a proxy that gives requests other targets: what one is for, another asks for by that name ----
port=$(free_port)
own=$(free_port)
renamed=$(free_port)
spawn python3 "$here/owners_server.py" pages "$own" 2>"$TMP/own.err"
own_pid=$SPAWNED
spawn python3 "$here/owners_server.py" pages "$renamed" 2>"$TMP/renamed.err"
renamed_pid=$SPAWNED
wait_until 10 listens "$own" || bail "the pages' server did not start"
wait_until 10 listens "$renamed" || bail "the other pages' server did not start"
nginx_start "$port" "
	location / { proxy_pass http://127.0.0.1:$own; }
	location ~ ^/slow-[b-h]\$ { rewrite ^ /slow-a break; proxy_pass http://127.0.0.1:$renamed; }"
record_start "$(children_of "$NGINX_PID"),$own_pid,$renamed_pid"
# not more than the servers have room for: a call that connects for a second has nothing to be told by
check "renamed: visitors came" python3 "$here/owners_client.py" "$port" 4 0.005 5
record_end
is "renamed: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests
facts python3 "$here/owners_check.py" renamed "$TMP/report" renamed "$own_pid" "$renamed_pid"
end_pid "$NGINX_PID"
end_pid "$own_pid"
end_pid "$renamed_pid"

kernel_clean
done_testing
