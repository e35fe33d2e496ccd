#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# PostgreSQL: where a call ends, what it is called and what it waits for, against its clients' logs.
# timeout: 200
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

pg=$(free_port)
postgres_start "$pg" wal_level=logical max_wal_senders=4

# ---- ends ----------------------------------------------------------------------------------
record_start "$POSTGRES_PID"
check "ends: the client got its answers" python3 "$here/pgsql_client.py" ends "$pg" "$TMP/log"
record_end
is "ends: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests
facts python3 "$here/pgsql_check.py" ends "$TMP/report" "$TMP/log"

# ---- causes --------------------------------------------------------------------------------
record_start "$POSTGRES_PID"
check "causes: the client got its answers" python3 "$here/pgsql_client.py" causes "$pg" "$TMP/log"
record_end
is "causes: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests
facts python3 "$here/pgsql_check.py" causes "$TMP/report"

psql=(psql -XqAt -h 127.0.0.1 -p "$pg" -U postgres postgres)
"${psql[@]}" -c 'CREATE TABLE shop (id int, v int)' -c 'INSERT INTO shop VALUES (1, 0)' ||
	bail "the table was not made"
port=$(free_port)
spawn python3 "$here/pgsql_client.py" pages "$pg" "$port" >"$TMP/web.out" 2>&1
web=$SPAWNED
wait_until 10 listens "$port" || bail "the web server did not start" "$(cat "$TMP/web.out")"
record_start "$POSTGRES_PID,$web"
check "pages: visitors were served" python3 "$here/pgsql_client.py" visit "$port"
record_end
is "pages: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests
facts python3 "$here/pgsql_check.py" pages "$TMP/report"
end_pid "$web"

# ---- connections older than tardy, whose statements are prepared --------------------------------
echo 'SELECT 1 AS before;' >"$TMP/before.sql"
spawn pgbench -h 127.0.0.1 -p "$pg" -U postgres -n -M prepared -f "$TMP/before.sql" -c 2 -R 100 -T 4 postgres \
	>"$TMP/pgbench" 2>&1
bench=$SPAWNED
sleep 1
record_start "$POSTGRES_PID"
sleep 1
record_end
is "prepared: record ended well" "$RECORD_STATUS" 0
wait "$bench"
report_json "$TMP/report" requests
facts python3 "$here/pgsql_check.py" prepared "$TMP/report"

# ---- pgbouncer with one connection to the database ------------------------------------------------
port=$(free_port)
cat >"$TMP/pg/pgbouncer.ini" <<CONF
[databases]
postgres = host=127.0.0.1 port=$pg user=postgres pool_size=1
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
auth_type = any
pool_mode = transaction
unix_socket_dir =
CONF
spawn as_postgres pgbouncer -q "$TMP/pg/pgbouncer.ini" >"$TMP/pgbouncer.log" 2>&1
pooler=$SPAWNED
wait_until 10 listens "$port" || bail "pgbouncer did not start" "$(cat "$TMP/pgbouncer.log")"
record_start "$POSTGRES_PID,$pooler"
visitors=()
for i in 1 2 3 4; do
	spawn psql -XqAt -h 127.0.0.1 -p "$port" -U postgres -c "SELECT pg_sleep(0.05) AS a$i" \
		-c "SELECT pg_sleep(0.03) AS b$i" -c "SELECT pg_sleep(0.02) AS c$i" postgres >"$TMP/psql$i" 2>&1
	visitors+=("$SPAWNED")
done
wait "${visitors[@]}"
record_end
is "pooler: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests
facts python3 "$here/pgsql_check.py" pooler "$TMP/report" "$pooler"
end_pid "$pooler"

# ---- a stream that goes on by design -----------------------------------------------------------
mkdir "$TMP/wal"
record_start "$POSTGRES_PID"
spawn "$(printf '%s\n' /usr/lib/postgresql/*/bin/pg_receivewal | sort -V | tail -n 1)" \
	-h 127.0.0.1 -p "$pg" -U postgres -D "$TMP/wal" -s 1
receiver=$SPAWNED
check "stream: a statement beside it" "${psql[@]}" -c 'SELECT pg_sleep(1.5) AS beside'
record_end
is "stream: record ended well" "$RECORD_STATUS" 0
end_pid "$receiver"
report_json "$TMP/report" requests
report_json "$TMP/routes" routes
facts python3 "$here/pgsql_check.py" stream "$TMP/report" "$TMP/routes"

kernel_clean
done_testing
