#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Applications on the event loops that they really run on, uvicorn with asyncpg and Node, against
# their own logs: found, and waiting for what they say they waited for.
# timeout: 200
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

# record_app PIDS APP_PID PORT LOG ROUTE...: the application ends with it, and writes its LOG.cpu
record_app() {
	local pids=$1 app=$2 port=$3 log=$4
	shift 4
	record_start "$pids"
	check "the visitors were served" timeout 100 python3 "$here/apps_client.py" "$port" "$@"
	record_end
	is "record ended well" "$RECORD_STATUS" 0
	end_pid "$app" TERM
	wait_until 5 test -s "$log.cpu" || bail "the application did not end"
	report_json "$TMP/report" requests
	facts python3 "$here/apps_check.py" "$TMP/report" "$log" "$@"
}

pg=$(free_port)
postgres_start "$pg"
port=$(free_port)
spawn env APP_LOG="$TMP/asgi.log" APP_DB="postgres://postgres@127.0.0.1:$pg/postgres" \
	PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 \
	/usr/bin/uvicorn --no-access-log --port "$port" apps_asgi:app >"$TMP/uvicorn.out" 2>&1
uvicorn=$SPAWNED
wait_until 20 listens "$port" || bail "uvicorn did not start" "$(cat "$TMP/uvicorn.out")"
record_app "$uvicorn,$(children_of "$POSTGRES_PID")" "$uvicorn" "$port" "$TMP/asgi.log" \
	/timer /work /spin /db

port=$(free_port)
spawn node "$here/apps_node.js" "$port" "$TMP/node.log"
node=$SPAWNED
wait_until 10 listens "$port" || bail "node did not start"
record_app "$node" "$node" "$port" "$TMP/node.log" /timer /work /spin

kernel_clean
done_testing
