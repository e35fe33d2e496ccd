#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Proxies that have few connections to what is behind them: who waits for one waits in the queue of
# that pool, as long as the proxy's own log (HAProxy) or the visitor (pgbouncer) says.
# timeout: 200
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

# ---- HAProxy: one request at a time, six visitors ---------------------------------------------
port=$(free_port)
back=$(free_port)
spawn python3 "$here/slots_server.py" "$back" 2>"$TMP/server.err"
server=$SPAWNED
haproxy_start "$port" "$back" "log global
		  log-format \"%HP %Tw\""
record_start "$HAPROXY_PID,$server"
python3 "$here/pools_client.py" "$port" 6 6 0 >"$TMP/asked"
record_end
is "haproxy: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests
facts python3 "$here/slots_check.py" haproxy "$TMP/report" "$HAPROXY_PID" "$back" "$TMP/haproxy.log"
end_pid "$HAPROXY_PID"
end_pid "$server"

# ---- pgbouncer: one connection to PostgreSQL, five visitors ----------------------------------
pg=$(free_port)
port=$(free_port)
postgres_start "$pg"
cat >"$TMP/pgbouncer.ini" <<CONF
[databases]
postgres = host=127.0.0.1 port=$pg dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 1
CONF
sed -i 's/^postgres = .*/& user=postgres/' "$TMP/pgbouncer.ini"
chown postgres "$TMP/pgbouncer.ini"
spawn as_postgres pgbouncer -q "$TMP/pgbouncer.ini" >"$TMP/pgbouncer.log" 2>&1
proxy=$SPAWNED
wait_until 10 listens "$port" || bail "pgbouncer did not start" "$(cat "$TMP/pgbouncer.log")"
pgbench=$(printf "%s\n" /usr/lib/postgresql/*/bin/pgbench | sort -V | tail -n 1)
echo 'SELECT pg_sleep(0.03);' >"$TMP/sleep.sql"
record_start "$proxy"
"$pgbench" -n -h 127.0.0.1 -p "$port" \
	-U postgres -c 5 -j 1 -t 12 -l --log-prefix="$TMP/bench" -f "$TMP/sleep.sql" postgres \
	>"$TMP/pgbench.out" 2>&1 || fail "pgbench" "$(cat "$TMP/pgbench.out")"
record_end
is "pgbouncer: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests
facts python3 "$here/slots_check.py" pgbouncer "$TMP/report" "$proxy" "$pg" "$TMP/bench".*
end_pid "$proxy"

kernel_clean
done_testing
